//! Plans the installation of our hooks and their removal: hook files, with or without existing hooks, and lines in git's
//! configuration.

use std::path::{Path, PathBuf};

use super::block::{self, HookBlock};
use super::chain::{self, VERSION};
use super::slot::{HookSlot, SlotContent, exists, is_program, mark};
use super::{GithooksError, HookPlan, InstallStep, Note, config_file, launcher};
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
fn undo_moves(slot: &HookSlot, plan: &mut HookPlan) -> Result<bool, GithooksError> {
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
    let is_launched = || !has_prior && launcher::render(slot.hook, program).is_some();
    match &slot.content {
        SlotContent::Launcher(target) if target == program && !has_prior => {}
        SlotContent::Script(script) if script.edited => plan.notes.push(Note::Edited(slot.at.clone())),
        SlotContent::Script(script) if script.version == VERSION && script.program == program && !is_launched() => {}
        SlotContent::Foreign => {
            if has_prior {
                // Unused, since git would not have called it; but it is the user's file and is not deleted.
                let free = slot.free_name("uro-prior");
                plan.notes.push(Note::Kept(free.clone()));
                plan.steps.push(InstallStep::Move { from: slot.prior(), to: free });
            }
            // A second name for the user's hook, which stays in place until ours replaces it.
            plan.steps.push(InstallStep::Keep { from: slot.at.clone(), to: slot.prior() });
            plan.steps.push(hook(slot, true, program));
        }
        SlotContent::Nothing | SlotContent::Link(_) | SlotContent::Launcher(_) | SlotContent::Script(_) => {
            plan.steps.push(hook(slot, has_prior, program));
        }
    }
}

/// Only a script can chain the prior hook; without one, a launcher is faster.
fn hook(slot: &HookSlot, has_prior: bool, program: &Path) -> InstallStep {
    let alone = (!has_prior).then(|| launcher::render(slot.hook, program)).flatten();
    InstallStep::Program { at: slot.at.clone(), content: alone.unwrap_or_else(|| chain::render(slot.hook, program)) }
}

/// Plans the removal of our hooks from `hooks_dir` and the return of the prior hooks. Empty if none is ours.
///
/// # Errors
/// A hook cannot be read.
pub fn plan_remove(hooks_dir: &Path) -> Result<HookPlan, GithooksError> {
    let mut plan = HookPlan::default();
    for hook in HOOKS {
        let slot = HookSlot::load(hooks_dir, hook)?;
        let prior = undo_moves(&slot, &mut plan)?;
        remove(&slot, prior, &mut plan);
    }
    if exists(&mark(hooks_dir)) {
        plan.steps.push(InstallStep::RemoveDirectory(hooks_dir.to_owned()));
    }
    Ok(plan)
}

fn remove(slot: &HookSlot, has_prior: bool, plan: &mut HookPlan) {
    // A single rename, so that the prior hook is present at every moment.
    let restore = |plan: &mut HookPlan| {
        if has_prior {
            plan.steps.push(InstallStep::Move { from: slot.prior(), to: slot.at.clone() });
        }
    };
    match &slot.content {
        SlotContent::Foreign if has_prior => plan.notes.push(Note::Kept(slot.prior())),
        SlotContent::Foreign => {}
        SlotContent::Script(script) if script.edited => {
            let aside = slot.sibling("uro-edited");
            let aside = if exists(&aside) { slot.free_name("uro-edited") } else { aside };
            plan.notes.push(Note::Edited(aside.clone()));
            let (from, to) = (slot.at.clone(), aside);
            plan.steps.push(if has_prior { InstallStep::Keep { from, to } } else { InstallStep::Move { from, to } });
            restore(plan);
        }
        SlotContent::Link(_) | SlotContent::Launcher(_) | SlotContent::Script(_) if !has_prior => {
            plan.steps.push(InstallStep::Remove(slot.at.clone()));
        }
        SlotContent::Link(_) | SlotContent::Launcher(_) | SlotContent::Script(_) | SlotContent::Nothing => {
            restore(plan);
        }
    }
}

/// Plans our lines in `file` with the command `program`, an absolute path. Empty if they are there already.
///
/// # Errors
/// `program` is not absolute, or `file` cannot be read.
pub fn plan_configure(file: &Path, program: &Path) -> Result<HookPlan, GithooksError> {
    if !program.is_absolute() || !is_program(program) {
        return Err(GithooksError::NotAProgram(program.to_owned()));
    }
    let is_there =
        |found: HookBlock| found.disabled.is_empty() && HOOKS.iter().all(|hook| found.program(*hook) == Some(program));
    if find_block(file)?.is_some_and(is_there) {
        return Ok(HookPlan::default());
    }
    let step = InstallStep::Configure { file: file.to_owned(), program: Some(program.to_owned()) };
    Ok(HookPlan { steps: vec![step], notes: Vec::new() })
}

/// Plans the removal of our lines from `file`. Empty if there are none.
///
/// # Errors
/// `file` cannot be read.
pub fn plan_unconfigure(file: &Path) -> Result<HookPlan, GithooksError> {
    let Some(text) = config_file::read_config_file(file)? else { return Ok(HookPlan::default()) };
    if block::remove_block(&text).as_ref() == Some(&text) {
        return Ok(HookPlan::default());
    }
    let step = InstallStep::Configure { file: file.to_owned(), program: None };
    Ok(HookPlan { steps: vec![step], notes: Vec::new() })
}

/// Our hooks in `file`; `None` if there are none, or no file.
///
/// # Errors
/// `file` cannot be read.
pub fn find_block(file: &Path) -> Result<Option<HookBlock>, GithooksError> {
    Ok(config_file::read_config_file(file)?.and_then(|text| block::parse_block(&text)))
}
