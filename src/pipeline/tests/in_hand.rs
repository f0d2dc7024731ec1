//! An event that kills the program whenever it is read.

use super::Scene;
use crate::domain::event::HookName;
use crate::pipeline::in_hand::InHand;

/// The program dies with the next event in hand.
fn die(scene: &Scene) {
    let hand = InHand::open(&scene.services, "sidecar").unwrap();
    if let Some(event) = scene.services.store.pending_events(1).unwrap().first() {
        hand.hold(event.row);
    }
}

#[test]
fn an_event_that_was_in_hand_at_five_deaths_is_closed_and_named() {
    let scene = Scene::new();
    let place = scene.repo("r");
    let poison = place.commit("a", "1", "Poison");
    place.report(HookName::PostCommit, &[]);
    for _ in 0..5 {
        assert_eq!(scene.services.store.pending_event_count().unwrap(), 1);
        die(&scene);
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
    let scene = Scene::new();
    let place = scene.repo("r");
    for n in 0..12 {
        place.commit("a", &n.to_string(), "Fine");
        place.report(HookName::PostCommit, &[]);
        die(&scene);
        if n % 3 == 2 {
            InHand::open(&scene.services, "sidecar").unwrap().release();
            scene.work();
        }
    }
    assert!(scene.problems().is_empty(), "{:?}", scene.problems());
    assert_eq!(place.live().len(), 12);
}

#[test]
fn a_program_that_ended_in_peace_left_nothing_behind() {
    let scene = Scene::new();
    for _ in 0..6 {
        let hand = InHand::open(&scene.services, "sidecar").unwrap();
        hand.hold(7);
        hand.release();
    }
    assert_eq!(scene.services.store.mark("in-hand.sidecar").unwrap(), None);
}
