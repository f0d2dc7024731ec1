//! One connection to the database file: how it is opened and which file it holds.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::super::{Result, StoreError};
use super::{error, migrate, quarantine};

/// How long a write waits for another process's write. Ours take milliseconds; a stopped process is not
/// waited for longer than a person would.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// First SQLite in which the WAL-reset race is repaired.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Which file a path names now. A file that was quarantined keeps its identity under its new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Of the file at `path`; absent when there is none.
    pub fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|found| Self { device: found.dev(), inode: found.ino() })
    }
}

/// A connection and the file it was opened on.
#[derive(Debug)]
pub struct Handle {
    pub connection: Connection,
    path: PathBuf,
    identity: Option<Identity>,
}

impl Handle {
    /// Opens `path`, making and migrating the database where needed.
    ///
    /// # Errors
    /// `Corrupt` when SQLite can't use the file, `TooNew` when a newer program wrote it.
    pub fn open(path: &Path) -> Result<Self> {
        assert_version()?;
        let mut handle = Self::connect(path)?;
        if !handle.is_current() {
            // Replaced while it was being opened; once more on the file that took its place.
            handle = Self::connect(path)?;
        }
        // Reads the schema, so that a damaged first page is noticed here and not in the middle of work.
        handle.connection.prepare_cached("SELECT row FROM captures LIMIT 1")?.exists([])?;
        Ok(handle)
    }

    fn connect(path: &Path) -> Result<Self> {
        if !path.exists() {
            quarantine::resume(path)?;
        }
        create(path).map_err(error::file)?;
        let mut handle = Self { path: path.to_owned(), identity: Identity::of(path), connection: raw(path)? };
        // What is deleted or replaced is overwritten, by a migration too: `forget` promises that no byte stays.
        handle.connection.pragma_update(None, "secure_delete", true)?;
        migrate::bring_up(&mut handle.connection, path)?;
        Ok(handle)
    }

    /// False when the path no longer names the file that was opened.
    pub fn is_current(&self) -> bool {
        self.identity.is_some() && Identity::of(&self.path) == self.identity
    }
}

/// A bare connection, nothing checked.
pub fn raw(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    #[cfg_attr(not(test), expect(unused_mut, reason = "only tests listen"))]
    let mut connection = Connection::open_with_flags(path, flags)?;
    #[cfg(test)]
    super::tests::trace::listen(&mut connection)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    // What a statement with triggers could have to take back (pages of ours) would go to a file in the system's
    // directory for temporary ones: nothing of a store belongs there, and it took a third of the time of an import.
    connection.pragma_update(None, "temp_store", "memory")?;
    // No plan of ours depends on a bound value; else SQLite prepares a statement anew for every other value, wherever
    // there is a partial index that the value might fit.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

fn assert_version() -> Result<()> {
    if rusqlite::version_number() >= OLDEST_SQLITE {
        return Ok(());
    }
    let message = format!("SQLite {} is older than 3.51.3", rusqlite::version());
    Err(StoreError::Other(message.into()))
}

/// Makes directory (0700) and file (0600); `-wal` and `-shm` take the file's mode.
fn create(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    create_private(path).map(drop)
}

/// Opens or makes a file that only its owner may read.
pub fn create_private(path: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// The file beside the database whose name has `suffix` added.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Held while one process changes the file as a whole: migration, quarantine. Released on drop or death.
#[derive(Debug)]
pub struct Exclusive(#[expect(dead_code, reason = "the lock lives as long as the open file")] std::fs::File);

impl Exclusive {
    /// Waits for the lock of the database at `path`.
    pub fn take(path: &Path) -> Result<Self> {
        let file = create_private(&beside(path, ".lock")).map_err(error::file)?;
        file.lock().map_err(error::file)?;
        Ok(Self(file))
    }
}
