//! A lease while it is worked on: given back at once when its run is dropped or panics, not only when it runs out.

use crate::domain::clock::Clock;
use crate::domain::id::DraftId;

use super::store::DraftShelf;

/// Gives the draft back on drop unless it was let go.
pub struct HeldDraft<'a, S: DraftShelf> {
    shelf: &'a S,
    clock: &'a dyn Clock,
    id: DraftId,
    attempt: u32,
    held: bool,
}

impl<'a, S: DraftShelf> HeldDraft<'a, S> {
    /// Holds what `attempt` leased.
    #[must_use]
    pub fn new(shelf: &'a S, clock: &'a dyn Clock, id: DraftId, attempt: u32) -> Self {
        Self { shelf, clock, id, attempt, held: true }
    }

    /// The draft was finished, failed or taken over: there is nothing to give back.
    pub fn let_go(mut self) {
        self.held = false;
    }
}

impl<S: DraftShelf> std::fmt::Debug for HeldDraft<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldDraft").field("id", &self.id).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

impl<S: DraftShelf> Drop for HeldDraft<'_, S> {
    fn drop(&mut self) {
        if self.held {
            let now = self.clock.now();
            // Best effort: should this write fail, the lease runs out by itself.
            drop(self.shelf.fail_draft(self.id, self.attempt, "the run was interrupted", now, now));
        }
    }
}
