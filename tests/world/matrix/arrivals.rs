//! Operations that bring commits from elsewhere, or that move and put away what is there.

use uro_capture::domain::capture::CaptureKind;

use super::Operation;
use super::cell::{Cell, Heard};
use super::commits::{one, two};
use super::rewrites::am;

pub const ARRIVALS: &[Operation] = &[
    Operation::new("merge without fast-forward", topic_and_work, merge),
    Operation::new("fast-forward", topic_ahead, fast_forward),
    Operation::new("pull that fast-forwards", theirs_ahead, pull_fast_forward),
    Operation::new("pull that merges", both_ahead, pull_merge),
    Operation::new("pull that rebases", both_ahead, pull_rebase),
    Operation::new("cherry-pick of another's commit", both_ahead, pick_theirs),
    Operation::new("am of three of another's", one, am_theirs),
    Operation::new("fetch and push", both_ahead, fetch_and_push),
    Operation::new("stash", one, stash),
    Operation::new("checkout, reset, branch, tag, note, gc", two, moves),
];

/// `topic` has one commit and `work`, where we are, another.
fn topic_and_work(cell: &mut Cell) {
    topic_ahead(cell);
    cell.work("two");
}

fn topic_ahead(cell: &mut Cell) {
    cell.git(&["checkout", "-q", "-b", "topic"]);
    cell.work("one");
    cell.git(&["checkout", "-q", "work"]);
}

fn merge(cell: &mut Cell) {
    cell.git(&["merge", "-q", "--no-ff", "-m", "Merge topic", "topic"]);
    cell.merged("HEAD");
}

fn fast_forward(cell: &mut Cell) {
    cell.git(&["merge", "-q", "--ff-only", "topic"]);
}

fn theirs_ahead(cell: &mut Cell) {
    cell.theirs(2);
}

fn both_ahead(cell: &mut Cell) {
    cell.theirs(2);
    cell.work("one");
}

fn pull_fast_forward(cell: &mut Cell) {
    cell.git(&["pull", "-q", "--ff-only", "theirs", "work"]);
}

fn pull_merge(cell: &mut Cell) {
    cell.git(&["pull", "-q", "--no-rebase", "--no-edit", "theirs", "work"]);
    cell.unit("HEAD", Heard::Yes, CaptureKind::Merge, Vec::new());
}

fn pull_rebase(cell: &mut Cell) {
    cell.git(&["pull", "-q", "--rebase", "theirs", "work"]);
    cell.replaced("HEAD", &["one"], Heard::Yes);
}

/// It was committed here, so it is ours, whoever wrote it.
fn pick_theirs(cell: &mut Cell) {
    cell.git(&["fetch", "-q", "theirs"]);
    cell.git(&["cherry-pick", "theirs/work"]);
    cell.made("HEAD", Heard::Yes);
}

fn am_theirs(cell: &mut Cell) {
    let theirs = cell.theirs(3);
    let mail = cell.world.path(&format!("{} mail", cell.name));
    cell.world.git(&theirs, &["format-patch", "-q", "-3", "-o", mail.to_str().unwrap()]);
    am(cell, &mail);
    for rev in ["HEAD~2", "HEAD~1", "HEAD"] {
        cell.made(rev, Heard::Yes);
    }
}

fn fetch_and_push(cell: &mut Cell) {
    cell.git(&["fetch", "-q", "theirs"]);
    cell.git(&["push", "-q", "theirs", "work:refs/heads/pushed"]);
}

fn stash(cell: &mut Cell) {
    cell.write("one.txt", "in between\n");
    cell.git(&["stash", "-q"]);
    cell.git(&["stash", "apply", "-q"]);
    cell.write("one.txt", "in between too\n");
    cell.git(&["stash", "-q"]);
    cell.git(&["stash", "drop", "-q"]);
    cell.git(&["stash", "pop", "-q"]);
    cell.git(&["checkout", "-q", "one.txt"]);
}

fn moves(cell: &mut Cell) {
    for step in [
        &["branch", "kept"][..],
        &["reset", "-q", "--hard", "HEAD~1"],
        &["reset", "-q", "--hard", "kept"],
        &["checkout", "-q", "HEAD~1"],
        &["checkout", "-q", "-b", "other"],
        &["checkout", "-q", "-b", "third", "work"],
        &["branch", "-m", "third", "fourth"],
        &["checkout", "-q", "work"],
        &["tag", "-a", "-m", "First", "v1"],
        &["notes", "add", "-m", "A note"],
        &["branch", "-q", "-D", "other"],
        &["gc", "-q"],
    ] {
        cell.git(step);
    }
}
