//! Paths of the spool and the doorbell. Hook and sidecar both use them and so always agree.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Our directory below the XDG base directories.
const PRODUCT: &str = "uroboro";
/// The variable that moves everything under one directory. Callers make it absolute first.
pub const HOME: &str = "URO_HOME";

/// Directories shared by hook and sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookPaths {
    /// Holds the spool's files.
    pub spool: PathBuf,
    /// Holds the records of commits that must not be captured.
    pub skipped: PathBuf,
    /// Holds the doorbell and the start stamp.
    pub run: PathBuf,
}

impl HookPaths {
    /// Derives the paths from the environment `env`; `None` if it names no home.
    pub fn from_env(env: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let state = state_dir(&env)?;
        Some(Self { spool: state.join("spool"), skipped: state.join("skipped"), run: run(&env)? })
    }

    /// The sidecar's datagram socket.
    #[must_use]
    pub fn bell(&self) -> PathBuf {
        self.run.join("bell.sock")
    }
}

/// State directory: `$URO_HOME/state`, else `uroboro` in `$XDG_STATE_HOME` or `~/.local/state`.
pub fn state_dir(env: &impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    match absolute(env, HOME) {
        Some(home) => Some(home.join("state")),
        None => Some(base(env, "XDG_STATE_HOME", ".local/state")?.join(PRODUCT)),
    }
}

/// Socket directory: `$URO_HOME/run`, else `$XDG_RUNTIME_DIR/uroboro`, else `run` in the state directory.
pub fn run(env: &impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(home) = absolute(env, HOME) {
        return Some(home.join("run"));
    }
    match absolute(env, "XDG_RUNTIME_DIR") {
        Some(runtime) => Some(runtime.join(PRODUCT)),
        None => Some(state_dir(env)?.join("run")),
    }
}

/// An XDG base directory: the variable `name`, else `below` in the home directory.
pub fn base(env: &impl Fn(&str) -> Option<OsString>, name: &str, below: &str) -> Option<PathBuf> {
    absolute(env, name).or_else(|| Some(absolute(env, "HOME")?.join(below)))
}

/// The variable's value if it is an absolute path. The XDG specification says to ignore a relative one, which
/// would also differ per repository.
pub fn absolute(env: &impl Fn(&str) -> Option<OsString>, name: &str) -> Option<PathBuf> {
    env(name).map(PathBuf::from).filter(|path: &PathBuf| Path::is_absolute(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(variables: &[(&str, &str)]) -> Option<(String, String)> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        let text = |path: PathBuf| path.to_str().expect("UTF-8").to_owned();
        HookPaths::from_env(find).map(|places| (text(places.spool), text(places.run)))
    }

    fn pair(spool: &str, run: &str) -> Option<(String, String)> {
        Some((spool.to_owned(), run.to_owned()))
    }

    #[test]
    fn uro_home_holds_everything() {
        let variables = [("URO_HOME", "/u"), ("HOME", "/h"), ("XDG_STATE_HOME", "/s"), ("XDG_RUNTIME_DIR", "/r")];
        assert_eq!(places(&variables), pair("/u/state/spool", "/u/run"));
    }

    #[test]
    fn the_xdg_variables_come_before_home() {
        let variables = [("HOME", "/h"), ("XDG_STATE_HOME", "/s"), ("XDG_RUNTIME_DIR", "/r")];
        assert_eq!(places(&variables), pair("/s/uroboro/spool", "/r/uroboro"));
    }

    #[test]
    fn without_a_runtime_directory_sockets_lie_with_the_state() {
        assert_eq!(places(&[("HOME", "/h")]), pair("/h/.local/state/uroboro/spool", "/h/.local/state/uroboro/run"));
        let variables = [("HOME", "/h"), ("XDG_STATE_HOME", "/s")];
        assert_eq!(places(&variables), pair("/s/uroboro/spool", "/s/uroboro/run"));
    }

    #[test]
    fn empty_and_relative_values_count_as_unset() {
        let variables = [("URO_HOME", "u"), ("HOME", "/h"), ("XDG_STATE_HOME", ""), ("XDG_RUNTIME_DIR", "r")];
        assert_eq!(places(&variables), places(&[("HOME", "/h")]));
    }

    #[test]
    fn without_any_home_there_is_no_place() {
        assert_eq!(places(&[]), None);
        assert_eq!(places(&[("XDG_RUNTIME_DIR", "/r")]), None);
    }
}
