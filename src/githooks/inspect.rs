//! Inspection of installed hook files: present, outdated, broken or lost.

use std::path::Path;

use super::GithooksError;
use super::chain::VERSION;
use super::slot::{Found, Slot, is_program};
use crate::domain::event::{HOOKS, HookName};

/// State of one hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Ok,
    /// Lost: our hook was removed or replaced.
    Lost,
    Absent,
    /// Broken: ours, but a link, an older script, or its program is missing; reinstalling repairs it.
    Outdated,
}

/// Form of our hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Alone.
    File,
    /// Chained before a prior hook.
    Chained,
}

/// One hook's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookState {
    pub hook: HookName,
    pub state: State,
    /// `None` if lost or absent.
    pub how: Option<How>,
}

/// Inspects all our hooks in `hooks_dir`. A missing directory has none.
///
/// A lost hook is detected by what it left (a kept prior hook, its siblings); without such traces all are
/// `Absent`, and only the registry knows that they were installed.
///
/// # Errors
/// A hook cannot be read.
pub fn inspect(hooks_dir: &Path) -> Result<Vec<HookState>, GithooksError> {
    let slots: Vec<Slot> = HOOKS.iter().map(|hook| Slot::read(hooks_dir, *hook)).collect::<Result<_, _>>()?;
    let any = slots.iter().any(Slot::is_ours);
    Ok(slots.iter().map(|slot| state(slot, any)).collect())
}

fn state(slot: &Slot, any_ours: bool) -> HookState {
    let state = match &slot.found {
        Found::Script(script) if script.version == VERSION && is_program(&script.program) => State::Ok,
        // A link before a kept hook would hide the loss.
        Found::Launcher(program) if is_program(program) && !slot.has_prior() => State::Ok,
        Found::Link(_) | Found::Launcher(_) | Found::Script(_) => State::Outdated,
        Found::Nothing | Found::Foreign if any_ours || slot.has_prior() => State::Lost,
        Found::Nothing | Found::Foreign => State::Absent,
    };
    let how = slot.is_ours().then(|| if slot.has_prior() { How::Chained } else { How::File });
    HookState { hook: slot.hook, state, how }
}
