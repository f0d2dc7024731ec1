//! The model stage of a capture: ask within the deadline, check the answer, replace the template, store the final text.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::answered::Answered;
use super::capture::{Job, Plan, template_provenance};
use super::grounding;
use super::judging::{self, Judged};
use super::services::Services;
use super::subject::Subject;
use crate::dispatch::{Attempt, Size, Task};
use crate::domain::capture::{By, Capture, Outcome, Provenance, Reason};
use crate::domain::operation::{Ahead, Operation};
use crate::domain::role::Role;
use crate::domain::timing::{Timing, ms};
use crate::grounding::Ungrounded;
use crate::llm::{Answer, Finish};
use crate::route::signals::{Traffic, Urgency};
use crate::route::{merit, technicality};
use crate::store::{Finished, StoreError};

/// Lets the role's model write within the deadline and finalizes the capture in every case.
///
/// # Errors
/// When the store cannot be written; the capture then stays pending until another process finishes it.
pub async fn enrich(services: &Services, job: Job) -> Result<(), StoreError> {
    let job = Arc::new(job);
    let written = write(services, &job).await;
    finish_aside(services, &Arc::new((job, written))).await
}

/// As [`enrich`], for a long-lived process: a failed store write is retried. Once `hurry` is set, the template is used
/// and there is one last try.
///
/// # Errors
/// When the store cannot be written and no time is left, or for a reason that a retry does not mend.
pub async fn enrich_persistently(
    services: &Services,
    job: Job,
    mut hurry: watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let job = Arc::new(job);
    let written = tokio::select! {
        written = write(services, &job) => written,
        _ = hurry.wait_for(|up| *up) => Written::template(without_server(services, &job, Reason::Deadline)),
    };
    let done = Arc::new((job, written));
    loop {
        let last_try = *hurry.borrow();
        match finish_aside(services, &done).await {
            Err(StoreError::Unavailable(_) | StoreError::Full(_)) if !last_try => {
                // Either way another try follows: after the pause, or as the last one.
                let _ = tokio::time::timeout(RETRY, hurry.wait_for(|up| *up)).await;
            }
            other => return other,
        }
    }
}

/// Pause before a failed store write is retried.
const RETRY: Duration = Duration::from_secs(1);

async fn write(services: &Services, job: &Arc<Job>) -> Written {
    let left = job.deadline.model_time_left(services.clock.as_ref());
    let written = match &job.plan {
        Plan::Template(reason) => Written::template(*reason),
        Plan::Carry { .. } => Written::template(Reason::None),
        Plan::Ask if left.is_zero() => Written::template(Reason::Deadline),
        Plan::Ask => ask(services, job).await,
    };
    Written { reason: without_server(services, job, written.reason), ..written }
}

/// The reason of a template: no model was too slow, too busy or cold where no server listens.
fn without_server(services: &Services, job: &Job, reason: Reason) -> Reason {
    let blames_model = matches!(reason, Reason::PredictedMiss | Reason::Deadline | Reason::Cold | Reason::BreakerOpen);
    if blames_model && services.models.nothing_listens(&job.config) { Reason::Refused } else { reason }
}

/// Off the event loop.
async fn finish_aside(services: &Services, done: &Arc<(Arc<Job>, Written)>) -> Result<(), StoreError> {
    let (services, done) = (services.clone(), Arc::clone(done));
    let finishing = tokio::task::spawn_blocking(move || finish(&services, &done.0, &done.1));
    finishing.await.map_err(|error| StoreError::Other(Box::new(error)))?
}

/// The final row of a capture for which no model is asked, as of now.
pub(super) fn at_once(services: &Services, job: &Job, pending: &Capture) -> Finished {
    let reason = match job.plan {
        Plan::Template(reason) => reason,
        Plan::Carry { .. } | Plan::Ask => Reason::None,
    };
    let written = Written::template(without_server(services, job, reason));
    let outcome = outcome(services.clock.instant(), job, &written, &Answered::default());
    let operation = operation(services, job, &written, &outcome);
    let template = pending.summary.clone();
    let Outcome { summary, provenance, timing, tokens, quality, wire: _, faults: _, decision: _ } = outcome;
    let summary = summary.unwrap_or_else(|| template.clone());
    Finished {
        capture: Capture { summary, provenance, timing, tokens, quality, ..pending.clone() },
        template,
        operation,
    }
}

/// Finalizes a capture with the text it already has: its template, or the text it carries.
///
/// # Errors
/// When the store cannot be written.
#[cfg(test)]
pub fn finish_without_model(services: &Services, job: &Job, reason: Reason) -> Result<(), StoreError> {
    finish(services, job, &Written::template(reason))
}

/// Result of the model stage.
struct Written {
    text: Option<String>,
    reason: Reason,
    attempt: Option<Attempt>,
    model_time: Duration,
    /// Ungrounded sentences of the model's text.
    faults: Vec<Ungrounded>,
}

impl Written {
    fn template(reason: Reason) -> Self {
        Self { text: None, reason, attempt: None, model_time: Duration::ZERO, faults: Vec::new() }
    }

    /// A text is kept, but not all of it.
    fn is_repaired(&self) -> bool {
        self.text.is_some() && !self.faults.is_empty()
    }
}

/// The author of a note waits for its text; the author of a commit does not.
fn urgency(job: &Job) -> Urgency {
    match job.subject {
        Subject::Note { .. } => Urgency::Urgent,
        Subject::Commit(_) => Urgency::Interactive,
    }
}

async fn ask(services: &Services, job: &Arc<Job>) -> Written {
    let prompt = |size: &Size| job.subject.prompt(&size.budget).asking_for(size.words);
    let task = Task {
        role: Role::Capture,
        urgency: urgency(job),
        traffic: Traffic::Calm,
        budget: job.deadline.budget(),
        until: job.deadline.model_end(),
        technicality: job.subject.work().map_or(0.0, |work| technicality::of(&work.facts)),
        template_quality: merit::TEMPLATE,
        tree: job.subject.work().map(|work| &work.commit.tree),
        prompt: &prompt,
    };
    let asked = services.clock.instant();
    let attempt = services.models.ask(&job.config, &task).await;
    let model_time = services.clock.instant().saturating_duration_since(asked);
    let Judged { text, reason, faults, .. } =
        unless_worse(job, judging::judge(services, job, &attempt).await, &attempt);
    Written { text, reason, attempt: Some(attempt), model_time, faults }
}

/// A salvaged part of an answer replaces the template only where it says as much.
fn unless_worse(job: &Job, judged: Judged, attempt: &Attempt) -> Judged {
    let piece = judged.text.as_deref().filter(|_| judged.reason == Reason::Salvaged);
    if piece.is_none_or(|piece| !grounding::is_worse(job, piece)) {
        return judged;
    }
    let was_cut = matches!(&attempt.result, Ok(Answer { finish: Finish::Cut(_), .. }));
    Judged { text: None, reason: if was_cut { Reason::Deadline } else { Reason::Unusable }, ..judged }
}

fn finish(services: &Services, job: &Job, written: &Written) -> Result<(), StoreError> {
    let (said, answered) = (OnceCell::new(), answered(job, written));
    let outcome = || said.get_or_init(|| outcome(services.clock.instant(), job, written, &answered));
    services.store.finish_capture(job.id, &|| outcome().clone())?;
    services.store.log_operation(&operation(services, job, written, outcome()))?;
    if written.attempt.is_some() {
        services.models.recount();
    }
    Ok(())
}

fn outcome(now: Instant, job: &Job, written: &Written, answered: &Answered) -> Outcome {
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
        let (quality, provenance) = (grounding::quality(job, summary, 0), provenance.clone());
        let summary = Some(summary.clone());
        return Outcome {
            summary,
            provenance,
            timing,
            tokens: *tokens,
            quality,
            wire: None,
            faults: Vec::new(),
            decision: None,
        };
    }
    let kept_faults = if written.text.is_some() { written.faults.len() } else { 0 };
    Outcome {
        summary: written.text.clone(),
        provenance: provenance(written),
        timing,
        tokens: answer.map(|answer| answer.tokens).unwrap_or_default(),
        quality: grounding::quality(job, written.text.as_deref().unwrap_or(&job.template), kept_faults),
        wire: written.attempt.as_ref().and_then(judging::wire),
        faults: written.faults.iter().map(judging::told).collect(),
        decision: written.attempt.as_ref().and_then(|attempt| answered.reasoned(attempt)),
    }
}

fn provenance(written: &Written) -> Provenance {
    match (&written.text, &written.attempt) {
        (Some(_), Some(attempt)) => Provenance {
            by: By::Model,
            model: attempt.model.clone(),
            endpoint: attempt.endpoint.clone(),
            reason: written.reason,
            prompt_version: attempt.prompt.as_ref().map(|prompt| prompt.version.clone()),
        },
        _ => template_provenance(written.reason),
    }
}

/// What is stored of the model's answer, with what the text leaves out.
fn answered(job: &Job, written: &Written) -> Answered {
    let Some(attempt) = &written.attempt else { return Answered::default() };
    let told: Vec<&str> = written.faults.iter().map(|fault| fault.sentence.as_str()).collect();
    Answered::of(attempt, job.subject.raw(), (written.text.as_deref(), written.reason), &told)
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
        cold: outcome.timing.load_ms.is_some_and(|load| load > judging::COLD_LOAD_MS),
        ttft_us: us(outcome.timing.ttft_ms),
        tps: outcome.timing.tpot_ms.filter(|tpot| *tpot > 0.0).map(|tpot| 1e3 / tpot),
        reason: outcome.provenance.reason,
        failed: judging::failed(attempt, written.reason),
        repaired: written.is_repaired(),
        ahead: attempt.map_or(Ahead::None, |attempt| attempt.ahead),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::LlmError;

    #[test]
    fn a_template_names_no_model() {
        let (model, endpoint) = (Some("m".into()), Some("e".into()));
        let result = Err(LlmError::Unreachable { url: String::new() }.into());
        let attempt = Attempt { model, endpoint, result, prompt: None, decision: None, ahead: Ahead::None };
        let written = Written { attempt: Some(attempt), ..Written::template(Reason::Refused) };
        let provenance = provenance(&written);
        assert_eq!((provenance.by, provenance.model, provenance.endpoint), (By::Template, None, None));
    }
}
