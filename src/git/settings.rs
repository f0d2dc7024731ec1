//! Git's configuration: our own settings, the hooks directory and the user's values.

use std::collections::BTreeMap;
use std::path::PathBuf;

use git2::{ConfigLevel, ErrorCode};

use super::child::path;
use super::repo::{Backend, Repo};
use super::{GitError, text};

impl Repo {
    /// The repository's `uro.*` settings without the `uro.` prefix, merged in git's order (system, global, local,
    /// worktree; the last value of a key wins).
    ///
    /// # Errors
    /// When git's configuration cannot be read.
    pub fn settings(&self) -> Result<Vec<(String, String)>, GitError> {
        let mut merged = BTreeMap::new();
        for (name, value) in self.settings_matching("^uro\\.")? {
            if let Some(key) = name.strip_prefix("uro.") {
                merged.insert(key.to_owned(), text::sanitize(&value, true));
            }
        }
        Ok(merged.into_iter().collect())
    }

    /// The git configuration of our hooks (`hook.uro-*`) from all levels, by name; the last value wins.
    ///
    /// # Errors
    /// When git's configuration cannot be read.
    pub fn hook_settings(&self) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
        Ok(self.settings_matching("^hook\\.uro-")?.into_iter().collect())
    }

    /// All settings with a name that matches `pattern`, lowest precedence first; names in git's lower case.
    fn settings_matching(&self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, GitError> {
        let mut found = Vec::new();
        match &self.backend {
            Backend::LibGit2(repo) => {
                let config = snapshot(repo).map_err(unreadable)?;
                let mut entries = config.entries(Some(pattern)).map_err(unreadable)?;
                while let Some(entry) = entries.next() {
                    let entry = entry.map_err(unreadable)?;
                    let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
                    let value = if entry.has_value() { entry.value_bytes().to_vec() } else { b"true".to_vec() };
                    found.push((name, value));
                }
            }
            Backend::Cli(git) => {
                let output = git.run(&["config", "--null", "--get-regexp", pattern])?;
                for entry in output.stdout.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
                    let mut parts = entry.splitn(2, |byte| *byte == b'\n');
                    let name = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
                    found.push((name, parts.next().unwrap_or(b"true").to_vec()));
                }
            }
        }
        Ok(found)
    }

    /// `core.hooksPath`, absolute, and its level (`local`, `global`, `system` or `worktree`).
    ///
    /// # Errors
    /// When git's configuration cannot be read.
    pub fn hooks_path(&self) -> Result<Option<(PathBuf, String)>, GitError> {
        let (set, level) = match &self.backend {
            Backend::LibGit2(repo) => {
                let config = snapshot(repo).map_err(unreadable)?;
                let level = match config.get_entry("core.hooksPath") {
                    Ok(entry) => entry.level(),
                    Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
                    Err(error) => return Err(unreadable(error)),
                };
                let level = match level {
                    ConfigLevel::Global | ConfigLevel::XDG => "global",
                    ConfigLevel::System | ConfigLevel::ProgramData => "system",
                    ConfigLevel::Worktree => "worktree",
                    _ => "local",
                };
                (config.get_path("core.hooksPath").map_err(unreadable)?, level.to_owned())
            }
            Backend::Cli(git) => {
                let args = ["config", "--null", "--show-scope", "--type=path", "--get-all", "core.hooksPath"];
                let output = git.run(&args)?;
                let fields: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
                // Our own override on the command line does not count.
                let set = fields.chunks_exact(2).rev().find(|pair| pair[0] != b"command");
                let Some(set) = set else { return Ok(None) };
                (path(set[1]), String::from_utf8_lossy(set[0]).into_owned())
            }
        };
        // Git runs hooks in the root of the work tree and resolves relative paths from there.
        let root = self.location().work_tree.as_deref().unwrap_or(&self.location().git_dir);
        Ok(Some((root.join(set), level)))
    }

    /// Values of the settings with these names, where set.
    pub(super) fn values_of(&self, names: &[&str]) -> Result<Vec<String>, GitError> {
        let mut found = Vec::new();
        match &self.backend {
            Backend::LibGit2(repo) => {
                let config = snapshot(repo).map_err(unreadable)?;
                found.extend(names.iter().filter_map(|name| config.get_string(name).ok()));
            }
            Backend::Cli(git) => {
                for name in names {
                    found.extend(git.line(&["config", "--get", name])?);
                }
            }
        }
        Ok(found)
    }
}

fn unreadable(error: git2::Error) -> GitError {
    GitError::git("cannot read git's configuration", error)
}

pub(super) fn snapshot(repo: &git2::Repository) -> Result<git2::Config, git2::Error> {
    repo.config().and_then(|mut config| config.snapshot())
}

/// A setting of the user's or the system's configuration; repository settings are ignored.
#[must_use]
pub fn user_setting(name: &str) -> Option<String> {
    git2::Config::open_default().and_then(|mut config| config.snapshot()).ok()?.get_string(name).ok()
}
