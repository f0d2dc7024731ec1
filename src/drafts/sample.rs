//! Drafts for tests.

use crate::domain::clock::SystemClock;
use crate::domain::draft::{Draft, DraftState};
use crate::domain::id::DraftId;
use crate::store::NewDraft;

/// The row that the store makes of `new`.
pub fn draft(new: &NewDraft) -> Draft {
    Draft {
        id: DraftId::fresh(&SystemClock),
        kind: new.kind,
        project: new.project.clone(),
        repo: new.repo.clone(),
        period: new.period,
        state: DraftState::Queued,
        attempt: 0,
        max_attempts: new.max_attempts,
        next_at: Some(new.period.to),
        model: None,
        title: String::new(),
        body: String::new(),
        format: String::new(),
        sources: Vec::new(),
        edit: None,
        quality: None,
        error: None,
        created_at: new.period.to,
        finished_at: None,
    }
}
