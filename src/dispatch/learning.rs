//! What one run teaches: how fast the model is, who is down, what the server has in its cache, how long its tokens are.

use std::sync::Arc;
use std::time::Duration;

use super::task::Task;
use super::weigh::Contender;
use super::{Attempt, Models, seen};
use crate::dispatch::calibration::Lesson;
use crate::domain::operation::Ahead;
use crate::llm::{Answer, Ask};
use crate::route::ledger::Entry;

/// Above this load time a model was not loaded: a warm server reports about a millisecond.
const COLD: Duration = Duration::from_millis(50);
/// A smaller share of the prompt in the server's cache was not worth reading ahead.
const WORTH: f64 = 0.3;

impl Models {
    /// What one run teaches: about the speed, about who is down, about what the server has in its cache.
    pub(super) fn learn(&self, contender: &Contender, ask: &Ask, run: &seen::Run<'_>) {
        let (endpoint, model) = (contender.endpoint.as_str(), ask.model.as_str());
        let now = self.clock.instant();
        if run.result.is_ok() {
            self.note_presence();
        }
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
    pub(super) fn keep(&self, entry: Option<Entry>) {
        let store = Arc::clone(&self.store);
        drop(entry.map(|entry| tokio::task::spawn_blocking(move || store.put_forecast(&entry))));
    }

    /// What reading ahead did for this answer.
    pub(super) fn ahead(&self, task: &Task<'_>, endpoint: &str, model: &str, answer: Option<&Answer>) -> Ahead {
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

    /// Aside: what was counted serves the next prompt, and this answer does not wait for the store.
    pub(super) fn learn_tokens(&self, attempt: &Attempt) {
        if let Some(lesson) = Lesson::of(attempt) {
            let tokens = Arc::clone(&self.tokens);
            drop(tokio::task::spawn_blocking(move || tokens.learn(&lesson)));
        }
    }
}

/// The server had far less in its cache than was thought: it serves others, too, or was started anew.
fn lost(answer: &Answer, run: &seen::Run<'_>) -> bool {
    answer.tokens.cached.is_some_and(|cached| (cached as f64) < f64::from(run.work.cached) * 0.5)
}
