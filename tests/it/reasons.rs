//! Why a template stands, as a person reads it.

use serde_json::Value;

use crate::harness::World;
use crate::harness::fake_llm::{Behaviour, FakeLlm};

/// Commits `n` times and waits for each capture; gives their reasons.
fn reasons(world: &World, repo: &std::path::Path, n: usize) -> Vec<Value> {
    let of = |at: usize| {
        let oid = world.commit(repo, "a.py", &format!("def f{at}(): pass\n"), "wip");
        world.final_capture(repo, &oid)["provenance"]["reason"].clone()
    };
    (0..n).map(of).collect()
}

#[test]
fn without_a_server_the_reason_is_always_that_none_answered() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    assert_eq!(reasons(&world, &repo, 5), vec![Value::from("refused"); 5]);
    let log = world.ok(&repo, &["log"]);
    assert_eq!(log.matches("no model answered").count(), 1, "{log}");
    assert!(!log.contains("failed"), "{log}");
    // About this one there is something to ask.
    let oid = world.commit(&repo, "b.py", "def b(): pass\n", "Add a file\n\nIt was missing in the last release.");
    world.final_capture(&repo, &oid);
    world.ok(&repo, &["draft", "new", "devlog", "--day", "2026-03-01"]);
    world.ok(&repo, &["draft", "run"]);
    for draft in world.json(&repo, &["draft", "list"]).as_array().unwrap() {
        let text = draft.to_string();
        assert!(text.contains("nothing listens at") && !text.contains("breaker"), "{draft:#}");
    }
}

#[test]
fn status_says_once_that_no_server_has_answered_yet() {
    let world = World::without_models();
    let repo = world.repo("repo");
    world.commit(&repo, "a.py", "def f(): pass\n", "wip");
    world.ok(&repo, &["commit", "HEAD"]);
    let words = "no model server has answered yet on this machine";
    assert_eq!(world.ok(&repo, &["status"]).matches(words).count(), 1);
    assert_eq!(world.json(&repo, &["status"])["model_answered"], false);

    let server = FakeLlm::start(Behaviour::Answer("Adds the function `g` to a.py.".to_owned()));
    world.use_fake(&server, "");
    world.commit(&repo, "a.py", "def g(): pass\n", "wip");
    world.ok(&repo, &["commit", "HEAD"]);
    assert_eq!(world.json(&repo, &["status"])["model_answered"], true);
    assert!(!world.ok(&repo, &["status"]).contains(words));
}

#[test]
fn a_store_that_is_not_used_yet_is_reported() {
    let world = World::without_models();
    let repo = world.repo("repo");
    world.configure("[store]\nurl = \"postgres://me@db/team\"\n");
    let out = world.uro_in(&repo, &["doctor", "--json"]);
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    let of_store = |finding: &&Value| finding["what"].as_str().unwrap().contains("store.url is not used yet");
    let finding = report["findings"].as_array().unwrap().iter().find(of_store).unwrap();
    assert_eq!((&finding["ok"], &finding["check"]), (&false.into(), &"store".into()), "{finding:#}");
    assert_eq!(finding["fix"], "uro-capture config set store.url sqlite:");

    world.start_sidecar();
    let noted = || -> usize {
        let status = world.json(&repo, &["status"]);
        let problems = status["problems"].as_array().unwrap();
        problems.iter().filter(|problem| problem["what"].as_str().unwrap().contains("store.url")).count()
    };
    crate::harness::eventually("the sidecar's word about store.url", || (noted() == 1).then_some(()));
    world.ok(&repo, &["config", "set", "store.url", "sqlite:"]);
    world.ok(&repo, &["sidecar", "stop"]);
    world.start_sidecar();
    crate::harness::eventually("that it was mended", || (noted() == 0).then_some(()));
}
