//! Numbers, taken by hand: what a dead endpoint costs, and what a machine that turns slow costs.

use std::time::Duration;

use uro_capture::domain::capture::{AuthoredBy, Capture, Reason};

use super::stage::{Stage, TEXT, endpoint, model_ms, reasons, report, unprepared};
use crate::harness::fake_llm::{Behaviour, FakeLlm, MODEL};
use crate::harness::reloading::{Reloading, Speed};

fn total(capture: &Capture) -> f64 {
    capture.timing.total_ms.unwrap()
}

#[test]
#[ignore = "measures: for numbers, by hand"]
fn what_a_dead_endpoint_costs_the_second_commit_and_all_after_it() {
    let dead = FakeLlm::start(Behaviour::Refused);
    let none = format!("endpoints = []\n{}", unprepared(""));
    let mut stage = Stage::new(&none);
    stage.commits(10);
    let [mut with, mut without] = [Vec::new(), Vec::new()];
    // By turns, so that both meet the same machine.
    for round in 0..25 {
        stage.world.configure(&unprepared(&endpoint("dead", &dead.url())));
        let both = stage.commits(2);
        with.extend(both.into_iter().skip(usize::from(round == 0)));
        stage.world.configure(&none);
        without.extend(stage.commits(2));
    }
    assert!(reasons(&with[2..]).iter().all(|reason| *reason == Reason::BreakerOpen), "{:?}", reasons(&with));
    report("dead endpoint, model part, ms", with.iter().map(model_ms).collect());
    report("dead endpoint, total, ms", with.iter().map(total).collect());
    report("no endpoint at all, total, ms", without.iter().map(total).collect());
}

#[test]
#[ignore = "measures: for numbers, by hand"]
fn what_a_machine_that_turns_half_as_fast_in_the_midst_of_sixty_commits_costs() {
    // About 0.8 s for an answer, of 2.5 that a model has.
    let speed = Speed { read: Duration::from_millis(1), write: Duration::from_millis(45), ..Speed::FAST };
    let server = Reloading::start(speed);
    server.say(&format!("{TEXT} The function has no words yet."));
    server.load(MODEL, 4096);
    let mut stage = Stage::new(&unprepared(&endpoint("test", &server.url())));
    let before = stage.commits(20);
    server.set_speed(speed.slower(2));
    let after = stage.commits(40);
    for (what, captures) in [("before", before), ("after", after)] {
        let asked = captures.iter().filter(|one| !unasked(one)).count();
        let missed = captures.iter().filter(|one| one.provenance.reason == Reason::Deadline).count();
        let salvaged = captures.iter().filter(|one| one.provenance.reason == Reason::Salvaged).count();
        let model = captures.iter().filter(|one| one.provenance.by == AuthoredBy::Model).count();
        println!("{what}: n {}, asked {asked}, missed {missed}, salvaged {salvaged}, model {model}", captures.len());
        report("model, ms", captures.iter().filter(|one| !unasked(one)).map(model_ms).collect());
        println!("the last one: {}", captures.last().map(|one| stage.why(one)).unwrap_or_default());
    }
}

fn unasked(capture: &Capture) -> bool {
    matches!(capture.provenance.reason, Reason::PredictedMiss | Reason::BreakerOpen | Reason::Cold)
}
