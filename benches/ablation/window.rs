//! The last values that were measured, as an empirical distribution.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Standard normal quantiles at the middles of five equal parts: a guess as five values.
pub const FIFTHS: [f64; 5] = [-1.281_55, -0.524_4, 0.0, 0.524_4, 1.281_55];

/// The last values, newest last. Guesses are replaced by the first values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window<T> {
    values: VecDeque<T>,
    guesses: usize,
    most: usize,
}

impl<T: Copy> Window<T> {
    pub fn guessed(guesses: [T; 5], most: usize) -> Self {
        Self { values: guesses.into(), guesses: guesses.len(), most }
    }

    pub fn push(&mut self, value: T) {
        if self.guesses > 0 || self.values.len() >= self.most {
            self.values.pop_front();
            self.guesses = self.guesses.saturating_sub(1);
        }
        self.values.push_back(value);
    }

    /// The values, newest first.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.values.iter().rev().copied()
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }
}

/// A value for what is known to be above `least` only: the median of the known values above, else 1.5 times as much.
pub fn beyond(values: impl Iterator<Item = f64>, least: f64) -> f64 {
    quantile(values.filter(|value| *value > least).map(|value| (value, 1.0)).collect(), 0.5).unwrap_or(least * 1.5)
}

/// The least value that at most the share `p` of the weight exceeds.
pub fn quantile(mut values: Vec<(f64, f64)>, p: f64) -> Option<f64> {
    values.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let wanted = p * values.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut sum = 0.0;
    let found = values.iter().find(|(_, weight)| {
        sum += weight;
        sum >= wanted - 1e-9
    });
    found.or(values.last()).map(|(value, _)| *value)
}
