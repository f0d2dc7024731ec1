//! Model router: chooses the model that writes, queues for its device, and learns from the answer.
//!
//! A request goes through four steps: discovery of models (`discovery`), scoring (`scoring`), the queue of the device
//! ([`self::pool`]), and learning (`knowledge`). All of them end at the task's instant.

use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use self::pool::Pool;
use crate::config::Config;
use crate::domain::capture::Reason;
use crate::domain::clock::Clock;
use crate::domain::id::Oid;
use crate::domain::operation::PrefillOutcome;
use crate::llm::{LlmError, ModelAnswer};
use crate::prompt::render::RenderedPrompt;
use crate::route::breaker::BreakerState;
use crate::route::decision::Decision;
use crate::store::RouterState;

mod acceptance;
mod asking;
pub mod calibration;
mod chunked_prefill;
mod discovery;
mod endpoints;
pub mod idle_task;
mod knowledge;
mod maintenance;
mod model_run;
pub mod pace;
pub mod pool;
mod prefill;
mod prefix_cache;
mod sampler;
mod scoring;
mod task;

pub use acceptance::{Tallies, tallies, try_again};
pub use discovery::Refusal;
pub use endpoints::device;
pub use knowledge::{Knowledge, NEVER_ANSWERED, has_ever_answered};
pub use maintenance::{IdleTaskOutcome, Maintenance, Preferred};
pub use prefill::ReadProgress;
pub use task::{PromptOf, Size, Task};

use asking::Asking;
use discovery::Catalogue;
use endpoints::Endpoints;
use prefill::Prefill;
use sampler::SystemSampler;

/// Older texts are no evidence any more: models and tastes change.
const SEEN_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Record of one attempt to get a text from a model.
#[derive(Debug)]
pub struct Attempt {
    pub model: Option<String>,
    pub endpoint: Option<String>,
    pub result: Result<ModelAnswer, Unanswered>,
    /// The prompt that was sent, or would have been; absent where no model was chosen.
    pub prompt: Option<RenderedPrompt>,
    /// Why this model was chosen, or none.
    pub decision: Option<Decision>,
    pub ahead: PrefillOutcome,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The router asked no model, for this reason.
    #[error("no model was asked ({})", .0.as_str())]
    Unasked(Reason),
    #[error(transparent)]
    Failed(#[from] LlmError),
}

impl Attempt {
    fn without_answer(why: Unanswered, decision: Option<Decision>) -> Self {
        Self { model: None, endpoint: None, result: Err(why), prompt: None, decision, ahead: PrefillOutcome::None }
    }
}

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

/// The models of all configured endpoints with their learned state; one per process.
pub struct Models {
    pub knowledge: Arc<Knowledge>,
    pub maintenance: Maintenance,
    asking: Arc<Asking>,
}

impl std::fmt::Debug for Models {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Models").finish_non_exhaustive()
    }
}

impl Models {
    /// Loads what was learned before. Blocking.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, store: Arc<dyn RouterState>) -> Self {
        let knowledge = Arc::new(Knowledge::load(Arc::clone(&clock), store));
        let endpoints = Arc::new(Endpoints::new(Arc::clone(&clock)));
        let (shared, looks) = (Arc::clone(&knowledge), Mutex::default());
        let catalogue = Catalogue { clock: Arc::clone(&clock), endpoints, knowledge: shared, looks };
        let turns = Arc::new(Pool::new(Arc::clone(&clock)));
        let (shared, sampler) = (Arc::clone(&knowledge), SystemSampler::default());
        let asking = Arc::new(Asking { clock, catalogue, knowledge: shared, sampler, turns });
        let maintenance = Maintenance { asking: Arc::clone(&asking), met: AtomicBool::default() };
        Self { knowledge, maintenance, asking }
    }

    /// The queues of all devices.
    #[must_use]
    pub fn pool(&self) -> &Arc<Pool> {
        &self.asking.turns
    }

    /// Asks the model with the best expected text, if one is expected to be worth it; ends by `task.until`.
    pub async fn request_text(&self, config: &Config, task: &Task<'_>) -> Attempt {
        self.asking.request_text(config, task).await
    }

    /// The decision as of now, without acting on it.
    ///
    /// # Errors
    /// When no endpoint answers or none offers a model.
    pub async fn decide(&self, config: &Config, task: &Task<'_>) -> Result<Decision, Refusal> {
        self.asking.decide(config, task).await
    }

    /// Lets the model that a commit of `tree` would ask read the prompt up to the author's words, until preempted.
    pub async fn read_ahead(&self, config: &Config, tree: &Oid, prompt: &PromptOf<'_>, until: Instant) -> ReadProgress {
        Prefill(Arc::clone(&self.asking)).read_ahead(config, tree, prompt, until).await
    }

    /// The state of all devices and breakers.
    #[must_use]
    pub fn router_status(&self) -> RouterStatus {
        let now = self.asking.clock.instant();
        let knowledge = self.knowledge.learned();
        let broken = knowledge.breakers.not_closed().map(|(endpoint, model, breaker)| Broken {
            endpoint: endpoint.to_owned(),
            model: (!model.is_empty()).then(|| model.to_owned()),
            state: breaker.state(),
            probe_in_s: breaker.next_probe_at().map(|at| at.saturating_duration_since(now).as_secs_f64()),
        });
        RouterStatus { broken: broken.collect(), devices: self.asking.turns.device_statuses() }
    }
}

fn no_model() -> LlmError {
    LlmError::NoSuchModel { model: "(none offered)".to_owned() }
}

/// The reason that a capture records for a failed attempt.
#[must_use]
pub fn reason_for(why: &Unanswered) -> Reason {
    match why {
        Unanswered::Unasked(reason) => *reason,
        Unanswered::Failed(error) => failure_reason(error),
    }
}

fn failure_reason(error: &LlmError) -> Reason {
    match error {
        LlmError::Deadline(_) => Reason::Deadline,
        LlmError::PromptTooLong { .. } => Reason::Overflow,
        LlmError::MidStream { .. } | LlmError::Garbled { .. } | LlmError::TooMuch { .. } => Reason::Unusable,
        LlmError::NotLoopback { .. }
        | LlmError::Cloud { .. }
        | LlmError::Unreachable { .. }
        | LlmError::Status { .. }
        | LlmError::NoSuchModel { .. }
        | LlmError::NoSystemRole { .. }
        | LlmError::NotAModelServer { .. }
        | LlmError::InvalidEndpoint { .. } => Reason::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::ClockFired;

    #[test]
    fn a_slow_server_a_dead_one_and_a_broken_one_are_told_apart() {
        let text = String::new;
        assert_eq!(failure_reason(&LlmError::Deadline(ClockFired::FirstToken)), Reason::Deadline);
        assert_eq!(failure_reason(&LlmError::Unreachable { url: text() }), Reason::Refused);
        assert_eq!(failure_reason(&LlmError::NoSuchModel { model: text() }), Reason::Refused);
        assert_eq!(failure_reason(&LlmError::Garbled { message: text() }), Reason::Unusable);
        assert_eq!(failure_reason(&LlmError::PromptTooLong { message: text() }), Reason::Overflow);
        assert_eq!(reason_for(&Unanswered::Unasked(Reason::Cold)), Reason::Cold);
    }
}
