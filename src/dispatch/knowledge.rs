//! What is known of the models: how fast each is, which are down, what each has read, who wrote last.

use std::collections::HashMap;
use std::time::Instant;

use super::cached::Cached;
use super::hedge::Allowance;
use super::judgements::Tallies;
use super::task::Size;
use crate::domain::id::Oid;
use crate::domain::role::Role;
use crate::route::breaker::Breakers;
use crate::route::decision::Decision;
use crate::route::key::Key;
use crate::route::ledger::Ledger;
use crate::route::merit::Evidence;
use crate::route::retry::Retries;
use crate::route::tally::Tally;
use crate::store::WrittenBy;

/// A prompt that was read ahead of its commit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReadAhead {
    pub tree: Oid,
    pub endpoint: String,
    pub model: String,
    /// The capture has to use the same, or its prompt is another one.
    pub size: Size,
    /// All of it was read.
    pub whole: bool,
}

/// See the file's head. Everything but the ledger is forgotten with the process.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    pub ledger: Ledger,
    pub breakers: Breakers,
    pub cached: Cached,
    /// The (endpoint, model) that was chosen last for each role.
    pub last: HashMap<Role, (String, String)>,
    /// When a model was last known to run, newer than any list.
    pub ran: HashMap<(String, String), Instant>,
    /// Newest first.
    ahead: Vec<ReadAhead>,
    /// The (endpoint, model) that the last decisions would like to know better, newest first.
    pub doubtful: Vec<(String, String)>,
    /// How the models' texts were scored, and what people left of them.
    seen: HashMap<(String, Role), Evidence>,
    /// How many of their answers could be used.
    pub tallies: Tallies,
    /// Models that were predicted to be late, and when they are asked all the same.
    pub retries: Retries,
    /// How many answers may still be asked for twice.
    pub hedges: Allowance,
}

/// Prompts that were read ahead and whose commit may still come.
const AHEAD: usize = 8;
/// Models that are worth measuring in the next pause.
const DOUBTFUL: usize = 2;

impl Knowledge {
    pub fn with(ledger: Ledger) -> Self {
        Self { ledger, ..Self::default() }
    }

    /// Whether the model is loaded: what was seen last, in the list or by running it.
    pub fn resident(&self, at: (&str, &str), listed: Option<bool>, listed_at: Option<Instant>) -> Option<bool> {
        let ran = self.ran.get(&(at.0.to_owned(), at.1.to_owned()));
        let newer = ran.is_some_and(|ran| listed_at.is_none_or(|listed| *ran > listed));
        if newer { Some(true) } else { listed }
    }

    /// Of whoever has written nothing yet, nothing.
    pub fn evidence(&self, model: &str, role: Role) -> Evidence {
        self.seen.get(&(model.to_owned(), role)).copied().unwrap_or_default()
    }

    /// How many of its answers could be used; none of a new version of a model.
    pub fn tally(&self, key: &Key, role: Role) -> Tally {
        if self.ledger.is_new_version(key) {
            return Tally::default();
        }
        let roles = self.tallies.get(&(key.endpoint.clone(), key.model.clone()));
        roles.and_then(|roles| roles.get(&role)).copied().unwrap_or_default()
    }

    /// Too few of its answers could be used, whatever version of it gave them.
    pub fn is_barred(&self, endpoint: &str, model: &str, role: Role) -> bool {
        let roles = self.tallies.get(&(endpoint.to_owned(), model.to_owned()));
        roles.and_then(|roles| roles.get(&role)).is_some_and(Tally::is_barred)
    }

    /// In place of what was known.
    pub fn see(&mut self, all: Vec<WrittenBy>) {
        self.seen = all.into_iter().map(|one| ((one.model, one.role), one.seen)).collect();
    }

    /// Remembers which model is to be measured in the next pause, and which are not asked because they would be late.
    pub fn note_decision(&mut self, decision: &Decision) {
        self.retries.note(decision);
        let Some(one) = decision.worth_measuring() else { return };
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
