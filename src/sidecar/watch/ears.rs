//! Directories that the system tells news of: `notify` ends here.

use std::path::Path;

use notify::{ErrorKind, EventHandler, RecommendedWatcher, RecursiveMode, Watcher as _};

/// Why a directory is not watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deaf {
    /// It is not there.
    Gone,
    /// The system watches no more directories for this user.
    Exhausted,
    /// It cannot be watched.
    Refused(String),
}

/// What a directory is watched with.
pub trait Ears: Send {
    /// # Errors
    /// See [`Deaf`].
    fn watch(&mut self, dir: &Path) -> Result<(), Deaf>;
    /// It may have ended by itself, with the directory.
    fn unwatch(&mut self, dir: &Path);
}

/// The system's own: one instance (inotify, `FSEvents`) for all directories.
#[derive(Debug)]
pub struct SystemEars(RecommendedWatcher);

impl SystemEars {
    /// `listener` is called on a thread of its own.
    ///
    /// # Errors
    /// [`Deaf::Exhausted`] when this user has no instance left (`fs.inotify.max_user_instances`).
    pub fn new(listener: impl EventHandler) -> Result<Self, Deaf> {
        RecommendedWatcher::new(listener, notify::Config::default()).map(Self).map_err(|error| deaf(&error))
    }
}

impl Ears for SystemEars {
    fn watch(&mut self, dir: &Path) -> Result<(), Deaf> {
        self.0.watch(dir, RecursiveMode::NonRecursive).map_err(|error| deaf(&error))
    }

    fn unwatch(&mut self, dir: &Path) {
        // Not watched any more is all that was wanted.
        let _ = self.0.unwatch(dir);
    }
}

fn deaf(error: &notify::Error) -> Deaf {
    match &error.kind {
        ErrorKind::MaxFilesWatch => Deaf::Exhausted,
        ErrorKind::PathNotFound => Deaf::Gone,
        ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound => Deaf::Gone,
        ErrorKind::Io(io) if is_exhaustion(io) => Deaf::Exhausted,
        _ => Deaf::Refused(error.to_string()),
    }
}

fn is_exhaustion(error: &std::io::Error) -> bool {
    use nix::errno::Errno;
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::ENOSPC | Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_absences_are_told_from_refusals() {
        let io = |errno: nix::errno::Errno| notify::Error::io(std::io::Error::from_raw_os_error(errno as i32));
        assert_eq!(deaf(&notify::Error::new(ErrorKind::MaxFilesWatch)), Deaf::Exhausted);
        assert_eq!(deaf(&io(nix::errno::Errno::EMFILE)), Deaf::Exhausted);
        assert_eq!(deaf(&io(nix::errno::Errno::ENOENT)), Deaf::Gone);
        assert!(matches!(deaf(&io(nix::errno::Errno::EACCES)), Deaf::Refused(_)));
    }

    #[test]
    fn the_system_tells_what_is_there_and_what_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut ears = SystemEars::new(|_| {}).unwrap();
        assert_eq!(ears.watch(dir.path()), Ok(()));
        assert_eq!(ears.watch(&dir.path().join("absent")), Err(Deaf::Gone));
        ears.unwatch(dir.path());
        ears.unwatch(dir.path());
    }
}
