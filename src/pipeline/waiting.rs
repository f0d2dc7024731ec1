//! Backpressure on events: which may be processed now, and which may ask a model. A rebase waits for its end; a storm
//! keeps its templates.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::services::Services;
use crate::domain::capture::Reason;
use crate::domain::event::{Event, PendingEvent};
use crate::hook::head;
use crate::route::signals::Traffic;
use crate::store::StoreError;

/// A rebase that stopped at a conflict may stay for days: its commits are captured after this long.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// More open events of one repository than this are a storm.
pub const STORM: usize = 8;

/// Open events that are counted to detect a storm: a commit may be reported by its hook, by a rewrite and by its log.
const AHEAD: usize = 8 * STORM;

/// Concurrent storms that other repositories do not wait behind.
const STORMS: usize = 8;

/// The next events, oldest first; those of a storm behind those of other repositories.
#[derive(Debug, Default)]
pub struct Ready {
    /// Each with the reason why no model is asked, if any.
    pub events: Vec<(PendingEvent, Option<Reason>)>,
    /// Others wait for the end of a sequence, which has to be polled.
    pub held: bool,
}

/// At most `limit` events that may be processed now.
///
/// # Errors
/// When the store cannot be read.
pub fn ready(services: &Services, limit: usize) -> Result<Ready, StoreError> {
    let since = services.clock.now() - PATIENCE;
    let mut running = services.store.waiting_sequences(since)?;
    running.retain(|git_dir| head::in_sequence(git_dir));
    let events = next_events(services, limit.max(AHEAD), &running, since)?;
    let reasons = reasons(&events);
    Ok(Ready { events: events.into_iter().zip(reasons).take(limit).collect(), held: !running.is_empty() })
}

/// Activity in the repository of this git directory.
///
/// # Errors
/// When the store cannot be read.
pub fn traffic(services: &Services, git_dir: &Path) -> Result<Traffic, StoreError> {
    if head::in_sequence(git_dir) {
        return Ok(Traffic::Rebase);
    }
    let open = services.store.ready_events(AHEAD, &[], services.clock.now(), &[])?;
    let mut judged = open.iter().zip(reasons(&open));
    let is_storm = judged.any(|(pending, reason)| pending.event.git_dir == git_dir && reason.is_some());
    Ok(if is_storm { Traffic::Storm } else { Traffic::Calm })
}

/// Fairness: a commit does not wait behind ten thousand of another repository.
fn next_events(
    services: &Services,
    limit: usize,
    running: &[PathBuf],
    since: Timestamp,
) -> Result<Vec<PendingEvent>, StoreError> {
    let (mut apart, mut behind): (Vec<PathBuf>, Vec<PendingEvent>) = (Vec::new(), Vec::new());
    let blocked = services.blocked();
    loop {
        let left_out: Vec<PathBuf> = apart.iter().chain(&blocked).cloned().collect();
        let found = services.store.ready_events(limit, running, since, &left_out)?;
        let stormy: Vec<PathBuf> = if apart.len() < STORMS { find_storms(&found) } else { Vec::new() };
        if stormy.is_empty() {
            return Ok(found.into_iter().chain(behind).collect());
        }
        let in_storm = |git_dir: &Path| stormy.iter().chain(&apart).any(|dir| dir == common_dir(git_dir));
        // Searching all events of a storm for others is expensive: it is done only where the newest or the oldest show
        // that there are any.
        let newest = services.store.newest_git_dirs(limit)?;
        if newest.iter().all(|dir| in_storm(dir)) && found.iter().all(|pending| in_storm(&pending.event.git_dir)) {
            behind.extend(found);
            return Ok(behind);
        }
        let in_this = |pending: &PendingEvent| stormy.iter().any(|dir| dir == common_dir(&pending.event.git_dir));
        behind.extend(found.into_iter().filter(in_this));
        apart.extend(stormy);
    }
}

/// The common directories of the repositories with a storm.
fn find_storms(events: &[PendingEvent]) -> Vec<PathBuf> {
    let mut counts: HashMap<&Path, usize> = HashMap::new();
    for pending in events {
        *counts.entry(common_dir(&pending.event.git_dir)).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count > STORM).map(|(dir, _)| dir.to_owned()).collect()
}

/// A repository's events stay in order, also those of its linked worktrees.
pub(super) fn common_dir(git_dir: &Path) -> &Path {
    let parent = git_dir.parent().filter(|parent| parent.ends_with("worktrees"));
    parent.and_then(Path::parent).unwrap_or(git_dir)
}

fn reasons(events: &[PendingEvent]) -> Vec<Option<Reason>> {
    let mut waiting: HashMap<&Path, Vec<&Event>> = HashMap::new();
    for pending in events {
        let alike = waiting.entry(&pending.event.git_dir).or_default();
        // Two reports of one commit count once.
        if pending.event.oid.is_none() || alike.iter().all(|other| other.oid != pending.event.oid) {
            alike.push(&pending.event);
        }
    }
    let of = |event: &Event| waiting.get(event.git_dir.as_path()).map_or(0, Vec::len);
    events.iter().map(|pending| (of(&pending.event) > STORM).then_some(Reason::PredictedMiss)).collect()
}
