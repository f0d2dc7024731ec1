//! Persistent store: one small trait per use, `Store` as their sum, and the SQLite implementation. A backend implements
//! the small traits; the conformance suite checks all of them.

mod archive;
mod captures;
#[cfg(test)]
pub mod conformance;
mod drafts;
mod events;
mod latency;
mod maintenance;
mod repositories;
mod router;
#[cfg(test)]
pub mod samples;
pub mod sqlite;

pub use archive::{CaptureArchive, CaptureCounts, CaptureQuery, CaptureRecord};
pub use captures::{CaptureStore, FinalCapture, NoteWithCommits, RecordOutcome, Refinement, RefinementStore};
pub use drafts::{DraftQuery, DraftQueue, Lease, NewDraft, WrittenDraft};
pub use events::{EventStore, SpoolPosition};
pub use latency::{LatencyGrouping, LatencyRow, OperationLog, PrefetchRow};
pub use maintenance::{
    ExpiringData, FORGETTING, ForgetReport, MaintenanceStore, ProblemLog, RemainingFile, ScrubReport, StoreFile,
    StoreSizes,
};
pub use repositories::{MarkStore, RegisteredRepo, RepositoryStore};
pub use router::{JudgedAnswer, ModelEvidence, RouterState, TokenCount};

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

/// All persistent data. Calls are short (µs to a few ms) and synchronous; async callers wrap them in `spawn_blocking`.
/// No transaction stays open across calls.
pub trait Store:
    EventStore
    + CaptureStore
    + RefinementStore
    + CaptureArchive
    + MaintenanceStore
    + ProblemLog
    + RepositoryStore
    + RouterState
    + DraftQueue
    + OperationLog
{
}

impl<
    T: EventStore
        + CaptureStore
        + RefinementStore
        + CaptureArchive
        + MaintenanceStore
        + ProblemLog
        + RepositoryStore
        + RouterState
        + DraftQueue
        + OperationLog,
> Store for T
{
}
