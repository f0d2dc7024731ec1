//! Assigns notes to a commit: those that its author wrote while working on it.

use std::time::Duration;

use jiff::Timestamp;

use super::capture::CaptureError;
use super::identity::RelatedCaptures;
use super::job::RepositoryContext;
use super::services::Services;
use crate::domain::capture::{Capture, CaptureKind};
use crate::domain::id::{CaptureId, Oid};
use crate::domain::patch::Commit;
use crate::git::GitError;
use crate::git::repo::Repo;

/// Longest time between a note and its commit.
const WINDOW: Duration = Duration::from_secs(30 * 60);
/// Git's dates have whole seconds. Within the commit's second the time of its report decides.
const TICK: Duration = Duration::from_secs(1);

/// Notes of the last half hour that belong to no other commit, oldest first. Work that was captured before keeps its
/// notes. A merge combines other commits and takes none. A commit existed when it was `reported`: a note of that time
/// or later came after it, whichever was stored first.
pub(super) fn of_commit(
    context: &RepositoryContext<'_>,
    commit: &Commit,
    related: &RelatedCaptures,
    reported: Timestamp,
) -> Result<Vec<Capture>, CaptureError> {
    let RepositoryContext { services, repo, .. } = context;
    if commit.kind() == CaptureKind::Merge {
        return Ok(Vec::new());
    }
    if !related.earlier.is_empty() {
        let ids: Vec<CaptureId> = related.earlier.iter().flat_map(|capture| capture.notes.clone()).collect();
        return Ok(by_id(services, &ids));
    }
    let (since, until) = (commit.committed_at - WINDOW, reported.min(commit.committed_at + TICK));
    let mut free = Vec::new();
    for found in services.store.notes_before(&repo.location().id, since, until)? {
        if is_free(repo, commit, &found.commits)? {
            free.push(found.note);
        }
    }
    Ok(free)
}

/// It belongs to no commit, or to one that this commit replaces (an amend, or a reset and a new commit).
fn is_free(repo: &Repo, commit: &Commit, owners: &[Oid]) -> Result<bool, GitError> {
    for owner in owners {
        match repo.parents(owner) {
            Ok(parents) if parents != commit.parents => return Ok(false),
            Ok(_) | Err(GitError::Missing(_) | GitError::NoSuchCommit { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// The notes that still exist.
pub(super) fn by_id(services: &Services, ids: &[CaptureId]) -> Vec<Capture> {
    ids.iter().filter_map(|id| services.store.capture(&id.to_string()).ok()).map(|record| record.capture).collect()
}
