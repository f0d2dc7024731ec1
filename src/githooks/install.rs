//! Plans the installation of hook files, with or without existing hooks.

use std::path::{Path, PathBuf};

use super::chain::{self, Script, VERSION};
use super::slot::{HookSlot, SlotContent, exists, is_program};
use super::{GithooksError, HookPlan, InstallStep, Note, launcher};
use crate::domain::event::HOOKS;

/// Plans the hooks in `hooks_dir` so that each calls `program`, an absolute path. Empty if they do already.
///
/// # Errors
/// `program` is not absolute, `hooks_dir` is no directory, or a hook cannot be read.
pub fn plan_install(hooks_dir: &Path, program: &Path) -> Result<HookPlan, GithooksError> {
    if !program.is_absolute() || !is_program(program) {
        return Err(GithooksError::NotAProgram(program.to_owned()));
    }
    let mut plan = HookPlan::default();
    if !exists(hooks_dir) {
        plan.steps.push(InstallStep::MakeDirectory(hooks_dir.to_owned()));
    } else if !hooks_dir.is_dir() {
        return Err(GithooksError::NotADirectory(hooks_dir.to_owned()));
    }
    for hook in HOOKS {
        let slot = HookSlot::load(hooks_dir, hook)?;
        let prior = undo_moves(&slot, &mut plan)?;
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
pub(super) fn undo_moves(slot: &HookSlot, plan: &mut HookPlan) -> Result<bool, GithooksError> {
    let mut prior = slot.has_prior();
    if prior && slot.prior_is_back() {
        prior = false;
        plan.steps.push(InstallStep::Remove(slot.prior()));
    }
    for stray in slot.moved_hooks()? {
        if stray.is_script && prior && slot.content == SlotContent::Foreign {
            prior = false;
            plan.steps.push(InstallStep::Move { from: slot.prior(), to: stray.at });
        } else {
            plan.steps.push(InstallStep::Remove(stray.at));
        }
    }
    Ok(prior)
}

/// A hook in `hooks_dir` that depends on its own file name and so cannot be chained: with one, nothing is
/// installed.
///
/// # Errors
/// A hook cannot be read.
pub fn find_dispatcher(hooks_dir: &Path) -> Result<Option<PathBuf>, GithooksError> {
    for hook in HOOKS {
        let slot = HookSlot::load(hooks_dir, hook)?;
        if slot.depends_on_name() {
            return Ok(Some(slot.at));
        }
    }
    Ok(None)
}

fn install(slot: &HookSlot, has_prior: bool, program: &Path, plan: &mut HookPlan) {
    match &slot.content {
        SlotContent::Launcher(target) if target == program && !has_prior => {}
        SlotContent::Script(script) if script.edited => plan.notes.push(Note::Edited(slot.at.clone())),
        SlotContent::Script(script) if is_current(script, program) && (has_prior || !can_launch(slot, program)) => {}
        SlotContent::Foreign => {
            keep_foreign(slot, has_prior, plan);
            plan.steps.push(hook(slot, true, program));
        }
        SlotContent::Nothing | SlotContent::Link(_) | SlotContent::Launcher(_) | SlotContent::Script(_) => {
            plan.steps.push(hook(slot, has_prior, program));
        }
    }
}

fn can_launch(slot: &HookSlot, program: &Path) -> bool {
    launcher::render(slot.hook, program).is_some()
}

fn is_current(script: &Script, program: &Path) -> bool {
    script.version == VERSION && script.program == program
}

/// The user's hook gets the kept name as a second name: it stays in place until ours replaces it. An older kept
/// hook is unused, since git would not have called it; but it is the user's file and is not deleted.
fn keep_foreign(slot: &HookSlot, has_prior: bool, plan: &mut HookPlan) {
    if has_prior {
        let free = slot.free_name("uro-prior");
        plan.notes.push(Note::Kept(free.clone()));
        plan.steps.push(InstallStep::Move { from: slot.prior(), to: free });
    }
    plan.steps.push(InstallStep::Keep { from: slot.at.clone(), to: slot.prior() });
}

/// Only a script can chain the prior hook; without one, a launcher is faster.
fn hook(slot: &HookSlot, has_prior: bool, program: &Path) -> InstallStep {
    let alone = (!has_prior).then(|| launcher::render(slot.hook, program)).flatten();
    InstallStep::Program { at: slot.at.clone(), content: alone.unwrap_or_else(|| chain::render(slot.hook, program)) }
}
