//! What waiting costs: watches, memory and processor time of a sidecar with nothing to do (Linux only).

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::crowd::{Crowd, Size};
use crate::report::{Report, Result, Row, timed};
use crate::{Run, met, number, processor};

/// What was started settles meanwhile.
const SETTLE: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);
/// Of a processor: a thousandth.
const SHARE: f64 = 0.001;

pub fn idle(run: &Run, report: &mut Report) -> Result<()> {
    let mut crowd = Crowd::gather(run, "idle", Size { watched: run.repositories, hooked: 0 })?;
    let (elapsed, pid) = timed(|| crowd.watch())?;
    let started = number("start → all watched, ms", elapsed.as_secs_f64() * 1e3);
    thread::sleep(SETTLE);
    let before = processor::of(pid)?;
    thread::sleep(MINUTE);
    let spent = (processor::of(pid)? - before) / MINUTE.as_secs_f64();
    let each = watches(pid)? as f64 / crowd.len() as f64;
    let sidecar = memory(pid, "VmRSS:")?;
    let mut rows = vec![
        started,
        met(number("watches per repository", each), "≤ 5", each <= 5.0),
        met(number("sidecar's resident set, MB", sidecar), "< 30", sidecar < 30.0),
        number("its peak, MB", memory(pid, "VmHWM:")?),
        met(number("processor, % of one over 60 s", spent * 100.0), "≤ 0.1", spent <= SHARE),
    ];
    rows.extend(sentinel(pid)?);
    report.table(&format!("{} repositories, nothing to do", crowd.len()), &rows)
}

/// Directories that a process watches.
fn watches(pid: u64) -> Result<usize> {
    let mut found = 0;
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        let info = fs::read_to_string(entry?.path()).unwrap_or_default();
        found += info.lines().filter(|line| line.starts_with("inotify wd")).count();
    }
    Ok(found)
}

/// In megabytes.
fn memory(pid: u64, which: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(which)).ok_or("the kernel does not tell")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).ok_or("the kernel does not tell")?.parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

/// The process that watches over the sidecar.
fn sentinel(sidecar: u64) -> Result<Option<Row>> {
    for entry in fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u64>() else { continue };
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let is_child =
            status.lines().any(|line| line.strip_prefix("PPid:").is_some_and(|of| of.trim() == sidecar.to_string()));
        if is_child {
            let share = processor::of(pid)?;
            let row = number("sentinel's resident set, MB", memory(pid, "VmRSS:")?);
            return Ok(Some(row.with("seconds", json!(share))));
        }
    }
    Ok(None)
}
