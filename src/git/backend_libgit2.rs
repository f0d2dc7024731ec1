//! libgit2 backend: reads a repository in process, without executing anything.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use git2::{ConfigLevel, ErrorCode, ObjectType, Repository, RepositoryOpenFlags, Sort};
use jiff::Timestamp;

use super::GitError;
use super::history::KnownCommits;
use super::new_commits::NewCommits;
use crate::domain::id::Oid;

/// The result of opening a repository.
pub enum OpenedRepository {
    Repository(Repository),
    /// A format unknown to libgit2 (reftable, SHA-256).
    Unsupported,
}

/// Opens the repository around `start`, or the one with `start` as its git directory.
///
/// # Errors
/// When there is none, or when it belongs to another user.
pub fn open(start: &Path, search: bool) -> Result<OpenedRepository, GitError> {
    let flags = if search { RepositoryOpenFlags::empty() } else { RepositoryOpenFlags::NO_SEARCH };
    let ceilings: [&Path; 0] = [];
    let error = match Repository::open_ext(start, flags, ceilings) {
        Ok(repo) => return Ok(OpenedRepository::Repository(repo)),
        Err(error) => error,
    };
    let message = error.message();
    if ["unsupported extension", "unknown object format", "unsupported repository version"]
        .iter()
        .any(|known| message.contains(known))
    {
        return Ok(OpenedRepository::Unsupported);
    }
    Err(match error.code() {
        ErrorCode::Owner => GitError::ForeignOwner { path: start.to_owned() },
        ErrorCode::NotFound => GitError::NotARepository { path: start.to_owned() },
        _ => GitError::git("cannot open the repository", error),
    })
}

/// The commit at HEAD, and the current branch.
pub fn head(repo: &Repository) -> Result<(Oid, Option<Vec<u8>>), GitError> {
    let head = match repo.head() {
        Ok(head) => head,
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
            return Err(GitError::Unborn);
        }
        Err(error) => return Err(GitError::git("cannot read HEAD", error)),
    };
    let id = head.peel_to_commit().map_err(|error| GitError::git("cannot read HEAD's commit", error))?.id();
    let branch = head.is_branch().then(|| head.shorthand_bytes().to_vec());
    Ok((oid(id)?, branch))
}

fn oid(id: git2::Oid) -> Result<Oid, GitError> {
    id.to_string().parse().map_err(|error| GitError::git("cannot read an object id", error))
}

/// Resolves `rev` to a commit.
pub fn resolve(repo: &Repository, rev: &str) -> Result<Oid, GitError> {
    let no_such = |_| GitError::NoSuchCommit { rev: rev.to_owned() };
    let object = repo.revparse_single(rev).map_err(no_such)?;
    oid(object.peel(ObjectType::Commit).map_err(no_such)?.id())
}

/// A walk towards the past ends after this many commits older than the limit, since dates can be out of order.
const DISORDER: usize = 200;

/// Commits reachable from `to`, not from `from`, authored at or after `since`; oldest first.
pub fn walk(repo: &Repository, to: &Oid, from: Option<&Oid>, since: Option<Timestamp>) -> Result<Vec<Oid>, GitError> {
    let failed = |error| GitError::git("cannot walk the history", error);
    let id = |oid: &Oid| git2::Oid::from_str(oid.as_str());
    let mut walk = repo.revwalk().map_err(failed)?;
    // A topological walk loads the whole history first; a walk by time streams and can stop early.
    let order = if from.is_none() && since.is_some() { Sort::TIME } else { Sort::TOPOLOGICAL | Sort::TIME };
    walk.set_sorting(order).map_err(failed)?;
    walk.push(id(to).map_err(failed)?).map_err(failed)?;
    if let Some(from) = from {
        walk.hide(id(from).map_err(failed)?).map_err(failed)?;
    }
    let earliest = since.map_or(i64::MIN, Timestamp::as_second);
    let (mut found, mut older) = (Vec::new(), 0);
    for id in walk {
        let commit = repo.find_commit(id.map_err(failed)?).map_err(failed)?;
        older = if commit.time().seconds() < earliest { older + 1 } else { 0 };
        if older > DISORDER {
            break;
        }
        if commit.author().when().seconds() >= earliest {
            found.push(oid(commit.id())?);
        }
    }
    found.reverse();
    Ok(found)
}

/// Whether `earlier` is an ancestor of `later`; false for a commit that no longer exists.
pub fn is_ancestor(repo: &Repository, earlier: &Oid, later: &Oid) -> Result<bool, GitError> {
    let failed = |error| GitError::git("cannot compare two commits", error);
    let id = |oid: &Oid| git2::Oid::from_str(oid.as_str()).map_err(failed);
    match repo.graph_descendant_of(id(later)?, id(earlier)?) {
        Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
        other => other.map_err(failed),
    }
}

/// All settings with a name that matches `pattern`, lowest precedence first; names in git's lower case.
pub fn settings(repo: &Repository, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, GitError> {
    let failed = |error| GitError::git("cannot read git's configuration", error);
    let config = repo.config().and_then(|mut config| config.snapshot()).map_err(failed)?;
    let mut entries = config.entries(Some(pattern)).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(failed)?;
        let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
        let value = if entry.has_value() { entry.value_bytes().to_vec() } else { b"true".to_vec() };
        found.push((name, value));
    }
    Ok(found)
}

/// One path setting with its level, a leading `~/` expanded.
pub fn path_setting(repo: &Repository, name: &str) -> Result<Option<(PathBuf, &'static str)>, GitError> {
    let failed = |error| GitError::git("cannot read git's configuration", error);
    let config = repo.config().and_then(|mut config| config.snapshot()).map_err(failed)?;
    let level = match config.get_entry(name) {
        Ok(entry) => entry.level(),
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let origin = match level {
        ConfigLevel::Global | ConfigLevel::XDG => "global",
        ConfigLevel::System | ConfigLevel::ProgramData => "system",
        ConfigLevel::Worktree => "worktree",
        _ => "local",
    };
    Ok(Some((config.get_path(name).map_err(failed)?, origin)))
}

/// A setting of the user's or the system's configuration; repository settings are ignored.
pub fn user_setting(name: &str) -> Option<String> {
    git2::Config::open_default().and_then(|mut config| config.snapshot()).ok()?.get_string(name).ok()
}

/// The origin URL as configured.
pub fn origin(repo: &Repository) -> Option<Vec<u8>> {
    let config = repo.config().and_then(|mut config| config.snapshot()).ok()?;
    config.get_bytes("remote.origin.url").ok().map(<[u8]>::to_vec)
}

/// Commits in `to` but not in `from`: the newest `limit`, oldest first.
pub fn commits_between(repo: &Repository, from: Option<&Oid>, to: &Oid, limit: usize) -> Result<Vec<Oid>, GitError> {
    let failed = |error| GitError::git("cannot walk the history", error);
    let mut walk = repo.revwalk().map_err(failed)?;
    walk.set_sorting(Sort::TOPOLOGICAL).map_err(failed)?;
    walk.push(id(to).map_err(failed)?).map_err(failed)?;
    if let Some(from) = from {
        hide(&mut walk, id(from).map_err(failed)?).map_err(failed)?;
    }
    let mut found = Vec::new();
    for id in walk.take(limit) {
        found.push(oid(id.map_err(failed)?)?);
    }
    found.reverse();
    Ok(found)
}

/// Reachable from the new heads, not from the old ones: the newest `limit`, oldest first. Missing objects are skipped.
pub fn between(repo: &Repository, old: &[Oid], new: &[Oid], limit: usize) -> Result<Vec<Oid>, GitError> {
    let failed = |error| GitError::git("cannot walk the history", error);
    let mut walk = repo.revwalk().map_err(failed)?;
    walk.set_sorting(Sort::TOPOLOGICAL).map_err(failed)?;
    for head in new {
        match walk.push(id(head).map_err(failed)?) {
            Err(error) if error.code() != ErrorCode::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    for head in old {
        hide(&mut walk, id(head).map_err(failed)?).map_err(failed)?;
    }
    let found: Result<Vec<Oid>, GitError> = walk.take(limit).map(|id| oid(id.map_err(failed)?)).collect();
    found.map(|mut found| {
        found.reverse();
        found
    })
}

fn id(oid: &Oid) -> Result<git2::Oid, git2::Error> {
    git2::Oid::from_str(oid.as_str())
}

/// A missing commit hides nothing.
fn hide(walk: &mut git2::Revwalk<'_>, id: git2::Oid) -> Result<(), git2::Error> {
    match walk.hide(id) {
        Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
        other => other,
    }
}

/// The commits that are on no remote-tracking branch.
pub fn unpublished(repo: &Repository, oids: &[Oid]) -> Result<HashSet<Oid>, GitError> {
    let failed = |error| GitError::git("cannot compare with the remotes", error);
    let mut remotes: Vec<Oid> = tips(repo, "refs/remotes/*")?.into_iter().map(|(_, tip)| tip).collect();
    remotes.sort();
    remotes.dedup();
    let mut left: HashSet<git2::Oid> = oids.iter().filter_map(|oid| id(oid).ok()).collect();
    let mut walk = repo.revwalk().map_err(failed)?;
    for oid in &left {
        // Missing commits cannot be compared or captured.
        if repo.odb().is_ok_and(|odb| odb.exists(*oid)) {
            walk.push(*oid).map_err(failed)?;
        }
    }
    for tip in &remotes {
        hide(&mut walk, id(tip).map_err(failed)?).map_err(failed)?;
    }
    let mut found = HashSet::new();
    for walked in walk.take(UNPUBLISHED) {
        let walked = walked.map_err(failed)?;
        if left.remove(&walked) {
            found.insert(oid(walked)?);
        }
        if left.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// Assumed maximum by which a child commit's date precedes its parent's (seconds); beyond it only HEAD is checked.
const SKEW: i64 = 24 * 60 * 60;

/// Whether HEAD or a branch contains the commit. One walk covers all branches and skips commits clearly older than it:
/// comparing each of thousands of branches would read the history thousands of times.
pub fn on_a_branch(repo: &Repository, oid: &Oid) -> Result<bool, GitError> {
    let failed = |error| GitError::git("cannot compare with the branches", error);
    let wanted = id(oid).map_err(failed)?;
    let Ok(commit) = repo.find_commit(wanted) else { return Ok(false) };
    let has = |tip: git2::Oid| tip == wanted || repo.graph_descendant_of(tip, wanted).unwrap_or(false);
    if repo.head().ok().and_then(|head| head.target()).is_some_and(has) {
        return Ok(true);
    }
    let oldest = commit.time().seconds() - SKEW;
    let mut next: Vec<git2::Oid> = tips(repo, "refs/heads/*")?.iter().filter_map(|(_, tip)| id(tip).ok()).collect();
    let mut seen = HashSet::new();
    while let Some(at) = next.pop() {
        if at == wanted {
            return Ok(true);
        }
        if seen.insert(at)
            && let Ok(commit) = repo.find_commit(at)
            && commit.time().seconds() >= oldest
        {
            next.extend(commit.parent_ids());
        }
    }
    Ok(false)
}

/// Maximum commits walked.
const UNPUBLISHED: usize = 50_000;

/// Maximum references read.
const TIPS: usize = 5_000;

/// The references that match, with their commits.
pub fn tips(repo: &Repository, glob: &str) -> Result<Vec<(String, Oid)>, GitError> {
    let failed = |error| GitError::git("cannot read the references", error);
    let references = repo.references_glob(glob).map_err(failed)?.flatten().take(TIPS);
    Ok(references
        .filter_map(|reference| {
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            Some((name, oid(reference.target()?).ok()?))
        })
        .collect())
}

/// The newest of these commits and their ancestors that did not exist before.
pub fn new_commits(repo: &Repository, new: &[Oid], before: &KnownCommits) -> Result<NewCommits, GitError> {
    let failed = |error| GitError::git("cannot walk the history", error);
    let mut walk = repo.revwalk().map_err(failed)?;
    walk.set_sorting(Sort::TOPOLOGICAL).map_err(failed)?;
    for tip in new.iter().filter_map(|tip| id(tip).ok()) {
        // Missing commits are skipped.
        if repo.find_commit(tip).is_ok() {
            walk.push(tip).map_err(failed)?;
        }
    }
    for known in before.tips.iter().chain(&before.remotes).take(TIPS) {
        hide(&mut walk, id(known).map_err(failed)?).map_err(failed)?;
    }
    let mut brought = NewCommits::default();
    for walked in walk.take(BROUGHT).filter_map(Result::ok) {
        let commit = repo.find_commit(walked).map_err(failed)?;
        brought.add(oid(walked)?, commit.parent_ids().map(oid).collect::<Result<_, _>>()?);
    }
    Ok(brought)
}

/// Maximum commits of new branches that are read.
const BROUGHT: usize = 10_000;

/// Values of the settings with these names, where set.
pub fn named(repo: &Repository, names: &[&str]) -> Result<Vec<String>, GitError> {
    let failed = |error| GitError::git("cannot read git's configuration", error);
    let config = repo.config().and_then(|mut config| config.snapshot()).map_err(failed)?;
    Ok(names.iter().filter_map(|name| config.get_string(name).ok()).collect())
}
