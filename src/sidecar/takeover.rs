//! Takeover: at most one sidecar serves; a newcomer leaves, or replaces its predecessor.
//!
//! `kill -9` loses nothing by design. It is only for a sidecar of this user that is known to be stuck, never for one
//! that is starting or still works while leaving.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use super::lock::{self, Holder};
use super::protocol::{PROTOCOL, Request, Response, Vitals};
use super::{SidecarError, client};
use crate::domain::clock::Clock;

/// Time that a newcomer waits for a predecessor that was asked to leave, or was killed.
const HANDOVER: Duration = Duration::from_secs(5);
/// Longest wait in all: longer than it takes to find a predecessor stuck.
const IN_ALL: Duration = Duration::from_secs(12);
const POLL: Duration = Duration::from_millis(20);

/// The lock, free or from a predecessor that was asked to leave or is stuck; `None` where one of this version answers
/// and stays. A service takes over even from one of this version.
pub fn take_over(run_dir: &Path, service: bool, clock: &dyn Clock) -> Result<Option<std::fs::File>, SidecarError> {
    let mut give_up = clock.instant() + IN_ALL;
    let mut silent_holder = None;
    let mut parting = false;
    loop {
        if let Some(lock) = lock::acquire(run_dir)? {
            return Ok(Some(lock));
        }
        let asked = clock.instant();
        match probe_holder(run_dir) {
            HolderState::Answers(Vitals { version, protocol: PROTOCOL, .. })
                if version == env!("CARGO_PKG_VERSION") && !service =>
            {
                return Ok(None);
            }
            HolderState::Answers(_) | HolderState::Babbles => {
                silent_holder = None;
                if !parting {
                    // Its refusal or hang-up changes nothing: the lock decides.
                    let _ = client::send_request(run_dir, &Request::Stop, HANDOVER);
                    (parting, give_up) = (true, clock.instant() + HANDOVER);
                }
            }
            silence => {
                let now = clock.instant();
                silent_holder = SilentHolder::of(silent_holder, run_dir, asked);
                let listens = matches!(silence, HolderState::Silent);
                if silent_holder
                    .as_ref()
                    .is_some_and(|silent_holder: &SilentHolder| silent_holder.kill_if_stuck(run_dir, listens, now))
                {
                    (silent_holder, give_up) = (None, now + HANDOVER);
                }
            }
        }
        if clock.instant() >= give_up {
            return Err(SidecarError::Unresponsive { pid: lock::holder(run_dir).map_or(0, |holder| holder.pid) });
        }
        std::thread::sleep(POLL);
    }
}

/// Reaction of the lock's holder to a ping.
enum HolderState {
    Answers(Vitals),
    /// Its answer is of no known protocol.
    Babbles,
    /// It listens and does not answer.
    Silent,
    /// Nothing listens.
    Absent,
}

fn probe_holder(run_dir: &Path) -> HolderState {
    use std::io::ErrorKind::{InvalidData, TimedOut, WouldBlock};
    match client::send_request(run_dir, &Request::Ping, client::PING_TIMEOUT) {
        Ok(Response::Status(vitals)) => HolderState::Answers(vitals),
        Ok(_) => HolderState::Babbles,
        Err(error) => match error.kind() {
            InvalidData => HolderState::Babbles,
            WouldBlock | TimedOut => HolderState::Silent,
            _ => HolderState::Absent,
        },
    }
}

/// Silence (or a stop by a signal) after which a listening sidecar is stuck.
const SILENT: Duration = Duration::from_secs(3);
/// Time for a sidecar without a socket to bind it, or to leave.
const ABSENT: Duration = Duration::from_secs(5);
/// Name of the sidecar's program, also with " (deleted)" after an upgrade.
const PROGRAM: &str = "uro-capture";

/// A sidecar that does not answer.
#[derive(Debug)]
pub struct SilentHolder {
    holder: Holder,
    since: Instant,
    /// Its processor time when it was first observed.
    worked_ms: Option<u64>,
}

/// State of a process as seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ProcessState {
    /// It runs this program for this user.
    ours: bool,
    stopped: bool,
    worked_ms: u64,
}

impl SilentHolder {
    /// The current holder of the lock, under observation since `now` or, if it is the known one, since then.
    #[must_use]
    pub fn of(earlier: Option<Self>, run_dir: &Path, now: Instant) -> Option<Self> {
        let holder = lock::holder(run_dir)?;
        match earlier {
            Some(earlier) if earlier.holder == holder => Some(earlier),
            _ => Some(Self { worked_ms: inspect_process(holder.pid).map(|sight| sight.worked_ms), holder, since: now }),
        }
    }

    /// Kills it if it has been silent for long enough and still holds the lock. `listens`: it has its socket. True when
    /// it was killed.
    pub fn kill_if_stuck(&self, run_dir: &Path, listens: bool, now: Instant) -> bool {
        let silent = now.saturating_duration_since(self.since);
        let Some(process) = (silent >= SILENT).then(|| inspect_process(self.holder.pid)).flatten() else {
            return false;
        };
        if !is_stuck(silent, listens, process, self.worked_ms) || lock::holder(run_dir).as_ref() != Some(&self.holder) {
            return false;
        }
        let Ok(pid) = i32::try_from(self.holder.pid) else { return false };
        tracing::warn!(pid, silent_ms = silent.as_millis(), "killing a sidecar that does not answer");
        kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok()
    }
}

fn is_stuck(silent: Duration, listens: bool, process: ProcessState, worked_ms: Option<u64>) -> bool {
    let idle = worked_ms == Some(process.worked_ms);
    process.ours
        && match () {
            () if listens || process.stopped => silent >= SILENT,
            // Opening a large store for the first time after an upgrade may take its time.
            () => silent >= ABSENT && idle,
        }
}

fn inspect_process(pid: u32) -> Option<ProcessState> {
    let pid = sysinfo::Pid::from_u32(pid);
    let wanted = ProcessRefreshKind::nothing()
        .with_exe(UpdateKind::Always)
        .with_user(UpdateKind::Always)
        .with_cpu()
        .without_tasks();
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, wanted);
    let process = system.process(pid)?;
    let name = process.exe().and_then(Path::file_name).unwrap_or(process.name()).to_string_lossy();
    Some(ProcessState {
        ours: name.strip_suffix(" (deleted)").unwrap_or(&name) == PROGRAM
            && process.user_id().is_some_and(|user| **user == nix::unistd::getuid().as_raw()),
        stopped: process.status() == ProcessStatus::Stop,
        worked_ms: process.accumulated_cpu_time(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: ProcessState = ProcessState { ours: true, stopped: false, worked_ms: 70 };

    fn stuck(silent_ms: u64, listens: bool, process: ProcessState, worked_ms: u64) -> bool {
        is_stuck(Duration::from_millis(silent_ms), listens, process, Some(worked_ms))
    }

    #[test]
    fn one_that_listens_and_says_nothing_for_three_seconds_is_stuck() {
        assert!(!stuck(2999, true, OURS, 0));
        assert!(stuck(3000, true, OURS, 0), "also one that burns a processor");
        assert!(stuck(3000, true, OURS, 70));
    }

    #[test]
    fn one_that_is_starting_or_leaving_has_five_seconds_and_more_while_it_works() {
        assert!(!stuck(4999, false, OURS, 70));
        assert!(stuck(5000, false, OURS, 70));
        assert!(!stuck(60_000, false, OURS, 10));
        let stopped = ProcessState { stopped: true, ..OURS };
        assert!(stuck(3000, false, stopped, 10), "stopped by a signal, it will not get there");
    }

    #[test]
    fn only_our_own_process_is_ever_stuck() {
        let foreign = ProcessState { ours: false, stopped: true, worked_ms: 70 };
        assert!(!stuck(60_000, true, foreign, 70));
        let own_process = inspect_process(std::process::id()).expect("seen");
        assert!(!own_process.ours, "a test is no sidecar");
        assert!(own_process.worked_ms > 0 || !own_process.stopped);
    }

    #[test]
    fn another_holder_is_another_suspect() {
        let run = tempfile::tempdir().unwrap();
        let start = Clock::instant(&crate::domain::clock::SystemClock);
        assert!(SilentHolder::of(None, run.path(), start).is_none(), "no process holds it");
        let _lock = lock::acquire(run.path()).unwrap().expect("free");
        let first = SilentHolder::of(None, run.path(), start).expect("this process");
        let later = start + Duration::from_secs(60);
        let same = SilentHolder::of(Some(first), run.path(), later).expect("the same");
        assert_eq!((same.since, same.holder.pid), (start, std::process::id()));
        assert!(!same.kill_if_stuck(run.path(), true, later), "it is no sidecar");
        let other = SilentHolder { holder: Holder { pid: 1, version: "0".into() }, ..same };
        assert_eq!(SilentHolder::of(Some(other), run.path(), later).expect("another").since, later);
    }
}
