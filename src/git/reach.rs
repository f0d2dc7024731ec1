//! Whether anything still leads to a commit.

use super::repo::{Backend, Repo};
use super::{GitError, library, outside};
use crate::domain::id::Oid;

impl Repo {
    /// Whether HEAD of this worktree or a branch has the commit.
    ///
    /// # Errors
    /// When the references or the history cannot be read.
    pub fn on_a_branch(&self, oid: &Oid) -> Result<bool, GitError> {
        match &self.backend {
            Backend::Library(repo) => library::on_a_branch(repo, oid),
            Backend::Child(git) => outside::on_a_branch(git, oid),
        }
    }
}
