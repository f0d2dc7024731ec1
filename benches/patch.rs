//! What reading a commit costs: open the repository, read the patch in bounds, redact it, tell the facts, write the
//! template, pack the prompt; against `git diff-tree -p` of the same commit, in turns within one run.
//!
//! `cargo bench --bench patch -- [--n 60] [--json]`. Times are whole: ours in this process, git's with its own start
//! and its output read to the end. Peak memory is this process's resident set over its first reading (Linux only).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use uro_capture::domain::clock::SystemClock;
use uro_capture::domain::id::Oid;
use uro_capture::fallback::variants::Variants;
use uro_capture::git::{Bounds, Repo};
use uro_capture::pipeline::subject::Subject;
use uro_capture::prompt::tokens::{Budget, CAPTURE_PROMPT, TokenScale};

mod cases;
mod report;

use cases::{CASES, Writer};
use report::{Arguments, Report, Result, Rounds, Row, in_turns, timed};

fn main() -> Result<()> {
    let mut arguments = Arguments::read();
    let mut report = Report::new("patch", arguments.flag("--json"));
    let rounds = Rounds { n: arguments.number("--n", 60)?, warm_up: 2, pause: Duration::ZERO };
    arguments.rest()?;
    let scratch = tempfile::tempdir()?;
    for (name, write) in CASES {
        let git_dir = prepare(&scratch.path().join(name.replace(' ', "-")), write)?;
        let (rows, summary) = measure(&git_dir, rounds)?;
        report.table(&format!("{name}: {summary}"), &rows)?;
    }
    report.finish()
}

fn measure(git_dir: &Path, rounds: Rounds) -> Result<(Vec<Row>, String)> {
    let oid = Repo::open_git_dir(git_dir)?.head()?;
    reset_peak();
    let summary = tell(git_dir, &oid)?;
    let peak = peak();
    let all = in_turns(&["ours".to_owned(), "git diff-tree -p".to_owned()], rounds, |arm, _| {
        Ok(if arm == 0 { timed(|| tell(git_dir, &oid))?.0 } else { timed(|| diff_tree(git_dir, &oid))?.0 })
    })?;
    let (ours, git) = (&all[0], &all[1]);
    let row = Row::of(ours).against("git", git, ours).with("peak_rss_mb", json!(peak.map(|bytes| bytes as f64 / 1e6)));
    Ok((vec![row, Row::of(git)], summary))
}

/// One capture's worth of reading up to the question to a model, as the sidecar does it.
fn tell(git_dir: &Path, oid: &Oid) -> Result<String> {
    let commit = Repo::open_git_dir(git_dir)?.commit(oid, &Bounds::default(), &|_| false)?;
    let subject = Subject::commit(commit, &SystemClock);
    std::hint::black_box(subject.prompt(&PROMPT));
    Ok(subject.template(Variants::built_in()).text)
}

fn diff_tree(git_dir: &Path, oid: &Oid) -> Result<()> {
    let mut child = git(git_dir).args(["diff-tree", "-p", oid.as_str()]).stdout(Stdio::piped()).spawn()?;
    if let Some(mut out) = child.stdout.take() {
        std::io::copy(&mut out, &mut std::io::sink())?;
    }
    child.wait()?;
    Ok(())
}

fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(dir).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.args(["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "core.compression=1"]);
    command.args(["-c", "gc.auto=0"]);
    command
}

fn prepare(dir: &Path, write: Writer) -> Result<PathBuf> {
    std::fs::create_dir_all(dir)?;
    let run = |args: &[&str]| -> Result<()> {
        let status = git(dir).args(args).stdout(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(format!("git {args:?} failed").into()) }
    };
    run(&["init", "--quiet"])?;
    for after in [false, true] {
        write(dir, after)?;
        run(&["add", "--all"])?;
        run(&["commit", "--quiet", "-m", if after { "wip" } else { "Start" }])?;
    }
    Ok(dir.join(".git"))
}

/// What a capture may send with the built-in settings.
const PROMPT: Budget = Budget { tokens: CAPTURE_PROMPT, scale: TokenScale::SAFE };

/// Lets the kernel count this process's peak anew.
fn reset_peak() {
    // Not to be had outside Linux: then the peak stays that of the whole run, or absent.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}
