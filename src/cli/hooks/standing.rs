//! Hook state of a repository: the installed form and its defect.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::surroundings::Surroundings;
use super::{Trouble, is_program, places};
use crate::domain::event::{HOOKS, HookName, Means};
use crate::git::repo::Repo;
use crate::githooks::{HookState, How, Location, State, block, inspect};
use crate::store::Registered;

/// Our hooks in git's configuration.
type Settings = BTreeMap<String, Vec<u8>>;

/// The installed form (`None`: nothing) and its defect.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub how: Option<&'static str>,
    pub trouble: Option<Trouble>,
    /// Our line was added by hand to another hook.
    pub by_hand: bool,
}

/// A working form wins; else the last installed one.
pub fn of(repo: &Repo, known: &Registered, around: &Surroundings<'_>) -> Standing {
    let place = places::location(repo).ok();
    let files = || place.as_ref().and_then(of_files);
    let config = || of_config(repo, around);
    let order: [&dyn Fn() -> Option<Standing>; 2] =
        if known.means == Means::File { [&files, &config] } else { [&config, &files] };
    let mut broken = None;
    for look in order {
        match look() {
            Some(works) if works.trouble.is_none() => return works,
            found => broken = broken.or(found),
        }
    }
    match known.means {
        // Leftovers of earlier installations are ignored.
        Means::Watch => Standing { by_hand: place.as_ref().is_some_and(names_us), ..Standing::default() },
        Means::Config | Means::File => broken.unwrap_or_default(),
    }
}

fn of_files(place: &Location) -> Option<Standing> {
    summary(&inspect(place.dir()).ok()?)
}

/// Summary of a repository's hook files: the worst state, and chained if one of them is.
fn summary(states: &[HookState]) -> Option<Standing> {
    let any = |state: State| states.iter().any(|hook| hook.state == state);
    if states.iter().all(|hook| hook.state == State::Absent) {
        return None;
    }
    let lost = any(State::Lost) || any(State::Absent) || any(State::Outdated);
    let how = match () {
        () if states.iter().any(|hook| hook.how == Some(How::Chained)) => Some("chained"),
        () if states.iter().any(|hook| hook.how.is_some()) => Some("file"),
        () => None,
    };
    Some(Standing { how, trouble: lost.then_some(Trouble::Replaced), by_hand: false })
}

/// Our hooks in git's configuration of all levels.
fn of_config(repo: &Repo, around: &Surroundings<'_>) -> Option<Standing> {
    let settings = repo.hook_settings().unwrap_or_default();
    let programs = programs(&settings, around);
    if programs.iter().all(|(_, program)| program.is_none()) {
        return None;
    }
    let trouble = config_trouble(&programs, &settings, around);
    Some(Standing { how: Some("config"), trouble, by_hand: false })
}

fn config_trouble(
    programs: &[(HookName, Option<PathBuf>)],
    settings: &Settings,
    around: &Surroundings<'_>,
) -> Option<Trouble> {
    if !around.has_config_hooks() {
        return Some(Trouble::Downgraded(around.git_version()));
    }
    if let Some(name) = switched_off(settings) {
        return Some(Trouble::SwitchedOff(name));
    }
    if programs.iter().any(|(_, program)| program.is_none()) {
        return Some(Trouble::Replaced);
    }
    let missing = programs.iter().filter_map(|(_, program)| program.as_deref()).find(|program| !is_program(program));
    missing.map(|program| Trouble::NoProgram(program.to_owned()))
}

fn switched_off(settings: &Settings) -> Option<String> {
    let names = HOOKS.iter().map(|hook| block::friendly_name(*hook));
    names
        .into_iter()
        .find(|name| settings.get(&format!("hook.{name}.enabled")).is_some_and(|value| block::is_no(value)))
}

/// The command of each hook in git's configuration of all levels.
fn programs(settings: &Settings, around: &Surroundings<'_>) -> Vec<(HookName, Option<PathBuf>)> {
    let own = |hook: HookName| {
        let name = block::friendly_name(hook);
        let value = |key: &str| settings.get(&format!("hook.{name}.{key}"));
        value("event").filter(|event| *event == hook.as_str().as_bytes())?;
        block::program_in(hook, value("command")?)
    };
    let program = |hook| own(hook).or_else(|| around.global_program(hook).map(Path::to_owned));
    HOOKS.into_iter().map(|hook| (hook, program(hook))).collect()
}

/// True if git's configuration of some level already has `program` for every hook.
pub fn is_configured(repo: &Repo, program: &Path, around: &Surroundings<'_>) -> bool {
    let settings = repo.hook_settings().unwrap_or_default();
    let calls = programs(&settings, around).iter().all(|(_, found)| found.as_deref() == Some(program));
    calls && switched_off(&settings).is_none()
}

/// True if a hook that is not ours calls our program: the line was added by hand.
fn names_us(place: &Location) -> bool {
    let file = places::files(place.dir()).into_iter().next();
    let text = file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_start);
    let names = |line: &[u8]| line.windows(b"uro-hook".len()).any(|window| window == b"uro-hook");
    lines.filter(|line| !line.starts_with(b"#")).any(names)
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
            ([Ok, Ok, Ok, Ok], Some(How::File), Some((Some("file"), false))),
            ([Ok, Ok, Ok, Ok], Some(How::Chained), Some((Some("chained"), false))),
            ([Ok, Lost, Ok, Ok], Some(How::File), Some((Some("file"), true))),
            ([Ok, Outdated, Ok, Ok], Some(How::File), Some((Some("file"), true))),
            ([Lost, Lost, Lost, Lost], None, Some((None, true))),
            ([Absent, Absent, Absent, Absent], None, None),
        ] {
            let found = summary(&states(found, how));
            assert_eq!(found.map(|found| (found.how, found.trouble.is_some())), expected);
        }
    }
}
