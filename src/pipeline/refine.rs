//! A template that stood in for a slow, cold or absent model is replaced later, in place, when nobody waits.
//!
//! The capture stays what it was, on time or late: only its text, its scores and who wrote it change. What a person
//! wrote or did meanwhile wins. One that was tried in vain rests for an hour, and after the second time it is left
//! alone; a time at which nobody could be asked is no try.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answered::Answered;
use super::capture::{self, CaptureError, Job, Plan};
use super::grounding;
use super::judging::{self, Judged};
use super::models::{Attempt, Size, Task, Unanswered};
use super::services::{Exclusions, Services};
use crate::domain::capture::{Capture, Reason};
use crate::domain::deadline::Deadline;
use crate::domain::operation::{Ahead, Operation};
use crate::domain::role::Role;
use crate::domain::timing::ms;
use crate::git::repo::Repo;
use crate::llm::{Answer, ClockFired, Finish, LlmError};
use crate::route::decision::Rejected;
use crate::route::signals::{Traffic, Urgency};
use crate::route::{merit, technicality};
use crate::store::{Refinement, StoreError};

/// The longest that one text may take.
const BUDGET: Duration = Duration::from_secs(30);
/// Older templates stand: nobody looks for a better text of them any more.
const LOOK_BACK: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// How long a capture rests that was tried in vain.
const REST: Duration = Duration::from_secs(60 * 60);

/// What came of asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// The better text stands in the template's place.
    Better,
    /// No better text came of it.
    Vain,
    /// The template does not stand any more: edited, superseded, forgotten.
    Overtaken,
    /// Nobody could be asked, or somebody more urgent was: that says nothing about this capture.
    NotNow,
}

/// How many texts came of a walk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Walk {
    pub better: usize,
    pub vain: usize,
    /// It ended because nobody could be asked: walking again at once would end in the same way.
    pub cut_short: bool,
}

/// Asks again about the newest `limit` captures whose template stands for want of time, oldest first, until `until`
/// or until `stop` says so, which is asked before each of them. Does nothing where `capture.refine` is off.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn refine_some(
    services: &Services,
    limit: usize,
    until: Instant,
    stop: impl Fn() -> bool,
) -> Result<Walk, StoreError> {
    let mut walk = Walk::default();
    for capture in aside(services, move |services| waiting(services, limit)).await??.into_iter().rev() {
        if stop() || services.clock.instant() >= until {
            break;
        }
        match refine_one(services, capture, until).await? {
            Came::Better => walk.better += 1,
            Came::Vain => walk.vain += 1,
            Came::Overtaken => {}
            Came::NotNow => {
                walk.cut_short = true;
                break;
            }
        }
    }
    Ok(walk)
}

/// Newest first.
fn waiting(services: &Services, limit: usize) -> Result<Vec<Capture>, StoreError> {
    if !services.config(None).capture.refine {
        return Ok(Vec::new());
    }
    let now = services.clock.now();
    services.store.refinable(now - LOOK_BACK, now - REST, limit)
}

/// Asks a model about this capture once more, without hurry but not beyond `until`, and writes the better text in the
/// template's place. Only a whole answer will do, and it is judged as one in a hurry is.
///
/// # Errors
/// When the store cannot be written.
pub async fn refine_one(services: &Services, capture: Capture, until: Instant) -> Result<Came, StoreError> {
    let id = capture.id;
    let taken = aside(services, move |services| take_up(services, &capture, until)).await?;
    let Ok(Some(job)) = taken else {
        // The commit is gone, or may not be read any more.
        return aside(services, move |services| missed(services, id)).await?;
    };
    let job = Arc::new(job);
    let asked = services.clock.instant();
    let attempt = ask(services, &job).await;
    if not_now(&attempt, services.clock.instant() < job.deadline.model_end()) {
        return Ok(Came::NotNow);
    }
    let judged = judging::judge(services, &job, &attempt).await;
    let took = services.clock.instant().saturating_duration_since(asked);
    aside(services, move |services| finish(services, &job, &attempt, &judged, took)).await?
}

/// Off the event loop.
async fn aside<T: Send + 'static>(
    services: &Services,
    job: impl FnOnce(&Services) -> T + Send + 'static,
) -> Result<T, StoreError> {
    let services = services.clone();
    let done = tokio::task::spawn_blocking(move || job(&services)).await;
    done.map_err(|error| StoreError::Other(Box::new(error)))
}

/// Nothing where the commit is not to be read, or is not there.
fn take_up(services: &Services, capture: &Capture, until: Instant) -> Result<Option<Job>, CaptureError> {
    let repo = repo_of(services, capture)?;
    if capture.commit.is_some() && repo.is_none() {
        return Ok(None);
    }
    let config = services.config(repo.as_ref());
    let forbidden = repo.as_ref().is_some_and(|repo| Exclusions::of(&config).place(repo.place()));
    if forbidden || !config.capture.enabled || !config.capture.refine {
        return Ok(None);
    }
    let subject = capture::subject_of(services, capture, repo.as_ref(), &config)?;
    let budget = BUDGET.min(until.saturating_duration_since(services.clock.instant()));
    Ok(Some(Job {
        id: capture.id,
        subject,
        deadline: Deadline::after(budget, services.clock.as_ref()),
        config,
        queue: Duration::ZERO,
        plan: Plan::Ask,
        template: capture.summary.clone(),
        git_dir: repo.as_ref().map(|repo| repo.place().git_dir.clone()),
    }))
}

/// Where the capture's repository lies now: where it was registered last, else where it was captured.
fn repo_of(services: &Services, capture: &Capture) -> Result<Option<Repo>, CaptureError> {
    let Some(known) = &capture.repo else { return Ok(None) };
    let opened = match services.store.registration(&known.id)? {
        Some(registered) => Repo::open_git_dir(&registered.common_dir),
        None => Repo::discover(std::path::Path::new(&known.path)),
    };
    Ok(opened.ok().filter(|repo| repo.place().id == known.id))
}

async fn ask(services: &Services, job: &Job) -> Attempt {
    let prompt = |size: &Size| job.subject.prompt(&size.budget).asking_for(size.words);
    let task = Task {
        role: Role::Capture,
        urgency: Urgency::Batch,
        traffic: Traffic::Calm,
        budget: job.deadline.budget(),
        until: job.deadline.model_end(),
        technicality: job.subject.work().map_or(0.0, |work| technicality::of(&work.facts)),
        template_quality: merit::TEMPLATE,
        tree: None,
        prompt: &prompt,
    };
    services.models.ask(&job.config, &task).await
}

/// Whether nothing was learned about this text. `early`: there was time left when it ended, so that a cut was somebody
/// else's doing, who needed the device.
fn not_now(attempt: &Attempt, early: bool) -> bool {
    match &attempt.result {
        Err(Unanswered::Unasked(reason)) => {
            matches!(reason, Reason::BreakerOpen | Reason::Cold | Reason::Refused)
                || (*reason == Reason::Disabled && is_barred(attempt))
        }
        // No turn on the device, or a server that says nothing at all.
        Err(Unanswered::Failed(LlmError::Deadline(ClockFired::Connect))) => true,
        // Nothing paces what runs without hurry but the recall of its turn.
        Err(Unanswered::Failed(LlmError::Deadline(clock))) => early || *clock == ClockFired::Pace,
        Err(Unanswered::Failed(
            LlmError::Unreachable { .. }
            | LlmError::NoSuchModel { .. }
            | LlmError::NotLoopback { .. }
            | LlmError::Cloud { .. }
            | LlmError::NotAModelServer { .. }
            | LlmError::InvalidEndpoint { .. },
        )) => true,
        Ok(Answer { finish: Finish::Cut(clock), .. }) => early || *clock == ClockFired::Pace,
        Ok(_) | Err(Unanswered::Failed(_)) => false,
    }
}

/// Nobody was asked because too few of a model's answers could be used: that may change.
fn is_barred(attempt: &Attempt) -> bool {
    let mut all = attempt.decision.iter().flat_map(|decision| &decision.candidates);
    all.any(|one| one.rejected_because == Some(Rejected::SeldomUsable))
}

fn finish(
    services: &Services,
    job: &Job,
    attempt: &Attempt,
    judged: &Judged,
    took: Duration,
) -> Result<Came, StoreError> {
    services.store.log_operation(&operation(services, job, attempt, judged, took))?;
    services.models.recount();
    let Some(mut refinement) = refinement(services, job, attempt, judged) else { return missed(services, job.id) };
    let told: Vec<&str> = judged.faults.iter().map(|fault| fault.sentence.as_str()).collect();
    let answered = Answered::of(attempt, job.subject.raw(), (judged.text.as_deref(), judged.reason), &told);
    refinement.decision = answered.instead(services.store.decision(job.id)?.as_deref());
    let stood = services.store.refine_capture(job.id, &refinement)?;
    Ok(if stood { Came::Better } else { Came::Overtaken })
}

fn missed(services: &Services, id: crate::domain::id::CaptureId) -> Result<Came, StoreError> {
    services.store.refine_missed(id, services.clock.now())?;
    Ok(Came::Vain)
}

/// Nothing for less than a whole answer, because another piece of a text is no better than the template, nor for a text
/// that is worse than the one that stands.
fn refinement(services: &Services, job: &Job, attempt: &Attempt, judged: &Judged) -> Option<Refinement> {
    let summary = judged.text.as_ref().filter(|_| judged.reason == Reason::None)?;
    if grounding::is_worse(job, summary) {
        return None;
    }
    let faults: Vec<String> = judged.faults.iter().map(judging::told).collect();
    Some(Refinement {
        at: services.clock.now(),
        summary: summary.clone(),
        model: attempt.model.clone()?,
        endpoint: attempt.endpoint.clone()?,
        prompt_version: attempt.prompt.as_ref()?.version.clone(),
        quality: grounding::quality(job, summary, faults.len()),
        decision: None,
        wire: judging::wire(attempt)?,
        faults,
    })
}

fn operation(services: &Services, job: &Job, attempt: &Attempt, judged: &Judged, took: Duration) -> Operation {
    let answer = attempt.result.as_ref().ok();
    let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let tpot = answer.and_then(|answer| answer.tpot).filter(|tpot| !tpot.is_zero());
    Operation {
        at: services.clock.now(),
        op: format!("refine.{}", job.subject.kind().as_str()),
        duration_us: us(took),
        budget_us: None,
        model: attempt.model.clone(),
        endpoint: attempt.endpoint.clone(),
        cold: answer.and_then(|answer| answer.load).is_some_and(|load| ms(load) > judging::COLD_LOAD_MS),
        ttft_us: answer.and_then(|answer| answer.ttft).map(us),
        tps: tpot.map(|tpot| 1.0 / tpot.as_secs_f64()),
        reason: judged.reason,
        failed: judging::failed(Some(attempt), judged.reason),
        repaired: judged.text.is_some() && !judged.faults.is_empty(),
        ahead: Ahead::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(result: Result<Answer, Unanswered>) -> Attempt {
        Attempt { model: None, endpoint: None, result, prompt: None, decision: None, ahead: Ahead::None }
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
        use crate::route::speed::{Machine, Speed};
        use crate::route::tally::Tally;
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
        let forecast = Forecast::seeded(Speed::of(&Machine::default()));
        let unasked = |used, quality| {
            let one = Candidate {
                endpoint: "local",
                model: "m",
                resident: Some(true),
                cached: 0,
                cached_rules: 0,
                queue_s: 0.0,
                idle_min: 0.0,
                barred: None,
                evicts: false,
                loads: false,
                guessed: false,
                forecast: &forecast,
                quality,
                tally: Tally { judged: 40, used },
            };
            let decision = decide(&task, &[one], None);
            let attempt = attempt(Err(Unanswered::Unasked(decision.reason)));
            not_now(&Attempt { decision: Some(decision), ..attempt }, true)
        };
        assert!(unasked(1, 0.7), "it may come back");
        assert!(!unasked(40, 0.1), "a model that writes worse than the template stays as it is");
    }

    #[test]
    fn a_cut_before_its_time_is_somebody_elses_doing() {
        let cut = attempt(Err(LlmError::Deadline(ClockFired::Stream).into()));
        assert!(not_now(&cut, true));
        assert!(!not_now(&cut, false), "it had all its time");
        let recalled = attempt(Err(LlmError::Deadline(ClockFired::Pace).into()));
        assert!(not_now(&recalled, false), "nothing else paces what nobody waits for");
        assert!(not_now(&attempt(Err(LlmError::Deadline(ClockFired::Connect).into())), false), "it was never its turn");
    }
}
