//! Lifecycle of the sidecar: take the lock, bind, catch up, serve, drain, leave.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::SidecarError;
use super::control::{self, Command, Health};
use super::heartbeat;
use super::idle_tasks::IdleTasks;
use super::pool_server::PoolServer;
use super::prefill::PrefillScheduler;
use super::protocol::{Request, Response};
use super::sentinel::LivenessGuard;
use super::sockets::{self, Sockets};
use super::takeover::take_over;
use super::watch::scheduler::WatchScheduler;
use super::worker::{Worker, blocking};
use crate::domain::clock::Clock;
use crate::pipeline::preview::preview_route;
use crate::pipeline::services::Services;
use crate::pipeline::{capture, enrich, erasure, ingest};
use crate::store::StoreError;

/// Options of a sidecar.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Leave after this long without work, if no repository depends on the watcher; `None`: stay (installed as a
    /// service).
    pub idle: Option<Duration>,
}

/// Time for running jobs after a stop; later ones keep their template, because a shutdown must not wait for a model.
/// Together with the final writes this stays below two seconds.
const DRAIN: Duration = Duration::from_millis(1200);
/// Time for the final writes.
const LAST_WORD: Duration = Duration::from_millis(300);
/// Pause before spool and store are retried after a failure, and after the first housekeeping.
const RETRY: Duration = Duration::from_secs(5);
/// Longest pause between two rounds of housekeeping.
const HOUSEKEEPING: Duration = Duration::from_secs(300);
/// Delay after a ring or a log event: the commit is still finishing, and work at once would take a processor from it.
/// It also coalesces what else comes meanwhile (a rebase).
pub(super) const STEP_ASIDE: Duration = Duration::from_millis(8);

/// Threads for files and the store; most are a reserve for file systems that do not answer. Idle ones end.
const BLOCKING: usize = 8;

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    Idle,
    Asked,
    /// Its sockets are gone: it cannot be reached any more.
    Cut,
    /// Another sidecar of this version serves already.
    AlreadyRunning,
}

/// Runs the sidecar, unless one serves already. An older or newer one is asked to hand over. `services` is called once
/// the lock is held, so that only one sidecar ever opens the store.
///
/// # Errors
/// When its sockets cannot be bound or the store cannot be opened.
pub fn run(
    run_dir: &Path,
    options: Options,
    clock: &Arc<dyn Clock>,
    services: impl FnOnce() -> Result<Services, StoreError>,
) -> Result<ExitReason, SidecarError> {
    // Sockets and files are private to the user; bind(2) honours the umask.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    std::fs::create_dir_all(run_dir).map_err(|error| SidecarError::io("create", run_dir, error))?;
    std::fs::set_permissions(run_dir, std::fs::Permissions::from_mode(0o700))
        .map_err(|error| SidecarError::io("protect", run_dir, error))?;
    let service = options.idle.is_none();
    let passed = if service { sockets::passed(run_dir) } else { None };
    let Some(lock) = take_over(run_dir, service, clock.as_ref())? else { return Ok(ExitReason::AlreadyRunning) };
    if passed.is_none() && sockets::belong_to_a_manager(run_dir, clock.as_ref()) {
        return Ok(ExitReason::AlreadyRunning);
    }
    let services = services()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(BLOCKING)
        .thread_keep_alive(Duration::from_secs(2))
        .enable_all()
        .build()
        .map_err(|error| SidecarError::io("start a runtime in", run_dir, error))?;
    let ended = runtime.block_on(serve(run_dir, options, services, passed));
    runtime.shutdown_timeout(Duration::from_millis(200));
    drop(lock);
    ended
}

async fn serve(
    run_dir: &Path,
    options: Options,
    services: Services,
    passed: Option<std::os::unix::net::UnixDatagram>,
) -> Result<ExitReason, SidecarError> {
    let mut sockets = Sockets::bind(run_dir, passed)?;
    let catch = |kind| signal(kind).map_err(|error| SidecarError::io("catch signals in", run_dir, error));
    let signals = [catch(SignalKind::terminate())?, catch(SignalKind::interrupt())?];
    let health = Arc::new(Health::new(&services.clock));
    let (commands, inbox) = mpsc::channel(256);
    let (asked, leave) = watch::channel(false);
    let mut background = JoinSet::new();
    background.spawn(LivenessGuard::set(run_dir).forward_beats(Arc::clone(&health)));
    background.spawn(wait_for_stop(signals, Arc::clone(&health), asked));
    if let Some(listener) = sockets.control.take() {
        let lending = Arc::new(PoolServer::new(Arc::clone(services.models.pool()), Arc::clone(&services.clock)));
        background.spawn(control::serve(listener, Arc::clone(&health), Arc::clone(&services.clock), commands, lending));
    }
    let mut life = Sidecar::new(services, &health, inbox, options, leave);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "sidecar serves");
    tell_manager(NotifyState::Ready);
    let ended = life.run(&sockets).await;
    tell_manager(NotifyState::Stopping);
    sockets.unlink();
    health.heartbeat.during(life.shut_down(ended)).await;
    tracing::info!(?ended, "sidecar leaves");
    Ok(ended)
}

/// Notifies the service manager, if one started this process.
fn tell_manager(state: NotifyState) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager could not be notified");
    }
}

/// Waits for the first of SIGTERM, SIGINT and a stop over the control socket, also while the main loop works.
async fn wait_for_stop([mut terminate, mut interrupt]: [Signal; 2], health: Arc<Health>, asked: watch::Sender<bool>) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = health.leave.notified() => {}
    }
    asked.send_replace(true);
    // Dropping the sender would look like a second signal.
    std::future::pending::<()>().await;
}

/// Resolves when the flag is true; never when its sender is gone.
async fn is_up(flag: &mut watch::Receiver<bool>) {
    if flag.wait_for(|up| *up).await.is_err() {
        std::future::pending::<()>().await;
    }
}

struct Sidecar {
    services: Services,
    health: Arc<Health>,
    worker: Worker,
    watching: WatchScheduler,
    ahead: PrefillScheduler,
    idle_tasks: IdleTasks,
    inbox: mpsc::Receiver<Command>,
    options: Options,
    /// True after a request to leave.
    asked: watch::Receiver<bool>,
    /// Set when running jobs have to finish with what they have.
    cut_short: watch::Sender<bool>,
    /// Commands that are answered when their capture is final.
    waiting: JoinSet<()>,
    /// Read-only requests; a shutdown does not wait for them.
    asides: JoinSet<()>,
    /// When the next round of housekeeping is due; the pauses grow, because most leftovers are those of the previous
    /// process.
    housekeeping_due: Instant,
    housekeeping_pause: Duration,
}

impl Sidecar {
    fn new(
        services: Services,
        health: &Arc<Health>,
        inbox: mpsc::Receiver<Command>,
        options: Options,
        asked: watch::Receiver<bool>,
    ) -> Self {
        let cut_short = watch::Sender::new(false);
        let worker = Worker::new(services.clone(), Arc::clone(health), cut_short.subscribe());
        let watching = WatchScheduler::new(services.clone(), Arc::clone(health));
        let ahead = PrefillScheduler::new(services.clone(), watching.staging());
        let idle_tasks = IdleTasks::new(services.clone(), options.idle.is_some());
        let housekeeping_due = services.clock.instant();
        Self {
            services,
            health: Arc::clone(health),
            worker,
            watching,
            ahead,
            idle_tasks,
            inbox,
            options,
            asked,
            cut_short,
            waiting: JoinSet::new(),
            asides: JoinSet::new(),
            housekeeping_due,
            housekeeping_pause: RETRY,
        }
    }

    async fn run(&mut self, sockets: &Sockets) -> ExitReason {
        let bell = &sockets.bell;
        let health = Arc::clone(&self.health);
        let mut last_active = self.services.clock.instant();
        let mut again = health.heartbeat.during(self.process_pending()).await;
        let mut ticks = heartbeat::ticks();
        // Set after the bell could not be read.
        let mut deaf_until: Option<Instant> = None;
        loop {
            health.heartbeat.beat();
            let captures = self.worker.busy() || !self.waiting.is_empty();
            let busy = captures || self.watching.busy() || self.worker.is_blocked();
            let idle_at = self.options.idle.map(|idle| last_active + idle);
            let mut asked = self.asked.clone();
            tokio::select! {
                () = is_up(&mut asked) => return ExitReason::Asked,
                rung = async {
                    if let Some(deaf_until) = deaf_until {
                        tokio::time::sleep_until(deaf_until.into()).await;
                    }
                    bell.recv(&mut [0; 16]).await
                } => match rung {
                    Ok(_) => {
                        health.heartbeat.during(tokio::time::sleep(STEP_ASIDE)).await;
                        while bell.try_recv(&mut [0; 16]).is_ok() {}
                        last_active = self.services.clock.instant();
                        again = health.heartbeat.during(self.process_pending()).await;
                    }
                    // Everything else is still handled; the spool is read without a ring.
                    Err(error) => {
                        tracing::warn!(%error, "the doorbell cannot be read");
                        let later = self.services.clock.instant() + RETRY;
                        (deaf_until, again) = (Some(later), again.min(later));
                    }
                },
                Some(command) = self.inbox.recv() => {
                    last_active = self.services.clock.instant();
                    self.handle_command(command);
                }
                () = self.worker.reap() => {}
                Some(_) = self.waiting.join_next() => {}
                Some(_) = self.asides.join_next() => {}
                found = self.watching.step() => if found {
                    last_active = self.services.clock.instant();
                    again = health.heartbeat.during(self.process_pending()).await;
                },
                () = self.ahead.step(captures) => {}
                () = self.idle_tasks.step(captures, last_active) => {}
                () = tokio::time::sleep_until(again.into()) => again = health.heartbeat.during(self.process_pending()).await,
                _ = ticks.tick() => if !sockets.in_place().await {
                    return ExitReason::Cut;
                },
                () = until(idle_at), if !busy && !self.watching.is_needed() => return ExitReason::Idle,
            }
        }
    }

    /// Processes all pending work; returns the time of the next look without a ring.
    async fn process_pending(&mut self) -> Instant {
        let mut asked = self.asked.clone();
        let worked = {
            let work = std::pin::pin!(self.worker.work());
            tokio::select! {
                worked = work => worked,
                // A store that another process has locked must not delay the shutdown.
                () = wait_until_overdue(&mut asked) => Ok(None),
            }
        };
        self.watching.record_reports(std::mem::take(&mut self.worker.reported_repos));
        let now = self.services.clock.instant();
        match worked {
            Ok(Some(pause)) => now + pause,
            Ok(None) if now < self.housekeeping_due => self.housekeeping_due,
            Ok(None) => {
                tokio::select! {
                    due = self.housekeep() => due,
                    () = wait_until_overdue(&mut asked) => now,
                }
            }
            Err(error) => {
                tracing::error!(%error, "events wait: the store cannot be written");
                now + RETRY
            }
        }
    }

    /// Finishes captures of dead processes, deletes by retention and completes erasures; returns the time of the next
    /// round.
    async fn housekeep(&mut self) -> Instant {
        let done = blocking(&self.services, |services| {
            ingest::finish_abandoned(&services)?;
            if let Ok(config) = services.readable_config(None) {
                services.review_store_setting(&config);
            }
            erasure::resume(&services)?;
            erasure::expire(&services)
        });
        if let Err(error) = done.await {
            tracing::error!(%error, "housekeeping failed");
        }
        self.housekeeping_due = self.services.clock.instant() + self.housekeeping_pause;
        self.housekeeping_pause = (self.housekeeping_pause * 2).min(HOUSEKEEPING);
        self.housekeeping_due
    }

    fn handle_command(&mut self, Command { request, reply }: Command) {
        if request == Request::Reload {
            self.watching.reload(reply);
        } else if let Request::Enrich { id, stamp, git_dir } = request {
            let (services, cut_short) = (self.services.clone(), self.cut_short.subscribe());
            self.waiting.spawn(async move {
                let response = enrich(services, id, stamp, git_dir, cut_short).await;
                // A client that gave up has read the capture from the store.
                let _ = reply.send(response);
            });
        } else if request == Request::RouterStatus {
            drop(reply.send(Response::RouterStatus(self.services.models.router_status())));
        } else if let Request::Route { question } = request {
            let services = self.services.clone();
            self.asides.spawn(async move {
                let response = match preview_route(&services, question).await {
                    Ok(foreseen) => Response::Decided { foreseen: Box::new(foreseen) },
                    Err(error) => Response::Refused { message: error.to_string() },
                };
                let _ = reply.send(response);
            });
        }
    }

    /// The sockets are gone: the next commit starts a successor, which waits for the lock.
    async fn shut_down(&mut self, ended: ExitReason) {
        self.ahead.stop();
        self.idle_tasks.stop();
        if ended == ExitReason::Idle {
            // A hook may have rung between the last look and the end of the socket; no other process would read it.
            let mut asked = self.asked.clone();
            tokio::select! {
                () = async {
                    while let Ok(Some(pause)) = self.worker.work().await
                        && !self.worker.rests
                    {
                        tokio::time::sleep(pause).await;
                    }
                } => {}
                () = wait_until_overdue(&mut asked) => {}
            }
        }
        if tokio::time::timeout(DRAIN, self.finish_jobs()).await.is_ok() {
            return;
        }
        self.cut_short.send_replace(true);
        if tokio::time::timeout(LAST_WORD, self.finish_jobs()).await.is_err() {
            tracing::warn!("drain cut short; the next sidecar makes unfinished captures final");
        }
    }

    async fn finish_jobs(&mut self) {
        self.worker.drain().await;
        while self.waiting.join_next().await.is_some() {}
    }
}

/// Resolves shortly after a request to leave: work of milliseconds may end, nothing else.
async fn wait_until_overdue(asked: &mut watch::Receiver<bool>) {
    is_up(asked).await;
    tokio::time::sleep(LAST_WORD).await;
}

async fn enrich(
    services: Services,
    id: crate::domain::id::CaptureId,
    stamp: jiff::Timestamp,
    git_dir: Option<PathBuf>,
    cut_short: watch::Receiver<bool>,
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
    match enrich::enrich_persistently(&services, job, cut_short).await {
        Ok(()) => Response::Done,
        Err(error) => Response::Refused { message: error.to_string() },
    }
}

pub(super) async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
