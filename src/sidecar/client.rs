//! Asking the sidecar, from a command: blocking, bounded, never a reason to fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::lock;
use super::protocol::{LINE_LIMIT, Request, Response, SidecarState, SidecarStatus, Vitals};
use crate::hook::bell::Address;

/// A sidecar that lives answers a ping in well under a millisecond; one that takes this long is stuck.
pub const PING_TIMEOUT: Duration = Duration::from_millis(500);

#[must_use]
pub fn socket(run: &Path) -> PathBuf {
    run.join("control.sock")
}

/// One request, one answer.
///
/// # Errors
/// When nobody listens, or no answer comes within `timeout`.
pub fn ask(run: &Path, request: &Request, timeout: Duration) -> std::io::Result<Response> {
    let mut stream = UnixStream::connect_addr(&Address::of(&socket(run))?.socket)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(PING_TIMEOUT))?;
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream.take(LINE_LIMIT)).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

/// The sidecar's vitals when it answers.
#[must_use]
pub fn ping(run: &Path) -> Option<Vitals> {
    match ask(run, &Request::Ping, PING_TIMEOUT) {
        Ok(Response::Status(vitals)) => Some(vitals),
        _ => None,
    }
}

/// Running, stopped, or alive without answering.
#[must_use]
pub fn status(run: &Path) -> SidecarStatus {
    if let Some(vitals) = ping(run) {
        return SidecarStatus {
            state: SidecarState::Running,
            version: Some(vitals.version),
            pid: Some(vitals.pid),
            uptime_s: Some(vitals.uptime_s),
            queue_depth: Some(vitals.queue_depth),
        };
    }
    let holder = lock::holder(run);
    SidecarStatus {
        state: if holder.is_some() { SidecarState::Unresponsive } else { SidecarState::Stopped },
        version: holder.as_ref().map(|holder| holder.version.clone()),
        pid: holder.map(|holder| holder.pid),
        uptime_s: None,
        queue_depth: None,
    }
}
