//! Single instance: an advisory lock that is released with its process, and the identity of its holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::SidecarError;

/// The holder's entry about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    pub version: String,
}

#[must_use]
pub fn path(run: &Path) -> PathBuf {
    run.join("sidecar.lock")
}

/// Takes the lock, which lasts as long as the file is open, and writes the entry; `None` when another process holds it.
///
/// # Errors
/// When the file cannot be opened or written.
pub fn acquire(run: &Path) -> Result<Option<File>, SidecarError> {
    let path = path(run);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| SidecarError::io("open", &path, error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(SidecarError::io("lock", &path, error)),
    }
    let entry = format!("{} {}\n", std::process::id(), env!("CARGO_PKG_VERSION"));
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(entry.as_bytes()))
        .map_err(|error| SidecarError::io("write", &path, error))?;
    Ok(Some(file))
}

/// The current holder of the lock; `None` when it is free. Never takes it away from a sidecar that is starting: the
/// probe holds it only during the call.
#[must_use]
pub fn holder(run: &Path) -> Option<Holder> {
    let mut file = File::open(path(run)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        Ok(()) | Err(TryLockError::Error(_)) => return None,
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let (pid, version) = text.trim().split_once(' ')?;
    Some(Holder { pid: pid.parse().ok()?, version: version.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_held_once_signed_and_free_after_its_holder_is_gone() {
        let run = tempfile::tempdir().unwrap();
        assert_eq!(holder(run.path()), None);
        let lock = acquire(run.path()).unwrap().expect("free");
        assert!(acquire(run.path()).unwrap().is_none());
        assert_eq!(holder(run.path()).unwrap().pid, std::process::id());
        drop(lock);
        assert_eq!(holder(run.path()), None);
        assert!(acquire(run.path()).unwrap().is_some());
    }
}
