//! Captures as the pipeline writes them: unit of work, supersession, later refinement.

use jiff::Timestamp;

use super::Result;
use crate::domain::capture::{Capture, ModelOutcome, Quality};
use crate::domain::id::{CaptureId, Oid, RepoId};
use crate::domain::operation::Operation;

/// The result of `record_capture`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordOutcome {
    /// Stored; it is the live capture of its unit of work.
    New,
    /// The unit of work already has this live capture; nothing was added.
    Known(CaptureId),
    /// The user had it forgotten; nothing was added. Only a capture with source `manual` restores it.
    Forgotten,
}

/// A note, and the commits with live captures that list it.
#[derive(Debug, Clone, PartialEq)]
pub struct NoteWithCommits {
    pub note: Capture,
    pub commits: Vec<Oid>,
}

/// A capture that is final on arrival.
#[derive(Debug, Clone, PartialEq)]
pub struct FinalCapture {
    pub capture: Capture,
    /// The template text, kept where the capture carries another one.
    pub template: String,
    pub operation: Operation,
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

/// Recording of captures: one live capture per unit of work.
pub trait CaptureStore: Send + Sync {
    /// Stores a capture with its template text and closes `event`, in one transaction. A capture of the same
    /// (repository, commit) makes it `UnitState`. The captures in `capture.supersedes` become superseded. Whether two
    /// commits with one patch are the same work is decided by the caller, because only git knows their ancestry: see
    /// `live_captures_of_patch`. Notes are durable against power loss once this returns; commits only against a kill,
    /// because git still has them.
    fn record_capture(&self, capture: &Capture, event: Option<i64>) -> Result<RecordOutcome>;
    /// Same as `record_capture`, for one that needs no model: capture, template and log entry in one transaction.
    /// `finished` is called once the write lock is held: its timing includes the wait for other writers.
    fn record_final(&self, finished: &dyn Fn() -> FinalCapture, event: Option<i64>) -> Result<RecordOutcome>;
    /// Same as `record_final`, for a commit discovered only after the commit `newer` that replaces it: its capture is
    /// superseded from the start.
    fn record_replaced(
        &self,
        finished: &dyn Fn() -> FinalCapture,
        newer: &Oid,
        event: Option<i64>,
    ) -> Result<RecordOutcome>;
    /// A late hook report for a capture that a watcher or a sweep recorded at or after `since`: sets its source to the
    /// hook. Applies to the capture of this commit; where the hook could not name one, to the oldest such capture of
    /// the repository. False when there is none.
    fn credit_hook(&self, repo: &RepoId, oid: Option<&Oid>, since: Timestamp) -> Result<bool>;
    /// Applies the model stage's result to a pending capture; false when it is no longer pending (finished, edited by
    /// the user, forgotten). The template text is kept beside the model's. `outcome` is called once the write lock is
    /// held: its timing includes the wait for other writers.
    fn finish_capture(&self, id: CaptureId, outcome: &dyn Fn() -> ModelOutcome) -> Result<bool>;
    /// Finalises orphaned pending captures (budget ended before `before`): template, reason `deadline`, late where they
    /// had a budget, with a total that ends at `now`. Returns their number.
    fn finish_abandoned(&self, before: Timestamp, now: Timestamp) -> Result<u64>;
    /// Records that `old` was rewritten as `new`: when both have captures, the old one becomes superseded. Repeating
    /// it, or stating the opposite later, changes nothing.
    fn supersede_commit(&self, repo: &RepoId, old: &Oid, new: &Oid) -> Result<()>;
    /// These commits are visible again (an undo): their superseded captures become live and supersede their
    /// replacements. Returns the commits that have a capture.
    fn restore_captures(&self, repo: &RepoId, oids: &[Oid]) -> Result<Vec<Oid>>;
    /// In any state.
    fn capture_of_commit(&self, repo: &RepoId, oid: &Oid) -> Result<Option<Capture>>;
    /// Live captures of commits with this patch, oldest first.
    fn live_captures_of_patch(&self, repo: &RepoId, patch_id: &str) -> Result<Vec<Capture>>;
    /// Live captures of versions of this change, oldest first.
    fn live_captures_of_change(&self, repo: &RepoId, change: &str) -> Result<Vec<Capture>>;
    /// Live captures of commits without a patch id, authored at `at` with this message, oldest first: candidates for
    /// the same work where patches cannot be compared.
    fn live_captures_without_patch(&self, repo: &RepoId, at: Timestamp, raw: &str) -> Result<Vec<Capture>>;
    /// Live notes of this repository authored in the half-open window, oldest first, the newest 20.
    fn notes_before(&self, repo: &RepoId, since: Timestamp, until: Timestamp) -> Result<Vec<NoteWithCommits>>;
    /// Stores that the next commit on `parent` combines these (a prepared squash merge). A later call replaces it.
    fn prepare_squash(&self, repo: &RepoId, parent: &Oid, oids: &[Oid], at: Timestamp) -> Result<()>;
    /// The commits that `prepare_squash` stored for `parent`; empty if none.
    fn prepared_squash(&self, repo: &RepoId, parent: &Oid) -> Result<Vec<Oid>>;
    /// Which of these commits have a capture in any state, or were forgotten.
    fn captured_commits(&self, repo: &RepoId, oids: &[Oid]) -> Result<std::collections::HashSet<Oid>>;
}

/// Replacement of templates by a model's text, without a deadline.
pub trait RefinementStore: Send + Sync {
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
    fn record_failed_refinement(&self, id: CaptureId, at: Timestamp) -> Result<()>;
}
