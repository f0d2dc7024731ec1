//! System sampler: memory, load and power of the machine, as far as a model's speed depends on them.

use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::domain::clock::Clock;
use crate::hardware::Hardware;
use crate::route::signals::is_pressed;

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SystemSample {
    pub now: Timestamp,
    pub pressed: bool,
    pub on_battery: bool,
    pub cores: usize,
    /// Total memory in bytes.
    pub ram: Option<u64>,
}

/// Samples the machine at most twice a second: the kernel's files are cheap, not free.
#[derive(Debug, Default)]
pub(super) struct SystemSampler {
    last: Mutex<Option<(Instant, SystemSample)>>,
}

const LOOK_EVERY: Duration = Duration::from_millis(500);

impl SystemSampler {
    /// Measured off the event loop: a battery's state may take the kernel long.
    pub async fn sample(&self, clock: &Arc<dyn Clock>) -> SystemSample {
        let instant = clock.instant();
        let last = *self.last.lock();
        if let Some((_, sample)) = last.filter(|(at, _)| instant.saturating_duration_since(*at) < LOOK_EVERY) {
            return SystemSample { now: clock.now(), ..sample };
        }
        let on_another_thread = Arc::clone(clock);
        let found = tokio::task::spawn_blocking(move || measure(on_another_thread.as_ref())).await;
        let unmeasured = SystemSample { now: clock.now(), pressed: false, on_battery: false, cores: 1, ram: None };
        let found = found.unwrap_or(unmeasured);
        *self.last.lock() = Some((instant, found));
        found
    }
}

fn measure(clock: &dyn Clock) -> SystemSample {
    let machine = Hardware::measure();
    SystemSample {
        now: clock.now(),
        pressed: is_pressed(machine.pressure.cpu),
        on_battery: machine.power.on_battery(),
        cores: machine.cores,
        ram: machine.ram_total,
    }
}
