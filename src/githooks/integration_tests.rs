//! Integration tests of hook installation: real repositories, real commits, several hook managers, clean removal.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::apply::operations;
use super::{
    GithooksError, HookCondition, HookForm, HookPlan, HookState, Note, apply, inspect, plan_install, plan_remove,
};
use crate::domain::event::HookName;
use crate::hook::test_program::{rewrite_program, write_program};

/// A repository with a hook program that logs its calls and prints noise.
struct Stage {
    _home: tempfile::TempDir,
    work: PathBuf,
    program: PathBuf,
    log: PathBuf,
}

impl Stage {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let root = home.path().canonicalize().expect("there").join("it's é here");
        let (work, program, log) = (root.join("work"), root.join("bin/uro-hook"), root.join("calls"));
        fs::create_dir_all(&work).expect("created");
        fs::create_dir_all(root.join("bin")).expect("created");
        let stage = Self { _home: home, work, program, log };
        stage.write(
            &stage.program,
            "#!/bin/sh\nhere=$(dirname \"$(readlink -f \"$0\")\")\n\
             { printf '%s|%s|' \"${0##*/}\" \"$*\"; cat; echo; } >>\"$here/../calls\"\necho noise\necho noise >&2\nexit 5\n",
        );
        stage.git(&["init", "-q", "-b", "main", "."]);
        stage
    }

    fn write(&self, path: &Path, text: &str) {
        write_program(path, text.as_bytes());
    }

    fn hooks(&self) -> PathBuf {
        self.work.join(".git/hooks")
    }

    fn hook(&self, name: &str) -> PathBuf {
        self.hooks().join(name)
    }

    fn prior(&self, name: &str, text: &str) {
        fs::create_dir_all(self.hooks()).expect("created");
        self.write(&self.hook(name), text);
    }

    /// Runs a command in the repository; this process may just have written its hooks.
    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        for hook in fs::read_dir(self.hooks()).into_iter().flatten().map(|entry| entry.expect("an entry")) {
            if hook.file_type().expect("known").is_file() {
                rewrite_program(&hook.path());
            }
        }
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.work).env_clear().env("PATH", search_path());
        command.env("HOME", &self.work).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.env("GIT_TEMPLATE_DIR", "");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.org");
            command.env(format!("GIT_{role}_DATE"), "2024-01-02T03:04:05Z");
        }
        command.output().expect("it runs")
    }

    fn git(&self, arguments: &[&str]) -> Output {
        let output = self.run("git", arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// What git printed for one quiet commit.
    fn commit(&self) -> String {
        let output = self.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
        String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8")
    }

    fn install(&self) -> Vec<Note> {
        let plan = plan_install(&self.hooks(), &self.program).expect("a plan");
        apply(&plan).expect("applied");
        let again = plan_install(&self.hooks(), &self.program).expect("a plan");
        assert!(again.is_empty(), "installing is idempotent: {again:?}");
        plan.notes
    }

    fn remove(&self) -> Vec<Note> {
        let plan = plan_remove(&self.hooks()).expect("a plan");
        apply(&plan).expect("applied");
        assert!(plan_remove(&self.hooks()).expect("a plan").is_empty(), "removing is idempotent");
        plan.notes
    }

    fn calls(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn states(&self) -> Vec<(HookCondition, Option<HookForm>)> {
        let states = inspect(&self.hooks()).expect("readable");
        states.into_iter().map(|HookState { state, how, .. }| (state, how)).collect()
    }

    /// Every path under `.git` with its kind, mode, time of modification (files only) and content.
    fn snapshot(&self) -> BTreeMap<PathBuf, (u32, i64, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.work.join(".git")];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).expect("readable") {
                let path = entry.expect("an entry").path();
                let data = fs::symlink_metadata(&path).expect("there");
                let content = match data.file_type() {
                    kind if kind.is_dir() => Vec::new(),
                    kind if kind.is_symlink() => fs::read_link(&path).expect("a link").as_os_str().as_bytes().to_vec(),
                    _ => fs::read(&path).expect("readable"),
                };
                let mtime = if data.is_dir() { 0 } else { data.mtime_nsec() + data.mtime() * 1_000_000_000 };
                if data.is_dir() {
                    open.push(path.clone());
                }
                found.insert(path, (data.mode(), mtime, content));
            }
        }
        found
    }
}

#[expect(clippy::disallowed_methods, reason = "git and sh must be found")]
fn search_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

#[test]
fn without_a_hook_before_git_calls_ours() {
    let stage = Stage::new();
    stage.install();
    assert_eq!(stage.states(), [(HookCondition::Ok, Some(HookForm::File)); 4]);
    stage.commit();
    assert_eq!(stage.calls(), "uro-hook|post-commit|\n");
    stage.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "y"]);
    let calls = stage.calls();
    assert!(calls.contains("uro-hook|post-rewrite amend|") && calls.ends_with("\n\n"), "with the pairs: {calls}");
}

#[test]
fn writing_over_our_hook_changes_no_other_file() {
    let stage = Stage::new();
    let program = fs::read(&stage.program).expect("there");
    stage.install();
    fs::write(stage.hook("post-commit"), "#!/bin/sh\n").expect("written as through a link");
    assert_eq!(fs::read(&stage.program).expect("there"), program);
}

#[test]
fn a_dry_run_lists_what_is_written_and_nothing_else() {
    let stage = Stage::new();
    stage.prior("post-merge", "#!/bin/sh\n");
    let before = stage.snapshot();
    let plan = plan_install(&stage.hooks(), &stage.program).expect("a plan");
    assert_eq!(stage.snapshot(), before, "planning writes nothing");
    apply(&plan).expect("applied");
    let after = stage.snapshot();
    let changed: Vec<&Path> =
        after.keys().filter(|path| before.get(*path) != after.get(*path)).map(PathBuf::as_path).collect();
    let mut listed = plan.written_paths();
    listed.sort();
    assert_eq!(listed, changed);
}

#[test]
fn removal_leaves_git_as_it_was_to_the_byte() {
    for with_directory in [false, true] {
        let stage = Stage::new();
        if with_directory {
            stage.prior("post-commit", "#!/bin/sh\nexit 0\n");
            stage.prior("post-merge", "not executable\n");
            fs::set_permissions(stage.hook("post-merge"), fs::Permissions::from_mode(0o640)).expect("set");
            symlink("../../tools/rewrite", stage.hook("post-rewrite")).expect("linked");
            fs::write(stage.hook("pre-commit.sample"), "sample").expect("written");
        } else {
            let _ = fs::remove_dir_all(stage.hooks());
        }
        let before = stage.snapshot();
        stage.install();
        assert_ne!(stage.snapshot(), before);
        assert_eq!(stage.remove(), []);
        assert_eq!(stage.snapshot(), before);
    }
}

#[test]
fn a_directory_that_we_made_stays_if_it_is_used() {
    let stage = Stage::new();
    let _ = fs::remove_dir_all(stage.hooks());
    stage.install();
    stage.prior("pre-push", "#!/bin/sh\n");
    stage.remove();
    let left: Vec<_> =
        fs::read_dir(stage.hooks()).expect("there").map(|entry| entry.expect("entry").file_name()).collect();
    assert_eq!(left, ["pre-push"]);
}

#[test]
fn a_prior_hook_speaks_and_exits_as_before_and_ours_is_silent() {
    let stage = Stage::new();
    stage.prior("post-commit", "#!/bin/sh\necho out \"$@\"\necho err >&2\nexit 3\n");
    let before = stage.run("sh", &["-c", ".git/hooks/post-commit 'a b' c; echo $?"]);
    stage.install();
    assert_eq!(stage.states()[0], (HookCondition::Ok, Some(HookForm::Chained)));
    let after = stage.run("sh", &["-c", ".git/hooks/post-commit 'a b' c; echo $?"]);
    assert_eq!((&after.stdout, &after.stderr), (&before.stdout, &before.stderr));
    assert_eq!(String::from_utf8_lossy(&after.stdout), "out a b c\n3\n");
    assert_eq!(stage.commit(), "out\nerr\n");
    assert_eq!(stage.calls(), "uro-hook|post-commit a b c|\nuro-hook|post-commit|\n");
}

#[test]
fn a_prior_hook_in_another_language_runs_too() {
    let stage = Stage::new();
    stage.prior("post-commit", "#!/usr/bin/env python3\nimport sys\nsys.stderr.write('snake\\n')\n");
    stage.install();
    assert_eq!(stage.commit(), "snake\n");
    assert_eq!(stage.calls(), "uro-hook|post-commit|\n");
}

#[test]
fn both_hooks_get_what_git_tells_about_a_rewrite() {
    let stage = Stage::new();
    stage.prior("post-rewrite", "#!/bin/sh\n{ echo \"$1\"; cat; } >seen\n");
    stage.install();
    stage.commit();
    stage.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "y"]);
    let passed = fs::read_to_string(stage.work.join("seen")).expect("the prior hook ran");
    let (argument, pairs) = passed.split_once('\n').expect("lines");
    assert_eq!((argument, pairs.len()), ("amend", 82));
    assert!(stage.calls().ends_with(&format!("uro-hook|post-rewrite amend|{pairs}\n")), "{}", stage.calls());
}

#[test]
fn a_prior_hook_that_reads_no_stdin_is_no_trouble_and_keeps_its_exit_code() {
    let stage = Stage::new();
    stage.prior("post-rewrite", "#!/bin/sh\nexit 7\n");
    stage.install();
    for prelude in ["", "trap '' PIPE; "] {
        let command =
            format!("{prelude}head -c 3000000 /dev/zero | tr '\\0' x | .git/hooks/post-rewrite rebase; echo $?");
        let output = stage.run("sh", &["-c", &command]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "7\n");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

#[test]
fn with_our_program_deleted_commits_are_silent_and_the_prior_hook_still_runs() {
    let stage = Stage::new();
    stage.prior("post-rewrite", "#!/bin/sh\ncat >seen\n");
    stage.prior("post-merge", "#!/bin/sh\necho merged\n");
    stage.install();
    fs::remove_file(&stage.program).expect("removed");
    assert_eq!(stage.commit(), "");
    assert_eq!(stage.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "y"]).stderr, b"");
    assert_eq!(fs::read_to_string(stage.work.join("seen")).expect("ran").len(), 82);
    let merged = stage.run(".git/hooks/post-merge", &["0"]);
    assert_eq!((merged.status.code(), merged.stdout.as_slice()), (Some(0), b"merged\n".as_slice()));
    assert!(stage.states().iter().all(|(state, _)| *state == HookCondition::Outdated));
}

#[test]
fn a_prior_hook_that_git_would_have_ignored_stays_ignored() {
    let stage = Stage::new();
    stage.prior("post-commit", "#!/bin/sh\necho no\n");
    fs::set_permissions(stage.hook("post-commit"), fs::Permissions::from_mode(0o644)).expect("set");
    stage.install();
    assert_eq!(stage.commit(), "");
    assert_eq!(stage.calls(), "uro-hook|post-commit|\n");
    stage.remove();
    assert_eq!(fs::metadata(stage.hook("post-commit")).expect("back").mode() & 0o777, 0o644);
}

#[test]
fn a_hook_put_over_ours_is_told_as_lost_and_chained_by_the_next_install() {
    let stage = Stage::new();
    stage.prior("post-commit", "#!/bin/sh\necho first\n");
    stage.install();
    stage.prior("post-commit", "#!/bin/sh\necho second\n");
    fs::remove_file(stage.hook("post-merge")).expect("removed");
    assert_eq!(stage.states()[..2], [(HookCondition::Lost, None); 2]);
    assert_eq!(stage.commit(), "second\n");
    let kept = stage.hook("post-commit.uro-prior-1");
    assert_eq!(stage.install(), [Note::Kept(kept.clone())]);
    assert_eq!(stage.commit(), "second\n");
    assert_eq!(stage.calls(), "uro-hook|post-commit|\n");
    stage.remove();
    assert_eq!(fs::read(stage.hook("post-commit")).expect("back"), b"#!/bin/sh\necho second\n");
    assert_eq!(fs::read(kept).expect("kept"), b"#!/bin/sh\necho first\n");
}

#[test]
fn removing_touches_no_hook_that_replaced_ours() {
    let stage = Stage::new();
    stage.prior("post-commit", "#!/bin/sh\necho first\n");
    stage.install();
    stage.prior("post-commit", "#!/bin/sh\necho second\n");
    assert_eq!(stage.remove(), [Note::Kept(stage.hook("post-commit.uro-prior"))]);
    assert_eq!(stage.commit(), "second\n");
}

#[test]
fn a_link_of_an_earlier_version_is_replaced_and_what_it_leads_to_is_not() {
    let stage = Stage::new();
    fs::create_dir_all(stage.hooks()).expect("created");
    symlink(&stage.program, stage.hook("post-commit")).expect("linked");
    let program = fs::read(&stage.program).expect("there");
    assert_eq!(stage.states()[0], (HookCondition::Outdated, Some(HookForm::File)));
    stage.install();
    assert!(!stage.hook("post-commit").is_symlink());
    assert_eq!(stage.states()[0], (HookCondition::Ok, Some(HookForm::File)));
    assert_eq!(fs::read(&stage.program).expect("there"), program);
}

#[test]
fn an_older_script_is_renewed_and_its_prior_hook_kept() {
    let stage = Stage::new();
    stage.prior("post-commit.uro-prior", "#!/bin/sh\necho prior\n");
    stage.prior("post-commit", "#!/bin/sh\n# uro-capture hook, version 0\nuro_program='/old/uro-hook'\n");
    assert_eq!(stage.states()[0], (HookCondition::Outdated, Some(HookForm::Chained)));
    stage.install();
    assert_eq!(stage.states()[0], (HookCondition::Ok, Some(HookForm::Chained)));
    assert_eq!(stage.commit(), "prior\n");
}

#[test]
fn a_script_of_ours_that_was_changed_by_hand_is_neither_overwritten_nor_deleted() {
    let stage = Stage::new();
    stage.prior("post-commit", "#!/bin/sh\nexit 0\n");
    stage.install();
    let text = fs::read_to_string(stage.hook("post-commit")).expect("readable").replace("exec ", "echo more; exec ");
    stage.prior("post-commit", &text);
    assert_eq!(stage.install(), [Note::Edited(stage.hook("post-commit"))]);
    assert_eq!(stage.commit(), "more\n");
    let aside = stage.hook("post-commit.uro-edited");
    assert_eq!(stage.remove(), [Note::Edited(aside.clone())]);
    assert_eq!(fs::read_to_string(aside).expect("kept"), text);
    assert_eq!(fs::read(stage.hook("post-commit")).expect("back"), b"#!/bin/sh\nexit 0\n");
}

#[test]
fn an_install_that_broke_off_after_the_rename_is_finished_by_the_next() {
    let stage = Stage::new();
    stage.prior("post-commit.uro-prior", "#!/bin/sh\necho prior\n");
    assert_eq!(stage.states()[0], (HookCondition::Lost, None));
    stage.install();
    assert_eq!(stage.commit(), "prior\n");
}

/// Executes the first `count` operations of a plan, as before a power loss; returns the total number.
fn perform_some(plan: &HookPlan, count: usize) -> usize {
    let operations: Vec<_> = plan.steps.iter().flat_map(operations).collect();
    operations.iter().take(count).for_each(|operation| operation.perform().expect("performed"));
    operations.len()
}

/// For every number of operations: the user's hook runs, and install and remove then end as without interruption.
fn holds_in_every_state(prepare: impl Fn(&Stage), removing: bool) {
    let mut count = 0;
    loop {
        let stage = Stage::new();
        stage.prior("post-commit", "#!/bin/sh\necho mine\n");
        stage.prior("post-merge", "#!/bin/sh\necho merged\n");
        prepare(&stage);
        let before = stage.snapshot();
        let plan = if removing {
            stage.install();
            plan_remove(&stage.hooks())
        } else {
            plan_install(&stage.hooks(), &stage.program)
        };
        let all = perform_some(&plan.expect("a plan"), count);
        assert_eq!(stage.commit(), "mine\n", "after {count} of {all} operations");
        let merged = stage.run(".git/hooks/post-merge", &["0"]);
        assert_eq!(merged.stdout, b"merged\n", "after {count} of {all} operations");
        stage.install();
        assert_eq!(stage.commit(), "mine\n");
        stage.remove();
        let kept: BTreeMap<_, _> = stage.snapshot().into_iter().filter(|(path, _)| before.contains_key(path)).collect();
        for name in ["post-commit", "post-merge"] {
            assert_eq!(kept[&stage.hook(name)], before[&stage.hook(name)], "after {count} of {all} operations");
        }
        if count == all {
            return;
        }
        count += 1;
    }
}

#[test]
fn the_persons_own_hook_runs_in_every_state_of_an_installation_that_breaks_off() {
    holds_in_every_state(|_| {}, false);
}

#[test]
fn the_persons_own_hook_runs_in_every_state_of_a_removal_that_breaks_off() {
    holds_in_every_state(|_| {}, true);
}

#[test]
fn with_a_prior_hook_from_before_the_persons_own_hook_runs_in_every_state() {
    holds_in_every_state(|stage| stage.prior("post-commit.uro-prior", "#!/bin/sh\necho older\n"), false);
}

#[test]
fn removing_a_script_that_was_edited_leaves_no_moment_without_the_persons_hook() {
    let mut count = 0;
    loop {
        let stage = Stage::new();
        stage.prior("post-commit", "#!/bin/sh\necho mine\n");
        stage.install();
        let text =
            fs::read_to_string(stage.hook("post-commit")).expect("readable").replace("exec ", "echo more; exec ");
        stage.prior("post-commit", &text);
        let all = perform_some(&plan_remove(&stage.hooks()).expect("a plan"), count);
        assert!(stage.commit().ends_with("mine\n"), "after {count} of {all} operations");
        if count == all {
            return;
        }
        count += 1;
    }
}

#[test]
fn a_place_that_is_no_directory_and_a_program_that_is_none_are_refused() {
    let stage = Stage::new();
    let error = plan_install(Path::new("/dev/null"), &stage.program).expect_err("no directory");
    assert!(matches!(error, GithooksError::NotADirectory(_)));
    for program in [Path::new("bin/uro-hook"), Path::new("/nonexistent/uro-hook"), stage.work.as_path()] {
        let error = plan_install(&stage.hooks(), program).expect_err("no program");
        assert!(matches!(error, GithooksError::NotAProgram(_)), "{program:?}");
    }
}

#[test]
fn without_any_trace_hooks_are_absent() {
    let stage = Stage::new();
    stage.prior("post-commit", "#!/bin/sh\n");
    assert_eq!(stage.states(), [(HookCondition::Absent, None); 4]);
    assert_eq!(inspect(Path::new("/nonexistent")).expect("no error")[0].hook, HookName::PostCommit);
}

mod managers;
