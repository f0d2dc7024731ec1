//! A decision with every term that went into it: its serde shape is part of the public JSON of `route`.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::signals::Signals;
use crate::domain::capture::Reason;

/// Who writes, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub task: Signals,
    pub deadline_ms: f64,
    pub choice: Chosen,
    /// `none` where a model was chosen.
    pub reason: Reason,
    /// The last choice was kept although another one scored a little better.
    pub kept: bool,
    /// Every model that was looked at, best first.
    pub candidates: Vec<Considered>,
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

/// One model and what was expected of it. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Considered {
    pub model: String,
    pub endpoint: String,
    /// Absent where the server cannot tell.
    pub resident: Option<bool>,
    pub queue_ms: f64,
    pub predicted_load_ms: f64,
    pub predicted_ttft_ms: f64,
    pub predicted_total_ms: f64,
    /// The chance that the answer is whole in time.
    pub p_on_time: f64,
    /// The chance that it is not, but at least its first sentence is.
    pub p_salvage: f64,
    /// What its text is worth, 0..=1, and what a shortened prompt or answer leaves of it.
    pub quality: f64,
    pub planned_quality: f64,
    /// p_on_time · quality + p_salvage · quality of a salvaged text + the rest · quality of the template; the template's
    /// counts too for the share of answers that cannot be used.
    pub score: f64,
    /// What would be sent, and of it what the server has in its cache.
    pub prompt_tokens: u32,
    pub cached_tokens: u32,
    pub max_tokens: u32,
    /// Runs that the forecast rests on.
    pub runs: u64,
    /// Answers in this role that were judged, and those of them that could be used, whole or in part.
    #[serde(default)]
    pub judged: u64,
    #[serde(default)]
    pub used: u64,
    pub rejected_because: Option<Rejected>,
}

/// Which of two is worth more words where neither writes: one that may be asked again before one that is barred, then the
/// better writer.
#[must_use]
pub(super) fn promise(a: &Considered, b: &Considered) -> Ordering {
    let may = |one: &Considered| one.rejected_because != Some(Rejected::SeldomUsable);
    may(a).cmp(&may(b)).then(a.quality.total_cmp(&b.quality))
}

/// Runs after which a model is known well enough.
const KNOWN: u64 = 20;

impl Decision {
    /// The model that the idle sidecar should measure in the next pause, by a short probe or by rewriting the text.
    ///
    /// Where a template stands because every model would be too slow, it is the one that came nearest: otherwise
    /// nobody would notice that the machine is fast again. Where a model was chosen, it is a better one that might well
    /// be fast enough, but is not known well: otherwise it would never be tried. What is not loaded is left alone.
    #[must_use]
    pub fn worth_measuring(&self) -> Option<&Considered> {
        let mut late = self
            .candidates
            .iter()
            .filter(|one| one.rejected_because == Some(Rejected::PredictedMiss) && one.resident != Some(false));
        let Chosen::Model { model, endpoint, .. } = &self.choice else { return late.next() };
        let chosen = self.candidates.iter().find(|one| one.model == *model && one.endpoint == *endpoint)?;
        late.filter(|one| one.runs < KNOWN && one.quality > chosen.quality)
            .filter(|one| one.predicted_total_ms <= self.task.left_s * 1e3)
            .max_by(|a, b| a.quality.total_cmp(&b.quality))
    }
}

/// A decision as it is kept with its capture, with what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reasoned {
    /// Absent where there was nothing to choose from.
    #[serde(flatten)]
    pub decision: Option<Decision>,
    /// In the server's own words, where it had any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What the model answered, word for word, redacted and bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Pieces of the answer that are not in the text that stands, each with why, redacted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
}

/// Why a model was not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejected {
    /// It failed lately and has not been seen well again.
    BreakerOpen,
    /// Nothing listens at its endpoint.
    Unreachable,
    /// It would have to be loaded first, which takes too long.
    Cold,
    /// Its server has not loaded it and would load it for a commit, perhaps in the place of another.
    Unloaded,
    /// It would probably not be done in time.
    PredictedMiss,
    /// The template's text is as good.
    TemplateAsGood,
    /// It does not fit into the memory beside the captures' model, which is needed any moment.
    WouldEvict,
    /// Another one is expected to do better.
    ScoredLower,
    /// Nothing is to be asked of any model just now.
    NotNow,
    /// Too few of its answers in this role could be used: it is not asked any more.
    SeldomUsable,
}

impl Rejected {
    /// How a template that stands for this reason is recorded.
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
