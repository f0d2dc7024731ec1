//! Who rings, who hears, who takes over: stuck sidecars, many at once, the service manager's sockets.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use uro_capture::sidecar::{client, lock};

use crate::harness::{World, copy_program, eventually};

fn signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn holder(world: &World) -> Option<u32> {
    lock::holder(&world.run_dir()).map(|holder| holder.pid)
}

/// The pid of a sidecar other than `old` that answers; asked through the library, so that no command takes part.
fn successor(world: &World, old: u32) -> u32 {
    eventually("a successor that answers", || {
        client::ping(&world.run_dir()).map(|vitals| vitals.pid).filter(|pid| *pid != old)
    })
}

fn process(pid: u32) -> PathBuf {
    PathBuf::from("/proc").join(pid.to_string())
}

/// Children of `pid` that stand sentinel.
#[cfg(target_os = "linux")]
fn sentinels(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(process(pid).join(format!("task/{pid}/children"))).unwrap_or_default();
    let all_tasks = std::fs::read_dir(process(pid).join("task")).into_iter().flatten().flatten();
    let of_tasks = all_tasks.map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default());
    let mut found: Vec<u32> = std::iter::once(children)
        .chain(of_tasks)
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .filter(|child| {
            let line = std::fs::read(process(*child).join("cmdline")).unwrap_or_default();
            line.ends_with(b"uro-hook\0sentinel\0")
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn start(world: &World, args: &[&str]) -> Child {
    let mut command = world.program(env!("CARGO_BIN_EXE_uro-capture"), &world.path("home"));
    command.args(["sidecar", "run"]).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_stopped_sidecar_is_succeeded_though_nobody_commits_or_types_again() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let first = holder(&world).unwrap();
    signal(first, "-STOP");
    let begun = Instant::now();
    let oid = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    let second = successor(&world, first);
    println!("succeeded after {:?}", begun.elapsed());
    assert!(!process(first).join("exe").exists(), "the stopped one is gone");
    assert_eq!(world.final_capture(&repo, &oid)["source"], "hook");
    assert_eq!(holder(&world), Some(second));
    assert_eq!(world.log(&repo).len(), 1);
}

#[test]
fn one_that_goes_on_before_its_successor_has_lost_patience_stays() {
    let world = World::without_models();
    world.start_sidecar();
    let first = holder(&world).unwrap();
    signal(first, "-STOP");
    // A newcomer has looked at it already; `start` returns when somebody answers.
    let mut newcomer = start(&world, &["--idle", "60s"]);
    eventually("a newcomer that waits", || process(newcomer.id()).exists().then_some(()));
    signal(first, "-CONT");
    assert!(newcomer.wait().unwrap().success());
    assert_eq!(holder(&world), Some(first));
    assert_eq!(world.sidecar_status()["state"], "running");
}

#[test]
fn sidecar_start_replaces_one_that_does_not_answer() {
    let world = World::without_models();
    let home = world.path("home");
    world.start_sidecar();
    let first = holder(&world).unwrap();
    #[cfg(target_os = "linux")]
    for sentinel in eventually("a sentinel", || Some(sentinels(first)).filter(|all| !all.is_empty())) {
        // Alone, so that it is the command that replaces it.
        signal(sentinel, "-KILL");
    }
    signal(first, "-STOP");
    let status = world.json(&home, &["sidecar", "start"]);
    assert_eq!(status["state"], "running");
    assert_ne!(status["pid"], first);
}

#[test]
fn a_command_that_shows_captures_has_a_stopped_sidecar_replaced() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let first = holder(&world).unwrap();
    #[cfg(target_os = "linux")]
    for sentinel in eventually("a sentinel", || Some(sentinels(first)).filter(|all| !all.is_empty())) {
        signal(sentinel, "-KILL");
    }
    signal(first, "-STOP");
    // Its bell is not full, so the hook does nothing about it.
    let oid = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    world.log(&repo);
    successor(&world, first);
    world.final_capture(&repo, &oid);
    assert_eq!(world.log(&repo).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_sidecar_whose_bell_nobody_reads_is_replaced_by_the_hook_that_finds_it_full() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let first = holder(&world).unwrap();
    for sentinel in eventually("a sentinel", || Some(sentinels(first)).filter(|all| !all.is_empty())) {
        signal(sentinel, "-KILL");
    }
    signal(first, "-STOP");
    let bell = world.run_dir().join("bell.sock");
    while uro_capture::hook::bell::ring(&bell) == uro_capture::hook::bell::RingResult::Delivered {}
    let oid = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    successor(&world, first);
    world.final_capture(&repo, &oid);
}

#[cfg(target_os = "linux")]
#[test]
fn the_sentinel_is_small_holds_nothing_and_is_gone_with_its_sidecar_however_that_ends() {
    let world = World::without_models();
    for end in ["-TERM", "-KILL"] {
        world.start_sidecar();
        let sidecar = holder(&world).unwrap();
        let all = eventually("a sentinel", || Some(sentinels(sidecar)).filter(|all| !all.is_empty()));
        assert_eq!(all.len(), 1);
        let sentinel = process(all[0]);
        assert_eq!(std::fs::read_link(sentinel.join("cwd")).unwrap(), PathBuf::from("/"));
        let status = std::fs::read_to_string(sentinel.join("status")).unwrap();
        println!("{}", status.lines().find(|line| line.starts_with("VmRSS")).unwrap());
        // While it starts, its runtime reads a file or two.
        eventually("nothing but sockets is open", || {
            let open = std::fs::read_dir(sentinel.join("fd")).unwrap().flatten();
            let mut targets = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
            let is_allowed = |target: PathBuf| {
                let target = target.to_string_lossy();
                target == "/dev/null" || target.starts_with("socket:") || target.ends_with("/fd")
            };
            targets.all(is_allowed).then_some(())
        });
        signal(sidecar, end);
        eventually("no sentinel", || (!sentinel.join("exe").exists()).then_some(()));
        eventually("no sidecar", || holder(&world).is_none().then_some(()));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_sidecar_without_a_sentinels_program_beside_it_serves_all_the_same() {
    let world = World::without_models();
    let home = world.path("home");
    let alone = world.path("alone/uro-capture");
    std::fs::create_dir_all(alone.parent().unwrap()).unwrap();
    copy_program(Path::new(env!("CARGO_BIN_EXE_uro-capture")), &alone);
    let mut sidecar = world.program(&alone, &home).args(["sidecar", "run", "--idle", "60s"]).spawn().unwrap();
    eventually("it serves", || client::ping(&world.run_dir()));
    assert!(sentinels(sidecar.id()).is_empty());
    world.ok(&home, &["sidecar", "stop"]);
    assert!(sidecar.wait().unwrap().success());
}

#[test]
fn of_twenty_started_at_once_one_remains_and_the_others_leave_without_alarm() {
    let world = World::without_models();
    let begun = Instant::now();
    let mut started: Vec<Child> = (0..20).map(|_| start(&world, &["--idle", "60s"])).collect();
    eventually("all but one have left", || {
        let left = started.iter_mut().filter_map(|child| child.try_wait().unwrap()).count();
        (left == 19).then_some(())
    });
    println!("19 left after {:?}", begun.elapsed());
    let remaining = holder(&world).unwrap();
    assert_eq!(client::ping(&world.run_dir()).unwrap().pid, remaining);
    world.ok(&world.path("home"), &["sidecar", "stop"]);
    for child in started {
        let (pid, out) = (child.id(), child.wait_with_output().unwrap());
        let errors = String::from_utf8(out.stderr).unwrap();
        assert!(out.status.success() && out.stdout.is_empty(), "{:?} {errors}", out.status);
        let expected = if pid == remaining { "" } else { "another sidecar serves already\n" };
        assert_eq!(errors, expected);
    }
}

#[test]
fn after_kill_nine_the_next_commit_finds_stale_sockets_and_is_captured_with_those_before_it() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let first = holder(&world).unwrap();
    signal(first, "-KILL");
    eventually("dead", || holder(&world).is_none().then_some(()));
    assert!(world.run_dir().join("bell.sock").exists() && world.run_dir().join("control.sock").exists());
    // No stamp keeps this commit's hook from starting one.
    let _ = std::fs::remove_file(world.run_dir().join("start.stamp"));
    let oid = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    successor(&world, first);
    world.final_capture(&repo, &oid);
    assert_eq!(world.log(&repo).len(), 1);
}

#[test]
fn one_that_was_stopped_before_it_could_listen_is_succeeded_too() {
    let world = World::without_models();
    let mut first = start(&world, &["--idle", "60s"]);
    eventually("the lock", || holder(&world));
    signal(first.id(), "-STOP");
    // As it is between taking the lock and listening.
    for socket in ["bell.sock", "control.sock"] {
        let _ = std::fs::remove_file(world.run_dir().join(socket));
    }
    world.start_sidecar();
    assert_ne!(holder(&world), Some(first.id()));
    assert!(!first.wait().unwrap().success(), "killed");
}

#[test]
fn stop_stops_also_the_successor_that_a_stuck_one_already_has() {
    let world = World::without_models();
    world.start_sidecar();
    let first = holder(&world).unwrap();
    signal(first, "-STOP");
    // Waits for the lock as the sentinel's would.
    let mut newcomer = start(&world, &["--idle", "1h"]);
    world.ok(&world.path("home"), &["sidecar", "stop"]);
    let left = eventually("the successor has left", || newcomer.try_wait().unwrap());
    assert!(left.success());
    assert_eq!(world.sidecar_status()["state"], "stopped");
}
