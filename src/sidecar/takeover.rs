//! Takeover: at most one sidecar serves; a newcomer leaves, or replaces its predecessor.

use std::path::Path;
use std::time::{Duration, Instant};

use super::lock::{self, Lock};
use super::protocol::{PROTOCOL, Request, Response, Vitals};
use super::stuck_check::SilentHolder;
use super::{SidecarError, client};
use crate::domain::clock::Clock;

/// Time that a newcomer waits for a predecessor that was asked to leave, or was killed.
const HANDOVER: Duration = Duration::from_secs(5);
/// Longest wait in all: longer than it takes to find a predecessor stuck.
const IN_ALL: Duration = Duration::from_secs(12);
const POLL: Duration = Duration::from_millis(20);

/// The lock, free or from a predecessor that was asked to leave or is stuck; `None` where one of this version answers
/// and stays. A service takes over even from one of this version.
pub fn take_over(run_dir: &Path, service: bool, clock: &dyn Clock) -> Result<Option<Lock>, SidecarError> {
    let mut give_up = clock.instant() + IN_ALL;
    let mut suspect = None;
    let mut parting = false;
    loop {
        if let Some(lock) = lock::acquire(run_dir)? {
            return Ok(Some(lock));
        }
        let asked = clock.instant();
        match probe_holder(run_dir) {
            HolderState::Answers(vitals) if is_this_version(&vitals) && !service => return Ok(None),
            HolderState::Answers(_) | HolderState::Babbles => {
                suspect = None;
                if !parting {
                    // Its refusal or hang-up changes nothing: the lock decides.
                    let _ = client::send_request(run_dir, &Request::Stop, HANDOVER);
                    (parting, give_up) = (true, clock.instant() + HANDOVER);
                }
            }
            silence => {
                let now = clock.instant();
                suspect = SilentHolder::of(suspect, run_dir, asked);
                let listens = matches!(silence, HolderState::Silent);
                if suspect.as_ref().is_some_and(|suspect: &SilentHolder| suspect.kill_if_stuck(run_dir, listens, now)) {
                    (suspect, give_up) = (None, now + HANDOVER);
                }
            }
        }
        check(run_dir, give_up, clock.instant())?;
        std::thread::sleep(POLL);
    }
}

fn check(run_dir: &Path, give_up: Instant, now: Instant) -> Result<(), SidecarError> {
    if now < give_up {
        return Ok(());
    }
    Err(SidecarError::Unresponsive { pid: lock::holder(run_dir).map_or(0, |holder| holder.pid) })
}

fn is_this_version(vitals: &Vitals) -> bool {
    vitals.version == env!("CARGO_PKG_VERSION") && vitals.protocol == PROTOCOL
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
