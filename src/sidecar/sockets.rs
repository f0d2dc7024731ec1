//! Doorbell and control socket: bound, or inherited by socket activation; private to the user; unlinked at the end.
//!
//! A service manager passes the doorbell alone, which must be heard while no sidecar runs; a command without a control
//! socket does its work itself, and a mere query must not start a service.

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram as StdDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use listenfd::ListenFd;
use tokio::net::{UnixDatagram, UnixListener};

use super::{SidecarError, client};
use crate::domain::clock::Clock;
use crate::hook::bell::{self, BellAddress, RingResult};

/// How long the doorbell of a killed predecessor may still accept rings.
const ECHO: Duration = Duration::from_millis(300);

/// The sockets. Stale ones are unlinked: the lock proves that no sidecar uses them.
#[derive(Debug)]
pub struct Sockets {
    pub bell: UnixDatagram,
    pub control: Option<UnixListener>,
    files: Arc<[SocketFile]>,
}

/// A socket's file.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Its inode when it was bound.
    inode: Option<u64>,
    /// Created by this process, and removed by it; a service manager keeps its own.
    ours: bool,
}

impl SocketFile {
    fn of(path: &Path, ours: bool) -> Self {
        Self { path: path.to_owned(), inode: inode(path), ours }
    }

    fn in_place(&self) -> bool {
        inode(&self.path) == self.inode
    }
}

impl Sockets {
    /// Binds both, or takes over the doorbell that a service manager `passed`.
    ///
    /// # Errors
    /// A stale one cannot be removed, or a new one not be bound.
    pub fn bind(run_dir: &Path, passed: Option<StdDatagram>) -> Result<Self, SidecarError> {
        let (bell_path, control_path) = (bell(run_dir), client::socket(run_dir));
        let ours = passed.is_none();
        let bell = match passed {
            Some(passed) => {
                adopt_inherited(passed).map_err(|error| SidecarError::io("take over", &bell_path, error))?
            }
            None => {
                bind_fresh(&bell_path, |path| adopt_inherited(StdDatagram::bind_addr(&BellAddress::of(path)?.socket)?))?
            }
        };
        let control = bind_fresh(&control_path, |path| {
            let listener = std::os::unix::net::UnixListener::bind_addr(&BellAddress::of(path)?.socket)?;
            listener.set_nonblocking(true)?;
            UnixListener::from_std(listener)
        })?;
        let files = Arc::new([SocketFile::of(&bell_path, ours), SocketFile::of(&control_path, true)]);
        Ok(Self { bell, control: Some(control), files })
    }

    /// The directory may have been removed, and a successor may have bound its own sockets there since.
    pub async fn in_place(&self) -> bool {
        let files = Arc::clone(&self.files);
        let looked = tokio::task::spawn_blocking(move || files.iter().all(SocketFile::in_place));
        looked.await.unwrap_or(true)
    }

    /// From now on the hook starts a successor instead of ringing here; where the doorbell is a service manager's, the
    /// next ring makes that start one.
    pub fn unlink(&self) {
        for file in self.files.iter().filter(|file| file.ours && file.in_place()) {
            let _ = std::fs::remove_file(&file.path);
        }
    }
}

#[must_use]
pub fn bell(run_dir: &Path) -> PathBuf {
    run_dir.join("bell.sock")
}

/// Rings; true when a process listens.
#[must_use]
pub fn ring(run_dir: &Path) -> bool {
    bell::ring(&bell(run_dir)) != RingResult::NoListener
}

/// The doorbell that a service manager passed to this process, if it is the one that hooks ring: by `LISTEN_FDS` and
/// `LISTEN_PID`. To be called once, before there are threads.
#[must_use]
pub fn passed(run_dir: &Path) -> Option<StdDatagram> {
    let mut passed = ListenFd::from_env();
    let bells = (0..passed.len()).filter_map(|index| passed.take_unix_datagram(index).ok().flatten());
    let ours = inode(&bell(run_dir));
    // Held open until here: other passed sockets are closed.
    let bells: Vec<StdDatagram> = bells.collect();
    bells.into_iter().find(|socket| {
        let address = socket.local_addr().ok();
        ours.is_some() && address.and_then(|address| inode(address.as_pathname()?)) == ours
    })
}

/// With the lock held: whether another process still listens at the doorbell, as a service manager does for the service
/// that it is about to start. This rings for that.
#[must_use]
pub fn belong_to_a_manager(run_dir: &Path, clock: &dyn Clock) -> bool {
    let give_up = clock.instant() + ECHO;
    // Whether there is a listener, without ringing.
    let is_heard = || StdDatagram::unbound()?.connect_addr(&BellAddress::of(&bell(run_dir))?.socket);
    while is_heard().is_ok() {
        if clock.instant() >= give_up {
            return ring(run_dir);
        }
        std::thread::sleep(ECHO / 30);
    }
    false
}

/// A socket at `path`, in place of a stale one.
fn bind_fresh<T>(path: &Path, bind: impl FnOnce(&Path) -> std::io::Result<T>) -> Result<T, SidecarError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(SidecarError::io("remove", path, error)),
        _ => bind(path).map_err(|error| SidecarError::io("bind", path, error)),
    }
}

fn adopt_inherited(bell: StdDatagram) -> std::io::Result<UnixDatagram> {
    bell.set_nonblocking(true)?;
    UnixDatagram::from_std(bell)
}

fn inode(path: &Path) -> Option<u64> {
    std::fs::symlink_metadata(path).ok().map(|metadata| metadata.ino())
}
