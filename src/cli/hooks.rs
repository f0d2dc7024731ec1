//! Hook health of a registered repository, as shared by `init`, `status` and `doctor`.

pub mod git_environment;
mod hook_status;
pub mod locations;

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::app::App;
use super::failure::{Failure, quoted};
use super::service::Autostart;
use crate::git::repo::Repo;
use crate::git::{GitError, jj};
use crate::sidecar::protocol::SidecarState;
use crate::store::RegisteredRepo;
pub use git_environment::GitEnvironment;
pub use hook_status::is_configured;

/// The hooks of one registered repository, as `status --json` shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RepoHooks {
    pub repo: String,
    /// `ok`, `lost`, `absent`.
    pub state: &'static str,
    /// `config`, `file`, `chained`; absent without a hook of ours.
    pub how: Option<&'static str>,
    /// Current source of commit events: `hooks`, or `watch`: the sidecar watches the reflogs.
    pub covered_by: &'static str,
    /// Commits are made without hooks, all or some (jj's): only the sidecar detects those.
    pub needs_sidecar: bool,
    #[serde(skip)]
    pub trouble: Option<HookDefect>,
}

/// Why installed hooks report nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookDefect {
    /// Some hooks were replaced, removed or are outdated.
    Replaced,
    /// No hook is left, or `core.hooksPath` points elsewhere.
    Lost,
    /// The hooks' program is missing.
    NoProgram(PathBuf),
    /// `hook.<name>.enabled = false`.
    Disabled(String),
    /// The hooks are in git's configuration, which this git (`None`: not found) does not run.
    GitTooOld(Option<(u32, u32)>),
}

impl HookDefect {
    /// Describes the defect of `repo`'s hooks in one line.
    #[must_use]
    pub fn describe(&self, repo: &str) -> String {
        match self {
            Self::Replaced => format!("a hook of {repo} was replaced or is out of date"),
            Self::Lost => format!("the hooks of {repo} are gone, or git looks for them elsewhere"),
            Self::NoProgram(program) => format!("the hooks of {repo} call {}, which is not there", program.display()),
            Self::Disabled(name) => format!("hook.{name}.enabled is false in {repo}"),
            Self::GitTooOld(Some((major, minor))) => {
                format!("git is version {major}.{minor} now and does not run the configured hooks of {repo}")
            }
            Self::GitTooOld(None) => format!("no git is found that runs the configured hooks of {repo}"),
        }
    }

    /// The command that repairs it.
    #[must_use]
    pub fn repair(&self, repo: &Path) -> String {
        match self {
            Self::Disabled(name) => format!("git -C {} config --unset-all hook.{name}.enabled", quoted(repo)),
            _ => format!("uro-capture init {}", quoted(repo)),
        }
    }
}

/// Inspects the hooks of a registered repository at git's current location.
#[must_use]
pub fn inspect_registered(
    repo: Result<&Repo, ()>,
    registered: &RegisteredRepo,
    around: &GitEnvironment<'_>,
) -> RepoHooks {
    let found = repo.map(|repo| hook_status::inspect_hooks(repo, registered, around)).unwrap_or_default();
    let trouble = match (&found, repo) {
        (hook_status::HookStatus { defect: Some(trouble), .. }, _) => Some(trouble.clone()),
        (hook_status::HookStatus { how: None, .. }, Ok(_)) if registered.hook_mode.has_hooks() => {
            Some(HookDefect::Lost)
        }
        _ => None,
    };
    let works = found.how.is_some() && trouble.is_none();
    let by_hooks = works || found.by_hand;
    let by_jj = repo.is_ok_and(|repo| jj::repo_dir(&repo.location().common_dir).is_some());
    RepoHooks {
        repo: registered.path.display().to_string(),
        state: match (&trouble, works) {
            (Some(_), _) => "lost",
            (None, true) => "ok",
            (None, false) => "absent",
        },
        how: found.how,
        covered_by: if by_hooks { "hooks" } else { "watch" },
        needs_sidecar: repo.is_ok() && (by_jj || !by_hooks),
        trouble,
    }
}

/// Defect of repositories without hooks while the sidecar does not run, or is not restarted after a reboot, with the
/// fix: one line for all of them.
#[must_use]
pub fn unattended_problem(
    all: &[&RepoHooks],
    sidecar: &SidecarState,
    autostart: Autostart,
) -> Option<(String, String)> {
    // Repairable hooks are reported on their own.
    let needy: Vec<&str> =
        all.iter().filter(|repo| repo.needs_sidecar && repo.trouble.is_none()).map(|repo| repo.repo.as_str()).collect();
    let subject = match needy.as_slice() {
        [] => return None,
        [one] => format!("commits without hooks in {one} are"),
        more => format!("commits without hooks in {} repositories are", more.len()),
    };
    let problem = format!("{subject} captured only while the sidecar runs");
    match (sidecar, autostart) {
        (SidecarState::Running, Autostart::Installed) => None,
        (SidecarState::Running, Autostart::Possible) => {
            Some((format!("{problem}, and nothing starts it at login"), INSTALL.to_owned()))
        }
        (SidecarState::Running, Autostart::Impossible) => {
            Some((format!("{problem}, and nothing starts it at login"), format!("at each login: {START}")))
        }
        (_, Autostart::Possible) => Some((problem, format!("{START}, or for good: {INSTALL}"))),
        (_, Autostart::Installed | Autostart::Impossible) => Some((problem, START.to_owned())),
    }
}

const START: &str = "uro-capture sidecar start";
const INSTALL: &str = "uro-capture sidecar install";

/// Defect of a registered repository that cannot be opened, with the fix.
#[must_use]
pub fn unreadable_problem(path: &Path, error: &GitError) -> (String, String) {
    let (shown, shell) = (path.display(), quoted(path));
    match error {
        GitError::ForeignOwner { .. } => (
            format!("{shown} belongs to another user: its commits are not read"),
            "repositories of other users are skipped; their owner's own uro-capture reads them".to_owned(),
        ),
        GitError::NotARepository { .. } => (
            format!("{shown} cannot be read any more: there is no repository"),
            format!("uro-capture deinit {shell}; if it was moved, instead: uro-capture init NEW_PATH"),
        ),
        error => (format!("{shown} cannot be read: {error}"), format!("git -C {shell} status")),
    }
}

/// The path of `uro-hook`: beside this program, else on the search path.
///
/// # Errors
/// It is in neither directory.
pub fn program(app: &App) -> Result<PathBuf, Failure> {
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.canonicalize().ok()?.with_file_name("uro-hook")));
    if let Some(program) = beside.filter(|program| is_program(program)) {
        return Ok(stable_path(&program, &search_path(app)));
    }
    let on_path = search_path(app).into_iter().map(|dir| dir.join("uro-hook")).find(|program| is_program(program));
    on_path.ok_or_else(|| {
        Failure::input("uro-hook is neither beside uro-capture nor on the PATH").hint("./install.sh installs both")
    })
}

/// The search path's absolute directories.
pub fn search_path(app: &App) -> Vec<PathBuf> {
    let path = app.env().path(crate::config::env::PATH).unwrap_or_default();
    std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect()
}

/// The path of `program` to write into files that outlive an update. A package manager such as Homebrew keeps programs
/// in a directory of their version and links to them from the search path: then the link, else `program` itself.
pub fn stable_path(program: &Path, search_path: &[PathBuf]) -> PathBuf {
    let (Some(name), Ok(file)) = (program.file_name(), program.canonicalize()) else { return program.to_owned() };
    let mut links = search_path.iter().map(|dir| dir.join(name));
    links
        .find(|link| link.is_symlink() && link.canonicalize().is_ok_and(|target| target == file))
        .unwrap_or_else(|| program.to_owned())
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_on_the_search_path_is_preferred_to_the_versioned_file_behind_it() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        let [versioned, links, other] = ["cellar/1.0/bin", "bin", "other"].map(|dir| top.join(dir));
        for dir in [&versioned, &links, &other] {
            std::fs::create_dir_all(dir).unwrap();
        }
        let program = versioned.join("uro-hook");
        std::fs::write(&program, "").unwrap();
        std::fs::write(other.join("uro-hook"), "").unwrap();
        let path = [other.clone(), versioned.clone(), links.clone()];
        assert_eq!(stable_path(&program, &path), program, "there is no link yet");
        std::os::unix::fs::symlink(&program, links.join("uro-hook")).unwrap();
        assert_eq!(stable_path(&program, &path), links.join("uro-hook"));
        assert_eq!(stable_path(Path::new("/nonexistent/uro-hook"), &path), Path::new("/nonexistent/uro-hook"));
    }

    fn repo_hooks(repo: &str, needs_sidecar: bool) -> RepoHooks {
        RepoHooks { repo: repo.into(), state: "ok", how: None, covered_by: "hooks", needs_sidecar, trouble: None }
    }

    #[test]
    fn what_only_the_sidecar_sees_is_a_problem_unless_it_runs_and_is_started_at_login() {
        let (needy, other, fine) = (repo_hooks("/a", true), repo_hooks("/b", true), repo_hooks("/c", false));
        let problem = |all: &[&RepoHooks], state, autostart| unattended_problem(all, &state, autostart);
        assert_eq!(problem(&[&needy, &fine], SidecarState::Running, Autostart::Installed), None);
        assert_eq!(problem(&[&fine], SidecarState::Stopped, Autostart::Possible), None);
        let lost = RepoHooks { trouble: Some(HookDefect::Lost), ..repo_hooks("/d", true) };
        assert_eq!(problem(&[&lost], SidecarState::Stopped, Autostart::Possible), None, "told by itself");
        for (state, autostart, hint) in [
            (SidecarState::Running, Autostart::Possible, "uro-capture sidecar install"),
            (SidecarState::Running, Autostart::Impossible, "at each login: uro-capture sidecar start"),
            (
                SidecarState::Stopped,
                Autostart::Possible,
                "uro-capture sidecar start, or for good: uro-capture sidecar install",
            ),
            (SidecarState::Stopped, Autostart::Installed, "uro-capture sidecar start"),
            (SidecarState::Unresponsive, Autostart::Impossible, "uro-capture sidecar start"),
        ] {
            let (what, found) = problem(&[&needy, &fine], state, autostart).unwrap();
            assert!(what.starts_with("commits without hooks in /a are captured only while the sidecar runs"), "{what}");
            assert_eq!(found, hint);
        }
        let (what, _) = problem(&[&needy, &other], SidecarState::Stopped, Autostart::Possible).unwrap();
        assert!(what.starts_with("commits without hooks in 2 repositories"), "{what}");
    }

    #[test]
    fn every_trouble_comes_with_the_command_that_mends_it() {
        let repo = Path::new("/my repo");
        for (trouble, text, repair) in [
            (HookDefect::Replaced, "was replaced", "uro-capture init '/my repo'"),
            (HookDefect::Lost, "are gone", "uro-capture init '/my repo'"),
            (HookDefect::NoProgram("/x/uro-hook".into()), "call /x/uro-hook, which", "uro-capture init '/my repo'"),
            (HookDefect::GitTooOld(Some((2, 47))), "version 2.47 now", "uro-capture init '/my repo'"),
            (HookDefect::GitTooOld(None), "no git is found", "uro-capture init '/my repo'"),
            (
                HookDefect::Disabled("uro-post-merge".into()),
                "hook.uro-post-merge.enabled",
                "git -C '/my repo' config --unset-all hook.uro-post-merge.enabled",
            ),
        ] {
            assert!(trouble.describe("/my repo").contains(text), "{trouble:?}");
            assert_eq!(trouble.repair(repo), repair);
        }
    }
}
