//! Quarantine: a corrupt database file is renamed, never deleted, and a new one replaces it.
//!
//! The new file is complete before it gets the name, so that no other process writes rows that would collide with
//! salvaged ones. The WAL and its index (`-wal`, `-shm`) are found by name: they are moved while the database name is
//! free, so that no process can pair the old ones with the new file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::super::{Result, StoreError};
use super::connection::{self, ConnectionHandle, DatabaseLock, beside};
use super::salvage::{self, Salvaged};
use super::{error, forget, migrate, problems};
use crate::domain::clock::Clock;

/// Suffix of the marker file that requests a full check at the next opening. Damage in the middle shows only when it is
/// read, and a full check at every start would cost more than the work itself.
pub const SUSPECTED: &str = ".suspect";

/// Suffixes of a new file being filled, and of a complete one that still needs its final name.
const REBUILDING: &str = ".rebuilding";
const REBUILT: &str = ".rebuilt";

/// Creates the marker file.
pub fn mark_suspect(path: &Path) {
    // If this write fails too, the next reader of the damaged page tries again.
    drop(connection::create_private(&beside(path, SUSPECTED)));
}

/// Result for a damaged file: its new name and the salvaged rows.
pub type Quarantined = (PathBuf, Salvaged);

/// Checks the file under the lock and replaces it when it is damaged. If another process did so meanwhile, the good
/// file is used.
pub fn replace(path: &Path, clock: &dyn Clock) -> Result<(ConnectionHandle, Option<Quarantined>)> {
    let lock = DatabaseLock::acquire(path)?;
    let replaced = if is_intact(path)? { None } else { Some(rebuild(path, clock)?) };
    remove(&beside(path, SUSPECTED))?;
    drop(lock);
    Ok((ConnectionHandle::open(path)?, replaced))
}

/// Completes a replacement that was interrupted before the final rename.
pub fn resume(path: &Path) -> Result<()> {
    let rebuilt = beside(path, REBUILT);
    if path.exists() || !rebuilt.exists() {
        return Ok(());
    }
    let _lock = DatabaseLock::acquire(path)?;
    if !path.exists() && rebuilt.exists() {
        let kept = beside(path, ".corrupt");
        clear_name(path, &kept)?;
        fs::rename(rebuilt, path).map_err(error::file)?;
    }
    Ok(())
}

/// Whether the whole file is intact. Does not migrate, which would wait for the lock that is held.
fn is_intact(path: &Path) -> Result<bool> {
    let verdict = connection::raw(path).and_then(|file| {
        match migrate::schema_version(&file)? {
            // Only the newer program knows its schema.
            found if found > migrate::SCHEMA => return Err(StoreError::TooNew { found, known: migrate::SCHEMA }),
            migrate::SCHEMA => drop(file.prepare("SELECT row FROM captures LIMIT 1")?.exists([])?),
            _ => {}
        }
        Ok(file.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))?)
    });
    match verdict {
        Ok(verdict) => Ok(verdict == "ok"),
        Err(StoreError::Corrupt(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Fills a new file from the damaged one and swaps them.
fn rebuild(path: &Path, clock: &dyn Clock) -> Result<Quarantined> {
    let _held = lock_for_writing(path)?;
    let kept = free_name(path, clock);
    let filling = beside(path, REBUILDING);
    for leftover in ["", "-wal", "-shm", ".lock"] {
        remove(&beside(&filling, leftover))?;
    }
    let salvaged = fill(path, &filling, &kept, clock)?;
    remove(&beside(&filling, ".lock"))?;
    let rebuilt = beside(path, REBUILT);
    fs::rename(&filling, &rebuilt).map_err(error::file)?;
    fs::rename(path, &kept).map_err(error::file)?;
    clear_name(path, &kept)?;
    fs::rename(&rebuilt, path).map_err(error::file)?;
    Ok((kept, salvaged))
}

/// Holds the write lock where the file still allows one, so that no process commits to a file being moved.
fn lock_for_writing(path: &Path) -> Result<Connection> {
    let damaged = connection::raw(path)?;
    drop(damaged.execute_batch("BEGIN IMMEDIATE"));
    Ok(damaged)
}

fn fill(path: &Path, filling: &Path, kept: &Path, clock: &dyn Clock) -> Result<Salvaged> {
    let mut new = ConnectionHandle::open(filling)?;
    let salvaged = salvage::copy(path, &mut new.connection)?;
    let what = format!("the store was damaged and is kept as {}; {salvaged}", kept.display());
    problems::note(&new.connection, clock.now(), &what, "uro-capture commit --since 90d")?;
    // Merges the WAL into the file: it would not follow the file to its new name.
    forget::scrub_log(&new.connection)?;
    Ok(salvaged)
}

/// Moves the damaged file's WAL along and removes its index.
fn clear_name(path: &Path, kept: &Path) -> Result<()> {
    let log = beside(path, "-wal");
    if log.exists() {
        fs::rename(log, beside(kept, "-wal")).map_err(error::file)?;
    }
    remove(&beside(path, "-shm"))
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(failure) if failure.kind() != io::ErrorKind::NotFound => Err(error::file(failure)),
        _ => Ok(()),
    }
}

/// `<path>.corrupt-<UTC time>`, with a number if that exists.
fn free_name(path: &Path, clock: &dyn Clock) -> PathBuf {
    let name = format!(".corrupt-{}", clock.now().strftime("%Y%m%dT%H%M%SZ"));
    let first = beside(path, &name);
    if !first.exists() {
        return first;
    }
    (2..).map(|n| beside(path, &format!("{name}-{n}"))).find(|candidate| !candidate.exists()).unwrap_or(first)
}
