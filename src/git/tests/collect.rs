//! New reflog entries against real git.

use jiff::Timestamp;

use super::scratch::Scratch;
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;
use crate::git::{LoggedChange, RefChange};

/// A reader that keeps its positions.
pub struct Reader {
    positions: Vec<LogPosition>,
    since: Timestamp,
}

impl Reader {
    /// Marks everything up to now as known.
    pub fn of(scratch: &Scratch) -> Self {
        Self { positions: scratch.open().log_ends().unwrap(), since: "2020-01-01T00:00:00Z".parse().unwrap() }
    }

    pub fn entries(&mut self, scratch: &Scratch) -> Vec<LoggedChange> {
        let mut entries = Vec::new();
        loop {
            let news = scratch.open().log_updates(&self.positions, self.since).unwrap();
            for position in news.positions {
                self.positions.retain(|old| old.log != position.log);
                self.positions.push(position);
            }
            entries.extend(news.entries);
            if !news.more {
                return entries;
            }
        }
    }

    fn ref_updates(&mut self, scratch: &Scratch) -> Vec<RefChange> {
        self.entries(scratch).into_iter().map(|entry| entry.change).collect()
    }
}

fn step(oid: &Oid, replaces: &[&Oid]) -> RefChange {
    RefChange::Committed { oid: oid.clone(), replaces: replaces.iter().map(|oid| (*oid).clone()).collect(), step: true }
}

/// The commits that were made, with what each replaced.
fn made_of(ref_updates: &[RefChange]) -> Vec<(Oid, Vec<Oid>)> {
    let made = |ref_update: &RefChange| match ref_update {
        RefChange::Committed { oid, replaces, .. } => Some((oid.clone(), replaces.clone())),
        _ => None,
    };
    ref_updates.iter().filter_map(made).collect()
}

fn replaced_by(ref_updates: &[RefChange], oid: &Oid) -> Vec<Oid> {
    let mut found =
        made_of(ref_updates).into_iter().find(|(made, _)| made == oid).map(|(_, old)| old).unwrap_or_default();
    found.sort();
    found
}

fn sorted(oids: &[&Oid]) -> Vec<Oid> {
    let mut oids: Vec<Oid> = oids.iter().map(|oid| (*oid).clone()).collect();
    oids.sort();
    oids
}

fn made(oid: &Oid, replaces: &[&Oid]) -> RefChange {
    RefChange::Committed {
        oid: oid.clone(),
        replaces: replaces.iter().map(|oid| (*oid).clone()).collect(),
        step: false,
    }
}

#[test]
fn a_commit_is_news_once_and_what_was_there_before_is_none() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    assert_eq!(reader.entries(&scratch), []);
    let oid = scratch.write("a", "2").commit("Next");
    assert_eq!(reader.ref_updates(&scratch), [made(&oid, &[])]);
    assert_eq!(reader.entries(&scratch), []);
}

#[test]
fn the_first_commit_of_a_new_repository_is_news() {
    let scratch = Scratch::new();
    let mut reader = Reader::of(&scratch);
    let oid = scratch.write("a", "1").commit("Start");
    let entries = reader.entries(&scratch);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].change, made(&oid, &[]));
    assert_eq!(entries[0].git_dir, scratch.open().location().git_dir);
}

#[test]
fn of_amends_only_the_last_is_told_with_all_that_it_stands_for() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    let first = scratch.write("a", "2").commit("One");
    scratch.git(&["commit", "--quiet", "--amend", "-m", "Two"]);
    let second = scratch.rev("HEAD");
    scratch.git(&["commit", "--quiet", "--amend", "-m", "Three"]);
    let third = scratch.rev("HEAD");
    assert_eq!(reader.ref_updates(&scratch), [made(&third, &[&second, &first])]);
    scratch.git(&["commit", "--quiet", "--amend", "-m", "Four"]);
    assert_eq!(reader.ref_updates(&scratch), [made(&scratch.rev("HEAD"), &[&third])]);
}

#[test]
fn what_was_reset_away_and_committed_again_under_its_message_is_replaced() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    let old = scratch.write("a", "2").commit("Same\n\nwith a body");
    assert_eq!(reader.ref_updates(&scratch), [made(&old, &[])]);
    scratch.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
    // In two reads: the reset is known when the commit arrives.
    assert!(matches!(reader.ref_updates(&scratch)[..], [RefChange::Pulled { .. }]));
    let new = scratch.write("a", "3").commit("Same\n\nwith a body");
    assert_eq!(reader.ref_updates(&scratch), [made(&new, &[&old])]);
    scratch.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
    let other = scratch.write("a", "4").commit("Same\n\nwith another body");
    assert_eq!(made_of(&reader.ref_updates(&scratch)), [(other, vec![])]);
}

#[test]
fn pulls_fast_forwards_checkouts_and_clones_make_nothing() {
    let upstream = Scratch::new();
    upstream.write("a", "1").commit("Start");
    let scratch = Scratch::new();
    let mut reader = Reader::of(&scratch);
    scratch.git(&["remote", "add", "origin", upstream.path().to_str().unwrap()]);
    scratch.git(&["pull", "--quiet", "origin", "main"]);
    let next = upstream.write("a", "2").commit("Next");
    scratch.git(&["pull", "--quiet", "origin", "main:main"]);
    scratch.git(&["checkout", "--quiet", "-b", "topic", "HEAD~1"]);
    scratch.git(&["merge", "--quiet", "main"]);
    scratch.git(&["branch", "other", "HEAD~1"]);
    scratch.git(&["branch", "-f", "other", "HEAD"]);
    scratch.git(&["fetch", "--quiet", ".", "main:fetched"]);
    scratch.git(&["push", "--quiet", ".", "main:pushed"]);
    scratch.git(&["branch", "-m", "other", "renamed"]);
    scratch.git(&["branch", "-c", "topic", "copied"]);
    scratch.git(&["worktree", "add", "--quiet", "../linked", "renamed"]);
    scratch.git(&["checkout", "--quiet", "-b", "behind", "HEAD~1"]);
    scratch.git(&["symbolic-ref", "-m", "a tool", "HEAD", "refs/heads/main"]);
    scratch.write("a", "stashed");
    scratch.git(&["stash", "--quiet"]);
    let ref_updates = reader.ref_updates(&scratch);
    assert!(ref_updates.iter().all(|ref_update| matches!(ref_update, RefChange::Pulled { .. })), "{ref_updates:?}");
    assert!(ref_updates.iter().any(|ref_update| matches!(ref_update, RefChange::Pulled { to, .. } if *to == next)));
    assert!(!scratch.open().reflog_commits_since(Timestamp::UNIX_EPOCH).unwrap().iter().any(|made| made.oid == next));
}

#[test]
fn merges_cherry_picks_reverts_and_patches_are_made_here() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    scratch.git(&["checkout", "--quiet", "-b", "topic"]);
    scratch.write("b", "1").commit("Topic");
    let patch = scratch.git(&["format-patch", "-1", "--stdout"]) + "\n";
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.write("c", "1").commit("Main");
    let mut reader = Reader::of(&scratch);
    let mut expected = Vec::new();
    let mut run = |args: &[&str]| {
        scratch.git(args);
        expected.push(made(&scratch.rev("HEAD"), &[]));
    };
    run(&["merge", "--quiet", "--no-ff", "-m", "Merge", "topic"]);
    run(&["revert", "--no-edit", "-m", "1", "HEAD"]);
    run(&["cherry-pick", "topic"]);
    run(&["revert", "--no-edit", "HEAD"]);
    scratch.feed(&["am", "--quiet"], patch.as_bytes());
    expected.push(step(&scratch.rev("HEAD"), &[]));
    assert_eq!(reader.ref_updates(&scratch), expected);
}

/// `main` with a commit, and `topic` with four before it, checked out.
fn forked() -> (Scratch, [Oid; 4]) {
    let scratch = Scratch::new();
    scratch.write("base", "1").commit_at("Start", 100);
    scratch.git(&["checkout", "--quiet", "-b", "topic"]);
    let commits =
        [200, 300, 400, 500].map(|at| scratch.write(&format!("f{at}"), "x").commit_at(&format!("At {at}"), at));
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.write("main", "1").commit_at("Main", 600);
    scratch.git(&["checkout", "--quiet", "topic"]);
    (scratch, commits)
}

fn rebase(scratch: &Scratch, edit: &str, args: &[&str]) {
    let mut command = scratch.command();
    command.env("GIT_SEQUENCE_EDITOR", format!("sed -i {edit}")).env("GIT_EDITOR", "sed -i -e s/At/Reworded/");
    let output = command.args(["rebase", "--quiet", "-i"]).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_commit_of_a_rebase_stands_for_its_original() {
    for backend in ["--merge", "--apply"] {
        let (scratch, old) = forked();
        let mut reader = Reader::of(&scratch);
        scratch.git(&["rebase", "--quiet", backend, "main"]);
        let ref_updates = reader.ref_updates(&scratch);
        let new: Vec<Oid> = (0..4).rev().map(|n| scratch.rev(&format!("HEAD~{n}"))).collect();
        let expected: Vec<_> = new.iter().zip(&old).map(|(new, old)| (new.clone(), vec![old.clone()])).collect();
        assert_eq!(made_of(&ref_updates), expected, "{backend}");
        assert!(ref_updates.iter().all(|ref_update| !matches!(ref_update, RefChange::Committed { step: false, .. })));
        assert!(
            !ref_updates.iter().any(|ref_update| matches!(ref_update, RefChange::UnloggedMove { .. })),
            "{ref_updates:?}"
        );
    }
}

#[test]
fn squashed_fixed_up_and_reworded_commits_are_all_linked() {
    let (scratch, old) = forked();
    let mut reader = Reader::of(&scratch);
    rebase(&scratch, "-e 2s/^pick/squash/ -e 3s/^pick/reword/ -e 4s/^pick/fixup/", &["main"]);
    let ref_updates = reader.ref_updates(&scratch);
    let (first, second) = (scratch.rev("HEAD~1"), scratch.rev("HEAD"));
    assert_eq!(made_of(&ref_updates).len(), 2, "{ref_updates:?}");
    let of_first = replaced_by(&ref_updates, &first);
    assert!(of_first.contains(&old[0]) && of_first.contains(&old[1]) && !of_first.contains(&old[2]), "{of_first:?}");
    let of_second = replaced_by(&ref_updates, &second);
    assert!(
        of_second.contains(&old[2]) && of_second.contains(&old[3]) && !of_second.contains(&old[1]),
        "{of_second:?}"
    );
}

/// All within one second, so that dates do not distinguish them.
#[test]
fn what_is_squashed_beside_a_reworded_commit_goes_to_the_one_that_it_was_folded_into() {
    for upstream in ["main", "HEAD~5"] {
        let scratch = Scratch::new();
        scratch.write("base", "1").commit("Start");
        scratch.git(&["checkout", "--quiet", "-b", "topic"]);
        let old: Vec<Oid> = (0..5).map(|n| scratch.write(&format!("f{n}"), "1").commit(&format!("At {n}"))).collect();
        scratch.git(&["checkout", "--quiet", "main"]);
        scratch.write("main", "1").commit("Main");
        scratch.git(&["checkout", "--quiet", "topic"]);
        let mut reader = Reader::of(&scratch);
        rebase(&scratch, "-e 3s/^pick/squash/ -e 5s/^pick/reword/", &[upstream]);
        let ref_updates = reader.ref_updates(&scratch);
        let (folded, reworded) =
            (replaced_by(&ref_updates, &scratch.rev("HEAD~2")), replaced_by(&ref_updates, &scratch.rev("HEAD")));
        assert!(folded.contains(&old[1]) && folded.contains(&old[2]), "{upstream}: {folded:?}");
        assert!(reworded.contains(&old[4]) && !reworded.contains(&old[2]), "{upstream}: {reworded:?}");
    }
}

#[test]
fn what_was_dropped_beside_a_squash_cannot_be_told_and_both_are_left_alone() {
    let (scratch, old) = forked();
    let mut reader = Reader::of(&scratch);
    rebase(&scratch, "-e 2s/^pick/squash/ -e 4d", &["main"]);
    let ref_updates = reader.ref_updates(&scratch);
    let replaced: Vec<Oid> = made_of(&ref_updates).into_iter().flat_map(|(_, replaces)| replaces).collect();
    assert!(replaced.contains(&old[0]) && replaced.contains(&old[2]), "{ref_updates:?}");
    assert!(!replaced.contains(&old[1]) && !replaced.contains(&old[3]), "{ref_updates:?}");
}

#[test]
fn an_amend_to_the_very_same_commit_replaces_nothing() {
    let scratch = Scratch::new();
    let mut reader = Reader::of(&scratch);
    scratch.write("a", "1").git(&["add", "--all"]);
    scratch.git(&["commit", "--quiet", "-m", "Start"]);
    let first = scratch.rev("HEAD");
    for _ in 0..2 {
        scratch.git(&["commit", "--quiet", "--amend", "--no-edit"]);
        assert_eq!(scratch.rev("HEAD"), first, "dates are frozen");
    }
    scratch.git(&["reset", "--quiet", "--soft", "HEAD"]);
    let commits = scratch.open().reflog_commits_since(Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(commits.iter().map(|made| (&made.oid, &made.replaces)).collect::<Vec<_>>(), [(&first, &None)]);
    assert_eq!(reader.ref_updates(&scratch), [made(&first, &[])]);
    // Back and forth.
    scratch.git(&["commit", "--quiet", "--amend", "-m", "Other"]);
    scratch.git(&["commit", "--quiet", "--amend", "-m", "Start"]);
    assert_eq!(scratch.rev("HEAD"), first);
    let commits = scratch.open().reflog_commits_since(Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(commits.len(), 1);
    assert!(commits[0].oid == first && commits[0].replaces.as_ref() != Some(&first), "{commits:?}");
}

#[test]
fn commits_folded_in_place_are_linked() {
    let (scratch, old) = forked();
    let mut reader = Reader::of(&scratch);
    rebase(&scratch, "-e 2,4s/^pick/fixup/", &["HEAD~4"]);
    let ref_updates = reader.ref_updates(&scratch);
    let replaced = replaced_by(&ref_updates, &scratch.rev("HEAD"));
    assert!(old.iter().all(|old| replaced.contains(old)), "{replaced:?}");
    assert_eq!(made_of(&ref_updates).len(), 1);
}

#[test]
fn a_commit_reworded_in_place_stands_for_the_one_it_was() {
    let (scratch, old) = forked();
    let mut reader = Reader::of(&scratch);
    rebase(&scratch, "-e 2s/^pick/reword/", &["HEAD~4"]);
    let ref_updates = reader.ref_updates(&scratch);
    assert_eq!(replaced_by(&ref_updates, &scratch.rev("HEAD~2")), sorted(&[&old[1]]));
    assert_eq!(replaced_by(&ref_updates, &scratch.rev("HEAD")), sorted(&[&old[3]]));
    // The one before it was not touched.
    assert_eq!(made_of(&ref_updates).len(), 3);
}

#[test]
fn a_rebase_that_was_read_while_it_ran_is_linked_at_its_end() {
    let (scratch, old) = forked();
    let mut reader = Reader::of(&scratch);
    rebase(&scratch, "-e 2s/^pick/squash/ -e 3s/^pick/edit/", &["main"]);
    let running = reader.ref_updates(&scratch);
    let squashed = scratch.rev("HEAD~1");
    assert_eq!(made_of(&running).len(), 2, "{running:?}");
    scratch.write("more", "x");
    scratch.git(&["add", "--all"]);
    scratch.git(&["commit", "--quiet", "--amend", "-m", "Edited by hand"]);
    let mut command = scratch.command();
    assert!(command.env("GIT_EDITOR", "true").args(["rebase", "--continue"]).output().unwrap().status.success());
    let ended = reader.ref_updates(&scratch);
    let edited = scratch.rev("HEAD~1");
    let (first, second, third) =
        (replaced_by(&ended, &squashed), replaced_by(&ended, &edited), replaced_by(&ended, &scratch.rev("HEAD")));
    assert!(first.contains(&old[0]) && first.contains(&old[1]), "{ended:?}");
    assert!(second.contains(&old[2]), "{ended:?}");
    assert_eq!(third, sorted(&[&old[3]]));
}

#[test]
fn several_commits_told_before_the_end_are_linked_each_with_its_own() {
    let (scratch, old) = forked();
    let mut reader = Reader::of(&scratch);
    rebase(&scratch, "-e 4s/^pick/edit/", &["main"]);
    assert_eq!(made_of(&reader.ref_updates(&scratch)).len(), 4);
    scratch.git(&["rebase", "--continue"]);
    let new: Vec<Oid> = (0..4).rev().map(|n| scratch.rev(&format!("HEAD~{n}"))).collect();
    let expected: Vec<_> = new.iter().zip(&old).map(|(new, old)| (new.clone(), vec![old.clone()])).collect();
    assert_eq!(made_of(&reader.ref_updates(&scratch)), expected);
}

#[test]
fn a_long_rebase_is_linked_however_far_back_it_began() {
    let scratch = Scratch::new();
    scratch.write("base", "1").commit_at("Start", 100);
    scratch.git(&["checkout", "--quiet", "-b", "topic"]);
    let subject = |n: i64| format!("Number {n} {}", "long ".repeat(60));
    let old: Vec<Oid> = (0..20).map(|n| scratch.write(&format!("f{n}"), "x").commit_at(&subject(n), 200 + n)).collect();
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.write("main", "1").commit_at("Main", 600);
    scratch.git(&["checkout", "--quiet", "topic"]);
    let mut reader = Reader::of(&scratch);
    rebase(&scratch, "-e 20s/^pick/edit/", &["main"]);
    assert_eq!(made_of(&reader.ref_updates(&scratch)).len(), 20);
    scratch.git(&["rebase", "--continue"]);
    let ended = made_of(&reader.ref_updates(&scratch));
    assert_eq!(ended.into_iter().flat_map(|(_, old)| old).collect::<Vec<_>>(), old);
}

#[test]
fn a_renamed_branch_is_the_one_it_was() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    let tree = scratch.git(&["rev-parse", "HEAD^{tree}"]);
    let silent = scratch.git(&["commit-tree", "-p", "HEAD", "-m", "By a tool", &tree]);
    scratch.git(&["update-ref", "refs/heads/aside", &silent]);
    let mut reader = Reader::of(&scratch);
    scratch.git(&["branch", "-m", "aside", "renamed"]);
    assert_eq!(reader.entries(&scratch), []);
}

#[test]
fn dropped_commits_count_for_no_author() {
    let (scratch, old) = forked();
    let mut reader = Reader::of(&scratch);
    rebase(&scratch, "-e 2s/^pick/drop/", &["main"]);
    let ref_updates = reader.ref_updates(&scratch);
    assert!(made_of(&ref_updates).iter().all(|(_, replaces)| !replaces.contains(&old[1])), "{ref_updates:?}");
    assert_eq!(made_of(&ref_updates).len(), 3);
}

#[test]
fn an_aborted_rebase_made_nothing() {
    let (scratch, _) = forked();
    scratch.write("main", "conflict").commit_at("Conflicting", 700);
    let mut reader = Reader::of(&scratch);
    assert!(!scratch.command().args(["rebase", "--quiet", "main"]).output().unwrap().status.success());
    scratch.git(&["rebase", "--abort"]);
    assert_eq!(made_of(&reader.ref_updates(&scratch)), []);
}

#[test]
fn a_commit_resolved_by_hand_stands_for_its_original() {
    let (scratch, _) = forked();
    let old = scratch.write("main", "conflict").commit_at("Conflicting", 700);
    let mut reader = Reader::of(&scratch);
    assert!(!scratch.command().args(["rebase", "--quiet", "main"]).output().unwrap().status.success());
    scratch.write("main", "resolved");
    scratch.git(&["add", "--all"]);
    let mut command = scratch.command();
    assert!(command.env("GIT_EDITOR", "true").args(["rebase", "--continue"]).output().unwrap().status.success());
    assert_eq!(replaced_by(&reader.ref_updates(&scratch), &scratch.rev("HEAD")), [old]);
}

#[test]
fn branches_that_a_rebase_takes_along_did_not_move_silently() {
    let (scratch, _) = forked();
    scratch.git(&["branch", "below", "HEAD~2"]);
    let mut reader = Reader::of(&scratch);
    scratch.git(&["rebase", "--quiet", "--update-refs", "main"]);
    assert!(
        !reader.ref_updates(&scratch).iter().any(|ref_update| matches!(ref_update, RefChange::UnloggedMove { .. }))
    );
}

#[test]
fn silent_tools_move_branches() {
    let scratch = Scratch::new();
    let start = scratch.write("a", "1").commit("Start");
    scratch.write("a", "2").commit("Next");
    let mut reader = Reader::of(&scratch);
    let tree = scratch.git(&["rev-parse", "HEAD^{tree}"]);
    let parent = scratch.rev("HEAD");
    let commit: Oid = scratch.git(&["commit-tree", "-p", "HEAD", "-m", "By a tool", &tree]).parse().unwrap();
    scratch.git(&["update-ref", "refs/heads/main", commit.as_str()]);
    assert_eq!(
        reader.ref_updates(&scratch),
        [RefChange::UnloggedMove { from: Some(parent.clone()), to: commit.clone() }]
    );
    // A new branch is reported with its base; one at the tip of another branch adds nothing.
    let other: Oid = scratch.git(&["commit-tree", "-p", start.as_str(), "-m", "Aside", &tree]).parse().unwrap();
    scratch.git(&["update-ref", "refs/heads/aside", other.as_str()]);
    scratch.git(&["update-ref", "-m", "backup", "refs/heads/backup", commit.as_str()]);
    let mut ref_updates = reader.ref_updates(&scratch);
    ref_updates.sort_by_key(|ref_update| matches!(ref_update, RefChange::Pulled { .. }));
    let moved = RefChange::UnloggedMove { from: Some(start.clone()), to: other.clone() };
    assert_eq!(ref_updates, [moved, RefChange::Pulled { from: None, to: commit.clone() }]);
    let repo = scratch.open();
    assert_eq!(repo.commits_between(Some(&start), &other, 10).unwrap(), std::slice::from_ref(&other));
    assert_eq!(repo.commits_between(None, &commit, 2).unwrap(), [parent, commit]);
}

/// A commit made by plumbing that is on no branch.
fn loose(scratch: &Scratch, parent: &Oid, message: &str) -> Oid {
    let tree = scratch.git(&["rev-parse", "HEAD^{tree}"]);
    scratch.git(&["commit-tree", "-p", parent.as_str(), "-m", message, &tree]).parse().unwrap()
}

#[test]
fn what_a_tool_brought_to_the_branch_is_told_though_another_branch_was_made_of_it() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    let parent = scratch.rev("HEAD");
    let commit = loose(&scratch, &parent, "By a tool");
    scratch.git(&["update-ref", "refs/heads/main", commit.as_str()]);
    // By a tool that writes no logs.
    std::fs::write(scratch.path().join(".git/refs/heads/backup"), format!("{commit}\n")).unwrap();
    assert_eq!(reader.ref_updates(&scratch), [RefChange::UnloggedMove { from: Some(parent), to: commit }]);
}

#[test]
fn the_place_after_a_line_without_message_is_found_again_when_the_log_was_rewritten() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    let mut tip = scratch.rev("HEAD");
    for message in ["One", "Two"] {
        let next = loose(&scratch, &tip, message);
        scratch.git(&["update-ref", "refs/heads/main", next.as_str()]);
        assert_eq!(reader.ref_updates(&scratch), [RefChange::UnloggedMove { from: Some(tip), to: next.clone() }]);
        scratch.git(&["reflog", "expire", "--expire=never", "--expire-unreachable=never", "--all"]);
        tip = next;
    }
    assert_eq!(reader.ref_updates(&scratch), []);
}

/// A line written into a log by a tool, of the given length.
fn append(scratch: &Scratch, log: &str, (old, new): (&Oid, &Oid), length: usize) {
    let path = scratch.path().join(".git/logs").join(log);
    let line = format!("{old} {new} A U Thor <author@example.org> 1700000000 +0100\t{}\n", "x".repeat(length));
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + &line).unwrap();
}

#[test]
fn a_giant_log_that_a_tool_wrote_comes_in_pieces_and_nothing_is_taken_for_a_switch() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    let mut tip = scratch.rev("HEAD");
    // One read of HEAD's log then ends one commit before that of the branch log.
    append(&scratch, "HEAD", (&tip, &tip), 400_000);
    let mut moves = Vec::new();
    for n in 0..4 {
        let next = loose(&scratch, &tip, &n.to_string());
        append(&scratch, "HEAD", (&tip, &next), 400_000);
        append(&scratch, "refs/heads/main", (&tip, &next), 400_000);
        std::fs::write(scratch.path().join(".git/refs/heads/main"), format!("{next}\n")).unwrap();
        moves.push(RefChange::UnloggedMove { from: Some(tip), to: next.clone() });
        tip = next;
    }
    assert_eq!(reader.ref_updates(&scratch), moves);
}

#[test]
fn what_fast_import_brings_is_told_with_all_its_commits() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    let commit = |branch: &str, n: u32, from: &str| {
        format!("commit refs/heads/{branch}\ncommitter I <i@x> {n} +0000\ndata 2\nx\n{from}\n")
    };
    let stream = commit("one", 10, "") + &commit("one", 20, "") + &commit("two", 30, "from refs/heads/one\n");
    scratch.feed(&["fast-import", "--quiet"], stream.as_bytes());
    let ref_updates = reader.ref_updates(&scratch);
    let (one, two) = (scratch.rev("one"), scratch.rev("two"));
    assert!(ref_updates.contains(&RefChange::UnloggedMove { from: None, to: one }), "{ref_updates:?}");
    assert!(ref_updates.contains(&RefChange::UnloggedMove { from: None, to: two.clone() }), "{ref_updates:?}");
    assert_eq!(scratch.open().commits_between(None, &two, 10).unwrap().len(), 3);
}

#[test]
fn commits_in_linked_worktrees_are_told_with_their_directory() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    scratch.git(&["worktree", "add", "--quiet", "-b", "side", "../linked"]);
    let linked = scratch.outside().join("linked");
    let commit = || {
        let mut command = scratch.command();
        command.current_dir(&linked).args(["commit", "--quiet", "--allow-empty", "-m", "Linked"]);
        assert!(command.output().unwrap().status.success());
        scratch.rev("side")
    };
    let git_dir = scratch.open().location().git_dir.join("worktrees/linked");
    commit();
    let entries = reader.entries(&scratch);
    let made: Vec<_> = entries.iter().filter(|entry| matches!(entry.change, RefChange::Committed { .. })).collect();
    assert_eq!(made.len(), 1, "{entries:?}");
    assert_eq!(made[0].git_dir, git_dir);
    scratch.git(&["worktree", "remove", "--force", "../linked"]);
    assert_eq!(reader.entries(&scratch), []);
}

#[test]
fn in_logs_that_were_shortened_the_place_is_found_again() {
    let scratch = Scratch::new();
    for n in 0..4 {
        scratch.write("a", n.to_string()).commit_at("Next", 1_000_000_000 + 1_000 * n);
    }
    let mut reader = Reader::of(&scratch);
    // A re-read would not return entries this old.
    reader.since = "2100-01-01T00:00:00Z".parse().unwrap();
    let first = scratch.write("a", "more").commit_at("Not read yet", 1_000_009_000);
    scratch.git(&["reflog", "expire", "--expire=2001-09-09T02:35:00Z", "HEAD", "main"]);
    assert_eq!(scratch.git(&["reflog"]).lines().count(), 2);
    assert_eq!(reader.ref_updates(&scratch), [made(&first, &[])]);
    scratch.git(&["-c", "gc.reflogExpire=never", "gc", "--quiet"]);
    let second = scratch.write("a", "and more").commit_at("After gc", 1_000_009_500);
    assert_eq!(reader.ref_updates(&scratch), [made(&second, &[])]);
    scratch.git(&["reflog", "delete", "HEAD@{1}"]);
    scratch.git(&["branch", "-m", "main", "renamed"]);
    let third = scratch.write("a", "yet more").commit_at("After all", 1_000_009_900);
    assert_eq!(made_of(&reader.ref_updates(&scratch)), [(third, vec![])]);
}

#[test]
fn a_log_that_lost_its_place_is_read_anew_from_the_registration_on() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit_at("Old", 1_000_000_000);
    let new = scratch.write("a", "2").commit_at("New", 2_000_000_000);
    let mut reader = Reader::of(&scratch);
    reader.since = Timestamp::from_second(1_500_000_000).unwrap();
    for log in ["logs/HEAD", "logs/refs/heads/main"] {
        let path = scratch.path().join(".git").join(log);
        let text = std::fs::read_to_string(&path).unwrap().replace("A U Thor", "Another");
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(reader.ref_updates(&scratch), [made(&new, &[])]);
}

#[test]
fn a_branchs_entry_that_comes_late_is_not_told_twice() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    let oid = scratch.write("a", "2").commit("Next");
    let log = scratch.path().join(".git/logs/refs/heads/main");
    let whole = std::fs::read(&log).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    std::fs::write(&log, &whole[..first]).unwrap();
    assert_eq!(reader.ref_updates(&scratch), [made(&oid, &[])]);
    std::fs::write(&log, &whole).unwrap();
    assert_eq!(reader.entries(&scratch), []);
}

#[test]
fn a_half_written_line_waits_for_its_end() {
    let scratch = Scratch::new();
    let start = scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    let oid = scratch.write("a", "2").commit("Next");
    let logs = ["logs/HEAD", "logs/refs/heads/main"].map(|log| scratch.path().join(".git").join(log));
    let whole = logs.clone().map(|log| std::fs::read(log).unwrap());
    for (log, whole) in logs.iter().zip(&whole) {
        std::fs::write(log, &whole[..whole.len() - 3]).unwrap();
    }
    // Git updates the branch after its log is written.
    scratch.write(".git/refs/heads/main", format!("{start}\n"));
    assert_eq!(reader.entries(&scratch), []);
    scratch.write(".git/refs/heads/main", format!("{oid}\n"));
    for (log, whole) in logs.iter().zip(&whole) {
        std::fs::write(log, whole).unwrap();
    }
    assert_eq!(reader.ref_updates(&scratch), [made(&oid, &[])]);
}

#[test]
fn a_giant_log_comes_in_pieces_and_nothing_is_lost_or_told_twice() {
    let scratch = Scratch::new();
    let start = scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    let (mut log, mut old) = (String::new(), start);
    for n in 0..12_000 {
        let new: Oid = format!("{:040x}", n + 1).parse().unwrap();
        log += &format!("{old} {new} A <a@b> {} +0000\tcommit: number {n} with some words\n", 1_700_000_000 + n / 50);
        old = new;
    }
    for name in ["logs/HEAD", "logs/refs/heads/main"] {
        let path = scratch.path().join(".git").join(name);
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, before + &log).unwrap();
    }
    let made = made_of(&reader.ref_updates(&scratch));
    assert_eq!(made.len(), 12_000);
    assert!(made.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[test]
fn a_repository_without_logs_tells_by_where_its_branches_are() {
    let scratch = Scratch::with(&["--bare"]);
    let source = Scratch::new();
    let start = source.write("a", "1").commit("Start");
    let bare = scratch.path().to_str().unwrap().to_owned();
    source.git(&["push", "--quiet", &bare, "main"]);
    let mut reader = Reader::of(&scratch);
    assert_eq!(reader.entries(&scratch), []);
    let next = source.write("a", "2").commit("Next");
    source.git(&["push", "--quiet", &bare, "main", "main~1:refs/heads/copy"]);
    let ref_updates = reader.ref_updates(&scratch);
    assert!(ref_updates.contains(&RefChange::UnloggedMove { from: Some(start.clone()), to: next }), "{ref_updates:?}");
    assert!(ref_updates.contains(&RefChange::Pulled { from: None, to: start }), "{ref_updates:?}");
    assert_eq!(reader.entries(&scratch), []);
    scratch.git(&["pack-refs", "--all"]);
    assert_eq!(reader.entries(&scratch), []);
}

#[test]
fn without_positions_only_what_happened_since_is_told() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit_at("Old", 1_000);
    let new = scratch.write("a", "2").commit_at("New", 4_000_000_000);
    let news = scratch.open().log_updates(&[], Timestamp::from_second(3_999_999_999).unwrap()).unwrap();
    assert_eq!(news.entries.into_iter().map(|entry| entry.change).collect::<Vec<_>>(), [made(&new, &[])]);
}

#[test]
fn what_counts_as_made_here_is_what_the_news_tell() {
    let (scratch, _) = forked();
    scratch.git(&["config", "user.email", "nobody@example.org"]);
    rebase(&scratch, "-e 2s/^pick/squash/", &["main"]);
    let tree = scratch.git(&["rev-parse", "HEAD^{tree}"]);
    let silent: Oid = scratch.git(&["commit-tree", "-p", "HEAD", "-m", "By a tool", &tree]).parse().unwrap();
    scratch.git(&["update-ref", "refs/heads/topic", silent.as_str()]);
    scratch.git(&["update-ref", "refs/remotes/origin/other", silent.as_str()]);
    let theirs: Oid = scratch.git(&["commit-tree", "-p", "HEAD", "-m", "Theirs", &tree]).parse().unwrap();
    scratch.git(&["update-ref", "refs/remotes/origin/main", theirs.as_str()]);
    scratch.git(&["merge", "--quiet", "--ff-only", "origin/main"]);
    let made = |scratch: &Scratch| -> Vec<Oid> {
        let mut made = scratch.open().committed_since(Timestamp::UNIX_EPOCH).unwrap();
        made.sort();
        made
    };
    // Without remotes every commit would be local.
    let own = ["HEAD~4", "main", "HEAD~3", "HEAD~2"].map(|rev| scratch.rev(rev));
    let found = made(&scratch);
    assert!(own[1..].iter().all(|oid| found.contains(oid)), "{found:?}");
    assert!(!found.contains(&silent) && !found.contains(&theirs), "{found:?}");
    scratch.git(&["update-ref", "-d", "refs/remotes/origin/other"]);
    let found = made(&scratch);
    assert!(!found.contains(&silent), "a remote still has it below another commit: {found:?}");
    scratch.git(&["update-ref", "-d", "refs/remotes/origin/main"]);
    assert!(made(&scratch).contains(&silent));
    // Start, main, the three commits that the rebase made of four, and the unlogged one.
    assert_eq!(made(&scratch).len(), 6, "{:?}", made(&scratch));
}

#[test]
fn a_tool_that_writes_no_log_at_all_is_noticed() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    scratch.git(&["pack-refs", "--all"]);
    let parent = scratch.write("a", "2").commit("Next");
    let mut reader = Reader::of(&scratch);
    let tree = scratch.git(&["rev-parse", "HEAD^{tree}"]);
    let commit = |message: &str| -> Oid {
        let oid = scratch.git(&["commit-tree", "-p", "HEAD", "-m", message, &tree]);
        scratch.write(".git/refs/heads/main", format!("{oid}\n"));
        oid.parse().unwrap()
    };
    let one = commit("Without a log");
    assert_eq!(reader.ref_updates(&scratch), [RefChange::UnloggedMove { from: Some(parent), to: one.clone() }]);
    let two = commit("Again");
    assert_eq!(reader.ref_updates(&scratch), [RefChange::UnloggedMove { from: Some(one), to: two }]);
    assert_eq!(reader.entries(&scratch), []);
    let by_git = scratch.write("a", "3").commit("By git");
    assert_eq!(reader.ref_updates(&scratch), [made(&by_git, &[])]);
    // Fully expired logs yield nothing new.
    scratch.git(&["reflog", "expire", "--expire=now", "--all"]);
    scratch.git(&["checkout", "--quiet", "-b", "other", "HEAD~1"]);
    scratch.git(&["reflog", "expire", "--expire=now", "--all"]);
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.git(&["reflog", "expire", "--expire=now", "--all"]);
    assert_eq!(reader.entries(&scratch), []);
}

#[test]
fn whenever_it_is_read_while_commits_are_made_each_is_told_once() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    scratch.git(&["worktree", "add", "--quiet", "-b", "side", "../linked"]);
    let mut reader = Reader::of(&scratch);
    let commits = |dir: std::path::PathBuf| {
        for n in 0..40 {
            let mut command = scratch.command();
            let message = format!("Number {n} in {}", dir.display());
            command.current_dir(&dir).args(["commit", "--quiet", "--allow-empty", "-m", &message]);
            assert!(command.output().unwrap().status.success());
        }
    };
    let mut ref_updates = Vec::new();
    std::thread::scope(|scope| {
        let writers = [scratch.path(), scratch.outside().join("linked")].map(|dir| scope.spawn(|| commits(dir)));
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            ref_updates.extend(reader.ref_updates(&scratch));
        }
    });
    ref_updates.extend(reader.ref_updates(&scratch));
    let mut oids: Vec<Oid> = made_of(&ref_updates).into_iter().map(|(oid, _)| oid).collect();
    let all = scratch.git(&["rev-list", "main", "side", "--not", "main~40"]);
    let mut expected: Vec<Oid> = all.lines().map(|line| line.parse().unwrap()).collect();
    oids.sort();
    expected.sort();
    assert_eq!((ref_updates.len(), oids), (80, expected), "{ref_updates:?}");
}
