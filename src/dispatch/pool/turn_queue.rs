//! Priority queue with preemption for one device: slots, waiting and running callers. A state machine without futures.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::route::signals::Urgency;

/// Initial estimate of the time from a preemption to the end of its turn: a server notices a hang-up within some ten
/// milliseconds.
const RELEASE: Duration = Duration::from_millis(20);
/// Bounds of the expected time from a preemption to the end of its turn.
const RELEASE_BOUNDS: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(250)];
/// Weight of one measured release in the moving average.
const RELEASE_WEIGHT: f64 = 0.2;

/// Identifies a caller of a device; smaller ids came earlier.
pub(super) type Id = u64;

/// All callers of one device.
#[derive(Debug)]
pub(super) struct TurnQueue {
    slots: usize,
    next: Id,
    pub(super) running: BTreeMap<Id, Running>,
    /// In the order in which they are served.
    pub(super) waiting: BTreeMap<(Urgency, Id), Duration>,
    /// Expected time from a preemption to the end of its turn.
    pub(super) release: Duration,
    recalled_total: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    pub(super) urgency: Urgency,
    began: Instant,
    /// Expected end.
    pub(super) end: Instant,
    pub(super) recalled: Option<Instant>,
}

/// Effects of a change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    pub(super) starts: Vec<Id>,
    pub(super) recalls: Vec<Id>,
}

impl Running {
    /// Whether this turn is preempted by a request of that urgency. Prefill and batch work can be resumed later and
    /// lose little. A capture is never preempted: it is short, a user waits for it as well, and its text would be lost,
    /// for a gain of less than its own length.
    pub(super) fn yields_to(&self, urgency: Urgency) -> bool {
        self.urgency >= Urgency::Ahead && urgency < self.urgency
    }
}

impl TurnQueue {
    pub(super) fn new() -> Self {
        let (running, waiting) = (BTreeMap::new(), BTreeMap::new());
        Self { slots: 1, next: 0, running, waiting, release: RELEASE, recalled_total: 0 }
    }

    /// Sets the number of slots, at least one. Turns beyond that run to their end.
    pub(super) fn set_slots(&mut self, slots: usize) {
        self.slots = slots.max(1);
    }

    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    pub(super) fn recalled_total(&self) -> u64 {
        self.recalled_total
    }

    /// Queues a caller that will need the device for `lasts`.
    pub(super) fn join(&mut self, urgency: Urgency, lasts: Duration) -> Id {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        self.waiting.insert((urgency, id), lasts);
        id
    }

    /// Removes a waiting caller; false where it does not wait any more.
    pub(super) fn leave(&mut self, urgency: Urgency, id: Id) -> bool {
        self.waiting.remove(&(urgency, id)).is_some()
    }

    pub(super) fn expect(&mut self, id: Id, end: Instant) {
        if let Some(running) = self.running.get_mut(&id) {
            running.end = end;
        }
    }

    /// Ends a turn.
    pub(super) fn end(&mut self, id: Id, now: Instant) {
        let recalled = self.running.remove(&id).and_then(|running| running.recalled);
        if let Some(at) = recalled {
            self.learn(now.saturating_duration_since(at));
        }
    }

    fn learn(&mut self, release: Duration) {
        let [least, most] = RELEASE_BOUNDS;
        let earlier = self.release.mul_f64(1.0 - RELEASE_WEIGHT);
        self.release = (earlier + release.min(most).mul_f64(RELEASE_WEIGHT)).clamp(least, most);
    }

    /// Grants free slots to the first in line, and preempts turns for the callers that still wait.
    pub(super) fn settle(&mut self, now: Instant) -> Moves {
        let mut starts = Vec::new();
        while self.running.len() < self.slots {
            let Some(((urgency, id), lasts)) = self.waiting.pop_first() else { break };
            let end = now.checked_add(lasts).unwrap_or(now);
            self.running.insert(id, Running { urgency, began: now, end, recalled: None });
            starts.push(id);
        }
        let recalls = self.recall(now);
        Moves { starts, recalls }
    }

    /// Waiting callers are served in order: a slot that was preempted for the first goes to the first.
    fn recall(&mut self, now: Instant) -> Vec<Id> {
        let mut coming = self.running.values().filter(|running| running.recalled.is_some()).count();
        // After a reduction of the slots, some turns must end before one is free.
        let mut needed = self.running.len().saturating_sub(self.slots);
        let mut recalls = Vec::new();
        for (urgency, _) in self.waiting.keys() {
            needed += 1;
            while coming < needed {
                let Some((id, running)) = dispensable(&mut self.running, *urgency) else { return recalls };
                running.recalled = Some(now);
                self.recalled_total += 1;
                recalls.push(id);
                coming += 1;
            }
        }
        recalls
    }
}

/// The least urgent turn that yields to `urgency`; among equals the last begun, which loses least.
fn dispensable(running: &mut BTreeMap<Id, Running>, urgency: Urgency) -> Option<(Id, &mut Running)> {
    let yields = running.iter_mut().filter(|(_, turn)| turn.recalled.is_none() && turn.yields_to(urgency));
    yields.max_by_key(|(id, turn)| (turn.urgency, turn.began, **id)).map(|(id, turn)| (*id, turn))
}

#[cfg(test)]
#[path = "turn_queue_tests.rs"]
mod tests;
