//! Polling of repositories: are their watches in place, have their logs changed since they were read?

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::watcher::{WatchSetup, Watcher};
use crate::domain::id::RepoId;
use crate::git::jj;
use crate::git::watch_paths::collect_watch_paths;

/// A repository to inspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollTarget {
    pub repo: RepoId,
    pub common_dir: PathBuf,
    /// Fingerprint before its logs were last read; absent when they were not read yet.
    pub print: Option<LogFingerprint>,
    /// Whether to set up its watches.
    pub tend: bool,
}

/// Result of an inspection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollResult {
    pub repo: RepoId,
    /// Absent when its watches were left alone.
    pub setup: Option<WatchSetup>,
    pub there: bool,
    /// Current fingerprint of its logs.
    pub print: LogFingerprint,
    /// It differs from the last one.
    pub changed: bool,
    /// They changed so lately that a hook's report may still be pending.
    pub fresh: bool,
    /// A tool without hooks works in it: jj, which may come and go.
    pub hookless: bool,
}

/// Fingerprint of a repository's logs: paths, lengths and times; hashed, because there are many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogFingerprint(u64);

/// Rounds of setting up watches while directories appear; git making them faster is seen at the next inspection.
const ROUNDS: usize = 3;

/// Blocking: a stat for every log, a few more for the watches.
pub fn poll_repository(watcher: &Mutex<Watcher>, subject: PollTarget, now: SystemTime, grace: Duration) -> PollResult {
    let mut found = collect_watch_paths(&subject.common_dir);
    let mut tended = None;
    for _ in 0..if subject.tend { ROUNDS } else { 0 } {
        let dirs = std::mem::take(&mut found.dirs);
        let laid = watcher.lock().unwrap_or_else(PoisonError::into_inner).set_up_watches(&subject.repo, dirs);
        let anew = laid == WatchSetup::Watched { anew: true };
        tended = Some(laid);
        if !anew {
            break;
        }
        // Later writes cause events, earlier ones are seen now.
        found = collect_watch_paths(&subject.common_dir);
    }
    let there = !matches!(tended, Some(WatchSetup::Missing)) && subject.common_dir.is_dir();
    let (print, newest) = read_fingerprint(&found.stat);
    PollResult {
        hookless: jj::repo_dir(&subject.common_dir).is_some(),
        setup: tended,
        there,
        print,
        changed: there && subject.print != Some(print),
        fresh: newest.is_some_and(|newest| now.duration_since(newest).is_ok_and(|age| age < grace)),
        repo: subject.repo,
    }
}

fn read_fingerprint(files: &[PathBuf]) -> (LogFingerprint, Option<SystemTime>) {
    let mut hasher = DefaultHasher::new();
    let mut newest = None;
    for file in files {
        let Ok(metadata) = std::fs::metadata(file) else { continue };
        file.hash(&mut hasher);
        (metadata.dev(), metadata.ino(), metadata.len()).hash(&mut hasher);
        (metadata.mtime(), metadata.mtime_nsec()).hash(&mut hasher);
        newest = newest.max(metadata.modified().ok());
    }
    (LogFingerprint(hasher.finish()), newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::sync::Arc;

    fn print(common_dir: &Path) -> LogFingerprint {
        read_fingerprint(&collect_watch_paths(common_dir).stat).0
    }

    fn subject(common_dir: &Path, print: Option<LogFingerprint>) -> PollTarget {
        let repo = RepoId::from_common_dir(b"a");
        PollTarget { repo, common_dir: common_dir.to_owned(), print, tend: false }
    }

    fn look_at(common_dir: &Path, print: Option<LogFingerprint>, now: SystemTime) -> PollResult {
        let watcher = Mutex::new(Watcher::new(None, Arc::default()));
        poll_repository(&watcher, subject(common_dir, print), now, Duration::from_millis(300))
    }

    #[test]
    fn what_grew_has_changed_and_is_fresh_only_for_a_while() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("logs")).unwrap();
        let log = dir.path().join("logs/HEAD");
        std::fs::write(&log, "one\n").unwrap();
        let written = std::fs::metadata(&log).unwrap().modified().unwrap();
        let seen = print(dir.path());
        assert!(look_at(dir.path(), None, written).changed, "not read yet");
        assert!(!look_at(dir.path(), Some(seen), written).changed);
        std::fs::write(&log, "one\ntwo\n").unwrap();
        let written = std::fs::metadata(&log).unwrap().modified().unwrap();
        let found = look_at(dir.path(), Some(seen), written + Duration::from_millis(299));
        assert!(found.changed && found.fresh && found.there);
        assert!(!look_at(dir.path(), Some(seen), written + Duration::from_millis(300)).fresh);
    }

    #[test]
    fn a_log_that_was_replaced_by_one_of_the_same_length_has_changed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("logs")).unwrap();
        let log = dir.path().join("logs/HEAD");
        std::fs::write(&log, "one\n").unwrap();
        let seen = print(dir.path());
        std::fs::write(dir.path().join("logs/HEAD.lock"), "two\n").unwrap();
        std::fs::rename(dir.path().join("logs/HEAD.lock"), &log).unwrap();
        assert_ne!(print(dir.path()), seen);
    }

    #[test]
    fn what_is_not_there_has_not_changed() {
        let dir = tempfile::tempdir().unwrap();
        let found = look_at(&dir.path().join("absent"), None, SystemTime::UNIX_EPOCH);
        assert!(!found.there && !found.changed && !found.fresh);
    }
}
