//! Timings: how long each stage of a capture took, in milliseconds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// All fields in milliseconds; absent if not measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Queue time: from the hook's stamp (or the key press) to the start of processing.
    pub queue_ms: Option<f64>,
    /// The server's own load time for the model.
    pub load_ms: Option<f64>,
    /// Request sent → first chunk with non-empty content.
    pub ttft_ms: Option<f64>,
    /// (e2e − ttft) / (n − 1), n from the server's own token count.
    pub tpot_ms: Option<f64>,
    /// Request sent → answer complete or cut off.
    pub model_ms: Option<f64>,
    /// Total without queue and model: the overhead of uro-capture.
    pub overhead_ms: Option<f64>,
    /// Stamp → final; absent while the capture is pending.
    pub total_ms: Option<f64>,
    pub budget_ms: Option<f64>,
}

/// Token counts as reported by the server.
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
