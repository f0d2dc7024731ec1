//! Date range in English: "3 March 2026", "2–8 March 2026".

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::domain::draft::Period;

/// The local days that a period touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub first: Date,
    /// Inclusive.
    pub last: Date,
}

impl Span {
    /// The local days of a half-open period.
    #[must_use]
    pub fn of(period: &Period, zone: &TimeZone) -> Self {
        let end = period.to.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(period.to).max(period.from);
        Self { first: date(period.from, zone), last: date(end, zone) }
    }

    #[must_use]
    pub fn is_day(&self) -> bool {
        self.first == self.last
    }

    /// Monday to Sunday.
    #[must_use]
    pub fn is_week(&self) -> bool {
        let days = self.first.until(self.last).map_or(0, |span| span.get_days());
        self.first.weekday() == Weekday::Monday && days == 6
    }

    /// In running text; parts that both ends share are written once.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { first, last } = self;
        if self.is_day() {
            day_month_year(*last)
        } else if first.year() != last.year() {
            format!("{} – {}", day_month_year(*first), day_month_year(*last))
        } else if first.month() != last.month() {
            format!("{} – {}", day_month(*first), day_month_year(*last))
        } else {
            format!("{}–{}", first.day(), day_month_year(*last))
        }
    }
}

/// The local date of a moment.
#[must_use]
pub fn date(moment: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(moment).date()
}

/// "Tuesday, 3 March".
#[must_use]
pub fn weekday_day_month(date: Date) -> String {
    date.strftime("%A, %-d %B").to_string()
}

fn day_month(date: Date) -> String {
    date.strftime("%-d %B").to_string()
}

fn day_month_year(date: Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: &str, to: &str, zone: &str) -> Span {
        let period = Period { from: from.parse().unwrap(), to: to.parse().unwrap() };
        Span::of(&period, &TimeZone::get(zone).unwrap())
    }

    #[test]
    fn a_period_is_said_as_people_write_it() {
        for (from, to, words) in [
            ("2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z", "3 March 2026"),
            ("2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z", "2–8 March 2026"),
            ("2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z", "23 February – 1 March 2026"),
            ("2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z", "28 December 2026 – 3 January 2027"),
            ("2026-03-03T10:00:00Z", "2026-03-03T12:00:00Z", "3 March 2026"),
            ("2026-03-03T10:00:00Z", "2026-03-03T10:00:00Z", "3 March 2026"),
        ] {
            assert_eq!(span(from, to, "UTC").words(), words);
        }
    }

    #[test]
    fn local_days_count() {
        assert_eq!(span("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "Europe/Berlin").words(), "29 March 2026");
    }

    #[test]
    fn a_week_is_monday_to_sunday_only() {
        assert!(span("2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z", "UTC").is_week());
        assert!(!span("2026-03-03T00:00:00Z", "2026-03-10T00:00:00Z", "UTC").is_week());
        assert!(!span("2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z", "UTC").is_week());
        // The week of a clock change has an hour less or more and is a week all the same.
        assert!(span("2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z", "Europe/Berlin").is_week());
    }

    #[test]
    fn a_day_is_headed_by_its_weekday() {
        assert_eq!(weekday_day_month("2026-03-03".parse().unwrap()), "Tuesday, 3 March");
    }
}
