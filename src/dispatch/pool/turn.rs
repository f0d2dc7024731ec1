//! RAII guards of a device: a granted turn and a place in the queue; both end when they are dropped.

use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::TurnRequest;
use super::turn_queue::{Id, Moves, TurnQueue};
use crate::domain::clock::Clock;
use crate::route::signals::Urgency;

/// One device with its queue.
pub(super) struct Device {
    clock: Arc<dyn Clock>,
    pub(super) state: Mutex<State>,
}

pub(super) struct State {
    pub(super) line: TurnQueue,
    callers: HashMap<Id, Caller>,
}

/// Channels to a waiting or running caller.
struct Caller {
    turn: Option<oneshot::Sender<Turn>>,
    recall: watch::Sender<bool>,
}

/// The right to compute on a device; it ends when this is dropped.
pub struct Turn {
    device: Arc<Device>,
    id: Id,
    recalled: watch::Receiver<bool>,
    /// Set where another process owns the device and may recall it as well.
    loan: Option<Loan>,
}

/// A device that another process lends; returned when this is dropped.
pub struct Loan {
    /// True when the lender wants it back.
    pub recalled: watch::Receiver<bool>,
    /// Returns the device when it is dropped.
    pub held: Box<dyn std::any::Any + Send + Sync>,
}

/// A place in the queue; it is given up when this is dropped.
pub(super) struct QueuePlace {
    device: Arc<Device>,
    urgency: Urgency,
    id: Id,
}

impl Device {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::new(State { line: TurnQueue::new(), callers: HashMap::new() }) }
    }

    /// Joins the queue; the turn comes by the receiver.
    pub(super) fn join(self: &Arc<Self>, wanted: &TurnRequest<'_>) -> (QueuePlace, oneshot::Receiver<Turn>) {
        let (turn, granted) = oneshot::channel();
        let mut state = self.state.lock();
        state.line.set_slots(wanted.slots);
        let id = state.line.join(wanted.urgency, wanted.lasts);
        state.callers.insert(id, Caller { turn: Some(turn), recall: watch::Sender::new(false) });
        self.settle(state);
        (QueuePlace { device: Arc::clone(self), urgency: wanted.urgency, id }, granted)
    }

    /// Notifies the callers that a change concerns. A turn is sent itself, not announced, so that no other caller can
    /// come between. It is sent without the lock, because one without a receiver ends on the spot.
    fn settle(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let Moves { starts, recalls } = state.line.settle(self.clock.instant());
        for caller in recalls.into_iter().filter_map(|id| state.callers.get(&id)) {
            caller.recall.send_replace(true);
        }
        let granted: Vec<_> = starts.into_iter().filter_map(|id| self.grant(&mut state, id)).collect();
        drop(state);
        for (caller, turn) in granted {
            drop(caller.send(turn));
        }
    }

    fn grant(self: &Arc<Self>, state: &mut State, id: Id) -> Option<(oneshot::Sender<Turn>, Turn)> {
        let caller = state.callers.get_mut(&id)?;
        let recalled = caller.recall.subscribe();
        Some((caller.turn.take()?, Turn { device: Arc::clone(self), id, recalled, loan: None }))
    }
}

impl Drop for QueuePlace {
    fn drop(&mut self) {
        let mut state = self.device.state.lock();
        // A caller with a granted turn ends it by dropping that.
        if state.line.leave(self.urgency, self.id) {
            state.callers.remove(&self.id);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let now = self.device.clock.instant();
        let mut state = self.device.state.lock();
        state.callers.remove(&self.id);
        state.line.end(self.id, now);
        self.device.settle(state);
    }
}

impl Turn {
    /// Declares the expected end, for the wait estimates of others.
    pub fn expect(&self, end: Instant) {
        self.device.state.lock().line.expect(self.id, end);
    }

    /// Resolves when a more urgent request needs the device: the holder then closes its connection and drops the turn.
    pub async fn recalled(&self) {
        let lender = self.loan.as_ref().map(|loan| loan.recalled.clone());
        tokio::select! {
            () = is_up(self.recalled.clone()) => {}
            () = async { match lender { Some(flag) => is_up(flag).await, None => std::future::pending().await } } => {}
        }
    }

    /// Whether it was preempted already.
    #[must_use]
    pub fn is_recalled(&self) -> bool {
        *self.recalled.borrow() || self.loan.as_ref().is_some_and(|loan| *loan.recalled.borrow())
    }

    /// The same turn on a lent device: both end together.
    #[must_use]
    pub fn on_loan(mut self, loan: Loan) -> Self {
        self.loan = Some(loan);
        self
    }
}

/// Resolves when the flag is true; never after its sender is gone.
async fn is_up(mut flag: watch::Receiver<bool>) {
    if flag.wait_for(|up| *up).await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("id", &self.id).field("on_loan", &self.loan.is_some()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Loan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loan").field("recalled", &*self.recalled.borrow()).finish_non_exhaustive()
    }
}
