//! A day at the desk, over and over: the same commits on the same made-up machines, under different ways to route.
//!
//! Everything is drawn from seeded dice, so a run is the same on every computer. Each commit carries its own luck
//! (how slow the machine is, whether it stumbles, how long the answer would be), so that all ways of routing meet
//! the same world. Nothing here reads a clock.

pub mod dice;
pub mod machine;
pub mod policy;
pub mod recorded;
pub mod tally;
pub mod trace;
pub mod world;

use machine::Machine;
use policy::Policy;
use recorded::Recording;
use tally::Tally;
use trace::{Scene, Trace};

/// A way to route, as it starts on a machine.
pub type Start = fn(&Machine<'_>) -> Policy;

/// Runs `policy` over one trace per seed and adds up what happened.
pub fn run(machine: &Machine<'_>, scene: Scene, seeds: std::ops::Range<u64>, policy: Start) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        let trace = Trace::draw(machine, scene, seed);
        policy(machine).play(machine, &trace, &mut tally);
    }
    tally
}

/// The same with what was recorded, scaled so that the smallest model reads as fast as the one on `like`; everything
/// is `factor` times slower after the shift.
pub fn replay(
    recording: &Recording,
    like: &Machine<'_>,
    factor: f64,
    seeds: std::ops::Range<u64>,
    policy: Start,
) -> Tally {
    let scale = like.models.first().map_or(1.0, |smallest| recording.scale(smallest.reads));
    let models = machine::recorded(like, recording, scale);
    let machine = Machine { models: &models, ..*like };
    let mut tally = Tally::default();
    for seed in seeds {
        let trace = Trace::replay(&machine, recording, factor, seed);
        policy(&machine).play(&machine, &trace, &mut tally);
    }
    tally
}
