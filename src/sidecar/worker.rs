//! Event worker: events → templates, one after the other; templates → model texts, concurrently.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::control::Health;
use crate::domain::capture::Reason;
use crate::domain::event::{PendingEvent, Source};
use crate::pipeline::ingest::{self, EventOutcome, LastRepo};
use crate::pipeline::job::Job;
use crate::pipeline::poison_guard::PoisonEventGuard;
use crate::pipeline::services::Services;
use crate::pipeline::{enrich, waiting};
use crate::store::StoreError;

/// Events per round, and the time after which no further one is begun, before the loop yields: a stop is noticed within
/// a long backlog, and so is the next commit of another repository. Yielding costs more the longer the backlog is.
const BATCH: usize = 64;
const SLICE: Duration = Duration::from_millis(50);
/// Pause while another process reads the spool.
const ELSEWHERE: Duration = Duration::from_millis(50);
/// Pause before a repository that could not be read is tried again, and number of tries.
const LATER: Duration = Duration::from_secs(2);
const TRIES: u32 = 4;
/// Pause before unreadable settings are read again: after mending them the user waits for the captures.
const BLOCKED: Duration = Duration::from_secs(1);
/// Poll interval of a running sequence: its end causes no event.
const HELD: Duration = Duration::from_millis(250);
/// Captures waiting for a model at a time; each waits at most its own budget.
const JOBS: usize = 256;

/// Processes events up to their captures. All state that matters is in the store.
#[derive(Debug)]
pub struct Worker {
    services: Services,
    health: Arc<Health>,
    jobs: JoinSet<Result<(), StoreError>>,
    /// Tries of postponed events.
    tries: HashMap<i64, u32>,
    /// Git directories of the worktrees with new hook reports, for the watcher.
    pub reported_repos: HashSet<PathBuf>,
    /// Set when jobs have to finish with what they have.
    cut_short: watch::Receiver<bool>,
    /// Absent while the store cannot be written.
    guard: Option<Arc<PoisonEventGuard>>,
    /// All that is left waits for the end of a sequence, which causes no event.
    pub rests: bool,
}

/// Follow-up of an event.
enum FollowUp {
    Nothing,
    PutOff,
    /// It was split into other events.
    More,
}

impl Worker {
    #[must_use]
    pub fn new(services: Services, health: Arc<Health>, cut_short: watch::Receiver<bool>) -> Self {
        let guard = PoisonEventGuard::open(&services, "sidecar");
        if let Err(error) = &guard {
            tracing::error!(%error, "deaths with an event in hand are not counted");
        }
        let (jobs, tries, reported_repos) = (JoinSet::new(), HashMap::new(), HashSet::new());
        Self { services, health, jobs, tries, reported_repos, cut_short, guard: guard.ok().map(Arc::new), rests: false }
    }

    /// Imports the spool and processes the oldest pending events up to their templates; returns the pause after which
    /// there is more to do, if there is.
    ///
    /// # Errors
    /// When the store cannot be written; what is pending stays pending.
    pub async fn work(&mut self) -> Result<Option<Duration>, StoreError> {
        let taken = blocking(&self.services, |services| ingest::import_spool(&services)).await?;
        let ready = blocking(&self.services, |services| {
            services.recheck_blocked();
            waiting::ready(&services, BATCH)
        });
        let ready = ready.await?;
        let found = ready.events.len();
        self.health.queue_depth.fetch_max(found as u64, Ordering::Relaxed);
        if ready.events.iter().any(|(_, without)| without.is_some()) {
            let config = blocking(&self.services, |services| Ok(services.config(None))).await?;
            self.services.models.maintenance.check_presence(&config).await;
        }
        let start = self.services.clock.instant();
        let (mut done, mut put_off, mut more, mut last) = (0, 0, false, LastRepo::default());
        for (event, without) in ready.events {
            match self.process_event(&mut last, event, without).await? {
                FollowUp::Nothing => {}
                FollowUp::PutOff => put_off += 1,
                FollowUp::More => more = true,
            }
            done += 1;
            if put_off < done && self.services.clock.instant().saturating_duration_since(start) >= SLICE {
                break;
            }
        }
        // Behind a batch of nothing but postponed events, others have to wait with them.
        more |= (done < found || found == BATCH) && put_off < done;
        self.rests = (ready.held || self.is_blocked()) && taken.is_some() && !more && put_off == 0;
        let depth = match more {
            true => blocking(&self.services, |services| services.store.pending_event_count()).await?,
            false => 0,
        };
        self.health.queue_depth.store(depth, Ordering::Relaxed);
        Ok(match (more, taken) {
            (true, _) => Some(Duration::ZERO),
            (false, None) => Some(ELSEWHERE),
            (false, Some(_)) if self.is_blocked() => Some(if ready.held { HELD } else { BLOCKED }),
            (false, Some(_)) if ready.held => Some(HELD),
            (false, Some(_)) => (put_off > 0).then_some(LATER),
        })
    }

    async fn process_event(
        &mut self,
        last: &mut LastRepo,
        event: PendingEvent,
        without: Option<Reason>,
    ) -> Result<FollowUp, StoreError> {
        let row = event.row;
        if event.event.source == Source::Hook {
            self.reported_repos.insert(event.event.git_dir.clone());
        }
        let tried = self.tries.remove(&row).unwrap_or(0) + 1;
        let last_try = tried >= TRIES;
        self.health.heartbeat.step();
        let (guard, mut open) = (self.guard.clone(), std::mem::take(last));
        let dealt = blocking(&self.services, move |services| {
            let _held = guard.as_ref().map(|guard| guard.hold_event(row));
            let dealt = ingest::process_event(&services, &mut open, &event, without, last_try);
            dealt.map(|dealt| (dealt, open))
        });
        match dealt.await.map(|(dealt, open)| {
            *last = open;
            dealt
        }) {
            Ok(EventOutcome::Later(why)) => {
                tracing::warn!(row, why, tried, "event postponed");
                self.tries.insert(row, tried);
                return Ok(FollowUp::PutOff);
            }
            Ok(EventOutcome::Blocked(why)) => {
                tracing::warn!(row, why, "event waits for readable settings");
                return Ok(FollowUp::Nothing);
            }
            Ok(EventOutcome::Done(done)) => {
                for job in done.jobs {
                    self.start(job).await;
                }
                return Ok(if done.more { FollowUp::More } else { FollowUp::Nothing });
            }
            Ok(EventOutcome::Closed(why)) => tracing::warn!(row, why, "event closed without a capture"),
            Err(StoreError::Other(error)) => self.give_up(row, &error.to_string()).await?,
            Err(error) => return Err(error),
        }
        Ok(FollowUp::Nothing)
    }

    /// Events wait until the user mends the settings.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.services.has_blocked()
    }

    /// A poison event must not block those behind it.
    async fn give_up(&self, row: i64, why: &str) -> Result<(), StoreError> {
        tracing::error!(row, why, "event could not be processed");
        let why = why.to_owned();
        blocking(&self.services, move |services| {
            services.store.close_event(row, Some(&why))?;
            let hint = "uro-capture doctor; uro-capture commit REV tries again";
            services.store.note_problem(services.clock.now(), &format!("a commit could not be read: {why}"), hint)
        })
        .await
    }

    /// Asks the model for the job's text, in the background.
    pub async fn start(&mut self, job: Job) {
        while self.jobs.len() >= JOBS {
            self.reap().await;
        }
        let (services, cut_short) = (self.services.clone(), self.cut_short.clone());
        self.jobs.spawn(async move { enrich::enrich_persistently(&services, job, cut_short).await });
    }

    /// Waits for one job to end; never returns while there is none.
    pub async fn reap(&mut self) {
        match self.jobs.join_next().await {
            Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => tracing::error!(%error, "capture could not be finished"),
            Some(Err(error)) => tracing::error!(%error, "capture job panicked or was cancelled"),
            None => std::future::pending().await,
        }
    }

    #[must_use]
    pub fn busy(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// Waits for the running jobs.
    pub async fn drain(&mut self) {
        while self.busy() {
            self.reap().await;
        }
    }
}

/// Runs `work` off the event loop; a panic in it becomes an error.
pub(super) async fn blocking<T: Send + 'static>(
    services: &Services,
    work: impl FnOnce(Services) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let services = services.clone();
    match tokio::task::spawn_blocking(move || work(services)).await {
        Ok(result) => result,
        Err(panic) => Err(StoreError::Other(Box::new(panic))),
    }
}
