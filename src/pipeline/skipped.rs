//! Skip list: commits that the user told the hook to skip. The reflogs show them all the same, so they are recorded
//! before those are read.

use std::path::Path;

use super::registry;
use super::services::Services;
use crate::domain::id::{Oid, RepoId};
use crate::spool::record::Record;
use crate::spool::{reader, rotation};
use crate::store::{SpoolPosition, StoreError};

/// Records imported in one transaction.
const BATCH: usize = 512;

/// Imports the skips that hooks have recorded since last time. Blocking: files and the store.
///
/// # Errors
/// When the file cannot be read or the store cannot be written.
pub fn import_skips(services: &Services) -> Result<(), StoreError> {
    let unreadable = |error: std::io::Error| StoreError::Unavailable(Box::new(error));
    for file in rotation::files(&services.paths.skipped()).map_err(unreadable)? {
        let Some(identity) = rotation::identity(&file).map_err(unreadable)? else { continue };
        let identity = identity.to_string();
        let position = services.store.spool_positions()?.into_iter().find(|position| position.file == identity);
        let mut offset = position.map_or(0, |position| position.offset);
        loop {
            let batch = reader::read_from(&file, offset, BATCH).map_err(unreadable)?;
            if batch.next_offset == offset {
                break;
            }
            offset = batch.next_offset;
            let commits: Vec<(RepoId, Oid)> = batch.records.iter().filter_map(commit).collect();
            services.store.skip_commits(&commits, &SpoolPosition { file: identity.clone(), offset })?;
        }
    }
    Ok(())
}

fn commit(record: &Record) -> Option<(RepoId, Oid)> {
    use std::os::unix::ffi::OsStrExt;
    let common_dir: &Path = registry::common_dir(&record.git_dir).unwrap_or(&record.git_dir);
    // Resolved like the repository's own id.
    let common_dir = common_dir.canonicalize().ok()?;
    Some((RepoId::from_common_dir(common_dir.as_os_str().as_bytes()), record.oid.as_deref()?.parse().ok()?))
}
