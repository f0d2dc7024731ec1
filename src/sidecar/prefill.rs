//! Schedules prefill while the user writes a commit message: when to start it, where, and what cancels it. Never beside
//! a capture, a build, or on battery; one at a time, the newest.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{AbortHandle, JoinSet};

use super::run::until;
use super::watch::index_debounce::{IndexDebounce, NextWorktree};
use crate::config::PrefillMode;
use crate::git::staged::StagingMoment;
use crate::hardware::power::Power;
use crate::hardware::pressure::Pressure;
use crate::pipeline::read_ahead::{self, CommitKey, PendingPrefill, PromptReader};
use crate::pipeline::services::Services;
use crate::route::signals::is_pressed;

/// A model that has not read a prompt by then is too slow for any commit.
const LONGEST: Duration = Duration::from_secs(180);
/// Pause before a machine under pressure, or a model that was preempted, is tried again: an editor may stay open for
/// long.
const RETRY: Duration = Duration::from_secs(5);
/// Retries for one expected commit, each after twice as long.
const RETRIES: u32 = 5;
/// Share of one processor (1/n) for inspecting indexes; big ones take long to read.
const SHARE: u32 = 20;
/// Longest pause between two inspections of an open editor's commit.
const LONGEST_REST: Duration = Duration::from_secs(2);
/// Worktrees for which the last read prompt is remembered.
const REMEMBERED: usize = 64;

/// Whether the machine has capacity to spare.
pub type HasRoom = fn() -> bool;

/// Scheduler of reading ahead.
pub struct PrefillScheduler {
    services: Services,
    debounce: Arc<IndexDebounce>,
    reader: Arc<dyn PromptReader>,
    has_room: HasRoom,
    jobs: JoinSet<PrefillEvent>,
    looking: bool,
    /// The reading under way.
    reading: Option<(u64, AbortHandle)>,
    begun: u64,
    last: HashMap<PathBuf, Last>,
    rests_until: Option<Instant>,
}

/// The last prompt read in a worktree.
#[derive(Debug, Default)]
struct Last {
    key: Option<CommitKey>,
    /// It failed and may be started again.
    failed: bool,
    retries: u32,
}

enum PrefillEvent {
    Looked { git_dir: PathBuf, moment: StagingMoment, looked: Inspection, elapsed: Duration },
    Read { number: u64, git_dir: PathBuf, moment: StagingMoment, whole: bool },
}

/// Result of an inspection.
enum Inspection {
    Nothing,
    /// The machine is busy or on battery.
    NoRoom,
    Found(Box<PendingPrefill>),
}

impl std::fmt::Debug for PrefillScheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrefillScheduler").field("reading", &self.reading.is_some()).finish_non_exhaustive()
    }
}

impl PrefillScheduler {
    #[must_use]
    pub fn new(services: Services, debounce: Arc<IndexDebounce>) -> Self {
        let reader = Arc::clone(&services.models) as Arc<dyn PromptReader>;
        Self::with(services, debounce, reader, has_room)
    }

    fn with(
        services: Services,
        debounce: Arc<IndexDebounce>,
        reader: Arc<dyn PromptReader>,
        has_room: HasRoom,
    ) -> Self {
        Self {
            services,
            debounce,
            reader,
            has_room,
            jobs: JoinSet::new(),
            looking: false,
            reading: None,
            begun: 0,
            last: HashMap::new(),
            rests_until: None,
        }
    }

    /// Runs due work, unless captures are worked on (`busy`); returns when some of it is done. Safe to drop.
    pub async fn step(&mut self, busy: bool) {
        loop {
            let next = if busy { None } else { self.start_due() };
            tokio::select! {
                // A panic or cancellation arrives as an error.
                Some(done) = self.jobs.join_next() => {
                    if let Ok(done) = done {
                        self.finish(done);
                    }
                    return;
                }
                () = self.debounce.changed() => {}
                () = until(next) => {}
            }
        }
    }

    /// Cancels everything under way: a sidecar that leaves must not keep a model busy.
    pub fn stop(&mut self) {
        self.jobs.abort_all();
        self.reading = None;
    }

    /// Starts due work; returns the time when something will be due.
    fn start_due(&mut self) -> Option<Instant> {
        let now = self.services.clock.instant();
        if self.looking {
            return None;
        }
        if let Some(rests_until) = self.rests_until.filter(|rests_until| *rests_until > now) {
            return Some(rests_until);
        }
        match self.debounce.take_due(now) {
            NextWorktree::Now(git_dir, moment) => {
                self.start_inspection(git_dir, moment);
                None
            }
            NextWorktree::At(at) => at,
        }
    }

    fn start_inspection(&mut self, git_dir: PathBuf, moment: StagingMoment) {
        self.looking = true;
        let (services, has_room) = (self.services.clone(), self.has_room);
        let read = self.last.get(&git_dir).filter(|last| !last.failed).and_then(|last| last.key.clone());
        self.jobs.spawn(async move {
            let start = services.clock.instant();
            let clock = Arc::clone(&services.clock);
            let place = git_dir.clone();
            let looking = tokio::task::spawn_blocking(move || {
                inspect_worktree(&services, &place, moment, read.as_ref(), has_room)
            });
            let looked = looking.await.unwrap_or(Inspection::Nothing);
            let elapsed = clock.instant().saturating_duration_since(start);
            PrefillEvent::Looked { git_dir, moment, looked, elapsed }
        });
    }

    fn finish(&mut self, done: PrefillEvent) {
        let now = self.services.clock.instant();
        match done {
            PrefillEvent::Looked { git_dir, moment, looked, elapsed } => {
                self.looking = false;
                self.rests_until = Some(now + (elapsed * SHARE).min(LONGEST_REST));
                match looked {
                    Inspection::Nothing => {}
                    Inspection::NoRoom => self.retry(&git_dir, moment),
                    Inspection::Found(reading) => self.begin(git_dir, moment, *reading),
                }
            }
            PrefillEvent::Read { number, git_dir, moment, whole } => {
                if self.reading.as_ref().is_some_and(|(reading, _)| *reading == number) {
                    self.reading = None;
                }
                if !whole {
                    self.retry(&git_dir, moment);
                }
            }
        }
    }

    /// Starts reading; an older reading is cancelled.
    fn begin(&mut self, git_dir: PathBuf, moment: StagingMoment, reading: PendingPrefill) {
        if let Some((_, older)) = self.reading.take() {
            older.abort();
        }
        if self.last.len() >= REMEMBERED && !self.last.contains_key(&git_dir) {
            self.last.clear();
        }
        let last = self.last.entry(git_dir.clone()).or_default();
        if last.key.as_ref() != Some(&reading.key) {
            *last = Last { key: Some(reading.key.clone()), ..Last::default() };
        }
        last.failed = false;
        self.begun += 1;
        let (number, reader) = (self.begun, Arc::clone(&self.reader));
        let until = self.services.clock.instant() + LONGEST;
        let handle = self.jobs.spawn(async move {
            let whole = reading.run(&reader, until).await;
            tracing::info!(tree = %reading.key.tree, whole, "read ahead of the commit");
            PrefillEvent::Read { number, git_dir, moment, whole }
        });
        self.reading = Some((number, handle));
    }

    /// Schedules another inspection: a commit that was made meanwhile leaves nothing to be found.
    fn retry(&mut self, git_dir: &Path, moment: StagingMoment) {
        let last = self.last.entry(git_dir.to_owned()).or_default();
        last.failed = true;
        if last.retries < RETRIES {
            let pause = RETRY * 2_u32.pow(last.retries);
            last.retries += 1;
            self.debounce.again(git_dir, moment, self.services.clock.instant() + pause);
        }
    }
}

/// Blocking.
fn inspect_worktree(
    services: &Services,
    git_dir: &Path,
    moment: StagingMoment,
    read: Option<&CommitKey>,
    has_room: HasRoom,
) -> Inspection {
    match services.config(None).capture.read_ahead {
        PrefillMode::Off => return Inspection::Nothing,
        PrefillMode::Auto if !has_room() => return Inspection::NoRoom,
        PrefillMode::Auto | PrefillMode::Always => {}
    }
    match read_ahead::staged(services, git_dir, moment, read) {
        Ok(found) => found.map_or(Inspection::Nothing, |reading| Inspection::Found(Box::new(reading))),
        Err(error) => {
            tracing::debug!(%error, git_dir = %git_dir.display(), "the staged change cannot be read ahead");
            Inspection::Nothing
        }
    }
}

/// On battery a head start is not worth its power; under pressure a build comes first.
fn has_room() -> bool {
    !Power::detect().on_battery() && !is_pressed(Pressure::measure().cpu)
}

#[cfg(test)]
#[path = "prefill_tests.rs"]
mod tests;
