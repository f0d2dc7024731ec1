//! Sends one request: waits for the turn on the device, sends the prompt, cuts or preempts the answer.

use std::sync::Arc;
use std::time::Duration;

use super::chunked_prefill::ChunkedPrefill;
use super::discovery::{Catalogue, Refusal, Unavailable};
use super::endpoints::{self, EndpointSlot};
use super::idle_task::is_working_time;
use super::knowledge::{Knowledge, Learned};
use super::pace::Recallable;
use super::sampler::{SystemSample, SystemSampler};
use super::scoring::Contender;
use super::scoring::RoutingContext;
use super::task::Size;
use super::task::Task;
use super::{Attempt, Unanswered, model_run, no_model};
use crate::config::{Config, EndpointConfig};
use crate::dispatch::pool::Pool;
use crate::dispatch::pool::{Turn, TurnRequest};
use crate::domain::clock::Clock;
use crate::domain::model::Sampling;
use crate::domain::role::Role;
use crate::llm::{ClockFired, LlmError, ModelAnswer, ModelRequest};
use crate::prompt::render::RenderedPrompt;
use crate::prompt::tokens::{Budget, CAPTURE_PROMPT, TokenScale};
use crate::route::decision::{Chosen, Decision};
use crate::route::forecast::Work;
use crate::route::signals::Urgency;
use crate::route::tuning::shortened;

/// The captures' model in working hours: covers a coffee break, a meeting, a lunch.
const HELD: Duration = Duration::from_secs(60 * 60);
/// The same in the window of the nightly batch: another commit may follow, but the batch needs the memory.
const AT_NIGHT: Duration = Duration::from_secs(15 * 60);
/// A batch asks again within minutes or in a day.
const BATCH: Duration = Duration::from_secs(5 * 60);
/// On battery: held memory costs power; this still covers a burst of commits.
const ON_BATTERY: Duration = Duration::from_secs(2 * 60);

/// Inputs of the keep-alive time.
#[derive(Debug, Clone, Copy)]
struct Holding {
    /// The model writes captures, whatever this request was for.
    captures: bool,
    working: bool,
    on_battery: bool,
}

/// Tokens of the chat template itself.
const WRAPPING: u32 = 64;

/// A decision with its inputs, ready to be acted on.
pub(super) struct RoutedTask {
    pub decision: Decision,
    /// The whole prompt, and its size.
    pub prompt: RenderedPrompt,
    pub size: Size,
    pub contenders: Vec<Contender>,
    pub here: SystemSample,
}

/// The chosen model and the request to send.
pub(super) struct PreparedRequest<'a> {
    pub contender: &'a Contender,
    pub prompt: RenderedPrompt,
    pub max_tokens: u32,
    pub scale: TokenScale,
    /// Tokens to read and to write, given the probable state of the server's cache.
    pub work: Work,
}

/// Requests to the models: the decision, the turn on the device, the request itself.
pub(super) struct Asking {
    pub clock: Arc<dyn Clock>,
    pub catalogue: Catalogue,
    pub knowledge: Arc<Knowledge>,
    pub sampler: SystemSampler,
    pub turns: Arc<Pool>,
}

impl Asking {
    /// Asks the model with the best expected text, if one is expected to be worth it; ends by `task.until`.
    pub async fn request_text(&self, config: &Config, task: &Task<'_>) -> Attempt {
        // Shares the model lists that other requests fetch, but not beyond its own deadline.
        let settled = tokio::time::timeout_at(task.until.into(), self.route_task(config, task)).await;
        let settled = match settled.unwrap_or(Err(LlmError::Deadline(ClockFired::Connect).into())) {
            Ok(settled) => settled,
            Err(error) => return Attempt::without_answer(error.into(), None),
        };
        self.knowledge.learned().note_decision(&settled.decision);
        let Some(order) = self.order(config, task, &settled) else {
            return Attempt::without_answer(Unanswered::Unasked(settled.decision.reason), Some(settled.decision));
        };
        let result = self.ask_one(config, task, &order, &settled.here).await;
        let attempt = self.attempt(task, &order, result, settled.decision.clone());
        self.knowledge.learn_tokens(&attempt);
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
        let ahead = self.knowledge.prefill_outcome(task, &endpoint, &model, result.as_ref().ok());
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

    pub(super) async fn route_task(&self, config: &Config, task: &Task<'_>) -> Result<RoutedTask, Unavailable> {
        let (offers, refusal) = self.catalogue.offers(config, task).await;
        let here = self.sampler.sample(&self.clock).await;
        let scene = RoutingContext { config, task, offers: &offers, here };
        let contenders = scene.contenders(&self.knowledge.learned());
        let Some(first) = contenders.first() else { return Err(refusal.unwrap_or_else(|| no_model().into())) };
        let size = whole(&first.sampling, self.knowledge.scale(first), &self.knowledge.learned(), task);
        // Not under the lock: a long patch takes milliseconds.
        let prompt = (task.prompt)(&size);
        let now = (self.turns.as_ref(), self.clock.instant());
        let decision = scene.decide(&contenders, (&prompt, size.budget.scale), &self.knowledge.learned(), now);
        Ok(RoutedTask { decision, prompt, size, contenders, here })
    }

    /// The request for the chosen model, with the prompt shortened as decided; `None` where the template stands.
    pub(super) fn order<'s>(
        &self,
        config: &Config,
        task: &Task<'_>,
        settled: &'s RoutedTask,
    ) -> Option<PreparedRequest<'s>> {
        let Chosen::Model { model, endpoint, max_tokens, prompt_tokens, words } = &settled.decision.choice else {
            return None;
        };
        let mut all = settled.contenders.iter();
        let contender = all.find(|contender| contender.offered.name == *model && contender.endpoint == *endpoint)?;
        let allowed = config.options.get(&task.role).map_or(*max_tokens, |sampling| sampling.max_tokens);
        self.knowledge.learned().last.insert(task.role, (endpoint.clone(), model.clone()));
        let size = whole(&contender.sampling, self.knowledge.scale(contender), &self.knowledge.learned(), task);
        let planned = if *prompt_tokens < settled.decision.task.prompt_tokens { *prompt_tokens } else { u32::MAX };
        let size = Size {
            budget: Budget { tokens: planned.min(size.budget.tokens), ..size.budget },
            words: (*max_tokens < allowed).then_some(*words),
        };
        let prompt = if size == settled.size { settled.prompt.clone() } else { (task.prompt)(&size) };
        let scale = size.budget.scale;
        let work = self.knowledge.work(contender, &prompt, scale, *max_tokens);
        Some(PreparedRequest { contender, prompt, max_tokens: *max_tokens, scale, work })
    }

    pub(super) async fn ask_one(
        &self,
        config: &Config,
        task: &Task<'_>,
        order: &PreparedRequest<'_>,
        here: &SystemSample,
    ) -> Result<ModelAnswer, LlmError> {
        let contender = order.contender;
        let slot = self.slot(config, contender)?;
        let conditions = contender.conditions(task.until.saturating_duration_since(self.clock.instant()), here);
        let outlook = contender.forecast().outlook(&order.work, &conditions);
        let turn = self.turn(config, &slot.config, task, outlook.total_s).await?;
        let ask = ModelRequest {
            model: contender.offered.name.clone(),
            rules: order.prompt.rules.clone(),
            question: order.prompt.question.clone(),
            sampling: shortened(&contender.sampling, order.max_tokens),
            wording: order.prompt.wording.clone(),
            until: task.until,
            keep_alive: Some(self.keep_alive(config, task.urgency, contender, here)),
            prompt_estimate: Some(order.prompt.prompt_tokens),
        };
        if task.urgency == Urgency::Batch {
            self.feed_batch(&slot, order, &ask, &turn, here).await;
        }
        // While the request waited for its turn, or was read in steps, the server's cache has grown. Not every server
        // reports how much, and a cached prompt teaches nothing about reading speed.
        let work = self.knowledge.work(contender, &order.prompt, order.scale, order.max_tokens);
        let sent = self.clock.instant();
        let result = match contender.paced(task, order.max_tokens, conditions) {
            Some(pace) => slot.client.request_answer_paced(&ask, &pace).await,
            // Batch work is preempted when a request with higher priority needs the device; the partial answer is kept.
            None => slot.client.request_answer_paced(&ask, &Recallable(&turn)).await,
        };
        let elapsed = self.clock.instant().saturating_duration_since(sent);
        // A preempted answer says nothing about whether it would have come in time.
        if result.is_ok() || !turn.is_recalled() {
            let cold = contender.is_cold();
            let run = model_run::ModelRun { work, result: &result, elapsed, pressed: here.pressed, cold };
            self.knowledge.learn(contender, &ask, &run);
        }
        result
    }

    /// Reads a long prompt in steps: an urgent request could not get through to a server that reads all of it at once.
    async fn feed_batch(
        &self,
        slot: &EndpointSlot,
        order: &PreparedRequest<'_>,
        ask: &ModelRequest,
        turn: &Turn,
        here: &SystemSample,
    ) {
        let feed = ChunkedPrefill {
            slot,
            contender: order.contender,
            rules: &ask.rules,
            question: &ask.question,
            scale: self.knowledge.scale(order.contender),
            end: ask.rules.len() + ask.question.len(),
            until: ask.until,
            keep_alive: ask.keep_alive.unwrap_or_default(),
        };
        self.feed(&feed, turn, here).await;
    }

    pub(super) fn slot(&self, config: &Config, contender: &Contender) -> Result<Arc<EndpointSlot>, LlmError> {
        let endpoint = config.endpoints.iter().find(|endpoint| endpoint.name == contender.endpoint);
        self.catalogue.endpoints.slot(endpoint.ok_or_else(no_model)?)
    }

    pub(super) async fn turn(
        &self,
        config: &Config,
        endpoint: &EndpointConfig,
        task: &Task<'_>,
        lasts_s: f64,
    ) -> Result<Turn, LlmError> {
        let device = endpoints::device(endpoint);
        let wanted = TurnRequest {
            device,
            slots: endpoints::slots(&config.endpoints, device),
            urgency: task.urgency,
            lasts: Duration::try_from_secs_f64(lasts_s).unwrap_or_default(),
            until: task.until,
        };
        self.turns.turn(wanted).await.ok_or(LlmError::Deadline(ClockFired::Connect))
    }

    /// How long the server keeps the model loaded after this request.
    pub(super) fn keep_alive(
        &self,
        config: &Config,
        urgency: Urgency,
        contender: &Contender,
        here: &SystemSample,
    ) -> Duration {
        let last = self.knowledge.learned().last.get(&Role::Capture).cloned();
        let is_last = last.is_some_and(|(endpoint, model)| {
            (endpoint.as_str(), model.as_str()) == (contender.endpoint.as_str(), contender.offered.name.as_str())
        });
        let captures = urgency != Urgency::Batch || is_last;
        keep_alive_time(Holding { captures, working: is_working_time(config, here.now), on_battery: here.on_battery })
    }
}

/// The whole prompt: the one read ahead for this tree, else as much as this model's context allows.
fn whole(sampling: &Sampling, scale: TokenScale, knowledge: &Learned, task: &Task<'_>) -> Size {
    if let Some(read) = task.tree.and_then(|tree| knowledge.ahead_of(tree)) {
        return read.size;
    }
    let most = sampling.num_ctx.saturating_sub(sampling.max_tokens + WRAPPING);
    Size { budget: Budget { tokens: CAPTURE_PROMPT.min(most), scale }, words: None }
}

fn keep_alive_time(holding: Holding) -> Duration {
    match () {
        () if holding.on_battery => ON_BATTERY,
        () if holding.captures && holding.working => HELD,
        () if holding.captures => AT_NIGHT,
        () => BATCH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_captures_is_held_while_people_work_and_that_of_a_batch_never() {
        let seconds =
            |captures, working, on_battery| keep_alive_time(Holding { captures, working, on_battery }).as_secs() / 60;
        assert_eq!([seconds(true, true, false), seconds(true, false, false)], [60, 15]);
        assert_eq!([seconds(false, true, false), seconds(false, false, false)], [5, 5]);
        assert_eq!([seconds(true, true, true), seconds(false, false, true)], [2, 2]);
    }
}
