//! Which repositories are captured: those that were registered, wherever they lie now, and in global mode every one
//! that reports a commit.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;

use super::rebuild;
use super::reconcile::{self, ReconcileError};
use super::services::{Exclusions, Services};
use crate::domain::event::{Means, Source};
use crate::git::repo::Repo;
use crate::store::{Registered, StoreError};

/// Set in the store while all repositories are captured.
pub const GLOBAL: &str = "global";

/// `device:inode:birth` of a common git directory: the same after a move on one file system. ext4 gives the inode of
/// a deleted repository to the next one, which is told from it by when it came into being (nanoseconds); where the
/// file system does not know, `device:inode` has to do.
#[must_use]
pub fn inode(common_dir: &Path) -> Option<String> {
    let found = std::fs::metadata(common_dir).ok()?;
    let born = found.created().ok().and_then(|at| Timestamp::try_from(at).ok());
    let born = born.map(|at| format!(":{}", at.as_nanosecond())).unwrap_or_default();
    Some(format!("{}:{}{born}", found.dev(), found.ino()))
}

/// That of a linked worktree: `…/.git/worktrees/NAME` → `…/.git`.
#[must_use]
pub fn common_dir(git_dir: &Path) -> Option<&Path> {
    let worktrees = git_dir.parent()?;
    worktrees.parent().filter(|_| worktrees.ends_with("worktrees"))
}

/// The registration of this repository, newly made, with the date from which its commits count.
#[must_use]
pub fn registration(repo: &Repo, means: Means, since: Timestamp) -> Registered {
    let place = repo.place();
    Registered {
        id: place.id.clone(),
        path: place.work_tree.clone().unwrap_or_else(|| place.common_dir.clone()),
        common_dir: place.common_dir.clone(),
        project: place.project.clone(),
        since,
        means,
        inode: inode(&place.common_dir),
    }
}

/// A repository reports something: where it is not registered, it may have been moved, or all are captured. Gives the
/// registration under which this report's commit is news: not one that was made only now.
pub(super) fn meet(services: &Services, repo: &Repo, at: Timestamp) -> Result<Option<Registered>, ReconcileError> {
    if let Some(known) = services.store.registration(&repo.place().id)? {
        return Ok(Some(known));
    }
    if let Some(known) = moved(services, repo)? {
        // What was committed between the move and this report is in its logs.
        reconcile::repository(services, &known, Source::Reconcile)?;
        return Ok(Some(known));
    }
    if services.store.mark(GLOBAL)?.is_some() && is_allowed(services, repo) {
        services.store.register(&registration(repo, Means::Config, at))?;
        reconcile::begin(services, repo)?;
        rebuild::write_mirror(services.store.as_ref(), &services.paths)?;
        services.roster_changed();
    }
    Ok(None)
}

/// When this repository is registered under a place that it has left, it is registered here instead, with all its
/// captures. Gives the new registration.
///
/// # Errors
/// When the store cannot be read or written.
pub fn moved(services: &Services, repo: &Repo) -> Result<Option<Registered>, StoreError> {
    let Some(inode) = inode(&repo.place().common_dir) else { return Ok(None) };
    let left = |known: &Registered| {
        known.inode.as_deref() == Some(&inode) && self::inode(&known.common_dir).as_deref() != Some(&inode)
    };
    let Some(old) = services.store.registered()?.into_iter().find(left) else { return Ok(None) };
    let new = registration(repo, old.means, old.since);
    services.store.adopt(&old.id, &new)?;
    rebuild::write_mirror(services.store.as_ref(), &services.paths)?;
    services.roster_changed();
    Ok(Some(new))
}

/// Whether the settings let this repository be captured.
#[must_use]
pub fn is_allowed(services: &Services, repo: &Repo) -> bool {
    let config = services.config(Some(repo));
    config.capture.enabled && !Exclusions::of(&config).place(repo.place())
}
