//! Dependency container of the pipeline: store, clock, models, settings.

use parking_lot::Mutex;
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};
use jiff::Timestamp;

use super::rebuild;
use super::settings::{LastGood, Unreadable};
use super::template_cache::{self, TemplateCache};
use crate::config::{Config, Overrides, Paths, STORE_URL};
use crate::dispatch::Models;
use crate::domain::clock::Clock;
use crate::domain::id::Oid;
use crate::domain::patch::Commit;
use crate::drafts::batch_model::BatchModel;
use crate::drafts::model::DraftModel;
use crate::fallback::variants::Variants;
use crate::git::repo::Repo;
use crate::git::{Bounds, Exclude, GitError, RepoLocation};
use crate::route::signals::Urgency;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};

/// The dependencies, wired together once per process.
#[derive(Clone)]
pub struct Services {
    pub paths: Paths,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub models: Arc<Models>,
    settings: Arc<Settings>,
    templates: Arc<TemplateCache>,
    /// Number of repositories that this process registered or moved.
    registry_version: Arc<AtomicU64>,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").field("paths", &self.paths).finish_non_exhaustive()
    }
}

impl Services {
    /// Opens the store; a damaged one is quarantined, and commits that git still has are queued again.
    ///
    /// # Errors
    /// When the store can neither be opened nor created.
    pub fn open(paths: Paths, overrides: Overrides, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let opened = SqliteStore::open(&paths.database())?;
        let store: Arc<dyn Store> = Arc::new(opened.store);
        let models = Arc::new(Models::new(Arc::clone(&clock), Arc::<dyn Store>::clone(&store)));
        let settings = Arc::new(Settings { overrides, ..Settings::default() });
        let wording = Arc::new(TemplateCache::of(&paths));
        let services =
            Self { paths, store, clock, models, settings, templates: wording, registry_version: Arc::default() };
        if let Some(quarantined) = opened.quarantined {
            rebuild::after_quarantine(&services, &quarantined)?;
        }
        Ok(services)
    }

    /// The settings in force in `repo` (or outside any), read afresh so that an edit takes effect at once. While they
    /// cannot be read and no earlier ones are known, nothing may be captured, sent or read ahead: `Config::fail_safe`.
    #[must_use]
    pub fn config(&self, repo: Option<&Repo>) -> Config {
        self.readable_config(repo).unwrap_or_else(|_| Config::fail_safe())
    }

    /// As [`Self::config`], for work that has to wait without settings in force.
    ///
    /// # Errors
    /// [`Unreadable`], noted as a problem.
    pub fn readable_config(&self, repo: Option<&Repo>) -> Result<Config, Unreadable> {
        let is_settled = |version: &Version| version.is_older_than(self.clock.now() - FRESH);
        let reading = {
            let mut last_good = self.settings.last_good.lock();
            last_good.read_settings(&self.paths, repo, &self.settings.overrides, is_settled)
        };
        // The problem log is best effort: the settings in force do not depend on it.
        for Unreadable { what, hint } in &reading.complaints {
            drop(self.store.note_problem(self.clock.now(), what, hint));
        }
        for hint in &reading.readable {
            self.settle_noted(hint, self.clock.now());
        }
        reading.config
    }

    /// Marks a repository: its events wait for readable settings.
    pub(super) fn block(&self, common_dir: &Path) {
        self.settings.blocked.lock().insert(common_dir.to_owned());
    }

    /// The common directories of the repositories with events that wait for readable settings.
    pub(super) fn blocked(&self) -> Vec<PathBuf> {
        self.settings.blocked.lock().iter().cloned().collect()
    }

    /// Whether events wait for readable settings.
    #[must_use]
    pub fn has_blocked(&self) -> bool {
        !self.settings.blocked.lock().is_empty()
    }

    /// Retries the events that wait for readable settings, unless the user's file alone blocks them and still cannot be
    /// read. Blocking.
    pub fn recheck_blocked(&self) {
        if self.has_blocked() && self.readable_config(None).is_ok() {
            self.settings.blocked.lock().clear();
        }
    }
}

impl Services {
    /// The capture templates in force, with the user's own. Faults in those are noted as problems.
    #[must_use]
    pub fn capture_templates(&self) -> Arc<Variants> {
        let (variants, changed) = self.templates.current();
        if let Some(changed) = changed {
            self.settle_noted(&self.template_hint(), changed);
            variants.complaints().iter().for_each(|complaint| self.complain_of_template(complaint));
        }
        variants
    }

    /// Notes that `store.url` asks for an unsupported store, and settles that once it does not. Best effort.
    pub fn review_store_setting(&self, config: &Config) {
        let hint = format!("uro-capture config set store.url {STORE_URL}");
        let now = self.clock.now();
        match config.store.unused(&self.paths.database()) {
            Some(unused) => drop(self.store.note_problem(now, &unused, &hint)),
            None => self.settle_noted(&hint, now),
        }
    }

    /// Settles problems with this hint that were noted before `mended`.
    fn settle_noted(&self, hint: &str, mended: Timestamp) {
        // Best effort, like noting.
        drop(self.store.resolve_problems(hint, mended));
    }

    fn template_hint(&self) -> String {
        format!("mend or remove it in {}", template_cache::folder(&self.paths).display())
    }

    /// Notes that the user's own template was not used. Best effort: the built-in one stood in.
    pub fn complain_of_template(&self, complaint: &str) {
        drop(self.store.note_problem(self.clock.now(), complaint, &self.template_hint()));
    }

    /// Version of the registry: rises whenever this process registers a repository, or finds one that was moved.
    #[must_use]
    pub fn registry_version(&self) -> u64 {
        self.registry_version.load(Ordering::Relaxed)
    }

    pub(super) fn bump_registry_version(&self) {
        self.registry_version.fetch_add(1, Ordering::Relaxed);
    }

    /// The model of texts about several captures, with the settings of the user.
    #[must_use]
    pub fn text_model(&self, urgency: Urgency) -> Box<dyn DraftModel> {
        Box::new(BatchModel { models: Arc::clone(&self.models), config: self.config(None), urgency })
    }
}

#[derive(Default)]
struct Settings {
    overrides: Overrides,
    last_good: Mutex<LastGood>,
    /// Repositories with events that wait for readable settings, by their common directories.
    blocked: Mutex<HashSet<PathBuf>>,
}

/// Version of a file: size, inode and the times of its last changes (nanoseconds). Absent while there is no file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Version(Option<[i64; 6]>);

/// A file changed this lately may change again without a new time: file systems count in ticks.
pub(super) const FRESH: Duration = Duration::from_secs(1);

impl Version {
    fn is_older_than(&self, time: Timestamp) -> bool {
        self.0.is_none_or(|[_, _, changed, ..]| changed < time.as_second())
    }

    /// The file exists and is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_some_and(|[size, ..]| size == 0)
    }

    pub(super) fn is_absent(&self) -> bool {
        self.0.is_none()
    }

    /// Time of the change, as precise as the file system's.
    pub(super) fn changed(&self) -> Option<Timestamp> {
        let [.., seconds, nanos] = self.0?;
        Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()
    }

    pub(super) fn of(file: &Path) -> Self {
        let stamp = |found: std::fs::Metadata| {
            let (size, inode) = (found.size().cast_signed(), found.ino().cast_signed());
            [size, inode, found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()]
        };
        Self(std::fs::metadata(file).ok().map(stamp))
    }
}

/// Exclusion filter: paths and repositories that are never read.
#[derive(Debug, Clone)]
pub struct Exclusions {
    repos: GlobSet,
    /// Allow list; where it is set, no other repository is captured.
    only: Option<GlobSet>,
    paths: GlobSet,
    /// Of `paths` the patterns that exclude more than lockfiles in general.
    kept_shut: GlobSet,
}

/// Patterns that keep lockfiles out of prompts; their package names may still be read.
const LOCKFILES: [&str; 2] = ["*.lock", "**/*.lock"];

impl Exclusions {
    /// Globs were validated with the settings; an invalid one excludes everything, because reading what the user meant
    /// to exclude is the worse mistake.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let capture = &config.capture;
        let means_more = |pattern: &&String| !LOCKFILES.contains(&pattern.as_str());
        let kept_shut: Vec<String> = capture.exclude_paths.iter().filter(means_more).cloned().collect();
        let everything = || globs(&["**".to_owned()]).unwrap_or_else(GlobSet::empty);
        let denied = |patterns: &[String]| globs(patterns).unwrap_or_else(everything);
        Self {
            repos: denied(&capture.exclude_repos),
            only: (!capture.only_repos.is_empty()).then(|| globs(&capture.only_repos).unwrap_or_else(GlobSet::empty)),
            paths: denied(&capture.exclude_paths),
            kept_shut: denied(&kept_shut),
        }
    }

    /// Whether a worktree is excluded: by its own path, or by the path of its repository's main work tree.
    #[must_use]
    pub fn place(&self, place: &RepoLocation) -> bool {
        let tree = place.work_tree.as_deref().unwrap_or(&place.common_dir);
        let main = place.common_dir.parent().filter(|_| place.common_dir.ends_with(".git"));
        self.repo(tree) || main.is_some_and(|main| self.repos.is_match(main))
    }

    fn repo(&self, work_tree: &Path) -> bool {
        self.repos.is_match(work_tree) || self.only.as_ref().is_some_and(|only| !only.is_match(work_tree))
    }

    /// `*.lock` matches a file of that name anywhere, as in `.gitignore`.
    #[must_use]
    pub fn path(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.paths.is_match(path) || self.paths.is_match(name)
    }

    /// Whether the packages of the lockfile at this path may be read: only the pattern for all lockfiles excludes it.
    #[must_use]
    pub fn packages(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        !self.kept_shut.is_match(path) && !self.kept_shut.is_match(name)
    }

    /// Reads a commit as far as the exclusions allow.
    ///
    /// # Errors
    /// As [`Repo::commit`].
    pub fn commit(&self, repo: &Repo, oid: &Oid) -> Result<Commit, GitError> {
        let (excluded, packages) = (|path: &str| self.path(path), |path: &str| self.packages(path));
        repo.commit_with(oid, &Bounds::default(), Exclude { excluded: &excluded, packages: &packages })
    }
}

/// `None` where one of them is invalid.
fn globs(patterns: &[String]) -> Option<GlobSet> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(Glob::new(pattern).ok()?);
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;

    #[test]
    fn an_edit_of_the_settings_takes_effect_at_once_and_a_broken_one_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::from_home(home.path());
        let file = paths.config_file();
        let services = Services::open(paths, Overrides::default(), Arc::new(SystemClock)).unwrap();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let write = |text: &str| std::fs::write(&file, text).unwrap();
        let seconds = || services.config(None).capture.budget.as_secs();
        assert_eq!(seconds(), 2);
        for n in [3, 4, 5] {
            // Equal length, and within one tick of a coarse clock.
            write(&format!("[capture]\nbudget = \"{n}s\"\n"));
            assert_eq!((seconds(), seconds()), (n, n));
        }
        write("[capture]\nbudget = \"soon\"\n");
        assert_eq!(seconds(), 5);
        assert_eq!(services.store.problems(Timestamp::MIN).unwrap().len(), 1);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(seconds(), 2);
    }

    fn exclusions(repos: &[&str], only: &[&str], paths: &[&str]) -> Exclusions {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let mut config = Config::default();
        config.capture.exclude_repos = owned(repos);
        config.capture.only_repos = owned(only);
        config.capture.exclude_paths = owned(paths);
        Exclusions::of(&config)
    }

    #[test]
    fn a_bare_name_pattern_matches_in_every_directory() {
        let excluded = exclusions(&[], &[], &["*.lock", "dist/**"]);
        assert!(excluded.path("Cargo.lock") && excluded.path("a/b/yarn.lock") && excluded.path("dist/app.js"));
        assert!(!excluded.path("src/lock.rs") && !excluded.path("src/dist.rs"));
    }

    #[test]
    fn the_packages_of_lockfiles_are_told_unless_something_else_excludes_them() {
        let excluded = exclusions(&[], &[], &["*.lock", "dist/**", "private/**", "uv.lock"]);
        assert!(excluded.packages("Cargo.lock") && excluded.packages("web/yarn.lock"));
        for path in ["dist/Cargo.lock", "private/a/Cargo.lock", "uv.lock", "a/uv.lock"] {
            assert!(excluded.path(path) && !excluded.packages(path), "{path}");
        }
        assert!(!exclusions(&[], &[], &["*.lock", "["]).packages("Cargo.lock"));
    }

    #[test]
    fn a_linked_worktree_is_excluded_with_its_repository_and_a_submodule_is_not() {
        let place = |common_dir: &str, work_tree: &str| RepoLocation {
            id: crate::domain::id::RepoId::from_stored("00ff".into()),
            git_dir: common_dir.into(),
            common_dir: common_dir.into(),
            work_tree: Some(work_tree.into()),
            project: "secret".into(),
        };
        let excluded = exclusions(&["/home/me/secret"], &[], &[]);
        assert!(excluded.place(&place("/home/me/secret/.git", "/home/me/secret")));
        assert!(excluded.place(&place("/home/me/secret/.git", "/tmp/linked")));
        assert!(!excluded.place(&place("/home/me/secret/.git/modules/lib", "/home/me/secret/lib")));
        assert!(exclusions(&["/tmp/linked"], &[], &[]).place(&place("/home/me/shop/.git", "/tmp/linked")));
    }

    #[test]
    fn a_broken_pattern_excludes_everything_rather_than_nothing() {
        assert!(exclusions(&["["], &[], &[]).repo(Path::new("/home/me/work")));
        assert!(exclusions(&[], &["/home/**", "["], &[]).repo(Path::new("/home/me/work")));
    }

    #[test]
    fn a_list_of_allowed_repositories_denies_the_others_and_what_is_denied_stays_denied() {
        let excluded = exclusions(&["/home/me/work/secret"], &["/home/me/work/**"], &[]);
        assert!(!excluded.repo(Path::new("/home/me/work/shop")));
        assert!(excluded.repo(Path::new("/home/me/play")) && excluded.repo(Path::new("/home/me/work/secret")));
        assert!(!exclusions(&[], &[], &[]).repo(Path::new("/home/me/play")), "no list: everything");
    }
}
