//! When the idle sidecar runs which task, and when none.

use super::*;
use crate::config::{Overrides, Paths};
use crate::domain::clock::{Clock, FakeClock};

const FREE: fn() -> Machine = || Machine { pressed: false, on_battery: false };
const PRESSED: fn() -> Machine = || Machine { pressed: true, on_battery: false };
/// Nothing listens there.
const DEAD: &str = "http://127.0.0.1:9";

struct Home {
    _dir: tempfile::TempDir,
    clock: Arc<FakeClock>,
    services: Services,
}

fn home() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::from_home(dir.path());
    std::fs::create_dir_all(paths.config_file().parent().unwrap()).unwrap();
    let text = format!("[[endpoints]]\nname = \"local\"\nurl = \"{DEAD}\"\napi = \"ollama\"\n");
    std::fs::write(paths.config_file(), text).unwrap();
    let clock = Arc::new(FakeClock::at("2026-03-02T12:00:00Z".parse().unwrap()));
    let shared = Arc::clone(&clock) as Arc<dyn Clock>;
    let services = Services::open(paths, Overrides::default(), shared).unwrap();
    Home { _dir: dir, clock, services }
}

impl Home {
    fn idle_tasks(&self, by_commit: bool, machine: fn() -> Machine) -> IdleTasks {
        let idle_tasks = IdleTasks::with(self.services.clone(), by_commit, machine);
        self.pass(2);
        idle_tasks
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Seconds until the next probe.
    fn probed_in(&self) -> Option<u64> {
        let at = self.services.models.maintenance.probe_at()?;
        Some(at.saturating_duration_since(self.clock.instant()).as_secs_f64().round() as u64)
    }
}

/// Runs what is due to its end; whether anything was started.
async fn once(idle_tasks: &mut IdleTasks) -> bool {
    let active = idle_tasks.started;
    let _due = idle_tasks.start_due(false, active);
    let Some(done) = idle_tasks.jobs.join_next().await else { return false };
    idle_tasks.finish(done.unwrap());
    true
}

/// Runs everything that is due, which is finite.
async fn all(idle_tasks: &mut IdleTasks) {
    for _ in 0..6 {
        if !once(idle_tasks).await {
            return;
        }
    }
    panic!("there is always something else to do");
}

#[tokio::test]
async fn a_dead_server_is_found_out_without_a_commit_and_probed_ever_more_seldom() {
    let home = home();
    let mut idle_tasks = home.idle_tasks(true, FREE);
    assert!(once(&mut idle_tasks).await);
    assert_eq!(home.probed_in(), Some(5));
    all(&mut idle_tasks).await;
    for next in [10, 20, 40] {
        home.pass(home.probed_in().unwrap());
        assert!(once(&mut idle_tasks).await);
        assert_eq!(home.probed_in(), Some(next));
        all(&mut idle_tasks).await;
    }
}

#[tokio::test]
async fn beside_captures_nothing_is_begun_and_what_is_under_way_is_told_to_end() {
    let home = home();
    let mut idle_tasks = home.idle_tasks(true, FREE);
    let stop = Arc::clone(&idle_tasks.stop);
    assert_eq!(idle_tasks.start_due(true, home.clock.instant()), None);
    assert!(idle_tasks.jobs.is_empty() && stop.load(Ordering::Relaxed));
    // The capture is done, and no request comes for a second.
    let active = home.clock.instant();
    assert_eq!(idle_tasks.start_due(false, active), Some(active + QUIET));
    assert!(idle_tasks.jobs.is_empty());
}

#[tokio::test]
async fn under_pressure_only_what_is_known_to_be_down_is_asked() {
    let home = home();
    let mut idle_tasks = home.idle_tasks(true, PRESSED);
    assert!(once(&mut idle_tasks).await && !once(&mut idle_tasks).await);
    assert_eq!(home.probed_in(), None, "no server was asked");
    idle_tasks.machine = FREE;
    home.pass(EVERY.as_secs());
    assert!(once(&mut idle_tasks).await);
    idle_tasks.machine = PRESSED;
    home.pass(5);
    assert!(once(&mut idle_tasks).await);
    assert_eq!(home.probed_in(), Some(10));
}

#[tokio::test]
async fn a_machine_without_commits_is_left_alone() {
    let home = home();
    let mut service = home.idle_tasks(false, FREE);
    assert!(once(&mut service).await && !once(&mut service).await);
    assert_eq!(home.probed_in(), None);
    let mut forgotten = home.idle_tasks(true, FREE);
    home.pass(LIVELY.as_secs());
    assert!(once(&mut forgotten).await && !once(&mut forgotten).await);
    assert_eq!(home.probed_in(), None);
}

#[test]
fn a_model_that_cannot_be_loaded_is_tried_ever_more_seldom() {
    let home = home();
    let mut idle_tasks = home.idle_tasks(true, FREE);
    let minutes = |rest: Duration| rest.as_secs() / 60;
    let rests: Vec<u64> =
        (0..6).map(|_| minutes(idle_tasks.rest_after(IdleTask::Warm, IdleTaskOutcome::Failed))).collect();
    assert_eq!(rests, [5, 10, 20, 40, 60, 60]);
    assert_eq!(minutes(idle_tasks.rest_after(IdleTask::Warm, IdleTaskOutcome::Done)), 5);
    assert_eq!(minutes(idle_tasks.rest_after(IdleTask::Warm, IdleTaskOutcome::Failed)), 5);
}
