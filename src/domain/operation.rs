//! Latency log entry: one timed operation.

use std::time::Duration;

use jiff::Timestamp;

use super::capture::Reason;

/// Effect of the prefix cache: how much of the prompt was prefilled before the commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum PrefillOutcome {
    /// Prefill does not apply: a note, a draft, or no model request.
    #[default]
    None,
    /// The whole prompt except the author's words was prefilled.
    Complete,
    /// Prefill had started.
    Partial,
    /// Nothing useful was prefilled: no change was visible before (`git commit -m`), or another one was.
    Missed,
}

/// The operation and its outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub at: Timestamp,
    /// `capture.commit`, `capture.note`, `draft.devlog`, …
    pub op: String,
    /// Stamp → final, in µs.
    pub duration_us: u64,
    pub budget_us: Option<u64>,
    pub model: Option<String>,
    pub endpoint: Option<String>,
    /// The model had to be loaded first (cold start).
    pub cold: bool,
    pub ttft_us: Option<u64>,
    /// Decode speed, tokens per second after the first token.
    pub tps: Option<f64>,
    pub reason: Reason,
    /// The request failed (a timeout is no failure).
    pub failed: bool,
    /// Sentences of the model's text were dropped by the hallucination check.
    pub repaired: bool,
    pub prefill: PrefillOutcome,
}

/// Above this load time a request was cold: a warm server reports about a millisecond.
pub const COLD_LOAD: Duration = Duration::from_millis(50);

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Operation {
    /// An operation of this length, without a model and without a budget.
    #[must_use]
    pub fn new(at: Timestamp, op: String, elapsed: Duration) -> Self {
        Self {
            at,
            op,
            duration_us: micros(elapsed),
            budget_us: None,
            model: None,
            endpoint: None,
            cold: false,
            ttft_us: None,
            tps: None,
            reason: Reason::None,
            failed: false,
            repaired: false,
            prefill: PrefillOutcome::None,
        }
    }

    /// With the model and what its server measured: load time, time to first token, time per further token.
    #[must_use]
    pub fn by_model(
        self,
        model: Option<String>,
        endpoint: Option<String>,
        [load, ttft, tpot]: [Option<Duration>; 3],
    ) -> Self {
        Self {
            model,
            endpoint,
            cold: load.is_some_and(|load| load > COLD_LOAD),
            ttft_us: ttft.map(micros),
            tps: tpot.filter(|tpot| !tpot.is_zero()).map(|tpot| 1.0 / tpot.as_secs_f64()),
            ..self
        }
    }

    /// True if within budget; always true for operations without one.
    #[must_use]
    pub fn on_time(&self) -> bool {
        self.budget_us.is_none_or(|budget| self.duration_us <= budget)
    }
}
