//! Many small repositories of one home: copies of one, registered as `init` registers them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use uro_capture::config::{Overrides, Paths};
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::event::HookMode;
use uro_capture::domain::id::RepoId;
use uro_capture::git::Repo;
use uro_capture::pipeline::reconcile;
use uro_capture::pipeline::registry::registration;
use uro_capture::pipeline::services::Services;
use uro_capture::store::sqlite::SqliteStore;

use crate::report::Result;
use crate::stage::Stage;
use crate::{Run, commits};

/// One of many.
pub struct Member {
    pub work: PathBuf,
    pub id: RepoId,
}

/// Repositories that nobody reports from, then some with our hooks.
pub struct Crowd {
    pub stage: Stage,
    pub watched: Vec<Member>,
    pub hooked: Vec<Member>,
}

/// How many of each.
#[derive(Clone, Copy)]
pub struct Size {
    pub watched: usize,
    pub hooked: usize,
}

impl Crowd {
    pub fn gather(run: &Run, name: &str, size: Size) -> Result<Self> {
        let base = run.place(name);
        // Its home is the others' too.
        let stage = Stage::new(&base.join("home"), &base.join("model/hooked"), Some(&run.hook))?;
        let bare = Stage::new(&base.join("home"), &base.join("model/bare"), None)?;
        settle(&stage.home)?;
        for stage in [&stage, &bare] {
            commits::first(stage)?;
        }
        let services = services(&stage.home)?;
        let member = |from: &Path, name: String, means| {
            let work = base.join("repositories").join(name);
            copy(&from.join(".git"), &work.join(".git"))?;
            let id = register(&services, &work, means)?;
            Ok(Member { work, id })
        };
        let watched = (0..size.watched).map(|n| member(&bare.work, format!("watched-{n}"), HookMode::Watch));
        let watched = watched.collect::<Result<Vec<_>>>()?;
        let hooked = (0..size.hooked).map(|n| member(&stage.work, format!("hooked-{n}"), HookMode::File));
        let hooked = hooked.collect::<Result<Vec<_>>>()?;
        Ok(Self { stage, watched, hooked })
    }

    pub fn len(&self) -> usize {
        self.watched.len() + self.hooked.len()
    }

    /// Starts the sidecar; all are watched when this returns. Gives its process id.
    pub fn watch(&mut self) -> Result<u64> {
        let pid = self.stage.start_sidecar()?;
        patiently("the repositories are not watched", || Ok(watched(&self.stage)? >= self.len()))?;
        Ok(pid)
    }

    /// As another process sees it.
    pub fn store(&self) -> Result<SqliteStore> {
        Ok(SqliteStore::open(&self.stage.home.join("data/captures.db"))?.store)
    }
}

/// How many repositories the sidecar of this home watches.
fn watched(stage: &Stage) -> Result<usize> {
    let program = stage.program().ok_or("no uro-capture beside the hook")?;
    let output = stage.command(&program).args(["sidecar", "status", "--json"]).output()?;
    let output: Value = serde_json::from_slice(&output.stdout)?;
    Ok(output["watched"].as_u64().unwrap_or(0) as usize)
}

/// Nothing answers where this home's model is looked for.
pub fn settle(home: &Path) -> Result<()> {
    fs::create_dir_all(home.join("config"))?;
    let text = "[models]\ncapture = \"bench:1b\"\n[[endpoints]]\nname = \"local\"\nurl = \"http://127.0.0.1:9\"\n";
    Ok(fs::write(home.join("config/capture.toml"), text)?)
}

/// The parts as a process of this home has them.
pub fn services(home: &Path) -> Result<Services> {
    let paths = Paths::from_home(home);
    Ok(Services::open(paths, Overrides::default(), Arc::new(SystemClock))?)
}

/// What `init` does beside the hooks.
pub fn register(services: &Services, work: &Path, means: HookMode) -> Result<RepoId> {
    let repo = Repo::open_git_dir(&work.join(".git"))?;
    services.store.register(&registration(&repo, means, services.clock.now()))?;
    reconcile::begin(services, &repo)?;
    Ok(repo.location().id.clone())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Looks again and again until it is so.
pub fn patiently(otherwise: &str, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let give_up = SystemClock.instant() + Duration::from_secs(60);
    while !done()? {
        if SystemClock.instant() > give_up {
            return Err(otherwise.into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
