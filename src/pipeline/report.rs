//! Resolves one report (of a hook, a reflog or a command) to commits and captures them.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::capture::{self, CaptureError, IntakeOutcome, Plan, Request};
use super::ingest::LastRepo;
use super::job::{Job, RepositoryContext};
use super::reconcile::ReconcileError;
use super::services::Services;
use super::{reconcile, registry};
use crate::domain::capture::Reason;
use crate::domain::event::{Event, HookName, PendingEvent, Source};
use crate::domain::id::Oid;
use crate::git::repo::Repo;
use crate::store::RegisteredRepo;

/// A hook's report of an already captured commit comes at most this much later.
const LATELY: SignedDuration = SignedDuration::from_mins(1);
/// Commits that may follow a squash merge of unknown base before it is processed.
const OVERTAKEN: usize = 8;
/// Open events that are searched.
const AHEAD: usize = 512;
/// Another reader may have seen the commit before the hook read the clock.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Result of one report.
#[derive(Debug, Default)]
pub struct ReportOutcome {
    /// Captures that await a model.
    pub jobs: Vec<Job>,
    /// The report was split into others, which are open now.
    pub more: bool,
}

/// Stores the captures of an event and closes it.
///
/// # Errors
/// When the repository cannot be read or the store cannot be written; the event is still open then.
pub(super) fn resolve_report(
    services: &Services,
    last: &mut LastRepo,
    pending: &PendingEvent,
    without: Option<Reason>,
) -> Result<ReportOutcome, CaptureError> {
    let event = &pending.event;
    let place = git_dir_of(last, event);
    let repo = last.open(&place)?;
    let context = RepositoryContext::open_readable(services, repo)?;
    let registered = registry::find_or_register(&context, event.stamp)?;
    let done = ReportOutcome::default();
    let mut report = ReportResolver { context: &context, services, repo, pending, without, done, closed: false };
    match event.hook {
        Some(HookName::PostRewrite) => report.rewrites()?,
        Some(HookName::PostMerge) => report.merge(registered.as_ref())?,
        Some(HookName::PostCommit | HookName::PostApplypatch) if event.oid.is_none() => {
            report.capture_unnamed(registered.as_ref())?;
        }
        Some(HookName::PostCommit | HookName::PostApplypatch) | None => report.commit()?,
    }
    report.close_event(None)?;
    Ok(report.done)
}

/// The worktree that reported a commit may be removed or half removed by now; its objects are in the common directory
/// of all worktrees.
fn git_dir_of(last: &mut LastRepo, event: &Event) -> PathBuf {
    let names_its_own = event.oid.is_some() || !event.rewrites.is_empty();
    let common_dir = registry::common_dir(&event.git_dir).filter(|_| names_its_own);
    let common_dir = common_dir.filter(|_| last.open(&event.git_dir).is_err());
    common_dir.map_or_else(|| event.git_dir.clone(), Path::to_owned)
}

struct ReportResolver<'a> {
    context: &'a RepositoryContext<'a>,
    services: &'a Services,
    repo: &'a Repo,
    pending: &'a PendingEvent,
    without: Option<Reason>,
    done: ReportOutcome,
    closed: bool,
}

impl ReportResolver<'_> {
    fn event(&self) -> &Event {
        &self.pending.event
    }

    fn reported_commit(&self) -> Result<Oid, CaptureError> {
        Ok(self.event().oid.clone().map_or_else(|| self.repo.head(), Ok)?)
    }

    /// A hook cannot read reftable, but git's log names the commit. Where the log is not read, HEAD is used.
    fn capture_unnamed(&mut self, registered: Option<&RegisteredRepo>) -> Result<(), CaptureError> {
        if registered.is_none() {
            return self.commit();
        }
        // Another process may have read the log since, at the earliest when this was made.
        let since = self.event().stamp - SECOND;
        if self.read_logs(registered)? || self.credit(None, since)? {
            return Ok(());
        }
        match self.uncaptured_commits(since)?.into_iter().next() {
            Some(oid) if !self.was_given_up(&oid)? => self.capture_commit(&oid, false),
            _ => Ok(()),
        }
    }

    /// Commits that another reader found here and that have no capture yet, oldest first.
    fn uncaptured_commits(&self, since: Timestamp) -> Result<Vec<Oid>, CaptureError> {
        let event = self.event();
        let is_it = |other: &Event| {
            let found = matches!(other.source, Source::Watch | Source::Reconcile);
            // A step of a sequence in the log is one for the hook, too.
            let is_alike = other.git_dir == event.git_dir && (event.in_sequence || !other.in_sequence);
            found && is_alike && other.stamp >= since
        };
        let store = &self.services.store;
        let open = store.pending_events(AHEAD)?.into_iter().map(|pending| pending.event);
        let mut found: Vec<Oid> = open.filter(is_it).filter_map(|found| found.oid).collect();
        let captured = store.captured_commits(&self.repo.location().id, &found)?;
        found.retain(|oid| !captured.contains(oid));
        Ok(found)
    }

    /// Turns new log entries into events; true when there were any.
    fn read_logs(&mut self, registered: Option<&RegisteredRepo>) -> Result<bool, CaptureError> {
        let look = |registered| reconcile::reported(self.services, registered, self.event());
        let made = registered.map(look).transpose()?.is_some_and(|events| events > 0);
        self.done.more |= made;
        Ok(made)
    }

    fn commit(&mut self) -> Result<(), CaptureError> {
        let oid = self.reported_commit()?;
        if self.was_given_up(&oid)? {
            return self.close_event(Some("its rebase was aborted, or replaced it"));
        }
        let last = self.event().rewrites.is_empty();
        self.capture_commit(&oid, last)?;
        self.supersede(&self.event().rewrites)
    }

    /// Whether a commit was a step that a rebase gave up. An aborted rebase leaves unreachable commits, and so does
    /// every step that the next one folds into itself: at its end post-rewrite maps old commits to new ones. A log that
    /// was read meanwhile has each link in an event of its own, and then the steps between are needed. What a rebase
    /// left was not given up, though it may have been amended or reset away before its event was processed.
    fn was_given_up(&self, oid: &Oid) -> Result<bool, CaptureError> {
        let is_left = || {
            let (repo, store) = (self.repo, &self.services.store);
            Ok::<_, CaptureError>(
                repo.on_a_branch(oid)? || store.has_pending_rewrite(oid)? || repo.is_rebase_result(oid)?,
            )
        };
        Ok(self.event().in_sequence && !is_left()?)
    }

    fn rewrites(&mut self) -> Result<(), CaptureError> {
        let pairs = self.rewritten_here()?;
        for (_, new) in &pairs {
            if !self.was_given_up(new)? {
                self.capture_commit(new, false)?;
            }
        }
        self.supersede(&pairs)
    }

    /// The captures of the old commits are superseded.
    fn supersede(&self, pairs: &[(Oid, Oid)]) -> Result<(), CaptureError> {
        for (old, new) in pairs {
            self.services.store.supersede_commit(&self.repo.location().id, old, new)?;
        }
        Ok(())
    }

    /// For a commit that a rebase dropped as already present, git reports as its successor the commit that it would
    /// have been put on. That may be another author's, and then nothing was rewritten.
    fn rewritten_here(&self) -> Result<Vec<(Oid, Oid)>, CaptureError> {
        let pairs = &self.pending.event.rewrites;
        let news: Vec<Oid> = pairs.iter().map(|(_, new)| new.clone()).collect();
        let captured = self.services.store.captured_commits(&self.repo.location().id, &news)?;
        let unknown: Vec<Oid> = news.into_iter().filter(|new| !captured.contains(new)).collect();
        let ours = self.context.own_commits(&unknown)?;
        Ok(pairs.iter().filter(|(_, new)| captured.contains(new) || ours.contains(new)).cloned().collect())
    }

    /// A squash merge makes no commit: the squashed commits are kept for the commit to come. A fast-forward makes none
    /// either, and may end at another author's merge.
    fn merge(&mut self, registered: Option<&RegisteredRepo>) -> Result<(), CaptureError> {
        if self.event().oid.is_none() && !self.read_logs(registered)? {
            self.take_awaited_merge()?;
        }
        let head = self.reported_commit()?;
        let rewritten = self.event().rewrites.iter().map(|(carried, _)| carried.clone()).collect::<Vec<Oid>>();
        let squashed = if rewritten.is_empty() { self.repo.squash_prepared()? } else { rewritten };
        if !squashed.is_empty() {
            return self.record_squash(&head, &squashed);
        }
        // Without a reflog, the hook's report decides.
        if self.repo.parents(&head)?.len() > 1 && self.repo.was_made_here(&head)?.unwrap_or(true) {
            self.capture_commit(&head, true)?;
        }
        Ok(())
    }

    /// A fast-forward or a squash has none.
    fn take_awaited_merge(&mut self) -> Result<(), CaptureError> {
        for oid in self.uncaptured_commits(self.event().stamp - SECOND)? {
            if self.repo.parents(&oid)?.len() > 1 {
                return self.capture_commit(&oid, false);
            }
        }
        Ok(())
    }

    fn record_squash(&self, head: &Oid, squashed: &[Oid]) -> Result<(), CaptureError> {
        let (id, now) = (&self.repo.location().id, self.services.clock.now());
        let mut parent = Some(head.clone());
        // A hook that could not name HEAD may be read after the commit itself, and more.
        let overtaken = if self.event().oid.is_none() { OVERTAKEN } else { 0 };
        for _ in 0..=overtaken {
            let Some(oid) = parent else { break };
            self.services.store.prepare_squash(id, &oid, squashed, now)?;
            parent = self.repo.parents(&oid)?.into_iter().next();
        }
        Ok(())
    }

    /// `last`: nothing else is left to do for this event, so that it is closed together with the capture.
    fn capture_commit(&mut self, oid: &Oid, last: bool) -> Result<(), CaptureError> {
        let (event, clock) = (self.event(), &self.services.clock);
        // Only a hook's stamp is the time of the commit command; commits that are found later, or were postponed until
        // the end of their rebase, start their budget now.
        let stamp = if event.source == Source::Hook && !event.in_sequence { event.stamp } else { clock.now() };
        let request = Request { oid: oid.clone(), source: event.source, stamp, plan: self.plan() };
        let close = last.then_some(self.pending.row);
        match capture::take_reported(self.context, &request, close)? {
            IntakeOutcome::New(job) => {
                self.done.jobs.push(*job);
                self.closed |= last;
            }
            IntakeOutcome::Final(_) => self.closed |= last,
            IntakeOutcome::Known(_) if event.source == Source::Hook => {
                self.credit(Some(oid), clock.now() - LATELY)?;
            }
            IntakeOutcome::Known(_) => {}
            IntakeOutcome::Skipped(why) if last => self.close_event(Some(why))?,
            IntakeOutcome::Skipped(_) => {}
        }
        Ok(())
    }

    /// On a busy machine the watcher may come before the hook; the capture's source is the hook all the same.
    fn credit(&self, oid: Option<&Oid>, since: Timestamp) -> Result<bool, CaptureError> {
        Ok(self.services.store.credit_hook(&self.repo.location().id, oid, since)?)
    }

    /// During a rebase or another sequence no model is asked: the next commit follows within milliseconds. A rewritten
    /// commit keeps its text.
    fn plan(&self) -> Plan {
        let event = self.event();
        let rewritten = event.in_sequence || event.rewrites.len() > 1;
        match self.without {
            Some(reason) => Plan::Template(reason),
            None if rewritten => Plan::Template(Reason::Disabled),
            None => Plan::Ask,
        }
    }

    fn close_event(&mut self, note: Option<&str>) -> Result<(), CaptureError> {
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
            ReconcileError::Settings(error) => Self::Settings(error),
        }
    }
}
