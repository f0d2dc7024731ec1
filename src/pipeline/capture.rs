//! One unit of work becomes one capture: template stored first, the model's words in their place if they
//! come in time. The same code serves the sidecar and the commands that run without one.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::models::{Attempt, reason_for};
use super::services::{Exclusions, Services};
use super::subject::Subject;
use crate::config::Config;
use crate::domain::capture::{By, Capture, NO_PROJECT, Outcome, Provenance, Reason, RepoRef, State};
use crate::domain::deadline::Deadline;
use crate::domain::event::Source;
use crate::domain::id::{CaptureId, Oid};
use crate::domain::operation::Operation;
use crate::domain::role::Role;
use crate::domain::timing::{Timing, Tokens, ms};
use crate::git::repo::Repo;
use crate::git::{Bounds, GitError};
use crate::llm::{Answer, Finish};
use crate::prompt::redact::redact;
use crate::prompt::render::Rendered;
use crate::quality::clean;
use crate::store::{Recorded, StoreError};

/// Why a capture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which commit, who reported it, since when its budget runs.
#[derive(Debug, Clone)]
pub struct Request {
    pub oid: Oid,
    pub source: Source,
    pub stamp: Timestamp,
    /// The stored event that this request deals with.
    pub event: Option<i64>,
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
    /// This unit of work has a live capture already.
    Known(CaptureId),
    /// Not to be captured, and why.
    Skipped(&'static str),
}

/// A stored, pending capture on its way to a model.
#[derive(Debug)]
pub struct Job {
    pub id: CaptureId,
    subject: Subject,
    config: Config,
    deadline: Deadline,
    queue: Duration,
    plan: Plan,
}

impl Job {
    /// The whole budget of the capture.
    #[must_use]
    pub fn budget(&self) -> Duration {
        self.deadline.budget()
    }
}

/// Reads the commit and stores its template. Blocking: git and the store.
///
/// # Errors
/// When the repository cannot be read or the store cannot be written.
pub fn take_commit(services: &Services, repo: &Repo, request: &Request) -> Result<Taken, CaptureError> {
    let taken_at = services.clock.instant();
    let place = repo.place();
    let config = services.config(Some(repo));
    let exclusions = Exclusions::of(&config);
    let path = place.work_tree.as_deref().unwrap_or(&place.common_dir);
    if !config.capture.enabled || exclusions.repo(path) {
        return skip(services, request, "capturing is switched off here");
    }
    if let Some(known) = services.store.capture_of_commit(&place.id, &request.oid)? {
        return known_already(services, request, known.id);
    }
    let commit = repo.commit(&request.oid, &Bounds::default(), &|path| exclusions.path(path))?;
    let subject = Subject::commit(commit);
    let earlier = same_work(services, repo, &subject)?;
    let deadline = Deadline::from_stamp(request.stamp, config.capture.budget, services.clock.as_ref());
    let queue = taken_at.saturating_duration_since(deadline.start());
    let capture = Capture {
        repo: Some(RepoRef { path: redact(&path.to_string_lossy()), id: place.id.clone() }),
        project: redact(&place.project),
        supersedes: earlier.iter().map(|capture| capture.id).collect(),
        ..pending(services, &subject, request.source, queue, &deadline)
    };
    match services.store.record_capture(&capture, request.event)? {
        Recorded::Known(id) => Ok(Taken::Known(id)),
        Recorded::Forgotten => Ok(Taken::Skipped("it was forgotten")),
        Recorded::New => {
            let plan = carried(&earlier, &subject).unwrap_or_else(|| request.plan.clone());
            Ok(Taken::New(Box::new(Job { id: capture.id, subject, config, deadline, queue, plan })))
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
    Ok(Job { id: capture.id, subject, config, deadline, queue, plan })
}

fn skip(services: &Services, request: &Request, why: &'static str) -> Result<Taken, CaptureError> {
    if let Some(row) = request.event {
        services.store.close_event(row, Some(why))?;
    }
    Ok(Taken::Skipped(why))
}

fn known_already(services: &Services, request: &Request, id: CaptureId) -> Result<Taken, CaptureError> {
    if let Some(row) = request.event {
        services.store.close_event(row, None)?;
    }
    Ok(Taken::Known(id))
}

/// Live captures of the same patch on another line of history: this commit is the same work, rewritten or
/// moved, and replaces them. With the earlier commit among its ancestors it is new work (applied again).
fn same_work(services: &Services, repo: &Repo, subject: &Subject) -> Result<Vec<Capture>, CaptureError> {
    let Subject::Commit(commit) = subject else { return Ok(Vec::new()) };
    let Some(patch_id) = &commit.patch.patch_id else { return Ok(Vec::new()) };
    let mut same = Vec::new();
    for earlier in services.store.live_captures_of_patch(&repo.place().id, patch_id)? {
        let Some(earlier_commit) = &earlier.commit else { continue };
        if !repo.is_ancestor(&earlier_commit.oid, &commit.oid)? {
            same.push(earlier);
        }
    }
    Ok(same)
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
    let at = match subject {
        Subject::Commit(commit) => commit.authored_at,
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
        summary: subject.template(),
        source,
        provenance: template_provenance(Reason::Pending),
        timing: Timing { queue_ms: Some(ms(queue)), budget_ms: Some(ms(deadline.budget())), ..Timing::default() },
        tokens: Tokens::default(),
        quality: None,
        refined: None,
        state: State::Live,
        supersedes: Vec::new(),
    }
}

fn template_provenance(reason: Reason) -> Provenance {
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
    let subject = match (&capture.commit, &repo) {
        (Some(commit), Some(repo)) => {
            let exclusions = Exclusions::of(&config);
            Subject::commit(repo.commit(&commit.oid, &Bounds::default(), &|path| exclusions.path(path))?)
        }
        _ => Subject::note(&capture.raw, &capture.project),
    };
    let deadline = Deadline::from_stamp(stamp, config.capture.budget, services.clock.as_ref());
    let queue = taken_at.saturating_duration_since(deadline.start());
    Ok(Some(Job { id, subject, config, deadline, queue, plan: Plan::Ask }))
}

/// Lets the role's model write within the deadline and makes the capture final, whatever happens.
///
/// # Errors
/// When the store cannot be written; the capture then stays pending until the next start settles it.
pub async fn enrich(services: &Services, job: Job) -> Result<(), StoreError> {
    let left = job.deadline.model_time_left(services.clock.as_ref());
    let written = match &job.plan {
        Plan::Template(reason) => Written::template(*reason),
        Plan::Carry { .. } => Written::template(Reason::None),
        Plan::Ask if left.is_zero() => Written::template(Reason::Deadline),
        Plan::Ask => ask(services, &job).await,
    };
    let services = services.clone();
    let finishing = tokio::task::spawn_blocking(move || finish(&services, &job, &written));
    finishing.await.map_err(|error| StoreError::Other(Box::new(error)))?
}

/// Makes a capture final with what is there already: its template, or the text it carries.
///
/// # Errors
/// When the store cannot be written.
pub fn finish_without_model(services: &Services, job: &Job, reason: Reason) -> Result<(), StoreError> {
    finish(services, job, &Written::template(reason))
}

/// What the model stage came to.
struct Written {
    text: Option<String>,
    reason: Reason,
    attempt: Option<Attempt>,
    prompt: Option<Rendered>,
    model_time: Duration,
}

impl Written {
    fn template(reason: Reason) -> Self {
        Self { text: None, reason, attempt: None, prompt: None, model_time: Duration::ZERO }
    }
}

async fn ask(services: &Services, job: &Job) -> Written {
    let sampling = job.config.options.get(&Role::Capture);
    // The prompt leaves room for the answer and for the chat template's own tokens.
    let room = sampling.map_or(1024, |sampling| sampling.num_ctx.saturating_sub(sampling.max_tokens + 64));
    let prompt = job.subject.prompt(room.min(CAPTURE_PROMPT_TOKENS));
    let asked = services.clock.instant();
    let attempt = services.models.ask(&job.config, Role::Capture, &prompt, job.deadline.model_end()).await;
    let model_time = services.clock.instant().saturating_duration_since(asked);
    let (text, reason) = match &attempt.result {
        Ok(answer) => judge(answer),
        Err(error) => (None, reason_for(error)),
    };
    Written { text, reason, attempt: Some(attempt), prompt: Some(prompt), model_time }
}

/// A capture is one or two sentences: more of the patch than this only costs prefill time.
const CAPTURE_PROMPT_TOKENS: u32 = 1500;

/// Which text of an answer may be kept, and what is to be said about it.
fn judge(answer: &Answer) -> (Option<String>, Reason) {
    if answer.prompt_truncated {
        return (None, Reason::Overflow);
    }
    let (text, whole, otherwise) = match answer.finish {
        Finish::Stop => (clean::clean(&answer.text).ok(), Reason::None, Reason::Unusable),
        Finish::Length => (clean::salvage(&answer.text), Reason::Salvaged, Reason::Unusable),
        Finish::Cut(_) => (clean::salvage(&answer.text), Reason::Salvaged, Reason::Deadline),
        Finish::Aborted => (clean::salvage(&answer.text), Reason::Salvaged, Reason::Unusable),
    };
    let reason = if text.is_some() { whole } else { otherwise };
    (text, reason)
}

fn finish(services: &Services, job: &Job, written: &Written) -> Result<(), StoreError> {
    let outcome = outcome(services.clock.instant(), job, written);
    services.store.finish_capture(job.id, &outcome)?;
    services.store.log_operation(&operation(services, job, written, &outcome))
}

fn outcome(now: Instant, job: &Job, written: &Written) -> Outcome {
    let answer = written.attempt.as_ref().and_then(|attempt| attempt.result.as_ref().ok());
    let total = now.saturating_duration_since(job.deadline.start());
    let timing = Timing {
        queue_ms: Some(ms(job.queue)),
        load_ms: answer.and_then(|answer| answer.load).map(ms),
        ttft_ms: answer.and_then(|answer| answer.ttft).map(ms),
        tpot_ms: answer.and_then(|answer| answer.tpot).map(ms),
        model_ms: written.attempt.as_ref().map(|_| ms(written.model_time)),
        overhead_ms: Some(ms(total.saturating_sub(job.queue).saturating_sub(written.model_time))),
        total_ms: Some(ms(total)),
        budget_ms: Some(ms(job.deadline.budget())),
    };
    if let Plan::Carry { summary, provenance, tokens } = &job.plan {
        let (summary, provenance) = (Some(summary.clone()), provenance.clone());
        return Outcome { summary, provenance, timing, tokens: *tokens, wire: None };
    }
    Outcome {
        summary: written.text.clone(),
        provenance: provenance(written),
        timing,
        tokens: answer.map(|answer| answer.tokens).unwrap_or_default(),
        wire: wire(written),
    }
}

fn provenance(written: &Written) -> Provenance {
    match (&written.text, &written.attempt) {
        (Some(_), Some(attempt)) => Provenance {
            by: By::Model,
            model: attempt.model.clone(),
            endpoint: attempt.endpoint.clone(),
            reason: written.reason,
            prompt_version: written.prompt.as_ref().map(|prompt| prompt.version.clone()),
        },
        _ => template_provenance(written.reason),
    }
}

/// Exactly what was sent; nothing where the request never left.
fn wire(written: &Written) -> Option<String> {
    use crate::llm::LlmError;
    let attempt = written.attempt.as_ref()?;
    let never_left = matches!(
        attempt.result,
        Err(LlmError::Unreachable { .. } | LlmError::NotLoopback { .. } | LlmError::Cloud { .. })
    );
    let prompt = written.prompt.as_ref().filter(|_| !never_left && attempt.endpoint.is_some())?;
    Some(format!("{}\n{}", prompt.rules, prompt.question))
}

fn operation(services: &Services, job: &Job, written: &Written, outcome: &Outcome) -> Operation {
    let us = |millis: Option<f64>| millis.map(|millis| (millis * 1e3).round() as u64);
    let attempt = written.attempt.as_ref();
    Operation {
        at: services.clock.now(),
        op: format!("capture.{}", job.subject.kind().as_str()),
        duration_us: us(outcome.timing.total_ms).unwrap_or(0),
        budget_us: us(outcome.timing.budget_ms),
        model: attempt.and_then(|attempt| attempt.model.clone()),
        endpoint: attempt.and_then(|attempt| attempt.endpoint.clone()),
        cold: outcome.timing.load_ms.is_some_and(|load| load > COLD_LOAD_MS),
        ttft_us: us(outcome.timing.ttft_ms),
        tps: outcome.timing.tpot_ms.filter(|tpot| *tpot > 0.0).map(|tpot| 1e3 / tpot),
        reason: outcome.provenance.reason,
        failed: matches!(written.reason, Reason::Refused | Reason::Unusable | Reason::Overflow),
    }
}

/// Above this load time a request counts as cold: a warm server reports about a millisecond.
const COLD_LOAD_MS: f64 = 50.0;
