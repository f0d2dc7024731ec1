//! File system watcher: the adapter to `notify`, with debounce.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use notify::{ErrorKind, Event, EventHandler, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::domain::clock::Clock;

/// Why a directory is not watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchError {
    /// It is not there.
    Gone,
    /// The user's limit of watches is reached.
    Exhausted,
    /// It cannot be watched.
    Refused(String),
}

/// Watches directories.
pub trait DirWatcher: Send {
    /// # Errors
    /// See [`WatchError`].
    fn watch(&mut self, dir: &Path) -> Result<(), WatchError>;
    /// The watch may have ended by itself, with the directory.
    fn unwatch(&mut self, dir: &Path);
}

/// The system's own: one instance (inotify, `FSEvents`) for all directories.
#[derive(Debug)]
pub struct SystemDirWatcher(RecommendedWatcher);

impl SystemDirWatcher {
    /// `listener` is called on a thread of its own.
    ///
    /// # Errors
    /// [`WatchError::Exhausted`] when this user has no instance left (`fs.inotify.max_user_instances`).
    pub fn new(listener: impl EventHandler, clock: Arc<dyn Clock>) -> Result<Self, WatchError> {
        let listener = Debounced { listener, clock, last: None };
        RecommendedWatcher::new(listener, notify::Config::default()).map(Self).map_err(|error| to_watch_error(&error))
    }
}

/// Debounce: pause after the first event of a burst.
const GATHER: Duration = Duration::from_millis(10);
/// Events closer together than this were read at once.
const TOGETHER: Duration = Duration::from_millis(1);

/// Debounce of the watcher's thread: one commit is some thirty events, and waking for each of them made the commit a
/// fifth slower on two processors. So the thread sleeps after the first one, and takes the rest in one go from the
/// system's queue.
struct Debounced<L> {
    listener: L,
    clock: Arc<dyn Clock>,
    last: Option<Instant>,
}

impl<L: EventHandler> EventHandler for Debounced<L> {
    fn handle_event(&mut self, event: notify::Result<Event>) {
        let now = self.clock.instant();
        let alone = self.last.is_none_or(|last| now.saturating_duration_since(last) > TOGETHER);
        self.listener.handle_event(event);
        if alone {
            std::thread::sleep(GATHER);
        }
        self.last = Some(self.clock.instant());
    }
}

impl DirWatcher for SystemDirWatcher {
    fn watch(&mut self, dir: &Path) -> Result<(), WatchError> {
        self.0.watch(dir, RecursiveMode::NonRecursive).map_err(|error| to_watch_error(&error))
    }

    fn unwatch(&mut self, dir: &Path) {
        // An already ended watch is fine.
        let _ = self.0.unwatch(dir);
    }
}

fn to_watch_error(error: &notify::Error) -> WatchError {
    match &error.kind {
        ErrorKind::MaxFilesWatch => WatchError::Exhausted,
        ErrorKind::PathNotFound => WatchError::Gone,
        ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound => WatchError::Gone,
        ErrorKind::Io(io) if is_exhaustion(io) => WatchError::Exhausted,
        _ => WatchError::Refused(error.to_string()),
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
    use crate::domain::clock::SystemClock;

    #[test]
    fn limits_and_absences_are_told_from_refusals() {
        let io = |errno: nix::errno::Errno| notify::Error::io(std::io::Error::from_raw_os_error(errno as i32));
        assert_eq!(to_watch_error(&notify::Error::new(ErrorKind::MaxFilesWatch)), WatchError::Exhausted);
        assert_eq!(to_watch_error(&io(nix::errno::Errno::EMFILE)), WatchError::Exhausted);
        assert_eq!(to_watch_error(&io(nix::errno::Errno::ENOENT)), WatchError::Gone);
        assert!(matches!(to_watch_error(&io(nix::errno::Errno::EACCES)), WatchError::Refused(_)));
    }

    #[test]
    fn the_system_tells_what_is_there_and_what_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut dir_watcher = SystemDirWatcher::new(|_| {}, Arc::new(SystemClock)).unwrap();
        assert_eq!(dir_watcher.watch(dir.path()), Ok(()));
        assert_eq!(dir_watcher.watch(&dir.path().join("absent")), Err(WatchError::Gone));
        dir_watcher.unwatch(dir.path());
        dir_watcher.unwatch(dir.path());
    }
}
