//! Plans the installation of hook files, with or without existing hooks.

use std::path::{Path, PathBuf};

use super::chain::{self, Script, VERSION};
use super::slot::{Found, Slot, exists, is_program};
use super::{GithooksError, Note, Plan, Step, launcher};
use crate::domain::event::HOOKS;

/// Plans the hooks in `hooks_dir` so that each calls `program`, an absolute path. Empty if they do already.
///
/// # Errors
/// `program` is not absolute, `hooks_dir` is no directory, or a hook cannot be read.
pub fn plan_install(hooks_dir: &Path, program: &Path) -> Result<Plan, GithooksError> {
    if !program.is_absolute() || !is_program(program) {
        return Err(GithooksError::NotAProgram(program.to_owned()));
    }
    let mut plan = Plan::default();
    if !exists(hooks_dir) {
        plan.steps.push(Step::MakeDirectory(hooks_dir.to_owned()));
    } else if !hooks_dir.is_dir() {
        return Err(GithooksError::NotADirectory(hooks_dir.to_owned()));
    }
    for hook in HOOKS {
        let slot = Slot::read(hooks_dir, hook)?;
        let prior = reclaim(&slot, &mut plan)?;
        install(&slot, prior, program, &mut plan);
    }
    Ok(plan)
}

/// Undoes the moves of other hook managers: removes our hooks from their backup places, so that none is called by
/// our own, and restores there the prior hook. A prior hook rewritten by its manager is not kept a second time.
/// Returns whether a prior hook is still in its place.
///
/// # Errors
/// The directory cannot be read.
pub(super) fn reclaim(slot: &Slot, plan: &mut Plan) -> Result<bool, GithooksError> {
    let mut prior = slot.has_prior();
    if prior && slot.prior_is_back() {
        prior = false;
        plan.steps.push(Step::Remove(slot.prior()));
    }
    for stray in slot.strays()? {
        if stray.is_script && prior && slot.found == Found::Foreign {
            prior = false;
            plan.steps.push(Step::Move { from: slot.prior(), to: stray.at });
        } else {
            plan.steps.push(Step::Remove(stray.at));
        }
    }
    Ok(prior)
}

/// A hook in `hooks_dir` that depends on its own file name and so cannot be chained: with one, nothing is
/// installed.
///
/// # Errors
/// A hook cannot be read.
pub fn dispatcher(hooks_dir: &Path) -> Result<Option<PathBuf>, GithooksError> {
    for hook in HOOKS {
        let slot = Slot::read(hooks_dir, hook)?;
        if slot.goes_by_name() {
            return Ok(Some(slot.at));
        }
    }
    Ok(None)
}

fn install(slot: &Slot, has_prior: bool, program: &Path, plan: &mut Plan) {
    match &slot.found {
        Found::Launcher(target) if target == program && !has_prior => {}
        Found::Script(script) if script.edited => plan.notes.push(Note::Edited(slot.at.clone())),
        Found::Script(script) if is_current(script, program) && (has_prior || !can_launch(slot, program)) => {}
        Found::Foreign => {
            keep_foreign(slot, has_prior, plan);
            plan.steps.push(hook(slot, true, program));
        }
        Found::Nothing | Found::Link(_) | Found::Launcher(_) | Found::Script(_) => {
            plan.steps.push(hook(slot, has_prior, program));
        }
    }
}

fn can_launch(slot: &Slot, program: &Path) -> bool {
    launcher::render(slot.hook, program).is_some()
}

fn is_current(script: &Script, program: &Path) -> bool {
    script.version == VERSION && script.program == program
}

/// The user's hook gets the kept name as a second name: it stays in place until ours replaces it. An older kept
/// hook is unused, since git would not have called it; but it is the user's file and is not deleted.
fn keep_foreign(slot: &Slot, has_prior: bool, plan: &mut Plan) {
    if has_prior {
        let free = slot.free_name("uro-prior");
        plan.notes.push(Note::Kept(free.clone()));
        plan.steps.push(Step::Move { from: slot.prior(), to: free });
    }
    plan.steps.push(Step::Keep { from: slot.at.clone(), to: slot.prior() });
}

/// Only a script can chain the prior hook; without one, a launcher is faster.
fn hook(slot: &Slot, has_prior: bool, program: &Path) -> Step {
    let alone = (!has_prior).then(|| launcher::render(slot.hook, program)).flatten();
    Step::Program { at: slot.at.clone(), content: alone.unwrap_or_else(|| chain::render(slot.hook, program)) }
}
