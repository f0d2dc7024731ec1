//! `init --global` and `deinit --global`: all repositories of a user, or all below some directories.
//!
//! Below git 2.54 there is no place where hooks for all repositories could stand without displacing somebody's:
//! a global `core.hooksPath` would switch off every hook in every repository. So none is ever set.

use std::path::PathBuf;

use serde::Serialize;

use super::{Done, one, tell_how_it_stays, tell_notes, walk};
use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::hooks;
use crate::cli::hooks::places::ByHand;
use crate::cli::hooks::surroundings::{MARK, Mark, Surroundings, global_file};
use crate::cli::ui::Exit;
use crate::git::repo::Repo;
use crate::githooks::{self, GithooksError};
use crate::pipeline::rebuild;
use crate::pipeline::services::Exclusions;
use crate::store::Store;

/// What was done (or would be) to all.
#[derive(Debug, Default, Serialize)]
struct All {
    /// The user's git configuration, where it was changed.
    config: Option<PathBuf>,
    repositories: Vec<Done>,
    /// What could not be covered (or left), and why.
    skipped: Vec<Skipped>,
    /// Every path that was written, renamed or removed.
    writes: Vec<PathBuf>,
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct Skipped {
    path: PathBuf,
    why: String,
}

/// # Errors
/// There is nothing that could be covered, or something cannot be written.
pub fn run(app: &App, dirs: &[PathBuf], dry_run: bool) -> Result<Exit, Failure> {
    let around = Surroundings::new(app.env(), one::known_mark(app)?);
    let dirs = match dirs {
        [] if around.has_config_hooks() => return configure(app, &around, dry_run),
        [] => allowed(app, &around)?,
        given => given.iter().map(|dir| app.cwd.join(dir)).collect(),
    };
    if let Some(missing) = dirs.iter().find(|dir| !dir.is_dir()) {
        return Err(Failure::input(format!("{} is not a directory", missing.display()))
            .hint("uro-capture init --global DIR… takes directories that exist"));
    }
    let all = capture_below(app, &dirs, &around, dry_run)?;
    let needs_sidecar = all.repositories.iter().any(|done| done.needs_sidecar);
    let stays = !dry_run && !all.repositories.is_empty() && one::announce(app, needs_sidecar);
    report(app, &all)?;
    if stays {
        tell_how_it_stays(app)?;
    }
    if all.repositories.is_empty() {
        return Err(
            Failure::environment("no repository was found that can be captured").hint("uro-capture init --global DIR…")
        );
    }
    Ok(Exit::Done)
}

fn allowed(app: &App, around: &Surroundings<'_>) -> Result<Vec<PathBuf>, Failure> {
    let dirs = walk::fixed_prefixes(&app.config().capture.only_repos);
    if !dirs.is_empty() {
        return Ok(dirs);
    }
    let version = around.git_version().map_or("this git".to_owned(), |(major, minor)| format!("git {major}.{minor}"));
    Err(Failure::environment(format!("{version} has no hooks for all repositories (git 2.54 has)"))
        .because("a global core.hooksPath would switch off everybody's hooks, so it is never set")
        .hint("uro-capture init --global DIR… installs hooks in every repository below the directories"))
}

/// Our lines in the user's git configuration, and the mark by which unregistered repositories' events are taken.
fn configure(app: &App, around: &Surroundings<'_>, dry_run: bool) -> Result<Exit, Failure> {
    let program = hooks::program(app)?;
    let file = global_file(app.env())
        .ok_or_else(|| Failure::environment("there is no home directory").hint("HOME=DIR uro-capture init --global"))?;
    let plan = githooks::plan_configure(&file, &program)?;
    let mut writes: Vec<PathBuf> = plan.writes().into_iter().map(PathBuf::from).collect();
    writes.push(app.paths.database());
    if !dry_run {
        let store = app.store()?;
        let mark = around.mark().cloned().filter(|mark| mark.path == file);
        let mark = mark.unwrap_or_else(|| Mark { path: file.clone(), since: app.clock.now() });
        // First the mark: a hook that fires at once finds it.
        set_mark(store.as_ref(), Some(&mark))?;
        if let Err(error) = githooks::apply(&plan) {
            set_mark(store.as_ref(), around.mark())?;
            return Err(match error {
                GithooksError::ReadOnly(file) => one::read_only(app, &file, &program, "uro-capture init --global"),
                other => other.into(),
            });
        }
    }
    report(app, &All { config: Some(file), writes, dry_run, ..All::default() })?;
    Ok(Exit::Done)
}

fn set_mark(store: &dyn Store, mark: Option<&Mark>) -> Result<(), Failure> {
    let text = mark.map(serde_json::to_string).transpose();
    let text = text.map_err(|error| Failure::bug(format!("cannot write down the file: {error}")))?;
    Ok(store.set_mark(MARK, text.as_deref())?)
}

fn capture_below(app: &App, dirs: &[PathBuf], around: &Surroundings<'_>, dry_run: bool) -> Result<All, Failure> {
    let found = walk::below(dirs);
    let excluded = Exclusions::of(app.config());
    let mut all = All { dry_run, ..All::default() };
    let mut seen = Vec::new();
    all.skipped.extend(found.skipped.into_iter().map(|path| Skipped { path, why: "was not looked into".to_owned() }));
    for path in found.repositories {
        let repo = match Repo::discover(&path) {
            Ok(repo) => repo,
            Err(error) => {
                all.skipped.push(Skipped { path, why: error.to_string() });
                continue;
            }
        };
        let common_dir = &repo.place().common_dir;
        if seen.contains(common_dir) {
            continue;
        }
        seen.push(common_dir.clone());
        if excluded.place(repo.place()) {
            all.skipped.push(Skipped { path, why: "the settings exclude it".to_owned() });
            continue;
        }
        match one::capture(app, &repo, around, one::Wish { watch: false, dry_run }) {
            Ok((done, plan)) => {
                tell_notes(app, &plan);
                all.add(done);
            }
            Err(failure) => all.skipped.push(Skipped { path, why: words(&failure) }),
        }
    }
    Ok(all)
}

fn words(failure: &Failure) -> String {
    failure.causes.iter().fold(failure.message.clone(), |words, cause| format!("{words}: {cause}"))
}

impl All {
    fn add(&mut self, done: Done) {
        for path in &done.writes {
            if !self.writes.contains(path) {
                self.writes.push(path.clone());
            }
        }
        self.repositories.push(done);
    }
}

/// # Errors
/// The user's git configuration or the store cannot be written.
pub fn undo(app: &App, dry_run: bool) -> Result<Exit, Failure> {
    let around = Surroundings::new(app.env(), one::known_mark(app)?);
    let mut all = All { dry_run, ..All::default() };
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
        all.writes.extend(one::kept_in(app));
        if !dry_run {
            set_mark(store.as_ref(), None)?;
        }
        release_all(app, store.as_ref(), &mut all)?;
        if !dry_run {
            rebuild::write_mirror(store.as_ref(), &app.paths)?;
            one::announce(app, false);
        }
    }
    report(app, &all)?;
    Ok(Exit::Done)
}

fn release_all(app: &App, store: &dyn Store, all: &mut All) -> Result<(), Failure> {
    for known in store.registered()? {
        let released = match Repo::open_git_dir(&known.common_dir) {
            Ok(repo) => one::removal(&repo),
            // Gone: there is nothing left to remove.
            Err(_) if !known.common_dir.exists() => Ok(githooks::Plan::default()),
            Err(error) => Err(error.into()),
        };
        let released = released.and_then(|plan| {
            if !all.dry_run {
                githooks::apply(&plan)?;
                store.unregister(&known.id)?;
            }
            Ok(plan)
        });
        match released {
            Ok(plan) => {
                tell_notes(app, &plan);
                let writes = plan.writes().into_iter().map(PathBuf::from).collect();
                let what = one::NO_LONGER.to_owned();
                let (repo, project, dry_run) = (known.path, known.project, all.dry_run);
                all.add(Done {
                    repo,
                    project,
                    writes,
                    dry_run,
                    means: None,
                    needs_sidecar: false,
                    by_hand: Vec::new(),
                    what,
                });
            }
            Err(failure) => all.skipped.push(Skipped { path: known.path, why: words(&failure) }),
        }
    }
    Ok(())
}

fn report(app: &App, all: &All) -> Result<(), Failure> {
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

fn lines(app: &App, all: &All) -> Result<(), Failure> {
    if let Some(config) = &all.config {
        app.ui.line(&format!("your git configuration ({}) was changed", config.display()))?;
    }
    if all.config.is_some() && hooks_are_there(app, all) {
        let bounds = if app.config().capture.only_repos.is_empty() { "" } else { " that [capture] only_repos lists" };
        app.ui.line(&format!("every repository{bounds} is captured from its next commit on"))?;
        app.ui.line("  what jj does runs no hooks: its repositories are captured after `uro-capture init` in each")?;
    }
    for done in &all.repositories {
        app.ui.line(&done.line())?;
        done.by_hand.iter().flat_map(ByHand::words).try_for_each(|line| app.ui.line(&format!("  {line}")))?;
    }
    if all.config.is_none() && all.repositories.is_empty() && all.skipped.is_empty() {
        app.ui.line("nothing was captured; nothing was changed")?;
    }
    Ok(())
}

fn hooks_are_there(app: &App, all: &All) -> bool {
    all.repositories.is_empty() && Surroundings::new(app.env(), None).is_global()
}
