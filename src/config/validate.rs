//! Value validation: checks each value against the shape of its key.

use std::net::IpAddr;
use std::time::Duration;

use toml::Value;

use super::ApiKey;
use super::keys::ValueShape;

/// The error in words.
type CheckResult<T> = Result<T, String>;

/// Checks one value against its key's shape.
///
/// # Errors
/// A text that names the expected shape.
pub fn check(shape: ValueShape, value: &Value) -> CheckResult<()> {
    match shape {
        ValueShape::Switch => value.as_bool().map(drop).ok_or_else(|| format!("expected true or false, not {value}")),
        ValueShape::Duration { min, max } => duration(text(value)?, min, max).map(drop),
        ValueShape::Count { min, max } => within(value.as_integer(), min, max, "a whole number", value),
        ValueShape::Number { min, max } => within(number(value), min, max, "a number", value),
        ValueShape::Choice(choices) => match text(value)? {
            text if choices.contains(&text) => Ok(()),
            text => Err(format!("expected one of {}, not {text:?}", choices.join(", "))),
        },
        ValueShape::Globs => globs(value),
        ValueShape::Names => {
            let is_name = |item: &Value| item.as_str().is_some_and(|name| !name.trim().is_empty());
            let wrong = || format!("expected a list like [\"me@work.example\"], not {value}");
            value.as_array().filter(|items| items.iter().all(is_name)).map(drop).ok_or_else(wrong)
        }
        ValueShape::Window => window(text(value)?).map(drop),
        ValueShape::Name => {
            text(value).and_then(|text| if text.trim().is_empty() { Err("is empty".into()) } else { Ok(()) })
        }
        // The message must never quote the value.
        ValueShape::Secret => {
            let key = value.as_str().ok_or("expected a key in quotes")?;
            ApiKey::parse(key).map(drop).ok_or_else(|| "expected a key of visible ASCII characters".to_owned())
        }
        ValueShape::Variable => variable(text(value)?),
        ValueShape::Endpoint => address(text(value)?).map(drop),
        ValueShape::Store => match text(value)? {
            url if ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) => Ok(()),
            url => Err(expected("sqlite:[PATH] or postgres://user@host/db", url)),
        },
    }
}

/// Parses a value given as text (git, environment, flags); lists may be `a,b` or a TOML array.
///
/// # Errors
/// A text that names the expected shape.
pub fn from_text(shape: ValueShape, text: &str) -> CheckResult<Value> {
    let text = text.trim();
    let value = match shape {
        ValueShape::Switch => switch(text).map(Value::Boolean)?,
        ValueShape::Count { .. } => text.parse().map(Value::Integer).map_err(|_| expected("a whole number", text))?,
        ValueShape::Number { .. } => text.parse().map(Value::Float).map_err(|_| expected("a number", text))?,
        ValueShape::Globs | ValueShape::Names => list(text)?,
        _ => Value::String(text.to_owned()),
    };
    check(shape, &value).map(|()| value)
}

/// Parses a duration (`2s`, `90d`) between `min` and `max` milliseconds.
///
/// # Errors
/// A text that names the expected shape.
pub fn duration(text: &str, min: u64, max: u64) -> CheckResult<Duration> {
    let found =
        humantime::parse_duration(text).map_err(|_| format!("expected a duration like 2s or 90d, not {text:?}"))?;
    let (min, max) = (Duration::from_millis(min), Duration::from_millis(max));
    if (min..=max).contains(&found) {
        return Ok(found);
    }
    Err(format!("{text} is not between {} and {}", format_duration(min), format_duration(max)))
}

/// Start and end of a window in minutes after midnight; the end may be on the next day.
///
/// # Errors
/// A text that names the expected shape.
pub fn window(text: &str) -> CheckResult<(u16, u16)> {
    let (from, to) = text.split_once('-').ok_or_else(|| expected("a window like 02:00-06:00", text))?;
    let minutes = |time: &str| minutes(time.trim()).ok_or_else(|| expected("a window like 02:00-06:00", text));
    match (minutes(from)?, minutes(to)?) {
        (from, to) if from == to => Err(format!("the window {text} is empty")),
        both => Ok(both),
    }
}

/// The parts of an endpoint's address: scheme, host (IPv6 without brackets), port, path.
///
/// # Errors
/// A text that names the expected shape.
pub fn address(url: &str) -> CheckResult<(&str, &str, Option<u16>, &str)> {
    let wrong = || expected("an address like http://127.0.0.1:11434", url);
    let (scheme, rest) = url.split_once("://").filter(|(s, _)| matches!(*s, "http" | "https")).ok_or_else(wrong)?;
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    if authority.contains('@') {
        return Err("an address must not hold a name or password".to_owned());
    }
    if url.contains(['?', '#', ' ', '\\']) {
        return Err(wrong());
    }
    let (host, port) = host_and_port(authority).ok_or_else(wrong)?;
    Ok((scheme, host, port, path))
}

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port`.
#[must_use]
pub fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<IpAddr>().ok()?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() || (host.contains(':') && !authority.starts_with('[')) {
        return None;
    }
    match port {
        None => Some((host, None)),
        Some(port) => port.parse().ok().filter(|port| *port > 0).map(|port| (host, Some(port))),
    }
}

fn text(value: &Value) -> CheckResult<&str> {
    value.as_str().ok_or_else(|| format!("expected text in quotes, not {value}"))
}

fn number(value: &Value) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "settings are small")]
    value.as_float().or_else(|| value.as_integer().map(|n| n as f64)).filter(|n| n.is_finite())
}

fn within<T: Copy + PartialOrd + std::fmt::Display>(
    found: Option<T>,
    min: T,
    max: T,
    what: &str,
    value: &Value,
) -> CheckResult<()> {
    match found {
        Some(n) if n >= min && n <= max => Ok(()),
        Some(n) => Err(format!("{n} is not between {min} and {max}")),
        None => Err(format!("expected {what}, not {value}")),
    }
}

fn globs(value: &Value) -> CheckResult<()> {
    let wrong = || format!("expected a list like [\"dist/**\"], not {value}");
    for item in value.as_array().ok_or_else(wrong)? {
        let pattern = item.as_str().ok_or_else(wrong)?;
        globset::Glob::new(pattern).map_err(|error| format!("{pattern:?} is not a glob: {}", error.kind()))?;
    }
    Ok(())
}

fn variable(name: &str) -> CheckResult<()> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(is_part) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(());
    }
    // The user may have entered the key itself here.
    Err("expected the name of an environment variable, like LOCAL_LLM_KEY".to_owned())
}

fn switch(text: &str) -> CheckResult<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(expected("true or false", text)),
    }
}

/// `a,b{c,d}` → two items; text that begins with `[` is a TOML array.
fn list(text: &str) -> CheckResult<Value> {
    if text.starts_with('[') {
        let table: toml::Table = format!("list = {text}").parse().map_err(|_| expected("a list", text))?;
        return table.get("list").cloned().ok_or_else(|| expected("a list", text));
    }
    let mut depth = 0_i32;
    let items = text.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth <= 0
    });
    Ok(Value::Array(items.map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect()))
}

fn minutes(time: &str) -> Option<u16> {
    let (hours, minutes) = time.split_once(':')?;
    let two_digits = |text: &str| if text.len() == 2 { text.parse::<u16>().ok() } else { None };
    match (two_digits(hours)?, two_digits(minutes)?) {
        (hours @ 0..24, minutes @ 0..60) => Some(hours * 60 + minutes),
        _ => None,
    }
}

fn expected(what: &str, found: &str) -> String {
    format!("expected {what}, not {found:?}")
}

/// Formats a duration as in the settings.
fn format_duration(duration: Duration) -> String {
    const DAY: u64 = 86_400;
    match duration.as_secs() {
        seconds if seconds >= DAY && seconds.is_multiple_of(DAY) => format!("{}d", seconds / DAY),
        _ => humantime::format_duration(duration).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys;

    fn verdict(key: &str, text: &str) -> CheckResult<Value> {
        from_text(keys::find_key(key).unwrap().shape, text)
    }

    #[test]
    fn good_values_pass() {
        for (key, text) in [
            ("capture.budget", "2s"),
            ("capture.budget", "1500ms"),
            ("capture.refine", "off"),
            ("capture.strategy", "multi"),
            ("capture.exclude_paths", "*.lock, {a,b}/**"),
            ("capture.exclude_paths", "[\"a,b\"]"),
            ("capture.exclude_paths", ""),
            ("capture.only_repos", "/home/me/work/**"),
            ("capture.identities", "me@work.example, me@home.example"),
            ("drafts.window", "22:00-06:00"),
            ("options.blog.temperature", "0.7"),
            ("options.blog.top_k", "0"),
            ("store.url", "postgres://me@db/team"),
            ("retention.operations", "90d"),
            ("retention.prompts", "1day"),
            ("retention.copies", "2w"),
            ("endpoints[0].url", "http://[::1]:8080/v1"),
        ] {
            assert!(verdict(key, text).is_ok(), "{key}={text}: {:?}", verdict(key, text));
        }
    }

    #[test]
    fn wrong_values_say_what_was_expected() {
        for (key, text, expected) in [
            ("capture.budget", "soon", "expected a duration like 2s or 90d, not \"soon\""),
            ("capture.budget", "2h", "2h is not between 100ms and 1m"),
            ("retention.operations", "1h", "1h is not between 1d and 36500d"),
            ("retention.copies", "23h", "23h is not between 1d and 36500d"),
            ("capture.refine", "maybe", "expected true or false, not \"maybe\""),
            ("capture.strategy", "best", "expected one of single, multi, adaptive, not \"best\""),
            ("options.blog.temperature", "3", "3 is not between 0 and 2"),
            ("options.blog.temperature", "NaN", "expected a number, not nan"),
            ("options.blog.num_ctx", "4k", "expected a whole number, not \"4k\""),
            ("drafts.window", "2-6", "expected a window like 02:00-06:00, not \"2-6\""),
            ("drafts.window", "24:00-06:00", "expected a window like 02:00-06:00, not \"24:00-06:00\""),
            ("drafts.window", "02:00-02:00", "the window 02:00-02:00 is empty"),
            ("models.blog", " ", "is empty"),
            ("store.url", "mysql://x", "expected sqlite:[PATH] or postgres://user@host/db, not \"mysql://x\""),
        ] {
            assert_eq!(verdict(key, text).unwrap_err(), expected, "{key}={text}");
        }
        assert!(verdict("capture.identities", "[\"\"]").unwrap_err().contains("expected a list"));
        assert!(verdict("capture.exclude_paths", "a[").unwrap_err().contains("is not a glob"));
    }

    #[test]
    fn addresses_need_a_scheme_and_a_host_and_no_password() {
        assert_eq!(address("http://localhost:1/v1").unwrap(), ("http", "localhost", Some(1), "/v1"));
        assert_eq!(address("https://[::1]").unwrap(), ("https", "::1", None, ""));
        for bad in [
            "", "localhost:1", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:99999", "http://::1",
            "http://a?b", "http://a b", "http://[nonsense]:1", "http://me:pw@a",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn braces_keep_a_glob_together() {
        let list = verdict("capture.exclude_paths", "{a,b}/*,c").unwrap();
        assert_eq!(list.as_array().unwrap().len(), 2);
    }
}
