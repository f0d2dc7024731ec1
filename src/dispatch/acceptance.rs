//! Acceptance rate: how many answers of each model could be used, counted from the latency log.
//!
//! Counting starts over with each version of the program and of the prompt, because both decide what is kept; with each
//! new version of a model (its digest); and for a model that the user wants tried again.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SEEN_FOR;
use crate::domain::model::same_model;
use crate::domain::role::Role;
use crate::prompt::render::commit_rules;
use crate::route::ledger::Ledger;
use crate::route::tally::UsableTally;
use crate::store::{JudgedAnswer, RouterState, StoreError};

/// Since when answers are counted (JSON of [`CountStart`]).
const MARK: &str = "model-answers.judged-since";

/// By (endpoint, model) and role.
pub type Tallies = HashMap<(String, String), BTreeMap<Role, UsableTally>>;

/// Start of the count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct CountStart {
    /// The version of the rules; answers under other rules do not count.
    rules: String,
    at: Timestamp,
    /// Models that the user wants tried again, and since when.
    #[serde(default)]
    again: BTreeMap<String, Timestamp>,
}

impl CountStart {
    /// The stored start; `None` where it is of other rules, or damaged.
    fn stored(store: &dyn RouterState) -> Result<Option<Self>, StoreError> {
        let stored = store.mark(MARK)?.and_then(|mark| serde_json::from_str::<Self>(&mark).ok());
        Ok(stored.filter(|since| since.rules == rules()))
    }

    fn keep(&self, store: &dyn RouterState) -> Result<(), StoreError> {
        let text = serde_json::to_string(self).map_err(|error| StoreError::Other(Box::new(error)))?;
        store.set_mark(MARK, Some(&text))
    }

    fn is_counted(&self, ledger: &Ledger, answer: &JudgedAnswer) -> bool {
        let again = self.again.get(&answer.model).is_none_or(|again| answer.at >= *again);
        again && ledger.replaced_at(&answer.endpoint, &answer.model).is_none_or(|replaced| answer.at > replaced)
    }
}

/// Identifies the rules that decide which answers are kept.
fn rules() -> String {
    format!("{} {}", env!("CARGO_PKG_VERSION"), commit_rules().version)
}

/// Starts the count where there is none, or one of other rules. Blocking.
///
/// # Errors
/// The store cannot be read or written.
pub(super) fn begin(store: &dyn RouterState, now: Timestamp) -> Result<(), StoreError> {
    if CountStart::stored(store)?.is_some() {
        return Ok(());
    }
    CountStart { rules: rules(), at: now, again: BTreeMap::new() }.keep(store)
}

/// The counts of the last 90 days. Blocking.
///
/// # Errors
/// The store cannot be read.
pub fn tallies(store: &dyn RouterState, now: Timestamp) -> Result<Tallies, StoreError> {
    let Some(since) = CountStart::stored(store)? else { return Ok(Tallies::new()) };
    let answers = store.judged_answers(since.at.max(now - SEEN_FOR))?;
    if answers.is_empty() {
        return Ok(Tallies::new());
    }
    let ledger = store.forecasts()?;
    let mut all = Tallies::new();
    for answer in answers.into_iter().filter(|answer| since.is_counted(&ledger, answer)) {
        let roles = all.entry((answer.endpoint, answer.model)).or_default();
        roles.entry(answer.role).or_default().push(answer.used);
    }
    Ok(all)
}

/// Restarts the count of this model, so that it is asked again. Returns the matching names: none where nothing of it
/// was counted. A running sidecar notices within minutes. Blocking.
///
/// # Errors
/// The store cannot be read or written.
pub fn try_again(store: &dyn RouterState, name: &str, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let Some(mut since) = CountStart::stored(store)? else { return Ok(Vec::new()) };
    let counted = tallies(store, now)?;
    let mut meant: Vec<String> =
        counted.into_keys().map(|(_, model)| model).filter(|model| same_model(model, name)).collect();
    meant.sort_unstable();
    meant.dedup();
    if !meant.is_empty() {
        since.again.extend(meant.iter().map(|model| (model.clone(), now)));
        since.keep(store)?;
    }
    Ok(meant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capture::Reason;
    use crate::domain::operation::Operation;
    use crate::route::forecast::Forecast;
    use crate::route::key::ForecastKey;
    use crate::route::ledger::Entry;
    use crate::route::speed::{ModelHardware, Speed};
    use crate::store::samples::{operation, timestamp};
    use crate::store::sqlite::SqliteStore;
    use crate::store::{MarkStore, OperationLog};

    fn store() -> (tempfile::TempDir, SqliteStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("captures.db")).unwrap().store;
        (dir, store)
    }

    fn log(store: &SqliteStore, second: i64, reason: Reason) {
        store.log_operation(&Operation { reason, ..operation(second, 1000) }).unwrap();
    }

    fn counted(store: &SqliteStore, second: i64) -> Option<UsableTally> {
        let all = tallies(store, timestamp(second)).unwrap();
        all.get(&("local".to_owned(), "orca-mini:3b".to_owned())).map(|roles| roles[&Role::Capture])
    }

    #[test]
    fn answers_count_from_the_day_on_which_these_rules_judge() {
        let (_dir, store) = store();
        log(&store, 1, Reason::Ungrounded);
        assert_eq!(counted(&store, 2), None, "nothing is known of what others judged");
        begin(&store, timestamp(10)).unwrap();
        log(&store, 11, Reason::None);
        log(&store, 12, Reason::Unusable);
        log(&store, 13, Reason::Deadline);
        begin(&store, timestamp(20)).unwrap();
        assert_eq!(counted(&store, 21), Some(UsableTally { judged: 2, used: 1 }));
        let other = CountStart { rules: "0.0.1 v".into(), at: timestamp(0), again: BTreeMap::new() };
        other.keep(&store).unwrap();
        assert_eq!(counted(&store, 21), None, "judged by other rules");
        store.set_mark(MARK, Some("{damaged")).unwrap();
        begin(&store, timestamp(30)).unwrap();
        assert_eq!(counted(&store, 31), None);
    }

    #[test]
    fn what_is_old_counts_no_more() {
        let (_dir, store) = store();
        begin(&store, timestamp(0)).unwrap();
        log(&store, 1, Reason::Unusable);
        let days = |days: i64| 1 + days * 24 * 60 * 60;
        assert_eq!(counted(&store, days(89)), Some(UsableTally { judged: 1, used: 0 }));
        assert_eq!(counted(&store, days(91)), None);
    }

    #[test]
    fn a_person_can_have_a_model_tried_again() {
        let (_dir, store) = store();
        begin(&store, timestamp(0)).unwrap();
        (1..=30).for_each(|second| log(&store, second, Reason::Ungrounded));
        assert!(counted(&store, 31).unwrap().is_barred());
        assert_eq!(try_again(&store, "another", timestamp(40)).unwrap(), Vec::<String>::new());
        assert_eq!(try_again(&store, "orca-mini:3b", timestamp(40)).unwrap(), ["orca-mini:3b"]);
        assert_eq!(counted(&store, 41), None);
        log(&store, 42, Reason::None);
        assert_eq!(counted(&store, 43), Some(UsableTally { judged: 1, used: 1 }));
    }

    #[test]
    fn a_new_version_of_a_model_starts_anew() {
        let (_dir, store) = store();
        begin(&store, timestamp(0)).unwrap();
        let ran = |digest: &str, second| {
            let key = ForecastKey {
                endpoint: "local".into(),
                model: "orca-mini:3b".into(),
                digest: Some(digest.into()),
                options: 1,
                on_battery: false,
            };
            let forecast = Forecast::from_seed(Speed::from_hardware(&ModelHardware::default()));
            store.store_forecast(&Entry { key, at: timestamp(second), forecast }).unwrap();
        };
        log(&store, 1, Reason::Ungrounded);
        ran("old", 1);
        assert_eq!(counted(&store, 2), Some(UsableTally { judged: 1, used: 0 }));
        log(&store, 3, Reason::None);
        ran("new", 3);
        assert_eq!(counted(&store, 4), Some(UsableTally { judged: 1, used: 1 }));
    }
}
