//! Learned state of the router: speed forecasts, circuit breakers, cached prompts, evidence of quality.

use std::collections::HashMap;
use std::time::Instant;

use super::acceptance::Tallies;
use super::prefix_cache::PrefixCache;
use super::task::Size;
use crate::domain::id::Oid;
use crate::domain::role::Role;
use crate::route::breaker::Breakers;
use crate::route::decision::Decision;
use crate::route::key::ForecastKey;
use crate::route::ledger::Ledger;
use crate::route::merit::Evidence;
use crate::route::retry::Retries;
use crate::route::tally::UsableTally;
use crate::store::ModelEvidence;

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
pub(super) struct Knowledge {
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
    seen: HashMap<(String, Role), Evidence>,
    /// Counts of usable answers.
    pub tallies: Tallies,
    /// Models that were predicted to be late, and when they are asked all the same.
    pub retries: Retries,
}

/// Read-ahead prompts that are remembered.
const AHEAD: usize = 8;
/// Models that are queued for measurement.
const DOUBTFUL: usize = 2;

impl Knowledge {
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
        self.seen.get(&(model.to_owned(), role)).copied().unwrap_or_default()
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
        self.seen = all.into_iter().map(|one| ((one.model, one.role), one.evidence)).collect();
    }

    /// Queues the uncertain models of a decision for measurement, and counts the captures for which none was asked.
    pub fn note_decision(&mut self, decision: &Decision) {
        self.retries.note(decision);
        let Some(one) = decision.measurement_target() else { return };
        let one = (one.endpoint.clone(), one.model.clone());
        self.doubtful.retain(|older| *older != one);
        self.doubtful.insert(0, one);
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
