//! Idle tasks: keep models listed, loaded and measured, and refine templates that stood in for them. Never beside a
//! capture, and never a reason to stay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::run::until;
use crate::config::Config;
use crate::dispatch::IdleTaskOutcome;
use crate::dispatch::idle_task::{self, IDLE, IdleFacts, IdleTask, QUIET};
use crate::hardware::power::Power;
use crate::hardware::pressure::Pressure;
use crate::pipeline::refine::{self, RefineRound};
use crate::pipeline::services::Services;
use crate::route::signals::is_pressed;
use crate::store::CaptureQuery;

/// Interval of planning.
const EVERY: Duration = Duration::from_secs(15);
/// After this time without a commit the model is left unloaded: the memory is the user's.
const LIVELY: Duration = Duration::from_secs(12 * 60 * 60);
/// A list of offered models is fresh for a minute.
const LOOK_REST: Duration = Duration::from_secs(50);
/// Pause after loading: a server that unloads a model at once has its reasons; after failures it doubles.
const WARM_REST: Duration = Duration::from_secs(5 * 60);
const LONGEST_REST: Duration = Duration::from_secs(60 * 60);
/// Pause after a preemption.
const SHORT_REST: Duration = Duration::from_secs(5);
/// Pause between measurements, to keep their load small.
const MEASURE_REST: Duration = Duration::from_secs(60);
/// Longest duration of one task.
const LONGEST: Duration = Duration::from_secs(120);
/// Captures that one task refines.
const FEW: usize = 3;

/// State of the machine: is there capacity to spare?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    pub pressed: bool,
    pub on_battery: bool,
}

/// Scheduler and runner of idle tasks.
pub struct IdleTasks {
    services: Services,
    machine: fn() -> Machine,
    /// At most one.
    jobs: JoinSet<TaskReport>,
    /// Set when the task under way should end.
    stop: Arc<AtomicBool>,
    next: Instant,
    resting: BTreeMap<IdleTask, Instant>,
    /// Failed loads in a row.
    failed: u32,
    started: Instant,
    /// Whether there were commits before this process; a sidecar that a commit started need not ask.
    before: Option<bool>,
}

struct TaskReport {
    /// Whether there was a commit lately, as far as the store knows.
    before: bool,
    did: Option<TaskResult>,
}

enum TaskResult {
    Idle(IdleTask, IdleTaskOutcome),
    Refined(RefineRound),
}

/// Inputs of one task.
struct TaskRun {
    services: Services,
    machine: fn() -> Machine,
    quiet: Duration,
    active: bool,
    before: Option<bool>,
    resting: BTreeSet<IdleTask>,
    stop: Arc<AtomicBool>,
}

impl std::fmt::Debug for IdleTasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdleTasks").field("busy", &!self.jobs.is_empty()).finish_non_exhaustive()
    }
}

impl IdleTasks {
    /// `by_commit`: this process was started by a commit, not with the machine.
    #[must_use]
    pub fn new(services: Services, by_commit: bool) -> Self {
        Self::with(services, by_commit, sample_machine)
    }

    fn with(services: Services, by_commit: bool, machine: fn() -> Machine) -> Self {
        let started = services.clock.instant();
        Self {
            services,
            machine,
            jobs: JoinSet::new(),
            stop: Arc::default(),
            next: started,
            resting: BTreeMap::new(),
            failed: 0,
            started,
            before: by_commit.then_some(true),
        }
    }

    /// Runs due tasks, unless captures are worked on (`busy`); returns when one is done. Safe to drop. `active`: time
    /// of the last request.
    pub async fn step(&mut self, busy: bool, active: Instant) {
        let next = self.start_due(busy, active);
        tokio::select! {
            // A panic or cancellation arrives as an error, and is retried in a while.
            Some(done) = self.jobs.join_next() => if let Ok(done) = done {
                self.finish(done);
            },
            () = until(next) => {}
        }
    }

    /// Cancels the task under way: a sidecar that leaves must not keep a model busy.
    pub fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs.abort_all();
    }

    /// Starts a due task; returns the time of the next one, or `None` while one runs.
    fn start_due(&mut self, busy: bool, active: Instant) -> Option<Instant> {
        if busy {
            self.stop.store(true, Ordering::Relaxed);
            // A template may have been left standing.
            self.resting.remove(&IdleTask::Refine);
        }
        if busy || !self.jobs.is_empty() {
            return None;
        }
        let now = self.services.clock.instant();
        let calm = self.next.max(active + QUIET);
        let due = self.services.models.maintenance.probe_at().map_or(calm, |probe| probe.min(calm));
        if due > now {
            return Some(due);
        }
        self.next = now + EVERY;
        // Planning is not delayed when the idle time is reached before the next interval.
        if now < active + IDLE {
            self.next = self.next.min(active + IDLE);
        }
        self.resting.retain(|_, until| *until > now);
        self.stop = Arc::default();
        let pause = TaskRun {
            services: self.services.clone(),
            machine: self.machine,
            quiet: now.saturating_duration_since(active),
            active: active > self.started && now.saturating_duration_since(active) < LIVELY,
            before: self.before.map(|before| before && now.saturating_duration_since(self.started) < LIVELY),
            resting: self.resting.keys().copied().collect(),
            stop: Arc::clone(&self.stop),
        };
        self.jobs.spawn(pause.run());
        None
    }

    fn finish(&mut self, TaskReport { before, did }: TaskReport) {
        let now = self.services.clock.instant();
        self.before.get_or_insert(before);
        let Some(did) = did else { return };
        // There may be more to do.
        self.next = now;
        let (task, rest) = match did {
            // Failed captures have their own pause; an unavailable model may be back in a while.
            TaskResult::Refined(RefineRound { cut_short: true, .. }) => (IdleTask::Refine, WARM_REST),
            TaskResult::Refined(round) if round.better + round.vain >= FEW => (IdleTask::Refine, Duration::ZERO),
            TaskResult::Refined(_) => (IdleTask::Refine, LONGEST_REST),
            TaskResult::Idle(task, task_outcome) => (task, self.rest_after(task, task_outcome)),
        };
        self.resting.insert(task, now + rest);
    }

    fn rest_after(&mut self, task: IdleTask, task_outcome: IdleTaskOutcome) -> Duration {
        match (task, task_outcome) {
            (_, IdleTaskOutcome::Preempted) => SHORT_REST,
            (IdleTask::RefreshLists, _) => LOOK_REST,
            (IdleTask::Warm, IdleTaskOutcome::Done) => {
                self.failed = 0;
                self.resting.remove(&IdleTask::Refine);
                WARM_REST
            }
            (IdleTask::Warm, IdleTaskOutcome::Failed) => {
                self.failed = self.failed.saturating_add(1);
                (WARM_REST * 2_u32.pow(self.failed.min(8) - 1)).min(LONGEST_REST)
            }
            (IdleTask::ProbeBroken, IdleTaskOutcome::Done) => {
                // Its offers and state are to be queried anew.
                self.resting.clear();
                Duration::ZERO
            }
            (IdleTask::Measure, _) => MEASURE_REST,
            // These have schedules of their own.
            (IdleTask::ProbeBroken | IdleTask::Refine, _) => Duration::ZERO,
        }
    }
}

impl TaskRun {
    async fn run(self) -> TaskReport {
        let services = self.services.clone();
        let (machine, asked) = (self.machine, self.before);
        let is_time = !self.resting.contains(&IdleTask::RefreshLists);
        let looked = tokio::task::spawn_blocking(move || {
            let before = asked.unwrap_or_else(|| committed_lately(&services));
            if is_time {
                services.models.knowledge.reread_evidence();
            }
            (services.config(None), machine(), before)
        });
        let Ok((config, machine, before)) = looked.await else { return TaskReport { before: false, did: None } };
        let did = self.run_next_task(&config, machine, before).await;
        TaskReport { before, did }
    }

    async fn run_next_task(&self, config: &Config, machine: Machine, before: bool) -> Option<TaskResult> {
        let (models, clock) = (&self.services.models, &self.services.clock);
        let mut facts = IdleFacts {
            quiet: self.quiet,
            lively: self.active || before,
            working: idle_task::is_working_time(config, clock.now()),
            pressed: machine.pressed,
            on_battery: machine.on_battery,
            ahead: config.capture.read_ahead,
            down: models.maintenance.probe_at().is_some_and(|at| at <= clock.instant()),
            preferred: None,
            refine: config.capture.refine,
            doubt: models.maintenance.is_in_doubt(),
            resting: self.resting.clone(),
        };
        if facts.may_prepare() {
            facts.preferred = models.maintenance.preferred(config).await;
        }
        let until = clock.instant() + LONGEST;
        let task = idle_task::next(&facts)?;
        let task_outcome = match task {
            IdleTask::ProbeBroken if models.maintenance.probe_broken(config).await => IdleTaskOutcome::Done,
            IdleTask::ProbeBroken => IdleTaskOutcome::Failed,
            IdleTask::RefreshLists => {
                models.maintenance.refresh_lists(config).await;
                IdleTaskOutcome::Done
            }
            IdleTask::Warm => models.maintenance.warm(config, until).await,
            IdleTask::Measure => models.maintenance.measure(config, until).await,
            IdleTask::Refine => return Some(TaskResult::Refined(self.refine(until).await)),
        };
        Some(TaskResult::Idle(task, task_outcome))
    }

    async fn refine(&self, until: Instant) -> RefineRound {
        let stop = || self.stop.load(Ordering::Relaxed);
        match refine::refine_some(&self.services, FEW, until, stop).await {
            Ok(walk) => {
                if walk.better + walk.vain > 0 {
                    // The refinement was the measurement.
                    self.services.models.maintenance.settle_doubts();
                }
                tracing::info!(better = walk.better, vain = walk.vain, "asked again about templates");
                walk
            }
            Err(error) => {
                tracing::warn!(%error, "templates stay: the store cannot be read or written");
                RefineRound { cut_short: true, ..RefineRound::default() }
            }
        }
    }
}

/// Blocking. `false` where the store cannot be read.
fn committed_lately(services: &Services) -> bool {
    let since = services.clock.now() - LIVELY;
    let query =
        CaptureQuery { captured_since: Some(since), all_states: true, limit: Some(1), ..CaptureQuery::default() };
    services.store.captures(&query).is_ok_and(|found| !found.is_empty())
}

fn sample_machine() -> Machine {
    Machine { pressed: is_pressed(Pressure::measure().cpu), on_battery: Power::detect().on_battery() }
}

#[cfg(test)]
#[path = "idle_tasks_tests.rs"]
mod tests;
