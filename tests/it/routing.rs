//! The router on made-up days, small and deterministic; `benches/simulate.rs` runs the same with many more.

#[path = "../../benches/simulation/mod.rs"]
mod simulation;

use simulation::machine::MACHINES;
use simulation::policy::Policy;
use simulation::tally::Tally;
use simulation::trace::SCENES;

/// All machines and one trace per scene: enough for the promises, and done in seconds.
fn played(way: simulation::Start) -> Tally {
    let mut all = Tally::default();
    for machine in &MACHINES {
        for scene in SCENES {
            all.merge(&simulation::run(machine, scene, 1..2, way));
        }
    }
    all
}

#[test]
fn captures_are_on_time_with_the_model_used_also_after_everything_became_slower() {
    for way in [Policy::forecast, Policy::probing] {
        let tally = played(way);
        assert!(tally.on_time() >= 0.99, "{}\n{tally}", Tally::HEAD);
        assert!(tally.used() >= 0.70, "{}\n{tally}", Tally::HEAD);
        assert!(tally.misses_after() <= 0.05, "{}\n{tally}", Tally::HEAD);
        let off = tally.useful.miscalibration().unwrap();
        assert!(off < 0.02, "stated and seen differ by {off}: {:#?}", tally.useful.table());
    }
}

#[test]
fn where_a_machine_is_fast_enough_the_model_is_used_for_nearly_everything() {
    for machine in &MACHINES[1..] {
        let tally = simulation::run(machine, SCENES[0], 3..4, Policy::forecast);
        assert!(tally.used() >= 0.9, "{}\n{}\n{tally}", machine.name, Tally::HEAD);
    }
}

#[test]
fn it_misses_fewer_and_writes_better_than_a_fixed_model_or_a_moving_average() {
    let [fixed, average, forecast] = [played(Policy::fixed), played(Policy::average), played(Policy::forecast)];
    for other in [fixed, average] {
        assert!(forecast.misses * 3 < other.misses, "{}\n{other}\n{forecast}", Tally::HEAD);
        assert!(forecast.quality > other.quality, "{}\n{other}\n{forecast}", Tally::HEAD);
    }
}

#[test]
fn the_same_dice_give_the_same_day() {
    let run = || simulation::run(&MACHINES[0], SCENES[2], 7..8, Policy::fixed).to_string();
    assert_eq!(run(), run());
}
