//! Processor time, as Linux tells it: what a busy machine does not distort.

use std::fs;

use crate::report::Result;

/// The kernel counts in ticks of this many seconds on every architecture that Rust runs on.
const TICK: f64 = 0.01;

/// What a process has spent so far, in seconds; all its threads, also those that have ended.
pub fn of(pid: u64) -> Result<f64> {
    spent(&format!("/proc/{pid}/stat"), 11)
}

/// What the children of this process that have ended have spent.
pub fn of_children() -> Result<f64> {
    spent("/proc/self/stat", 13)
}

/// The two numbers (user, system) that begin at this field behind the name.
fn spent(file: &str, field: usize) -> Result<f64> {
    let stat = fs::read_to_string(file)?;
    let behind = stat.rsplit_once(')').ok_or("no process")?.1;
    let ticks = behind.split_whitespace().skip(field).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<std::result::Result<f64, _>>()? * TICK)
}
