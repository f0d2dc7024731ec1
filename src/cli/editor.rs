//! The user's editor: which one it is, how it is started, and how long the user worked in it.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use super::app::App;
use super::failure::Failure;
use crate::config::Env;
use crate::domain::clock::Clock;
use crate::git;

/// A gap between two signs of work counts as at most this much; what is longer is idle time.
const LONGEST_GAP: Duration = Duration::from_mins(5);
/// Interval between two looks for signs of work.
const INTERVAL: Duration = Duration::from_secs(1);
/// The terminal, where the standard input is one: its access time is that of the last key, within 8 s on Linux.
const TERMINAL: &str = "/dev/stdin";

/// A command line for the shell.
#[derive(Debug)]
pub struct Editor(String);

impl Editor {
    /// # Errors
    /// No editor is known; `hint` is what helps then.
    pub fn find(app: &App, hint: &str) -> Result<Self, Failure> {
        let command = choose(app.env(), || git::user_setting("core.editor"), app.ui.can_ask);
        command.map(Self).ok_or_else(|| {
            Failure::input("no editor is known")
                .because("neither VISUAL nor EDITOR nor git's core.editor is set")
                .hint(hint)
        })
    }

    /// Opens the file and waits for the editor's end. Returns the time worked: between the start, each key in the
    /// terminal, each save and the end, gaps above [`LONGEST_GAP`] cut to that.
    ///
    /// # Errors
    /// It cannot be started, or it ends with an error; `hint` is what helps then.
    pub fn open(&self, path: &Path, clock: &dyn Clock, hint: &str) -> Result<Duration, Failure> {
        let Self(editor) = self;
        // As git does: the value may contain arguments, so a shell parses it.
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{editor} \"$@\"")).arg(editor).arg(path);
        match run_timed(&mut command, path, clock) {
            Ok((status, worked)) if status.success() => Ok(worked),
            Ok((status, _)) => Err(Failure::input(format!("the editor {editor:?} ended with {status}"))
                .because("nothing was changed")
                .hint(hint)),
            Err(error) => {
                Err(Failure::input(format!("cannot start the editor {editor:?}")).because(error.to_string()).hint(hint))
            }
        }
    }
}

/// `$VISUAL`, else `$EDITOR`, else `core.editor` of the user's or the system's git configuration, else `vi` on a
/// terminal. A repository's own `core.editor` is ignored: nothing from a repository's settings is executed.
fn choose(env: &Env, core_editor: impl FnOnce() -> Option<String>, on_terminal: bool) -> Option<String> {
    let own = env.editor().map(str::to_owned).or_else(core_editor).filter(|editor| !editor.trim().is_empty());
    own.or_else(|| on_terminal.then(|| "vi".to_owned()))
}

/// Runs the command while looking for signs of work.
fn run_timed(command: &mut Command, path: &Path, clock: &dyn Clock) -> std::io::Result<(ExitStatus, Duration)> {
    let (ended, running) = channel::<()>();
    std::thread::scope(|scope| {
        let mut time = WorkTime::starting_at(clock.instant());
        let mut signs = signs_of_work(path);
        let watcher = scope.spawn(move || {
            while running.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let found = signs_of_work(path);
                if found != signs {
                    time.add_sign(clock.instant());
                    signs = found;
                }
            }
            time
        });
        let status = command.status();
        drop(ended);
        let mut time = watcher.join().unwrap_or(time);
        time.add_sign(clock.instant());
        status.map(|status| (status, time.worked))
    })
}

/// When the file was last saved, and the last key pressed.
fn signs_of_work(path: &Path) -> [Option<SystemTime>; 2] {
    let saved = std::fs::metadata(path).and_then(|file| file.modified());
    let key = std::fs::metadata(TERMINAL).and_then(|terminal| terminal.accessed());
    [saved.ok(), key.ok()]
}

/// Sum of the gaps between signs of work.
#[derive(Debug, Clone, Copy)]
struct WorkTime {
    last: Instant,
    worked: Duration,
}

impl WorkTime {
    fn starting_at(start: Instant) -> Self {
        Self { last: start, worked: Duration::ZERO }
    }

    fn add_sign(&mut self, at: Instant) {
        self.worked += at.saturating_duration_since(self.last).min(LONGEST_GAP);
        self.last = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::{EDITOR, VISUAL};
    use crate::domain::clock::SystemClock;

    #[test]
    fn a_long_gap_counts_as_the_longest() {
        let start = SystemClock.instant();
        let worked = |minutes: &[u64]| {
            let mut time = WorkTime::starting_at(start);
            minutes.iter().for_each(|minute| time.add_sign(start + Duration::from_mins(*minute)));
            time.worked
        };
        assert_eq!(worked(&[1, 2, 4]), Duration::from_mins(4));
        assert_eq!(worked(&[1, 61, 62]), Duration::from_mins(1 + 5 + 1), "an hour away");
        assert_eq!(worked(&[600]), LONGEST_GAP, "open over night");
        assert_eq!(worked(&[2, 1]), Duration::from_mins(2), "a clock that went back");
    }

    #[test]
    fn the_environment_wins_over_git_and_vi_needs_a_terminal() {
        let env = |pairs: &[(&str, &str)]| Env::from_pairs(pairs);
        let git = |value: &str| Some(value.to_owned());
        let both = env(&[(EDITOR, "nano"), (VISUAL, "code --wait")]);
        assert_eq!(choose(&both, || git("emacs"), true).as_deref(), Some("code --wait"));
        assert_eq!(choose(&env(&[(EDITOR, "nano")]), || git("emacs"), true).as_deref(), Some("nano"));
        assert_eq!(choose(&env(&[]), || git("emacs"), false).as_deref(), Some("emacs"));
        assert_eq!(choose(&env(&[]), || git(" "), true).as_deref(), Some("vi"));
        assert_eq!(choose(&env(&[]), || None, false), None);
    }

    #[test]
    fn the_end_of_the_editor_is_noticed_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.md");
        let mut command = Command::new("sh");
        command.args(["-c", "echo text >\"$1\"; exit 3", "sh"]).arg(&path);
        let (status, worked) = run_timed(&mut command, &path, &SystemClock).unwrap();
        assert_eq!((status.code(), std::fs::read_to_string(&path).unwrap().as_str()), (Some(3), "text\n"));
        assert!(worked < LONGEST_GAP);
    }
}
