//! At most one sidecar serves: a newcomer leaves, or takes over from a predecessor.

use std::path::Path;
use std::time::Duration;

use super::lock::{self, Lock};
use super::protocol::{PROTOCOL, Request};
use super::{SidecarError, client};
use crate::domain::clock::Clock;

/// How long a newcomer waits for a predecessor that is leaving.
const HANDOVER: Duration = Duration::from_secs(5);

/// The lock, from nobody, from a predecessor of another version, or not at all.
pub fn take_over(run_dir: &Path, clock: &dyn Clock) -> Result<Option<Lock>, SidecarError> {
    let give_up = clock.instant() + HANDOVER;
    let mut asked = false;
    loop {
        if let Some(lock) = lock::acquire(run_dir)? {
            return Ok(Some(lock));
        }
        if let Some(vitals) = client::ping(run_dir) {
            if vitals.version == env!("CARGO_PKG_VERSION") && vitals.protocol == PROTOCOL {
                return Ok(None);
            }
            if !asked {
                // Its refusal or hang-up changes nothing: the lock decides.
                let _ = client::ask(run_dir, &Request::Stop, HANDOVER);
                asked = true;
            }
        }
        if clock.instant() >= give_up {
            let pid = lock::holder(run_dir).map_or(0, |holder| holder.pid);
            return Err(SidecarError::Unresponsive { pid });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
