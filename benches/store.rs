//! What the store costs at 10 thousand, 100 thousand and a million captures and operations.
//!
//! `cargo bench --bench store -- [--json] [ROWS…]`. Every row is one call through the public trait, warm cache.
#![expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use uro_capture::domain::capture::{By, Capture, CommitRef, Kind, Outcome, Provenance, Reason, RepoRef, State};
use uro_capture::domain::clock::{Clock, FakeClock, SystemClock};
use uro_capture::domain::event::Source;
use uro_capture::domain::id::{CaptureId, RepoId};
use uro_capture::domain::operation::Operation;
use uro_capture::domain::timing::{Timing, Tokens};
use uro_capture::store::sqlite::SqliteStore;
use uro_capture::store::{CaptureQuery, CaptureRecord, LatencyGrouping, Store};

const VERBS: [&str; 8] = ["Repair", "Add", "Remove", "Speed up", "Rename", "Document", "Test", "Split"];
const NOUNS: [&str; 24] = [
    "basket",
    "checkout_total",
    "login",
    "session",
    "token",
    "parser",
    "lexer",
    "cache",
    "index",
    "queue",
    "worker",
    "lease",
    "spool",
    "hook",
    "branch",
    "merge",
    "rebase",
    "template",
    "prompt",
    "router",
    "budget",
    "deadline",
    "socket",
    "timeout",
];

/// One microsecond stands for one capture, so that a million fit into a window.
fn at(n: u64) -> Timestamp {
    Timestamp::from_microsecond(1_772_323_200_000_000 + i64::try_from(n).unwrap() * 1000).unwrap()
}

fn pick<'a>(from: &[&'a str], n: u64, salt: u64) -> &'a str {
    let mixed = (n ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    from[usize::try_from(mixed).unwrap() % from.len()]
}

fn capture(n: u64) -> Capture {
    let project = format!("project{}", n % 7);
    let subject = format!("{} {} of {} {n}", pick(&VERBS, n, 1), pick(&NOUNS, n, 2), pick(&NOUNS, n, 3));
    let raw = format!(
        "{subject}\n\nThe {} lost its {} whenever the {} was slow, because nobody waited for the {}.",
        pick(&NOUNS, n, 4),
        pick(&NOUNS, n, 5),
        pick(&NOUNS, n, 6),
        pick(&NOUNS, n, 7)
    );
    Capture {
        id: CaptureId::fresh(&FakeClock::at(at(n)) as &dyn Clock),
        at: at(n),
        captured_at: at(n),
        kind: if n.is_multiple_of(20) { Kind::Merge } else { Kind::Commit },
        tags: vec!["fix".into()],
        repo: Some(RepoRef { path: format!("/home/me/{project}"), id: repo(n % 7) }),
        commit: Some(CommitRef {
            oid: format!("{:040x}", n + 1).parse().unwrap(),
            branch: Some("main".into()),
            subject,
            author: "A. Writer".into(),
            files: 3,
            insertions: Some(10),
            deletions: Some(2),
            patch_id: Some(format!("{:040x}", u128::from(n) + (1 << 70))),
        }),
        project,
        raw,
        summary: format!("Changes {} in three files: {}.", pick(&NOUNS, n, 8), pick(&NOUNS, n, 9)),
        source: Source::Hook,
        provenance: Provenance {
            by: By::Template,
            model: None,
            endpoint: None,
            reason: Reason::Pending,
            prompt_version: None,
        },
        timing: Timing { budget_ms: Some(2000.0), ..Timing::default() },
        tokens: Tokens::default(),
        quality: None,
        refined: None,
        state: State::Live,
        supersedes: Vec::new(),
    }
}

fn repo(n: u64) -> RepoId {
    RepoId::of_common_dir(format!("/home/me/project{n}/.git").as_bytes())
}

fn outcome(n: u64) -> Outcome {
    Outcome {
        summary: Some(format!("The {} keeps its {} now.", pick(&NOUNS, n, 10), pick(&NOUNS, n, 11))),
        provenance: Provenance {
            by: By::Model,
            model: Some("orca-mini:3b".into()),
            endpoint: Some("local".into()),
            reason: Reason::None,
            prompt_version: Some("p1".into()),
        },
        timing: Timing { budget_ms: Some(2000.0), total_ms: Some(904.0), ..Timing::default() },
        tokens: Tokens::default(),
        wire: None,
    }
}

fn operation(n: u64) -> Operation {
    let mixed = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44) % 2_400_000;
    let template = n.is_multiple_of(4);
    Operation {
        at: at(n),
        op: ["capture.commit", "capture.note", "draft.devlog"][usize::try_from(n % 3).unwrap()].into(),
        duration_us: mixed,
        budget_us: Some(2_000_000),
        model: (!template).then(|| "orca-mini:3b".into()),
        endpoint: (!template).then(|| "local".into()),
        cold: n % 50 == 1,
        ttft_us: (!template).then_some(mixed / 4),
        tps: (!template).then_some(40.0),
        reason: if template { Reason::Deadline } else { Reason::None },
        failed: false,
    }
}

/// One line of the table, in milliseconds.
struct Line {
    rows: u64,
    what: &'static str,
    n: usize,
    min: f64,
    median: f64,
    p95: Option<f64>,
}

fn measure(rows: u64, what: &'static str, n: usize, mut job: impl FnMut(u64)) -> Line {
    let mut times: Vec<Duration> = (0..n as u64)
        .map(|turn| {
            let start = clock();
            job(turn);
            clock() - start
        })
        .collect();
    times.sort_unstable();
    let ms = |index: usize| times[index].as_secs_f64() * 1e3;
    let p95 = (n >= 59).then(|| ms((n * 95).div_ceil(100) - 1));
    Line { rows, what, n, min: ms(0), median: ms(n.div_ceil(2) - 1), p95 }
}

fn clock() -> Instant {
    SystemClock.instant()
}

/// Fills the store to `rows`, in batches where the trait has them.
fn fill(store: &SqliteStore, from: u64, rows: u64) {
    for n in from..rows {
        let capture = capture(n);
        if n % 10 == 0 {
            store.record_capture(&capture, None).unwrap();
            store.finish_capture(capture.id, &outcome(n)).unwrap();
        } else {
            let mut done = capture;
            done.provenance = outcome(n).provenance;
            done.timing = outcome(n).timing;
            store.record_capture(&done, None).unwrap();
        }
        store.log_operation(&operation(n)).unwrap();
    }
}

fn lines(store: &SqliteStore, path: &std::path::Path, rows: u64) -> Vec<Line> {
    let query = |limit| CaptureQuery { limit: Some(limit), ..CaptureQuery::default() };
    let of_repo = CaptureQuery { repo: Some(repo(3)), ..query(20) };
    let (start, end) = (at(0), at(1 << 40));
    let all = LatencyGrouping { op: true, model: true, cold: true };
    let fresh = 1 << 36;
    let few = if rows >= 1_000_000 { 9 } else { 21 };
    vec![
        measure(rows, "insert capture (NORMAL)", 200, |turn| {
            store.record_capture(&capture(fresh + rows + turn), None).map(drop).unwrap();
        }),
        measure(rows, "finish capture (NORMAL)", 200, |turn| {
            let id = store.capture_of_commit(&repo((fresh + rows + turn) % 7), &oid(fresh + rows + turn));
            store.finish_capture(id.unwrap().unwrap().id, &outcome(turn)).map(drop).unwrap();
        }),
        measure(rows, "insert capture (FULL, as import)", 100, |turn| {
            let record =
                CaptureRecord { capture: capture(fresh * 2 + rows + turn), template: String::new(), wire: None };
            store.import_record(&record).map(drop).unwrap();
        }),
        measure(rows, "log operation", 200, |turn| store.log_operation(&operation(fresh + turn)).unwrap()),
        measure(rows, "open", 100, |_| drop(SqliteStore::open(path).unwrap())),
        measure(rows, "open + log -n 20", 100, |_| {
            drop(SqliteStore::open(path).unwrap().store.captures(&query(20)).unwrap());
        }),
        measure(rows, "log -n 20", 100, |_| drop(store.captures(&query(20)).unwrap())),
        measure(rows, "log -n 20 of a repository", 100, |_| drop(store.captures(&of_repo).unwrap())),
        measure(rows, "search, rare word", 100, |turn| {
            drop(store.search(&(turn * 37).to_string(), &query(20)).unwrap());
        }),
        measure(rows, "search, three words", 60, |_| drop(store.search("basket timeout lea", &query(20)).unwrap())),
        measure(rows, "search, word in a third of all rows", 60, |_| drop(store.search("basket", &query(20)).unwrap())),
        measure(rows, "search, word in every row", 60, |_| drop(store.search("nobody", &query(20)).unwrap())),
        measure(rows, "count_captures, whole window", few, |_| drop(store.count_captures(None, start, end).unwrap())),
        measure(rows, "latency, whole window", few, |_| drop(store.latency(start, all).unwrap())),
        measure(rows, "status: counts + latency", few, |_| {
            drop(store.count_captures(None, start, end).unwrap());
            drop(store.latency(start, all).unwrap());
        }),
    ]
}

fn oid(n: u64) -> uro_capture::domain::id::Oid {
    format!("{:040x}", n + 1).parse().unwrap()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let mut sizes: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![10_000, 100_000, 1_000_000];
    }
    let home = tempfile::tempdir().unwrap();
    for rows in sizes {
        let path = home.path().join(format!("{rows}.db"));
        let store = SqliteStore::open(&path).unwrap().store;
        let start = clock();
        fill(&store, 0, rows);
        let took = (clock() - start).as_secs_f64();
        let size = std::fs::metadata(&path).unwrap().len() >> 20;
        if !json {
            println!("\n{rows} captures and operations, filled in {took:.1} s, {size} MiB");
            println!("{:<40} {:>6} {:>10} {:>10} {:>10}", "ms", "n", "min", "median", "p95");
        }
        for line in lines(&store, &path, rows) {
            print(&line, json);
        }
    }
}

fn print(line: &Line, json: bool) {
    let Line { rows, what, n, min, median, p95 } = line;
    if json {
        let p95 = p95.map_or("null".to_owned(), |p95| format!("{p95:.4}"));
        println!(
            r#"{{"rows":{rows},"what":"{what}","n":{n},"min_ms":{min:.4},"median_ms":{median:.4},"p95_ms":{p95}}}"#
        );
    } else {
        let p95 = p95.map_or("-".to_owned(), |p95| format!("{p95:.3}"));
        println!("{what:<40} {n:>6} {min:>10.3} {median:>10.3} {p95:>10}");
    }
}
