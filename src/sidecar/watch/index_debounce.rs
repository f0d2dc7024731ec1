//! Index debounce: the worktrees in which a commit is expected, and when to inspect them. The watcher's thread writes
//! it while git commits: many events wake the main loop once, and no inspection starts before a plain commit is over.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::domain::clock::Clock;
use crate::git::staged::StagingMoment;

/// `git commit -m` writes its message into the same file a few milliseconds before it is done, 23 at most (measured).
/// After this long it is open in an editor: no user writes a message faster.
pub const EDITED: Duration = Duration::from_millis(150);
/// An index that was not written for so long has settled. Within this, `git add -p` goes from file to file and an
/// editor stages its hunks; a person needs longer to type a command.
pub const SETTLED: Duration = Duration::from_millis(700);

/// Debounced worktree events.
pub struct IndexDebounce {
    state: Mutex<HashMap<PathBuf, Option<Expected>>>,
    changed: Notify,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Clone, Copy)]
struct Expected {
    moment: StagingMoment,
    due: Instant,
}

/// Result of taking a worktree.
#[derive(Debug, PartialEq, Eq)]
pub enum NextWorktree {
    Now(PathBuf, StagingMoment),
    /// None before then.
    At(Option<Instant>),
}

impl std::fmt::Debug for IndexDebounce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexDebounce").field("worktrees", &self.state.lock().len()).finish_non_exhaustive()
    }
}

impl IndexDebounce {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), clock }
    }

    /// Records a write in this git directory that belongs to an expected commit. Only the first of many wakes the main
    /// loop.
    pub fn record_write(&self, git_dir: &Path, moment: StagingMoment) {
        let pause = if moment == StagingMoment::Editor { EDITED } else { SETTLED };
        let due = self.clock.instant() + pause;
        let mut state = self.state.lock();
        if let Some(expected) = state.get_mut(git_dir) {
            // An open editor is the stronger sign.
            if moment == StagingMoment::Editor || expected.is_none_or(|now| now.moment == StagingMoment::Settled) {
                *expected = Some(Expected { moment, due });
            }
            return;
        }
        state.insert(git_dir.to_owned(), Some(Expected { moment, due }));
        drop(state);
        self.changed.notify_one();
    }

    /// HEAD moved there: the expected commit is made. There is no wake-up before the scheduled time.
    pub fn record_head_move(&self, git_dir: &Path) {
        if let Some(expected) = self.state.lock().get_mut(git_dir) {
            *expected = None;
        }
    }

    /// Schedules another inspection at `due`; events since then keep their own time.
    pub fn again(&self, git_dir: &Path, moment: StagingMoment, due: Instant) {
        let mut state = self.state.lock();
        let expected = state.entry(git_dir.to_owned()).or_default();
        if expected.is_none() {
            *expected = Some(Expected { moment, due });
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Resolves when there is a new event. Safe to drop.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes the due worktree: of several the one that was written last, as only one is read at a time. The others are
    /// dropped.
    pub fn take_due(&self, now: Instant) -> NextWorktree {
        let mut state = self.state.lock();
        state.retain(|_, expected| expected.is_some());
        let waiting = state.iter().filter_map(|(git_dir, expected)| Some((git_dir, (*expected)?)));
        let ready = waiting.filter(|(_, expected)| expected.due <= now).max_by_key(|(_, expected)| expected.due);
        if let Some((git_dir, expected)) = ready.map(|(git_dir, expected)| (git_dir.clone(), expected)) {
            state.retain(|_, other| other.is_some_and(|other| other.due > now));
            return NextWorktree::Now(git_dir, expected.moment);
        }
        NextWorktree::At(state.values().flatten().map(|expected| expected.due).min())
    }

    /// The expected commit's stage there.
    #[cfg(test)]
    pub fn expects(&self, git_dir: &Path) -> Option<StagingMoment> {
        self.state.lock().get(git_dir).copied().flatten().map(|expected| expected.moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::FakeClock;

    fn staging() -> (Arc<FakeClock>, IndexDebounce) {
        let clock = Arc::new(FakeClock::at(jiff::Timestamp::UNIX_EPOCH));
        (Arc::clone(&clock), IndexDebounce::new(clock))
    }

    fn wakes(debounce: &IndexDebounce) -> bool {
        use std::task::{Context, Poll, Waker};
        let changed = std::pin::pin!(debounce.changed());
        changed.poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    const A: &str = "/a/.git";
    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn an_open_editor_is_looked_at_soon_and_an_index_when_it_has_settled() {
        let (clock, staging) = staging();
        let start = clock.instant();
        staging.record_write(Path::new(A), StagingMoment::Settled);
        assert_eq!(staging.take_due(start), NextWorktree::At(Some(start + SETTLED)));
        clock.advance(600 * MS);
        staging.record_write(Path::new(A), StagingMoment::Settled);
        assert_eq!(
            staging.take_due(start + SETTLED),
            NextWorktree::At(Some(start + 600 * MS + SETTLED)),
            "written again"
        );
        staging.record_write(Path::new(A), StagingMoment::Editor);
        staging.record_write(Path::new(A), StagingMoment::Settled);
        let due = start + 600 * MS + EDITED;
        assert_eq!(staging.take_due(due - MS), NextWorktree::At(Some(due)));
        assert_eq!(staging.take_due(due), NextWorktree::Now(A.into(), StagingMoment::Editor));
        assert_eq!(staging.take_due(due + SETTLED), NextWorktree::At(None), "once");
    }

    #[test]
    fn a_commit_that_is_made_meanwhile_leaves_nothing_to_look_at() {
        let (clock, staging) = staging();
        staging.record_write(Path::new(A), StagingMoment::Settled);
        staging.record_write(Path::new(A), StagingMoment::Editor);
        staging.record_head_move(Path::new(A));
        assert_eq!(staging.take_due(clock.instant() + SETTLED), NextWorktree::At(None));
        staging.record_head_move(Path::new("/unknown"));
        assert_eq!(staging.take_due(clock.instant() + SETTLED), NextWorktree::At(None));
    }

    #[test]
    fn a_hundred_commits_in_a_row_wake_the_main_loop_once() {
        let (_, staging) = staging();
        for n in 0..100 {
            staging.record_write(Path::new(A), StagingMoment::Settled);
            staging.record_write(Path::new(A), StagingMoment::Editor);
            staging.record_head_move(Path::new(A));
            assert_eq!(wakes(&staging), n == 0, "{n}");
        }
    }

    #[test]
    fn of_several_worktrees_the_one_written_last_is_taken_and_what_is_not_due_stays() {
        let (clock, staging) = staging();
        staging.record_write(Path::new(A), StagingMoment::Editor);
        clock.advance(MS);
        staging.record_write(Path::new("/b/.git"), StagingMoment::Editor);
        clock.advance(EDITED);
        staging.record_write(Path::new("/c/.git"), StagingMoment::Editor);
        let now = clock.instant();
        assert_eq!(staging.take_due(now), NextWorktree::Now("/b/.git".into(), StagingMoment::Editor));
        assert_eq!(staging.take_due(now), NextWorktree::At(Some(now + EDITED)));
        assert_eq!(staging.take_due(now + EDITED), NextWorktree::Now("/c/.git".into(), StagingMoment::Editor));
    }

    #[test]
    fn what_is_put_off_does_not_stand_in_the_way_of_news() {
        let (clock, staging) = staging();
        let now = clock.instant();
        staging.again(Path::new(A), StagingMoment::Editor, now + 5 * SETTLED);
        assert_eq!(staging.take_due(now), NextWorktree::At(Some(now + 5 * SETTLED)));
        staging.record_write(Path::new(A), StagingMoment::Editor);
        staging.again(Path::new(A), StagingMoment::Editor, now + 9 * SETTLED);
        assert_eq!(staging.take_due(now + EDITED), NextWorktree::Now(A.into(), StagingMoment::Editor));
    }
}
