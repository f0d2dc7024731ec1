//! `$(git commit)`: until nobody holds the commit's output any more, while the sidecar has its hands full.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use uro_capture::domain::clock::{Clock, SystemClock};

use crate::model::{self, Manner, Model};
use crate::report::{Report, Result, Rounds, Row, in_turns, timed};
use crate::stage::Stage;
use crate::{Run, judged};

/// How long the busy sidecar waits for its model, and how many commits fit into that time.
const BUDGET: &str = "30s";
const COMMITS: usize = 60;

pub fn pipe(run: &Run, report: &mut Report) -> Result<()> {
    let base = run.scratch.path().join("pipe");
    let silent = Model::start(Manner::Silent)?;
    let mut busy = Stage::new(&base.join("busy/home"), &base.join("busy/work"), Some(&run.hook))?;
    let bare = Stage::new(&base.join("bare/home"), &base.join("bare/work"), None)?;
    silent.settle(&busy.home, BUDGET)?;
    busy.start_sidecar()?;
    captured(&busy, usize::MAX)?;
    patiently(|| !silent.arrivals().is_empty(), "the sidecar asked nothing")?;
    let arms = ["busy for 30 s", "no hook", "starts the sidecar"].map(str::to_owned);
    let rounds = Rounds { n: COMMITS, ..run.rounds(1) };
    let all = in_turns(&arms[..2], rounds, |arm, round| captured([&busy, &bare][arm], round))?;
    if silent.arrivals().len() != 1 {
        return Err("the sidecar was not busy all the time".into());
    }
    let starts = in_turns(&arms[2..], Rounds { n: 20, warm_up: 0, pause: Duration::ZERO }, |_, round| {
        let base = base.join(format!("starts-{round}"));
        let stage = Stage::new(&base.join("home"), &base.join("work"), Some(&run.hook))?;
        model::dead(&stage.home)?;
        let elapsed = captured(&stage, round)?;
        // What is not up yet cannot be stopped.
        patiently(|| stage.sidecar_pid().is_ok(), "the sidecar does not come up")?;
        Ok(elapsed)
    })?;
    let (busy, bare) = (&all[0], &all[1]);
    let row = judged(busy, 1.0, 100.0).against("no_hook", bare, busy);
    report.table("$(git commit) through a pipe", &[row, Row::of(bare), judged(&starts[0], 1.0, 100.0)])
}

/// One commit that says something, its output read to the end.
fn captured(stage: &Stage, round: usize) -> Result<Duration> {
    fs::write(stage.work.join("file.txt"), format!("line {round}\n"))?;
    stage.git(&["add", "file.txt"])?;
    let mut command = stage.command(Path::new("git"));
    let (elapsed, output) = timed(|| Ok(command.args(["commit", "-m", "Change a line"]).output()?))?;
    let heard = output.status.success() && !output.stdout.is_empty() && output.stderr.is_empty();
    if heard { Ok(elapsed) } else { Err(format!("git commit said {output:?}").into()) }
}

fn patiently(mut done: impl FnMut() -> bool, otherwise: &str) -> Result<()> {
    let give_up = SystemClock.instant() + Duration::from_secs(5);
    while !done() {
        if SystemClock.instant() > give_up {
            return Err(otherwise.into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
