//! The local days and ISO weeks that moments fall into, as half-open periods of absolute time.
//!
//! A day is the calendar's: 23 or 25 hours long where clocks change, and starting later than midnight where midnight is
//! skipped.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::Cadence;
use crate::domain::draft::Period;

/// The calendar day `date`; absent only at the very ends of the calendar.
#[must_use]
pub fn day(date: Date, zone: &TimeZone) -> Option<Period> {
    days(date, date, zone)
}

/// From the start of `first` to the end of `last`; absent when `last` is before `first`.
#[must_use]
pub fn days(first: Date, last: Date, zone: &TimeZone) -> Option<Period> {
    let from = start_of(first, zone)?;
    let to = start_of(last.tomorrow().ok()?, zone)?;
    (from < to).then_some(Period { from, to })
}

/// The ISO week (Monday to Sunday) that `date` lies in.
#[must_use]
pub fn week(date: Date, zone: &TimeZone) -> Option<Period> {
    let since_monday = i64::from(date.weekday().to_monday_zero_offset());
    let monday = date.checked_sub(jiff::Span::new().days(since_monday)).ok()?;
    let sunday = monday.checked_add(jiff::Span::new().days(6)).ok()?;
    days(monday, sunday, zone)
}

/// The period of `cadence` that `moment` lies in; absent when the cadence is off.
#[must_use]
pub fn of(cadence: Cadence, moment: Timestamp, zone: &TimeZone) -> Option<Period> {
    let date = zone.to_datetime(moment).date();
    match cadence {
        Cadence::Daily => day(date, zone),
        Cadence::Weekly => week(date, zone),
        Cadence::Off => None,
    }
}

/// Whether the period is over.
#[must_use]
pub fn is_complete(period: &Period, now: Timestamp) -> bool {
    period.to <= now
}

/// Whether `moment` is in the half-open period.
#[must_use]
pub fn contains(period: &Period, moment: Timestamp) -> bool {
    period.from <= moment && moment < period.to
}

/// The first moment of a local day: midnight, the first of two midnights, or what follows a skipped one.
fn start_of(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    Some(date.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn hours(period: Period) -> i64 {
        (period.to.as_second() - period.from.as_second()) / 3600
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_as_long_as_the_wall_clock_makes_it() {
        for (name, date, from, length) in [
            ("UTC", "2026-03-03", "2026-03-03T00:00:00Z", 24),
            ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23),
            ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25),
            ("America/New_York", "2026-03-08", "2026-03-08T05:00:00Z", 23),
            ("America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", 25),
            // Midnight itself was skipped: the day starts at 01:00.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23),
            // The hour after midnight came twice.
            ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25),
            ("Asia/Kathmandu", "2026-03-03", "2026-03-02T18:15:00Z", 24),
        ] {
            let period = day(date.parse().unwrap(), &zone(name)).unwrap();
            assert_eq!((period.from, hours(period)), (at(from), length), "{name} {date}");
        }
    }

    #[test]
    fn a_week_runs_from_monday_to_sunday_also_over_the_turn_of_the_year() {
        for (name, date, from, to) in [
            ("UTC", "2026-03-03", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"),
            ("UTC", "2026-03-02", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"),
            ("UTC", "2026-03-08", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"),
            ("UTC", "2027-01-01", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"),
            ("UTC", "2024-12-31", "2024-12-30T00:00:00Z", "2025-01-06T00:00:00Z"),
            ("Europe/Berlin", "2026-03-29", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"),
        ] {
            let period = week(date.parse().unwrap(), &zone(name)).unwrap();
            assert_eq!((period.from, period.to), (at(from), at(to)), "{name} {date}");
        }
    }

    #[test]
    fn the_zone_decides_which_day_a_moment_belongs_to() {
        let moment = at("2026-03-03T23:30:00Z");
        let utc = of(Cadence::Daily, moment, &TimeZone::UTC).unwrap();
        let tokyo = of(Cadence::Daily, moment, &zone("Asia/Tokyo")).unwrap();
        assert_eq!(utc.from, at("2026-03-03T00:00:00Z"));
        assert_eq!(tokyo.from, at("2026-03-03T15:00:00Z"));
        assert_eq!(of(Cadence::Off, moment, &TimeZone::UTC), None);
    }

    #[test]
    fn the_end_of_a_period_belongs_to_the_next_one() {
        let period = day("2026-03-03".parse().unwrap(), &TimeZone::UTC).unwrap();
        assert!(contains(&period, period.from) && !contains(&period, period.to));
        assert!(is_complete(&period, period.to));
        assert!(!is_complete(&period, period.to - jiff::SignedDuration::from_nanos(1)));
    }

    #[test]
    fn a_range_that_ends_before_it_starts_is_no_period() {
        let (early, late) = ("2026-03-03".parse().unwrap(), "2026-03-04".parse().unwrap());
        assert_eq!(days(late, early, &TimeZone::UTC), None);
        assert_eq!(hours(days(early, late, &TimeZone::UTC).unwrap()), 48);
    }

    proptest! {
        #[test]
        fn every_moment_lies_in_its_day_and_week_and_neighbours_touch(
            second in 0i64..4_000_000_000,
            name in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Africa/Cairo"]),
        ) {
            let (moment, zone) = (Timestamp::from_second(second).unwrap(), zone(name));
            for cadence in [Cadence::Daily, Cadence::Weekly] {
                let period = of(cadence, moment, &zone).unwrap();
                prop_assert!(contains(&period, moment));
                prop_assert_eq!(of(cadence, period.from, &zone), Some(period));
                prop_assert_eq!(of(cadence, period.to, &zone).unwrap().from, period.to);
            }
        }
    }
}
