//! Polling of repositories: are their watches in place, have their logs changed since they were read, what is new in
//! them, and when to look again.

use parking_lot::Mutex;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::watched_repos::{GRACE, ReadOutcome};
use super::watcher::{WatchSetup, Watcher};
use crate::domain::event::Source;
use crate::domain::id::RepoId;
use crate::git::jj;
use crate::git::watch_paths::collect_watch_paths;
use crate::pipeline::ingest;
use crate::pipeline::reconcile::{self, ReconcileError};
use crate::pipeline::services::Services;
use crate::sidecar::worker::blocking;
use crate::store::{RegisteredRepo, StoreError};

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
        let laid = watcher.lock().set_up_watches(&subject.repo, dirs);
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

/// Shortest delay until a commit is noticed by polling.
const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(30);
/// Of one processor: 0.1 %.
const SHARE: u32 = 1000;
/// A git directory that has just vanished may be back at once (a fresh clone in its place); the poll interval grows up
/// to this.
const EAGER: Duration = Duration::from_millis(250);
const PATIENT: Duration = Duration::from_secs(60);

/// Intervals between polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { pause: EAGER }
    }
}

impl Pace {
    /// The pause after a poll that took `took`; `only_missing` when it was only for repositories that are gone.
    pub fn next(&mut self, elapsed: Duration, only_missing: bool) -> Duration {
        self.pause =
            if only_missing { (self.pause * 2).min(PATIENT) } else { (elapsed * SHARE).clamp(SHORTEST, LONGEST) };
        self.pause
    }
}

/// Pause between tries to import the spool, and their number: the other reader needs milliseconds.
const SPOOL_TAKEN: Duration = Duration::from_millis(5);
const SPOOL_TRIES: u32 = 20;

/// Inspects the repository, and reads its logs unless their fingerprint is known.
pub async fn read_repository(
    services: &Services,
    watcher: Arc<Mutex<Watcher>>,
    subject: PollTarget,
    repo: Arc<RegisteredRepo>,
    source: Source,
) -> (Option<PollResult>, ReadOutcome) {
    let id = repo.id.clone();
    let read = blocking(services, move |services| {
        let last_print = subject.print;
        let looked = poll_repository(&watcher, subject, SystemTime::from(services.clock.now()), GRACE);
        let outcome = match looked {
            PollResult { there: false, .. } => ReadOutcome::Gone,
            // Read already, since the event that caused this.
            PollResult { print, .. } if last_print == Some(print) => ReadOutcome::Made { count: 0, reported: 0, print },
            PollResult { print, .. } => read_logs(&services, &repo, source, print)?,
        };
        Ok((Some(looked), outcome))
    });
    read.await.unwrap_or_else(|error| {
        tracing::error!(%error, repo = %id, "new commits could not be stored");
        (None, ReadOutcome::NotKept)
    })
}

/// Blocking. `print` is the fingerprint before the logs are read.
fn read_logs(
    services: &Services,
    repo: &RegisteredRepo,
    source: Source,
    print: LogFingerprint,
) -> Result<ReadOutcome, StoreError> {
    let reported = if repo.hook_mode.has_hooks() { take_reports(services)? } else { 0 };
    match reconcile::repository(services, repo, source) {
        Ok(count) => Ok(ReadOutcome::Made { count, reported, print }),
        Err(ReconcileError::Git(error)) => Ok(ReadOutcome::Unreadable(error.to_string())),
        Err(ReconcileError::Settings(error)) => Ok(ReadOutcome::Unreadable(error.to_string())),
        Err(ReconcileError::Store(error)) => Err(error),
    }
}

/// Imports the hooks' reports first, so that they count as theirs and not the watcher's; returns how many.
fn take_reports(services: &Services) -> Result<usize, StoreError> {
    for _ in 0..SPOOL_TRIES {
        if let Some(taken) = ingest::import_spool(services)? {
            return Ok(taken);
        }
        std::thread::sleep(SPOOL_TAKEN);
    }
    Ok(0)
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
        let before = print(dir.path());
        assert!(look_at(dir.path(), None, written).changed, "not read yet");
        assert!(!look_at(dir.path(), Some(before), written).changed);
        std::fs::write(&log, "one\ntwo\n").unwrap();
        let written = std::fs::metadata(&log).unwrap().modified().unwrap();
        let found = look_at(dir.path(), Some(before), written + Duration::from_millis(299));
        assert!(found.changed && found.fresh && found.there);
        assert!(!look_at(dir.path(), Some(before), written + Duration::from_millis(300)).fresh);
    }

    #[test]
    fn a_log_that_was_replaced_by_one_of_the_same_length_has_changed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("logs")).unwrap();
        let log = dir.path().join("logs/HEAD");
        std::fs::write(&log, "one\n").unwrap();
        let before = print(dir.path());
        std::fs::write(dir.path().join("logs/HEAD.lock"), "two\n").unwrap();
        std::fs::rename(dir.path().join("logs/HEAD.lock"), &log).unwrap();
        assert_ne!(print(dir.path()), before);
    }

    #[test]
    fn what_is_not_there_has_not_changed() {
        let dir = tempfile::tempdir().unwrap();
        let found = look_at(&dir.path().join("absent"), None, SystemTime::UNIX_EPOCH);
        assert!(!found.there && !found.changed && !found.fresh);
    }
}

#[cfg(test)]
mod pace_tests {
    use super::*;

    #[test]
    fn few_are_looked_at_every_two_seconds_and_many_less_often() {
        let mut pace = Pace::default();
        assert_eq!(pace.next(Duration::from_micros(200), false), SHORTEST);
        assert_eq!(pace.next(Duration::from_millis(9), false), Duration::from_secs(9));
        assert_eq!(pace.next(Duration::from_secs(5), false), LONGEST);
    }

    #[test]
    fn what_is_gone_is_looked_for_ever_less_often() {
        let mut pace = Pace::default();
        let pauses: Vec<u64> = (0..9).map(|_| pace.next(Duration::from_micros(9), true).as_secs()).collect();
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pace.next(Duration::from_micros(9), false), SHORTEST);
    }
}
