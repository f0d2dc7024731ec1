//! A sidecar whose main loop is held by a tracer, as a deadlock would hold it.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use uro_capture::sidecar::{client, lock};

use crate::harness::{World, eventually};

fn holder(world: &World) -> Option<u32> {
    lock::holder(&world.run_dir()).map(|holder| holder.pid)
}

/// A deadlock of the main loop, as seen from outside: the other threads go on and could answer for it.
#[test]
fn a_sidecar_whose_main_loop_alone_is_stuck_is_succeeded_too() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let first = holder(&world).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/hold_thread.py");
    let mut command = world.program("python3", &repo);
    let mut tracer =
        command.arg(script).arg(first.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(tracer.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line == "HELD\n" {
        let oid = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
        eventually("another holder", || holder(&world).filter(|pid| *pid != first));
        eventually("a successor that answers", || {
            client::ping(&world.run_dir()).map(|vitals| vitals.pid).filter(|pid| *pid != first)
        });
        world.final_capture(&repo, &oid);
    } else {
        println!("tracing is not allowed here: not tested");
    }
    drop(tracer.stdin.take());
    tracer.wait().unwrap();
}
