//! Configuration errors; every variant names the location of the value.

use std::fmt;
use std::path::PathBuf;

/// A layer, lowest first: later ones override earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    BuiltIn,
    UserFile,
    Repository,
    Environment,
    Flag,
}

/// Location of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingOrigin {
    BuiltIn,
    UserFile {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    Repository {
        /// The git configuration key, with `uro.`.
        name: String,
    },
    Environment {
        name: String,
    },
    Flag {
        /// As typed: `--config KEY=VALUE`, `config set KEY VALUE`.
        text: String,
    },
}

impl SettingOrigin {
    #[must_use]
    pub fn layer(&self) -> Layer {
        match self {
            Self::BuiltIn => Layer::BuiltIn,
            Self::UserFile { .. } => Layer::UserFile,
            Self::Repository { .. } => Layer::Repository,
            Self::Environment { .. } => Layer::Environment,
            Self::Flag { .. } => Layer::Flag,
        }
    }
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::UserFile { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Repository { name } => write!(f, "git config {name}"),
            Self::Environment { name } => write!(f, "environment variable {name}"),
            Self::Flag { text } => f.write_str(text),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("unknown key {key:?}{}: {origin}", section.as_ref().map(|name| format!(" in [{name}]")).unwrap_or_default())]
    UnknownKey { key: String, section: Option<String>, origin: SettingOrigin, suggestion: Option<String> },
    #[error("{key}: {message}: {origin}")]
    Invalid { key: String, message: String, origin: SettingOrigin },
    #[error("{key} cannot be set by a repository: {origin}")]
    NotForRepositories { key: String, origin: SettingOrigin },
    #[error("{message}: {origin}")]
    Syntax { message: String, origin: SettingOrigin },
    #[error("{} cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} cannot be written", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("no home directory is known")]
    NoHome,
}

pub type Result<T> = std::result::Result<T, ConfigError>;

/// The known name closest to `wrong` (typo correction), if one is close.
#[must_use]
pub fn closest<'a>(wrong: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.collect();
    similar::get_close_matches(wrong, &candidates, 1, 0.6).first().map(|name| (*name).to_owned())
}
