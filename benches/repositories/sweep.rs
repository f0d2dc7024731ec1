//! Looking at all repositories: from outside (a stat for each log), by reading their logs, and where each has a new
//! commit. In this process, warm.

use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::event::Source;
use uro_capture::pipeline::reconcile;
use uro_capture::pipeline::services::Services;
use uro_capture::sidecar::watch::dirty_set::DirtySet;
use uro_capture::sidecar::watch::listener::{Listener, WatchedDirs};
use uro_capture::sidecar::watch::poll::{PollTarget, poll_repository};
use uro_capture::sidecar::watch::watcher::SystemDirWatcher;
use uro_capture::sidecar::watch::watcher::Watcher;

use crate::Run;
use crate::commits::Ready;
use crate::crowd::{Crowd, Size, services};
use crate::report::{Report, Result, Row, Series, timed};

/// Making the commits takes longer than finding them.
const ROUNDS_WITH_NEWS: usize = 10;
const WARM_UP: usize = 2;

pub fn sweep(run: &Run, report: &mut Report) -> Result<()> {
    let crowd = Crowd::gather(run, "sweep", Size { watched: run.repositories, hooked: 0 })?;
    let services = services(&crowd.stage.home)?;
    let rows = [looked(run, &crowd)?, read(run, &services)?, news(&crowd, &services)?];
    let rows = rows.map(|series| {
        let each = series.quantile(0.5) * 1e3 / crowd.len() as f64;
        Row::of(&series).with("us_per_repository", json!(each))
    });
    report.table(&format!("{} repositories, one after the other", crowd.len()), &rows)
}

/// What the sidecar does every five minutes while nothing happens.
fn looked(run: &Run, crowd: &Crowd) -> Result<Series> {
    let watcher = Mutex::new(watcher()?);
    let subjects = || {
        crowd.watched.iter().map(|member| PollTarget {
            repo: member.id.clone(),
            common_dir: member.work.join(".git"),
            print: None,
            tend: true,
        })
    };
    series("looked at, nothing new", run.n, || {
        for subject in subjects() {
            poll_repository(&watcher, subject, SystemTime::from(SystemClock.now()), Duration::ZERO);
        }
        Ok(())
    })
}

fn watcher() -> Result<Watcher> {
    let dirty = Arc::new(DirtySet::new(Arc::new(SystemClock)));
    let places = Arc::new(WatchedDirs::default());
    let listener = Listener { places: Arc::clone(&places), dirty };
    let ears = SystemDirWatcher::new(listener, Arc::new(SystemClock)).map_err(|deaf| format!("{deaf:?}"))?;
    Ok(Watcher::new(Some(Box::new(ears)), places))
}

/// What it does where it cannot know whether anything happened.
fn read(run: &Run, services: &Services) -> Result<Series> {
    series("logs read, nothing new", run.n, || match reconcile::all(services, Source::Reconcile) {
        0 => Ok(()),
        some => Err(format!("{some} commits where there was none").into()),
    })
}

fn series(name: &str, n: usize, mut job: impl FnMut() -> Result<()>) -> Result<Series> {
    let mut series = Series::of(name);
    for round in 0..n + WARM_UP {
        let (elapsed, ()) = timed(&mut job)?;
        if round >= WARM_UP {
            series.push(elapsed);
        }
    }
    Ok(series)
}

fn news(crowd: &Crowd, services: &Services) -> Result<Series> {
    let mut series = Series::of("logs read, one commit in each");
    for round in 0..ROUNDS_WITH_NEWS + WARM_UP {
        for member in &crowd.watched {
            Ready::make(&member.work, &format!("round {round}\n"))?.go()?;
        }
        let (elapsed, found) = timed(|| Ok(reconcile::all(services, Source::Reconcile)))?;
        if found != crowd.len() {
            return Err(format!("{found} of {} commits were found", crowd.len()).into());
        }
        if round >= WARM_UP {
            series.push(elapsed);
        }
        for event in services.store.pending_events(usize::MAX)? {
            services.store.close_event(event.row, None)?;
        }
    }
    Ok(series)
}
