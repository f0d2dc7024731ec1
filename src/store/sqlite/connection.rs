//! One database connection: how it is opened, and the identity of its file.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::super::{Result, StoreError};
use super::{error, migrate, quarantine};

/// Busy timeout for another process's write. Our writes take milliseconds; a stopped process must not block for longer
/// than a user would wait.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// First SQLite version with the fix for the WAL-reset race.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Identity of the file at a path. A quarantined file keeps its identity under its new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Identity of the file at `path`; `None` when there is none.
    pub fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|found| Self { device: found.dev(), inode: found.ino() })
    }
}

/// A connection and the identity of its file.
#[derive(Debug)]
pub struct Handle {
    pub connection: Connection,
    path: PathBuf,
    identity: Option<Identity>,
}

impl Handle {
    /// Opens `path`, creating and migrating the database where needed.
    ///
    /// # Errors
    /// `Corrupt` when SQLite can't use the file, `TooNew` when a newer program wrote it.
    pub fn open(path: &Path) -> Result<Self> {
        assert_version()?;
        let mut handle = Self::connect(path)?;
        if !handle.is_current() {
            // Replaced while it was being opened: retry once with the new file.
            handle = Self::connect(path)?;
        }
        // Reads the schema, so that a damaged first page is detected on opening.
        handle.connection.prepare_cached("SELECT row FROM captures LIMIT 1")?.exists([])?;
        Ok(handle)
    }

    fn connect(path: &Path) -> Result<Self> {
        if !path.exists() {
            quarantine::resume(path)?;
        }
        create(path).map_err(error::file)?;
        let mut handle = Self { path: path.to_owned(), identity: Identity::of(path), connection: raw(path)? };
        // Deleted or replaced content is overwritten, also by migrations: `forget` promises that no byte stays.
        handle.connection.pragma_update(None, "secure_delete", true)?;
        migrate::bring_up(&mut handle.connection, path)?;
        Ok(handle)
    }

    /// Whether the path still names the opened file.
    pub fn is_current(&self) -> bool {
        self.identity.is_some() && Identity::of(&self.path) == self.identity
    }
}

/// A bare connection without any checks.
pub fn raw(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    #[cfg_attr(not(test), expect(unused_mut, reason = "only tests listen"))]
    let mut connection = Connection::open_with_flags(path, flags)?;
    #[cfg(test)]
    super::tests::trace::listen(&mut connection)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Statement journals (a few pages) would go to a file in the system's temporary directory: store content must not
    // leak there, and it took a third of the time of an import.
    connection.pragma_update(None, "temp_store", "memory")?;
    // Query plans do not depend on bound values; otherwise SQLite prepares a statement again for each new value
    // wherever a partial index could match.
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

/// Creates directory (0700) and file (0600); `-wal` and `-shm` inherit the file's mode.
fn create(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    create_private(path).map(drop)
}

/// Opens or creates a file with access for its owner only.
pub fn create_private(path: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// The sibling file of the database with this suffix.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Lock for changes of the file as a whole: migration, quarantine. Released on drop or process death.
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
