//! Heartbeat and health check: detects whether the main loop turns, works, or is stuck.
//!
//! Pings, the sentinel's line and the service manager's watchdog all report its state.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior};

use crate::domain::clock::Clock;

/// Pause between two beats. A wake-up a second costs about 0.005 % of a processor.
pub const BEAT: Duration = Duration::from_secs(1);
/// Time without a turn after which the loop is stuck.
const STILL: Duration = Duration::from_millis(2500);
/// Time without progress after which a piece of work is stuck. Generous, because a successor starts the same piece
/// again: a slow one must not be killed again and again.
const PATIENCE: Duration = Duration::from_secs(300);

/// Times of the main loop's last turn and last progress.
pub struct Heartbeat {
    clock: Arc<dyn Clock>,
    born: Instant,
    /// Milliseconds after `born`.
    beat: AtomicU64,
    step: AtomicU64,
}

impl std::fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heartbeat").field("beat", &self.beat).field("step", &self.step).finish_non_exhaustive()
    }
}

impl Heartbeat {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let born = clock.instant();
        Self { clock, born, beat: AtomicU64::new(0), step: AtomicU64::new(0) }
    }

    /// Records a turn of the main loop.
    pub fn beat(&self) {
        self.beat.store(self.age(), Ordering::Relaxed);
    }

    /// Records progress: an event was processed.
    pub fn step(&self) {
        self.step.store(self.age(), Ordering::Relaxed);
    }

    /// Whether the main loop turned lately.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.since(&self.beat) < STILL
    }

    /// Runs `work`, beating as long as the thread is free to and the work progresses.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut tick = ticks();
        self.step();
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = tick.tick() => self.beat_if_progressing(),
            }
        }
    }

    fn beat_if_progressing(&self) {
        if self.since(&self.step) < PATIENCE {
            self.beat();
        }
    }

    fn age(&self) -> u64 {
        let age = self.clock.instant().saturating_duration_since(self.born).as_millis();
        u64::try_from(age).unwrap_or(u64::MAX)
    }

    fn since(&self, what: &AtomicU64) -> Duration {
        Duration::from_millis(self.age().saturating_sub(what.load(Ordering::Relaxed)))
    }
}

/// Ticks at once and then with every beat; missed ones are skipped.
#[must_use]
pub fn ticks() -> Interval {
    let mut ticks = tokio::time::interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::FakeClock;

    fn heart() -> (Arc<FakeClock>, Heartbeat) {
        let clock = Arc::new(FakeClock::at(jiff::Timestamp::UNIX_EPOCH));
        (Arc::clone(&clock), Heartbeat::new(clock))
    }

    #[test]
    fn a_loop_that_does_not_turn_is_stuck_after_two_and_a_half_seconds() {
        let (clock, heart) = heart();
        assert!(heart.is_alive());
        clock.advance(Duration::from_millis(2499));
        assert!(heart.is_alive());
        clock.advance(Duration::from_millis(1));
        assert!(!heart.is_alive());
        heart.beat();
        assert!(heart.is_alive());
    }

    #[test]
    fn work_that_gets_on_keeps_the_heart_beating_and_work_that_hangs_does_not() {
        let (clock, heart) = heart();
        for _ in 0..100 {
            clock.advance(Duration::from_secs(299));
            heart.beat_if_progressing();
            assert!(heart.is_alive());
            heart.step();
        }
        clock.advance(Duration::from_secs(300));
        heart.beat_if_progressing();
        assert!(!heart.is_alive());
    }

    #[tokio::test]
    async fn what_the_work_gives_is_given() {
        assert_eq!(heart().1.during(async { 7 }).await, 7);
    }
}
