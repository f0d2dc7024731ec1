//! Whose turn it is on a device: at most so many requests at a time, the more urgent first.
//!
//! Who computes for nobody in particular (the batch, reading ahead) is recalled when somebody waits: they drop their
//! connection and the turn, and ask for another one to go on.

mod line;
mod outlook;
mod turn;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::domain::clock::Clock;
use crate::route::signals::Urgency;
use turn::Device;

pub use turn::{Loan, Turn};

/// A turn that is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted<'a> {
    /// Endpoints of one device share its turns.
    pub device: &'a str,
    /// How many requests the device takes at a time; what was said last holds.
    pub slots: usize,
    pub urgency: Urgency,
    /// How long the device will probably be needed, so that others know how long they would wait.
    pub lasts: Duration,
    /// Not waited for beyond this.
    pub until: Instant,
}

/// One device at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    pub device: String,
    pub slots: usize,
    pub running: usize,
    pub waiting: usize,
    /// Turns that were recalled since the process started.
    pub recalled_total: u64,
}

/// A turn, or none in time.
pub type Turning<'a> = Pin<Box<dyn Future<Output = Option<Turn>> + Send + 'a>>;

/// Whoever gives turns: the pool of this process, or that of the sidecar as well.
pub trait Turns: Send + Sync + std::fmt::Debug {
    /// Waits for a turn; given up when the future is dropped.
    fn turn<'a>(&'a self, wanted: Wanted<'a>) -> Turning<'a>;

    /// How long a request of this urgency would wait for its turn, by what those that run and wait said of themselves.
    fn wait(&self, device: &str, slots: usize, urgency: Urgency) -> Duration;

    /// All devices that were ever used, by name.
    fn standing(&self) -> Vec<Standing>;
}

/// The devices that model servers compute on, by name.
pub struct Pool {
    clock: Arc<dyn Clock>,
    devices: Mutex<BTreeMap<String, Arc<Device>>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("standing", &self.standing()).finish_non_exhaustive()
    }
}

impl Pool {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, devices: Mutex::default() }
    }

    /// Waits for a turn on a device; never beyond `wanted.until`. Dropped before, it leaves the line.
    pub async fn turn(&self, wanted: Wanted<'_>) -> Option<Turn> {
        let (_place, granted) = self.device(wanted.device).join(&wanted);
        tokio::time::timeout_at(wanted.until.into(), granted).await.ok()?.ok()
    }

    /// How long a request of this urgency would wait for its turn, by what those that run and wait said of themselves.
    #[must_use]
    pub fn wait(&self, device: &str, slots: usize, urgency: Urgency) -> Duration {
        let device = self.device(device);
        let mut state = device.state();
        state.line.set_slots(slots);
        outlook::wait(&state.line, urgency, self.clock.instant())
    }

    /// All devices that were ever used, by name.
    #[must_use]
    pub fn standing(&self) -> Vec<Standing> {
        let devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        let one = |(name, device): (&String, &Arc<Device>)| {
            let state = device.state();
            let (running, waiting) = (state.line.running.len(), state.line.waiting.len());
            let (slots, recalled_total) = (state.line.slots(), state.line.recalled_total());
            Standing { device: name.clone(), slots, running, waiting, recalled_total }
        };
        devices.iter().map(one).collect()
    }

    fn device(&self, name: &str) -> Arc<Device> {
        let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(device) = devices.get(name) {
            return Arc::clone(device);
        }
        let device = Arc::new(Device::new(Arc::clone(&self.clock)));
        devices.insert(name.to_owned(), Arc::clone(&device));
        device
    }
}

impl Turns for Pool {
    fn turn<'a>(&'a self, wanted: Wanted<'a>) -> Turning<'a> {
        Box::pin(self.turn(wanted))
    }

    fn wait(&self, device: &str, slots: usize, urgency: Urgency) -> Duration {
        self.wait(device, slots, urgency)
    }

    fn standing(&self) -> Vec<Standing> {
        self.standing()
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
