//! Which events may be dealt with now, and which of them may ask a model: a rebase is worked off when it is over,
//! a storm keeps its templates.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use super::services::Services;
use crate::domain::capture::Reason;
use crate::domain::event::{Event, PendingEvent};
use crate::hook::head;
use crate::store::StoreError;

/// A rebase that stopped at a conflict may stay for days: what it made so far is captured after this long.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// More open events of one repository than this are a storm.
pub const STORM: usize = 8;

/// Open events that are looked at to tell a storm: a commit may be reported by its hook, by a rewrite and by its log.
const AHEAD: usize = 8 * STORM;

/// The next events, oldest first.
#[derive(Debug, Default)]
pub struct Ready {
    /// Each with the reason why no model is asked, if there is one.
    pub events: Vec<(PendingEvent, Option<Reason>)>,
    /// Others wait for the end of a sequence; nothing tells of it, so it has to be looked for.
    pub held: bool,
}

/// At most `limit` events that may be dealt with now.
///
/// # Errors
/// When the store cannot be read.
pub fn ready(services: &Services, limit: usize) -> Result<Ready, StoreError> {
    let since = services.clock.now() - PATIENCE;
    let mut running = services.store.waiting_sequences(since)?;
    running.retain(|git_dir| head::in_sequence(git_dir));
    let events = services.store.ready_events(limit.max(AHEAD), &running, since)?;
    let reasons = reasons(&events);
    Ok(Ready { events: events.into_iter().zip(reasons).take(limit).collect(), held: !running.is_empty() })
}

fn reasons(events: &[PendingEvent]) -> Vec<Option<Reason>> {
    let mut waiting: HashMap<&Path, Vec<&Event>> = HashMap::new();
    for pending in events {
        let alike = waiting.entry(&pending.event.git_dir).or_default();
        // Two reports of one commit are one commit.
        if pending.event.oid.is_none() || alike.iter().all(|other| other.oid != pending.event.oid) {
            alike.push(&pending.event);
        }
    }
    let of = |event: &Event| waiting.get(event.git_dir.as_path()).map_or(0, Vec::len);
    events.iter().map(|pending| (of(&pending.event) > STORM).then_some(Reason::PredictedMiss)).collect()
}
