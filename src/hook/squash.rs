//! Commits of a squash merge, from git's `SQUASH_MSG`, which the next commit deletes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::spool::record::is_oid;

/// Read limit of the list, in bytes.
const LIST: u64 = 1 << 20;
/// Maximum number of commits: their pairs stay below 100 KiB.
const COMMITS: usize = 1_000;
/// First line of the list (`builtin/merge.c`).
const TITLE: &[u8] = b"Squashed commit of the following:";

/// Builds lines of `commit head`: each listed commit with the one it was merged onto, or with itself if that is
/// unknown, because the references are in a format that is not read here.
#[must_use]
pub fn carried(git_dir: &Path, head: Option<&str>) -> Vec<u8> {
    let mut list = Vec::new();
    let read = File::open(git_dir.join("SQUASH_MSG")).and_then(|file| file.take(LIST).read_to_end(&mut list));
    if read.is_err() || !list.starts_with(TITLE) {
        return Vec::new();
    }
    let listed = list.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"commit "));
    let oids = listed.filter_map(|hex| std::str::from_utf8(hex).ok()).filter(|hex| is_oid(hex));
    oids.take(COMMITS).flat_map(|oid| format!("{oid} {}\n", head.unwrap_or(oid)).into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listed_commits_are_told_with_the_one_they_were_merged_onto() {
        let dir = tempfile::tempdir().expect("a directory");
        let (one, two, head) = ("1".repeat(40), "2".repeat(40), "f".repeat(40));
        assert!(carried(dir.path(), Some(&head)).is_empty(), "no list");
        let list = format!(
            "Squashed commit of the following:\n\ncommit {one}\nAuthor: A\n\n    commit {head}\n\ncommit {two}\n"
        );
        std::fs::write(dir.path().join("SQUASH_MSG"), list).expect("written");
        let told = carried(dir.path(), Some(&head));
        assert_eq!(String::from_utf8_lossy(&told), format!("{one} {head}\n{two} {head}\n"));
        let told = carried(dir.path(), None);
        assert_eq!(String::from_utf8_lossy(&told), format!("{one} {one}\n{two} {two}\n"), "an unknown head");
    }

    #[test]
    fn a_message_written_by_hand_names_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("SQUASH_MSG"), format!("commit {}\n", "1".repeat(40))).expect("written");
        assert!(carried(dir.path(), Some(&"f".repeat(40))).is_empty());
    }
}
