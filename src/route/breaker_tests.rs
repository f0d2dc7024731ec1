//! Circuit breaker: when it opens, which caller may probe, which outcomes do not count against a server.

use proptest::prelude::*;

use super::*;
use crate::domain::clock::{Clock, SystemClock};

fn start() -> Instant {
    SystemClock.instant()
}

fn after(seconds: u64, start: Instant) -> Instant {
    start + Duration::from_secs(seconds)
}

fn opened(now: Instant) -> Breaker {
    let mut breaker = Breaker::default();
    breaker.learn(Happened::Unreachable, now);
    breaker
}

#[test]
fn slow_is_not_down_however_often() {
    let mut breaker = Breaker::default();
    (0..100).for_each(|i| breaker.learn(Happened::Slow, after(i, start())));
    assert!(breaker.admits());
    breaker.learn(Happened::Failed, start());
    breaker.learn(Happened::Slow, start());
    assert!(breaker.admits());
}

#[test]
fn a_refused_connection_opens_at_once_and_a_failure_the_second_time() {
    assert!(!opened(start()).admits());
    for happened in [Happened::Failed, Happened::Silent] {
        let mut breaker = Breaker::default();
        breaker.learn(happened, start());
        assert!(breaker.admits());
        breaker.learn(happened, start());
        assert_eq!(breaker.state(), State::Open);
    }
}

#[test]
fn an_answer_in_between_forgives() {
    let mut breaker = Breaker::default();
    for happened in [Happened::Failed, Happened::Answered, Happened::Failed, Happened::Busy, Happened::Failed] {
        breaker.learn(happened, start());
        assert!(breaker.admits());
    }
}

#[test]
fn one_probe_at_a_time_and_no_capture_while_it_runs() {
    let now = start();
    let mut breaker = opened(now);
    assert!(!breaker.probe(after(4, now)));
    assert_eq!(breaker.probe_at(), Some(after(5, now)));
    assert!(breaker.probe(after(5, now)));
    assert!(!breaker.probe(after(5, now)) && !breaker.admits());
    breaker.learn(Happened::Answered, after(6, now));
    assert!(breaker.admits());
    assert_eq!(breaker.probe_at(), None);
}

#[test]
fn probes_that_fail_become_rarer_up_to_five_minutes() {
    let mut now = start();
    let mut breaker = opened(now);
    let mut waits = Vec::new();
    for _ in 0..9 {
        let next = breaker.probe_at().unwrap();
        waits.push((next - now).as_secs());
        now = next;
        assert!(breaker.probe(now));
        breaker.learn(Happened::Unreachable, now);
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
}

#[test]
fn a_probe_that_was_only_slow_found_a_server() {
    let now = start();
    let mut breaker = opened(now);
    assert!(breaker.probe(after(5, now)));
    breaker.learn(Happened::Slow, after(7, now));
    assert!(breaker.admits());
}

#[test]
fn a_probe_that_is_never_heard_of_again_is_replaced() {
    let now = start();
    let mut breaker = opened(now);
    assert!(breaker.probe(after(5, now)));
    assert!(!breaker.probe(after(64, now)));
    assert!(breaker.probe(after(65, now)));
}

#[test]
fn failures_that_were_under_way_do_not_put_the_probe_off() {
    let now = start();
    let mut breaker = opened(now);
    (1..4).for_each(|i| breaker.learn(Happened::Unreachable, after(i, now)));
    assert_eq!(breaker.probe_at(), Some(after(5, now)));
}

#[test]
fn a_model_that_fails_does_not_close_its_endpoint_and_a_dead_endpoint_closes_all_its_models() {
    let now = start();
    let mut breakers = Breakers::default();
    (0..2).for_each(|_| breakers.learn("local", "broken", Happened::Failed, now));
    assert!(!breakers.admit("local", "broken") && breakers.admit("local", "fine"));
    breakers.learn("local", "fine", Happened::Unreachable, now);
    assert!(!breakers.admit("local", "fine") && breakers.admit("other", "fine"));
    assert_eq!(breakers.state("local", "fine"), State::Open);
}

#[test]
fn a_dead_endpoint_is_probed_once_and_not_once_per_model() {
    let now = start();
    let mut breakers = Breakers::default();
    (0..2).for_each(|_| breakers.learn("local", "broken", Happened::Failed, now));
    breakers.learn("local", "fine", Happened::Unreachable, now);
    assert_eq!(breakers.probes(after(6, now)), [("local".to_owned(), String::new())]);
    breakers.learn("local", "", Happened::Answered, after(6, now));
    assert!(breakers.admit("local", "fine") && !breakers.admit("local", "broken"));
    assert_eq!(breakers.probes(after(6, now)), [("local".to_owned(), "broken".to_owned())]);
}

proptest! {
    #[test]
    fn at_most_one_probe_is_out_and_an_answer_always_closes(steps in prop::collection::vec((0..8_u8, 0..100_u64), 0..60)) {
        let mut now = start();
        let mut breaker = Breaker::default();
        let mut probing_since: Option<Instant> = None;
        for (what, later) in steps {
            now += Duration::from_secs(later);
            let happened = [Happened::Answered, Happened::Slow, Happened::Unreachable, Happened::Silent, Happened::Failed, Happened::Busy];
            match happened.get(usize::from(what)) {
                Some(happened) => {
                    breaker.learn(*happened, now);
                    probing_since = None;
                }
                None => if breaker.probe(now) {
                    prop_assert!(probing_since.is_none_or(|since| now - since >= PROBE_LOST));
                    probing_since = Some(now);
                }
            }
            prop_assert!(!(breaker.admits() && probing_since.is_some()));
        }
        breaker.learn(Happened::Answered, now);
        prop_assert!(breaker.admits());
    }
}
