//! Setup of one repository: hook installation, registration, and the removal of both.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{DeinitArgs, InitResult};
use crate::cli::app::App;
use crate::cli::failure::{Failure, quoted};
use crate::cli::hooks::git_environment::{GitEnvironment, GlobalMark};
use crate::cli::hooks::locations::{self, ManualLines, WorktreeHooks};
use crate::cli::hooks::{self, is_configured};
use crate::domain::event::HookMode;
use crate::git::jj;
use crate::git::repo::Repo;
use crate::githooks::{self, GithooksError, HookPlan, HooksDir, block};
use crate::pipeline::{rebuild, reconcile, registry};
use crate::sidecar::protocol::Request;
use crate::sidecar::{client, launch};
use crate::store::RegisteredRepo;

/// Time within which a sidecar that watches a thousand repositories rereads the list.
const RELOAD: Duration = Duration::from_secs(2);

/// Options of the command.
#[derive(Debug, Clone, Copy)]
pub struct InitOptions {
    /// No hooks.
    pub watch: bool,
    pub dry_run: bool,
}

/// How a repository is to be captured.
struct InitPlan {
    means: HookMode,
    plan: HookPlan,
    by_hand: Vec<ManualLines>,
}

/// Installs the hooks that this git runs and registers the repository. Call [`announce`] afterwards.
///
/// # Errors
/// A read or write failed; then nothing has changed.
pub fn capture(
    app: &App,
    repo: &Repo,
    around: &GitEnvironment<'_>,
    wish: InitOptions,
) -> Result<(InitResult, HookPlan), Failure> {
    let program = hooks::program(app)?;
    // A linked worktree may be deleted, so its repository is registered.
    let main = Repo::open_git_dir(&repo.location().common_dir)?;
    let intent = if wish.watch {
        // Capture without hooks; installed ones are removed.
        InitPlan { means: HookMode::Watch, plan: plan_removal(&main)?, by_hand: Vec::new() }
    } else {
        plan_init(&main, &program, around)?
    };
    let mut writes: Vec<PathBuf> = intent.plan.written_paths().into_iter().map(PathBuf::from).collect();
    writes.extend(registry_files(app));
    let by_jj = jj::repo_dir(&main.location().common_dir).is_some();
    let mut what = match (intent.means, by_jj) {
        (HookMode::Watch, _) => WATCHED,
        (_, true) => WITH_JJ,
        (_, false) => CAPTURED,
    };
    if !wish.dry_run {
        let new = install(app, &main, &intent).map_err(|error| match error {
            InstallError::Githooks(GithooksError::ReadOnly(file)) => {
                let again = format!("uro-capture init {}", quoted(project_and_path(&main).1));
                read_only(app, &file, &program, &again)
            }
            InstallError::Githooks(error) => error.into(),
            InstallError::Other(failure) => failure,
        })?;
        if !new && intent.plan.is_empty() && intent.means != HookMode::Watch {
            what = "was captured already; its hooks are in place";
        }
    }
    let (project, path) = project_and_path(&main);
    let done = InitResult {
        repo: path,
        project,
        writes,
        dry_run: wish.dry_run,
        means: Some(intent.means),
        needs_sidecar: by_jj || intent.means == HookMode::Watch,
        by_hand: intent.by_hand,
        what: what.to_owned(),
    };
    Ok((done, intent.plan))
}

const CAPTURED: &str = "is captured from now on";
const WATCHED: &str = "is captured from now on by the sidecar, while it runs";
const WITH_JJ: &str = "is captured from now on; what jj does is seen by the sidecar, while it runs";
pub const NO_LONGER: &str = "is no longer captured; what was captured stays";

fn plan_init(repo: &Repo, program: &Path, around: &GitEnvironment<'_>) -> Result<InitPlan, Failure> {
    if jj::workspace(&repo.location().common_dir).is_some() {
        // Only jj works in there, and it runs no hooks.
        return Ok(InitPlan { means: HookMode::Watch, plan: HookPlan::default(), by_hand: Vec::new() });
    }
    let places = locations::list_worktrees(repo)?;
    let config = repo.location().common_dir.join("config");
    if around.has_config_hooks() {
        let mut plan = match is_configured(repo, program, around) {
            true => HookPlan::default(),
            false => githooks::plan_configure(&config, program)?,
        };
        // From an older git. Removed last, so that commits are reported at every moment.
        plan.append(files_removal(repo, &places)?);
        return Ok(InitPlan { means: HookMode::Config, plan, by_hand: Vec::new() });
    }
    let mut plan = HookPlan::default();
    for dir in writable_dirs(&places) {
        plan.append(githooks::plan_install(dir, program)?);
    }
    plan.append(githooks::plan_unconfigure(&config)?);
    let means =
        if places.first().is_some_and(|main| main.obstacle.is_none()) { HookMode::File } else { HookMode::Watch };
    Ok(InitPlan {
        means,
        plan,
        by_hand: places.iter().filter_map(|place| ManualLines::for_worktree(place, program)).collect(),
    })
}

/// Without duplicates: linked worktrees mostly share the main one's.
fn writable_dirs(places: &[WorktreeHooks]) -> Vec<&Path> {
    let mut dirs: Vec<&Path> = Vec::new();
    for place in places.iter().filter(|place| place.obstacle.is_none()) {
        if !dirs.contains(&place.location.dir()) {
            dirs.push(place.location.dir());
        }
    }
    dirs
}

/// Removes hook files from the repository's own directory, where `init` installs them, and from directories inside the
/// repository that `core.hooksPath` may name by now.
fn files_removal(repo: &Repo, places: &[WorktreeHooks]) -> Result<HookPlan, Failure> {
    let mut dirs = vec![repo.location().common_dir.join("hooks")];
    for place in places {
        if let HooksDir::Repository(dir) = &place.location
            && !dirs.contains(dir)
        {
            dirs.push(dir.clone());
        }
    }
    let mut plan = HookPlan::default();
    for dir in dirs {
        plan.append(githooks::plan_remove(&dir)?);
    }
    Ok(plan)
}

/// Removes everything of ours from the repository.
pub fn plan_removal(repo: &Repo) -> Result<HookPlan, Failure> {
    // First the lines by which git itself calls our program.
    let mut plan = githooks::plan_unconfigure(&repo.location().common_dir.join("config"))?;
    plan.append(files_removal(repo, &locations::list_worktrees(repo)?)?);
    Ok(plan)
}

/// Why nothing was installed.
enum InstallError {
    /// The printed lines help.
    Githooks(GithooksError),
    Other(Failure),
}

impl<E: Into<Failure>> From<E> for InstallError {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// Prints the lines for a configuration that we do not write (read-only or generated), and the next
/// command.
pub fn read_only(app: &App, file: &Path, program: &Path, again: &str) -> Failure {
    let snippet = String::from_utf8_lossy(&block::snippet(program)).into_owned();
    let printed = if app.json {
        app.ui.json(&serde_json::json!({ "config": file, "snippet": snippet }))
    } else {
        app.ui.raw(snippet.as_bytes())
    };
    let failure = Failure::from(GithooksError::ReadOnly(file.to_owned()));
    printed.err().unwrap_or_else(|| {
        failure
            .because("nothing was changed; it takes the lines above to capture commits")
            .hint(format!("add the lines to what {} is made from, then: {again}", file.display()))
    })
}

/// Registers first, since a hook may fire at once. A failure reverts the registration.
/// Returns true if the repository was not registered before.
fn install(app: &App, repo: &Repo, intent: &InitPlan) -> Result<bool, InstallError> {
    let services = app.services().map_err(InstallError::Other)?;
    let store = services.store.as_ref();
    let before = store.registered_repos()?;
    let registered = before.iter().find(|registered| registered.id == repo.location().id).cloned();
    // A moved repository keeps its registration data.
    let registered =
        registered.map_or_else(|| registry::reregister_moved(&services, repo), |registered| Ok(Some(registered)))?;
    // Commits count from the first `init` on; repeating it, or moving the repository, keeps that time.
    let since = registered.as_ref().map_or_else(|| app.clock.now(), |registered| registered.since);
    let new = registry::registration(repo, intent.means, since);
    if registered.is_none() {
        // The log positions come first: a running sidecar reads the logs of what is registered.
        reconcile::begin(&services, repo)
            .map_err(|error| Failure::from_error(&error).hint(format!("git -C {} fsck", quoted(&new.path))))?;
        store.register(&new)?;
    }
    if let Err(error) = githooks::apply(&intent.plan) {
        if registered.is_none() {
            store.unregister(&new.id)?;
        }
        return Err(InstallError::Githooks(error));
    }
    store.register(&new)?;
    rebuild::write_mirror(store, &app.paths)?;
    Ok(registered.is_none())
}

/// Only a running sidecar detects the commits of a repository without hooks; otherwise the next commit starts one.
/// Returns true if a sidecar was needed and runs.
pub fn announce(app: &App, needs_sidecar: bool) -> bool {
    let started = needs_sidecar.then(|| launch::start(&app.paths.run, app.clock.as_ref()));
    if let Some(Err(error)) = &started {
        app.ui.warn(&format!("the sidecar, which is to watch it, did not start: {error}"));
    }
    // Without a running sidecar there is nothing to notify; the next one reads the list.
    let _ = client::send_request(&app.paths.run, &Request::Reload, RELOAD);
    matches!(started, Some(Ok(_)))
}

/// Removes everything of ours from the repository and its registration.
///
/// # Errors
/// A read or write failed.
pub fn uninstall(app: &App, repo: &Repo, dry_run: bool) -> Result<(InitResult, HookPlan), Failure> {
    let main = Repo::open_git_dir(&repo.location().common_dir)?;
    let plan = plan_removal(&main)?;
    let mut writes: Vec<PathBuf> = plan.written_paths().into_iter().map(PathBuf::from).collect();
    if !dry_run {
        githooks::apply(&plan)?;
    }
    let mut was_registered = false;
    // Without a database nothing was registered, and none is created here.
    if app.paths.database().exists() {
        writes.extend(registry_files(app));
        if !dry_run {
            let store = app.store()?;
            was_registered = store.unregister(&main.location().id)?;
            rebuild::write_mirror(store.as_ref(), &app.paths)?;
            announce(app, false);
        }
    }
    let is_global = GitEnvironment::new(app.env(), load_global_mark(app)?).is_global();
    let what = match (is_global, was_registered || !plan.is_empty()) {
        (true, _) => STILL,
        (false, true) => NO_LONGER,
        (false, false) => "was not captured; nothing was changed",
    };
    let (project, path) = project_and_path(&main);
    let what = what.replace("PATH", &quoted(&path));
    Ok((InitResult::released(path, project, writes, dry_run, what), plan))
}

const STILL: &str = "has no hooks of its own any more, but those in your git configuration report it all the same: \
                     git -C PATH config uro.capture false, or uro-capture deinit --global";

/// Unregisters a moved or deleted repository, which has no hooks left.
///
/// # Errors
/// The repository exists (`failure`), or the store cannot be written.
pub fn forget_missing(app: &App, args: &DeinitArgs, failure: Failure) -> Result<InitResult, Failure> {
    if !app.paths.database().exists() {
        return Err(failure);
    }
    let path = args.path.as_ref().map_or_else(|| app.cwd.clone(), |path| app.cwd.join(path));
    let store = app.store()?;
    // An existing repository that cannot be read still has its hooks.
    let is_missing = |repo: &RegisteredRepo| repo.path == path && !repo.common_dir.exists();
    let Some(missing) = store.registered_repos()?.into_iter().find(is_missing) else { return Err(failure) };
    if !args.dry_run {
        store.unregister(&missing.id)?;
        rebuild::write_mirror(store.as_ref(), &app.paths)?;
        announce(app, false);
    }
    let what = NO_LONGER.to_owned();
    Ok(InitResult::released(path, missing.project, registry_files(app).into(), args.dry_run, what))
}

/// `None` also without a store: none is created here.
pub fn load_global_mark(app: &App) -> Result<Option<GlobalMark>, Failure> {
    if !app.paths.database().exists() {
        return Ok(None);
    }
    Ok(GlobalMark::load_mark(app.store()?.as_ref())?)
}

/// Where registrations are written: the database, and the list beside it that survives a damaged database.
pub fn registry_files(app: &App) -> [PathBuf; 2] {
    [app.paths.database(), app.paths.repositories()]
}

/// Project and path, for messages.
fn project_and_path(repo: &Repo) -> (String, PathBuf) {
    let place = repo.location();
    (place.project.clone(), place.work_tree.clone().unwrap_or_else(|| place.common_dir.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository made by git itself, without the machine's configuration.
    fn repository() -> (tempfile::TempDir, Repo) {
        let top = tempfile::tempdir().unwrap();
        git(top.path(), &["init", "-q"]);
        let repo = Repo::discover(top.path()).unwrap();
        (top, repo)
    }

    fn git(dir: &Path, args: &[&str]) {
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
        let own = repo.location().common_dir.join("hooks");
        let program = top.path().join("uro-hook");
        std::fs::copy("/bin/sh", &program).unwrap();
        githooks::apply(&githooks::plan_install(&own, &program).unwrap()).unwrap();
        assert!(own.join("post-commit").exists());
        git(top.path(), &["config", "core.hooksPath", ".husky"]);
        let plan = plan_removal(&Repo::discover(top.path()).unwrap()).unwrap();
        githooks::apply(&plan).unwrap();
        assert!(!own.join("post-commit").is_symlink() && !own.join("post-commit").exists());
        assert!(plan_removal(&repo).unwrap().is_empty(), "a second time there is nothing to do");
    }
}
