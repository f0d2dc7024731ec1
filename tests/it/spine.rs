//! From a commit to a page: hook, sidecar, template, model, log.

use std::time::Duration;

use serde_json::Value;

use crate::harness::World;
use crate::harness::fake_llm::{Behaviour, FakeLlm, PARTIAL};

const LOGIN: &str = "pub fn login(session: u8, timeout: u8) {}\n";
/// What a model says of it, and what becomes of that.
const SAID: &str = "Adds a login function for the session and its timeout.";
const TEXT: &str = "Add login. Adds a login function for the session and its timeout. +1 in auth.rs.";

fn provenance(capture: &Value) -> (&str, &str) {
    let provenance = &capture["provenance"];
    (provenance["by"].as_str().unwrap(), provenance["reason"].as_str().unwrap())
}

#[test]
fn ollamas_ways_of_answering_and_failing_each_end_in_a_true_capture() {
    let text = || SAID.to_owned();
    let cases = [
        (Behaviour::Answer(text()), "model", "none"),
        (Behaviour::ColdLoad(Duration::from_millis(300), text()), "model", "none"),
        (Behaviour::Thinking(text()), "model", "none"),
        (Behaviour::AnswerToLength(PARTIAL.to_owned()), "model", "salvaged"),
        (Behaviour::EofWithoutDone, "model", "salvaged"),
        (Behaviour::ErrorMidStream, "model", "salvaged"),
        (Behaviour::NoSuchModel, "template", "refused"),
        (Behaviour::Status503, "template", "refused"),
        (Behaviour::CloudModel, "template", "refused"),
        (Behaviour::CloudInStream, "template", "refused"),
        (Behaviour::PromptTooLong, "template", "overflow"),
        (Behaviour::EarlyClose, "template", "unusable"),
    ];
    for (behaviour, by, reason) in cases {
        let what = format!("{behaviour:?}");
        let server = FakeLlm::start(behaviour);
        let world = World::with_fake(&server);
        let repo = world.hooked_repo("repo");
        let oid = world.commit(&repo, "auth.rs", LOGIN, "Add login");
        let capture = world.final_capture(&repo, &oid);
        assert_eq!(provenance(&capture), (by, reason), "{what}: {capture:#}");
        assert_eq!(capture["provenance"]["model"].is_null(), by == "template", "{what}: {capture:#}");
        assert_eq!(capture["summary"] == TEXT, by == "model", "{what}: {capture:#}");
    }
}

#[test]
fn without_a_sidecar_the_next_look_captures_what_the_hook_left() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    // A stamp from just now: the hook believes that a sidecar is being started and starts none.
    std::fs::create_dir_all(world.run_dir()).unwrap();
    std::fs::write(world.run_dir().join("start.stamp"), "\n").unwrap();
    let oid = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    assert_eq!(world.log(&repo).len(), 0, "a record this young is left to the sidecar that may be coming");
    // Nobody came for it for a minute.
    let spool = std::fs::File::options().append(true).open(world.path("uro/state/spool/events.log")).unwrap();
    spool.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).unwrap();
    let capture = world.capture_of(&repo, &oid).expect("captured by looking");
    assert_eq!(provenance(&capture), ("template", "deadline"), "{capture:#}");
    assert_eq!(capture["source"], "hook");
    assert!(!capture["timing"]["total_ms"].is_null(), "{capture:#}");
    assert_eq!(world.sidecar_status()["state"], "stopped", "and no sidecar had a part in it");
    assert_eq!(world.log(&repo).len(), 1, "looking twice captures once");
}

#[test]
fn a_commit_with_uro_skip_leaves_no_record_and_starts_nothing() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    let mut commit = world.git_command(&repo, &["commit", "-q", "--allow-empty", "-m", "Nothing to see"]);
    assert!(commit.env("URO_SKIP", "1").status().unwrap().success());
    // The hook has ended with the commit: what it did not write by now it never will.
    assert!(!world.path("uro/state/spool/events.log").exists());
    assert!(!world.run_dir().join("start.stamp").exists());
    assert_eq!(world.sidecar_status()["state"], "stopped");
}

#[test]
fn a_commit_with_uro_skip_is_not_captured_by_whoever_finds_it_in_the_logs() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    let skip = |message| {
        let mut commit = world.git_command(&repo, &["commit", "-q", "--allow-empty", "-m", message]);
        assert!(commit.env("URO_SKIP", "1").status().unwrap().success());
    };
    skip("Without a sidecar");
    world.start_sidecar();
    let seen = world.commit(&repo, "a.rs", "fn one() {}\n", "Add one");
    world.final_capture(&repo, &seen);
    skip("Beside a sidecar");
    // What nobody reports is captured no sooner than what came before it.
    world.git(&repo, &["-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", "Without hooks"]);
    let later = world.git(&repo, &["rev-parse", "HEAD"]);
    world.final_capture(&repo, &later);
    let subjects: Vec<_> = world.log(&repo).into_iter().map(|capture| capture["commit"]["subject"].clone()).collect();
    assert_eq!(subjects, ["Without hooks", "Add one"]);
    let skipped = world.git(&repo, &["rev-parse", "HEAD~1"]);
    world.ok(&repo, &["commit", &skipped]);
    assert!(world.capture_of(&repo, &skipped).is_some(), "asked for by name it is captured");
}

#[test]
fn amending_leaves_one_live_capture_with_its_history() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.commit(&repo, "a.rs", "fn one() {}\n", "Add one");
    std::fs::write(repo.join("a.rs"), "fn one() {}\nfn two() {}\n").unwrap();
    world.git(&repo, &["commit", "-q", "-a", "--amend", "-m", "Add one and two"]);
    let oid = world.git(&repo, &["rev-parse", "HEAD"]);
    world.final_capture(&repo, &oid);
    crate::harness::eventually("one live capture", || (world.log(&repo).len() == 1).then_some(()));
    assert_eq!(world.log(&repo)[0]["commit"]["oid"], oid.as_str());
    let all = world.json(&repo, &["log", "--all"]);
    assert_eq!(all.as_array().unwrap().len(), 2, "the superseded one is kept");
}

#[test]
fn the_same_patch_applied_again_is_new_work_and_moved_work_is_not() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.commit(&repo, "base", "base\n", "Lay the base");
    let first = world.commit(&repo, "a.rs", "fn one() {}\n", "Add one");
    world.git(&repo, &["revert", "--no-edit", "HEAD"]);
    let again = world.commit(&repo, "a.rs", "fn one() {}\n", "Add one again");
    world.final_capture(&repo, &again);
    assert!(world.capture_of(&repo, &first).is_some(), "the first stays live");

    world.git(&repo, &["checkout", "-q", "-b", "topic"]);
    let topic = world.commit(&repo, "b.rs", "fn b() {}\n", "Add b");
    world.final_capture(&repo, &topic);
    world.git(&repo, &["checkout", "-q", "main"]);
    world.commit(&repo, "c.rs", "fn c() {}\n", "Add c");
    world.git(&repo, &["checkout", "-q", "topic"]);
    world.git(&repo, &["rebase", "-q", "main"]);
    let moved = world.git(&repo, &["rev-parse", "HEAD"]);
    assert_ne!(moved, topic);
    world.final_capture(&repo, &moved);
    crate::harness::eventually("the rebased commit replaces the old one", || {
        world.capture_of(&repo, &topic).is_none().then_some(())
    });
}

#[test]
fn a_note_is_stored_and_enriched_with_and_without_a_sidecar() {
    let server = FakeLlm::start(Behaviour::Answer("Cuts the timeout of the auth call from 3s to 200ms.".to_owned()));
    let world = World::with_fake(&server);
    let repo = world.repo("repo");
    for sidecar in [false, true] {
        if sidecar {
            world.start_sidecar();
        }
        let line = world.ok(&repo, &["Fixed auth timeout,", "3s to 200ms"]);
        assert_eq!(line.lines().count(), 1, "{line}");
        let newest = world.log(&repo).remove(0);
        assert_eq!(newest["raw"], "Fixed auth timeout, 3s to 200ms");
        assert_eq!(provenance(&newest), ("model", "none"), "sidecar {sidecar}: {newest:#}");
    }
}
