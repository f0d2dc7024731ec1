//! Plans the removal of hook files: afterwards the hooks directory is as before the installation.

use std::path::Path;

use super::install::reclaim;
use super::slot::{Found, Slot, exists, mark};
use super::{GithooksError, Note, Plan, Step};
use crate::domain::event::HOOKS;

/// Plans the removal of our hooks from `hooks_dir` and the return of the prior hooks. Empty if none is ours.
///
/// # Errors
/// A hook cannot be read.
pub fn plan_remove(hooks_dir: &Path) -> Result<Plan, GithooksError> {
    let mut plan = Plan::default();
    for hook in HOOKS {
        let slot = Slot::read(hooks_dir, hook)?;
        let prior = reclaim(&slot, &mut plan)?;
        remove(&slot, prior, &mut plan);
    }
    if exists(&mark(hooks_dir)) {
        plan.steps.push(Step::RemoveDirectory(hooks_dir.to_owned()));
    }
    Ok(plan)
}

fn remove(slot: &Slot, has_prior: bool, plan: &mut Plan) {
    match &slot.found {
        Found::Foreign if has_prior => plan.notes.push(Note::Kept(slot.prior())),
        Found::Foreign => {}
        Found::Script(script) if script.edited => {
            let aside = slot.beside("uro-edited");
            let aside = if exists(&aside) { slot.free_name("uro-edited") } else { aside };
            plan.notes.push(Note::Edited(aside.clone()));
            let (from, to) = (slot.at.clone(), aside);
            plan.steps.push(if has_prior { Step::Keep { from, to } } else { Step::Move { from, to } });
            restore(slot, has_prior, plan);
        }
        Found::Link(_) | Found::Launcher(_) | Found::Script(_) if !has_prior => {
            plan.steps.push(Step::Remove(slot.at.clone()));
        }
        Found::Link(_) | Found::Launcher(_) | Found::Script(_) | Found::Nothing => restore(slot, has_prior, plan),
    }
}

/// A single rename, so that the prior hook is present at every moment.
fn restore(slot: &Slot, has_prior: bool, plan: &mut Plan) {
    if has_prior {
        plan.steps.push(Step::Move { from: slot.prior(), to: slot.at.clone() });
    }
}
