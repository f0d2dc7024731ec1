//! What it costs to bring an export in: the built program, a file of so many lines, an empty home each time.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use uro_capture::domain::capture::RepoRef;
use uro_capture::store::sqlite::SqliteStore;

use crate::commit;
use crate::report::{Report, Result, Row, Series, timed};
use crate::rows::repo;

/// What 100,000 lines may take on two cores.
const GOAL_MS: f64 = 10_000.0;

/// Clock ticks of a second, as Linux counts processor time for programs.
const TICK_MS: f64 = 10.0;

pub fn measure(report: &mut Report, home: &Path, lines: u64, n: usize) -> Result<()> {
    let filled = home.join("exported");
    let store = SqliteStore::open(&filled.join("data/captures.db"))?.store;
    commit::fill(&store, lines, &RepoRef { path: "/home/me/project1".to_owned(), id: repo(1) })?;
    drop(store);
    let file = home.join("export.jsonl");
    run(&filled, &["export", &file.to_string_lossy()])?;
    let (mut empty, mut known, mut worked) = (Series::of("into an empty store"), Series::of("all known already"), 0.0);
    for round in 0..n {
        let target = home.join(format!("imported-{round}"));
        let before = processor_ms()?;
        empty.push(run(&target, &["import", &file.to_string_lossy()])?);
        worked += processor_ms()? - before;
        known.push(run(&target, &["import", &file.to_string_lossy()])?);
        fs::remove_dir_all(target)?;
    }
    let met = if empty.quantile(1.0) <= GOAL_MS { "yes" } else { "NO" };
    let goal = format!("max ≤ {GOAL_MS} ms for 100,000 lines");
    #[expect(clippy::cast_precision_loss, reason = "a few rounds")]
    let worked = worked / n as f64;
    let row = Row::of(&empty).with("max_ms", json!(empty.quantile(1.0))).with("processor_ms", json!(worked));
    report.table(
        &format!("import of {lines} lines"),
        &[row.with("goal", json!(goal)).with("met", json!(met)), Row::of(&known)],
    )
}

fn run(home: &Path, words: &[&str]) -> Result<std::time::Duration> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_uro-capture"));
    command.env_clear().env("HOME", home).env("URO_HOME", home).current_dir("/").args(words);
    let (elapsed, output) = timed(|| Ok(command.output()?))?;
    if output.status.success() { Ok(elapsed) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned().into()) }
}

/// Processor time of all children that ended so far, of the program and of the system for it.
fn processor_ms() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The second field is a name in brackets, which may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = |field: usize| -> Result<f64> { Ok(fields.split_whitespace().nth(field).unwrap_or("0").parse()?) };
    Ok((ticks(13)? + ticks(14)?) * TICK_MS)
}
