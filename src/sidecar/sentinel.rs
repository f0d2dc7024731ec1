//! Watchdog of a stuck sidecar: the service manager's where there is one, else a sentinel process.

use std::io::{ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;

use sd_notify::NotifyState;

use super::control::Health;
use super::heartbeat;
use super::launch;
use crate::hook::sentinel::WORD;

/// The sentinel's program, beside the sidecar's.
const PROGRAM: &str = "uro-hook";
/// Beats until a lost sentinel is replaced: one that cannot stay must not be started every second.
const REPLACE: u32 = 60;

/// The watchdog that receives the heartbeat.
#[derive(Debug)]
pub enum LivenessGuard {
    /// The service manager's, as it asked for.
    Watchdog,
    Sentinel(Sentinel),
}

impl LivenessGuard {
    /// Sets up the watchdog; it is active when this returns.
    pub fn set(run_dir: &Path) -> Self {
        if sd_notify::watchdog_enabled().is_some() {
            return Self::Watchdog;
        }
        let mut sentinel = Sentinel { run_dir: run_dir.to_owned(), line: None, pause: 0 };
        sentinel.send_beat();
        Self::Sentinel(sentinel)
    }

    /// Forwards the heartbeat until this is dropped.
    pub async fn forward_beats(mut self, health: Arc<Health>) {
        let mut ticks = heartbeat::ticks();
        loop {
            ticks.tick().await;
            if health.heartbeat.is_alive() {
                match &mut self {
                    // A service manager that is gone must not end the sidecar.
                    Self::Watchdog => drop(sd_notify::notify(&[NotifyState::Watchdog])),
                    Self::Sentinel(sentinel) => sentinel.send_beat(),
                }
            }
        }
    }
}

/// `uro-hook` with one end of a pipe, once it could be started.
#[derive(Debug)]
pub struct Sentinel {
    run_dir: PathBuf,
    line: Option<(Child, UnixStream)>,
    /// Beats until the next try.
    pause: u32,
}

impl Sentinel {
    fn send_beat(&mut self) {
        if let Some((child, line)) = &mut self.line {
            match line.write(b"!") {
                Ok(_) => return,
                // It is stopped and has unread beats for when it goes on.
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    // A zombie at the most, until the next try.
                    let _ = child.try_wait();
                }
            }
        }
        if self.pause > 0 {
            self.pause -= 1;
            return;
        }
        self.pause = REPLACE;
        self.line = self.start();
    }

    /// `None` where the program cannot be started: then hooks with a full queue and commands detect a stuck sidecar.
    fn start(&self) -> Option<(Child, UnixStream)> {
        let program = std::env::current_exe().ok()?.with_file_name(PROGRAM);
        if !program.is_file() {
            return None;
        }
        let (line, its) = UnixStream::pair().ok()?;
        line.set_nonblocking(true).ok()?;
        let mut command = launch::bare(&program, &self.run_dir);
        // In a process group of its own: a signal of the terminal must not stop both.
        let child = command.arg(WORD).stdin(Stdio::from(OwnedFd::from(its))).process_group(0).spawn();
        match child {
            Ok(child) => Some((child, line)),
            Err(error) => {
                tracing::warn!(%error, "no sentinel: a stuck sidecar is noticed by the next command only");
                None
            }
        }
    }
}
