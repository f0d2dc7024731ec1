//! Staged commit preview compared with the commit that git then makes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::scratch::Scratch;
use crate::domain::patch::{Commit, Patch};
use crate::git::staged::StagingMoment;
use crate::git::{Bounds, Exclude, Repo};

/// A repository with a commit.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("src/lib.rs", "fn one() {}\n".repeat(9)).write("src/deep/a.txt", "a\nb\nc\n").write("src-x", "x\n");
    scratch.write("gone", "line one\nline two\nline three\n").write("also/gone", "g\n").commit("Begin");
    scratch
}

fn stage_changes(scratch: &Scratch) {
    scratch
        .write("src/lib.rs", "fn one() {}\n".repeat(8) + "fn two() {}\n")
        .write("src/new/deep/b.rs", "pub fn b() {}\n");
    scratch.write("come", "line one\nline two\nline four\n").remove("gone").remove("also/gone").write("src.y", "y\n");
    scratch.git(&["add", "--all"]);
}

fn staged(repo: &Repo, moment: StagingMoment) -> Option<Commit> {
    let staged = repo.staged(moment).unwrap()?;
    Some(repo.staged_commit(&staged, &Bounds::default(), Exclude::excluding(&|_| false)).unwrap())
}

/// The staged preview while `git commit` with these arguments has its editor open, in the directory `at`.
fn while_edited(scratch: &Scratch, at: &Path, args: &[&str]) -> Option<Commit> {
    let editor = scratch.outside().join("editor");
    // The editor signals that it is open, waits for a line, and writes the message.
    std::fs::write(&editor, "echo open; read -r line; printf 'New words\\n' > \"$1.new\"; mv \"$1.new\" \"$1\"\n")
        .unwrap();
    let mut command = scratch.command();
    command.current_dir(at).env("GIT_EDITOR", format!("sh '{}'", editor.display())).args(["commit", "--quiet"]);
    let mut child = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "open\n");
    let found = staged(&Repo::discover(at).unwrap(), StagingMoment::Editor);
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(child.wait().unwrap().success());
    found
}

fn committed(at: &Path) -> Commit {
    let repo = Repo::discover(at).unwrap();
    repo.commit(&repo.head().unwrap(), &Bounds::default(), &|_| false).unwrap()
}

#[track_caller]
fn assert_foreseen(found: Option<Commit>, made: &Commit) {
    let found = found.expect("something was staged");
    assert_eq!((&found.tree, &found.parents), (&made.tree, &made.parents));
    assert_eq!(found.patch, Patch { patch_id: None, ..made.patch.clone() });
    assert!(!found.patch.files.is_empty());
}

/// Every file below a directory with its content, times aside.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn what_is_staged_is_the_commit_to_come() {
    let scratch = scratch();
    stage_changes(&scratch);
    let found = staged(&scratch.open(), StagingMoment::Settled);
    scratch.commit("Change");
    assert_foreseen(found, &committed(&scratch.path()));
}

#[test]
fn reading_it_writes_nothing_into_the_repository() {
    let scratch = scratch();
    stage_changes(&scratch);
    let before = contents(&scratch.path());
    assert!(staged(&scratch.open(), StagingMoment::Settled).is_some());
    assert_eq!(contents(&scratch.path()), before);
}

#[test]
fn while_an_editor_is_open_the_commit_is_known_however_it_was_made() {
    for args in [&[][..], &["--all"], &["--include", "src/lib.rs"], &["--only", "--", "src/lib.rs"], &["--", "src.y"]] {
        let scratch = scratch();
        stage_changes(&scratch);
        scratch.git(&["reset", "--quiet", "src/deep"]);
        scratch.write("src/lib.rs", "fn three() {}\n").write("src/deep/a.txt", "later\n");
        let found = while_edited(&scratch, &scratch.path(), args);
        assert_foreseen(found, &committed(&scratch.path()));
    }
}

#[test]
fn the_first_commit_is_known_too_and_nothing_staged_is_nothing() {
    let scratch = Scratch::new();
    assert_eq!(staged(&scratch.open(), StagingMoment::Editor), None);
    scratch.write("top", "one\n").git(&["add", "--all"]);
    let found = while_edited(&scratch, &scratch.path(), &[]);
    assert_foreseen(found, &committed(&scratch.path()));
    assert_eq!(staged(&scratch.open(), StagingMoment::Settled), None, "all of it is committed");
}

#[test]
fn an_amended_commit_lies_on_what_it_replaces_lay_on() {
    let scratch = scratch();
    stage_changes(&scratch);
    scratch.commit("Second\n\nwith a body");
    scratch.write("src/lib.rs", "fn four() {}\n").git(&["add", "--all"]);
    let found = while_edited(&scratch, &scratch.path(), &["--amend"]);
    assert_foreseen(found, &committed(&scratch.path()));
    // The first commit has nothing below it.
    scratch.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
    let found = while_edited(&scratch, &scratch.path(), &["--amend"]);
    assert_foreseen(found, &committed(&scratch.path()));
}

#[test]
fn a_linked_worktree_has_an_index_of_its_own() {
    let scratch = scratch();
    let other = scratch.outside().join("other");
    scratch.git(&["worktree", "add", "--quiet", "-b", "other", other.to_str().unwrap()]);
    std::fs::write(other.join("src/lib.rs"), "fn elsewhere() {}\n").unwrap();
    let found = while_edited(&scratch, &other, &["--all"]);
    assert_foreseen(found, &committed(&other));
    assert_eq!(staged(&scratch.open(), StagingMoment::Settled), None);
}

#[test]
fn links_submodules_and_files_that_are_only_intended_are_as_git_has_them() {
    let scratch = scratch();
    std::os::unix::fs::symlink("src-x", scratch.path().join("link")).unwrap();
    scratch.write("tool.sh", "#!/bin/sh\n").git(&["add", "link", "tool.sh"]);
    scratch.git(&["update-index", "--chmod=+x", "tool.sh"]);
    let head = scratch.rev("HEAD");
    scratch.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},sub/module")]);
    scratch.write("later/only.rs", "fn later() {}\n").git(&["add", "--intent-to-add", "later/only.rs"]);
    let found = staged(&scratch.open(), StagingMoment::Settled).unwrap();
    assert_eq!(found.tree.as_str(), scratch.git(&["write-tree"]));
    assert_eq!(found.patch.files.len(), 3);
}

#[test]
fn a_merge_open_conflicts_a_sequence_and_a_commit_that_is_made_are_nothing_to_read() {
    let scratch = scratch();
    scratch.git(&["checkout", "--quiet", "-b", "side"]);
    scratch.write("src/lib.rs", "fn side() {}\n").commit("Side");
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.write("src/lib.rs", "fn main() {}\n").commit("Main");
    scratch.command().args(["merge", "--quiet", "side"]).output().unwrap();
    assert_eq!(staged(&scratch.open(), StagingMoment::Settled), None, "MERGE_HEAD");
    std::fs::remove_file(scratch.path().join(".git/MERGE_HEAD")).unwrap();
    assert_eq!(staged(&scratch.open(), StagingMoment::Settled), None, "conflicts");
    scratch.git(&["reset", "--quiet", "--hard"]);
    stage_changes(&scratch);
    assert!(staged(&scratch.open(), StagingMoment::Settled).is_some());
    std::fs::create_dir(scratch.path().join(".git/rebase-merge")).unwrap();
    assert_eq!(staged(&scratch.open(), StagingMoment::Settled), None, "a rebase");
    std::fs::remove_dir(scratch.path().join(".git/rebase-merge")).unwrap();
    scratch.commit("Made");
    scratch.write("src/lib.rs", "fn next() {}\n").git(&["add", "--all"]);
    assert_eq!(staged(&scratch.open(), StagingMoment::Editor), None, "its message is that of the commit before");
}

#[test]
fn what_no_index_is_in_is_said_and_not_guessed() {
    let scratch = scratch();
    stage_changes(&scratch);
    std::fs::write(scratch.path().join(".git/index"), b"DIRC broken").unwrap();
    assert!(scratch.open().staged(StagingMoment::Settled).is_err());
    std::fs::remove_file(scratch.path().join(".git/index")).unwrap();
    assert!(scratch.open().staged(StagingMoment::Settled).is_err());
}

#[test]
fn reftable_repositories_are_read_ahead_and_sha_256_is_left_alone() {
    let tables = Scratch::with(&["--ref-format=reftable"]);
    tables.write("a.rs", "fn a() {}\n").commit("Begin");
    tables.write("a.rs", "fn b() {}\n").git(&["add", "--all"]);
    let found = staged(&tables.open(), StagingMoment::Settled);
    tables.commit("Change");
    assert_foreseen(found, &committed(&tables.path()));
    let long = Scratch::with(&["--object-format=sha256"]);
    long.write("a.rs", "fn a() {}\n").commit("Begin");
    long.write("a.rs", "fn b() {}\n").git(&["add", "--all"]);
    assert!(!matches!(long.open().staged(StagingMoment::Settled), Ok(Some(_))));
}
