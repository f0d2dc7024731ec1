//! A template that stood in for a model gets the model's text later, without anybody waiting for it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use uro_capture::config::{Overrides, Paths};
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::pipeline::refine::{Walk, refine_some};
use uro_capture::pipeline::services::Services;

use crate::harness::World;
use crate::harness::fake_llm::{Behaviour, FakeLlm, MODEL};

/// True of the commit that the tests make.
const TEXT: &str = "Adds the function retry to a.rs, so that a login is tried three times.";

/// A world with a repository whose one commit found no server, and keeps its template.
fn without_a_server() -> (World, std::path::PathBuf, Value) {
    let dead = FakeLlm::start(Behaviour::Refused);
    let world = World::with_fake(&dead);
    let repo = world.repo("repo");
    world.commit(&repo, "a.rs", "fn retry() { login(3) }\n", "Try a login three times");
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
fn refine(world: &World, stop: bool) -> Walk {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let paths = Paths::under(&world.path("uro"));
    let services = Services::open(paths, Overrides::default(), Arc::clone(&clock)).unwrap();
    let until: Instant = clock.instant() + Duration::from_secs(20);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(refine_some(&services, 10, until, || stop)).unwrap()
}

const NOTHING: Walk = Walk { better: 0, vain: 0, cut_short: false };

#[test]
fn the_text_of_a_model_that_came_later_takes_the_place_of_the_template() {
    let (world, repo, before) = without_a_server();
    let server = FakeLlm::start(Behaviour::Answer(TEXT.into()));
    world.use_fake(&server, "");
    assert_eq!(refine(&world, true), NOTHING, "somebody came");
    assert_eq!(refine(&world, false), Walk { better: 1, ..NOTHING });
    assert_eq!(refine(&world, false), NOTHING, "once is enough");
    assert_eq!(server.asked().len(), 1);

    let after = shown(&world, &repo, &before);
    assert_eq!((&after["summary"], &after["template"]), (&TEXT.into(), &before["summary"]));
    assert_eq!((&after["provenance"]["by"], &after["provenance"]["model"]), (&"model".into(), &MODEL.into()));
    assert_eq!(after["provenance"]["reason"], "none");
    assert_eq!(after["refined"]["model"], MODEL);
    for same in ["id", "at", "captured_at", "timing", "tokens", "source", "raw", "commit", "state", "tags"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert!(after["wire"].as_str().unwrap().contains("login(3)"), "what was sent");

    assert_eq!(after["answer"], TEXT, "of the text that stands");
    assert_eq!(after["decision"]["task"], before["decision"]["task"], "why it was a template at first");

    let id = before["id"].as_str().unwrap();
    let said = world.ok(&repo, &["show", id]);
    let template = before["summary"].as_str().unwrap();
    assert!(said.contains(TEXT) && said.contains("at first") && said.contains(template), "{said}");
    assert!(world.ok(&repo, &["log"]).contains(TEXT));
    assert!(world.ok(&repo, &["search", "tried"]).contains(TEXT), "the index follows");
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
        assert_eq!(refine(&world, false), Walk { cut_short: true, ..NOTHING });
    }
    let server = FakeLlm::start(Behaviour::Answer(TEXT.into()));
    world.use_fake(&server, "");
    assert_eq!(refine(&world, false).better, 1);
    assert_eq!(shown(&world, &repo, &before)["summary"], TEXT);
}

#[test]
fn a_text_that_is_made_up_or_cut_or_tells_less_is_no_better_than_the_template() {
    let made_up = "Moves the Kubernetes billing cluster to PostgreSQL.".to_owned();
    // The last one is true, and tells less than the template does.
    let true_but_less = Behaviour::Answer("Adds the function retry.".to_owned());
    let cut = Behaviour::AnswerToLength(format!("{TEXT} And it"));
    for bad in [Behaviour::Answer(made_up), cut, true_but_less.clone()] {
        let (world, repo, before) = without_a_server();
        let server = FakeLlm::start(bad.clone());
        world.use_fake(&server, "");
        assert_eq!(refine(&world, false), Walk { vain: 1, ..NOTHING }, "{bad:?}");
        assert_eq!(refine(&world, false), NOTHING, "it rests");
        let after = shown(&world, &repo, &before);
        assert_eq!((&after["summary"], &after["refined"]), (&before["summary"], &Value::Null));
        assert_eq!(after["provenance"], before["provenance"]);
        let rows = world.json(&repo, &["latency"]);
        let row = rows.as_array().unwrap().iter().find(|row| row["op"] == "refine.commit").unwrap();
        assert_eq!(row["reasons"] == serde_json::json!({}), bad == true_but_less, "{bad:?} {row:#}");
    }
}

#[test]
fn a_commit_that_is_gone_is_not_taken_for_a_note() {
    let (world, repo, before) = without_a_server();
    let server = FakeLlm::start(Behaviour::Answer(TEXT.into()));
    world.use_fake(&server, "");
    std::fs::rename(&repo, world.path("elsewhere")).unwrap();
    assert_eq!(refine(&world, false), Walk { vain: 1, ..NOTHING });
    assert!(server.questions().is_empty());
    let home = world.path("home");
    assert_eq!(shown(&world, &home, &before)["summary"], before["summary"]);
}

#[test]
fn nobody_is_asked_again_where_that_is_switched_off() {
    let (world, _, _) = without_a_server();
    let server = FakeLlm::start(Behaviour::Answer(TEXT.into()));
    world.use_fake(&server, "refine = false");
    assert_eq!(refine(&world, false), NOTHING);
    assert!(server.requests().is_empty());
}
