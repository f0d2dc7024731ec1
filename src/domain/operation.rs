//! Latency log entry: one timed operation.

use jiff::Timestamp;

use super::capture::Reason;

/// Effect of the prefix cache: how much of the prompt was prefilled before the commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Ahead {
    /// Prefill does not apply: a note, a draft, or no model request.
    #[default]
    None,
    /// The whole prompt except the author's words was prefilled.
    Whole,
    /// Prefill had started.
    Part,
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
    pub ahead: Ahead,
}

impl Operation {
    /// True if within budget; always true for operations without one.
    #[must_use]
    pub fn on_time(&self) -> bool {
        self.budget_us.is_none_or(|budget| self.duration_us <= budget)
    }
}
