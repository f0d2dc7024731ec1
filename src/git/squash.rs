//! Commits of a squash merge: git lists them in `SQUASH_MSG`, and so in the commit message unless the author edits them
//! out.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use super::GitError;
use super::reflog::file;
use crate::domain::id::Oid;

/// Maximum size of the list (bytes).
const LIST: u64 = 4 << 20;
/// Maximum commits listed.
const COMMITS: usize = 1_000;
/// First line of the list (`builtin/merge.c`).
const TITLE: &str = "Squashed commit of the following:";

/// The commits listed in the `SQUASH_MSG` of a worktree; empty without the file.
pub fn prepared(git_dir: &Path) -> Result<Vec<Oid>, GitError> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        file::open(&git_dir.join("SQUASH_MSG"))?.take(LIST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(listed(&String::from_utf8_lossy(&bytes))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(GitError::git("cannot read SQUASH_MSG", error)),
    }
}

/// The commits that a message lists in git's own format, in its order (newest first).
#[must_use]
pub fn listed(message: &str) -> Vec<Oid> {
    let Some((_, list)) = message.split_once(TITLE) else { return Vec::new() };
    let named = list.lines().filter_map(|line| line.strip_prefix("commit ")?.split(' ').next()?.parse().ok());
    let mut found: Vec<Oid> = Vec::new();
    for oid in named.take(COMMITS) {
        if !found.contains(&oid) {
            found.push(oid);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commits_of_gits_own_list_are_found_in_a_message() {
        let (one, two) = ("a".repeat(40), "b".repeat(40));
        let entry = |oid: &str| format!("commit {oid}\nAuthor: A <a@b>\nDate:   x\n\n    commit {}\n", "c".repeat(40));
        let message = format!("My title\n\n{TITLE}\n\n{}\n{}", entry(&one), entry(&two));
        let found: Vec<String> = listed(&message).into_iter().map(String::from).collect();
        assert_eq!(found, [one, two]);
    }

    #[test]
    fn other_messages_name_none() {
        assert_eq!(listed(""), []);
        assert_eq!(listed(&format!("Revert\n\ncommit {}\n", "a".repeat(40))), []);
        assert_eq!(listed(&format!("{TITLE}\n\ncommit abc\n")), []);
    }
}
