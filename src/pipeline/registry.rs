//! Repository registry: repositories are registered explicitly, found again after a move, and in global mode registered
//! with their first reported commit.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;

use super::job::RepositoryContext;
use super::rebuild;
use super::reconcile::{self, ReconcileError};
use super::services::Services;
use crate::domain::event::{HookMode, Source};
use crate::git::repo::Repo;
use crate::store::{RegisteredRepo, StoreError};

/// Key in the store that is set while all repositories are captured.
pub const GLOBAL: &str = "global";

/// `device:inode:birth` of a common git directory: the same after a move on one file system. ext4 reuses the inode of a
/// deleted repository, so the birth time (nanoseconds) tells the two apart; where the file system has none, it is
/// `device:inode`.
#[must_use]
pub fn inode(common_dir: &Path) -> Option<String> {
    let found = std::fs::metadata(common_dir).ok()?;
    let born = found.created().ok().and_then(|at| Timestamp::try_from(at).ok());
    let born = born.map(|at| format!(":{}", at.as_nanosecond())).unwrap_or_default();
    Some(format!("{}:{}{born}", found.dev(), found.ino()))
}

/// The common directory of a linked worktree: `…/.git/worktrees/NAME` → `…/.git`.
#[must_use]
pub fn common_dir(git_dir: &Path) -> Option<&Path> {
    let worktrees = git_dir.parent()?;
    worktrees.parent().filter(|_| worktrees.ends_with("worktrees"))
}

/// A new registration of this repository, with the date from which its commits count.
#[must_use]
pub fn registration(repo: &Repo, means: HookMode, since: Timestamp) -> RegisteredRepo {
    let place = repo.location();
    RegisteredRepo {
        id: place.id.clone(),
        path: place.work_tree.clone().unwrap_or_else(|| place.common_dir.clone()),
        common_dir: place.common_dir.clone(),
        project: place.project.clone(),
        since,
        hook_mode: means,
        inode: inode(&place.common_dir),
    }
}

/// Registration of a reporting repository: where it is unknown, it may have been moved, or global mode registers it.
/// `None` where it had none before this report, also if global mode has just made one.
pub(super) fn find_or_register(
    context: &RepositoryContext<'_>,
    at: Timestamp,
) -> Result<Option<RegisteredRepo>, ReconcileError> {
    let RepositoryContext { services, repo, .. } = context;
    if let Some(registered) = services.store.registration(&repo.location().id)? {
        return Ok(Some(registered));
    }
    if let Some(registered) = reregister_moved(services, repo)? {
        // Commits between the move and this report are in its logs.
        reconcile::repository(services, &registered, Source::Reconcile)?;
        return Ok(Some(registered));
    }
    if services.store.mark(GLOBAL)?.is_some() && context.is_allowed() {
        // The log positions come first: another process reads the logs of what is registered.
        reconcile::begin(services, repo)?;
        services.store.register(&registration(repo, HookMode::Config, at))?;
        rebuild::write_mirror(services.store.as_ref(), &services.paths)?;
        services.bump_registry_version();
    }
    Ok(None)
}

/// Registers the repository here, with all its captures, when it has left the path where it is registered. Returns the
/// new registration.
///
/// # Errors
/// When the store cannot be read or written.
pub fn reregister_moved(services: &Services, repo: &Repo) -> Result<Option<RegisteredRepo>, StoreError> {
    let Some(inode) = inode(&repo.location().common_dir) else { return Ok(None) };
    let left = |registered: &RegisteredRepo| {
        registered.inode.as_deref() == Some(&inode) && self::inode(&registered.common_dir).as_deref() != Some(&inode)
    };
    let Some(old) = services.store.registered_repos()?.into_iter().find(left) else { return Ok(None) };
    let new = registration(repo, old.hook_mode, old.since);
    services.store.move_repository(&old.id, &new)?;
    rebuild::write_mirror(services.store.as_ref(), &services.paths)?;
    services.bump_registry_version();
    Ok(Some(new))
}
