//! `doctor` checks of the store, the registered repositories, and the system's limits of file watches (inotify).

use super::{Finding, check_writable, inspect_command};
use crate::cli::app::App;
use crate::cli::hooks::git_environment::{GitEnvironment, GlobalMark};
use crate::cli::hooks::locations::{self, ManualLines};
use crate::cli::hooks::{self, RepoHooks};
use crate::cli::{service, ui, when};
use crate::domain::event::HookMode;
use crate::git::repo::Repo;
use crate::pipeline::sizes::Sizes;
use crate::sidecar::client;
use crate::store::{RegisteredRepo, Store};

/// The findings, and the disk usage if the store can be read.
pub fn check_store(app: &App) -> (Vec<Finding>, Option<Sizes>) {
    let store = match app.store() {
        Ok(store) => store,
        // The store's own hint would lead back to `doctor`; the directory's error says more.
        Err(failure) => {
            return (vec![Finding::from_failure("store", &failure.hint(inspect_command(&app.paths.data)))], None);
        }
    };
    let sizes = Sizes::measure(&app.paths, store.as_ref());
    let sizes_finding = sizes.as_ref().ok().map(|sizes| Finding::passed("store", ui::format_sizes(sizes)));
    match check_registered(app, store.as_ref()) {
        Ok(findings) => (findings.into_iter().chain(sizes_finding).collect(), sizes.ok()),
        Err(error) => (vec![Finding::from_failure("store", &error.into())], sizes.ok()),
    }
}

fn check_registered(app: &App, store: &dyn Store) -> Result<Vec<Finding>, crate::store::StoreError> {
    let mut findings = vec![check_writable("store", &app.paths.data)];
    let (registered, around) =
        (store.registered_repos()?, GitEnvironment::new(app.env(), GlobalMark::load_mark(store)?));
    findings.extend(check_global(&around));
    if registered.is_empty() && around.mark.is_none() {
        findings.push(Finding::failed("hooks", "no repository is registered", "uro-capture init PATH"));
    }
    let mut all = Vec::new();
    for repo in &registered {
        let (found, hooks) = check_repository(app, repo, &around);
        findings.extend(found);
        all.extend(hooks);
    }
    let sidecar = client::status(&app.paths.run);
    let unattended =
        hooks::unattended_problem(&all.iter().collect::<Vec<_>>(), &sidecar.state, service::autostart(app));
    findings.extend(unattended.map(|(what, fix)| Finding::failed("sidecar", what, fix)));
    findings.extend(check_inotify(registered.len()));
    let recent = store.problems(when::days_back(7, &app.now())).unwrap_or_default();
    findings.extend(recent.into_iter().map(|(_, what, fix)| Finding::failed("store", what, fix)));
    Ok(findings)
}

/// Checks our lines of `init --global` in the user's git configuration.
fn check_global(around: &GitEnvironment<'_>) -> Option<Finding> {
    let file = around.mark.as_ref()?.path.display();
    if !around.is_global() {
        return Some(Finding::failed("hooks", format!("{file} lacks our lines"), "uro-capture init --global"));
    }
    if !around.has_config_hooks() {
        let what = format!("{file} has hooks for all repositories, which this git does not run (2.54 does)");
        return Some(Finding::failed("hooks", what, "uro-capture init --global DIR…"));
    }
    Some(Finding::passed("hooks", format!("{file} (all repositories)")))
}

fn check_repository(
    app: &App,
    registered: &RegisteredRepo,
    around: &GitEnvironment<'_>,
) -> (Vec<Finding>, Option<RepoHooks>) {
    let repo = match Repo::open_git_dir(&registered.common_dir) {
        Ok(repo) => repo,
        Err(error) => {
            let (what, fix) = hooks::unreadable_problem(&registered.path, &error);
            return (vec![Finding::failed("hooks", what, fix)], None);
        }
    };
    let found = hooks::inspect_registered(Ok(&repo), registered, around);
    let first = match &found.trouble {
        Some(trouble) => Finding::failed("hooks", trouble.describe(&found.repo), trouble.repair(&registered.path)),
        None => Finding::passed("hooks", format!("{} ({})", found.repo, found.how.unwrap_or("watched by the sidecar"))),
    };
    let mut findings = vec![first];
    if found.how != Some("config") {
        findings.extend(suggest_lines(app, &repo, registered));
    }
    (findings, Some(found))
}

/// Suggests lines to add by hand where nothing was written. A worktree with a hooks directory of its own is watched
/// like its repository; it needs no fix.
fn suggest_lines(app: &App, repo: &Repo, registered: &RegisteredRepo) -> Vec<Finding> {
    let Ok(program) = hooks::program(app) else { return Vec::new() };
    let places = locations::list_worktrees(repo).unwrap_or_default();
    let linked = places.iter().skip(usize::from(registered.hook_mode != HookMode::Watch));
    let finding = |by_hand: ManualLines| {
        let [why, line] = by_hand.describe();
        Finding::passed("hooks", format!("{}: {why}; {line}", by_hand.worktree.display()))
    };
    linked.filter_map(|place| ManualLines::for_worktree(place, &program)).map(finding).collect()
}

const WATCHES: &str = "/proc/sys/fs/inotify/max_user_watches";
const INSTANCES: &str = "/proc/sys/fs/inotify/max_user_instances";
/// Watched directories of a repository with a linked worktree or two.
const PER_REPOSITORY: u64 = 8;
/// Other programs' share: editors and file managers watch too, and the limits are per user.
const OTHERS: u64 = 4096;
/// Watcher instances: the sidecar needs one; a desktop uses some dozens.
const ENOUGH_INSTANCES: u64 = 64;

/// `None` on systems without such limits.
pub fn check_inotify(repositories: usize) -> Vec<Finding> {
    let read = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse().ok();
    judge_limits(repositories as u64, read(WATCHES), read(INSTANCES))
}

fn judge_limits(repositories: u64, watches: Option<u64>, instances: Option<u64>) -> Vec<Finding> {
    let needed = repositories * PER_REPOSITORY + OTHERS;
    let mut findings = Vec::new();
    if let Some(watches) = watches.filter(|watches| *watches < needed && repositories > 0) {
        let what = format!("{watches} watched directories are allowed, {repositories} repositories want {needed}");
        let fix = format!("sudo sysctl fs.inotify.max_user_watches={}", needed.next_power_of_two());
        findings.push(Finding::failed("sidecar", what, fix));
    }
    if let Some(instances) = instances.filter(|instances| *instances < ENOUGH_INSTANCES && repositories > 0) {
        let what = format!("{instances} programs may watch directories at a time");
        findings.push(Finding::failed("sidecar", what, "sudo sysctl fs.inotify.max_user_instances=128"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_judged_by_what_is_registered() {
        assert_eq!(judge_limits(10, Some(65_536), Some(128)), []);
        assert_eq!(judge_limits(10, None, None), [], "no such limits here");
        assert_eq!(judge_limits(0, Some(1), Some(1)), [], "nothing is watched");
        let found = judge_limits(1000, Some(8192), Some(8));
        assert_eq!(found[0].fix.as_deref(), Some("sudo sysctl fs.inotify.max_user_watches=16384"));
        assert_eq!((found.len(), found[1].ok), (2, false));
    }
}
