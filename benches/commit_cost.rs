//! What our hook adds to `git commit`, against no hook and against a static C program that ends at once.
//!
//! All arms take turns within one run, in a rotating order, each in its own repository: on a loaded machine only
//! ratios within a run mean anything, and only as far as "static C again" agrees with "static C". A second table
//! times the hook's process alone, as it stands in the hooks directory. Ours stands as `init` puts it there.
//!
//! `cargo bench --bench commit_cost -- [--n 300] [--json] [--bin-dir DIR] [--sidecar auto|real|stand-in] [--pause MS]`
//!
//! Binaries come from `--bin-dir`, else `URO_BENCH_BIN_DIR`, else `target/release`. `real` starts `uro-capture
//! sidecar` for the arms "running" and "stopped"; `stand-in` uses a socket that is read, or never read, instead;
//! `auto` takes the real one where it starts. The pause between commits is not timed: it keeps the work that the
//! sidecar does for one commit from being billed to the next arm.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

mod report;
mod stage;

use report::{Arguments, Report, Result, Rounds, Row, Series, in_turns};
use stage::{Stage, bin_dir, installed, quiet, root, signal};

fn main() -> Result<()> {
    let mut arguments = Arguments::read();
    let mut report = Report::new("commit_cost", arguments.flag("--json"));
    let options = Options::read(arguments)?;
    let scratch = tempfile::tempdir()?;
    let (mut commits, mut alone) = (Vec::new(), Vec::new());
    for block in 0..BLOCKS {
        let arms = arms(&options, &scratch.path().join(block.to_string()))?;
        let names: Vec<String> = arms.iter().map(|arm| arm.name.clone()).collect();
        pool(&mut commits, in_turns(&names, options.rounds, |arm, round| arms[arm].commit(round))?);
        pool(&mut alone, in_turns(&names[1..], options.rounds, |arm, _| arms[arm + 1].hook_alone())?);
    }
    report
        .table("git commit, one file; goal: running ≤ 1.05 × static C in the median, 1.10 at p95", &rows(&commits))?;
    report.table("the hook's process alone; goal: p99 ≤ 15 ms running, ≤ 30 ms otherwise", &rows(&alone))?;
    report.finish()
}

/// Each with fresh repositories, programs and sidecars for all arms: now and then everything in some of them is slower
/// than in their neighbours for a whole run, and in none of them in the next run.
const BLOCKS: usize = 5;

fn pool(all: &mut Vec<Series>, block: Vec<Series>) {
    if all.is_empty() {
        *all = block;
        return;
    }
    for (sum, part) in all.iter_mut().zip(block) {
        sum.ms.extend(part.ms);
    }
}

struct Options {
    rounds: Rounds,
    bin_dir: PathBuf,
    sidecar: String,
}

impl Options {
    fn read(mut arguments: Arguments) -> Result<Self> {
        let pause = Duration::from_millis(arguments.number("--pause", 20)? as u64);
        let options = Self {
            // The first rounds fill caches and start the sidecar.
            rounds: Rounds { n: arguments.number("--n", 300)?.div_ceil(BLOCKS), warm_up: 5, pause },
            bin_dir: bin_dir(&mut arguments)?,
            sidecar: arguments.value("--sidecar")?.unwrap_or_else(|| "auto".to_owned()),
        };
        arguments.rest().map(|_| options)
    }
}

/// One way to commit.
struct Arm {
    name: String,
    stage: Stage,
}

impl Arm {
    fn new(scratch: &Path, name: &str, hook: Option<&Path>) -> Result<Self> {
        let base = scratch.join(name.replace(' ', "-"));
        let stage = Stage::new(&base.join("home"), &base.join("work"), hook)?;
        // Git makes these when it first needs them, which costs the early commits more than a hook does.
        for first in 0..=u8::MAX {
            fs::create_dir(stage.work.join(format!(".git/objects/{first:02x}")))?;
        }
        Ok(Self { name: name.to_owned(), stage })
    }

    /// Git calls this very program.
    fn calling(scratch: &Path, name: &str, program: &Path) -> Result<Self> {
        let arm = Self::new(scratch, name, None)?;
        fs::create_dir_all(arm.stage.work.join(".git/hooks"))?;
        fs::copy(program, arm.hook())?;
        Ok(arm)
    }

    fn hook(&self) -> PathBuf {
        self.stage.work.join(".git/hooks/post-commit")
    }

    /// One commit of one changed file; only `git commit` is timed.
    fn commit(&self, round: usize) -> Result<Duration> {
        fs::write(self.stage.work.join("file.txt"), format!("line {round}\n"))?;
        self.stage.git(&["add", "file.txt"])?;
        self.stage.git(&["commit", "-q", "-m", "Change a line"])
    }

    /// The hook's process alone, called as git calls it.
    fn hook_alone(&self) -> Result<Duration> {
        quiet(&mut self.stage.command(&self.hook()))
    }
}

fn arms(options: &Options, scratch: &Path) -> Result<Vec<Arm>> {
    let floor = static_hook(scratch)?;
    let hook = installed(&options.bin_dir, &scratch.join("installed"), &["uro-hook", "uro-capture"])?;
    // Beside this copy lies nothing that could be started.
    let lonely = installed(&options.bin_dir, &scratch.join("lonely"), &["uro-hook"])?;
    let mut arms = vec![
        Arm::new(scratch, "no hook", None)?,
        Arm::calling(scratch, "static C", &floor)?,
        // The same once more: how far two arms differ that do not.
        Arm::calling(scratch, "static C again", &floor)?,
        with_sidecar(options, Arm::new(scratch, "running", Some(&hook))?, false)?,
        Arm::new(scratch, "absent", Some(&lonely))?,
        registered(options, Arm::new(scratch, "running, watched", Some(&hook))?)?,
        with_sidecar(options, Arm::new(scratch, "stopped", Some(&hook))?, true)?,
    ];
    if Path::new("/dev/full").exists() {
        let full = Arm::new(scratch, "disk full", Some(&lonely))?;
        fs::create_dir_all(full.stage.home.join("state/spool"))?;
        symlink("/dev/full", full.stage.home.join("state/spool/events.log"))?;
        arms.push(full);
    }
    Ok(arms)
}

fn static_hook(scratch: &Path) -> Result<PathBuf> {
    fs::create_dir_all(scratch)?;
    let program = scratch.join("static_hook");
    let source = root().join("benches/static_hook.c");
    let status = Command::new("cc").args(["-O2", "-static", "-o"]).arg(&program).arg(source).status()?;
    if status.success() { Ok(program) } else { Err("cc cannot link a static program here".into()) }
}

fn with_sidecar(options: &Options, mut arm: Arm, stopped: bool) -> Result<Arm> {
    match options.sidecar.as_str() {
        "stand-in" => stand_in(&mut arm, stopped)?,
        "real" => real(&mut arm, stopped)?,
        "auto" if real(&mut arm, stopped).is_ok() => {}
        "auto" => stand_in(&mut arm, stopped)?,
        other => return Err(format!("--sidecar auto, real or stand-in, not {other}").into()),
    }
    Ok(arm)
}

/// The sidecar also watches this repository's logs, and wakes before the hook has run.
fn registered(options: &Options, arm: Arm) -> Result<Arm> {
    let arm = with_sidecar(options, arm, false)?;
    let program = arm.stage.program().ok_or("no uro-capture beside the hook")?;
    let output = arm.stage.command(&program).arg("init").output()?;
    if output.status.success() { Ok(arm) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned().into()) }
}

fn real(arm: &mut Arm, stopped: bool) -> Result<()> {
    let pid = arm.stage.start_sidecar()?;
    if stopped { signal("-STOP", pid) } else { Ok(()) }
}

/// A socket on the bell's place. Read by a thread, or by nobody: then its queue is full after a few commits, as
/// that of a process that was stopped.
fn stand_in(arm: &mut Arm, stopped: bool) -> Result<()> {
    let bell = UnixDatagram::bind(arm.stage.home.join("run/bell.sock"))?;
    arm.name.push_str(" (stand-in)");
    thread::spawn(move || {
        while !stopped && bell.recv(&mut [0; 8]).is_ok() {}
        thread::park();
        drop(bell);
    });
    Ok(())
}

/// Each arm against the two that everything is compared with.
fn rows(all: &[Series]) -> Vec<Row> {
    let mut rows = Vec::new();
    for series in all {
        let mut row = Row::of(series);
        for (label, name) in [("no_hook", "no hook"), ("static_c", "static C")] {
            if let Some(base) = all.iter().find(|base| base.name == name) {
                row = row.against(label, base, series);
            }
        }
        rows.push(row);
    }
    rows
}
