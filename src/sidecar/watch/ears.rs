//! File system watcher: the adapter to `notify`, with debounce.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use notify::{ErrorKind, Event, EventHandler, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::domain::clock::Clock;

/// Why a directory is not watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deaf {
    /// It is not there.
    Gone,
    /// The user's limit of watches is reached.
    Exhausted,
    /// It cannot be watched.
    Refused(String),
}

/// Watches directories.
pub trait Ears: Send {
    /// # Errors
    /// See [`Deaf`].
    fn watch(&mut self, dir: &Path) -> Result<(), Deaf>;
    /// The watch may have ended by itself, with the directory.
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
    pub fn new(listener: impl EventHandler, clock: Arc<dyn Clock>) -> Result<Self, Deaf> {
        let listener = Gathering { listener, clock, last: None };
        RecommendedWatcher::new(listener, notify::Config::default()).map(Self).map_err(|error| deaf(&error))
    }
}

/// Debounce: pause after the first event of a burst.
const GATHER: Duration = Duration::from_millis(10);
/// Events closer together than this were read at once.
const TOGETHER: Duration = Duration::from_millis(1);

/// Debounce of the watcher's thread: one commit is some thirty events, and waking for each of them made the commit a
/// fifth slower on two processors. So the thread sleeps after the first one, and takes the rest in one go from the
/// system's queue.
struct Gathering<L> {
    listener: L,
    clock: Arc<dyn Clock>,
    last: Option<Instant>,
}

impl<L: EventHandler> EventHandler for Gathering<L> {
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

impl Ears for SystemEars {
    fn watch(&mut self, dir: &Path) -> Result<(), Deaf> {
        self.0.watch(dir, RecursiveMode::NonRecursive).map_err(|error| deaf(&error))
    }

    fn unwatch(&mut self, dir: &Path) {
        // An already ended watch is fine.
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
    use crate::domain::clock::SystemClock;

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
        let mut ears = SystemEars::new(|_| {}, Arc::new(SystemClock)).unwrap();
        assert_eq!(ears.watch(dir.path()), Ok(()));
        assert_eq!(ears.watch(&dir.path().join("absent")), Err(Deaf::Gone));
        ears.unwatch(dir.path());
        ears.unwatch(dir.path());
    }
}
