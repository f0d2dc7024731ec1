//! Drafts among many captures, as whole processes show them.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use std::time::Duration;

use uro_capture::domain::capture::Capture;
use uro_capture::domain::draft::{DraftKind, DraftState, Period};
use uro_capture::domain::id::DraftId;
use uro_capture::store::sqlite::SqliteStore;
use uro_capture::store::{CaptureArchive, CaptureQuery, DraftQueue, NewDraft, WrittenDraft};

use super::processes::{STORE_ROUNDS, ended_well, filled, program};
use crate::report::{Report, Result, Rounds, Row, in_turns};
use crate::rows::at;
use crate::{Run, judged};

/// The commands of a review.
pub fn drafts(run: &Run, report: &mut Report) -> Result<()> {
    let home = run.scratch.path().join("drafts");
    let id = fill_drafts(&filled(&home, 100_000)?, 10_000).to_string();
    let commands = [
        vec!["draft", "list"],
        vec!["draft", "list", "-n", "0"],
        vec!["draft", "show", &id],
        vec!["draft", "show", &id, "--sources"],
        vec!["draft", "diff", &id],
    ];
    let names: Vec<String> = commands.iter().map(|words| words.join(" ").replace(&id, "ID")).collect();
    let rounds = Rounds { n: STORE_ROUNDS, warm_up: 2, pause: Duration::ZERO };
    let all = in_turns(&names, rounds, |arm, _| ended_well(&mut program(run, &home, &commands[arm])))?;
    // A list of all drafts takes as long as it is.
    let row = |(arm, series)| if arm == 1 { Row::of(series) } else { judged(series, 0.95, 50.0) };
    let rows: Vec<Row> = all.iter().enumerate().map(row).collect();
    report.table("10,000 drafts, 100,000 captures", &rows)
}

/// The last of the drafts, published on standard output in forms of every kind.
pub fn publish(run: &Run, report: &mut Report) -> Result<()> {
    let home = run.scratch.path().join("publish");
    let store = filled(&home, 100_000)?;
    let id = fill_drafts(&store, 10_000);
    store.move_draft(id, &[DraftState::Ready], DraftState::Accepted, at(0))?;
    let id = id.to_string();
    let forms = [["--format", "hugo"], ["--format", "html"], ["--format", "mdx"], ["--network", "x"]];
    let names = forms.map(|form| form.join(" "));
    let rounds = Rounds { n: STORE_ROUNDS, warm_up: 2, pause: Duration::ZERO };
    let all = in_turns(&names, rounds, |arm, _| {
        ended_well(&mut program(run, &home, &[&["draft", "publish", &id], &forms[arm][..]].concat()))
    })?;
    let rows: Vec<Row> = all.iter().map(|series| judged(series, 0.5, 50.0)).collect();
    report.table("uro-capture draft publish, 10,000 drafts, 100,000 captures", &rows)
}

/// Drafts of ten captures and some 3 kB each, written twice. Returns the last one.
fn fill_drafts(store: &SqliteStore, drafts: u64) -> DraftId {
    let query = CaptureQuery { limit: Some(10), ..CaptureQuery::default() };
    let captures = store.captures(&query).unwrap();
    let line = |capture: &Capture| format!("- {} (`{}`)\n", capture.raw, capture.commit.as_ref().unwrap().oid.as_str());
    let body: String = captures.iter().map(line).collect();
    let mut last = None;
    for n in 0..drafts {
        let period = Period { from: at(n * 10), to: at(n * 10 + 10) };
        let new = NewDraft { kind: DraftKind::Devlog, project: "project".into(), repo: None, period, max_attempts: 5 };
        store.queue_draft(&new, at(n)).unwrap();
        for text in ["first", "second"] {
            let lease = store.lease_draft(at(n), at(n + 1)).unwrap().unwrap();
            let written = WrittenDraft {
                title: format!("Devlog {n}, {text}"),
                body: body.clone(),
                format: "markdown".into(),
                model: None,
                sources: captures.iter().map(|capture| capture.id).collect(),
                note: None,
                quality: None,
            };
            store.finish_draft(lease.draft.id, lease.attempt, &written, at(n)).unwrap();
            last = Some(lease.draft.id);
            if text == "first" {
                store.retry_draft(lease.draft.id, at(n)).unwrap();
            }
        }
    }
    last.unwrap()
}
