//! Recursive least squares with forgetting: a ridge regression in which old observations decay.
//!
//! Kept in information form, `A = Σ λ^age · x·xᵀ` and `b = Σ λ^age · x·y`; the decayed part is replaced by the prior:
//! `A ← λA + (1 − λ)A₀ + x·xᵀ`. So `A ≥ A₀` always, the covariance `A⁻¹` never exceeds the prior's (plain forgetting
//! lets it grow without bound in every direction that is not excited), and a Cholesky factorisation always exists.

use serde::{Deserialize, Serialize};

/// Number of coefficients. If fewer are needed, the other features are zero and keep their prior.
pub const WIDTH: usize = 3;
/// Memory of about 1 / (1 − λ) = 67 observations.
pub const FORGETTING: f64 = 0.985;
/// Larger features and targets are invalid; within this bound the factorisation is numerically safe.
const ABSURD: f64 = 1e5;

pub type Row = [f64; WIDTH];
type Matrix = [Row; WIDTH];

/// An online regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rls {
    start: Row,
    ridge: Row,
    information: Matrix,
    moment: Row,
    coefficients: Row,
    n: u64,
}

impl Rls {
    /// Starts at coefficients `start`; `ridge[i]` is the prior's weight, in observations with feature 1.
    #[must_use]
    pub fn new(start: Row, ridge: Row) -> Self {
        let start = start.map(finite);
        let ridge = ridge.map(|weight| finite(weight).clamp(1e-6, ABSURD));
        let mut information = Matrix::default();
        let mut moment = Row::default();
        for i in 0..WIDTH {
            information[i][i] = ridge[i];
            moment[i] = ridge[i] * start[i];
        }
        Self { start, ridge, information, moment, coefficients: start, n: 0 }
    }

    /// Records an observation; values that are not finite or out of bounds are ignored.
    pub fn learn(&mut self, features: Row, target: f64) {
        if !features.iter().chain([&target]).all(|value| value.abs() < ABSURD) {
            return;
        }
        for i in 0..WIDTH {
            for j in 0..WIDTH {
                let kept = FORGETTING * self.information[i][j] + features[i] * features[j];
                self.information[i][j] = if i == j { kept + (1.0 - FORGETTING) * self.ridge[i] } else { kept };
            }
            let kept = FORGETTING * self.moment[i] + features[i] * target;
            self.moment[i] = kept + (1.0 - FORGETTING) * self.ridge[i] * self.start[i];
        }
        self.n = self.n.saturating_add(1);
        if let Some(factor) = cholesky(&self.information) {
            self.coefficients = solve(&factor, self.moment).map(finite);
        }
    }

    /// Predicted target for `features`.
    #[cfg(test)]
    fn predict(&self, features: Row) -> f64 {
        finite(dot(self.coefficients, features.map(finite)))
    }

    /// Variance of a prediction in units of the target's own: `xᵀ·A⁻¹·x`. Zero for a singular matrix.
    #[cfg(test)]
    fn leverage(&self, features: Row) -> f64 {
        let features = features.map(finite);
        let Some(factor) = cholesky(&self.information) else { return 0.0 };
        finite(dot(features, solve(&factor, features))).max(0.0)
    }

    #[must_use]
    pub fn coefficients(&self) -> Row {
        self.coefficients
    }

    /// Number of observations, decayed or not.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The same coefficients with only the ridge's weight: a prior for a similar machine.
    #[must_use]
    pub fn widened(&self) -> Self {
        Self::new(self.coefficients, self.ridge)
    }

    /// Whether all values are finite: stored state may be damaged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let all = [self.start, self.moment, self.coefficients];
        all.iter().chain(&self.information).flatten().all(|value| value.is_finite())
            && self.ridge.iter().all(|weight| weight.is_finite() && *weight > 0.0)
            && cholesky(&self.information).is_some()
    }
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

#[cfg(test)]
fn dot(a: Row, b: Row) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Lower Cholesky factor of a positive definite matrix.
fn cholesky(matrix: &Matrix) -> Option<Matrix> {
    let mut lower = Matrix::default();
    for i in 0..WIDTH {
        for j in 0..=i {
            let rest = matrix[i][j] - (0..j).map(|k| lower[i][k] * lower[j][k]).sum::<f64>();
            lower[i][j] = if i != j {
                rest / lower[j][j]
            } else if rest > 0.0 && rest.is_finite() {
                rest.sqrt()
            } else {
                return None;
            };
        }
    }
    Some(lower)
}

fn solve(lower: &Matrix, right: Row) -> Row {
    let mut half = Row::default();
    for i in 0..WIDTH {
        half[i] = (right[i] - (0..i).map(|k| lower[i][k] * half[k]).sum::<f64>()) / lower[i][i];
    }
    let mut whole = Row::default();
    for i in (0..WIDTH).rev() {
        whole[i] = (half[i] - (i + 1..WIDTH).map(|k| lower[k][i] * whole[k]).sum::<f64>()) / lower[i][i];
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trained(n: usize, truth: impl Fn(usize) -> Row) -> Rls {
        let mut rls = Rls::new([0.0; WIDTH], [0.01; WIDTH]);
        for i in 0..n {
            let features = [1.0, (i * 37 % 100) as f64 / 50.0, (i * 53 % 100) as f64 / 50.0];
            rls.learn(features, dot(truth(i), features));
        }
        rls
    }

    #[test]
    fn it_finds_the_coefficients_that_made_the_data() {
        let found = trained(300, |_| [0.2, 1.5, 0.1]).coefficients();
        for (found, truth) in found.iter().zip([0.2, 1.5, 0.1]) {
            assert!((found - truth).abs() < 0.01, "{found} {truth}");
        }
    }

    #[test]
    fn it_forgets_what_held_before() {
        let found = trained(600, |i| if i < 300 { [1.0, 1.0, 1.0] } else { [2.0, 2.0, 2.0] });
        assert!((found.predict([1.0, 1.0, 1.0]) - 6.0).abs() < 0.2, "{:?}", found.coefficients());
    }

    #[test]
    fn what_was_never_excited_keeps_its_start() {
        let mut rls = Rls::new([1.0, 7.0, 3.0], [1.0; WIDTH]);
        for _ in 0..10_000 {
            rls.learn([1.0, 0.0, 0.0], 2.0);
        }
        assert!((rls.coefficients()[1] - 7.0).abs() < 1e-9);
        assert!(rls.leverage([0.0, 1.0, 0.0]) <= 1.0 + 1e-9);
    }

    #[test]
    fn a_loosened_copy_says_the_same_but_learns_anew() {
        let mut loose = trained(300, |_| [1.0, 1.0, 1.0]).widened();
        assert!((loose.predict([1.0, 0.0, 0.0]) - 1.0).abs() < 0.01);
        loose.learn([1.0, 0.0, 0.0], 3.0);
        assert!(loose.predict([1.0, 0.0, 0.0]) > 2.5);
    }

    proptest! {
        #[test]
        fn it_never_leaves_the_numbers_and_its_covariance_never_exceeds_the_start(
            rows in prop::collection::vec((prop::array::uniform3(any::<f64>()), any::<f64>()), 0..60),
            scaled in prop::collection::vec((prop::array::uniform3(-1e3..1e3_f64), -1e3..1e3_f64), 0..60),
        ) {
            let mut rls = Rls::new([0.1, 0.2, 0.3], [1.0; WIDTH]);
            for (features, target) in rows.into_iter().chain(scaled) {
                rls.learn(features, target);
                prop_assert!(rls.is_sound(), "{rls:?}");
                for unit in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] {
                    prop_assert!(rls.predict(unit).is_finite());
                    prop_assert!(rls.leverage(unit) <= 1.0 + 1e-6, "{}", rls.leverage(unit));
                }
            }
        }
    }
}
