//! What the sidecar does for the next commit while nobody waits, seen from the model server.

use std::path::{Path, PathBuf};

use serde_json::Value;
use uro_capture::domain::clock::{Clock, SystemClock};

use crate::harness::fake_llm::MODEL;
use crate::harness::reloading::{Asked, Ended, Reloading, Speed};
use crate::harness::{World, eventually, retry};

/// A world that prepares for the next commit however busy this machine is, at any time of day.
fn world(server: &Reloading) -> World {
    let world = World::new();
    let url = server.url();
    server.say(retry::SAID);
    // The night is twelve hours away.
    let hour = (SystemClock.now().as_second() / 3600 + 12) % 24;
    world.configure(&format!(
        "[capture]\nread_ahead = \"always\"\n[models]\ncapture = \"{MODEL}\"\n\
         [drafts]\nwindow = \"{hour:02}:00-{hour:02}:30\"\n\
         [[endpoints]]\nname = \"test\"\nurl = \"{url}\"\napi = \"ollama\"\n"
    ));
    world
}

fn commit(world: &World, repo: &Path, n: usize) -> Value {
    let oid = world.commit(repo, "a.rs", &retry::CODE.replace('3', &n.to_string()), retry::SUBJECT);
    world.final_capture(repo, &oid)
}

fn repo(world: &World) -> PathBuf {
    world.hooked_repo("repo")
}

/// Done, with one token written and the capture's rules read.
fn is_warming(asked: &Asked) -> bool {
    let rules = asked.body["messages"][0]["content"].as_str().unwrap_or_default();
    asked.ended == Some(Ended::Done)
        && asked.body["options"]["num_predict"] == 1
        && rules.contains("what the code does differently")
}

fn log(world: &World) -> String {
    std::fs::read_to_string(world.path("uro/state/sidecar.log")).unwrap_or_default()
}

#[test]
fn the_first_commit_finds_its_model_loaded_measured_and_the_rules_read() {
    let server = Reloading::start(Speed::FAST);
    let world = world(&server);
    let repo = repo(&world);
    world.start_sidecar();
    assert!(server.wait_for(|asked| asked.iter().any(is_warming)), "{:#?}\n{}", server.asked(), log(&world));
    let before = server.asked();
    let [short, long, rules] = &before[..] else { panic!("{before:#?}") };
    assert!(short.loaded && !long.loaded && is_warming(rules), "{before:#?}");
    assert!(short.cached < 4 && long.cached < 4, "no cache knows more of them than how a prompt begins: {before:#?}");
    assert!(short.prompt + 100 < long.prompt, "they tell the overhead from the speed");

    let capture = commit(&world, &repo, 1);
    assert_eq!(capture["provenance"]["by"], "model", "{capture:#}");
    let after = server.asked();
    let asked = after.last().unwrap();
    assert!(asked.cached + 8 >= rules.prompt, "the rules are known: {} of {}", asked.cached, rules.prompt);
    assert_eq!(server.loads(), 1, "with the same options");
}

#[test]
fn a_server_that_comes_back_is_noticed_by_nobodys_commit_and_then_the_templates_are_replaced() {
    let mut server = Reloading::start(Speed::FAST);
    let world = world(&server);
    let repo = repo(&world);
    server.kill();
    world.start_sidecar();
    let [stood, ..] = [1, 2, 3].map(|n| commit(&world, &repo, n));
    assert_eq!(stood["provenance"]["by"], "template", "{stood:#}");
    server.revive();
    eventually("it is noticed", || log(&world).contains("Answered").then_some(()));
    assert!(server.wait_for(|asked| asked.iter().any(is_warming)), "{}", log(&world));
    assert!(server.asked().iter().all(|asked| asked.body["options"]["num_predict"].as_u64() <= Some(20)));

    let id = stood["id"].as_str().unwrap();
    let shown = || world.json(&repo, &["show", id]);
    let better = eventually("it is replaced", || Some(shown()).filter(|shown| shown["summary"] == retry::TEXT));
    assert_eq!(better["template"], stood["summary"], "{better:#}");
    assert!(world.ok(&repo, &["log"]).contains(retry::TEXT));
    let both = world.ok(&repo, &["show", id]);
    assert!(both.contains(retry::TEXT) && both.contains(stood["summary"].as_str().unwrap()), "{both}");
}
