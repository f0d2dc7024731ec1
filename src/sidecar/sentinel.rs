//! Who notices that the sidecar is stuck: the service manager's watchdog where there is one, else a sentinel.

use std::io::{ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;

use sd_notify::NotifyState;

use super::control::Pulse;
use super::heart;
use super::launch;
use crate::hook::sentinel::WORD;

/// The program that stands sentinel; it lies beside ours.
const PROGRAM: &str = "uro-hook";
/// Beats until a sentinel that is gone is replaced: one that cannot stay is not to be started every second.
const REPLACE: u32 = 60;

/// Who hears the heart.
#[derive(Debug)]
pub enum Guard {
    /// The service manager, which asked for it.
    Watchdog,
    Sentinel(Sentinel),
}

impl Guard {
    /// On guard when this returns.
    pub fn set(run_dir: &Path) -> Self {
        if sd_notify::watchdog_enabled().is_some() {
            return Self::Watchdog;
        }
        let mut sentinel = Sentinel { run_dir: run_dir.to_owned(), line: None, pause: 0 };
        sentinel.tell();
        Self::Sentinel(sentinel)
    }

    /// Lets the heart be heard until this is dropped.
    pub async fn listen(mut self, pulse: Arc<Pulse>) {
        let mut ticks = heart::ticks();
        loop {
            ticks.tick().await;
            if pulse.heart.beats() {
                self.tell();
            }
        }
    }

    fn tell(&mut self) {
        match self {
            // A manager that is gone does not kill us either.
            Self::Watchdog => drop(sd_notify::notify(&[NotifyState::Watchdog])),
            Self::Sentinel(sentinel) => sentinel.tell(),
        }
    }
}

/// `uro-hook` with one end of a line, once it could be started.
#[derive(Debug)]
pub struct Sentinel {
    run_dir: PathBuf,
    line: Option<(Child, UnixStream)>,
    /// Beats until the next try.
    pause: u32,
}

impl Sentinel {
    fn tell(&mut self) {
        if let Some((child, line)) = &mut self.line {
            match line.write(b"!") {
                Ok(_) => return,
                // It is stopped and hears enough when it goes on.
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

    /// Absent where the program is: then hooks with a full queue and commands notice instead.
    fn start(&self) -> Option<(Child, UnixStream)> {
        let program = std::env::current_exe().ok()?.with_file_name(PROGRAM);
        if !program.is_file() {
            return None;
        }
        let (line, its) = UnixStream::pair().ok()?;
        line.set_nonblocking(true).ok()?;
        let mut command = launch::bare(&program, &self.run_dir);
        // In a group of its own: what stops ours from the terminal must not stop both.
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
