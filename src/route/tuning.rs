//! Sampling settings of a role: recommended ranges, and diagnostics for a setting outside them.
//!
//! Published advice on temperatures contradicts itself: "live capture: 3B, high temperature" beside "0.1–0.3 for
//! technical documentation". A capture is a technical statement that is shown unreviewed, and at a high temperature
//! small models invent names; so captures have the lowest temperature. A draft's sentences are held against its captures:
//! what a high temperature adds to them is dropped.

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::domain::model::Sampling;
use crate::domain::role::Role;

/// Recommended ranges for a role. Values outside are allowed but reported.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranges {
    pub temperature: RangeInclusive<f64>,
    /// Tokens: the usual lengths of each kind of text.
    pub max_tokens: RangeInclusive<u32>,
    /// Tokens of context; short is fast and small, long gives the model more to work with.
    pub num_ctx: RangeInclusive<u32>,
    pub top_p: RangeInclusive<f64>,
    pub top_k: RangeInclusive<u32>,
    pub repeat_penalty: RangeInclusive<f64>,
}

/// A diagnostic about a setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingAdvice {
    /// `temperature`, `num_ctx`, …
    pub key: &'static str,
    /// The setting cannot work; otherwise it is merely unusual.
    pub wrong: bool,
    pub says: String,
}

#[must_use]
pub fn recommended_ranges(role: Role) -> Ranges {
    let (temperature, max_tokens, num_ctx) = match role {
        Role::Capture => (0.0..=0.3, 24..=200, 1024..=4096),
        Role::Devlog => (0.1..=0.4, 300..=800, 2048..=16_384),
        Role::Blog => (0.1..=0.4, 800..=2000, 4096..=32_768),
        Role::Social => (0.1..=0.4, 60..=300, 2048..=16_384),
        Role::Status => (0.1..=0.4, 200..=800, 2048..=16_384),
    };
    Ranges { temperature, max_tokens, num_ctx, top_p: 0.5..=1.0, top_k: 0..=100, repeat_penalty: 1.0..=1.3 }
}

/// Diagnostics for a role's settings, wrong ones first. `trained` is the longest context that the model supports, where
/// its server reports it.
#[must_use]
pub fn check_settings(role: Role, sampling: &Sampling, trained: Option<u64>) -> Vec<SettingAdvice> {
    let ranges = recommended_ranges(role);
    let wrong = find_invalid(sampling, trained);
    let unusual = [
        outside("temperature", sampling.temperature, &ranges.temperature, role),
        outside("top_p", sampling.top_p, &ranges.top_p, role),
        outside("top_k", sampling.top_k, &ranges.top_k, role),
        outside("repeat_penalty", sampling.repeat_penalty, &ranges.repeat_penalty, role),
        outside("num_ctx", sampling.num_ctx, &ranges.num_ctx, role),
        outside("max_tokens", sampling.max_tokens, &ranges.max_tokens, role),
    ];
    wrong.into_iter().chain(unusual).flatten().collect()
}

/// The same settings with an output limit of `tokens`. Nothing else may vary between calls: another `num_ctx` makes a
/// server reload the model.
#[must_use]
pub fn shortened(sampling: &Sampling, tokens: u32) -> Sampling {
    Sampling { max_tokens: sampling.max_tokens.min(tokens).max(1), ..sampling.clone() }
}

fn find_invalid(sampling: &Sampling, trained: Option<u64>) -> [Option<SettingAdvice>; 4] {
    let Sampling { num_ctx, max_tokens, .. } = *sampling;
    let bad = |key, wrong: bool, says: String| wrong.then_some(SettingAdvice { key, wrong: true, says });
    let trained = trained.unwrap_or(u64::MAX);
    [
        bad("temperature", !(0.0..=2.0).contains(&sampling.temperature), "a temperature lies between 0 and 2".into()),
        bad("top_p", !(sampling.top_p > 0.0 && sampling.top_p <= 1.0), "top_p is a share above 0, at most 1".into()),
        bad("max_tokens", max_tokens >= num_ctx, format!("{max_tokens} tokens of answer fill a context of {num_ctx}")),
        bad(
            "num_ctx",
            u64::from(num_ctx) > trained,
            format!("the model was trained on {trained} tokens, not {num_ctx}"),
        ),
    ]
}

fn outside<T: Copy + PartialOrd + std::fmt::Display>(
    key: &'static str,
    value: T,
    range: &RangeInclusive<T>,
    role: Role,
) -> Option<SettingAdvice> {
    let (low, high) = (range.start(), range.end());
    let says = format!("{value} is unusual for {}: {low} to {high} is what suits it", role.as_str());
    (!range.contains(&value)).then_some(SettingAdvice { key, wrong: false, says })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampling() -> Sampling {
        Sampling { temperature: 0.2, top_p: 0.9, top_k: 40, repeat_penalty: 1.1, num_ctx: 4096, max_tokens: 120 }
    }

    #[test]
    fn a_high_temperature_is_unusual_for_every_role() {
        let hot = Sampling { temperature: 0.9, ..sampling() };
        let advice = check_settings(Role::Capture, &hot, None);
        assert_eq!(advice.len(), 1);
        assert_eq!(advice[0].says, "0.9 is unusual for capture: 0 to 0.3 is what suits it");
        assert!(!advice[0].wrong);
        assert_eq!(check_settings(Role::Social, &hot, None)[0].key, "temperature");
    }

    #[test]
    fn what_cannot_work_comes_first() {
        let keys = |sampling: Sampling, trained| {
            let advice = check_settings(Role::Capture, &sampling, trained);
            advice.iter().filter(|advice| advice.wrong).map(|advice| advice.key).collect::<Vec<_>>()
        };
        assert_eq!(keys(Sampling { temperature: f64::NAN, ..sampling() }, None), ["temperature"]);
        assert_eq!(keys(Sampling { top_p: 0.0, ..sampling() }, None), ["top_p"]);
        assert_eq!(keys(Sampling { max_tokens: 4096, ..sampling() }, None), ["max_tokens"]);
        assert_eq!(keys(sampling(), Some(2048)), ["num_ctx"]);
        assert!(keys(sampling(), Some(4096)).is_empty());
    }

    #[test]
    fn a_shorter_answer_changes_nothing_that_reloads_a_model() {
        let short = shortened(&sampling(), 40);
        assert_eq!((short.max_tokens, short.num_ctx), (40, 4096));
        assert_eq!(shortened(&sampling(), 500).max_tokens, 120);
        assert_eq!(super::super::key::options_hash(&short), super::super::key::options_hash(&sampling()));
    }
}
