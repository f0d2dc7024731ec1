//! The router on made-up and recorded days, small and deterministic; `benches/simulate.rs` runs the same with many more.

use std::sync::LazyLock;

#[path = "../../benches/simulation/mod.rs"]
mod simulation;

use simulation::machine::MACHINES;
use simulation::policy::Policy;
use simulation::recorded::{self, Recording};
use simulation::tally::Tally;
use simulation::trace::{SCENES, Trace};

/// All machines and one trace per scene, steady, twice as slow, often cold: enough for the promises, and done in
/// seconds.
fn played(start: simulation::Start) -> Tally {
    let mut all = Tally::default();
    for machine in &MACHINES {
        for scene in [SCENES[0], SCENES[2], SCENES[3]] {
            all.merge(&simulation::run(machine, scene, 1..2, start));
        }
    }
    all
}

/// The router's days, which two tests look at.
fn routed() -> &'static Tally {
    static ROUTED: LazyLock<Tally> = LazyLock::new(|| played(Policy::forecast));
    &ROUTED
}

#[test]
fn captures_are_on_time_with_the_model_used_also_after_everything_became_slower() {
    for tally in [routed(), &played(Policy::probing)] {
        assert!(tally.on_time() >= 0.98, "{}\n{tally}", Tally::HEAD);
        assert!(tally.used() >= 0.80, "{}\n{tally}", Tally::HEAD);
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
    let forecast = routed();
    for other in [played(Policy::fixed), played(Policy::average)] {
        assert!(forecast.misses * 3 < other.misses, "{}\n{other}\n{forecast}", Tally::HEAD);
        assert!(forecast.quality > other.quality, "{}\n{other}\n{forecast}", Tally::HEAD);
    }
}

fn recordings() -> Vec<Recording> {
    recorded::all().unwrap()
}

#[test]
fn recordings_say_how_they_were_made_and_hold_a_slowdown_and_cold_starts() {
    for recording in recordings() {
        assert!(recording.what.contains("llama.cpp") && recording.instants.len() >= 150, "{}", recording.what);
        let (reading, writing) = recording.shifted().unwrap();
        assert!(reading > 1.2 && writing > 1.2, "{}: {reading} {writing}", recording.name);
        assert!(recording.instants.iter().filter(|instant| instant.load_s.is_some()).count() >= 3);
    }
}

#[test]
fn what_was_recorded_is_met_in_its_order_whatever_the_captures() {
    let recording = &recordings()[0];
    let [one, other] = [1, 2].map(|seed| Trace::replay(&MACHINES[0], recording, 1.0, seed).moments);
    assert_eq!(one.len(), recording.instants.len());
    for ((one, other), instant) in one.iter().zip(&other).zip(&recording.instants) {
        let seen = (instant.reading, instant.writing, instant.load_s.is_some());
        assert_eq!((one.read_luck, one.write_luck, one.evicted), seen);
        assert_eq!((other.read_luck, other.write_luck, other.evicted), seen);
    }
    assert!(one.iter().zip(&other).any(|(one, other)| one.prompt != other.prompt));
}

#[test]
fn captures_are_on_time_on_recorded_servers_too_when_they_become_slower() {
    let (mut router, mut fixed) = (Tally::default(), Tally::default());
    for recording in recordings() {
        for (machine, factor) in MACHINES.iter().zip([1.0, 2.0, 2.0]) {
            router.merge(&simulation::replay(&recording, machine, factor, 5..6, Policy::forecast));
            fixed.merge(&simulation::replay(&recording, machine, factor, 5..6, Policy::fixed));
        }
    }
    // A percent of so few captures is sixteen misses.
    assert!(router.on_time() >= 0.95 && router.misses_after() <= 0.05, "{}\n{router}", Tally::HEAD);
    assert!(router.misses * 2 < fixed.misses && router.quality > fixed.quality, "{}\n{fixed}\n{router}", Tally::HEAD);
}

#[test]
fn a_machine_that_is_always_busy_is_still_given_a_model() {
    let recording = &recordings()[0];
    assert!(recording.instants.iter().all(|instant| instant.pressed));
    let tally = simulation::replay(recording, &MACHINES[1], 1.0, 5..6, Policy::probing);
    assert!(tally.used() >= 0.5, "{}\n{tally}", Tally::HEAD);
}

#[test]
fn the_same_dice_give_the_same_day() {
    let run = || simulation::run(&MACHINES[0], SCENES[2], 7..8, Policy::fixed).to_string();
    assert_eq!(run(), run());
}
