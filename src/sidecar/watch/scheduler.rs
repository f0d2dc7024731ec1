//! Scheduler of the watcher: reads due repositories, a few at a time, off the event loop.

use parking_lot::Mutex;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::super::control::Health;
use super::super::protocol::{Attention, Response};
use super::super::worker::blocking;
use super::dirty_set::{DirtyMark, DirtySet, NextRepo};
use super::index_debounce::IndexDebounce;
use super::listener::{Listener, WatchedDirs};
use super::network::Mounts;
use super::poll::Pace;
use super::poll::{self, PollResult, PollTarget};
use super::watched_repos::{GRACE, ReadOutcome, WatchCoverage, WatchedRepos};
use super::watcher::{DirWatcher, SystemDirWatcher};
use super::watcher::{WatchSetup, Watcher};
use crate::domain::event::Source;
use crate::domain::id::RepoId;
use crate::pipeline::services::Services;
use crate::store::{RegisteredRepo, StoreError};

/// Concurrent reads of repositories' logs; of those, on file systems that might not answer.
const AT_ONCE: usize = 2;
const REMOTE_AT_ONCE: usize = 1;
/// Everything is inspected every five minutes, in case an event was missed: a fifth of it each minute, so that the
/// stats of thousands of logs do not come at once.
const SWEEP: Duration = Duration::from_secs(60);
const SWEEPS: usize = 5;
/// Pause after a failed read of the list.
const RETRY: Duration = Duration::from_secs(5);

type Reply = oneshot::Sender<Response>;

/// The watcher's state in the main loop.
pub struct WatchScheduler {
    services: Services,
    health: Arc<Health>,
    dirty: Arc<DirtySet>,
    watcher: Arc<Mutex<Watcher>>,
    repo_registry: WatchedRepos,
    jobs: JoinSet<JobResult>,
    errands: Errands,
    /// Repositories that need their watches set up again.
    structure: HashSet<RepoId>,
    /// Callers to answer when the new list is watched.
    replies: Vec<Reply>,
    /// New repositories that are read for the first time.
    unread: HashSet<RepoId>,
    /// Callers to answer when the last of these was read.
    awaited: Vec<(HashSet<RepoId>, Vec<Reply>)>,
    list_at: Option<Instant>,
    sweep_at: Instant,
    /// Index of the next sweep; all of them after events were lost.
    sweep: usize,
    everything: bool,
    poll_at: Option<Instant>,
    pace: Pace,
    told_exhausted: bool,
    settled: bool,
    /// See [`Services::repo_registry`].
    registrations: u64,
    mounts: fn() -> Mounts,
}

impl std::fmt::Debug for WatchScheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WatchScheduler").field("reach", &self.repo_registry.coverage_counts()).finish_non_exhaustive()
    }
}

/// Jobs under way.
#[derive(Debug, Default)]
struct Errands {
    listing: bool,
    looking: bool,
    polling: bool,
    reading: usize,
    reading_remote: usize,
}

impl Errands {
    fn poll_flag(&mut self, group: PollGroup) -> &mut bool {
        match group {
            PollGroup::Near => &mut self.looking,
            PollGroup::Polled => &mut self.polling,
        }
    }
}

/// The two kinds of inspections; a server that does not answer must not block the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PollGroup {
    Near,
    Polled,
}

enum JobResult {
    Listed(Result<Vec<RegisteredRepo>, StoreError>, Vec<Reply>),
    Looked {
        slot: PollGroup,
        source: Source,
        found: Vec<PollResult>,
        elapsed: Duration,
    },
    Read {
        repo: RepoId,
        remote: bool,
        mark: DirtyMark,
        looked: Option<PollResult>,
        outcome: ReadOutcome,
        elapsed: Duration,
    },
    Noted,
}

impl WatchScheduler {
    /// Nothing is watched yet: the list is read with the first [`WatchScheduler::step`].
    #[must_use]
    pub fn new(services: Services, health: Arc<Health>) -> Self {
        let dirty = Arc::new(DirtySet::new(Arc::clone(&services.clock)));
        let places = Arc::new(WatchedDirs::default());
        let dir_watcher = SystemDirWatcher::new(
            Listener { places: Arc::clone(&places), dirty: Arc::clone(&dirty) },
            Arc::clone(&services.clock),
        );
        let dir_watcher = dir_watcher
            .inspect_err(|deaf| tracing::warn!(?deaf, "no directory can be watched; all repositories are polled"));
        let watcher = Watcher::new(dir_watcher.ok().map(|ears| Box::new(ears) as Box<dyn DirWatcher>), places);
        Self::with(services, health, dirty, watcher, Mounts::from_system)
    }

    fn with(
        services: Services,
        health: Arc<Health>,
        dirty: Arc<DirtySet>,
        watcher: Watcher,
        mounts: fn() -> Mounts,
    ) -> Self {
        let now = services.clock.instant();
        Self {
            services,
            health,
            dirty,
            watcher: Arc::new(Mutex::new(watcher)),
            repo_registry: WatchedRepos::default(),
            jobs: JoinSet::new(),
            errands: Errands::default(),
            structure: HashSet::new(),
            replies: Vec::new(),
            unread: HashSet::new(),
            awaited: Vec::new(),
            list_at: Some(now),
            sweep_at: now + SWEEP,
            sweep: 0,
            everything: false,
            poll_at: None,
            pace: Pace::default(),
            told_exhausted: false,
            settled: false,
            registrations: 0,
            mounts,
        }
    }

    /// Runs due work and returns when some of it is done: true when there are commits to be captured. Safe to drop.
    pub async fn step(&mut self) -> bool {
        loop {
            let next = self.start_due();
            tokio::select! {
                // A panic in a job happens on another thread and arrives as an error: see `blocking`.
                Some(done) = self.jobs.join_next() => return done.is_ok_and(|done| self.finish(done)),
                () = self.dirty.changed() => {}
                () = super::super::run::until(next) => {}
            }
        }
    }

    /// Reloads the list; `reply` is answered when the new one is watched and read up to then: later commits are the
    /// watcher's to notice.
    pub fn reload(&mut self, reply: Reply) {
        self.replies.push(reply);
        self.dirty.mark_list();
    }

    /// Records hook reports of these worktrees' repositories.
    pub fn record_reports(&mut self, git_dirs: impl IntoIterator<Item = PathBuf>) {
        let now = self.services.clock.instant();
        for git_dir in git_dirs {
            if let Some(entry) = self.repo_registry.of_git_dir(&git_dir) {
                entry.record_report(now);
            }
        }
    }

    /// Worktrees in which a commit is expected.
    #[must_use]
    pub fn staging(&self) -> Arc<IndexDebounce> {
        Arc::clone(&self.dirty.debounce)
    }

    /// Logs are being read, or the list has not been watched yet.
    #[must_use]
    pub fn busy(&self) -> bool {
        !self.settled || self.errands.reading > 0 || self.errands.listing || self.errands.looking
    }

    /// Whether commits would go unnoticed without this watcher.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        self.repo_registry.depending() > 0
    }

    /// Starts all due work; returns the time of the next.
    fn start_due(&mut self) -> Option<Instant> {
        let now = self.services.clock.instant();
        let flags = self.dirty.take_flags();
        self.structure.extend(flags.structure);
        if flags.everything {
            tracing::warn!("events were lost; all repositories are inspected");
            (self.sweep_at, self.everything) = (now, true);
        }
        let registrations = self.services.registry_version();
        if flags.list || self.sweep_at <= now || self.registrations != registrations {
            (self.registrations, self.list_at) = (registrations, Some(now));
        }
        self.start_list(now);
        self.start_looks(now);
        let reading = self.start_reading(now);
        [self.list_at, Some(self.sweep_at), self.poll_at, reading].into_iter().flatten().filter(|at| *at > now).min()
    }

    fn start_list(&mut self, now: Instant) {
        if self.errands.listing || self.list_at.is_none_or(|at| at > now) {
            return;
        }
        (self.errands.listing, self.list_at) = (true, None);
        let (services, watcher) = (self.services.clone(), Arc::clone(&self.watcher));
        // Only the next read of the list includes what these callers registered.
        let replies = std::mem::take(&mut self.replies);
        self.jobs.spawn(async move {
            let list = blocking(&services, move |services| {
                // Watched before it is read, so that no change falls between.
                watcher.lock().tend_list(&services.paths.data);
                services.store.registered_repos()
            });
            JobResult::Listed(list.await, replies)
        });
    }

    fn start_looks(&mut self, now: Instant) {
        if !self.errands.looking && self.sweep_at <= now {
            self.sweep_at = now + SWEEP;
            self.sweep = (self.sweep + 1) % SWEEPS;
            let everything = std::mem::take(&mut self.everything);
            let near = self.repo_registry.entries.values().filter(|entry| !entry.remote);
            let its_turn = near.filter(|entry| everything || entry.share(SWEEPS) == self.sweep);
            let subjects = its_turn.map(|entry| entry.subject(true)).collect();
            self.start_poll(PollGroup::Near, Source::Reconcile, subjects);
        }
        if !self.errands.looking && !self.structure.is_empty() {
            let structure = std::mem::take(&mut self.structure);
            let entries = structure.iter().filter_map(|id| self.repo_registry.entries.get(id));
            let subjects = entries.map(|entry| entry.subject(true)).collect();
            self.start_poll(PollGroup::Near, Source::Watch, subjects);
        }
        if !self.errands.polling && self.poll_at.is_some_and(|at| at <= now) {
            self.poll_at = None;
            let is_polled = |reach| matches!(reach, WatchCoverage::Polled | WatchCoverage::Missing);
            let polled = self.repo_registry.entries.values().filter(|entry| is_polled(entry.reach));
            let subjects = polled.map(|entry| entry.subject(entry.reach == WatchCoverage::Missing)).collect();
            self.start_poll(PollGroup::Polled, Source::Watch, subjects);
        }
    }

    fn start_poll(&mut self, slot: PollGroup, source: Source, subjects: Vec<PollTarget>) {
        *self.errands.poll_flag(slot) = true;
        let (services, watcher) = (self.services.clone(), Arc::clone(&self.watcher));
        self.jobs.spawn(async move {
            let start = services.clock.instant();
            let found = blocking(&services, move |services| {
                let now = || SystemTime::from(services.clock.now());
                Ok(subjects.into_iter().map(|subject| poll::poll_repository(&watcher, subject, now(), GRACE)).collect())
            });
            let found = found.await.inspect_err(|error| tracing::error!(%error, "repositories could not be inspected"));
            let elapsed = services.clock.instant().saturating_duration_since(start);
            JobResult::Looked { slot, source, found: found.unwrap_or_default(), elapsed }
        });
    }

    /// Returns the time when the next repository is due; `None` while all slots are in use, because the end of a read
    /// wakes the loop anyway.
    fn start_reading(&mut self, now: Instant) -> Option<Instant> {
        while self.errands.reading < AT_ONCE {
            let remote_full = self.errands.reading_remote >= REMOTE_AT_ONCE;
            let repo_registry = &self.repo_registry;
            let turn = self.dirty.take_due(now, |id, mark| match repo_registry.entries.get(id) {
                Some(entry) if entry.in_flight || (entry.remote && remote_full) => None,
                Some(entry) => Some(entry.due(mark)),
                // No longer registered: taken out and dropped.
                None => Some(now),
            });
            match turn {
                NextRepo::Now(id, mark) => self.start_read(&id, mark),
                NextRepo::At(at) => return at,
            }
        }
        None
    }

    fn start_read(&mut self, id: &RepoId, mark: DirtyMark) {
        let Some(entry) = self.repo_registry.entries.get_mut(id) else { return };
        entry.in_flight = true;
        let (repo, remote, subject) = (Arc::clone(&entry.repo), entry.remote, entry.subject(true));
        self.errands.reading += 1;
        self.errands.reading_remote += usize::from(remote);
        let (services, watcher) = (self.services.clone(), Arc::clone(&self.watcher));
        self.jobs.spawn(async move {
            let start = services.clock.instant();
            let id = repo.id.clone();
            let (looked, outcome) = poll::read_repository(&services, watcher, subject, repo, mark.source).await;
            let elapsed = services.clock.instant().saturating_duration_since(start);
            JobResult::Read { repo: id, remote, mark, looked, outcome, elapsed }
        });
    }

    /// True when there are commits to capture.
    fn finish(&mut self, done: JobResult) -> bool {
        let found = match done {
            JobResult::Listed(list, replies) => {
                self.take_list(list, replies);
                false
            }
            JobResult::Looked { slot, source, found, elapsed } => {
                *self.errands.poll_flag(slot) = false;
                self.take_looks(source, &found);
                self.pace_polling((slot == PollGroup::Polled).then_some(elapsed));
                false
            }
            JobResult::Read { repo, remote, mark, looked, outcome, elapsed } => {
                self.errands.reading -= 1;
                self.errands.reading_remote -= usize::from(remote);
                self.take_reach(looked.iter());
                self.pace_polling(None);
                self.has_read(&repo);
                self.take_outcome(&repo, &mark, &outcome, elapsed)
            }
            JobResult::Noted => false,
        };
        self.publish_counts();
        found
    }

    fn take_list(&mut self, list: Result<Vec<RegisteredRepo>, StoreError>, replies: Vec<Reply>) {
        self.errands.listing = false;
        let list = match list {
            Ok(list) => list,
            Err(error) => {
                tracing::error!(%error, "the list of repositories cannot be read");
                self.replies.extend(replies);
                self.list_at = Some(self.services.clock.instant() + RETRY);
                return;
            }
        };
        let mounts = (self.mounts)();
        let changes = self.repo_registry.update(list, |dir| mounts.is_network(dir));
        for id in &changes.removed {
            self.dirty.forget(id);
            self.has_read(id);
            self.watcher.lock().forget(id);
        }
        self.settled = true;
        let near: Vec<PollTarget> = changes.added.iter().filter_map(|id| self.repo_registry.begin(id)).collect();
        self.unread.extend(near.iter().map(|subject| subject.repo.clone()));
        self.awaited.push((self.unread.clone(), replies));
        self.answer();
        self.start_poll(PollGroup::Near, Source::Reconcile, near);
        self.pace_polling(None);
    }

    /// Nothing is left to read of a new repository.
    fn has_read(&mut self, repo: &RepoId) {
        self.unread.remove(repo);
        for (unread, _) in &mut self.awaited {
            unread.remove(repo);
        }
        self.answer();
    }

    /// Answers the callers that wait for no more reads.
    fn answer(&mut self) {
        for (_, replies) in self.awaited.extract_if(.., |(unread, _)| unread.is_empty()) {
            // A caller that gave up does not wait for this.
            replies.into_iter().for_each(|reply| drop(reply.send(Response::Done)));
        }
    }

    fn take_looks(&mut self, source: Source, found: &[PollResult]) {
        self.take_reach(found.iter());
        for looked in found {
            let Some(entry) = self.repo_registry.entries.get(&looked.repo) else { continue };
            if looked.changed {
                // The state before the first read is no new commit.
                let source = if entry.print.is_none() { Source::Reconcile } else { source };
                let at_once = !(looked.fresh && entry.trusted);
                self.dirty.mark_from_sweep(&looked.repo, source, at_once);
                if !at_once {
                    // Its hook report is still pending, and is waited for.
                    self.has_read(&looked.repo);
                }
            } else {
                if entry.reach == WatchCoverage::Missing {
                    self.dirty.forget(&looked.repo);
                }
                self.has_read(&looked.repo);
            }
        }
    }

    /// Updates the coverage of the repositories.
    fn take_reach<'a>(&mut self, found: impl Iterator<Item = &'a PollResult>) {
        let mut exhausted = false;
        for looked in found {
            let Some(entry) = self.repo_registry.entries.get_mut(&looked.repo) else { continue };
            let was = entry.reach;
            entry.reached(looked.setup.as_ref(), looked.there);
            entry.works_without_hooks(looked.hookless);
            if entry.reach == WatchCoverage::Missing && was != WatchCoverage::Missing {
                (self.pace, self.poll_at) = (Pace::default(), None);
            }
            if let Some(WatchSetup::Refused(why)) = &looked.setup
                && was != WatchCoverage::Polled
            {
                tracing::warn!(repo = %entry.repo.path.display(), why, "cannot be watched and is polled");
            }
            exhausted |= looked.setup == Some(WatchSetup::Exhausted);
        }
        if exhausted && !self.told_exhausted {
            self.told_exhausted = true;
            let services = self.services.clone();
            self.jobs.spawn(async move {
                let noted = blocking(&services, |services| {
                    services.store.note_problem(services.clock.now(), EXHAUSTED, EXHAUSTED_HINT)
                });
                if let Err(error) = noted.await {
                    tracing::warn!(%error, "a problem could not be noted: {EXHAUSTED}");
                }
                JobResult::Noted
            });
        }
    }

    /// Schedules the next poll; `took` is the duration of the last one, if one ended.
    fn pace_polling(&mut self, elapsed: Option<Duration>) {
        let polled = self.repo_registry.coverage_counts().1;
        let missing = self.repo_registry.entries.values().filter(|entry| entry.reach == WatchCoverage::Missing).count();
        if polled + missing == 0 {
            (self.poll_at, self.pace) = (None, Pace::default());
        } else if self.poll_at.is_none() && !self.errands.polling {
            let pause = self.pace.next(elapsed.unwrap_or_default(), polled == 0);
            self.poll_at = Some(self.services.clock.instant() + pause);
        }
    }

    /// True when there are commits to capture.
    fn take_outcome(&mut self, id: &RepoId, mark: &DirtyMark, outcome: &ReadOutcome, elapsed: Duration) -> bool {
        let now = self.services.clock.instant();
        let Some(entry) = self.repo_registry.entries.get_mut(id) else { return false };
        let again = entry.record_read(mark, outcome, elapsed, now);
        if let ReadOutcome::Unreadable(why) = outcome
            && entry.failures <= 1
        {
            tracing::warn!(repo = %entry.repo.path.display(), why, "cannot be read");
        }
        if again {
            self.dirty.give_back(id, DirtyMark { at_once: true, ..*mark });
        }
        matches!(outcome, ReadOutcome::Made { count: 1.., .. } | ReadOutcome::Made { reported: 1.., .. })
    }

    /// Publishes the numbers for pings.
    fn publish_counts(&self) {
        let (watched, polled) = self.repo_registry.coverage_counts();
        // A running inspection holds the watcher; its end comes here as well.
        if let Some(watcher) = self.watcher.try_lock() {
            let depending = self.repo_registry.depending();
            let attention = Attention { watched, watches: watcher.places.count(), polled, depending };
            *self.health.attention.lock() = attention;
        }
    }
}

const EXHAUSTED: &str =
    "the limit of watched directories is reached; some repositories are only polled every few seconds";
const EXHAUSTED_HINT: &str =
    "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512; uro-capture sidecar stop";

#[cfg(test)]
#[path = "scheduler_tests.rs"]
mod tests;
