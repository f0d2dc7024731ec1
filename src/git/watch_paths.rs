//! Paths that change with repository activity: directories to watch and files to poll. Measured on git 2.47: a commit
//! appends to `logs/HEAD` and to the branch's log before it moves the branch; a linked worktree has its own HEAD log; a
//! reftable repository renames a file onto `reftable/tables.list`; gc replaces logs by rename, so a watch on a file
//! would silently stop.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::reflog::{log_files, ref_tips};

/// Watched branch directories below the first one.
const DEEPER: usize = 2;

/// Watched directories of a repository without linked worktrees.
const PLAIN: usize = 5;

/// Paths to watch and to poll. Both list only existing paths: refresh after a relevant event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchPaths {
    /// Directories: at most five for a repository without linked worktrees, plus two or three for each of those.
    pub dirs: Vec<PathBuf>,
    /// Files and directories with an inode, size or modification time that changes when anything moves.
    pub stat: Vec<PathBuf>,
}

/// Collects the paths of the repository with this common directory. Reads directories, writes nothing.
#[must_use]
pub fn collect_watch_paths(common_dir: &Path) -> WatchPaths {
    let mut traces = WatchPaths { dirs: vec![common_dir.to_owned()], stat: Vec::new() };
    if common_dir.join("reftable").is_dir() {
        traces.reftable(common_dir);
    } else if common_dir.join("logs").is_dir() {
        traces.branches(common_dir, "logs/refs/heads", &["logs/refs", "logs"]);
        traces.stat.push(common_dir.join("logs/HEAD"));
        traces.unlogged(common_dir);
    } else {
        traces.branches(common_dir, "refs/heads", &["refs"]);
        traces.stat.extend([common_dir.join("logs"), common_dir.join("packed-refs")]);
    }
    traces.worktrees(common_dir);
    if let Some(heads) = super::jj::heads_dir(common_dir) {
        traces.dirs.push(heads.clone());
        traces.stat.push(heads);
    }
    traces
}

impl WatchPaths {
    fn reftable(&mut self, git_dir: &Path) {
        self.dirs.push(git_dir.join("reftable"));
        self.stat.push(git_dir.join("reftable/tables.list"));
    }

    /// The branch folder (or its nearest existing parent), and the most recently changed folders below it.
    fn branches(&mut self, common_dir: &Path, heads: &str, above: &[&str]) {
        let heads = common_dir.join(heads);
        let logs = *above.last().unwrap_or(&"");
        if logs == "logs" {
            self.dirs.push(common_dir.join(logs));
        }
        if !heads.is_dir() {
            let next = above.iter().map(|name| common_dir.join(name)).find(|dir| dir.is_dir());
            self.dirs.extend(next.filter(|dir| !self.dirs.contains(dir)));
            return;
        }
        let files = log_files::files(&heads);
        self.dirs.push(heads.clone());
        self.dirs.extend(latest_folders(&heads, &files));
        self.stat.push(heads);
        self.stat.extend(files.into_iter().map(|(path, _)| path));
    }

    /// Tools that write no log (go-git, isomorphic-git) still move the checked-out branch.
    fn unlogged(&mut self, common_dir: &Path) {
        let Some(branch) = ref_tips::checked_out(common_dir, common_dir) else { return };
        if self.dirs.len() < PLAIN {
            self.dirs.extend(branch.parent().filter(|folder| folder.is_dir()).map(Path::to_owned));
        }
        self.stat.push(branch);
    }

    fn worktrees(&mut self, common_dir: &Path) {
        let found = log_files::worktrees(common_dir);
        let parent = common_dir.join("worktrees");
        if parent.is_dir() {
            self.dirs.push(parent.clone());
            self.stat.push(parent);
        }
        for git_dir in found {
            let logs = git_dir.join("logs");
            // The index and the message of the next commit.
            self.dirs.push(git_dir.clone());
            if git_dir.join("reftable").is_dir() {
                self.reftable(&git_dir);
            } else if logs.is_dir() {
                self.stat.push(logs.join("HEAD"));
                self.stat.extend(ref_tips::checked_out(common_dir, &git_dir));
                self.dirs.push(logs);
            } else {
                // Still being created: its log follows.
                self.stat.push(git_dir);
            }
        }
    }
}

/// The folders below `heads` with the latest changes. A folder without files counts with its own time: git creates it
/// shortly before the file. Of nested folders the inner one comes first.
fn latest_folders(heads: &Path, files: &[(PathBuf, i64)]) -> Vec<PathBuf> {
    let mut changes: BTreeMap<PathBuf, i64> = log_files::folders(heads).into_iter().collect();
    // Latest last.
    for (path, changed) in files.iter().rev() {
        if let Some(latest) = path.parent().and_then(|folder| changes.get_mut(folder)) {
            *latest = *changed;
        }
    }
    let mut found: Vec<(PathBuf, i64)> = changes.into_iter().rev().collect();
    found.sort_by_key(|(_, changed)| Reverse(*changed));
    found.into_iter().take(DEEPER).map(|(folder, _)| folder).collect()
}

/// Whether an event on `name` in `dir`, one of the watched directories, can mean new commits or a new directory to
/// watch. `index.lock`, `COMMIT_EDITMSG`, `HEAD.lock` and the like cannot.
#[must_use]
pub fn is_relevant_event(common_dir: &Path, dir: &Path, name: &OsStr) -> bool {
    if name.as_encoded_bytes().ends_with(b".lock") {
        return false;
    }
    if dir.ends_with(".jj/repo/op_heads/heads") {
        return true;
    }
    let below = dir.strip_prefix(common_dir).unwrap_or(dir);
    let mut parts = below.iter().filter_map(OsStr::to_str);
    match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => in_common_dir(common_dir, name),
        (Some("logs"), None, _) => name == "HEAD" || name == "refs",
        (Some("logs"), Some("refs"), None) | (Some("refs"), None, _) => name == "heads",
        (Some("logs" | "refs"), ..) | (Some("worktrees"), None, _) => true,
        (Some("reftable"), None, _) | (Some("worktrees"), Some(_), Some("reftable")) => name == "tables.list",
        (Some("worktrees"), Some(_), Some("logs")) => name == "HEAD",
        (Some("worktrees"), Some(_), None) => name == "logs" || name == "reftable",
        _ => false,
    }
}

/// Whether an event on `name` in `dir` announces a commit in the worktree with this git directory: its index was
/// written, or its message is being edited.
#[must_use]
pub fn is_of_a_commit_to_come(common_dir: &Path, dir: &Path, name: &OsStr) -> bool {
    (name == "index" || name == "COMMIT_EDITMSG")
        && (dir == common_dir || dir.parent().is_some_and(|parent| parent == common_dir.join("worktrees")))
}

/// The git directory of the worktree with the moved HEAD, when `name` in `dir` is its HEAD log.
#[must_use]
pub fn moved_head_dir<'a>(dir: &'a Path, name: &OsStr) -> Option<&'a Path> {
    if name == "HEAD" && dir.ends_with("logs") { dir.parent() } else { None }
}

fn in_common_dir(common_dir: &Path, name: &OsStr) -> bool {
    let is_new_place = ["logs", "worktrees", "reftable"].iter().any(|place| name == *place);
    // Without logs the branches themselves are watched.
    is_new_place || ((name == "packed-refs" || name == "refs") && !common_dir.join("logs").is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stage(tempfile::TempDir);

    impl Stage {
        fn new(files: &[&str]) -> Self {
            let stage = Self(tempfile::tempdir().unwrap());
            files.iter().for_each(|file| stage.write(file));
            stage
        }

        fn write(&self, file: &str) {
            let path = self.0.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }

        fn names(&self, paths: Vec<PathBuf>) -> Vec<String> {
            let name = |path: PathBuf| path.strip_prefix(self.0.path()).unwrap().to_string_lossy().into_owned();
            let mut names: Vec<String> = paths.into_iter().map(name).collect();
            names.sort();
            names
        }

        fn dirs(&self) -> Vec<String> {
            self.names(collect_watch_paths(self.0.path()).dirs)
        }

        fn stat(&self) -> Vec<String> {
            self.names(collect_watch_paths(self.0.path()).stat)
        }

        fn is_relevant(&self, dir: &str, name: &str) -> bool {
            let dir = if dir.is_empty() { self.0.path().to_owned() } else { self.0.path().join(dir) };
            is_relevant_event(self.0.path(), &dir, OsStr::new(name))
        }
    }

    #[test]
    fn a_plain_repository_has_at_most_five() {
        let plain = Stage::new(&["logs/HEAD", "logs/refs/heads/main", "refs/heads/main"]);
        assert_eq!(plain.dirs(), ["", "logs", "logs/refs/heads"]);
        assert_eq!(plain.stat(), ["logs/HEAD", "logs/refs/heads", "logs/refs/heads/main"]);
        for folder in ["a", "b", "c", "d/e"] {
            plain.write(&format!("logs/refs/heads/{folder}/x"));
        }
        assert_eq!(plain.dirs().len(), 5);
    }

    #[test]
    fn of_the_folders_those_whose_logs_changed_last_are_watched() {
        let stage = Stage::new(&["logs/HEAD", "logs/refs/heads/main"]);
        for (folder, age) in [("old", 30), ("young", 10), ("mid", 20)] {
            let name = format!("logs/refs/heads/{folder}/x");
            stage.write(&name);
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000 - age);
            std::fs::File::options().write(true).open(stage.0.path().join(name)).unwrap().set_modified(time).unwrap();
        }
        let dirs = stage.dirs();
        assert!(dirs.contains(&"logs/refs/heads/young".to_owned()), "{dirs:?}");
        assert!(dirs.contains(&"logs/refs/heads/mid".to_owned()), "{dirs:?}");
        assert_eq!(dirs.len(), 5);
    }

    #[test]
    fn the_branch_that_is_checked_out_is_watched_for_tools_that_write_no_log() {
        let stage = Stage::new(&["logs/HEAD", "logs/refs/heads/f/x", "refs/heads/f/x", "worktrees/w/logs/HEAD"]);
        std::fs::write(stage.0.path().join("HEAD"), "ref: refs/heads/f/x\n").unwrap();
        std::fs::write(stage.0.path().join("worktrees/w/HEAD"), "ref: refs/heads/y\n").unwrap();
        assert!(stage.dirs().contains(&"refs/heads/f".to_owned()) && stage.is_relevant("refs/heads/f", "x"));
        for branch in ["refs/heads/f/x", "refs/heads/y"] {
            assert!(stage.stat().contains(&branch.to_owned()), "{branch}");
        }
        for folder in ["a", "b"] {
            stage.write(&format!("logs/refs/heads/{folder}/x"));
        }
        std::fs::create_dir_all(stage.0.path().join("logs/refs/heads/c")).unwrap();
        assert_eq!(stage.dirs().iter().filter(|dir| !dir.starts_with("worktrees")).count(), PLAIN);
    }

    #[test]
    fn folders_that_are_to_hold_a_log_in_a_moment_are_watched() {
        let stage = Stage::new(&["logs/HEAD", "logs/refs/heads/main", "logs/refs/heads/old/x"]);
        let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        let log = stage.0.path().join("logs/refs/heads/old/x");
        std::fs::File::options().write(true).open(log).unwrap().set_modified(old).unwrap();
        std::fs::create_dir_all(stage.0.path().join("logs/refs/heads/new/er")).unwrap();
        let dirs = stage.dirs();
        for folder in ["new", "new/er"] {
            assert!(dirs.contains(&format!("logs/refs/heads/{folder}")), "{dirs:?}");
        }
        assert_eq!(dirs.len(), 5);
    }

    #[test]
    fn every_linked_worktree_adds_its_logs_and_one_in_the_making_itself() {
        let stage = Stage::new(&["logs/HEAD", "logs/refs/heads/main", "worktrees/w/logs/HEAD", "worktrees/new/gitdir"]);
        let of_worktrees = ["worktrees", "worktrees/new", "worktrees/w", "worktrees/w/logs"];
        assert_eq!(stage.dirs(), [&["", "logs", "logs/refs/heads"][..], &of_worktrees].concat());
        assert!(stage.stat().contains(&"worktrees/w/logs/HEAD".to_owned()));
    }

    #[test]
    fn without_logs_the_branches_themselves_tell() {
        let bare = Stage::new(&["refs/heads/a/b", "packed-refs"]);
        assert_eq!(bare.dirs(), ["", "refs/heads", "refs/heads/a"]);
        assert_eq!(bare.stat(), ["logs", "packed-refs", "refs/heads", "refs/heads/a/b"]);
        assert!(
            bare.is_relevant("", "packed-refs")
                && bare.is_relevant("refs/heads", "main")
                && bare.is_relevant("refs/heads/a", "b")
        );
        assert!(!bare.is_relevant("refs/heads", "main.lock"));
    }

    #[test]
    fn a_reftable_repository_tells_by_its_list_of_tables() {
        let stage = Stage::new(&["reftable/tables.list", "refs/heads", "worktrees/w/reftable/tables.list"]);
        assert_eq!(stage.dirs(), ["", "reftable", "worktrees", "worktrees/w", "worktrees/w/reftable"]);
        assert!(
            stage.is_relevant("reftable", "tables.list") && stage.is_relevant("worktrees/w/reftable", "tables.list")
        );
        assert!(!stage.is_relevant("reftable", "tables.list.lock") && !stage.is_relevant("reftable", "0x01-0x02.ref"));
    }

    #[test]
    fn before_the_first_commit_the_place_where_logs_come_is_watched() {
        let fresh = Stage::new(&["HEAD", "refs/heads/.keep"]);
        assert_eq!(fresh.dirs(), ["", "refs/heads"]);
        assert!(fresh.is_relevant("", "logs"));
        let started = Stage::new(&["HEAD", "logs/refs/.keep"]);
        assert_eq!(started.dirs(), ["", "logs", "logs/refs"]);
        assert!(started.is_relevant("logs/refs", "heads"));
    }

    #[test]
    fn the_index_and_the_message_of_every_worktree_tell_of_a_commit_to_come() {
        let top = Path::new("/r/.git");
        let to_come = |dir: &str, name: &str| is_of_a_commit_to_come(top, &top.join(dir), OsStr::new(name));
        for dir in ["", "worktrees/w"] {
            assert!(to_come(dir, "index") && to_come(dir, "COMMIT_EDITMSG"), "{dir}");
            assert!(!to_come(dir, "index.lock") && !to_come(dir, "HEAD"), "{dir}");
        }
        assert!(!to_come("logs", "index") && !to_come("worktrees", "index") && !to_come("modules/m", "index"));
        let moved = |dir: &str, name: &str| moved_head_dir(&top.join(dir), OsStr::new(name)).map(Path::to_owned);
        assert_eq!(moved("logs", "HEAD"), Some(top.to_owned()));
        assert_eq!(moved("worktrees/w/logs", "HEAD"), Some(top.join("worktrees/w")));
        assert_eq!((moved("logs/refs/heads", "HEAD"), moved("logs", "refs"), moved("", "HEAD")), (None, None, None));
    }

    #[test]
    fn what_git_writes_on_the_way_to_a_commit_tells_nothing() {
        let stage = Stage::new(&["logs/HEAD", "logs/refs/heads/main"]);
        for name in
            ["index.lock", "index", "COMMIT_EDITMSG", "HEAD.lock", "HEAD", "ORIG_HEAD", "packed-refs", "objects"]
        {
            assert!(!stage.is_relevant("", name), "{name}");
        }
        assert!(stage.is_relevant("logs", "HEAD") && !stage.is_relevant("logs", "HEAD.lock"));
        assert!(stage.is_relevant("logs/refs/heads", "main") && stage.is_relevant("logs/refs/heads/a", "b"));
        assert!(
            stage.is_relevant("", "worktrees")
                && stage.is_relevant("worktrees", "new")
                && stage.is_relevant("worktrees/w", "logs")
        );
        assert!(stage.is_relevant("worktrees/w/logs", "HEAD"));
    }
}
