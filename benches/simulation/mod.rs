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
use tally::Tally;
use trace::{Scene, Trace};

/// Runs `policy` over one trace per seed and adds up what happened.
pub fn run(machine: &Machine, scene: Scene, seeds: std::ops::Range<u64>, policy: fn(&Machine) -> Policy) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        let trace = Trace::draw(machine, scene, seed);
        policy(machine).play(machine, &trace, &mut tally);
    }
    tally
}
