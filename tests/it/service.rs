//! The sidecar as a service: the manager's sockets, what the manager is told, and what is installed.

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};

use serde_json::Value;
use uro_capture::sidecar::{client, lock};

use crate::harness::{PATIENCE, World, eventually, write_program};

const SIDECAR: &str = env!("CARGO_BIN_EXE_uro-capture");

fn run_sidecar(world: &World, args: &[&str]) -> Child {
    let mut command = world.program(SIDECAR, &world.path("home"));
    command.args(["sidecar", "run"]).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn answering(world: &World) -> u32 {
    eventually("a sidecar that answers", || client::ping(&world.run_dir())).pid
}

fn inode(path: &Path) -> u64 {
    std::fs::symlink_metadata(path).unwrap().ino()
}

#[test]
fn a_newcomer_beside_a_managers_bell_rings_it_and_leaves() {
    let world = World::without_models();
    std::fs::create_dir_all(world.run_dir()).unwrap();
    let path = world.run_dir().join("bell.sock");
    let bell = UnixDatagram::bind(&path).unwrap();
    let bound = inode(&path);
    for args in [&["--idle", "60s"][..], &["--service"]] {
        assert!(run_sidecar(&world, args).wait().unwrap().success());
        bell.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(bell.recv(&mut [0; 8]).unwrap(), 1);
    }
    assert_eq!(inode(&path), bound);
    assert_eq!(lock::holder(&world.run_dir()), None);
}

#[test]
fn a_service_takes_over_from_one_that_a_hook_started_and_stays() {
    let world = World::without_models();
    world.start_sidecar();
    let first = answering(&world);
    let mut service = run_sidecar(&world, &["--service"]);
    eventually("the service serves", || {
        client::ping(&world.run_dir()).filter(|vitals| vitals.pid == service.id()).map(|_| ())
    });
    assert_ne!(first, service.id());
    assert!(run_sidecar(&world, &["--idle", "60s"]).wait().unwrap().success());
    assert_eq!(answering(&world), service.id());
    world.ok(&world.path("home"), &["sidecar", "stop"]);
    assert!(service.wait().unwrap().success());
}

/// A world whose `systemctl` is a script that notes what it was told and ends with `code`.
fn with_systemctl(code: u8) -> World {
    let world = World::without_models();
    let program = world.path("fake/systemctl");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    write_program(&program, format!("#!/bin/sh\necho \"$*\" >>\"$0.log\"\nexit {code}\n").as_bytes());
    world
}

fn sidecar(world: &World, args: &[&str]) -> Output {
    let path = format!("{}:/usr/bin:/bin", world.path("fake").display());
    world.program(SIDECAR, &world.path("home")).arg("sidecar").args(args).env("PATH", path).output().unwrap()
}

fn json(world: &World, args: &[&str]) -> Value {
    let out = sidecar(world, &[args, &["--json"]].concat());
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

#[cfg(target_os = "linux")]
fn units(world: &World) -> [PathBuf; 2] {
    ["uro-capture.service", "uro-capture.socket"].map(|name| world.path("home/.config/systemd/user").join(name))
}

#[cfg(target_os = "linux")]
#[test]
fn install_writes_two_units_and_tells_systemd_and_uninstall_leaves_nothing() {
    let world = with_systemctl(0);
    let [service, socket] = units(&world);
    let planned = json(&world, &["install", "--dry-run"]);
    assert_eq!(planned["files"], serde_json::json!([service, socket]));
    assert!(!world.path("home/.config").exists(), "a dry run writes nothing");
    assert!(!world.path("fake/systemctl.log").exists(), "and runs nothing");
    let done = json(&world, &["install"]);
    assert_eq!((&done["files"], &done["todo"]), (&planned["files"], &serde_json::json!([])));
    let text = std::fs::read_to_string(&service).unwrap();
    assert!(text.contains(&format!("Environment=URO_HOME={}\n", world.path("uro").display())), "{text}");
    let text = std::fs::read_to_string(&socket).unwrap();
    assert!(text.contains(&format!("ListenDatagram={}/bell.sock\n", world.run_dir().display())), "{text}");
    json(&world, &["install"]);
    let undone = json(&world, &["uninstall"]);
    assert_eq!(undone["files"], planned["files"]);
    assert!(!world.path("home/.config").exists(), "nor a directory");
    let both = "uro-capture.socket uro-capture.service";
    let log = std::fs::read_to_string(world.path("fake/systemctl.log")).unwrap();
    let calls: Vec<&str> = log.lines().filter(|line| !line.contains("--property")).collect();
    let install = ["daemon-reload".to_owned(), format!("enable {both}"), format!("restart {both}")];
    let uninstall = [format!("disable --now {both}"), "daemon-reload".to_owned()];
    let expected: Vec<String> =
        [&install[..], &install, &uninstall].concat().iter().map(|verb| format!("--user {verb}")).collect();
    assert_eq!(calls, expected);
    assert_eq!(json(&world, &["uninstall"])["files"], serde_json::json!([]));
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_manager_answers_the_commands_are_told_and_what_was_enabled_by_hand_is_undone() {
    let world = with_systemctl(1);
    let out = sidecar(&world, &["install"]);
    let output = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success());
    assert!(output.contains("\n  systemctl --user enable uro-capture.socket uro-capture.service\n"), "{output}");
    let [service, _] = units(&world);
    let link = service.with_file_name("default.target.wants/uro-capture.service");
    std::fs::create_dir(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&service, &link).unwrap();
    assert!(sidecar(&world, &["uninstall"]).status.success());
    assert!(!world.path("home/.config").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_hook_is_wanted_the_sidecar_runs_and_status_and_doctor_tell_what_keeps_it_alive() {
    let world = with_systemctl(0);
    let repo = world.hooked_repo("repo");
    let path = format!("{}:/usr/bin:/bin", world.path("fake").display());
    let uro = |args: &[&str]| {
        let out = world.program(SIDECAR, &repo).args(args).env("PATH", &path).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    let json = |args: &[&str]| -> Value { serde_json::from_str(&uro(&[args, &["--json"]].concat())).unwrap() };
    assert_eq!(json(&["status"])["hooks"][0]["needs_sidecar"], false);
    let output = uro(&["init", "--watch"]);
    assert!(output.contains("captured from now on by the sidecar"), "{output}");
    assert!(output.contains("from each login on: uro-capture sidecar install"), "{output}");
    assert!(!repo.join(".git/hooks/post-commit").exists(), "the hooks of before are gone");
    assert_eq!(world.sidecar_status()["state"], "running");
    let oid = world.commit(&repo, "a", "1\n", "Add a");
    assert_eq!(world.final_capture(&repo, &oid)["source"], "watch");

    let wrong = |output: &Value, part: &str, help: &str| {
        output.as_array().unwrap().iter().any(|one| {
            one["what"].as_str().unwrap().contains(part) && [&one["hint"], &one["fix"]].iter().any(|it| **it == help)
        })
    };
    let unattended = "captured only while the sidecar runs";
    let status = json(&["status"]);
    assert_eq!((&status["autostart"], &status["hooks"][0]["needs_sidecar"]), (&false.into(), &true.into()));
    assert!(wrong(&status["problems"], unattended, "uro-capture sidecar install"), "{status:#}");
    let doctor = json(&["doctor"])["findings"].clone();
    assert!(wrong(&doctor, unattended, "uro-capture sidecar install"), "{doctor:#}");

    let link = units(&world)[0].with_file_name("default.target.wants/uro-capture.service");
    std::fs::create_dir_all(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&units(&world)[0], &link).unwrap();
    let status = json(&["status"]);
    assert_eq!((&status["autostart"], &status["problems"]), (&true.into(), &serde_json::json!([])));
    assert!(!json(&["doctor"]).to_string().contains(unattended));
    assert!(uro(&["init", "--watch"]).contains("the sidecar runs now, and from each login on"));
    uro(&["sidecar", "stop"]);
    let status = json(&["status"]);
    assert!(wrong(&status["problems"], unattended, "uro-capture sidecar start"), "{status:#}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_unit_that_was_changed_by_hand_is_neither_replaced_nor_removed() {
    let world = with_systemctl(0);
    json(&world, &["install"]);
    let [service, socket] = units(&world);
    let changed = std::fs::read_to_string(&service).unwrap().replace("MemoryMax=1G", "MemoryMax=2G");
    std::fs::write(&service, &changed).unwrap();
    assert_eq!(json(&world, &["install"])["kept"], serde_json::json!([service]));
    let out = sidecar(&world, &["uninstall"]);
    let warned = String::from_utf8(out.stderr).unwrap();
    assert!(out.status.success() && warned.contains("was changed by hand"), "{warned}");
    assert_eq!(std::fs::read_to_string(&service).unwrap(), changed);
    assert!(!socket.exists());
}

#[test]
fn without_a_service_manager_it_is_said_what_to_do() {
    let world = World::without_models();
    let mut command = world.program(SIDECAR, &world.path("home"));
    let out = command.args(["sidecar", "install"]).env("PATH", world.path("empty")).output().unwrap();
    let errors = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(errors.starts_with("error: no service manager was found") && errors.contains("hint: "), "{errors}");
    assert!(!world.path("home/.config").exists() && !world.path("home/Library").exists());
}
