//! Killing the sidecar at any moment loses nothing and captures nothing twice.

use std::collections::HashMap;
use std::process::Command;

use crate::harness::{World, eventually};

#[test]
fn two_hundred_commits_under_kill_nine_are_each_captured_exactly_once() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    let mut commits = Vec::new();
    for n in 0..200 {
        // At odd distances, so that the kill falls into every stage of the work on a commit.
        if n % 7 == 3 {
            world.start_sidecar();
        }
        commits.push(world.commit(
            &repo,
            &format!("f{}.rs", n % 5),
            &format!("fn f{n}() {{}}\n"),
            &format!("Add f{n}"),
        ));
        if n % 7 == 4 {
            kill_nine(&world);
        }
    }
    world.start_sidecar();
    eventually("all captured and final", || {
        let log = world.log(&repo);
        let done = log.iter().filter(|capture| !capture["timing"]["total_ms"].is_null()).count();
        (done == commits.len()).then_some(())
    });
    let mut live: HashMap<String, u32> = HashMap::new();
    for capture in world.log(&repo) {
        *live.entry(capture["commit"]["oid"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    for oid in &commits {
        assert_eq!(live.get(oid), Some(&1), "{oid}");
    }
}

/// Only the sidecar of this world, by the process id that it gave itself.
fn kill_nine(world: &World) {
    if let Some(pid) = world.sidecar_status()["pid"].as_i64() {
        let killed = Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        assert!(killed.success());
    }
}
