//! Operations that put new commits in the place of earlier ones: the new ones stand for them.

use uro_capture::domain::capture::CaptureKind;

use super::Operation;
use super::cell::{Cell, Heard, Reporter};
use super::commits::{one, two};

pub const REWRITES: &[Operation] = &[
    Operation::new("amend", one, amend),
    Operation::new("amend of the message", one, amend_message),
    Operation::new("five amends", one, five_amends),
    Operation::new("amend to the very same commit", one, amend_to_itself),
    Operation::new("amend of an empty commit", one_empty, amend_empty),
    Operation::new("recommit after a soft reset", one, recommit),
    Operation::new("recommit of other content under the same message", one, recommit_differently),
    Operation::new("fixup and autosquash", fixup_ahead, autosquash),
    Operation::new("rebase of three", forked, rebase),
    Operation::new("rebase of three with the apply backend", forked, rebase_apply),
    Operation::new("rebase over a commit that was picked before", picked_before, rebase_over_picked),
    Operation::new("rebase of a merge", merge_ahead, rebase_merges),
    Operation::new("interactive rebase: reorder, squash, drop, reword", five, interactive),
    Operation::new("interactive rebase that drops one", three, drop_one),
    Operation::new("rebase with nothing to do", two, rebase_in_vain),
    Operation::new("rebase that is given up", conflict_behind, rebase_given_up),
    Operation::new("rebase that stops, is resolved and goes on", conflict_behind, rebase_resolved),
    Operation::new("cherry-pick of one", forked, pick_one),
    Operation::new("cherry-pick of three", forked, pick_three),
    Operation::new("am of three of one's own", forked, am_own),
    Operation::new("squash merge under its own message", forked_at_work, squash_as_prepared),
    Operation::new("squash merge under another message", forked_at_work, squash_renamed),
];

fn amend(cell: &mut Cell) {
    cell.write("one.txt", "amended\n");
    cell.git(&["commit", "-q", "-a", "--amend", "-m", "Add one, amended"]);
    cell.replaced("HEAD", &["one"], Heard::Yes);
}

fn amend_message(cell: &mut Cell) {
    cell.git(&["commit", "-q", "--amend", "-m", "Add one, in other words"]);
    cell.replaced("HEAD", &["one"], Heard::Yes);
}

fn five_amends(cell: &mut Cell) {
    for n in 0..5 {
        cell.write("one.txt", &format!("amended {n}\n"));
        cell.git(&["commit", "-q", "-a", "--amend", "--no-edit"]);
    }
    cell.replaced("HEAD", &["one"], Heard::Yes);
}

/// Within one second an amend that changes nothing makes the commit that was there.
fn amend_to_itself(cell: &mut Cell) {
    let before = cell.rev("HEAD");
    let date = cell.git(&["log", "-1", "--format=%ct +0000"]);
    cell.git_with(&[("GIT_COMMITTER_DATE", &date)], &["commit", "-q", "--amend", "--no-edit"]);
    assert_eq!(cell.rev("HEAD"), before);
}

fn one_empty(cell: &mut Cell) {
    cell.commit_all("one", &["--allow-empty", "-m", "Nothing"]);
}

fn amend_empty(cell: &mut Cell) {
    cell.git(&["commit", "-q", "--allow-empty", "--amend", "-m", "Nothing at all"]);
    cell.replaced("HEAD", &["one"], Heard::Yes);
}

fn recommit(cell: &mut Cell) {
    cell.git(&["reset", "-q", "--soft", "HEAD~1"]);
    cell.git(&["commit", "-q", "-m", "Add one, from new"]);
    cell.replaced("HEAD", &["one"], Heard::Yes);
}

fn recommit_differently(cell: &mut Cell) {
    cell.git(&["reset", "-q", "--soft", "HEAD~1"]);
    cell.write("one.txt", "something else\n");
    cell.git(&["commit", "-q", "-a", "-m", "Add one"]);
    cell.replaced("HEAD", &["one"], Heard::Yes);
}

fn fixup_ahead(cell: &mut Cell) {
    two(cell);
    cell.write("one.txt", "repaired\n");
    let fixup = format!("--fixup={}", cell.oid("one"));
    cell.commit_all("fixup", &[&fixup]);
}

fn autosquash(cell: &mut Cell) {
    cell.git_with(&[("GIT_SEQUENCE_EDITOR", "true")], &["rebase", "-q", "-i", "--autosquash", "HEAD~3"]);
    cell.replaced("HEAD~1", &["one", "fixup"], Heard::Yes);
    cell.replaced("HEAD", &["two"], Heard::Yes);
}

/// Three commits on `topic`, where we are, and one on `work` meanwhile.
fn forked(cell: &mut Cell) {
    forked_at_work(cell);
    cell.git(&["checkout", "-q", "topic"]);
}

fn forked_at_work(cell: &mut Cell) {
    cell.git(&["checkout", "-q", "-b", "topic"]);
    for label in ["one", "two", "three"] {
        cell.work(label);
    }
    cell.git(&["checkout", "-q", "work"]);
    cell.work("meanwhile");
}

fn last_three_replace(cell: &mut Cell) {
    for (rev, label) in [("HEAD~2", "one"), ("HEAD~1", "two"), ("HEAD", "three")] {
        cell.replaced(rev, &[label], Heard::Yes);
    }
}

fn rebase(cell: &mut Cell) {
    cell.git(&["rebase", "-q", "work"]);
    last_three_replace(cell);
}

fn rebase_apply(cell: &mut Cell) {
    cell.git(&["rebase", "-q", "--apply", "work"]);
    last_three_replace(cell);
}

fn picked_before(cell: &mut Cell) {
    forked_at_work(cell);
    cell.git(&["cherry-pick", "topic~2"]);
    cell.replaced("HEAD", &["one"], Heard::Yes);
    cell.git(&["checkout", "-q", "topic"]);
}

fn rebase_over_picked(cell: &mut Cell) {
    cell.git(&["rebase", "-q", "work"]);
    cell.replaced("HEAD~1", &["two"], Heard::Yes);
    cell.replaced("HEAD", &["three"], Heard::Yes);
}

/// `topic` merges `side`; `work` has gone on.
fn merge_ahead(cell: &mut Cell) {
    cell.git(&["checkout", "-q", "-b", "side"]);
    cell.work("side");
    cell.git(&["checkout", "-q", "-b", "topic", "work"]);
    cell.work("one");
    cell.git(&["merge", "-q", "--no-ff", "-m", "Merge side", "side"]);
    cell.label("HEAD", "merge");
    cell.merged("HEAD");
    cell.git(&["checkout", "-q", "work"]);
    cell.work("meanwhile");
    cell.git(&["checkout", "-q", "topic"]);
}

fn rebase_merges(cell: &mut Cell) {
    cell.git(&["rebase", "-q", "--rebase-merges", "work"]);
    cell.replaced("HEAD^1", &["one"], Heard::Yes);
    cell.replaced("HEAD^2", &["side"], Heard::Yes);
    let merge = cell.oid("merge");
    cell.units.retain(|unit| unit.oid != merge);
    cell.unit("HEAD", Heard::Yes, CaptureKind::Merge, vec![merge]);
}

fn five(cell: &mut Cell) {
    for label in ["one", "two", "three", "four", "five"] {
        cell.work(label);
    }
}

fn three(cell: &mut Cell) {
    for label in ["one", "two", "three"] {
        cell.work(label);
    }
}

/// Whoever tells only what came of it cannot tell a commit that was dropped beside one that was squashed: without
/// hooks nothing is dropped here.
fn interactive(cell: &mut Cell) {
    let dropped = cell.reporter == Reporter::Hooks;
    let four = if dropped { "drop" } else { "pick" };
    let plan = [("pick", "two"), ("pick", "one"), ("squash", "three"), (four, "four"), ("reword", "five")];
    rebase_by(cell, &plan, "sed -i '1s/^Add five/Write five/'");
    assert_eq!(cell.git(&["log", "-1", "--format=%s"]), "Write five");
    let last = if dropped { "HEAD" } else { "HEAD~1" };
    cell.replaced(&format!("{last}~2"), &["two"], Heard::Yes);
    cell.replaced(&format!("{last}~1"), &["one", "three"], Heard::Yes);
    if !dropped {
        cell.replaced("HEAD~1", &["four"], Heard::Yes);
    }
    cell.replaced("HEAD", &["five"], Heard::Yes);
}

/// The dropped one stays live: it was work, and nothing stands for it now.
fn drop_one(cell: &mut Cell) {
    rebase_by(cell, &[("pick", "three"), ("drop", "two"), ("pick", "one")], "false");
    cell.replaced("HEAD~1", &["three"], Heard::Yes);
    cell.replaced("HEAD", &["one"], Heard::Yes);
}

/// Rebases as many commits as the plan has, as it says.
fn rebase_by(cell: &Cell, plan: &[(&str, &str)], editor: &str) {
    let todo: String = plan.iter().map(|(verb, label)| format!("{verb} {}\n", cell.oid(label))).collect();
    let path = cell.world.path("todo");
    std::fs::write(&path, todo).unwrap();
    let sequence = format!("cp '{}'", path.display());
    let editors = [("GIT_SEQUENCE_EDITOR", sequence.as_str()), ("GIT_EDITOR", editor)];
    cell.git_with(&editors, &["rebase", "-q", "-i", &format!("HEAD~{}", plan.len())]);
}

fn rebase_in_vain(cell: &mut Cell) {
    let before = cell.rev("HEAD");
    cell.git(&["rebase", "-q", "HEAD~1"]);
    cell.git_with(&[("GIT_SEQUENCE_EDITOR", "true")], &["rebase", "-q", "-i", "HEAD~2"]);
    assert_eq!(cell.rev("HEAD"), before);
}

/// On `topic`, where we are, the first commit can be copied to `work` and the second cannot.
fn conflict_behind(cell: &mut Cell) {
    cell.git(&["checkout", "-q", "-b", "topic"]);
    cell.work("one");
    cell.write("base.txt", "theirs\n");
    cell.commit_all("two", &["-m", "Change the base on topic"]);
    cell.git(&["checkout", "-q", "work"]);
    cell.write("base.txt", "ours\n");
    cell.commit_all("meanwhile", &["-m", "Change the base at work"]);
    cell.git(&["checkout", "-q", "topic"]);
}

/// What was copied by then is thrown away; the commits as they were before are the work.
fn rebase_given_up(cell: &mut Cell) {
    cell.git_stops(&["rebase", "-q", "work"]);
    cell.git(&["rebase", "--abort"]);
}

fn rebase_resolved(cell: &mut Cell) {
    cell.git_stops(&["rebase", "-q", "work"]);
    cell.write("base.txt", "both\n");
    cell.git(&["add", "-A"]);
    cell.git(&["rebase", "--continue"]);
    cell.replaced("HEAD~1", &["one"], Heard::Yes);
    cell.replaced("HEAD", &["two"], Heard::Yes);
}

fn pick_one(cell: &mut Cell) {
    cell.git(&["checkout", "-q", "work"]);
    cell.git(&["cherry-pick", "topic~1"]);
    cell.replaced("HEAD", &["two"], Heard::Yes);
}

fn pick_three(cell: &mut Cell) {
    cell.git(&["checkout", "-q", "work"]);
    cell.git(&["cherry-pick", "topic~3..topic"]);
    last_three_replace(cell);
}

fn am_own(cell: &mut Cell) {
    let mail = cell.world.path(&format!("{} mail", cell.name));
    cell.git(&["format-patch", "-q", "-3", "-o", mail.to_str().unwrap()]);
    cell.git(&["checkout", "-q", "work"]);
    am(cell, &mail);
    last_three_replace(cell);
}

/// Applies every patch of a directory.
pub fn am(cell: &Cell, mail: &std::path::Path) {
    let mut patches: Vec<_> = mail.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    patches.sort();
    let mut command = cell.command(&["am", "-q"]);
    command.args(patches);
    cell.run(command, true);
}

fn squash_as_prepared(cell: &mut Cell) {
    cell.git(&["merge", "-q", "--squash", "topic"]);
    cell.git(&["commit", "-q", "--no-edit"]);
    cell.replaced("HEAD", &["one", "two", "three"], Heard::Yes);
}

/// Without hooks nobody looks at the moment at which git says what was squashed.
fn squash_renamed(cell: &mut Cell) {
    cell.git(&["merge", "-q", "--squash", "topic"]);
    cell.git(&["commit", "-q", "-m", "Add it all"]);
    if cell.reporter == Reporter::Hooks {
        cell.replaced("HEAD", &["one", "two", "three"], Heard::Yes);
    } else {
        cell.made("HEAD", Heard::Yes);
    }
}
