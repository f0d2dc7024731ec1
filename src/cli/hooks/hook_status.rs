//! Hook state of a repository: the installed form and its defect.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::git_environment::GitEnvironment;
use super::{HookDefect, is_program, locations};
use crate::domain::event::{HOOKS, HookMode, HookName};
use crate::git::repo::Repo;
use crate::githooks::{HookCondition, HookForm, HookState, HooksDir, block, inspect};
use crate::store::RegisteredRepo;

/// Our hooks in git's configuration.
type GitHookSettings = BTreeMap<String, Vec<u8>>;

/// The installed form (`None`: nothing) and its defect.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HookStatus {
    pub how: Option<&'static str>,
    pub defect: Option<HookDefect>,
    /// Our line was added by hand to another hook.
    pub by_hand: bool,
}

/// A working form wins; else the last installed one.
pub fn inspect_hooks(repo: &Repo, registered: &RegisteredRepo, around: &GitEnvironment<'_>) -> HookStatus {
    let place = locations::location(repo).ok();
    let files = || summary(&inspect(place.as_ref()?.dir()).ok()?);
    let config = || inspect_config(repo, around);
    let order: [&dyn Fn() -> Option<HookStatus>; 2] =
        if registered.hook_mode == HookMode::File { [&files, &config] } else { [&config, &files] };
    let mut broken = None;
    for look in order {
        match look() {
            Some(works) if works.defect.is_none() => return works,
            found => broken = broken.or(found),
        }
    }
    match registered.hook_mode {
        // Leftovers of earlier installations are ignored.
        HookMode::Watch => HookStatus { by_hand: place.as_ref().is_some_and(has_manual_line), ..HookStatus::default() },
        HookMode::Config | HookMode::File => broken.unwrap_or_default(),
    }
}

/// Summary of a repository's hook files: the worst state, and chained if one of them is.
fn summary(states: &[HookState]) -> Option<HookStatus> {
    let any = |state: HookCondition| states.iter().any(|hook| hook.state == state);
    if states.iter().all(|hook| hook.state == HookCondition::Absent) {
        return None;
    }
    let lost = any(HookCondition::Lost) || any(HookCondition::Absent) || any(HookCondition::Outdated);
    let how = match () {
        () if states.iter().any(|hook| hook.how == Some(HookForm::Chained)) => Some("chained"),
        () if states.iter().any(|hook| hook.how.is_some()) => Some("file"),
        () => None,
    };
    Some(HookStatus { how, defect: lost.then_some(HookDefect::Replaced), by_hand: false })
}

/// Our hooks in git's configuration of all levels.
fn inspect_config(repo: &Repo, around: &GitEnvironment<'_>) -> Option<HookStatus> {
    let settings = repo.hook_settings().unwrap_or_default();
    let programs = programs(&settings, around);
    if programs.iter().all(|(_, program)| program.is_none()) {
        return None;
    }
    let missing = || programs.iter().filter_map(|(_, program)| program.as_deref()).find(|program| !is_program(program));
    let trouble = if !around.has_config_hooks() {
        Some(HookDefect::GitTooOld(around.git_version()))
    } else if let Some(name) = find_disabled(&settings) {
        Some(HookDefect::Disabled(name))
    } else if programs.iter().any(|(_, program)| program.is_none()) {
        Some(HookDefect::Replaced)
    } else {
        missing().map(|program| HookDefect::NoProgram(program.to_owned()))
    };
    Some(HookStatus { how: Some("config"), defect: trouble, by_hand: false })
}

fn find_disabled(settings: &GitHookSettings) -> Option<String> {
    let names = HOOKS.iter().map(|hook| block::config_name(*hook));
    names
        .into_iter()
        .find(|name| settings.get(&format!("hook.{name}.enabled")).is_some_and(|value| block::is_false(value)))
}

/// The command of each hook in git's configuration of all levels.
fn programs(settings: &GitHookSettings, around: &GitEnvironment<'_>) -> Vec<(HookName, Option<PathBuf>)> {
    let own = |hook: HookName| {
        let name = block::config_name(hook);
        let value = |key: &str| settings.get(&format!("hook.{name}.{key}"));
        value("event").filter(|event| *event == hook.as_str().as_bytes())?;
        block::parse_command(hook, value("command")?)
    };
    let program = |hook| own(hook).or_else(|| around.global_program(hook).map(Path::to_owned));
    HOOKS.into_iter().map(|hook| (hook, program(hook))).collect()
}

/// True if git's configuration of some level already has `program` for every hook.
pub fn is_configured(repo: &Repo, program: &Path, around: &GitEnvironment<'_>) -> bool {
    let settings = repo.hook_settings().unwrap_or_default();
    let calls = programs(&settings, around).iter().all(|(_, found)| found.as_deref() == Some(program));
    calls && find_disabled(&settings).is_none()
}

/// True if a hook that is not ours calls our program: the line was added by hand.
fn has_manual_line(place: &HooksDir) -> bool {
    let file = locations::files(place.dir()).into_iter().next();
    let text = file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_start);
    let names = |line: &[u8]| line.windows(b"uro-hook".len()).any(|window| window == b"uro-hook");
    lines.filter(|line| !line.starts_with(b"#")).any(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(states: [HookCondition; 4], how: Option<HookForm>) -> Vec<HookState> {
        let state_of =
            |(hook, state)| HookState { hook, state, how: if state == HookCondition::Ok { how } else { None } };
        HOOKS.into_iter().zip(states).map(state_of).collect()
    }

    #[test]
    fn one_lost_hook_makes_the_repository_lost() {
        use HookCondition::{Absent, Lost, Ok, Outdated};
        for (found, how, expected) in [
            ([Ok, Ok, Ok, Ok], Some(HookForm::File), Some((Some("file"), false))),
            ([Ok, Ok, Ok, Ok], Some(HookForm::Chained), Some((Some("chained"), false))),
            ([Ok, Lost, Ok, Ok], Some(HookForm::File), Some((Some("file"), true))),
            ([Ok, Outdated, Ok, Ok], Some(HookForm::File), Some((Some("file"), true))),
            ([Lost, Lost, Lost, Lost], None, Some((None, true))),
            ([Absent, Absent, Absent, Absent], None, None),
        ] {
            let found = summary(&states(found, how));
            assert_eq!(found.map(|found| (found.how, found.defect.is_some())), expected);
        }
    }
}
