//! Queries and reports of the latency log.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Result;
use crate::domain::operation::Operation;

/// Grouping of the latency log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatencyGrouping {
    pub op: bool,
    pub model: bool,
    pub cold: bool,
}

/// One group of the latency log; durations in milliseconds; a percentile that n cannot support is absent
/// (p95 needs n ≥ 59, p99 n ≥ 299: below that the estimate's upper end is simply the maximum).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatencyRow {
    pub op: Option<String>,
    pub model: Option<String>,
    pub endpoint: Option<String>,
    pub cold: Option<bool>,
    pub n: u64,
    pub on_time_rate: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub ttft_p50_ms: Option<f64>,
    pub tps_p50: Option<f64>,
    pub error_rate: Option<f64>,
    /// Of the answers with a text: rejected because no grounded sentence was left.
    pub ungrounded_rate: Option<f64>,
    /// Of the same: kept without the ungrounded sentences.
    pub repaired_rate: Option<f64>,
    pub reasons: BTreeMap<String, u64>,
    /// `None` without candidates for prompt prefetch.
    pub ahead: Option<PrefetchRow>,
}

/// Results of prompt prefetch before the commit (prefix cache).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrefetchRow {
    /// Full, partial and missed.
    pub n: u64,
    pub whole: u64,
    pub part: u64,
    pub missed: u64,
    /// Share of fully prefetched prompts.
    pub hit_rate: f64,
    /// Median time to the first token, with the prompt fully prefetched and with a miss.
    pub ttft_p50_ms: Option<f64>,
    pub ttft_missed_p50_ms: Option<f64>,
}

/// Log of operations with their durations.
pub trait OperationLog: Send + Sync {
    fn log_operation(&self, operation: &Operation) -> Result<()>;
    /// One row per group, sorted by its names. `on_time_rate` counts operations that had a budget,
    /// `error_rate` those that asked a model; both are absent where there were none.
    fn latency(&self, since: Timestamp, grouping: LatencyGrouping) -> Result<Vec<LatencyRow>>;
}
