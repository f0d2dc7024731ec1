//! The machine as it is just now, as far as a run depends on it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::domain::clock::Clock;
use crate::hardware::Hardware;
use crate::route::signals::is_pressed;

/// See the file's head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circumstances {
    pub now: Timestamp,
    pub pressed: bool,
    pub on_battery: bool,
    pub cores: usize,
    /// Bytes in all.
    pub ram: Option<u64>,
}

/// Looks at the machine, at most once in a while: the kernel's files are cheap, not free.
#[derive(Debug, Default)]
pub(super) struct Eyes {
    seen: Mutex<Option<(Instant, Circumstances)>>,
}

const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Eyes {
    pub fn look(&self, clock: &dyn Clock) -> Circumstances {
        let instant = clock.instant();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = seen.filter(|(at, _)| instant.saturating_duration_since(*at) < LOOK_EVERY) {
            return Circumstances { now: clock.now(), ..known };
        }
        let found = measure(clock);
        *seen = Some((instant, found));
        found
    }
}

fn measure(clock: &dyn Clock) -> Circumstances {
    let machine = Hardware::measure();
    Circumstances {
        now: clock.now(),
        pressed: is_pressed(machine.pressure.cpu),
        on_battery: machine.power.on_battery(),
        cores: machine.cores,
        ram: machine.ram_total,
    }
}
