//! From the hook's stamp on: until the template is stored, until the question reaches the model, until it is final.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use uro_capture::domain::capture::{Capture, Reason};
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::id::Oid;
use uro_capture::git::Repo;
use uro_capture::spool::reader::read_from;
use uro_capture::store::CaptureStore;
use uro_capture::store::sqlite::SqliteStore;

use crate::cases::{CASES, Writer};
use crate::model::{self, Manner, Model};
use crate::report::{Report, Result, Rounds, Row, Series, in_turns, timed};
use crate::stage::Stage;
use crate::{Run, judged, met};

/// Between two looks at the store from outside.
const LOOK: Duration = Duration::from_micros(500);
/// A capture that is not final by then never will be.
const PATIENCE: Duration = Duration::from_secs(40);

/// A home with a running sidecar, whose captures are watched from outside.
struct Watch {
    store: SqliteStore,
    spool: PathBuf,
    read: u64,
    pid: u64,
}

/// What became of one commit.
struct Seen {
    stamp: Timestamp,
    /// When it could be read by another process.
    outside: Timestamp,
    capture: Capture,
}

impl Watch {
    fn start(stage: &mut Stage) -> Result<Self> {
        let pid = stage.start_sidecar()?;
        let store = SqliteStore::open(&stage.home.join("data/captures.db"))?.store;
        Ok(Self { store, spool: stage.home.join("state/spool/events.log"), read: 0, pid })
    }

    /// Commits what is in the index and waits for its capture to be final.
    fn commit(&mut self, stage: &Stage, message: &str) -> Result<Seen> {
        let git_dir = stage.work.join(".git");
        let repo = Repo::open_git_dir(&git_dir)?.location().id.clone();
        stage.git(&["commit", "-q", "-m", message])?;
        let oid: Oid = fs::read_to_string(git_dir.join("refs/heads/main"))?.trim().parse()?;
        let give_up = SystemClock.instant() + PATIENCE;
        let mut outside = None;
        while SystemClock.instant() < give_up {
            if let Some(capture) = self.store.capture_of_commit(&repo, &oid)? {
                let outside = *outside.get_or_insert_with(|| SystemClock.now());
                if capture.provenance.reason != Reason::Pending {
                    return Ok(Seen { stamp: self.stamp(&oid)?, outside, capture });
                }
            }
            thread::sleep(LOOK);
        }
        Err(format!("{oid} was not captured").into())
    }

    /// When the hook of this commit started, by its record.
    fn stamp(&mut self, oid: &Oid) -> Result<Timestamp> {
        let batch = read_from(&self.spool, self.read, usize::MAX)?;
        let found = batch.records.iter().find(|record| record.oid.as_deref() == Some(oid.as_str()));
        let stamp = found.ok_or("the hook left no record")?.stamp_ns;
        self.read = batch.next_offset;
        Ok(Timestamp::from_nanosecond(i128::from(stamp))?)
    }

    /// The largest resident set the sidecar ever had, in megabytes; absent where the kernel does not tell.
    fn peak_mb(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kilobytes| kilobytes * 1024.0 / 1e6)
    }
}

fn since(stamp: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(stamp)).unwrap_or_default()
}

/// The stages of one kind of commit.
struct Stages([Series; 4]);

impl Stages {
    fn new() -> Self {
        let names = ["stamp → taken up", "stamp → template made", "stamp → template seen", "stamp → final"];
        Self(names.map(Series::of))
    }

    fn add(&mut self, seen: &Seen) {
        let timing = &seen.capture.timing;
        self.0[0].ms.extend(timing.queue_ms);
        self.0[1].push(since(seen.stamp, seen.capture.captured_at));
        self.0[2].push(since(seen.stamp, seen.outside));
        self.0[3].ms.extend(timing.total_ms);
    }

    /// What was seen from outside is what counts.
    fn rows(&self, goal_ms: f64) -> Vec<Row> {
        let [taken, made, seen, done] = &self.0;
        vec![Row::of(taken), Row::of(made), judged(seen, 0.95, goal_ms), Row::of(done)]
    }
}

fn stage(run: &Run, name: &str) -> Result<Stage> {
    let base = run.scratch.path().join(name);
    let stage = Stage::new(&base.join("home"), &base.join("work"), Some(&run.hook))?;
    model::dead(&stage.home)?;
    Ok(stage)
}

fn one_line(watch: &mut Watch, stage: &Stage, round: usize) -> Result<Seen> {
    fs::write(stage.work.join("file.txt"), format!("line {round}\n"))?;
    stage.git(&["add", "file.txt"])?;
    watch.commit(stage, "Change a line")
}

/// One changed line, nothing listening at the model's address.
pub fn one_file(run: &Run, report: &mut Report) -> Result<()> {
    let mut stage = stage(run, "one-file")?;
    let mut watch = Watch::start(&mut stage)?;
    let mut stages = Stages::new();
    for round in 0..run.n + 5 {
        let seen = one_line(&mut watch, &stage, round)?;
        expect(&seen, Reason::Refused)?;
        if round >= 5 {
            stages.add(&seen);
        }
        thread::sleep(run.rounds(0).pause);
    }
    report.table("one-file commit, sidecar running, no model server", &stages.rows(30.0))
}

fn expect(seen: &Seen, reason: Reason) -> Result<()> {
    let found = seen.capture.provenance.reason;
    if found == reason { Ok(()) } else { Err(format!("ended as {found:?}, not {reason:?}").into()) }
}

/// Two states between which a repository goes back and forth without touching a file.
struct Seesaw {
    trees: [String; 2],
}

impl Seesaw {
    fn build(stage: &Stage, write: Writer) -> Result<Self> {
        let mut trees = Vec::new();
        for after in [false, true] {
            write(&stage.work, after)?;
            stage.git(&["add", "--all"])?;
            let output = stage.command(Path::new("git")).arg("write-tree").output()?;
            trees.push(String::from_utf8(output.stdout)?.trim().to_owned());
        }
        for entry in fs::read_dir(&stage.work)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        let trees = trees.try_into().map_err(|_| "two trees were to be written")?;
        Ok(Self { trees })
    }

    /// Goes back without being noticed, then forth in the index: what is committed next is the whole change.
    fn load(&self, stage: &Stage) -> Result<()> {
        let git = |arguments: &[&str]| -> Result<()> {
            let mut command = stage.command(Path::new("git"));
            let output = command.env("URO_SKIP", "1").args(arguments).output()?;
            if output.status.success() { Ok(()) } else { Err(format!("git {arguments:?} failed").into()) }
        };
        git(&["read-tree", &self.trees[0]])?;
        git(&["commit", "-q", "--allow-empty", "-m", "Go back"])?;
        git(&["read-tree", &self.trees[1]])
    }
}

/// Those of [`CASES`] that have a bound of their own, and how many files they change.
const LARGE: [(usize, u64); 3] = [(1, 500), (4, 1), (5, 1)];
/// Fewer would not support a p95.
const LARGE_ROUNDS: usize = 60;

/// The largest commits, one sidecar for all of them.
pub fn large(run: &Run, report: &mut Report) -> Result<()> {
    let mut first = stage(run, "large")?;
    let mut watch = Watch::start(&mut first)?;
    let mut all = Vec::new();
    for (case, files) in LARGE {
        let (name, write) = CASES[case];
        let work = run.scratch.path().join("large").join(name.replace(' ', "-"));
        let stage = Stage::new(&first.home, &work, Some(&run.hook))?;
        let seesaw = Seesaw::build(&stage, write)?;
        all.push((name, files, stage, seesaw, Stages::new()));
    }
    for round in 0..LARGE_ROUNDS + 2 {
        for (name, files, stage, seesaw, stages) in &mut all {
            seesaw.load(stage)?;
            let seen = watch.commit(stage, "Change a lot")?;
            expect(&seen, Reason::Refused)?;
            if seen.capture.commit.as_ref().is_none_or(|commit| commit.files != *files) {
                return Err(format!("{name}: not the change that was meant").into());
            }
            if round >= 2 {
                stages.add(&seen);
            }
        }
    }
    for (name, _, _, _, stages) in &all {
        report.table(&format!("{name}, sidecar running, no model server"), &stages.rows(150.0))?;
    }
    let mut peak = Series::of("sidecar's peak resident set, MB");
    peak.ms.extend(watch.peak_mb());
    let row = Row::of(&peak);
    report.table("all of the above (one number, in MB)", &[met(row, "< 60 MB", peak.quantile(1.0) < 60.0)])
}

/// Until the question's first byte reaches the model, against `git diff` of the same commit.
pub fn request(run: &Run, report: &mut Report) -> Result<()> {
    let model = Model::start(Manner::AnswersAtOnce)?;
    let mut stage = stage(run, "request")?;
    model.settle(&stage.home, "2s")?;
    let seesaw = Seesaw::build(&stage, CASES[1].1)?;
    let mut watch = Watch::start(&mut stage)?;
    seesaw.load(&stage)?;
    watch.commit(&stage, "Change a lot")?;
    let names = ["stamp → question at the model".to_owned(), "git diff HEAD~1 HEAD".to_owned()];
    let rounds = Rounds { n: LARGE_ROUNDS, ..run.rounds(2) };
    let all = in_turns(&names, rounds, |arm, _| {
        if arm == 1 {
            return diff(&stage);
        }
        seesaw.load(&stage)?;
        let seen = watch.commit(&stage, "Change a lot")?;
        let asked = model.arrivals().pop().ok_or("nothing was asked")?;
        expect(&seen, Reason::None)?;
        Ok(since(seen.stamp, asked))
    })?;
    let (ours, git) = (&all[0], &all[1]);
    let ratio = ours.quantile(0.5) / git.quantile(0.5);
    let row = Row::of(ours).against("git_diff", git, ours);
    report.table(CASES[1].0, &[met(row, "median ≤ 0.5 × git diff", ratio <= 0.5), Row::of(git)])
}

fn diff(stage: &Stage) -> Result<Duration> {
    let mut command = stage.command(Path::new("git"));
    command.args(["diff", "HEAD~1", "HEAD"]).stdout(Stdio::null());
    let (elapsed, status) = timed(|| Ok(command.status()?))?;
    if status.success() { Ok(elapsed) } else { Err("git diff failed".into()) }
}

/// What we cost beside the model and the wait for being taken up.
pub fn overhead(run: &Run, report: &mut Report) -> Result<()> {
    let model = Model::start(Manner::AnswersAtOnce)?;
    let mut stage = stage(run, "overhead")?;
    model.settle(&stage.home, "2s")?;
    let mut watch = Watch::start(&mut stage)?;
    let names = ["own overhead", "model (answers at once)", "stamp → final"];
    let mut all = names.map(Series::of);
    for round in 0..run.n + 5 {
        let seen = one_line(&mut watch, &stage, round)?;
        expect(&seen, Reason::None)?;
        let timing = &seen.capture.timing;
        if round >= 5 {
            for (series, ms) in all.iter_mut().zip([timing.overhead_ms, timing.model_ms, timing.total_ms]) {
                series.ms.extend(ms);
            }
        }
        thread::sleep(run.rounds(0).pause);
    }
    let rows: Vec<Row> = all.iter().map(Row::of).collect();
    report.table("one-file commit, model server that answers at once", &rows)
}
