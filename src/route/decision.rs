//! Routing decision with every term of its score; the serde shape is part of the public JSON of `route`.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::signals::Signals;
use crate::domain::capture::Reason;

/// The chosen model or the template, with the reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub task: Signals,
    pub deadline_ms: f64,
    pub choice: Chosen,
    /// `none` where a model was chosen.
    pub reason: Reason,
    /// The last choice was kept although another one scored slightly better (hysteresis).
    pub kept: bool,
    /// Every candidate, best first.
    pub candidates: Vec<ScoredCandidate>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Chosen {
    Model { model: String, endpoint: String, max_tokens: u32, prompt_tokens: u32, words: u32 },
    Template { template: bool },
}

impl Chosen {
    pub const TEMPLATE: Self = Self::Template { template: true };
}

/// A candidate with its forecast. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredCandidate {
    pub model: String,
    pub endpoint: String,
    /// `None` where the server does not report it.
    pub resident: Option<bool>,
    pub queue_ms: f64,
    pub predicted_load_ms: f64,
    pub predicted_ttft_ms: f64,
    pub predicted_total_ms: f64,
    /// Probability that the whole answer is in time.
    pub p_on_time: f64,
    /// Probability that only its first sentence is in time.
    pub p_salvage: f64,
    /// Expected quality of its text, 0..=1, and the share of it left by a shortened prompt or answer.
    pub quality: f64,
    pub planned_quality: f64,
    /// p_on_time · quality + p_salvage · quality of a salvaged text + the rest · quality of the template; the
    /// template's quality also stands in for the share of unusable answers.
    pub score: f64,
    /// Tokens of the planned prompt, and those of them in the server's prefix cache.
    pub prompt_tokens: u32,
    pub cached_tokens: u32,
    pub max_tokens: u32,
    /// Number of runs behind the forecast.
    pub runs: u64,
    /// Judged answers in this role, and the usable ones among them, whole or in part.
    #[serde(default)]
    pub judged: u64,
    #[serde(default)]
    pub used: u64,
    pub rejected_because: Option<Rejected>,
}

/// Order in which candidates are explained where none is chosen: one that may be asked again before a barred one, then
/// by quality.
#[must_use]
pub(super) fn compare_promise(a: &ScoredCandidate, b: &ScoredCandidate) -> Ordering {
    let may = |candidate: &ScoredCandidate| candidate.rejected_because != Some(Rejected::SeldomUsable);
    may(a).cmp(&may(b)).then(a.quality.total_cmp(&b.quality))
}

/// Runs after which a forecast counts as reliable.
const KNOWN: u64 = 20;

impl Decision {
    /// The model that the idle sidecar should measure next, by a short probe or by rewriting the text.
    ///
    /// After a template that was used because every model was too slow: the nearest miss, so that a machine that is
    /// fast again is noticed. After a chosen model: a better one that might be fast enough but has few runs, so that it
    /// is tried at all. Unloaded models are skipped.
    #[must_use]
    pub fn measurement_target(&self) -> Option<&ScoredCandidate> {
        let mut late = self.candidates.iter().filter(|candidate| {
            candidate.rejected_because == Some(Rejected::PredictedMiss) && candidate.resident != Some(false)
        });
        let Chosen::Model { model, endpoint, .. } = &self.choice else { return late.next() };
        let chosen =
            self.candidates.iter().find(|candidate| candidate.model == *model && candidate.endpoint == *endpoint)?;
        late.filter(|candidate| candidate.runs < KNOWN && candidate.quality > chosen.quality)
            .filter(|candidate| candidate.predicted_total_ms <= self.task.left_s * 1e3)
            .max_by(|a, b| a.quality.total_cmp(&b.quality))
    }
}

/// A decision as stored with its capture, with the outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Absent where there was no candidate.
    #[serde(flatten)]
    pub decision: Option<Decision>,
    /// The server's error message, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The model's raw answer, redacted and bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Parts of the answer that were dropped from the text, each with the reason, redacted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
}

/// Reason against a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejected {
    /// It failed recently and no probe has succeeded since.
    BreakerOpen,
    /// Connections to its endpoint are refused.
    Unreachable,
    /// It would have to be loaded first, which takes too long.
    Cold,
    /// Its server would load it for a commit and perhaps evict another.
    Unloaded,
    /// It would probably miss the deadline.
    PredictedMiss,
    /// The template's text is as good.
    TemplateAsGood,
    /// It does not fit into memory beside the captures' model.
    WouldEvict,
    /// Another candidate is expected to do better.
    ScoredLower,
    /// No model may be asked at the moment.
    NotNow,
    /// Too few of its answers in this role were usable.
    SeldomUsable,
}

impl Rejected {
    /// Reason recorded with a capture that uses the template.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::BreakerOpen => Reason::BreakerOpen,
            Self::Unreachable => Reason::Refused,
            Self::Cold | Self::Unloaded | Self::WouldEvict => Reason::Cold,
            Self::PredictedMiss | Self::ScoredLower => Reason::PredictedMiss,
            Self::TemplateAsGood | Self::NotNow | Self::SeldomUsable => Reason::Disabled,
        }
    }
}
