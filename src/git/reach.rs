//! Reachability of a commit from HEAD, branches, jj and finished rebases.

use super::reflog::line::Line;
use super::reflog::{places, tail};
use super::repo::{Backend, Repo};
use super::{GitError, jj, library, outside, tables};
use crate::domain::id::Oid;

/// Maximum rebases checked: the commits in question were made by a recent one.
const REBASES: usize = 50;

impl Repo {
    /// Whether HEAD of this worktree or a branch contains the commit.
    ///
    /// # Errors
    /// When the references or the history cannot be read.
    pub fn on_a_branch(&self, oid: &Oid) -> Result<bool, GitError> {
        match &self.backend {
            Backend::Library(repo) => library::on_a_branch(repo, oid),
            Backend::Child(git) => outside::on_a_branch(git, oid),
        }
    }

    /// Whether HEAD of this worktree, a branch or jj contains the commit.
    ///
    /// # Errors
    /// When the references or the history cannot be read.
    pub fn is_shown(&self, oid: &Oid) -> Result<bool, GitError> {
        Ok(self.on_a_branch(oid)? || jj::shows(self, oid)?)
    }

    /// Whether a finished rebase left the commit on its branch, wherever the branch moved since, per the recent HEAD
    /// logs of the worktrees (1 MiB each). An aborted rebase leaves none.
    ///
    /// # Errors
    /// When a child was needed and failed, or the history cannot be read.
    pub fn came_of_a_rebase(&self, oid: &Oid) -> Result<bool, GitError> {
        for tip in self.rebased()? {
            if tip == *oid || self.is_ancestor(oid, &tip)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// End commits of rebases, latest first.
    fn rebased(&self) -> Result<Vec<Oid>, GitError> {
        let mut tips = Vec::new();
        let mut look = |line: &Line| {
            tips.extend(line.new.clone().filter(|new| line.ends_a_rebase_at(new)));
            tips.len() >= REBASES
        };
        let common_dir = &self.place().common_dir;
        if let Backend::Child(git) = &self.backend
            && tables::has(common_dir)
        {
            for head in tables::since(git, common_dir)?.into_iter().filter(|fresh| fresh.log.is_head) {
                let _ = head.tail.lines.iter().rev().any(&mut look);
            }
        } else {
            for head in places::heads(common_dir) {
                // An unreadable log is skipped; the others are still used.
                let _ = tail::last(&head.path, &mut look);
            }
        }
        Ok(tips)
    }
}
