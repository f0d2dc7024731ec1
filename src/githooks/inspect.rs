//! Whether the hooks are still ours and still work.

use std::path::Path;

use super::GithooksError;
use super::chain::VERSION;
use super::slot::{Found, Slot, is_program};
use crate::domain::event::{HOOKS, HookName};

/// How one hook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Ok,
    /// Ours was here and somebody removed or replaced it.
    Lost,
    Absent,
    /// Ours, but a link or an older script, or its program is gone: installing again mends it.
    Outdated,
}

/// In what form our hook is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Alone.
    File,
    /// Before another hook that was there already.
    Chained,
}

/// One hook's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookState {
    pub hook: HookName,
    pub state: State,
    /// `None` where it is lost or absent.
    pub how: Option<How>,
}

/// Looks at all our hooks in `hooks_dir`. A missing directory has none.
///
/// That a hook was lost shows from what it left (a kept prior hook, its siblings); where nothing is left, all are
/// `Absent`, and only who remembers having installed them can tell.
///
/// # Errors
/// Where a hook cannot be read.
pub fn inspect(hooks_dir: &Path) -> Result<Vec<HookState>, GithooksError> {
    let slots: Vec<Slot> = HOOKS.iter().map(|hook| Slot::read(hooks_dir, *hook)).collect::<Result<_, _>>()?;
    let any = slots.iter().any(Slot::is_ours);
    Ok(slots.iter().map(|slot| state(slot, any)).collect())
}

fn state(slot: &Slot, any_ours: bool) -> HookState {
    let state = match &slot.found {
        Found::Script(script) if script.version == VERSION && is_program(&script.program) => State::Ok,
        // In front of a kept hook it would hide that.
        Found::Launcher(program) if is_program(program) && !slot.has_prior() => State::Ok,
        Found::Link(_) | Found::Launcher(_) | Found::Script(_) => State::Outdated,
        Found::Nothing | Found::Foreign if any_ours || slot.has_prior() => State::Lost,
        Found::Nothing | Found::Foreign => State::Absent,
    };
    let how = slot.is_ours().then(|| if slot.has_prior() { How::Chained } else { How::File });
    HookState { hook: slot.hook, state, how }
}
