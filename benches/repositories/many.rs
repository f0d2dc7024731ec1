//! Ten thousand commits at once: found by the sidecar in a log, or captured on request.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use uro_capture::store::CaptureArchive;
use uro_capture::store::sqlite::SqliteStore;

use crate::crowd::{Crowd, Size, patiently, settle};
use crate::report::{Report, Result, Row, Series, timed};
use crate::stage::Stage;
use crate::{Run, commits, met, processor};

const ROUNDS: usize = 3;
const GOAL: f64 = 1000.0;

/// Times by the clock, and what of it was processor time.
struct Burst {
    clock: Series,
    processor: Series,
}

impl Burst {
    fn of(name: &str) -> Self {
        Self { clock: Series::of(name), processor: Series::of(name) }
    }

    fn push(&mut self, elapsed: Duration, processor_seconds: f64) {
        self.clock.push(elapsed);
        self.processor.ms.push(processor_seconds * 1e3);
    }

    /// On a machine that others keep busy only the rate by processor time says something about us.
    fn row(&self, commits: usize) -> Row {
        let rate = |series: &Series| commits as f64 * 1e3 / series.quantile(0.5);
        let row = Row::of(&self.clock).with("per_second", json!(rate(&self.clock)));
        let row = row.with("processor_ms", json!(self.processor.quantile(0.5)));
        let row = row.with("per_processor_second", json!(rate(&self.processor)));
        met(row, &format!("≥ {GOAL} per second"), rate(&self.clock) >= GOAL)
    }
}

/// `git fast-import`, which calls no hook and writes one line into the log, until all is captured.
pub fn storm(run: &Run, report: &mut Report) -> Result<()> {
    let (mut imported, mut captured) = (Series::of("git fast-import itself"), Burst::of("its end → the last capture"));
    for round in 0..ROUNDS {
        let mut crowd = Crowd::gather(run, &format!("storm-{round}"), Size { watched: 1, hooked: 0 })?;
        let pid = crowd.watch()?;
        let store = crowd.store()?;
        let work = &crowd.watched[0].work;
        imported.push(timed(|| commits::import(&crowd.stage, work, "main", run.commits))?.0);
        let before = processor::of(pid)?;
        let (elapsed, ()) = timed(|| patiently("commits are missing", || Ok(count(&store)? >= run.commits)))?;
        captured.push(elapsed, processor::of(pid)? - before);
    }
    let rows = [Row::of(&imported), captured.row(run.commits)];
    report.table(&format!("{} commits in one repository while the sidecar runs", run.commits), &rows)
}

pub fn count(store: &SqliteStore) -> Result<usize> {
    Ok(store.count_captures(None, Timestamp::MIN, Timestamp::MAX)?.total as usize)
}

/// `uro-capture commit --since` of a whole history, in a home of its own each time.
pub fn backfill(run: &Run, report: &mut Report) -> Result<()> {
    let mut all = [Burst::of("by the template alone"), Burst::of("with a model that nobody answers for")];
    for round in 0..ROUNDS {
        for (series, extra) in all.iter_mut().zip([["--no-model"].as_slice(), &[]]) {
            let base = run.place(&format!("backfill-{round}-{}", extra.len()));
            let stage = Stage::new(&base.join("home"), &base.join("work"), Some(&run.hook))?;
            settle(&stage.home)?;
            commits::first(&stage)?;
            commits::import(&stage, &stage.work, "main", run.commits)?;
            let (elapsed, spent) = filled(&stage, extra, run.commits)?;
            series.push(elapsed, spent);
        }
    }
    let rows = all.map(|series| series.row(run.commits));
    report.table(&format!("uro-capture commit --since, {} commits", run.commits), &rows)
}

fn filled(stage: &Stage, extra: &[&str], commits: usize) -> Result<(Duration, f64)> {
    let program = stage.program().ok_or("no uro-capture beside the hook")?;
    let mut command = stage.command(&program);
    command.args(["commit", "--since", "2000-01-01"]).args(extra);
    let before = processor::of_children()?;
    let (elapsed, output) = timed(|| Ok(command.output()?))?;
    let spent = processor::of_children()? - before;
    let stored = count(&SqliteStore::open(&stage.home.join("data/captures.db"))?.store)?;
    if output.status.success() && stored >= commits {
        return Ok((elapsed, spent));
    }
    Err(format!("{stored} captures; {}", String::from_utf8_lossy(&output.stderr)).into())
}
