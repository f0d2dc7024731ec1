//! Catch-up by a command when no sidecar came for the commits.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Scene;
use crate::domain::clock::FakeClock;
use crate::domain::event::HookName;
use crate::pipeline::ingest::{CaughtUp, catch_up};

/// A clock that every reading advances.
#[derive(Debug)]
struct Running(FakeClock, Duration);

impl crate::domain::clock::Clock for Running {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn instant(&self) -> std::time::Instant {
        self.0.advance(self.1);
        self.0.instant()
    }

    fn thread_cpu(&self) -> Duration {
        self.0.thread_cpu()
    }
}

fn scene_with_backlog(tick: Duration) -> Scene {
    let clock = FakeClock::at("2026-03-01T12:00:00Z".parse().unwrap());
    let scene = Scene::with_clock(Arc::new(Running(clock, tick)));
    let place = scene.repo("shop");
    for number in 0..6 {
        place.commit("a", &number.to_string(), &format!("Commit {number}"));
        place.report(HookName::PostCommit, &[]);
    }
    scene
}

#[test]
fn a_backlog_is_announced_and_worked_off() {
    let scene = scene_with_backlog(Duration::ZERO);
    let mut announced = None;
    let caught = catch_up(&scene.services, |waiting| announced = Some(waiting)).unwrap();
    assert_eq!((caught, announced), (CaughtUp { done: 6, left: 0 }, Some(6)));
    let caught = catch_up(&scene.services, |_| panic!("nothing waits")).unwrap();
    assert_eq!(caught, CaughtUp::default());
}

#[test]
fn the_work_ends_when_its_time_is_up_and_the_rest_stays_pending() {
    let scene = scene_with_backlog(Duration::from_millis(600));
    let caught = catch_up(&scene.services, |_| {}).unwrap();
    assert!((1..6).contains(&caught.done) && caught.left == 6 - caught.done as u64, "{caught:?}");
    let again = catch_up(&scene.services, |_| {}).unwrap();
    assert!(again.left < caught.left || again.left == 0, "{again:?}");
}
