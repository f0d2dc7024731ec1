//! What a commit costs while the sidecar works off ten thousand others.

use std::fs;
use std::time::Duration;

use serde_json::json;
use uro_capture::store::EventStore;
use uro_capture::store::sqlite::SqliteStore;

use crate::crowd::{Crowd, Size};
use crate::report::{Report, Result, Rounds, Row, in_turns};
use crate::stage::Stage;
use crate::{Run, commits};

/// A storm that has fewer commits left than this may be over before the next turn.
const LEFT: u64 = 500;

pub fn beside(run: &Run, report: &mut Report) -> Result<()> {
    for stormy in [false, true] {
        let mut crowd = Crowd::gather(run, &format!("beside-{stormy}"), Size { watched: 1, hooked: 0 })?;
        crowd.watch()?;
        let store = crowd.store()?;
        let base = run.place(&format!("beside-{stormy}-arms"));
        let bare = Stage::new(&crowd.stage.home, &base.join("bare"), None)?;
        let again = Stage::new(&crowd.stage.home, &base.join("again"), None)?;
        let ours = Stage::new(&crowd.stage.home, &base.join("ours"), Some(&run.hook))?;
        let arms = ["no hook", "no hook again", "our hook"].map(str::to_owned);
        let rounds = Rounds { n: run.n, warm_up: 3, pause: Duration::ZERO };
        let mut storms = 0;
        let all = in_turns(&arms, rounds, |arm, round| {
            if stormy && store.pending_event_count()? < LEFT {
                storms += 1;
                storm(run, &crowd, &store, storms)?;
            }
            commit([&bare, &again, &ours][arm], round)
        })?;
        let rows: Vec<Row> = all.iter().map(|one| Row::of(one).against("no_hook", &all[0], one)).collect();
        let rows: Vec<Row> = rows.into_iter().map(|row| row.with("storms", json!(storms))).collect();
        let what =
            if stormy { "while the sidecar works off a storm" } else { "while the sidecar has nothing else to do" };
        report.table(&format!("git commit, {what}"), &rows)?;
    }
    Ok(())
}

/// Another ten thousand, upon a branch of their own; under way when this returns.
fn storm(run: &Run, crowd: &Crowd, store: &SqliteStore, number: usize) -> Result<()> {
    commits::import(&crowd.stage, &crowd.watched[0].work, &format!("storm-{number}"), run.commits)?;
    crate::crowd::patiently("the storm was not noticed", || Ok(store.pending_event_count()? >= LEFT))
}

fn commit(stage: &Stage, round: usize) -> Result<Duration> {
    fs::write(stage.work.join("file.txt"), format!("line {round}\n"))?;
    stage.git(&["add", "file.txt"])?;
    stage.git(&["commit", "-q", "-m", "Change a line"])
}
