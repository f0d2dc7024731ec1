//! Doorbell and control socket: bound, guarded, unlinked.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::net::{UnixDatagram, UnixListener};

use super::{SidecarError, client};
use crate::hook::bell::Address;

/// The sockets; removed when dropped. Stale ones are unlinked: the lock says that nobody uses them.
#[derive(Debug)]
pub struct Sockets {
    pub bell: UnixDatagram,
    pub control: Option<UnixListener>,
    /// Each with the inode that it had when it was bound.
    files: [(PathBuf, Option<u64>); 2],
}

impl Sockets {
    pub fn bind(run_dir: &Path) -> Result<Self, SidecarError> {
        let paths = [run_dir.join("bell.sock"), client::socket(run_dir)];
        for path in &paths {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(SidecarError::io("remove", path, error));
                }
                _ => {}
            }
        }
        let bell = bind_bell(&paths[0]).map_err(|error| SidecarError::io("bind", &paths[0], error))?;
        let control = bind_control(&paths[1]).map_err(|error| SidecarError::io("bind", &paths[1], error))?;
        let files = paths.map(|path| (path.clone(), inode(&path)));
        Ok(Self { bell, control: Some(control), files })
    }

    /// Somebody may have removed the directory, and a successor may have bound its own sockets there since.
    pub fn in_place(&self) -> bool {
        self.files.iter().all(|(path, bound)| inode(path) == *bound)
    }

    /// From now on the hook starts a successor instead of ringing here.
    pub fn unlink(&self) {
        for (path, _) in self.files.iter().filter(|(path, bound)| inode(path) == *bound) {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn inode(path: &Path) -> Option<u64> {
    std::fs::symlink_metadata(path).ok().map(|metadata| metadata.ino())
}

fn bind_bell(path: &Path) -> std::io::Result<UnixDatagram> {
    let bell = std::os::unix::net::UnixDatagram::bind_addr(&Address::of(path)?.socket)?;
    bell.set_nonblocking(true)?;
    UnixDatagram::from_std(bell)
}

fn bind_control(path: &Path) -> std::io::Result<UnixListener> {
    let listener = std::os::unix::net::UnixListener::bind_addr(&Address::of(path)?.socket)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}
