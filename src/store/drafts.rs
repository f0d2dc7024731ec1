//! Draft queue: leases with fencing tokens, and the drafts themselves.

use jiff::Timestamp;

use super::Result;
use crate::domain::capture::{Quality, RepoRef};
use crate::domain::draft::{Draft, DraftEdit, DraftKind, DraftState, DraftVersion, Period};
use crate::domain::id::{CaptureId, DraftId};

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
pub struct WrittenDraft {
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

/// Filter for drafts. Absent fields mean no restriction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftQuery {
    pub state: Option<DraftState>,
    /// Only those that the user has neither rejected nor published.
    pub open: bool,
    /// The name in the draft, or the repository's own without its distinguishing part: `backend` also matches
    /// `acme/backend` and `backend (acme-be)`.
    pub project: Option<String>,
    /// At most this many.
    pub limit: Option<usize>,
}

/// Queue of drafts. Writes of a worker carry its fencing token.
pub trait DraftQueue: Send + Sync {
    /// Enqueues it unless its key exists; true when added.
    fn queue_draft(&self, draft: &NewDraft, now: Timestamp) -> Result<bool>;
    /// Leases the oldest due draft: queued with `next_at` ≤ now, or leased with an expired lease. Claiming raises the
    /// attempt; one without attempts left becomes `dead` instead.
    fn lease_draft(&self, now: Timestamp, until: Timestamp) -> Result<Option<Lease>>;
    /// Stores the text under the lease, and as a version; `Conflict` when the attempt is no longer current.
    /// `written.note` is shown as the draft's `error`. Where the user has edited the text, it stays, and the new one is
    /// a version beside it. A text that equals the last written one is no new version.
    fn finish_draft(&self, id: DraftId, attempt: u32, written: &WrittenDraft, now: Timestamp) -> Result<()>;
    /// Releases the lease after a failure: queued again at `next_at`; when attempts are used up `dead`, or `ready` with
    /// the text that the user edited.
    fn fail_draft(&self, id: DraftId, attempt: u32, error: &str, next_at: Timestamp, now: Timestamp) -> Result<()>;
    /// By full or shortened id.
    fn draft(&self, id_prefix: &str) -> Result<Draft>;
    /// Newest period first.
    fn drafts(&self, query: &DraftQuery) -> Result<Vec<Draft>>;
    /// All texts of a draft, oldest first; empty before the first one is written.
    fn draft_versions(&self, id: DraftId) -> Result<Vec<DraftVersion>>;
    /// Number of drafts per state. Reads no text.
    fn draft_counts(&self) -> Result<Vec<(DraftState, u64)>>;
    /// Stores the user's text as a new version; `Conflict` unless the draft is acceptable or accepted. A later run never
    /// overwrites it. `from` is the version that the user changed, `text` title and body, `edit` the sum of all edits of
    /// this text.
    fn edit_draft(&self, id: DraftId, from: u32, text: (&str, &str), edit: DraftEdit, now: Timestamp) -> Result<Draft>;
    /// Makes a copy of an earlier version the draft's text; allowed as `edit_draft`. A written text counts as unedited
    /// again.
    ///
    /// # Errors
    /// `NotFound` when the draft has no such version.
    fn restore_version(&self, id: DraftId, number: u32, now: Timestamp) -> Result<Draft>;
    /// Changes the state; `Conflict` (naming the state) when it is in none of `from`.
    fn move_draft(&self, id: DraftId, from: &[DraftState], to: DraftState, now: Timestamp) -> Result<Draft>;
    /// Back to `queued` with the initial number of attempts, from `dead`, `rejected` or `ready`. `attempt` keeps rising, because it is the fencing token: `max_attempts` rises with it.
    fn retry_draft(&self, id: DraftId, now: Timestamp) -> Result<Draft>;
}
