//! What our hook adds to `git commit`, against no hook and against a static C program that ends at once.
//!
//! All arms take turns within one run, in a rotating order, each in its own repository: on a loaded machine only
//! ratios within a run mean anything. A second table times the hook's process alone.
//!
//! `cargo bench --bench commit_cost -- [--n 200] [--json] [--bin-dir DIR] [--sidecar auto|real|stand-in] [--pause MS]`
//!
//! Binaries come from `--bin-dir`, else `URO_BENCH_BIN_DIR`, else `target/release`. `real` starts `uro-capture
//! sidecar` for the arms "running" and "stopped"; `stand-in` uses a socket that is read, or never read, instead;
//! `auto` takes the real one where it starts. The pause between commits is not timed: it keeps the work that the
//! sidecar does for one commit from being billed to the next arm.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Rounds before anything is counted: caches and the sidecar's start.
const WARM_UP: usize = 5;

fn main() -> Result<()> {
    let options = Options::read()?;
    let scratch = Scratch::new()?;
    let mut arms = arms(&options, scratch.path())?;
    let commits = measure(&mut arms, &options, Arm::commit)?;
    let alone = measure(&mut arms[1..], &options, Arm::hook_alone)?;
    stop(&arms);
    report(&options, &commits, &alone)
}

struct Options {
    n: usize,
    json: bool,
    bin_dir: PathBuf,
    sidecar: String,
    pause: Duration,
}

impl Options {
    fn read() -> Result<Self> {
        let mut options = Self {
            n: 200,
            json: false,
            bin_dir: variable("URO_BENCH_BIN_DIR").map_or_else(|| root().join("target/release"), PathBuf::from),
            sidecar: "auto".to_owned(),
            pause: Duration::from_millis(20),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--n" => options.n = value()?.parse()?,
                "--json" => options.json = true,
                "--bin-dir" => options.bin_dir = fs::canonicalize(value()?)?,
                "--sidecar" => options.sidecar = value()?,
                "--pause" => options.pause = Duration::from_millis(value()?.parse()?),
                "--bench" => {}
                other => return Err(format!("unknown option {other}").into()),
            }
        }
        Ok(options)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is told by its environment which binaries to measure")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[expect(clippy::disallowed_methods, reason = "measuring time is what a benchmark does")]
fn now() -> Instant {
    Instant::now()
}

/// A directory that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("uro-commit-cost-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One way to commit: a repository, the program that is its hook, and the home the hook reports to.
struct Arm {
    name: String,
    work: PathBuf,
    hook: Option<PathBuf>,
    home: PathBuf,
    /// The real sidecar's program and process, to be stopped at the end.
    sidecar: Option<(PathBuf, Option<u64>)>,
    count: usize,
}

impl Arm {
    fn new(scratch: &Path, name: &str, hook: Option<&Path>) -> Result<Self> {
        let base = scratch.join(name.replace(' ', "-"));
        let arm = Self {
            name: name.to_owned(),
            work: base.join("work"),
            hook: hook.map(Path::to_owned),
            home: base.join("home"),
            sidecar: None,
            count: 0,
        };
        fs::create_dir_all(&arm.work)?;
        fs::create_dir_all(arm.home.join("run"))?;
        arm.git(&["init", "-q", "-b", "main"])?;
        if let Some(hook) = hook {
            fs::create_dir_all(arm.work.join(".git/hooks"))?;
            symlink(hook, arm.work.join(".git/hooks/post-commit"))?;
        }
        Ok(arm)
    }

    fn prepared(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.work).env_clear().env("PATH", variable("PATH").unwrap_or_default());
        command.env("HOME", &self.home).env("URO_HOME", &self.home).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TEMPLATE_DIR", "");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Bench").env(format!("GIT_{role}_EMAIL"), "bench@example.org");
        }
        command.stdin(Stdio::null());
        command
    }

    fn git(&self, arguments: &[&str]) -> Result<Duration> {
        timed(self.prepared(Path::new("git")).args(["-c", "gc.auto=0"]).args(arguments))
    }

    /// One commit of one changed file; only `git commit` is timed.
    fn commit(&mut self) -> Result<Duration> {
        self.count += 1;
        fs::write(self.work.join("file.txt"), format!("line {}\n", self.count))?;
        self.git(&["add", "file.txt"])?;
        self.git(&["commit", "-q", "-m", "Change a line"])
    }

    /// The hook's process alone, called as git calls it.
    fn hook_alone(&mut self) -> Result<Duration> {
        let hook = self.hook.clone().ok_or("no hook to run")?;
        timed(self.prepared(&hook).arg("post-commit"))
    }
}

/// Until the program has ended *and* nobody holds its output any more, as a caller that captures it sees it.
fn timed(command: &mut Command) -> Result<Duration> {
    let start = now();
    let output = command.output()?;
    let took = start.elapsed();
    if output.status.success() && output.stdout.is_empty() && output.stderr.is_empty() {
        return Ok(took);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{command:?} ended with {} and said {said:?}", output.status).into())
}

fn arms(options: &Options, scratch: &Path) -> Result<Vec<Arm>> {
    let floor = static_hook(scratch)?;
    let hook = installed(&options.bin_dir, &scratch.join("installed"), &["uro-hook", "uro-capture"])?;
    // Beside this copy lies nothing that could be started.
    let lonely = installed(&options.bin_dir, &scratch.join("lonely"), &["uro-hook"])?;
    let mut arms = vec![
        Arm::new(scratch, "no hook", None)?,
        Arm::new(scratch, "static C", Some(&floor))?,
        with_sidecar(options, Arm::new(scratch, "running", Some(&hook))?, &hook, false)?,
        Arm::new(scratch, "absent", Some(&lonely))?,
        with_sidecar(options, Arm::new(scratch, "stopped", Some(&hook))?, &hook, true)?,
    ];
    if Path::new("/dev/full").exists() {
        let full = Arm::new(scratch, "disk full", Some(&lonely))?;
        fs::create_dir_all(full.home.join("state/spool"))?;
        symlink("/dev/full", full.home.join("state/spool/events.log"))?;
        arms.push(full);
    }
    Ok(arms)
}

/// Copies the programs, as installing does. It matters: the pages of a file that the linker wrote through a memory
/// map are mapped one by one, which costs some 0.06 ms at each start.
fn installed(from: &Path, to: &Path, names: &[&str]) -> Result<PathBuf> {
    fs::create_dir_all(to)?;
    for name in names.iter().filter(|name| from.join(name).exists()) {
        fs::copy(from.join(name), to.join(name))?;
    }
    Ok(to.join("uro-hook"))
}

fn static_hook(scratch: &Path) -> Result<PathBuf> {
    let program = scratch.join("static_hook");
    let source = root().join("benches/static_hook.c");
    let status = Command::new("cc").args(["-O2", "-static", "-o"]).arg(&program).arg(source).status()?;
    if status.success() { Ok(program) } else { Err("cc cannot link a static program here".into()) }
}

fn with_sidecar(options: &Options, mut arm: Arm, hook: &Path, stopped: bool) -> Result<Arm> {
    let program = hook.with_file_name("uro-capture");
    match options.sidecar.as_str() {
        "stand-in" => stand_in(&mut arm, stopped)?,
        "real" if start(&mut arm, &program, stopped)? => {}
        "auto" if start(&mut arm, &program, stopped).unwrap_or(false) => {}
        "auto" => stand_in(&mut arm, stopped)?,
        other => return Err(format!("the sidecar does not start (--sidecar {other})").into()),
    }
    Ok(arm)
}

/// The real one: it answers when `start` returns, and is then perhaps sent to sleep.
fn start(arm: &mut Arm, program: &Path, stopped: bool) -> Result<bool> {
    let status =
        arm.prepared(program).args(["sidecar", "start"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if !status.success() || !arm.home.join("run/bell.sock").exists() {
        return Ok(false);
    }
    let said = arm.prepared(program).args(["sidecar", "status", "--json"]).output()?;
    let pid = serde_json::from_slice::<Value>(&said.stdout)?["pid"].as_u64().ok_or("the sidecar tells no pid")?;
    arm.sidecar = Some((program.to_owned(), stopped.then_some(pid)));
    if stopped {
        signal("-STOP", pid)?;
    }
    Ok(true)
}

fn signal(which: &str, pid: u64) -> Result<()> {
    let status = Command::new("kill").arg(which).arg(pid.to_string()).status()?;
    if status.success() { Ok(()) } else { Err(format!("kill {which} {pid} failed").into()) }
}

/// A socket on the bell's place. Read by a thread, or by nobody: then its queue is full after a few commits, as
/// that of a process that was stopped.
fn stand_in(arm: &mut Arm, stopped: bool) -> Result<()> {
    let bell = UnixDatagram::bind(arm.home.join("run/bell.sock"))?;
    arm.name.push_str(" (stand-in)");
    thread::spawn(move || {
        while !stopped && bell.recv(&mut [0; 8]).is_ok() {}
        thread::park();
        drop(bell);
    });
    Ok(())
}

fn stop(arms: &[Arm]) {
    for arm in arms {
        let Some((program, pid)) = &arm.sidecar else { continue };
        if let Some(pid) = pid {
            let _ = signal("-CONT", *pid);
        }
        let _ = arm.prepared(program).args(["sidecar", "stop"]).output();
    }
}

/// The times of one arm, in milliseconds, by round.
struct Series {
    name: String,
    ms: Vec<f64>,
}

fn measure(arms: &mut [Arm], options: &Options, run: fn(&mut Arm) -> Result<Duration>) -> Result<Vec<Series>> {
    let mut series: Vec<Series> = arms.iter().map(|arm| Series { name: arm.name.clone(), ms: Vec::new() }).collect();
    for round in 0..options.n + WARM_UP {
        for turn in 0..arms.len() {
            let index = (turn + round) % arms.len();
            let took = run(&mut arms[index])?;
            if round >= WARM_UP {
                series[index].ms.push(took.as_secs_f64() * 1e3);
            }
            thread::sleep(options.pause);
        }
    }
    Ok(series)
}

/// What is said about one arm, against the arm it is compared with in the same rounds.
fn row(series: &Series, all: &[Series]) -> Value {
    let base = |name: &str| all.iter().find(|other| other.name == name);
    let mut row = json!({
        "arm": series.name, "n": series.ms.len(), "min_ms": quantile(&series.ms, 0.0),
        "median_ms": quantile(&series.ms, 0.5), "p95_ms": quantile(&series.ms, 0.95), "p99_ms": quantile(&series.ms, 0.99),
    });
    for (key, name) in [("no_hook", "no hook"), ("static_c", "static C")] {
        if let Some(base) = base(name) {
            row[format!("median_vs_{key}")] = json!(quantile(&series.ms, 0.5) / quantile(&base.ms, 0.5));
            row[format!("p95_vs_{key}")] = json!(quantile(&series.ms, 0.95) / quantile(&base.ms, 0.95));
            row[format!("paired_vs_{key}")] = json!(quantile(&paired(series, base), 0.5));
        }
    }
    row
}

fn paired(series: &Series, base: &Series) -> Vec<f64> {
    series.ms.iter().zip(&base.ms).map(|(ours, theirs)| ours / theirs).collect()
}

/// The nearest rank.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a small rank"
)]
fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

fn report(options: &Options, commits: &[Series], alone: &[Series]) -> Result<()> {
    let rows = |all: &[Series]| all.iter().map(|series| row(series, all)).collect::<Vec<_>>();
    let (commits, alone) = (rows(commits), rows(alone));
    let mut out = io::stdout().lock();
    if options.json {
        writeln!(out, "{}", json!({"bench": "commit_cost", "commit": commits, "hook_alone": alone}))?;
        return Ok(());
    }
    table(&mut out, "git commit, one file", &commits)?;
    table(&mut out, "the hook's process alone", &alone)
}

fn table(out: &mut impl Write, title: &str, rows: &[Value]) -> Result<()> {
    writeln!(out, "\n{title}: milliseconds, and ratios within this run")?;
    let head = ["arm", "n", "min", "median", "p95", "p99", "× no hook", "× static C", "p95 × C", "paired × C"];
    let keys = ["min_ms", "median_ms", "p95_ms", "p99_ms"];
    let ratios = ["median_vs_no_hook", "median_vs_static_c", "p95_vs_static_c", "paired_vs_static_c"];
    write!(out, "{:<20}{:>6}", head[0], head[1])?;
    head[2..].iter().try_for_each(|word| write!(out, "{word:>12}"))?;
    writeln!(out)?;
    for row in rows {
        write!(out, "{:<20}{:>6}", row["arm"].as_str().unwrap_or("?"), row["n"])?;
        for key in keys.iter().chain(&ratios) {
            let number = row[*key].as_f64().map_or_else(|| "-".to_owned(), |number| format!("{number:.3}"));
            write!(out, "{number:>12}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
