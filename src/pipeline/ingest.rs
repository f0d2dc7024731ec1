//! Spool → events → captures. Spool records are stored with the read offset in one transaction, so a kill at any moment
//! neither loses an event nor imports it twice.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::capture::CaptureError;
use super::poison_guard::PoisonEventGuard;
pub use super::report::ReportOutcome;
use super::services::Services;
use super::{registry, report, waiting};
use crate::domain::capture::Reason;
use crate::domain::event::{Event, HookName, PendingEvent, Source};
use crate::domain::id::{Oid, RepoId};
use crate::git::GitError;
use crate::git::repo::Repo;
use crate::spool::record::Record;
use crate::spool::{reader, rotation};
use crate::store::{RegisteredRepo, SpoolPosition, StoreError};

/// Records imported in one transaction.
const BATCH: usize = 512;

/// Moves everything unread in the spool into the store; returns the number of events, or `None` while another process
/// is doing the same. Blocking: files and the store.
///
/// # Errors
/// When the spool cannot be read or the store cannot be written.
pub fn import_spool(services: &Services) -> Result<Option<usize>, StoreError> {
    let dir = services.paths.spool();
    let Some(_claim) = rotation::take_reader_lock(&dir).map_err(unreadable)? else { return Ok(None) };
    let positions = services.store.spool_positions()?;
    let mut taken = 0;
    for file in rotation::files(&dir).map_err(unreadable)? {
        taken += take_file(services, &file, &positions)?;
    }
    remove_consumed_files(services, &dir)?;
    Ok(Some(taken))
}

fn take_file(services: &Services, file: &Path, positions: &[SpoolPosition]) -> Result<usize, StoreError> {
    let Some(identity) = identity(file)? else { return Ok(0) };
    let position = positions.iter().find(|position| position.file == identity);
    let mut offset = position.map_or(0, |position| position.offset);
    let mut taken = 0;
    loop {
        let batch = reader::read_from(file, offset, BATCH).map_err(unreadable)?;
        if batch.next_offset == offset {
            return Ok(taken);
        }
        let events: Vec<Event> = batch.records.iter().filter_map(event_of).collect();
        offset = batch.next_offset;
        services.store.ingest_events(&events, &SpoolPosition { file: identity.clone(), offset })?;
        taken += events.len();
    }
}

/// Renamed and removed files are recognised by their identity, so a kill in between only repeats the work.
fn remove_consumed_files(services: &Services, dir: &Path) -> Result<(), StoreError> {
    rotation::rotate(dir).map_err(unreadable)?;
    let positions = services.store.spool_positions()?;
    let now = SystemTime::from(services.clock.now());
    for file in rotation::files(dir).map_err(unreadable)? {
        let Some(identity) = identity(&file)? else { continue };
        let consumed = positions.iter().find(|at| at.file == identity).map_or(0, |at| at.offset);
        if rotation::remove_consumed(&file, consumed, now).map_err(unreadable)? {
            services.store.forget_spool(&identity)?;
        }
    }
    Ok(())
}

/// Imports the commits that the user told the hook to skip. The reflogs show them all the same, so they are recorded
/// before those are read. Blocking: files and the store.
///
/// # Errors
/// When the file cannot be read or the store cannot be written.
pub fn import_skips(services: &Services) -> Result<(), StoreError> {
    for file in rotation::files(&services.paths.skipped()).map_err(unreadable)? {
        let Some(identity) = identity(&file)? else { continue };
        let position = services.store.spool_positions()?.into_iter().find(|position| position.file == identity);
        let mut offset = position.map_or(0, |position| position.offset);
        loop {
            let batch = reader::read_from(&file, offset, BATCH).map_err(unreadable)?;
            if batch.next_offset == offset {
                break;
            }
            offset = batch.next_offset;
            let commits: Vec<(RepoId, Oid)> = batch.records.iter().filter_map(skipped_commit).collect();
            services.store.skip_commits(&commits, &SpoolPosition { file: identity.clone(), offset })?;
        }
    }
    Ok(())
}

fn skipped_commit(record: &Record) -> Option<(RepoId, Oid)> {
    let common_dir: &Path = registry::common_dir(&record.git_dir).unwrap_or(&record.git_dir);
    // Resolved like the repository's own id.
    let common_dir = common_dir.canonicalize().ok()?;
    Some((RepoId::from_common_dir(common_dir.as_os_str().as_bytes()), record.oid.as_deref()?.parse().ok()?))
}

fn identity(file: &Path) -> Result<Option<String>, StoreError> {
    Ok(rotation::identity(file).map_err(unreadable)?.map(|identity| identity.to_string()))
}

fn unreadable(error: std::io::Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// `None` for a record of an unknown hook.
fn event_of(record: &Record) -> Option<Event> {
    let pair = |(old, new): (&str, &str)| Some((old.parse().ok()?, new.parse().ok()?));
    Some(Event {
        stamp: jiff::Timestamp::from_nanosecond(i128::from(record.stamp_ns)).ok()?,
        source: Source::Hook,
        hook: Some(HookName::parse(&record.event)?),
        git_dir: record.git_dir.clone(),
        oid: record.oid.as_deref().and_then(|hex| hex.parse().ok()),
        rewrites: record.rewrite_pairs().filter_map(pair).collect(),
        in_sequence: record.in_sequence,
    })
}

/// Outcome of one event.
#[derive(Debug)]
pub enum EventOutcome {
    Done(ReportOutcome),
    /// The repository could not be read, for a reason that may pass: the event stays open.
    Later(String),
    /// The settings cannot be read and no earlier ones are known: the event stays open, and so do those of the repository
    /// behind it, until [`Services::recheck_blocked`] lets them be tried again.
    Blocked(String),
    /// The repository or the commit can never be captured: closed, with the reason.
    Closed(String),
}

/// The repository of the last event, kept open: in a storm the next event is of the same one and finds packs mapped and
/// objects cached. Dropped at each pause.
#[derive(Debug, Default)]
pub struct LastRepo(Option<(PathBuf, Repo)>);

impl LastRepo {
    /// # Errors
    /// As [`Repo::open_git_dir`].
    pub fn open(&mut self, git_dir: &Path) -> Result<&Repo, GitError> {
        let last = self.0.take().filter(|(dir, _)| dir == git_dir);
        let open = match last {
            Some(open) => open,
            None => (git_dir.to_owned(), Repo::open_git_dir(git_dir)?),
        };
        Ok(&self.0.insert(open).1)
    }
}

/// Processes one event up to its template; blocking. `without`: no model is asked, for this reason. On the `last_try`
/// nothing is postponed.
///
/// # Errors
/// Only when the store cannot be written: the event then stays pending.
pub fn process_event(
    services: &Services,
    last: &mut LastRepo,
    pending: &PendingEvent,
    without: Option<Reason>,
    last_try: bool,
) -> Result<EventOutcome, StoreError> {
    let taken = report::resolve_report(services, last, pending, without);
    if taken.is_err() {
        // The open repository may be part of the fault.
        *last = LastRepo::default();
    }
    match taken {
        Ok(done) => Ok(EventOutcome::Done(done)),
        Err(CaptureError::Store(error)) => Err(error),
        Err(CaptureError::Settings(why)) => {
            services.block(waiting::common_dir(&pending.event.git_dir));
            Ok(EventOutcome::Blocked(why.to_string()))
        }
        Err(CaptureError::Git(error)) if error.is_config_error() => {
            services.block(waiting::common_dir(&pending.event.git_dir));
            let hint = format!("git -C {} config --edit", pending.event.git_dir.display());
            services.store.note_problem(services.clock.now(), &error.to_string(), &hint)?;
            Ok(EventOutcome::Blocked(error.to_string()))
        }
        // Out of descriptors, a child that was too slow, a disk that did not answer.
        Err(CaptureError::Git(error @ GitError::Git { .. })) if !last_try => Ok(EventOutcome::Later(error.to_string())),
        Err(CaptureError::Git(error)) => {
            close_unreadable(services, pending, &error)?;
            Ok(EventOutcome::Closed(error.to_string()))
        }
    }
}

fn close_unreadable(services: &Services, pending: &PendingEvent, error: &GitError) -> Result<(), StoreError> {
    services.store.close_event(pending.row, Some(&error.to_string()))?;
    // Recognised by its path: it cannot be opened.
    let is_of = |registered: &RegisteredRepo| pending.event.git_dir.starts_with(&registered.common_dir);
    if matches!(error, GitError::ForeignOwner { .. }) && services.store.registered_repos()?.iter().any(is_of) {
        // `status` has a line for it already.
        return Ok(());
    }
    let place = pending.event.git_dir.display();
    let hint = match error {
        GitError::ForeignOwner { .. } => "repositories of other users are skipped",
        GitError::Missing(_) | GitError::NoSuchCommit { .. } => "the commit was removed before it could be read",
        _ => "uro-capture commit REV, run in the repository, tries again",
    };
    services.store.note_problem(services.clock.now(), &format!("{place}: {error}"), hint)
}

/// Age after which an unread spool has no sidecar: a command processes it itself.
pub const LEFT_ALONE: Duration = Duration::from_secs(5);

/// Longest time that a command works on the backlog before its own task.
const CATCH_UP: Duration = Duration::from_secs(2);

/// Result of a command's catch-up without a sidecar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaughtUp {
    /// Events processed.
    pub done: usize,
    /// Events left for a sidecar or the next command.
    pub left: u64,
}

/// Captures, without a model, what the spool holds and no sidecar has read; for commands that show captures. Ends after
/// two seconds with what it has by then. `announce` is called once with the number of waiting events before the first
/// is processed. A spool that was written to just now is left to the sidecar that its hook started.
///
/// # Errors
/// When spool or store fail.
pub fn catch_up(services: &Services, announce: impl FnOnce(u64)) -> Result<CaughtUp, StoreError> {
    let now = SystemTime::from(services.clock.now());
    let mut caught = CaughtUp::default();
    if rotation::last_append_age(&services.paths.spool(), now).is_some_and(|time| time < LEFT_ALONE) {
        return Ok(caught);
    }
    if import_spool(services)?.is_none() {
        return Ok(caught);
    }
    finish_abandoned(services)?;
    let guard = PoisonEventGuard::open(services, "command")?;
    let end = services.clock.instant() + CATCH_UP;
    let mut announce = Some(announce);
    loop {
        let ready = waiting::ready(services, BATCH)?;
        if ready.events.is_empty() {
            return Ok(caught);
        }
        if let Some(announce) = announce.take() {
            announce(services.store.pending_event_count()?);
        }
        let mut last = LastRepo::default();
        for (event, _) in &ready.events {
            if services.clock.instant() >= end {
                caught.left = services.store.pending_event_count()?;
                return Ok(caught);
            }
            let _held = guard.hold_event(event.row);
            process_event(services, &mut last, event, Some(Reason::Deadline), true)?;
            caught.done += 1;
        }
    }
}

/// Live processes finalize captures within their budget; one that is late by more than this is dead.
const OVERDUE: Duration = Duration::from_secs(2);

/// Finalizes captures that a dead process left pending.
///
/// # Errors
/// When the store cannot be written.
pub fn finish_abandoned(services: &Services) -> Result<u64, StoreError> {
    let now = services.clock.now();
    services.store.finish_abandoned(now - OVERDUE, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_becomes_an_event_with_its_rewrites() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let record = Record {
            stamp_ns: 1_772_366_400_000_000_000,
            git_dir: "/r/.git".into(),
            event: "post-rewrite".into(),
            oid: Some(b.clone()),
            rewrites: format!("{a} {b}\nnonsense\n").into_bytes(),
            ..Record::default()
        };
        let event = event_of(&record).unwrap();
        assert_eq!(event.stamp.to_string(), "2026-03-01T12:00:00Z");
        assert_eq!(event.rewrites.len(), 1);
        assert_eq!(event_of(&Record { event: "pre-push".into(), ..record }), None);
    }
}
