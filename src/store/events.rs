//! Events of the spool and the reflogs: ingested exactly once, open until a capture needs them no more.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Result;
use crate::domain::event::{Event, LogPosition, PendingEvent};
use crate::domain::id::{Oid, RepoId};

/// A position in one spool file. `file` names the file's identity, not its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolPosition {
    pub file: String,
    pub offset: u64,
}

/// Queue of commit events. Every event is ingested exactly once, together with the position of its source.
pub trait EventStore: Send + Sync {
    /// Stores `events` and advances the spool position, in one transaction. Exactly once: a report already ingested
    /// from this spool file (same stamp, hook, git directory, commit and rewrites) is not stored again, so a reader
    /// that lost a race or restarts from an older offset does no harm.
    fn ingest_events(&self, events: &[Event], position: &SpoolPosition) -> Result<()>;
    /// Stores one event that did not come through the spool; returns its row.
    fn insert_event(&self, event: &Event) -> Result<i64>;
    /// Stores the events from a repository's reflogs with the new positions, in one transaction: a kill at any moment
    /// neither loses a commit nor reports it twice. Only the listed logs' positions change.
    fn record_reflog_events(&self, repo: &RepoId, events: &[Event], positions: &[LogPosition]) -> Result<()>;
    /// The positions of this repository's reflogs.
    fn log_positions(&self, repo: &RepoId) -> Result<Vec<LogPosition>>;
    /// Commits among these that an open event of this repository refers to.
    fn commits_with_open_events(&self, common_dir: &Path, oids: &[Oid]) -> Result<std::collections::HashSet<Oid>>;
    fn spool_positions(&self) -> Result<Vec<SpoolPosition>>;
    /// Removes the position of a deleted spool file; a later file may have the same identity.
    fn forget_spool(&self, file: &str) -> Result<()>;
    /// Open events, oldest first.
    fn pending_events(&self, limit: usize) -> Result<Vec<PendingEvent>>;
    fn pending_event_count(&self) -> Result<u64>;
    /// Same as `pending_events`, without those of a sequence (such as a rebase) in one of these git directories that
    /// happened after `since`: the sequence is still running. Repositories with the common directories `apart` are
    /// excluded.
    fn ready_events(
        &self,
        limit: usize,
        running: &[PathBuf],
        since: Timestamp,
        apart: &[PathBuf],
    ) -> Result<Vec<PendingEvent>>;
    /// The git directories of the newest open events, in order of arrival; reads `limit` events.
    fn newest_git_dirs(&self, limit: usize) -> Result<Vec<PathBuf>>;
    /// The git directories with waiting events of a sequence that happened after `since`.
    fn waiting_sequences(&self, since: Timestamp) -> Result<Vec<PathBuf>>;
    /// Whether an open event reports this commit as rewritten, from a log or from a hook outside any sequence. A hook
    /// reports a whole sequence at its end.
    fn has_pending_rewrite(&self, oid: &Oid) -> Result<bool>;
    /// Closes the event: it needs no (further) capture; `note` says why it was skipped. Closing twice is harmless.
    fn close_event(&self, row: i64, note: Option<&str>) -> Result<()>;
    /// The user had these commits skipped: they are forgotten before any capture. Advances the position of the source
    /// file in the same transaction.
    fn skip_commits(&self, commits: &[(RepoId, Oid)], position: &SpoolPosition) -> Result<()>;
}
