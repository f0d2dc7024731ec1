//! The sidecar's life: one at a time, asked to leave, replaced, back after a kill.

use std::process::Command;
use std::time::Duration;

use uro_capture::sidecar::protocol::{Attention, Response, Vitals};
use uro_capture::sidecar::{client, lock};

use crate::harness::{World, eventually};

#[test]
fn of_many_started_at_once_one_remains_and_the_others_leave_content() {
    let world = World::without_models();
    let home = world.path("home");
    let mut started: Vec<_> = (0..12)
        .map(|_| {
            let mut command = world.program(env!("CARGO_BIN_EXE_uro-capture"), &home);
            command.args(["sidecar", "run", "--idle", "60s"]).spawn().unwrap()
        })
        .collect();
    eventually("all but one have left", || {
        let alive = started.iter_mut().filter_map(|child| child.try_wait().unwrap()).count();
        (alive == 11).then_some(())
    });
    for child in &mut started {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status:?}");
        }
    }
    assert_eq!(world.sidecar_status()["state"], "running");
    world.ok(&home, &["sidecar", "stop"]);
    for child in &mut started {
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn it_leaves_when_asked_and_when_idle() {
    let world = World::without_models();
    let home = world.path("home");
    world.start_sidecar();
    let pid = world.sidecar_pid();
    assert!(Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap().success());
    eventually("gone after SIGTERM", || (world.sidecar_status()["state"] == "stopped").then_some(()));

    let mut child = world
        .program(env!("CARGO_BIN_EXE_uro-capture"), &home)
        .args(["sidecar", "run", "--idle", "50ms"])
        .spawn()
        .unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn stale_sockets_of_a_killed_sidecar_do_not_keep_the_next_one_from_starting() {
    let world = World::without_models();
    world.start_sidecar();
    let pid = world.sidecar_pid();
    assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
    assert!(world.run_dir().join("bell.sock").exists());
    world.start_sidecar();
    assert_ne!(world.sidecar_pid(), pid);
}

#[test]
fn its_directory_is_private_and_a_stopped_one_is_called_unresponsive_and_can_be_stopped() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::without_models();
    let home = world.path("home");
    world.start_sidecar();
    let mode = std::fs::metadata(world.run_dir()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    world.freeze_sidecar();
    world.ok(&home, &["sidecar", "stop"]);
    assert_eq!(world.sidecar_status()["state"], "stopped");
}

#[test]
fn a_stopped_one_costs_a_note_neither_its_budget_nor_its_capture() {
    let world = World::without_models();
    let home = world.path("home");
    world.start_sidecar();
    world.freeze_sidecar();
    let capture = world.json(&home, &["Called the printer shop"]);
    assert_eq!(capture["provenance"]["reason"], "refused", "the models were asked: {capture:#}");
    assert!(capture["timing"]["total_ms"].is_number(), "{capture:#}");
}

#[test]
fn one_that_is_on_its_way_out_is_waited_for_and_followed() {
    let world = World::without_models();
    std::fs::create_dir_all(world.run_dir()).unwrap();
    let lock = lock::acquire(&world.run_dir()).unwrap().expect("free");
    let mut start = world
        .program(env!("CARGO_BIN_EXE_uro-capture"), &world.path("home"))
        .args(["sidecar", "start"])
        .spawn()
        .unwrap();
    // As long as a predecessor with something to drain: longer than a ping is waited for.
    std::thread::sleep(Duration::from_millis(700));
    drop(lock);
    assert!(start.wait().unwrap().success());
    assert_eq!(world.sidecar_status()["state"], "running");
}

#[test]
fn one_whose_sockets_are_gone_leaves_and_spares_those_of_its_successor() {
    let world = World::without_models();
    world.start_sidecar();
    let first = world.sidecar_pid();
    std::fs::remove_dir_all(world.run_dir()).unwrap();
    world.start_sidecar();
    let second = world.sidecar_pid();
    assert_ne!(first, second);
    let process = std::path::PathBuf::from("/proc").join(first.to_string());
    eventually("the first has left", || (!process.exists()).then_some(()));
    assert_eq!(world.sidecar_pid(), second, "the second still answers");
}

/// Stands in for a sidecar of an older version: holds the lock, answers pings, leaves when it is asked to.
fn old_sidecar(run: &std::path::Path) -> std::thread::JoinHandle<()> {
    use std::io::{BufRead, BufReader, Write};
    let lock = lock::acquire(run).unwrap().expect("free");
    let listener = std::os::unix::net::UnixListener::bind(client::socket(run)).unwrap();
    std::thread::spawn(move || {
        let vitals = Vitals {
            protocol: 0,
            version: "0.0.1".into(),
            pid: std::process::id(),
            uptime_s: 9,
            queue_depth: 0,
            attention: Attention::default(),
        };
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let asked_to_leave = line.contains("stop");
            let answer = if asked_to_leave { Response::Done } else { Response::Status(vitals.clone()) };
            writeln!(stream, "{}", serde_json::to_string(&answer).unwrap()).unwrap();
            if asked_to_leave {
                break;
            }
        }
        drop(lock);
    })
}

#[test]
fn a_sidecar_of_another_version_hands_over_and_nothing_is_lost() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    std::fs::create_dir_all(world.run_dir()).unwrap();
    let old = old_sidecar(&world.run_dir());
    // Left in the spool while the old one was in charge; the stamp keeps the hook from starting anything.
    std::fs::write(world.run_dir().join("start.stamp"), "\n").unwrap();
    let oid = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    assert_eq!(world.sidecar_status()["version"], "0.0.1");
    let mut new = world
        .program(env!("CARGO_BIN_EXE_uro-capture"), &world.path("home"))
        .args(["sidecar", "run", "--idle", "60s"])
        .spawn()
        .unwrap();
    eventually("the new one serves", || (world.sidecar_status()["version"] == env!("CARGO_PKG_VERSION")).then_some(()));
    old.join().unwrap();
    world.final_capture(&repo, &oid);
    world.ok(&repo, &["sidecar", "stop"]);
    assert!(new.wait().unwrap().success());
}
