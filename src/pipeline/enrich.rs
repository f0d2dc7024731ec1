//! The model stage of a capture: ask within the deadline, check the answer, replace the template, store the final text.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::answered::AnswerRecord;
use super::capture::{Plan, template_provenance};
use super::grounding;
use super::job::Job;
use super::output_check::{self, CheckedAnswer};
use super::services::Services;
use super::subject::Subject;
use crate::dispatch::Attempt;
use crate::domain::capture::{AuthoredBy, Capture, ModelOutcome, Provenance, Reason};
use crate::domain::operation::{Operation, PrefillOutcome};
use crate::domain::timing::{Timing, ms};
use crate::grounding::Ungrounded;
use crate::llm::{Finish, ModelAnswer};
use crate::route::signals::Urgency;
use crate::store::{FinalCapture, StoreError};

/// Lets the role's model write within the deadline and finalizes the capture in every case.
///
/// # Errors
/// When the store cannot be written; the capture then stays pending until another process finishes it.
pub async fn enrich(services: &Services, job: Job) -> Result<(), StoreError> {
    let job = Arc::new(job);
    let written = write(services, &job).await;
    finish_aside(services, &Arc::new((job, written))).await
}

/// As [`enrich`], for a long-lived process: a failed store write is retried. Once `cut_short` is set, the template is used
/// and there is one last try.
///
/// # Errors
/// When the store cannot be written and no time is left, or for a reason that a retry does not mend.
pub async fn enrich_persistently(
    services: &Services,
    job: Job,
    mut cut_short: watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let job = Arc::new(job);
    let written = tokio::select! {
        written = write(services, &job) => written,
        _ = cut_short.wait_for(|up| *up) => StageResult::template(without_server(services, &job, Reason::Deadline)),
    };
    let done = Arc::new((job, written));
    loop {
        let last_try = *cut_short.borrow();
        match finish_aside(services, &done).await {
            Err(StoreError::Unavailable(_) | StoreError::Full(_)) if !last_try => {
                // Either way another try follows: after the pause, or as the last one.
                let _ = tokio::time::timeout(RETRY, cut_short.wait_for(|up| *up)).await;
            }
            other => return other,
        }
    }
}

/// Pause before a failed store write is retried.
const RETRY: Duration = Duration::from_secs(1);

async fn write(services: &Services, job: &Arc<Job>) -> StageResult {
    let left = job.deadline.model_time_left(services.clock.as_ref());
    let written = match &job.plan {
        Plan::Template(reason) => StageResult::template(*reason),
        Plan::Carry { .. } => StageResult::template(Reason::None),
        Plan::Ask if left.is_zero() => StageResult::template(Reason::Deadline),
        Plan::Ask => ask_model(services, job).await,
    };
    StageResult { reason: without_server(services, job, written.reason), ..written }
}

/// The reason of a template: no model was too slow, too busy or cold where no server listens.
fn without_server(services: &Services, job: &Job, reason: Reason) -> Reason {
    let blames_model = matches!(reason, Reason::PredictedMiss | Reason::Deadline | Reason::Cold | Reason::BreakerOpen);
    if blames_model && services.models.knowledge.nothing_listens(&job.config) { Reason::Refused } else { reason }
}

/// Off the event loop.
async fn finish_aside(services: &Services, done: &Arc<(Arc<Job>, StageResult)>) -> Result<(), StoreError> {
    let (services, done) = (services.clone(), Arc::clone(done));
    let finishing = tokio::task::spawn_blocking(move || finish(&services, &done.0, &done.1));
    finishing.await.map_err(|error| StoreError::Other(Box::new(error)))?
}

/// The final row of a capture for which no model is asked, as of now.
pub(super) fn at_once(services: &Services, job: &Job, pending: &Capture) -> FinalCapture {
    let reason = match job.plan {
        Plan::Template(reason) => reason,
        Plan::Carry { .. } | Plan::Ask => Reason::None,
    };
    let written = StageResult::template(without_server(services, job, reason));
    let outcome = outcome(services.clock.instant(), job, &written, &AnswerRecord::default());
    let operation = operation(services, job, &written, &outcome);
    let template = pending.summary.clone();
    let ModelOutcome { summary, provenance, timing, tokens, quality, wire: _, faults: _, decision: _ } = outcome;
    let summary = summary.unwrap_or_else(|| template.clone());
    FinalCapture {
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
    finish(services, job, &StageResult::template(reason))
}

/// Result of the model stage.
struct StageResult {
    text: Option<String>,
    reason: Reason,
    attempt: Option<Attempt>,
    model_time: Duration,
    /// Ungrounded sentences of the model's text.
    faults: Vec<Ungrounded>,
}

impl StageResult {
    fn template(reason: Reason) -> Self {
        Self { text: None, reason, attempt: None, model_time: Duration::ZERO, faults: Vec::new() }
    }
}

async fn ask_model(services: &Services, job: &Arc<Job>) -> StageResult {
    // The author of a note waits for its text; the author of a commit does not.
    let urgency = match job.subject {
        Subject::Note { .. } => Urgency::Urgent,
        Subject::Commit(_) => Urgency::Interactive,
    };
    let asked = services.clock.instant();
    let attempt = job.request_text(services, urgency).await;
    let model_time = services.clock.instant().saturating_duration_since(asked);
    let CheckedAnswer { text, reason, faults, .. } =
        unless_worse(job, output_check::check_answer(services, job, &attempt).await, &attempt);
    StageResult { text, reason, attempt: Some(attempt), model_time, faults }
}

/// A salvaged part of an answer replaces the template only where it says as much.
fn unless_worse(job: &Job, judged: CheckedAnswer, attempt: &Attempt) -> CheckedAnswer {
    let piece = judged.text.as_deref().filter(|_| judged.reason == Reason::Salvaged);
    if piece.is_none_or(|piece| !grounding::is_worse(job, piece)) {
        return judged;
    }
    let was_cut = matches!(&attempt.result, Ok(ModelAnswer { finish: Finish::Cut(_), .. }));
    CheckedAnswer { text: None, reason: if was_cut { Reason::Deadline } else { Reason::Unusable }, ..judged }
}

fn finish(services: &Services, job: &Job, written: &StageResult) -> Result<(), StoreError> {
    let (outcome_cell, answered) = (OnceCell::new(), record_answer(job, written));
    let outcome = || outcome_cell.get_or_init(|| outcome(services.clock.instant(), job, written, &answered));
    services.store.finish_capture(job.id, &|| outcome().clone())?;
    services.store.log_operation(&operation(services, job, written, outcome()))?;
    if written.attempt.is_some() {
        services.models.knowledge.recount();
    }
    Ok(())
}

fn outcome(now: Instant, job: &Job, written: &StageResult, answered: &AnswerRecord) -> ModelOutcome {
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
        return ModelOutcome {
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
    ModelOutcome {
        summary: written.text.clone(),
        provenance: provenance(written),
        timing,
        tokens: answer.map(|answer| answer.tokens).unwrap_or_default(),
        quality: grounding::quality(job, written.text.as_deref().unwrap_or(&job.template), kept_faults),
        wire: written.attempt.as_ref().and_then(output_check::wire),
        faults: written.faults.iter().map(output_check::describe_fault).collect(),
        decision: written.attempt.as_ref().and_then(|attempt| answered.reasoned(attempt)),
    }
}

fn provenance(written: &StageResult) -> Provenance {
    match (&written.text, &written.attempt) {
        (Some(_), Some(attempt)) => Provenance {
            by: AuthoredBy::Model,
            model: attempt.model.clone(),
            endpoint: attempt.endpoint.clone(),
            reason: written.reason,
            prompt_version: attempt.prompt.as_ref().map(|prompt| prompt.version.clone()),
        },
        _ => template_provenance(written.reason),
    }
}

/// What is stored of the model's answer, with what the text leaves out.
fn record_answer(job: &Job, written: &StageResult) -> AnswerRecord {
    let Some(attempt) = &written.attempt else { return AnswerRecord::default() };
    let refused: Vec<&str> = written.faults.iter().map(|fault| fault.sentence.as_str()).collect();
    AnswerRecord::of(attempt, job.subject.raw(), (written.text.as_deref(), written.reason), &refused)
}

fn operation(services: &Services, job: &Job, written: &StageResult, outcome: &ModelOutcome) -> Operation {
    let (attempt, total) = (written.attempt.as_ref(), outcome.timing.total_ms.unwrap_or_default());
    let times = (services.clock.now(), Duration::try_from_secs_f64(total / 1e3).unwrap_or_default());
    // A text is kept, but not all of it.
    let repaired = written.text.is_some() && !written.faults.is_empty();
    Operation {
        budget_us: Some(job.deadline.budget().as_micros().try_into().unwrap_or(u64::MAX)),
        prefill: attempt.map_or(PrefillOutcome::None, |attempt| attempt.ahead),
        ..job.operation("capture", times, attempt, (outcome.provenance.reason, repaired))
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
        let attempt = Attempt { model, endpoint, result, prompt: None, decision: None, ahead: PrefillOutcome::None };
        let written = StageResult { attempt: Some(attempt), ..StageResult::template(Reason::Refused) };
        let provenance = provenance(&written);
        assert_eq!((provenance.by, provenance.model, provenance.endpoint), (AuthoredBy::Template, None, None));
    }
}
