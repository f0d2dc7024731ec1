//! One row of the latency log: an operation that was timed.

use jiff::Timestamp;

use super::capture::Reason;

/// What reading the prompt ahead of the commit did for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Ahead {
    /// Nothing was to be read ahead: a note, a draft, a model that was not asked.
    #[default]
    None,
    /// All of the prompt but the author's words had been read.
    Whole,
    /// It had been begun.
    Part,
    /// The commit came without anything to be seen before it (`git commit -m`), or something else was read.
    Missed,
}

/// What was timed and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub at: Timestamp,
    /// `capture.commit`, `capture.note`, `draft.devlog`, …
    pub op: String,
    /// Stamp → final, in microseconds.
    pub duration_us: u64,
    pub budget_us: Option<u64>,
    pub model: Option<String>,
    pub endpoint: Option<String>,
    /// The model had to be loaded first.
    pub cold: bool,
    pub ttft_us: Option<u64>,
    /// Decode speed, tokens per second after the first token.
    pub tps: Option<f64>,
    pub reason: Reason,
    /// The model was asked and failed (not: was slow).
    pub failed: bool,
    /// Sentences of the model's text were left out, because they were not grounded.
    pub repaired: bool,
    pub ahead: Ahead,
}

impl Operation {
    /// Within its budget; operations without one are always on time.
    #[must_use]
    pub fn on_time(&self) -> bool {
        self.budget_us.is_none_or(|budget| self.duration_us <= budget)
    }
}
