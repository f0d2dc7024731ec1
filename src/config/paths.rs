//! Where files live. Directories are created with mode 0700 by whoever needs them.

use std::path::PathBuf;

/// All places of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Holds `capture.toml` and `templates/`.
    pub config: PathBuf,
    /// Holds the database.
    pub data: PathBuf,
    /// Holds the spool and logs.
    pub state: PathBuf,
    /// Holds sockets and locks.
    pub run: PathBuf,
}

impl Paths {
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("capture.toml")
    }

    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join("captures.db")
    }
}
