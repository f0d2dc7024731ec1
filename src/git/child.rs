//! Hardened `git` child process for repositories that libgit2 cannot open (reftable, SHA-256), and for git's version.
//!
//! Only commands that execute nothing from the repository are used (`cat-file`, `rev-parse`, `rev-list`, `config`,
//! `for-each-ref`, `log` without diffs and signatures); switches against fsmonitor, hooks and external diffs are set as
//! well.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::GitError;
use super::tree::Objects;
use crate::config::env;
use crate::domain::id::Oid;

/// Timeout after which a child is killed. A capture has two seconds in total.
const PATIENCE: Duration = Duration::from_secs(1);
/// Maximum output read from a child (bytes).
const OUTPUT_BYTES: u64 = 4 << 20;
/// Objects larger than this are never requested (bytes); every bound of the reader is lower.
const OBJECT_BYTES: u64 = 64 << 20;

/// A repository, given by its git directory or a directory in its work tree.
#[derive(Debug, Clone)]
pub struct Git {
    directory: PathBuf,
    is_git_dir: bool,
}

/// Exit status and output of a child.
#[derive(Debug)]
pub struct Output {
    pub success: bool,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Git {
    pub fn inside(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), is_git_dir: false }
    }

    pub fn of_git_dir(git_dir: &Path) -> Self {
        Self { directory: git_dir.to_owned(), is_git_dir: true }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.env_clear().envs(env::git_child_env());
        command.env("LC_ALL", "C").env("GIT_NO_LAZY_FETCH", "1").env("GIT_OPTIONAL_LOCKS", "0");
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_REPLACE_OBJECTS", "1");
        if self.is_git_dir {
            command.env("GIT_DIR", &self.directory);
        } else {
            command.current_dir(&self.directory);
        }
        command.args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "diff.external="]);
        command.args(["-c", "protocol.allow=never", "--no-pager"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// Runs `git ARGS` to completion and returns its output.
    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Output, GitError> {
        self.run_with_input(args, &[])
    }

    /// Same as `run`, with data on standard input.
    pub fn run_with_input<A: AsRef<OsStr>>(&self, args: &[A], input: &[u8]) -> Result<Output, GitError> {
        let mut command = self.command();
        command.args(args).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| GitError::git("cannot run git", error))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let input = input.to_vec();
        let watched = ChildGuard::new(child, PATIENCE);
        let feeder = std::thread::spawn(move || stdin.map(|mut pipe| pipe.write_all(&input)));
        let errors = std::thread::spawn(move || capped(stderr, 16 << 10));
        let stdout = capped(stdout, OUTPUT_BYTES);
        let success = watched.finish();
        let stderr = errors.join().unwrap_or_default();
        // A child that exits without reading its input breaks this pipe; its exit status is reported below.
        let _ = feeder.join();
        Ok(Output { success, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    }

    /// Runs and returns the first output line; `None` when the child failed.
    pub fn line<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Option<String>, GitError> {
        let output = self.run(args)?;
        let first = output.stdout.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Ok(output.success.then(|| String::from_utf8_lossy(first).into_owned()))
    }

    /// Same as `run_with_input`, for text; a failure becomes the error `doing` with git's first line.
    pub fn text<A: AsRef<OsStr>>(&self, args: &[A], input: &[u8], doing: &str) -> Result<String, GitError> {
        let output = self.run_with_input(args, input)?;
        if output.success {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let first_line =
            output.stderr.lines().next().unwrap_or("git ended without a word, or took too long").to_owned();
        Err(GitError::git(doing, std::io::Error::other(first_line)))
    }

    /// Starts `cat-file`: one child process for all objects of a commit.
    pub fn objects(&self) -> Result<CatFile, GitError> {
        let mut command = self.command();
        command.args(["cat-file", "--batch-command", "--buffer"]).stdin(Stdio::piped());
        let mut child = command.spawn().map_err(|error| GitError::git("cannot run git", error))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(GitError::git("cannot talk to git", std::io::Error::from(std::io::ErrorKind::BrokenPipe)));
        };
        let pipes = std::cell::RefCell::new((stdin, BufReader::new(stdout)));
        Ok(CatFile { pipes, _watched: ChildGuard::new(child, PATIENCE) })
    }
}

fn capped(pipe: Option<impl Read>, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // Output read before an error is kept; the exit status shows the failure.
        let _ = pipe.take(limit).read_to_end(&mut bytes);
    }
    bytes
}

/// The path that git printed.
pub fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// Major and minor version of the `git` on PATH; `None` when missing or unparsable.
#[must_use]
pub fn version() -> Option<(u32, u32)> {
    // Runs in the root directory so that no repository's configuration is read.
    parse_version(&Git::inside(Path::new("/")).line(&["--version"]).ok()??)
}

/// `git version 2.54.0`, `git version 2.55.1.windows.1`, `git version 2.39.3 (Apple Git-145)`.
fn parse_version(line: &str) -> Option<(u32, u32)> {
    let mut numbers = line.strip_prefix("git version ")?.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some((major, minor))
}

/// A child with a watchdog thread that kills it on timeout or when the handle is dropped.
#[derive(Debug)]
struct ChildGuard {
    done: Option<Sender<()>>,
    watcher: Option<std::thread::JoinHandle<bool>>,
}

impl ChildGuard {
    fn new(child: Child, patience: Duration) -> Self {
        let (done, ended) = channel();
        Self { done: Some(done), watcher: Some(std::thread::spawn(move || supervise(child, &ended, patience))) }
    }

    /// Call after the child closed its output; returns whether it exited successfully.
    fn finish(mut self) -> bool {
        if let Some(done) = self.done.take() {
            // If the watchdog has killed the child and exited, its result is authoritative.
            let _ = done.send(());
        }
        self.watcher.take().is_some_and(|watcher| watcher.join().unwrap_or(false))
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(watcher) = self.watcher.take() {
            // Waits only for reaping: dropping the sender has signalled the watchdog to kill.
            let _ = watcher.join();
        }
    }
}

fn supervise(mut child: Child, ended: &Receiver<()>, patience: Duration) -> bool {
    let finished = ended.recv_timeout(patience);
    if finished.is_err() {
        // Fails only when the process has already exited.
        let _ = child.kill();
    }
    // After its output was closed or truncated the child may still write: closing our pipe ends makes it exit.
    child.wait().is_ok_and(|status| status.success() && finished.is_ok())
}

/// `git cat-file --batch-command`: reads many objects through one pair of pipes.
#[derive(Debug)]
pub struct CatFile {
    pipes: std::cell::RefCell<(ChildStdin, BufReader<ChildStdout>)>,
    _watched: ChildGuard,
}

impl CatFile {
    /// Sends one request; the response's first line is `<id> <type> <size>` or `<id> missing`.
    fn request(&self, verb: &str, id: &Oid) -> Option<u64> {
        let (stdin, stdout) = &mut *self.pipes.borrow_mut();
        write!(stdin, "{verb} {id}\nflush\n").ok()?;
        stdin.flush().ok()?;
        let mut line = String::new();
        stdout.by_ref().take(200).read_line(&mut line).ok()?;
        line.split_ascii_whitespace().nth(2)?.parse().ok()
    }
}

impl Objects for CatFile {
    fn size(&self, id: &Oid) -> Option<u64> {
        self.request("info", id)
    }

    fn read(&self, id: &Oid) -> Option<Vec<u8>> {
        if self.size(id)? > OBJECT_BYTES {
            return None;
        }
        let size = self.request("contents", id)?;
        let mut content = vec![0; usize::try_from(size).ok()? + 1];
        self.pipes.borrow_mut().1.read_exact(&mut content).ok()?;
        content.pop();
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("600").stdout(Stdio::piped()).spawn().unwrap()
    }

    fn is_gone(pid: u32) -> bool {
        // Signal 0 tests whether the process exists; it was reaped just now, so its pid is not reused yet.
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.cast_signed()), None).is_err()
    }

    #[test]
    fn a_child_that_takes_too_long_is_killed_and_reaped() {
        let mut child = sleeper();
        let (pid, stdout) = (child.id(), child.stdout.take());
        let watched = ChildGuard::new(child, Duration::from_millis(20));
        assert_eq!(capped(stdout, 100), b"");
        assert!(!watched.finish());
        assert!(is_gone(pid));
    }

    #[test]
    fn an_abandoned_child_is_killed_and_reaped() {
        let child = sleeper();
        let pid = child.id();
        drop(ChildGuard::new(child, Duration::from_secs(600)));
        assert!(is_gone(pid));
    }

    #[test]
    fn of_endless_output_only_the_bound_is_read() {
        let mut child = Command::new("yes").stdout(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take();
        let watched = ChildGuard::new(child, Duration::from_secs(600));
        assert_eq!(capped(stdout, 1000).len(), 1000);
        assert!(!watched.finish());
    }

    #[test]
    fn the_environment_of_a_child_is_ours_alone() {
        let command = Git::inside(Path::new("/")).command();
        let names: Vec<_> = command.get_envs().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
        let allowed = ["PATH", "HOME", "LC_ALL", "GIT_NO_LAZY_FETCH", "GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT"];
        assert!(
            names.iter().all(|name| allowed.contains(&name.as_str()) || name == "GIT_NO_REPLACE_OBJECTS"),
            "{names:?}"
        );
    }

    #[test]
    fn every_vendors_line_is_understood() {
        for (line, expected) in [
            ("git version 2.54.0", Some((2, 54))),
            ("git version 2.55.1.windows.1", Some((2, 55))),
            ("git version 2.39.3 (Apple Git-145)", Some((2, 39))),
            ("git version 2.54.0.rc1.12.gabcdef", Some((2, 54))),
            ("git version 2.55-rc0", Some((2, 55))),
            ("git version 3.0", Some((3, 0))),
            ("git version two", None),
            ("hub version 2.14.2", None),
            ("", None),
        ] {
            assert_eq!(parse_version(line), expected, "{line}");
        }
    }

    #[test]
    fn the_installed_git_tells_its_version() {
        assert!(version().is_some_and(|(major, _)| major >= 2));
    }
}
