//! Deadline: one absolute instant, never a duration, passed through every stage of a capture.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::clock::Clock;

/// When a capture must be final, and the earlier instant at which the model must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    start: Instant,
    model_end: Instant,
    end: Instant,
}

/// The model's share of the budget; the rest is kept for cleaning and writing.
/// 1.7 s of 2 s: with the whole budget as HTTP timeout, no time would be left for the write.
const MODEL_SHARE: f64 = 0.85;

impl Deadline {
    /// A deadline `budget` after `stamp` (the hook's wall-clock time or the key press).
    ///
    /// A stamp from the future counts as now; one older than the budget is a deadline that has passed.
    #[must_use]
    pub fn from_stamp(stamp: Timestamp, budget: Duration, clock: &dyn Clock) -> Self {
        let elapsed = Duration::try_from(clock.now().duration_since(stamp)).unwrap_or(Duration::ZERO);
        let now = clock.instant();
        let start = now.checked_sub(elapsed).unwrap_or(now);
        Self { start, model_end: start + budget.mul_f64(MODEL_SHARE), end: start + budget }
    }

    /// A deadline `budget` from now.
    #[must_use]
    pub fn after(budget: Duration, clock: &dyn Clock) -> Self {
        Self::from_stamp(clock.now(), budget, clock)
    }

    /// The instant of the stamp.
    #[must_use]
    pub fn start(&self) -> Instant {
        self.start
    }

    /// The instant at which the model's answer is cut off.
    #[must_use]
    pub fn model_end(&self) -> Instant {
        self.model_end
    }

    /// The instant at which the capture must be final.
    #[must_use]
    pub fn end(&self) -> Instant {
        self.end
    }

    /// The total budget.
    #[must_use]
    pub fn budget(&self) -> Duration {
        self.end - self.start
    }

    /// Time left for the model; zero once its share is used up.
    #[must_use]
    pub fn model_time_left(&self, clock: &dyn Clock) -> Duration {
        self.model_end.saturating_duration_since(clock.instant())
    }

    /// Time since the stamp.
    #[must_use]
    pub fn elapsed(&self, clock: &dyn Clock) -> Duration {
        clock.instant().saturating_duration_since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::FakeClock;

    fn clock() -> FakeClock {
        FakeClock::at("2026-03-01T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_stamp_of_the_hook_starts_the_budget() {
        let clock = clock();
        let stamp = clock.now();
        clock.advance(Duration::from_millis(300));
        let deadline = Deadline::from_stamp(stamp, Duration::from_secs(2), &clock);
        assert_eq!(deadline.elapsed(&clock), Duration::from_millis(300));
        assert_eq!(deadline.model_time_left(&clock), Duration::from_millis(1400));
    }

    #[test]
    fn a_stamp_from_the_future_counts_as_now() {
        let clock = clock();
        let deadline = Deadline::from_stamp(clock.now() + Duration::from_secs(3600), Duration::from_secs(2), &clock);
        assert_eq!(deadline.elapsed(&clock), Duration::ZERO);
    }

    #[test]
    fn an_old_stamp_leaves_nothing() {
        let clock = clock();
        let stamp = clock.now();
        clock.advance(Duration::from_secs(60));
        let deadline = Deadline::from_stamp(stamp, Duration::from_secs(2), &clock);
        assert_eq!(deadline.model_time_left(&clock), Duration::ZERO);
    }
}
