//! Repository and HEAD lookup from git's files: starting `git` would cost more than the rest of the hook.
//!
//! Every read is bounded and every failure means "unknown": the sidecar then resolves HEAD itself, also from
//! formats that are not read here (reftable).

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::spool::record::is_oid;

/// HEAD, `.git` files and loose references are one line; a longer file is none of them.
const LINE: u64 = 4096;
/// Read limit of `packed-refs`, in bytes; some 200,000 references.
const PACKED: u64 = 16 << 20;
/// References that each linked worktree has of its own.
const PER_WORKTREE: [&[u8]; 3] = [b"refs/bisect/", b"refs/worktree/", b"refs/rewritten/"];
/// The depth to which git itself follows symbolic references.
const DEPTH: usize = 5;

/// Read limit of the list, in bytes.
const LIST: u64 = 1 << 20;
/// Maximum number of commits: their pairs stay below 100 KiB.
const COMMITS: usize = 1_000;
/// First line of the list (`builtin/merge.c`).
const TITLE: &[u8] = b"Squashed commit of the following:";

/// Finds the git directory of the worktree of `start`: `GIT_DIR`, else the next `.git` upwards.
/// `start` must be absolute.
#[must_use]
pub fn git_dir(from_env: Option<&OsStr>, start: &Path) -> Option<PathBuf> {
    if let Some(named) = from_env.filter(|named| !named.is_empty()) {
        return resolve_git_dir(&normalise_path(&start.join(named))?);
    }
    start.ancestors().find_map(|directory| resolve_git_dir(&directory.join(".git")))
}

/// Resolves `.git`: a directory is itself; a file (linked worktree, submodule) names the directory.
fn resolve_git_dir(path: &Path) -> Option<PathBuf> {
    if is_git_dir(path) {
        return Some(path.to_owned());
    }
    let line = read_line_file(path)?;
    let named = OsStr::from_bytes(line.strip_prefix(b"gitdir: ")?);
    let target = normalise_path(&path.parent()?.join(named))?;
    is_git_dir(&target).then_some(target)
}

fn is_git_dir(path: &Path) -> bool {
    std::fs::symlink_metadata(path.join("HEAD")).is_ok()
}

/// The path without `.`; a path with `..` is resolved in the file system.
fn normalise_path(path: &Path) -> Option<PathBuf> {
    if path.components().any(|part| part == Component::ParentDir) {
        return path.canonicalize().ok();
    }
    Some(path.components().filter(|part| *part != Component::CurDir).collect())
}

/// The commit id of HEAD, in hex; `None` if unknown (unborn branch, reftable, damage).
#[must_use]
pub fn read_head(git_dir: &Path) -> Option<String> {
    let mut value = read_line_file(&git_dir.join("HEAD"))?;
    let mut common = None;
    for _ in 0..DEPTH {
        let Some(name) = value.strip_prefix(b"ref:") else { return oid(&value) };
        let name = name.trim_ascii().to_vec();
        // As git does: a reference is below `refs/`, without a step upwards.
        if !name.starts_with(b"refs/") || name.split(|byte| *byte == b'/').any(|part| part.starts_with(b".")) {
            return None;
        }
        let shared = common.get_or_insert_with(|| common_dir(git_dir));
        let is_own = PER_WORKTREE.iter().any(|start| name.starts_with(start));
        let home = if is_own { git_dir } else { shared.as_path() };
        match read_line_file(&home.join(OsStr::from_bytes(&name))) {
            Some(next) => value = next,
            None => return find_packed_ref(&shared.join("packed-refs"), &name),
        }
    }
    None
}

/// True during a rebase, `am`, or a cherry-pick or revert of several commits. `CHERRY_PICK_HEAD` does not count:
/// a single cherry-pick is an ordinary commit.
#[must_use]
pub fn in_sequence(git_dir: &Path) -> bool {
    let traces = ["rebase-merge", "rebase-apply", "sequencer"];
    traces.iter().any(|trace| git_dir.join(trace).symlink_metadata().is_ok())
}

/// The common git directory, which holds the branches of a linked worktree.
fn common_dir(git_dir: &Path) -> PathBuf {
    let named = read_line_file(&git_dir.join("commondir"));
    named.map_or_else(|| git_dir.to_owned(), |named| git_dir.join(OsStr::from_bytes(&named)))
}

fn find_packed_ref(path: &Path, name: &[u8]) -> Option<String> {
    let mut lines = BufReader::new(File::open(path).ok()?.take(PACKED));
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).ok()? > 0 {
        let text = line.trim_ascii_end();
        if text.ends_with(name) && text.get(..text.len() - name.len())?.ends_with(b" ") {
            return oid(text.get(..text.len() - name.len() - 1)?);
        }
        line.clear();
    }
    None
}

fn oid(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value).ok().filter(|text| is_oid(text)).map(str::to_owned)
}

/// Reads a one-line file without its line end. Trailing spaces may belong to a path and stay.
fn read_line_file(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(256);
    File::open(path).ok()?.take(LINE + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > LINE {
        return None;
    }
    while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        bytes.pop();
    }
    Some(bytes)
}

/// The commits of a squash merge, from git's `SQUASH_MSG`: lines of `commit head`: each listed commit with the one it was merged onto, or with itself if that is
/// unknown, because the references are in a format that is not read here.
#[must_use]
pub fn squashed_commits(git_dir: &Path, head: Option<&str>) -> Vec<u8> {
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
    use std::fs;
    use std::process::Command;

    use super::*;

    fn git(directory: &Path, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(directory).env_clear().env("PATH", search_path()).env("HOME", directory);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.org");
            command.env(format!("GIT_{role}_DATE"), "2024-01-02T03:04:05Z");
        }
        let output = command.output().expect("git runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    #[expect(clippy::disallowed_methods, reason = "git must be found")]
    fn search_path() -> std::ffi::OsString {
        std::env::var_os("PATH").unwrap_or_default()
    }

    fn commit(directory: &Path) -> String {
        git(directory, &["commit", "-q", "--allow-empty", "-m", "x"]);
        git(directory, &["rev-parse", "HEAD"])
    }

    /// A repository with one commit, in a directory with special characters in its name.
    fn repository() -> (tempfile::TempDir, PathBuf, String) {
        let home = tempfile::tempdir().expect("a directory");
        let root = home.path().canonicalize().expect("there").join("é work");
        fs::create_dir(&root).expect("created");
        git(&root, &["init", "-q", "-b", "main"]);
        let oid = commit(&root);
        (home, root, oid)
    }

    #[test]
    fn a_loose_branch_is_read_from_any_directory_below() {
        let (_home, root, oid) = repository();
        fs::create_dir_all(root.join("a/b")).expect("created");
        let found = git_dir(None, &root.join("a/b")).expect("found");
        assert_eq!(found, root.join(".git"));
        assert_eq!(read_head(&found), Some(oid));
    }

    #[test]
    fn a_packed_branch_is_found_among_others() {
        let (_home, root, oid) = repository();
        for name in ["aaa", "main2", "xmain", "x/main"] {
            git(&root, &["branch", name]);
        }
        let other = commit(&root);
        git(&root, &["pack-refs", "--all"]);
        assert!(!root.join(".git/refs/heads/main").exists());
        assert_eq!(read_head(&root.join(".git")), Some(other));
        git(&root, &["symbolic-ref", "HEAD", "refs/heads/x/main"]);
        assert_eq!(read_head(&root.join(".git")), Some(oid));
    }

    #[test]
    fn a_detached_head_is_its_commit() {
        let (_home, root, oid) = repository();
        commit(&root);
        git(&root, &["checkout", "-q", "--detach", &oid]);
        assert_eq!(read_head(&root.join(".git")), Some(oid));
    }

    #[test]
    fn an_unborn_branch_and_no_repository_are_unknown() {
        let (_home, root, _) = repository();
        git(&root, &["checkout", "-q", "--orphan", "new"]);
        assert_eq!(read_head(&root.join(".git")), None);
        assert_eq!(git_dir(None, Path::new("/")), None);
        assert_eq!(git_dir(Some(OsStr::new("/nonexistent")), &root), None);
    }

    #[test]
    fn a_linked_worktree_has_its_own_directory_and_shared_branches() {
        let (home, root, _) = repository();
        let linked = home.path().canonicalize().expect("there").join("linked");
        git(&root, &["worktree", "add", "-q", linked.to_str().expect("UTF-8")]);
        let oid = commit(&linked);
        let found = git_dir(None, &linked).expect("found");
        assert_eq!(found, root.join(".git/worktrees/linked"));
        assert_eq!(read_head(&found), Some(oid.clone()));
        git(&root, &["pack-refs", "--all"]);
        assert_eq!(read_head(&found), Some(oid));
    }

    #[test]
    fn a_relative_git_file_as_submodules_have_is_followed() {
        let (home, root, oid) = repository();
        let module = home.path().canonicalize().expect("there").join("module");
        fs::create_dir(&module).expect("created");
        fs::write(module.join(".git"), "gitdir: ../é work/.git\n").expect("written");
        let found = git_dir(None, &module).expect("found");
        assert_eq!((found.clone(), read_head(&found)), (root.join(".git"), Some(oid)));
    }

    #[test]
    fn git_dir_from_the_environment_wins_and_may_be_relative() {
        let (_home, root, _) = repository();
        let inside = root.join(".git");
        assert_eq!(git_dir(Some(OsStr::new(".git")), &root), Some(inside.clone()));
        assert_eq!(git_dir(Some(OsStr::new("./.git/")), &root), Some(inside.clone()));
        assert_eq!(git_dir(Some(OsStr::new(".")), &inside), Some(inside.clone()));
        assert_eq!(git_dir(Some(OsStr::new("../.git")), &inside), Some(inside.clone()));
        assert_eq!(git_dir(Some(inside.as_os_str()), Path::new("/")), Some(inside));
    }

    #[test]
    fn a_reftable_repository_has_an_unknown_head() {
        let (_home, root, _) = repository();
        let inside = root.join(".git");
        fs::write(inside.join("HEAD"), "ref: refs/heads/.invalid\n").expect("written");
        assert_eq!(git_dir(None, &root), Some(inside.clone()));
        assert_eq!(read_head(&inside), None);
    }

    #[test]
    fn a_hostile_head_leads_nowhere() {
        let (_home, root, oid) = repository();
        let inside = root.join(".git");
        fs::write(inside.join("secret"), format!("{oid}\n")).expect("written");
        fs::write(inside.join("refs/heads/loop"), "ref: refs/heads/loop\n").expect("written");
        let long = "a".repeat(5000);
        let hostile = ["", "ref: refs/../secret", "ref: ../secret", "ref: /etc/passwd", "ref: refs/heads/loop", &long];
        for content in hostile {
            fs::write(inside.join("HEAD"), content).expect("written");
            assert_eq!(read_head(&inside), None, "{content:.30}");
        }
    }

    #[test]
    fn a_symbolic_branch_is_followed() {
        let (_home, root, oid) = repository();
        git(&root, &["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
        git(&root, &["symbolic-ref", "HEAD", "refs/heads/alias"]);
        assert_eq!(read_head(&root.join(".git")), Some(oid));
    }

    #[test]
    fn each_trace_of_a_sequence_is_noticed() {
        let (_home, root, _) = repository();
        let inside = root.join(".git");
        assert!(!in_sequence(&inside));
        for trace in ["rebase-merge", "rebase-apply", "sequencer"] {
            fs::create_dir(inside.join(trace)).expect("created");
            assert!(in_sequence(&inside), "{trace}");
            fs::remove_dir(inside.join(trace)).expect("removed");
        }
    }

    #[test]
    fn a_single_cherry_pick_is_no_sequence() {
        let (_home, root, oid) = repository();
        let inside = root.join(".git");
        fs::write(inside.join("CHERRY_PICK_HEAD"), format!("{oid}\n")).expect("written");
        assert!(!in_sequence(&inside));
    }

    #[test]
    fn the_listed_commits_are_told_with_the_one_they_were_merged_onto() {
        let dir = tempfile::tempdir().expect("a directory");
        let (one, two, head) = ("1".repeat(40), "2".repeat(40), "f".repeat(40));
        assert!(squashed_commits(dir.path(), Some(&head)).is_empty(), "no list");
        let list = format!(
            "Squashed commit of the following:\n\ncommit {one}\nAuthor: A\n\n    commit {head}\n\ncommit {two}\n"
        );
        fs::write(dir.path().join("SQUASH_MSG"), list).expect("written");
        let listed = squashed_commits(dir.path(), Some(&head));
        assert_eq!(String::from_utf8_lossy(&listed), format!("{one} {head}\n{two} {head}\n"));
        let listed = squashed_commits(dir.path(), None);
        assert_eq!(String::from_utf8_lossy(&listed), format!("{one} {one}\n{two} {two}\n"), "an unknown head");
    }

    #[test]
    fn a_message_written_by_hand_names_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("SQUASH_MSG"), format!("commit {}\n", "1".repeat(40))).expect("written");
        assert!(squashed_commits(dir.path(), Some(&"f".repeat(40))).is_empty());
    }
}
