//! How long leaving, a note beside a stopped sidecar, and a commit beside a locked store may take.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use uro_capture::sidecar::lock;

use crate::harness::fake_llm::{Behaviour, FakeLlm, Shape};
use crate::harness::{World, eventually};

/// From being asked to leave to the end of the process.
const LEAVING: Duration = Duration::from_secs(2);

fn signal(pid: i32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn is_pending(capture: &serde_json::Value) -> bool {
    capture["provenance"]["reason"] == "pending" || capture["timing"]["total_ms"].is_null()
}

fn commit(world: &World, repo: &Path, n: usize) -> String {
    world.commit(repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"))
}

/// From a SIGTERM until a successor may serve. The process itself may stay on as a zombie until its parent looks.
fn time_to_leave(world: &World) -> Duration {
    let pid = world.sidecar_pid();
    let start = Instant::now();
    signal(pid, "-TERM");
    eventually("the lock is free", || lock::holder(&world.run_dir()).is_none().then_some(()));
    start.elapsed()
}

#[test]
fn a_sidecar_without_work_leaves_in_time() {
    let world = World::without_models();
    world.start_sidecar();
    let elapsed = time_to_leave(&world);
    assert!(elapsed < LEAVING, "{elapsed:?}");
}

#[test]
fn a_sidecar_whose_models_are_silent_leaves_in_time() {
    let server = FakeLlm::start(Behaviour::Silent);
    let world = World::new();
    world.use_fake(&server, "budget = \"30s\"");
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    (0..5).for_each(|n| drop(commit(&world, &repo, n)));
    eventually("templates", || (world.log(&repo).len() == 5).then_some(()));
    let elapsed = time_to_leave(&world);
    assert!(elapsed < LEAVING, "{elapsed:?}");
    assert!(!world.log(&repo).iter().any(is_pending));
}

#[test]
fn a_note_beside_a_stopped_sidecar_keeps_its_budget() {
    let server = FakeLlm::everywhere(Shape::Ollama, Behaviour::Silent);
    let world = World::with_fake(&server);
    world.start_sidecar();
    let pid = world.sidecar_pid();
    signal(pid, "-STOP");
    let home = world.path("home");
    let capture = {
        let line = world.ok(&home, &["--json", "A thought that must not wait"]);
        serde_json::from_str::<serde_json::Value>(&line).unwrap()
    };
    signal(pid, "-CONT");
    let total = capture["timing"]["total_ms"].as_f64().unwrap();
    assert!(total <= 2000.0, "{total} ms");
}

#[test]
fn a_store_that_another_process_holds_for_ten_seconds_costs_the_commits_nothing() {
    let server = FakeLlm::start(Behaviour::Silent);
    let world = World::with_fake(&server);
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    // Some are between template and model when the door closes, the others find it closed.
    let mut made: Vec<String> = (0..3).map(|n| commit(&world, &repo, n)).collect();
    eventually("templates", || (world.log(&repo).len() == 3).then_some(()));
    let holder = rusqlite::Connection::open(world.path("uro/data/captures.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let closed = Instant::now();
    let mut slowest = Duration::ZERO;
    for n in 3..30 {
        std::fs::write(repo.join("a.rs"), format!("fn f{n}() {{}}\n")).unwrap();
        world.git(&repo, &["add", "-A"]);
        let start = Instant::now();
        let out = world.git_command(&repo, &["commit", "-q", "-m", &format!("Add f{n}")]).output().unwrap();
        slowest = slowest.max(start.elapsed());
        assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{out:?}");
        made.push(world.git(&repo, &["rev-parse", "HEAD"]));
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    // As long as the fault lasts; its length is the test.
    std::thread::sleep(Duration::from_secs(10).saturating_sub(closed.elapsed()));
    holder.execute_batch("ROLLBACK").unwrap();
    eventually("nothing lost, nothing pending", || {
        let log = world.log(&repo);
        (log.len() == made.len() && !log.iter().any(is_pending)).then_some(())
    });
}
