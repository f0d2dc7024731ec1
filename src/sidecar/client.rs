//! Control-socket client of the commands: blocking, with a timeout, never a reason to fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::lock;
use super::protocol::{LINE_LIMIT, Request, Response, SidecarState, SidecarStatus, Vitals};
use crate::hook::bell::BellAddress;

/// A healthy sidecar answers a ping in well under a millisecond; one that takes this long is stuck.
pub const PING_TIMEOUT: Duration = Duration::from_millis(500);

#[must_use]
pub fn socket(run: &Path) -> PathBuf {
    run.join("control.sock")
}

/// One request, one answer.
///
/// # Errors
/// When no sidecar listens, or no answer comes within `timeout`.
pub fn send_request(run: &Path, request: &Request, timeout: Duration) -> std::io::Result<Response> {
    let mut stream = UnixStream::connect_addr(&BellAddress::of(&socket(run))?.socket)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(PING_TIMEOUT))?;
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream.take(LINE_LIMIT)).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

/// The sidecar's vitals; `None` without an answer.
#[must_use]
pub fn ping(run: &Path) -> Option<Vitals> {
    match send_request(run, &Request::Ping, PING_TIMEOUT) {
        Ok(Response::Status(vitals)) => Some(vitals),
        _ => None,
    }
}

/// Running, stopped, or unresponsive. A holder of the lock without a socket is starting or leaving and gets
/// [`PING_TIMEOUT`] to finish.
#[must_use]
pub fn status(run: &Path) -> SidecarStatus {
    use std::io::ErrorKind::{ConnectionRefused, ConnectionReset, NotFound, UnexpectedEof};
    let is_not_listening =
        |error: &std::io::Error| matches!(error.kind(), NotFound | ConnectionRefused | ConnectionReset | UnexpectedEof);
    for _ in 0..PING_TIMEOUT.as_millis() / MOMENT.as_millis() {
        match send_request(run, &Request::Ping, PING_TIMEOUT) {
            Ok(Response::Status(vitals)) => {
                return SidecarStatus {
                    state: SidecarState::Running,
                    version: Some(vitals.version),
                    pid: Some(vitals.pid),
                    uptime_s: Some(vitals.uptime_s),
                    queue_depth: Some(vitals.queue_depth),
                    attention: Some(vitals.attention),
                };
            }
            Err(error) if is_not_listening(&error) && lock::holder(run).is_some() => std::thread::sleep(MOMENT),
            _ => break,
        }
    }
    let holder = lock::holder(run);
    SidecarStatus {
        state: if holder.is_some() { SidecarState::Unresponsive } else { SidecarState::Stopped },
        version: holder.as_ref().map(|holder| holder.version.clone()),
        pid: holder.map(|holder| holder.pid),
        uptime_s: None,
        queue_depth: None,
        attention: None,
    }
}

/// Poll interval while a sidecar starts or leaves.
const MOMENT: Duration = Duration::from_millis(10);
