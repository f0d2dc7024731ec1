//! Share of a model's usable answers, and the threshold below which the model is barred.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Least judged answers before a model can be barred.
pub const LEAST: u64 = 20;
/// A model is barred once clearly fewer than one in three of its answers are usable.
const THRESHOLD: f64 = 1.0 / 3.0;
/// One-sided, 95 %: the standard normal quantile.
const Z: f64 = 1.644_85;
/// Prior: before any judgement every answer counts as usable, with the weight of this many answers.
const TRUST: f64 = 4.0;

/// Judged answers of one model at one endpoint in one role, and those of them whose text was used, whole or in part.
/// Answers that were late or broken off by a failing server are not judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub judged: u64,
    pub used: u64,
}

impl Tally {
    pub fn push(&mut self, used: bool) {
        self.judged = self.judged.saturating_add(1);
        self.used = self.used.saturating_add(u64::from(used));
    }

    /// Expected share of usable answers, 0..=1; 1 for a model without judgements.
    #[must_use]
    pub fn share(&self) -> f64 {
        ((self.used as f64 + TRUST) / (self.judged as f64 + TRUST)).clamp(0.0, 1.0)
    }

    /// Upper bound of the score interval of Wilson ("Probable inference, the law of succession, and statistical
    /// inference", JASA 22, 1927) for the usable share. It holds its level for small numbers and shares near zero,
    /// where the textbook interval does not (Brown, Cai and DasGupta, "Interval estimation for a binomial proportion",
    /// Statistical Science 16, 2001).
    #[must_use]
    pub fn at_most(&self) -> f64 {
        if self.judged == 0 {
            return 1.0;
        }
        let n = self.judged as f64;
        let share = (self.used as f64 / n).clamp(0.0, 1.0);
        let middle = share + Z * Z / (2.0 * n);
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        ((middle + half) / (1.0 + Z * Z / n)).clamp(0.0, 1.0)
    }

    /// Whether the model is barred: enough answers were judged, and too few were usable.
    #[must_use]
    pub fn is_barred(&self) -> bool {
        self.judged >= LEAST && self.at_most() < THRESHOLD
    }
}

impl fmt::Display for Tally {
    /// `7 of 40 texts could be used`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = if self.judged == 1 { "text" } else { "texts" };
        write!(f, "{} of {} {texts} could be used", self.used, self.judged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally(used: u64, judged: u64) -> Tally {
        Tally { judged, used }
    }

    #[test]
    fn a_model_is_barred_once_enough_answers_show_that_few_can_be_used() {
        for (used, judged, barred) in [
            (0, 0, false),
            (0, 19, false),
            (0, 20, true),
            (1, 20, true),
            (3, 20, true),
            (4, 20, false),
            (7, 40, true),
            (12, 40, false),
            (24, 40, false),
            (300, 1000, true),
        ] {
            assert_eq!(
                tally(used, judged).is_barred(),
                barred,
                "{used} of {judged}: {}",
                tally(used, judged).at_most()
            );
        }
    }

    #[test]
    fn the_interval_is_wilsons() {
        for (used, judged, upper) in [(0, 20, 0.1192), (7, 40, 0.2930), (10, 10, 1.0)] {
            assert!((tally(used, judged).at_most() - upper).abs() < 5e-4, "{}", tally(used, judged).at_most());
        }
    }

    #[test]
    fn what_was_never_judged_is_trusted_and_one_failure_moves_the_share_a_little() {
        assert!((tally(0, 0).share() - 1.0).abs() < 1e-9);
        assert!((tally(0, 1).share() - 0.8).abs() < 1e-9);
        assert!(tally(0, 40).share() < 0.1 && tally(36, 40).share() > 0.9);
    }

    #[test]
    fn it_is_told_in_words() {
        assert_eq!(tally(7, 40).to_string(), "7 of 40 texts could be used");
        assert_eq!(tally(0, 1).to_string(), "0 of 1 text could be used");
    }

    proptest! {
        #[test]
        fn shares_are_shares_and_more_used_answers_never_bar(used: u64, judged: u64) {
            let one = tally(used, judged);
            prop_assert!((0.0..=1.0).contains(&one.share()) && (0.0..=1.0).contains(&one.at_most()));
            let more = tally(used.saturating_add(1).min(judged.max(used)), judged);
            prop_assert!(one.is_barred() || !more.is_barred());
        }
    }
}
