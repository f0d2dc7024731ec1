//! `uro-capture init` and `deinit`: registers a repository and installs its hooks, and the reverse.

mod global;
mod repository;
mod search;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::app::App;
use super::failure::Failure;
use super::hooks::git_environment::GitEnvironment;
use super::hooks::locations::ManualLines;
use super::service::{self, Autostart};
use super::ui::Exit;
use crate::domain::event::HookMode;
use crate::git::repo::Repo;
use crate::githooks::{HookPlan, Note};

#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// A directory in the repository (default: the current one); with --global, directories whose repositories are
    /// all captured
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// For all repositories: without PATH those of this user from now on (git 2.54 or later), else those below PATH
    #[arg(long)]
    pub global: bool,
    /// Install no hooks, and remove those of before: the sidecar watches the repository's logs
    #[arg(long, conflicts_with = "global")]
    pub watch: bool,
    /// Only list every file that would be written
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Args)]
pub struct DeinitArgs {
    /// A directory in the repository (default: the current one)
    #[arg(value_name = "PATH", conflicts_with = "global")]
    pub path: Option<PathBuf>,
    /// For all repositories
    #[arg(long)]
    pub global: bool,
    /// Only list every file that would be changed
    #[arg(long)]
    pub dry_run: bool,
}

/// What was done (or would be) in one repository.
#[derive(Debug, Serialize)]
struct InitResult {
    repo: PathBuf,
    project: String,
    /// All written, renamed or removed paths.
    writes: Vec<PathBuf>,
    dry_run: bool,
    /// Source of commit events: `config`, `file`, `watch`; absent after `deinit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    means: Option<HookMode>,
    /// Commits are made without hooks, all or some (jj's): only the sidecar detects those.
    needs_sidecar: bool,
    /// Lines to add by hand where nothing was written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    by_hand: Vec<ManualLines>,
    /// The same as text.
    #[serde(skip)]
    what: String,
}

/// # Errors
/// No repository, or a write failed.
pub fn run(app: &App, args: &InitArgs) -> Result<Exit, Failure> {
    if args.global {
        return global::run(app, &args.paths, args.dry_run);
    }
    if args.paths.len() > 1 {
        let message = "init takes one repository at a time, or directories with --global";
        return Err(Failure::usage(message).hint("uro-capture init --global DIR…"));
    }
    let repo = repo_at(app, args.paths.first())?;
    let around = GitEnvironment::new(app.env(), repository::load_global_mark(app)?);
    let (done, plan) =
        repository::capture(app, &repo, &around, repository::InitOptions { watch: args.watch, dry_run: args.dry_run })?;
    let sidecar_runs = !args.dry_run && repository::announce(app, done.needs_sidecar);
    report(app, &done)?;
    if sidecar_runs {
        print_service_hint(app)?;
    }
    tell_notes(app, &plan);
    Ok(Exit::Done)
}

/// # Errors
/// No repository, or a write failed.
pub fn run_deinit(app: &App, args: &DeinitArgs) -> Result<Exit, Failure> {
    if args.global {
        return global::run_deinit_global(app, args.dry_run);
    }
    let (done, plan) = match repo_at(app, args.path.as_ref()) {
        Ok(repo) => repository::uninstall(app, &repo, args.dry_run)?,
        Err(failure) => (repository::forget_missing(app, args, failure)?, HookPlan::default()),
    };
    report(app, &done)?;
    tell_notes(app, &plan);
    Ok(Exit::Done)
}

fn repo_at(app: &App, path: Option<&PathBuf>) -> Result<Repo, Failure> {
    let path = path.map_or_else(|| app.cwd.clone(), |path| app.cwd.join(path));
    if !path.exists() {
        return Err(Failure::input(format!("{} does not exist", path.display())).hint("give a directory that exists"));
    }
    Ok(Repo::discover(&path)?)
}

fn report(app: &App, done: &InitResult) -> Result<(), Failure> {
    if app.json {
        return app.ui.json(done);
    }
    if done.dry_run {
        return done.writes.iter().try_for_each(|path| app.ui.line(&path.display().to_string()));
    }
    for path in &done.writes {
        app.ui.detail(&format!("wrote {}", path.display()));
    }
    app.ui.line(&done.line())?;
    done.by_hand.iter().flat_map(ManualLines::describe).try_for_each(|line| app.ui.line(&format!("  {line}")))
}

impl InitResult {
    /// Of a repository that is no longer captured.
    fn released(repo: PathBuf, project: String, writes: Vec<PathBuf>, dry_run: bool, what: String) -> Self {
        Self { repo, project, writes, dry_run, means: None, needs_sidecar: false, by_hand: Vec::new(), what }
    }

    fn line(&self) -> String {
        format!("{} ({}) {}", self.project, self.repo.display(), self.what)
    }
}

/// How a sidecar that watches repositories without hooks is kept running.
fn print_service_hint(app: &App) -> Result<(), Failure> {
    if app.json {
        return Ok(());
    }
    app.ui.line(match service::autostart(app) {
        Autostart::Installed => "  the sidecar runs now, and from each login on",
        Autostart::Possible => {
            "  the sidecar runs now, and stays until the machine stops; from each login on: uro-capture sidecar install"
        }
        Autostart::Impossible => {
            "  the sidecar runs now, and stays until the machine stops; after that: uro-capture sidecar start"
        }
    })
}

fn tell_notes(app: &App, plan: &HookPlan) {
    for note in &plan.notes {
        app.ui.warn(&match note {
            Note::Edited(path) => format!("{} was changed by hand and is kept as it is", path.display()),
            Note::Kept(path) => format!("{} is a hook from before that nothing calls; it is kept", path.display()),
        });
    }
}
