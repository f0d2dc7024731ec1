//! The built programs, the whole way: from the hook's stamp to the stored template, to the model's door, to what a
//! person sees.
//!
//! `cargo bench --bench whole_way -- [--n 200] [--json] [--bin-dir DIR] [SECTION…]`; sections: one-file, large,
//! request, overhead, start-up, store, drafts, publish, pipe. Binaries come from `--bin-dir`, else `URO_BENCH_BIN_DIR`, else
//! `target/release`. Every home, repository, server and sidecar is a scratch one of this run.
//! What the hook itself costs is `commit_cost`'s question.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

mod cases;
#[path = "whole_way/commits.rs"]
mod commits;
#[path = "whole_way/drafts.rs"]
mod drafts;
#[path = "whole_way/model.rs"]
mod model;
#[path = "whole_way/pipes.rs"]
mod pipes;
#[path = "whole_way/processes.rs"]
mod processes;
mod report;
mod rows;
mod stage;

use report::{Arguments, Report, Result, Rounds, Row, Series};
use stage::{bin_dir, installed};

fn main() -> Result<()> {
    let mut arguments = Arguments::read();
    let mut report = Report::new("whole_way", arguments.flag("--json"));
    let run = Run::read(arguments)?;
    for (name, section) in SECTIONS {
        if run.wanted.is_empty() || run.wanted.iter().any(|wanted| wanted == name) {
            section(&run, &mut report)?;
        }
    }
    report.finish()
}

type Section = fn(&Run, &mut Report) -> Result<()>;

const SECTIONS: [(&str, Section); 9] = [
    ("one-file", commits::one_file),
    ("large", commits::large),
    ("request", commits::request),
    ("overhead", commits::overhead),
    ("start-up", processes::start_up),
    ("store", processes::store),
    ("publish", drafts::publish),
    ("drafts", drafts::drafts),
    ("pipe", pipes::pipe),
];

/// What every section is given.
struct Run {
    n: usize,
    wanted: Vec<String>,
    /// Installed copies of the programs.
    hook: PathBuf,
    scratch: tempfile::TempDir,
}

impl Run {
    fn read(mut arguments: Arguments) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let from = bin_dir(&mut arguments)?;
        let hook = installed(&from, &scratch.path().join("installed"), &["uro-hook", "uro-capture"])?;
        let n = arguments.number("--n", 200)?;
        let wanted = arguments.rest()?;
        match wanted.iter().find(|wanted| !SECTIONS.iter().any(|(name, _)| name == wanted)) {
            Some(unknown) => Err(format!("no section {unknown}").into()),
            None => Ok(Self { n, wanted, hook, scratch }),
        }
    }

    fn rounds(&self, warm_up: usize) -> Rounds {
        Rounds { n: self.n, warm_up, pause: Duration::from_millis(10) }
    }
}

/// A row with what was wanted of it, and whether it was so.
fn judged(series: &Series, q: f64, goal_ms: f64) -> Row {
    met(Row::of(series), &format!("p{:.0} ≤ {goal_ms} ms", q * 100.0), series.quantile(q) <= goal_ms)
}

fn met(row: Row, goal: &str, met: bool) -> Row {
    row.with("goal", json!(goal)).with("met", json!(if met { "yes" } else { "NO" }))
}
