//! Tests with hook managers that move existing hooks away and rewrite their own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::super::slot::exists;
use super::Stage;
use crate::githooks::{HookCondition, HookForm, find_dispatcher};

/// `pre-commit install -t post-commit`: moves the existing hook to `.legacy` and calls it.
fn install_pre_commit(stage: &Stage) {
    fs::rename(stage.hook("post-commit"), stage.hook("post-commit.legacy")).expect("moved");
    let call =
        "here=$(dirname \"$0\")\nif [ -x $here/post-commit.legacy ]; then \"$here/post-commit.legacy\" \"$@\"; fi\n";
    let call = call.replace("$here/post-commit.legacy ]", "\"$here/post-commit.legacy\" ]");
    stage.prior("post-commit", &format!("#!/bin/sh\necho pre-commit\n{call}"));
}

#[test]
fn a_link_of_ours_that_another_manager_kept_is_neither_called_twice_nor_left_behind() {
    for ending in ["old", "legacy"] {
        let stage = Stage::new();
        stage.install();
        let kept = stage.hook(&format!("post-commit.{ending}"));
        fs::rename(stage.hook("post-commit"), &kept).expect("moved");
        stage.prior("post-commit", "#!/bin/sh\necho manager\n");
        assert_eq!(stage.states()[0], (HookCondition::Lost, None::<HookForm>));
        assert_eq!(stage.install(), []);
        assert!(!exists(&kept));
        assert_eq!(stage.commit(), "manager\n");
        assert_eq!(stage.calls(), "uro-hook|post-commit|\n");
        fs::rename(stage.hook("post-commit"), &kept).expect("moved again");
        stage.prior("post-commit", "#!/bin/sh\necho manager\n");
        assert_eq!(stage.remove(), []);
        let names: Vec<String> = fs::read_dir(stage.hooks())
            .expect("there")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with("post-commit"))
            .collect();
        assert_eq!(names, ["post-commit"]);
        assert_eq!(fs::read(stage.hook("post-commit")).expect("there"), b"#!/bin/sh\necho manager\n");
    }
}

#[test]
fn a_manager_that_keeps_and_calls_our_script_gets_the_hook_from_before_instead() {
    let stage = Stage::new();
    stage.prior("post-commit", "#!/bin/sh\necho mine\n");
    let without_us = {
        let stage = Stage::new();
        stage.prior("post-commit", "#!/bin/sh\necho mine\n");
        install_pre_commit(&stage);
        stage.commit()
    };
    assert_eq!(without_us, "pre-commit\nmine\n");
    stage.install();
    install_pre_commit(&stage);
    assert_eq!(stage.commit(), without_us, "also before anything is repaired");
    assert_eq!(stage.calls(), "uro-hook|post-commit|\n");
    fs::remove_file(&stage.log).expect("removed");
    assert_eq!(stage.install(), []);
    assert_eq!(stage.commit(), without_us);
    assert_eq!(stage.calls(), "uro-hook|post-commit|\n", "once");
    assert_eq!(stage.remove(), []);
    assert_eq!(stage.commit(), without_us);
    assert_eq!(stage.calls(), "uro-hook|post-commit|\n", "not any more");
    assert_eq!(fs::read(stage.hook("post-commit.legacy")).expect("there"), b"#!/bin/sh\necho mine\n");
}

#[test]
fn overcommits_attic_is_looked_through_too() {
    let stage = Stage::new();
    stage.install();
    fs::create_dir(stage.hook("old-hooks")).expect("created");
    fs::rename(stage.hook("post-commit"), stage.hook("old-hooks/post-commit")).expect("moved");
    stage.remove();
    assert!(!exists(&stage.hook("old-hooks/post-commit")));
}

#[test]
fn a_manager_that_is_installed_anew_over_ours_never_calls_itself() {
    for changed in [false, true] {
        let stage = Stage::new();
        install_pre_commit_over_nothing(&stage);
        stage.install();
        install_pre_commit(&stage);
        if changed {
            let text = fs::read_to_string(stage.hook("post-commit")).expect("there") + "# a later version\n";
            stage.prior("post-commit", &text);
        }
        let output = stage.commit();
        assert!(output == "pre-commit\n" || (changed && output == "pre-commit\npre-commit\n"), "{output}");
        assert!(stage.calls().starts_with("uro-hook|post-commit|\n"));
    }
}

fn install_pre_commit_over_nothing(stage: &Stage) {
    stage.prior("post-commit", "");
    install_pre_commit(stage);
    fs::remove_file(stage.hook("post-commit.legacy")).expect("removed");
}

#[test]
fn a_manager_that_wrote_its_own_hook_anew_leaves_no_second_copy() {
    for ending in ["uro-gone", "old"] {
        let stage = Stage::new();
        stage.prior("post-commit", "#!/bin/sh\necho manager\n");
        let before = stage.snapshot();
        stage.install();
        fs::rename(stage.hook("post-commit"), stage.hook(&format!("post-commit.{ending}"))).expect("moved");
        let _ = fs::remove_file(stage.hook("post-commit.uro-gone"));
        stage.prior("post-commit", "#!/bin/sh\necho manager\n");
        assert_eq!(stage.install(), []);
        assert_eq!(stage.commit(), "manager\n");
        assert_eq!(stage.remove(), []);
        let names = |all: &BTreeMap<PathBuf, (u32, i64, Vec<u8>)>| {
            all.keys().filter(|path| path.starts_with(stage.hooks())).cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(&stage.snapshot()), names(&before));
    }
}

#[test]
fn a_hook_that_goes_by_its_name_is_recognised_also_behind_a_link() {
    let stage = Stage::new();
    let found = || find_dispatcher(&stage.hooks()).expect("readable");
    stage.prior("post-merge", "#!/bin/sh\ncd \"$(dirname \"$0\")\"\n");
    stage.prior("pre-commit", "#!/bin/sh\nbasename \"$0\"\n");
    assert_eq!(found(), None, "the directory's name stays, and other hooks do not matter");
    stage.write(&stage.work.join("dispatch"), "#!/bin/sh\nexec run \"${0##*/}\"\n");
    symlink("../../dispatch", stage.hook("post-rewrite")).expect("linked");
    assert_eq!(found(), Some(stage.hook("post-rewrite")));
    stage.install();
    assert_eq!(found(), None, "ours is not asked");
}
