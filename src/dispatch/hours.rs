//! Working hours: all times outside the window of the nightly batch. Then the captures' model has the memory.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::{Config, validate};

/// Whether `now` is outside the window of the nightly batch, on the clock of this machine's time zone.
pub fn working(config: &Config, now: Timestamp) -> bool {
    let time = now.to_zoned(TimeZone::system()).time();
    let minute = |part: i8| u16::try_from(part).unwrap_or(0);
    outside(&config.drafts.window, minute(time.hour()) * 60 + minute(time.minute()))
}

/// `minute`: after midnight. An unreadable window was refused with the settings, and none is all day.
fn outside(window: &str, minute: u16) -> bool {
    match validate::window(window) {
        Ok((from, to)) if from < to => !(from..to).contains(&minute),
        Ok((from, to)) => (to..from).contains(&minute),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_may_lie_within_one_night_or_begin_in_the_evening() {
        let at = |window, hour: u16| outside(window, hour * 60);
        assert_eq!([1, 2, 5, 6, 12].map(|hour| at("02:00-06:00", hour)), [true, false, false, true, true]);
        assert_eq!([21, 22, 0, 5, 6].map(|hour| at("22:00-06:00", hour)), [true, false, false, false, true]);
        assert!(at("never", 3));
    }
}
