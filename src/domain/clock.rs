//! Clocks: time is passed in as a value, so that time-dependent logic can be tested.

use parking_lot::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Wall-clock and monotonic time.
pub trait Clock: Send + Sync {
    /// Wall-clock time: for displayed stamps; may jump.
    fn now(&self) -> Timestamp;
    /// Monotonic time: for budgets and latencies; never jumps.
    fn instant(&self) -> Instant;
    /// Processor time of the calling thread since an arbitrary point: bounds work with a result independent of other
    /// load on the machine. Comparable on one thread only.
    fn thread_cpu(&self) -> Duration;
}

/// The machine's clocks. No other code reads them.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "the one place where the clocks are read")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn thread_cpu(&self) -> Duration {
        nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
    }
}

/// Test clock: stands still until a test moves it.
#[derive(Debug)]
pub struct FakeClock {
    state: Mutex<(Timestamp, Instant)>,
}

impl FakeClock {
    /// A clock standing at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { state: Mutex::new((now, SystemClock.instant())) }
    }

    /// Moves wall and monotonic time forward together.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state.lock();
        state.0 += by;
        state.1 += by;
    }

    fn read_state(&self) -> (Timestamp, Instant) {
        *self.state.lock()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.read_state().0
    }

    fn instant(&self) -> Instant {
        self.read_state().1
    }

    /// Pretends that this thread worked all the time.
    fn thread_cpu(&self) -> Duration {
        self.read_state().0.duration_since(Timestamp::UNIX_EPOCH).unsigned_abs()
    }
}
