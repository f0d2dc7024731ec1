//! Model router: chooses the model that writes, queues for its device, and learns from the answer.
//!
//! A request goes through four steps: discovery of models (`endpoints`), scoring (`scoring`), the queue of the device
//! ([`self::pool`]), and learning (`knowledge`). All of them end at the task's instant.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use self::calibration::Calibration;
use self::pool::Pool;
use crate::config::Config;
use crate::domain::capture::Reason;
use crate::domain::clock::Clock;
use crate::domain::operation::PrefillOutcome;
use crate::llm::{ClockFired, LlmError, ModelAnswer};
use crate::prompt::render::RenderedPrompt;
use crate::prompt::tokens::{Budget, CAPTURE_PROMPT, TokenScale};
use crate::route::decision::{Chosen, Decision};
use crate::route::forecast::Work;
use crate::route::offer::ModelChoice;
use crate::store::RouterState;

mod acceptance;
mod asking;
pub mod calibration;
mod chunked_prefill;
mod discovery;
mod endpoints;
pub mod hours;
pub mod idle_task;
mod keeping;
mod knowledge;
mod learning;
mod maintenance;
pub mod pace;
pub mod pool;
mod prefill;
mod prefix_cache;
mod presence;
mod router_status;
mod sampler;
mod scoring;
mod seen;
mod task;

pub use acceptance::{Tallies, tallies, try_again};
pub use discovery::Refusal;
pub use endpoints::device;
pub use maintenance::{ChoreOutcome, Preferred};
pub use prefill::ReadProgress;
pub use presence::{NEVER_ANSWERED, has_ever_answered};
pub use router_status::{Broken, RouterStatus};
pub use task::{PromptOf, Size, Task};

use discovery::Unavailable;
use endpoints::Endpoints;
use knowledge::Knowledge;
use sampler::{SystemSample, SystemSampler};
use scoring::{Contender, RoutingContext};

/// Older texts are no evidence any more: models and tastes change.
const SEEN_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Tokens of the chat template itself.
const WRAPPING: u32 = 64;

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
    fn none(why: Unanswered, decision: Option<Decision>) -> Self {
        Self { model: None, endpoint: None, result: Err(why), prompt: None, decision, ahead: PrefillOutcome::None }
    }
}

/// The models of all configured endpoints with their learned state; one per process.
pub struct Models {
    clock: Arc<dyn Clock>,
    store: Arc<dyn RouterState>,
    endpoints: Arc<Endpoints>,
    knowledge: Mutex<Knowledge>,
    sampler: SystemSampler,
    tokens: Arc<Calibration>,
    turns: Arc<Pool>,
    /// Background refreshes of model lists.
    looks: Mutex<JoinSet<()>>,
    /// A server has answered this process.
    present: Arc<AtomicBool>,
    /// The endpoints were checked before the first text without a model call.
    met: AtomicBool,
}

impl std::fmt::Debug for Models {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Models").finish_non_exhaustive()
    }
}

/// A decision with its inputs, ready to be acted on.
struct RoutedTask {
    decision: Decision,
    /// The whole prompt, and its size.
    prompt: RenderedPrompt,
    size: Size,
    contenders: Vec<Contender>,
    here: SystemSample,
}

/// The chosen model and the request to send.
struct PreparedRequest<'a> {
    contender: &'a Contender,
    prompt: RenderedPrompt,
    max_tokens: u32,
    scale: TokenScale,
    /// Tokens to read and to write, given the probable state of the server's cache.
    work: Work,
}

impl Models {
    /// Loads what was learned before. Blocking.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, store: Arc<dyn RouterState>) -> Self {
        let tokens = Arc::new(Calibration::of(Arc::clone(&store)));
        // Where the store cannot be read, the models are measured again.
        let mut knowledge = Knowledge::with(store.forecasts().unwrap_or_default());
        knowledge.replace_evidence(store.evidence(clock.now() - SEEN_FOR).unwrap_or_default());
        // Where the store cannot be written now, the next process begins the count.
        let _ = acceptance::begin(store.as_ref(), clock.now());
        knowledge.tallies = tallies(store.as_ref(), clock.now()).unwrap_or_default();
        let knowledge = Mutex::new(knowledge);
        let endpoints = Arc::new(Endpoints::new(Arc::clone(&clock)));
        let turns = Arc::new(Pool::new(Arc::clone(&clock)));
        let (sampler, looks, present) = (SystemSampler::default(), Mutex::default(), Arc::default());
        Self { clock, store, endpoints, knowledge, sampler, tokens, turns, looks, present, met: AtomicBool::default() }
    }

    /// Rereads the evidence from the store, with that of other processes: scores, users' edits, acceptance rates.
    /// Blocking.
    pub fn reread_evidence(&self) {
        if let Ok(seen) = self.store.evidence(self.clock.now() - SEEN_FOR) {
            self.knowledge().replace_evidence(seen);
        }
        self.recount();
    }

    /// Recounts the usable answers: after each one that was checked, so that no storm of commits asks a useless model.
    /// Blocking.
    pub fn recount(&self) {
        if let Ok(tallies) = tallies(self.store.as_ref(), self.clock.now()) {
            self.knowledge().tallies = tallies;
        }
    }

    /// The queues of all devices.
    #[must_use]
    pub fn pool(&self) -> &Arc<Pool> {
        &self.turns
    }

    fn knowledge(&self) -> MutexGuard<'_, Knowledge> {
        self.knowledge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the model with the best expected text, if one is expected to be worth it; ends by `task.until`.
    pub async fn request_text(&self, config: &Config, task: &Task<'_>) -> Attempt {
        // Shares the model lists that other requests fetch, but not beyond its own deadline.
        let settled = tokio::time::timeout_at(task.until.into(), self.route_task(config, task)).await;
        let settled = match settled.unwrap_or(Err(LlmError::Deadline(ClockFired::Connect).into())) {
            Ok(settled) => settled,
            Err(error) => return Attempt::none(error.into(), None),
        };
        self.knowledge().note_decision(&settled.decision);
        let Some(order) = self.order(config, task, &settled) else {
            return Attempt::none(Unanswered::Unasked(settled.decision.reason), Some(settled.decision));
        };
        let result = self.ask_one(config, task, &order, &settled.here).await;
        let attempt = self.attempt(task, &order, result, settled.decision.clone());
        self.learn_tokens(&attempt);
        attempt
    }

    fn attempt(
        &self,
        task: &Task<'_>,
        order: &PreparedRequest<'_>,
        result: Result<ModelAnswer, LlmError>,
        decision: Decision,
    ) -> Attempt {
        let (model, endpoint) = (order.contender.offered.name.clone(), order.contender.endpoint.clone());
        let ahead = self.ahead(task, &endpoint, &model, result.as_ref().ok());
        Attempt {
            model: Some(model),
            endpoint: Some(endpoint),
            result: result.map_err(Unanswered::from),
            prompt: Some(order.prompt.clone()),
            decision: Some(decision),
            ahead,
        }
    }

    /// The decision as of now, without acting on it.
    ///
    /// # Errors
    /// When no endpoint answers or none offers a model.
    pub async fn decide(&self, config: &Config, task: &Task<'_>) -> Result<Decision, Refusal> {
        Ok(self.route_task(config, task).await?.decision)
    }

    async fn route_task(&self, config: &Config, task: &Task<'_>) -> Result<RoutedTask, Unavailable> {
        let (offers, refusal) = self.offers(config, task).await;
        let here = self.sampler.sample(&self.clock).await;
        let scene = RoutingContext { config, task, offers: &offers, here };
        let contenders = scene.contenders(&self.knowledge());
        let Some(first) = contenders.first() else { return Err(refusal.unwrap_or_else(|| no_model().into())) };
        let size = whole(&first.sampling, self.scale(first), &self.knowledge(), task);
        // Not under the lock: a long patch takes milliseconds.
        let prompt = (task.prompt)(&size);
        let now = (self.turns.as_ref(), self.clock.instant());
        let decision = scene.decide(&contenders, (&prompt, size.budget.scale), &self.knowledge(), now);
        Ok(RoutedTask { decision, prompt, size, contenders, here })
    }

    /// The request for the chosen model, with the prompt shortened as decided; `None` where the template stands.
    fn order<'s>(&self, config: &Config, task: &Task<'_>, settled: &'s RoutedTask) -> Option<PreparedRequest<'s>> {
        let Chosen::Model { model, endpoint, max_tokens, prompt_tokens, words } = &settled.decision.choice else {
            return None;
        };
        let mut all = settled.contenders.iter();
        let contender = all.find(|one| one.offered.name == *model && one.endpoint == *endpoint)?;
        let allowed = config.options.get(&task.role).map_or(*max_tokens, |sampling| sampling.max_tokens);
        self.knowledge().last.insert(task.role, (endpoint.clone(), model.clone()));
        let size = whole(&contender.sampling, self.scale(contender), &self.knowledge(), task);
        let size = Size {
            budget: shorter(size.budget, *prompt_tokens, settled.decision.task.prompt_tokens),
            words: (*max_tokens < allowed).then_some(*words),
        };
        let prompt = if size == settled.size { settled.prompt.clone() } else { (task.prompt)(&size) };
        let scale = size.budget.scale;
        let work = self.work(contender, &prompt, scale, *max_tokens);
        Some(PreparedRequest { contender, prompt, max_tokens: *max_tokens, scale, work })
    }

    /// Tokens to read and to write, given the probable state of the server's cache now.
    fn work(&self, contender: &Contender, prompt: &RenderedPrompt, scale: TokenScale, allowed: u32) -> Work {
        let (cached, _) = self.knowledge().cached.common(&contender.endpoint, &contender.offered.name, prompt);
        let cached = scale.tokens_of(cached).min(prompt.prompt_tokens);
        Work { uncached: prompt.prompt_tokens - cached, cached, allowed }
    }

    fn scale(&self, one: &Contender) -> TokenScale {
        self.tokens.scale(&ModelChoice { endpoint: one.endpoint.clone(), model: one.offered.name.clone() })
    }
}

/// The whole prompt: the one read ahead for this tree, else as much as this model's context allows.
fn whole(sampling: &crate::domain::model::Sampling, scale: TokenScale, knowledge: &Knowledge, task: &Task<'_>) -> Size {
    if let Some(read) = task.tree.and_then(|tree| knowledge.ahead_of(tree)) {
        return read.size;
    }
    let most = sampling.num_ctx.saturating_sub(sampling.max_tokens + WRAPPING);
    Size { budget: Budget { tokens: CAPTURE_PROMPT.min(most), scale }, words: None }
}

/// The budget of a prompt that was shortened to `planned` of `wished` tokens.
fn shorter(budget: Budget, planned: u32, wished: u32) -> Budget {
    if planned < wished { Budget { tokens: planned.min(budget.tokens), ..budget } } else { budget }
}

fn no_model() -> LlmError {
    LlmError::NoSuchModel { model: "(none offered)".to_owned() }
}

/// The reason that a capture records for a failed attempt.
#[must_use]
pub fn reason_for(why: &Unanswered) -> Reason {
    match why {
        Unanswered::Unasked(reason) => *reason,
        Unanswered::Failed(error) => failure(error),
    }
}

fn failure(error: &LlmError) -> Reason {
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

    #[test]
    fn a_slow_server_a_dead_one_and_a_broken_one_are_told_apart() {
        let text = String::new;
        assert_eq!(failure(&LlmError::Deadline(ClockFired::FirstToken)), Reason::Deadline);
        assert_eq!(failure(&LlmError::Unreachable { url: text() }), Reason::Refused);
        assert_eq!(failure(&LlmError::NoSuchModel { model: text() }), Reason::Refused);
        assert_eq!(failure(&LlmError::Garbled { message: text() }), Reason::Unusable);
        assert_eq!(failure(&LlmError::PromptTooLong { message: text() }), Reason::Overflow);
        assert_eq!(reason_for(&Unanswered::Unasked(Reason::Cold)), Reason::Cold);
    }
}
