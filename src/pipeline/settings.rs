//! The settings in force, read afresh so that an edit takes effect at once. Fail closed: while they cannot be read, the
//! last good ones of this process hold; without any, nothing is captured and events wait.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use thiserror::Error;

use super::services::Version;
use crate::config::{Config, Overrides, Paths, UserFile, load_over};
use crate::git::GitError;
use crate::git::repo::Repo;

/// The `uro.*` entries of git's configuration, without the `uro.`.
type Entries = Vec<(String, String)>;

/// Settings that cannot be read, and the command that helps.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}")]
pub struct Unreadable {
    pub what: String,
    pub hint: String,
}

impl Unreadable {
    fn of_repo(repo: &Repo, error: &impl ToString) -> Self {
        Self { what: error.to_string(), hint: repo_hint(repo) }
    }
}

/// The hint of problems with a repository's own settings.
fn repo_hint(repo: &Repo) -> String {
    let path = repo.location().work_tree.as_deref().unwrap_or(&repo.location().git_dir);
    format!("git -C {} config --edit", path.display())
}

/// The hint of problems with the user's file.
fn user_hint(paths: &Paths) -> String {
    format!("mend {}", paths.config_file().display())
}

/// Last good settings of this process.
#[derive(Debug, Default)]
pub(super) struct LastGood {
    user: Option<UserFile>,
    /// By the repositories' common directories.
    of_repo: HashMap<PathBuf, Entries>,
    /// Hints of sources that could not be read at the last look.
    broken: HashSet<String>,
    /// Cache of the last read: a storm in one repository reads its settings once.
    read: Option<CachedRead>,
}

#[derive(Debug)]
struct CachedRead {
    version: Version,
    entries: Entries,
    config: Config,
}

/// One reading: the settings in force, if any, and the faults.
pub(super) struct SettingsRead {
    pub config: Result<Config, Unreadable>,
    pub complaints: Vec<Unreadable>,
    /// Hints of problems that are mended if there were any.
    pub readable: Vec<String>,
}

impl LastGood {
    /// Reads the user's file and the repository's own settings. `is_settled` tells whether a version of the file
    /// differs from the next one by its times.
    pub fn read_settings(
        &mut self,
        paths: &Paths,
        repo: Option<&Repo>,
        over: &Overrides,
        is_settled: impl Fn(&Version) -> bool,
    ) -> SettingsRead {
        let version = Version::of(&paths.config_file());
        let entries = repo.map_or(Ok(Entries::new()), Repo::settings);
        if let (Some(read), Ok(entries)) = (&self.read, &entries)
            && read.version == version
            && read.entries == *entries
        {
            return SettingsRead { config: Ok(read.config.clone()), complaints: Vec::new(), readable: Vec::new() };
        }
        let (mut complaints, mut readable) = (Vec::new(), Vec::new());
        // Most editors truncate a file before they write it: its content is unknown until then.
        let is_being_written = version.is_empty() && !is_settled(&version);
        match UserFile::load_file(paths).and_then(|file| load_over(&file, &[], over).map(|_| file)) {
            Ok(_) if is_being_written => {}
            Ok(file) => {
                // An earlier process may have noted a problem.
                if self.user.replace(file).is_none() || self.broken.remove(&user_hint(paths)) {
                    readable.push(user_hint(paths));
                }
            }
            Err(error) => complaints.push(Unreadable { what: error.to_string(), hint: user_hint(paths) }),
        }
        let config = self.config(repo, &entries, over, &mut complaints);
        if let Some(hint) = repo.filter(|_| complaints.is_empty()).map(repo_hint) {
            readable.extend(self.broken.take(&hint));
        }
        self.broken.extend(complaints.iter().map(|complaint| complaint.hint.clone()));
        self.read = match (&config, entries) {
            (Ok(config), Ok(entries)) if complaints.is_empty() && !is_being_written && is_settled(&version) => {
                Some(CachedRead { version, entries, config: config.clone() })
            }
            _ => None,
        };
        SettingsRead { config, complaints, readable }
    }

    fn config(
        &mut self,
        repo: Option<&Repo>,
        entries: &Result<Entries, GitError>,
        over: &Overrides,
        complaints: &mut Vec<Unreadable>,
    ) -> Result<Config, Unreadable> {
        let Some(user) = &self.user else {
            let unknown =
                || Unreadable { what: "the settings cannot be read".into(), hint: "uro-capture doctor".into() };
            return Err(complaints.first().cloned().unwrap_or_else(unknown));
        };
        let load = |entries: &[(String, String)]| load_over(user, entries, over).map(|loaded| loaded.config);
        let Some(repo) = repo else {
            return load(&[])
                .map_err(|error| Unreadable { what: error.to_string(), hint: "uro-capture doctor".into() });
        };
        let error = match entries {
            Ok(entries) => match load(entries) {
                Ok(config) => {
                    self.of_repo.insert(repo.location().common_dir.clone(), entries.clone());
                    return Ok(config);
                }
                Err(error) => Unreadable::of_repo(repo, &error),
            },
            Err(error) => Unreadable::of_repo(repo, error),
        };
        complaints.push(error.clone());
        let last_good = self.of_repo.get(&repo.location().common_dir);
        let entries = match entries {
            Ok(entries) => with_last_good(entries, last_good, |entry| load(std::slice::from_ref(entry)).is_ok()),
            Err(_) => last_good.cloned(),
        };
        entries.and_then(|entries| load(&entries).ok()).ok_or(error)
    }
}

/// The valid entries, with the last good values of the others; `None` where one of those is unknown.
fn with_last_good(
    entries: &Entries,
    last_good: Option<&Entries>,
    is_right: impl Fn(&(String, String)) -> bool,
) -> Option<Entries> {
    let good_value = |name: &str| last_good?.iter().find(|(of, _)| of == name).cloned();
    entries.iter().map(|entry| if is_right(entry) { Some(entry.clone()) } else { good_value(&entry.0) }).collect()
}
