//! Ablation of the router: a simpler forecast under the same choice, and a second request where the first is silent.

pub mod hedging;

use super::route::Known;
use super::route::forecast::{Forecast, Kind};
use super::simulation::Start;
use super::simulation::machine::Machine;
use super::simulation::policy::Policy;

/// Empirical quantiles in the place of the router's forecast.
pub const WAYS: [(&str, Start); 3] = [
    ("50 runs", |machine| quantiles(machine, Kind { runs: 50, fading: 1.0 })),
    ("10 runs", |machine| quantiles(machine, Kind { runs: 10, fading: 1.0 })),
    ("50, fading", |machine| quantiles(machine, Kind { runs: 50, fading: 0.8 })),
];

fn quantiles(machine: &Machine<'_>, kind: Kind) -> Policy {
    Policy::routed(Box::new(Known::start(machine, |seed| Forecast::of(seed, kind))))
}
