//! Dirty set of repositories: events coalesce into one mark each, so it never outgrows the list of repositories.

use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;

use super::index_debounce::IndexDebounce;
use crate::domain::clock::Clock;
use crate::domain::event::Source;
use crate::domain::id::RepoId;

/// Unread changes of one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirtyMark {
    /// Times of the first and the last event.
    pub first: Instant,
    pub last: Instant,
    /// `WaitGuard` for an event of the watcher, `Reconcile` for a find of a sweep.
    pub source: Source,
    /// No hook report can still be pending for it.
    pub at_once: bool,
}

/// Changes that concern no single repository's commits.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Events were lost: any repository may have changed.
    pub everything: bool,
    /// The list of registered repositories changed.
    pub list: bool,
    /// Directories came or went: their watches must be set up again.
    pub structure: HashSet<RepoId>,
}

/// Written by the watcher's thread, read by the main loop.
pub struct DirtySet {
    /// Worktrees in which a commit is expected.
    pub debounce: Arc<IndexDebounce>,
    state: Mutex<State>,
    changed: Notify,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct State {
    repos: HashMap<RepoId, DirtyMark>,
    flags: Flags,
}

impl std::fmt::Debug for DirtySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DirtySet").field("repos", &self.state.lock().repos.len()).finish_non_exhaustive()
    }
}

impl DirtySet {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let debounce = Arc::new(IndexDebounce::new(Arc::clone(&clock)));
        Self { debounce, state: Mutex::default(), changed: Notify::new(), clock }
    }

    /// Marks a repository with a changed log. Only the first of many wakes the main loop.
    pub fn mark_from_event(&self, repo: &RepoId) {
        let now = self.clock.instant();
        let mut state = self.state.lock();
        if let Some(mark) = state.repos.get_mut(repo) {
            // A sweep's find waits for a hook once more: this commit's report is still to come.
            let first = if mark.at_once { now } else { mark.first };
            *mark = DirtyMark { first, last: now, source: Source::Watch, at_once: false };
            return;
        }
        state.repos.insert(repo.clone(), DirtyMark { first: now, last: now, source: Source::Watch, at_once: false });
        drop(state);
        self.changed.notify_one();
    }

    /// Marks a repository that a sweep or a hook found changed; earlier marks of the watcher stay in force.
    pub fn mark_from_sweep(&self, repo: &RepoId, source: Source, at_once: bool) {
        let now = self.clock.instant();
        self.state.lock().repos.entry(repo.clone()).or_insert(DirtyMark { first: now, last: now, source, at_once });
        self.changed.notify_one();
    }

    /// Puts back a mark that could not be processed; a newer one stays.
    pub fn give_back(&self, repo: &RepoId, mark: DirtyMark) {
        self.state.lock().repos.entry(repo.clone()).or_insert(mark);
        self.changed.notify_one();
    }

    pub fn mark_structure(&self, repo: &RepoId) {
        let mut state = self.state.lock();
        if !state.flags.structure.contains(repo) {
            state.flags.structure.insert(repo.clone());
            drop(state);
            self.changed.notify_one();
        }
    }

    pub fn mark_everything(&self) {
        self.state.lock().flags.everything = true;
        self.changed.notify_one();
    }

    pub fn mark_list(&self) {
        self.state.lock().flags.list = true;
        self.changed.notify_one();
    }

    pub fn forget(&self, repo: &RepoId) {
        let mut state = self.state.lock();
        state.repos.remove(repo);
        state.flags.structure.remove(repo);
    }

    /// Resolves when there is a new mark. Safe to drop.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    pub fn take_flags(&self) -> Flags {
        std::mem::take(&mut self.state.lock().flags)
    }

    /// Takes the one repository that is due, marks of the watcher before those of a sweep; else returns the time when
    /// there will be one. `due` gives the time of a repository's mark, or `None` while it must wait.
    pub fn take_due(&self, now: Instant, due: impl Fn(&RepoId, &DirtyMark) -> Option<Instant>) -> NextRepo {
        let mut state = self.state.lock();
        let waiting = state.repos.iter().filter_map(|(id, mark)| Some((due(id, mark)?, mark.source, id)));
        let (ready, later): (Vec<_>, Vec<_>) = waiting.partition(|(at, ..)| *at <= now);
        let first = ready.into_iter().min_by_key(|(at, source, _)| (*source != Source::Watch, *at));
        let Some(id) = first.map(|(.., id)| id.clone()) else {
            return NextRepo::At(later.into_iter().map(|(at, ..)| at).min());
        };
        state.repos.remove(&id).map_or(NextRepo::At(None), |mark| NextRepo::Now(id, mark))
    }

    /// Whether no repository is marked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state.lock().repos.is_empty()
    }
}

/// Result of taking a mark.
#[derive(Debug, PartialEq, Eq)]
pub enum NextRepo {
    Now(RepoId, DirtyMark),
    /// `None`: nothing scheduled; otherwise the next poll time.
    At(Option<Instant>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::FakeClock;
    use std::time::Duration;

    fn repo(name: &str) -> RepoId {
        RepoId::from_common_dir(name.as_bytes())
    }

    fn set() -> (Arc<FakeClock>, DirtySet) {
        let clock = Arc::new(FakeClock::at("2026-03-01T12:00:00Z".parse().unwrap()));
        (Arc::clone(&clock), DirtySet::new(clock))
    }

    const STEP: Duration = Duration::from_millis(8);

    #[test]
    fn ten_thousand_events_of_a_repository_are_one_entry_with_first_and_last_time() {
        let (clock, dirty) = set();
        let start = clock.instant();
        for _ in 0..10_000 {
            dirty.mark_from_event(&repo("a"));
            clock.advance(Duration::from_micros(10));
        }
        assert_eq!(dirty.state.lock().repos.len(), 1);
        let NextRepo::Now(id, mark) = dirty.take_due(clock.instant(), |_, mark| Some(mark.first)) else { panic!() };
        assert_eq!((id, mark.first), (repo("a"), start));
        assert_eq!(mark.last, start + Duration::from_micros(99_990));
        assert!(dirty.is_empty());
    }

    #[test]
    fn a_repository_is_taken_when_due_and_not_while_it_must_not_be() {
        let (clock, dirty) = set();
        dirty.mark_from_event(&repo("a"));
        let due = |_: &RepoId, mark: &DirtyMark| Some(mark.first + STEP);
        assert_eq!(dirty.take_due(clock.instant(), due), NextRepo::At(Some(clock.instant() + STEP)));
        clock.advance(STEP);
        assert_eq!(dirty.take_due(clock.instant(), |_, _| None), NextRepo::At(None), "it is being looked at just now");
        assert!(matches!(dirty.take_due(clock.instant(), due), NextRepo::Now(..)));
        assert_eq!(dirty.take_due(clock.instant(), due), NextRepo::At(None));
    }

    #[test]
    fn what_happens_now_goes_before_what_a_sweep_found_earlier() {
        let (clock, dirty) = set();
        dirty.mark_from_sweep(&repo("old"), Source::Reconcile, true);
        clock.advance(STEP);
        dirty.mark_from_event(&repo("new"));
        let NextRepo::Now(id, _) = dirty.take_due(clock.instant(), |_, mark| Some(mark.first)) else { panic!() };
        assert_eq!(id, repo("new"));
    }

    #[test]
    fn a_commit_heard_of_after_a_sweep_gets_its_grace_and_its_source() {
        let (clock, dirty) = set();
        dirty.mark_from_sweep(&repo("a"), Source::Reconcile, true);
        clock.advance(STEP);
        dirty.mark_from_event(&repo("a"));
        dirty.mark_from_sweep(&repo("a"), Source::Reconcile, true);
        let NextRepo::Now(_, mark) = dirty.take_due(clock.instant(), |_, mark| Some(mark.first)) else { panic!() };
        let now = clock.instant();
        assert_eq!(mark, DirtyMark { first: now, last: now, source: Source::Watch, at_once: false });
    }

    #[tokio::test]
    async fn the_main_loop_is_woken_also_when_it_was_not_listening() {
        let (_, dirty) = set();
        dirty.mark_from_event(&repo("a"));
        dirty.changed().await;
        dirty.mark_everything();
        dirty.mark_structure(&repo("b"));
        dirty.changed().await;
        let flags = dirty.take_flags();
        assert!(flags.everything && !flags.list && flags.structure.contains(&repo("b")));
        assert_eq!(dirty.take_flags(), Flags::default());
    }
}
