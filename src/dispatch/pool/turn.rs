//! The right to compute on a device, and the place in the line for it: both end when they are dropped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::Wanted;
use super::line::{Id, Line, Moves};
use crate::domain::clock::Clock;
use crate::route::signals::Urgency;

/// One device with everybody who uses it.
pub(super) struct Device {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) line: Line,
    callers: HashMap<Id, Caller>,
}

/// How one who waits, or runs, is reached.
struct Caller {
    turn: Option<oneshot::Sender<Turn>>,
    recall: watch::Sender<bool>,
}

/// The right to compute on a device; it ends when this is dropped.
pub struct Turn {
    device: Arc<Device>,
    id: Id,
    recalled: watch::Receiver<bool>,
    /// Where the device is somebody else's, who may want it back as well.
    loan: Option<Loan>,
}

/// A device that another process lends; given back when this is dropped.
pub struct Loan {
    /// Up when it is wanted back.
    pub recalled: watch::Receiver<bool>,
    /// Gives it back when it is dropped.
    pub held: Box<dyn std::any::Any + Send + Sync>,
}

/// A place in the line; it is given up when this is dropped.
pub(super) struct Place {
    device: Arc<Device>,
    urgency: Urgency,
    id: Id,
}

impl Device {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::new(State { line: Line::new(), callers: HashMap::new() }) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues; the turn comes by the receiver.
    pub(super) fn join(self: &Arc<Self>, wanted: &Wanted<'_>) -> (Place, oneshot::Receiver<Turn>) {
        let (turn, granted) = oneshot::channel();
        let mut state = self.state();
        state.line.set_slots(wanted.slots);
        let id = state.line.join(wanted.urgency, wanted.lasts);
        state.callers.insert(id, Caller { turn: Some(turn), recall: watch::Sender::new(false) });
        self.settle(state);
        (Place { device: Arc::clone(self), urgency: wanted.urgency, id }, granted)
    }

    /// Tells everybody concerned what follows from a change. A turn is handed over, not announced: nobody can come
    /// between. It is sent without the lock, because one whose caller has gone ends on the spot.
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

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.device.state();
        // Who has their turn already ends it by dropping that.
        if state.line.leave(self.urgency, self.id) {
            state.callers.remove(&self.id);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let now = self.device.clock.instant();
        let mut state = self.device.state();
        state.callers.remove(&self.id);
        state.line.end(self.id, now);
        self.device.settle(state);
    }
}

impl Turn {
    /// Says when it will probably be over, so that others know how long they would wait.
    pub fn expect(&self, end: Instant) {
        self.device.state().line.expect(self.id, end);
    }

    /// Comes when somebody more urgent needs the device: whoever holds the turn then closes its connection and drops it.
    pub async fn recalled(&self) {
        let lender = self.loan.as_ref().map(|loan| loan.recalled.clone());
        tokio::select! {
            () = is_up(self.recalled.clone()) => {}
            () = async { match lender { Some(flag) => is_up(flag).await, None => std::future::pending().await } } => {}
        }
    }

    /// Whether it was recalled already.
    #[must_use]
    pub fn is_recalled(&self) -> bool {
        *self.recalled.borrow() || self.loan.as_ref().is_some_and(|loan| *loan.recalled.borrow())
    }

    /// The same turn on a device that is lent: both end together.
    #[must_use]
    pub fn on_loan(mut self, loan: Loan) -> Self {
        self.loan = Some(loan);
        self
    }
}

/// Comes when the flag is up; never when nobody can raise it any more.
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
