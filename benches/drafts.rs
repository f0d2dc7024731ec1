//! What of a real model's sentences for drafts is kept.
//!
//! `cargo bench --bench drafts -- --replay FILE [--show]` judges recorded answers as today's checks would. A record is
//! one line of JSON: `kind` (`item`, or the kind of a draft about whose headlines the model was asked), `messages` (of
//! the item's commits, or the headlines), `headline` (what the page shows without a model), `answer`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use uro_capture::domain::clock::SystemClock;
use uro_capture::domain::draft::DraftKind;
use uro_capture::domain::id::CaptureId;
use uro_capture::drafts::prose::{Judged, Piece};
use uro_capture::publish::prose::ItemSource;
use uro_capture::text::sentences;

#[expect(dead_code, reason = "this benchmark takes no turns")]
mod report;

use report::{Arguments, Report, Result, Row};

#[derive(serde::Deserialize)]
struct Record {
    repo: String,
    kind: String,
    messages: Vec<String>,
    headline: String,
    answer: String,
}

impl Record {
    fn judge(&self) -> Judged {
        let about = format!("{} 22–28 June 2026", self.repo);
        match DraftKind::parse(&self.kind) {
            Some(kind) => Piece::Whole(self.messages.clone()).judge(kind, &about, &self.answer),
            None => {
                let (messages, shown) = (self.messages.clone(), self.headline.clone());
                let item = ItemSource { lead: CaptureId::fresh(&SystemClock), shown, summary: String::new(), messages };
                Piece::Item(item).judge(DraftKind::Devlog, &about, &self.answer)
            }
        }
    }
}

fn main() -> Result<()> {
    let mut arguments = Arguments::read();
    let mut report = Report::new("drafts", arguments.flag("--json"));
    let show = arguments.flag("--show");
    let file = arguments.value("--replay")?.ok_or("--replay FILE is needed")?;
    let mut counts: BTreeMap<String, [u64; 4]> = BTreeMap::new();
    for line in std::fs::read_to_string(file)?.lines() {
        let record: Record = serde_json::from_str(line)?;
        let judged = record.judge();
        let kept = judged.text.as_deref().map_or(0, |text| sentences::split(text).len() as u64);
        let count = counts.entry(record.kind.clone()).or_default();
        let added = [1, u64::from(judged.text.is_some()), kept, judged.faults.len() as u64];
        count.iter_mut().zip(added).for_each(|(sum, more)| *sum += more);
        if show {
            print(&record, &judged)?;
        }
    }
    let rows: Vec<Row> = counts.iter().map(|(kind, counts)| row(kind, counts)).collect();
    report.table("what is kept", &rows)?;
    report.finish()
}

fn row(kind: &str, counts: &[u64; 4]) -> Row {
    let names = ["answers", "with a kept sentence", "sentences kept", "sentences dropped"];
    names.iter().zip(counts).fold(Row::named(kind), |row, (name, count)| row.with(*name, (*count).into()))
}

fn print(record: &Record, judged: &Judged) -> Result<()> {
    let mut out = io::stderr().lock();
    writeln!(out, "## {} {}\n{}\n--> {}", record.repo, record.kind, record.messages.join("\n\n"), record.answer)?;
    for fault in &judged.faults {
        writeln!(out, "  - {} [{} {}]", fault.sentence, fault.fault.as_str(), fault.word)?;
    }
    writeln!(out, "  = {}\n", judged.text.as_deref().unwrap_or("nothing"))?;
    Ok(())
}
