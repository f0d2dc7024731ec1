//! One run of a model as it was seen: what a forecast learns from.

use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// The model was done.
    Done,
    /// It had written as many tokens as it was allowed to.
    Length,
    /// A clock cut it: a deadline, or somebody more urgent.
    Cut,
}

/// What was measured, in seconds and tokens. A run that failed is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Prompt tokens that the server had to evaluate.
    pub uncached: u32,
    /// Prompt tokens that it had in its cache.
    pub cached: u32,
    /// Tokens it was allowed to write.
    pub allowed: u32,
    /// Tokens it wrote.
    pub written: u32,
    /// Tokens up to the end of the first sentence, where one ended.
    pub sentence: Option<u32>,
    /// The server's own load time; absent or about zero for a model that was loaded. Where a run of a model that was
    /// not loaded was cut before any content, all the time it waited.
    pub load_s: Option<f64>,
    /// Waiting for its turn, as far as that is known.
    pub queue_s: f64,
    /// Sent → first content.
    pub ttft_s: Option<f64>,
    /// (last content − first content) / (written − 1).
    pub tpot_s: Option<f64>,
    /// Sent → end, whoever ended it.
    pub took_s: f64,
    pub end: End,
    /// The machine was under pressure when it started.
    pub pressed: bool,
    /// Minutes since the last run under the same key.
    pub idle_min: f64,
}

/// Below this a load is the server's bookkeeping.
pub const COLD_ABOVE_S: f64 = 0.05;

impl Observation {
    /// Seconds until the model began to read: waiting and loading, which are forecast apart.
    #[must_use]
    pub fn before_s(&self) -> f64 {
        positive(self.queue_s) + self.load_s.map_or(0.0, positive)
    }

    /// Whether the model had to be loaded.
    #[must_use]
    pub fn was_cold(&self) -> bool {
        self.load_s.is_some_and(|load| load > COLD_ABOVE_S)
    }

    /// Time from sending to the last token that was written, where any was.
    #[must_use]
    pub fn until_last_s(&self) -> Option<f64> {
        let rest = f64::from(self.written.saturating_sub(1)) * self.tpot_s.map_or(0.0, positive);
        self.ttft_s.map(|ttft| positive(ttft) + rest)
    }
}

fn positive(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}
