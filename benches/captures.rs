//! What the template says of real commits, against what their authors said.
//!
//! `cargo bench --bench captures -- [--n 100] [--seed 0] [--examples N] [--misses] [--json] [REPOSITORY…]`; with
//! `--profile dev` before `--` where building must be quick and times do not matter. Of each repository (given by
//! path; else the one it stands in) n commits that are no merges are read, every k-th of the history. Told per
//! repository and in all: how many of the commits whose subject names something that the patch changes (`with_things`)
//! have a text that names one such thing, too, with the message as it is and with "wip" in its place; times of facts
//! and template; the longest text; panics; names that the commit does not know.
//!
//! `--mutations` asks something else: whether the grounding gate passes true sentences and catches false ones. Names of
//! the repository are looked up within `--patience` milliseconds (60).

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::json;

#[path = "captures/histories.rs"]
mod histories;
#[path = "captures/invented.rs"]
mod invented;
#[path = "captures/mutations.rs"]
mod mutations;
#[path = "captures/planted.rs"]
mod planted;
#[path = "captures/references.rs"]
mod references;
#[expect(dead_code, reason = "this benchmark takes no turns")]
mod report;
#[path = "captures/things.rs"]
mod things;
#[path = "captures/verdict.rs"]
mod verdict;

use histories::History;
use report::{Arguments, Report, Result, Row, Series};
use things::Things;
use verdict::{Told, Verdict};

fn main() -> Result<()> {
    let mut arguments = Arguments::read();
    let mut report = Report::new("captures", arguments.flag("--json"));
    let mutations = arguments.flag("--mutations");
    let patience = Duration::from_millis(arguments.number("--patience", 60)? as u64);
    let run = Run::read(arguments)?;
    if mutations {
        mutations::run(&run.repositories, run.n, run.seed, run.misses, patience, &mut report)?;
        return report.finish();
    }
    let (things, mut rows, mut all) = (Things::new(), Vec::new(), Vec::new());
    for path in &run.repositories {
        let history = History::sample(Path::new(path), run.n, run.seed)?;
        let repo = history.open()?;
        let verdicts: Vec<Verdict> =
            history.oids.iter().map(|oid| Verdict::of(&history, &repo, oid, &things)).collect::<Result<_>>()?;
        run.show(&history, &verdicts)?;
        rows.push(row(&history.name, &verdicts).with("every", json!(history.every)).with("of", json!(history.total)));
        all.extend(verdicts);
    }
    rows.push(row("in all", &all));
    report.table("the template on real commits", &rows)?;
    report.finish()
}

struct Run {
    n: usize,
    seed: usize,
    examples: usize,
    misses: bool,
    repositories: Vec<String>,
}

impl Run {
    fn read(mut arguments: Arguments) -> Result<Self> {
        let n = arguments.number("--n", 100)?;
        let seed = arguments.number("--seed", 0)?;
        let examples = arguments.number("--examples", 0)?;
        let misses = arguments.flag("--misses");
        let mut repositories = arguments.rest()?;
        if repositories.is_empty() {
            repositories.push(".".to_owned());
        }
        Ok(Self { n, seed, examples, misses, repositories })
    }

    /// Texts beside the human subjects, on standard error: evenly spread ones, those that name none of the things,
    /// and whatever must not be.
    fn show(&self, history: &History, verdicts: &[Verdict]) -> Result<()> {
        let mut out = io::stderr().lock();
        let every = verdicts.len().checked_div(self.examples).unwrap_or(usize::MAX).max(1);
        for (at, verdict) in verdicts.iter().enumerate() {
            let wip = &verdict.wip;
            let missed = !verdict.things.is_empty() && !wip.names_a_thing;
            let wrong = !wip.invented.is_empty() || wip.panicked || verdict.as_is.panicked;
            if wrong || (self.misses && missed) || (self.examples > 0 && at % every == 0) {
                let mark = if missed { "MISS " } else { "" };
                let (name, oid) = (&history.name, &verdict.oid.as_str()[..9]);
                writeln!(out, "\n{mark}{name} {oid} | {} | {}", verdict.subject, verdict.things.join(" "))?;
                writeln!(out, "  as is: {}\n  wip:   {}", verdict.as_is.text, wip.text)?;
                if wrong {
                    writeln!(out, "  WRONG: panicked {}, invented {:?}", wip.panicked, wip.invented)?;
                }
            }
        }
        Ok(())
    }
}

fn row(name: &str, verdicts: &[Verdict]) -> Row {
    let with_things: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.things.is_empty()).collect();
    let share = |summary_of: fn(&Verdict) -> &Told| {
        let named = with_things.iter().filter(|verdict| summary_of(verdict).names_a_thing).count();
        json!(named as f64 / with_things.len() as f64)
    };
    let texts = || verdicts.iter().flat_map(|verdict| [&verdict.as_is, &verdict.wip]);
    let (mut template, mut read, mut words) = (Series::of(name), Series::of(name), Series::of(name));
    for verdict in verdicts {
        template.push(verdict.as_is.elapsed);
        read.push(verdict.read);
        words.ms.push(verdict.wip.text.split_whitespace().count() as f64);
    }
    let longest = texts().map(|summary| summary.text.split_whitespace().count()).max();
    Row::named(name)
        .with("n", json!(verdicts.len()))
        .with("with_things", json!(with_things.len()))
        .with("named_as_is", share(|verdict| &verdict.as_is))
        .with("named_wip", share(|verdict| &verdict.wip))
        .with("p50_ms", json!(template.quantile(0.5)))
        .with("p95_ms", json!(template.quantile(0.95)))
        .with("read_p95_ms", json!(read.quantile(0.95)))
        .with("words_p50", json!(words.quantile(0.5)))
        .with("words_max", json!(longest))
        .with("panics", json!(texts().filter(|summary| summary.panicked).count()))
        .with("invented", json!(texts().map(|summary| summary.invented.len()).sum::<usize>()))
}
