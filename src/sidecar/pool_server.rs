//! Pool server: lends devices to other processes. A loan lasts as long as its connection; a recall ends it soon.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::Semaphore;

use super::control::write_response;
use super::protocol::Response;
use crate::dispatch::pool::{Pool, Turn, TurnRequest};
use crate::domain::clock::Clock;
use crate::route::signals::Urgency;

/// Notice period of a recall: then the loan ends without the borrower's answer, because the next caller has a deadline.
const NOTICE: Duration = Duration::from_millis(250);
/// Concurrent borrowers, waiting ones included. The other connections are for requests.
const BORROWERS: usize = 16;
/// Largest slot count and longest device name that a borrower may send.
const SLOTS: usize = 256;
const NAME: usize = 256;
/// Longest wait: borrowers have deadlines of their own and hang up.
const LONGEST: Duration = Duration::from_hours(24);

/// The devices of this process, for other processes.
pub struct PoolServer {
    pool: Arc<Pool>,
    clock: Arc<dyn Clock>,
    borrowers: Semaphore,
}

impl std::fmt::Debug for PoolServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolServer").field("pool", &self.pool).finish_non_exhaustive()
    }
}

/// Request of another process for a device.
#[derive(Debug)]
pub(super) struct DeviceRequest {
    pub device: String,
    pub slots: usize,
    pub urgency: Urgency,
    pub lasts: Duration,
}

impl PoolServer {
    #[must_use]
    pub fn new(pool: Arc<Pool>, clock: Arc<dyn Clock>) -> Self {
        Self { pool, clock, borrowers: Semaphore::new(BORROWERS) }
    }

    /// Lends the requested device until the client hangs up or has to return it.
    pub(super) async fn lend(&self, wish: &DeviceRequest, mut read: impl AsyncRead + Unpin, mut write: OwnedWriteHalf) {
        let Ok(_borrower) = self.borrowers.try_acquire() else {
            let message = "too many processes borrow at a time".to_owned();
            return drop(write_response(&mut write, &Response::Refused { message }).await);
        };
        // When the client hangs up, everything here is dropped: a place in the queue as well as a turn.
        tokio::select! {
            // The client hung up, or sent anything more.
            _ = read.read_u8() => {}
            () = self.lend_turn(wish, &mut write) => {}
        }
    }

    async fn lend_turn(&self, wish: &DeviceRequest, write: &mut OwnedWriteHalf) {
        if wish.device.len() > NAME {
            let message = "there is no device of that name".to_owned();
            return drop(write_response(write, &Response::Refused { message }).await);
        }
        let wanted = TurnRequest {
            device: &wish.device,
            slots: wish.slots.min(SLOTS),
            urgency: wish.urgency,
            lasts: wish.lasts.min(LONGEST),
            until: self.clock.instant() + LONGEST,
        };
        if write_response(write, &Response::Queued).await.is_ok()
            && let Some(turn) = self.pool.turn(wanted).await
            && write_response(write, &Response::Lent).await.is_ok()
        {
            want_back(&turn, write).await;
        }
    }
}

/// Resolves when the loan is over, with or without the borrower's answer.
async fn want_back(turn: &Turn, write: &mut OwnedWriteHalf) {
    turn.recalled().await;
    let notice = async {
        // A borrower that has gone has returned it.
        if write_response(write, &Response::Recalled).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    if tokio::time::timeout(NOTICE, notice).await.is_err() {
        tracing::warn!("a borrowed device was not given back in time");
    }
}

#[cfg(test)]
#[path = "pool_server_tests.rs"]
mod tests;
