//! Learning from one run: the model's speed, the circuit breaker, the server's prefix cache, the tokenizer's scale.

use std::sync::Arc;

use super::scoring::Contender;
use super::task::Task;
use super::{Attempt, Models, seen};
use crate::dispatch::calibration::Lesson;
use crate::domain::operation::{COLD_LOAD, PrefillOutcome};
use crate::llm::{ModelAnswer, ModelRequest};
use crate::route::ledger::Entry;

/// Below this cached share of the prompt, reading ahead counts as missed.
const WORTH: f64 = 0.3;

impl Models {
    /// Learns from one run: speed, breaker state, cached prompt.
    pub(super) fn learn(&self, contender: &Contender, ask: &ModelRequest, run: &seen::ModelRun<'_>) {
        let (endpoint, model) = (contender.endpoint.as_str(), ask.model.as_str());
        let now = self.clock.instant();
        if run.result.is_ok() {
            self.note_presence();
        }
        let mut knowledge = self.knowledge();
        if let Some(happened) = seen::breaker_event(run.result) {
            knowledge.breakers.record_outcome(endpoint, model, happened, now);
        }
        if let Ok(answer) = run.result {
            knowledge.ran.insert((endpoint.to_owned(), model.to_owned()), now);
            if answer.load.is_some_and(|load| load > COLD_LOAD) || lost(answer, run) {
                knowledge.cached.forget(endpoint, model);
            }
            knowledge.cached.note(endpoint, model, (&ask.rules, &ask.question), usize::MAX);
        }
        if let Some(observed) = run.observed() {
            knowledge.ledger.learn(&contender.key, contender.seed, &observed, self.clock.now());
            self.keep(knowledge.ledger.entry(&contender.key));
        }
    }

    /// In the background: it is for the next process, and this answer does not wait for the store.
    pub(super) fn keep(&self, entry: Option<Entry>) {
        let store = Arc::clone(&self.store);
        drop(entry.map(|entry| tokio::task::spawn_blocking(move || store.store_forecast(&entry))));
    }

    /// The effect of reading ahead on this answer.
    pub(super) fn ahead(
        &self,
        task: &Task<'_>,
        endpoint: &str,
        model: &str,
        answer: Option<&ModelAnswer>,
    ) -> PrefillOutcome {
        let (Some(tree), Some(answer)) = (task.tree, answer) else { return PrefillOutcome::None };
        let knowledge = self.knowledge();
        let read = knowledge.ahead_of(tree).filter(|read| read.endpoint == endpoint && read.model == model);
        let share =
            answer.tokens.cached.zip(answer.tokens.prompt).map(|(cached, prompt)| cached as f64 / prompt.max(1) as f64);
        match (read, share) {
            (None, _) => PrefillOutcome::Missed,
            // By the server's own report the prompt was evicted.
            (Some(_), Some(share)) if share < WORTH => PrefillOutcome::Missed,
            (Some(read), _) if read.whole => PrefillOutcome::Complete,
            (Some(_), _) => PrefillOutcome::Partial,
        }
    }

    /// In the background: the count is for the next prompt, and this answer does not wait for the store.
    pub(super) fn learn_tokens(&self, attempt: &Attempt) {
        if let Some(lesson) = Lesson::of(attempt) {
            let tokens = Arc::clone(&self.tokens);
            drop(tokio::task::spawn_blocking(move || tokens.learn(&lesson)));
        }
    }
}

/// The server had far less in its cache than assumed: it serves other clients, too, or was restarted.
fn lost(answer: &ModelAnswer, run: &seen::ModelRun<'_>) -> bool {
    answer.tokens.cached.is_some_and(|cached| (cached as f64) < f64::from(run.work.cached) * 0.5)
}
