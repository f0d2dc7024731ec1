//! The sidecar under a service manager: a socket that was bound before it started, and what systemd's and Apple's own
//! readers say of the files that are installed.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use uro_capture::config::{Env, Paths};
use uro_capture::sidecar::service::files::{Comments, seal};
use uro_capture::sidecar::service::{Manager, ServiceSettings};
use uro_capture::sidecar::{client, lock};

use crate::harness::{PATIENCE, World, copy_program, eventually};

const SIDECAR: &str = env!("CARGO_BIN_EXE_uro-capture");

fn inode(path: &Path) -> u64 {
    std::fs::symlink_metadata(path).unwrap().ino()
}

/// A process that has bound the doorbell and becomes the sidecar when it is given a line.
fn passing(world: &World) -> Child {
    std::fs::create_dir_all(world.run_dir()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/pass_bell.py");
    let mut command = world.program("python3", &world.path("home"));
    command.arg(script).arg(world.run_dir().join("bell.sock")).args([SIDECAR, "sidecar", "run", "--service"]);
    command.env("NOTIFY_SOCKET", world.path("notify.sock")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("python3 runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "BOUND\n");
    child
}

/// Waits until the service has said `what`.
fn expect_message(manager: &UnixDatagram, what: &str) {
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut buffer = [0; 256];
    loop {
        let length = match manager.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => panic!("{what} was not said: {error}"),
        };
        if std::str::from_utf8(&buffer[..length]).unwrap().lines().any(|line| line == what) {
            return;
        }
    }
}

#[test]
fn what_rang_before_the_service_was_there_is_captured_and_the_managers_socket_stays() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    let manager = UnixDatagram::bind(world.path("notify.sock")).unwrap();
    let mut service = passing(&world);
    let bell = world.run_dir().join("bell.sock");
    let bound = inode(&bell);
    let early = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    assert_eq!(lock::holder(&world.run_dir()), None, "the hook was heard and started nothing");
    writeln!(service.stdin.take().unwrap()).unwrap();
    expect_message(&manager, "READY=1");
    let answering = eventually("a sidecar that answers", || client::ping(&world.run_dir()));
    assert_eq!(answering.pid, service.id());
    let late = world.commit(&repo, "a.rs", "fn b() {}\n", "Add b");
    for oid in [&early, &late] {
        world.final_capture(&repo, oid);
    }
    expect_message(&manager, "WATCHDOG=1");
    world.ok(&repo, &["sidecar", "stop"]);
    expect_message(&manager, "STOPPING=1");
    assert!(service.wait().unwrap().success());
    assert_eq!(inode(&bell), bound, "the manager's socket");
    assert!(!world.run_dir().join("control.sock").exists());
}

/// systemd's own opinion, where it is installed: paths with everything that needs quoting, a program that exists.
#[cfg(target_os = "linux")]
#[test]
fn systemd_accepts_the_units_also_with_awkward_paths() {
    let world = World::new();
    let runtime = world.path("runtime");
    std::fs::create_dir(&runtime).unwrap();
    for name in ["plain", "a b", "100%h of $HOME", "it's \"quoted\"", "back\\slash; #and (more)"] {
        let (program, home) = (world.path(name).join("uro-capture"), world.path(name).join("home"));
        std::fs::create_dir_all(&home).unwrap();
        copy_program(Path::new("/bin/true"), &program);
        let env = Env::from_pairs(&[("HOME", home.to_str().unwrap()), ("URO_HOME", home.to_str().unwrap())]);
        let setting = ServiceSettings::from_env(&env, &Paths::from_home(&home), &program).unwrap();
        let mut verify = world.program("systemd-analyze", &world.path("home"));
        verify.env("XDG_RUNTIME_DIR", &runtime).args(["--user", "verify"]);
        for file in Manager::Systemd.files(&setting) {
            std::fs::create_dir_all(file.path.parent().unwrap()).unwrap();
            std::fs::write(&file.path, file.text).unwrap();
            verify.arg(file.path);
        }
        let Ok(out) = verify.output() else {
            println!("systemd-analyze is not installed: not verified");
            return;
        };
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && errors.is_empty(), "{name}: {errors}");
    }
}

#[test]
fn a_plist_reader_reads_back_what_the_agent_was_given() {
    let home = PathBuf::from("/Users/ada & co <x>");
    let env = Env::from_pairs(&[("HOME", home.to_str().unwrap()), ("OLLAMA_HOST", "127.0.0.1:1")]);
    let paths = Paths::resolve(&env, Path::new("/")).unwrap();
    let setting = ServiceSettings::from_env(&env, &paths, Path::new("/opt/a \"b\"/uro-capture")).unwrap();
    let [agent] = Manager::Launchd.files(&setting).try_into().unwrap();
    assert_eq!(agent.path, home.join("Library/LaunchAgents/dev.uroboro.capture.plist"));
    let script = "import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
    let mut child =
        Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(seal(&agent.text, Comments::Xml, 1).as_bytes()).unwrap();
    let read: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(
        read["ProgramArguments"],
        serde_json::json!(["/opt/a \"b\"/uro-capture", "sidecar", "run", "--service"])
    );
    assert_eq!(read["EnvironmentVariables"], serde_json::json!({"OLLAMA_HOST": "127.0.0.1:1"}));
    assert_eq!(read["KeepAlive"], serde_json::json!({"SuccessfulExit": false}));
    assert_eq!(read["StandardErrorPath"], format!("{}/.local/state/uroboro/sidecar.service.log", home.display()));
}
