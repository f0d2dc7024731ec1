//! An event that kills the program whenever it is processed.

use std::sync::Arc;
use std::time::Duration;

use super::PipelineFixture;
use crate::domain::clock::FakeClock;
use crate::domain::event::HookName;
use crate::pipeline::poison_guard::PoisonEventGuard;

fn scene() -> (PipelineFixture, Arc<FakeClock>) {
    let clock = Arc::new(FakeClock::at("2026-03-01T12:00:00Z".parse().unwrap()));
    (PipelineFixture::with_clock(clock.clone()), clock)
}

/// Simulates a death with the next event in hand.
fn die(scene: &PipelineFixture) {
    let guard = PoisonEventGuard::open(&scene.services, "sidecar").unwrap();
    if let Some(event) = scene.services.store.pending_events(1).unwrap().first() {
        std::mem::forget(guard.hold_event(event.row));
    }
}

#[test]
fn an_event_that_was_in_hand_at_five_deaths_is_closed_and_named() {
    let (scene, clock) = scene();
    let place = scene.repo("r");
    let poison = place.commit("a", "1", "Poison");
    place.report(HookName::PostCommit, &[]);
    for _ in 0..5 {
        assert_eq!(scene.services.store.pending_event_count().unwrap(), 1);
        die(&scene);
        clock.advance(Duration::from_secs(61));
    }
    die(&scene);
    assert_eq!(scene.services.store.pending_event_count().unwrap(), 0);
    let problems = scene.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains(&format!("uro-capture commit {poison}")), "{problems:?}");
    assert_eq!(scene.services.store.mark("in-hand.sidecar").unwrap(), None, "counted from the start again");
}

#[test]
fn deaths_with_other_events_in_hand_do_not_add_up() {
    let (scene, clock) = scene();
    let place = scene.repo("r");
    for n in 0..12 {
        clock.advance(Duration::from_secs(61));
        place.commit("a", &n.to_string(), "Fine");
        place.report(HookName::PostCommit, &[]);
        die(&scene);
        if n % 3 == 2 {
            drop(PoisonEventGuard::open(&scene.services, "sidecar").unwrap().hold_event(1));
            scene.work();
        }
    }
    assert!(scene.problems().is_empty(), "{:?}", scene.problems());
    assert_eq!(place.live().len(), 12);
}

#[test]
fn killing_every_start_makes_no_event_a_suspect() {
    let (scene, clock) = scene();
    let place = scene.repo("r");
    place.commit("a", "1", "Fine");
    place.report(HookName::PostCommit, &[]);
    for _ in 0..100 {
        die(&scene);
        clock.advance(Duration::from_millis(500));
    }
    scene.work();
    assert_eq!(place.live(), ["Fine"]);
    assert!(scene.problems().is_empty());
}

#[test]
fn a_program_that_ended_in_peace_left_nothing_behind() {
    let scene = PipelineFixture::new();
    for _ in 0..6 {
        let guard = PoisonEventGuard::open(&scene.services, "sidecar").unwrap();
        drop(guard.hold_event(7));
    }
    assert_eq!(scene.services.store.mark("in-hand.sidecar").unwrap(), None);
}
