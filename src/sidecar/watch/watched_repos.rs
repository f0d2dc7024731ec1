//! State of the watched repositories: how each is covered, whether its hooks are reliable, and when its changes are
//! due.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::run::STEP_ASIDE;
use super::dirty_set::DirtyMark;
use super::poll::{LogFingerprint, PollTarget};
use super::watcher::WatchSetup;
use crate::domain::event::Source;
use crate::domain::id::RepoId;
use crate::git::jj;
use crate::pipeline::registry::common_dir;
use crate::store::RegisteredRepo;

/// A commit is seen in the log 4 to 23 ms before its hook has reported it (measured); a busy machine needs longer.
/// After this long the hook counts as silent.
pub const GRACE: Duration = Duration::from_millis(300);
/// During a burst of hook reports, the log is still read this often.
const LONGEST_BURST: Duration = Duration::from_secs(5);
/// After reading a log for some time it is left alone for twice as long, up to this.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// Pause after a failed read; doubled each time up to a sweep's interval.
const RETRY: Duration = Duration::from_secs(2);
const LONGEST_RETRY: Duration = Duration::from_secs(300);

/// How a repository's commits are noticed beside its hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchCoverage {
    /// Not inspected yet.
    Unknown,
    Watched,
    /// No events come from there: its logs are polled.
    Polled,
    /// Its git directory does not exist (any more, or yet).
    Missing,
}

/// One repository: paths and a few words, because there may be thousands.
#[derive(Debug)]
pub struct WatchedRepo {
    pub repo: Arc<RegisteredRepo>,
    pub reach: WatchCoverage,
    /// On a network file system, which may not answer.
    pub remote: bool,
    /// Fingerprint before its logs were last read.
    pub print: Option<LogFingerprint>,
    /// They are being read just now.
    pub in_flight: bool,
    /// Its hooks report its commits, as far as is known.
    pub trusted: bool,
    /// A tool without hooks works in it: jj.
    hookless: bool,
    last_report: Option<Instant>,
    not_before: Option<Instant>,
    /// Failed reads in a row.
    pub failures: u32,
}

/// Outcome of reading a repository's logs.
#[derive(Debug)]
pub enum ReadOutcome {
    /// Commits without a report, and hook reports that were not imported yet.
    Made { count: usize, reported: usize, print: LogFingerprint },
    /// Its git directory does not exist.
    Gone,
    /// Git cannot read it, for this reason.
    Unreadable(String),
    /// The store cannot be written.
    NotKept,
}

impl WatchedRepo {
    fn new(repo: RegisteredRepo, remote: bool) -> Self {
        // A server that does not answer is not asked for jj's directory.
        let hookless = !remote && jj::repo_dir(&repo.common_dir).is_some();
        Self {
            trusted: repo.hook_mode.has_hooks() && !hookless,
            hookless,
            repo: Arc::new(repo),
            reach: WatchCoverage::Unknown,
            remote,
            print: None,
            in_flight: false,
            last_report: None,
            not_before: None,
            failures: 0,
        }
    }

    /// When its changes are due for reading.
    #[must_use]
    pub fn due(&self, mark: &DirtyMark) -> Instant {
        let settled = match (mark.at_once, self.trusted) {
            (true, _) => mark.first,
            (false, false) => mark.first + STEP_ASIDE,
            (false, true) if self.was_reported_since(mark) => (mark.last + GRACE).min(mark.first + LONGEST_BURST),
            (false, true) => mark.first + GRACE,
        };
        self.not_before.map_or(settled, |rested| settled.max(rested))
    }

    fn was_reported_since(&self, mark: &DirtyMark) -> bool {
        self.last_report.is_some_and(|last_report| last_report >= mark.first)
    }

    /// Records a report of its hook.
    pub fn record_report(&mut self, now: Instant) {
        self.trusted = self.repo.hook_mode.has_hooks() && !self.hookless;
        self.last_report = Some(now);
    }

    /// Records a read of its logs for `mark` that took `took`. True when they are to be read once more.
    pub fn record_read(&mut self, mark: &DirtyMark, outcome: &ReadOutcome, elapsed: Duration, now: Instant) -> bool {
        self.in_flight = false;
        match outcome {
            ReadOutcome::Made { count, print, .. } => {
                (self.print, self.failures) = (Some(*print), 0);
                self.not_before = Some(now + (elapsed * 2).min(LONGEST_REST));
                if *count > 0 && mark.source == Source::Watch && !self.was_reported_since(mark) {
                    self.trusted = false;
                }
                false
            }
            ReadOutcome::Gone => false,
            ReadOutcome::Unreadable(_) | ReadOutcome::NotKept => {
                let pause = RETRY.saturating_mul(1 << self.failures.min(10)).min(LONGEST_RETRY);
                self.failures += 1;
                self.not_before = Some(now + pause);
                true
            }
        }
    }

    /// Records the result of setting up watches.
    pub fn reached(&mut self, tended: Option<&WatchSetup>, there: bool) {
        if self.reach == WatchCoverage::Missing && there {
            (self.failures, self.not_before) = (0, None);
        }
        self.reach = match tended {
            _ if !there => WatchCoverage::Missing,
            Some(WatchSetup::Watched { .. }) => WatchCoverage::Watched,
            Some(_) => WatchCoverage::Polled,
            None if self.remote => WatchCoverage::Polled,
            None if self.reach == WatchCoverage::Missing => WatchCoverage::Unknown,
            None => self.reach,
        };
        if self.reach == WatchCoverage::Missing {
            self.print = None;
        }
    }

    /// Records whether a tool without hooks works there.
    pub fn works_without_hooks(&mut self, hookless: bool) {
        if hookless != self.hookless {
            self.hookless = hookless;
            self.trusted = self.repo.hook_mode.has_hooks() && !hookless;
        }
    }

    /// An inspection; with `lay` its watches are set up as well, unless its server might not answer.
    #[must_use]
    pub fn subject(&self, lay: bool) -> PollTarget {
        PollTarget {
            repo: self.repo.id.clone(),
            common_dir: self.repo.common_dir.clone(),
            print: self.print,
            tend: lay && !self.remote,
        }
    }

    /// Index of its sweep, of so many.
    #[must_use]
    pub fn share(&self, of: usize) -> usize {
        self.repo.id.as_str().bytes().map(usize::from).sum::<usize>() % of
    }
}

/// The watched repositories.
#[derive(Debug, Default)]
pub struct WatchedRepos {
    pub entries: HashMap<RepoId, WatchedRepo>,
    by_dir: HashMap<PathBuf, RepoId>,
}

/// Difference between two lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub added: Vec<RepoId>,
    pub removed: Vec<RepoId>,
}

impl WatchedRepos {
    /// Takes over the list; repositories that stay keep their state.
    pub fn update(&mut self, list: Vec<RegisteredRepo>, is_remote: impl Fn(&Path) -> bool) -> Changes {
        let mut old = std::mem::take(&mut self.entries);
        let mut changes = Changes::default();
        self.by_dir = list.iter().map(|repo| (repo.common_dir.clone(), repo.id.clone())).collect();
        for repo in list {
            let id = repo.id.clone();
            let earlier = old.remove(&id).filter(|earlier| earlier.repo.hook_mode == repo.hook_mode);
            let entry = match earlier {
                Some(earlier) => WatchedRepo { repo: Arc::new(repo), ..earlier },
                None => {
                    changes.added.push(id.clone());
                    let remote = is_remote(&repo.common_dir);
                    WatchedRepo::new(repo, remote)
                }
            };
            self.entries.insert(id, entry);
        }
        changes.removed = old.into_keys().filter(|id| !self.entries.contains_key(id)).collect();
        changes
    }

    /// The first inspection of a new repository, unless its server might not answer.
    pub fn begin(&mut self, id: &RepoId) -> Option<PollTarget> {
        let entry = self.entries.get_mut(id)?;
        if entry.remote {
            entry.reached(None, true);
            return None;
        }
        Some(entry.subject(true))
    }

    /// The repository of the worktree with this git directory.
    pub fn of_git_dir(&mut self, git_dir: &Path) -> Option<&mut WatchedRepo> {
        let id = self.by_dir.get(git_dir).or_else(|| self.by_dir.get(common_dir(git_dir)?))?;
        self.entries.get_mut(id)
    }

    /// How many are watched and read up to now, and how many are polled.
    #[must_use]
    pub fn coverage_counts(&self) -> (usize, usize) {
        let is_watched = |entry: &&WatchedRepo| entry.reach == WatchCoverage::Watched && entry.print.is_some();
        let watched = self.entries.values().filter(is_watched).count();
        (watched, self.entries.values().filter(|entry| entry.reach == WatchCoverage::Polled).count())
    }

    /// Number of repositories that need this watcher: only it would notice a commit there.
    #[must_use]
    pub fn depending(&self) -> usize {
        self.entries.values().filter(|entry| !entry.trusted && entry.reach != WatchCoverage::Missing).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::{Clock, FakeClock};
    use crate::domain::event::HookMode;

    fn registered(name: &str, means: HookMode) -> RegisteredRepo {
        RegisteredRepo {
            id: RepoId::from_common_dir(name.as_bytes()),
            path: PathBuf::from("/").join(name),
            common_dir: PathBuf::from("/").join(name).join(".git"),
            project: name.to_owned(),
            since: "2026-03-01T12:00:00Z".parse().unwrap(),
            hook_mode: means,
            inode: None,
        }
    }

    fn entry(means: HookMode) -> WatchedRepo {
        WatchedRepo::new(registered("a", means), false)
    }

    fn clock() -> FakeClock {
        FakeClock::at("2026-03-01T12:00:00Z".parse().unwrap())
    }

    fn mark_of(first: Instant, last: Instant) -> DirtyMark {
        DirtyMark { first, last, source: Source::Watch, at_once: false }
    }

    fn made(count: usize) -> ReadOutcome {
        ReadOutcome::Made { count, reported: 0, print: LogFingerprint::default() }
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_hook_is_waited_for_only_where_there_is_one() {
        let now = clock().instant();
        let mark = mark_of(now, now + MS);
        assert_eq!(entry(HookMode::Watch).due(&mark), now + STEP_ASIDE);
        assert_eq!(entry(HookMode::Config).due(&mark), now + GRACE);
        assert_eq!(entry(HookMode::File).due(&DirtyMark { at_once: true, ..mark }), now);
    }

    #[test]
    fn a_silent_hook_is_not_waited_for_again_until_it_is_heard() {
        let clock = clock();
        let mut entry = entry(HookMode::File);
        let mark = mark_of(clock.instant(), clock.instant());
        assert!(!entry.record_read(&mark, &made(0), MS, clock.instant()));
        assert!(entry.trusted, "a checkout, or the hook's commit");
        entry.record_read(&mark, &made(1), MS, clock.instant());
        assert!(!entry.trusted);
        clock.advance(GRACE);
        let mark = mark_of(clock.instant(), clock.instant());
        assert_eq!(entry.due(&mark), clock.instant() + STEP_ASIDE);
        entry.record_report(clock.instant());
        assert_eq!(entry.due(&mark), clock.instant() + GRACE);
    }

    #[test]
    fn hooks_do_not_tell_everything_once_a_tool_without_them_works_there() {
        let mut entry = entry(HookMode::File);
        assert!(entry.trusted);
        entry.works_without_hooks(true);
        entry.record_report(clock().instant());
        assert!(!entry.trusted, "also after a hook was heard");
        entry.works_without_hooks(false);
        assert!(entry.trusted);
    }

    #[test]
    fn what_a_sweep_finds_says_nothing_about_the_hook() {
        let clock = clock();
        let mut entry = entry(HookMode::File);
        let mark = DirtyMark { source: Source::Reconcile, ..mark_of(clock.instant(), clock.instant()) };
        entry.record_read(&mark, &made(3), MS, clock.instant());
        assert!(entry.trusted);
    }

    #[test]
    fn while_a_hook_reports_one_commit_after_the_other_its_last_one_is_waited_for_but_not_forever() {
        let clock = clock();
        let mut entry = entry(HookMode::File);
        let first = clock.instant();
        clock.advance(MS);
        entry.record_report(clock.instant());
        assert_eq!(entry.due(&mark_of(first, first + 200 * MS)), first + 200 * MS + GRACE);
        assert_eq!(entry.due(&mark_of(first, first + 9000 * MS)), first + LONGEST_BURST);
        entry.record_read(&mark_of(first, first), &made(1), MS, clock.instant());
        assert!(entry.trusted, "some other tool's commit among those of the hook");
    }

    #[test]
    fn a_repository_of_the_watcher_never_waits_for_a_hook() {
        let mut entry = entry(HookMode::Watch);
        entry.record_report(clock().instant());
        assert!(!entry.trusted);
    }

    #[test]
    fn long_reading_is_followed_by_a_rest_and_failure_by_ever_longer_ones() {
        let clock = clock();
        let now = clock.instant();
        let mut entry = entry(HookMode::Watch);
        let mark = mark_of(now, now);
        entry.record_read(&mark, &made(500), 200 * MS, now);
        assert_eq!(entry.due(&mark), now + 400 * MS);
        entry.record_read(&mark, &made(9000), 7000 * MS, now);
        assert_eq!(entry.due(&mark), now + LONGEST_REST);
        let broken = ReadOutcome::Unreadable("no".to_owned());
        let pauses: Vec<u64> = (0..10)
            .map(|_| {
                assert!(entry.record_read(&mark, &broken, MS, now));
                (entry.due(&mark) - now).as_secs()
            })
            .collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        entry.record_read(&mark, &made(0), MS, now);
        assert_eq!(entry.due(&mark), now + STEP_ASIDE);
    }

    #[test]
    fn a_new_list_keeps_what_is_known_of_those_that_stay() {
        let mut repo_registry = WatchedRepos::default();
        let [a, b, c] = ["a", "b", "c"].map(|name| registered(name, HookMode::File));
        let changes = repo_registry.update(vec![a.clone(), b.clone()], |path| path.starts_with("/b"));
        assert_eq!((changes.added.len(), changes.removed.len()), (2, 0));
        assert!(repo_registry.entries.get(&b.id).unwrap().remote && !repo_registry.entries.get(&a.id).unwrap().remote);
        repo_registry.entries.get_mut(&a.id).unwrap().reach = WatchCoverage::Watched;
        let changes = repo_registry.update(vec![a.clone(), c.clone()], |_| false);
        assert_eq!(changes, Changes { added: vec![c.id.clone()], removed: vec![b.id] });
        assert_eq!(repo_registry.entries.get(&a.id).unwrap().reach, WatchCoverage::Watched);
        let rehooked = RegisteredRepo { hook_mode: HookMode::Watch, ..a };
        let changes = repo_registry.update(vec![rehooked.clone(), c], |_| false);
        assert_eq!(changes, Changes { added: vec![rehooked.id], removed: vec![] });
        assert_eq!(repo_registry.depending(), 1);
    }

    #[test]
    fn every_repository_has_a_share_and_every_share_its_repositories() {
        let shares = (0..500).map(|at| WatchedRepo::new(registered(&at.to_string(), HookMode::Watch), false).share(5));
        let mut counts = [0; 5];
        shares.for_each(|share| counts[share] += 1);
        assert!(counts.iter().all(|count| (60..140).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_linked_worktree_belongs_to_its_repository() {
        let mut repo_registry = WatchedRepos::default();
        repo_registry.update(vec![registered("a", HookMode::File)], |_| false);
        assert!(repo_registry.of_git_dir(Path::new("/a/.git")).is_some());
        assert!(repo_registry.of_git_dir(Path::new("/a/.git/worktrees/w")).is_some());
        assert!(repo_registry.of_git_dir(Path::new("/a/.git/modules/m")).is_none());
        assert!(repo_registry.of_git_dir(Path::new("/b/.git")).is_none());
    }

    #[test]
    fn a_repository_that_is_gone_does_not_keep_the_sidecar_running() {
        let mut repo_registry = WatchedRepos::default();
        let repo = registered("a", HookMode::Watch);
        repo_registry.update(vec![repo.clone()], |_| false);
        assert_eq!(repo_registry.depending(), 1);
        repo_registry.entries.get_mut(&repo.id).unwrap().reached(Some(&WatchSetup::Missing), false);
        assert_eq!(repo_registry.depending(), 0);
    }
}
