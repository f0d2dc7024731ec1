//! Reflog files of a repository: those of its HEADs and its branches.

use std::fs::{DirEntry, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::file;

/// Maximum linked worktrees scanned.
const WORKTREES: usize = 200;
/// Maximum branch logs read, the most recently changed ones.
const BRANCHES: usize = 2_000;
/// Maximum directory entries scanned below `logs/refs/heads`.
const ENTRIES: usize = 50_000;
/// Maximum folder depth in branch names.
const DEPTH: usize = 16;

/// One reflog file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReflogFile {
    /// Relative to the common directory.
    pub name: String,
    pub path: PathBuf,
    /// The git directory of the worktree for a HEAD log; the common directory for a branch log.
    pub git_dir: PathBuf,
    pub is_head: bool,
}

impl ReflogFile {
    /// `refs/heads/x`, for a branch log.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.name.strip_prefix("logs/").or_else(|| self.name.strip_prefix("reftable/")).filter(|_| !self.is_head)
    }

    /// The key under which its position is stored.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.name)
    }
}

/// A storage key without user-chosen names: positions are persisted, and a branch or worktree name may be secret.
#[must_use]
pub fn key(name: &str) -> String {
    let start = ["refs/heads/", "worktrees/"].iter().find_map(|start| Some(name.find(start)? + start.len()));
    let Some(start) = start else { return name.to_owned() };
    format!("{}{:016x}", &name[..start], file::hash_bytes(&name.as_bytes()[start..]))
}

/// The HEAD log of the repository and of every linked worktree, whether the files exist or not.
#[must_use]
pub fn head_logs(common_dir: &Path) -> Vec<ReflogFile> {
    let (name, path) = ("logs/HEAD".to_owned(), common_dir.join("logs/HEAD"));
    let mut logs = vec![ReflogFile { name, path, git_dir: common_dir.to_owned(), is_head: true }];
    logs.extend(worktrees(common_dir).into_iter().map(|git_dir| {
        let name = format!("worktrees/{}/logs/HEAD", git_dir.file_name().unwrap_or_default().to_string_lossy());
        ReflogFile { name, path: git_dir.join("logs/HEAD"), git_dir, is_head: true }
    }));
    logs
}

/// The git directories of the linked worktrees.
#[must_use]
pub fn worktrees(common_dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = common_dir.join("worktrees").read_dir() else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .take(WORKTREES)
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// The logs of the branches that changed most recently.
#[must_use]
pub fn branches(common_dir: &Path) -> Vec<ReflogFile> {
    let logs = files(&common_dir.join("logs/refs/heads")).into_iter().filter_map(|(path, _)| {
        let name = path.strip_prefix(common_dir).ok()?.to_string_lossy().into_owned();
        Some(ReflogFile { name, path, git_dir: common_dir.to_owned(), is_head: false })
    });
    let mut logs: Vec<ReflogFile> = logs.collect();
    logs.sort_by(|one, other| one.name.cmp(&other.name));
    logs
}

/// Regular files below a directory with the time they changed (seconds), the latest 2,000, latest first.
#[must_use]
pub fn files(dir: &Path) -> Vec<(PathBuf, i64)> {
    let (mut found, mut budget) = (Vec::new(), ENTRIES);
    collect_files(dir, DEPTH, &mut budget, &mut found);
    found.sort_by_key(|(_, changed)| std::cmp::Reverse(*changed));
    found.truncate(BRANCHES);
    found
}

/// The folders below a directory with their modification time (seconds).
#[must_use]
pub fn folders(dir: &Path) -> Vec<(PathBuf, i64)> {
    let (mut found, mut next) = (Vec::new(), vec![dir.to_owned()]);
    for _ in 0..DEPTH {
        let entries = next.iter().filter_map(|dir| dir.read_dir().ok()).flatten().flatten();
        let is_folder = |entry: &DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
        let below: Vec<DirEntry> = entries.take(ENTRIES).filter(is_folder).collect();
        next = below.iter().map(DirEntry::path).collect();
        found.extend(below.iter().map(|entry| (entry.path(), entry.metadata().as_ref().map_or(0, Metadata::mtime))));
    }
    found
}

/// Symbolic links are not followed.
fn collect_files(dir: &Path, depth: usize, budget: &mut usize, found: &mut Vec<(PathBuf, i64)>) {
    let Ok(entries) = dir.read_dir() else { return };
    for entry in entries.flatten() {
        let Some(left) = budget.checked_sub(1) else { return };
        *budget = left;
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth > 0 {
            collect_files(&entry.path(), depth - 1, budget, found);
        } else if kind.is_file() && !entry.file_name().as_encoded_bytes().ends_with(b".lock") {
            let changed = entry.metadata().as_ref().map_or(0, Metadata::mtime);
            found.push((entry.path(), changed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_called_by_no_word_of_a_persons() {
        for name in ["logs/refs/heads/pa55word", "worktrees/pa55word/logs/HEAD", "tip/refs/heads/pa55word"] {
            assert!(!key(name).contains("pa55word"), "{}", key(name));
            assert_ne!(key(name), key(&format!("{name}2")));
        }
        assert_eq!(key("logs/HEAD"), "logs/HEAD");
    }

    #[test]
    fn branches_in_folders_are_found_and_links_out_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let heads = dir.path().join("logs/refs/heads");
        std::fs::create_dir_all(heads.join("a/b")).unwrap();
        for name in ["main", "a/x", "a/b/y", "a/b/y.lock"] {
            std::fs::write(heads.join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("/etc", heads.join("out")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", heads.join("passwd")).unwrap();
        let names: Vec<String> = branches(dir.path()).into_iter().map(|log| log.name).collect();
        assert_eq!(names, ["logs/refs/heads/a/b/y", "logs/refs/heads/a/x", "logs/refs/heads/main"]);
    }

    #[test]
    fn every_worktree_has_a_head_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("worktrees/w")).unwrap();
        let names: Vec<String> = head_logs(dir.path()).into_iter().map(|log| log.name).collect();
        assert_eq!(names, ["logs/HEAD", "worktrees/w/logs/HEAD"]);
    }
}
