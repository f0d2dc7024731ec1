//! From the line in the reflog until another process can read the capture.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use uro_capture::domain::capture::Capture;
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::event::Source;
use uro_capture::domain::id::Oid;
use uro_capture::store::CaptureStore;
use uro_capture::store::sqlite::SqliteStore;

use crate::commits::{self, Ready};
use crate::crowd::{Crowd, Member, Size};
use crate::report::{Report, Result, Rounds, Row, Series, in_turns};
use crate::{Run, met};

/// Between two looks at the store from outside.
const LOOK: Duration = Duration::from_micros(500);
/// What is not captured by then never will be.
const PATIENCE: Duration = Duration::from_secs(10);
const GOAL_MS: f64 = 50.0;

pub fn arrival(run: &Run, report: &mut Report) -> Result<()> {
    for count in [1, run.repositories / 10, run.repositories] {
        let hooked = count / 10;
        let name = format!("arrival-{count}");
        let mut crowd = Crowd::gather(run, &name, Size { watched: count - hooked, hooked })?;
        crowd.watch()?;
        let rows = measure(run, &crowd)?;
        report.table(&format!("{count} repositories: event → readable by another process"), &rows)?;
    }
    Ok(())
}

/// A way to commit; gives the moment that counts, and the commit.
type Way = fn(&Crowd, &Path, usize) -> Result<(Instant, Oid)>;

/// With the source that is to be told.
const HOOKLESS: [(&str, Way, Source); 3] = [
    ("libgit2, from the reflog's line on", library, Source::Watch),
    ("git update-ref, from its end on", update_ref, Source::Watch),
    ("git commit without hook, from its end on", commit, Source::Watch),
];
const HOOKED: [(&str, Way, Source); 1] = [("git commit with our hook, from its end on", commit, Source::Hook)];

fn measure(run: &Run, crowd: &Crowd) -> Result<Vec<Row>> {
    let store = crowd.store()?;
    let ways: Vec<_> = HOOKLESS.into_iter().chain(HOOKED.into_iter().filter(|_| !crowd.hooked.is_empty())).collect();
    let names: Vec<String> = ways.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let rounds = Rounds { n: run.n, warm_up: 2, pause: Duration::from_millis(60) };
    let all = in_turns(&names, rounds, |arm, round| {
        let (_, way, source) = ways[arm];
        let members = if source == Source::Hook { &crowd.hooked } else { &crowd.watched };
        // Spread over all, and seldom the same twice in a row.
        let member = &members[(round * names.len() + arm) * 7 % members.len()];
        let (start, oid) = way(crowd, &member.work, round * 10 + arm)?;
        let (capture, seen) = stored(&store, member, &oid)?;
        if capture.source != source && source == Source::Watch {
            return Err(format!("reported by {:?}", capture.source).into());
        }
        Ok(seen.saturating_duration_since(start))
    })?;
    Ok(all.iter().map(judged).collect())
}

fn judged(series: &Series) -> Row {
    let row = Row::of(series);
    if series.ms.len() < 59 {
        return row;
    }
    met(row, &format!("p95 ≤ {GOAL_MS} ms"), series.quantile(0.95) <= GOAL_MS)
}

fn stored(store: &SqliteStore, member: &Member, oid: &Oid) -> Result<(Capture, Instant)> {
    let give_up = SystemClock.instant() + PATIENCE;
    while SystemClock.instant() < give_up {
        if let Some(capture) = store.capture_of_commit(&member.id, oid)? {
            return Ok((capture, SystemClock.instant()));
        }
        thread::sleep(LOOK);
    }
    Err(format!("{oid} in {} was not captured", member.work.display()).into())
}

fn library(_: &Crowd, work: &Path, round: usize) -> Result<(Instant, Oid)> {
    Ready::make(work, &format!("round {round}\n"))?.go()
}

fn update_ref(crowd: &Crowd, work: &Path, round: usize) -> Result<(Instant, Oid)> {
    let ready = Ready::make(work, &format!("round {round}\n"))?.oid()?;
    git(crowd, work, &["update-ref", "refs/heads/main", ready.as_str()])?;
    Ok((SystemClock.instant(), ready))
}

fn commit(crowd: &Crowd, work: &Path, round: usize) -> Result<(Instant, Oid)> {
    std::fs::write(work.join("file.txt"), format!("round {round}\n"))?;
    git(crowd, work, &["add", "file.txt"])?;
    git(crowd, work, &["commit", "-q", "-m", "Change a line"])?;
    let end = SystemClock.instant();
    Ok((end, commits::tip(work)?))
}

fn git(crowd: &Crowd, work: &Path, arguments: &[&str]) -> Result<Duration> {
    let dir = work.to_str().ok_or("a path is not text")?;
    crowd.stage.git(&[["-C", dir].as_slice(), arguments].concat())
}
