//! Where nothing is written: shared, tracked and foreign directories of hooks.

use std::path::{Path, PathBuf};

use super::{Stage, changed, snapshot, write};
use crate::harness::eventually;

/// A repository whose hooks are elsewhere, and the hook that somebody may change.
fn repository(stage: &Stage, hooks: &Path, scope: &[&str]) -> PathBuf {
    let repo = stage.world.repo("repo");
    write(&hooks.join("post-commit"), "#!/bin/sh\necho prior\n", 0o755);
    stage.world.git(&repo, &[&["config"], scope, &["core.hooksPath", hooks.to_str().unwrap()]].concat());
    repo
}

fn assert_left_alone(stage: &Stage, repo: &Path, hook: &Path) {
    let before = (snapshot(repo), snapshot(hook.parent().unwrap()));
    let output = stage.ok(repo, &["init"]);
    assert!(output.contains("is captured from now on by the sidecar"), "{output}");
    assert!(output.contains(&format!("{}", hook.display())) && output.contains("$(basename \"$0\")"), "{output}");
    assert_eq!((snapshot(repo), snapshot(hook.parent().unwrap())), before);
    assert_eq!(stage.world.sidecar_status()["state"], "running", "only it sees commits here");
    let hooks = stage.hooks();
    assert_eq!((hooks["state"].as_str(), hooks["covered_by"].as_str()), (Some("absent"), Some("watch")), "{hooks}");
    assert!(hooks["how"].is_null());
    assert!(stage.problems().contains("nothing starts it at login"), "{}", stage.problems());
    stage.ok(repo, &["sidecar", "stop"]);
    assert!(stage.problems().contains("uro-capture sidecar start"), "{}", stage.problems());
}

/// Adds the line that was told, and commits.
fn assert_line_works(stage: &Stage, repo: &Path, hook: &Path) {
    let output = stage.json(repo, &["init"]);
    let by_hand = &output["by_hand"][0];
    assert_eq!(by_hand["files"][0], hook.to_str().unwrap(), "{output}");
    let text = std::fs::read_to_string(hook).unwrap() + by_hand["line"].as_str().unwrap() + "\n";
    write(hook, &text, 0o755);
    assert_eq!(stage.hooks()["covered_by"], "hooks");
    // Nobody watches, and the hook is to think that somebody is starting already: only the line is left.
    stage.ok(repo, &["sidecar", "stop"]);
    std::fs::write(stage.world.run_dir().join("start.stamp"), "").unwrap();
    std::fs::write(repo.join("a.rs"), "fn a() {}\n").unwrap();
    stage.world.git(repo, &["add", "a.rs"]);
    let out = stage.world.git_command(repo, &["commit", "-q", "-m", "Add a"]).output().unwrap();
    assert_eq!((out.stdout.as_slice(), out.stderr.as_slice()), (&b""[..], &b"prior\n"[..]));
    let oid = stage.world.git(repo, &["rev-parse", "HEAD"]);
    let capture = eventually("reported by the line", || stage.world.capture_of(repo, &oid));
    assert_eq!(capture["source"], "hook");
}

#[test]
fn hooks_that_all_repositories_share_are_not_touched() {
    let stage = Stage::new(None);
    let hooks = stage.world.path("home/hooks");
    let repo = repository(&stage, &hooks, &["--global"]);
    assert_left_alone(&stage, &repo, &hooks.join("post-commit"));
    assert_line_works(&stage, &repo, &hooks.join("post-commit"));
}

#[test]
fn hooks_in_the_work_tree_are_not_touched() {
    let stage = Stage::new(None);
    let hooks = stage.world.path("repo/.githooks");
    let repo = repository(&stage, &hooks, &[]);
    assert_left_alone(&stage, &repo, &hooks.join("post-commit"));
    assert_line_works(&stage, &repo, &hooks.join("post-commit"));
}

#[test]
fn a_link_to_hooks_in_the_work_tree_is_not_followed() {
    let stage = Stage::new(None);
    let repo = stage.world.repo("repo");
    let hook = repo.join(".githooks/post-commit");
    write(&hook, "#!/bin/sh\necho prior\n", 0o755);
    let _ = std::fs::remove_dir_all(repo.join(".git/hooks"));
    std::os::unix::fs::symlink("../.githooks", repo.join(".git/hooks")).unwrap();
    assert_left_alone(&stage, &repo, &hook);
}

#[test]
fn husky_is_told_where_people_write() {
    let stage = Stage::new(None);
    let generated = stage.world.path("repo/.husky/_");
    let repo = repository(&stage, &generated, &[]);
    write(&generated.join("post-commit"), "#!/bin/sh\nexec sh -e \"${0%/*}/../post-commit\" \"$@\"\n", 0o755);
    let hook = stage.world.path("repo/.husky/post-commit");
    write(&hook, "echo prior\n", 0o644);
    assert_left_alone(&stage, &repo, &hook);
    assert_line_works(&stage, &repo, &hook);
}

#[test]
fn a_hook_that_goes_by_its_name_is_not_called_under_another() {
    let stage = Stage::new(None);
    let repo = stage.world.repo("repo");
    let hook = repo.join(".git/hooks/post-commit");
    write(&hook, "#!/bin/sh\necho \"${0##*/}\"\n", 0o755);
    assert_left_alone(&stage, &repo, &hook);
}

#[test]
fn a_newer_git_needs_nobodys_hand() {
    let stage = Stage::new(Some("2.54.0"));
    let hooks = stage.world.path("home/hooks");
    let repo = repository(&stage, &hooks, &["--global"]);
    let before = snapshot(&hooks);
    let output = stage.json(&repo, &["init"]);
    assert_eq!((output["means"].as_str(), output["by_hand"].as_array()), (Some("config"), None), "{output}");
    assert_eq!(changed(&before, &snapshot(&hooks)), Vec::<PathBuf>::new());
    assert_eq!(stage.hooks()["state"], "ok");
}

#[test]
fn hooks_that_are_taken_away_later_are_lost_and_doctor_says_where_to_add_the_line() {
    let stage = Stage::new(None);
    let repo = stage.world.repo("repo");
    stage.ok(&repo, &["init"]);
    stage.world.git(&repo, &["config", "core.hooksPath", ".husky/_"]);
    let hooks = stage.hooks();
    assert_eq!((hooks["state"].as_str(), hooks["covered_by"].as_str()), (Some("lost"), Some("watch")), "{hooks}");
    assert!(stage.problems().contains("uro-capture init "), "{}", stage.problems());
    let doctor = || String::from_utf8(stage.run(&repo, &["doctor", "--json"]).stdout).unwrap();
    assert!(doctor().contains("are gone, or git looks for them elsewhere"));
    stage.ok(&repo, &["init"]);
    assert!(doctor().contains(".husky/post-commit") && !doctor().contains("are gone"), "{}", doctor());
    stage.ok(&repo, &["deinit"]);
    assert!(!repo.join(".git/hooks/post-commit").exists());
}
