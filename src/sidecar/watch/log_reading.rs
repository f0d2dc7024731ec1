//! Reads one repository's logs off the event loop: its watches first, then the hooks' reports, then the new entries.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::super::worker::blocking;
use super::poll::{self, LogFingerprint, PollResult, PollTarget};
use super::watched_repos::{GRACE, ReadOutcome};
use super::watcher::Watcher;
use crate::domain::event::Source;
use crate::pipeline::ingest;
use crate::pipeline::reconcile::{self, ReconcileError};
use crate::pipeline::services::Services;
use crate::store::{RegisteredRepo, StoreError};

/// Pause between tries to import the spool, and their number: the other reader needs milliseconds.
const SPOOL_TAKEN: Duration = Duration::from_millis(5);
const SPOOL_TRIES: u32 = 20;

/// Inspects the repository, and reads its logs unless their fingerprint is known.
pub async fn read_repository(
    services: &Services,
    watcher: Arc<Mutex<Watcher>>,
    subject: PollTarget,
    repo: Arc<RegisteredRepo>,
    source: Source,
) -> (Option<PollResult>, ReadOutcome) {
    let id = repo.id.clone();
    let read = blocking(services, move |services| {
        let known = subject.print;
        let looked = poll::poll_repository(&watcher, subject, SystemTime::from(services.clock.now()), GRACE);
        let outcome = match looked {
            PollResult { there: false, .. } => ReadOutcome::Gone,
            // Read already, since the event that caused this.
            PollResult { print, .. } if known == Some(print) => ReadOutcome::Made { count: 0, reported: 0, print },
            PollResult { print, .. } => read_logs(&services, &repo, source, print)?,
        };
        Ok((Some(looked), outcome))
    });
    read.await.unwrap_or_else(|error| {
        tracing::error!(%error, repo = %id, "new commits could not be stored");
        (None, ReadOutcome::NotKept)
    })
}

/// Blocking. `print` is the fingerprint before the logs are read.
fn read_logs(
    services: &Services,
    repo: &RegisteredRepo,
    source: Source,
    print: LogFingerprint,
) -> Result<ReadOutcome, StoreError> {
    let reported = if repo.hook_mode.has_hooks() { take_reports(services)? } else { 0 };
    match reconcile::repository(services, repo, source) {
        Ok(count) => Ok(ReadOutcome::Made { count, reported, print }),
        Err(ReconcileError::Git(error)) => Ok(ReadOutcome::Unreadable(error.to_string())),
        Err(ReconcileError::Settings(error)) => Ok(ReadOutcome::Unreadable(error.to_string())),
        Err(ReconcileError::Store(error)) => Err(error),
    }
}

/// Imports the hooks' reports first, so that they count as theirs and not the watcher's; returns how many.
fn take_reports(services: &Services) -> Result<usize, StoreError> {
    for _ in 0..SPOOL_TRIES {
        if let Some(taken) = ingest::import_spool(services)? {
            return Ok(taken);
        }
        std::thread::sleep(SPOOL_TAKEN);
    }
    Ok(0)
}
