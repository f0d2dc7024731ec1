//! Installed git version and user git configuration, shared by all repositories; each is read once,
//! on first use.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::env::{self, Env};
use crate::domain::event::HookName;
use crate::git;
use crate::githooks::block::{self, HookBlock};
use crate::githooks::find_block;
use crate::store::{MarkStore, StoreError};

/// Store key of the mark of `init --global`.
pub const MARK: &str = "global";

/// Marks an `init --global`: hooks are in the user's git configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalMark {
    /// The configuration file with the hooks.
    pub path: PathBuf,
    pub since: Timestamp,
}

impl GlobalMark {
    /// Absent without `init --global`, or after its undo. An unreadable mark counts as absent.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn load_mark(store: &dyn MarkStore) -> Result<Option<Self>, StoreError> {
        Ok(store.mark(MARK)?.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

pub struct GitEnvironment<'a> {
    env: &'a Env,
    pub mark: Option<GlobalMark>,
    version: OnceCell<Option<(u32, u32)>>,
    global: OnceCell<Option<HookBlock>>,
}

impl<'a> GitEnvironment<'a> {
    #[must_use]
    pub fn new(env: &'a Env, mark: Option<GlobalMark>) -> Self {
        Self { env, mark, version: OnceCell::new(), global: OnceCell::new() }
    }

    /// Version of the git on the search path.
    #[must_use]
    pub fn git_version(&self) -> Option<(u32, u32)> {
        *self.version.get_or_init(git::version)
    }

    /// True if git runs hooks from its configuration.
    #[must_use]
    pub fn has_config_hooks(&self) -> bool {
        self.git_version().is_some_and(|version| version >= block::FIRST_GIT)
    }

    /// The hook's command in the user's git configuration.
    #[must_use]
    pub fn global_program(&self, hook: HookName) -> Option<&Path> {
        let look = || self.global_files().into_iter().find_map(|file| find_block(&file).ok().flatten());
        self.global.get_or_init(look).as_ref()?.program(hook)
    }

    /// True if our lines are in the user's git configuration.
    #[must_use]
    pub fn is_global(&self) -> bool {
        crate::domain::event::HOOKS.iter().any(|hook| self.global_program(*hook).is_some())
    }

    /// All files that may hold our lines for all of the user's repositories: the recorded one, and the one that
    /// a new run would write.
    #[must_use]
    pub fn global_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.mark.iter().map(|mark| mark.path.clone()).collect();
        files.extend(global_file(self.env).filter(|file| !files.contains(file)));
        files
    }
}

/// The file that `git config --global` writes: `$GIT_CONFIG_GLOBAL`, else `~/.gitconfig`, unless only
/// `$XDG_CONFIG_HOME/git/config` exists. Absent without a home.
#[must_use]
pub fn global_file(env: &Env) -> Option<PathBuf> {
    if let Some(file) = env.path(env::GIT_CONFIG_GLOBAL) {
        return Some(file).filter(|file| file.is_absolute());
    }
    let usual = env.xdg(env::HOME).map(|home| home.join(".gitconfig"));
    let xdg = env.xdg(env::XDG_CONFIG_HOME).or_else(|| Some(env.xdg(env::HOME)?.join(".config")));
    let xdg = xdg.map(|dir| dir.join("git/config")).filter(|file| file.exists());
    match (usual, xdg) {
        (Some(usual), Some(xdg)) => Some(if usual.exists() { usual } else { xdg }),
        (usual, xdg) => usual.or(xdg),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_one_that_git_itself_would_write() {
        let top = tempfile::tempdir().unwrap();
        let home = top.path().to_str().unwrap();
        let found = |pairs: &[(&str, &str)]| global_file(&Env::from_pairs(pairs));
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[("HOME", home)]), Some(top.path().join(".gitconfig")));
        std::fs::create_dir_all(top.path().join(".config/git")).unwrap();
        std::fs::write(top.path().join(".config/git/config"), "").unwrap();
        assert_eq!(found(&[("HOME", home)]), Some(top.path().join(".config/git/config")));
        assert_eq!(found(&[("HOME", home), ("XDG_CONFIG_HOME", "/x")]), Some(top.path().join(".gitconfig")));
        std::fs::write(top.path().join(".gitconfig"), "").unwrap();
        assert_eq!(found(&[("HOME", home)]), Some(top.path().join(".gitconfig")));
        assert_eq!(found(&[("HOME", home), ("GIT_CONFIG_GLOBAL", "/g/config")]), Some("/g/config".into()));
    }

    #[test]
    fn the_mark_is_json_with_path_and_time() {
        let mark = GlobalMark { path: "/h/.gitconfig".into(), since: "2026-03-01T12:00:00Z".parse().unwrap() };
        let text = serde_json::to_string(&mark).unwrap();
        assert_eq!(text, r#"{"path":"/h/.gitconfig","since":"2026-03-01T12:00:00Z"}"#);
        assert_eq!(serde_json::from_str::<GlobalMark>(&text).unwrap(), mark);
    }
}
