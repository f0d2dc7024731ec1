//! Event filter on the watcher's thread: drops an event or marks a repository. It never blocks.

use parking_lot::RwLock;
use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use notify::event::{EventKind, ModifyKind};
use notify::{Event, EventHandler};

use super::dirty_set::DirtySet;
use crate::domain::id::RepoId;
use crate::git::staged::StagingMoment;
use crate::git::watch_paths::{is_of_a_commit_to_come, is_relevant_event, moved_head_dir};

/// Owner of a watched directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    Repo {
        id: RepoId,
        common_dir: Arc<Path>,
    },
    /// The data directory of this program: it holds the list of registered repositories.
    List,
}

/// Identity of a directory, to detect its replacement; with the birth time, because inodes are reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
    born: Option<SystemTime>,
}

impl Identity {
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino(), born: metadata.created().ok() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedDir {
    pub owner: Owner,
    pub identity: Identity,
}

/// The watched directories; shared by the watcher's thread, which looks them up, and the code that sets up watches.
#[derive(Debug, Default)]
pub struct WatchedDirs(RwLock<HashMap<Arc<Path>, WatchedDir>>);

impl WatchedDirs {
    #[must_use]
    pub fn get(&self, dir: &Path) -> Option<WatchedDir> {
        self.0.read().get(dir).cloned()
    }

    pub fn insert(&self, dir: &Arc<Path>, place: WatchedDir) {
        self.0.write().insert(Arc::clone(dir), place);
    }

    /// True when it was watched.
    pub fn remove(&self, dir: &Path) -> bool {
        self.0.write().remove(dir).is_some()
    }

    /// A removed directory has lost its watch, and so have all directories below.
    fn remove_below(&self, dir: &Path) {
        self.0.write().retain(|path, _| !path.starts_with(dir));
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.0.read().len()
    }
}

/// File in the data directory that mirrors the list of repositories.
const LIST: &str = "repositories.json";

/// Handler on the watcher's thread.
#[derive(Debug)]
pub struct Listener {
    pub places: Arc<WatchedDirs>,
    pub dirty: Arc<DirtySet>,
}

impl EventHandler for Listener {
    fn handle_event(&mut self, event: notify::Result<Event>) {
        match event {
            // The queue overflowed: such an event has no path, so the flag comes first.
            Ok(event) if event.need_rescan() => self.dirty.mark_everything(),
            Ok(event) => self.handle_event_paths(&event),
            Err(_) => self.dirty.mark_everything(),
        }
    }
}

/// Kind of change to the file that an event names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FsChange {
    Written,
    /// It was created, or replaced.
    Appeared,
    Vanished,
}

/// Opening, reading, closing and touching are ignored: most events of git are of these kinds.
fn classify_event(kind: EventKind) -> Option<FsChange> {
    use notify::event::RenameMode::From;
    match kind {
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => None,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(From)) => Some(FsChange::Vanished),
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)) => Some(FsChange::Appeared),
        EventKind::Modify(_) | EventKind::Any | EventKind::Other => Some(FsChange::Written),
    }
}

impl Listener {
    fn handle_event_paths(&self, event: &Event) {
        let Some(ref_update) = classify_event(event.kind) else { return };
        for path in &event.paths {
            match self.places.get(path) {
                Some(place) if ref_update != FsChange::Written => {
                    self.places.remove_below(path);
                    match place.owner {
                        Owner::Repo { id, .. } => self.dirty.mark_structure(&id),
                        Owner::List => self.dirty.mark_list(),
                    }
                }
                // A write to the directory itself follows one to a file in it, which has its own event.
                Some(_) => {}
                None => self.hear_of_entry(path, ref_update),
            }
        }
    }

    fn hear_of_entry(&self, path: &Path, ref_update: FsChange) {
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return };
        match self.places.get(dir).map(|place| place.owner) {
            Some(Owner::List) if name == LIST && ref_update != FsChange::Vanished => self.dirty.mark_list(),
            Some(Owner::Repo { id, common_dir }) if is_relevant_event(&common_dir, dir, name) => {
                // A log appears with its branch, or replaces another one.
                if ref_update == FsChange::Written || (ref_update == FsChange::Appeared && path.is_file()) {
                    self.dirty.mark_from_event(&id);
                    moved_head_dir(dir, name).iter().for_each(|git_dir| self.dirty.debounce.record_head_move(git_dir));
                } else {
                    self.dirty.mark_structure(&id);
                }
            }
            Some(Owner::Repo { common_dir, .. })
                if ref_update != FsChange::Vanished && is_of_a_commit_to_come(&common_dir, dir, name) =>
            {
                let moment = if name == "index" { StagingMoment::Settled } else { StagingMoment::Editor };
                self.dirty.debounce.record_write(dir, moment);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::sidecar::watch::dirty_set::Flags;
    use notify::event::{AccessKind, CreateKind, DataChange, Flag, MetadataKind, RemoveKind, RenameMode};
    use std::collections::HashSet;

    /// A repository (not connected to the system's events) of which `dirs` are watched.
    struct Scene {
        top: tempfile::TempDir,
        listener: Listener,
    }

    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const RENAMED_TO: EventKind = EventKind::Modify(ModifyKind::Name(RenameMode::To));

    impl Scene {
        fn new() -> Self {
            let top = tempfile::tempdir().unwrap();
            let listener = Listener { places: Arc::default(), dirty: Arc::new(DirtySet::new(Arc::new(SystemClock))) };
            let scene = Self { top, listener };
            let common_dir: Arc<Path> = Arc::from(scene.path(""));
            for dir in ["", "logs", "logs/refs/heads", "worktrees/w", "worktrees/w/logs"] {
                let owner = Owner::Repo { id: id(), common_dir: Arc::clone(&common_dir) };
                scene.put(dir, owner);
            }
            scene.put("data", Owner::List);
            scene
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            if name.is_empty() { self.top.path().to_owned() } else { self.top.path().join(name) }
        }

        fn put(&self, dir: &str, owner: Owner) {
            let dir = self.path(dir);
            std::fs::create_dir_all(&dir).unwrap();
            let identity = Identity::of(&std::fs::metadata(&dir).unwrap());
            self.listener.places.insert(&Arc::from(dir), WatchedDir { owner, identity });
        }

        fn send_event(&mut self, kind: EventKind, name: &str) -> FixtureMark {
            let event = Event::new(kind).add_path(self.path(name));
            self.listener.handle_event(Ok(event));
            self.read_mark()
        }

        fn read_mark(&self) -> FixtureMark {
            let Flags { everything, list, structure } = self.listener.dirty.take_flags();
            let news = !self.listener.dirty.is_empty();
            self.listener.dirty.forget(&id());
            match (news, everything, list, structure == HashSet::from([id()])) {
                (false, false, false, false) => FixtureMark::Nothing,
                (true, false, false, false) => FixtureMark::News,
                (false, true, false, false) => FixtureMark::Everything,
                (false, false, true, false) => FixtureMark::List,
                (false, false, false, true) => FixtureMark::Structure,
                other => panic!("{other:?}"),
            }
        }
    }

    fn id() -> RepoId {
        RepoId::from_common_dir(b"a")
    }

    #[derive(Debug, PartialEq, Eq)]
    enum FixtureMark {
        Nothing,
        News,
        Structure,
        List,
        Everything,
    }

    #[test]
    fn appended_and_replaced_logs_are_news() {
        let mut scene = Scene::new();
        for log in ["logs/HEAD", "logs/refs/heads/main", "worktrees/w/logs/HEAD"] {
            std::fs::write(scene.path(log), "").unwrap();
            assert_eq!(scene.send_event(WRITTEN, log), FixtureMark::News, "{log}");
            assert_eq!(scene.send_event(RENAMED_TO, log), FixtureMark::News, "{log}");
            assert_eq!(scene.send_event(EventKind::Create(CreateKind::File), log), FixtureMark::News, "{log}");
        }
    }

    #[test]
    fn the_index_and_the_message_are_heard_of_as_a_commit_to_come_and_the_log_as_its_end() {
        let mut scene = Scene::new();
        let debounce = Arc::clone(&scene.listener.dirty.debounce);
        for (git_dir, index, log) in
            [("", "index", "logs/HEAD"), ("worktrees/w", "worktrees/w/index", "worktrees/w/logs/HEAD")]
        {
            std::fs::write(scene.path(log), "").unwrap();
            for kind in [WRITTEN, RENAMED_TO] {
                assert_eq!(scene.send_event(kind, index), FixtureMark::Nothing);
                assert_eq!(debounce.expects(&scene.path(git_dir)), Some(StagingMoment::Settled));
            }
            scene.send_event(WRITTEN, &index.replace("index", "COMMIT_EDITMSG"));
            assert_eq!(debounce.expects(&scene.path(git_dir)), Some(StagingMoment::Editor));
            assert_eq!(scene.send_event(WRITTEN, log), FixtureMark::News);
            assert_eq!(debounce.expects(&scene.path(git_dir)), None);
            for (kind, name) in [(EventKind::Remove(RemoveKind::File), index), (WRITTEN, &*format!("{index}.lock"))] {
                scene.send_event(kind, name);
                assert_eq!(debounce.expects(&scene.path(git_dir)), None, "{kind:?} {name}");
            }
        }
    }

    #[test]
    fn what_git_does_on_the_way_and_what_only_reads_is_dropped() {
        let mut scene = Scene::new();
        for name in ["index", "index.lock", "COMMIT_EDITMSG", "HEAD", "logs/HEAD.lock", "elsewhere/x"] {
            assert_eq!(scene.send_event(WRITTEN, name), FixtureMark::Nothing, "{name}");
        }
        for kind in [
            EventKind::Access(AccessKind::Open(notify::event::AccessMode::Any)),
            EventKind::Access(AccessKind::Close(notify::event::AccessMode::Write)),
            EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)),
        ] {
            assert_eq!(scene.send_event(kind, "logs/HEAD"), FixtureMark::Nothing, "{kind:?}");
            assert_eq!(scene.send_event(kind, "logs"), FixtureMark::Nothing, "{kind:?}");
        }
    }

    #[test]
    fn directories_that_come_and_go_change_what_is_watched() {
        let mut scene = Scene::new();
        std::fs::create_dir_all(scene.path("logs/refs/heads/feature")).unwrap();
        std::fs::create_dir_all(scene.path("worktrees")).unwrap();
        for (kind, name) in [
            (EventKind::Create(CreateKind::Folder), "logs/refs/heads/feature"),
            (RENAMED_TO, "logs/refs/heads/feature"),
            (EventKind::Remove(RemoveKind::Folder), "logs/refs/heads/gone"),
            (EventKind::Create(CreateKind::Folder), "worktrees"),
        ] {
            assert_eq!(scene.send_event(kind, name), FixtureMark::Structure, "{kind:?} {name}");
        }
    }

    #[test]
    fn the_watch_of_a_directory_that_went_away_is_forgotten_with_those_below() {
        let mut scene = Scene::new();
        let moved = EventKind::Modify(ModifyKind::Name(RenameMode::From));
        assert_eq!(scene.send_event(moved, "logs"), FixtureMark::Structure);
        let is_known = |name: &str| scene.listener.places.get(&scene.path(name)).is_some();
        assert!(is_known("") && is_known("worktrees/w/logs") && !is_known("logs") && !is_known("logs/refs/heads"));
    }

    #[test]
    fn the_list_of_repositories_is_known_by_its_name() {
        let mut scene = Scene::new();
        assert_eq!(scene.send_event(RENAMED_TO, "data/repositories.json"), FixtureMark::List);
        assert_eq!(scene.send_event(WRITTEN, "data/captures.db-wal"), FixtureMark::Nothing);
        assert_eq!(scene.send_event(EventKind::Remove(RemoveKind::Folder), "data"), FixtureMark::List);
    }

    #[test]
    fn lost_events_and_failures_mean_everything() {
        let mut scene = Scene::new();
        scene.listener.handle_event(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        assert_eq!(scene.read_mark(), FixtureMark::Everything);
        scene.listener.handle_event(Err(notify::Error::generic("read failed")));
        assert_eq!(scene.read_mark(), FixtureMark::Everything);
    }
}
