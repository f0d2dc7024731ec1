//! Operations that no hook hears, whatever is installed: other programs, plumbing, hooks switched off.

use std::io::Write;
use std::process::Stdio;

use super::Operation;
use super::cell::{Cell, Heard};
use super::commits::{one, two};
use super::layout::Layout;

pub const UNHEARD: &[Operation] = &[
    Operation::new("commit with hooks disabled", one, disabled),
    Operation::new("amend with hooks disabled", one, amend_disabled),
    Operation::new("foreign hooks directory", one, foreign),
    Operation::new("fast-import", one, fast_import),
    Operation::new("filter-branch", two, filter_branch),
    Operation::new("update-ref", one, update_ref),
    Operation::new("update-ref of a new branch", one, new_branch),
    Operation::new("libgit2", one, libgit2).without(Layout::is_reftable),
    Operation::new("a tool on libgit2 that moves the branch", one, jj).without(Layout::is_reftable),
    Operation::new("commit after the logs were written anew", one, after_expire),
];

fn disabled(cell: &mut Cell) {
    cell.write("two.txt", "two\n");
    cell.git(&["add", "-A"]);
    cell.git_unheard(&["commit", "-q", "-m", "Add two"]);
    cell.made("HEAD", Heard::No);
}

fn amend_disabled(cell: &mut Cell) {
    cell.write("one.txt", "amended\n");
    cell.git_unheard(&["commit", "-q", "-a", "--amend", "--no-edit"]);
    cell.replaced("HEAD", &["one"], Heard::No);
}

/// As husky and its like leave it behind; hooks of ours are called again afterwards.
fn foreign(cell: &mut Cell) {
    cell.git(&["config", "core.hooksPath", ".husky"]);
    cell.write("two.txt", "two\n");
    cell.git(&["add", "-A"]);
    cell.git(&["commit", "-q", "-m", "Add two"]);
    cell.made("HEAD", Heard::No);
    cell.git(&["config", "--unset", "core.hooksPath"]);
}

/// Three commits by the user onto the branch that is checked out.
fn fast_import(cell: &mut Cell) {
    let mut stream = String::new();
    for n in 0..3 {
        let (subject, text) = (format!("Import {n}\n"), format!("imported {n}\n"));
        stream += "commit refs/heads/work\n";
        stream += "committer A U Thor <author@example.com> now\n";
        stream += &format!("data {}\n{subject}", subject.len());
        stream += if n == 0 { "from refs/heads/work^0\n" } else { "" };
        stream += &format!("M 100644 inline imported{n}.txt\ndata {}\n{text}\n", text.len());
    }
    let mut child =
        cell.command(&["fast-import", "--quiet", "--date-format=now"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{}", cell.title());
    cell.layout.after_step(cell.world, &cell.dir);
    cell.git(&["reset", "-q", "--hard"]);
    for rev in ["HEAD~2", "HEAD~1", "HEAD"] {
        cell.made(rev, Heard::No);
    }
}

fn filter_branch(cell: &mut Cell) {
    let squelch = [("FILTER_BRANCH_SQUELCH_WARNING", "1")];
    cell.git_with(&squelch, &["filter-branch", "-f", "--msg-filter", "sed s/Add/Append/", "HEAD~2..work"]);
    cell.replaced("HEAD~1", &["one"], Heard::No);
    cell.replaced("HEAD", &["two"], Heard::No);
}

/// A commit on top of HEAD's tree plus one file, that no branch has.
fn loose_commit(cell: &Cell) -> String {
    cell.write("two.txt", "two\n");
    cell.git(&["add", "-A"]);
    let tree = cell.git(&["write-tree"]);
    cell.git(&["commit-tree", "-p", "HEAD", "-m", "Add two", &tree])
}

fn update_ref(cell: &mut Cell) {
    let made = loose_commit(cell);
    cell.git(&["update-ref", "HEAD", &made]);
    cell.made(&made, Heard::No);
}

fn new_branch(cell: &mut Cell) {
    let made = loose_commit(cell);
    cell.git(&["update-ref", "refs/heads/fresh/branch", &made]);
    cell.git(&["reset", "-q", "--hard"]);
    cell.made(&made, Heard::No);
}

/// As a graphical client commits.
fn libgit2(cell: &mut Cell) {
    let made = git2_commit(cell, Some("HEAD"));
    cell.layout.after_step(cell.world, &cell.dir);
    cell.made(&made, Heard::No);
}

/// As jj does it: the commit first, then the branch, with words of its own in the log.
fn jj(cell: &mut Cell) {
    let made = git2_commit(cell, None);
    let repo = git2::Repository::open(&cell.dir).unwrap();
    let id = git2::Oid::from_str(&made).unwrap();
    repo.reference("refs/heads/work", id, true, "export from a tool").unwrap();
    cell.layout.after_step(cell.world, &cell.dir);
    cell.git(&["reset", "-q", "--hard"]);
    cell.made(&made, Heard::No);
}

fn git2_commit(cell: &Cell, update: Option<&str>) -> String {
    cell.write("two.txt", "two\n");
    cell.git(&["add", "-A"]);
    let repo = git2::Repository::open(&cell.dir).unwrap();
    let tree = repo.find_tree(repo.index().unwrap().write_tree().unwrap()).unwrap();
    let who = git2::Signature::now("A U Thor", "author@example.com").unwrap();
    let parent = repo.head().unwrap().peel_to_commit().unwrap();
    repo.commit(update, &who, &who, "Add two\n", &tree, &[&parent]).unwrap().to_string()
}

/// gc and expire put another file in the log's place, under which a watch on the file would be dead.
fn after_expire(cell: &mut Cell) {
    disabled(cell);
    cell.git(&["reflog", "expire", "--expire=never", "--all"]);
    cell.write("three.txt", "three\n");
    cell.git(&["add", "-A"]);
    cell.git_unheard(&["commit", "-q", "-m", "Add three"]);
    cell.made("HEAD", Heard::No);
    cell.git(&["gc", "-q"]);
    cell.write("four.txt", "four\n");
    cell.git(&["add", "-A"]);
    cell.git_unheard(&["commit", "-q", "-m", "Add four"]);
    cell.made("HEAD", Heard::No);
}
