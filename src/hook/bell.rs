//! Doorbell: one datagram of one byte wakes the sidecar after an append to the spool.
//!
//! The datagram carries no data and is sent without waiting: a full queue of a stopped sidecar is harmless,
//! since the record is in the spool already.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

/// Result of ringing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RingResult {
    Delivered,
    /// The sidecar's socket queue is full: unread datagrams are waiting.
    Busy,
    /// No process listens.
    NoListener,
}

/// Sends the datagram to the socket `bell`, without waiting.
#[must_use]
pub fn ring(bell: &Path) -> RingResult {
    let send = || {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        let address = BellAddress::of(bell)?;
        socket.send_to_addr(b"!", &address.socket)
    };
    // Linux says EAGAIN, macOS ENOBUFS (55).
    let is_full = |error: &io::Error| {
        error.kind() == io::ErrorKind::WouldBlock || (cfg!(target_os = "macos") && error.raw_os_error() == Some(55))
    };
    match send() {
        Ok(_) => RingResult::Delivered,
        Err(error) if is_full(&error) => RingResult::Busy,
        Err(_) => RingResult::NoListener,
    }
}

/// Socket address; also works for paths longer than the 107 bytes of `sun_path`.
#[derive(Debug)]
pub struct BellAddress {
    pub socket: SocketAddr,
    /// Keeps the directory open behind the short `/proc` name of a long path.
    _directory: Option<File>,
}

impl BellAddress {
    /// Builds the address of `path`. Bind and connect while it lives.
    ///
    /// # Errors
    /// The directory cannot be opened, or the path is too long on a system without `/proc`.
    pub fn of(path: &Path) -> io::Result<Self> {
        if let Ok(socket) = SocketAddr::from_pathname(path) {
            return Ok(Self { socket, _directory: None });
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let directory = File::open(parent)?;
        let short = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
        Ok(Self { socket: SocketAddr::from_pathname(short)?, _directory: Some(directory) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_hears_one_byte() {
        let home = tempfile::tempdir().expect("a directory");
        let bell = home.path().join("bell.sock");
        let listener = UnixDatagram::bind(&bell).expect("bound");
        assert_eq!(ring(&bell), RingResult::Delivered);
        let mut received = [0; 8];
        assert_eq!(listener.recv(&mut received).expect("heard"), 1);
    }

    #[test]
    fn a_listener_that_never_reads_is_busy_and_never_waited_for() {
        let home = tempfile::tempdir().expect("a directory");
        let bell = home.path().join("bell.sock");
        let _listener = UnixDatagram::bind(&bell).expect("bound");
        // More datagrams than any system queues; a blocking send would hang here.
        let rings: Vec<_> = (0..5000).map(|_| ring(&bell)).collect();
        assert_eq!(rings.first(), Some(&RingResult::Delivered));
        assert_eq!(rings.last(), Some(&RingResult::Busy));
    }

    #[test]
    fn no_socket_and_a_socket_left_behind_are_both_absent() {
        let home = tempfile::tempdir().expect("a directory");
        let bell = home.path().join("bell.sock");
        assert_eq!(ring(&bell), RingResult::NoListener);
        drop(UnixDatagram::bind(&bell).expect("bound"));
        assert!(bell.exists());
        assert_eq!(ring(&bell), RingResult::NoListener);
        assert_eq!(ring(Path::new("/nonexistent/bell.sock")), RingResult::NoListener);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_path_longer_than_an_address_still_rings() {
        let home = tempfile::tempdir().expect("a directory");
        let deep = home.path().join("d".repeat(120));
        std::fs::create_dir(&deep).expect("created");
        let bell = deep.join("bell.sock");
        let address = BellAddress::of(&bell).expect("an address");
        let listener = UnixDatagram::bind_addr(&address.socket).expect("bound");
        drop(address);
        assert_eq!(ring(&bell), RingResult::Delivered);
        assert_eq!(listener.recv(&mut [0; 8]).expect("heard"), 1);
    }
}
