//! Lease guard: returns the draft to the queue at once when its run is dropped or panics, before the lease expires.

use crate::domain::clock::Clock;
use crate::domain::id::DraftId;

use super::store::DraftStore;

/// Returns the draft on drop unless it was released.
pub struct DraftLeaseGuard<'a, S: DraftStore> {
    store: &'a S,
    clock: &'a dyn Clock,
    id: DraftId,
    attempt: u32,
    held: bool,
}

impl<'a, S: DraftStore> DraftLeaseGuard<'a, S> {
    /// Guards the draft that `attempt` leased.
    #[must_use]
    pub fn new(store: &'a S, clock: &'a dyn Clock, id: DraftId, attempt: u32) -> Self {
        Self { store, clock, id, attempt, held: true }
    }

    /// The draft was finished, failed or taken over: nothing is returned on drop.
    pub fn let_go(mut self) {
        self.held = false;
    }
}

impl<S: DraftStore> std::fmt::Debug for DraftLeaseGuard<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DraftLeaseGuard").field("id", &self.id).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

impl<S: DraftStore> Drop for DraftLeaseGuard<'_, S> {
    fn drop(&mut self) {
        if self.held {
            let now = self.clock.now();
            // Best effort: if this write fails, the lease expires by itself.
            drop(self.store.fail_draft(self.id, self.attempt, "the run was interrupted", now, now));
        }
    }
}
