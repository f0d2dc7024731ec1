//! Where a repository's hooks are and how they stand: what `init`, `status` and `doctor` share.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::app::App;
use super::failure::{Failure, quoted};
use crate::domain::event::HOOKS;
use crate::git::repo::Repo;
use crate::githooks::{HookState, How, Location, State, inspect, locate};

/// The hooks of one registered repository, as `status --json` shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RepoHooks {
    pub repo: String,
    /// `ok`, `lost`, `absent`.
    pub state: &'static str,
    /// `file`, `chained`; absent where no hook of ours is.
    pub how: Option<&'static str>,
}

/// Where git looks for this repository's hooks.
///
/// # Errors
/// The repository cannot be read.
pub fn location(repo: &Repo) -> Result<Location, Failure> {
    let place = repo.place();
    let set = repo.hooks_path()?;
    Ok(locate(&place.common_dir, place.work_tree.as_deref(), set.as_ref().map(|(path, _)| path.as_path())))
}

/// The state of a repository's hooks where git looks for them now. It was registered, so what is absent is lost.
#[must_use]
pub fn of_registered(repo: Result<&Repo, ()>, path: &Path) -> RepoHooks {
    let states = repo.ok().and_then(|repo| location(repo).ok()).and_then(|place| inspect(place.dir()).ok());
    let (state, how) = states.as_deref().map_or(("absent", None), summary);
    RepoHooks { repo: path.display().to_string(), state, how }
}

/// All hooks of one repository in one word: the worst state counts, and one chained hook makes it chained.
fn summary(states: &[HookState]) -> (&'static str, Option<&'static str>) {
    let any = |state: State| states.iter().any(|hook| hook.state == state);
    let state = match () {
        () if states.iter().all(|hook| hook.state == State::Absent) => "absent",
        () if any(State::Lost) || any(State::Absent) || any(State::Outdated) => "lost",
        () => "ok",
    };
    let how = match () {
        () if states.iter().any(|hook| hook.how == Some(How::Chained)) => Some("chained"),
        () if states.iter().any(|hook| hook.how.is_some()) => Some("file"),
        () => None,
    };
    (state, how)
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

/// Why nothing is installed where `core.hooksPath` points, and the lines that somebody may add there by hand.
#[must_use]
pub fn refusal(place: &Location, origin: &str, program: &Path) -> Failure {
    let dir = place.dir();
    let whose = match place {
        Location::WorkTree(_) => "in the work tree, where people commit it",
        Location::Shared(_) | Location::Repository(_) => {
            "outside this repository, where other repositories may share it"
        }
    };
    let names: Vec<&str> = HOOKS.iter().map(|hook| hook.as_str()).collect();
    Failure::environment(format!("git looks for hooks in {} (core.hooksPath, {origin})", dir.display()))
        .because(format!("that lies {whose}; nothing is written there"))
        .hint(format!(
            "add to {}/{{{}}} the line: {} \"$(basename \"$0\")\" \"$@\"",
            quoted(dir),
            names.join(","),
            quoted(program)
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(states: [State; 4], how: Option<How>) -> Vec<HookState> {
        let one = |(hook, state)| HookState { hook, state, how: if state == State::Ok { how } else { None } };
        HOOKS.into_iter().zip(states).map(one).collect()
    }

    #[test]
    fn one_lost_hook_makes_the_repository_lost() {
        use State::{Absent, Lost, Ok, Outdated};
        for (found, how, expected) in [
            ([Ok, Ok, Ok, Ok], Some(How::File), ("ok", Some("file"))),
            ([Ok, Ok, Ok, Ok], Some(How::Chained), ("ok", Some("chained"))),
            ([Ok, Lost, Ok, Ok], Some(How::File), ("lost", Some("file"))),
            ([Ok, Outdated, Ok, Ok], Some(How::File), ("lost", Some("file"))),
            ([Absent, Absent, Absent, Absent], None, ("absent", None)),
        ] {
            assert_eq!(summary(&states(found, how)), expected);
        }
    }

    #[test]
    fn a_foreign_hooks_path_is_refused_with_the_line_to_add() {
        let failure = refusal(&Location::WorkTree("/w/.husky".into()), "local", Path::new("/bin/uro-hook"));
        assert_eq!(failure.code(), 1);
        let hint = failure.hint.unwrap();
        assert!(hint.contains("/w/.husky/{post-commit,post-merge,post-rewrite,post-applypatch}"), "{hint}");
        assert!(hint.ends_with("/bin/uro-hook \"$(basename \"$0\")\" \"$@\""), "{hint}");
    }

    #[test]
    fn a_repository_that_cannot_be_read_has_no_hooks() {
        let hooks = of_registered(Err(()), Path::new("/gone"));
        assert_eq!(hooks, RepoHooks { repo: "/gone".into(), state: "absent", how: None });
    }
}
