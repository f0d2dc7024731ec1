//! A template that stood in for a model gets the model's text later, without anybody waiting for it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use uro_capture::config::{Overrides, Paths};
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::pipeline::refine::{RefineRound, refine_some};
use uro_capture::pipeline::services::Services;

use crate::harness::fake_llm::{Behaviour, FakeLlm, MODEL};
use crate::harness::{World, retry};

/// A world with a repository whose one commit found no server, and keeps its template.
fn without_a_server() -> (World, std::path::PathBuf, Value) {
    let dead = FakeLlm::start(Behaviour::Refused);
    let world = World::with_fake(&dead);
    let repo = world.repo("repo");
    world.commit(&repo, "a.rs", retry::CODE, retry::SUBJECT);
    let capture = world.json(&repo, &["commit", "HEAD"]);
    let capture = capture.as_array().map_or(capture.clone(), |all| all[0].clone());
    assert_eq!(capture["provenance"]["by"], "template", "{capture:#}");
    let seen = shown(&world, &repo, &capture);
    (world, repo, seen)
}

fn shown(world: &World, repo: &Path, capture: &Value) -> Value {
    world.json(repo, &["show", "--wire", capture["id"].as_str().unwrap()])
}

/// What an idle sidecar would do now.
fn refine(world: &World, stop: bool) -> RefineRound {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let paths = Paths::from_home(&world.path("uro"));
    let services = Services::open(paths, Overrides::default(), Arc::clone(&clock)).unwrap();
    let until: Instant = clock.instant() + Duration::from_secs(20);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(refine_some(&services, 10, until, || stop)).unwrap()
}

const NOTHING: RefineRound = RefineRound { better: 0, vain: 0, cut_short: false };

#[test]
fn the_text_of_a_model_that_came_later_takes_the_place_of_the_template() {
    let (world, repo, before) = without_a_server();
    let server = FakeLlm::start(Behaviour::Answer(retry::SAID.into()));
    world.use_fake(&server, "");
    assert_eq!(refine(&world, true), NOTHING, "somebody came");
    assert_eq!(refine(&world, false), RefineRound { better: 1, ..NOTHING });
    assert_eq!(refine(&world, false), NOTHING, "once is enough");
    assert_eq!(server.asked().len(), 1);

    let after = shown(&world, &repo, &before);
    assert_eq!((&after["summary"], &after["template"]), (&retry::TEXT.into(), &before["summary"]));
    assert_eq!((&after["provenance"]["by"], &after["provenance"]["model"]), (&"model".into(), &MODEL.into()));
    assert_eq!(after["provenance"]["reason"], "none");
    assert_eq!(after["refined"]["model"], MODEL);
    for same in ["id", "at", "captured_at", "timing", "tokens", "source", "raw", "commit", "state", "tags"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert!(after["wire"].as_str().unwrap().contains("login(3, backoff(delay))"), "what was sent");

    assert_eq!(after["answer"], retry::SAID, "of the text that stands");
    assert_eq!(after["decision"]["task"], before["decision"]["task"], "why it was a template at first");

    let id = before["id"].as_str().unwrap();
    let output = world.ok(&repo, &["show", id]);
    let template = before["summary"].as_str().unwrap();
    assert!(output.contains(retry::TEXT) && output.contains("at first") && output.contains(template), "{output}");
    assert!(world.ok(&repo, &["log"]).contains(retry::TEXT));
    assert!(world.ok(&repo, &["search", "backoff"]).contains(retry::TEXT), "the index follows");
    let status = world.json(&repo, &["status"]);
    assert_eq!((&status["captures"]["refined"], &status["captures"]["by_provenance"]["model"]), (&1.into(), &1.into()));
    let rows = world.json(&repo, &["latency"]);
    let row = rows.as_array().unwrap().iter().find(|row| row["op"] == "refine.commit").unwrap();
    assert_eq!((&row["n"], &row["on_time_rate"]), (&1.into(), &Value::Null), "it had no budget: {row:#}");
}

#[test]
fn a_server_that_is_still_down_is_no_try() {
    let (world, repo, before) = without_a_server();
    for _ in 0..3 {
        assert_eq!(refine(&world, false), RefineRound { cut_short: true, ..NOTHING });
    }
    let server = FakeLlm::start(Behaviour::Answer(retry::SAID.into()));
    world.use_fake(&server, "");
    assert_eq!(refine(&world, false).better, 1);
    assert_eq!(shown(&world, &repo, &before)["summary"], retry::TEXT);
}

#[test]
fn a_text_that_is_made_up_or_cut_or_tells_less_is_no_better_than_the_template() {
    let made_up = "Moves the Kubernetes billing cluster to PostgreSQL.".to_owned();
    let cut = Behaviour::AnswerToLength(format!("{} And it", retry::SAID));
    let true_but_less = Behaviour::Answer(retry::SAID_LESS.to_owned());
    for (bad, reason) in [(Behaviour::Answer(made_up), "ungrounded"), (cut, "salvaged"), (true_but_less, "ungrounded")]
    {
        let (world, repo, before) = without_a_server();
        let server = FakeLlm::start(bad.clone());
        world.use_fake(&server, "");
        assert_eq!(refine(&world, false), RefineRound { vain: 1, ..NOTHING }, "{bad:?}");
        assert_eq!(refine(&world, false), NOTHING, "it rests");
        let after = shown(&world, &repo, &before);
        assert_eq!((&after["summary"], &after["refined"]), (&before["summary"], &Value::Null));
        assert_eq!(after["provenance"], before["provenance"]);
        let rows = world.json(&repo, &["latency"]);
        let row = rows.as_array().unwrap().iter().find(|row| row["op"] == "refine.commit").unwrap();
        assert_eq!(row["reasons"], serde_json::json!({reason: 1}), "{bad:?} {row:#}");
    }
}

#[test]
fn a_text_that_tells_less_than_the_note_does_not_take_its_place() {
    let note = "Cut the auth timeout from 3s to 200ms, the proxy drops idle connections";
    let whole = "The auth timeout is cut from 3s to 200ms, as the proxy drops idle connections.";
    for (answer, wanted) in [
        ("The auth timeout is cut.", RefineRound { vain: 1, ..NOTHING }),
        (whole, RefineRound { better: 1, ..NOTHING }),
    ] {
        let world = World::with_fake(&FakeLlm::start(Behaviour::Refused));
        let repo = world.repo("repo");
        let before = world.json(&repo, &[note]);
        assert_eq!(before["provenance"]["by"], "template", "{before:#}");
        let server = FakeLlm::start(Behaviour::Answer(answer.to_owned()));
        world.use_fake(&server, "");
        assert_eq!(refine(&world, false), wanted, "{answer}");
        let summary = if answer == whole { whole.to_owned() } else { format!("{note}.") };
        assert_eq!(shown(&world, &repo, &before)["summary"], summary);
        let rows = world.json(&repo, &["latency"]);
        let row = rows.as_array().unwrap().iter().find(|row| row["op"] == "refine.note").unwrap();
        assert_eq!(row["reasons"], serde_json::json!({}), "it was true: {row:#}");
    }
}

#[test]
fn a_commit_that_is_gone_is_not_taken_for_a_note() {
    let (world, repo, before) = without_a_server();
    let server = FakeLlm::start(Behaviour::Answer(retry::SAID.into()));
    world.use_fake(&server, "");
    std::fs::rename(&repo, world.path("elsewhere")).unwrap();
    assert_eq!(refine(&world, false), RefineRound { vain: 1, ..NOTHING });
    assert!(server.questions().is_empty());
    let home = world.path("home");
    assert_eq!(shown(&world, &home, &before)["summary"], before["summary"]);
}

#[test]
fn nobody_is_asked_again_where_that_is_switched_off() {
    let (world, _, _) = without_a_server();
    let server = FakeLlm::start(Behaviour::Answer(retry::SAID.into()));
    world.use_fake(&server, "refine = false");
    assert_eq!(refine(&world, false), NOTHING);
    assert!(server.requests().is_empty());
}
