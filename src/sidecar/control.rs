//! The listening end of the control socket: same user only, one request a connection.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use super::client::PING_TIMEOUT;
use super::heart::Heart;
use super::lending::{Lending, Wish};
use super::protocol::{Attention, LINE_LIMIT, PROTOCOL, Request, Response, Vitals};
use crate::domain::clock::Clock;

/// Connections served at once; a further one waits in the kernel's backlog.
const AT_ONCE: usize = 64;

/// A request that the main loop has to carry out.
#[derive(Debug)]
pub struct Command {
    pub request: Request,
    pub reply: oneshot::Sender<Response>,
}

/// What pings are answered from without troubling the main loop.
#[derive(Debug)]
pub struct Pulse {
    pub started: Instant,
    pub queue_depth: AtomicU64,
    pub attention: Mutex<Attention>,
    /// Notified by a stop: it must be heard also while the main loop is at work.
    pub leave: Notify,
    /// Whether the main loop is alive: a ping is not answered for one that is stuck.
    pub heart: Heart,
}

impl Pulse {
    #[must_use]
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            started: clock.instant(),
            queue_depth: AtomicU64::new(0),
            attention: Mutex::default(),
            leave: Notify::new(),
            heart: Heart::new(Arc::clone(clock)),
        }
    }
}

/// Accepts until it is dropped.
pub async fn serve(
    listener: UnixListener,
    pulse: Arc<Pulse>,
    clock: Arc<dyn Clock>,
    commands: mpsc::Sender<Command>,
    lending: Arc<Lending>,
) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= AT_ONCE {
            connections.join_next().await;
        }
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let (pulse, clock, commands) = (Arc::clone(&pulse), Arc::clone(&clock), commands.clone());
                let lending = Arc::clone(&lending);
                connections.spawn(async move { converse(stream, &pulse, clock.as_ref(), &commands, &lending).await });
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// An error here is the caller's hang-up: there is nobody left to tell.
async fn converse(
    stream: UnixStream,
    pulse: &Pulse,
    clock: &dyn Clock,
    commands: &mpsc::Sender<Command>,
    lending: &Lending,
) {
    if !same_user(&stream) {
        return;
    }
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read.take(LINE_LIMIT));
    let mut line = String::new();
    if read.read_line(&mut line).await.is_err() {
        return;
    }
    let response = match serde_json::from_str(&line) {
        Ok(Request::Ping) if !comes_alive(&pulse.heart).await => return,
        Ok(Request::Ping) => Response::Status(vitals(pulse, clock)),
        Ok(Request::Stop) => {
            pulse.leave.notify_one();
            Response::Done
        }
        Ok(Request::Borrow { device, slots, urgency, lasts_ms }) => {
            let wish = Wish { device, slots, urgency, lasts: Duration::from_millis(lasts_ms) };
            return lending.lend(&wish, read, write).await;
        }
        Ok(request) => hand_over(request, commands).await,
        Err(error) => Response::Refused { message: error.to_string() },
    };
    let _ = say(&mut write, &response).await;
}

/// # Errors
/// When the caller has hung up.
pub(super) async fn say(write: &mut OwnedWriteHalf, response: &Response) -> std::io::Result<()> {
    let mut json = serde_json::to_vec(response)?;
    json.push(b'\n');
    write.write_all(&json).await
}

/// Whether the main loop turns, or does so while a ping is waited for. Longer than that, so that it is the caller who
/// hangs up: a hang-up from here would say that we are leaving.
async fn comes_alive(heart: &Heart) -> bool {
    let within = tokio::time::timeout(PING_TIMEOUT * 2, async {
        while !heart.beats() {
            tokio::time::sleep(PING_TIMEOUT / 10).await;
        }
    });
    within.await.is_ok()
}

/// The directory is 0700 already; a descriptor passed on by someone else is refused here.
fn same_user(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == nix::unistd::geteuid().as_raw())
}

fn vitals(pulse: &Pulse, clock: &dyn Clock) -> Vitals {
    Vitals {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        uptime_s: clock.instant().saturating_duration_since(pulse.started).as_secs(),
        queue_depth: pulse.queue_depth.load(Ordering::Relaxed),
        attention: *pulse.attention.lock().unwrap_or_else(PoisonError::into_inner),
    }
}

async fn hand_over(request: Request, commands: &mpsc::Sender<Command>) -> Response {
    let (reply, answer) = oneshot::channel();
    let leaving = || Response::Refused { message: "the sidecar is leaving".to_owned() };
    if commands.send(Command { request, reply }).await.is_err() {
        return leaving();
    }
    answer.await.unwrap_or_else(|_| leaving())
}
