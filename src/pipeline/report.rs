//! One report (of a hook, a reflog, a person) becomes the captures of the commits that it means.

use super::capture::{self, CaptureError, Job, Plan, Request, Taken};
use super::reconcile::ReconcileError;
use super::services::Services;
use super::{identity, roster, unnamed};
use crate::domain::capture::Reason;
use crate::domain::event::{Event, HookName, PendingEvent, Source};
use crate::domain::id::Oid;
use crate::git::repo::Repo;

/// Stores what the event tells and closes it; gives what awaits a model.
///
/// # Errors
/// When the repository cannot be read or the store cannot be written; the event is still open then.
pub(super) fn take_up(
    services: &Services,
    pending: &PendingEvent,
    without: Option<Reason>,
) -> Result<Vec<Job>, CaptureError> {
    let event = &pending.event;
    let repo = Repo::open_git_dir(&event.git_dir)?;
    roster::meet(services, &repo, event.stamp)?;
    let mut report = Report { services, repo: &repo, pending, without, jobs: Vec::new(), closed: false };
    match event.hook {
        Some(HookName::PostRewrite) => report.rewrites()?,
        Some(HookName::PostMerge) => report.merge()?,
        Some(HookName::PostCommit | HookName::PostApplypatch) if event.oid.is_none() => {
            for oid in unnamed::commits(services, &repo, event)? {
                report.take(&oid, false)?;
            }
        }
        Some(HookName::PostCommit | HookName::PostApplypatch) | None => report.commit()?,
    }
    report.close(None)?;
    Ok(report.jobs)
}

struct Report<'a> {
    services: &'a Services,
    repo: &'a Repo,
    pending: &'a PendingEvent,
    without: Option<Reason>,
    jobs: Vec<Job>,
    closed: bool,
}

impl Report<'_> {
    fn event(&self) -> &Event {
        &self.pending.event
    }

    fn reported(&self) -> Result<Oid, CaptureError> {
        Ok(self.event().oid.clone().map_or_else(|| self.repo.head(), Ok)?)
    }

    fn commit(&mut self) -> Result<(), CaptureError> {
        let oid = self.reported()?;
        if self.was_given_up(&oid)? {
            return self.close(Some("the sequence that made it was given up, or made another of it"));
        }
        let last = self.event().rewrites.is_empty();
        self.take(&oid, last)?;
        identity::rewritten(self.services, self.repo, &self.event().rewrites)
    }

    /// A rebase that was aborted leaves commits that nothing leads to, and so does every step that the next one folds
    /// into itself: at its end post-rewrite tells what came of which. A log that was read meanwhile tells each link in
    /// an event of its own, and then the steps between are needed.
    fn was_given_up(&self, oid: &Oid) -> Result<bool, CaptureError> {
        let store = &self.services.store;
        Ok(self.event().in_sequence && !self.repo.on_a_branch(oid)? && !store.replaced_in_sequence(oid)?)
    }

    fn rewrites(&mut self) -> Result<(), CaptureError> {
        for (_, new) in &self.pending.event.rewrites {
            if !self.was_given_up(new)? {
                self.take(new, false)?;
            }
        }
        identity::rewritten(self.services, self.repo, &self.event().rewrites)
    }

    /// A squash merge makes no commit: what it carries is kept for the commit to come. A fast-forward makes none
    /// either, and may end at somebody else's merge.
    fn merge(&mut self) -> Result<(), CaptureError> {
        let head = self.reported()?;
        let told = self.event().rewrites.iter().map(|(carried, _)| carried.clone()).collect::<Vec<Oid>>();
        let squashed = if told.is_empty() { self.repo.squash_prepared()? } else { told };
        if !squashed.is_empty() {
            let (id, now) = (&self.repo.place().id, self.services.clock.now());
            return Ok(self.services.store.prepare_squash(id, &head, &squashed, now)?);
        }
        if self.repo.is_merge(&head)? && self.was_made_here(&head)? {
            self.take(&head, true)?;
        }
        Ok(())
    }

    /// Where no log is kept, the hook's word has to do.
    fn was_made_here(&self, oid: &Oid) -> Result<bool, CaptureError> {
        let made = self.repo.made_since(jiff::Timestamp::MIN)?;
        Ok(made.iter().any(|made| made.oid == *oid) || self.repo.log_ends()?.is_empty())
    }

    /// `last`: nothing is left to do for this event, so that it is closed together with the capture.
    fn take(&mut self, oid: &Oid, last: bool) -> Result<(), CaptureError> {
        let (event, clock) = (self.event(), &self.services.clock);
        // Only a hook's stamp says when somebody pressed the key; what is found later, or was put off until its
        // rebase was over, starts its budget now.
        let stamp = if event.source == Source::Hook && !event.in_sequence { event.stamp } else { clock.now() };
        let request = Request { oid: oid.clone(), source: event.source, stamp, plan: self.plan() };
        let close = last.then_some(self.pending.row);
        match capture::take_reported(self.services, self.repo, &request, close)? {
            Taken::New(job) => {
                self.jobs.push(*job);
                self.closed |= last;
            }
            Taken::Final(_) => self.closed |= last,
            Taken::Known(_) => {}
            Taken::Skipped(why) if last => self.close(Some(why))?,
            Taken::Skipped(_) => {}
        }
        Ok(())
    }

    /// While a rebase or its like runs no model is asked: the next commit follows within milliseconds. What it
    /// rewrote keeps its text.
    fn plan(&self) -> Plan {
        let event = self.event();
        let rewritten = event.in_sequence || event.rewrites.len() > 1;
        match self.without {
            Some(reason) => Plan::Template(reason),
            None if rewritten => Plan::Template(Reason::Disabled),
            None => Plan::Ask,
        }
    }

    fn close(&mut self, note: Option<&str>) -> Result<(), CaptureError> {
        if !self.closed {
            self.services.store.close_event(self.pending.row, note)?;
            self.closed = true;
        }
        Ok(())
    }
}

impl From<ReconcileError> for CaptureError {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Git(error) => Self::Git(error),
            ReconcileError::Store(error) => Self::Store(error),
        }
    }
}
