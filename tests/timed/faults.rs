//! The whole router against servers that misbehave, seen from outside: what a commit gets, what it costs the second one,
//! and what it does not cost the third.

mod numbers;
mod shared;
mod stage;

use std::time::Duration;

use serde_json::Value;
use uro_capture::domain::capture::{AuthoredBy, Capture, Reason};
use uro_capture::route::choice::TRIALS;

use crate::harness::eventually;
use crate::harness::fake_llm::{Behaviour, FakeLlm, MODEL, Shape};
use crate::harness::reloading::{Reloading, Speed};
use stage::{BUDGET, PAST_REASON, Stage, TEXT, endpoint, endpoint_of, model_ms, reasons, settings, unprepared};

/// What the captures come to once the router knows a server.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Settled {
    /// It is not asked any more: where nothing listens, what is broken, and what is too slow.
    Gone,
    Down,
    TooSlow,
    /// It is asked each time: it answers at once, and what it says is kept or is not.
    Harmless(&'static [Reason]),
}

use Settled::{Down, Gone, Harmless, TooSlow};

/// Every way to misbehave.
fn faults() -> Vec<(Behaviour, Settled)> {
    let late = Duration::from_secs(600);
    vec![
        (Behaviour::Refused, Gone),
        (Behaviour::HeaderFlood, Down),
        (Behaviour::InvalidJson, Down),
        (Behaviour::EarlyClose, Down),
        (Behaviour::Status500, Down),
        (Behaviour::Redirect, Down),
        (Behaviour::GzipBomb, Down),
        (Behaviour::NoSuchModel, Down),
        (Behaviour::ErrorMidStream, Down),
        (Behaviour::EofWithoutDone, Down),
        (Behaviour::ErrorBehind200, Down),
        (Behaviour::OneEndlessLine, Down),
        (Behaviour::EndlessTokens, Down),
        (Behaviour::Status503, Harmless(&[Reason::Refused])),
        (Behaviour::BrokenUtf8, Harmless(&[Reason::Ungrounded])),
        (Behaviour::PromptTooLong, Harmless(&[Reason::Overflow])),
        (Behaviour::Silent, TooSlow),
        (Behaviour::SlowHeader, TooSlow),
        (Behaviour::HeadThenSilent, TooSlow),
        (Behaviour::FirstTokenThenStall, TooSlow),
        (Behaviour::OneTokenPerSecond, TooSlow),
        (Behaviour::ColdLoad(late, "Too late.".to_owned()), TooSlow),
    ]
}

/// Commits that may pay for finding out that a server fails.
const TRIES: usize = 2;
/// Commits to each server once it is found out.
const SETTLED: usize = 3;

/// Commits that may pay for finding a server out: how slow a model is takes a few runs.
fn tries(settled: Settled) -> usize {
    if settled == TooSlow { usize::try_from(TRIALS).unwrap() } else { TRIES }
}

/// Lets one server after the other misbehave; gives what its captures came to.
fn meet(faults: Vec<(Behaviour, Settled)>, serve: impl Fn(Behaviour) -> FakeLlm) {
    let mut stage = Stage::new(&unprepared(""));
    for (n, (behaviour, settled)) in faults.into_iter().enumerate() {
        let server = serve(behaviour.clone());
        stage.world.configure(&unprepared(&endpoint(&format!("e{n}"), &server.url())));
        let mut captures = stage.commits(tries(settled));
        let asked = server.questions().len();
        captures.extend(stage.commits(SETTLED));
        let times: Vec<f64> = captures.iter().map(|capture| model_ms(capture).round()).collect();
        let what = format!("{behaviour:?}: {:?}, {times:?} ms", reasons(&captures));
        println!("{what}");
        assert_settled(&captures[tries(settled)..], settled, &what);
        if matches!(settled, Gone | Down | TooSlow) {
            assert_eq!(server.questions().len(), asked, "nobody asks it any more: {what}");
        }
        assert!(!server.redirect_was_followed());
    }
}

#[track_caller]
fn assert_settled(captures: &[Capture], settled: Settled, what: &str) {
    for capture in captures {
        let reason = capture.provenance.reason;
        match settled {
            Gone => assert_eq!(reason, Reason::Refused, "{what}"),
            Down => assert_eq!(reason, Reason::BreakerOpen, "{what}"),
            TooSlow => assert_eq!(reason, Reason::PredictedMiss, "{what}"),
            Harmless(reasons) => assert!(reasons.contains(&reason), "{what}"),
        }
        assert!(model_ms(capture) < BUDGET / 4.0, "{what}");
    }
}

fn of(wanted: fn(Settled) -> bool) -> Vec<(Behaviour, Settled)> {
    faults().into_iter().filter(|(_, settled)| wanted(*settled)).collect()
}

#[test]
fn a_server_that_fails_costs_two_commits_at_most_and_then_its_breaker_is_the_reason() {
    meet(of(|settled| matches!(settled, Gone | Down)), FakeLlm::start);
}

#[test]
fn a_server_that_is_too_slow_costs_its_trials_at_most_and_is_never_taken_for_dead() {
    meet(of(|settled| settled == TooSlow), FakeLlm::start);
}

#[test]
fn a_server_that_answers_oddly_but_at_once_is_asked_again_and_costs_little() {
    meet(of(|settled| matches!(settled, Harmless(_))), FakeLlm::start);
}

#[test]
fn a_server_that_is_silent_to_everything_is_waited_for_twice_at_most() {
    let server = FakeLlm::everywhere(Shape::Ollama, Behaviour::Silent);
    let url = server.url();
    // Neither its protocol nor its models are known: everything has to be asked of it.
    let mut stage = Stage::new(&format!(
        "[capture]\nbudget = \"3s\"\nread_ahead = \"off\"\nrefine = false\n\
         [[endpoints]]\nname = \"e\"\nurl = \"{url}\"\napi = \"auto\"\n"
    ));
    let captures = stage.commits(4);
    println!("{:?} {:?} ms", reasons(&captures), captures.iter().map(model_ms).collect::<Vec<_>>());
    assert_eq!(reasons(&captures[2..]), [Reason::BreakerOpen; 2], "{:?}", reasons(&captures));
    assert!(captures[2..].iter().all(|capture| model_ms(capture) < BUDGET / 10.0), "{captures:#?}");
}

/// A server whose model is loaded, and says what is true.
fn loaded(speed: Speed) -> Reloading {
    let server = Reloading::start(speed);
    server.say(TEXT);
    server.load(MODEL, 4096);
    server
}

#[test]
fn an_endpoint_that_is_dead_or_silent_takes_nothing_from_one_that_answers() {
    for bad in [Behaviour::Refused, Behaviour::Silent, Behaviour::Status500] {
        let (bad, good) = (FakeLlm::everywhere(Shape::Ollama, bad), FakeLlm::start(Behaviour::Answer(TEXT.into())));
        let both = endpoint("bad", &bad.url()) + &endpoint("good", &good.url());
        let captures = Stage::new(&unprepared(&both)).commits(4);
        for capture in &captures {
            let figures = if capture.id == captures[0].id { "+1" } else { "+1 −1" };
            let text = format!("Add a retry, remove the old path. {TEXT} {figures} in a.rs.");
            assert_eq!((endpoint_of(capture), &capture.summary), (Some("good"), &text), "{capture:#?}");
        }
        let late: Vec<f64> = captures[1..].iter().map(model_ms).collect();
        // A bit of the budget is spent on waiting for the list once, and then no more.
        assert!(late.iter().all(|elapsed| *elapsed < BUDGET / 10.0), "{late:?}");
    }
}

#[test]
fn of_two_endpoints_the_one_that_is_slow_is_left_to_the_one_that_is_not() {
    let [slow, fast] = [loaded(Speed { write: Duration::from_millis(700), ..Speed::FAST }), loaded(Speed::FAST)];
    let both = endpoint("slow", &slow.url()) + &endpoint("fast", &fast.url());
    let captures = Stage::new(&unprepared(&both)).commits(6);
    let places: Vec<Option<&str>> = captures.iter().map(endpoint_of).collect();
    assert!(places[2..].iter().all(|place| *place == Some("fast")), "{places:?} {:?}", reasons(&captures));
    assert!(slow.asked().len() <= 2);
}

#[test]
fn a_burst_goes_to_both_devices_and_never_to_one_twice_at_a_time() {
    let speed = Speed { write: Duration::from_millis(40), ..Speed::FAST };
    let servers = [loaded(speed), loaded(speed)];
    let both = endpoint("one", &servers[0].url()) + &endpoint("two", &servers[1].url());
    let mut stage = Stage::new(&unprepared(&endpoint("two", &servers[1].url())));
    // Both are known before the burst.
    stage.commits(3);
    stage.world.configure(&unprepared(&both));
    stage.commits(3);
    let oids: Vec<String> = (0..7).map(|_| stage.commit_only()).collect();
    let captures: Vec<Capture> = oids.iter().map(|oid| stage.final_of(oid)).collect();
    let places: Vec<Option<&str>> = captures.iter().map(endpoint_of).collect();
    let why = || captures.iter().map(|capture| stage.why(capture) + "\n").collect::<String>();
    assert!(places.contains(&Some("one")) && places.contains(&Some("two")), "{places:?} {}", why());
    assert_eq!(servers.each_ref().map(Reloading::most_at_once), [1, 1]);
}

#[test]
fn slow_is_not_down_and_what_becomes_fast_again_is_asked_again() {
    let server = loaded(Speed { write: Duration::from_millis(600), ..Speed::FAST });
    let toml = settings("read_ahead = \"always\"", &endpoint("test", &server.url()));
    let mut stage = Stage::new(&unprepared(&endpoint("test", &server.url())));
    let trials = tries(TooSlow);
    let captures = stage.commits(trials + 2);
    assert!(captures.iter().all(|capture| capture.provenance.by == AuthoredBy::Template), "{:?}", reasons(&captures));
    assert_eq!(reasons(&captures[trials..]), [Reason::PredictedMiss; 2]);
    stage.past_work(1);
    server.say_to_drafts(PAST_REASON);
    stage.world.ok(&stage.repo, &["draft", "run"]);
    let drafts = stage.world.json(&stage.repo, &["draft", "list"]);
    let is_of_model = |draft: &Value| draft["model"].is_string();
    assert!(drafts.as_array().unwrap().iter().any(is_of_model), "the batch has the time: {drafts:#}");
    server.set_speed(Speed::FAST);
    stage.world.configure(&toml);
    // In a pause somebody measures it, or asks it again about the templates.
    let asked = server.asked().len();
    eventually("a measurement", || (server.asked().len() > asked).then_some(()));
    eventually("a commit that it describes", || (stage.commit().provenance.by == AuthoredBy::Model).then_some(()));
}

#[test]
fn a_model_that_is_not_loaded_is_waited_for_by_nobody() {
    let server = Reloading::start(Speed { load: Duration::from_secs(8), ..Speed::FAST });
    server.say(TEXT);
    let mut stage = Stage::new(&unprepared(&endpoint("test", &server.url())));
    let captures = stage.commits(3);
    assert_eq!(reasons(&captures), [Reason::Cold; 3]);
    assert_eq!((server.loads(), server.asked().len()), (0, 0));
    // In a pause it is loaded, and then it writes.
    stage.world.configure(&settings("read_ahead = \"always\"", &endpoint("test", &server.url())));
    eventually("it is loaded", || server.loaded());
    eventually("a commit that it describes", || (stage.commit().provenance.by == AuthoredBy::Model).then_some(()));
    assert_eq!(server.loads(), 1);
}

#[test]
fn a_model_that_thinks_is_told_not_to_and_is_not_the_first_choice() {
    let server = loaded(Speed::FAST);
    server.load("deepseek-r1:8b", 4096);
    let toml = |models: &str, name: &str| {
        format!("[capture]\nread_ahead = \"off\"\nbudget = \"3s\"\n{models}\n{}", endpoint(name, &server.url()))
    };
    let mut stage = Stage::new(&toml("[models]\ncapture = \"deepseek-r1:8b\"", "named"));
    let captures = stage.commits(3);
    let asked = server.asked();
    let of_thinker = asked.iter().filter(|asked| asked.body["model"] == "deepseek-r1:8b");
    assert!(of_thinker.clone().all(|asked| asked.body["think"] == false), "{asked:#?}");
    assert!(of_thinker.count() > 0, "{captures:#?}");
    let before = asked.len();
    server.load(MODEL, 4096);
    stage.world.configure(&toml("", "unnamed"));
    stage.commits(3);
    let after = &server.asked()[before..];
    assert!(!after.is_empty() && after.iter().all(|asked| asked.body["model"] == MODEL), "{after:#?}");
}

#[test]
fn a_cloud_model_is_never_asked_whatever_is_configured() {
    let server = FakeLlm::start(Behaviour::CloudModel);
    let mut stage = Stage::new(&unprepared(&endpoint("named", &server.url())));
    let mut captures = stage.commits(3);
    stage.world.configure(&format!("[capture]\nread_ahead = \"off\"\n{}", endpoint("unnamed", &server.url())));
    captures.extend(stage.commits(2));
    assert_eq!(reasons(&captures), [Reason::Refused; 5]);
    assert!(server.questions().is_empty());
    assert!(server.requests().iter().all(|bytes| !String::from_utf8_lossy(bytes).contains("fn retry")));
}
