//! The batch's port to the store: the draft queue's calls, so that tests can run on one in memory.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::capture::Capture;
use crate::domain::draft::Draft;
use crate::domain::id::DraftId;
use crate::domain::operation::Operation;
use crate::domain::project::ProjectOrigin;
use crate::store::{CaptureQuery, DraftQuery, Lease, NewDraft, Result, Store, WrittenDraft};

/// The draft calls of the store, documented there.
#[expect(missing_docs, reason = "documented at the traits of `store`")]
pub trait DraftStore: Send + Sync {
    fn captures(&self, query: &CaptureQuery) -> Result<Vec<Capture>>;
    fn origins(&self) -> Result<Vec<ProjectOrigin>>;
    fn drafts(&self) -> Result<Vec<Draft>>;
    fn queue_draft(&self, draft: &NewDraft, now: Timestamp) -> Result<bool>;
    fn retry_draft(&self, id: DraftId, now: Timestamp) -> Result<Draft>;
    fn lease_draft(&self, now: Timestamp, until: Timestamp) -> Result<Option<Lease>>;
    fn finish_draft(&self, id: DraftId, attempt: u32, written: &WrittenDraft, now: Timestamp) -> Result<()>;
    fn fail_draft(&self, id: DraftId, attempt: u32, error: &str, next_at: Timestamp, now: Timestamp) -> Result<()>;
    fn log_operation(&self, operation: &Operation) -> Result<()>;
}

impl DraftStore for Arc<dyn Store> {
    fn captures(&self, query: &CaptureQuery) -> Result<Vec<Capture>> {
        self.as_ref().captures(query)
    }

    fn origins(&self) -> Result<Vec<ProjectOrigin>> {
        self.as_ref().origins()
    }

    fn drafts(&self) -> Result<Vec<Draft>> {
        self.as_ref().drafts(&DraftQuery::default())
    }

    fn queue_draft(&self, draft: &NewDraft, now: Timestamp) -> Result<bool> {
        self.as_ref().queue_draft(draft, now)
    }

    fn retry_draft(&self, id: DraftId, now: Timestamp) -> Result<Draft> {
        self.as_ref().retry_draft(id, now)
    }

    fn lease_draft(&self, now: Timestamp, until: Timestamp) -> Result<Option<Lease>> {
        self.as_ref().lease_draft(now, until)
    }

    fn finish_draft(&self, id: DraftId, attempt: u32, written: &WrittenDraft, now: Timestamp) -> Result<()> {
        self.as_ref().finish_draft(id, attempt, written, now)
    }

    fn fail_draft(&self, id: DraftId, attempt: u32, error: &str, next_at: Timestamp, now: Timestamp) -> Result<()> {
        self.as_ref().fail_draft(id, attempt, error, next_at, now)
    }

    fn log_operation(&self, operation: &Operation) -> Result<()> {
        self.as_ref().log_operation(operation)
    }
}
