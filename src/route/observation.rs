//! Measurements of one model run, the input of the latency forecast.

use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunEnd {
    /// The model finished.
    Done,
    /// The output limit was reached.
    Length,
    /// Cut by a deadline or preempted by a more urgent request.
    Cut,
}

/// Measured seconds and tokens. Failed runs are not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Prompt tokens that the server evaluated.
    pub uncached: u32,
    /// Prompt tokens from the prefix cache.
    pub cached: u32,
    /// Output limit, in tokens.
    pub allowed: u32,
    /// Output tokens.
    pub written: u32,
    /// Tokens up to the end of the first sentence, if one ended.
    pub sentence: Option<u32>,
    /// The server's own load time; `None` or about zero for a loaded model. For a run of an unloaded model that was cut
    /// before any content, the whole wait.
    pub load_s: Option<f64>,
    /// Known wait in the queue.
    pub queue_s: f64,
    /// Sent → first content.
    pub ttft_s: Option<f64>,
    /// (last content − first content) / (written − 1).
    pub tpot_s: Option<f64>,
    /// Sent → end, whichever side ended it.
    pub took_s: f64,
    pub end: RunEnd,
    /// The machine was under pressure at the start.
    pub pressed: bool,
    /// Minutes since the last run under the same key.
    pub idle_min: f64,
}

/// A shorter load time is only the server's bookkeeping.
pub const COLD_ABOVE_S: f64 = 0.05;

impl Observation {
    /// Seconds of queueing and loading before prefill, which are forecast separately.
    #[must_use]
    pub fn before_s(&self) -> f64 {
        positive(self.queue_s) + self.load_s.map_or(0.0, positive)
    }

    /// Whether the model had to be loaded.
    #[must_use]
    pub fn was_cold(&self) -> bool {
        self.load_s.is_some_and(|load| load > COLD_ABOVE_S)
    }

    /// Seconds from sending to the last token, if any.
    #[must_use]
    pub fn until_last_s(&self) -> Option<f64> {
        let rest = f64::from(self.written.saturating_sub(1)) * self.tpot_s.map_or(0.0, positive);
        self.ttft_s.map(|ttft| positive(ttft) + rest)
    }
}

/// A duration from outside: negative or not finite counts as 0.
pub(super) fn positive(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}
