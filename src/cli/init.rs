//! `uro-capture init` and `deinit`: a repository's commits are captured from now on, or no longer.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::app::App;
use super::failure::Failure;
use super::hooks;
use super::ui::Exit;
use crate::domain::event::Means;
use crate::git::repo::Repo;
use crate::githooks::{self, Location, Note, Plan};
use crate::pipeline::{rebuild, reconcile};
use crate::store::Registered;

#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// A directory in the repository (default: the current one)
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// For all repositories (not in this version)
    #[arg(long)]
    pub global: bool,
    /// Only list every file that would be written
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Args)]
pub struct DeinitArgs {
    /// A directory in the repository (default: the current one)
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// For all repositories (not in this version)
    #[arg(long)]
    pub global: bool,
    /// Only list every file that would be changed
    #[arg(long)]
    pub dry_run: bool,
}

/// What was done (or would be).
#[derive(Debug, Serialize)]
struct Done {
    repo: PathBuf,
    project: String,
    /// Every path that was written, renamed or removed.
    writes: Vec<PathBuf>,
    dry_run: bool,
}

/// # Errors
/// No repository, `core.hooksPath` points elsewhere, or something cannot be written.
pub fn run(app: &App, args: &InitArgs) -> Result<Exit, Failure> {
    refuse_global(args.global, "init")?;
    let repo = repo_at(app, args.path.as_ref())?;
    let program = hooks::program(app)?;
    let place = hooks::location(&repo)?;
    if let (Location::WorkTree(_) | Location::Shared(_), Some((_, origin))) = (&place, repo.hooks_path()?) {
        return Err(hooks::refusal(&place, &origin, &program));
    }
    let plan = githooks::plan_install(place.dir(), &program)?;
    let mut writes: Vec<PathBuf> = plan.writes().into_iter().map(PathBuf::from).collect();
    writes.extend(kept_in(app));
    let mut what = "is captured from now on";
    if !args.dry_run && !install(app, &repo, &plan)? && plan.writes().is_empty() {
        what = "was captured already; its hooks are in place";
    }
    report(app, named(&repo), writes, args.dry_run, what)?;
    tell_notes(app, &plan);
    Ok(Exit::Done)
}

/// # Errors
/// No repository, or something cannot be written.
pub fn undo(app: &App, args: &DeinitArgs) -> Result<Exit, Failure> {
    refuse_global(args.global, "deinit")?;
    let repo = match repo_at(app, args.path.as_ref()) {
        Ok(repo) => repo,
        Err(failure) => return forget_gone(app, args, failure),
    };
    let plan = removal(&repo)?;
    let mut writes: Vec<PathBuf> = plan.writes().into_iter().map(PathBuf::from).collect();
    if !args.dry_run {
        githooks::apply(&plan)?;
    }
    let mut known = false;
    // Without a database nothing was ever registered, and none is made to say so.
    if app.paths.database().exists() {
        writes.extend(kept_in(app));
        if !args.dry_run {
            let store = app.store()?;
            known = store.registered()?.iter().any(|known| known.id == repo.place().id);
            store.unregister(&repo.place().id)?;
            rebuild::write_mirror(store.as_ref(), &app.paths)?;
        }
    }
    let what = match known || !plan.writes().is_empty() {
        true => NO_LONGER,
        false => "was not captured; nothing was changed",
    };
    report(app, named(&repo), writes, args.dry_run, what)?;
    tell_notes(app, &plan);
    Ok(Exit::Done)
}

/// A registered repository that was moved or deleted: there are no hooks left to remove.
fn forget_gone(app: &App, args: &DeinitArgs, failure: Failure) -> Result<Exit, Failure> {
    if !app.paths.database().exists() {
        return Err(failure);
    }
    let path = args.path.as_ref().map_or_else(|| app.cwd.clone(), |path| app.cwd.join(path));
    let store = app.store()?;
    // One that is there and cannot be read has its hooks still.
    let gone = |known: &Registered| known.path == path && !known.common_dir.exists();
    let Some(gone) = store.registered()?.into_iter().find(gone) else { return Err(failure) };
    if !args.dry_run {
        store.unregister(&gone.id)?;
        rebuild::write_mirror(store.as_ref(), &app.paths)?;
    }
    report(app, (gone.project, path), kept_in(app).into(), args.dry_run, NO_LONGER)?;
    Ok(Exit::Done)
}

const NO_LONGER: &str = "is no longer captured; what was captured stays";

/// The hooks are taken out of the repository's own directory, where `init` puts them, and out of the one inside
/// the repository that `core.hooksPath` may name by now.
fn removal(repo: &Repo) -> Result<Plan, Failure> {
    let own = repo.place().common_dir.join("hooks");
    let mut plan = githooks::plan_remove(&own)?;
    if let Location::Repository(dir) = hooks::location(repo)?
        && dir != own
    {
        let other = githooks::plan_remove(&dir)?;
        plan.steps.extend(other.steps);
        plan.notes.extend(other.notes);
    }
    Ok(plan)
}

/// Where a registration is written: the database, and the list beside it that survives a damaged one.
fn kept_in(app: &App) -> [PathBuf; 2] {
    [app.paths.database(), app.paths.repositories()]
}

fn refuse_global(global: bool, command: &str) -> Result<(), Failure> {
    if !global {
        return Ok(());
    }
    Err(Failure::input("this version works on one repository at a time")
        .hint(format!("for dir in REPOSITORIES; do uro-capture {command} \"$dir\"; done")))
}

fn repo_at(app: &App, path: Option<&PathBuf>) -> Result<Repo, Failure> {
    let path = path.map_or_else(|| app.cwd.clone(), |path| app.cwd.join(path));
    if !path.exists() {
        return Err(Failure::input(format!("{} does not exist", path.display())).hint("give a directory that exists"));
    }
    Ok(Repo::discover(&path)?)
}

/// Registers first: a hook that fires at once finds its repository known. A failed hook takes that back.
/// True when the repository was not known before.
fn install(app: &App, repo: &Repo, plan: &Plan) -> Result<bool, Failure> {
    let store = app.store()?;
    let known = store.registered()?.into_iter().find(|known| known.id == repo.place().id);
    store.register(&registration(app, repo, known.as_ref()))?;
    if let Err(error) = githooks::apply(plan) {
        if known.is_none() {
            store.unregister(&repo.place().id)?;
        }
        return Err(error.into());
    }
    rebuild::write_mirror(store.as_ref(), &app.paths)?;
    Ok(known.is_none())
}

/// Commits count from the first `init` on: doing it again, or after a move, keeps that.
fn registration(app: &App, repo: &Repo, known: Option<&Registered>) -> Registered {
    let place = repo.place();
    Registered {
        id: place.id.clone(),
        path: place.work_tree.clone().unwrap_or_else(|| place.common_dir.clone()),
        common_dir: place.common_dir.clone(),
        project: place.project.clone(),
        since: known.map_or_else(|| app.clock.now(), |known| known.since),
        means: Means::File,
        inode: reconcile::inode(&place.common_dir),
    }
}

/// Project and path, as a report names a repository.
fn named(repo: &Repo) -> (String, PathBuf) {
    let place = repo.place();
    (place.project.clone(), place.work_tree.clone().unwrap_or_else(|| place.common_dir.clone()))
}

fn report(
    app: &App,
    (project, path): (String, PathBuf),
    writes: Vec<PathBuf>,
    dry_run: bool,
    what: &str,
) -> Result<(), Failure> {
    if app.json {
        return app.ui.json(&Done { repo: path, project, writes, dry_run });
    }
    if dry_run {
        return writes.iter().try_for_each(|path| app.ui.line(&path.display().to_string()));
    }
    for path in &writes {
        app.ui.detail(&format!("wrote {}", path.display()));
    }
    app.ui.line(&format!("{project} ({}) {what}", path.display()))
}

fn tell_notes(app: &App, plan: &Plan) {
    for note in &plan.notes {
        app.ui.warn(&match note {
            Note::Edited(path) => format!("{} was changed by hand and is kept as it is", path.display()),
            Note::Kept(path) => format!("{} is a hook from before that nothing calls; it is kept", path.display()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_repositories_at_once_is_refused_with_a_way_around() {
        assert!(refuse_global(false, "init").is_ok());
        let failure = refuse_global(true, "init").unwrap_err();
        assert_eq!(failure.code(), 1);
        assert!(failure.hint.unwrap().contains("uro-capture init \"$dir\""));
    }

    /// A repository made by git itself, with nothing of the machine's configuration.
    fn repository() -> (tempfile::TempDir, Repo) {
        let top = tempfile::tempdir().unwrap();
        git(top.path(), &["init", "-q"]);
        let repo = Repo::discover(top.path()).unwrap();
        (top, repo)
    }

    fn git(dir: &std::path::Path, args: &[&str]) {
        let mut command = std::process::Command::new("git");
        command.args(args).current_dir(dir).env("HOME", dir).env("GIT_CONFIG_NOSYSTEM", "1");
        for name in crate::config::env::git_variables() {
            command.env_remove(name);
        }
        assert!(command.env("GIT_CONFIG_GLOBAL", "/dev/null").status().unwrap().success(), "git {args:?}");
    }

    #[test]
    fn hooks_are_removed_also_when_core_hooks_path_was_set_since() {
        let (top, repo) = repository();
        let own = repo.place().common_dir.join("hooks");
        let program = top.path().join("uro-hook");
        std::fs::copy("/bin/sh", &program).unwrap();
        githooks::apply(&githooks::plan_install(&own, &program).unwrap()).unwrap();
        assert!(own.join("post-commit").exists());
        git(top.path(), &["config", "core.hooksPath", ".husky"]);
        let plan = removal(&Repo::discover(top.path()).unwrap()).unwrap();
        githooks::apply(&plan).unwrap();
        assert!(!own.join("post-commit").is_symlink() && !own.join("post-commit").exists());
        assert!(removal(&repo).unwrap().is_empty(), "a second time there is nothing to do");
    }
}
