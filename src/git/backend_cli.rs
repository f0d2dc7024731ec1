//! Git CLI backend: reads repositories that libgit2 cannot open through the hardened `git` child process.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::GitError;
use super::child::{Git, Output};
use super::history::KnownCommits;
use super::new_commits::NewCommits;
use super::patch::TreePair;
use crate::domain::id::Oid;

/// Repository location per git: (git directory, common directory, work tree).
pub fn locate(start: &Path) -> Result<(PathBuf, PathBuf, Option<PathBuf>), GitError> {
    let start = if start.is_file() { start.parent().unwrap_or(start) } else { start };
    let output = Git::inside(start).run(&["rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir"])?;
    if !output.success {
        return Err(refusal(start, &output));
    }
    let mut lines = output.stdout.split(|byte| *byte == b'\n').map(path);
    let not_here = || GitError::NotARepository { path: start.to_owned() };
    let (git_dir, common_dir) = (lines.next().ok_or_else(not_here)?, lines.next().ok_or_else(not_here)?);
    let work_tree = work_tree(&git_dir, &common_dir)?;
    Ok((git_dir, common_dir, work_tree))
}

fn refusal(start: &Path, output: &Output) -> GitError {
    let path = start.to_owned();
    if output.stderr.contains("dubious ownership") {
        GitError::ForeignOwner { path }
    } else {
        GitError::NotARepository { path }
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// `rev-parse --show-toplevel` works only inside the work tree; an event names the git directory.
fn work_tree(git_dir: &Path, common_dir: &Path) -> Result<Option<PathBuf>, GitError> {
    let git = Git::of_git_dir(git_dir);
    if git_dir != common_dir {
        let link = std::fs::read(git_dir.join("gitdir")).unwrap_or_default();
        return Ok(path(link.trim_ascii_end()).parent().filter(|tree| tree.is_absolute()).map(Path::to_owned));
    }
    if let Some(tree) = git.line(&["config", "--type=path", "--get", "core.worktree"])? {
        return Ok(git_dir.join(tree).canonicalize().ok());
    }
    let bare = git.line(&["config", "--type=bool", "--get", "core.bare"])?.is_some_and(|value| value == "true");
    Ok(git_dir.parent().filter(|_| !bare).map(Path::to_owned))
}

pub fn head(git: &Git) -> Result<(Oid, Option<Vec<u8>>), GitError> {
    let id = git.line(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
    let oid = id.and_then(|id| id.parse().ok()).ok_or(GitError::Unborn)?;
    let branch = git.line(&["symbolic-ref", "--quiet", "--short", "HEAD"])?;
    Ok((oid, branch.map(String::into_bytes)))
}

pub fn resolve(git: &Git, rev: &str) -> Result<Oid, GitError> {
    let commit = format!("{rev}^{{commit}}");
    let id = git.line(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
    id.and_then(|id| id.parse().ok()).ok_or_else(|| GitError::NoSuchCommit { rev: rev.to_owned() })
}

/// Same as the libgit2 walk: reachable from `to`, not from `from`, authored at or after `since`; oldest first.
pub fn walk(git: &Git, to: &Oid, from: Option<&Oid>, since: Option<Timestamp>) -> Result<Vec<Oid>, GitError> {
    let hidden = from.map(|from| format!("^{from}"));
    let mut args = vec!["rev-list", "--topo-order", "--reverse", "--no-commit-header", "--format=%H %at", to.as_str()];
    args.extend(hidden.as_deref());
    let output = succeed(git.run(&args)?, "cannot walk the history")?;
    let earliest = since.map_or(i64::MIN, Timestamp::as_second);
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, at)| at.parse::<i64>().is_ok_and(|at| at >= earliest))
        .filter_map(|(id, _)| id.parse().ok())
        .collect())
}

/// Whether `earlier` is an ancestor of `later`; false for a commit that no longer exists.
pub fn is_ancestor(git: &Git, earlier: &Oid, later: &Oid) -> Result<bool, GitError> {
    Ok(git.run(&["merge-base", "--is-ancestor", earlier.as_str(), later.as_str()])?.success)
}

/// Commits in `to` but not in `from`: the newest `limit`, oldest first.
pub fn commits_between(git: &Git, from: Option<&Oid>, to: &Oid, limit: usize) -> Result<Vec<Oid>, GitError> {
    let (hidden, most) = (from.map(|from| format!("^{from}")), format!("--max-count={limit}"));
    let mut args = vec!["rev-list", "--topo-order", "--ignore-missing", &most, to.as_str()];
    args.extend(hidden.as_deref());
    let output = succeed(git.run(&args)?, "cannot walk the history")?;
    let mut found: Vec<Oid> =
        String::from_utf8_lossy(&output.stdout).lines().filter_map(|id| id.parse().ok()).collect();
    found.reverse();
    Ok(found)
}

/// The commits that are on no remote-tracking branch.
pub fn unpublished(git: &Git, oids: &[Oid]) -> Result<HashSet<Oid>, GitError> {
    let input: String = oids.iter().map(|oid| format!("{oid}\n")).collect();
    let most = format!("--max-count={UNPUBLISHED}");
    let args = ["rev-list", most.as_str(), "--ignore-missing", "--stdin", "--not", "--remotes"];
    let output = succeed(git.run_with_input(&args, input.as_bytes())?, "cannot compare with the remotes")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let walked: HashSet<&str> = text.lines().collect();
    Ok(oids.iter().filter(|oid| walked.contains(oid.as_str())).cloned().collect())
}

/// Whether HEAD or a branch contains the commit.
pub fn on_a_branch(git: &Git, oid: &Oid) -> Result<bool, GitError> {
    let output = git.run(&["rev-list", "--max-count=1", oid.as_str(), "--not", "HEAD", "--branches"])?;
    Ok(succeed(output, "cannot compare with the branches")?.stdout.is_empty())
}

/// Maximum commits walked.
const UNPUBLISHED: usize = 50_000;

/// Maximum references read.
const TIPS: usize = 5_000;

/// The references below a prefix with their commits.
pub fn tips(git: &Git, below: &str) -> Result<Vec<(String, Oid)>, GitError> {
    let most = format!("--count={TIPS}");
    let output = succeed(
        git.run(&["for-each-ref", &most, "--format=%(objectname) %(refname)", below])?,
        "cannot read the references",
    )?;
    let text = String::from_utf8_lossy(&output.stdout);
    let pair = |line: &str| line.split_once(' ').and_then(|(id, name)| Some((name.to_owned(), id.parse().ok()?)));
    Ok(text.lines().filter_map(pair).collect())
}

/// The newest of these commits and their ancestors that did not exist before.
pub fn new_commits(git: &Git, new: &[Oid], before: &KnownCommits) -> Result<NewCommits, GitError> {
    let known = before.tips.iter().chain(&before.remotes).take(TIPS).map(|known| format!("^{known}\n"));
    let input: String = new.iter().map(|tip| format!("{tip}\n")).chain(known).collect();
    let args = ["rev-list", "--topo-order", "--parents", "--ignore-missing", "--max-count=10000", "--stdin"];
    let output = succeed(git.run_with_input(&args, input.as_bytes())?, "cannot walk the history")?;
    let mut brought = NewCommits::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut oids = line.split(' ').filter_map(|oid| oid.parse().ok());
        if let Some(oid) = oids.next() {
            brought.add(oid, oids.collect());
        }
    }
    Ok(brought)
}

/// Values of the settings with these names, where set.
pub fn named(git: &Git, names: &[&str]) -> Result<Vec<String>, GitError> {
    let mut found = Vec::new();
    for name in names {
        found.extend(git.line(&["config", "--get", name])?);
    }
    Ok(found)
}

fn succeed(output: Output, doing: &str) -> Result<Output, GitError> {
    if output.success {
        return Ok(output);
    }
    let said = output.stderr.lines().next().unwrap_or("git ended without a word, or took too long").to_owned();
    Err(GitError::git(doing, std::io::Error::other(said)))
}

/// All settings with a name that matches `pattern`, lowest precedence first.
pub fn settings(git: &Git, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, GitError> {
    let output = git.run(&["config", "--null", "--get-regexp", pattern])?;
    let entries = output.stdout.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    Ok(entries
        .map(|entry| match entry.iter().position(|byte| *byte == b'\n') {
            Some(at) => (String::from_utf8_lossy(&entry[..at]).into_owned(), entry[at + 1..].to_vec()),
            None => (String::from_utf8_lossy(entry).into_owned(), b"true".to_vec()),
        })
        .collect())
}

/// `core.hooksPath` with its level, ignoring our own override on the command line.
pub fn hooks_path(git: &Git) -> Result<Option<(PathBuf, String)>, GitError> {
    let output = git.run(&["config", "--null", "--show-scope", "--type=path", "--get-all", "core.hooksPath"])?;
    let fields: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
    let set = fields.chunks_exact(2).rev().find(|pair| pair[0] != b"command");
    Ok(set.map(|pair| (path(pair[1]), String::from_utf8_lossy(pair[0]).into_owned())))
}

pub fn origin(git: &Git) -> Option<Vec<u8>> {
    let url = git.line(&["config", "--get", "remote.origin.url"]).ok()??;
    Some(url.into_bytes())
}

/// Equal to `git diff-tree -p | git patch-id --stable`, regardless of configuration.
pub fn patch_id(git: &Git, between: TreePair<'_>) -> Option<String> {
    let empty = if between.new.as_str().len() == 64 { EMPTY_TREE_SHA256 } else { EMPTY_TREE };
    let old = between.old.map_or(empty, Oid::as_str);
    let mut args = vec!["-c", "diff.suppressBlankEmpty=false", "-c", "core.quotePath=true"];
    args.extend(["diff-tree", "-p", "--no-ext-diff", "--no-textconv"]);
    args.extend(["--no-color", "--no-renames", "--text", "-U3", "--inter-hunk-context=0", "--diff-algorithm=myers"]);
    args.extend(["--indent-heuristic", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "-O/dev/null"]);
    args.extend([old, between.new.as_str()]);
    let patch = git.run(&args).ok().filter(|output| output.success)?;
    let id = git.run_with_input(&["patch-id", "--stable"], &patch.stdout).ok().filter(|output| output.success)?;
    let id = String::from_utf8(id.stdout).ok()?;
    id.split_ascii_whitespace().next().map(str::to_owned)
}

const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const EMPTY_TREE_SHA256: &str = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321";
