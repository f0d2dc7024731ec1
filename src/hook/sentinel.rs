//! Sentinel (watchdog): listens to the sidecar's heartbeat and starts a successor when the beats stop.
//!
//! A stopped or stuck sidecar still owns its sockets, so hooks ring in vain. The sentinel detects this without a
//! commit or a command: it is `uro-hook`, started by the sidecar with one end of a socket pair as its standard
//! input. The end of that stream means that the sidecar exited or crashed.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use super::start::{self, EnvChange};

/// The argument that makes `uro-hook` the sentinel.
pub const WORD: &str = "sentinel";

/// Timeout of one beat, longer than the second between two beats.
const SILENCE: Duration = Duration::from_millis(1500);
/// Missed beats in a row after which the sidecar counts as stuck. A single one may be a suspended machine.
const STUCK: u32 = 2;
/// A successor exits if the sidecar is healthy; the wait before the next one grows by this.
const PATIENCE: u32 = 4;

/// Reads beats from standard input until its end. `hook` is this program's own real path.
pub fn run_sentinel(hook: &Path, env: &[(OsString, OsString)]) {
    let Ok(line) = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else { return };
    // A terminal or a file, from a manual call: it has no timeouts.
    if line.set_read_timeout(Some(SILENCE)).is_err() {
        return;
    }
    let mut last: Option<Child> = None;
    watch_beats(&line, || {
        if let Some(child) = &mut last {
            // Reap a successor that exited, so that it does not stay a zombie.
            let _ = child.try_wait();
        }
        let changes: Vec<EnvChange> = env.iter().filter_map(|(name, _)| start::remove_git_variable(name)).collect();
        last = start::spawn_beside(hook, changes);
    });
}

/// Counts beats, and calls `succeed` when they stop. Returns at the end of the stream.
fn watch_beats(mut line: impl Read, mut succeed: impl FnMut()) {
    let (mut silences, mut due) = (0_u32, STUCK);
    loop {
        match line.read(&mut [0; 64]) {
            Ok(0) => return,
            Ok(_) => (silences, due) = (0, STUCK),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                silences = silences.saturating_add(1);
                if silences == due {
                    succeed();
                    due = due.saturating_mul(PATIENCE);
                }
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a script: `b` a beat, `-` a missed beat, `!` a signal, then the end of the stream.
    struct ScriptedBeats<'a>(std::str::Chars<'a>);

    impl Read for ScriptedBeats<'_> {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            match self.0.next() {
                None => Ok(0),
                Some('-') => Err(ErrorKind::WouldBlock.into()),
                Some('!') => Err(ErrorKind::Interrupted.into()),
                Some(_) => Ok(1),
            }
        }
    }

    fn successors(line: &str) -> u32 {
        let mut started = 0;
        watch_beats(ScriptedBeats(line.chars()), || started += 1);
        started
    }

    #[test]
    fn a_heart_that_beats_and_one_late_beat_are_left_alone() {
        assert_eq!(successors("bbbbbb"), 0);
        assert_eq!(successors("bb-bb-b-!-"), 1, "a signal is no beat");
        assert_eq!(successors("bb-bb-b-b-"), 0);
        assert_eq!(successors(""), 0, "the end starts no successor: the next ring does");
    }

    #[test]
    fn two_silences_in_a_row_start_a_successor_and_further_ones_come_ever_more_rarely() {
        assert_eq!(successors("b--"), 1);
        assert_eq!(successors("b-------"), 1);
        assert_eq!(successors("b--------"), 2, "the eighth");
        assert_eq!(successors(&format!("b{}", "-".repeat(31))), 2);
        assert_eq!(successors(&format!("b{}", "-".repeat(32))), 3);
        assert_eq!(successors("b--b--"), 2, "a beat starts anew");
    }

    #[test]
    fn a_real_stream_is_left_at_its_end_and_missed_after_two_timeouts() {
        let (sidecar, sentinel) = UnixStream::pair().expect("a pair");
        sentinel.set_read_timeout(Some(Duration::from_millis(5))).expect("set");
        let (started, hear) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || watch_beats(&sentinel, || started.send(()).expect("heard")));
        hear.recv_timeout(Duration::from_secs(20)).expect("a successor");
        drop(sidecar);
        thread.join().expect("returned at the end of the stream");
    }
}
