//! Erasure, retention, disk usage and reported faults of the store.

use std::path::PathBuf;

use jiff::Timestamp;

use super::Result;
use crate::domain::fragments::Fragments;
use crate::domain::id::{CaptureId, DraftId};

/// A removed file and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFile {
    pub path: PathBuf,
    pub bytes: u64,
}

/// A file that may still contain the forgotten text, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemainingFile {
    pub path: PathBuf,
    pub why: String,
    /// Another program made it: a retry would change nothing.
    pub foreign: bool,
}

/// Rows removed together with a forgotten capture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForgetReport {
    /// The capture, and those that it had replaced.
    pub ids: Vec<CaptureId>,
    /// Drafts written from it.
    pub drafts: Vec<DraftId>,
    /// Captures with the same statement in their own words; they stay.
    pub repeated_by: Vec<CaptureId>,
    /// Its text fragments, to find them elsewhere.
    pub fragments: Fragments,
    pub scrubbed: ScrubReport,
}

/// File clean-up after a capture was forgotten, so that no byte of it stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Old copies of the store.
    pub copies: Vec<StoreFile>,
    pub remaining: Vec<RemainingFile>,
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
pub enum ExpiringData {
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

/// Erasure, retention and disk usage.
pub trait MaintenanceStore: Send + Sync {
    /// Removes the capture from captures, search, prompts and problems, with the drafts written from it, and
    /// [`MaintenanceStore::scrub`]s; the unit of work is not captured again automatically (see `Recorded::ForgetReport`). For a note,
    /// also removes prompts about its commits that contained it, and the template sentence that quotes it. An
    /// incomplete scrub is reported, not an error: the capture is gone then, and the mark [`FORGETTING`] is set.
    fn forget_capture(&self, id: CaptureId, now: Timestamp) -> Result<ForgetReport>;
    /// Overwrites deleted content: rewrites the full-text index, the database file and its WAL, and removes all old
    /// copies of the store. Takes seconds with 100,000 captures, and blocks other writers for that long.
    fn scrub(&self) -> ScrubReport;
    /// Disk usage.
    fn sizes(&self) -> Result<StoreSizes>;
    /// Removes rows older than `before`; returns how many. Captures and drafts never expire.
    fn expire(&self, what: ExpiringData, before: Timestamp) -> Result<u64>;
}

/// Faults that were repaired or skipped, as `status` lists them.
pub trait ProblemLog: Send + Sync {
    /// Faults that were repaired or skipped, newest first: (when, what, hint).
    fn problems(&self, since: Timestamp) -> Result<Vec<(Timestamp, String, String)>>;
    /// Records a problem; the same text again only updates the time.
    fn note_problem(&self, at: Timestamp, what: &str, hint: &str) -> Result<()>;
    /// Removes the problems with this hint last noted before `before`: they were fixed then.
    fn resolve_problems(&self, hint: &str, before: Timestamp) -> Result<()>;
}
