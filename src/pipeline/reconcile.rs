//! Reconciliation: new reflog entries become events, so that commits made while no hook or watcher ran are captured.

use std::path::PathBuf;

use jiff::Timestamp;

use super::ingest;
use super::job::RepositoryContext;
use super::services::Services;
use super::settings::Unreadable;
use crate::domain::event::{Event, Source};
use crate::domain::id::Oid;
use crate::git::repo::Repo;
use crate::git::{GitError, LoggedChange, RefChange, jj};
use crate::store::{RegisteredRepo, StoreError};

/// Why a repository could not be reconciled.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is unknown whether the repository may be captured, and which commits: its logs stay unread.
    #[error(transparent)]
    Settings(#[from] Unreadable),
}

/// Events stored in one transaction.
const BATCH: usize = 512;

/// Marks all current reflog entries as known: called before a repository is registered.
///
/// # Errors
/// When the repository cannot be read or the store cannot be written.
pub fn begin(services: &Services, repo: &Repo) -> Result<(), ReconcileError> {
    Ok(services.store.record_reflog_events(&repo.location().id, &[], &repo.log_ends()?)?)
}

/// Reconciles all registered repositories; returns the number of new events. A failing one does not stop the others.
/// Blocking: files and the store.
pub fn all(services: &Services, source: Source) -> usize {
    let registered = services.store.registered_repos().unwrap_or_else(|error| {
        tracing::error!(%error, "the registered repositories cannot be read");
        Vec::new()
    });
    let reconcile_one = |registered: &RegisteredRepo| {
        repository(services, registered, source).unwrap_or_else(|error| {
            tracing::error!(path = %registered.path.display(), %error, "a repository could not be reconciled");
            0
        })
    };
    registered.iter().map(reconcile_one).sum()
}

/// Turns the new reflog entries of one repository into events, in one transaction per batch; returns how many. Commits
/// that are captured, awaited by an open event or by other authors make none. Blocking: files and the store.
///
/// # Errors
/// When the repository is gone or cannot be read, which is noted as a problem; when the store cannot be written.
pub fn repository(services: &Services, registered: &RegisteredRepo, source: Source) -> Result<usize, ReconcileError> {
    match read_logs(services, registered, ReconcileTrigger { source, report: None }) {
        Err(ReconcileError::Git(error)) => {
            note_unreadable(services, registered, &error)?;
            Err(error.into())
        }
        other => other,
    }
}

/// As [`repository`], for a hook that could not name its commit: all new log entries count as its report, also commits
/// made shortly before without any hook.
///
/// # Errors
/// As for [`repository`], but no problem is noted.
pub(super) fn reported(
    services: &Services,
    registered: &RegisteredRepo,
    event: &Event,
) -> Result<usize, ReconcileError> {
    read_logs(services, registered, ReconcileTrigger { source: event.source, report: Some(event) })
}

/// What triggered the reconciliation.
#[derive(Clone, Copy)]
struct ReconcileTrigger<'a> {
    source: Source,
    report: Option<&'a Event>,
}

impl ReconcileTrigger<'_> {
    /// Report time of a log entry of time `at`. The log has whole seconds, and its dates may be forged.
    fn stamp(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        self.report.map_or(now, |event| at.min(now).max(event.stamp))
    }
}

fn read_logs(
    services: &Services,
    registered: &RegisteredRepo,
    teller: ReconcileTrigger<'_>,
) -> Result<usize, ReconcileError> {
    let repo = Repo::open_git_dir(&registered.common_dir)?;
    let context = RepositoryContext::open_readable(services, &repo)?;
    ingest::import_skips(services)?;
    let mut taken = 0;
    loop {
        let positions = services.store.log_positions(&registered.id)?;
        let news = repo.log_updates(&positions, registered.since)?;
        let mut queue = EventBatch { context: &context, teller, batch: Vec::new(), taken: 0 };
        for entry in news.entries {
            queue.add_entry(entry)?;
        }
        queue.flush(&news.positions)?;
        taken += queue.taken;
        if !news.more {
            return Ok(taken);
        }
    }
}

/// Noted once for as long as it lasts: an equal text is the same problem.
fn note_unreadable(services: &Services, registered: &RegisteredRepo, error: &GitError) -> Result<(), StoreError> {
    if matches!(error, GitError::ForeignOwner { .. }) {
        // `status` detects that by itself, and one line is enough.
        return Ok(());
    }
    let path = registered.path.display();
    let is_missing = !registered.common_dir.exists();
    let what = if is_missing { format!("{path} is gone") } else { format!("{path} cannot be read: {error}") };
    let hint = format!("where it was moved to: uro-capture init; for good: uro-capture deinit {path}");
    services.store.note_problem(services.clock.now(), &what, &hint)
}

/// A commit to be captured, and the commits it replaced.
struct NewCommit {
    git_dir: PathBuf,
    at: Timestamp,
    oid: Oid,
    replaces: Vec<Oid>,
    step: bool,
}

/// Collects events up to the size of a transaction.
struct EventBatch<'a> {
    context: &'a RepositoryContext<'a>,
    teller: ReconcileTrigger<'a>,
    batch: Vec<NewCommit>,
    taken: usize,
}

impl EventBatch<'_> {
    fn add_entry(&mut self, entry: LoggedChange) -> Result<(), ReconcileError> {
        let RepositoryContext { services, repo, .. } = self.context;
        let LoggedChange { git_dir, at, change: deed } = entry;
        let arrived = match deed {
            RefChange::Committed { oid, replaces, step } => {
                // A hook may have reported a running sequence that the log does not show.
                let is_step = |event: &Event| event.in_sequence && event.git_dir == git_dir;
                let step = step || self.teller.report.is_some_and(is_step);
                return self.add(NewCommit { git_dir, at, oid, replaces, step });
            }
            RefChange::UnloggedMove { from, to } => {
                let mut moved = self.context.own_moved_commits(from.as_ref(), &to)?;
                // Moves of branches or HEAD by jj are left to its operation log, which knows whether they are final.
                if jj::repo_dir(&repo.location().common_dir).is_some() {
                    moved.retain(|oid| !repo.has_change_id(oid).unwrap_or(false));
                }
                moved
            }
            RefChange::Shown { oids } => {
                let again = services.store.restore_captures(&repo.location().id, &oids)?;
                let unknown: Vec<Oid> = oids.into_iter().filter(|oid| !again.contains(oid)).collect();
                self.context.own_commits(&unknown)?
            }
            RefChange::Pulled { from, to } => self.context.own_pulled_commits(from.as_ref(), &to)?,
        };
        for oid in arrived {
            self.add(NewCommit { git_dir: git_dir.clone(), at, oid, replaces: Vec::new(), step: false })?;
        }
        Ok(())
    }

    fn add(&mut self, found: NewCommit) -> Result<(), ReconcileError> {
        match self.batch.iter_mut().find(|queued| queued.oid == found.oid) {
            Some(queued) => queued.replaces.extend(found.replaces),
            None => self.batch.push(found),
        }
        if self.batch.len() >= BATCH { self.flush(&[]) } else { Ok(()) }
    }

    /// Only the last batch moves the read positions: a kill before that rereads the same entries, of which the stored
    /// part is awaited already.
    fn flush(&mut self, positions: &[crate::domain::event::LogPosition]) -> Result<(), ReconcileError> {
        let (store, place) = (&self.context.services.store, self.context.repo.location());
        let oids: Vec<Oid> =
            self.batch.iter().flat_map(|found| found.replaces.iter().chain([&found.oid])).cloned().collect();
        let captured = store.captured_commits(&place.id, &oids)?;
        let awaited = store.commits_with_open_events(&place.common_dir, &oids)?;
        let mut events = Vec::new();
        for found in self.batch.drain(..) {
            let is_known = captured.contains(&found.oid) || awaited.contains(&found.oid);
            let mut news = Vec::new();
            for old in found.replaces {
                if awaited.contains(&old) || (captured.contains(&old) && is_live(self.context, &old)?) {
                    news.push((old, found.oid.clone()));
                }
            }
            if is_known && news.is_empty() {
                continue;
            }
            events.push(Event {
                stamp: self.teller.stamp(found.at, self.context.services.clock.now()),
                source: self.teller.source,
                hook: None,
                git_dir: found.git_dir,
                oid: Some(found.oid),
                rewrites: news,
                in_sequence: found.step,
            });
        }
        store.record_reflog_events(&place.id, &events, positions)?;
        self.taken += events.len();
        Ok(())
    }
}

/// Its capture is still live, so that its replacement matters.
fn is_live(context: &RepositoryContext<'_>, oid: &Oid) -> Result<bool, StoreError> {
    let capture = context.services.store.capture_of_commit(&context.repo.location().id, oid)?;
    Ok(capture.is_some_and(|capture| capture.state == crate::domain::capture::CaptureState::Live))
}
