//! Another tool writes its hooks again after ours: nothing is missed, and the command that `status` names repairs it.

use std::path::Path;

use serde_json::Value;

use super::prior::{HUSKY, LEFTHOOK, LFS, NONE, PRE_COMMIT, Prior, husky};
use super::stage::{Stage, skip};
use super::unchanged::{state, timeless};
use crate::harness::{copy_program, eventually};

const COMMIT: &str = "chmod u+w b.bin; echo x >>a.txt; echo x >>b.bin; git commit -q -am Another; ls -l b.bin";

/// What a person sees of a commit, and which commit it is.
pub fn commit(stage: &Stage) -> (String, String) {
    let out = stage.try_sh(COMMIT);
    assert!(out.status.success(), "{out:?}");
    let listed = String::from_utf8_lossy(&out.stdout);
    let mode = listed.split_whitespace().next().unwrap_or_default();
    (format!("{mode}\n{}", timeless(&out.stderr)), stage.sh("git rev-parse HEAD"))
}

/// Waits for the commit's capture; gives its source.
fn source(stage: &Stage, oid: &str) -> String {
    let capture = eventually(&format!("a capture of {oid}"), || stage.world.capture_of(&stage.repo, oid));
    assert_eq!(capture["state"], "live");
    capture["source"].as_str().unwrap_or_default().to_owned()
}

/// The command that `status` gives for the hooks that were lost.
fn repair(stage: &Stage) -> String {
    let status = stage.json(&["status"]);
    let repairs = |problem: &&Value| problem["hint"].as_str().is_some_and(|hint| hint.starts_with("uro-capture init"));
    let problems = status["problems"].as_array().unwrap();
    let problem = problems.iter().find(repairs).unwrap_or_else(|| panic!("no problem names the repair: {status}"));
    problem["hint"].as_str().unwrap().to_owned()
}

/// The repository, where our hooks are files that can be lost.
fn with_hook_files(prior: &Prior) -> Option<Stage> {
    let stage = prior.stage(None)?;
    if stage.runs_config_hooks() {
        skip(&format!("{} written again: this git has our hooks in its configuration", prior.name));
        return None;
    }
    Some(stage)
}

/// Commits until our hook was the first to report one: the watcher waits for a hook that was silent only when it has
/// heard it again, and not for long.
pub fn our_hook_reports(stage: &Stage, expected: &str) {
    eventually("a commit that our hook reported", || {
        let (says, oid) = commit(stage);
        assert_eq!(says, expected, "the other hooks work as they did");
        (source(stage, &oid) == "hook").then_some(())
    });
}

/// Hooks are installed, then `rewrite` is run: a commit before and one after, and one when it is repaired.
fn check(prior: &Prior, rewrite: &str) {
    let Some(stage) = with_hook_files(prior) else { return };
    let (alone, _) = commit(&stage);
    stage.world.start_sidecar();
    stage.uro(&["init"]);
    stage.sh(rewrite);
    let (rewritten, lost) = commit(&stage);
    assert_eq!(rewritten, alone, "{}: its hooks work as they did", prior.name);
    // The sidecar found it: heard of it, or read the logs for the first time just then.
    assert_ne!(source(&stage, &lost), "hook", "{}", prior.name);
    assert_eq!(state(&stage), "lost", "{}", prior.name);
    stage.sh(&repair(&stage));
    assert_eq!(state(&stage), "ok", "{}", prior.name);
    our_hook_reports(&stage, &alone);
    stage.uro(&["deinit"]);
    let (after, _) = commit(&stage);
    assert_eq!(after, alone, "{}: without us", prior.name);
    assert_eq!(stage.sh("ls .git/hooks | grep uro || true"), "", "{}: nothing of ours is left", prior.name);
}

#[test]
fn lefthook_installed_again_is_told_and_repaired() {
    check(&LEFTHOOK, "lefthook install --force");
}

#[test]
fn pre_commit_installed_again_is_told_and_repaired() {
    check(
        &PRE_COMMIT,
        "for hook in post-commit post-merge post-rewrite; do pre-commit install -f --hook-type $hook; done",
    );
}

#[test]
fn git_lfs_installed_again_is_told_and_repaired() {
    check(&LFS, "git lfs install --local --force");
}

#[test]
fn husky_run_again_changes_nothing_for_us() {
    let Some(stage) = with_hook_files(&HUSKY) else { return };
    stage.world.start_sidecar();
    stage.uro(&["init"]);
    let (before, first) = commit(&stage);
    stage.sh("npx --offline husky");
    let (after, second) = commit(&stage);
    assert_eq!(before, after);
    assert_eq!([source(&stage, &first), source(&stage, &second)], ["watch", "watch"]);
    assert_eq!(state(&stage), "absent");
}

#[test]
fn husky_that_comes_after_us_takes_our_hooks_away_and_misses_nothing() {
    let Some(_husky_is_there) = with_hook_files(&HUSKY) else { return };
    let stage = NONE.stage(None).unwrap();
    stage.world.start_sidecar();
    stage.uro(&["init"]);
    husky(&stage);
    let (output, lost) = commit(&stage);
    assert!(output.contains("managed post-commit"), "{output}");
    assert_eq!(source(&stage, &lost), "watch");
    assert_eq!(state(&stage), "lost");
    stage.sh(&repair(&stage));
    assert_eq!(state(&stage), "absent");
    let (output_again, found) = commit(&stage);
    assert_eq!(output, output_again);
    assert_eq!(source(&stage, &found), "watch");
    stage.uro(&["deinit"]);
    assert_eq!(stage.sh("ls -A .git/hooks | grep -v sample || true"), "");
}

/// git-lfs writes into the file that it finds, and so do people with `cat >`: a link would lead them to our program.
#[test]
fn a_tool_that_writes_over_our_hook_reaches_nothing_else() {
    let Some(_lfs_is_there) = with_hook_files(&LFS) else { return };
    for write in ["git lfs install --local --force", "echo '#!/bin/sh' >.git/hooks/post-commit"] {
        let stage = NONE.stage(None).unwrap();
        let bin = stage.world.path("home/bin");
        std::fs::create_dir_all(&bin).unwrap();
        for program in [env!("CARGO_BIN_EXE_uro-capture"), env!("CARGO_BIN_EXE_uro-hook")] {
            copy_program(Path::new(program), &bin.join(Path::new(program).file_name().unwrap()));
        }
        stage.sh("~/bin/uro-capture init");
        stage.sh(write);
        let program = std::fs::read(bin.join("uro-hook")).unwrap();
        assert!(program == std::fs::read(env!("CARGO_BIN_EXE_uro-hook")).unwrap(), "{write}: our program is gone");
        stage.sh("~/bin/uro-capture init && ~/bin/uro-capture deinit");
        let hook = std::fs::read_to_string(stage.repo.join(".git/hooks/post-commit")).unwrap();
        assert!(hook.starts_with("#!/bin/sh") && !hook.contains("uro"), "{write}: {hook}");
    }
}
