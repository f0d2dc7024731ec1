//! The choice of `src/route`, compiled once more over empirical quantiles in the place of the product's forecast.

#[path = "../../src/route/budget.rs"]
pub mod budget;
#[path = "../../src/route/choice.rs"]
pub mod choice;
#[path = "quantiles.rs"]
pub mod forecast;

use jiff::Timestamp;
use uro_capture::route::decision::Decision;
pub use uro_capture::route::{observation, signals, speed, tally};

use crate::simulation::machine::{Machine, Model};
use crate::simulation::policy::{self, Router};
use crate::simulation::trace::{Moment, RULES};
use crate::simulation::world::cached;
use forecast::Forecast;
use observation::Observation;
use speed::Speed;

/// The decisions of `src/route`, with what only its own modules see.
pub mod decision {
    pub use uro_capture::route::decision::{Chosen, Considered, Decision, Rejected};

    pub fn promise(a: &Considered, b: &Considered) -> std::cmp::Ordering {
        a.quality.total_cmp(&b.quality)
    }
}

/// Each model of a machine, with its forecast and the time of its last run.
#[derive(Debug)]
pub struct Known(Vec<(&'static str, Forecast, Timestamp)>);

impl Known {
    pub fn start(machine: &Machine<'_>, of: impl Fn(Speed) -> Forecast) -> Self {
        let seed = |model| of(policy::seed(machine, model));
        Self(machine.models.iter().map(|one| (one.name, seed(one), Timestamp::UNIX_EPOCH)).collect())
    }
}

impl Router for Known {
    fn decide(&self, machine: &Machine<'_>, moment: &Moment, last: Option<&str>, now: Timestamp) -> Decision {
        let warm = |tokens: u32| if moment.evicted { 0 } else { tokens };
        let known = self.0.iter().zip(machine.models);
        let candidates: Vec<_> = known
            .map(|((name, forecast, at), model)| choice::Candidate {
                guessed: false,
                endpoint: "local",
                model: name,
                resident: Some(!moment.evicted),
                cached: warm(cached(moment, moment.prompt)),
                cached_rules: warm(RULES),
                queue_s: moment.queue_s,
                idle_min: now.duration_since(*at).as_secs_f64() / 60.0,
                barred: None,
                evicts: false,
                loads: false,
                forecast,
                quality: model.quality,
                tally: tally::Tally::default(),
            })
            .collect();
        let signals = policy::signals(moment);
        choice::decide(&signals, &candidates, last.map(|last| ("local", last)))
    }

    fn learn(&mut self, _: &Machine<'_>, model: &Model, seen: &Observation, now: Timestamp) {
        if let Some((_, forecast, at)) = self.0.iter_mut().find(|(name, ..)| *name == model.name) {
            let idle_min = now.duration_since(*at).as_secs_f64() / 60.0;
            forecast.learn(&Observation { idle_min, ..*seen });
            *at = now;
        }
    }
}
