//! Reachability of a commit from HEAD, branches, jj and finished rebases.

use super::reflog::line::ReflogLine;
use super::reflog::{log_files, reader};
use super::repo::{Backend, Repo};
use super::{GitError, backend_cli, backend_libgit2, jj, reftable};
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
            Backend::LibGit2(repo) => backend_libgit2::on_a_branch(repo, oid),
            Backend::Cli(git) => backend_cli::on_a_branch(git, oid),
        }
    }

    /// Whether HEAD of this worktree, a branch or jj contains the commit.
    ///
    /// # Errors
    /// When the references or the history cannot be read.
    pub fn is_visible(&self, oid: &Oid) -> Result<bool, GitError> {
        Ok(self.on_a_branch(oid)? || jj::shows_commit(self, oid)?)
    }

    /// Whether a finished rebase left the commit on its branch, wherever the branch moved since, per the recent HEAD
    /// logs of the worktrees (1 MiB each). An aborted rebase leaves none.
    ///
    /// # Errors
    /// When a child was needed and failed, or the history cannot be read.
    pub fn is_rebase_result(&self, oid: &Oid) -> Result<bool, GitError> {
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
        let mut look = |line: &ReflogLine| {
            tips.extend(line.new.clone().filter(|new| line.ends_a_rebase_at(new)));
            tips.len() >= REBASES
        };
        let common_dir = &self.location().common_dir;
        if let Backend::Cli(git) = &self.backend
            && reftable::is_reftable(common_dir)
        {
            for head in reftable::read_all(git, common_dir)?.into_iter().filter(|fresh| fresh.log.is_head) {
                let _ = head.tail.lines.iter().rev().any(&mut look);
            }
        } else {
            for head in log_files::head_logs(common_dir) {
                // An unreadable log is skipped; the others are still used.
                let _ = reader::last(&head.path, &mut look);
            }
        }
        Ok(tips)
    }
}
