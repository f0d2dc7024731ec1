//! Status of the router at this moment, for `status` and the control socket.

use serde::{Deserialize, Serialize};

use super::Models;
use crate::dispatch::pool;
use crate::route::breaker::BreakerState;

/// Devices with their queues, and open circuit breakers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RouterStatus {
    pub devices: Vec<pool::DeviceStatus>,
    /// Endpoints and models that captures avoid just now.
    pub broken: Vec<Broken>,
}

/// An endpoint, or one of its models, that failed and has not recovered yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Broken {
    pub endpoint: String,
    /// Absent where it is the whole endpoint.
    pub model: Option<String>,
    pub state: BreakerState,
    /// Seconds until the next probe, which no capture waits for; 0 when it is due.
    pub probe_in_s: Option<f64>,
}

impl Models {
    /// The state of all devices and breakers.
    #[must_use]
    pub fn router_status(&self) -> RouterStatus {
        let now = self.clock.instant();
        let knowledge = self.knowledge();
        let broken = knowledge.breakers.not_closed().map(|(endpoint, model, one)| Broken {
            endpoint: endpoint.to_owned(),
            model: (!model.is_empty()).then(|| model.to_owned()),
            state: one.state(),
            probe_in_s: one.next_probe_at().map(|at| at.saturating_duration_since(now).as_secs_f64()),
        });
        RouterStatus { broken: broken.collect(), devices: self.turns.device_statuses() }
    }
}
