//! What a commit costs us within half an hour of three notes, and without any, in one repository with many captures.

use std::path::Path;
use std::time::Duration;

use git2::{Repository, Signature, Time};
use jiff::Timestamp;
use uro_capture::config::{Overrides, Paths};
use uro_capture::domain::capture::{Capture, CaptureKind, RepoRef};
use uro_capture::domain::clock::SystemClock;
use uro_capture::domain::event::Source;
use uro_capture::domain::id::{CaptureId, Oid};
use uro_capture::git::Repo;
use uro_capture::pipeline::capture::{IntakeOutcome, Plan, Request, take_commit};
use uro_capture::pipeline::services::Services;
use uro_capture::store::{CaptureRecord, Store};

use crate::report::{Report, Result, Rounds, Row, in_turns, timed};
use crate::rows::{at, capture, outcome};

/// Sizes that are compared, in captures of one repository.
const SIZES: [u64; 2] = [20_000, 100_000];

/// Between the commits of two turns: no note of one is near the other.
const APART: i64 = 3600;

const BATCH: u64 = 2_000;

pub fn measure(report: &mut Report, home: &Path, rounds: Rounds) -> Result<()> {
    let scenes =
        SIZES.iter().map(|rows| Scene::new(&home.join(rows.to_string()), *rows)).collect::<Result<Vec<_>>>()?;
    let arms = ["without notes", "after three notes"];
    let names: Vec<String> = SIZES.iter().flat_map(|rows| arms.map(|arm| format!("{rows} captures, {arm}"))).collect();
    let mut turn = 0;
    let all = in_turns(&names, rounds, |arm, _| {
        turn += 1;
        scenes[arm / arms.len()].commit(turn, arm % arms.len() == 1)
    })?;
    let rows: Vec<Row> = all
        .chunks(arms.len())
        .flat_map(|pair| pair.iter().map(|series| Row::of(series).against("without", &pair[0], series)))
        .collect();
    report.table("a commit, from the report to the stored template (in this process)", &rows)
}

/// A repository, and a store in which all captures are its own.
struct Scene {
    services: Services,
    repo: Repo,
    git: Repository,
    now: Timestamp,
}

impl Scene {
    fn new(home: &Path, rows: u64) -> Result<Self> {
        let git = Repository::init(home.join("work"))?;
        let repo = Repo::open_git_dir(git.path())?;
        let clock = std::sync::Arc::new(SystemClock);
        let services = Services::open(Paths::from_home(home), Overrides::default(), clock)?;
        fill(services.store.as_ref(), rows, &place(&repo))?;
        let now = services.clock.now();
        Ok(Self { services, repo, git, now })
    }

    /// One commit in an hour of its own, after three notes of that hour or none.
    fn commit(&self, turn: i64, noted: bool) -> Result<Duration> {
        let seconds = self.now.as_second() - 30 * 365 * 24 * 3600 + turn * APART;
        for minute in if noted { 1..4 } else { 0..0 } {
            let written = Timestamp::from_second(seconds - minute * 60)?;
            self.services.store.record_capture(&note(written, &place(&self.repo)), None)?;
        }
        let request = Request {
            oid: self.write(turn, seconds)?,
            source: Source::Hook,
            stamp: self.services.clock.now(),
            plan: Plan::Ask,
        };
        let (elapsed, taken) = timed(|| Ok(take_commit(&self.services, &self.repo, &request)?))?;
        let IntakeOutcome::New(job) = taken else { return Err("the commit was not captured".into()) };
        let found = self.services.store.capture(&job.id.to_string())?.capture.notes.len();
        if found == if noted { 3 } else { 0 } { Ok(elapsed) } else { Err(format!("{found} notes were found").into()) }
    }

    /// A commit that no branch leads to.
    fn write(&self, turn: i64, seconds: i64) -> Result<Oid> {
        let who = Signature::new("Bench", "bench@example.org", &Time::new(seconds, 0))?;
        let mut tree = self.git.treebuilder(None)?;
        let text = format!("fn answer() -> i64 {{\n    {turn}\n}}\n");
        tree.insert("lib.rs", self.git.blob(text.as_bytes())?, 0o100_644)?;
        let tree = self.git.find_tree(tree.write()?)?;
        let oid = self.git.commit(None, &who, &who, "Answer another number", &tree, &[])?;
        Ok(oid.to_string().parse()?)
    }
}

fn place(repo: &Repo) -> RepoRef {
    RepoRef { path: repo.location().common_dir.to_string_lossy().into_owned(), id: repo.location().id.clone() }
}

/// Every twentieth is a note, and the commit after it names it.
pub fn fill(store: &dyn Store, rows: u64, repo: &RepoRef) -> Result<()> {
    let mut noted = Vec::new();
    for first in (0..rows).step_by(usize::try_from(BATCH)?) {
        let mut records = Vec::new();
        for n in first..rows.min(first + BATCH) {
            let capture = if n % 20 == 7 {
                let note = note(at(n), repo);
                noted.push(note.id);
                note
            } else {
                done(n, repo, std::mem::take(&mut noted))
            };
            let template = capture.summary.clone();
            records.push(CaptureRecord { capture, template, wire: None, decision: None });
        }
        store.import_records(&records)?;
    }
    Ok(())
}

fn done(n: u64, repo: &RepoRef, notes: Vec<CaptureId>) -> Capture {
    let written = outcome(n);
    Capture {
        repo: Some(repo.clone()),
        summary: written.summary.unwrap_or_default(),
        provenance: written.provenance,
        timing: written.timing,
        notes,
        ..capture(n)
    }
}

fn note(written: Timestamp, repo: &RepoRef) -> Capture {
    let micros = u64::try_from(written.as_microsecond()).unwrap_or(0);
    let text = format!("The parser loses its lease at {micros}, try a longer one");
    Capture {
        id: CaptureId::fresh(&SystemClock),
        at: written,
        captured_at: written,
        kind: CaptureKind::Note,
        repo: Some(repo.clone()),
        commit: None,
        raw: text.clone(),
        summary: text,
        source: Source::Manual,
        provenance: outcome(1).provenance,
        ..capture(1)
    }
}
