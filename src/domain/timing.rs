//! Where the time of one capture went, in milliseconds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// All fields in milliseconds; absent where there was nothing to measure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// From the hook's stamp (or the key press) until the capture was taken up.
    pub queue_ms: Option<f64>,
    /// The server's own load time for the model.
    pub load_ms: Option<f64>,
    /// Request sent → first chunk whose content is a non-empty string.
    pub ttft_ms: Option<f64>,
    /// (e2e − ttft) / (n − 1), n from the server's own token count.
    pub tpot_ms: Option<f64>,
    /// Request sent → answer complete or cut.
    pub model_ms: Option<f64>,
    /// Total without queue and model: what uro-capture itself cost.
    pub overhead_ms: Option<f64>,
    /// Stamp → final; absent while the capture is pending.
    pub total_ms: Option<f64>,
    pub budget_ms: Option<f64>,
}

/// The server's token counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    pub prompt: Option<u64>,
    pub cached: Option<u64>,
    pub output: Option<u64>,
}

/// A duration as milliseconds, rounded to a microsecond.
#[must_use]
pub fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
