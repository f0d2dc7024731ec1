//! Hooks in git's configuration, with a real git that has them (2.54 and later): what we rely on, and our own ones.
//!
//! `URO_TEST_GIT` names that git, unless the one on the path is new enough; without any, these tests say that they
//! are skipped.

use std::path::{Path, PathBuf};

use super::prior::{DISPATCHER, EXIT_3, GLOBAL, HUSKY, LEFTHOOK, LFS, NONE, PRE_COMMIT, PYTHON, Prior, SH, TRACKED};
use super::rewritten::{commit, our_hook_reports};
use super::stage::{Stage, differences, runs_config_hooks, skip, snapshot};
use super::unchanged::check;
use crate::harness::copy_program;

/// The directory of a git that runs hooks from its configuration: the machine's own may be one.
#[expect(clippy::disallowed_methods, reason = "tests find this git by this one variable")]
fn git() -> Option<PathBuf> {
    let usual = std::env::var_os("PATH").unwrap_or_default();
    let usual = std::env::split_paths(&usual).map(|dir| dir.join("git")).find(|git| git.exists());
    let found = std::env::var_os("URO_TEST_GIT").map(PathBuf::from).or(usual).filter(|git| runs_config_hooks(git));
    if found.is_none() {
        skip("hooks in git's configuration: URO_TEST_GIT names no git of version 2.54 or later");
    }
    Some(found?.parent()?.to_owned())
}

// What we rely on: git and a program of the test's own.

/// A repository with a program behind a guard, in a directory that has to be quoted, for each of our hooks.
fn stub(git: &Path, prior: &Prior) -> Stage {
    let stage = prior.stage(Some(git)).unwrap();
    let program = stage.world.path("home/it's a dir/hook");
    let text = "#!/bin/sh\n{ printf '%s|' \"$*\"; test \"$1\" != post-rewrite || tr '\\n' ';'; echo; } >>~/stub.log\n";
    stage.write(&program, text, 0o755);
    let path = program.to_str().unwrap().replace('\'', "'\\''");
    let mut config = String::new();
    for hook in ["post-commit", "post-merge", "post-rewrite", "post-applypatch"] {
        let command = format!("test ! -x '{path}' || '{path}' {hook}").replace('\\', "\\\\");
        config += &format!("[hook \"stub-{hook}\"]\n\tcommand = {command}\n\tevent = {hook}\n");
    }
    let file = stage.repo.join(".git/config");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + &config).unwrap();
    stage
}

/// What the program was told since it was last asked.
fn reported(stage: &Stage) -> Vec<String> {
    let log = stage.world.path("home/stub.log");
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let _nothing_was_told = std::fs::remove_file(log);
    text.lines().map(str::to_owned).collect()
}

const COMMIT: &str = "git commit -q --allow-empty -m x";

#[test]
fn git_runs_them_beside_hook_files_and_under_every_hooks_path() {
    let Some(git) = git() else { return };
    for prior in [NONE, EXIT_3, GLOBAL, TRACKED] {
        let stage = stub(&git, &prior);
        let out = stage.try_sh(COMMIT);
        assert_eq!(out.status.code(), Some(0));
        assert_eq!(reported(&stage), ["post-commit|"], "{}", prior.name);
        let ran = String::from_utf8_lossy(&out.stderr).contains("prior post-commit");
        assert_eq!(ran, prior.name != NONE.name, "{}", prior.name);
    }
    let stage = stub(&git, &EXIT_3);
    assert_eq!(stage.sh("git hook list post-commit"), "stub-post-commit\nhook from hookdir");
    stage.sh(&format!("git config core.hooksPath /nonexistent && {COMMIT}"));
    assert_eq!(reported(&stage), ["post-commit|"]);
}

#[test]
fn git_gives_them_arguments_and_pairs_in_every_worktree() {
    let Some(git) = git() else { return };
    let stage = stub(&git, &SH);
    let old = stage.sh(&format!("{COMMIT} && git rev-parse HEAD"));
    let new = stage.sh("git commit -q --amend --allow-empty -m y && git rev-parse HEAD");
    let amended = format!("post-rewrite amend|{old} {new};");
    assert_eq!(reported(&stage), ["post-commit|", "post-commit|", &amended]);
    stage.sh("git merge -q --no-ff -m merge one");
    assert_eq!(reported(&stage), ["post-merge 0|"]);
    stage.sh("git format-patch -q --stdout -1 two >~/patch && git am -q ~/patch");
    assert_eq!(reported(&stage), ["post-applypatch|"]);
    stage.sh(&format!("git worktree add -q ../linked -b linked 2>/dev/null && cd ../linked && {COMMIT}"));
    assert_eq!(reported(&stage), ["post-commit|"]);
    let log = std::fs::read_to_string(stage.world.path("home/hook.log")).unwrap();
    assert!(log.contains(&format!("{old} {new}")), "the hook file gets the pairs too: {log}");
}

#[test]
fn git_says_nothing_when_the_program_behind_the_guard_is_gone() {
    let Some(git) = git() else { return };
    let stage = stub(&git, &NONE);
    stage.sh("rm ~/it*/hook && head -c 3000000 /dev/zero >~/pairs");
    for script in [
        COMMIT,
        "git commit -q --amend --allow-empty -m y",
        "git merge -q --no-ff -m merge one",
        "git hook run --to-stdin=$HOME/pairs post-rewrite -- rebase",
    ] {
        let out = stage.try_sh(script);
        assert_eq!((out.status.code(), out.stdout, out.stderr), (Some(0), vec![], vec![]), "{script}");
    }
}

#[test]
fn git_can_switch_them_off_one_by_one() {
    let Some(git) = git() else { return };
    let stage = stub(&git, &NONE);
    stage.sh(&format!("git config hook.stub-post-commit.enabled false && {COMMIT}"));
    assert_eq!(reported(&stage), Vec::<String>::new());
    assert_eq!(stage.sh("git hook list post-commit"), "disabled\tstub-post-commit");
}

/// Why our lines are written and removed all at once.
#[test]
fn git_refuses_to_commit_while_an_event_has_no_command() {
    let Some(git) = git() else { return };
    let stage = NONE.stage(Some(&git)).unwrap();
    stage.sh("git config hook.half.event post-commit");
    let out = stage.try_sh(COMMIT);
    assert_eq!(out.status.code(), Some(128), "{out:?}");
}

/// An older git reads over all of it.
#[test]
fn an_older_git_ignores_them() {
    let Some(git) = git() else { return };
    let stage = stub(&git, &NONE);
    let out = stage.world.git_command(&stage.repo, &["commit", "-q", "--allow-empty", "-m", "x"]).output().unwrap();
    assert_eq!((out.status.code(), out.stdout, out.stderr), (Some(0), vec![], vec![]));
    assert_eq!(reported(&stage).is_empty(), !runs_config_hooks(Path::new("git")));
}

// Ours.

#[test]
fn ours_displace_nothing_whatever_was_there() {
    let Some(git) = git() else { return };
    let all = [NONE, SH, EXIT_3, PYTHON, HUSKY, LEFTHOOK, PRE_COMMIT, LFS, GLOBAL, TRACKED, DISPATCHER];
    for prior in all {
        let Some(stage) = prior.stage(Some(&git)) else { continue };
        let before = stage.snapshot();
        stage.uro(&["init"]);
        let written = differences(&before, &stage.snapshot());
        let config = stage.repo.join(".git/config").display().to_string();
        assert!(written.len() == 1 && written[0].starts_with(&config), "{}: {written:#?}", prior.name);
        assert_eq!(stage.json(&["status"])["hooks"][0]["how"], "config", "{}", prior.name);
        drop(stage);
        check(&prior, Some(&git));
    }
}

#[test]
fn ours_stay_when_managers_write_their_hooks_again() {
    let Some(git) = git() else { return };
    for (prior, rewrite) in [
        (LEFTHOOK, "lefthook install --force"),
        (PRE_COMMIT, "pre-commit install -f --hook-type post-commit"),
        (LFS, "git lfs install --local --force"),
        (HUSKY, "npx --offline husky"),
    ] {
        let Some(stage) = prior.stage(Some(&git)) else { continue };
        stage.world.start_sidecar();
        stage.uro(&["init"]);
        let (alone, _) = commit(&stage);
        stage.sh(rewrite);
        our_hook_reports(&stage, &alone);
        assert_eq!(stage.json(&["status"])["hooks"][0]["state"], "ok", "{}", prior.name);
    }
}

#[test]
fn ours_slow_down_nobodys_parallel_hooks() {
    let Some(git) = git() else { return };
    let stage = NONE.stage(Some(&git)).unwrap();
    // Each waits until the other has begun, which one after the other they never see.
    let wait = "touch ~/$0.begun; for i in $(seq 100); do test -e ~/$1.begun && exit 0; sleep 0.1; done; exit 9";
    for (name, other) in [("first", "second"), ("second", "first")] {
        let command = format!("sh -c '{wait}' {name} {other}");
        stage.command("git").args(["config", &format!("hook.{name}.command"), &command]).status().unwrap();
        stage.sh(&format!("git config hook.{name}.event post-merge && git config hook.{name}.parallel true"));
    }
    stage.sh("git config hook.jobs 4");
    for ours in [false, true] {
        if ours {
            stage.uro(&["init"]);
        }
        let out = stage.try_sh("rm -f ~/*.begun; git hook run post-merge -- 0");
        assert_eq!(out.status.code(), Some(0), "ours: {ours}, {out:?}");
    }
}

#[test]
fn ours_are_silent_when_the_program_is_gone_and_told_as_lost_by_an_older_git() {
    let Some(git) = git() else { return };
    let stage = SH.stage(Some(&git)).unwrap();
    let (bin, name) = (stage.world.path("home/our bin"), "uro-capture");
    std::fs::create_dir_all(&bin).unwrap();
    for program in [env!("CARGO_BIN_EXE_uro-capture"), env!("CARGO_BIN_EXE_uro-hook")] {
        copy_program(Path::new(program), &bin.join(Path::new(program).file_name().unwrap()));
    }
    let uro = bin.join(name);
    assert!(stage.command(uro.to_str().unwrap()).arg("init").status().unwrap().success());
    let hooks = snapshot(&stage.repo.join(".git/hooks"));
    let before = stage.try_sh(COMMIT);
    std::fs::remove_dir_all(&bin).unwrap();
    let gone = stage.try_sh(COMMIT);
    assert_eq!((gone.status, gone.stdout, gone.stderr), (before.status, before.stdout, before.stderr));
    stage.uro(&["init"]);
    assert_eq!(stage.json(&["status"])["hooks"][0]["state"], "ok");
    assert_eq!(differences(&hooks, &snapshot(&stage.repo.join(".git/hooks"))), Vec::<String>::new());
    if !runs_config_hooks(Path::new("git")) {
        let downgraded = stage.world.json(&stage.repo, &["status"]);
        assert_eq!(downgraded["hooks"][0]["state"], "lost", "{downgraded}");
    }
}
