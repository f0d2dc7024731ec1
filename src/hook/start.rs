//! Sidecar start by a hook that found no listener: detached, rate-limited, and without waiting.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::spool::writer::create_private;

/// Minimum time between two starts: a sidecar listens much sooner, and a broken one must not be retried per commit.
const PAUSE: Duration = Duration::from_secs(5);

/// File name of the sidecar's program.
const PROGRAM: &str = "uro-capture";

/// A variable and its new value; `None` removes it.
pub type EnvChange = (OsString, Option<OsString>);

/// Removes one of git's own variables, which would mislead the sidecar about every other repository.
#[must_use]
pub fn remove_git_variable(name: &OsStr) -> Option<EnvChange> {
    name.as_bytes().starts_with(b"GIT_").then(|| (name.to_owned(), None))
}

/// Starts the sidecar beside `hook` (the hook's own real path) in a changed environment, unless one was started
/// a moment ago. Returns whether it did.
pub fn start(hook: &Path, stamp: &Path, now: SystemTime, changes: Vec<EnvChange>) -> bool {
    let touched = fs::metadata(stamp).and_then(|metadata| metadata.modified());
    // A stamp in the future (the clock was set back) does not count.
    let was_started = touched.is_ok_and(|touched| now.duration_since(touched).is_ok_and(|age| age < PAUSE));
    // If the stamp cannot be renewed nothing is started, else every commit would start a sidecar.
    if sidecar(hook).is_none() || was_started || touch(stamp).is_err() {
        return false;
    }
    // The child is not waited for: this process exits at once and init adopts the child.
    spawn_beside(hook, changes).is_some()
}

/// Starts the sidecar beside `hook`, without the rate limit.
pub fn spawn_beside(hook: &Path, changes: Vec<EnvChange>) -> Option<Child> {
    command(&sidecar(hook)?, changes).spawn().ok()
}

fn sidecar(hook: &Path) -> Option<PathBuf> {
    let program = hook.with_file_name(PROGRAM);
    fs::metadata(&program).is_ok_and(|metadata| metadata.is_file()).then_some(program)
}

fn touch(stamp: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    match options.open(stamp) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_private(stamp.parent().unwrap_or(Path::new("/")))?;
            options.open(stamp)?
        }
        other => other?,
    }
    .write_all(b"\n")
}

/// The sidecar inherits none of git's descriptors: a caller that captures git's output waits for every holder of
/// the pipe. The sidecar closes those beyond the first three itself, and starts its own session.
fn command(program: &Path, changes: Vec<EnvChange>) -> Command {
    let mut command = Command::new(program);
    command.args(["sidecar", "run", "--detached"]).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for (name, value) in changes {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hook::test_program::write_program;

    #[expect(clippy::disallowed_methods, reason = "file times come from the machine's clock")]
    fn now() -> SystemTime {
        SystemTime::now()
    }

    /// A directory with a program that writes down its input, and the path of a hook beside it.
    fn install(home: &Path) -> PathBuf {
        let program = home.join(PROGRAM);
        let script = "#!/bin/sh\necho started >&2\necho started\nd=${0%/*}\n\
                      { echo \"$@\"; pwd; env; } > \"$d/seen.new\"; mv \"$d/seen.new\" \"$d/seen\"\n";
        write_program(&program, script.as_bytes());
        home.join("uro-hook")
    }

    fn wait_for(path: &Path) -> String {
        let start = now();
        loop {
            if let Ok(text) = fs::read_to_string(path) {
                return text;
            }
            assert!(start.elapsed().is_ok_and(|age| age < Duration::from_secs(20)), "the sidecar was not started");
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_program_beside_the_hook_is_started_with_its_arguments_and_at_the_root() {
        let home = tempfile::tempdir().expect("a directory");
        let hook = install(home.path());
        assert!(start(&hook, &home.path().join("run/start.stamp"), now(), Vec::new()));
        let written = wait_for(&home.path().join("seen"));
        assert!(written.starts_with("sidecar run --detached\n/\n"), "{written}");
    }

    #[test]
    fn a_second_start_waits_five_seconds() {
        let home = tempfile::tempdir().expect("a directory");
        let (hook, stamp) = (install(home.path()), home.path().join("run/start.stamp"));
        assert!(start(&hook, &stamp, now(), Vec::new()));
        let touched = fs::metadata(&stamp).and_then(|metadata| metadata.modified()).expect("touched");
        assert!(!start(&hook, &stamp, touched + Duration::from_millis(4900), Vec::new()));
        assert!(start(&hook, &stamp, touched + Duration::from_millis(5000), Vec::new()));
        let renewed = fs::metadata(&stamp).and_then(|metadata| metadata.modified()).expect("touched");
        assert!(renewed >= touched);
    }

    #[test]
    fn a_stamp_from_the_future_does_not_keep_it_from_starting() {
        let home = tempfile::tempdir().expect("a directory");
        let (hook, stamp) = (install(home.path()), home.path().join("start.stamp"));
        touch(&stamp).expect("touched");
        assert!(start(&hook, &stamp, now() - Duration::from_secs(3600), Vec::new()));
    }

    #[test]
    fn without_a_program_or_a_writable_place_nothing_is_started_or_written() {
        let home = tempfile::tempdir().expect("a directory");
        let stamp = home.path().join("run/start.stamp");
        assert!(!start(&home.path().join("uro-hook"), &stamp, now(), Vec::new()));
        assert!(!home.path().join("run").exists());
        let hook = install(home.path());
        assert!(!start(&hook, Path::new("/proc/nowhere/start.stamp"), now(), Vec::new()));
        assert!(!home.path().join("seen").exists());
    }

    #[test]
    fn gits_variables_are_removed_and_others_stay() {
        let names = ["GIT_DIR", "GIT_INDEX_FILE", "HOME", "XGIT_DIR"];
        let removed: Vec<_> = names.iter().filter_map(|name| remove_git_variable(OsStr::new(name))).collect();
        assert_eq!(removed, [("GIT_DIR".into(), None), ("GIT_INDEX_FILE".into(), None)]);
        let command = command(Path::new("/x"), [removed, vec![("URO_HOME".into(), Some("/u".into()))]].concat());
        let variables: Vec<_> =
            command.get_envs().map(|(name, value)| (name.to_owned(), value.map(OsStr::to_owned))).collect();
        let home = (OsString::from("URO_HOME"), Some(OsString::from("/u")));
        assert_eq!(variables, [("GIT_DIR".into(), None), ("GIT_INDEX_FILE".into(), None), home]);
    }
}
