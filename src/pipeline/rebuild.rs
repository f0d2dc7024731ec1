//! Recovery after a damaged store was quarantined: commits that git still knows are queued for capture again.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::reconcile;
use super::services::Services;
use crate::config::paths::{Paths, replace_file};
use crate::domain::event::{HookMode, Source};
use crate::domain::id::RepoId;
use crate::store::{RegisteredRepo, RepositoryStore, StoreError};

/// A registered repository as written to the mirror file beside the database, so that the list of repositories survives
/// the loss of the database.
#[derive(Debug, Serialize, Deserialize)]
struct MirrorEntry {
    id: RepoId,
    path: Location,
    common_dir: Location,
    project: String,
    since: jiff::Timestamp,
    #[serde(default = "hook_files")]
    means: HookMode,
    #[serde(default)]
    inode: Option<String>,
}

/// Meaning of lists from before the field existed.
fn hook_files() -> HookMode {
    HookMode::File
}

/// A path in JSON: as text where it is valid UTF-8, which paths need not be.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Location {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        path.into_os_string().into_string().map_or_else(|bytes| Self::Bytes(bytes.into_vec()), Self::Text)
    }
}

impl From<Location> for PathBuf {
    fn from(location: Location) -> Self {
        match location {
            Location::Text(text) => text.into(),
            Location::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }
    }
}

/// Notes the loss and queues every commit that the reflogs of the registered repositories still name: the read
/// positions are lost as well, so the logs are read from the registration on.
pub(super) fn after_quarantine(services: &Services, quarantined: &Path) -> Result<(), StoreError> {
    let store = &services.store;
    match read_mirror(&services.paths) {
        Ok(repositories) => repositories.iter().try_for_each(|repo| store.register(repo))?,
        Err(error) => note_lost_list(services, &error)?,
    }
    let queued = reconcile::all(services, Source::Reconcile);
    let what = format!(
        "the store was damaged and set aside as {}; {queued} commits are being captured again from git",
        quarantined.display()
    );
    let hint = "uro-capture import FILE brings back an export; notes git does not know";
    store.note_problem(services.clock.now(), &what, hint)
}

/// The mirror cannot be read either: it is set aside, so that no shorter list replaces it.
fn note_lost_list(services: &Services, error: &std::io::Error) -> Result<(), StoreError> {
    let list = services.paths.repositories();
    let aside = list.with_extension("json.damaged");
    let kept = std::fs::rename(&list, &aside).is_ok();
    let place = if kept { format!(" and was set aside as {}", aside.display()) } else { String::new() };
    let what = format!("the list of repositories, {}, cannot be read ({error}){place}", list.display());
    services.store.note_problem(
        services.clock.now(),
        &what,
        "uro-capture init, run in each repository, registers it again",
    )
}

/// Writes the mirror of the registered repositories beside the database: atomic, synced, readable by its owner alone.
/// The store is read under the lock, so that of two writers the later one has the newer list. Blocking.
///
/// # Errors
/// When the store cannot be read or the file cannot be written.
pub fn write_mirror(store: &dyn RepositoryStore, paths: &Paths) -> Result<(), StoreError> {
    let unavailable = |error| StoreError::Unavailable(Box::new(error));
    let target = paths.repositories();
    let lock =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(target.with_extension("lock"));
    let lock = lock.map_err(unavailable)?;
    lock.lock().map_err(unavailable)?;
    let lines: Vec<MirrorEntry> = store.registered_repos()?.into_iter().map(MirrorEntry::from).collect();
    let json = serde_json::to_vec_pretty(&lines).map_err(|error| StoreError::Other(Box::new(error)))?;
    replace_file(&target, &json, 0o600).map_err(unavailable)
}

/// No file is an empty list: nothing was registered yet. A torn one is an error.
fn read_mirror(paths: &Paths) -> std::io::Result<Vec<RegisteredRepo>> {
    let bytes = match std::fs::read(paths.repositories()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let lines: Vec<MirrorEntry> = serde_json::from_slice(&bytes)?;
    Ok(lines.into_iter().map(RegisteredRepo::from).collect())
}

impl From<RegisteredRepo> for MirrorEntry {
    fn from(repo: RegisteredRepo) -> Self {
        let RegisteredRepo { id, path, common_dir, project, since, hook_mode: means, inode } = repo;
        Self { id, path: path.into(), common_dir: common_dir.into(), project, since, means, inode }
    }
}

impl From<MirrorEntry> for RegisteredRepo {
    fn from(line: MirrorEntry) -> Self {
        let MirrorEntry { id, path, common_dir, project, since, means, inode } = line;
        Self { id, path: path.into(), common_dir: common_dir.into(), project, since, hook_mode: means, inode }
    }
}

#[cfg(test)]
#[path = "tests/rebuild_tests.rs"]
mod tests;
