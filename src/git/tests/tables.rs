//! New reflog entries of repositories that only the git CLI can open.

use jiff::Timestamp;

use super::backend_cli::reftable;
use super::collect::Reader;
use super::scratch::Scratch;
use crate::git::{LoggedChange, RefChange};
use crate::hook::test_program::write_program;

fn made(entries: &[LoggedChange]) -> Vec<String> {
    let made = |entry: &LoggedChange| match &entry.change {
        RefChange::Committed { oid, replaces, .. } => Some(format!("{} {}", oid.short(), replaces.len())),
        _ => None,
    };
    entries.iter().filter_map(made).collect()
}

fn made_as(oid: &crate::domain::id::Oid, replaces: usize) -> String {
    format!("{} {replaces}", oid.short())
}

#[test]
fn a_reftable_repository_tells_its_news_once() {
    let Some(scratch) = reftable() else { return };
    let mut reader = Reader::of(&scratch);
    let first = scratch.write("a", "1").commit("Start");
    assert_eq!(made(&reader.entries(&scratch)), [made_as(&first, 0)]);
    // All within one second.
    let commits: Vec<_> = (0..5).map(|n| scratch.write("a", format!("x{n}")).commit("Again")).collect();
    assert_eq!(made(&reader.entries(&scratch)), commits.iter().map(|oid| made_as(oid, 0)).collect::<Vec<_>>());
    assert_eq!(reader.entries(&scratch), []);
    scratch.git(&["commit", "--quiet", "--amend", "-m", "Other"]);
    assert_eq!(made(&reader.entries(&scratch)), [made_as(&scratch.rev("HEAD"), 1)]);
}

#[test]
fn switching_to_and_fro_within_a_second_hides_nothing() {
    let Some(scratch) = reftable() else { return };
    scratch.write("a", "1").commit("Start");
    scratch.git(&["branch", "other"]);
    scratch.write("a", "2").commit("Next");
    for _ in 0..3 {
        scratch.git(&["checkout", "--quiet", "other"]);
        scratch.git(&["checkout", "--quiet", "main"]);
    }
    let mut reader = Reader::of(&scratch);
    // The last entry is unchanged, and the branch renames its own log along.
    scratch.git(&["checkout", "--quiet", "other"]);
    let oid = scratch.write("a", "3").commit("Aside");
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.git(&["branch", "--quiet", "-D", "other"]);
    assert_eq!(made(&reader.entries(&scratch)), [made_as(&oid, 0)]);
}

#[test]
fn worktrees_silent_tools_and_rebases_of_a_reftable_repository_are_told_too() {
    let Some(scratch) = reftable() else { return };
    scratch.write("a", "1").commit("Start");
    scratch.git(&["checkout", "--quiet", "-b", "topic"]);
    scratch.write("b", "1").commit_at("Topic", 1_000);
    scratch.write("c", "1").commit_at("Topic two", 2_000);
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.write("d", "1").commit("Main");
    scratch.git(&["worktree", "add", "--quiet", "../linked", "topic"]);
    let mut reader = Reader::of(&scratch);
    let linked = scratch.outside().join("linked");
    let mut command = scratch.command();
    assert!(command.current_dir(&linked).args(["rebase", "--quiet", "main"]).output().unwrap().status.success());
    let entries = reader.entries(&scratch);
    assert_eq!(made(&entries), [made_as(&scratch.rev("topic~1"), 1), made_as(&scratch.rev("topic"), 1)]);
    let git_dir = scratch.open().location().git_dir.join("worktrees/linked");
    assert!(
        entries.iter().all(|entry| !matches!(entry.change, RefChange::Committed { .. }) || entry.git_dir == git_dir)
    );
    let (tree, base) = (scratch.git(&["rev-parse", "HEAD^{tree}"]), scratch.rev("HEAD"));
    let silent: crate::domain::id::Oid =
        scratch.git(&["commit-tree", "-p", "HEAD", "-m", "Silent", &tree]).parse().unwrap();
    scratch.git(&["update-ref", "refs/heads/silent", &format!("{silent}")]);
    let ref_updates: Vec<RefChange> = reader.entries(&scratch).into_iter().map(|entry| entry.change).collect();
    assert_eq!(ref_updates, [RefChange::UnloggedMove { from: Some(base.clone()), to: silent.clone() }]);
    let repo = scratch.open();
    assert_eq!(repo.commits_between(Some(&base), &silent, 10).unwrap(), std::slice::from_ref(&silent));
    assert!(repo.reflog_commits_since(Timestamp::UNIX_EPOCH).unwrap().iter().any(|made| made.oid == silent));
}

#[test]
fn expired_entries_do_not_make_the_rest_news_again() {
    let Some(scratch) = reftable() else { return };
    for n in 0..4 {
        scratch.write("a", n.to_string()).commit_at("Next", 1_000_000_000 + 1_000 * n);
    }
    let mut reader = Reader::of(&scratch);
    scratch.git(&["reflog", "expire", "--expire=2001-09-09T02:35:00Z", "HEAD", "main"]);
    assert!(scratch.git(&["reflog"]).lines().count() < 4);
    assert_eq!(made(&reader.entries(&scratch)), Vec::<String>::new());
    let oid = scratch.write("a", "more").commit("More");
    assert_eq!(made(&reader.entries(&scratch)), [made_as(&oid, 0)]);
}

#[test]
fn a_sha256_repository_has_logs_like_any_other() {
    let scratch = Scratch::with(&["--object-format=sha256"]);
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    scratch.write("a", "2").commit("Next");
    scratch.git(&["commit", "--quiet", "--amend", "-m", "Other"]);
    assert_eq!(made(&reader.entries(&scratch)), [made_as(&scratch.rev("HEAD"), 1)]);
}

#[test]
fn no_signature_is_checked_with_a_program_that_the_repository_names() {
    let Some(scratch) = reftable() else { return };
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    let program = scratch.outside().join("evil");
    write_program(&program, format!("#!/bin/sh\ntouch {}/ran\n", scratch.outside().display()).as_bytes());
    scratch.git(&["config", "gpg.program", program.to_str().unwrap()]);
    scratch.git(&["config", "log.showSignature", "true"]);
    let signature = "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n";
    let raw = scratch.git(&["cat-file", "commit", "HEAD"]).replacen("\n\n", signature, 1) + "\n";
    let signed = scratch.feed(&["hash-object", "-t", "commit", "-w", "--stdin"], raw.as_bytes());
    scratch.git(&["update-ref", "-m", "commit: signed", "HEAD", &signed]);
    assert_eq!(made(&reader.entries(&scratch)).len(), 1);
    assert!(!scratch.outside().join("ran").exists());
}
