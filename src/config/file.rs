//! User file parser: TOML → settings by key with line numbers; an unknown key is an error that names its line.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use toml::Value;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Result, SettingOrigin, closest};
use super::keys::{self, ValueShape};
use super::layer::Setting;
use super::validate;

/// Reads the settings in the file at `path`; none if the file does not exist.
///
/// # Errors
/// The file cannot be read, is not TOML, or has an unknown key or an invalid value.
pub fn read_settings(path: &Path) -> Result<Vec<Setting>> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
    }
}

/// Parses `text`, the (new) content of `path`.
///
/// # Errors
/// `text` is not TOML, or has an unknown key or an invalid value.
pub fn parse(text: &str, path: &Path) -> Result<Vec<Setting>> {
    let at = |span: Range<usize>| {
        let line = 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
        SettingOrigin::UserFile { path: path.to_owned(), line }
    };
    let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        message: error.message().lines().next().unwrap_or("not TOML").to_owned(),
        origin: at(error.span().unwrap_or_default()),
    })?;
    let mut settings = Vec::new();
    collect_table("", table.get_ref(), &at, &mut settings)?;
    Ok(settings)
}

/// Collects the settings of one table with the key `prefix`.
fn collect_table(
    prefix: &str,
    table: &DeTable<'_>,
    at: &dyn Fn(Range<usize>) -> SettingOrigin,
    out: &mut Vec<Setting>,
) -> Result<()> {
    for (name, value) in table.iter() {
        let key = if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
        let origin = at(name.span());
        match value.get_ref() {
            DeValue::Table(inner) if is_section(&key) => collect_table(&key, inner, at, out)?,
            DeValue::Array(entries) if key == "endpoints" => {
                for (index, entry) in entries.iter().enumerate() {
                    let DeValue::Table(inner) = entry.get_ref() else { return Err(no_section(key, origin)) };
                    collect_table(&format!("{key}[{index}]"), inner, at, out)?;
                }
            }
            _ if is_section(&key) || key == "endpoints" => return Err(no_section(key, origin)),
            plain => out.push(setting(prefix, name.get_ref(), key, plain, origin)?),
        }
    }
    Ok(())
}

fn setting(section: &str, name: &str, key: String, value: &DeValue<'_>, origin: SettingOrigin) -> Result<Setting> {
    let Some(spec) = keys::find_key(&key) else { return Err(unknown(section, name, origin)) };
    match plain(value).and_then(|value| validate::check(spec.shape, &value).map(|()| value)) {
        Ok(value) => Ok(Setting { key, value, origin }),
        Err(_) if spec.shape == ValueShape::Secret => {
            let message = "expected a key in quotes, of visible ASCII characters".to_owned();
            Err(ConfigError::Invalid { key, message, origin })
        }
        Err(message) => Err(ConfigError::Invalid { key, message, origin }),
    }
}

fn is_section(key: &str) -> bool {
    match key.split_once('.') {
        None => key != "endpoints" && keys::SECTIONS.contains(&key),
        Some(("options", role)) => keys::parse_role(role).is_some(),
        Some(("publish", name)) => keys::is_webhook_name(name),
        Some(_) => false,
    }
}

fn no_section(key: String, origin: SettingOrigin) -> ConfigError {
    let message = if key == "endpoints" {
        "expected entries that begin with [[endpoints]]".to_owned()
    } else {
        format!("expected a section [{key}]")
    };
    ConfigError::Invalid { key, message, origin }
}

/// The error for an unknown key, with the name that was probably meant.
pub(super) fn unknown(section: &str, name: &str, origin: SettingOrigin) -> ConfigError {
    let siblings = known_names(section);
    let suggestion = closest(name, siblings.iter().map(String::as_str)).filter(|close| close != name);
    let section = (!section.is_empty()).then(|| section.split('[').next().unwrap_or(section).to_owned());
    ConfigError::UnknownKey { key: name.to_owned(), section, origin, suggestion }
}

/// The keys allowed directly in a section.
fn known_names(section: &str) -> Vec<String> {
    if section.is_empty() {
        return keys::SECTIONS.iter().map(|name| (*name).to_owned()).collect();
    }
    if section.starts_with("endpoints") {
        return keys::ENDPOINT.iter().map(|(name, ..)| (*name).to_owned()).collect();
    }
    if section.starts_with("publish.") {
        return keys::WEBHOOK.iter().map(|(name, ..)| (*name).to_owned()).collect();
    }
    let inside = keys::fixed().filter_map(|key| Some(key.strip_prefix(section)?.strip_prefix('.')?.to_owned()));
    let mut names: Vec<String> = inside.map(|rest| rest.split('.').next().unwrap_or("").to_owned()).collect();
    names.dedup();
    names
}

/// A value without its spans.
fn plain(value: &DeValue<'_>) -> std::result::Result<Value, String> {
    let number = |text: &str| format!("{text} is out of range");
    Ok(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).map_err(|_| number(n.as_str()))?.into(),
        DeValue::Float(n) => n.as_str().parse::<f64>().map_err(|_| number(n.as_str()))?.into(),
        DeValue::Boolean(yes) => Value::Boolean(*yes),
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| plain(item.get_ref())).collect::<std::result::Result<_, _>>()?)
        }
        DeValue::Datetime(_) | DeValue::Table(_) => return Err(format!("a {} does not belong here", value.type_str())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text, Path::new("capture.toml")).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_named_with_its_section_line_and_what_was_meant() {
        let found = parse("[capture]\nbugdet = \"2s\"\n", Path::new("c.toml")).unwrap_err();
        assert_eq!(found.to_string(), "unknown key \"bugdet\" in [capture]: c.toml, line 2");
        let ConfigError::UnknownKey { suggestion, .. } = found else { panic!("{found:?}") };
        assert_eq!(suggestion.as_deref(), Some("budget"));
    }

    #[test]
    fn wrong_files_name_the_line() {
        let cases = [
            ("captur = 1", "unknown key \"captur\": capture.toml, line 1"),
            ("\n[captur]\nbudget = \"2s\"", "unknown key \"captur\": capture.toml, line 2"),
            ("[options.captur]\ntop_p = 1.0", "unknown key \"captur\" in [options]: capture.toml, line 1"),
            ("[options.blog]\n\ntopp = 1.0", "unknown key \"topp\" in [options.blog]: capture.toml, line 3"),
            ("[publish.a]\nulr = \"a\"", "unknown key \"ulr\" in [publish.a]: capture.toml, line 2"),
            ("[publish.\"a b\"]\nurl = \"a\"", "unknown key \"a b\" in [publish]: capture.toml, line 1"),
            ("[publish]\nurl = \"http://a\"", "publish.url: expected a section [publish.url]: capture.toml, line 2"),
            ("[[endpoints]]\nnmae = \"a\"", "unknown key \"nmae\" in [endpoints]: capture.toml, line 2"),
            ("capture = 3", "capture: expected a section [capture]: capture.toml, line 1"),
            (
                "[endpoints]\nname = 1",
                "endpoints: expected entries that begin with [[endpoints]]: capture.toml, line 1",
            ),
            (
                "[capture]\nrefine = \"yes\"",
                "capture.refine: expected true or false, not \"yes\": capture.toml, line 2",
            ),
            ("[drafts]\nwindow = 07:32:00", "drafts.window: a datetime does not belong here: capture.toml, line 2"),
        ];
        for (text, expected) in cases {
            assert_eq!(error(text), expected, "{text}");
        }
    }

    #[test]
    fn broken_toml_names_the_line() {
        assert!(
            error("[capture]\nbudget = \n").ends_with("capture.toml, line 2"),
            "{}",
            error("[capture]\nbudget = \n")
        );
        assert!(error("[capture]\nrefine = true\nrefine = false\n").ends_with("capture.toml, line 3"));
    }

    #[test]
    fn every_value_knows_its_line_also_with_dotted_keys_and_inline_tables() {
        let text = "capture.budget = \"3s\"\nmodels = { blog = \"m\" }\n[[endpoints]]\nurl = \"http://localhost:1\"\n";
        let found: Vec<_> = parse(text, Path::new("c")).unwrap().into_iter().map(|s| (s.key, s.origin)).collect();
        let line = |line| SettingOrigin::UserFile { path: "c".into(), line };
        for (key, at) in [("capture.budget", 1), ("models.blog", 2), ("endpoints[0].url", 4)] {
            assert!(found.contains(&(key.to_owned(), line(at))), "{key}: {found:?}");
        }
    }

    #[test]
    fn a_missing_file_holds_nothing_and_an_unreadable_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read_settings(&dir.path().join("capture.toml")).unwrap().is_empty());
        assert!(matches!(read_settings(dir.path()), Err(ConfigError::Read { .. })));
    }
}
