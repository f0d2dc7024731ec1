//! Fixtures and tests of the pipeline over real repositories: each commit is captured exactly once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::ingest::{self, EventOutcome, LastRepo};
use super::job::Job;
use super::services::Services;
use super::{enrich, reconcile, registry, waiting};
use crate::config::{Overrides, Paths};
use crate::domain::capture::{Capture, CaptureState, Reason};
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::event::{Event, HookMode, HookName, Source};
use crate::domain::id::Oid;
use crate::git::repo::Repo;
use crate::store::{CaptureQuery, RegisteredRepo};

mod catch_up;
mod identity;
mod lifetime;
mod notes;
mod own_templates;
mod poison_guard;
mod reconcile_tests;
mod registry_tests;
mod sequences;
mod settings;
mod storm;
mod unnamed;

/// A home, a store and a git that is isolated from this machine's settings.
pub struct PipelineFixture {
    dir: tempfile::TempDir,
    pub services: Services,
    second: AtomicI64,
}

impl PipelineFixture {
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::from_home(&dir.path().join("uro"));
        let services = Services::open(paths, Overrides::default(), clock).unwrap();
        Self { dir, services, second: AtomicI64::new(1_700_000_000) }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the settings of the user.
    pub fn configure(&self, toml: &str) {
        let file = self.services.paths.config_file();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, toml).unwrap();
    }

    /// Backdates the settings.
    pub fn age_settings(&self) {
        let file = std::fs::File::options().append(true).open(self.services.paths.config_file()).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).unwrap();
    }

    /// A fresh repository, registered.
    pub fn repo(&self, name: &str) -> TestRepo<'_> {
        let place = self.plain(name);
        place.register(HookMode::Watch);
        place
    }

    /// A fresh repository without registration.
    pub fn plain(&self, name: &str) -> TestRepo<'_> {
        std::fs::create_dir_all(self.path(name)).unwrap();
        let place = self.at(name);
        place.git(&["init", "-q", "--initial-branch=main"]);
        place
    }

    /// As `repo`, with reftable; `None` where git does not support it.
    pub fn reftable(&self, name: &str) -> Option<TestRepo<'_>> {
        std::fs::create_dir_all(self.path(name)).unwrap();
        let place = self.at(name);
        let init = ["init", "-q", "--initial-branch=main", "--ref-format=reftable"];
        let is_supported = place.command(&init).output().unwrap().status.success();
        is_supported.then_some(place)
    }

    pub fn at(&self, name: &str) -> TestRepo<'_> {
        TestRepo { scene: self, path: self.path(name) }
    }

    /// Reads the logs of all registered repositories and processes everything; returns the number of new events.
    pub fn reconcile(&self) -> usize {
        let events = reconcile::all(&self.services, Source::Reconcile);
        self.work();
        events
    }

    /// Processes all ready events without a model; returns the jobs that would have asked one.
    pub fn work(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        loop {
            let ready = waiting::ready(&self.services, 16).unwrap();
            if ready.events.is_empty() {
                return jobs;
            }
            let mut last = LastRepo::default();
            for (event, without) in &ready.events {
                match ingest::process_event(&self.services, &mut last, event, *without, true).unwrap() {
                    EventOutcome::Done(done) => {
                        for job in done.jobs {
                            enrich::finish_without_model(&self.services, &job, Reason::Refused).unwrap();
                            jobs.push(job);
                        }
                    }
                    EventOutcome::Closed(_) | EventOutcome::Blocked(_) => {}
                    EventOutcome::Later(why) => panic!("put off on the last try: {why}"),
                }
            }
        }
    }

    pub fn problems(&self) -> Vec<String> {
        let all = self.services.store.problems(jiff::Timestamp::MIN).unwrap();
        all.into_iter().map(|(_, what, hint)| format!("{what} | {hint}")).collect()
    }
}

/// A repository of the fixture.
pub struct TestRepo<'a> {
    scene: &'a PipelineFixture,
    pub path: PathBuf,
}

impl TestRepo<'_> {
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        let path = std::env::vars_os().find(|(name, _)| name == "PATH").map(|(_, value)| value).unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.scene.dir.path()).current_dir(&self.path);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_EDITOR", "true");
        let date = format!("{} +0000", self.scene.second.fetch_add(1, Ordering::Relaxed));
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_DATE"), &date);
        }
        command.args(["-c", "protocol.file.allow=always"]).args(args);
        command
    }

    pub fn git(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Sets the committer from here on.
    pub fn user(&self, email: &str) -> &Self {
        self.git(&["config", "user.name", "A U Thor"]);
        self.git(&["config", "user.email", email]);
        self
    }

    pub fn open(&self) -> Repo {
        Repo::discover(&self.path).unwrap()
    }

    pub fn register(&self, means: HookMode) -> RegisteredRepo {
        let repo = self.open();
        if self.command(&["config", "user.email"]).output().unwrap().stdout.is_empty() {
            self.user("author@example.com");
        }
        let registered = registry::registration(&repo, means, self.scene.services.clock.now());
        self.scene.services.store.register(&registered).unwrap();
        reconcile::begin(&self.scene.services, &repo).unwrap();
        registered
    }

    pub fn write(&self, file: &str, content: &str) -> &Self {
        let path = self.path.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub fn commit(&self, file: &str, content: &str, message: &str) -> Oid {
        self.write(file, content);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.head()
    }

    pub fn head(&self) -> Oid {
        self.git(&["rev-parse", "HEAD"]).parse().unwrap()
    }

    /// A hook's report, now.
    pub fn report(&self, hook: HookName, rewrites: &[(Oid, Oid)]) {
        self.record_event(&Event {
            stamp: self.scene.services.clock.now(),
            source: Source::Hook,
            hook: Some(hook),
            git_dir: self.path.join(".git"),
            oid: Some(self.head()),
            rewrites: rewrites.to_vec(),
            in_sequence: crate::hook::head::in_sequence(&self.path.join(".git")),
        });
    }

    pub fn record_event(&self, event: &Event) {
        self.scene.services.store.insert_event(event).unwrap();
    }

    pub fn captures(&self, all_states: bool) -> Vec<Capture> {
        let query =
            CaptureQuery { repo: Some(self.open().location().id.clone()), all_states, ..CaptureQuery::default() };
        self.scene.services.store.captures(&query).unwrap()
    }

    /// The live captures' subjects, oldest first.
    pub fn live(&self) -> Vec<String> {
        let subject = |capture: Capture| capture.commit.unwrap().subject;
        self.captures(false).into_iter().rev().map(subject).collect()
    }

    /// The one live capture, and how many it replaced directly.
    pub fn only(&self) -> (Capture, usize) {
        let mut live = self.captures(false);
        assert_eq!(live.len(), 1, "{:?}", self.live());
        let one = live.remove(0);
        let replaced = one.supersedes.len();
        (one, replaced)
    }

    pub fn superseded(&self) -> usize {
        self.captures(true).iter().filter(|capture| capture.state == CaptureState::Superseded).count()
    }
}

/// The path as text for a command line.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
