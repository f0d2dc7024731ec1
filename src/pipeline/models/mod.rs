//! The role's model, asked under one deadline with at most `max_in_flight` requests per endpoint.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex as AsyncMutex;
use tokio::task::JoinSet;

use super::calibration::{Calibration, Lesson};
use super::draft_model::{DraftModel, ModelText, Writing};
use super::pool::Pool;
use crate::config::{Config, EndpointConfig};
use crate::domain::capture::Reason;
use crate::domain::clock::Clock;
use crate::domain::id::Oid;
use crate::domain::operation::Ahead;
use crate::domain::role::Role;
use crate::llm::{Answer, Ask, Client, ClockFired, Finish, LlmError, Offered, Sampling};
use crate::prompt::render::Rendered;
use crate::prompt::tokens::Budget;
use crate::route::choose::{Choice, Offer, choose, configured};
use crate::route::decision::Decision;
use crate::route::signals::Urgency;

/// How long a list of offered models is believed.
const OFFERS_FRESH: Duration = Duration::from_secs(60);
/// A server that has not listed its models by then lists none.
const LISTING: Duration = Duration::from_secs(3);
/// Once one endpoint has made its offers, the others have this share of the time that is left: a server that is
/// silent must not spend the budget of one that answers.
const STRAGGLERS: u32 = 8;
/// How long a server is asked to keep the model loaded after a request.
const KEEP_ALIVE: Duration = Duration::from_secs(15 * 60);

/// A text that is wanted of a model.
pub struct Task<'a> {
    pub role: Role,
    pub urgency: Urgency,
    /// The whole time that it may take, and the instant at which the model must have stopped.
    pub budget: Duration,
    pub until: Instant,
    /// How technical the matter is, and what the text is worth that stands where no model's does; both 0..=1.
    pub technicality: f64,
    pub template_quality: f64,
    /// The tree of the commit that it is about: its prompt may have been read ahead.
    pub tree: Option<&'a Oid>,
    /// Makes the prompt. May be called more than once.
    pub prompt: &'a PromptOf<'a>,
}

/// Makes a prompt of a given size.
pub type PromptOf<'a> = dyn Fn(&Size) -> Rendered + Sync + 'a;

impl std::fmt::Debug for Task<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("role", &self.role).field("urgency", &self.urgency).finish_non_exhaustive()
    }
}

/// How long a prompt may be, and what it asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    pub budget: Budget,
    /// Most words that the model is asked for, where its usual length would take too long.
    pub words: Option<u32>,
}

/// A capture is one or two sentences: more of the patch than this only costs prefill time, and is sent only where it
/// makes the source complete.
const CAPTURE_PROMPT_TOKENS: u32 = 1500;

/// Everything about one attempt to let a model write.
#[derive(Debug)]
pub struct Attempt {
    pub model: Option<String>,
    pub endpoint: Option<String>,
    pub result: Result<Answer, LlmError>,
    /// What was sent, or would have been; absent where no model was chosen.
    pub prompt: Option<Rendered>,
    /// Why this model, or none.
    pub decision: Option<Decision>,
    pub ahead: Ahead,
}

impl Attempt {
    fn none(error: LlmError) -> Self {
        Self { model: None, endpoint: None, result: Err(error), prompt: None, decision: None, ahead: Ahead::None }
    }
}

/// The configured endpoints with their connections, kept for the life of the process.
pub struct Models {
    clock: Arc<dyn Clock>,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    tokens: Arc<Calibration>,
    pool: Pool,
}

struct Slot {
    config: EndpointConfig,
    client: Client,
    offers: AsyncMutex<Option<(Instant, Vec<Offered>)>>,
}

impl std::fmt::Debug for Models {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Models").finish_non_exhaustive()
    }
}

impl Models {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, tokens: Calibration) -> Self {
        let pool = Pool::new(Arc::clone(&clock));
        Self { clock, slots: Mutex::default(), tokens: Arc::new(tokens), pool }
    }

    /// Lets the model write that is expected to do best, if one is expected to be worth it; never later than
    /// `task.until`.
    pub async fn ask(&self, config: &Config, task: &Task<'_>) -> Attempt {
        // What others are finding out is waited for, but not beyond our own end: theirs may be far off.
        let chosen = tokio::time::timeout_at(task.until.into(), self.choose(config, task.role, task.until)).await;
        let choice = match chosen.unwrap_or(Err(LlmError::Deadline(ClockFired::Connect))) {
            Ok(choice) => choice,
            Err(error) => return Attempt::none(error),
        };
        let prompt = (task.prompt)(&self.size(config, task.role, &choice));
        let result = self.ask_one(config, task, &choice, &prompt).await;
        let (model, endpoint) = (Some(choice.model), Some(choice.endpoint));
        let attempt = Attempt { model, endpoint, result, prompt: Some(prompt), decision: None, ahead: Ahead::None };
        self.learn(&attempt);
        attempt
    }

    /// Lets the model that would be asked about a commit of `tree` read the prompt of it, and write nothing: when the
    /// commit comes, only its message is left to be read. Ends early when somebody more urgent needs the device; what
    /// was read until then stays read. Gives whether all of it was read.
    pub async fn read_ahead(&self, config: &Config, tree: &Oid, prompt: &PromptOf<'_>, until: Instant) -> bool {
        let _ = (config, tree, prompt, until);
        false
    }

    fn size(&self, config: &Config, role: Role, choice: &Choice) -> Size {
        // The prompt leaves room for the answer and for the chat template's own tokens.
        let room = |sampling: &Sampling| sampling.num_ctx.saturating_sub(sampling.max_tokens + 64);
        let most = config.options.get(&role).map_or(1024, room);
        let budget = Budget { aim: CAPTURE_PROMPT_TOKENS, most, scale: self.tokens.scale(choice) };
        Size { budget, words: None }
    }

    /// Aside: what was counted serves the next prompt, and this answer does not wait for the store.
    fn learn(&self, attempt: &Attempt) {
        if let Some(lesson) = Lesson::of(attempt) {
            let tokens = Arc::clone(&self.tokens);
            drop(tokio::task::spawn_blocking(move || tokens.learn(&lesson)));
        }
    }

    /// The model and endpoint that `role` would use now.
    ///
    /// # Errors
    /// When no endpoint answers or none offers a model.
    pub async fn choose(&self, config: &Config, role: Role, until: Instant) -> Result<Choice, LlmError> {
        let named = configured(&config.models, config.capture.strategy, role);
        // One endpoint and a named model: nothing to find out, so nothing is spent on finding out.
        if let (Some(name), [only]) = (named, config.endpoints.as_slice()) {
            return Ok(Choice { endpoint: only.name.clone(), model: name.to_owned() });
        }
        let (offers, refusal) = self.offers(config, until.min(self.clock.instant() + LISTING)).await;
        choose(named, role, &offers).ok_or_else(|| refusal.unwrap_or_else(no_model))
    }

    async fn offers(&self, config: &Config, until: Instant) -> (Vec<Offer>, Option<LlmError>) {
        let mut asked = JoinSet::new();
        let mut refusals = Vec::new();
        for (order, endpoint) in config.endpoints.iter().enumerate() {
            match self.slot(endpoint) {
                Ok(slot) => {
                    let clock = Arc::clone(&self.clock);
                    asked.spawn(async move { (order, slot.offers(clock.as_ref(), until).await) });
                }
                Err(error) => refusals.push((order, error)),
            }
        }
        let mut offers = Vec::new();
        let mut patience = until;
        while let Ok(Some(joined)) = tokio::time::timeout_at(patience.into(), asked.join_next()).await {
            match joined {
                Ok((order, Ok(offer))) => {
                    offers.push((order, offer));
                    let now = self.clock.instant();
                    patience = patience.min(now + until.saturating_duration_since(now) / STRAGGLERS);
                }
                Ok((order, Err(error))) => refusals.push((order, error)),
                Err(_) => {}
            }
        }
        offers.sort_by_key(|(order, _)| *order);
        // The first endpoint is the one that was meant; the others are where else one might look.
        let refusal = refusals.into_iter().min_by_key(|(order, _)| *order).map(|(_, error)| error);
        (offers.into_iter().map(|(_, offer)| offer).collect(), refusal)
    }

    async fn ask_one(
        &self,
        config: &Config,
        task: &Task<'_>,
        choice: &Choice,
        prompt: &Rendered,
    ) -> Result<Answer, LlmError> {
        let endpoint = config.endpoints.iter().find(|endpoint| endpoint.name == choice.endpoint);
        let slot = self.slot(endpoint.ok_or_else(no_model)?)?;
        let (device, slots) = (&slot.config.name, slot.config.max_in_flight);
        let turn = self.pool.turn(device, slots, task.urgency, task.until).await;
        let _turn = turn.ok_or(LlmError::Deadline(ClockFired::Connect))?;
        let sampling = config.options.get(&task.role).cloned().ok_or_else(no_model)?;
        let ask = Ask {
            model: choice.model.clone(),
            rules: prompt.rules.clone(),
            question: prompt.question.clone(),
            sampling,
            until: task.until,
            keep_alive: Some(KEEP_ALIVE),
            prompt_estimate: Some(prompt.prompt_tokens),
        };
        slot.client.ask(&ask).await
    }

    fn slot(&self, endpoint: &EndpointConfig) -> Result<Arc<Slot>, LlmError> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&endpoint.name).filter(|slot| slot.config == *endpoint) {
            return Ok(Arc::clone(slot));
        }
        let slot =
            Arc::new(Slot { config: endpoint.clone(), client: Client::new(endpoint)?, offers: AsyncMutex::default() });
        slots.insert(endpoint.name.clone(), Arc::clone(&slot));
        Ok(slot)
    }
}

impl Slot {
    async fn offers(&self, clock: &dyn Clock, until: Instant) -> Result<Offer, LlmError> {
        let mut cached = self.offers.lock().await;
        let fresh = cached.as_ref().is_some_and(|(at, _)| clock.instant().duration_since(*at) < OFFERS_FRESH);
        if !fresh {
            *cached = Some((clock.instant(), self.client.models(until).await?));
        }
        let models = cached.as_ref().map(|(_, models)| models.clone()).unwrap_or_default();
        Ok(Offer { endpoint: self.config.name.clone(), remote: self.config.remote, models })
    }
}

fn no_model() -> LlmError {
    LlmError::NoSuchModel { model: "(none offered)".to_owned() }
}

/// The models for drafts: the role's own, as long as it takes within the caller's bound.
#[derive(Debug)]
pub(super) struct Unhurried {
    pub models: Arc<Models>,
    pub config: Config,
}

impl DraftModel for Unhurried {
    fn write<'a>(&'a self, role: Role, rendered: &'a Rendered, until: Instant) -> Writing<'a> {
        Box::pin(async move {
            let task = Task {
                role,
                urgency: Urgency::Batch,
                budget: role.target(),
                until,
                technicality: 0.5,
                template_quality: 0.0,
                tree: None,
                prompt: &|_| rendered.clone(),
            };
            let attempt = self.models.ask(&self.config, &task).await;
            let answer = attempt.result.map_err(|error| error.to_string())?;
            match answer.finish {
                Finish::Stop | Finish::Length if !answer.prompt_truncated => Ok(ModelText {
                    tps: answer.tpot.filter(|tpot| !tpot.is_zero()).map(|tpot| 1.0 / tpot.as_secs_f64()),
                    load: answer.load,
                    ttft: answer.ttft,
                    text: answer.text,
                    model: attempt.model.unwrap_or_default(),
                    endpoint: attempt.endpoint.unwrap_or_default(),
                }),
                Finish::Stop | Finish::Length => Err("the server cut the prompt".to_owned()),
                Finish::Cut(clock) => Err(format!("the model was not done in time ({clock})")),
                Finish::Aborted => Err("the server broke off".to_owned()),
            }
        })
    }
}

/// How a failed attempt is recorded in the capture.
#[must_use]
pub fn reason_for(error: &LlmError) -> Reason {
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
        assert_eq!(reason_for(&LlmError::Deadline(ClockFired::FirstToken)), Reason::Deadline);
        assert_eq!(reason_for(&LlmError::Unreachable { url: text() }), Reason::Refused);
        assert_eq!(reason_for(&LlmError::NoSuchModel { model: text() }), Reason::Refused);
        assert_eq!(reason_for(&LlmError::Garbled { message: text() }), Reason::Unusable);
        assert_eq!(reason_for(&LlmError::PromptTooLong { message: text() }), Reason::Overflow);
    }
}
