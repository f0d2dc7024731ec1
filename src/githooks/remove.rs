//! Plans the removal of hook files: afterwards the hooks directory is as before the installation.

use std::path::Path;

use super::install::undo_moves;
use super::slot::{HookSlot, SlotContent, exists, mark};
use super::{GithooksError, HookPlan, InstallStep, Note};
use crate::domain::event::HOOKS;

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
    match &slot.content {
        SlotContent::Foreign if has_prior => plan.notes.push(Note::Kept(slot.prior())),
        SlotContent::Foreign => {}
        SlotContent::Script(script) if script.edited => {
            let aside = slot.sibling("uro-edited");
            let aside = if exists(&aside) { slot.free_name("uro-edited") } else { aside };
            plan.notes.push(Note::Edited(aside.clone()));
            let (from, to) = (slot.at.clone(), aside);
            plan.steps.push(if has_prior { InstallStep::Keep { from, to } } else { InstallStep::Move { from, to } });
            restore(slot, has_prior, plan);
        }
        SlotContent::Link(_) | SlotContent::Launcher(_) | SlotContent::Script(_) if !has_prior => {
            plan.steps.push(InstallStep::Remove(slot.at.clone()));
        }
        SlotContent::Link(_) | SlotContent::Launcher(_) | SlotContent::Script(_) | SlotContent::Nothing => {
            restore(slot, has_prior, plan);
        }
    }
}

/// A single rename, so that the prior hook is present at every moment.
fn restore(slot: &HookSlot, has_prior: bool, plan: &mut HookPlan) {
    if has_prior {
        plan.steps.push(InstallStep::Move { from: slot.prior(), to: slot.at.clone() });
    }
}
