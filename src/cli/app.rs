//! Command context: paths, settings, clock, terminal, and store and repository on demand.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::failure::{Failure, repair_command};
use super::ui::Ui;
use crate::config::{Config, ConfigError, Env, Loaded, Overrides, Paths, load, paths};
use crate::domain::clock::Clock;
use crate::git::GitError;
use crate::git::repo::Repo;
use crate::pipeline::ingest::{self, CaughtUp};
use crate::pipeline::services::Services;
use crate::sidecar::log_file::LogFile;
use crate::sidecar::{client, launch};
use crate::store::{Store, StoreError};

/// A larger backlog of events is announced before the command processes it.
const QUIETLY: u64 = 20;

/// Context of one run of the program.
pub struct App {
    pub paths: Paths,
    pub loaded: Loaded,
    /// Environment and flags, for loading the settings of other repositories.
    pub overrides: Overrides,
    /// Why the settings could not be loaded; the built-in ones apply. Only for commands that work all the same.
    pub broken_config: Option<ConfigError>,
    /// Working directory after `-C`; absolute.
    pub cwd: PathBuf,
    pub clock: Arc<dyn Clock>,
    pub zone: TimeZone,
    /// Print results as JSON.
    pub json: bool,
    pub ui: Arc<Ui>,
    sidecar: OnceLock<bool>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("paths", &self.paths).field("cwd", &self.cwd).finish_non_exhaustive()
    }
}

/// Inputs of a run.
#[derive(Debug)]
pub struct AppOptions {
    pub cwd: PathBuf,
    pub overrides: Overrides,
    /// Keep broken settings as a message of the command, instead of ending the run.
    pub tolerant: bool,
}

impl App {
    /// Finds the paths and loads the settings, including those of the current repository.
    ///
    /// # Errors
    /// No home directory, or invalid settings (unless tolerated).
    pub fn open(start: AppOptions, clock: Arc<dyn Clock>, ui: Arc<Ui>) -> Result<Self, Failure> {
        let paths = Paths::resolve(&start.overrides.env, &start.cwd)?;
        let of_repository = Repo::discover(&start.cwd).and_then(|repo| repo.settings()).unwrap_or_default();
        let (loaded, broken_config) = match load(&paths, &of_repository, &start.overrides) {
            Ok(loaded) => (loaded, None),
            Err(error) if start.tolerant => (built_in(), Some(error)),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            paths,
            loaded,
            broken_config,
            overrides: start.overrides,
            cwd: start.cwd,
            clock,
            zone: TimeZone::system(),
            json: ui.options.json,
            ui,
            sidecar: OnceLock::new(),
        })
    }

    #[must_use]
    pub fn config(&self) -> &Config {
        &self.loaded.config
    }

    #[must_use]
    pub fn env(&self) -> &Env {
        &self.overrides.env
    }

    /// The wired services with an open store. Without a running sidecar, the hooks' backlog is captured first. A stuck
    /// sidecar is replaced in the background.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn services(&self) -> Result<Services, Failure> {
        // First, since a stopped sidecar may hold the store's lock.
        if !self.sidecar_answers() && launch::replace(&self.paths.run, self.clock.as_ref()) {
            self.ui.detail("the sidecar does not answer; another one takes over if it stays so");
        }
        let services = self.open_services()?;
        if let Some(unused) = self.config().store.unused(&self.paths.database()) {
            self.ui.warn(&unused);
        }
        if let Some(error) = &self.broken_config {
            let hint = repair_command(error);
            self.ui
                .warn(&format!("the settings cannot be read, and commits wait until they can: {error}\nhint: {hint}"));
            // Recorded as a problem, for `status`; there are no earlier settings to fall back to.
            drop(services.readable_config(None));
        }
        if !self.sidecar_answers() {
            self.catch_up(&services);
        }
        Ok(services)
    }

    /// Captures the hooks' backlog within a time limit. Failures are ignored: the store can be shown all the same.
    fn catch_up(&self, services: &Services) {
        let announce = |waiting: u64| {
            if waiting > QUIETLY {
                self.ui.note(&format!("no sidecar is running; capturing {waiting} waiting commits"));
            }
        };
        match ingest::catch_up(services, announce) {
            Ok(CaughtUp { left: 0, .. }) => {}
            Ok(CaughtUp { done, left }) => self.ui.warn(&format!(
                "{done} waiting commits were captured, {left} are left; `uro-capture sidecar start` captures the rest"
            )),
            Err(error) => self.ui.warn(&format!("commits wait to be captured: {error}")),
        }
    }

    /// True if a sidecar answers; checked once per run, because a hanging one costs half a second.
    pub fn sidecar_answers(&self) -> bool {
        *self.sidecar.get_or_init(|| client::ping(&self.paths.run).is_some())
    }

    /// [`Self::services`], with the store's own error.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn open_services(&self) -> Result<Services, StoreError> {
        paths::create_private(&self.paths.data).map_err(|error| {
            let message = format!("cannot make {}: {error}", self.paths.data.display());
            StoreError::Unavailable(Box::new(std::io::Error::new(error.kind(), message)))
        })?;
        Services::open(self.paths.clone(), self.overrides.clone(), Arc::clone(&self.clock))
    }

    /// Opens the store alone.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn store(&self) -> Result<Arc<dyn Store>, Failure> {
        Ok(self.services()?.store)
    }

    /// The current repository; `None` outside of any.
    ///
    /// # Errors
    /// The repository exists and cannot be read.
    pub fn repo_if_any(&self) -> Result<Option<Repo>, Failure> {
        match Repo::discover(&self.cwd) {
            Ok(repo) => Ok(Some(repo)),
            Err(GitError::NotARepository { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The current repository.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn repo(&self) -> Result<Repo, Failure> {
        Ok(Repo::discover(&self.cwd)?)
    }

    /// Now, in local time.
    #[must_use]
    pub fn now(&self) -> Zoned {
        self.clock.now().to_zoned(self.zone.clone())
    }

    /// Reads all of standard input, text of at most `limit` bytes.
    ///
    /// # Errors
    /// It is longer, no UTF-8, or cannot be read.
    pub fn read_stdin(&self, limit: usize) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(limit as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| Failure::input("cannot read standard input").because(error.to_string()))?;
        if bytes.len() > limit {
            return Err(Failure::input(format!("standard input is longer than {limit} bytes")).hint("give less"));
        }
        String::from_utf8(bytes)
            .map_err(|_| Failure::input("standard input is not UTF-8").hint("iconv -t UTF-8 FILE | uro-capture …"))
    }

    /// Blocks on one future.
    ///
    /// # Errors
    /// No runtime can be created.
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::input("cannot start").because(error.to_string()))?;
        Ok(runtime.block_on(future))
    }

    /// Redirects tracing to the sidecar's log, which only its owner can read.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn log_to_file(&self) -> Result<(), Failure> {
        let path = self.paths.log();
        let open = || paths::create_private(&self.paths.state).and_then(|()| LogFile::open(&path));
        let file = open().map_err(|error| {
            Failure::input(format!("cannot write {}", path.display()))
                .because(error.to_string())
                .hint("uro-capture doctor")
        })?;
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(file)).finish();
        // Already set: tracing goes to another log, which is fine.
        let _ = tracing::subscriber::set_global_default(subscriber);
        Ok(())
    }
}

/// The built-in settings alone.
fn built_in() -> Loaded {
    let nowhere = Paths::from_home(Path::new("/nonexistent"));
    load(&nowhere, &[], &Overrides::default()).unwrap_or_else(|_| Loaded {
        config: Config::default(),
        values: std::collections::BTreeMap::default(),
        origins: std::collections::BTreeMap::default(),
    })
}
