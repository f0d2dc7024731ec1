//! Distribution of answer lengths in tokens: a histogram with decay that handles censored answers.

use serde::{Deserialize, Serialize};

/// The last bin is open-ended; the prior is centred on `TYPICAL_BIN`.
const BINS: usize = 41;
const TYPICAL_BIN: u32 = 7;
/// Decay: a memory of about 50 answers.
const FORGETTING: f64 = 0.98;
/// Weight of the prior, in answers.
const GUESS: f64 = 4.0;

/// A distribution of lengths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lengths {
    weights: Vec<f64>,
    /// Tokens per bin.
    width: u32,
}

impl Lengths {
    /// Prior around `typical` tokens, from half of it to twice it.
    #[must_use]
    pub fn about(typical: u32) -> Self {
        let typical = typical.clamp(2, 1 << 20);
        let (middle, width) = (f64::from(typical).ln(), typical.div_ceil(TYPICAL_BIN).max(2));
        let weight = |bin: usize| (-0.5 * ((f64::from(tokens(bin, width)).ln() - middle) / 0.35).powi(2)).exp();
        let mut weights: Vec<f64> = (0..BINS).map(weight).map(|weight| weight + 1e-4).collect();
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight *= GUESS / total);
        Self { weights, width }
    }

    /// Records a complete answer of `length` tokens.
    pub fn learn(&mut self, length: u32) {
        self.forget();
        if let Some(weight) = self.weights.get_mut(bin(length, self.width)) {
            *weight += 1.0;
        }
    }

    /// Records an answer cut after `length` tokens (censored): its weight is spread over longer answers.
    pub fn learn_censored(&mut self, length: u32) {
        self.forget();
        let above = self.weights.get_mut(bin(length, self.width)..).unwrap_or_default();
        let total: f64 = above.iter().sum();
        if total > 0.0 {
            above.iter_mut().for_each(|weight| *weight += *weight / total);
        }
    }

    /// Lengths with their probabilities, which add up to 1.
    pub fn chances(&self) -> impl Iterator<Item = (u32, f64)> {
        let total: f64 = self.weights.iter().sum();
        self.weights.iter().enumerate().map(move |(bin, weight)| (tokens(bin, self.width), weight / total))
    }

    /// Mean length in tokens of answers that are cut at `most`.
    #[must_use]
    pub fn mean(&self, most: u32) -> f64 {
        self.chances().map(|(length, chance)| f64::from(length.min(most)) * chance).sum()
    }

    /// Whether it is a valid distribution: stored state may be damaged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.weights.len() == BINS
            && (2..=1 << 20).contains(&self.width)
            && self.weights.iter().all(|weight| (0.0..1e3).contains(weight))
            && self.weights.iter().sum::<f64>() > 0.0
    }

    fn forget(&mut self) {
        self.weights.iter_mut().for_each(|weight| *weight *= FORGETTING);
    }
}

fn bin(length: u32, width: u32) -> usize {
    ((length / width.max(1)) as usize).min(BINS - 1)
}

/// Midpoint of a bin.
fn tokens(bin: usize, width: u32) -> u32 {
    (bin as u32).saturating_mul(width).saturating_add(width / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_learns_how_long_answers_are() {
        let mut lengths = Lengths::about(40);
        assert!((35.0..50.0).contains(&lengths.mean(1000)), "{}", lengths.mean(1000));
        (0..100).for_each(|_| lengths.learn(75));
        assert!((70.0..78.0).contains(&lengths.mean(1000)), "{}", lengths.mean(1000));
        assert!(lengths.mean(30) <= 30.0);
    }

    #[test]
    fn a_blog_post_has_room_for_its_length() {
        let mut lengths = Lengths::about(1200);
        assert!((1000.0..1500.0).contains(&lengths.mean(5000)), "{}", lengths.mean(5000));
        (0..100).for_each(|_| lengths.learn(1900));
        assert!((1700.0..2100.0).contains(&lengths.mean(5000)), "{}", lengths.mean(5000));
    }

    #[test]
    fn an_answer_that_was_cut_is_not_taken_for_a_short_one() {
        let mut lengths = Lengths::about(40);
        (0..30).for_each(|i| if i % 2 == 0 { lengths.learn(80) } else { lengths.learn_censored(20) });
        assert!(lengths.mean(1000) > 65.0, "{}", lengths.mean(1000));
    }

    proptest! {
        #[test]
        fn it_stays_a_distribution(samples in prop::collection::vec((any::<u32>(), any::<bool>()), 0..200), typical: u32) {
            let mut lengths = Lengths::about(typical);
            for (length, cut) in samples {
                if cut { lengths.learn_censored(length) } else { lengths.learn(length) }
            }
            prop_assert!(lengths.is_sound());
            prop_assert!((lengths.chances().map(|(_, chance)| chance).sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
