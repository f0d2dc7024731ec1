//! Quality estimate of a model's text for a role: a prior by size and specialty, updated with evidence.
//!
//! [`super::tally`] estimates how often an answer is usable at all; the router multiplies the two.

use serde::{Deserialize, Serialize};

use super::traits::{Specialty, Traits};
use crate::domain::role::Role;

/// Quality of a template's capture: true and complete, but no prose.
pub const TEMPLATE: f64 = 0.5;
/// Weight of the prior, in observations.
const GUESS: f64 = 12.0;
/// A rubric score weighs 1; an edited text says more.
const EDIT: f64 = 2.0;
/// Limit of the rubric's total weight: rules judge form and faithfulness, so scores alone never outweigh the prior.
const MOST_OF_RUBRIC: f64 = 12.0;

/// Prior by billions of weights: a common rating in stars (3 → ***, 7 → ****, 13 and more → *****) on a scale on which
/// the template has [`TEMPLATE`]. A user with a small model gets its texts until evidence shows that they are worse
/// than the template's.
const BY_SIZE: [(f64, f64); 7] =
    [(0.3, 0.54), (0.6, 0.55), (1.0, 0.57), (3.0, 0.68), (7.0, 0.76), (13.0, 0.82), (30.0, 0.86)];

/// Evidence about one model in one role, as sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub rubric: Mean,
    /// 1 − normalised edit distance of texts that the user reviewed.
    pub kept: Mean,
}

/// Running mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    pub n: u64,
    pub sum: f64,
}

impl Mean {
    /// Adds a value in 0..=1; NaN is ignored.
    pub fn push(&mut self, value: f64) {
        if (0.0..=1.0).contains(&value) {
            self.n = self.n.saturating_add(1);
            self.sum += value;
        }
    }

    fn value(&self) -> Option<f64> {
        let mean = self.sum / self.n as f64;
        (self.n > 0 && mean.is_finite()).then(|| mean.clamp(0.0, 1.0))
    }
}

/// Quality of a model's text for a role, 0..=1; `technicality` (0..=1) says how technical the change is.
#[must_use]
pub fn estimate_quality(traits: &Traits, role: Role, technicality: f64, evidence: &Evidence) -> f64 {
    let technicality = if technicality.is_finite() { technicality.clamp(0.0, 1.0) } else { 0.5 };
    let guess = (by_size(traits.billions()) + specialty_bonus(traits, role, technicality)).clamp(0.05, 0.95);
    let rubric = (evidence.rubric.n as f64).min(MOST_OF_RUBRIC);
    let parts = [
        (GUESS, Some(guess)),
        (rubric, evidence.rubric.value()),
        (EDIT * evidence.kept.n as f64, evidence.kept.value()),
    ];
    let weighed = parts.iter().filter_map(|(weight, value)| value.map(|value| (weight, value)));
    let (weights, sum) =
        weighed.fold((0.0, 0.0), |(weights, sum), (weight, value)| (weights + weight, sum + weight * value));
    (sum / weights).clamp(0.0, 1.0)
}

/// Interpolates between the sizes of the table on a logarithmic scale.
fn by_size(billions: f64) -> f64 {
    let billions = if billions.is_finite() { billions } else { 7.0 };
    for pair in BY_SIZE.windows(2) {
        let ((small, low), (large, high)) = (pair[0], pair[1]);
        if billions < large {
            let share = (billions.max(small) / small).ln() / (large / small).ln();
            return low + (high - low) * share;
        }
    }
    BY_SIZE[BY_SIZE.len() - 1].1
}

fn specialty_bonus(traits: &Traits, role: Role, technicality: f64) -> f64 {
    match (role, traits.bent) {
        (_, Specialty::Base) => -0.15,
        (Role::Devlog, Specialty::Code) => 0.10 * technicality,
        (Role::Capture, Specialty::Code) => 0.04 * technicality,
        (Role::Social, Specialty::Chat) => 0.08,
        (Role::Social | Role::Blog, Specialty::Code) => -0.06,
        (Role::Capture | Role::Status, Specialty::Instruct) => 0.02,
        (Role::Capture | Role::Devlog, Specialty::Chat) => -0.03,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::ListedModel;
    use proptest::prelude::*;

    fn worth(name: &str, role: Role, evidence: &Evidence) -> f64 {
        estimate_quality(&Traits::from_offer(&ListedModel::named(name)), role, 0.8, evidence)
    }

    fn mean_of(n: u64, value: f64) -> Mean {
        Mean { n, sum: n as f64 * value }
    }

    #[test]
    fn before_anything_is_seen_larger_is_better_and_each_is_better_than_the_template() {
        let guess = |name: &str| worth(name, Role::Blog, &Evidence::default());
        assert!(TEMPLATE < guess("a:0.5b") && guess("a:0.5b") < guess("a:1b"));
        let mut worse = Evidence::default();
        (0..6).for_each(|_| worse.kept.push(0.0));
        assert!(worth("a:0.5b", Role::Blog, &worse) < TEMPLATE, "until evidence says otherwise");
        assert!(guess("a:1b") < guess("a:3b") && guess("a:3b") < guess("a:7b") && guess("a:7b") < guess("a:13b"));
    }

    #[test]
    fn a_code_model_is_worth_more_in_a_technical_devlog_and_less_in_a_social_post() {
        let none = Evidence::default();
        assert!(worth("codellama:7b", Role::Devlog, &none) > worth("mistral:7b", Role::Devlog, &none));
        assert!(worth("codellama:7b", Role::Social, &none) < worth("neural-chat:7b", Role::Social, &none));
        assert!(worth("llama2:7b-text", Role::Capture, &none) < worth("orca-mini:3b", Role::Capture, &none));
    }

    #[test]
    fn people_move_a_guess_and_rules_alone_only_half_way() {
        let role = Role::Capture;
        let guess = worth("a:3b", role, &Evidence::default());
        let rubric = worth("a:3b", role, &Evidence { rubric: mean_of(10_000, 1.0), ..Evidence::default() });
        let kept = worth("a:3b", role, &Evidence { kept: mean_of(200, 0.2), ..Evidence::default() });
        assert!(rubric > guess && rubric <= f64::midpoint(guess, 1.0) + 1e-9, "{guess} {rubric}");
        assert!(kept < 0.25, "{kept}");
    }

    #[test]
    fn one_observation_moves_it_a_little() {
        let role = Role::Capture;
        let guess = worth("a:3b", role, &Evidence::default());
        let once = worth("a:3b", role, &Evidence { kept: mean_of(1, 0.0), ..Evidence::default() });
        assert!(once < guess && once > guess - 0.15, "{guess} {once}");
    }

    proptest! {
        #[test]
        fn a_worth_is_always_a_share(billions: f64, technicality: f64, n: u64, sum: f64) {
            let mean = Mean { n, sum };
            let traits = Traits { parameters: Some(billions as u64), ..Traits::from_offer(&ListedModel::named("m")) };
            let worth = estimate_quality(&traits, Role::Devlog, technicality, &Evidence { rubric: mean, kept: mean });
            prop_assert!((0.0..=1.0).contains(&worth));
            prop_assert!(by_size(billions).is_finite());
        }
    }
}
