//! After a damaged store was set aside: what git still knows is queued to be captured again.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::reconcile;
use super::services::Services;
use crate::config::paths::Paths;
use crate::domain::event::{Means, Source};
use crate::domain::id::RepoId;
use crate::store::{Registered, Store, StoreError};

/// A registered repository as it is also kept beside the database, so that a lost database does not take
/// the list of repositories with it.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    id: RepoId,
    path: Location,
    common_dir: Location,
    project: String,
    since: jiff::Timestamp,
    #[serde(default = "hook_files")]
    means: Means,
    #[serde(default)]
    inode: Option<String>,
}

/// What every list from before the word was kept meant.
fn hook_files() -> Means {
    Means::File
}

/// A path in JSON: as text where it is text, which paths need not be.
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

/// Notes the loss and queues every commit that the registered repositories' reflogs still name: how far they were
/// read is lost with the rest, so they are read from the registration on.
pub(super) fn after_quarantine(services: &Services, quarantined: &Path) -> Result<(), StoreError> {
    let store = &services.store;
    for repo in read_mirror(&services.paths) {
        store.register(&repo)?;
    }
    let queued = reconcile::all(services, Source::Reconcile);
    let what = format!(
        "the store was damaged and set aside as {}; {queued} commits are being captured again from git",
        quarantined.display()
    );
    let hint = "uro-capture import FILE brings back an export; notes git does not know";
    store.note_problem(services.clock.now(), &what, hint)
}

/// Writes the list of registered repositories beside the database.
///
/// # Errors
/// When the store cannot be read or the file cannot be written.
pub fn write_mirror(store: &dyn Store, paths: &Paths) -> Result<(), StoreError> {
    let lines: Vec<Line> = store.registered()?.into_iter().map(Line::from).collect();
    let json = serde_json::to_vec_pretty(&lines).map_err(|error| StoreError::Other(Box::new(error)))?;
    let target = paths.repositories();
    let fresh = target.with_extension("json.new");
    std::fs::write(&fresh, json)
        .and_then(|()| std::fs::rename(&fresh, &target))
        .map_err(|error| StoreError::Unavailable(Box::new(error)))
}

fn read_mirror(paths: &Paths) -> Vec<Registered> {
    let Ok(bytes) = std::fs::read(paths.repositories()) else { return Vec::new() };
    let lines: Vec<Line> = serde_json::from_slice(&bytes).unwrap_or_default();
    lines.into_iter().map(Registered::from).collect()
}

impl From<Registered> for Line {
    fn from(repo: Registered) -> Self {
        let Registered { id, path, common_dir, project, since, means, inode } = repo;
        Self { id, path: path.into(), common_dir: common_dir.into(), project, since, means, inode }
    }
}

impl From<Line> for Registered {
    fn from(line: Line) -> Self {
        let Line { id, path, common_dir, project, since, means, inode } = line;
        Self { id, path: path.into(), common_dir: common_dir.into(), project, since, means, inode }
    }
}
