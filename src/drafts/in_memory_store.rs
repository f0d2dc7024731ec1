//! In-memory draft store for tests, with the store's rules of leasing and fencing, and faults on demand.

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;

use crate::domain::capture::Capture;
use crate::domain::draft::{Draft, DraftState};
use crate::domain::id::DraftId;
use crate::domain::operation::Operation;
use crate::domain::project::ProjectOrigin;
use crate::drafts::{period, sample};
use crate::store::{CaptureQuery, Lease, NewDraft, Result, StoreError, WrittenDraft};

use super::store::DraftStore;

#[derive(Debug, Default)]
pub struct Rows {
    pub captures: Vec<Capture>,
    pub drafts: Vec<Draft>,
    pub leased_until: Vec<(DraftId, Timestamp)>,
    pub operations: Vec<Operation>,
    /// Reading the captures of this project fails.
    pub unreadable: Option<String>,
    /// The next so many `finish_draft` calls find the disk full.
    pub full_for: u32,
    /// Returning a draft to the queue fails as well.
    pub cannot_fail: bool,
}

#[derive(Debug, Clone, Default)]
pub struct InMemoryDraftStore(Arc<Mutex<Rows>>);

impl InMemoryDraftStore {
    pub fn with(captures: Vec<Capture>) -> Self {
        Self(Arc::new(Mutex::new(Rows { captures, ..Rows::default() })))
    }

    pub fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap()
    }

    /// Drafts as "kind state attempt", by queueing order.
    pub fn states(&self) -> Vec<String> {
        let words = |d: &Draft| format!("{} {} {}", d.kind.as_str(), d.state.as_str(), d.attempt);
        self.rows().drafts.iter().map(words).collect()
    }

    fn update_leased<T>(&self, id: DraftId, attempt: u32, change: impl FnOnce(&mut Draft) -> T) -> Result<T> {
        let mut rows = self.rows();
        let draft = rows.drafts.iter_mut().find(|draft| draft.id == id).unwrap();
        if draft.attempt != attempt || draft.state != DraftState::Leased {
            return Err(StoreError::Conflict(format!("attempt {attempt} is stale")));
        }
        Ok(change(draft))
    }
}

impl DraftStore for InMemoryDraftStore {
    fn captures(&self, query: &CaptureQuery) -> Result<Vec<Capture>> {
        let rows = self.rows();
        if rows.unreadable.is_some() && rows.unreadable == query.project {
            return Err(StoreError::Corrupt("bad page".into()));
        }
        let wanted = |capture: &&Capture| {
            let repo = capture.repo.as_ref().map(|repo| &repo.id);
            query.project.as_ref().is_none_or(|project| *project == capture.project)
                && query.repo.as_ref().is_none_or(|wanted| Some(wanted) == repo)
                && !(query.outside && repo.is_some())
                && query.captured_since.is_none_or(|since| capture.captured_at >= since)
                && query.since.is_none_or(|since| capture.at >= since)
                && query.until.is_none_or(|until| capture.at < until)
        };
        Ok(rows.captures.iter().rev().filter(wanted).cloned().collect())
    }

    fn origins(&self) -> Result<Vec<ProjectOrigin>> {
        let mut origins: Vec<ProjectOrigin> = Vec::new();
        for capture in &self.rows().captures {
            let origin = ProjectOrigin { project: capture.project.clone(), repo: capture.repo.clone() };
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        Ok(origins)
    }

    fn drafts(&self) -> Result<Vec<Draft>> {
        Ok(self.rows().drafts.clone())
    }

    fn queue_draft(&self, new: &NewDraft, now: Timestamp) -> Result<bool> {
        let mut rows = self.rows();
        let same =
            |d: &Draft| d.kind == new.kind && d.project == new.project && d.repo == new.repo && d.period == new.period;
        if rows.drafts.iter().any(same) {
            return Ok(false);
        }
        rows.drafts.push(Draft { next_at: Some(now), ..sample::draft(new) });
        Ok(true)
    }

    fn retry_draft(&self, id: DraftId, now: Timestamp) -> Result<Draft> {
        let mut rows = self.rows();
        let draft = rows.drafts.iter_mut().find(|draft| draft.id == id).unwrap();
        if draft.state != DraftState::Ready {
            return Err(StoreError::Conflict("not ready".to_owned()));
        }
        (draft.state, draft.attempt, draft.next_at) = (DraftState::Queued, 0, Some(now));
        Ok(draft.clone())
    }

    fn lease_draft(&self, now: Timestamp, until: Timestamp) -> Result<Option<Lease>> {
        let rows = &mut *self.rows();
        for draft in &mut rows.drafts {
            let expired = rows.leased_until.iter().any(|(id, until)| *id == draft.id && *until <= now);
            let due = match draft.state {
                DraftState::Queued => draft.next_at.is_some_and(|at| at <= now),
                DraftState::Leased => expired,
                _ => false,
            };
            if due && draft.attempt >= draft.max_attempts {
                draft.state = DraftState::Dead;
            } else if due {
                (draft.state, draft.attempt) = (DraftState::Leased, draft.attempt + 1);
                rows.leased_until.retain(|(id, _)| *id != draft.id);
                rows.leased_until.push((draft.id, until));
                return Ok(Some(Lease { attempt: draft.attempt, draft: draft.clone(), until }));
            }
        }
        Ok(None)
    }

    fn finish_draft(&self, id: DraftId, attempt: u32, written: &WrittenDraft, now: Timestamp) -> Result<()> {
        if self.rows().full_for > 0 {
            self.rows().full_for -= 1;
            return Err(StoreError::Full("no space left".into()));
        }
        self.update_leased(id, attempt, |draft| {
            (draft.state, draft.sources) = (DraftState::Ready, written.sources.clone());
            if draft.edit.is_some() {
                return;
            }
            (draft.title, draft.body) = (written.title.clone(), written.body.clone());
            draft.model.clone_from(&written.model);
            (draft.error, draft.finished_at) = (written.note.clone(), Some(now));
            draft.quality.clone_from(&written.quality);
        })
    }

    fn fail_draft(&self, id: DraftId, attempt: u32, error: &str, next_at: Timestamp, _: Timestamp) -> Result<()> {
        if self.rows().cannot_fail {
            return Err(StoreError::Full("no space left".into()));
        }
        self.update_leased(id, attempt, |draft| {
            let dead = draft.attempt >= draft.max_attempts;
            draft.state = if dead { DraftState::Dead } else { DraftState::Queued };
            (draft.error, draft.next_at) = (Some(error.to_owned()), Some(next_at));
        })
    }

    fn log_operation(&self, operation: &Operation) -> Result<()> {
        self.rows().operations.push(operation.clone());
        Ok(())
    }
}

impl InMemoryDraftStore {
    /// Number of captures in a draft's period, for checking its sources.
    pub fn in_period(&self, draft: &Draft) -> usize {
        let rows = self.rows();
        rows.captures.iter().filter(|c| c.project == draft.project && period::contains(&draft.period, c.at)).count()
    }
}
