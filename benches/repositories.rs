//! Many repositories and many commits: what looking at a thousand repositories costs, how soon a commit that no hook
//! reported is stored, what waiting costs, and how fast ten thousand commits are worked off.
//!
//! `cargo bench --bench repositories -- [--n 60] [--repositories 1000] [--commits 10000] [--json] [--bin-dir DIR]
//! [SECTION…]`; sections: sweep, arrival, idle, storm, backfill, beside-storm. Binaries come from `--bin-dir`, else
//! `URO_BENCH_BIN_DIR`, else `target/release`; the sweep runs in this process. Every home, repository and sidecar is
//! a scratch one of this run, and nothing listens where models are looked for.
//!
//! The repositories are copies of one, registered through the library as `init` does it, because a thousand processes
//! of `init` would take longer than all that is measured.

use std::path::PathBuf;

use serde_json::json;

#[path = "repositories/arrival.rs"]
mod arrival;
#[path = "repositories/beside.rs"]
mod beside;
#[path = "repositories/commits.rs"]
mod commits;
#[path = "repositories/crowd.rs"]
mod crowd;
#[path = "repositories/idle.rs"]
mod idle;
#[path = "repositories/many.rs"]
mod many;
#[path = "repositories/processor.rs"]
mod processor;
mod report;
mod stage;
#[path = "repositories/sweep.rs"]
mod sweep;

use report::{Arguments, Report, Result, Row};
use stage::{bin_dir, installed};

fn main() -> Result<()> {
    let mut arguments = Arguments::read();
    let mut report = Report::new("repositories", arguments.flag("--json"));
    let run = Run::read(arguments)?;
    for (name, section) in SECTIONS {
        if run.wanted.is_empty() || run.wanted.iter().any(|wanted| wanted == name) {
            section(&run, &mut report)?;
        }
    }
    report.finish()
}

type Section = fn(&Run, &mut Report) -> Result<()>;

const SECTIONS: [(&str, Section); 6] = [
    ("sweep", sweep::sweep),
    ("arrival", arrival::arrival),
    ("idle", idle::idle),
    ("storm", many::storm),
    ("backfill", many::backfill),
    ("beside-storm", beside::beside),
];

/// What every section is given.
struct Run {
    n: usize,
    repositories: usize,
    commits: usize,
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
        let n = arguments.number("--n", 60)?;
        let repositories = arguments.number("--repositories", 1000)?;
        let commits = arguments.number("--commits", 10_000)?;
        let wanted = arguments.rest()?;
        match wanted.iter().find(|wanted| !SECTIONS.iter().any(|(name, _)| name == wanted)) {
            Some(unknown) => Err(format!("no section {unknown}").into()),
            None => Ok(Self { n, repositories, commits, wanted, hook, scratch }),
        }
    }

    /// A directory of its own for a part of the run.
    fn place(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }
}

/// A row with what was wanted of it, and whether it was so.
fn met(row: Row, goal: &str, met: bool) -> Row {
    row.with("goal", json!(goal)).with("met", json!(if met { "yes" } else { "NO" }))
}

/// A row of one number that is no time.
fn number(name: &str, value: f64) -> Row {
    Row::named(name).with("value", json!(value))
}
