//! `src/stats` as `src/route/forecast.rs` sees it, each part of which may do without what it has learned.

use std::cell::Cell;

use super::Without;

thread_local! {
    /// What forecasts that are started now do without.
    pub static WITHOUT: Cell<Without> = const { Cell::new(Without::Nothing) };
}

/// A part that learns only where it is not left out.
macro_rules! part {
    ($name:ident, $real:path, $left_out:ident) => {
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            real: $real,
            learns: bool,
        }

        impl $name {
            fn with(real: $real) -> Self {
                Self { real, learns: !super::WITHOUT.get().$left_out() }
            }

            pub fn is_sound(&self) -> bool {
                self.real.is_sound()
            }
        }
    };
}

pub mod conformal {
    part!(Conformal, uro_capture::stats::conformal::Conformal, conformal);

    impl Default for Conformal {
        fn default() -> Self {
            Self::with(uro_capture::stats::conformal::Conformal::default())
        }
    }

    impl Conformal {
        pub fn learn(&mut self, chance: f64) {
            if self.learns {
                self.real.learn(chance);
            }
        }

        pub fn learn_above(&mut self, chance: f64) {
            if self.learns {
                self.real.learn_above(chance);
            }
        }

        pub fn corrected(&self, chance: f64) -> f64 {
            self.real.corrected(chance)
        }

        pub fn stated(&self, frequency: f64) -> f64 {
            self.real.stated(frequency)
        }
    }
}

pub mod lengths {
    part!(Lengths, uro_capture::stats::lengths::Lengths, lengths);

    impl Lengths {
        pub fn about(typical: u32) -> Self {
            Self::with(uro_capture::stats::lengths::Lengths::about(typical))
        }

        pub fn learn(&mut self, length: u32) {
            if self.learns {
                self.real.learn(length);
            }
        }

        pub fn learn_above(&mut self, length: u32) {
            if self.learns {
                self.real.learn_above(length);
            }
        }

        pub fn chances(&self) -> impl Iterator<Item = (u32, f64)> {
            self.real.chances()
        }

        pub fn mean(&self, most: u32) -> f64 {
            self.real.mean(most)
        }
    }
}

pub mod rls {
    pub use uro_capture::stats::rls::Row;

    part!(Rls, uro_capture::stats::rls::Rls, regression);

    impl Rls {
        pub fn new(start: Row, ridge: Row) -> Self {
            Self::with(uro_capture::stats::rls::Rls::new(start, ridge))
        }

        pub fn learn(&mut self, features: Row, target: f64) {
            if self.learns {
                self.real.learn(features, target);
            }
        }

        pub fn coefficients(&self) -> Row {
            self.real.coefficients()
        }

        pub fn loosened(&self) -> Self {
            Self { real: self.real.loosened(), learns: self.learns }
        }
    }
}

pub mod level {
    use serde::{Deserialize, Serialize};
    use uro_capture::stats::level;

    use super::super::Without;
    use crate::ablation::window::{FIFTHS, Window, beyond, quantile};

    const RUNS: usize = 50;

    /// The filter; or the logarithms of the last runs; or their moving average, with the last distances from it.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub enum Level {
        Filter(Box<level::Level>),
        Last(Window<f64>),
        Smooth { mean: f64, usual: f64, last: Window<f64>, gain: f64, idle: f64, follows: f64 },
    }

    impl Level {
        pub fn about(scale: f64) -> Self {
            let last = Window::guessed(FIFTHS.map(|z| scale * z), RUNS);
            match super::WITHOUT.get() {
                Without::Levels => Self::Last(last),
                Without::Filter { gain, idle, runs, follows, .. } => {
                    let last = Window::guessed(FIFTHS.map(|z| scale * z), runs);
                    Self::Smooth { mean: 0.0, usual: 0.0, last, gain, idle, follows }
                }
                _ => Self::Filter(Box::new(level::Level::about(scale))),
            }
        }

        pub fn learn(&mut self, log_ratio: f64, idle_min: f64) {
            match self {
                Self::Filter(level) => level.learn(log_ratio, idle_min),
                Self::Last(last) => last.push(log_ratio),
                Self::Smooth { mean, usual, last, gain, idle, follows } => {
                    let now = *usual + (*mean - *usual) * stays(*idle, idle_min);
                    last.push(log_ratio - now);
                    *mean = now + *gain * (log_ratio - now);
                    *usual += *follows * (*mean - *usual);
                }
            }
        }

        pub fn learn_above(&mut self, log_ratio: f64, idle_min: f64) {
            match self {
                Self::Filter(level) => level.learn_above(log_ratio, idle_min),
                Self::Last(last) => last.push(beyond(last.iter().map(f64::exp), log_ratio.exp()).ln()),
                Self::Smooth { mean, usual, last, gain, idle, follows } => {
                    let now = *usual + (*mean - *usual) * stays(*idle, idle_min);
                    let past = beyond(last.iter().map(f64::exp), (log_ratio - now).exp()).ln();
                    last.push(past);
                    *mean = now + *gain * past;
                    *usual += *follows * (*mean - *usual);
                }
            }
        }

        pub fn at_most(&self, log_ratio: f64, idle_min: f64) -> f64 {
            match self {
                Self::Filter(level) => level.at_most(log_ratio, idle_min),
                Self::Last(last) => last.iter().filter(|one| *one <= log_ratio).count() as f64 / last.len() as f64,
                Self::Smooth { mean, usual, last, idle, .. } => {
                    let now = usual + (mean - usual) * stays(*idle, idle_min);
                    last.iter().filter(|one| *one + now <= log_ratio).count() as f64 / last.len() as f64
                }
            }
        }

        pub fn quantile(&self, p: f64, idle_min: f64) -> f64 {
            match self {
                Self::Filter(level) => level.quantile(p, idle_min),
                Self::Last(last) => quantile(last.iter().map(|one| (one, 1.0)).collect(), p).unwrap_or(0.0),
                Self::Smooth { mean, usual, last, idle, .. } => {
                    usual
                        + (mean - usual) * stays(*idle, idle_min)
                        + quantile(last.iter().map(|one| (one, 1.0)).collect(), p).unwrap_or(0.0)
                }
            }
        }

        /// The regression follows the machine by itself where there is no level.
        pub fn mean(&self) -> f64 {
            match self {
                Self::Filter(level) => level.mean(),
                Self::Last(_) => 0.0,
                Self::Smooth { mean, .. } => *mean,
            }
        }

        pub fn loosened(&self) -> Self {
            match self {
                Self::Filter(level) => Self::Filter(Box::new(level.loosened())),
                other => other.clone(),
            }
        }
    }

    fn stays(idle: f64, idle_min: f64) -> f64 {
        if idle > 0.0 { (-idle_min.max(0.0) / idle).exp() } else { 1.0 }
    }
}
