//! `init --global` and `deinit --global`: all repositories of a user, or all below some directories.
//!
//! Below git 2.54 hooks for all repositories need a global `core.hooksPath`, which would disable every other hook
//! in every repository. So it is never set.

use std::path::PathBuf;

use serde::Serialize;

use super::{InitResult, print_service_hint, repository, search, tell_notes};
use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::hooks;
use crate::cli::hooks::git_environment::{GitEnvironment, GlobalMark, MARK, global_file};
use crate::cli::hooks::locations::ManualLines;
use crate::cli::ui::Exit;
use crate::git::repo::Repo;
use crate::githooks::{self, GithooksError};
use crate::pipeline::rebuild;
use crate::pipeline::services::Exclusions;
use crate::store::{MarkStore, Store};

/// What was done (or would be) to all repositories.
#[derive(Debug, Default, Serialize)]
struct GlobalResult {
    /// The user's git configuration, if it was changed.
    config: Option<PathBuf>,
    repositories: Vec<InitResult>,
    /// Paths that were not covered (or not cleaned), with reasons.
    skipped: Vec<Skipped>,
    /// All written, renamed or removed paths.
    writes: Vec<PathBuf>,
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct Skipped {
    path: PathBuf,
    why: String,
}

/// # Errors
/// Nothing can be covered, or a write failed.
pub fn run(app: &App, dirs: &[PathBuf], dry_run: bool) -> Result<Exit, Failure> {
    let around = GitEnvironment::new(app.env(), repository::load_global_mark(app)?);
    let dirs = match dirs {
        [] if around.has_config_hooks() => return configure(app, &around, dry_run),
        [] => allowed_dirs(app, &around)?,
        dirs => dirs.iter().map(|dir| app.cwd.join(dir)).collect(),
    };
    if let Some(missing) = dirs.iter().find(|dir| !dir.is_dir()) {
        return Err(Failure::input(format!("{} is not a directory", missing.display()))
            .hint("uro-capture init --global DIR… takes directories that exist"));
    }
    let all = capture_below(app, &dirs, &around, dry_run)?;
    let needs_sidecar = all.repositories.iter().any(|done| done.needs_sidecar);
    let sidecar_runs = !dry_run && !all.repositories.is_empty() && repository::announce(app, needs_sidecar);
    report(app, &all)?;
    if sidecar_runs {
        print_service_hint(app)?;
    }
    if all.repositories.is_empty() {
        return Err(
            Failure::input("no repository was found that can be captured").hint("uro-capture init --global DIR…")
        );
    }
    Ok(Exit::Done)
}

fn allowed_dirs(app: &App, around: &GitEnvironment<'_>) -> Result<Vec<PathBuf>, Failure> {
    let dirs = search::fixed_prefixes(&app.config().capture.only_repos);
    if !dirs.is_empty() {
        return Ok(dirs);
    }
    let version = around.git_version().map_or("this git".to_owned(), |(major, minor)| format!("git {major}.{minor}"));
    Err(Failure::input(format!("{version} has no hooks for all repositories (git 2.54 has)"))
        .because("a global core.hooksPath would disable every other hook, so it is never set")
        .hint("uro-capture init --global DIR… installs hooks in every repository below the directories"))
}

/// Adds our lines to the user's git configuration, and the mark that admits events of unregistered repositories.
fn configure(app: &App, around: &GitEnvironment<'_>, dry_run: bool) -> Result<Exit, Failure> {
    let program = hooks::program(app)?;
    let file = global_file(app.env())
        .ok_or_else(|| Failure::input("there is no home directory").hint("HOME=DIR uro-capture init --global"))?;
    let plan = githooks::plan_configure(&file, &program)?;
    let mut writes: Vec<PathBuf> = plan.written_paths().into_iter().map(PathBuf::from).collect();
    writes.push(app.paths.database());
    if !dry_run {
        let store = app.store()?;
        let mark = around.mark.clone().filter(|mark| mark.path == file);
        let mark = mark.unwrap_or_else(|| GlobalMark { path: file.clone(), since: app.clock.now() });
        // The mark first, since a hook may fire at once.
        set_mark(store.as_ref(), Some(&mark))?;
        if let Err(error) = githooks::apply(&plan) {
            set_mark(store.as_ref(), around.mark.as_ref())?;
            return Err(match error {
                GithooksError::ReadOnly(file) => {
                    repository::read_only(app, &file, &program, "uro-capture init --global")
                }
                other => other.into(),
            });
        }
    }
    report(app, &GlobalResult { config: Some(file), writes, dry_run, ..GlobalResult::default() })?;
    Ok(Exit::Done)
}

fn set_mark(store: &dyn MarkStore, mark: Option<&GlobalMark>) -> Result<(), Failure> {
    let text = mark.map(serde_json::to_string).transpose();
    let text = text.map_err(|error| Failure::bug(format!("cannot serialise the mark: {error}")))?;
    Ok(store.set_mark(MARK, text.as_deref())?)
}

fn capture_below(
    app: &App,
    dirs: &[PathBuf],
    around: &GitEnvironment<'_>,
    dry_run: bool,
) -> Result<GlobalResult, Failure> {
    let found = search::find_repositories(dirs);
    let excluded = Exclusions::of(app.config());
    let mut all = GlobalResult { dry_run, ..GlobalResult::default() };
    let mut visited = Vec::new();
    all.skipped.extend(found.skipped.into_iter().map(|path| Skipped { path, why: "was not looked into".to_owned() }));
    for path in found.repositories {
        let repo = match Repo::discover(&path) {
            Ok(repo) => repo,
            Err(error) => {
                all.skipped.push(Skipped { path, why: error.to_string() });
                continue;
            }
        };
        let common_dir = &repo.location().common_dir;
        if visited.contains(common_dir) {
            continue;
        }
        visited.push(common_dir.clone());
        if excluded.place(repo.location()) {
            all.skipped.push(Skipped { path, why: "the settings exclude it".to_owned() });
            continue;
        }
        match repository::capture(app, &repo, around, repository::InitOptions { watch: false, dry_run }) {
            Ok((done, plan)) => {
                tell_notes(app, &plan);
                add_result(&mut all, done);
            }
            Err(failure) => all.skipped.push(Skipped { path, why: format_failure(&failure) }),
        }
    }
    Ok(all)
}

fn add_result(all: &mut GlobalResult, done: InitResult) {
    for path in &done.writes {
        if !all.writes.contains(path) {
            all.writes.push(path.clone());
        }
    }
    all.repositories.push(done);
}

fn format_failure(failure: &Failure) -> String {
    failure.causes.iter().fold(failure.message.clone(), |text, cause| format!("{text}: {cause}"))
}

/// # Errors
/// The user's git configuration or the store cannot be written.
pub fn run_deinit_global(app: &App, dry_run: bool) -> Result<Exit, Failure> {
    let around = GitEnvironment::new(app.env(), repository::load_global_mark(app)?);
    let mut all = GlobalResult { dry_run, ..GlobalResult::default() };
    for file in around.global_files() {
        let plan = githooks::plan_unconfigure(&file)?;
        if plan.is_empty() {
            continue;
        }
        if !dry_run {
            githooks::apply(&plan)?;
        }
        all.writes.push(file.clone());
        all.config = Some(file);
    }
    if app.paths.database().exists() {
        let store = app.store()?;
        all.writes.extend(repository::registry_files(app));
        if !dry_run {
            set_mark(store.as_ref(), None)?;
        }
        release_all(app, store.as_ref(), &mut all)?;
        if !dry_run {
            rebuild::write_mirror(store.as_ref(), &app.paths)?;
            repository::announce(app, false);
        }
    }
    report(app, &all)?;
    Ok(Exit::Done)
}

fn release_all(app: &App, store: &dyn Store, all: &mut GlobalResult) -> Result<(), Failure> {
    for registered in store.registered_repos()? {
        let released = match Repo::open_git_dir(&registered.common_dir) {
            Ok(repo) => repository::plan_removal(&repo),
            // Missing: nothing to remove.
            Err(_) if !registered.common_dir.exists() => Ok(githooks::HookPlan::default()),
            Err(error) => Err(error.into()),
        };
        let released = released.and_then(|plan| {
            if !all.dry_run {
                githooks::apply(&plan)?;
                store.unregister(&registered.id)?;
            }
            Ok(plan)
        });
        match released {
            Ok(plan) => {
                tell_notes(app, &plan);
                let writes = plan.written_paths().into_iter().map(PathBuf::from).collect();
                let what = repository::NO_LONGER.to_owned();
                let dry_run = all.dry_run;
                add_result(all, InitResult::released(registered.path, registered.project, writes, dry_run, what));
            }
            Err(failure) => all.skipped.push(Skipped { path: registered.path, why: format_failure(&failure) }),
        }
    }
    Ok(())
}

fn report(app: &App, all: &GlobalResult) -> Result<(), Failure> {
    if app.json {
        return app.ui.json(all);
    }
    if all.dry_run {
        all.writes.iter().try_for_each(|path| app.ui.line(&path.display().to_string()))?;
    } else {
        lines(app, all)?;
    }
    for skipped in &all.skipped {
        app.ui.warn(&format!("{} is left out: {}", skipped.path.display(), skipped.why));
    }
    Ok(())
}

fn lines(app: &App, all: &GlobalResult) -> Result<(), Failure> {
    if let Some(config) = &all.config {
        app.ui.line(&format!("your git configuration ({}) was changed", config.display()))?;
    }
    let is_global = || all.repositories.is_empty() && GitEnvironment::new(app.env(), None).is_global();
    if all.config.is_some() && is_global() {
        let bounds = if app.config().capture.only_repos.is_empty() { "" } else { " that [capture] only_repos lists" };
        app.ui.line(&format!("every repository{bounds} is captured from its next commit on"))?;
        app.ui.line("  what jj does runs no hooks: its repositories are captured after `uro-capture init` in each")?;
    }
    for done in &all.repositories {
        app.ui.line(&done.line())?;
        done.by_hand.iter().flat_map(ManualLines::describe).try_for_each(|line| app.ui.line(&format!("  {line}")))?;
    }
    if all.config.is_none() && all.repositories.is_empty() && all.skipped.is_empty() {
        app.ui.line("nothing was captured; nothing was changed")?;
    }
    Ok(())
}
