//! How the hooks of a registered repository stand: what `init`, `status` and `doctor` share.

pub mod places;
mod standing;
pub mod surroundings;

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::app::App;
use super::failure::{Failure, quoted};
use crate::git::GitError;
use crate::git::repo::Repo;
use crate::store::Registered;
pub use standing::is_configured;
pub use surroundings::Surroundings;

/// The hooks of one registered repository, as `status --json` shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RepoHooks {
    pub repo: String,
    /// `ok`, `lost`, `absent`.
    pub state: &'static str,
    /// `config`, `file`, `chained`; absent where no hook of ours is.
    pub how: Option<&'static str>,
    /// What reports its commits now: `hooks`, or `watch`: the sidecar, which watches its reflogs.
    pub covered_by: &'static str,
    #[serde(skip)]
    pub trouble: Option<Trouble>,
}

/// Why hooks that were installed report nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A hook was replaced, removed or is out of date; the others are there.
    Replaced,
    /// None is left, or git looks for them elsewhere.
    Gone,
    /// They call a program that is not there.
    NoProgram(PathBuf),
    /// `hook.<name>.enabled = false`.
    SwitchedOff(String),
    /// They stand in git's configuration, and this git (absent: none is found) does not run such.
    Downgraded(Option<(u32, u32)>),
}

impl Trouble {
    /// What is wrong with the hooks of `repo`, in one line.
    #[must_use]
    pub fn words(&self, repo: &str) -> String {
        match self {
            Self::Replaced => format!("a hook of {repo} was replaced or is out of date"),
            Self::Gone => format!("the hooks of {repo} are gone, or git looks for them elsewhere"),
            Self::NoProgram(program) => format!("the hooks of {repo} call {}, which is not there", program.display()),
            Self::SwitchedOff(name) => format!("hook.{name}.enabled is false in {repo}"),
            Self::Downgraded(Some((major, minor))) => {
                format!("git is version {major}.{minor} now and does not run the configured hooks of {repo}")
            }
            Self::Downgraded(None) => format!("no git is found that runs the configured hooks of {repo}"),
        }
    }

    /// The command that mends it.
    #[must_use]
    pub fn repair(&self, repo: &Path) -> String {
        match self {
            Self::SwitchedOff(name) => format!("git -C {} config --unset-all hook.{name}.enabled", quoted(repo)),
            _ => format!("uro-capture init {}", quoted(repo)),
        }
    }
}

/// How the hooks of a registered repository stand where git looks for them now.
#[must_use]
pub fn of_registered(repo: Result<&Repo, ()>, known: &Registered, around: &Surroundings<'_>) -> RepoHooks {
    let found = repo.map(|repo| standing::of(repo, known, around)).unwrap_or_default();
    let trouble = match (&found, repo) {
        (standing::Standing { trouble: Some(trouble), .. }, _) => Some(trouble.clone()),
        (standing::Standing { how: None, .. }, Ok(_)) if known.means.has_hooks() => Some(Trouble::Gone),
        _ => None,
    };
    let works = found.how.is_some() && trouble.is_none();
    RepoHooks {
        repo: known.path.display().to_string(),
        state: match (&trouble, works) {
            (Some(_), _) => "lost",
            (None, true) => "ok",
            (None, false) => "absent",
        },
        how: found.how,
        covered_by: if works || found.by_hand { "hooks" } else { "watch" },
        trouble,
    }
}

/// What is wrong with a registered repository that cannot be opened, and the command that helps.
#[must_use]
pub fn unreadable(path: &Path, error: &GitError) -> (String, String) {
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

/// `uro-hook`, which git is to call: beside this program, else on the search path.
///
/// # Errors
/// It is in neither place.
pub fn program(app: &App) -> Result<PathBuf, Failure> {
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.canonicalize().ok()?.parent()?.to_owned()));
    let path = app.env().path(crate::config::env::PATH).unwrap_or_default();
    let dirs = beside.into_iter().chain(std::env::split_paths(&path).filter(|dir| dir.is_absolute()));
    dirs.map(|dir| dir.join("uro-hook")).find(|program| is_program(program)).ok_or_else(|| {
        Failure::environment("uro-hook is neither beside uro-capture nor on the PATH")
            .hint("./install.sh installs both")
    })
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_comes_with_the_command_that_mends_it() {
        let repo = Path::new("/my repo");
        for (trouble, words, repair) in [
            (Trouble::Replaced, "was replaced", "uro-capture init '/my repo'"),
            (Trouble::Gone, "are gone", "uro-capture init '/my repo'"),
            (Trouble::NoProgram("/x/uro-hook".into()), "call /x/uro-hook, which", "uro-capture init '/my repo'"),
            (Trouble::Downgraded(Some((2, 47))), "version 2.47 now", "uro-capture init '/my repo'"),
            (Trouble::Downgraded(None), "no git is found", "uro-capture init '/my repo'"),
            (
                Trouble::SwitchedOff("uro-post-merge".into()),
                "hook.uro-post-merge.enabled",
                "git -C '/my repo' config --unset-all hook.uro-post-merge.enabled",
            ),
        ] {
            assert!(trouble.words("/my repo").contains(words), "{trouble:?}");
            assert_eq!(trouble.repair(repo), repair);
        }
    }
}
