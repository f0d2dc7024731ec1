//! Repository access: bounded, byte-based, never executes anything. `git2` is used only here.

use std::error::Error;
use std::path::PathBuf;

use crate::domain::id::{Oid, RepoId};

mod branch;
mod branch_tips;
mod charset;
mod child;
mod commit;
mod history;
mod hunk;
mod identity;
pub mod jj;
mod name_search;
mod patch;
mod project;
pub mod reflog;
mod reftable;
mod rename;
pub mod repo;
mod settings;
pub mod squash;
pub mod staged;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod walk;
pub mod watch_paths;

pub use child::version;
pub use name_search::NameSearchBounds;
pub use patch::Exclude;
pub use reflog::{LogUpdates, LoggedChange, RefChange};
pub use repo::Repo;
pub use settings::user_setting;

/// Bounds for reading a patch. Defaults are from measurements of libgit2: stopping early keeps a commit of 500 files
/// and 200,000 lines at milliseconds, and files beyond 1 MiB cost their whole size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Files larger than this are listed, not read (bytes).
    pub file_bytes: u64,
    /// Maximum blob bytes diffed, both sides together.
    pub blob_bytes: u64,
    /// Maximum patch text kept (bytes).
    pub patch_bytes: usize,
    /// Lines are truncated here (bytes).
    pub line_bytes: usize,
    /// Maximum files listed.
    pub files: usize,
    /// Maximum changed files for similarity detection; beyond it only exact renames are found.
    pub rename_deltas: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            file_bytes: 1 << 20,
            blob_bytes: 1 << 20,
            patch_bytes: 64 << 10,
            line_bytes: 1 << 10,
            files: 2_000,
            rename_deltas: 50,
        }
    }
}

/// The location of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoLocation {
    pub id: RepoId,
    /// Git directory of this worktree, absolute.
    pub git_dir: PathBuf,
    /// Git directory that all worktrees share, absolute and canonical.
    pub common_dir: PathBuf,
    /// `None` for a bare repository.
    pub work_tree: Option<PathBuf>,
    /// From the remote's URL, else a manifest's or the directory's name.
    pub project: String,
}

/// Reasons why a repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("{} is not in a git repository", path.display())]
    NotARepository { path: PathBuf },
    #[error("{} belongs to another user", path.display())]
    ForeignOwner { path: PathBuf },
    #[error("no commit {rev:?} here")]
    NoSuchCommit { rev: String },
    #[error("the repository has no commit yet")]
    Unborn,
    #[error("commit {0} is not in the repository (any more)")]
    Missing(Oid),
    #[error("{doing}")]
    Git {
        doing: String,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl GitError {
    /// Whether git's configuration is unreadable: the user can fix it, and the repository itself is fine.
    #[must_use]
    pub fn is_config_error(&self) -> bool {
        let Self::Git { source, .. } = self else { return false };
        source.downcast_ref::<git2::Error>().is_some_and(|error| error.class() == git2::ErrorClass::Config)
    }

    fn git(doing: &str, source: impl Error + Send + Sync + 'static) -> Self {
        Self::Git { doing: doing.to_owned(), source: Box::new(source) }
    }
}
