//! How fast a machine is just now, against what is usual: a moving average, and how far the last runs were from it.
//!
//! The level is an exponentially weighted moving average of the logarithm of observed ÷ expected time. Without runs it
//! returns to a slower average, which is what is usual. The distances of the last runs from the level that was expected
//! of them are the distribution of the next run: an empirical one, so that a stated chance is a frequency that was seen.
//! A censored run (it was cut) counts as the median of the known distances above its own, and not at all where it was cut
//! sooner than the usual run ends.
//!
//! A Bayes filter over levels with a conformal correction did no better: docs/router-ablation.md.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Levels stand for factors from 1/20 to 20.
const MOST: f64 = 3.0;
/// Distances that are kept.
const RUNS: usize = 50;
/// Shares by which the level follows a run, and by which what is usual follows the level.
const GAIN: f64 = 0.3;
const USUAL_GAIN: f64 = 0.2;
/// After an hour without a run two thirds of the way back to the usual level are done.
const BACK_TO_USUAL_MIN: f64 = 60.0;
/// A censored run beyond all known distances is taken to be longer by half.
const LONGER: f64 = 0.405;
/// How uncertain the level of a machine is that is like a known one, as a logarithm.
const ALIKE: f64 = 0.4;
/// Quantiles of a double exponential distribution with scale 1 at the middles of ten equal parts: a guess has long tails.
const TENTHS: [f64; 10] = [-2.303, -1.204, -0.693, -0.357, -0.105, 0.105, 0.357, 0.693, 1.204, 2.303];

/// A level with the distances from it, all as logarithms of ratios.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    mean: f64,
    usual: f64,
    /// Oldest first.
    distances: VecDeque<f64>,
    /// Of them, at the front, those that were guessed; a run replaces one.
    guesses: usize,
}

impl Level {
    /// Prior before the first run: normal, with this scale of the logarithm.
    #[must_use]
    pub fn about(scale: f64) -> Self {
        Self { mean: 0.0, usual: 0.0, distances: TENTHS.map(|z| z * scale).into(), guesses: TENTHS.len() }
    }

    /// Records a run of `exp(log_ratio)` times the expected duration, `idle_min` minutes after the last one.
    pub fn learn(&mut self, log_ratio: f64, idle_min: f64) {
        if log_ratio.is_finite() {
            let expected = self.expected(idle_min);
            self.follow(expected, log_ratio.clamp(-MOST, MOST) - expected);
        }
    }

    /// Records a run that was cut at `exp(log_ratio)` times the expected duration (censored).
    pub fn learn_censored(&mut self, log_ratio: f64, idle_min: f64) {
        if log_ratio.is_finite() {
            let expected = self.expected(idle_min);
            let least = log_ratio.clamp(-MOST, MOST) - expected;
            let all = || self.distances.iter().copied();
            if quantile(all(), 0.5).is_some_and(|median| median <= least) {
                let above = quantile(all().filter(|distance| *distance > least), 0.5);
                self.follow(expected, above.unwrap_or(least + LONGER));
            }
        }
    }

    /// Probability that the next run, `idle_min` minutes after the last one, takes at most `exp(log_ratio)` times the
    /// expected duration.
    #[must_use]
    pub fn at_most(&self, log_ratio: f64, idle_min: f64) -> f64 {
        let expected = self.expected(idle_min);
        let within = self.distances.iter().filter(|distance| expected + **distance <= log_ratio).count();
        within as f64 / self.distances.len().max(1) as f64
    }

    /// Logarithm of the ratio that the next run does not exceed with probability `p`; the inverse of [`Self::at_most`].
    #[must_use]
    pub fn quantile(&self, p: f64, idle_min: f64) -> f64 {
        self.expected(idle_min) + quantile(self.distances.iter().copied(), p).unwrap_or(0.0)
    }

    /// The level just after the last run.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// What is usual here, for a machine that is like this one.
    #[must_use]
    pub fn widened(&self) -> Self {
        Self { mean: self.usual, usual: self.usual, ..Self::about(ALIKE) }
    }

    /// Whether it is a distribution: what was stored may have been damaged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        [self.mean, self.usual].iter().all(|level| level.abs() <= MOST)
            && (TENTHS.len()..=RUNS).contains(&self.distances.len())
            && self.distances.iter().all(|distance| distance.abs() <= 3.0 * MOST)
    }

    fn expected(&self, idle_min: f64) -> f64 {
        let stays = (-idle_min.max(0.0) / BACK_TO_USUAL_MIN).exp();
        self.usual + (self.mean - self.usual) * stays
    }

    fn follow(&mut self, expected: f64, distance: f64) {
        if self.guesses > 0 || self.distances.len() >= RUNS {
            self.distances.pop_front();
            self.guesses = self.guesses.saturating_sub(1);
        }
        self.distances.push_back(distance);
        self.mean = (expected + GAIN * distance).clamp(-MOST, MOST);
        self.usual += USUAL_GAIN * (self.mean - self.usual);
    }
}

/// The nearest rank: the least value that the share `p` of all does not exceed.
fn quantile(values: impl Iterator<Item = f64>, p: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let rank = (p.clamp(0.0, 1.0) * sorted.len() as f64 - 1e-9).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Deterministic noise with a standard deviation of about 0.1.
    fn wobble(i: usize) -> f64 {
        ((i * 7919 % 1000) as f64 / 1000.0 - 0.5) * 0.35
    }

    fn steady(n: usize) -> Level {
        let mut level = Level::about(0.5);
        (0..n).for_each(|i| level.learn(wobble(i), 1.0));
        level
    }

    #[test]
    fn a_steady_machine_becomes_predictable() {
        let level = steady(60);
        assert!(level.mean().abs() < 0.1, "{}", level.mean());
        assert!(level.at_most(0.35, 1.0) > 0.93, "{}", level.at_most(0.35, 1.0));
        assert!(level.at_most(-0.35, 1.0) < 0.07);
    }

    #[test]
    fn a_few_runs_of_twice_the_time_are_believed() {
        let mut level = steady(60);
        let twice = 2_f64.ln();
        let before = level.at_most(0.45, 1.0);
        (0..5).for_each(|i| level.learn(twice + wobble(i), 1.0));
        let believed = level.at_most(0.45, 1.0);
        assert!(before > 0.95 && believed < 0.4, "{before} {believed}");
    }

    #[test]
    fn a_single_straggler_is_soon_forgiven() {
        let mut level = steady(60);
        level.learn(1.0, 1.0);
        (0..3).for_each(|i| level.learn(wobble(i), 1.0));
        assert!(level.at_most(0.4, 1.0) > 0.93, "{}", level.at_most(0.4, 1.0));
    }

    #[test]
    fn runs_that_were_cut_push_the_level_up_and_only_up() {
        let mut level = steady(60);
        (0..3).for_each(|_| level.learn_censored(0.5, 1.0));
        assert!(level.mean() > 0.4, "{}", level.mean());
        let mut unmoved = steady(60);
        (0..20).for_each(|_| unmoved.learn_censored(-1.0, 1.0));
        assert_eq!(unmoved, steady(60));
    }

    #[test]
    fn after_hours_it_is_taken_for_usual_again() {
        let mut level = steady(60);
        (0..2).for_each(|_| level.learn(1.0, 1.0));
        assert!(level.at_most(0.3, 0.0) < level.at_most(0.3, 60.0));
        assert!(level.at_most(0.3, 60.0) < level.at_most(0.3, 600.0));
    }

    #[test]
    fn the_quantile_undoes_the_chance() {
        let level = steady(50);
        for p in [0.05, 0.5, 0.9, 0.95] {
            let chance = level.at_most(level.quantile(p, 3.0), 3.0);
            assert!((chance - p).abs() <= 0.02 + 1e-9, "{p} {chance}");
        }
    }

    #[test]
    fn what_is_stored_comes_back_and_damage_is_found() {
        let level = steady(30);
        let back: Level = serde_json::from_str(&serde_json::to_string(&level).unwrap()).unwrap();
        let p = |level: &Level| level.at_most(0.07, 3.0);
        assert!(back.is_sound() && (p(&back) - p(&level)).abs() < 0.05);
        let damaged = [Level { mean: 1e300, ..level.clone() }, Level { distances: VecDeque::new(), ..level.clone() }];
        assert!(!damaged.iter().any(Level::is_sound));
    }

    proptest! {
        #[test]
        fn chances_stay_chances_and_rise_with_the_ratio(
            runs in prop::collection::vec((any::<f64>(), any::<f64>(), any::<bool>()), 0..12),
            sane in prop::collection::vec((-4.0..4.0_f64, 0.0..900.0_f64, any::<bool>()), 0..80),
        ) {
            let mut level = Level::about(0.5);
            for (ratio, idle, cut) in runs.into_iter().chain(sane) {
                if cut { level.learn_censored(ratio, idle) } else { level.learn(ratio, idle) }
            }
            prop_assert!(level.is_sound(), "{level:?}");
            let mut last = 0.0;
            for i in -45..=45 {
                let chance = level.at_most(f64::from(i) / 10.0, 5.0);
                prop_assert!((0.0..=1.0).contains(&chance) && chance >= last, "{chance} {last}");
                last = chance;
            }
        }
    }
}
