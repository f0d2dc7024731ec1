//! Reflog-based history: new commits since known log positions, and their authorship.

use std::collections::HashSet;
use std::path::PathBuf;

use jiff::Timestamp;

use super::new_commits::{BranchBase, NewCommits};
use super::objects::Objects;
use super::ref_change::{LogUpdates, LoggedChange, RefChange};
use super::reflog::ReflogCommit;
use super::reflog::classify::{ClassifiedLog, EntryChange};
use super::reflog::collect::{self, NewLines};
use super::reflog::commit_order::{self, CommitSearch};
use super::reflog::line::ReflogLine;
use super::reflog::log_files;
use super::reflog::message;
use super::reflog::reader;
use super::reflog::ref_tips;
use super::reflog::resolve::{self, HistoryQueries};
use super::repo::{Backend, Repo, header};
use super::{GitError, backend_cli, backend_libgit2, branch_tips, commit, jj, reftable, squash};
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// Maximum commits counted for one unlogged move of a branch.
const ARRIVED: usize = 10_000;

/// Baseline of existing commits: what a new branch starts from is not counted as new.
#[derive(Debug, Default)]
pub struct KnownCommits {
    /// Tips of the local branches.
    pub tips: HashSet<Oid>,
    /// Tips of the remote-tracking branches.
    pub remotes: Vec<Oid>,
}

impl Repo {
    /// The current end position of every log: marks all earlier activity as known.
    ///
    /// # Errors
    /// When a child process was needed and failed.
    pub fn log_ends(&self) -> Result<Vec<LogPosition>, GitError> {
        let mut ends = self.ends()?;
        ends.extend(jj::end(&self.location().common_dir));
        Ok(ends)
    }

    fn ends(&self) -> Result<Vec<LogPosition>, GitError> {
        let common_dir = &self.location().common_dir;
        match &self.backend {
            Backend::Cli(git) if reftable::is_reftable(common_dir) => reftable::ends(git, common_dir),
            _ if branch_tips::has_no_logs(common_dir) => Ok(branch_tips::ends(common_dir, &self.branches()?)),
            _ => Ok(collect::ends(common_dir)),
        }
    }

    /// Activity after the known positions, at most 1 MiB of each log. A log that must be re-read (no position, or
    /// replaced) yields entries at or after `since`; a log created after that is new as a whole.
    ///
    /// # Errors
    /// When a child process was needed and failed, or the references of a repository without logs cannot be read.
    pub fn log_updates(&self, known: &[LogPosition], since: Timestamp) -> Result<LogUpdates, GitError> {
        let mut news = self.git_log_updates(known, since)?;
        if let Some((position, entries)) = jj::collect_changes(self, known, since)? {
            news.positions.push(position);
            news.entries.extend(entries);
        }
        Ok(news)
    }

    fn git_log_updates(&self, known: &[LogPosition], since: Timestamp) -> Result<LogUpdates, GitError> {
        let common_dir = &self.location().common_dir;
        if branch_tips::has_no_logs(common_dir) {
            return self.add_branch_bases(branch_tips::collect_moves(common_dir, known, || self.branches())?, known);
        }
        let (mut fresh, mut news) = match &self.backend {
            Backend::Cli(git) if reftable::is_reftable(common_dir) => {
                reftable::read_new_lines(git, common_dir, known, since)?
            }
            _ => collect::collect_new_lines(common_dir, known, since),
        };
        news.entries = self.logged_changes(&mut fresh)?;
        Ok(news)
    }

    /// Without logs, a new branch is reported with its base commit, as far as positions of the others are known.
    fn add_branch_bases(&self, mut news: LogUpdates, known: &[LogPosition]) -> Result<LogUpdates, GitError> {
        let deeds = || news.entries.iter().map(|entry| &entry.change);
        if deeds().all(|deed| !is_new(deed)) {
            return Ok(news);
        }
        let tips = known.iter().filter_map(|known| known.identity.parse().ok()).collect();
        let brought = self.new_commits(deeds(), &KnownCommits { tips, remotes: self.remotes()? })?;
        for LoggedChange { change: deed, .. } in &mut news.entries {
            add_base(deed, &brought);
        }
        Ok(news)
    }

    fn logged_changes(&self, fresh: &mut [NewLines]) -> Result<Vec<LoggedChange>, GitError> {
        if fresh.is_empty() {
            return Ok(Vec::new());
        }
        let stories = collect::classify_logs(fresh, &log_files::head_logs(&self.location().common_dir));
        let mut logs = self.resolve_logs(stories, fresh)?;
        let is_silent = |told: &EntryChange| matches!(told.change, RefChange::UnloggedMove { .. });
        if logs.iter().any(|told| told.iter().any(is_silent)) {
            let before = self.before(fresh)?;
            let branches_too = collect::moved_with_branches(&self.location().common_dir, fresh);
            for (told, fresh) in logs.iter_mut().zip(fresh.iter()) {
                mark_switches(told, fresh, &before, &branches_too);
            }
            let brought = self.new_commits(logs.iter().flatten().map(|told| &told.change), &before)?;
            logs.iter_mut().flatten().for_each(|told| add_base(&mut told.change, &brought));
        }
        Ok(collect::merge(fresh.iter().map(|fresh| fresh.log.git_dir.clone()).zip(logs).collect()))
    }

    fn resolve_logs(&self, stories: Vec<ClassifiedLog>, fresh: &[NewLines]) -> Result<Vec<Vec<EntryChange>>, GitError> {
        if stories.iter().all(|story| story.questions.is_empty()) {
            return Ok(stories.into_iter().map(|story| story.changes).collect());
        }
        self.with_objects(|objects| {
            let asked = RepoHistory { repo: self, objects, fresh };
            let pairs = stories.into_iter().zip(fresh);
            Ok(pairs.map(|(story, fresh)| resolve::resolve_questions(story, &fresh.tail.lines, &asked)).collect())
        })
    }

    /// The commits that existed before these lines were written.
    fn before(&self, fresh: &[NewLines]) -> Result<KnownCommits, GitError> {
        let news: HashSet<&str> = fresh.iter().filter_map(|fresh| fresh.log.branch()).collect();
        let is_still = |name: &str| !news.contains(name);
        let still = self.branches()?.into_iter().filter(|(name, _)| is_still(name)).map(|(_, tip)| tip);
        let firsts = fresh.iter().filter_map(|fresh| fresh.tail.lines.get(fresh.tail.fresh)?.old.clone());
        Ok(KnownCommits { tips: still.chain(firsts).collect(), remotes: self.remotes()? })
    }

    fn remotes(&self) -> Result<Vec<Oid>, GitError> {
        let remotes = match &self.backend {
            Backend::LibGit2(repo) => backend_libgit2::tips(repo, "refs/remotes/*")?,
            Backend::Cli(git) => backend_cli::tips(git, "refs/remotes")?,
        };
        Ok(remotes.into_iter().map(|(_, tip)| tip).collect())
    }

    /// Local branches with their tips.
    fn branches(&self) -> Result<Vec<(String, Oid)>, GitError> {
        match &self.backend {
            Backend::LibGit2(repo) => backend_libgit2::tips(repo, "refs/heads/*"),
            Backend::Cli(git) => backend_cli::tips(git, "refs/heads"),
        }
    }

    /// New commits of the new branches among these changes: one walk for all, since each walk reads as much history as
    /// all.
    fn new_commits<'a>(
        &self,
        deeds: impl Iterator<Item = &'a RefChange>,
        before: &KnownCommits,
    ) -> Result<NewCommits, GitError> {
        let mut tips: Vec<Oid> = deeds.filter(|deed| is_new(deed)).filter_map(tip).cloned().collect();
        tips.sort();
        tips.dedup();
        tips.retain(|tip| !before.tips.contains(tip));
        match &self.backend {
            _ if tips.is_empty() => Ok(NewCommits::default()),
            Backend::LibGit2(repo) => backend_libgit2::new_commits(repo, &tips, before),
            Backend::Cli(git) => backend_cli::new_commits(git, &tips, before),
        }
    }

    /// Commits made here at or after `since` per the reflogs of all worktrees and branches, oldest first, excluding
    /// those replaced by an amend or a rebase. A commit may be unreachable by now.
    ///
    /// # Errors
    /// When a child process was needed and failed.
    pub fn committed_since(&self, since: Timestamp) -> Result<Vec<Oid>, GitError> {
        Ok(self.reflog_commits_since(since)?.into_iter().map(|made| made.oid).collect())
    }

    /// Same as [`Repo::committed_since`], with the commits each replaced and its time. Unlogged commits count when they
    /// are the user's or on no remote. Reflogs have whole seconds, so the whole second of `since` is included.
    ///
    /// # Errors
    /// Same as [`Repo::committed_since`].
    pub fn reflog_commits_since(&self, since: Timestamp) -> Result<Vec<ReflogCommit>, GitError> {
        let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
        let common_dir = &self.location().common_dir;
        let mut fresh = match &self.backend {
            Backend::Cli(git) if reftable::is_reftable(common_dir) => reftable::read_all(git, common_dir)?,
            _ => collect::collect_since(common_dir, since),
        };
        let mut found = Vec::new();
        for LoggedChange { at, change: deed, .. } in
            self.logged_changes(&mut fresh)?.into_iter().filter(|entry| entry.at >= since)
        {
            match deed {
                RefChange::Committed { oid, replaces, .. } => {
                    found.push(ReflogCommit { oid, replaces: replaces.into_iter().next(), at });
                }
                RefChange::UnloggedMove { from, to } => found.extend(self.own_unlogged_commits(from.as_ref(), &to, at)),
                RefChange::Pulled { .. } | RefChange::Shown { .. } => {}
            }
        }
        let mut seen = HashSet::new();
        found.retain(|made| seen.insert(made.oid.clone()));
        Ok(found)
    }

    /// Whether `one` was made here after `other`, by log order. `None` where the logs do not show it.
    ///
    /// # Errors
    /// When a child process was needed and failed.
    pub fn was_made_after(&self, one: &Oid, other: &Oid) -> Result<Option<bool>, GitError> {
        let common_dir = &self.location().common_dir;
        let mut searches = Vec::new();
        if let Backend::Cli(git) = &self.backend
            && reftable::is_reftable(common_dir)
        {
            for fresh in reftable::read_all(git, common_dir)?.into_iter().filter(|fresh| fresh.log.is_head) {
                let mut search = CommitSearch::new(one, other);
                let _ = fresh.tail.lines.iter().rev().any(|line| search.push_line(line));
                searches.push(search);
            }
        } else {
            for head in log_files::head_logs(common_dir) {
                let mut search = CommitSearch::new(one, other);
                // An unreadable log is skipped; the others are still used.
                let _ = reader::last(&head.path, |line| search.push_line(line));
                searches.push(search);
            }
        }
        Ok(commit_order::is_later(&searches))
    }

    /// Whether the recent HEAD logs of the worktrees (1 MiB each) record that git made this commit here. `None` where
    /// no log is kept.
    ///
    /// # Errors
    /// When a child process was needed and failed.
    pub fn was_made_here(&self, oid: &Oid) -> Result<Option<bool>, GitError> {
        let common_dir = &self.location().common_dir;
        let makes_it = |line: &ReflogLine| line.new.as_ref() == Some(oid) && message::records_commit(&line.message);
        let heads: Vec<(bool, bool)> = match &self.backend {
            Backend::Cli(git) if reftable::is_reftable(common_dir) => reftable::read_all(git, common_dir)?
                .iter()
                .map(|fresh| (!fresh.tail.lines.is_empty(), fresh.tail.lines.iter().any(makes_it)))
                .collect(),
            _ => log_files::head_logs(common_dir)
                .iter()
                .map(|log| (log.path.exists(), reader::last(&log.path, makes_it).is_ok_and(|line| line.is_some())))
                .collect(),
        };
        let is_logged = heads.iter().any(|(there, _)| *there);
        Ok(is_logged.then(|| heads.iter().any(|(_, made)| *made)))
    }

    /// The user's own commits among those that an unlogged move added. Deleted commits are skipped.
    fn own_unlogged_commits(&self, from: Option<&Oid>, to: &Oid, at: Timestamp) -> Vec<ReflogCommit> {
        let arrived = self.commits_between(from, to, ARRIVED).unwrap_or_default();
        let ours = self.own_commits(&arrived, &[]).unwrap_or_default();
        ours.into_iter().map(|oid| ReflogCommit { oid, replaces: None, at }).collect()
    }

    /// The commits in `to` that are not in `from`, oldest first, limited to the newest `limit`. Without `from`, all
    /// commits of `to`.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn commits_between(&self, from: Option<&Oid>, to: &Oid, limit: usize) -> Result<Vec<Oid>, GitError> {
        match &self.backend {
            Backend::LibGit2(repo) => backend_libgit2::commits_between(repo, from, to, limit),
            Backend::Cli(git) => backend_cli::commits_between(git, from, to, limit),
        }
    }

    /// The commits that a pending squash merge combines, per `SQUASH_MSG`.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn squash_prepared(&self) -> Result<Vec<Oid>, GitError> {
        squash::read_squash_msg(&self.location().git_dir)
    }
}

/// Marks unlogged switches to a branch, and the first line of a new worktree, as adding no commits. `branches_too`:
/// lines that moved the branch as well, which may contain commits of an unlogged tool.
fn mark_switches(
    told: &mut [EntryChange],
    NewLines { log, tail }: &NewLines,
    before: &KnownCommits,
    branches_too: &HashSet<&ReflogLine>,
) {
    for EntryChange { change: deed, line, .. } in told {
        let RefChange::UnloggedMove { from, to } = deed else { continue };
        let was_there = before.tips.contains(to) && !branches_too.contains(&tail.lines[*line]);
        if log.is_head && (was_there || (from.is_none() && log.is_linked())) {
            *deed = RefChange::Pulled { from: from.take(), to: to.clone() };
        }
    }
}

fn is_new(deed: &RefChange) -> bool {
    matches!(deed, RefChange::UnloggedMove { from: None, .. })
}

fn tip(deed: &RefChange) -> Option<&Oid> {
    match deed {
        RefChange::UnloggedMove { to, .. } => Some(to),
        _ => None,
    }
}

/// Adds the base commit to a new branch; one at the tip of another branch adds no commits.
fn add_base(deed: &mut RefChange, brought: &NewCommits) {
    if let RefChange::UnloggedMove { from: from @ None, to } = deed {
        match brought.base(to) {
            BranchBase::Above(base) => *from = base,
            BranchBase::Nothing => *deed = RefChange::Pulled { from: None, to: to.clone() },
        }
    }
}

/// The repository as a source of answers for open reflog questions.
struct RepoHistory<'a> {
    repo: &'a Repo,
    objects: &'a dyn Objects,
    fresh: &'a [NewLines],
}

impl HistoryQueries for RepoHistory<'_> {
    fn header(&self, oid: &Oid) -> Option<commit::Header> {
        header(self.objects, oid).ok()
    }

    fn range(&self, from: &Oid, to: &Oid, limit: usize) -> Vec<Oid> {
        self.repo.commits_between(Some(from), to, limit).unwrap_or_default()
    }

    fn is_on_branch(&self, oid: &Oid) -> bool {
        self.repo.on_a_branch(oid).unwrap_or(false)
    }

    fn before_rebase(&self, branch: &str, to: &Oid) -> Option<Oid> {
        // Reftable has no file for the log, but then its lines are already loaded.
        let at_hand = self.fresh.iter().filter(|fresh| fresh.log.branch() == Some(branch));
        let mut lines = at_hand.flat_map(|fresh| &fresh.tail.lines);
        if let Some(line) = lines.rfind(|line| line.ends_a_rebase_at(to)) {
            return line.old.clone();
        }
        let path = log_of(&self.repo.location().common_dir, branch)?;
        reader::last(&path, |line| line.ends_a_rebase_at(to)).ok()??.old
    }
}

/// The log path of a branch. The branch name is untrusted input.
fn log_of(common_dir: &std::path::Path, branch: &str) -> Option<PathBuf> {
    ref_tips::is_sound(branch).then(|| common_dir.join("logs").join(branch))
}
