//! Pool client: borrows devices from the sidecar, for a process that computes on them as well (the batch).
//!
//! Without a sidecar, or with one that is stuck or too old to lend, the device is used without a loan, and the loan is
//! requested again every now and then, because a sidecar may start at any time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Take};
use tokio::net::UnixStream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::client::{PING_TIMEOUT, socket};
use super::protocol::{LINE_LIMIT, Request, Response};
use crate::dispatch::pool::{Lender, Loan, LoanFuture, TurnRequest};
use crate::hook::bell::BellAddress;
use crate::route::signals::Urgency;

/// Interval of looking for a sidecar while a device is used without a loan.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Time that a newly found sidecar has to lend a device that is in use already.
const GRACE: Duration = Duration::from_millis(250);
/// Time that a request with a deadline waits for a sidecar that may be stuck.
const SHORT: Duration = Duration::from_millis(20);

/// Borrows from the sidecar of this runtime directory, if one runs.
#[derive(Debug)]
pub struct PoolClient {
    /// The runtime directory of the sidecar.
    pub run: PathBuf,
}

impl Lender for PoolClient {
    fn borrow<'a>(&'a self, wanted: TurnRequest<'a>) -> LoanFuture<'a> {
        let (granted, grant) = oneshot::channel();
        let (recall, recalled) = watch::channel(false);
        let (device, slots, urgency) = (wanted.device.to_owned(), wanted.slots, wanted.urgency);
        let lasts_ms = u64::try_from(wanted.lasts.as_millis()).unwrap_or(u64::MAX);
        let patience = if urgency < Urgency::Ahead { SHORT } else { PING_TIMEOUT };
        let request = Request::Borrow { device, slots, urgency, lasts_ms };
        let talk = LoanSession { run: self.run.clone(), request, patience, granted: Some(granted), recall };
        // Dropping it ends the conversation, and with it the connection that is the loan.
        let mut held = JoinSet::new();
        held.spawn(talk.keep_up());
        Box::pin(async move {
            // The task ends with a recall only; no answer means that the runtime is shutting down.
            drop(grant.await);
            Loan { recalled, held: Box::new(held) }
        })
    }
}

/// One loan, across sidecars that start and stop meanwhile.
struct LoanSession {
    run: PathBuf,
    request: Request,
    /// A sidecar that does not answer within this is stuck.
    patience: Duration,
    /// Taken when the device may be used.
    granted: Option<oneshot::Sender<()>>,
    recall: watch::Sender<bool>,
}

type Lines = BufReader<Take<UnixStream>>;

impl LoanSession {
    /// Ends only when the device is wanted back; returning it drops this.
    async fn keep_up(mut self) {
        while !self.with_one().await {
            // No sidecar, or none any more.
            self.grant();
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.recall.send_replace(true);
        std::future::pending::<()>().await;
    }

    fn grant(&mut self) {
        if let Some(granted) = self.granted.take() {
            // A closed receiver means that the request was given up.
            let _ = granted.send(());
        }
    }

    /// Talks with the running sidecar; true when the device is wanted back.
    async fn with_one(&mut self) -> bool {
        let Ok(Ok(mut lines)) = tokio::time::timeout(self.patience, send_request(&self.run, &self.request)).await
        else {
            return false;
        };
        match tokio::time::timeout(self.patience, answer(&mut lines)).await {
            Ok(Some(Response::Queued)) => {}
            _ => return false,
        }
        let lent = if self.granted.is_some() {
            Ok(answer(&mut lines).await)
        } else {
            tokio::time::timeout(GRACE, answer(&mut lines)).await
        };
        match lent {
            Ok(Some(Response::Lent)) => self.grant(),
            // The sidecar needs the device that is used here without a loan: this use ends.
            Err(_) => return true,
            Ok(_) => return false,
        }
        if answer(&mut lines).await != Some(Response::Recalled) {
            return false;
        }
        self.recall.send_replace(true);
        // Kept open: closing it returns the device.
        let _open = lines;
        std::future::pending().await
    }
}

async fn send_request(run: &Path, request: &Request) -> std::io::Result<Lines> {
    let address = BellAddress::of(&socket(run))?;
    let path = address.socket.as_pathname().ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut stream = UnixStream::connect(path).await?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    Ok(BufReader::new(stream.take(LINE_LIMIT)))
}

/// The next answer; `None` when the sidecar is gone or its answer is not understood.
async fn answer(lines: &mut Lines) -> Option<Response> {
    let mut line = String::new();
    lines.read_line(&mut line).await.ok()?;
    serde_json::from_str(&line).ok()
}
