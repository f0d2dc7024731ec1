//! Speed level of a machine relative to normal: a Bayesian filter over a level that drifts and occasionally jumps.
//!
//! A regression with slow decay is steady, but needs dozens of runs to follow a machine that became twice as slow. This
//! filter keeps a distribution over levels (logarithm of observed ÷ expected time) and over the noise of the runs; each
//! run reweighs it (Bayes), and between runs the level may drift, jump, or return to normal. One run that is twice too
//! slow makes "slower now" about as likely as "an outlier", and the second run decides. A run that was cut is censored
//! and counts as "at least this slow".

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::noise;

/// Levels cover factors from 1/20 to 20.
const LOWEST: f64 = -3.0;
const STEP: f64 = 0.1;
const LEVELS: usize = 61;
/// Noise of single runs: from a graphics card to a laptop under load.
const SPREADS: [f64; 4] = [0.06, 0.12, 0.22, 0.4];
/// The predicted logarithms extend one unit beyond the levels, for the noise.
const MARGIN: usize = 10;
const POINTS: usize = LEVELS + 2 * MARGIN;

/// Probability of a jump between two runs, and the scale of its logarithm (0.5: a factor of 1.6).
const JUMPS: f64 = 0.03;
const JUMPING: f64 = 0.5;
/// Share that drifts to each neighbouring level between two runs.
const DRIFTS: f64 = 0.04;
/// Share of the noise distribution that is reset to uniform between two runs, so that no value is ruled out.
const RESPREAD: f64 = 0.01;
/// The normal level follows the current one: a memory of about ten runs.
const USUAL: f64 = 0.9;
/// After an hour without a run, two thirds of the distribution return to normal.
const BACK_TO_USUAL_MIN: f64 = 60.0;
/// Least probability of a level.
const THINKABLE: f64 = 1e-9;

type Weights = [[f64; LEVELS]; SPREADS.len()];

/// A distribution over levels. Serialized as current and normal weights; the tables are derived from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Level {
    believed: Weights,
    usual: [f64; LEVELS],
    now: [f64; POINTS],
    usually: [f64; POINTS],
}

#[derive(Serialize, Deserialize)]
struct Stored {
    believed: Vec<f64>,
    usual: Vec<f64>,
}

/// Constant tables: the spread of jumps, and the noise at every distance.
static JUMP: LazyLock<[f64; LEVELS]> = LazyLock::new(|| std::array::from_fn(|i| (-(STEP * i as f64) / JUMPING).exp()));
static NOISE: LazyLock<[[f64; 2 * POINTS]; SPREADS.len()]> = LazyLock::new(|| {
    SPREADS.map(|spread| std::array::from_fn(|i| noise::at_most(STEP * (i as f64 - POINTS as f64), broadened(spread))))
});

/// A level is a whole step wide, which adds a little to the spread.
fn broadened(spread: f64) -> f64 {
    spread.hypot(STEP / 12_f64.sqrt())
}

impl Default for Level {
    fn default() -> Self {
        Self::about(JUMPING)
    }
}

impl Level {
    /// Prior before the first run: normal, with this scale of the logarithm.
    #[must_use]
    pub fn about(scale: f64) -> Self {
        let scale = if scale.is_finite() { scale.clamp(0.05, 3.0) } else { JUMPING };
        let mut usual: [f64; LEVELS] = std::array::from_fn(|i| (-level(i).abs() / scale).exp());
        normalise(usual.iter_mut());
        let believed = [usual.map(|weight| weight / SPREADS.len() as f64); SPREADS.len()];
        Self::with(believed, usual)
    }

    fn with(believed: Weights, usual: [f64; LEVELS]) -> Self {
        let mut level = Self { believed, usual, now: [0.0; POINTS], usually: [0.0; POINTS] };
        level.tabulate();
        level
    }

    /// Records a run of `exp(log_ratio)` times the expected duration, `idle_min` minutes after the last one.
    pub fn learn(&mut self, log_ratio: f64, idle_min: f64) {
        if log_ratio.is_finite() {
            let clamped = log_ratio.clamp(LOWEST, -LOWEST);
            self.reweigh(idle_min, |level, spread| noise::density(clamped - level, spread));
        }
    }

    /// Records a run that was cut at `exp(log_ratio)` times the expected duration (censored).
    pub fn learn_censored(&mut self, log_ratio: f64, idle_min: f64) {
        if log_ratio.is_finite() {
            let clamped = log_ratio.clamp(LOWEST, -LOWEST);
            self.reweigh(idle_min, |level, spread| 1.0 - noise::at_most(clamped - level, spread));
        }
    }

    /// Probability that the next run, `idle_min` minutes after the last one, takes at most `exp(log_ratio)` times the
    /// expected duration.
    #[must_use]
    pub fn at_most(&self, log_ratio: f64, idle_min: f64) -> f64 {
        if log_ratio.is_nan() {
            return 0.0;
        }
        let back = back_to_usual(idle_min);
        (1.0 - back) * interpolate(&self.now, log_ratio) + back * interpolate(&self.usually, log_ratio)
    }

    /// Logarithm of the ratio that the next run does not exceed with probability `p`; the inverse of [`Self::at_most`].
    #[must_use]
    pub fn quantile(&self, p: f64, idle_min: f64) -> f64 {
        let (mut low, mut high) = (point(0), point(POINTS - 1));
        for _ in 0..24 {
            let middle = f64::midpoint(low, high);
            if self.at_most(middle, idle_min) < p { low = middle } else { high = middle }
        }
        high
    }

    /// Mean level just after the last run.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let sum =
            |weights: &[f64; LEVELS]| weights.iter().enumerate().map(|(i, weight)| level(i) * weight).sum::<f64>();
        self.believed.iter().map(sum).sum()
    }

    /// The same level, as uncertain as before a jump: a prior for a similar machine.
    #[must_use]
    pub fn widened(&self) -> Self {
        let mut loose = self.clone();
        loose.usual = std::array::from_fn(|i| 0.5 * self.usual[i] + 0.5 * jumped(&self.usual, i));
        normalise(loose.usual.iter_mut());
        loose.believed = [loose.usual.map(|weight| weight / SPREADS.len() as f64); SPREADS.len()];
        loose.tabulate();
        loose
    }

    fn reweigh(&mut self, idle_min: f64, likelihood: impl Fn(f64, f64) -> f64) {
        self.apply_transitions(idle_min);
        for (weights, spread) in self.believed.iter_mut().zip(SPREADS) {
            for (i, weight) in weights.iter_mut().enumerate() {
                *weight = *weight * likelihood(level(i), broadened(spread)).max(0.0) + THINKABLE / LEVELS as f64;
            }
        }
        normalise(self.believed.iter_mut().flatten());
        for i in 0..LEVELS {
            let now: f64 = self.believed.iter().map(|weights| weights[i]).sum();
            self.usual[i] = USUAL * self.usual[i] + (1.0 - USUAL) * now;
        }
        self.tabulate();
    }

    /// Applies the transitions since the last run.
    fn apply_transitions(&mut self, idle_min: f64) {
        let back = back_to_usual(idle_min);
        let total: f64 = SPREADS.len() as f64;
        for weights in &mut self.believed {
            let mass: f64 = weights.iter().sum();
            let before = *weights;
            let even = RESPREAD / total + (1.0 - RESPREAD) * mass;
            for (i, weight) in weights.iter_mut().enumerate() {
                let without_jump = (1.0 - JUMPS) * drifted(&before, i) + JUMPS * jumped(&before, i);
                *weight = (1.0 - back) * without_jump * even / mass.max(THINKABLE) + back * even * self.usual[i];
            }
        }
        normalise(self.believed.iter_mut().flatten());
    }

    /// Tabulates the prediction for the next run, including a possible jump.
    fn tabulate(&mut self) {
        let mut ahead = Self { now: [0.0; POINTS], usually: [0.0; POINTS], ..*self };
        ahead.apply_transitions(0.0);
        self.now = predicted(&ahead.believed);
        let masses = ahead.believed.map(|weights| weights.iter().sum::<f64>());
        let usual: [f64; LEVELS] =
            std::array::from_fn(|i| (1.0 - JUMPS) * self.usual[i] + JUMPS * jumped(&self.usual, i));
        self.usually = predicted(&masses.map(|mass| usual.map(|weight| weight * mass)));
    }
}

impl From<Level> for Stored {
    fn from(level: Level) -> Self {
        // Seven digits exceed the accuracy of the distribution and halve its size.
        let short = |weight: f64| (weight * 1e7).round() / 1e7;
        Self {
            believed: level.believed.into_iter().flatten().map(short).collect(),
            usual: level.usual.into_iter().map(short).collect(),
        }
    }
}

/// Normalises any stored state; an invalid one becomes the prior.
impl From<Stored> for Level {
    fn from(stored: Stored) -> Self {
        let sound = |weights: &[f64], n: usize| {
            weights.len() == n
                && weights.iter().all(|weight| (0.0..=1.0).contains(weight))
                && weights.iter().sum::<f64>() > 0.5
        };
        if !sound(&stored.believed, LEVELS * SPREADS.len()) || !sound(&stored.usual, LEVELS) {
            return Self::default();
        }
        let mut usual: [f64; LEVELS] = std::array::from_fn(|i| stored.usual[i] + THINKABLE);
        let mut believed: Weights =
            std::array::from_fn(|k| std::array::from_fn(|i| stored.believed[k * LEVELS + i] + THINKABLE));
        normalise(usual.iter_mut());
        normalise(believed.iter_mut().flatten());
        Self::with(believed, usual)
    }
}

fn level(i: usize) -> f64 {
    LOWEST + STEP * i as f64
}

fn point(i: usize) -> f64 {
    LOWEST + STEP * (i as f64 - MARGIN as f64)
}

fn back_to_usual(idle_min: f64) -> f64 {
    if idle_min > 0.0 { 1.0 - (-idle_min / BACK_TO_USUAL_MIN).exp() } else { 0.0 }
}

fn drifted(weights: &[f64; LEVELS], i: usize) -> f64 {
    let (below, above) = (weights[i.saturating_sub(1)], weights[(i + 1).min(LEVELS - 1)]);
    (1.0 - 2.0 * DRIFTS) * weights[i] + DRIFTS * (below + above)
}

fn jumped(weights: &[f64; LEVELS], i: usize) -> f64 {
    let reached = weights.iter().enumerate().map(|(from, weight)| weight * JUMP[from.abs_diff(i)]).sum::<f64>();
    reached * STEP / (2.0 * JUMPING)
}

fn predicted(weights: &Weights) -> [f64; POINTS] {
    let mut table = [0.0; POINTS];
    for (weights, noise) in weights.iter().zip(NOISE.iter()) {
        for (i, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > THINKABLE) {
            // The point j lies (j − MARGIN − i) steps above the level i.
            let from = POINTS - MARGIN - i;
            for (sum, chance) in table.iter_mut().zip(&noise[from..]) {
                *sum += weight * chance;
            }
        }
    }
    table.map(|chance| chance.clamp(0.0, 1.0))
}

fn interpolate(table: &[f64; POINTS], at: f64) -> f64 {
    let place = ((at - point(0)) / STEP).clamp(0.0, (POINTS - 1) as f64);
    let below = (place as usize).min(POINTS - 2);
    let share = place - below as f64;
    table[below] * (1.0 - share) + table[below + 1] * share
}

fn normalise<'a>(weights: impl Iterator<Item = &'a mut f64>) {
    let all: Vec<&mut f64> = weights.collect();
    let sum: f64 = all.iter().map(|weight| **weight).sum();
    let even = 1.0 / all.len().max(1) as f64;
    for weight in all {
        *weight = if sum.is_finite() && sum > 0.0 { *weight / sum } else { even };
    }
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
        let mut level = Level::default();
        (0..n).for_each(|i| level.learn(wobble(i), 1.0));
        level
    }

    #[test]
    fn a_steady_machine_becomes_predictable() {
        let level = steady(60);
        assert!(level.mean().abs() < 0.05, "{}", level.mean());
        assert!(level.at_most(0.35, 1.0) > 0.93, "{}", level.at_most(0.35, 1.0));
        assert!(level.at_most(-0.35, 1.0) < 0.07);
    }

    #[test]
    fn one_run_of_twice_the_time_is_a_warning_and_the_second_is_believed() {
        let mut level = steady(60);
        let twice = 2_f64.ln();
        let before = level.at_most(0.45, 1.0);
        level.learn(twice, 1.0);
        let warned = level.at_most(0.45, 1.0);
        level.learn(twice + 0.05, 1.0);
        let believed = level.at_most(0.45, 1.0);
        assert!(before > 0.95 && (0.3..0.9).contains(&warned) && believed < 0.25, "{before} {warned} {believed}");
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
        assert!(unmoved.mean().abs() < 0.3, "{}", unmoved.mean());
    }

    #[test]
    fn after_hours_it_is_taken_for_usual_again() {
        let mut level = steady(60);
        (0..2).for_each(|_| level.learn(1.0, 1.0));
        assert!(level.at_most(0.5, 0.0) < level.at_most(0.5, 60.0));
        assert!(level.at_most(0.5, 60.0) < level.at_most(0.5, 600.0));
    }

    #[test]
    fn the_quantile_undoes_the_chance() {
        let level = steady(30);
        for p in [0.05, 0.5, 0.9, 0.95] {
            assert!((level.at_most(level.quantile(p, 3.0), 3.0) - p).abs() < 1e-3, "{p}");
        }
    }

    #[test]
    fn what_is_stored_comes_back_and_damage_becomes_the_start() {
        let level = steady(30);
        let back: Level = serde_json::from_str(&serde_json::to_string(&level).unwrap()).unwrap();
        assert!((back.at_most(0.1, 0.0) - level.at_most(0.1, 0.0)).abs() < 1e-4);
        for damaged in [r#"{"believed":[],"usual":[1.0]}"#, r#"{"believed":[1e300],"usual":[]}"#] {
            assert_eq!(serde_json::from_str::<Level>(damaged).unwrap(), Level::default());
        }
    }

    proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn chances_stay_chances_and_rise_with_the_ratio(
            runs in prop::collection::vec((any::<f64>(), any::<f64>(), any::<bool>()), 0..12),
            sane in prop::collection::vec((-4.0..4.0_f64, 0.0..900.0_f64, any::<bool>()), 0..30),
        ) {
            let mut level = Level::default();
            for (ratio, idle, cut) in runs.into_iter().chain(sane) {
                if cut { level.learn_censored(ratio, idle) } else { level.learn(ratio, idle) }
            }
            prop_assert!(level.mean().is_finite());
            let mut last = 0.0;
            for i in -45..=45 {
                let chance = level.at_most(f64::from(i) / 10.0, 5.0);
                prop_assert!((0.0..=1.0).contains(&chance) && chance >= last - 1e-9, "{chance} {last}");
                last = chance;
            }
            prop_assert!(last > 0.9);
        }
    }
}
