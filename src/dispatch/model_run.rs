//! Converts an answer, or its absence, into observations for the forecast and the circuit breaker.

use std::time::Duration;

use crate::llm::{ClockFired, Finish, LlmError, ModelAnswer};
use crate::route::breaker::RequestOutcome;
use crate::route::forecast::Work;
use crate::route::observation::{Observation, RunEnd};

/// One run as measured by the client.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModelRun<'a> {
    /// The expected work: tokens to read, tokens cached, tokens allowed.
    pub work: Work,
    pub result: &'a Result<ModelAnswer, LlmError>,
    /// From sending to the end.
    pub elapsed: Duration,
    pub pressed: bool,
    /// The model was not loaded when it was asked, as far as was known.
    pub cold: bool,
}

impl ModelRun<'_> {
    /// `None` where the run says nothing about the model's speed.
    pub fn observe(&self) -> Option<Observation> {
        match self.result {
            Ok(answer) if answer.prompt_truncated || answer.finish == Finish::Aborted => None,
            Ok(answer) => Some(self.observe_answer(answer)),
            Err(LlmError::Deadline(_)) => Some(self.observe_cut()),
            Err(_) => None,
        }
    }

    fn observe_answer(&self, answer: &ModelAnswer) -> Observation {
        let counted = |count: Option<u64>| count.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let all = self.work.uncached.saturating_add(self.work.cached);
        let prompt = counted(answer.tokens.prompt).unwrap_or(all).max(1);
        let cached = counted(answer.tokens.cached).unwrap_or(self.work.cached).min(prompt);
        Observation {
            uncached: prompt - cached,
            cached,
            written: counted(answer.tokens.output).unwrap_or(0),
            sentence: counted(answer.sentence_tokens),
            load_s: answer.load.map(|load| load.as_secs_f64()),
            ttft_s: answer.ttft.map(|ttft| ttft.as_secs_f64()),
            tpot_s: answer.tpot.map(|tpot| tpot.as_secs_f64()),
            end: match answer.finish {
                Finish::Stop => RunEnd::Done,
                Finish::Length => RunEnd::Length,
                Finish::Cut(_) | Finish::Aborted => RunEnd::Cut,
            },
            ..self.observe_cut()
        }
    }

    /// A run that was cut before the first token.
    fn observe_cut(&self) -> Observation {
        Observation {
            uncached: self.work.uncached,
            cached: self.work.cached,
            allowed: self.work.allowed,
            written: 0,
            sentence: None,
            // A wait for a model that was still loading shows nothing of its speed.
            load_s: self.cold.then_some(self.elapsed.as_secs_f64()),
            queue_s: 0.0,
            ttft_s: None,
            tpot_s: None,
            took_s: self.elapsed.as_secs_f64(),
            end: RunEnd::Cut,
            pressed: self.pressed,
            idle_min: 0.0,
        }
    }
}

/// Event for the circuit breaker; `None` where the fault is in the settings.
pub(super) fn breaker_event(result: &Result<ModelAnswer, LlmError>) -> Option<RequestOutcome> {
    match result {
        Ok(answer) if answer.finish == Finish::Aborted => Some(RequestOutcome::Failed),
        Ok(_) => Some(RequestOutcome::Answered),
        Err(error) => error_event(error),
    }
}

/// Event for a list that did not come: a healthy server has it ready.
pub(super) fn list_error_event(error: &LlmError) -> Option<RequestOutcome> {
    match error {
        LlmError::Deadline(ClockFired::Connect | ClockFired::FirstToken) => Some(RequestOutcome::Silent),
        _ => error_event(error),
    }
}

fn error_event(error: &LlmError) -> Option<RequestOutcome> {
    Some(match error {
        // A server that reports an overlong prompt is healthy.
        LlmError::PromptTooLong { .. } => RequestOutcome::Answered,
        // Some servers send their headers with the first token: waiting for them is waiting for the model.
        LlmError::Deadline(_) => RequestOutcome::Slow,
        LlmError::Unreachable { .. } => RequestOutcome::Unreachable,
        LlmError::Status { status: 503 | 429, .. } => RequestOutcome::Busy,
        LlmError::Status { .. }
        | LlmError::NoSuchModel { .. }
        | LlmError::NoSystemRole { .. }
        | LlmError::MidStream { .. }
        | LlmError::Garbled { .. }
        | LlmError::TooMuch { .. }
        | LlmError::NotAModelServer { .. } => RequestOutcome::Failed,
        LlmError::NotLoopback { .. } | LlmError::Cloud { .. } | LlmError::InvalidEndpoint { .. } => return None,
    })
}
