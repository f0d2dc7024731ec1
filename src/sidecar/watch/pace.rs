//! Adaptive poll interval: as short as a thousandth of one processor allows.

use std::time::Duration;

/// Shortest delay until a commit is noticed by polling.
const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(30);
/// Of one processor: 0.1 %.
const SHARE: u32 = 1000;
/// A git directory that has just vanished may be back at once (a fresh clone in its place); the poll interval grows up
/// to this.
const EAGER: Duration = Duration::from_millis(250);
const PATIENT: Duration = Duration::from_secs(60);

/// Intervals between polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { pause: EAGER }
    }
}

impl Pace {
    /// The pause after a poll that took `took`; `only_missing` when it was only for repositories that are gone.
    pub fn next(&mut self, took: Duration, only_missing: bool) -> Duration {
        self.pause = if only_missing { (self.pause * 2).min(PATIENT) } else { (took * SHARE).clamp(SHORTEST, LONGEST) };
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_looked_at_every_two_seconds_and_many_less_often() {
        let mut pace = Pace::default();
        assert_eq!(pace.next(Duration::from_micros(200), false), SHORTEST);
        assert_eq!(pace.next(Duration::from_millis(9), false), Duration::from_secs(9));
        assert_eq!(pace.next(Duration::from_secs(5), false), LONGEST);
    }

    #[test]
    fn what_is_gone_is_looked_for_ever_less_often() {
        let mut pace = Pace::default();
        let pauses: Vec<u64> = (0..9).map(|_| pace.next(Duration::from_micros(9), true).as_secs()).collect();
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pace.next(Duration::from_micros(9), false), SHORTEST);
    }
}
