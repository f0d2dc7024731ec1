//! Ablation of the router: the same choice, compiled once more from `src/route`, with a simpler forecast in the place of
//! the product's, or with the product's forecast without one of its parts.

pub mod hedging;
mod parts;
mod quantiles;
mod window;

pub use parts::stats;

use super::simulation::Start;
use super::simulation::machine::Machine;
use super::simulation::policy::Policy;
use super::simulation::trace::{self, Scene};
use parts::Without;
use quantiles::forecast::Kind;

/// The usual scenes, and models whose answers are not as long as is guessed.
pub const SCENES: [Scene; 7] = [
    trace::SCENES[0],
    trace::SCENES[1],
    trace::SCENES[2],
    trace::SCENES[3],
    trace::SCENES[4],
    Scene { name: "answers of 20 tokens", answer: 20.0, ..trace::STEADY },
    Scene { name: "answers of 100 tokens", answer: 100.0, ..trace::STEADY },
];

/// The simpler ways, with their names.
pub const WAYS: [(&str, Start); 9] = [
    ("50 runs", |machine| quantiles(machine, Kind { runs: 50, fading: 1.0, pressure: false })),
    ("10 runs", |machine| quantiles(machine, Kind { runs: 10, fading: 1.0, pressure: false })),
    ("50, fading", |machine| quantiles(machine, Kind { runs: 50, fading: 0.8, pressure: false })),
    ("50, pressure", |machine| quantiles(machine, Kind { runs: 50, fading: 0.8, pressure: true })),
    ("averaged level", |machine| {
        parts(machine, Without::Filter { gain: 0.3, idle: 60.0, runs: 50, follows: 0.2, conformal: false })
    }),
    ("no conformal", |machine| parts(machine, Without::Conformal)),
    ("no levels", |machine| parts(machine, Without::Levels)),
    ("no lengths", |machine| parts(machine, Without::Lengths)),
    ("no regression", |machine| parts(machine, Without::Regression)),
];

fn quantiles(machine: &Machine<'_>, kind: Kind) -> Policy {
    Policy::routed(Box::new(quantiles::Known::start(machine, |seed| quantiles::forecast::Forecast::of(seed, kind))))
}

fn parts(machine: &Machine<'_>, without: Without) -> Policy {
    Policy::routed(Box::new(parts::Known::start(machine, |seed| without.seeded(seed))))
}

/// A router of `super::simulation::policy` over the `choice` and the `forecast` of the module that this stands in.
macro_rules! router {
    () => {
        #[derive(Debug)]
        pub struct Known(Vec<(&'static str, forecast::Forecast, jiff::Timestamp)>);

        impl Known {
            pub fn start(
                machine: &crate::simulation::machine::Machine<'_>,
                of: impl Fn(uro_capture::route::speed::Speed) -> forecast::Forecast,
            ) -> Self {
                let seed = |model| of(crate::simulation::policy::seed(machine, model));
                Self(machine.models.iter().map(|one| (one.name, seed(one), jiff::Timestamp::UNIX_EPOCH)).collect())
            }
        }

        impl crate::simulation::policy::Router for Known {
            fn decide(
                &self,
                machine: &crate::simulation::machine::Machine<'_>,
                moment: &crate::simulation::trace::Moment,
                last: Option<&str>,
                now: jiff::Timestamp,
            ) -> uro_capture::route::decision::Decision {
                let warm = |tokens: u32| if moment.evicted { 0 } else { tokens };
                let known = self.0.iter().zip(machine.models);
                let candidates: Vec<_> = known
                    .map(|((name, forecast, at), model)| choice::Candidate {
                        guessed: false,
                        endpoint: "local",
                        model: name,
                        resident: Some(!moment.evicted),
                        cached: warm(crate::simulation::world::cached(moment, moment.prompt)),
                        cached_rules: warm(crate::simulation::trace::RULES),
                        queue_s: moment.queue_s,
                        idle_min: now.duration_since(*at).as_secs_f64() / 60.0,
                        barred: None,
                        evicts: false,
                        loads: false,
                        forecast,
                        quality: model.quality,
                        tally: uro_capture::route::tally::Tally::default(),
                    })
                    .collect();
                let signals = crate::simulation::policy::signals(moment);
                choice::decide(&signals, &candidates, last.map(|last| ("local", last)))
            }

            fn learn(
                &mut self,
                _: &crate::simulation::machine::Machine<'_>,
                model: &crate::simulation::machine::Model,
                seen: &uro_capture::route::observation::Observation,
                now: jiff::Timestamp,
            ) {
                if let Some((_, forecast, at)) = self.0.iter_mut().find(|(name, ..)| *name == model.name) {
                    let idle_min = now.duration_since(*at).as_secs_f64() / 60.0;
                    forecast.learn(&uro_capture::route::observation::Observation { idle_min, ..*seen });
                    *at = now;
                }
            }
        }
    };
}
use router;
