//! Captures as people read them: list, search, export, edit.

use jiff::Timestamp;

use super::Result;
use crate::domain::capture::{Capture, CaptureKind};
use crate::domain::id::{CaptureId, RepoId};
use crate::domain::project::ProjectOrigin;

/// Filter for captures. Absent fields mean no restriction.
#[derive(Debug, Clone, Default)]
pub struct CaptureQuery {
    pub project: Option<String>,
    pub repo: Option<RepoId>,
    /// Only those outside any repository.
    pub outside: bool,
    pub kind: Option<CaptureKind>,
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

/// Reading, editing, export and import of stored captures.
pub trait CaptureArchive: Send + Sync {
    /// By full or shortened id, with or without hyphens.
    ///
    /// # Errors
    /// `NotFound`, `Ambiguous` with up to five candidates, `Corrupt` when its text fails its checksum.
    fn capture(&self, id_prefix: &str) -> Result<CaptureRecord>;
    /// The dropped parts of the model's text, with reasons; `None` for most captures.
    fn faults(&self, id: CaptureId) -> Result<Vec<String>>;
    /// Newest first by author date. Damaged rows are omitted and listed by `problems`.
    fn captures(&self, query: &CaptureQuery) -> Result<Vec<Capture>>;
    /// Calls `each` for every record in any state, in storage order (for export). Holds no lock meanwhile. Damaged rows
    /// are omitted and listed by `problems`.
    fn each_record(&self, each: &mut dyn FnMut(CaptureRecord) -> Result<()>) -> Result<()>;
    /// Imports foreign records, all or nothing, except those whose id or unit of work is known or was forgotten; returns
    /// the number added.
    fn import_records(&self, records: &[CaptureRecord]) -> Result<u64>;
    /// Full text over raw, summary, subject, project and tags; best match first, 50 unless limited. Words are taken
    /// literally, all must occur, the last one may be a prefix; accents and case are ignored. With more than 2,000
    /// matches the newest 2,000 are ranked.
    fn search(&self, words: &str, query: &CaptureQuery) -> Result<Vec<Capture>>;
    /// The user's text replaces the summary (`by` human). Returns the new state.
    fn edit_capture(&self, id: CaptureId, summary: &str) -> Result<Capture>;
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
    /// Live captures with `captured_at` (not author date) in the half-open window.
    fn count_captures(&self, repo: Option<&RepoId>, since: Timestamp, until: Timestamp) -> Result<CaptureCounts>;
    /// The sources of live captures: every repository, under the name in its newest capture, and the projects of notes
    /// outside any repository (the newest 1,000 notes), sorted by name.
    fn origins(&self) -> Result<Vec<ProjectOrigin>>;
}
