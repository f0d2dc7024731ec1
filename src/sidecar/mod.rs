//! The background process: one per user, woken by the hook's doorbell, controlled through a socket.

pub mod client;
pub mod control;
pub mod heartbeat;
pub mod idle_tasks;
pub mod launch;
pub mod lock;
pub mod log_file;
pub mod pool_client;
pub mod pool_server;
pub mod prefill;
pub mod protocol;
pub mod run;
pub mod sentinel;
pub mod service;
pub mod sockets;
pub mod takeover;
pub mod watch;
pub mod worker;

use std::path::PathBuf;

/// Errors of the sidecar.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    #[error("cannot {doing} {}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the sidecar (process {pid}) does not answer")]
    Unresponsive { pid: u32 },
    #[error("the sidecar did not answer within {seconds} s of its start")]
    NotUp { seconds: u64 },
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

impl SidecarError {
    fn io(doing: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }
}
