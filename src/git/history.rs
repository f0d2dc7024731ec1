//! Reflog-based history: new commits since known log positions, and their authorship.

use std::collections::HashSet;

use jiff::Timestamp;

use super::child::Git;
use super::reflog::classify::EntryChange;
use super::reflog::collect::{self, NewLines};
use super::reflog::commit_order::{self, CommitSearch};
use super::reflog::line::ReflogLine;
use super::reflog::resolve::{self, RepoHistory};
use super::reflog::{LogUpdates, LoggedChange, RefChange, ReflogCommit, log_files, reader};
use super::repo::{Backend, Repo};
use super::walk::{BranchBase, KnownCommits, NewCommits};
use super::{GitError, branch_tips, jj, reftable, squash};
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// Maximum rebases checked: the commits in question were made by a recent one.
const REBASES: usize = 50;
/// Maximum commits counted for one unlogged move of a branch.
const ARRIVED: usize = 10_000;

impl Repo {
    /// The current end position of every log: marks all earlier activity as known.
    ///
    /// # Errors
    /// When a child process was needed and failed.
    pub fn log_ends(&self) -> Result<Vec<LogPosition>, GitError> {
        let common_dir = &self.location().common_dir;
        let mut ends = match self.table_reader() {
            Some(git) => reftable::ends(git, common_dir)?,
            None if branch_tips::has_no_logs(common_dir) => branch_tips::ends(common_dir, &self.tips("refs/heads")?),
            None => collect::ends(common_dir),
        };
        ends.extend(jj::end(common_dir));
        Ok(ends)
    }

    /// The child process that reads the logs of a reftable repository.
    fn table_reader(&self) -> Option<&Git> {
        match &self.backend {
            Backend::Cli(git) if reftable::is_reftable(&self.location().common_dir) => Some(git),
            _ => None,
        }
    }

    /// Activity after the known positions, at most 1 MiB of each log. A log that must be re-read (no position, or
    /// replaced) yields entries at or after `since`; a log created after that is new as a whole.
    ///
    /// # Errors
    /// When a child process was needed and failed, or the references of a repository without logs cannot be read.
    pub fn log_updates(&self, positions: &[LogPosition], since: Timestamp) -> Result<LogUpdates, GitError> {
        let common_dir = &self.location().common_dir;
        let mut news = if branch_tips::has_no_logs(common_dir) {
            let mut news = branch_tips::collect_moves(common_dir, positions, || self.tips("refs/heads"))?;
            // A new branch is reported with its base commit, as far as positions of the others are known.
            if news.entries.iter().any(|entry| new_tip(&entry.change).is_some()) {
                let tips = positions.iter().filter_map(|position| position.identity.parse().ok()).collect();
                let before = KnownCommits { tips, remotes: self.remotes()? };
                self.add_bases(news.entries.iter_mut().map(|entry| &mut entry.change).collect(), &before)?;
            }
            news
        } else {
            let (mut fresh, mut news) = match self.table_reader() {
                Some(git) => reftable::read_new_lines(git, common_dir, positions, since)?,
                None => collect::collect_new_lines(common_dir, positions, since),
            };
            news.entries = self.logged_changes(&mut fresh)?;
            news
        };
        if let Some((position, entries)) = jj::collect_changes(self, positions, since)? {
            news.positions.push(position);
            news.entries.extend(entries);
        }
        Ok(news)
    }

    fn logged_changes(&self, fresh: &mut [NewLines]) -> Result<Vec<LoggedChange>, GitError> {
        if fresh.is_empty() {
            return Ok(Vec::new());
        }
        let common_dir = &self.location().common_dir;
        let classified = collect::classify_logs(fresh, &log_files::head_logs(common_dir));
        let mut logs: Vec<Vec<EntryChange>> = if classified.iter().all(|log| log.questions.is_empty()) {
            classified.into_iter().map(|log| log.changes).collect()
        } else {
            self.with_objects(|objects| {
                let history = RepoHistory { repo: self, objects, fresh };
                let pairs = classified.into_iter().zip(fresh.iter());
                Ok(pairs.map(|(log, fresh)| resolve::resolve_questions(log, &fresh.tail.lines, &history)).collect())
            })?
        };
        let is_silent = |entry: &EntryChange| matches!(entry.change, RefChange::UnloggedMove { .. });
        if logs.iter().flatten().any(is_silent) {
            let before = self.commits_before(fresh)?;
            let branches_too = collect::moved_with_branches(common_dir, fresh);
            for (changes, fresh) in logs.iter_mut().zip(fresh.iter()) {
                mark_switches(changes, fresh, &before, &branches_too);
            }
            self.add_bases(logs.iter_mut().flatten().map(|entry| &mut entry.change).collect(), &before)?;
        }
        Ok(collect::merge(fresh.iter().map(|fresh| fresh.log.git_dir.clone()).zip(logs).collect()))
    }

    /// The commits that existed before these lines were written.
    fn commits_before(&self, fresh: &[NewLines]) -> Result<KnownCommits, GitError> {
        let news: HashSet<&str> = fresh.iter().filter_map(|fresh| fresh.log.branch()).collect();
        let branches = self.tips("refs/heads")?.into_iter();
        let still = branches.filter(|(name, _)| !news.contains(name.as_str())).map(|(_, tip)| tip);
        let firsts = fresh.iter().filter_map(|fresh| fresh.tail.lines.get(fresh.tail.fresh)?.old.clone());
        Ok(KnownCommits { tips: still.chain(firsts).collect(), remotes: self.remotes()? })
    }

    fn remotes(&self) -> Result<Vec<Oid>, GitError> {
        Ok(self.tips("refs/remotes")?.into_iter().map(|(_, tip)| tip).collect())
    }

    /// Adds the base commits to the new branches; one at the tip of another branch adds no commits. One walk for all,
    /// since each walk reads as much history as all.
    fn add_bases(&self, mut changes: Vec<&mut RefChange>, before: &KnownCommits) -> Result<(), GitError> {
        let mut tips: Vec<Oid> = changes.iter().filter_map(|change| new_tip(change)).cloned().collect();
        tips.sort();
        tips.dedup();
        tips.retain(|tip| !before.tips.contains(tip));
        let arrived_commits: NewCommits = self.new_commits(&tips, before)?;
        for change in &mut changes {
            if let RefChange::UnloggedMove { from: from @ None, to } = &mut **change {
                match arrived_commits.base(to) {
                    BranchBase::Above(base) => *from = base,
                    BranchBase::Nothing => **change = RefChange::Pulled { from: None, to: to.clone() },
                }
            }
        }
        Ok(())
    }

    /// Commits made here at or after `since` per the reflogs of all worktrees and branches, oldest first, excluding
    /// those replaced by an amend or a rebase; a commit may be unreachable by now. Unlogged commits count when they
    /// are the user's or on no remote. Reflogs have whole seconds, so the whole second of `since` is included.
    ///
    /// # Errors
    /// When a child process was needed and failed.
    pub fn reflog_commits_since(&self, since: Timestamp) -> Result<Vec<ReflogCommit>, GitError> {
        let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
        let common_dir = &self.location().common_dir;
        let mut fresh = match self.table_reader() {
            Some(git) => reftable::read_all(git, common_dir)?,
            None => collect::collect_since(common_dir, since),
        };
        let mut found = Vec::new();
        for LoggedChange { at, change: ref_update, .. } in
            self.logged_changes(&mut fresh)?.into_iter().filter(|entry| entry.at >= since)
        {
            match ref_update {
                RefChange::Committed { oid, replaces, .. } => {
                    found.push(ReflogCommit { oid, replaces: replaces.into_iter().next(), at });
                }
                RefChange::UnloggedMove { from, to } => {
                    // Deleted commits are skipped.
                    let arrived = self.commits_between(from.as_ref(), &to, ARRIVED).unwrap_or_default();
                    let ours = self.own_commits(&arrived, &[]).unwrap_or_default();
                    found.extend(ours.into_iter().map(|oid| ReflogCommit { oid, replaces: None, at }));
                }
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
        let mut searches: Vec<CommitSearch<'_>> = Vec::new();
        self.search_head_logs(|log, line| {
            if searches.len() <= log {
                searches.resize_with(log + 1, || CommitSearch::new(one, other));
            }
            searches[log].push_line(line)
        })?;
        Ok(commit_order::is_later(&searches))
    }

    /// Whether the recent HEAD logs of the worktrees (1 MiB each) record that git made this commit here. `None` where
    /// no log is kept.
    ///
    /// # Errors
    /// When a child process was needed and failed.
    pub fn was_made_here(&self, oid: &Oid) -> Result<Option<bool>, GitError> {
        let makes_it = |_: usize, line: &ReflogLine| line.new.as_ref() == Some(oid) && line.records_commit();
        let heads = self.search_head_logs(makes_it)?;
        let is_logged = heads.iter().any(Option::is_some);
        Ok(is_logged.then(|| heads.contains(&Some(true))))
    }

    /// Whether a finished rebase left the commit on its branch, wherever the branch moved since, per the recent HEAD
    /// logs of the worktrees (1 MiB each). An aborted rebase leaves none.
    ///
    /// # Errors
    /// When a child was needed and failed, or the history cannot be read.
    pub fn is_rebase_result(&self, oid: &Oid) -> Result<bool, GitError> {
        let mut tips = Vec::new();
        self.search_head_logs(|_, line| {
            tips.extend(line.new.clone().filter(|new| line.ends_a_rebase_at(new)));
            tips.len() >= REBASES
        })?;
        for tip in tips {
            if tip == *oid || self.is_ancestor(oid, &tip)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Passes the recent lines of each worktree's HEAD log (1 MiB each) with the log's index, newest first, until
    /// `is_found` holds. Per log: whether it did; `None` where no log is kept.
    fn search_head_logs(
        &self,
        mut is_found: impl FnMut(usize, &ReflogLine) -> bool,
    ) -> Result<Vec<Option<bool>>, GitError> {
        let common_dir = &self.location().common_dir;
        if let Some(git) = self.table_reader() {
            let heads = reftable::read_all(git, common_dir)?.into_iter().filter(|fresh| fresh.log.is_head);
            let search = |(log, head): (usize, NewLines)| {
                let found = head.tail.lines.iter().rev().any(|line| is_found(log, line));
                (!head.tail.lines.is_empty()).then_some(found)
            };
            return Ok(heads.enumerate().map(search).collect());
        }
        let search = |(log, head): (usize, &log_files::ReflogFile)| {
            // An unreadable log is skipped; the others are still used.
            let found = reader::last(&head.path, |line| is_found(log, line)).is_ok_and(|line| line.is_some());
            head.path.exists().then_some(found)
        };
        Ok(log_files::head_logs(common_dir).iter().enumerate().map(search).collect())
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
    changes: &mut [EntryChange],
    NewLines { log, tail }: &NewLines,
    before: &KnownCommits,
    branches_too: &HashSet<&ReflogLine>,
) {
    for EntryChange { change: ref_update, line, .. } in changes {
        let RefChange::UnloggedMove { from, to } = ref_update else { continue };
        let was_there = before.tips.contains(to) && !branches_too.contains(&tail.lines[*line]);
        if log.is_head && (was_there || (from.is_none() && log.name.contains("worktrees/"))) {
            *ref_update = RefChange::Pulled { from: from.take(), to: to.clone() };
        }
    }
}

/// The tip of a branch that a change created without a known base.
fn new_tip(change: &RefChange) -> Option<&Oid> {
    match change {
        RefChange::UnloggedMove { from: None, to } => Some(to),
        _ => None,
    }
}
