//! Which model writes, when it is its turn, and what is learned from it: the router at work.
//!
//! A request goes through four steps: who is offered ([`endpoints`]), who is worth asking ([`weigh`]), whose turn it is
//! on the device ([`super::pool`]), and what the answer teaches ([`knowledge`]). All of it ends at the task's instant.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::calibration::{Calibration, Lesson};
use super::pool::{Pool, Turn, Wanted};
use crate::config::{Config, EndpointConfig};
use crate::domain::capture::Reason;
use crate::domain::clock::Clock;
use crate::domain::operation::Ahead;
use crate::llm::{Answer, Ask, ClockFired, LlmError};
use crate::prompt::render::Rendered;
use crate::prompt::tokens::{Budget, Scale};
use crate::route::decision::{Chosen, Decision};
use crate::route::forecast::Work;
use crate::route::ledger::Entry;
use crate::route::offer::Choice;
use crate::route::signals::Urgency;
use crate::route::tuning::shortened;
use crate::store::Store;

mod cached;
pub mod chore;
mod chores;
mod circumstances;
mod endpoints;
mod feeding;
mod hedge;
pub mod hours;
mod keeping;
mod knowledge;
mod listing;
pub mod pace;
mod reading;
mod seen;
mod standing;
mod task;
mod unhurried;
mod weigh;

pub use chores::{Fruit, Preferred};
pub use endpoints::device;
pub use listing::Refusal;
pub use reading::Reading;
pub use standing::{Broken, Standing};
pub use task::{PromptOf, Size, Task};
pub(super) use unhurried::Unhurried;

use circumstances::{Circumstances, Eyes};
use endpoints::{Endpoints, Slot};
use feeding::Feed;
use hedge::Hedged;
use knowledge::Knowledge;
use listing::Nobody;
use pace::{Heard, Recallable};
use weigh::{Contender, Scene};

/// Texts that are older say nothing of a model any more: models and tastes change.
const SEEN_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// A capture is one or two sentences: more of the patch than this only costs prefill time, and is sent only where it
/// makes the source complete.
const CAPTURE_PROMPT_TOKENS: u32 = 1500;
/// For the chat template's own tokens.
const WRAPPING: u32 = 64;

/// Everything about one attempt to let a model write.
#[derive(Debug)]
pub struct Attempt {
    pub model: Option<String>,
    pub endpoint: Option<String>,
    pub result: Result<Answer, Unanswered>,
    /// What was sent, or would have been; absent where no model was chosen.
    pub prompt: Option<Rendered>,
    /// Why this model, or none.
    pub decision: Option<Decision>,
    pub ahead: Ahead,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// Nobody was asked: the router had this reason.
    #[error("no model was asked ({})", .0.as_str())]
    Unasked(Reason),
    #[error(transparent)]
    Failed(#[from] LlmError),
}

impl Attempt {
    fn none(why: Unanswered, decision: Option<Decision>) -> Self {
        Self { model: None, endpoint: None, result: Err(why), prompt: None, decision, ahead: Ahead::None }
    }
}

/// The models of all configured endpoints, with all that is known of them; kept for the life of the process.
pub struct Models {
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    endpoints: Arc<Endpoints>,
    knowledge: Mutex<Knowledge>,
    eyes: Eyes,
    tokens: Arc<Calibration>,
    turns: Arc<Pool>,
    /// Looks at endpoints that nobody waits for.
    looks: Mutex<JoinSet<()>>,
}

impl std::fmt::Debug for Models {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Models").finish_non_exhaustive()
    }
}

/// A decision, and what it takes to act on it.
struct Settled {
    decision: Decision,
    /// The whole prompt, and its size.
    prompt: Rendered,
    size: Size,
    contenders: Vec<Contender>,
    here: Circumstances,
}

/// The model that was chosen, and what is to be sent.
struct Order<'a> {
    contender: &'a Contender,
    prompt: Rendered,
    max_tokens: u32,
    /// Of the prompt, what the server probably has.
    work: Work,
}

impl Models {
    /// With what was learned before. Blocking.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, store: Arc<dyn Store>) -> Self {
        let tokens = Arc::new(Calibration::of(Arc::clone(&store)));
        // A store that cannot be read knows nothing: it will be measured anew.
        let mut knowledge = Knowledge::with(store.forecasts().unwrap_or_default());
        knowledge.see(store.evidence(clock.now() - SEEN_FOR).unwrap_or_default());
        let knowledge = Mutex::new(knowledge);
        let endpoints = Arc::new(Endpoints::new(Arc::clone(&clock)));
        let turns = Arc::new(Pool::new(Arc::clone(&clock)));
        Self { clock, store, endpoints, knowledge, eyes: Eyes::default(), tokens, turns, looks: Mutex::default() }
    }

    /// Reads again how the models' texts were scored and what people left of them, also through other processes.
    /// Blocking.
    pub fn reread_evidence(&self) {
        if let Ok(seen) = self.store.evidence(self.clock.now() - SEEN_FOR) {
            self.knowledge().see(seen);
        }
    }

    /// Who computes where, and who waits.
    #[must_use]
    pub fn pool(&self) -> &Arc<Pool> {
        &self.turns
    }

    fn knowledge(&self) -> MutexGuard<'_, Knowledge> {
        self.knowledge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the model write that is expected to do best, if one is expected to be worth it; never later than
    /// `task.until`.
    pub async fn ask(&self, config: &Config, task: &Task<'_>) -> Attempt {
        // What others are finding out is waited for, but not beyond our own end: theirs may be far off.
        let settled = tokio::time::timeout_at(task.until.into(), self.settle(config, task)).await;
        let settled = match settled.unwrap_or(Err(LlmError::Deadline(ClockFired::Connect).into())) {
            Ok(settled) => settled,
            Err(error) => return Attempt::none(error.into(), None),
        };
        self.knowledge().doubt(&settled.decision);
        let Some(order) = self.order(config, task, &settled) else {
            return Attempt::none(Unanswered::Unasked(settled.decision.reason), Some(settled.decision));
        };
        let asked = self.ask_hedged(config, task, &settled, &order).await;
        let attempt = match asked {
            Hedged::First(result) => self.attempt(task, &order, result, settled.decision.clone()),
            Hedged::Second(attempt) => *attempt,
        };
        self.learn_tokens(&attempt);
        attempt
    }

    fn attempt(
        &self,
        task: &Task<'_>,
        order: &Order<'_>,
        result: Result<Answer, LlmError>,
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

    /// What would be done now, without doing it.
    ///
    /// # Errors
    /// When no endpoint answers or none offers a model.
    pub async fn decide(&self, config: &Config, task: &Task<'_>) -> Result<Decision, Refusal> {
        Ok(self.settle(config, task).await?.decision)
    }

    async fn settle(&self, config: &Config, task: &Task<'_>) -> Result<Settled, Nobody> {
        let (offers, refusal) = self.offers(config, task).await;
        let here = self.eyes.look(self.clock.as_ref());
        let scene = Scene { config, task, offers: &offers, here };
        let knowledge = self.knowledge();
        let contenders = scene.contenders(&knowledge);
        let Some(first) = contenders.first() else { return Err(refusal.unwrap_or_else(|| no_model().into())) };
        let size = whole(&first.sampling, self.scale(first), &knowledge, task);
        let prompt = (task.prompt)(&size);
        let shown = (&prompt, size.budget.scale);
        let decision = scene.decide(&contenders, shown, &knowledge, (self.turns.as_ref(), self.clock.instant()));
        drop(knowledge);
        Ok(Settled { decision, prompt, size, contenders, here })
    }

    /// The prompt of the model that was chosen, as long as was decided; nothing where the template is to stand.
    fn order<'s>(&self, config: &Config, task: &Task<'_>, settled: &'s Settled) -> Option<Order<'s>> {
        let Chosen::Model { model, endpoint, max_tokens, prompt_tokens, words } = &settled.decision.choice else {
            return None;
        };
        let mut all = settled.contenders.iter();
        let contender = all.find(|one| one.offered.name == *model && one.endpoint == *endpoint)?;
        let allowed = config.options.get(&task.role).map_or(*max_tokens, |sampling| sampling.max_tokens);
        let mut knowledge = self.knowledge();
        knowledge.last.insert(task.role, (endpoint.clone(), model.clone()));
        let size = whole(&contender.sampling, self.scale(contender), &knowledge, task);
        let size = Size {
            budget: shorter(size.budget, *prompt_tokens, settled.decision.task.prompt_tokens),
            words: (*max_tokens < allowed).then_some(*words),
        };
        let prompt = if size == settled.size { settled.prompt.clone() } else { (task.prompt)(&size) };
        let (cached, _) = knowledge.cached.common(endpoint, model, &prompt);
        let cached = size.budget.scale.tokens_of(cached).min(prompt.prompt_tokens);
        let work = Work { uncached: prompt.prompt_tokens - cached, cached, allowed: *max_tokens };
        Some(Order { contender, prompt, max_tokens: *max_tokens, work })
    }

    async fn ask_one(
        &self,
        config: &Config,
        task: &Task<'_>,
        order: &Order<'_>,
        here: &Circumstances,
        heard: &AtomicBool,
    ) -> Result<Answer, LlmError> {
        let contender = order.contender;
        let slot = self.slot(config, contender)?;
        let conditions = contender.conditions(task.until.saturating_duration_since(self.clock.instant()), here);
        let outlook = contender.forecast().outlook(&order.work, &conditions);
        let turn = self.turn(config, &slot.config, task, outlook.total_s).await?;
        let ask = Ask {
            model: contender.offered.name.clone(),
            rules: order.prompt.rules.clone(),
            question: order.prompt.question.clone(),
            sampling: shortened(&contender.sampling, order.max_tokens),
            until: task.until,
            keep_alive: Some(self.keep_alive(config, task.urgency, contender, here)),
            prompt_estimate: Some(order.prompt.prompt_tokens),
        };
        if task.urgency == Urgency::Batch {
            self.feed_batch(&slot, order, &ask, &turn, here).await;
        }
        let sent = self.clock.instant();
        let result = match contender.paced(task, order.max_tokens, conditions) {
            Some(pace) => slot.client.ask_paced(&ask, &Heard { pace: &pace, heard }).await,
            // What runs without hurry ends when somebody who waits needs the device; what has come is kept.
            None => slot.client.ask_paced(&ask, &Recallable(&turn)).await,
        };
        let took = self.clock.instant().saturating_duration_since(sent);
        // An answer that was not let come says nothing about whether it would have.
        if result.is_ok() || !turn.is_recalled() {
            let cold = contender.is_cold();
            let run = seen::Run { work: order.work, result: &result, took, pressed: here.pressed, cold };
            self.learn(contender, &ask, &run);
        }
        result
    }

    /// Lets the model read a long prompt in steps: an urgent request could not get through to a server that reads all of
    /// it at once.
    async fn feed_batch(&self, slot: &Slot, order: &Order<'_>, ask: &Ask, turn: &Turn, here: &Circumstances) {
        let feed = Feed {
            slot,
            contender: order.contender,
            rules: &ask.rules,
            question: &ask.question,
            scale: self.scale(order.contender),
            end: ask.rules.len() + ask.question.len(),
            until: ask.until,
            keep_alive: ask.keep_alive.unwrap_or_default(),
        };
        self.feed(&feed, turn, here).await;
    }

    fn slot(&self, config: &Config, contender: &Contender) -> Result<Arc<Slot>, LlmError> {
        let endpoint = config.endpoints.iter().find(|endpoint| endpoint.name == contender.endpoint);
        self.endpoints.slot(endpoint.ok_or_else(no_model)?)
    }

    async fn turn(
        &self,
        config: &Config,
        endpoint: &EndpointConfig,
        task: &Task<'_>,
        lasts_s: f64,
    ) -> Result<Turn, LlmError> {
        let device = device(endpoint);
        let wanted = Wanted {
            device,
            slots: endpoints::slots(&config.endpoints, device),
            urgency: task.urgency,
            lasts: Duration::try_from_secs_f64(lasts_s).unwrap_or_default(),
            until: task.until,
        };
        self.turns.turn(wanted).await.ok_or(LlmError::Deadline(ClockFired::Connect))
    }

    /// What one run teaches: about the speed, about who is down, about what the server has in its cache.
    fn learn(&self, contender: &Contender, ask: &Ask, run: &seen::Run<'_>) {
        let (endpoint, model) = (contender.endpoint.as_str(), ask.model.as_str());
        let now = self.clock.instant();
        let mut knowledge = self.knowledge();
        if let Some(happened) = seen::happened(run.result) {
            knowledge.breakers.learn(endpoint, model, happened, now);
        }
        if let Ok(answer) = run.result {
            knowledge.ran.insert((endpoint.to_owned(), model.to_owned()), now);
            if answer.load.is_some_and(|load| load > COLD) || lost(answer, run) {
                knowledge.cached.forget(endpoint, model);
            }
            knowledge.cached.note(endpoint, model, (&ask.rules, &ask.question), usize::MAX);
        }
        if let Some(observed) = run.observed() {
            knowledge.ledger.learn(&contender.key, contender.seed, &observed, self.clock.now());
            self.keep(knowledge.ledger.entry(&contender.key));
        }
    }

    /// Aside: the next process starts from it, and this answer does not wait for the store.
    fn keep(&self, entry: Option<Entry>) {
        let store = Arc::clone(&self.store);
        drop(entry.map(|entry| tokio::task::spawn_blocking(move || store.put_forecast(&entry))));
    }

    /// What reading ahead did for this answer.
    fn ahead(&self, task: &Task<'_>, endpoint: &str, model: &str, answer: Option<&Answer>) -> Ahead {
        let (Some(tree), Some(answer)) = (task.tree, answer) else { return Ahead::None };
        let knowledge = self.knowledge();
        let read = knowledge.ahead_of(tree).filter(|read| read.endpoint == endpoint && read.model == model);
        let share =
            answer.tokens.cached.zip(answer.tokens.prompt).map(|(cached, prompt)| cached as f64 / prompt.max(1) as f64);
        match (read, share) {
            (None, _) => Ahead::Missed,
            // The server says that it has thrown it away.
            (Some(_), Some(share)) if share < WORTH => Ahead::Missed,
            (Some(read), _) if read.whole => Ahead::Whole,
            (Some(_), _) => Ahead::Part,
        }
    }

    fn scale(&self, one: &Contender) -> Scale {
        self.tokens.scale(&Choice { endpoint: one.endpoint.clone(), model: one.offered.name.clone() })
    }

    /// Aside: what was counted serves the next prompt, and this answer does not wait for the store.
    fn learn_tokens(&self, attempt: &Attempt) {
        if let Some(lesson) = Lesson::of(attempt) {
            let tokens = Arc::clone(&self.tokens);
            drop(tokio::task::spawn_blocking(move || tokens.learn(&lesson)));
        }
    }
}

/// Above this load time a model was not loaded: a warm server reports about a millisecond.
const COLD: Duration = Duration::from_millis(50);
/// A smaller share of the prompt in the server's cache was not worth reading ahead.
const WORTH: f64 = 0.3;

/// The server had far less in its cache than was thought: it serves others, too, or was started anew.
fn lost(answer: &Answer, run: &seen::Run<'_>) -> bool {
    answer.tokens.cached.is_some_and(|cached| (cached as f64) < f64::from(run.work.cached) * 0.5)
}

/// The whole prompt: what was read ahead for this tree, else what a model of this context has room for.
fn whole(sampling: &crate::llm::Sampling, scale: Scale, knowledge: &Knowledge, task: &Task<'_>) -> Size {
    if let Some(read) = task.tree.and_then(|tree| knowledge.ahead_of(tree)) {
        return read.size;
    }
    let most = sampling.num_ctx.saturating_sub(sampling.max_tokens + WRAPPING);
    Size { budget: Budget { aim: CAPTURE_PROMPT_TOKENS, most, scale }, words: None }
}

/// The budget of a prompt that was shortened to `planned` of `wished` tokens.
fn shorter(budget: Budget, planned: u32, wished: u32) -> Budget {
    if planned < wished { Budget { aim: planned, most: planned.min(budget.most), ..budget } } else { budget }
}

fn no_model() -> LlmError {
    LlmError::NoSuchModel { model: "(none offered)".to_owned() }
}

/// How a failed attempt is recorded in the capture.
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
