//! Draft batch: queues due drafts, then writes them one by one under a lease with a fencing token.
//!
//! No transaction is open while a model writes. An interrupted run leaves a lease that expires; a repeated run queues
//! nothing twice and overwrites no text of a user.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::config::DraftsConfig;
use crate::domain::capture::Capture;
use crate::domain::draft::{Draft, DraftKind, DraftState};
use crate::domain::project::ProjectLabels;
use crate::domain::role::Role;
use crate::drafts::{backoff, lease, plan};
use crate::publish::prose::usual_length;
use crate::store::{CaptureQuery, Lease, StoreError};

use super::lease_guard::DraftLeaseGuard;
use super::store::DraftStore;
use super::writer::{self, DraftResult, DraftWriter};

/// Limits of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchBounds {
    /// Most drafts to write.
    pub limit: Option<usize>,
    /// No draft is begun after this, and a model that still writes is cut off.
    pub until: Option<Instant>,
    /// Most drafts to queue; `plan::DEFAULT_CAP` when absent.
    pub cap: Option<usize>,
}

/// Dependencies of a run beside the writer.
pub struct DraftBatch<'a, S> {
    pub shelf: S,
    pub writer: DraftWriter<'a>,
    pub config: &'a DraftsConfig,
    pub bounds: BatchBounds,
    /// Random numbers in 0..1, for the backoff.
    pub chance: &'a (dyn Fn() -> f64 + Sync),
    /// Called at every step.
    pub progress: &'a (dyn Fn(&Step) + Sync),
}

impl<S> std::fmt::Debug for DraftBatch<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DraftBatch").field("writer", &self.writer).field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

/// Progress event.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Queued {
        new: usize,
        rewritten: usize,
        left_out: usize,
    },
    Started(Draft),
    /// Written; `note` says why not by a model, or not with the user's own template.
    Written {
        draft: Draft,
        model: Option<String>,
        note: Option<String>,
    },
    /// Returned to the queue, to be retried.
    Failed {
        draft: Draft,
        error: String,
    },
    /// Another process holds the lease now; the text written here was dropped.
    TakenOver(Draft),
}

/// Result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchReport {
    pub queued: usize,
    /// Ready drafts that were queued again because their captures had changed.
    pub rewritten: usize,
    /// Due, but beyond the cap of one run.
    pub left_out: usize,
    pub by_model: usize,
    pub by_template: usize,
    pub failed: usize,
    pub taken_over: usize,
}

/// Fewer accepted drafts say nothing about their author's habits.
const LEAST_ACCEPTED: usize = 3;

/// After this many failures in a row, a role is not asked again in the same run.
const GIVE_UP: u32 = 2;

/// Queues due drafts and writes all queued ones, within the bounds.
///
/// # Errors
/// The store's, when it fails in a way that the next draft would meet as well. Written drafts stay stored.
pub async fn run_drafts<S: DraftStore + Clone + 'static>(batch: &DraftBatch<'_, S>) -> Result<BatchReport, StoreError> {
    let mut run = BatchRun { batch, report: BatchReport::default(), failures: HashMap::new(), lengths: HashMap::new() };
    run.queue().await?;
    run.write_all().await?;
    Ok(run.report)
}

struct BatchRun<'a, 'n, S> {
    batch: &'a DraftBatch<'n, S>,
    report: BatchReport,
    /// Per role: failures in a row, and the last one's message.
    failures: HashMap<Role, (u32, String)>,
    /// Usual words of a paragraph in the texts of a kind that the user edited and accepted.
    lengths: HashMap<DraftKind, u32>,
}

impl<S: DraftStore + Clone + 'static> BatchRun<'_, '_, S> {
    fn now(&self) -> Timestamp {
        self.batch.writer.clock.now()
    }

    /// A store call off the async threads.
    async fn shelf<T: Send + 'static>(
        &self,
        call: impl FnOnce(&S) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.batch.shelf.clone();
        tokio::task::spawn_blocking(move || call(&store)).await.map_err(|gone| StoreError::Other(gone.into()))?
    }

    async fn queue(&mut self) -> Result<(), StoreError> {
        let (now, cap) = (self.now(), self.batch.bounds.cap.unwrap_or(plan::DEFAULT_CAP));
        let recent = CaptureQuery { captured_since: Some(now - plan::LOOK_BACK), ..CaptureQuery::default() };
        let read =
            move |store: &S| Ok((store.captures(&recent)?, store.drafts()?, ProjectLabels::of(store.origins()?)));
        let (captures, drafts, names) = self.shelf(read).await?;
        let plan = plan::plan(&captures, (&drafts, &names), self.batch.config, &self.batch.writer.zone, now, cap);
        drop(captures);
        self.lengths = accepted_lengths(&drafts);
        self.report.left_out = plan.left_out;
        for new in plan.queue {
            self.report.queued += usize::from(self.shelf(move |shelf| shelf.queue_draft(&new, now)).await?);
        }
        for draft in plan.recheck {
            self.requeue_if_outdated(draft, now).await?;
        }
        let BatchReport { queued: new, rewritten, left_out, .. } = self.report;
        (self.batch.progress)(&Step::Queued { new, rewritten, left_out });
        Ok(())
    }

    async fn requeue_if_outdated(&mut self, draft: Draft, now: Timestamp) -> Result<(), StoreError> {
        let requeue = move |store: &S| {
            let captures = store.captures(&writer::sources(&draft))?;
            if captures.is_empty() || !plan::is_outdated(&draft, &captures) {
                return Ok(false);
            }
            match store.retry_draft(draft.id, now) {
                Ok(_) => Ok(true),
                // The user decided on it first: the draft stays as it is.
                Err(StoreError::Conflict(_) | StoreError::NotFound { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        };
        self.report.rewritten += usize::from(self.shelf(requeue).await?);
        Ok(())
    }

    async fn write_all(&mut self) -> Result<(), StoreError> {
        let mut taken = 0;
        while self.batch.bounds.limit.is_none_or(|limit| taken < limit) && !self.is_over() {
            let now = self.now();
            let until = now + SignedDuration::try_from(lease::duration()).unwrap_or(SignedDuration::from_mins(11));
            let Some(lease) = self.shelf(move |shelf| shelf.lease_draft(now, until)).await? else { break };
            taken += 1;
            self.write_one(lease).await?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.batch.bounds.until.is_some_and(|until| self.batch.writer.clock.instant() >= until)
    }

    async fn write_one(&mut self, lease: Lease) -> Result<(), StoreError> {
        let (draft, attempt) = (lease.draft, lease.attempt);
        (self.batch.progress)(&Step::Started(draft.clone()));
        let held = DraftLeaseGuard::new(&self.batch.shelf, self.batch.writer.clock, draft.id, attempt);
        let query = writer::sources(&draft);
        let outcome = match self.shelf(move |shelf| shelf.captures(&query)).await {
            Ok(captures) => self.write_and_store(&draft, attempt, captures).await,
            Err(error) => Err(error),
        };
        let step = match outcome {
            Ok(step) => step,
            Err(StoreError::Conflict(_)) => Step::TakenOver(draft.clone()),
            Err(error) => self.give_back(&draft, attempt, &error).await?,
        };
        held.let_go();
        self.count(&step);
        (self.batch.progress)(&step);
        Ok(())
    }

    async fn write_and_store(
        &mut self,
        draft: &Draft,
        attempt: u32,
        captures: Vec<Capture>,
    ) -> Result<Step, StoreError> {
        let DraftResult { written, operation, failure } = self.write(draft, oldest_first(captures)).await;
        let role = draft.kind.role();
        match failure {
            Some(words) => {
                let times = self.failures.get(&role).map_or(0, |(times, _)| *times);
                self.failures.insert(role, (times + 1, words));
            }
            None if written.model.is_some() => drop(self.failures.remove(&role)),
            None => {}
        }
        let (id, now) = (draft.id, self.now());
        let step = Step::Written { draft: draft.clone(), model: written.model.clone(), note: written.note.clone() };
        self.shelf(move |shelf| {
            shelf.finish_draft(id, attempt, &written, now)?;
            // The draft is safe; a full latency log must not cost it.
            shelf.log_operation(&operation).or(Ok(()))
        })
        .await?;
        Ok(step)
    }

    async fn write(&self, draft: &Draft, captures: Arc<[Capture]>) -> DraftResult {
        let (writer, length) = (&self.batch.writer, self.lengths.get(&draft.kind).copied());
        match self.failures.get(&draft.kind.role()) {
            Some((times, words)) if *times >= GIVE_UP => {
                let model = Err(format!("not asked again after it failed {times} times in this run: {words}"));
                let without = DraftWriter { model, zone: writer.zone.clone(), ..*writer };
                without.write(draft, captures, length, self.batch.bounds.until).await
            }
            _ => writer.write(draft, captures, length, self.batch.bounds.until).await,
        }
    }

    /// Returns the draft to the queue with a backoff; when that fails too, the run ends.
    async fn give_back(&self, draft: &Draft, attempt: u32, error: &StoreError) -> Result<Step, StoreError> {
        let words = with_causes(error);
        let (id, now) = (draft.id, self.now());
        let wait = backoff::full_jitter(attempt, (self.batch.chance)());
        let (text, next_at) =
            (words.clone(), now + SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(1)));
        match self.shelf(move |shelf| shelf.fail_draft(id, attempt, &text, next_at, now)).await {
            Ok(()) => Ok(Step::Failed { draft: draft.clone(), error: words }),
            Err(StoreError::Conflict(_)) => Ok(Step::TakenOver(draft.clone())),
            Err(error) => Err(error),
        }
    }

    fn count(&mut self, step: &Step) {
        let report = &mut self.report;
        *match step {
            Step::Written { model: Some(_), .. } => &mut report.by_model,
            Step::Written { model: None, .. } => &mut report.by_template,
            Step::Failed { .. } => &mut report.failed,
            Step::TakenOver(_) => &mut report.taken_over,
            Step::Queued { .. } | Step::Started(_) => return,
        } += 1;
    }
}

/// Per kind, from three accepted drafts with edits on.
fn accepted_lengths(drafts: &[Draft]) -> HashMap<DraftKind, u32> {
    let mut bodies: HashMap<DraftKind, Vec<&str>> = HashMap::new();
    let is_accepted =
        |draft: &&Draft| matches!(draft.state, DraftState::Accepted | DraftState::Published) && draft.edit.is_some();
    for draft in drafts.iter().filter(is_accepted) {
        bodies.entry(draft.kind).or_default().push(&draft.body);
    }
    bodies.retain(|_, bodies| bodies.len() >= LEAST_ACCEPTED);
    bodies.into_iter().filter_map(|(kind, bodies)| Some((kind, usual_length(&bodies)?))).collect()
}

fn oldest_first(mut captures: Vec<Capture>) -> Arc<[Capture]> {
    captures.sort_by_key(|capture| (capture.at, capture.id));
    captures.into()
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        words.push_str(": ");
        words.push_str(&next.to_string());
        cause = next.source();
    }
    words
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
