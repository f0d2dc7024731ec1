//! Starts and stops the sidecar from a command, and detaches the new process (daemonization).

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::protocol::{Request, SidecarState, SidecarStatus};
use super::{SidecarError, client, lock, sockets};
use crate::config::env::{self, Env};
use crate::domain::clock::Clock;

/// Longest normal start.
const START: Duration = Duration::from_secs(5);
/// Additional time to find a predecessor stuck and to take over from it.
const SUCCEED: Duration = Duration::from_secs(7);
/// Time for a service manager to start its service after the ring.
const SERVICE: Duration = Duration::from_secs(2);
/// Starts in a row: a new sidecar may leave because its predecessor answered once more.
const STARTS: u32 = 3;
/// The drain (1.5 s) with a reserve.
const STOP: Duration = Duration::from_secs(3);
/// Time for a signal: a sidecar that answers no ping may not handle signals either.
const STUCK: Duration = Duration::from_secs(1);
/// Time for a waiting successor to take the lock.
const HEIR: Duration = Duration::from_millis(300);
const POLL: Duration = Duration::from_millis(5);

/// Starts a detached sidecar, unless one runs; returns when it answers. A silent holder of the lock is starting or
/// leaving and is waited for, or it is stuck, is killed, and its successor is the one started here.
///
/// # Errors
/// When the program cannot be started or does not answer in time.
pub fn start(run: &Path, clock: &dyn Clock) -> Result<SidecarStatus, SidecarError> {
    let begun = clock.instant();
    let mut newcomer = Newcomer { child: None, starts: 0, not_before: begun };
    loop {
        let status = client::status(run);
        let waited = clock.instant().saturating_duration_since(begun);
        match status.state {
            SidecarState::Running => return Ok(status),
            SidecarState::Unresponsive if waited >= START + SUCCEED => {
                return Err(SidecarError::Unresponsive { pid: status.pid.unwrap_or(0) });
            }
            SidecarState::Stopped if waited >= START => return Err(SidecarError::NotUp { seconds: START.as_secs() }),
            SidecarState::Stopped | SidecarState::Unresponsive => newcomer.send(run, clock.instant())?,
        }
        std::thread::sleep(POLL);
    }
}

/// The sidecar under start.
struct Newcomer {
    child: Option<Child>,
    starts: u32,
    not_before: Instant,
}

impl Newcomer {
    /// Starts a process unless the last one still runs. An installed service is rung for.
    fn send(&mut self, run: &Path, now: Instant) -> Result<(), SidecarError> {
        let there = self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)));
        if there || self.starts == STARTS || now < self.not_before {
            return Ok(());
        }
        self.starts += 1;
        if self.starts == 1 && lock::holder(run).is_none() && sockets::ring(run) {
            self.not_before = now + SERVICE;
        } else {
            self.child = Some(spawn(run)?);
        }
        Ok(())
    }
}

/// Starts a successor to a silent holder of the lock, without waiting; it leaves again if that one answers after all.
/// At most once in five seconds, like a hook's start. True when it was started.
#[must_use]
pub fn replace(run: &Path, clock: &dyn Clock) -> bool {
    let stamp = run.join("start.stamp");
    let touched = std::fs::metadata(&stamp).and_then(|metadata| metadata.modified());
    let now = SystemTime::from(clock.now());
    let lately = touched.is_ok_and(|touched| now.duration_since(touched).is_ok_and(|age| age < START));
    !lately && lock::holder(run).is_some() && std::fs::write(&stamp, "\n").is_ok() && spawn(run).is_ok()
}

fn spawn(run: &Path) -> Result<Child, SidecarError> {
    let program = std::env::current_exe().map_err(|error| SidecarError::io("find", run, error))?;
    let mut command = bare(&program, run);
    command.args(["sidecar", "run", "--detached"]).stdin(Stdio::null());
    command.spawn().map_err(|error| SidecarError::io("start", &program, error))
}

/// Command for a program that outlives its caller: in the root directory, without output and without variables of git
/// or of a service manager, and with the same home from any directory.
pub(super) fn bare(program: &Path, run: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
    for name in env::git_variables() {
        command.env_remove(name);
    }
    for name in env::OF_A_SERVICE {
        command.env_remove(name);
    }
    if let (Some(_), Some(home)) = (Env::from_process().path(env::URO_HOME), run.parent()) {
        command.env(env::URO_HOME, home);
    }
    command
}

/// Asks it to leave and waits until it has; a silent one is killed, and a successor that its sentinel has started
/// meanwhile is stopped too. Returns the state before.
///
/// # Errors
/// When it still runs after all that.
pub fn stop(run: &Path, clock: &dyn Clock) -> Result<SidecarStatus, SidecarError> {
    let before = client::status(run);
    stop_one(run, &before, clock)?;
    if before.state == SidecarState::Unresponsive && within(HEIR, clock, || lock::holder(run).is_some()) {
        stop_one(run, &client::status(run), clock)?;
    }
    Ok(before)
}

fn stop_one(run: &Path, status: &SidecarStatus, clock: &dyn Clock) -> Result<(), SidecarError> {
    let ended = || lock::holder(run).is_none();
    let patience = match status.state {
        SidecarState::Stopped => return Ok(()),
        SidecarState::Running => {
            // A hang-up is an answer too: it is leaving.
            let _ = client::send_request(run, &Request::Stop, STOP);
            STOP
        }
        SidecarState::Unresponsive => {
            signal_holder(run, Signal::SIGTERM);
            STUCK
        }
    };
    if within(patience, clock, ended) {
        return Ok(());
    }
    signal_holder(run, Signal::SIGKILL);
    if within(STOP, clock, ended) { Ok(()) } else { Err(SidecarError::Unresponsive { pid: status.pid.unwrap_or(0) }) }
}

/// Only the process that holds the lock right now: a pid from an old file may belong to any process.
fn signal_holder(run: &Path, signal: Signal) {
    let Some(pid) = lock::holder(run).and_then(|holder| i32::try_from(holder.pid).ok()) else { return };
    // It may have left in the meantime.
    let _ = kill(Pid::from_raw(pid), signal);
}

/// Whether `it` becomes true within `time`.
fn within(time: Duration, clock: &dyn Clock, it: impl Fn() -> bool) -> bool {
    let give_up = clock.instant() + time;
    loop {
        if it() {
            return true;
        }
        if clock.instant() >= give_up {
            return false;
        }
        std::thread::sleep(POLL);
    }
}

/// Closes every inherited descriptor above stderr and leaves the terminal's session.
/// The first act of a detached sidecar, before any thread or file of its own exists.
pub fn detach_from_starter() {
    let listing = ["/proc/self/fd", "/dev/fd"].into_iter().find_map(|dir| std::fs::read_dir(dir).ok());
    let inherited: Vec<i32> = match listing {
        Some(entries) => {
            entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(|fd| *fd > 2).collect()
        }
        None => (3..64).collect(),
    };
    for descriptor in inherited {
        // An already closed descriptor is fine.
        let _ = nix::unistd::close(descriptor);
    }
    // Fails only for a process-group leader, which has no controlling terminal to lose.
    let _ = nix::unistd::setsid();
}
