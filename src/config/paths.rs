//! File locations. Directories are created on demand with mode 0700.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::env::{self, Env};
use super::error::{ConfigError, Result};

/// All paths of one installation.
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

/// Our directory's name below each XDG directory.
const NAME: &str = "uroboro";

impl Paths {
    /// `URO_HOME` with everything under it, else the XDG directories, on every system.
    /// `uro-hook` finds its spool by the same rules.
    ///
    /// # Errors
    /// No `URO_HOME`, no home directory and not all XDG directories are known.
    pub fn resolve(env: &Env, cwd: &Path) -> Result<Self> {
        match env.path(env::URO_HOME) {
            Some(home) => Ok(Self::under(&cwd.join(home))),
            None => Self::xdg(env),
        }
    }

    /// Everything under one directory.
    #[must_use]
    pub fn under(home: &Path) -> Self {
        Self { config: home.join("config"), data: home.join("data"), state: home.join("state"), run: home.join("run") }
    }

    fn xdg(env: &Env) -> Result<Self> {
        let place = |name: &str, usual: &str| match env.xdg(name) {
            Some(dir) => Ok(dir.join(NAME)),
            None => home(env).map(|home| home.join(usual).join(NAME)),
        };
        let state = place(env::XDG_STATE_HOME, ".local/state")?;
        Ok(Self {
            config: place(env::XDG_CONFIG_HOME, ".config")?,
            data: place(env::XDG_DATA_HOME, ".local/share")?,
            run: env.xdg(env::XDG_RUNTIME_DIR).map_or_else(|| state.join("run"), |dir| dir.join(NAME)),
            state,
        })
    }

    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("capture.toml")
    }

    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join("captures.db")
    }

    /// Copy of the repository registry, beside the database.
    #[must_use]
    pub fn repositories(&self) -> PathBuf {
        self.data.join("repositories.json")
    }

    /// The sidecar's log; the previous one ends with `.old`.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.state.join("sidecar.log")
    }

    /// The service manager's log of the sidecar (launchd; systemd uses its journal).
    #[must_use]
    pub fn service_log(&self) -> PathBuf {
        self.state.join("sidecar.service.log")
    }

    /// The spool directory of the hooks.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.state.join("spool")
    }

    /// Directory of the hooks' records of commits that must not be captured.
    #[must_use]
    pub fn skipped(&self) -> PathBuf {
        self.state.join("skipped")
    }
}

/// Path of the previous log.
#[must_use]
pub fn old(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".old");
    name.into()
}

/// `$HOME`, else the home directory in the user database.
///
/// # Errors
/// Neither is set.
pub fn home(env: &Env) -> Result<PathBuf> {
    env.xdg(env::HOME)
        .or_else(|| directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()))
        .ok_or(ConfigError::NoHome)
}

/// Creates `dir` and its missing parents, readable by their owner only.
///
/// # Errors
/// I/O errors.
pub fn create_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Replaces or creates the file at `target` with the permissions `mode`. Atomic and durable: the content is written
/// and synced beside it, renamed over it, and the directory is synced. A reader sees the old content or the new one,
/// also after a power loss. Not for concurrent writers within one process.
///
/// # Errors
/// I/O errors; `target` is then unchanged.
pub fn replace_file(target: &Path, content: &[u8], mode: u32) -> std::io::Result<()> {
    let mut beside = target.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = write_synced(&beside, content, mode).and_then(|()| fs::rename(&beside, target));
    written.inspect_err(|_| {
        // The write's own error is the one to report.
        let _ = fs::remove_file(&beside);
    })?;
    sync_directory_of(target)
}

/// Writes and syncs one file, replacing what it held.
///
/// # Errors
/// I/O errors.
pub fn write_synced(path: &Path, content: &[u8], mode: u32) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    // The umask may have removed a permission, or an existing file may have other ones.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes the directory entry of `path` durable: its creation, renaming or removal.
///
/// # Errors
/// I/O errors.
pub fn sync_directory_of(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => File::open(dir)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_has_the_new_content_and_mode_and_nothing_is_left_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("list.json");
        fs::write(&target, "old").unwrap();
        fs::set_permissions(&target, Permissions::from_mode(0o644)).unwrap();
        replace_file(&target, b"new", 0o600).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
        // A directory is in the way.
        fs::create_dir(home.path().join("taken")).unwrap();
        replace_file(&home.path().join("taken"), b"x", 0o600).unwrap_err();
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }

    fn resolve(pairs: &[(&str, &str)]) -> Paths {
        Paths::resolve(&Env::of(pairs), Path::new("/cwd")).unwrap()
    }

    #[test]
    fn uro_home_puts_everything_under_one_directory() {
        let paths = resolve(&[("URO_HOME", "/u"), ("HOME", "/h"), ("XDG_RUNTIME_DIR", "/run/user/1")]);
        assert_eq!(paths.config_file(), Path::new("/u/config/capture.toml"));
        assert_eq!(paths.database(), Path::new("/u/data/captures.db"));
        assert_eq!(paths.spool(), Path::new("/u/state/spool"));
        assert_eq!(paths.run, Path::new("/u/run"));
    }

    #[test]
    fn a_relative_uro_home_is_taken_from_the_current_directory() {
        assert_eq!(resolve(&[("URO_HOME", "u")]).run, Path::new("/cwd/u/run"));
    }

    #[test]
    fn without_anything_set_the_usual_places_under_home_are_taken() {
        let paths = resolve(&[("HOME", "/h")]);
        assert_eq!(paths.config, Path::new("/h/.config/uroboro"));
        assert_eq!(paths.data, Path::new("/h/.local/share/uroboro"));
        assert_eq!(paths.spool(), Path::new("/h/.local/state/uroboro/spool"));
        assert_eq!(paths.run, Path::new("/h/.local/state/uroboro/run"), "no runtime directory: under state");
    }

    #[test]
    fn xdg_directories_win_over_home() {
        let paths = resolve(&[
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "/c"),
            ("XDG_DATA_HOME", "/d"),
            ("XDG_STATE_HOME", "/s"),
            ("XDG_RUNTIME_DIR", "/r"),
        ]);
        let expected = Paths {
            config: "/c/uroboro".into(),
            data: "/d/uroboro".into(),
            state: "/s/uroboro".into(),
            run: "/r/uroboro".into(),
        };
        assert_eq!(paths, expected);
    }

    #[test]
    fn private_directories_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("a/b");
        create_private(&dir).unwrap();
        create_private(&dir).unwrap();
        for made in [dir.as_path(), dir.parent().unwrap()] {
            assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }
}
