//! Registered repositories, and the marks of the program itself.

use std::path::PathBuf;

use jiff::Timestamp;

use super::Result;
use crate::domain::event::HookMode;
use crate::domain::id::RepoId;

/// A repository that `init` registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredRepo {
    pub id: RepoId,
    /// Work tree (or the git directory of a bare repository), absolute.
    pub path: PathBuf,
    /// Common git directory, absolute, canonical.
    pub common_dir: PathBuf,
    pub project: String,
    pub since: Timestamp,
    pub hook_mode: HookMode,
    /// `device:inode:birth` of the common git directory when it was registered.
    pub inode: Option<String>,
}

/// Repositories that `init` registered.
pub trait RepositoryStore: Send + Sync {
    /// Inserts or updates it; the earliest `since` is kept.
    fn register(&self, repo: &RegisteredRepo) -> Result<()>;
    /// True when it was registered. Its captures stay; its reflog positions are removed.
    fn unregister(&self, id: &RepoId) -> Result<bool>;
    fn registered_repos(&self) -> Result<Vec<RegisteredRepo>>;
    /// This one repository, if it is registered.
    fn registration(&self, id: &RepoId) -> Result<Option<RegisteredRepo>>;
    /// The repository `old` has moved: its captures, positions and open events become those of `new`, which is
    /// registered with `old`'s date.
    fn move_repository(&self, old: &RepoId, new: &RegisteredRepo) -> Result<()>;
}

/// Marks: small persistent values of the program itself, by name.
pub trait MarkStore: Send + Sync {
    fn mark(&self, name: &str) -> Result<Option<String>>;
    /// `None` removes it.
    fn set_mark(&self, name: &str, value: Option<&str>) -> Result<()>;
}
