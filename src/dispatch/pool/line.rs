//! Who computes on one device, who waits for it, and who has to make room: a state machine without futures.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::route::signals::Urgency;

/// What a recalled turn takes to end until it was measured: a server notices within some ten milliseconds that its
/// caller hung up.
const RELEASE: Duration = Duration::from_millis(20);
/// No turn is expected to take longer than this to end once it was recalled, and none to take less.
const RELEASE_BOUNDS: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(250)];
/// One measured release moves the expectation by this share of the difference.
const RELEASE_WEIGHT: f64 = 0.2;

/// Tells one caller of a device from the others; the smaller came earlier.
pub(super) type Id = u64;

/// Everybody who uses one device.
#[derive(Debug)]
pub(super) struct Line {
    slots: usize,
    next: Id,
    pub(super) running: BTreeMap<Id, Running>,
    /// In the order in which they are served.
    pub(super) waiting: BTreeMap<(Urgency, Id), Duration>,
    /// How long a recalled turn takes to end.
    pub(super) release: Duration,
    recalled_total: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    pub(super) urgency: Urgency,
    began: Instant,
    /// When it will probably be over.
    pub(super) end: Instant,
    pub(super) recalled: Option<Instant>,
}

/// What follows from a change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    pub(super) starts: Vec<Id>,
    pub(super) recalls: Vec<Id>,
}

impl Running {
    /// Whether this makes room for somebody of that urgency. What reads ahead or writes for nobody can go on later and
    /// loses little. A capture is never interrupted: it is short, somebody waits for it as well, and its text would be
    /// lost, for a gain of less than its own length.
    pub(super) fn yields_to(&self, urgency: Urgency) -> bool {
        self.urgency >= Urgency::Ahead && urgency < self.urgency
    }
}

impl Line {
    pub(super) fn new() -> Self {
        let (running, waiting) = (BTreeMap::new(), BTreeMap::new());
        Self { slots: 1, next: 0, running, waiting, release: RELEASE, recalled_total: 0 }
    }

    /// The device takes so many requests at a time from now on; at least one. What runs beyond that runs to its end.
    pub(super) fn set_slots(&mut self, slots: usize) {
        self.slots = slots.max(1);
    }

    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    pub(super) fn recalled_total(&self) -> u64 {
        self.recalled_total
    }

    /// Queues somebody who will need the device for `lasts`.
    pub(super) fn join(&mut self, urgency: Urgency, lasts: Duration) -> Id {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        self.waiting.insert((urgency, id), lasts);
        id
    }

    /// Somebody who waits gives up; false where they do not wait any more.
    pub(super) fn leave(&mut self, urgency: Urgency, id: Id) -> bool {
        self.waiting.remove(&(urgency, id)).is_some()
    }

    pub(super) fn expect(&mut self, id: Id, end: Instant) {
        if let Some(running) = self.running.get_mut(&id) {
            running.end = end;
        }
    }

    /// A turn is over.
    pub(super) fn end(&mut self, id: Id, now: Instant) {
        let recalled = self.running.remove(&id).and_then(|running| running.recalled);
        if let Some(at) = recalled {
            self.learn(now.saturating_duration_since(at));
        }
    }

    fn learn(&mut self, release: Duration) {
        let [least, most] = RELEASE_BOUNDS;
        let known = self.release.mul_f64(1.0 - RELEASE_WEIGHT);
        self.release = (known + release.min(most).mul_f64(RELEASE_WEIGHT)).clamp(least, most);
    }

    /// Starts whoever can start, and recalls whoever has to make room for those that still wait.
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

    /// Those who wait are served in their order: what was recalled for the first comes to the first.
    fn recall(&mut self, now: Instant) -> Vec<Id> {
        let mut coming = self.running.values().filter(|running| running.recalled.is_some()).count();
        // Where the slots became fewer, some must end before one is free.
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

/// The least urgent that makes room for `urgency`; of several the last begun, which loses least.
fn dispensable(running: &mut BTreeMap<Id, Running>, urgency: Urgency) -> Option<(Id, &mut Running)> {
    let yields = running.iter_mut().filter(|(_, one)| one.recalled.is_none() && one.yields_to(urgency));
    yields.max_by_key(|(id, one)| (one.urgency, one.began, **id)).map(|(id, one)| (*id, one))
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
