//! Knowledge of the router: speed forecasts, circuit breakers, cached prompts, evidence of quality; learned from every
//! run, and whether any server has ever answered.

use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::acceptance::{self, Tallies, tallies};
use super::calibration::{Calibration, Lesson};
use super::prefix_cache::PrefixCache;
use super::scoring::Contender;
use super::task::{Size, Task};
use super::{Attempt, SEEN_FOR, model_run};
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::id::Oid;
use crate::domain::operation::{COLD_LOAD, PrefillOutcome};
use crate::domain::role::Role;
use crate::llm::{ModelAnswer, ModelRequest};
use crate::prompt::render::RenderedPrompt;
use crate::prompt::tokens::TokenScale;
use crate::route::breaker::Breakers;
use crate::route::decision::Decision;
use crate::route::forecast::Work;
use crate::route::key::ForecastKey;
use crate::route::ledger::{Entry, Ledger};
use crate::route::merit::Evidence;
use crate::route::offer::ModelChoice;
use crate::route::retry::Retries;
use crate::route::tally::UsableTally;
use crate::store::{ModelEvidence, RouterState, StoreError};

/// Key of the time when a server first answered (RFC 3339).
const MARK: &str = "model-server.first-answer";

/// Shown once, instead of a reason for each capture, where no server has ever answered.
pub const NEVER_ANSWERED: &str = "no model answered; captures use the template";

/// True once any model server has listed its models or answered a request of this installation. A learned forecast
/// proves the same for stores that are older than the key.
///
/// # Errors
/// The store cannot be read.
pub fn has_ever_answered(store: &dyn RouterState) -> Result<bool, StoreError> {
    Ok(store.mark(MARK)?.is_some() || store.forecasts()?.iter().next().is_some())
}

/// What is known of the models and servers; one per process, kept in the store as far as the next process needs it.
pub struct Knowledge {
    clock: Arc<dyn Clock>,
    store: Arc<dyn RouterState>,
    learned: Mutex<Learned>,
    tokens: Arc<Calibration>,
    /// A server has answered this process.
    present: Arc<AtomicBool>,
}

impl std::fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Knowledge").finish_non_exhaustive()
    }
}

/// A prompt that was read ahead of its commit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReadAhead {
    pub tree: Oid,
    pub endpoint: String,
    pub model: String,
    /// The capture has to use the same size, or its prompt differs.
    pub size: Size,
    /// All of it was read.
    pub whole: bool,
}

/// In memory only, except the ledger of forecasts.
#[derive(Debug, Default)]
pub(super) struct Learned {
    pub ledger: Ledger,
    pub breakers: Breakers,
    pub cached: PrefixCache,
    /// The (endpoint, model) that was chosen last for each role.
    pub last: HashMap<Role, (String, String)>,
    /// When a model last ran; newer than any list.
    pub ran: HashMap<(String, String), Instant>,
    /// Newest first.
    ahead: Vec<ReadAhead>,
    /// The (endpoint, model) pairs with uncertain forecasts that the last decisions considered, newest first.
    pub doubtful: Vec<(String, String)>,
    /// Scores of the models' texts, and how much of them survived the users' edits.
    evidence: HashMap<(String, Role), Evidence>,
    /// Counts of usable answers.
    pub tallies: Tallies,
    /// Models that were predicted to be late, and when they are asked all the same.
    pub retries: Retries,
}

/// Read-ahead prompts that are remembered.
const AHEAD: usize = 8;
/// Models that are queued for measurement.
const DOUBTFUL: usize = 2;

impl Learned {
    pub fn with(ledger: Ledger) -> Self {
        Self { ledger, ..Self::default() }
    }

    /// Whether the model is loaded, by the newer of its list and its last run.
    pub fn resident(&self, at: (&str, &str), listed: Option<bool>, listed_at: Option<Instant>) -> Option<bool> {
        let ran = self.ran.get(&(at.0.to_owned(), at.1.to_owned()));
        let newer = ran.is_some_and(|ran| listed_at.is_none_or(|listed| *ran > listed));
        if newer { Some(true) } else { listed }
    }

    /// Empty for a model that has written nothing yet.
    pub fn evidence(&self, model: &str, role: Role) -> Evidence {
        self.evidence.get(&(model.to_owned(), role)).copied().unwrap_or_default()
    }

    /// Count of its usable answers; none of a new version of a model.
    pub fn tally(&self, key: &ForecastKey, role: Role) -> UsableTally {
        if self.ledger.is_new_version(key) {
            return UsableTally::default();
        }
        let roles = self.tallies.get(&(key.endpoint.clone(), key.model.clone()));
        roles.and_then(|roles| roles.get(&role)).copied().unwrap_or_default()
    }

    /// Too few of its answers could be used, whatever version of it gave them.
    pub fn is_barred(&self, endpoint: &str, model: &str, role: Role) -> bool {
        let roles = self.tallies.get(&(endpoint.to_owned(), model.to_owned()));
        roles.and_then(|roles| roles.get(&role)).is_some_and(UsableTally::is_barred)
    }

    /// Replaces the evidence.
    pub fn replace_evidence(&mut self, all: Vec<ModelEvidence>) {
        self.evidence = all.into_iter().map(|found| ((found.model, found.role), found.evidence)).collect();
    }

    /// Queues the uncertain models of a decision for measurement, and counts the captures for which none was asked.
    pub fn note_decision(&mut self, decision: &Decision) {
        self.retries.note(decision);
        let Some(target) = decision.measurement_target() else { return };
        let target = (target.endpoint.clone(), target.model.clone());
        self.doubtful.retain(|older| *older != target);
        self.doubtful.insert(0, target);
        self.doubtful.truncate(DOUBTFUL);
    }

    pub fn read_ahead(&mut self, read: ReadAhead) {
        self.ahead.retain(|older| older.tree != read.tree);
        self.ahead.insert(0, read);
        self.ahead.truncate(AHEAD);
    }

    pub fn ahead_of(&self, tree: &Oid) -> Option<&ReadAhead> {
        self.ahead.iter().find(|read| read.tree == *tree)
    }
}

/// Below this cached share of the prompt, reading ahead counts as missed.
const WORTH: f64 = 0.3;

impl Knowledge {
    /// Loads what was learned before. Blocking.
    pub(super) fn load(clock: Arc<dyn Clock>, store: Arc<dyn RouterState>) -> Self {
        let tokens = Arc::new(Calibration::of(Arc::clone(&store)));
        // Where the store cannot be read, the models are measured again.
        let mut learned = Learned::with(store.forecasts().unwrap_or_default());
        learned.replace_evidence(store.evidence(clock.now() - SEEN_FOR).unwrap_or_default());
        // Where the store cannot be written now, the next process begins the count.
        let _ = acceptance::begin(store.as_ref(), clock.now());
        learned.tallies = tallies(store.as_ref(), clock.now()).unwrap_or_default();
        Self { clock, store, learned: Mutex::new(learned), tokens, present: Arc::default() }
    }

    pub(super) fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock()
    }

    /// Rereads the evidence from the store, with that of other processes: scores, users' edits, acceptance rates.
    /// Blocking.
    pub fn reread_evidence(&self) {
        if let Ok(evidence) = self.store.evidence(self.clock.now() - SEEN_FOR) {
            self.learned().replace_evidence(evidence);
        }
        self.recount();
    }

    /// Recounts the usable answers: after each one that was checked, so that no storm of commits asks a useless model.
    /// Blocking.
    pub fn recount(&self) {
        if let Ok(tallies) = tallies(self.store.as_ref(), self.clock.now()) {
            self.learned().tallies = tallies;
        }
    }

    /// Whether no server listened at any endpoint when last tried.
    #[must_use]
    pub fn nothing_listens(&self, config: &Config) -> bool {
        let knowledge = self.learned();
        config.endpoints.iter().all(|endpoint| knowledge.breakers.is_unreachable(&endpoint.name))
    }

    /// Tokens to read and to write, given the probable state of the server's cache now.
    pub(super) fn work(&self, contender: &Contender, prompt: &RenderedPrompt, scale: TokenScale, allowed: u32) -> Work {
        let (cached, _) = self.learned().cached.common(&contender.endpoint, &contender.offered.name, prompt);
        let cached = scale.tokens_of(cached).min(prompt.prompt_tokens);
        Work { uncached: prompt.prompt_tokens - cached, cached, allowed }
    }

    pub(super) fn scale(&self, contender: &Contender) -> TokenScale {
        self.tokens.scale(&ModelChoice { endpoint: contender.endpoint.clone(), model: contender.offered.name.clone() })
    }

    /// Records the first answer of a server, off the event loop; a failed write is retried with the next answer.
    pub(super) fn note_presence(&self) {
        if self.present.swap(true, Ordering::Relaxed) {
            return;
        }
        let (store, now, present) = (Arc::clone(&self.store), self.clock.now(), Arc::clone(&self.present));
        drop(tokio::task::spawn_blocking(move || {
            let is_marked = store.mark(MARK).is_ok_and(|mark| mark.is_some());
            if !is_marked && store.set_mark(MARK, Some(&now.to_string())).is_err() {
                present.store(false, Ordering::Relaxed);
            }
        }));
    }

    /// Learns from one run: speed, breaker state, cached prompt.
    pub(super) fn learn(&self, contender: &Contender, ask: &ModelRequest, run: &model_run::ModelRun<'_>) {
        let (endpoint, model) = (contender.endpoint.as_str(), ask.model.as_str());
        let now = self.clock.instant();
        if run.result.is_ok() {
            self.note_presence();
        }
        let mut knowledge = self.learned();
        if let Some(happened) = model_run::breaker_event(run.result) {
            knowledge.breakers.record_outcome(endpoint, model, happened, now);
        }
        if let Ok(answer) = run.result {
            knowledge.ran.insert((endpoint.to_owned(), model.to_owned()), now);
            if answer.load.is_some_and(|load| load > COLD_LOAD) || has_lost_prefix(answer, run) {
                knowledge.cached.forget(endpoint, model);
            }
            knowledge.cached.note(endpoint, model, (&ask.rules, &ask.question), usize::MAX);
        }
        if let Some(observed) = run.observe() {
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
    pub(super) fn prefill_outcome(
        &self,
        task: &Task<'_>,
        endpoint: &str,
        model: &str,
        answer: Option<&ModelAnswer>,
    ) -> PrefillOutcome {
        let (Some(tree), Some(answer)) = (task.tree, answer) else { return PrefillOutcome::None };
        let knowledge = self.learned();
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
fn has_lost_prefix(answer: &ModelAnswer, run: &model_run::ModelRun<'_>) -> bool {
    answer.tokens.cached.is_some_and(|cached| (cached as f64) < f64::from(run.work.cached) * 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MarkStore;
    use crate::store::sqlite::SqliteStore;

    #[test]
    fn a_store_knows_nothing_of_a_server_until_one_answers() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("captures.db")).unwrap().store;
        assert!(!has_ever_answered(&store).unwrap());
        store.set_mark(MARK, Some("2026-03-01T12:00:00Z")).unwrap();
        assert!(has_ever_answered(&store).unwrap());
    }
}
