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
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub device: String,
    pub slots: usize,
    pub running: usize,
    pub waiting: usize,
    /// Turns that were recalled since the process started.
    pub recalled_total: u64,
}

/// A loan, as soon as it is made.
pub type Lending<'a> = Pin<Box<dyn Future<Output = Loan> + Send + 'a>>;

/// Whoever owns the devices where this process does not: another one, which computes on them as well.
pub trait Lender: Send + Sync + std::fmt::Debug {
    /// Waits until the device is lent. Where nobody owns it, or they lend nothing, it is lent at once. The wish is
    /// withdrawn when the future is dropped.
    fn borrow<'a>(&'a self, wanted: Wanted<'a>) -> Lending<'a>;
}

/// The devices that model servers compute on, by name.
pub struct Pool {
    clock: Arc<dyn Clock>,
    devices: Mutex<BTreeMap<String, Arc<Device>>>,
    lender: OnceLock<Arc<dyn Lender>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("standing", &self.standing()).finish_non_exhaustive()
    }
}

impl Pool {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, devices: Mutex::default(), lender: OnceLock::new() }
    }

    /// From now on each turn is borrowed of `lender` as well. Only the first one counts.
    pub fn borrow_of(&self, lender: Arc<dyn Lender>) {
        drop(self.lender.set(lender));
    }

    /// Waits for a turn on a device; never beyond `wanted.until`. Dropped before, it leaves the line.
    pub async fn turn(&self, wanted: Wanted<'_>) -> Option<Turn> {
        tokio::time::timeout_at(wanted.until.into(), self.have_turn(wanted)).await.ok().flatten()
    }

    async fn have_turn(&self, wanted: Wanted<'_>) -> Option<Turn> {
        loop {
            let turn = self.own_turn(&wanted).await?;
            let Some(lender) = self.lender.get() else { return Some(turn) };
            tokio::select! {
                biased;
                // Somebody here is more urgent than what waits to be lent something: they come first, then this again.
                () = turn.recalled() => {}
                loan = lender.borrow(wanted) => return Some(turn.on_loan(loan)),
            }
        }
    }

    async fn own_turn(&self, wanted: &Wanted<'_>) -> Option<Turn> {
        let (_place, granted) = self.device(wanted.device).join(wanted);
        granted.await.ok()
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

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
