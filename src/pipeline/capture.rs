//! One unit of work becomes one capture: the template is stored first, and a model's text replaces it if it arrives
//! within the budget. The sidecar and commands without one use the same code.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::enrich;
use super::identity::{self, RelatedCaptures};
use super::job::{Job, RepositoryContext};
use super::notes;
use super::services::Services;
use super::settings::Unreadable;
use super::subject::Subject;
use crate::domain::capture::{AuthoredBy, Capture, CaptureState, NO_PROJECT, Provenance, Reason};
use crate::domain::deadline::Deadline;
use crate::domain::event::Source;
use crate::domain::id::{CaptureId, Oid};
use crate::domain::timing::{Timing, Tokens, ms};
use crate::git::GitError;
use crate::git::repo::Repo;
use crate::redact::redact;
use crate::store::{RecordOutcome, StoreError};

/// Why a capture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whether the repository may be captured is unknown.
    #[error(transparent)]
    Settings(#[from] Unreadable),
}

/// The commit, the source that reported it, and the start of its budget.
#[derive(Debug, Clone)]
pub struct Request {
    pub oid: Oid,
    pub source: Source,
    pub stamp: Timestamp,
    pub plan: Plan,
}

/// Source of the final text.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Ask the model within the budget.
    Ask,
    /// The template is final at once, for this reason.
    Template(Reason),
    /// The same patch under the same message was captured before: its text is this capture's text too.
    Carry { summary: String, provenance: Provenance, tokens: Tokens },
}

/// Outcome of taking up a commit or a note.
#[derive(Debug)]
pub enum IntakeOutcome {
    /// Stored with the template; the job asks a model.
    New(Box<Job>),
    /// Stored with its final text; no model is asked.
    Final(CaptureId),
    /// This unit of work has a live capture already.
    Known(CaptureId),
    /// Not to be captured, and why.
    Skipped(&'static str),
}

/// Reads the commit and stores its template. Blocking: git and the store.
///
/// # Errors
/// When the repository cannot be read or the store cannot be written.
pub fn take_commit(services: &Services, repo: &Repo, request: &Request) -> Result<IntakeOutcome, CaptureError> {
    take_reported(&RepositoryContext::open(services, repo), request, None)
}

/// As [`take_commit`], closing the event that reported the commit in the transaction that stores the capture.
pub(super) fn take_reported(
    context: &RepositoryContext<'_>,
    request: &Request,
    event: Option<i64>,
) -> Result<IntakeOutcome, CaptureError> {
    intake_commit(context, request, event, Unreported::First)
}

/// What to do with unreported commits that were squashed into this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unreported {
    /// They are captured first, so that this commit's capture can replace theirs.
    First,
    /// They are left: one level of squashing is what people make.
    Left,
}

fn take_unreported(context: &RepositoryContext<'_>, carried: &[Oid]) -> Result<(), CaptureError> {
    for oid in identity::unreported(context, carried)? {
        let plan = Plan::Template(Reason::Disabled);
        let request = Request { oid, source: Source::Reconcile, stamp: context.services.clock.now(), plan };
        match intake_commit(context, &request, None, Unreported::Left) {
            // What is gone by now leaves nothing to replace.
            Ok(_) | Err(CaptureError::Git(GitError::Missing(_) | GitError::NoSuchCommit { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The author of the commits that GitButler makes by itself: the merge of all branches that it checks out, remade with
/// each change of one of them, and work that it puts aside.
const BOOKKEEPER: &str = "gitbutler@gitbutler.com";

fn intake_commit(
    context: &RepositoryContext<'_>,
    request: &Request,
    event: Option<i64>,
    unreported: Unreported,
) -> Result<IntakeOutcome, CaptureError> {
    let RepositoryContext { services, repo, config, .. } = context;
    let taken_at = services.clock.instant();
    if let Some(existing) = services.store.capture_of_commit(&repo.location().id, &request.oid)? {
        return Ok(IntakeOutcome::Known(existing.id));
    }
    if !context.is_allowed() {
        return Ok(IntakeOutcome::Skipped("capturing is switched off here"));
    }
    let commit = context.read_commit(&request.oid)?;
    if commit.author_email == BOOKKEEPER && request.source != Source::Manual {
        return Ok(IntakeOutcome::Skipped("it is an internal commit of GitButler"));
    }
    // Before the paths are redacted.
    let carried = identity::carried(context, &commit)?;
    let mut subject = Subject::commit(commit, services.clock.as_ref());
    if unreported == Unreported::First {
        take_unreported(context, &carried)?;
    }
    let related = identity::find_related(context, &subject, &carried)?;
    let noted = subject
        .work()
        .map_or(Ok(Vec::new()), |work| notes::of_commit(context, &work.commit, &related, request.stamp))?;
    subject.note_before(&noted);
    let deadline = Deadline::from_stamp(request.stamp, config.capture.budget, services.clock.as_ref());
    let queue = taken_at.saturating_duration_since(deadline.start());
    let capture = Capture {
        repo: Some(context.repo_ref()),
        project: redact(&repo.location().project),
        supersedes: related.earlier.iter().map(|capture| capture.id).collect(),
        notes: noted.iter().map(|note| note.id).collect(),
        ..pending(services, &subject, request.source, queue, &deadline)
    };
    let plan = plan(&related, &subject, &request.plan);
    let (template, config, names) = (capture.summary.clone(), config.clone(), Some(context.name_source()));
    let job = Job { id: capture.id, subject, config, deadline, queue, plan, template, names };
    let recorded = record(services, &capture, &job, (related.newer.as_ref(), event))?;
    Ok(match recorded {
        RecordOutcome::Known(id) => IntakeOutcome::Known(id),
        RecordOutcome::Forgotten => IntakeOutcome::Skipped("it was forgotten"),
        RecordOutcome::New if job.plan == Plan::Ask => IntakeOutcome::New(Box::new(job)),
        RecordOutcome::New => IntakeOutcome::Final(capture.id),
    })
}

/// Stores captures for a model as pending, all others as final.
fn record(
    services: &Services,
    capture: &Capture,
    job: &Job,
    (newer, event): (Option<&Oid>, Option<i64>),
) -> Result<RecordOutcome, StoreError> {
    let finished = || enrich::at_once(services, job, capture);
    match (&job.plan, newer) {
        (Plan::Ask, _) => services.store.record_capture(capture, event),
        (Plan::Template(_) | Plan::Carry { .. }, None) => services.store.record_final(&finished, event),
        (Plan::Template(_) | Plan::Carry { .. }, Some(newer)) => {
            services.store.record_replaced(&finished, newer, event)
        }
    }
}

/// Stores a note with its template. Blocking: the store.
///
/// # Errors
/// When the store cannot be written.
pub fn take_note(services: &Services, repo: Option<&Repo>, text: &str, stamp: Timestamp) -> Result<Job, CaptureError> {
    let taken_at = services.clock.instant();
    let context = repo.map(|repo| RepositoryContext::open(services, repo));
    let config = context.as_ref().map_or_else(|| services.config(None), |context| context.config.clone());
    let project = repo.map_or(NO_PROJECT, |repo| repo.location().project.as_str());
    let subject = Subject::note(text, project);
    let deadline = Deadline::from_stamp(stamp, config.capture.budget, services.clock.as_ref());
    let queue = taken_at.saturating_duration_since(deadline.start());
    let capture = Capture {
        repo: context.as_ref().map(RepositoryContext::repo_ref),
        project: redact(project),
        at: stamp,
        ..pending(services, &subject, Source::Manual, queue, &deadline)
    };
    services.store.record_capture(&capture, None)?;
    let plan = if config.capture.enabled { Plan::Ask } else { Plan::Template(Reason::Disabled) };
    Ok(Job { id: capture.id, subject, config, deadline, queue, plan, template: capture.summary, names: None })
}

/// No model is asked about a commit that a later one has superseded.
fn plan(related: &RelatedCaptures, subject: &Subject, asked: &Plan) -> Plan {
    let carried = carried(&related.earlier, subject);
    let late = related.newer.as_ref().map(|_| Plan::Template(Reason::Disabled));
    carried.or(late).unwrap_or_else(|| asked.clone())
}

/// A model's or a person's text follows its patch through a rebase without another model call.
fn carried(earlier: &[Capture], subject: &Subject) -> Option<Plan> {
    let same = earlier.iter().find(|capture| capture.raw == subject.raw())?;
    let theirs = same.provenance.by != AuthoredBy::Template;
    theirs.then(|| Plan::Carry {
        summary: same.summary.clone(),
        provenance: same.provenance.clone(),
        tokens: same.tokens,
    })
}

pub(super) fn pending(
    services: &Services,
    subject: &Subject,
    source: Source,
    queue: Duration,
    deadline: &Deadline,
) -> Capture {
    let now = services.clock.now();
    let rendered = subject.template(&services.capture_templates());
    rendered.complaint.iter().for_each(|complaint| services.complain_of_template(complaint));
    let at = match subject {
        Subject::Commit(work) => work.commit.authored_at,
        Subject::Note { .. } => now,
    };
    Capture {
        id: CaptureId::fresh(services.clock.as_ref()),
        at,
        captured_at: now,
        kind: subject.kind(),
        project: NO_PROJECT.to_owned(),
        tags: subject.tags(),
        repo: None,
        commit: subject.commit_ref(),
        raw: subject.raw().to_owned(),
        summary: rendered.text,
        source,
        provenance: template_provenance(Reason::Pending),
        timing: Timing { queue_ms: Some(ms(queue)), budget_ms: Some(ms(deadline.budget())), ..Timing::default() },
        tokens: Tokens::default(),
        quality: None,
        refined: None,
        state: CaptureState::Live,
        supersedes: Vec::new(),
        notes: Vec::new(),
    }
}

pub(super) fn template_provenance(reason: Reason) -> Provenance {
    Provenance { by: AuthoredBy::Template, model: None, endpoint: None, reason, prompt_version: None }
}

/// Takes up a capture that another process stored and that is still pending. Blocking.
///
/// # Errors
/// When the store or the repository cannot be read.
pub fn resume(
    services: &Services,
    id: CaptureId,
    stamp: Timestamp,
    git_dir: Option<&Path>,
) -> Result<Option<Job>, CaptureError> {
    let taken_at = services.clock.instant();
    let capture = services.store.capture(&id.to_string())?.capture;
    if capture.provenance.reason != Reason::Pending {
        return Ok(None);
    }
    let repo = git_dir.map(Repo::open_git_dir).transpose()?;
    let context = repo.as_ref().map(|repo| RepositoryContext::open(services, repo));
    let subject = subject_of(&capture, context.as_ref())?;
    let names = context.as_ref().map(RepositoryContext::name_source);
    let config = context.map_or_else(|| services.config(None), |context| context.config);
    let deadline = Deadline::from_stamp(stamp, config.capture.budget, services.clock.as_ref());
    let queue = taken_at.saturating_duration_since(deadline.start());
    Ok(Some(Job { id, subject, config, deadline, queue, plan: Plan::Ask, template: capture.summary, names }))
}

/// The subject of a stored capture; without its repository, only the commit's message.
pub(super) fn subject_of(capture: &Capture, context: Option<&RepositoryContext<'_>>) -> Result<Subject, CaptureError> {
    let (Some(commit), Some(context)) = (&capture.commit, context) else {
        return Ok(Subject::note(&capture.raw, &capture.project));
    };
    let services = context.services;
    let commit = context.read_commit(&commit.oid)?;
    let mut subject = Subject::commit(commit, services.clock.as_ref());
    subject.note_before(&notes::by_id(services, &capture.notes));
    Ok(subject)
}
