//! Sends one request: waits for the turn on the device, sends the prompt, cuts or preempts the answer.

use std::sync::Arc;
use std::time::Duration;

use super::chunked_prefill::ChunkedPrefill;
use super::endpoints::{self, EndpointSlot};
use super::pace::Recallable;
use super::sampler::SystemSample;
use super::scoring::Contender;
use super::task::Task;
use super::{Models, PreparedRequest, no_model, seen};
use crate::config::{Config, EndpointConfig};
use crate::dispatch::pool::{Turn, TurnRequest};
use crate::llm::{ClockFired, LlmError, ModelAnswer, ModelRequest};
use crate::route::signals::Urgency;
use crate::route::tuning::shortened;

impl Models {
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
        let work = self.work(contender, &order.prompt, order.scale, order.max_tokens);
        let sent = self.clock.instant();
        let result = match contender.paced(task, order.max_tokens, conditions) {
            Some(pace) => slot.client.request_answer_paced(&ask, &pace).await,
            // Batch work is preempted when a request with higher priority needs the device; the partial answer is kept.
            None => slot.client.request_answer_paced(&ask, &Recallable(&turn)).await,
        };
        let took = self.clock.instant().saturating_duration_since(sent);
        // A preempted answer says nothing about whether it would have come in time.
        if result.is_ok() || !turn.is_recalled() {
            let cold = contender.is_cold();
            let run = seen::ModelRun { work, result: &result, took, pressed: here.pressed, cold };
            self.learn(contender, &ask, &run);
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
            scale: self.scale(order.contender),
            end: ask.rules.len() + ask.question.len(),
            until: ask.until,
            keep_alive: ask.keep_alive.unwrap_or_default(),
        };
        self.feed(&feed, turn, here).await;
    }

    pub(super) fn slot(&self, config: &Config, contender: &Contender) -> Result<Arc<EndpointSlot>, LlmError> {
        let endpoint = config.endpoints.iter().find(|endpoint| endpoint.name == contender.endpoint);
        self.endpoints.slot(endpoint.ok_or_else(no_model)?)
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
}
