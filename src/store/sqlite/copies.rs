//! Copies of the database beside it: backups before a migration, quarantined files, unfinished work.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::super::{RemainingFile, Result, StoreFile};
use super::connection::{DatabaseLock, beside};
use super::error;
use crate::domain::fragments::Fragments;

/// Name suffixes of copies after the database's name; each may have its own WAL and index.
const KINDS: [&str; 5] = [".schema-", ".corrupt", ".mended", ".rebuilding", ".rebuilt"];
/// Files beside the database that hold no rows.
const EMPTY: [&str; 3] = [".lock", ".suspect", "-shm"];

/// All copies made by this program, sorted by name, with their sizes.
pub fn all(database: &Path) -> io::Result<Vec<StoreFile>> {
    let mut found = Vec::new();
    for (path, rest) in beside_of(database)? {
        if KINDS.iter().any(|kind| rest.starts_with(kind)) {
            found.push(StoreFile { bytes: size(&path), path });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The database with its log, in bytes.
pub fn database_size(database: &Path) -> u64 {
    ["", "-wal", "-shm"].iter().map(|suffix| size(&beside(database, suffix))).sum()
}

/// Removes copies unchanged since `before`; returns the number of files.
pub fn expire(database: &Path, before: Timestamp) -> Result<u64> {
    let old = |copy: &StoreFile| changed(&copy.path).is_some_and(|at| at < before);
    if !all(database).map_err(error::file)?.iter().any(old) {
        return Ok(0);
    }
    let _lock = DatabaseLock::acquire(database)?;
    let mut expired = 0;
    for copy in all(database).map_err(error::file)?.iter().filter(|copy| old(copy) && !is_needed(database, copy)) {
        match fs::remove_file(&copy.path) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map(|()| expired += 1).map_err(error::file)?,
        }
    }
    Ok(expired)
}

/// Removes every copy; returns the removed and the remaining files.
pub fn remove(database: &Path) -> Result<(Vec<StoreFile>, Vec<RemainingFile>)> {
    let (mut removed, mut left) = (Vec::new(), Vec::new());
    if all(database).map_err(error::file)?.is_empty() {
        return Ok((removed, left));
    }
    let _lock = DatabaseLock::acquire(database)?;
    for copy in all(database).map_err(error::file)? {
        match fs::remove_file(&copy.path) {
            Ok(()) => removed.push(copy),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {}
            Err(failure) => left.push(RemainingFile { path: copy.path, why: failure.to_string(), foreign: false }),
        }
    }
    Ok((removed, left))
}

/// Files with the database's name made by another program that contain one of these texts. Only plain text is found;
/// compressed or encrypted files are not inspected.
pub fn foreign(database: &Path, texts: &Fragments) -> Result<Vec<RemainingFile>> {
    let mut left = Vec::new();
    for (path, rest) in beside_of(database).map_err(error::file)? {
        let ours = rest.is_empty() || rest == "-wal" || KINDS.iter().chain(&EMPTY).any(|kind| rest.starts_with(kind));
        if ours || !path.is_file() {
            continue;
        }
        let why = match fs::File::open(&path).and_then(|file| texts.occur_in_stream(file)) {
            Ok(false) => continue,
            Ok(true) => "not made by uro-capture, and therefore not removed".to_owned(),
            Err(failure) => format!("cannot be inspected: {failure}"),
        };
        left.push(RemainingFile { path, why, foreign: true });
    }
    Ok(left)
}

/// An interrupted replacement that lacks only its final name: this is the current database.
fn is_needed(database: &Path, copy: &StoreFile) -> bool {
    !database.exists() && copy.path == beside(database, ".rebuilt")
}

/// Files with names that begin with the database's, and the rest of the name.
fn beside_of(database: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let (Some(directory), Some(name)) = (database.parent(), database.file_name().and_then(|name| name.to_str())) else {
        return Ok(Vec::new());
    };
    let entries = match fs::read_dir(directory) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let rest = path.file_name().and_then(|own| own.to_str()).and_then(|own| own.strip_prefix(name));
        found.extend(rest.map(str::to_owned).map(|rest| (path.clone(), rest)));
    }
    Ok(found)
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// Last change of content, name or mode: a damaged database is renamed long after its last write.
fn changed(path: &Path) -> Option<Timestamp> {
    let found = fs::metadata(path).ok()?;
    Timestamp::from_second(found.mtime().max(found.ctime())).ok()
}
