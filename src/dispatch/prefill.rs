//! Prefill ahead of a commit: fills the server's prefix cache, so that only the message is left to read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asking::{Asking, PreparedRequest, RoutedTask};
use super::chunked_prefill::ChunkedPrefill;
use super::knowledge::ReadAhead;
use super::sampler::SystemSample;
use super::scoring::Contender;
use super::task::{PromptOf, Size, Task};
use crate::config::Config;
use crate::dispatch::pool::Turn;
use crate::domain::id::Oid;
use crate::prompt::render::RenderedPrompt;
use crate::route::forecast::Work;
use crate::route::signals::Urgency;

/// The model's share of a capture's budget.
const MODEL_SHARE: f64 = 0.85;

/// Outcome of reading ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadProgress {
    /// Everything before the author's words is read.
    Whole,
    /// Preempted by a request with higher priority, or out of time.
    Part,
    /// It would be of no use, or no model is available.
    Nothing,
}

/// A prompt on its way to be read.
struct PrefillJob<'a> {
    tree: &'a Oid,
    size: Size,
    prompt: &'a RenderedPrompt,
    contender: &'a Contender,
}

/// Reading ahead of commits.
#[derive(Clone)]
pub(super) struct Prefill(pub Arc<Asking>);

impl Prefill {
    /// Asks the model that a commit of `tree` would ask to read the prompt up to the author's words, and to write
    /// nothing. Ends early when a request with higher priority needs the device; what was read until then stays cached.
    pub async fn read_ahead(&self, config: &Config, tree: &Oid, prompt: &PromptOf<'_>, until: Instant) -> ReadProgress {
        let now = self.0.clock.instant();
        let until_route = until.min(now + config.capture.budget.mul_f64(MODEL_SHARE));
        let task = Task::capture(Urgency::Ahead, config.capture.budget, until_route, prompt);
        let settled = tokio::time::timeout_at(task.until.into(), self.0.route_task(config, &task)).await;
        let Ok(Ok(settled)) = settled else { return ReadProgress::Nothing };
        self.read_settled(config, &task, tree, &settled, until).await
    }

    async fn read_settled(
        &self,
        config: &Config,
        task: &Task<'_>,
        tree: &Oid,
        settled: &RoutedTask,
        until: Instant,
    ) -> ReadProgress {
        let Some(PreparedRequest { contender, .. }) = self.0.order(config, task, settled) else {
            return ReadProgress::Nothing;
        };
        let job = PrefillJob { tree, size: settled.size, prompt: &settled.prompt, contender };
        let is_read = self.0.knowledge.learned().ahead_of(tree).is_some_and(|read| read.whole && job.is_of(read));
        if is_read {
            return ReadProgress::Whole;
        }
        let Ok(slot) = self.0.slot(config, contender) else { return ReadProgress::Nothing };
        let (prompt, scale) = (job.prompt, job.size.budget.scale);
        let end = prompt.rules.len() + prompt.fixed;
        let keep_alive = self.0.keep_alive(config, task.urgency, contender, &settled.here);
        let feed = ChunkedPrefill {
            slot: &slot,
            contender,
            rules: &prompt.rules,
            question: &prompt.question,
            scale,
            end,
            until,
            keep_alive,
        };
        let patient = Task { until, ..*task };
        let lasts = job.expected_s(&settled.here);
        let Ok(turn) = self.0.turn(config, &slot.config, &patient, lasts).await else { return ReadProgress::Nothing };
        let read = self.0.feed(&feed, &turn, &settled.here).await;
        self.record_read(&job, read, end)
    }

    fn record_read(&self, job: &PrefillJob<'_>, read: usize, end: usize) -> ReadProgress {
        let whole = read >= end;
        if !whole && read <= job.prompt.rules.len() {
            return ReadProgress::Nothing;
        }
        self.0.knowledge.learned().read_ahead(ReadAhead {
            tree: job.tree.clone(),
            endpoint: job.contender.endpoint.clone(),
            model: job.contender.offered.name.clone(),
            size: job.size,
            whole,
        });
        if whole { ReadProgress::Whole } else { ReadProgress::Part }
    }
}

/// `None` when the turn was preempted before the end.
pub(super) async fn recallable<T>(turn: &Turn, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = turn.recalled() => None,
    }
}

impl PrefillJob<'_> {
    fn is_of(&self, read: &ReadAhead) -> bool {
        read.endpoint == self.contender.endpoint && read.model == self.contender.offered.name
    }

    /// Expected duration in seconds, without preemption.
    fn expected_s(&self, here: &SystemSample) -> f64 {
        let work = Work { uncached: self.prompt.prompt_tokens, cached: 0, allowed: 1 };
        self.contender.forecast().outlook(&work, &self.contender.conditions(Duration::ZERO, here)).total_s
    }
}
