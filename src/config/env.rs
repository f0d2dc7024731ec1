//! Environment access: every environment variable that is read; raw reads elsewhere are banned.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::keys;

/// Moves everything under one directory.
pub const URO_HOME: &str = "URO_HOME";
/// `1`: hooks do nothing.
pub const URO_SKIP: &str = "URO_SKIP";
/// Ollama's own variable: the address on which its server listens.
pub const OLLAMA_HOST: &str = "OLLAMA_HOST";
pub const HOME: &str = "HOME";
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
pub const XDG_DATA_HOME: &str = "XDG_DATA_HOME";
pub const XDG_STATE_HOME: &str = "XDG_STATE_HOME";
pub const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";
/// Non-empty: no colour (<https://no-color.org>).
pub const NO_COLOR: &str = "NO_COLOR";
pub const TERM: &str = "TERM";
/// Terminal width if it cannot be queried.
pub const COLUMNS: &str = "COLUMNS";
/// The editor for full screens; wins over `EDITOR`.
pub const VISUAL: &str = "VISUAL";
pub const EDITOR: &str = "EDITOR";
/// Git's own variable: the pager for long output; wins over `core.pager` and `PAGER`.
pub const GIT_PAGER: &str = "GIT_PAGER";
pub const PAGER: &str = "PAGER";
/// Options of `less`.
pub const LESS: &str = "LESS";
/// Search path of programs: `init` looks for `uro-hook` there.
pub const PATH: &str = "PATH";
/// Git's own variable: an alternative path of the user's configuration.
pub const GIT_CONFIG_GLOBAL: &str = "GIT_CONFIG_GLOBAL";

/// Set where an X server or a Wayland compositor runs: the clipboard programs need it.
pub const DISPLAY: &str = "DISPLAY";
pub const WAYLAND_DISPLAY: &str = "WAYLAND_DISPLAY";

const NAMES: [&str; 20] = [
    URO_HOME, URO_SKIP, OLLAMA_HOST, HOME, XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR, NO_COLOR,
    TERM, COLUMNS, VISUAL, EDITOR, GIT_PAGER, PAGER, LESS, PATH, GIT_CONFIG_GLOBAL, DISPLAY, WAYLAND_DISPLAY,
];

/// Snapshot of the environment at process start, limited to the names above and `URO_<SECTION>_<KEY>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    values: BTreeMap<String, OsString>,
    /// True for the process's own environment, from which variables named by settings are read.
    of_process: bool,
}

impl Env {
    /// The process's own environment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    pub fn from_process() -> Self {
        let names = NAMES.iter().map(|name| (*name).to_owned()).chain(keys::fixed().map(|key| keys::env_name(&key)));
        let values = names.filter_map(|name| std::env::var_os(&name).map(|value| (name, value))).collect();
        Self { values, of_process: true }
    }

    /// A fake environment for tests.
    #[must_use]
    pub fn from_pairs(pairs: &[(&str, &str)]) -> Self {
        let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
        Self { values, of_process: false }
    }

    /// Its value as text; absent when unset, empty or not UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.to_str().filter(|text| !text.is_empty())
    }

    /// Its value as text, possibly empty; absent when unset or not UTF-8.
    #[must_use]
    pub fn raw_text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.to_str()
    }

    /// The value of a variable that the settings name (`api_key_env`); absent when unset, empty or not UTF-8.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    pub fn settings_variable(&self, name: &str) -> Option<String> {
        let own = self.text(name).map(str::to_owned);
        own.or_else(|| self.of_process.then(|| std::env::var(name).ok())?).filter(|text| !text.is_empty())
    }

    /// Its value as a path; absent when unset or empty.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.values.get(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// An XDG directory: a relative path is invalid and counts as unset, as the specification says.
    #[must_use]
    pub fn xdg(&self, name: &str) -> Option<PathBuf> {
        self.path(name).filter(|path| path.is_absolute())
    }

    /// The editor to start: `$VISUAL`, else `$EDITOR`.
    #[must_use]
    pub fn editor(&self) -> Option<&str> {
        self.text(VISUAL).or_else(|| self.text(EDITOR))
    }
}

/// Names of git's own variables that are set: long-lived child processes must not inherit them.
#[must_use]
pub fn git_variables() -> Vec<OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| name.as_encoded_bytes().starts_with(b"GIT_")).collect()
}

/// Variables from a service manager about one service: its children must not inherit them.
pub const OF_A_SERVICE: [&str; 6] =
    ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"];

/// The environment of a `git` child: search path and configuration paths.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
pub fn git_child_env() -> Vec<(&'static str, OsString)> {
    [PATH, HOME].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_counts_as_unset_and_visual_wins() {
        let env = Env::from_pairs(&[(NO_COLOR, ""), (EDITOR, "ed"), (VISUAL, "vi")]);
        assert_eq!(env.text(NO_COLOR), None);
        assert_eq!(env.editor(), Some("vi"));
        assert_eq!(Env::from_pairs(&[(EDITOR, "ed")]).editor(), Some("ed"));
    }

    #[test]
    fn a_relative_xdg_directory_counts_as_unset() {
        let env = Env::from_pairs(&[(XDG_DATA_HOME, "data"), (XDG_STATE_HOME, "/s")]);
        assert_eq!(env.xdg(XDG_DATA_HOME), None);
        assert_eq!(env.xdg(XDG_STATE_HOME), Some(PathBuf::from("/s")));
    }
}
