//! Reflog-based history: new commits since known log positions, and their authorship.

use std::collections::HashSet;
use std::path::PathBuf;

use jiff::Timestamp;

use super::brought::{Base, Brought};
use super::deed::{Deed, Entry, News};
use super::objects::Objects;
use super::reflog::Made;
use super::reflog::answer::{self, History};
use super::reflog::line::Line;
use super::reflog::message;
use super::reflog::news::{self, Fresh};
use super::reflog::order::{self, Search};
use super::reflog::places;
use super::reflog::story::{Story, Told};
use super::reflog::tail;
use super::reflog::unlogged;
use super::repo::{Backend, Repo, header};
use super::{GitError, commit, jj, library, outside, squash, tables, tips};
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// Maximum commits counted for one unlogged move of a branch.
const ARRIVED: usize = 10_000;

/// Baseline of existing commits: what a new branch starts from is not counted as new.
#[derive(Debug, Default)]
pub struct Before {
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
        ends.extend(jj::end(&self.place().common_dir));
        Ok(ends)
    }

    fn ends(&self) -> Result<Vec<LogPosition>, GitError> {
        let common_dir = &self.place().common_dir;
        match &self.backend {
            Backend::Child(git) if tables::has(common_dir) => tables::ends(git, common_dir),
            _ if tips::are_all(common_dir) => Ok(tips::ends(common_dir, &self.branches()?)),
            _ => Ok(news::ends(common_dir)),
        }
    }

    /// Activity after the known positions, at most 1 MiB of each log. A log that must be re-read (no position, or
    /// replaced) yields entries at or after `since`; a log created after that is new as a whole.
    ///
    /// # Errors
    /// When a child process was needed and failed, or the references of a repository without logs cannot be read.
    pub fn news(&self, known: &[LogPosition], since: Timestamp) -> Result<News, GitError> {
        let mut news = self.told_by_git(known, since)?;
        if let Some((position, entries)) = jj::news(self, known, since)? {
            news.positions.push(position);
            news.entries.extend(entries);
        }
        Ok(news)
    }

    fn told_by_git(&self, known: &[LogPosition], since: Timestamp) -> Result<News, GitError> {
        let common_dir = &self.place().common_dir;
        if tips::are_all(common_dir) {
            return self.moved(tips::news(common_dir, known, || self.branches())?, known);
        }
        let (mut fresh, mut news) = match &self.backend {
            Backend::Child(git) if tables::has(common_dir) => tables::read(git, common_dir, known, since)?,
            _ => news::read(common_dir, known, since),
        };
        news.entries = self.entries(&mut fresh)?;
        Ok(news)
    }

    /// Without logs, a new branch is reported with its base commit, as far as positions of the others are known.
    fn moved(&self, mut news: News, known: &[LogPosition]) -> Result<News, GitError> {
        let deeds = || news.entries.iter().map(|entry| &entry.deed);
        if deeds().all(|deed| !is_new(deed)) {
            return Ok(news);
        }
        let tips = known.iter().filter_map(|known| known.identity.parse().ok()).collect();
        let brought = self.brought(deeds(), &Before { tips, remotes: self.remotes()? })?;
        for Entry { deed, .. } in &mut news.entries {
            grow(deed, &brought);
        }
        Ok(news)
    }

    fn entries(&self, fresh: &mut [Fresh]) -> Result<Vec<Entry>, GitError> {
        if fresh.is_empty() {
            return Ok(Vec::new());
        }
        let stories = news::stories(fresh, &places::heads(&self.place().common_dir));
        let mut logs = self.answered(stories, fresh)?;
        let is_silent = |told: &Told| matches!(told.deed, Deed::Moved { .. });
        if logs.iter().any(|told| told.iter().any(is_silent)) {
            let before = self.before(fresh)?;
            let branches_too = news::moved_with_branches(&self.place().common_dir, fresh);
            for (told, fresh) in logs.iter_mut().zip(fresh.iter()) {
                switched(told, fresh, &before, &branches_too);
            }
            let brought = self.brought(logs.iter().flatten().map(|told| &told.deed), &before)?;
            logs.iter_mut().flatten().for_each(|told| grow(&mut told.deed, &brought));
        }
        Ok(news::merge(fresh.iter().map(|fresh| fresh.log.git_dir.clone()).zip(logs).collect()))
    }

    fn answered(&self, stories: Vec<Story>, fresh: &[Fresh]) -> Result<Vec<Vec<Told>>, GitError> {
        if stories.iter().all(|story| story.questions.is_empty()) {
            return Ok(stories.into_iter().map(|story| story.told).collect());
        }
        self.with_objects(|objects| {
            let asked = Asked { repo: self, objects, fresh };
            let pairs = stories.into_iter().zip(fresh);
            Ok(pairs.map(|(story, fresh)| answer::tell(story, &fresh.tail.lines, &asked)).collect())
        })
    }

    /// The commits that existed before these lines were written.
    fn before(&self, fresh: &[Fresh]) -> Result<Before, GitError> {
        let news: HashSet<&str> = fresh.iter().filter_map(|fresh| fresh.log.branch()).collect();
        let is_still = |name: &str| !news.contains(name);
        let still = self.branches()?.into_iter().filter(|(name, _)| is_still(name)).map(|(_, tip)| tip);
        let firsts = fresh.iter().filter_map(|fresh| fresh.tail.lines.get(fresh.tail.fresh)?.old.clone());
        Ok(Before { tips: still.chain(firsts).collect(), remotes: self.remotes()? })
    }

    fn remotes(&self) -> Result<Vec<Oid>, GitError> {
        let remotes = match &self.backend {
            Backend::Library(repo) => library::tips(repo, "refs/remotes/*")?,
            Backend::Child(git) => outside::tips(git, "refs/remotes")?,
        };
        Ok(remotes.into_iter().map(|(_, tip)| tip).collect())
    }

    /// Local branches with their tips.
    fn branches(&self) -> Result<Vec<(String, Oid)>, GitError> {
        match &self.backend {
            Backend::Library(repo) => library::tips(repo, "refs/heads/*"),
            Backend::Child(git) => outside::tips(git, "refs/heads"),
        }
    }

    /// New commits of the new branches among these changes: one walk for all, since each walk reads as much history as
    /// all.
    fn brought<'a>(&self, deeds: impl Iterator<Item = &'a Deed>, before: &Before) -> Result<Brought, GitError> {
        let mut tips: Vec<Oid> = deeds.filter(|deed| is_new(deed)).filter_map(tip).cloned().collect();
        tips.sort();
        tips.dedup();
        tips.retain(|tip| !before.tips.contains(tip));
        match &self.backend {
            _ if tips.is_empty() => Ok(Brought::default()),
            Backend::Library(repo) => library::brought(repo, &tips, before),
            Backend::Child(git) => outside::brought(git, &tips, before),
        }
    }

    /// Commits made here at or after `since` per the reflogs of all worktrees and branches, oldest first, excluding
    /// those replaced by an amend or a rebase. A commit may be unreachable by now.
    ///
    /// # Errors
    /// When a child process was needed and failed.
    pub fn committed_since(&self, since: Timestamp) -> Result<Vec<Oid>, GitError> {
        Ok(self.made_since(since)?.into_iter().map(|made| made.oid).collect())
    }

    /// Same as [`Repo::committed_since`], with the commits each replaced and its time. Unlogged commits count when they
    /// are the user's or on no remote. Reflogs have whole seconds, so the whole second of `since` is included.
    ///
    /// # Errors
    /// Same as [`Repo::committed_since`].
    pub fn made_since(&self, since: Timestamp) -> Result<Vec<Made>, GitError> {
        let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
        let common_dir = &self.place().common_dir;
        let mut fresh = match &self.backend {
            Backend::Child(git) if tables::has(common_dir) => tables::since(git, common_dir)?,
            _ => news::since(common_dir, since),
        };
        let mut found = Vec::new();
        for Entry { at, deed, .. } in self.entries(&mut fresh)?.into_iter().filter(|entry| entry.at >= since) {
            match deed {
                Deed::Made { oid, replaces, .. } => found.push(Made { oid, replaces: replaces.into_iter().next(), at }),
                Deed::Moved { from, to } => found.extend(self.moved_here(from.as_ref(), &to, at)),
                Deed::Pulled { .. } | Deed::Shown { .. } => {}
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
        let common_dir = &self.place().common_dir;
        let mut searches = Vec::new();
        if let Backend::Child(git) = &self.backend
            && tables::has(common_dir)
        {
            for fresh in tables::since(git, common_dir)?.into_iter().filter(|fresh| fresh.log.is_head) {
                let mut search = Search::of(one, other);
                let _ = fresh.tail.lines.iter().rev().any(|line| search.take(line));
                searches.push(search);
            }
        } else {
            for head in places::heads(common_dir) {
                let mut search = Search::of(one, other);
                // An unreadable log is skipped; the others are still used.
                let _ = tail::last(&head.path, |line| search.take(line));
                searches.push(search);
            }
        }
        Ok(order::is_later(&searches))
    }

    /// Whether the recent HEAD logs of the worktrees (1 MiB each) record that git made this commit here. `None` where
    /// no log is kept.
    ///
    /// # Errors
    /// When a child process was needed and failed.
    pub fn made_here(&self, oid: &Oid) -> Result<Option<bool>, GitError> {
        let common_dir = &self.place().common_dir;
        let makes_it = |line: &Line| line.new.as_ref() == Some(oid) && message::makes(&line.message);
        let heads: Vec<(bool, bool)> = match &self.backend {
            Backend::Child(git) if tables::has(common_dir) => tables::since(git, common_dir)?
                .iter()
                .map(|fresh| (!fresh.tail.lines.is_empty(), fresh.tail.lines.iter().any(makes_it)))
                .collect(),
            _ => places::heads(common_dir)
                .iter()
                .map(|log| (log.path.exists(), tail::last(&log.path, makes_it).is_ok_and(|line| line.is_some())))
                .collect(),
        };
        let is_logged = heads.iter().any(|(there, _)| *there);
        Ok(is_logged.then(|| heads.iter().any(|(_, made)| *made)))
    }

    /// The user's own commits among those that an unlogged move added. Deleted commits are skipped.
    fn moved_here(&self, from: Option<&Oid>, to: &Oid, at: Timestamp) -> Vec<Made> {
        let arrived = self.arrived(from, to, ARRIVED).unwrap_or_default();
        let ours = self.ours(&arrived, &[]).unwrap_or_default();
        ours.into_iter().map(|oid| Made { oid, replaces: None, at }).collect()
    }

    /// The commits in `to` that are not in `from`, oldest first, limited to the newest `limit`. Without `from`, all
    /// commits of `to`.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn arrived(&self, from: Option<&Oid>, to: &Oid, limit: usize) -> Result<Vec<Oid>, GitError> {
        match &self.backend {
            Backend::Library(repo) => library::arrived(repo, from, to, limit),
            Backend::Child(git) => outside::arrived(git, from, to, limit),
        }
    }

    /// The commits that a pending squash merge combines, per `SQUASH_MSG`.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn squash_prepared(&self) -> Result<Vec<Oid>, GitError> {
        squash::prepared(&self.place().git_dir)
    }
}

/// Marks unlogged switches to a branch, and the first line of a new worktree, as adding no commits. `branches_too`:
/// lines that moved the branch as well, which may contain commits of an unlogged tool.
fn switched(told: &mut [Told], Fresh { log, tail }: &Fresh, before: &Before, branches_too: &HashSet<&Line>) {
    for Told { deed, line, .. } in told {
        let Deed::Moved { from, to } = deed else { continue };
        let was_there = before.tips.contains(to) && !branches_too.contains(&tail.lines[*line]);
        if log.is_head && (was_there || (from.is_none() && log.is_linked())) {
            *deed = Deed::Pulled { from: from.take(), to: to.clone() };
        }
    }
}

fn is_new(deed: &Deed) -> bool {
    matches!(deed, Deed::Moved { from: None, .. })
}

fn tip(deed: &Deed) -> Option<&Oid> {
    match deed {
        Deed::Moved { to, .. } => Some(to),
        _ => None,
    }
}

/// Adds the base commit to a new branch; one at the tip of another branch adds no commits.
fn grow(deed: &mut Deed, brought: &Brought) {
    if let Deed::Moved { from: from @ None, to } = deed {
        match brought.base(to) {
            Base::Above(base) => *from = base,
            Base::Nothing => *deed = Deed::Pulled { from: None, to: to.clone() },
        }
    }
}

/// The repository as a source of answers for open reflog questions.
struct Asked<'a> {
    repo: &'a Repo,
    objects: &'a dyn Objects,
    fresh: &'a [Fresh],
}

impl History for Asked<'_> {
    fn header(&self, oid: &Oid) -> Option<commit::Header> {
        header(self.objects, oid).ok()
    }

    fn range(&self, from: &Oid, to: &Oid, limit: usize) -> Vec<Oid> {
        self.repo.arrived(Some(from), to, limit).unwrap_or_default()
    }

    fn is_kept(&self, oid: &Oid) -> bool {
        self.repo.on_a_branch(oid).unwrap_or(false)
    }

    fn before_rebase(&self, branch: &str, to: &Oid) -> Option<Oid> {
        // Reftable has no file for the log, but then its lines are already loaded.
        let at_hand = self.fresh.iter().filter(|fresh| fresh.log.branch() == Some(branch));
        let mut lines = at_hand.flat_map(|fresh| &fresh.tail.lines);
        if let Some(line) = lines.rfind(|line| line.ends_a_rebase_at(to)) {
            return line.old.clone();
        }
        let path = log_of(&self.repo.place().common_dir, branch)?;
        tail::last(&path, |line| line.ends_a_rebase_at(to)).ok()??.old
    }
}

/// The log path of a branch. The branch name is untrusted input.
fn log_of(common_dir: &std::path::Path, branch: &str) -> Option<PathBuf> {
    unlogged::is_sound(branch).then(|| common_dir.join("logs").join(branch))
}
