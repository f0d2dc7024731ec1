//! Persistent store: the `Store` trait used by every surface, and its SQLite implementation.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::domain::capture::{Capture, Kind, Outcome, Quality, RepoRef};
use crate::domain::draft::{Draft, DraftKind, DraftState, Edit, Period};
use crate::domain::event::{Event, LogPosition, Means, PendingEvent, Source};
use crate::domain::fragments::Fragments;
use crate::domain::id::{CaptureId, DraftId, Oid, RepoId};
use crate::domain::operation::Operation;
use crate::domain::project::Origin;
use crate::domain::role::Role;
use crate::prompt::tokens::Counts;
use crate::route::ledger::{Entry, Ledger};
use crate::route::merit::Evidence;

#[cfg(test)]
pub mod conformance;
pub mod export;
mod latency;
#[cfg(test)]
pub mod samples;
pub mod sqlite;

pub use latency::{AheadRow, LatencyGrouping, LatencyRow};

/// Reasons why a store operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("no {what} {id:?}")]
    NotFound { what: &'static str, id: String },
    #[error("{what} {id:?} is ambiguous: {}", candidates.join(", "))]
    Ambiguous { what: &'static str, id: String, candidates: Vec<String> },
    /// The row was changed concurrently: a stale attempt, or a state that does not allow the operation.
    #[error("{0}")]
    Conflict(String),
    #[error("the store was written by a newer uro-capture (schema {found}, this one knows {known})")]
    TooNew { found: i64, known: i64 },
    #[error("the store is damaged")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the disk is full")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the store cannot be written")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// A removed file and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub path: PathBuf,
    pub bytes: u64,
}

/// A file that may still contain the forgotten text, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub path: PathBuf,
    pub why: String,
    /// Another program made it: a retry would change nothing.
    pub foreign: bool,
}

/// Rows removed together with a forgotten capture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// The capture, and those that it had replaced.
    pub ids: Vec<CaptureId>,
    /// Drafts written from it.
    pub drafts: Vec<DraftId>,
    /// Captures with the same statement in their own words; they stay.
    pub repeated_by: Vec<CaptureId>,
    /// Its text fragments, to find them elsewhere.
    pub fragments: Fragments,
    pub scrubbed: Scrubbed,
}

/// File clean-up after a capture was forgotten, so that no byte of it stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Old copies of the store.
    pub copies: Vec<Removed>,
    pub left: Vec<Left>,
}

/// The mark that is set from the deletion of a capture until all files are clean; its value is the time of the last
/// attempt.
pub const FORGETTING: &str = "forget.unfinished";

/// Disk usage of the store, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreSizes {
    /// Including the WAL.
    pub database: u64,
    /// Backups before a migration, and quarantined files.
    pub copies: u64,
    /// Number of these files.
    pub copy_files: u64,
    /// Titles and texts of drafts; part of the database.
    pub drafts: u64,
}

/// Data with limited retention (`[retention]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiring {
    /// The latency log, and the closed events with it.
    Operations,
    /// Prompts sent about captures. A refinement restarts the retention period.
    Prompts,
    /// Routing decisions of captures.
    Decisions,
    /// By the time of the last occurrence.
    Problems,
    /// Prepared squash merges, whether committed or not.
    Squashes,
    /// Old copies of the store: backups before a migration, and quarantined files.
    Copies,
}

/// Filter for captures. Absent fields mean no restriction.
#[derive(Debug, Clone, Default)]
pub struct CaptureQuery {
    pub project: Option<String>,
    pub repo: Option<RepoId>,
    /// Only those outside any repository.
    pub outside: bool,
    pub kind: Option<Kind>,
    /// Author date, half-open.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Capture time (not author date).
    pub captured_since: Option<Timestamp>,
    /// Include superseded ones.
    pub all_states: bool,
    /// Newest first, at most this many.
    pub limit: Option<usize>,
}

/// The result of `record_capture`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Stored; it is the live capture of its unit of work.
    New,
    /// The unit of work already has this live capture; nothing was added.
    Known(CaptureId),
    /// The user had it forgotten; nothing was added. Only a capture with source `manual` restores it.
    Forgotten,
}

/// A repository that `init` registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    pub id: RepoId,
    /// Work tree (or the git directory of a bare repository), absolute.
    pub path: PathBuf,
    /// Common git directory, absolute, canonical.
    pub common_dir: PathBuf,
    pub project: String,
    pub since: Timestamp,
    pub means: Means,
    /// `device:inode:birth` of the common git directory when it was registered.
    pub inode: Option<String>,
}

/// A position in one spool file. `file` names the file's identity, not its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolPosition {
    pub file: String,
    pub offset: u64,
}

/// One group of captures, as `status` counts them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaptureCounts {
    pub total: u64,
    pub by_kind: Vec<(String, u64)>,
    pub by_source: Vec<(String, u64)>,
    pub by_provenance: Vec<(String, u64)>,
    /// Final captures that had a budget, and those of them that kept it.
    pub budgeted: u64,
    pub on_time: u64,
    pub pending: u64,
    /// Templates that a model's text replaced later; `by_provenance` counts them as the model's.
    pub refined: u64,
}

/// Tokens per bytes for one model at one endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenCount {
    pub endpoint: String,
    pub model: String,
    pub counts: Counts,
}

/// Quality of the texts that one model wrote for one role.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenBy {
    pub model: String,
    pub role: Role,
    pub seen: Evidence,
}

/// One judged answer of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedAnswer {
    pub at: Timestamp,
    pub endpoint: String,
    pub model: String,
    pub role: Role,
    /// Whether its text was kept, fully or in part.
    pub used: bool,
}

/// A note, and the commits with live captures that list it.
#[derive(Debug, Clone, PartialEq)]
pub struct NoteBefore {
    pub note: Capture,
    pub commits: Vec<Oid>,
}

/// Additional fields for `edit`, `show` and `export`.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureRecord {
    pub capture: Capture,
    /// The template text, kept when a model's text replaced it.
    pub template: String,
    /// The exact prompt sent to the model, redacted.
    pub wire: Option<String>,
    /// The routing decision with every term (JSON).
    pub decision: Option<String>,
}

/// A model's text that replaces a template later, without a deadline.
#[derive(Debug, Clone, PartialEq)]
pub struct Refinement {
    pub at: Timestamp,
    pub summary: String,
    pub model: String,
    pub endpoint: String,
    pub prompt_version: String,
    pub quality: Option<Quality>,
    /// Replaces the capture's decision (JSON); `None` keeps it.
    pub decision: Option<String>,
    /// The exact prompt, redacted.
    pub wire: String,
    /// The dropped parts of the model's text, with reasons, redacted.
    pub faults: Vec<String>,
}

/// A capture that is final on arrival.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    pub capture: Capture,
    /// The template text, kept where the capture carries another one.
    pub template: String,
    pub operation: Operation,
}

/// A draft to enqueue. (kind, repository, period) is its unique key; outside any repository the project name replaces
/// the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDraft {
    pub kind: DraftKind,
    pub project: String,
    pub repo: Option<RepoRef>,
    pub period: Period,
    pub max_attempts: u32,
}

/// A worker's lease on a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    pub draft: Draft,
    /// Fencing token: every later write must carry it.
    pub attempt: u32,
    pub until: Timestamp,
}

/// A written draft, to be stored under its lease.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub title: String,
    pub body: String,
    pub format: String,
    pub model: Option<String>,
    pub sources: Vec<CaptureId>,
    /// Why the template replaced the model, in words; absent when the model wrote it.
    pub note: Option<String>,
    /// Quality of the text by the rubric.
    pub quality: Option<Quality>,
}

/// All persistent data. Calls are short (µs to a few ms) and synchronous; async callers wrap them in `spawn_blocking`.
/// No transaction stays open across calls.
pub trait Store: Send + Sync {
    // ---- events: the spool's content, ingested exactly once
    /// Stores `events` and advances the spool position, in one transaction. Exactly once: a report already ingested
    /// from this spool file (same stamp, hook, git directory, commit and rewrites) is not stored again, so a reader
    /// that lost a race or restarts from an older offset does no harm.
    fn take_over(&self, events: &[Event], position: &SpoolPosition) -> Result<()>;
    /// Stores one event that did not come through the spool; returns its row.
    fn put_event(&self, event: &Event) -> Result<i64>;
    /// Stores the events from a repository's reflogs with the new positions, in one transaction: a kill at any moment
    /// neither loses a commit nor reports it twice. Only the listed logs' positions change.
    fn take_moves(&self, repo: &RepoId, events: &[Event], positions: &[LogPosition]) -> Result<()>;
    /// The positions of this repository's reflogs.
    fn log_positions(&self, repo: &RepoId) -> Result<Vec<LogPosition>>;
    /// Commits among these that an open event of this repository refers to.
    fn awaited_commits(&self, common_dir: &Path, oids: &[Oid]) -> Result<std::collections::HashSet<Oid>>;
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
    fn newest_places(&self, limit: usize) -> Result<Vec<PathBuf>>;
    /// The git directories with waiting events of a sequence that happened after `since`.
    fn waiting_sequences(&self, since: Timestamp) -> Result<Vec<PathBuf>>;
    /// Whether an open event reports this commit as rewritten, from a log or from a hook outside any sequence. A hook
    /// reports a whole sequence at its end.
    fn is_replaced_next(&self, oid: &Oid) -> Result<bool>;
    /// Closes the event: it needs no (further) capture; `note` says why it was skipped. Closing twice is harmless.
    fn close_event(&self, row: i64, note: Option<&str>) -> Result<()>;

    // ---- captures
    /// Stores a capture with its template text and closes `event`, in one transaction. A capture of the same
    /// (repository, commit) makes it `Known`. The captures in `capture.supersedes` become superseded. Whether two
    /// commits with one patch are the same work is decided by the caller, because only git knows their ancestry: see
    /// `live_captures_of_patch`. Notes are durable against power loss once this returns; commits only against a kill,
    /// because git still has them.
    fn record_capture(&self, capture: &Capture, event: Option<i64>) -> Result<Recorded>;
    /// Same as `record_capture`, for one that needs no model: capture, template and log entry in one transaction.
    /// `finished` is called once the write lock is held: its timing includes the wait for other writers.
    fn record_final(&self, finished: &dyn Fn() -> Finished, event: Option<i64>) -> Result<Recorded>;
    /// Same as `record_final`, for a commit discovered only after the commit `newer` that replaces it: its capture is
    /// superseded from the start.
    fn record_replaced(&self, finished: &dyn Fn() -> Finished, newer: &Oid, event: Option<i64>) -> Result<Recorded>;
    /// A late hook report for a capture that a watcher or a sweep recorded at or after `since`: sets its source to the
    /// hook. Applies to the capture of this commit; where the hook could not name one, to the oldest such capture of
    /// the repository. False when there is none.
    fn credit_hook(&self, repo: &RepoId, oid: Option<&Oid>, since: Timestamp) -> Result<bool>;
    /// Applies the model stage's result to a pending capture; false when it is no longer pending (finished, edited by
    /// the user, forgotten). The template text is kept beside the model's. `outcome` is called once the write lock is
    /// held: its timing includes the wait for other writers.
    fn finish_capture(&self, id: CaptureId, outcome: &dyn Fn() -> Outcome) -> Result<bool>;
    /// Finalises orphaned pending captures (budget ended before `before`): template, reason `deadline`, late where they
    /// had a budget, with a total that ends at `now`. Returns their number.
    fn finish_abandoned(&self, before: Timestamp, now: Timestamp) -> Result<u64>;
    /// Records that `old` was rewritten as `new`: when both have captures, the old one becomes superseded. Repeating
    /// it, or stating the opposite later, changes nothing.
    fn supersede(&self, repo: &RepoId, old: &Oid, new: &Oid) -> Result<()>;
    /// These commits are visible again (an undo): their superseded captures become live and supersede their
    /// replacements. Returns the commits that have a capture.
    fn restore(&self, repo: &RepoId, oids: &[Oid]) -> Result<Vec<Oid>>;
    /// In any state.
    fn capture_of_commit(&self, repo: &RepoId, oid: &Oid) -> Result<Option<Capture>>;
    /// Live captures of commits with this patch, oldest first.
    fn live_captures_of_patch(&self, repo: &RepoId, patch_id: &str) -> Result<Vec<Capture>>;
    /// Live captures of versions of this change, oldest first.
    fn live_captures_of_change(&self, repo: &RepoId, change: &str) -> Result<Vec<Capture>>;
    /// Live captures of commits without a patch id, authored at `at` with this message, oldest first: candidates for
    /// the same work where patches cannot be compared.
    fn live_captures_alike(&self, repo: &RepoId, at: Timestamp, raw: &str) -> Result<Vec<Capture>>;
    /// Live notes of this repository authored in the half-open window, oldest first, the newest 20.
    fn notes_before(&self, repo: &RepoId, since: Timestamp, until: Timestamp) -> Result<Vec<NoteBefore>>;
    /// Stores that the next commit on `parent` combines these (a prepared squash merge). A later call replaces it.
    fn prepare_squash(&self, repo: &RepoId, parent: &Oid, oids: &[Oid], at: Timestamp) -> Result<()>;
    /// The commits that `prepare_squash` stored for `parent`; empty if none.
    fn prepared_squash(&self, repo: &RepoId, parent: &Oid) -> Result<Vec<Oid>>;
    /// Which of these commits have a capture in any state, or were forgotten.
    fn captured_commits(&self, repo: &RepoId, oids: &[Oid]) -> Result<std::collections::HashSet<Oid>>;
    /// By full or shortened id, with or without hyphens.
    ///
    /// # Errors
    /// `NotFound`, `Ambiguous` with up to five candidates, `Corrupt` when its text fails its checksum.
    fn capture(&self, id_prefix: &str) -> Result<CaptureRecord>;
    /// The dropped parts of the model's text, with reasons; `None` for most captures.
    fn faults(&self, id: CaptureId) -> Result<Vec<String>>;
    /// The routing decision with every term (JSON); `None` without a decision.
    fn decision(&self, id: CaptureId) -> Result<Option<String>>;
    /// Live captures that kept the template because a model was too slow, cold or unreachable (`deadline`, `cold`,
    /// `predicted_miss`, `breaker_open`, `refused`), captured since `since`, newest first. Excluded are those with a
    /// failed attempt at or after `tried_before`, and those with two failed attempts.
    fn refinable(&self, since: Timestamp, tried_before: Timestamp, limit: usize) -> Result<Vec<Capture>>;
    /// Replaces the template with the model's text; false where it is no longer current (edited by the user,
    /// superseded, forgotten, refined). Timing, tokens and punctuality stay those of the capture.
    fn refine_capture(&self, id: CaptureId, refinement: &Refinement) -> Result<bool>;
    /// Records that a refinement gave no better text.
    fn refine_missed(&self, id: CaptureId, at: Timestamp) -> Result<()>;
    /// Newest first by author date. Damaged rows are omitted and listed by `problems`.
    fn captures(&self, query: &CaptureQuery) -> Result<Vec<Capture>>;
    /// Calls `each` for every record in any state, in storage order (for export). Holds no lock meanwhile. Damaged rows
    /// are omitted and listed by `problems`.
    fn each_record(&self, each: &mut dyn FnMut(CaptureRecord) -> Result<()>) -> Result<()>;
    /// Imports a foreign record unless its id or its unit of work is known or was forgotten; true when added.
    fn import_record(&self, record: &CaptureRecord) -> Result<bool> {
        Ok(self.import_records(std::slice::from_ref(record))? == 1)
    }
    /// Same as `import_record`, all or nothing; returns the number added.
    fn import_records(&self, records: &[CaptureRecord]) -> Result<u64>;
    /// Full text over raw, summary, subject, project and tags; best match first, 50 unless limited. Words are taken
    /// literally, all must occur, the last one may be a prefix; accents and case are ignored. With more than 2,000
    /// matches the newest 2,000 are ranked.
    fn search(&self, words: &str, query: &CaptureQuery) -> Result<Vec<Capture>>;
    /// The user's text replaces the summary (`by` human). Returns the new state.
    fn edit_capture(&self, id: CaptureId, summary: &str) -> Result<Capture>;
    /// The user had these commits skipped: they are forgotten before any capture. Advances the position of the source
    /// file in the same transaction.
    fn skip_commits(&self, commits: &[(RepoId, Oid)], position: &SpoolPosition) -> Result<()>;
    /// The id of a capture, by full or shortened id; its text is not decoded, so that a damaged one can be forgotten.
    ///
    /// # Errors
    /// `NotFound`, `Ambiguous`.
    fn capture_id(&self, id_prefix: &str) -> Result<CaptureId>;
    /// Same as `capture_id`, for a forgotten capture.
    ///
    /// # Errors
    /// `NotFound`, `Ambiguous`.
    fn forgotten_id(&self, id_prefix: &str) -> Result<CaptureId>;
    /// Removes the capture from captures, search, prompts and problems, with the drafts written from it, and
    /// [`Store::scrub`]s; the unit of work is not captured again automatically (see `Recorded::Forgotten`). For a note,
    /// also removes prompts about its commits that contained it, and the template sentence that quotes it. An
    /// incomplete scrub is reported, not an error: the capture is gone then, and the mark [`FORGETTING`] is set.
    fn forget_capture(&self, id: CaptureId, now: Timestamp) -> Result<Forgotten>;
    /// Overwrites deleted content: rewrites the full-text index, the database file and its WAL, and removes all old
    /// copies of the store. Takes seconds with 100,000 captures, and blocks other writers for that long.
    fn scrub(&self) -> Scrubbed;
    /// Disk usage.
    fn sizes(&self) -> Result<StoreSizes>;
    /// Live captures with `captured_at` (not author date) in the half-open window.
    fn count_captures(&self, repo: Option<&RepoId>, since: Timestamp, until: Timestamp) -> Result<CaptureCounts>;
    /// The sources of live captures: every repository, under the name in its newest capture, and the projects of notes
    /// outside any repository (the newest 1,000 notes), sorted by name.
    fn origins(&self) -> Result<Vec<Origin>>;

    // ---- repositories
    /// Inserts or updates it; the earliest `since` is kept.
    fn register(&self, repo: &Registered) -> Result<()>;
    /// True when it was registered. Its captures stay; its reflog positions are removed.
    fn unregister(&self, id: &RepoId) -> Result<bool>;
    fn registered(&self) -> Result<Vec<Registered>>;
    /// This one repository, if it is registered.
    fn registration(&self, id: &RepoId) -> Result<Option<Registered>>;
    /// The repository `old` has moved: its captures, positions and open events become those of `new`, which is
    /// registered with `old`'s date.
    fn adopt(&self, old: &RepoId, new: &Registered) -> Result<()>;

    // ---- marks: small persistent values of the program itself
    fn mark(&self, name: &str) -> Result<Option<String>>;
    /// `None` removes it.
    fn set_mark(&self, name: &str, value: Option<&str>) -> Result<()>;

    // ---- latency log
    fn log_operation(&self, operation: &Operation) -> Result<()>;
    /// One row per group, sorted by its names. `on_time_rate` counts operations that had a budget,
    /// `error_rate` those that asked a model; both are absent where there were none.
    fn latency(&self, since: Timestamp, grouping: LatencyGrouping) -> Result<Vec<LatencyRow>>;
    /// Removes rows older than `before`; returns how many. Captures and drafts never expire.
    fn expire(&self, what: Expiring, before: Timestamp) -> Result<u64>;

    // ---- token counts
    /// Adds a server's token count for a prompt size; older counts decay. Returns the sum.
    fn count_tokens(&self, endpoint: &str, model: &str, bytes: u64, tokens: u64) -> Result<Counts>;
    /// The counts so far, by endpoint and model.
    fn token_counts(&self) -> Result<Vec<TokenCount>>;

    // ---- evidence
    /// Scores of the models' texts since `since`, and the share kept after user edits: of the newest live captures and
    /// of drafts. Votes are not included. At most one row per model and role.
    fn evidence(&self, since: Timestamp) -> Result<Vec<WrittenBy>>;

    /// Judged answers since `since`, newest first, from the latency log: kept, ungrounded, or unusable. Reads the
    /// newest 5,000 operations.
    fn judged_answers(&self, since: Timestamp) -> Result<Vec<JudgedAnswer>>;

    // ---- forecasts
    /// Learned forecasts per model. Unreadable ones are skipped and learned again.
    fn forecasts(&self) -> Result<Ledger>;
    /// Stores it in place of an earlier one of its key. Beyond `route::ledger::MOST` the oldest are removed.
    fn put_forecast(&self, entry: &Entry) -> Result<()>;

    // ---- drafts
    /// Enqueues it unless its key exists; true when added.
    fn queue_draft(&self, draft: &NewDraft, now: Timestamp) -> Result<bool>;
    /// Leases the oldest due draft: queued with `next_at` ≤ now, or leased with an expired lease. Claiming raises the
    /// attempt; one without attempts left becomes `dead` instead.
    fn lease_draft(&self, now: Timestamp, until: Timestamp) -> Result<Option<Lease>>;
    /// Stores the text under the lease; `Conflict` when the attempt is no longer current. `written.note` is shown as
    /// the draft's `error`.
    fn finish_draft(&self, id: DraftId, attempt: u32, written: &Written, now: Timestamp) -> Result<()>;
    /// Releases the lease after a failure: queued again at `next_at`, or `dead` when attempts are used up.
    fn fail_draft(&self, id: DraftId, attempt: u32, error: &str, next_at: Timestamp, now: Timestamp) -> Result<()>;
    /// By full or shortened id.
    fn draft(&self, id_prefix: &str) -> Result<Draft>;
    /// Newest period first. `project` is the name in the draft, or the repository's own without its distinguishing
    /// part: `backend` also matches `acme/backend` and `backend (acme-be)`.
    fn drafts(&self, state: Option<DraftState>, project: Option<&str>) -> Result<Vec<Draft>>;
    /// Number of drafts per state. Reads no text.
    fn draft_counts(&self) -> Result<Vec<(DraftState, u64)>>;
    /// Stores the user's text; allowed in `ready` and `accepted`. A later run never overwrites it.
    fn edit_draft(&self, id: DraftId, title: &str, body: &str, edit: Edit) -> Result<Draft>;
    /// Changes the state; `Conflict` (naming the state) when it is in none of `from`.
    fn move_draft(&self, id: DraftId, from: &[DraftState], to: DraftState, now: Timestamp) -> Result<Draft>;
    /// Back to `queued` with the initial number of attempts, from `dead`, `rejected` or `ready`; `Conflict` when the
    /// user edited it. `attempt` keeps rising, because it is the fencing token: `max_attempts` rises with it.
    fn retry_draft(&self, id: DraftId, now: Timestamp) -> Result<Draft>;

    // ---- health
    /// Faults that were repaired or skipped, newest first: (when, what, hint).
    fn problems(&self, since: Timestamp) -> Result<Vec<(Timestamp, String, String)>>;
    /// Records a problem; the same text again only updates the time.
    fn note_problem(&self, at: Timestamp, what: &str, hint: &str) -> Result<()>;
    /// Removes the problems with this hint last noted before `before`: they were fixed then.
    fn settle_problems(&self, hint: &str, before: Timestamp) -> Result<()>;
}

/// Sources with captures that can be rebuilt from git after a loss.
pub const REBUILDABLE: [Source; 4] = [Source::Hook, Source::Watch, Source::Reconcile, Source::Backfill];
