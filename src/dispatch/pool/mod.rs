//! Device pool: priority queue with preemption and backpressure, at most so many requests per device at a time.
//!
//! Batch work and prefill are preempted by any other request: they drop their connection and the turn, and queue for
//! another turn to go on.

mod turn;
mod turn_queue;
mod wait_estimate;

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::domain::clock::Clock;
use crate::route::signals::Urgency;
use turn::Device;

pub use turn::{Loan, Turn};

/// A request for a turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TurnRequest<'a> {
    /// Endpoints of one device share its turns.
    pub device: &'a str,
    /// How many requests the device takes at a time; the latest value holds.
    pub slots: usize,
    pub urgency: Urgency,
    /// Expected duration, for the wait estimates of others.
    pub lasts: Duration,
    /// Deadline of the wait.
    pub until: Instant,
}

/// State of one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStatus {
    pub device: String,
    pub slots: usize,
    pub running: usize,
    pub waiting: usize,
    /// Preempted turns since the process started.
    pub recalled_total: u64,
}

/// Resolves when the device is lent.
pub type LoanFuture<'a> = Pin<Box<dyn Future<Output = Loan> + Send + 'a>>;

/// The owner of the devices where this process is not: another process that computes on them as well.
pub trait Lender: Send + Sync + std::fmt::Debug {
    /// Waits until the device is lent. Without an owner, or where it does not lend, the loan is granted at once.
    /// Dropping the future withdraws the request.
    fn borrow<'a>(&'a self, wanted: TurnRequest<'a>) -> LoanFuture<'a>;
}

/// The devices of the model servers, by name.
pub struct Pool {
    clock: Arc<dyn Clock>,
    devices: Mutex<BTreeMap<String, Arc<Device>>>,
    lender: OnceLock<Arc<dyn Lender>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("standing", &self.device_statuses()).finish_non_exhaustive()
    }
}

impl Pool {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, devices: Mutex::default(), lender: OnceLock::new() }
    }

    /// From now on each turn is also borrowed from `lender`. Only the first call counts.
    pub fn borrow_of(&self, lender: Arc<dyn Lender>) {
        drop(self.lender.set(lender));
    }

    /// Waits for a turn on a device, at most until `wanted.until`. Dropping the future leaves the queue.
    pub async fn turn(&self, wanted: TurnRequest<'_>) -> Option<Turn> {
        tokio::time::timeout_at(wanted.until.into(), self.have_turn(wanted)).await.ok().flatten()
    }

    async fn have_turn(&self, wanted: TurnRequest<'_>) -> Option<Turn> {
        loop {
            let turn = self.own_turn(&wanted).await?;
            let Some(lender) = self.lender.get() else { return Some(turn) };
            tokio::select! {
                biased;
                // A more urgent request of this process goes first, then this one queues again.
                () = turn.recalled() => {}
                loan = lender.borrow(wanted) => return Some(turn.on_loan(loan)),
            }
        }
    }

    async fn own_turn(&self, wanted: &TurnRequest<'_>) -> Option<Turn> {
        let (_place, granted) = self.device(wanted.device).join(wanted);
        granted.await.ok()
    }

    /// Expected wait of a request of this urgency, by the declared durations of running and waiting turns.
    #[must_use]
    pub fn wait(&self, device: &str, slots: usize, urgency: Urgency) -> Duration {
        let device = self.device(device);
        let mut state = device.state.lock();
        state.line.set_slots(slots);
        wait_estimate::wait(&state.line, urgency, self.clock.instant())
    }

    /// All devices that were ever used, by name.
    #[must_use]
    pub fn device_statuses(&self) -> Vec<DeviceStatus> {
        let devices = self.devices.lock();
        let status = |(name, device): (&String, &Arc<Device>)| {
            let state = device.state.lock();
            let (running, waiting) = (state.line.running.len(), state.line.waiting.len());
            let (slots, recalled_total) = (state.line.slots(), state.line.recalled_total());
            DeviceStatus { device: name.clone(), slots, running, waiting, recalled_total }
        };
        devices.iter().map(status).collect()
    }

    fn device(&self, name: &str) -> Arc<Device> {
        let mut devices = self.devices.lock();
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
