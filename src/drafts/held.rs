//! Lease guard: returns the draft to the queue at once when its run is dropped or panics, before the lease expires.

use crate::domain::clock::Clock;
use crate::domain::id::DraftId;

use super::store::DraftShelf;

/// Returns the draft on drop unless it was released.
pub struct HeldDraft<'a, S: DraftShelf> {
    shelf: &'a S,
    clock: &'a dyn Clock,
    id: DraftId,
    attempt: u32,
    held: bool,
}

impl<'a, S: DraftShelf> HeldDraft<'a, S> {
    /// Guards the draft that `attempt` leased.
    #[must_use]
    pub fn new(shelf: &'a S, clock: &'a dyn Clock, id: DraftId, attempt: u32) -> Self {
        Self { shelf, clock, id, attempt, held: true }
    }

    /// The draft was finished, failed or taken over: nothing is returned on drop.
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
            // Best effort: if this write fails, the lease expires by itself.
            drop(self.shelf.fail_draft(self.id, self.attempt, "the run was interrupted", now, now));
        }
    }
}
