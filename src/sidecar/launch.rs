//! Starting and stopping the sidecar from a command.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::protocol::{Request, SidecarState, SidecarStatus};
use super::{SidecarError, client, lock};
use crate::domain::clock::Clock;

/// A start that takes longer has failed.
const START: Duration = Duration::from_secs(5);
/// Drain (1.5 s) and some.
const STOP: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(5);

/// Starts one, detached, unless one runs; returns when it answers. One that holds the lock without answering may
/// be starting or leaving just now, so it is given the time of a start.
///
/// # Errors
/// When the program cannot be started or does not answer in time.
pub fn start(run: &Path, clock: &dyn Clock) -> Result<SidecarStatus, SidecarError> {
    let give_up = clock.instant() + START;
    let mut started = false;
    loop {
        let status = client::status(run);
        match status.state {
            SidecarState::Running => return Ok(status),
            SidecarState::Stopped if !started => {
                spawn(run)?;
                started = true;
            }
            SidecarState::Unresponsive if clock.instant() >= give_up => {
                return Err(SidecarError::Unresponsive { pid: status.pid.unwrap_or(0) });
            }
            SidecarState::Stopped if clock.instant() >= give_up => {
                return Err(SidecarError::NotUp { seconds: START.as_secs() });
            }
            SidecarState::Stopped | SidecarState::Unresponsive => std::thread::sleep(POLL),
        }
    }
}

fn spawn(run: &Path) -> Result<(), SidecarError> {
    let program = std::env::current_exe().map_err(|error| SidecarError::io("find", run, error))?;
    let mut command = Command::new(&program);
    command.args(["sidecar", "run", "--detached"]).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for name in crate::config::env::git_variables() {
        command.env_remove(name);
    }
    command.spawn().map_err(|error| SidecarError::io("start", &program, error))?;
    Ok(())
}

/// Asks it to leave and waits until it has; one that does not answer is killed. Gives what was running.
///
/// # Errors
/// When it is still there after all that.
pub fn stop(run: &Path, clock: &dyn Clock) -> Result<SidecarStatus, SidecarError> {
    let before = client::status(run);
    match before.state {
        SidecarState::Stopped => return Ok(before),
        SidecarState::Running => {
            // A hang-up is an answer too: it is leaving.
            let _ = client::ask(run, &Request::Stop, STOP);
        }
        SidecarState::Unresponsive => signal_holder(run, Signal::SIGTERM),
    }
    if gone(run, clock, STOP) {
        return Ok(before);
    }
    signal_holder(run, Signal::SIGKILL);
    if gone(run, clock, STOP) { Ok(before) } else { Err(SidecarError::Unresponsive { pid: before.pid.unwrap_or(0) }) }
}

/// Only the process that holds the lock right now: a pid from an old file may be anybody's.
fn signal_holder(run: &Path, signal: Signal) {
    let Some(pid) = lock::holder(run).and_then(|holder| i32::try_from(holder.pid).ok()) else { return };
    // It may have left in the meantime.
    let _ = kill(Pid::from_raw(pid), signal);
}

fn gone(run: &Path, clock: &dyn Clock, within: Duration) -> bool {
    let give_up = clock.instant() + within;
    loop {
        if lock::holder(run).is_none() {
            return true;
        }
        if clock.instant() >= give_up {
            return false;
        }
        std::thread::sleep(POLL);
    }
}
