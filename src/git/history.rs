//! What the reflogs tell of a repository, and whose the commits are.

use jiff::Timestamp;

use super::deed::News;
use super::reflog::news;
use super::repo::{Backend, Repo};
use super::{GitError, library, outside, squash};
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

impl Repo {
    /// Where every log ends now: what was done before is known.
    ///
    /// # Errors
    /// When a child was needed and failed.
    pub fn log_ends(&self) -> Result<Vec<LogPosition>, GitError> {
        Ok(news::ends(&self.place().common_dir))
    }

    /// What was done beyond the known positions, at most 1 MiB of each log. A log that must be read anew (there is
    /// no position for it, or it was replaced) tells what happened at or after `since`, and so does a log without
    /// position unless it was created after that.
    ///
    /// # Errors
    /// When a child was needed and failed.
    pub fn news(&self, known: &[LogPosition], since: Timestamp) -> Result<News, GitError> {
        let common_dir = &self.place().common_dir;
        let (fresh, mut news) = news::read(common_dir, known, since);
        news.entries = news::entries(common_dir, &fresh);
        Ok(news)
    }

    /// The commits in `to` that are not in `from`, oldest first; of more than `limit` the newest. Without `from` all
    /// that `to` has.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn arrived(&self, from: Option<&Oid>, to: &Oid, limit: usize) -> Result<Vec<Oid>, GitError> {
        match &self.backend {
            Backend::Library(repo) => library::arrived(repo, from, to, limit),
            Backend::Child(git) => outside::arrived(git, from, to, limit),
        }
    }

    /// Whether a remote-tracking branch has the commit.
    ///
    /// # Errors
    /// When the references or the history cannot be read.
    pub fn on_a_remote(&self, oid: &Oid) -> Result<bool, GitError> {
        match &self.backend {
            Backend::Library(repo) => library::on_a_remote(repo, oid),
            Backend::Child(git) => outside::on_a_remote(git, oid),
        }
    }

    /// The e-mail addresses of the user: `user.email`, `author.email` and `committer.email`, as they are and through
    /// the mailmap; lower case.
    ///
    /// # Errors
    /// When git's configuration cannot be read.
    pub fn identities(&self) -> Result<Vec<String>, GitError> {
        let mut found = match &self.backend {
            Backend::Library(repo) => library::emails(repo)?,
            Backend::Child(git) => outside::emails(git)?,
        };
        found.iter_mut().for_each(|email| *email = email.to_lowercase());
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The commits that a squash merge has prepared for the next commit, per `SQUASH_MSG`.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn squash_prepared(&self) -> Result<Vec<Oid>, GitError> {
        squash::prepared(&self.place().git_dir)
    }
}
