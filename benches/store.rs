//! What the store costs at 10 thousand, 100 thousand and a million captures and operations.
//!
//! `cargo bench --bench store -- [--n 60] [--json] [ROWS…]`. Every line is one call through the public trait, warm
//! cache; the sizes take turns, and each is compared with the smallest in the same rounds.
//! `-- --commit` measures a commit after notes in a full store instead, `-- --import LINES` an import, five times.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use uro_capture::store::sqlite::SqliteStore;
use uro_capture::store::{
    CaptureArchive, CaptureQuery, CaptureRecord, CaptureStore, ExpiringData, LatencyGrouping, MaintenanceStore,
    OperationLog,
};

#[path = "store/commit.rs"]
mod commit;
#[path = "store/import.rs"]
mod import;
mod report;
mod rows;

use report::{Arguments, Report, Result, Rounds, Row, Series, in_turns, timed};
use rows::{at, capture, fill, oid, operation, outcome, repo};

fn main() -> Result<()> {
    let mut arguments = Arguments::read();
    let mut report = Report::new("store", arguments.flag("--json"));
    let rounds = Rounds { n: arguments.number("--n", 60)?, warm_up: 2, pause: Duration::ZERO };
    let home = tempfile::tempdir()?;
    if arguments.flag("--commit") {
        commit::measure(&mut report, home.path(), rounds)?;
        return report.finish();
    }
    if let Some(lines) = arguments.value("--import")? {
        import::measure(&mut report, home.path(), lines.parse()?, 5)?;
        return report.finish();
    }
    let mut sizes = arguments.rest()?.iter().map(|size| size.parse()).collect::<std::result::Result<Vec<u64>, _>>()?;
    if sizes.is_empty() {
        sizes = vec![10_000, 100_000, 1_000_000];
    }
    let shelves: Vec<Shelf> = sizes.into_iter().map(|rows| Shelf::fill(home.path(), rows)).collect();
    let names: Vec<String> = shelves.iter().map(|shelf| format!("{} rows", shelf.rows)).collect();
    for (what, job) in JOBS {
        let all = in_turns(&names, rounds, |arm, round| {
            Ok(timed(|| {
                job(&shelves[arm], round as u64);
                Ok(())
            })?
            .0)
        })?;
        report.table(what, &compared(&all))?;
    }
    report.finish()
}

fn compared(all: &[Series]) -> Vec<Row> {
    all.iter().map(|series| Row::of(series).against("smallest", &all[0], series)).collect()
}

/// A store and its size.
struct Shelf {
    path: PathBuf,
    store: SqliteStore,
    rows: u64,
}

/// What is measured; the round makes each call another one.
type Job = fn(&Shelf, u64);

/// Numbers of captures that [`fill`] does not reach.
const FRESH: u64 = 1 << 36;

const JOBS: [(&str, Job); 16] = [
    ("insert capture (NORMAL)", |shelf, round| {
        shelf.store.record_capture(&capture(FRESH + round), None).map(drop).unwrap();
    }),
    ("finish capture (NORMAL)", |shelf, round| {
        let found = shelf.store.capture_of_commit(&repo((FRESH + round) % 7), &oid(FRESH + round)).unwrap();
        shelf.store.finish_capture(found.unwrap().id, &|| outcome(round)).map(drop).unwrap();
    }),
    ("insert capture (FULL, as import)", |shelf, round| {
        let capture = capture(FRESH * 2 + round);
        let record = CaptureRecord { capture, template: String::new(), wire: None, decision: None };
        shelf.store.import_records(&[record]).map(drop).unwrap();
    }),
    ("log operation", |shelf, round| shelf.store.log_operation(&operation(FRESH + round)).unwrap()),
    ("open", |shelf, _| drop(SqliteStore::open(&shelf.path).unwrap())),
    ("open + log -n 20", |shelf, _| {
        drop(SqliteStore::open(&shelf.path).unwrap().store.captures(&newest(20)).unwrap());
    }),
    ("log -n 20", |shelf, _| drop(shelf.store.captures(&newest(20)).unwrap())),
    ("log -n 20 of a repository", |shelf, _| {
        let query = CaptureQuery { repo: Some(repo(3)), ..newest(20) };
        drop(shelf.store.captures(&query).unwrap());
    }),
    ("search, rare word", |shelf, round| search(shelf, &(round * 37).to_string())),
    ("search, three words", |shelf, _| search(shelf, "basket timeout lea")),
    ("search, word in a third of all rows", |shelf, _| search(shelf, "basket")),
    ("search, word in every row", |shelf, _| search(shelf, "nobody")),
    ("count_captures, whole window", |shelf, _| count(shelf)),
    ("latency, whole window", |shelf, _| latency(shelf)),
    ("status: counts + latency", |shelf, _| {
        count(shelf);
        latency(shelf);
    }),
    ("expire nothing", |shelf, _| assert_eq!(shelf.store.expire(ExpiringData::Operations, at(0)).unwrap(), 0)),
];

impl Shelf {
    fn fill(home: &Path, rows: u64) -> Self {
        let path = home.join(format!("{rows}.db"));
        let store = SqliteStore::open(&path).unwrap().store;
        fill(&store, rows);
        Self { path, store, rows }
    }
}

fn newest(limit: usize) -> CaptureQuery {
    CaptureQuery { limit: Some(limit), ..CaptureQuery::default() }
}

fn search(shelf: &Shelf, words: &str) {
    drop(shelf.store.search(words, &newest(20)).unwrap());
}

fn count(shelf: &Shelf) {
    drop(shelf.store.count_captures(None, at(0), at(1 << 40)).unwrap());
}

fn latency(shelf: &Shelf) {
    let all = LatencyGrouping { op: true, model: true, cold: true };
    drop(shelf.store.latency(at(0), all).unwrap());
}
