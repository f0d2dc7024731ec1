//! SQLite implementation of the store: opening, and the two entry points `read` and `write`.
//!
//! Writes go through one connection behind a mutex. A writer thread would serialise them just the same, but every call
//! would pay a channel round trip, and every argument would have to be owned: calls are synchronous and take
//! microseconds, so the lock is the cheaper queue. Other processes wait in SQLite's own busy handler. Readers have
//! connections of their own and, in WAL mode, never wait for the writer.

use parking_lot::Mutex;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{Result, StoreError};
use crate::domain::clock::{Clock, SystemClock};
use connection::{ConnectionHandle, beside};

mod captures;
mod checksum;
mod codes;
mod connection;
mod copies;
mod counts;
mod draft_versions;
mod drafts;
mod error;
mod events;
mod finish;
mod forget;
mod listing;
mod migrate;
mod operations;
mod problems;
mod quarantine;
mod record;
mod refine;
mod repositories;
mod router;
mod row;
mod salvage;
mod search;
#[cfg(test)]
mod tests;

pub use salvage::Salvaged;

/// Durability of a write across a power loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// Synced before the call returns (`synchronous = FULL`): for data that cannot be rebuilt.
    Durable,
    /// Safe against a killed process, not against a power loss (`NORMAL`): rebuilt from git or by the next run.
    Rebuildable,
}

/// The store in one SQLite file. Shared between threads; several processes may open the same file.
pub struct SqliteStore {
    path: PathBuf,
    /// A panicked thread leaves only a connection, and `begin` rolls its transaction back.
    writer: Mutex<Option<WriteConnection>>,
    readers: Mutex<Vec<ConnectionHandle>>,
}

struct WriteConnection {
    handle: ConnectionHandle,
    durability: Option<Durability>,
}

/// An opened store, and the repairs made on opening.
#[derive(Debug)]
pub struct OpenedStore {
    pub store: SqliteStore,
    /// The new path of a damaged file; the caller captures the commits again from git.
    pub quarantined: Option<PathBuf>,
    /// The rows salvaged from the damaged file.
    pub salvaged: Option<Salvaged>,
}

/// Maximum idle read connections kept.
const IDLE_READERS: usize = 4;

impl SqliteStore {
    /// Opens the database at `path`, creating it (0600, in a 0700 directory) and migrating it where needed.
    ///
    /// A file that SQLite can't use is renamed to `<path>.corrupt-<UTC time>`, and readable rows are salvaged into a
    /// new one.
    ///
    /// # Errors
    /// `TooNew` when a newer program wrote it, `Unavailable` or `Full` when the path can't be written.
    pub fn open(path: &Path) -> Result<OpenedStore> {
        Self::open_at(path, &SystemClock)
    }

    /// Same as `open`, with the clock that names a quarantined file.
    ///
    /// # Errors
    /// Same as `open`.
    pub fn open_at(path: &Path, clock: &dyn Clock) -> Result<OpenedStore> {
        let suspected = beside(path, quarantine::SUSPECTED).exists();
        let first = if suspected { None } else { open_if_intact(path)? };
        let (handle, replaced) = match first {
            Some(handle) => (handle, None),
            None => quarantine::replace(path, clock)?,
        };
        let store =
            Self { path: path.to_owned(), writer: Mutex::new(None), readers: Mutex::new(vec![into_reader(handle)?]) };
        let (quarantined, salvaged) = replaced.unzip();
        Ok(OpenedStore { store, quarantined, salvaged })
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `job` on a read-only connection.
    fn read<T>(&self, job: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let handle = match self.idle_reader() {
            Some(handle) => handle,
            None => into_reader(ConnectionHandle::open(&self.path)?)?,
        };
        let outcome = job(&handle.connection);
        match &outcome {
            Err(error) if error::spoils_connection(error) => self.mark_suspect(error),
            _ => self.return_reader(handle),
        }
        outcome
    }

    fn idle_reader(&self) -> Option<ConnectionHandle> {
        let mut idle = self.readers.lock();
        while let Some(handle) = idle.pop() {
            if handle.is_current() {
                return Some(handle);
            }
        }
        None
    }

    fn return_reader(&self, handle: ConnectionHandle) {
        let mut idle = self.readers.lock();
        if idle.len() < IDLE_READERS {
            idle.push(handle);
        }
    }

    /// Runs `job` in one IMMEDIATE transaction; an error rolls it back.
    fn write<T>(&self, durability: Durability, job: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut slot = self.writer.lock();
        let outcome = Self::transact(&mut slot, &self.path, durability, job);
        if let Err(error) = &outcome
            && error::spoils_connection(error)
        {
            *slot = None;
            self.mark_suspect(error);
        }
        outcome
    }

    fn transact<T>(
        slot: &mut Option<WriteConnection>,
        path: &Path,
        durability: Durability,
        job: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        let writer = begin(slot, path, durability)?;
        let done = job(&writer.handle.connection).and_then(|value| {
            writer.handle.connection.execute_batch("COMMIT")?;
            Ok(value)
        });
        if done.is_err() {
            writer.roll_back();
        }
        done
    }

    /// Runs `job` on the write connection outside any transaction (checkpoints, pragmas).
    fn maintain<T>(&self, job: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        job(&opened(&mut self.writer.lock(), &self.path)?.handle.connection)
    }

    /// Creates the marker file so that the next opening checks the whole file.
    fn mark_suspect(&self, error: &StoreError) {
        if error::file_is_damaged(error) {
            quarantine::mark_suspect(&self.path);
        }
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl WriteConnection {
    fn open(path: &Path) -> Result<Self> {
        let handle = ConnectionHandle::open(path)?;
        handle.connection.pragma_update(None, "journal_size_limit", 8 << 20)?;
        Ok(Self { handle, durability: None })
    }

    /// SQLite accepts the level only outside transactions.
    fn set_durability(&mut self, durability: Durability) -> Result<()> {
        if self.durability != Some(durability) {
            let level = match durability {
                Durability::Durable => "FULL",
                Durability::Rebuildable => "NORMAL",
            };
            self.handle.connection.pragma_update(None, "synchronous", level)?;
            self.durability = Some(durability);
        }
        Ok(())
    }

    /// Rolls back the transaction of a failed or panicked job.
    fn roll_back(&self) {
        if !self.handle.connection.is_autocommit() {
            // A failed rollback means that SQLite has already rolled back.
            drop(self.handle.connection.execute_batch("ROLLBACK"));
        }
    }
}

/// A write connection inside a transaction on the file that `path` names now.
///
/// The name is checked after the write lock is held: a process that quarantines a file holds that lock while renaming
/// it, so nothing is ever committed to a quarantined file.
fn begin<'a>(
    slot: &'a mut Option<WriteConnection>,
    path: &Path,
    durability: Durability,
) -> Result<&'a mut WriteConnection> {
    for _ in 0..3 {
        let writer = opened(slot, path)?;
        writer.roll_back();
        writer.set_durability(durability)?;
        writer.handle.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        if writer.handle.is_current() {
            break;
        }
        *slot = None;
    }
    let writer = slot.as_mut().ok_or_else(closed)?;
    // A newer program may have migrated the file while this one was running.
    match migrate::schema_version(&writer.handle.connection)? {
        found if found > migrate::SCHEMA => {
            writer.roll_back();
            Err(StoreError::TooNew { found, known: migrate::SCHEMA })
        }
        _ => Ok(writer),
    }
}

/// The write connection, opened on first use: read-only commands never need one.
fn opened<'a>(slot: &'a mut Option<WriteConnection>, path: &Path) -> Result<&'a mut WriteConnection> {
    if slot.is_none() {
        *slot = Some(WriteConnection::open(path)?);
    }
    slot.as_mut().ok_or_else(closed)
}

fn closed() -> StoreError {
    StoreError::Unavailable("the database file keeps being replaced".into())
}

/// A working connection, or `None` when the file is damaged.
fn open_if_intact(path: &Path) -> Result<Option<ConnectionHandle>> {
    match ConnectionHandle::open(path) {
        Ok(handle) => Ok(Some(handle)),
        Err(StoreError::Corrupt(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

fn into_reader(handle: ConnectionHandle) -> Result<ConnectionHandle> {
    handle.connection.pragma_update(None, "query_only", true)?;
    Ok(handle)
}
