//! A file that SQLite can't use is put away under another name, never deleted, and a new one is made.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;

use super::super::{Result, StoreError};
use super::connection::{self, Exclusive, Handle, beside};
use super::salvage::{self, Salvaged};
use super::{error, migrate, problems};
use crate::domain::clock::Clock;

/// Suffix of the mark that asks the next opening to look at the whole file. Damage in the middle shows
/// only when it is read, and a full check at every start would cost more than the work itself.
pub const SUSPECTED: &str = ".suspect";

/// Leaves the mark.
pub fn suspect(path: &Path) {
    // If not even this can be written, the next reader of the damaged page tries again.
    drop(connection::create_private(&beside(path, SUSPECTED)));
}

/// What became of a damaged file: its new name, and what was copied out of it.
pub type Replaced = (PathBuf, Salvaged);

/// Checks the file under the lock and replaces it when it is damaged. Another process may have done so
/// while this one waited: then the good file is simply used.
pub fn replace(path: &Path, clock: &dyn Clock) -> Result<(Handle, Option<Replaced>)> {
    let lock = Exclusive::take(path)?;
    let kept = if sound(path)? { None } else { Some(put_away(path, clock)?) };
    forget_suspicion(path)?;
    // Making the new schema takes the lock itself; a rival that slips in between makes the same schema.
    drop(lock);
    let mut handle = Handle::open(path)?;
    let Some(kept) = kept else { return Ok((handle, None)) };
    let salvaged = salvage::copy(&kept, &mut handle.connection)?;
    let what = format!("the store was damaged and is kept as {}; {salvaged}", kept.display());
    problems::note(&handle.connection, clock.now(), &what, "uro-capture commit --since 90d")?;
    Ok((handle, Some((kept, salvaged))))
}

/// All of the file is in order. Nothing is migrated here: that would wait for the lock that is held.
fn sound(path: &Path) -> Result<bool> {
    let verdict = connection::raw(path).and_then(|file| {
        if migrate::found(&file)? == migrate::SCHEMA {
            file.prepare("SELECT row FROM captures LIMIT 1")?.exists([])?;
        }
        Ok(file.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))?)
    });
    match verdict {
        Ok(verdict) => Ok(verdict == "ok"),
        Err(StoreError::Corrupt(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Renames the database with its log, while no other process can be writing to it.
fn put_away(path: &Path, clock: &dyn Clock) -> Result<PathBuf> {
    let target = free_name(path, clock);
    let damaged = connection::raw(path)?;
    // Closing the last connection would delete, by name, a log that may by then be the new database's.
    damaged.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Holds the write lock where the file still allows one, so that nobody commits to a file on its way out.
    drop(damaged.execute_batch("BEGIN IMMEDIATE"));
    // The log goes first: a crash in between must not leave an old log beside a new database.
    for suffix in ["-wal", ""] {
        let (from, to) = (beside(path, suffix), beside(&target, suffix));
        if from.exists() {
            std::fs::rename(from, to).map_err(error::file)?;
        }
    }
    match std::fs::remove_file(beside(path, "-shm")) {
        Err(failure) if failure.kind() != std::io::ErrorKind::NotFound => Err(error::file(failure)),
        _ => Ok(target),
    }
}

/// `<path>.corrupt-<UTC time>`, with a number where that exists.
fn free_name(path: &Path, clock: &dyn Clock) -> PathBuf {
    let name = format!(".corrupt-{}", clock.now().strftime("%Y%m%dT%H%M%SZ"));
    let first = beside(path, &name);
    if !first.exists() {
        return first;
    }
    (2..).map(|n| beside(path, &format!("{name}-{n}"))).find(|candidate| !candidate.exists()).unwrap_or(first)
}

fn forget_suspicion(path: &Path) -> Result<()> {
    match std::fs::remove_file(beside(path, SUSPECTED)) {
        Err(failure) if failure.kind() != std::io::ErrorKind::NotFound => Err(error::file(failure)),
        _ => Ok(()),
    }
}
