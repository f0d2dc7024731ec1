//! The choice and the forecast of `src/route`, compiled once more over statistics of which one can be left out.

#[path = "../copy_budget.rs"]
mod budget;
#[path = "../copy_choice.rs"]
mod choice;
#[path = "../copy_forecast.rs"]
mod forecast;
pub mod stats;

use uro_capture::route::{observation, signals, speed, tally};

/// The decisions of `src/route`, with what only its own modules see.
pub mod decision {
    pub use uro_capture::route::decision::{Chosen, Considered, Decision, Rejected};

    pub fn promise(a: &Considered, b: &Considered) -> std::cmp::Ordering {
        a.quality.total_cmp(&b.quality)
    }
}

/// What is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Without {
    Nothing,
    /// Stated chances are not corrected.
    Conformal,
    /// How slow the last 50 runs were stands for the level.
    Levels,
    /// A moving average stands for the filter of levels, and how far the last 50 runs were from it.
    Filter {
        gain: f64,
        idle: f64,
        runs: usize,
        follows: f64,
        conformal: bool,
    },
    /// Answers are as long as was guessed.
    Lengths,
    /// Reading and writing cost what was guessed, times the level.
    Regression,
    /// Neither correction nor lengths nor regression.
    AllButLevels,
}

impl Without {
    pub fn seeded(self, seed: speed::Speed) -> forecast::Forecast {
        stats::WITHOUT.set(self);
        forecast::Forecast::seeded(seed)
    }

    fn conformal(self) -> bool {
        matches!(self, Self::Conformal | Self::AllButLevels | Self::Filter { conformal: false, .. })
    }

    fn lengths(self) -> bool {
        matches!(self, Self::Lengths | Self::AllButLevels)
    }

    fn regression(self) -> bool {
        matches!(self, Self::Regression | Self::AllButLevels)
    }
}

super::router!();
