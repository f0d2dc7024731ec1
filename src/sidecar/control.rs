//! Control-socket server: same user only, one request per connection.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::client::PING_TIMEOUT;
use super::heartbeat::Heartbeat;
use super::pool_server::{DeviceRequest, PoolServer};
use super::protocol::{Attention, LINE_LIMIT, PROTOCOL, Request, Response, Vitals};
use crate::domain::clock::Clock;

/// Silent connections that are kept open; of more, the oldest is closed. A client sends its request at once, and pings
/// must be answered however many connections are silent.
const SILENT: usize = 256;
/// Concurrent requests; further ones wait. Pings and stops never do.
const AT_ONCE: usize = 64;
/// Open connections; a further one waits in the kernel's backlog.
const OPEN: usize = 512;
/// Timeout of a whole request, and of writing an answer.
const EXCHANGE: Duration = Duration::from_secs(2);

/// A request for the main loop.
#[derive(Debug)]
pub struct Command {
    pub request: Request,
    pub reply: oneshot::Sender<Response>,
}

/// Health data: pings are answered from it without the main loop.
#[derive(Debug)]
pub struct Health {
    pub started: Instant,
    pub queue_depth: AtomicU64,
    pub attention: Mutex<Attention>,
    /// Notified by a stop, which must also arrive while the main loop works.
    pub leave: Notify,
    /// Heartbeat of the main loop: a ping is not answered while it is stuck.
    pub heartbeat: Heartbeat,
}

impl Health {
    #[must_use]
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            started: clock.instant(),
            queue_depth: AtomicU64::new(0),
            attention: Mutex::default(),
            leave: Notify::new(),
            heartbeat: Heartbeat::new(Arc::clone(clock)),
        }
    }
}

/// Accepts until it is dropped.
pub async fn serve(
    listener: UnixListener,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
    commands: mpsc::Sender<Command>,
    lending: Arc<PoolServer>,
) {
    let desk = Arc::new(ConnectionContext {
        health,
        clock,
        commands,
        pool_server: lending,
        requests: Semaphore::new(AT_ONCE),
    });
    let mut connections = JoinSet::new();
    let mut silent = VecDeque::new();
    loop {
        while connections.len() >= OPEN {
            connections.join_next().await;
        }
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let (desk, spoke) = (Arc::clone(&desk), Arc::new(AtomicBool::new(false)));
                let has_spoken = Arc::clone(&spoke);
                let task = connections.spawn(async move { desk.handle_connection(stream, &has_spoken).await });
                silent.retain(|connection: &Silent| !connection.task.is_finished() && !connection.spoke.load(Ordering::Relaxed));
                while silent.len() >= SILENT {
                    if let Some(oldest) = silent.pop_front() {
                        oldest.task.abort();
                    }
                }
                silent.push_back(Silent { task, spoke });
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A connection that has not sent its request yet.
struct Silent {
    task: AbortHandle,
    spoke: Arc<AtomicBool>,
}

/// Dependencies of a connection.
struct ConnectionContext {
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
    commands: mpsc::Sender<Command>,
    pool_server: Arc<PoolServer>,
    requests: Semaphore,
}

impl ConnectionContext {
    /// One request and its answer. An error here is the client's hang-up and needs no report.
    async fn handle_connection(&self, stream: UnixStream, spoke: &AtomicBool) {
        // The directory is 0700 already; this refuses a descriptor that another user was given.
        if !stream.peer_cred().is_ok_and(|peer| peer.uid() == nix::unistd::geteuid().as_raw()) {
            return;
        }
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read.take(LINE_LIMIT));
        let mut line = String::new();
        if !matches!(timeout(EXCHANGE, read.read_line(&mut line)).await, Ok(Ok(1..))) {
            return;
        }
        spoke.store(true, Ordering::Relaxed);
        let response = match serde_json::from_str(&line) {
            Ok(Request::Ping) if !wait_until_alive(&self.health.heartbeat).await => return,
            Ok(Request::Ping) => Response::Status(Vitals {
                protocol: PROTOCOL,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                uptime_s: self.clock.instant().saturating_duration_since(self.health.started).as_secs(),
                queue_depth: self.health.queue_depth.load(Ordering::Relaxed),
                attention: *self.health.attention.lock(),
            }),
            Ok(Request::Stop) => {
                self.health.leave.notify_one();
                Response::Done
            }
            Ok(Request::Borrow { device, slots, urgency, lasts_ms }) => {
                let wish = DeviceRequest { device, slots, urgency, lasts: Duration::from_millis(lasts_ms) };
                return self.pool_server.lend(&wish, read, write).await;
            }
            Ok(request) => {
                let Ok(_turn) = self.requests.acquire().await else { return };
                forward_request(request, &self.commands).await
            }
            Err(error) => Response::Refused { message: error.to_string() },
        };
        // A client that does not read its answer has hung up, too.
        let _ = timeout(EXCHANGE, write_response(&mut write, &response)).await;
    }
}

/// # Errors
/// When the caller has hung up.
pub(super) async fn write_response(write: &mut OwnedWriteHalf, response: &Response) -> std::io::Result<()> {
    let mut json = serde_json::to_vec(response)?;
    json.push(b'\n');
    write.write_all(&json).await
}

/// Whether the main loop is alive, or becomes so before a ping times out. The wait is longer than that, so that the
/// client hangs up: a hang-up from here would mean that the sidecar leaves.
async fn wait_until_alive(heartbeat: &Heartbeat) -> bool {
    let within = timeout(PING_TIMEOUT * 2, async {
        while !heartbeat.is_alive() {
            tokio::time::sleep(PING_TIMEOUT / 10).await;
        }
    });
    within.await.is_ok()
}

async fn forward_request(request: Request, commands: &mpsc::Sender<Command>) -> Response {
    let (reply, answer) = oneshot::channel();
    let leaving = || Response::Refused { message: "the sidecar is shutting down".to_owned() };
    if commands.send(Command { request, reply }).await.is_err() {
        return leaving();
    }
    answer.await.unwrap_or_else(|_| leaving())
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;
