//! Conformal correction: calibrates a forecast's probabilities by their observed frequencies.
//!
//! For each run, the forecast's probability of "at most what it took" is recorded. With a correct forecast these values
//! are uniform over 0..1; otherwise their own distribution is the correction (a conformal predictive distribution,
//! weighted towards recent runs so that it follows shifts). A run that was cut is censored: it says only "above", and
//! its weight is spread over the range above in proportion to the distribution so far.

use serde::{Deserialize, Serialize};

/// Finer towards the end where decisions are made.
const EDGES: [f64; 15] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.94, 0.96, 0.98, 0.99, 1.0];
const BINS: usize = EDGES.len() - 1;
/// Weight factor per run: a memory of about 100 runs.
const FORGETTING: f64 = 0.99;
/// Prior weight of "the forecast is correct", in runs; it does not decay.
const TRUST: f64 = 40.0;

/// Correction for one forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conformal {
    weights: [f64; BINS],
}

impl Default for Conformal {
    fn default() -> Self {
        Self { weights: [0.0; BINS] }
    }
}

impl Conformal {
    /// Records that the forecast gave `chance` to the outcome or less.
    pub fn learn(&mut self, chance: f64) {
        if let Some(bin) = bin(chance) {
            self.forget();
            self.weights[bin] += 1.0;
        }
    }

    /// Records a censored run: the forecast gave `chance` to at most the time at the cut.
    pub fn learn_censored(&mut self, chance: f64) {
        let Some(first) = bin(chance) else { return };
        self.forget();
        let above: Vec<f64> = (0..BINS).map(|bin| if bin < first { 0.0 } else { self.weight(bin) }).collect();
        let total: f64 = above.iter().sum();
        for (weight, share) in self.weights.iter_mut().zip(above) {
            *weight += share / total;
        }
    }

    /// Observed frequency of a stated `chance`.
    #[must_use]
    pub fn corrected(&self, chance: f64) -> f64 {
        let Some(bin) = bin(chance) else { return 0.0 };
        let below: f64 = (0..bin).map(|bin| self.weight(bin)).sum();
        let share = (chance.clamp(0.0, 1.0) - EDGES[bin]) / (EDGES[bin + 1] - EDGES[bin]);
        ((below + share * self.weight(bin)) / self.total()).clamp(0.0, 1.0)
    }

    /// Probability to state for an observed `frequency`; the inverse of [`Self::corrected`].
    #[must_use]
    pub fn stated(&self, frequency: f64) -> f64 {
        let mut rest = if frequency.is_nan() { 0.0 } else { frequency.clamp(0.0, 1.0) } * self.total();
        for bin in 0..BINS {
            let weight = self.weight(bin);
            if rest <= weight {
                return EDGES[bin] + (EDGES[bin + 1] - EDGES[bin]) * rest / weight;
            }
            rest -= weight;
        }
        1.0
    }

    /// Whether all values are finite: stored state may be damaged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.weights.iter().all(|weight| (0.0..=1.0 / (1.0 - FORGETTING) + 1.0).contains(weight))
    }

    fn weight(&self, bin: usize) -> f64 {
        self.weights[bin] + TRUST * (EDGES[bin + 1] - EDGES[bin])
    }

    fn total(&self) -> f64 {
        self.weights.iter().sum::<f64>() + TRUST
    }

    fn forget(&mut self) {
        self.weights.iter_mut().for_each(|weight| *weight *= FORGETTING);
    }
}

fn bin(chance: f64) -> Option<usize> {
    (!chance.is_nan()).then(|| EDGES[1..BINS].iter().take_while(|edge| **edge <= chance).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_forecast_that_is_right_is_left_alone() {
        let mut conformal = Conformal::default();
        (0..500).for_each(|i| conformal.learn(f64::from(i * 37 % 100) / 100.0 + 0.005));
        for chance in [0.05, 0.5, 0.9, 0.95, 0.99] {
            assert!((conformal.corrected(chance) - chance).abs() < 0.02, "{chance} {}", conformal.corrected(chance));
        }
    }

    #[test]
    fn a_boaster_is_taken_at_what_comes_true() {
        // A stated 95 % for "at most this" while half of the runs take longer.
        let mut conformal = Conformal::default();
        (0..400).for_each(|i| conformal.learn(if i % 2 == 0 { 0.97 } else { 0.5 }));
        assert!((0.5..0.75).contains(&conformal.corrected(0.95)), "{}", conformal.corrected(0.95));
    }

    #[test]
    fn it_follows_a_shift_within_dozens_of_runs() {
        let mut conformal = Conformal::default();
        (0..300).for_each(|i| conformal.learn(f64::from(i % 100) / 100.0));
        (0..60).for_each(|_| conformal.learn(0.995));
        assert!(conformal.corrected(0.99) < 0.75, "{}", conformal.corrected(0.99));
    }

    #[test]
    fn a_cut_run_lowers_what_lies_below_it() {
        let mut conformal = Conformal::default();
        (0..50).for_each(|_| conformal.learn_censored(0.9));
        assert!(conformal.corrected(0.9) < 0.6);
        assert!((conformal.corrected(1.0) - 1.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn it_stays_a_rising_chance_and_can_be_undone(
            samples in prop::collection::vec((any::<f64>(), any::<bool>()), 0..20),
            sane in prop::collection::vec((0.0..=1.0_f64, any::<bool>()), 0..200),
        ) {
            let mut conformal = Conformal::default();
            for (chance, cut) in samples.into_iter().chain(sane) {
                if cut { conformal.learn_censored(chance) } else { conformal.learn(chance) }
            }
            prop_assert!(conformal.is_sound());
            let mut last = 0.0;
            for i in 0..=100 {
                let corrected = conformal.corrected(f64::from(i) / 100.0);
                prop_assert!((0.0..=1.0).contains(&corrected) && corrected >= last - 1e-12);
                prop_assert!((conformal.corrected(conformal.stated(corrected)) - corrected).abs() < 1e-6);
                last = corrected;
            }
        }
    }
}
