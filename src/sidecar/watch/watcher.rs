//! File watches (the adapter to `notify`, with debounce): the missing ones of each repository, those of replaced
//! directories, and no others.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use notify::{ErrorKind, Event, EventHandler, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::listener::{Identity, Owner, WatchedDir, WatchedDirs};
use crate::domain::clock::Clock;
use crate::domain::id::RepoId;

/// One for all repositories. Calls block for microseconds: the watcher's thread answers them.
pub struct Watcher {
    /// Absent when the system refused an instance: everything is polled.
    dir_watcher: Option<Box<dyn DirWatcher>>,
    pub places: Arc<WatchedDirs>,
    own: HashMap<RepoId, Vec<Arc<Path>>>,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").field("watches", &self.places.count()).finish_non_exhaustive()
    }
}

/// Result of setting up a repository's watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchSetup {
    /// Every existing directory is watched; true when a watch was added just now.
    Watched { anew: bool },
    /// Its git directory does not exist.
    Missing,
    /// The limit of watches is reached; none is held for it.
    Exhausted,
    /// A directory cannot be watched; none is held for it.
    Refused(String),
}

impl Watcher {
    #[must_use]
    pub fn new(dir_watcher: Option<Box<dyn DirWatcher>>, places: Arc<WatchedDirs>) -> Self {
        Self { dir_watcher, places, own: HashMap::new() }
    }

    /// Watches `wanted` for `repo`, and nothing else. Without the first directory there is no repository; others may be
    /// absent.
    pub fn set_up_watches(&mut self, repo: &RepoId, wanted: Vec<PathBuf>) -> WatchSetup {
        let wanted: Vec<Arc<Path>> = wanted.into_iter().map(Arc::from).collect();
        for dir in self.own.remove(repo).unwrap_or_default() {
            if !wanted.contains(&dir) {
                self.let_go(&dir);
            }
        }
        let Some(common_dir) = wanted.first().cloned() else { return WatchSetup::Missing };
        let tended = self.watch_all(&Owner::Repo { id: repo.clone(), common_dir }, &wanted);
        if matches!(tended, WatchSetup::Watched { .. }) {
            self.own.insert(repo.clone(), wanted);
        } else {
            wanted.iter().for_each(|dir| self.let_go(dir));
        }
        tended
    }

    /// Watches the data directory for the list of repositories; false when it cannot be watched.
    pub fn tend_list(&mut self, data: &Path) -> bool {
        matches!(self.watch_all(&Owner::List, &[Arc::from(data)]), WatchSetup::Watched { .. })
    }

    pub fn forget(&mut self, repo: &RepoId) {
        for dir in self.own.remove(repo).unwrap_or_default() {
            self.let_go(&dir);
        }
    }

    fn watch_all(&mut self, owner: &Owner, wanted: &[Arc<Path>]) -> WatchSetup {
        let mut anew = false;
        for (at, dir) in wanted.iter().enumerate() {
            match self.watch(owner, dir) {
                Ok(laid) => anew |= laid,
                Err(WatchError::Gone) if at == 0 => return WatchSetup::Missing,
                Err(WatchError::Gone) => self.let_go(dir),
                Err(WatchError::Exhausted) => return WatchSetup::Exhausted,
                Err(WatchError::Refused(why)) => return WatchSetup::Refused(why),
            }
        }
        WatchSetup::Watched { anew }
    }

    /// True when the watch was added just now.
    fn watch(&mut self, owner: &Owner, dir: &Arc<Path>) -> Result<bool, WatchError> {
        let identity = Identity::of(&std::fs::metadata(dir).map_err(|_| WatchError::Gone)?);
        let place = WatchedDir { owner: owner.clone(), identity };
        if self.places.get(dir).is_some_and(|watched| watched == place) {
            return Ok(false);
        }
        let dir_watcher = self.dir_watcher.as_mut().ok_or(WatchError::Exhausted)?;
        // The removal event of an old watch may still be pending, and would be taken for that of the new one.
        dir_watcher.unwatch(dir);
        // Events may come before the call returns.
        self.places.insert(dir, place);
        dir_watcher.watch(dir).inspect_err(|_| {
            self.places.remove(dir);
        })?;
        Ok(true)
    }

    fn let_go(&mut self, dir: &Path) {
        if self.places.remove(dir)
            && let Some(ears) = &mut self.dir_watcher
        {
            ears.unwatch(dir);
        }
    }
}

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
    use nix::errno::Errno;
    match &error.kind {
        ErrorKind::MaxFilesWatch => WatchError::Exhausted,
        ErrorKind::PathNotFound => WatchError::Gone,
        ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound => WatchError::Gone,
        ErrorKind::Io(io) => match io.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOSPC | Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM) => WatchError::Exhausted,
            _ => WatchError::Refused(error.to_string()),
        },
        _ => WatchError::Refused(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    /// Watches so many directories and records which.
    #[derive(Clone)]
    struct Few {
        room: usize,
        held: Arc<Mutex<BTreeSet<PathBuf>>>,
        laid: Arc<Mutex<usize>>,
    }

    impl Few {
        fn new(room: usize) -> Self {
            Self { room, held: Arc::default(), laid: Arc::default() }
        }
    }

    impl DirWatcher for Few {
        fn watch(&mut self, dir: &Path) -> Result<(), WatchError> {
            let mut held = self.held.lock().unwrap();
            if held.len() >= self.room {
                return Err(WatchError::Exhausted);
            }
            held.insert(dir.to_owned());
            *self.laid.lock().unwrap() += 1;
            Ok(())
        }

        fn unwatch(&mut self, dir: &Path) {
            self.held.lock().unwrap().remove(dir);
        }
    }

    fn repo(name: &str) -> RepoId {
        RepoId::from_common_dir(name.as_bytes())
    }

    fn dirs(top: &Path, names: &[&str]) -> Vec<PathBuf> {
        let dirs: Vec<PathBuf> = names.iter().map(|name| top.join(name)).collect();
        dirs.iter().for_each(|dir| std::fs::create_dir_all(dir).unwrap());
        dirs
    }

    fn watcher(dir_watcher: &Few) -> Watcher {
        Watcher::new(Some(Box::new(dir_watcher.clone())), Arc::default())
    }

    #[test]
    fn what_is_watched_already_is_left_alone_and_what_is_not_wanted_is_let_go() {
        let top = tempfile::tempdir().unwrap();
        let dir_watcher = Few::new(9);
        let mut watcher = watcher(&dir_watcher);
        let all = dirs(top.path(), &["git", "git/logs", "git/logs/x"]);
        assert_eq!(watcher.set_up_watches(&repo("a"), all.clone()), WatchSetup::Watched { anew: true });
        assert_eq!(watcher.set_up_watches(&repo("a"), all.clone()), WatchSetup::Watched { anew: false });
        assert_eq!(*dir_watcher.laid.lock().unwrap(), 3);
        assert_eq!(watcher.set_up_watches(&repo("a"), all[..2].to_vec()), WatchSetup::Watched { anew: false });
        assert_eq!((watcher.places.count(), dir_watcher.held.lock().unwrap().len()), (2, 2));
        watcher.forget(&repo("a"));
        assert_eq!((watcher.places.count(), dir_watcher.held.lock().unwrap().len()), (0, 0));
    }

    #[test]
    fn a_directory_that_took_the_place_of_another_is_watched_anew() {
        let top = tempfile::tempdir().unwrap();
        let dir_watcher = Few::new(9);
        let mut watcher = watcher(&dir_watcher);
        let all = dirs(top.path(), &["git", "git/logs"]);
        watcher.set_up_watches(&repo("a"), all.clone());
        // Kept, so that its inode cannot be reused.
        std::fs::rename(&all[1], top.path().join("old")).unwrap();
        std::fs::create_dir(&all[1]).unwrap();
        assert_eq!(watcher.set_up_watches(&repo("a"), all), WatchSetup::Watched { anew: true });
        assert_eq!(*dir_watcher.laid.lock().unwrap(), 3);
    }

    #[test]
    fn a_repository_that_is_gone_is_missing_and_lacks_only_what_it_has_not() {
        let top = tempfile::tempdir().unwrap();
        let dir_watcher = Few::new(9);
        let mut watcher = watcher(&dir_watcher);
        let mut all = dirs(top.path(), &["git"]);
        all.push(top.path().join("git/logs"));
        assert_eq!(watcher.set_up_watches(&repo("a"), all.clone()), WatchSetup::Watched { anew: true });
        assert_eq!(watcher.places.count(), 1);
        std::fs::remove_dir_all(top.path().join("git")).unwrap();
        assert_eq!(watcher.set_up_watches(&repo("a"), all), WatchSetup::Missing);
        assert_eq!((watcher.places.count(), dir_watcher.held.lock().unwrap().len()), (0, 0));
    }

    #[test]
    fn a_repository_without_watches_left_holds_none_and_gets_them_when_others_go() {
        let top = tempfile::tempdir().unwrap();
        let dir_watcher = Few::new(3);
        let mut watcher = watcher(&dir_watcher);
        let one = dirs(top.path(), &["one", "one/logs"]);
        let two = dirs(top.path(), &["two", "two/logs"]);
        assert!(matches!(watcher.set_up_watches(&repo("one"), one), WatchSetup::Watched { .. }));
        assert_eq!(watcher.set_up_watches(&repo("two"), two.clone()), WatchSetup::Exhausted);
        assert_eq!((watcher.places.count(), dir_watcher.held.lock().unwrap().len()), (2, 2));
        watcher.forget(&repo("one"));
        assert!(matches!(watcher.set_up_watches(&repo("two"), two), WatchSetup::Watched { .. }));
    }

    #[test]
    fn without_ears_everything_is_polled() {
        let top = tempfile::tempdir().unwrap();
        let mut watcher = Watcher::new(None, Arc::default());
        assert_eq!(watcher.set_up_watches(&repo("a"), dirs(top.path(), &["git"])), WatchSetup::Exhausted);
        assert!(!watcher.tend_list(top.path()));
    }
}

#[cfg(test)]
mod dir_watcher_tests {
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
