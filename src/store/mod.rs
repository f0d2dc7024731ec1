//! What is kept: the `Store` trait that every surface speaks to, and its SQLite form.

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

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("no {what} {id:?}")]
    NotFound { what: &'static str, id: String },
    #[error("{what} {id:?} is ambiguous: {}", candidates.join(", "))]
    Ambiguous { what: &'static str, id: String, candidates: Vec<String> },
    /// The row was changed by somebody else since: a stale attempt, a state that does not allow it.
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

/// A file that was removed, and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub path: PathBuf,
    pub bytes: u64,
}

/// A file that may still hold what was forgotten, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub path: PathBuf,
    pub why: String,
    /// Another program made it: trying again would change nothing.
    pub foreign: bool,
}

/// What went with a forgotten capture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// The capture, and those that it had replaced.
    pub ids: Vec<CaptureId>,
    /// Drafts that were written from it.
    pub drafts: Vec<DraftId>,
    /// Captures that say the same in words of their own; they stay.
    pub repeated_by: Vec<CaptureId>,
    /// What its texts consisted of, to find them elsewhere.
    pub fragments: Fragments,
    pub scrubbed: Scrubbed,
}

/// What was done to the files so that no byte of what was forgotten stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Old copies of the store.
    pub copies: Vec<Removed>,
    pub left: Vec<Left>,
}

/// The mark that is set from the moment in which a capture is gone until all files were looked after; its value is when
/// that was last tried.
pub const FORGETTING: &str = "forget.unfinished";

/// How much room the store takes, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreSizes {
    /// With its log.
    pub database: u64,
    /// Copies of before a migration, and damaged ones.
    pub copies: u64,
    /// How many files these are.
    pub copy_files: u64,
    /// Titles and texts of drafts; part of the database.
    pub drafts: u64,
}

/// What is kept for a while (`[retention]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiring {
    /// The latency log, and with it the events that were dealt with.
    Operations,
    /// What was sent to a model about captures. A refinement starts the time anew.
    Prompts,
    /// Why a model was asked about captures, or none.
    Decisions,
    /// By the last time that they were met.
    Problems,
    /// Squash merges that were prepared, whether the commit came or not.
    Squashes,
    /// Old copies of the store: of before a migration, and damaged ones.
    Copies,
}

/// Which captures are meant. Everything absent means no restriction.
#[derive(Debug, Clone, Default)]
pub struct CaptureQuery {
    pub project: Option<String>,
    pub repo: Option<RepoId>,
    /// Only those of no repository.
    pub outside: bool,
    pub kind: Option<Kind>,
    /// Author date, half-open.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// When it was captured (not authored).
    pub captured_since: Option<Timestamp>,
    /// Also superseded ones.
    pub all_states: bool,
    /// Newest first, at most this many.
    pub limit: Option<usize>,
}

/// What `record_capture` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Stored; it is the live capture of its unit of work.
    New,
    /// That unit of work already has this live capture; nothing was added.
    Known(CaptureId),
    /// A person had it forgotten; nothing was added. Only a capture with source `manual` brings it back.
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

/// What one model at one endpoint makes of bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenCount {
    pub endpoint: String,
    pub model: String,
    pub counts: Counts,
}

/// What was seen of the texts that one model wrote for one role.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenBy {
    pub model: String,
    pub role: Role,
    pub seen: Evidence,
}

/// One answer of a model that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedAnswer {
    pub at: Timestamp,
    pub endpoint: String,
    pub model: String,
    pub role: Role,
    /// Its text was kept, whole or in part.
    pub used: bool,
}

/// A note, and the commits whose live captures it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct NoteBefore {
    pub note: Capture,
    pub commits: Vec<Oid>,
}

/// What `edit`, `show` and `export` see beyond the capture itself.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureRecord {
    pub capture: Capture,
    /// The template's text, kept when a model's text replaced it.
    pub template: String,
    /// Exactly what was sent to the model, redacted.
    pub wire: Option<String>,
    /// Why a model was asked, or none, with every term (JSON).
    pub decision: Option<String>,
}

/// A model's text that takes the place of a template later, when nobody waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Refinement {
    pub at: Timestamp,
    pub summary: String,
    pub model: String,
    pub endpoint: String,
    pub prompt_version: String,
    pub quality: Option<Quality>,
    /// In place of the capture's decision (JSON); nothing leaves that as it is.
    pub decision: Option<String>,
    /// Exactly what was sent, redacted.
    pub wire: String,
    /// What of the model's text was not kept, and why, redacted.
    pub faults: Vec<String>,
}

/// A capture that is final at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    pub capture: Capture,
    /// The template's text, kept where the capture carries another one.
    pub template: String,
    pub operation: Operation,
}

/// A draft to be queued. (kind, repository, period) is its unique key; outside of any repository the project's name
/// stands in for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDraft {
    pub kind: DraftKind,
    pub project: String,
    pub repo: Option<RepoRef>,
    pub period: Period,
    pub max_attempts: u32,
}

/// What a worker holds while it writes a draft.
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
    /// Why the template stood in for the model, in words; absent when the model wrote it.
    pub note: Option<String>,
    /// How good the text is by the rubric.
    pub quality: Option<Quality>,
}

/// Everything that outlives a process. Calls are short (µs to a few ms) and synchronous; async callers
/// wrap them in `spawn_blocking`. No transaction is ever open across a call.
pub trait Store: Send + Sync {
    // ---- events: the spool's content, taken over exactly once
    /// Stores `events` and moves the spool position, in one transaction. Exactly once: a report of this spool
    /// file that was taken over before (same stamp, hook, git directory, commit and rewrites) is not stored
    /// again, so a reader that lost a race or restarts from an older offset does no harm.
    fn take_over(&self, events: &[Event], position: &SpoolPosition) -> Result<()>;
    /// Stores one event that did not come through the spool; gives its row.
    fn put_event(&self, event: &Event) -> Result<i64>;
    /// Stores what a repository's reflogs told, with how far they have been read, in one transaction: a kill at any
    /// moment neither loses a commit nor reports it twice. Only the named logs' positions change.
    fn take_moves(&self, repo: &RepoId, events: &[Event], positions: &[LogPosition]) -> Result<()>;
    /// How far this repository's reflogs have been read.
    fn log_positions(&self, repo: &RepoId) -> Result<Vec<LogPosition>>;
    /// Which of these commits an event of this repository that is not dealt with yet names.
    fn awaited_commits(&self, common_dir: &Path, oids: &[Oid]) -> Result<std::collections::HashSet<Oid>>;
    fn spool_positions(&self) -> Result<Vec<SpoolPosition>>;
    /// Forgets the position of a spool file that was removed; a later file may have the same identity.
    fn forget_spool(&self, file: &str) -> Result<()>;
    /// Events not dealt with yet, oldest first.
    fn pending_events(&self, limit: usize) -> Result<Vec<PendingEvent>>;
    fn pending_event_count(&self) -> Result<u64>;
    /// As `pending_events`, without those of a sequence (a rebase and its like) in one of these git directories that
    /// happened after `since`: they are not over yet. Those of the repositories with the common directories `apart` are
    /// left out.
    fn ready_events(
        &self,
        limit: usize,
        running: &[PathBuf],
        since: Timestamp,
        apart: &[PathBuf],
    ) -> Result<Vec<PendingEvent>>;
    /// The git directories of the newest events not dealt with yet, as they come; looks at `limit` events.
    fn newest_places(&self, limit: usize) -> Result<Vec<PathBuf>>;
    /// The git directories in which events of a sequence wait that happened after `since`.
    fn waiting_sequences(&self, since: Timestamp) -> Result<Vec<PathBuf>>;
    /// Whether an event that is not dealt with yet says that this commit was rewritten: one that a log told, or a hook
    /// outside of any sequence. A hook tells of a whole sequence at its end.
    fn is_replaced_next(&self, oid: &Oid) -> Result<bool>;
    /// The event needs no (further) capture; `note` says why when it was skipped. Closing twice is harmless.
    fn close_event(&self, row: i64, note: Option<&str>) -> Result<()>;

    // ---- captures
    /// Stores a capture with its template text and closes `event`, in one transaction.
    /// A capture of the same (repository, commit) makes it `Known`. The captures in `capture.supersedes` become
    /// superseded. Whether two commits with one patch are the same work is the caller's question, because only
    /// git knows their ancestry: see `live_captures_of_patch`.
    /// Notes survive a power loss once this returns; commits only a kill, because git still has them.
    fn record_capture(&self, capture: &Capture, event: Option<i64>) -> Result<Recorded>;
    /// As `record_capture`, for one that needs no model: capture, template and log entry in one transaction.
    /// `finished` is asked for once the store is ours to write: its timing includes the wait for other writers.
    fn record_final(&self, finished: &dyn Fn() -> Finished, event: Option<i64>) -> Result<Recorded>;
    /// As `record_final`, for a commit that came to light only after the commit `newer`, which stands for it: its
    /// capture is superseded from the start.
    fn record_replaced(&self, finished: &dyn Fn() -> Finished, newer: &Oid, event: Option<i64>) -> Result<Recorded>;
    /// A hook reported, after all, what a watcher or a sweep captured at or after `since`: its source is the hook. It is
    /// the capture of this commit; where the hook could not name one, the oldest such capture of the repository. False when there is none.
    fn credit_hook(&self, repo: &RepoId, oid: Option<&Oid>, since: Timestamp) -> Result<bool>;
    /// Applies the model stage's end to a capture that is still pending; false when it no longer is
    /// (finished, edited by a person, forgotten). The template's text is kept beside the model's.
    /// `outcome` is asked for once the store is ours to write: its timing includes the wait for other writers.
    fn finish_capture(&self, id: CaptureId, outcome: &dyn Fn() -> Outcome) -> Result<bool>;
    /// Makes captures final whose process died while they were pending (their budget ended before `before`):
    /// template, reason `deadline`, late where they had a budget, with a total that ends `now`. Gives how many.
    fn finish_abandoned(&self, before: Timestamp, now: Timestamp) -> Result<u64>;
    /// `old` was rewritten as `new`: when both have captures, the old one becomes superseded. Repeating it,
    /// or saying the opposite later, changes nothing.
    fn supersede(&self, repo: &RepoId, old: &Oid, new: &Oid) -> Result<()>;
    /// These commits are visible again (an undo): their superseded captures are live, and supersede what stood for
    /// them. Gives those that have a capture.
    fn restore(&self, repo: &RepoId, oids: &[Oid]) -> Result<Vec<Oid>>;
    /// In any state.
    fn capture_of_commit(&self, repo: &RepoId, oid: &Oid) -> Result<Option<Capture>>;
    /// Live captures of commits with this patch, oldest first.
    fn live_captures_of_patch(&self, repo: &RepoId, patch_id: &str) -> Result<Vec<Capture>>;
    /// Live captures of versions of this change, oldest first.
    fn live_captures_of_change(&self, repo: &RepoId, change: &str) -> Result<Vec<Capture>>;
    /// Live captures of commits without a patch id, authored at `at` under this message, oldest first: candidates for
    /// the same work where the patch could not be compared.
    fn live_captures_alike(&self, repo: &RepoId, at: Timestamp, raw: &str) -> Result<Vec<Capture>>;
    /// Live notes of this repository authored in the half-open window, oldest first, the newest 20.
    fn notes_before(&self, repo: &RepoId, since: Timestamp, until: Timestamp) -> Result<Vec<NoteBefore>>;
    /// The next commit on `parent` carries these (a squash merge was prepared there). A later call replaces it.
    fn prepare_squash(&self, repo: &RepoId, parent: &Oid, oids: &[Oid], at: Timestamp) -> Result<()>;
    /// What `prepare_squash` kept for a commit on `parent`; empty if nothing.
    fn prepared_squash(&self, repo: &RepoId, parent: &Oid) -> Result<Vec<Oid>>;
    /// Which of these commits have a capture in any state, or were forgotten.
    fn captured_commits(&self, repo: &RepoId, oids: &[Oid]) -> Result<std::collections::HashSet<Oid>>;
    /// By full or shortened id, with or without hyphens.
    ///
    /// # Errors
    /// `NotFound`, `Ambiguous` with up to five candidates, `Corrupt` when its text fails its checksum.
    fn capture(&self, id_prefix: &str) -> Result<CaptureRecord>;
    /// What of the model's text was not kept, and why; nothing for most captures.
    fn faults(&self, id: CaptureId) -> Result<Vec<String>>;
    /// Why a model was asked, or none, with every term (JSON); absent where nothing was decided.
    fn decision(&self, id: CaptureId) -> Result<Option<String>>;
    /// Live captures whose template stands because a model was too slow, cold or out of reach (`deadline`, `cold`,
    /// `predicted_miss`, `breaker_open`, `refused`), captured since `since`, newest first. Those that were tried in vain
    /// at or after `tried_before` are left out, and those that were tried in vain twice for good.
    fn refinable(&self, since: Timestamp, tried_before: Timestamp, limit: usize) -> Result<Vec<Capture>>;
    /// The model's text takes the template's place; false where that stands no longer (edited by a person, superseded,
    /// forgotten, refined). Timing and tokens stay those of the capture, and so does whether it was on time.
    fn refine_capture(&self, id: CaptureId, refinement: &Refinement) -> Result<bool>;
    /// No better text came of asking again.
    fn refine_missed(&self, id: CaptureId, at: Timestamp) -> Result<()>;
    /// Newest first by author date. Damaged rows are left out and named by `problems`.
    fn captures(&self, query: &CaptureQuery) -> Result<Vec<Capture>>;
    /// Calls `each` for every record of every state, in the order they were stored (for export). Nothing is
    /// locked meanwhile. Damaged rows are left out and named by `problems`.
    fn each_record(&self, each: &mut dyn FnMut(CaptureRecord) -> Result<()>) -> Result<()>;
    /// Stores a foreign record unless its id or its unit of work is known or was forgotten; true when added.
    fn import_record(&self, record: &CaptureRecord) -> Result<bool> {
        Ok(self.import_records(std::slice::from_ref(record))? == 1)
    }
    /// As `import_record`, all of them or, where it fails, none; says how many were added.
    fn import_records(&self, records: &[CaptureRecord]) -> Result<u64>;
    /// Full text over raw, summary, subject, project and tags; best match first, 50 unless limited. Words are
    /// taken literally, all must occur, the last one may be a beginning; accents and case don't count.
    /// Where more than 2,000 captures match, the newest 2,000 are ranked.
    fn search(&self, words: &str, query: &CaptureQuery) -> Result<Vec<Capture>>;
    /// A person's words replace the summary (`by` human). Gives the new state.
    fn edit_capture(&self, id: CaptureId, summary: &str) -> Result<Capture>;
    /// A person had these commits skipped: they are forgotten before they were ever captured. Moves the position of the
    /// file that said so, in one transaction.
    fn skip_commits(&self, commits: &[(RepoId, Oid)], position: &SpoolPosition) -> Result<()>;
    /// Its id, by the full or a shortened one; its text is not looked at, so that a damaged one can be forgotten.
    ///
    /// # Errors
    /// `NotFound`, `Ambiguous`.
    fn capture_id(&self, id_prefix: &str) -> Result<CaptureId>;
    /// As `capture_id`, of one that was forgotten.
    ///
    /// # Errors
    /// `NotFound`, `Ambiguous`.
    fn forgotten_id(&self, id_prefix: &str) -> Result<CaptureId>;
    /// Removes it from captures, search, prompts and problems, with the drafts that were written from it, and
    /// [`Store::scrub`]s; the unit of work is not captured again by itself (see `Recorded::Forgotten`). With a note goes
    /// what was sent with it to a model about the commits it belonged to, and the sentence of their templates that
    /// quotes it. What could not be scrubbed is told, not an error: the capture is gone then, the mark [`FORGETTING`]
    /// set.
    fn forget_capture(&self, id: CaptureId, now: Timestamp) -> Result<Forgotten>;
    /// Overwrites what was deleted: the index of words, the database file and its log are written anew, all old copies
    /// of the store removed. Takes seconds with 100,000 captures, and holds up other writers for that long.
    fn scrub(&self) -> Scrubbed;
    /// How much room it takes.
    fn sizes(&self) -> Result<StoreSizes>;
    /// Live captures whose `captured_at` (not author date) lies in the half-open window.
    fn count_captures(&self, repo: Option<&RepoId>, since: Timestamp, until: Timestamp) -> Result<CaptureCounts>;
    /// What live captures come from: every repository, under the name that its newest capture has, and what was
    /// noted outside of any (the newest 1,000 notes), in the order of their names.
    fn origins(&self) -> Result<Vec<Origin>>;

    // ---- repositories
    /// Adds or updates it; the earliest `since` stays.
    fn register(&self, repo: &Registered) -> Result<()>;
    /// True when it was registered. Its captures stay; how far its reflogs were read is forgotten.
    fn unregister(&self, id: &RepoId) -> Result<bool>;
    fn registered(&self) -> Result<Vec<Registered>>;
    /// This one repository, if it is registered.
    fn registration(&self, id: &RepoId) -> Result<Option<Registered>>;
    /// The repository `old` lies elsewhere now: its captures, positions and open events become those of `new`, which
    /// is registered with `old`'s date.
    fn adopt(&self, old: &RepoId, new: &Registered) -> Result<()>;

    // ---- marks: small facts the program keeps for itself
    fn mark(&self, name: &str) -> Result<Option<String>>;
    /// `None` removes it.
    fn set_mark(&self, name: &str, value: Option<&str>) -> Result<()>;

    // ---- latency log
    fn log_operation(&self, operation: &Operation) -> Result<()>;
    /// One row per group, sorted by its names. `on_time_rate` counts operations that had a budget,
    /// `error_rate` those that asked a model; both are absent where there were none.
    fn latency(&self, since: Timestamp, grouping: LatencyGrouping) -> Result<Vec<LatencyRow>>;
    /// Removes what is older than `before`; gives how many. Captures and drafts never expire.
    fn expire(&self, what: Expiring, before: Timestamp) -> Result<u64>;

    // ---- token counts
    /// A server counted `tokens` for a prompt of so many bytes; older counts fade (`prompt::tokens::FADE`). Gives the sum.
    fn count_tokens(&self, endpoint: &str, model: &str, bytes: u64, tokens: u64) -> Result<Counts>;
    /// What was counted so far, by endpoint and model.
    fn token_counts(&self) -> Result<Vec<TokenCount>>;

    // ---- evidence
    /// How the models' texts since `since` were scored, and what people left of them: of the newest live captures and
    /// of drafts. Votes are not counted here. One of a model and role at most.
    fn evidence(&self, since: Timestamp) -> Result<Vec<WrittenBy>>;

    /// The answers since `since` that were judged, newest first, by the latency log: those whose text was kept, was not
    /// grounded, or could not be used. Looks at the newest 5,000 operations.
    fn judged_answers(&self, since: Timestamp) -> Result<Vec<JudgedAnswer>>;

    // ---- forecasts
    /// What was learned of each model. What cannot be read is left out: it will be learned anew.
    fn forecasts(&self) -> Result<Ledger>;
    /// Stores it in place of an earlier one of its key. Of more than `route::ledger::MOST` the oldest go.
    fn put_forecast(&self, entry: &Entry) -> Result<()>;

    // ---- drafts
    /// Queues it unless its key exists; true when added.
    fn queue_draft(&self, draft: &NewDraft, now: Timestamp) -> Result<bool>;
    /// Leases the oldest draft that is due: queued with `next_at` ≤ now, or leased with an expired lease.
    /// Claiming raises the attempt; one whose attempts are used up becomes `dead` instead.
    fn lease_draft(&self, now: Timestamp, until: Timestamp) -> Result<Option<Lease>>;
    /// Stores the text under the lease; `Conflict` when the attempt is no longer current. `written.note`
    /// is shown as the draft's `error`.
    fn finish_draft(&self, id: DraftId, attempt: u32, written: &Written, now: Timestamp) -> Result<()>;
    /// Gives the lease back after a failure: queued again at `next_at`, or `dead` when attempts are used up.
    fn fail_draft(&self, id: DraftId, attempt: u32, error: &str, next_at: Timestamp, now: Timestamp) -> Result<()>;
    /// By full or shortened id.
    fn draft(&self, id_prefix: &str) -> Result<Draft>;
    /// Newest period first. `project` is the name as it stands in the draft, or the repository's own without what
    /// tells it apart: `backend` is also `acme/backend` and `backend (acme-be)`.
    fn drafts(&self, state: Option<DraftState>, project: Option<&str>) -> Result<Vec<Draft>>;
    /// How many drafts there are in each state that has any. Reads no text.
    fn draft_counts(&self) -> Result<Vec<(DraftState, u64)>>;
    /// A person's text; allowed in `ready` and `accepted`. A later run never overwrites it.
    fn edit_draft(&self, id: DraftId, title: &str, body: &str, edit: Edit) -> Result<Draft>;
    /// Moves it on; `Conflict` (naming the state) when it is in none of `from`.
    fn move_draft(&self, id: DraftId, from: &[DraftState], to: DraftState, now: Timestamp) -> Result<Draft>;
    /// Back to `queued` with as many attempts as at first, from `dead`, `rejected` or `ready`; `Conflict` when a
    /// person edited it. `attempt` goes on rising, because it is the fencing token: `max_attempts` rises with it.
    fn retry_draft(&self, id: DraftId, now: Timestamp) -> Result<Draft>;

    // ---- health
    /// Things that went wrong and were repaired or skipped, newest first: (when, what, hint).
    fn problems(&self, since: Timestamp) -> Result<Vec<(Timestamp, String, String)>>;
    /// The same words again only move the time.
    fn note_problem(&self, at: Timestamp, what: &str, hint: &str) -> Result<()>;
    /// Forgets the problems with this hint that were last noted before `before`: they were mended then.
    fn settle_problems(&self, hint: &str, before: Timestamp) -> Result<()>;
}

/// Sources whose captures are rebuilt from git after a loss.
pub const REBUILDABLE: [Source; 4] = [Source::Hook, Source::Watch, Source::Reconcile, Source::Backfill];
