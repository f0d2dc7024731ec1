//! The hook as git runs it: it never waits, never fails, never says anything.

use std::path::Path;
use std::process::Stdio;

use crate::harness::fake_llm::{Behaviour, FakeLlm};
use crate::harness::{World, eventually};

#[test]
fn a_caller_that_captures_the_commits_output_does_not_wait_for_the_work() {
    // The model stays silent for longer than the test allows, with a budget that lets it.
    let server = FakeLlm::start(Behaviour::Silent);
    let world = World::new();
    world.use_fake(&server, "budget = \"30s\"");
    let repo = world.hooked_repo("repo");
    // The hook itself starts the sidecar here: with stdout and stderr on pipes, as `$(git commit)` has them,
    // and a third pipe leaked on descriptor 7 as careless callers do.
    std::fs::write(repo.join("a.rs"), "fn a() {}\n").unwrap();
    world.git(&repo, &["add", "-A"]);
    let script = "out=$( { git commit -q -m 'Add a' 7>&1; } 2>&1 ); printf '%s' \"$out\"";
    let out = world.program("sh", &repo).args(["-c", script]).stdout(Stdio::piped()).output().unwrap();
    assert!(out.status.success() && out.stdout.is_empty(), "{out:?}");
    eventually("the sidecar is at work", || server.requests().first().map(|_| ()));
    let capture = world.log(&repo).remove(0);
    assert_eq!(capture["provenance"]["reason"], "pending", "the caller did not wait for the model: {capture:#}");
}

#[test]
fn a_stopped_sidecar_a_read_only_home_and_a_missing_binary_cost_the_commit_nothing() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let pid = world.sidecar_pid();
    signal(pid, "-STOP");
    for n in 0..30 {
        world.commit(&repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"));
    }
    signal(pid, "-CONT");
    eventually("the commits made meanwhile", || (world.log(&repo).len() == 30).then_some(()));

    // Gone: a dangling link, which git ignores.
    for hook in ["post-commit", "post-rewrite", "post-merge", "post-applypatch"] {
        let path = repo.join(".git/hooks").join(hook);
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/nonexistent/uro-hook", &path).unwrap();
    }
    world.commit(&repo, "a.rs", "fn gone() {}\n", "Commit without the program");
}

#[test]
fn a_spool_that_cannot_be_written_is_borne_in_silence() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.ok(&repo, &["sidecar", "stop"]);
    let state = world.path("uro/state");
    let _ = std::fs::remove_dir_all(&state);
    std::fs::write(&state, "a file where the directory should be").unwrap();
    world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    std::fs::remove_file(&state).unwrap();
}

#[test]
fn the_hook_starts_no_second_sidecar_and_leaves_no_git_variable_in_it() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    for n in 0..5 {
        world.commit(&repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"));
    }
    eventually("the hook's sidecar", || (world.sidecar_status()["state"] == "running").then_some(()));
    let environ = Path::new("/proc").join(world.sidecar_pid().to_string()).join("environ");
    if let Ok(bytes) = std::fs::read(environ) {
        let text = String::from_utf8_lossy(&bytes);
        let leaked: Vec<&str> = text
            .split('\0')
            .filter(|pair| pair.starts_with("GIT_") && !pair.starts_with("GIT_CONFIG_NOSYSTEM"))
            .collect();
        assert!(leaked.is_empty(), "{leaked:?}");
    }
}

fn signal(pid: i32, signal: &str) {
    assert!(std::process::Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}
