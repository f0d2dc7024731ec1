//! One unit of work becomes one capture: template stored first, the model's words in their place if they
//! come in time. The same code serves the sidecar and the commands that run without one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::enrich;
use super::identity::{self, Kin};
use super::notes;
use super::services::{Exclusions, Services};
use super::settings::Unreadable;
use super::subject::Subject;
use crate::config::Config;
use crate::domain::capture::{By, Capture, NO_PROJECT, Provenance, Reason, RepoRef, State};
use crate::domain::clock::Clock;
use crate::domain::deadline::Deadline;
use crate::domain::event::Source;
use crate::domain::id::{CaptureId, Oid};
use crate::domain::timing::{Timing, Tokens, ms};
use crate::git::GitError;
use crate::git::repo::Repo;
use crate::prompt::redact::redact;
use crate::store::{Recorded, StoreError};

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

/// Which commit, who reported it, since when its budget runs.
#[derive(Debug, Clone)]
pub struct Request {
    pub oid: Oid,
    pub source: Source,
    pub stamp: Timestamp,
    pub plan: Plan,
}

/// Where the final text is to come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Ask the model within the budget.
    Ask,
    /// The template is final at once, for this reason.
    Template(Reason),
    /// The same patch under the same message was captured before: its text is this capture's text too.
    Carry { summary: String, provenance: Provenance, tokens: Tokens },
}

/// What taking up a commit or note led to.
#[derive(Debug)]
pub enum Taken {
    /// Stored with the template; the job lets a model write.
    New(Box<Job>),
    /// Stored with the text it keeps; no model is asked.
    Final(CaptureId),
    /// This unit of work has a live capture already.
    Known(CaptureId),
    /// Not to be captured, and why.
    Skipped(&'static str),
}

/// A stored, pending capture on its way to a model.
#[derive(Debug)]
pub struct Job {
    pub id: CaptureId,
    pub(super) subject: Subject,
    pub(super) config: Config,
    pub(super) deadline: Deadline,
    pub(super) queue: Duration,
    pub(super) plan: Plan,
    /// The text that stands where no model's does.
    pub(super) template: String,
    /// Where the repository's names can be looked up.
    pub(super) git_dir: Option<PathBuf>,
}

impl Job {
    /// Time left until the capture must be final.
    #[must_use]
    pub fn time_left(&self, clock: &dyn Clock) -> Duration {
        self.deadline.end().saturating_duration_since(clock.instant())
    }
}

/// Reads the commit and stores its template. Blocking: git and the store.
///
/// # Errors
/// When the repository cannot be read or the store cannot be written.
pub fn take_commit(services: &Services, repo: &Repo, request: &Request) -> Result<Taken, CaptureError> {
    take_reported(services, repo, request, None)
}

/// As [`take_commit`], closing the event that reported the commit in the transaction that stores the capture.
pub(super) fn take_reported(
    services: &Services,
    repo: &Repo,
    request: &Request,
    event: Option<i64>,
) -> Result<Taken, CaptureError> {
    take(services, repo, request, event, Unreported::First)
}

/// What is to become of commits that were squashed into this one and that nobody has reported yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unreported {
    /// They are captured first, so that this commit's capture can replace theirs.
    First,
    /// They are left: one level is what a person makes.
    Left,
}

fn take_unreported(services: &Services, repo: &Repo, carried: &[Oid]) -> Result<(), CaptureError> {
    for oid in identity::unreported(services, repo, carried)? {
        let plan = Plan::Template(Reason::Disabled);
        let request = Request { oid, source: Source::Reconcile, stamp: services.clock.now(), plan };
        match take(services, repo, &request, None, Unreported::Left) {
            // What is gone by now has nothing to be replaced.
            Ok(_) | Err(CaptureError::Git(GitError::Missing(_) | GitError::NoSuchCommit { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The author of GitButler's commits that nobody wrote: the merge of all branches that it checks out, made anew with
/// each change of one of them, and work that it puts aside.
const BOOKKEEPER: &str = "gitbutler@gitbutler.com";

fn take(
    services: &Services,
    repo: &Repo,
    request: &Request,
    event: Option<i64>,
    unreported: Unreported,
) -> Result<Taken, CaptureError> {
    let taken_at = services.clock.instant();
    let place = repo.place();
    if let Some(known) = services.store.capture_of_commit(&place.id, &request.oid)? {
        return Ok(Taken::Known(known.id));
    }
    let config = services.config(Some(repo));
    let exclusions = Exclusions::of(&config);
    let path = place.work_tree.as_deref().unwrap_or(&place.common_dir);
    if !config.capture.enabled || exclusions.place(place) {
        return Ok(Taken::Skipped("capturing is switched off here"));
    }
    let commit = exclusions.commit(repo, &request.oid)?;
    if commit.author_email == BOOKKEEPER && request.source != Source::Manual {
        return Ok(Taken::Skipped("GitButler made it to keep its books"));
    }
    let mut subject = Subject::commit(commit, services.clock.as_ref());
    let carried = identity::carried(services, repo, &subject)?;
    if unreported == Unreported::First {
        take_unreported(services, repo, &carried)?;
    }
    let kin = identity::kin(services, repo, &subject, &carried)?;
    let noted = subject
        .work()
        .map_or(Ok(Vec::new()), |work| notes::of_commit(services, repo, &work.commit, &kin, request.stamp))?;
    subject.note_before(&noted);
    let deadline = Deadline::from_stamp(request.stamp, config.capture.budget, services.clock.as_ref());
    let queue = taken_at.saturating_duration_since(deadline.start());
    let capture = Capture {
        repo: Some(RepoRef { path: redact(&path.to_string_lossy()), id: place.id.clone() }),
        project: redact(&place.project),
        supersedes: kin.earlier.iter().map(|capture| capture.id).collect(),
        notes: noted.iter().map(|note| note.id).collect(),
        ..pending(services, &subject, request.source, queue, &deadline)
    };
    let plan = plan(&kin, &subject, &request.plan);
    let (template, git_dir) = (capture.summary.clone(), Some(place.git_dir.clone()));
    let job = Job { id: capture.id, subject, config, deadline, queue, plan, template, git_dir };
    let recorded = record(services, &capture, &job, (kin.newer.as_ref(), event))?;
    Ok(match recorded {
        Recorded::Known(id) => Taken::Known(id),
        Recorded::Forgotten => Taken::Skipped("it was forgotten"),
        Recorded::New if job.plan == Plan::Ask => Taken::New(Box::new(job)),
        Recorded::New => Taken::Final(capture.id),
    })
}

/// Stores what a model is to be asked about as pending, everything else as it stays.
fn record(
    services: &Services,
    capture: &Capture,
    job: &Job,
    (newer, event): (Option<&Oid>, Option<i64>),
) -> Result<Recorded, StoreError> {
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
    let config = services.config(repo);
    let project = repo.map_or(NO_PROJECT, |repo| repo.place().project.as_str());
    let subject = Subject::note(text, project);
    let deadline = Deadline::from_stamp(stamp, config.capture.budget, services.clock.as_ref());
    let queue = taken_at.saturating_duration_since(deadline.start());
    let capture = Capture {
        repo: repo.map(|repo| {
            let place = repo.place();
            let path = place.work_tree.as_deref().unwrap_or(&place.common_dir);
            RepoRef { path: redact(&path.to_string_lossy()), id: place.id.clone() }
        }),
        project: redact(project),
        at: stamp,
        ..pending(services, &subject, Source::Manual, queue, &deadline)
    };
    services.store.record_capture(&capture, None)?;
    let plan = if config.capture.enabled { Plan::Ask } else { Plan::Template(Reason::Disabled) };
    Ok(Job { id: capture.id, subject, config, deadline, queue, plan, template: capture.summary, git_dir: None })
}

/// Nobody is asked about what a later commit stands for already.
fn plan(kin: &Kin, subject: &Subject, asked: &Plan) -> Plan {
    let carried = carried(&kin.earlier, subject);
    let late = kin.newer.as_ref().map(|_| Plan::Template(Reason::Disabled));
    carried.or(late).unwrap_or_else(|| asked.clone())
}

/// A model's or a person's text follows its patch through a rebase without another model call.
fn carried(earlier: &[Capture], subject: &Subject) -> Option<Plan> {
    let same = earlier.iter().find(|capture| capture.raw == subject.raw())?;
    let theirs = same.provenance.by != By::Template;
    theirs.then(|| Plan::Carry {
        summary: same.summary.clone(),
        provenance: same.provenance.clone(),
        tokens: same.tokens,
    })
}

fn pending(services: &Services, subject: &Subject, source: Source, queue: Duration, deadline: &Deadline) -> Capture {
    let now = services.clock.now();
    let told = subject.template(&services.wording());
    told.complaint.iter().for_each(|complaint| services.complain_of_template(complaint));
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
        summary: told.text,
        source,
        provenance: template_provenance(Reason::Pending),
        timing: Timing { queue_ms: Some(ms(queue)), budget_ms: Some(ms(deadline.budget())), ..Timing::default() },
        tokens: Tokens::default(),
        quality: None,
        refined: None,
        state: State::Live,
        supersedes: Vec::new(),
        notes: Vec::new(),
    }
}

pub(super) fn template_provenance(reason: Reason) -> Provenance {
    Provenance { by: By::Template, model: None, endpoint: None, reason, prompt_version: None }
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
    let config = services.config(repo.as_ref());
    let subject = subject_of(services, &capture, repo.as_ref(), &config)?;
    let deadline = Deadline::from_stamp(stamp, config.capture.budget, services.clock.as_ref());
    let queue = taken_at.saturating_duration_since(deadline.start());
    let (template, git_dir) = (capture.summary, git_dir.map(Path::to_owned));
    Ok(Some(Job { id, subject, config, deadline, queue, plan: Plan::Ask, template, git_dir }))
}

/// What a capture that was stored before is about; of a commit without its repository no more than its message.
pub(super) fn subject_of(
    services: &Services,
    capture: &Capture,
    repo: Option<&Repo>,
    config: &Config,
) -> Result<Subject, CaptureError> {
    let (Some(commit), Some(repo)) = (&capture.commit, repo) else {
        return Ok(Subject::note(&capture.raw, &capture.project));
    };
    let commit = Exclusions::of(config).commit(repo, &commit.oid)?;
    let mut subject = Subject::commit(commit, services.clock.as_ref());
    subject.note_before(&notes::by_id(services, &capture.notes));
    Ok(subject)
}
