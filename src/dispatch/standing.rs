//! The router's state at this moment, for whoever looks.

use serde::{Deserialize, Serialize};

use super::Models;
use crate::dispatch::pool;
use crate::route::breaker::State;

/// Who computes, who waits, who is down.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub devices: Vec<pool::Standing>,
    /// Everything that captures do not go to just now.
    pub broken: Vec<Broken>,
}

/// An endpoint, or one model of it, that failed and has not been seen well since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Broken {
    pub endpoint: String,
    /// Absent where it is the whole endpoint.
    pub model: Option<String>,
    pub state: State,
    /// Seconds until it is tried again by nobody's capture; 0 when that is due.
    pub probe_in_s: Option<f64>,
}

impl Models {
    /// Who computes, who waits, who is down.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let now = self.clock.instant();
        let knowledge = self.knowledge();
        let broken = knowledge.breakers.not_closed().map(|(endpoint, model, one)| Broken {
            endpoint: endpoint.to_owned(),
            model: (!model.is_empty()).then(|| model.to_owned()),
            state: one.state(),
            probe_in_s: one.probe_at().map(|at| at.saturating_duration_since(now).as_secs_f64()),
        });
        Standing { broken: broken.collect(), devices: self.turns.standing() }
    }
}
