//! Lending devices to other processes: a loan lasts as long as its connection, and not much longer than it is recalled.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::Semaphore;

use super::control::say;
use super::protocol::Response;
use crate::dispatch::pool::{Pool, Turn, Wanted};
use crate::domain::clock::Clock;
use crate::route::signals::Urgency;

/// A borrower that does not give the device back within this loses it all the same: whoever waits has a deadline.
const NOTICE: Duration = Duration::from_millis(250);
/// Processes that borrow, or wait to, at a time. The other connections are for those who ask something.
const BORROWERS: usize = 16;
/// Most requests that a borrower may say a device takes at a time, and the longest name of one.
const SLOTS: usize = 256;
const NAME: usize = 256;
/// Nobody waits longer than this: borrowers have deadlines of their own and hang up.
const LONGEST: Duration = Duration::from_hours(24);

/// The devices of this process, for others.
pub struct Lending {
    pool: Arc<Pool>,
    clock: Arc<dyn Clock>,
    borrowers: Semaphore,
}

impl std::fmt::Debug for Lending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lending").field("pool", &self.pool).finish_non_exhaustive()
    }
}

/// What another process wants.
#[derive(Debug)]
pub(super) struct Wish {
    pub device: String,
    pub slots: usize,
    pub urgency: Urgency,
    pub lasts: Duration,
}

impl Lending {
    #[must_use]
    pub fn new(pool: Arc<Pool>, clock: Arc<dyn Clock>) -> Self {
        Self { pool, clock, borrowers: Semaphore::new(BORROWERS) }
    }

    /// Lends what is wished for until the caller hangs up or has to give it back.
    pub(super) async fn lend(&self, wish: &Wish, read: impl AsyncRead + Unpin, mut write: OwnedWriteHalf) {
        let Ok(_borrower) = self.borrowers.try_acquire() else {
            let message = "too many processes borrow at a time".to_owned();
            return drop(say(&mut write, &Response::Refused { message }).await);
        };
        // Where the caller hangs up, everything here is dropped: a place in the line as well as a turn.
        tokio::select! {
            () = ends(read) => {}
            () = self.lend_turn(wish, &mut write) => {}
        }
    }

    async fn lend_turn(&self, wish: &Wish, write: &mut OwnedWriteHalf) {
        if wish.device.len() > NAME {
            let message = "there is no device of that name".to_owned();
            return drop(say(write, &Response::Refused { message }).await);
        }
        if say(write, &Response::Queued).await.is_ok()
            && let Some(turn) = self.pool.turn(self.wanted(wish)).await
            && say(write, &Response::Lent).await.is_ok()
        {
            want_back(&turn, write).await;
        }
    }

    fn wanted<'a>(&self, wish: &'a Wish) -> Wanted<'a> {
        let until = self.clock.instant() + LONGEST;
        let lasts = wish.lasts.min(LONGEST);
        Wanted { device: &wish.device, slots: wish.slots.min(SLOTS), urgency: wish.urgency, lasts, until }
    }
}

/// Comes when the turn is over for the borrower, heard or not.
async fn want_back(turn: &Turn, write: &mut OwnedWriteHalf) {
    turn.recalled().await;
    let notice = async {
        // One that has gone has given it back.
        if say(write, &Response::Recalled).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    if tokio::time::timeout(NOTICE, notice).await.is_err() {
        tracing::warn!("a borrowed device was not given back in time");
    }
}

/// Comes when the caller hangs up, or says anything more.
async fn ends(mut read: impl AsyncRead + Unpin) {
    let _ = read.read_u8().await;
}

#[cfg(test)]
#[path = "lending_tests.rs"]
mod tests;
