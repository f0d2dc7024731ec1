//! The branch that a commit was made on. HEAD's current branch is right only while HEAD has not moved on: `git switch
//! -c next` right after a commit puts another name on the same tip. HEAD's log decides.

use std::path::Path;

use super::reflog::file::{self, BackwardLines};
use super::reflog::line::ReflogLine;
use super::text;
use crate::domain::id::Oid;

/// Maximum backward search in the log (bytes): about four hundred moves.
const SEARCHED: u64 = 64 << 10;

/// From the log of the worktree's HEAD; where it does not record the commit, HEAD's branch if the commit is its tip.
/// `None` for a commit on a detached HEAD, or when unknown.
pub fn branch_of_commit(git_dir: &Path, head: Option<(Oid, Option<Vec<u8>>)>, oid: &Oid) -> Option<String> {
    let (tip, branch) = head.map_or((None, None), |(tip, branch)| (Some(tip), branch));
    let now = branch.map(|name| text::path(&name));
    find_branch(git_dir, now.clone(), oid).unwrap_or_else(|| now.filter(|_| tip.as_ref() == Some(oid)))
}

/// Reads from the newest line back to the one that records the commit, undoing each move.
fn find_branch(git_dir: &Path, mut on: Option<String>, oid: &Oid) -> Option<Option<String>> {
    let path = git_dir.join("logs/HEAD");
    let size = file::identify_file(&path)?.size;
    let log = file::open(&path).ok()?;
    for (_, line) in BackwardLines::from(&log, size, SEARCHED) {
        let Some(line) = ReflogLine::parse(&line) else { continue };
        if line.new.as_ref() == Some(oid) && line.old != line.new && line.records_commit() {
            return Some(on);
        }
        if let Some(from) = branch_left(&line.message) {
            on = (!is_commit(from)).then(|| text::path(from.as_bytes()));
        }
    }
    None
}

/// The branch that a HEAD move left, or that a rebase ended on: its copies belong there.
fn branch_left(message: &str) -> Option<&str> {
    if let Some(moved) = message.strip_prefix("checkout: moving from ") {
        return moved.split_once(" to ").map(|(from, _)| from);
    }
    message.split_once(": returning to refs/heads/").map(|(_, branch)| branch)
}

/// Whether HEAD was detached.
fn is_commit(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(digit: &str) -> Oid {
        digit.repeat(40).parse().unwrap()
    }

    /// (old, new, message) of each line, oldest first.
    fn branch(lines: &[(&str, &str, &str)], head: (&str, Option<&str>), wanted: &str) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("logs")).unwrap();
        let line = |(old, new, message): &(&str, &str, &str)| {
            format!("{} {} A <a@b> 1700000000 +0000\t{message}\n", old.repeat(40), new.repeat(40))
        };
        std::fs::write(dir.path().join("logs/HEAD"), lines.iter().map(line).collect::<String>()).unwrap();
        branch_of_commit(dir.path(), Some((oid(head.0), head.1.map(|name| name.as_bytes().to_vec()))), &oid(wanted))
    }

    #[test]
    fn a_branch_that_was_put_on_the_commit_later_is_not_the_one_it_was_made_on() {
        let lines = [("1", "2", "commit: Retry"), ("2", "2", "checkout: moving from main to ABC-7-next")];
        assert_eq!(branch(&lines, ("2", Some("ABC-7-next")), "2").as_deref(), Some("main"));
    }

    #[test]
    fn a_commit_that_was_left_is_known_by_what_was_left() {
        let lines = [
            ("1", "2", "commit: Retry"),
            ("2", "1", "checkout: moving from ABC-7-retry to main"),
            ("1", "3", "commit: Other"),
        ];
        assert_eq!(branch(&lines, ("3", Some("main")), "2").as_deref(), Some("ABC-7-retry"));
        assert_eq!(branch(&lines, ("3", Some("main")), "3").as_deref(), Some("main"));
    }

    #[test]
    fn what_a_rebase_copied_belongs_to_the_branch_it_ended_on() {
        let lines = [
            ("1", "2", "rebase (start): checkout main"),
            ("2", "3", "rebase (pick): Retry"),
            ("3", "3", "rebase (finish): returning to refs/heads/topic"),
            ("3", "2", "checkout: moving from topic to main"),
        ];
        assert_eq!(branch(&lines, ("2", Some("main")), "3").as_deref(), Some("topic"));
    }

    #[test]
    fn without_word_of_it_only_the_tip_is_on_the_branch() {
        let detached = "4".repeat(40);
        let moved = format!("checkout: moving from {detached} to main");
        assert_eq!(branch(&[("1", "2", "commit: x"), ("2", "3", &moved)], ("3", Some("main")), "2"), None);
        assert_eq!(branch(&[("0", "2", "clone: from x")], ("2", Some("main")), "2").as_deref(), Some("main"));
        assert_eq!(branch(&[("0", "2", "clone: from x")], ("2", Some("main")), "1"), None);
        assert_eq!(branch_of_commit(Path::new("/nowhere"), None, &oid("1")), None);
    }
}
