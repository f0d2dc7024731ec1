//! Operations that git's commit hooks hear, and that replace nothing.

use uro_capture::domain::capture::CaptureKind;

use super::Operation;
use super::cell::{Cell, Heard};

pub const COMMITS: &[Operation] = &[
    Operation::alone("commit", commit),
    Operation::alone("commit without verification", no_verify),
    Operation::alone("commit for another author", for_another),
    Operation::alone("commit on a detached head", detached),
    Operation::alone("commit in a new linked worktree", in_a_new_worktree),
    Operation::alone("commit on a new orphan branch", orphan),
    Operation::alone("empty commits", empties),
    Operation::new("revert", one, revert),
    Operation::new("revert of two", two, revert_two),
    Operation::new("the same again after a revert", one, again_after_revert),
    Operation::new("conflicting merge, resolved and committed", conflict_ahead, resolved_merge),
];

pub fn one(cell: &mut Cell) {
    cell.work("one");
}

pub fn two(cell: &mut Cell) {
    cell.work("one");
    cell.work("two");
}

fn commit(cell: &mut Cell) {
    cell.work("one");
}

fn no_verify(cell: &mut Cell) {
    cell.write("one.txt", "one\n");
    cell.commit_all("one", &["--no-verify", "-m", "Add one"]);
}

fn for_another(cell: &mut Cell) {
    cell.write("one.txt", "one\n");
    cell.commit_all("one", &["--author", "Another <another@example.org>", "-m", "Add one"]);
}

fn detached(cell: &mut Cell) {
    cell.git(&["checkout", "-q", "--detach"]);
    cell.work("one");
    cell.work("two");
}

fn in_a_new_worktree(cell: &mut Cell) {
    let elsewhere = cell.world.path(&format!("{} elsewhere", cell.name));
    cell.git(&["worktree", "add", "-q", "-b", "elsewhere", elsewhere.to_str().unwrap()]);
    let here = std::mem::replace(&mut cell.dir, elsewhere);
    cell.work("one");
    cell.write("two.txt", "two\n");
    cell.git(&["add", "-A"]);
    cell.git_unheard(&["commit", "-q", "-m", "Add two"]);
    cell.made("HEAD", Heard::No);
    cell.dir = here;
}

fn orphan(cell: &mut Cell) {
    cell.git(&["checkout", "-q", "--orphan", "orphan"]);
    cell.write("one.txt", "one\n");
    cell.commit_all("one", &["-m", "Begin anew"]);
}

fn empties(cell: &mut Cell) {
    for label in ["one", "two"] {
        cell.commit_all(label, &["--allow-empty", "-m", "Nothing"]);
    }
}

fn revert(cell: &mut Cell) {
    cell.git(&["revert", "--no-edit", "HEAD"]);
    cell.made("HEAD", Heard::Yes);
}

fn revert_two(cell: &mut Cell) {
    cell.git(&["revert", "--no-edit", "HEAD~2..HEAD"]);
    cell.made("HEAD~1", Heard::Yes);
    cell.made("HEAD", Heard::Yes);
}

fn again_after_revert(cell: &mut Cell) {
    revert(cell);
    cell.git(&["cherry-pick", "HEAD~1"]);
    cell.made("HEAD", Heard::Yes);
}

fn conflict_ahead(cell: &mut Cell) {
    cell.git(&["checkout", "-q", "-b", "topic"]);
    cell.write("base.txt", "theirs\n");
    cell.commit_all("topic", &["-m", "Change the base on topic"]);
    cell.git(&["checkout", "-q", "work"]);
    cell.write("base.txt", "ours\n");
    cell.commit_all("work", &["-m", "Change the base at work"]);
}

fn resolved_merge(cell: &mut Cell) {
    cell.git_stops(&["merge", "-q", "topic"]);
    cell.write("base.txt", "both\n");
    cell.git(&["commit", "-q", "-a", "--no-edit"]);
    cell.unit("HEAD", Heard::Yes, CaptureKind::Merge, Vec::new());
}
