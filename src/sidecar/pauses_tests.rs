use std::sync::Mutex;

use super::*;
use crate::config::{Overrides, Paths};
use crate::domain::clock::{Clock, FakeClock};
use crate::route::breaker::Happened;

const IDLE_MACHINE: fn() -> Machine = || Machine { pressed: false, on_battery: false };

struct Home {
    _dir: tempfile::TempDir,
    clock: Arc<FakeClock>,
    services: Services,
}

fn home(url: &str, capture: &str) -> Home {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::under(dir.path());
    std::fs::create_dir_all(paths.config_file().parent().unwrap()).unwrap();
    let text = format!("[capture]\n{capture}\n[[endpoints]]\nname = \"local\"\nurl = \"{url}\"\napi = \"ollama\"\n");
    std::fs::write(paths.config_file(), text).unwrap();
    let clock = Arc::new(FakeClock::at(jiff::Timestamp::now()));
    let shared = Arc::clone(&clock) as Arc<dyn Clock>;
    let services = Services::open(paths, Config::default(), Overrides::default(), shared).unwrap();
    Home { _dir: dir, clock, services }
}

/// One chore, or none.
async fn once(pauses: &mut Pauses, busy: bool, active: Instant) {
    let until = tokio::time::Duration::from_millis(300);
    drop(tokio::time::timeout(until, pauses.step(busy, active)).await);
}
