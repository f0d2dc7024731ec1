//! Atomic edit of a git configuration file, with git's own locking: `<file>.lock`, then one rename.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::GithooksError;
use crate::config::paths::sync_directory_of;

/// Size limit in bytes; git configuration files have a few kilobytes.
const LIMIT: u64 = 16 << 20;

/// The file's bytes; `None` if it does not exist.
///
/// # Errors
/// It cannot be read, or is not a regular file.
pub fn read_config_file(path: &Path) -> Result<Option<Vec<u8>>, GithooksError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(GithooksError::io("read", path)(error)),
        Ok(found) if !found.is_file() || found.len() > LIMIT => {
            return Err(GithooksError::NotAConfiguration(path.to_owned()));
        }
        Ok(_) => {}
    }
    fs::read(path).map(Some).map_err(GithooksError::io("read", path))
}

/// Reads the file under git's lock and writes the result of `change`: `None` means no file, before or after. An
/// unchanged file is not written. Links are followed, the mode is kept.
///
/// # Errors
/// [`GithooksError::Locked`] while another process changes it, [`GithooksError::ReadOnly`] if it cannot be
/// written; the file is then unchanged.
pub fn edit_config_file(
    path: &Path,
    change: impl FnOnce(Option<&[u8]>) -> Option<Vec<u8>>,
) -> Result<(), GithooksError> {
    let target = resolve_link(path);
    let lock = ConfigLock::acquire_lock(path, &target)?;
    let old = read_config_file(&target)?;
    let new = change(old.as_deref());
    match new {
        new if new == old => Ok(()),
        Some(text) => lock.replace(&text),
        // The lock is released afterwards.
        None => fs::remove_file(&target).map_err(|error| write_error(path, error)),
    }
}

/// Git locks and replaces the target of a link, not the link.
fn resolve_link(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    // A dangling link.
    match fs::read_link(path) {
        Ok(target) => path.parent().map_or(target.clone(), |dir| dir.join(&target)),
        Err(_) => path.to_owned(),
    }
}

fn write_error(path: &Path, error: io::Error) -> GithooksError {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => GithooksError::ReadOnly(path.to_owned()),
        _ => GithooksError::io("write", path)(error),
    }
}

/// `<file>.lock`, removed on drop unless it was renamed to the file.
struct ConfigLock<'a> {
    requested: &'a Path,
    target: &'a Path,
    at: PathBuf,
    file: File,
    held: bool,
}

impl<'a> ConfigLock<'a> {
    fn acquire_lock(asked: &'a Path, target: &'a Path) -> Result<Self, GithooksError> {
        // Git would replace it all the same; but the file was made read-only on purpose.
        if fs::metadata(target).is_ok_and(|found| found.permissions().mode() & 0o222 == 0) {
            return Err(GithooksError::ReadOnly(asked.to_owned()));
        }
        let mut at = target.as_os_str().to_owned();
        at.push(".lock");
        let at = PathBuf::from(at);
        match OpenOptions::new().write(true).create_new(true).mode(0o666).open(&at) {
            Ok(file) => Ok(Self { requested: asked, target, at, file, held: true }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(GithooksError::Locked(at)),
            Err(error) => Err(write_error(asked, error)),
        }
    }

    fn replace(mut self, text: &[u8]) -> Result<(), GithooksError> {
        let mut write = || {
            self.file.write_all(text)?;
            if let Ok(old) = fs::metadata(self.target) {
                self.file.set_permissions(Permissions::from_mode(old.permissions().mode() & 0o7777))?;
            }
            self.file.sync_all()?;
            fs::rename(&self.at, self.target)?;
            sync_directory_of(self.target)
        };
        write().map_err(|error| write_error(self.requested, error))?;
        self.held = false;
        Ok(())
    }
}

impl Drop for ConfigLock<'_> {
    fn drop(&mut self) {
        // After the rename, a lock of this name belongs to another process.
        if self.held {
            let _ = fs::remove_file(&self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(text: Option<&[u8]>) -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("config");
        if let Some(text) = text {
            fs::write(&path, text).expect("written");
        }
        (home, path)
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).expect("there").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_mode_is_kept_and_no_lock_is_left() {
        let (home, path) = stage(Some(b"a"));
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("set");
        edit_config_file(&path, |old| Some([old.expect("there"), b"b"].concat())).expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"ab");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);
        assert_eq!(names(home.path()), ["config"]);
    }

    #[test]
    fn a_link_stays_a_link_and_what_it_leads_to_is_changed_under_its_own_lock() {
        let (home, path) = stage(None);
        fs::create_dir(home.path().join("dotfiles")).expect("created");
        let real = home.path().join("dotfiles/gitconfig");
        std::os::unix::fs::symlink("dotfiles/gitconfig", &path).expect("linked");
        edit_config_file(&path, |old| old.is_none().then(|| b"new".to_vec())).expect("written through a dangling link");
        assert!(fs::symlink_metadata(&path).expect("there").is_symlink());
        assert_eq!(fs::read(&real).expect("there"), b"new");
        fs::write(home.path().join("dotfiles/gitconfig.lock"), "").expect("locked");
        let error = edit_config_file(&path, |_| Some(Vec::new())).expect_err("locked");
        assert!(matches!(error, GithooksError::Locked(lock) if lock.ends_with("dotfiles/gitconfig.lock")));
    }

    #[test]
    fn while_another_process_holds_the_lock_nothing_is_written() {
        let (home, path) = stage(Some(b"a"));
        fs::write(home.path().join("config.lock"), "theirs").expect("locked");
        let error = edit_config_file(&path, |_| Some(b"b".to_vec())).expect_err("locked");
        assert!(matches!(error, GithooksError::Locked(_)));
        assert_eq!(fs::read(&path).expect("there"), b"a");
        assert_eq!(fs::read(home.path().join("config.lock")).expect("there"), b"theirs");
    }

    #[test]
    fn a_file_without_the_right_to_write_is_left_alone_and_no_lock_is_made() {
        let (home, path) = stage(Some(b"a"));
        fs::set_permissions(&path, Permissions::from_mode(0o444)).expect("set");
        let error = edit_config_file(&path, |_| Some(b"b".to_vec())).expect_err("read-only");
        assert!(matches!(error, GithooksError::ReadOnly(_)));
        assert_eq!((fs::read(&path).expect("there"), names(home.path())), (b"a".to_vec(), vec!["config".to_owned()]));
    }

    #[test]
    fn a_file_comes_and_goes() {
        let (home, path) = stage(None);
        edit_config_file(&path, |old| old.is_none().then(|| b"x".to_vec())).expect("made");
        edit_config_file(&path, |_| None).expect("removed");
        edit_config_file(&path, |_| None).expect("nothing to do");
        assert!(names(home.path()).is_empty());
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let (home, _) = stage(None);
        assert!(matches!(edit_config_file(home.path(), |_| None), Err(GithooksError::NotAConfiguration(_))));
        assert!(matches!(edit_config_file(Path::new("/dev/null"), |_| None), Err(GithooksError::NotAConfiguration(_))));
    }
}
