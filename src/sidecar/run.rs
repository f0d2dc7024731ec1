//! The sidecar's life: take the lock, bind, catch up, serve, drain, leave.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tokio::net::{UnixDatagram, UnixListener};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::control::{self, Command, Pulse};
use super::lock::{self, Lock};
use super::protocol::{PROTOCOL, Request, Response};
use super::worker::{Worker, blocking};
use super::{SidecarError, client};
use crate::domain::clock::Clock;
use crate::hook::bell::Address;
use crate::pipeline::services::Services;
use crate::pipeline::{capture, ingest};
use crate::store::StoreError;

/// How the sidecar is to live.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Leave after this long without anything to do; `None`: stay (installed as a service).
    pub idle: Option<Duration>,
}

/// A drain that takes longer is cut: whatever stops us must not wait for a model.
const DRAIN: Duration = Duration::from_millis(1500);
/// How long a newcomer waits for a predecessor that is leaving.
const HANDOVER: Duration = Duration::from_secs(5);
/// Pause before the spool and store are tried again after a failure, and between housekeeping rounds.
const RETRY: Duration = Duration::from_secs(5);
/// The commit that rang is still on its way out: working at once would take a processor from it. What else rings
/// meanwhile (a rebase) is worked off with it.
const STEP_ASIDE: Duration = Duration::from_millis(8);
const HOUSEKEEPING: Duration = Duration::from_secs(3600);

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Idle,
    Asked,
    /// Another sidecar of this version serves already.
    AlreadyRunning,
}

/// Becomes the sidecar, unless one serves already. An older or newer one is asked to hand over.
/// `services` is called once the lock is held, so that only one sidecar ever opens the store.
///
/// # Errors
/// When its sockets cannot be bound or the store cannot be opened.
pub fn run(
    run_dir: &Path,
    options: Options,
    clock: &Arc<dyn Clock>,
    services: impl FnOnce() -> Result<Services, StoreError>,
) -> Result<Ended, SidecarError> {
    // Sockets and files of ours are nobody else's business; bind(2) honours the umask.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    make_private(run_dir)?;
    let Some(lock) = take_over(run_dir, clock.as_ref())? else { return Ok(Ended::AlreadyRunning) };
    let services = services()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(4)
        .thread_keep_alive(Duration::from_secs(2))
        .enable_all()
        .build()
        .map_err(|error| SidecarError::io("start a runtime in", run_dir, error))?;
    let ended = runtime.block_on(serve(run_dir, options, services));
    runtime.shutdown_timeout(Duration::from_millis(200));
    drop(lock);
    ended
}

fn make_private(dir: &Path) -> Result<(), SidecarError> {
    std::fs::create_dir_all(dir).map_err(|error| SidecarError::io("create", dir, error))?;
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(dir, private).map_err(|error| SidecarError::io("protect", dir, error))
}

/// The lock, from nobody, from a predecessor of another version, or not at all.
fn take_over(run_dir: &Path, clock: &dyn Clock) -> Result<Option<Lock>, SidecarError> {
    let give_up = clock.instant() + HANDOVER;
    let mut asked = false;
    loop {
        if let Some(lock) = lock::acquire(run_dir)? {
            return Ok(Some(lock));
        }
        if let Some(vitals) = client::ping(run_dir) {
            if vitals.version == env!("CARGO_PKG_VERSION") && vitals.protocol == PROTOCOL {
                return Ok(None);
            }
            if !asked {
                // Its refusal or hang-up changes nothing: the lock decides.
                let _ = client::ask(run_dir, &Request::Stop, HANDOVER);
                asked = true;
            }
        }
        if clock.instant() >= give_up {
            let pid = lock::holder(run_dir).map_or(0, |holder| holder.pid);
            return Err(SidecarError::Unresponsive { pid });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The sockets; removed when dropped. Stale ones are unlinked: the lock says that nobody uses them.
struct Sockets {
    bell: UnixDatagram,
    control: Option<UnixListener>,
    paths: [PathBuf; 2],
}

impl Sockets {
    fn bind(run_dir: &Path) -> Result<Self, SidecarError> {
        let paths = [run_dir.join("bell.sock"), client::socket(run_dir)];
        for path in &paths {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(SidecarError::io("remove", path, error));
                }
                _ => {}
            }
        }
        let bell = bind_bell(&paths[0]).map_err(|error| SidecarError::io("bind", &paths[0], error))?;
        let control = bind_control(&paths[1]).map_err(|error| SidecarError::io("bind", &paths[1], error))?;
        Ok(Self { bell, control: Some(control), paths })
    }

    /// From now on the hook starts a successor instead of ringing here.
    fn unlink(&self) {
        for path in &self.paths {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn bind_bell(path: &Path) -> std::io::Result<UnixDatagram> {
    let bell = std::os::unix::net::UnixDatagram::bind_addr(&Address::of(path)?.socket)?;
    bell.set_nonblocking(true)?;
    UnixDatagram::from_std(bell)
}

fn bind_control(path: &Path) -> std::io::Result<UnixListener> {
    let listener = std::os::unix::net::UnixListener::bind_addr(&Address::of(path)?.socket)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

async fn serve(run_dir: &Path, options: Options, services: Services) -> Result<Ended, SidecarError> {
    let mut sockets = Sockets::bind(run_dir)?;
    let pulse = Arc::new(Pulse { started: services.clock.instant(), queue_depth: AtomicU64::new(0) });
    let (commands, inbox) = mpsc::channel(256);
    let mut background = JoinSet::new();
    if let Some(listener) = sockets.control.take() {
        background.spawn(control::serve(listener, Arc::clone(&pulse), Arc::clone(&services.clock), commands));
    }
    let worker = Worker::new(services.clone(), Arc::clone(&pulse));
    let terminate = |kind| signal(kind).map_err(|error| SidecarError::io("catch signals in", run_dir, error));
    let signals = [terminate(SignalKind::terminate())?, terminate(SignalKind::interrupt())?];
    let mut life = Life { services, worker, inbox, options, waiting: JoinSet::new(), housekept: None };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "sidecar serves");
    let ended = life.live(&sockets.bell, signals).await;
    sockets.unlink();
    life.drain().await;
    tracing::info!(?ended, "sidecar leaves");
    Ok(ended)
}

struct Life {
    services: Services,
    worker: Worker,
    inbox: mpsc::Receiver<Command>,
    options: Options,
    /// Commands that are answered when their capture is final.
    waiting: JoinSet<()>,
    housekept: Option<Instant>,
}

impl Life {
    async fn live(&mut self, bell: &UnixDatagram, [mut terminate, mut interrupt]: [Signal; 2]) -> Ended {
        let mut last_active = self.services.clock.instant();
        let mut again = self.round().await;
        loop {
            let pause = again.unwrap_or(HOUSEKEEPING);
            let idle_at = self.options.idle.map(|idle| last_active + idle);
            tokio::select! {
                rung = listen(bell) => {
                    let pause = if rung.is_ok() { STEP_ASIDE } else { RETRY };
                    tokio::time::sleep(pause).await;
                    while bell.try_recv(&mut [0; 16]).is_ok() {}
                    last_active = self.services.clock.instant();
                    again = self.round().await;
                }
                Some(command) = self.inbox.recv() => {
                    last_active = self.services.clock.instant();
                    if self.obey(command).await {
                        return Ended::Asked;
                    }
                }
                () = self.worker.reap() => {}
                Some(_) = self.waiting.join_next(), if !self.waiting.is_empty() => {}
                () = tokio::time::sleep(pause) => again = self.round().await,
                () = until(idle_at), if !self.worker.busy() => return Ended::Idle,
                _ = terminate.recv() => return Ended::Asked,
                _ = interrupt.recv() => return Ended::Asked,
            }
        }
    }

    /// Works off what there is; gives the pause after which to look again without being rung for.
    async fn round(&mut self) -> Option<Duration> {
        match self.worker.work().await {
            Ok(Some(pause)) => Some(pause),
            Ok(None) => self.housekeep().await,
            Err(error) => {
                tracing::error!(%error, "events wait: the store cannot be written");
                Some(RETRY)
            }
        }
    }

    /// Settles captures whose process died, and forgets old operations; once at the start, once shortly
    /// after (for what was too fresh to be called dead), then hourly.
    async fn housekeep(&mut self) -> Option<Duration> {
        let now = self.services.clock.instant();
        let first = self.housekept.is_none();
        if self.housekept.is_some_and(|last| now.duration_since(last) < RETRY) {
            return Some(RETRY);
        }
        self.housekept = Some(now);
        let done = blocking(&self.services, |services| {
            ingest::finish_abandoned(&services)?;
            services.store.expire_operations(services.clock.now() - services.config(None).retention.operations)
        });
        if let Err(error) = done.await {
            tracing::error!(%error, "housekeeping failed");
        }
        first.then_some(RETRY + Duration::from_secs(1))
    }

    /// True when the sidecar is to leave.
    async fn obey(&mut self, Command { request, reply }: Command) -> bool {
        match request {
            Request::Ping => {}
            Request::Stop => {
                let _ = reply.send(Response::Done);
                return true;
            }
            Request::Enrich { id, stamp, git_dir } => {
                let services = self.services.clone();
                self.waiting.spawn(async move {
                    let response = enrich(services, id, stamp, git_dir).await;
                    // A caller that gave up has read the capture from the store.
                    let _ = reply.send(response);
                });
            }
        }
        false
    }

    async fn drain(&mut self) {
        let waiting = async {
            self.worker.drain().await;
            while self.waiting.join_next().await.is_some() {}
        };
        if tokio::time::timeout(DRAIN, waiting).await.is_err() {
            tracing::warn!("drain cut short; unfinished captures keep their template");
        }
    }
}

async fn enrich(
    services: Services,
    id: crate::domain::id::CaptureId,
    stamp: jiff::Timestamp,
    git_dir: Option<PathBuf>,
) -> Response {
    let resumed = {
        let services = services.clone();
        tokio::task::spawn_blocking(move || capture::resume(&services, id, stamp, git_dir.as_deref())).await
    };
    let job = match resumed {
        Ok(Ok(Some(job))) => job,
        Ok(Ok(None)) => return Response::Done,
        Ok(Err(error)) => return Response::Refused { message: error.to_string() },
        Err(panic) => return Response::Refused { message: panic.to_string() },
    };
    match capture::enrich(&services, job).await {
        Ok(()) => Response::Done,
        Err(error) => Response::Refused { message: error.to_string() },
    }
}

async fn listen(bell: &UnixDatagram) -> std::io::Result<()> {
    bell.recv(&mut [0; 16]).await.map(drop)
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
