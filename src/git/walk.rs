//! Commit graph: ranges, ancestry, reachability from branches, and the new commits of new branches.

use std::collections::{HashMap, HashSet};

use git2::{ErrorCode, Repository, Revwalk, Sort};
use jiff::Timestamp;

use super::repo::{Backend, Repo};
use super::{GitError, jj};
use crate::domain::id::Oid;

/// A walk towards the past ends after this many commits older than the limit, since dates can be out of order.
const DISORDER: usize = 200;
/// Maximum commits walked to compare with the remotes.
const UNPUBLISHED: usize = 50_000;
/// Maximum references read.
const TIPS: usize = 5_000;
/// Maximum commits of new branches that are read.
const BROUGHT: usize = 10_000;
/// Assumed maximum by which a child commit's date precedes its parent's (seconds); beyond it only HEAD is checked.
const SKEW: i64 = 24 * 60 * 60;

const CANNOT_WALK: &str = "cannot walk the history";

/// Baseline of existing commits: what a new branch starts from is not counted as new.
#[derive(Debug, Default)]
pub struct KnownCommits {
    /// Tips of the local branches.
    pub tips: HashSet<Oid>,
    /// Tips of the remote-tracking branches.
    pub remotes: Vec<Oid>,
}

impl Repo {
    /// Commits of a range: `REV` is that single commit, `A..B` those in B but not in A (a missing end is HEAD); oldest
    /// first, limited to those authored at or after `since`.
    ///
    /// # Errors
    /// [`GitError::NoSuchCommit`] when an end does not resolve; `A...B` is not supported.
    pub fn range(&self, spec: &str, since: Option<Timestamp>) -> Result<Vec<Oid>, GitError> {
        if spec.contains("...") {
            return Err(GitError::NoSuchCommit { rev: spec.to_owned() });
        }
        if let Some((from, to)) = spec.split_once("..") {
            let or_head = |rev: &str| self.resolve(if rev.is_empty() { "HEAD" } else { rev });
            let from = or_head(from)?;
            return self.walk(&or_head(to)?, Some(&from), since);
        }
        let oid = self.resolve(spec)?;
        let is_young = match since {
            Some(since) => self.header(&oid)?.authored_at >= since,
            None => true,
        };
        Ok(if is_young { vec![oid] } else { Vec::new() })
    }

    /// Commits reachable from HEAD and authored at or after `since`, oldest first; none before the first commit.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn commits_since(&self, since: Timestamp) -> Result<Vec<Oid>, GitError> {
        match self.head() {
            Ok(head) => self.walk(&head, None, Some(since)),
            Err(GitError::Unborn) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Commits reachable from `to`, not from `from`, authored at or after `since`; oldest first.
    fn walk(&self, to: &Oid, from: Option<&Oid>, since: Option<Timestamp>) -> Result<Vec<Oid>, GitError> {
        let earliest = since.map_or(i64::MIN, Timestamp::as_second);
        let repo = match &self.backend {
            Backend::LibGit2(repo) => repo,
            Backend::Cli(git) => {
                let hidden = from.map(|from| format!("^{from}"));
                let mut args = vec!["rev-list", "--topo-order", "--reverse", "--no-commit-header", "--format=%H %at"];
                args.extend([to.as_str()].into_iter().chain(hidden.as_deref()));
                let text = git.text(&args, &[], CANNOT_WALK)?;
                let listed = text.lines().filter_map(|line| line.split_once(' '));
                let young = listed.filter(|(_, at)| at.parse::<i64>().is_ok_and(|at| at >= earliest));
                return Ok(young.filter_map(|(id, _)| id.parse().ok()).collect());
            }
        };
        let failed = |error| GitError::git(CANNOT_WALK, error);
        // A topological walk loads the whole history first; a walk by time streams and can stop early.
        let order = if from.is_none() && since.is_some() { Sort::TIME } else { Sort::TOPOLOGICAL | Sort::TIME };
        let (mut found, mut older) = (Vec::new(), 0);
        for id in revwalk(repo, order, &[id(to).map_err(failed)?], from).map_err(failed)? {
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

    /// The commits in `to` that are not in `from`, oldest first, limited to the newest `limit`. Without `from`, all
    /// commits of `to`.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn commits_between(&self, from: Option<&Oid>, to: &Oid, limit: usize) -> Result<Vec<Oid>, GitError> {
        match &self.backend {
            Backend::LibGit2(repo) => {
                let tip = id(to).map_err(|error| GitError::git(CANNOT_WALK, error))?;
                newest_between(repo, from, &[tip], limit)
            }
            Backend::Cli(git) => {
                let (hidden, most) = (from.map(|from| format!("^{from}")), format!("--max-count={limit}"));
                let mut args = vec!["rev-list", "--topo-order", "--ignore-missing", &most, to.as_str()];
                args.extend(hidden.as_deref());
                let text = git.text(&args, &[], CANNOT_WALK)?;
                Ok(text.lines().rev().filter_map(|id| id.parse().ok()).collect())
            }
        }
    }

    /// Whether `earlier` is an ancestor of `later`; false for a commit that no longer exists.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn is_ancestor(&self, earlier: &Oid, later: &Oid) -> Result<bool, GitError> {
        let repo = match &self.backend {
            Backend::LibGit2(repo) => repo,
            Backend::Cli(git) => {
                return Ok(git.run(&["merge-base", "--is-ancestor", earlier.as_str(), later.as_str()])?.success);
            }
        };
        let failed = |error| GitError::git("cannot compare two commits", error);
        match repo.graph_descendant_of(id(later).map_err(failed)?, id(earlier).map_err(failed)?) {
            Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
            other => other.map_err(failed),
        }
    }

    /// Whether HEAD of this worktree or a branch contains the commit. One walk covers all branches and skips commits
    /// clearly older than it: comparing each of thousands of branches would read the history thousands of times.
    ///
    /// # Errors
    /// When the references or the history cannot be read.
    pub fn on_a_branch(&self, oid: &Oid) -> Result<bool, GitError> {
        let doing = "cannot compare with the branches";
        let repo = match &self.backend {
            Backend::LibGit2(repo) => repo,
            Backend::Cli(git) => {
                let args = ["rev-list", "--max-count=1", oid.as_str(), "--not", "HEAD", "--branches"];
                return Ok(git.text(&args, &[], doing)?.is_empty());
            }
        };
        let wanted = id(oid).map_err(|error| GitError::git(doing, error))?;
        let Ok(commit) = repo.find_commit(wanted) else { return Ok(false) };
        let has = |tip: git2::Oid| tip == wanted || repo.graph_descendant_of(tip, wanted).unwrap_or(false);
        if repo.head().ok().and_then(|head| head.target()).is_some_and(has) {
            return Ok(true);
        }
        let oldest = commit.time().seconds() - SKEW;
        let mut next: Vec<git2::Oid> = self.tips("refs/heads")?.iter().filter_map(|(_, tip)| id(tip).ok()).collect();
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

    /// Whether HEAD of this worktree, a branch or jj contains the commit.
    ///
    /// # Errors
    /// When the references or the history cannot be read.
    pub fn is_visible(&self, oid: &Oid) -> Result<bool, GitError> {
        Ok(self.on_a_branch(oid)? || jj::shows_commit(self, oid)?)
    }

    /// Whether a remote-tracking branch has the commit.
    ///
    /// # Errors
    /// When the references or the history cannot be read.
    pub fn on_a_remote(&self, oid: &Oid) -> Result<bool, GitError> {
        Ok(self.unpublished(std::slice::from_ref(oid))?.is_empty())
    }

    /// The commits that are on no remote-tracking branch. Missing commits cannot be compared or captured.
    pub(super) fn unpublished(&self, oids: &[Oid]) -> Result<HashSet<Oid>, GitError> {
        let doing = "cannot compare with the remotes";
        let repo = match &self.backend {
            Backend::LibGit2(repo) => repo,
            Backend::Cli(git) => {
                let input: String = oids.iter().map(|oid| format!("{oid}\n")).collect();
                let most = format!("--max-count={UNPUBLISHED}");
                let args = ["rev-list", most.as_str(), "--ignore-missing", "--stdin", "--not", "--remotes"];
                let text = git.text(&args, input.as_bytes(), doing)?;
                let walked: HashSet<&str> = text.lines().collect();
                return Ok(oids.iter().filter(|oid| walked.contains(oid.as_str())).cloned().collect());
            }
        };
        let failed = |error| GitError::git(doing, error);
        let remotes: HashSet<Oid> = self.tips("refs/remotes")?.into_iter().map(|(_, tip)| tip).collect();
        let asked = existing(repo, oids);
        let mut left: HashSet<git2::Oid> = asked.iter().copied().collect();
        let mut walk = revwalk(repo, Sort::NONE, &asked, &remotes).map_err(failed)?.take(UNPUBLISHED);
        let mut found = HashSet::new();
        while !left.is_empty()
            && let Some(walked) = walk.next()
        {
            let walked = walked.map_err(failed)?;
            if left.remove(&walked) {
                found.insert(oid(walked)?);
            }
        }
        Ok(found)
    }

    /// The references below a prefix with their commits.
    pub(super) fn tips(&self, below: &str) -> Result<Vec<(String, Oid)>, GitError> {
        let doing = "cannot read the references";
        match &self.backend {
            Backend::LibGit2(repo) => {
                let references = repo.references_glob(&format!("{below}/*"));
                let references = references.map_err(|error| GitError::git(doing, error))?.flatten().take(TIPS);
                let pair = |reference: git2::Reference<'_>| {
                    let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
                    Some((name, oid(reference.target()?).ok()?))
                };
                Ok(references.filter_map(pair).collect())
            }
            Backend::Cli(git) => {
                let most = format!("--count={TIPS}");
                let text =
                    git.text(&["for-each-ref", &most, "--format=%(objectname) %(refname)", below], &[], doing)?;
                let pair =
                    |line: &str| line.split_once(' ').and_then(|(id, name)| Some((name.to_owned(), id.parse().ok()?)));
                Ok(text.lines().filter_map(pair).collect())
            }
        }
    }

    /// The newest of these commits and their ancestors that did not exist before; missing ones are skipped.
    pub(super) fn new_commits(&self, tips: &[Oid], before: &KnownCommits) -> Result<NewCommits, GitError> {
        let mut arrived_commits = NewCommits::default();
        if tips.is_empty() {
            return Ok(arrived_commits);
        }
        let excluded = before.tips.iter().chain(&before.remotes).take(TIPS);
        match &self.backend {
            Backend::LibGit2(repo) => {
                let failed = |error| GitError::git(CANNOT_WALK, error);
                let walk = revwalk(repo, Sort::TOPOLOGICAL, &existing(repo, tips), excluded).map_err(failed)?;
                for walked in walk.take(BROUGHT).filter_map(Result::ok) {
                    let commit = repo.find_commit(walked).map_err(failed)?;
                    arrived_commits.add(oid(walked)?, commit.parent_ids().map(oid).collect::<Result<_, _>>()?);
                }
            }
            Backend::Cli(git) => {
                let excluded = excluded.map(|excluded| format!("^{excluded}\n"));
                let input: String = tips.iter().map(|tip| format!("{tip}\n")).chain(excluded).collect();
                let most = format!("--max-count={BROUGHT}");
                let args = ["rev-list", "--topo-order", "--parents", "--ignore-missing", &most, "--stdin"];
                for line in git.text(&args, input.as_bytes(), CANNOT_WALK)?.lines() {
                    let mut oids = line.split(' ').filter_map(|oid| oid.parse().ok());
                    if let Some(oid) = oids.next() {
                        arrived_commits.add(oid, oids.collect());
                    }
                }
            }
        }
        Ok(arrived_commits)
    }
}

fn id(oid: &Oid) -> Result<git2::Oid, git2::Error> {
    git2::Oid::from_str(oid.as_str())
}

pub(super) fn oid(id: git2::Oid) -> Result<Oid, GitError> {
    id.to_string().parse().map_err(|error| GitError::git("cannot read an object id", error))
}

/// Those of the commits that the repository has.
pub(super) fn existing(repo: &Repository, oids: &[Oid]) -> Vec<git2::Oid> {
    oids.iter().filter_map(|oid| id(oid).ok()).filter(|id| repo.find_commit(*id).is_ok()).collect()
}

/// Reachable from the tips, not from `hidden`: the newest `limit`, oldest first.
pub(super) fn newest_between<'a>(
    repo: &Repository,
    hidden: impl IntoIterator<Item = &'a Oid>,
    tips: &[git2::Oid],
    limit: usize,
) -> Result<Vec<Oid>, GitError> {
    let failed = |error| GitError::git(CANNOT_WALK, error);
    let walk = revwalk(repo, Sort::TOPOLOGICAL, tips, hidden).map_err(failed)?;
    let mut found = walk.take(limit).map(|id| oid(id.map_err(failed)?)).collect::<Result<Vec<Oid>, GitError>>()?;
    found.reverse();
    Ok(found)
}

/// A walk from the tips down, without what is reachable from `hidden`; a missing commit hides nothing.
fn revwalk<'repo, 'a>(
    repo: &'repo Repository,
    order: Sort,
    tips: &[git2::Oid],
    hidden: impl IntoIterator<Item = &'a Oid>,
) -> Result<Revwalk<'repo>, git2::Error> {
    let mut walk = repo.revwalk()?;
    walk.set_sorting(order)?;
    for tip in tips {
        walk.push(*tip)?;
    }
    for oid in hidden {
        match walk.hide(id(oid)?) {
            Err(error) if error.code() != ErrorCode::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(walk)
}

/// Commits that did not exist before, children before their parents.
#[derive(Debug, Default)]
pub struct NewCommits {
    order: Vec<Oid>,
    parents: HashMap<Oid, Vec<Oid>>,
}

/// The start of the new commits below a tip.
#[derive(Debug, PartialEq, Eq)]
pub enum BranchBase {
    Nothing,
    /// All commits not reachable from this one; `None`: the whole history.
    Above(Option<Oid>),
}

impl NewCommits {
    /// Adds the next commit of the walk.
    pub fn add(&mut self, oid: Oid, parents: Vec<Oid>) {
        self.order.push(oid.clone());
        self.parents.insert(oid, parents);
    }

    /// The base of the branch with this tip: a known parent of its oldest new commit.
    #[must_use]
    pub fn base(&self, tip: &Oid) -> BranchBase {
        if !self.parents.contains_key(tip) {
            return BranchBase::Nothing;
        }
        let new = self.below(tip);
        let outer_parent = |oid: &Oid| self.parents.get(oid)?.iter().find(|parent| !self.parents.contains_key(parent));
        BranchBase::Above(self.order.iter().rev().filter(|oid| new.contains(oid)).find_map(outer_parent).cloned())
    }

    fn below<'a>(&'a self, tip: &'a Oid) -> HashSet<&'a Oid> {
        let (mut new, mut next) = (HashSet::new(), vec![tip]);
        while let Some(oid) = next.pop() {
            if let Some(parents) = self.parents.get(oid)
                && new.insert(oid)
            {
                next.extend(parents);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(n: u8) -> Oid {
        format!("{n:02x}").repeat(20).parse().unwrap()
    }

    fn walk(commits: &[(u8, &[u8])]) -> NewCommits {
        let mut arrived_commits = NewCommits::default();
        for (commit, parents) in commits {
            arrived_commits.add(oid(*commit), parents.iter().map(|parent| oid(*parent)).collect());
        }
        arrived_commits
    }

    #[test]
    fn a_branch_is_above_what_was_known_of_its_own_oldest_commit() {
        let arrived_commits = walk(&[(4, &[3]), (3, &[1]), (5, &[2])]);
        assert_eq!(arrived_commits.base(&oid(4)), BranchBase::Above(Some(oid(1))));
        assert_eq!(
            arrived_commits.base(&oid(5)),
            BranchBase::Above(Some(oid(2))),
            "not what the other branch grew from"
        );
        assert_eq!(arrived_commits.base(&oid(1)), BranchBase::Nothing);
    }

    #[test]
    fn a_history_of_its_own_is_above_nothing() {
        assert_eq!(walk(&[(2, &[1]), (1, &[])]).base(&oid(2)), BranchBase::Above(None));
    }
}
