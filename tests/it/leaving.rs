//! Leaving, being stopped, being locked out: what was begun is finished, whoever comes next.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use uro_capture::store::{CaptureArchive, CaptureQuery};

use uro_capture::store::sqlite::SqliteStore;

use crate::harness::fake_llm::{Behaviour, FakeLlm};
use crate::harness::{World, eventually, retry};

fn signal(pid: i32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn is_pending(capture: &serde_json::Value) -> bool {
    capture["provenance"]["reason"] == "pending" || capture["timing"]["total_ms"].is_null()
}

#[test]
fn a_sidecar_that_is_stopped_while_models_are_silent_leaves_nothing_pending() {
    let server = FakeLlm::start(Behaviour::Silent);
    let world = World::new();
    world.use_fake(&server, "budget = \"30s\"");
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    for n in 0..5 {
        world.commit(&repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"));
    }
    eventually("templates", || (world.log(&repo).len() == 5).then_some(()));
    let pid = world.sidecar_pid();
    signal(pid, "-TERM");
    eventually("gone", || (world.sidecar_status()["state"] == "stopped").then_some(()));
    let log = world.log(&repo);
    assert!(log.iter().all(|capture| !is_pending(capture)), "{log:#?}");
}

#[test]
fn a_long_budget_is_not_mistaken_for_a_dead_process() {
    // Longer than any round of housekeeping waits at first.
    let server = FakeLlm::start(Behaviour::ColdLoad(Duration::from_secs(8), retry::SAID.into()));
    let world = World::new();
    world.use_fake(&server, "budget = \"20s\"");
    let repo = world.hooked_repo("repo");
    let oid = world.commit(&repo, "a.rs", retry::CODE, retry::SUBJECT);
    let capture = world.final_capture(&repo, &oid);
    assert_eq!(capture["summary"], retry::TEXT, "{capture:#}");
}

#[test]
fn a_commit_in_the_very_moment_of_an_idle_end_is_captured_without_anybody_asking() {
    const IDLE: Duration = Duration::from_millis(200);
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    let bell = world.run_dir().join("bell.sock");
    for n in 0..10_usize {
        let mut sidecar = world
            .program(env!("CARGO_BIN_EXE_uro-capture"), &repo)
            .args(["sidecar", "run", "--idle", "200ms"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let listens = || std::os::unix::net::UnixDatagram::unbound().unwrap().connect(&bell).is_ok();
        eventually("it listens", || listens().then_some(()));
        // When it wakes up, its idle time is over and somebody has rung: both at once.
        let pid = i32::try_from(sidecar.id()).unwrap();
        signal(pid, "-STOP");
        std::thread::sleep(IDLE);
        world.commit(&repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"));
        signal(pid, "-CONT");
        assert!(sidecar.wait().unwrap().success());
        if std::fs::remove_file(world.run_dir().join("start.stamp")).is_ok() {
            // On a slow machine it may be gone before it could be stopped; the hook has started a successor.
            eventually("the successor's capture", || (captures(&world) == n + 1).then_some(()));
            world.ok(&repo, &["sidecar", "stop"]);
        }
        assert_eq!(captures(&world), n + 1, "commit {n}: rung for and left behind");
    }
}

/// Looked at without a command, which would itself capture what lies in the spool.
fn captures(world: &World) -> usize {
    let store = SqliteStore::open(&world.path("uro/data/captures.db")).unwrap().store;
    store.captures(&CaptureQuery::default()).unwrap().len()
}

#[test]
fn it_leaves_also_while_the_store_is_locked() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let pid = world.sidecar_pid();
    let holder = rusqlite::Connection::open(world.path("uro/data/captures.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    commit(&world, &repo, 0);
    signal(pid, "-TERM");
    // While the lock is held: the sidecar does not wait for it.
    eventually("gone", || (!Path::new("/proc").join(pid.to_string()).exists()).then_some(()));
    drop(holder);
    world.start_sidecar();
    eventually("captured by the next", || (world.log(&repo).len() == 1).then_some(()));
}

fn commit(world: &World, repo: &Path, n: usize) -> String {
    world.commit(repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"))
}

#[test]
fn a_start_beside_other_starts_and_kills_ends_with_a_running_sidecar() {
    let world = World::without_models();
    let home = world.path("home");
    for _ in 0..8 {
        let mut rivals: Vec<_> = (0..4)
            .map(|_| {
                let mut command = world.program(env!("CARGO_BIN_EXE_uro-capture"), &home);
                command.args(["sidecar", "start"]).stdout(Stdio::null()).spawn().unwrap()
            })
            .collect();
        for rival in &mut rivals {
            assert!(rival.wait().unwrap().success());
        }
        // The next round begins while this one is dying.
        signal(world.sidecar_pid(), "-KILL");
    }
}
