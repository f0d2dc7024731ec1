//! Time parsing and formatting: `7d`, `2h ago`, `yesterday`, `monday`, `2026-03-01`, `2026-03-01 14:00`.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

use super::app::App;
use super::failure::Failure;

/// Parses `text` relative to the local time `now`. A day means its beginning, local time;
/// a duration counts back from now.
///
/// # Errors
/// The text is ambiguous or no time, or it lies outside the calendar.
pub fn parse_at(text: &str, now: &Zoned) -> Result<Timestamp, Failure> {
    let (trimmed, lower) = (text.trim(), text.trim().to_lowercase());
    let instant =
        named_day(&lower, now).or_else(|| calendar(trimmed, now.time_zone())).or_else(|| parse_ago(&lower, now));
    instant.ok_or_else(|| {
        Failure::usage(format!("{text:?} is not a time"))
            .hint("write 2h, 7d, 3 weeks ago, today, yesterday, monday, 2026-03-01 or \"2026-03-01 14:00\"")
    })
}

/// Parses `text` with the clock and time zone of this run.
///
/// # Errors
/// The text is ambiguous or no time, or it lies outside the calendar.
pub fn parse(text: &str, app: &App) -> Result<Timestamp, Failure> {
    parse_at(text, &app.now())
}

fn named_day(text: &str, now: &Zoned) -> Option<Timestamp> {
    let today = now.date();
    let day = match text {
        "now" => return Some(now.timestamp()),
        "today" => today,
        "yesterday" => today.yesterday().ok()?,
        _ => today.nth_weekday(-1, weekday(text.strip_prefix("last ").unwrap_or(text))?).ok()?,
    };
    start_of(day, now.time_zone())
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "monday" | "mon" => Weekday::Monday,
        "tuesday" | "tue" => Weekday::Tuesday,
        "wednesday" | "wed" => Weekday::Wednesday,
        "thursday" | "thu" => Weekday::Thursday,
        "friday" | "fri" => Weekday::Friday,
        "saturday" | "sat" => Weekday::Saturday,
        "sunday" | "sun" => Weekday::Sunday,
        _ => return None,
    })
}

fn calendar(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(exact) = text.parse::<Timestamp>() {
        return Some(exact);
    }
    if !text.contains([':', 'T']) {
        return start_of(text.parse::<Date>().ok()?, zone);
    }
    Some(text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?.timestamp())
}

fn start_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    Some(day.to_zoned(zone.clone()).ok()?.timestamp())
}

/// `7d`, `1h30m`, `3 days ago`: days, weeks, months and years by the calendar, so that `1d` at a change of
/// daylight saving time is yesterday at the same time of day.
fn parse_ago(text: &str, now: &Zoned) -> Option<Timestamp> {
    let text = text.strip_suffix("ago").unwrap_or(text).trim();
    let text = text.strip_prefix("last ").map(|unit| format!("1 {unit}")).unwrap_or_else(|| text.to_owned());
    Some(now.checked_sub(span(&text)?).ok()?.timestamp())
}

fn span(text: &str) -> Option<Span> {
    let mut rest = text.trim();
    let mut total = Span::new();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        total = add(total, number.parse().ok()?, unit)?;
        rest = next.trim_start();
    }
    Some(total)
}

fn add(total: Span, n: i64, unit: &str) -> Option<Span> {
    let span = match unit {
        "ms" | "millis" => total.try_milliseconds(n),
        "s" | "sec" | "secs" | "second" | "seconds" => total.try_seconds(n),
        "m" | "min" | "mins" | "minute" | "minutes" => total.try_minutes(n),
        "h" | "hr" | "hour" | "hours" => total.try_hours(n),
        "d" | "day" | "days" => total.try_days(n),
        "w" | "week" | "weeks" => total.try_weeks(n),
        "mon" | "month" | "months" => total.try_months(n),
        "y" | "year" | "years" => total.try_years(n),
        _ => return None,
    };
    span.ok()
}

/// Formats a time for lists: local, to the minute; today's without the date.
#[must_use]
pub fn short(at: Timestamp, now: &Zoned) -> String {
    let local = at.to_zoned(now.time_zone().clone());
    let format = if local.date() == now.date() {
        "today %H:%M"
    } else if local.date().year() == now.date().year() {
        "%b %d %H:%M"
    } else {
        "%Y-%m-%d"
    };
    local.strftime(format).to_string()
}

/// A day as a heading: `Today, Wednesday 1 April 2026`, `Tuesday, 31 March 2026`.
#[must_use]
pub fn day(day: Date, today: Date) -> String {
    let near = if day == today {
        Some("Today")
    } else if today.yesterday().is_ok_and(|yesterday| day == yesterday) {
        Some("Yesterday")
    } else {
        None
    };
    match near {
        Some(near) => format!("{near}, {}", day.strftime("%A %-d %B %Y")),
        None => day.strftime("%A, %-d %B %Y").to_string(),
    }
}

/// Formats a time in full: `2026-03-01 14:03:07 +01:00`.
#[must_use]
pub fn full(at: Timestamp, now: &Zoned) -> String {
    at.to_zoned(now.time_zone().clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// The instant `days` calendar days before the beginning of tomorrow: 1 is today, 7 a week with today.
#[must_use]
pub fn days_back(days: u32, now: &Zoned) -> Timestamp {
    let back = Span::new().try_days(days.max(1) - 1);
    let first = back.map_or(Date::MIN, |back| now.date().saturating_sub(back));
    start_of(first, now.time_zone()).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Wednesday, three days after clocks went forward in Berlin.
    fn now() -> Zoned {
        "2026-04-01T14:30:00+02:00[Europe/Berlin]".parse().unwrap()
    }

    fn parsed_time(text: &str) -> String {
        full(parse_at(text, &now()).unwrap(), &now())
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, expected) in [
            ("now", "2026-04-01 14:30:00 +02:00"),
            ("today", "2026-04-01 00:00:00 +02:00"),
            ("Yesterday", "2026-03-31 00:00:00 +02:00"),
            ("monday", "2026-03-30 00:00:00 +02:00"),
            ("last wed", "2026-03-25 00:00:00 +01:00"),
            ("2s", "2026-04-01 14:29:58 +02:00"),
            ("90m", "2026-04-01 13:00:00 +02:00"),
            ("1h30m", "2026-04-01 13:00:00 +02:00"),
            ("2 hours ago", "2026-04-01 12:30:00 +02:00"),
            ("7d", "2026-03-25 14:30:00 +01:00"),
            ("2w", "2026-03-18 14:30:00 +01:00"),
            ("last week", "2026-03-25 14:30:00 +01:00"),
            ("1 month ago", "2026-03-01 14:30:00 +01:00"),
            ("1y", "2025-04-01 14:30:00 +02:00"),
            ("2026-03-01", "2026-03-01 00:00:00 +01:00"),
            ("2026-03-01 14:00", "2026-03-01 14:00:00 +01:00"),
            ("2026-03-01T14:00:00Z", "2026-03-01 15:00:00 +01:00"),
        ] {
            assert_eq!(parsed_time(text), expected, "{text}");
        }
    }

    #[test]
    fn ambiguous_times_are_usage_errors() {
        for text in ["", "soon", "7", "d", "7x", "-7d", "ago", "2026-13-01", "99999999999y", "99999999999999999999d"] {
            let failure = parse_at(text, &now()).unwrap_err();
            assert_eq!(failure.code(), 2, "{text}");
            assert!(failure.hint.is_some());
        }
    }

    #[test]
    fn a_day_begins_at_local_midnight() {
        assert_eq!(full(days_back(1, &now()), &now()), "2026-04-01 00:00:00 +02:00");
        assert_eq!(full(days_back(7, &now()), &now()), "2026-03-26 00:00:00 +01:00");
        assert_eq!(days_back(0, &now()), days_back(1, &now()));
        assert!(days_back(u32::MAX, &now()).as_second() < 0);
    }

    #[test]
    fn lists_show_no_more_of_a_time_than_is_needed() {
        for (at, expected) in [
            ("2026-04-01T06:05:00Z", "today 08:05"),
            ("2026-03-05T06:05:00Z", "Mar 05 07:05"),
            ("2025-12-31T12:00:00Z", "2025-12-31"),
        ] {
            assert_eq!(short(at.parse().unwrap(), &now()), expected);
        }
    }
}
