//! Every layout of a repository: `.git` is the same after `deinit`, and commits are reported in between.

use std::path::{Path, PathBuf};

use super::{Stage, changed, snapshot};
use crate::harness::eventually;

/// A repository, where a person stands in it, and its git directory that all worktrees share.
struct Layout {
    name: &'static str,
    make: fn(&Stage) -> (PathBuf, PathBuf),
}

fn main(stage: &Stage) -> (PathBuf, PathBuf) {
    let repo = stage.world.repo("main");
    stage.world.git(&repo, &["commit", "-q", "--allow-empty", "-m", "Begin"]);
    let git_dir = repo.join(".git");
    (repo, git_dir)
}

fn linked(stage: &Stage) -> (PathBuf, PathBuf) {
    let (repo, git_dir) = main(stage);
    let tree = stage.world.path("linked");
    stage.world.git(&repo, &["worktree", "add", "-q", "-b", "side", tree.to_str().unwrap()]);
    (tree, git_dir)
}

fn submodule(stage: &Stage) -> (PathBuf, PathBuf) {
    let library = stage.world.repo("library");
    stage.world.git(&library, &["commit", "-q", "--allow-empty", "-m", "Begin"]);
    let (repo, git_dir) = main(stage);
    stage.world.git(&repo, &["submodule", "--quiet", "add", library.to_str().unwrap(), "module"]);
    (repo.join("module"), git_dir.join("modules/module"))
}

fn own_hooks_path(stage: &Stage) -> (PathBuf, PathBuf) {
    let (repo, git_dir) = main(stage);
    stage.world.git(&repo, &["config", "core.hooksPath", ".git/my-hooks"]);
    (repo, git_dir)
}

fn worktree_hooks_path(stage: &Stage) -> (PathBuf, PathBuf) {
    let (tree, git_dir) = linked(stage);
    stage.world.git(&tree, &["config", "extensions.worktreeConfig", "true"]);
    let hooks = git_dir.join("worktrees/linked/hooks");
    stage.world.git(&tree, &["config", "--worktree", "core.hooksPath", hooks.to_str().unwrap()]);
    (tree, git_dir)
}

fn reftable(stage: &Stage) -> (PathBuf, PathBuf) {
    let repo = stage.world.path("reftable");
    std::fs::create_dir_all(&repo).unwrap();
    stage.world.git(&repo, &["init", "-q", "--ref-format=reftable"]);
    let git_dir = repo.join(".git");
    (repo, git_dir)
}

const LAYOUTS: [Layout; 6] = [
    Layout { name: "main worktree", make: main },
    Layout { name: "linked worktree", make: linked },
    Layout { name: "submodule", make: submodule },
    Layout { name: "core.hooksPath in .git", make: own_hooks_path },
    Layout { name: "core.hooksPath of one worktree", make: worktree_hooks_path },
    Layout { name: "reftable", make: reftable },
];

#[test]
fn leaving_restores_every_byte_and_between_every_commit_is_reported() {
    for Layout { name, make } in LAYOUTS {
        let stage = Stage::new(None);
        let (dir, git_dir) = make(&stage);
        let before = snapshot(&git_dir);
        stage.ok(&dir, &["init"]);
        assert_ne!(snapshot(&git_dir), before, "{name}");
        stage.ok(&dir, &["deinit"]);
        assert_eq!(changed(&before, &snapshot(&git_dir)), Vec::<PathBuf>::new(), "{name}");

        assert_eq!(stage.json(&dir, &["init"])["means"], "file", "{name}");
        assert_eq!(
            (stage.hooks()["state"].clone(), stage.hooks()["how"].clone()),
            ("ok".into(), "file".into()),
            "{name}"
        );
        assert_reported(&stage, &dir, name);
    }
}

fn assert_reported(stage: &Stage, dir: &Path, name: &str) {
    let oid = stage.world.commit(dir, "a.rs", "fn a() {}\n", "Add a");
    let capture = eventually(name, || stage.world.capture_of(dir, &oid));
    assert_eq!(capture["source"], "hook", "{name}");
}

#[test]
fn with_a_newer_git_only_the_configuration_changes_in_every_layout() {
    for Layout { name, make } in LAYOUTS {
        let stage = Stage::new(Some("2.55.0"));
        let (dir, git_dir) = make(&stage);
        let before = snapshot(&git_dir);
        assert_eq!(stage.json(&dir, &["init"])["means"], "config", "{name}");
        assert_eq!(changed(&before, &snapshot(&git_dir)), [git_dir.join("config")], "{name}");
        assert_eq!(
            (stage.hooks()["state"].clone(), stage.hooks()["how"].clone()),
            ("ok".into(), "config".into()),
            "{name}"
        );
        assert!(stage.ok(&dir, &["init"]).contains("was captured already"), "{name}");
        stage.ok(&dir, &["deinit"]);
        assert_eq!(changed(&before, &snapshot(&git_dir)), Vec::<PathBuf>::new(), "{name}");
    }
}

#[test]
fn a_repository_whose_worktree_is_deleted_stays_registered() {
    let stage = Stage::new(None);
    let (tree, git_dir) = linked(&stage);
    stage.ok(&tree, &["init"]);
    let repo = git_dir.parent().unwrap();
    stage.world.git(repo, &["worktree", "remove", tree.to_str().unwrap()]);
    assert_eq!(stage.hooks()["repo"], repo.canonicalize().unwrap().to_str().unwrap());
    assert_reported(&stage, repo, "the main worktree");
}

#[test]
fn dotfiles_in_a_bare_repository_are_captured_when_asked_for() {
    let stage = Stage::new(None);
    let home = stage.world.path("home");
    let git_dir = home.join(".dotfiles");
    stage.world.git(&home, &["init", "-q", "--bare", git_dir.to_str().unwrap()]);
    let before = snapshot(&git_dir);
    stage.ok(&home, &["init", git_dir.to_str().unwrap()]);
    let dotfiles = |args: &[&str]| {
        let (git_dir, home_tree) =
            (format!("--git-dir={}", git_dir.display()), format!("--work-tree={}", home.display()));
        stage.world.git(&home, &[&[git_dir.as_str(), home_tree.as_str()], args].concat())
    };
    dotfiles(&["add", ".gitconfig"]);
    dotfiles(&["commit", "-q", "-m", "Keep the configuration"]);
    let oid = dotfiles(&["rev-parse", "HEAD"]);
    eventually("the dotfiles' capture", || stage.world.capture_of(&git_dir, &oid));
    stage.ok(&home, &["deinit", git_dir.to_str().unwrap()]);
    let hooks = |all: std::collections::BTreeMap<PathBuf, (u32, Vec<u8>)>| {
        all.into_iter().filter(|(path, _)| path.starts_with(git_dir.join("hooks"))).collect::<Vec<_>>()
    };
    assert_eq!(hooks(snapshot(&git_dir)), hooks(before));
}

#[test]
fn a_dry_run_lists_the_files_that_init_writes_and_writes_none() {
    for version in [None, Some("2.55.0")] {
        let stage = Stage::new(version);
        let (dir, _) = main(&stage);
        // So that the database is there: making it is not what is listed.
        stage.ok(&dir, &["init"]);
        stage.ok(&dir, &["deinit"]);
        for command in ["init", "deinit"] {
            let before = snapshot(&stage.world.path(""));
            let listed = stage.ok(&dir, &[command, "--dry-run"]);
            let mut listed: Vec<PathBuf> =
                listed.lines().map(PathBuf::from).filter(|path| !is_database(path)).collect();
            let of_database = |path: &&PathBuf| !is_database(path);
            let planned = snapshot(&stage.world.path(""));
            assert_eq!(changed(&before, &planned).iter().filter(of_database).count(), 0, "{command}");
            stage.ok(&dir, &[command]);
            let written = changed(&planned, &snapshot(&stage.world.path("")));
            listed.sort();
            assert_eq!(
                written.iter().filter(of_database).collect::<Vec<_>>(),
                listed.iter().collect::<Vec<_>>(),
                "{command}"
            );
        }
    }
}

/// The store's own files; SQLite writes beside its database.
fn is_database(path: &Path) -> bool {
    path.file_name().unwrap().to_string_lossy().starts_with("captures.db")
}

#[test]
fn a_repository_that_was_moved_keeps_its_captures() {
    let stage = Stage::new(None);
    let (repo, _) = main(&stage);
    stage.ok(&repo, &["init"]);
    assert_reported(&stage, &repo, "before");
    stage.ok(&repo, &["sidecar", "stop"]);
    let moved = stage.world.path("elsewhere");
    std::fs::rename(&repo, &moved).unwrap();
    assert!(stage.problems().contains("uro-capture init NEW_PATH"));
    stage.ok(&moved, &["init"]);
    assert_eq!(stage.world.log(&moved).len(), 1);
    assert_eq!(stage.hooks()["state"], "ok");
    assert_eq!(stage.problems(), "[]");
}

#[test]
fn a_repository_of_somebody_else_is_refused_with_a_reason() {
    if !super::is_root() {
        return;
    }
    let stage = Stage::new(None);
    let (repo, git_dir) = main(&stage);
    stage.ok(&repo, &["init"]);
    let owner = |uid: &str| {
        let chown = std::process::Command::new("chown").args(["-R", uid]).arg(&repo).status();
        assert!(chown.unwrap().success());
    };
    owner("65534");
    let before = snapshot(&git_dir);
    let (_, errors) = stage.refused(&repo, &["init"]);
    assert!(
        errors.contains("belongs to another user") && errors.contains("hint: git config --global --add"),
        "{errors}"
    );
    assert_eq!(snapshot(&git_dir), before);
    let problems = stage.problems();
    assert!(problems.contains("belongs to another user"), "{problems}");
    owner("0");
}
