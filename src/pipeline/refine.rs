//! Deferred refinement: a template that stood in for a slow, cold or absent model is replaced later, in place, while
//! the machine is idle.
//!
//! The capture stays as it was, on time or late: only its text, scores and provenance change. Edits by the user win.
//! After a failed try it rests for an hour, after the second it is left alone; a time without an available model does
//! not count as a try.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answered::AnswerRecord;
use super::capture::{self, CaptureError, Plan};
use super::grounding;
use super::job::{Job, RepositoryContext};
use super::output_check::{self, CheckedAnswer};
use super::services::Services;
use crate::dispatch::{Attempt, Unanswered};
use crate::domain::capture::{Capture, Reason};
use crate::domain::deadline::Deadline;
use crate::git::repo::Repo;
use crate::llm::{ClockFired, Finish, LlmError, ModelAnswer};
use crate::route::decision::Rejected;
use crate::route::signals::Urgency;
use crate::store::{Refinement, StoreError};

/// Longest time for one text.
const BUDGET: Duration = Duration::from_secs(30);
/// Older templates stay: a late text of them is of no use any more.
const LOOK_BACK: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// Pause after a failed try.
const REST: Duration = Duration::from_secs(60 * 60);

/// Outcome of one refinement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefineOutcome {
    /// A better text replaced the template.
    Better,
    /// The answer was no better.
    Vain,
    /// The template is no longer live: edited, superseded, forgotten.
    Overtaken,
    /// No model was available, or it was preempted: that says nothing about this capture.
    NotNow,
}

/// Result of one round of refinements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefineRound {
    pub better: usize,
    pub vain: usize,
    /// It ended because no model was available: another round at once would end in the same way.
    pub cut_short: bool,
}

/// Asks again for the newest `limit` captures whose template stands for lack of time, oldest first, until `until` or
/// until `stop` returns true, which is checked before each. Does nothing where `capture.refine` is off.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn refine_some(
    services: &Services,
    limit: usize,
    until: Instant,
    stop: impl Fn() -> bool,
) -> Result<RefineRound, StoreError> {
    let mut walk = RefineRound::default();
    for capture in run_blocking(services, move |services| find_refinable(services, limit)).await??.into_iter().rev() {
        if stop() || services.clock.instant() >= until {
            break;
        }
        match refine_one(services, capture, until).await? {
            RefineOutcome::Better => walk.better += 1,
            RefineOutcome::Vain => walk.vain += 1,
            RefineOutcome::Overtaken => {}
            RefineOutcome::NotNow => {
                walk.cut_short = true;
                break;
            }
        }
    }
    Ok(walk)
}

/// Captures to be refined, newest first.
fn find_refinable(services: &Services, limit: usize) -> Result<Vec<Capture>, StoreError> {
    if !services.config(None).capture.refine {
        return Ok(Vec::new());
    }
    let now = services.clock.now();
    services.store.refinable(now - LOOK_BACK, now - REST, limit)
}

/// Asks a model for this capture once more, with batch priority and by `until`, and replaces the template with the
/// better text. Only a whole answer counts, by the same checks as one within the budget.
///
/// # Errors
/// When the store cannot be written.
pub async fn refine_one(services: &Services, capture: Capture, until: Instant) -> Result<RefineOutcome, StoreError> {
    let id = capture.id;
    let taken = run_blocking(services, move |services| take_up(services, &capture, until)).await?;
    let Ok(Some(job)) = taken else {
        // The commit is gone, or may not be read any more.
        return run_blocking(services, move |services| record_failure(services, id)).await?;
    };
    let job = Arc::new(job);
    let asked = services.clock.instant();
    let attempt = job.request_text(services, Urgency::Batch).await;
    if not_now(&attempt, services.clock.instant() < job.deadline.model_end()) {
        return Ok(RefineOutcome::NotNow);
    }
    let judged = output_check::check_answer(services, &job, &attempt).await;
    let elapsed = services.clock.instant().saturating_duration_since(asked);
    run_blocking(services, move |services| finish(services, &job, &attempt, &judged, elapsed)).await?
}

/// Off the event loop.
async fn run_blocking<T: Send + 'static>(
    services: &Services,
    job: impl FnOnce(&Services) -> T + Send + 'static,
) -> Result<T, StoreError> {
    let services = services.clone();
    let done = tokio::task::spawn_blocking(move || job(&services)).await;
    done.map_err(|error| StoreError::Other(Box::new(error)))
}

/// `None` where the commit may not be read, or is gone.
fn take_up(services: &Services, capture: &Capture, until: Instant) -> Result<Option<Job>, CaptureError> {
    let repo = repo_of(services, capture)?;
    if capture.commit.is_some() && repo.is_none() {
        return Ok(None);
    }
    let context = repo.as_ref().map(|repo| RepositoryContext::open(services, repo));
    let forbidden = context.as_ref().is_some_and(|context| !context.is_allowed());
    let subject = if forbidden { None } else { Some(capture::subject_of(capture, context.as_ref())?) };
    let names = context.as_ref().map(RepositoryContext::name_source);
    let config = context.map_or_else(|| services.config(None), |context| context.config);
    let Some(subject) = subject.filter(|_| config.capture.enabled && config.capture.refine) else { return Ok(None) };
    let budget = BUDGET.min(until.saturating_duration_since(services.clock.instant()));
    Ok(Some(Job {
        id: capture.id,
        subject,
        deadline: Deadline::after(budget, services.clock.as_ref()),
        config,
        queue: Duration::ZERO,
        plan: Plan::Ask,
        template: capture.summary.clone(),
        names,
    }))
}

/// The capture's repository: at its last registered path, else where it was captured.
fn repo_of(services: &Services, capture: &Capture) -> Result<Option<Repo>, CaptureError> {
    let Some(repo_ref) = &capture.repo else { return Ok(None) };
    let opened = match services.store.registration(&repo_ref.id)? {
        Some(registered) => Repo::open_git_dir(&registered.common_dir),
        None => Repo::discover(std::path::Path::new(&repo_ref.path)),
    };
    Ok(opened.ok().filter(|repo| repo.location().id == repo_ref.id))
}

/// Whether the attempt says nothing about this text. `early`: there was time left when it ended, so that the cut was a
/// preemption.
fn not_now(attempt: &Attempt, early: bool) -> bool {
    match &attempt.result {
        Err(Unanswered::Unasked(reason)) => {
            matches!(reason, Reason::BreakerOpen | Reason::Cold | Reason::Refused)
                || (*reason == Reason::Disabled && is_barred(attempt))
        }
        // No turn on the device, or a silent server.
        Err(Unanswered::Failed(LlmError::Deadline(ClockFired::Connect))) => true,
        // Only preemption cuts batch work.
        Err(Unanswered::Failed(LlmError::Deadline(clock))) => early || *clock == ClockFired::Pace,
        Err(Unanswered::Failed(
            LlmError::Unreachable { .. }
            | LlmError::NoSuchModel { .. }
            | LlmError::NotLoopback { .. }
            | LlmError::Cloud { .. }
            | LlmError::NotAModelServer { .. }
            | LlmError::InvalidEndpoint { .. },
        )) => true,
        Ok(ModelAnswer { finish: Finish::Cut(clock), .. }) => early || *clock == ClockFired::Pace,
        Ok(_) | Err(Unanswered::Failed(_)) => false,
    }
}

/// The router asked no model because too few answers could be used: that may change.
fn is_barred(attempt: &Attempt) -> bool {
    let mut all = attempt.decision.iter().flat_map(|decision| &decision.candidates);
    all.any(|candidate| candidate.rejected_because == Some(Rejected::SeldomUsable))
}

fn finish(
    services: &Services,
    job: &Job,
    attempt: &Attempt,
    judged: &CheckedAnswer,
    elapsed: Duration,
) -> Result<RefineOutcome, StoreError> {
    let repaired = judged.text.is_some() && !judged.faults.is_empty();
    let times = (services.clock.now(), elapsed);
    let operation = job.operation("refine", times, Some(attempt), (judged.reason, repaired));
    services.store.log_operation(&operation)?;
    services.models.knowledge.recount();
    let Some(mut refinement) = refinement(services, job, attempt, judged) else {
        return record_failure(services, job.id);
    };
    let refused: Vec<&str> = judged.faults.iter().map(|fault| fault.sentence.as_str()).collect();
    let answered = AnswerRecord::of(attempt, job.subject.raw(), (judged.text.as_deref(), judged.reason), &refused);
    refinement.decision = answered.instead(services.store.decision(job.id)?.as_deref());
    let replaced = services.store.refine_capture(job.id, &refinement)?;
    Ok(if replaced { RefineOutcome::Better } else { RefineOutcome::Overtaken })
}

fn record_failure(services: &Services, id: crate::domain::id::CaptureId) -> Result<RefineOutcome, StoreError> {
    services.store.record_failed_refinement(id, services.clock.now())?;
    Ok(RefineOutcome::Vain)
}

/// `None` for less than a whole answer, because a part is no better than the template, and for a text that scores worse
/// than the current one.
fn refinement(services: &Services, job: &Job, attempt: &Attempt, judged: &CheckedAnswer) -> Option<Refinement> {
    let summary = judged.text.as_ref().filter(|_| judged.reason == Reason::None)?;
    if grounding::is_worse(job, summary) {
        return None;
    }
    let faults: Vec<String> = judged.faults.iter().map(output_check::describe_fault).collect();
    Some(Refinement {
        at: services.clock.now(),
        summary: summary.clone(),
        model: attempt.model.clone()?,
        endpoint: attempt.endpoint.clone()?,
        prompt_version: attempt.prompt.as_ref()?.version.clone(),
        quality: grounding::quality(job, summary, faults.len()),
        decision: None,
        wire: output_check::wire(attempt)?,
        faults,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operation::PrefillOutcome;
    use crate::domain::role::Role;
    use crate::route::merit;
    use crate::route::signals::Traffic;

    fn attempt(result: Result<ModelAnswer, Unanswered>) -> Attempt {
        Attempt { model: None, endpoint: None, result, prompt: None, decision: None, ahead: PrefillOutcome::None }
    }

    #[test]
    fn a_server_that_is_down_says_nothing_about_a_capture_and_a_bad_answer_does() {
        let down = || attempt(Err(LlmError::Unreachable { url: String::new() }.into()));
        let bad = || attempt(Err(LlmError::Garbled { message: String::new() }.into()));
        assert!(not_now(&down(), true) && not_now(&down(), false));
        assert!(!not_now(&bad(), true) && !not_now(&bad(), false));
        assert!(not_now(&attempt(Err(Unanswered::Unasked(Reason::BreakerOpen))), true));
        let too_slow = attempt(Err(Unanswered::Unasked(Reason::PredictedMiss)));
        assert!(!not_now(&too_slow, true), "else it would keep the others from their turn");
    }

    #[test]
    fn a_model_that_is_not_asked_any_more_says_nothing_about_a_capture() {
        use crate::route::choice::{Candidate, decide};
        use crate::route::forecast::Forecast;
        use crate::route::signals::Signals;
        use crate::route::speed::{ModelHardware, Speed};
        use crate::route::tally::UsableTally;
        let task = Signals {
            role: Role::Capture,
            urgency: Urgency::Batch,
            traffic: Traffic::Calm,
            prompt_tokens: 400,
            least_tokens: 100,
            max_tokens: 120,
            technicality: 0.5,
            budget_s: 30.0,
            left_s: 30.0,
            pressed: false,
            on_battery: false,
            template_quality: merit::TEMPLATE,
        };
        let forecast = Forecast::from_seed(Speed::from_hardware(&ModelHardware::default()));
        let unasked = |used, quality| {
            let one = Candidate {
                endpoint: "local",
                model: "m",
                resident: Some(true),
                cached: 0,
                cached_rules: 0,
                queue_s: 0.0,
                idle_min: 0.0,
                blocked_by: None,
                evicts: false,
                loads: false,
                few_runs: false,
                forecast: &forecast,
                quality,
                tally: UsableTally { judged: 40, used },
            };
            let decision = decide(&task, &[one], None);
            let attempt = attempt(Err(Unanswered::Unasked(decision.reason)));
            not_now(&Attempt { decision: Some(decision), ..attempt }, true)
        };
        assert!(unasked(1, 0.7), "it may come back");
        assert!(!unasked(40, 0.1), "a model that writes worse than the template stays as it is");
    }

    #[test]
    fn a_cut_before_its_time_is_a_preemption() {
        let cut = attempt(Err(LlmError::Deadline(ClockFired::Stream).into()));
        assert!(not_now(&cut, true));
        assert!(!not_now(&cut, false), "it had all its time");
        let recalled = attempt(Err(LlmError::Deadline(ClockFired::Pace).into()));
        assert!(not_now(&recalled, false), "only preemption cuts batch work");
        assert!(not_now(&attempt(Err(LlmError::Deadline(ClockFired::Connect).into())), false), "it was never its turn");
    }
}
