//! `uro-capture import`: reads an export back; known captures are skipped.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::mpsc::{self, SyncSender};

use clap::Args;
use serde::Serialize;

use super::app::App;
use super::export::ExportLine;
use super::failure::{Failure, quoted};
use super::ui::Exit;
use crate::redact::redact;
use crate::store::{CaptureArchive, CaptureRecord};

#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The file to read; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Imported {
    added: u64,
    known: u64,
}

/// # Errors
/// The file cannot be read, a line is invalid (it is named; those before it are kept), or the store cannot be
/// written.
pub fn run(app: &App, args: &ImportArgs) -> Result<Exit, Failure> {
    let input: Box<dyn Read + Send> = if args.file.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        let path = app.cwd.join(&args.file);
        Box::new(std::fs::File::open(&path).map_err(|error| {
            Failure::input(format!("cannot read {}", path.display()))
                .because(error.to_string())
                .hint(format!("ls -l {}", quoted(&path)))
        })?)
    };
    let imported = import(app.store()?.as_ref(), BufReader::new(input))?;
    if app.json {
        app.ui.json(&imported)?;
    } else {
        app.ui.line(&format!("{} added, {} known already", imported.added, imported.known))?;
    }
    Ok(Exit::Done)
}

/// Records per transaction: each costs a disk sync and blocks other writers.
const BATCH: usize = 2_000;

/// Batches read ahead while one is stored (backpressure).
const AHEAD: usize = 2;

/// Parses and redacts on a thread of its own, because that takes as long as storing.
fn import(store: &dyn CaptureArchive, input: impl BufRead + Send) -> Result<Imported, Failure> {
    let (send, batches) = mpsc::sync_channel(AHEAD);
    std::thread::scope(|scope| {
        scope.spawn(move || read_batches(input, &send));
        let mut imported = Imported::default();
        // Batches end at line ends, or after an invalid line.
        for batch in batches {
            let batch: Vec<CaptureRecord> = batch?;
            if batch.is_empty() {
                continue;
            }
            let added = store.import_records(&batch)?;
            imported.added += added;
            imported.known += batch.len() as u64 - added;
        }
        Ok(imported)
    })
}

/// Sends all lines, or those before an invalid one and then its error. Stops once the receiver is dropped.
fn read_batches(input: impl BufRead, send: &SyncSender<Result<Vec<CaptureRecord>, Failure>>) {
    let mut batch = Vec::with_capacity(BATCH);
    for (index, text) in input.lines().enumerate() {
        let record = text.map_err(|error| line_failure(index, &error.to_string())).and_then(|text| parse(index, &text));
        match record {
            Ok(record) => batch.extend(record),
            Err(failure) => {
                drop(send.send(Ok(batch)).and_then(|()| send.send(Err(failure))));
                return;
            }
        }
        if batch.len() >= BATCH && send.send(Ok(std::mem::take(&mut batch))).is_err() {
            return;
        }
    }
    drop(send.send(Ok(batch)));
}

/// Parses one line; empty ones are skipped. An export may come from anywhere, so it is redacted again.
fn parse(index: usize, text: &str) -> Result<Option<CaptureRecord>, Failure> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let line: ExportLine = serde_json::from_str(text).map_err(|error| line_failure(index, &error.to_string()))?;
    let mut record = CaptureRecord::from(line);
    record.capture.raw = redact(&record.capture.raw);
    record.capture.summary = redact(&record.capture.summary);
    if let Some(commit) = &mut record.capture.commit {
        commit.subject = redact(&commit.subject);
        commit.change_id = commit.change_id.take().filter(|id| redact(id) == *id);
    }
    record.template = redact(&record.template);
    record.wire = record.wire.as_deref().map(redact);
    // The decision quotes server messages. If redaction breaks its JSON, it is left out.
    let is_json = |text: &String| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    record.decision = record.decision.as_deref().map(redact).filter(is_json);
    Ok(Some(record))
}

fn line_failure(index: usize, cause: &str) -> Failure {
    Failure::input(format!("line {} is no exported capture", index + 1))
        .because(cause)
        .hint("uro-capture export writes such lines")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_capture_is_named() {
        let failure = parse(6, "{\"capture\":1}").unwrap_err();
        assert_eq!((failure.code(), failure.message.as_str()), (1, "line 7 is no exported capture"));
        assert_eq!(parse(0, "  ").unwrap(), None);
    }

    #[test]
    fn a_change_id_comes_back_unless_it_is_a_secret() {
        for (id, kept) in [("zxywkvutsrqponmlkzxywkvutsrqponm", true), (&["AKIA", "IOSFODNN7ABCDEFG"].concat(), false)]
        {
            let mut capture = crate::store::samples::commit(1);
            capture.commit.as_mut().unwrap().change_id = Some(id.to_owned());
            let record = CaptureRecord { capture, template: String::new(), wire: None, decision: None };
            let line = serde_json::to_string(&ExportLine::from(record)).unwrap();
            let read = parse(0, &line).unwrap().unwrap().capture.commit.unwrap().change_id;
            assert_eq!(read.as_deref(), kept.then_some(id), "{line}");
        }
    }

    #[test]
    fn what_a_server_said_is_redacted_in_a_decision() {
        let decision =
            serde_json::json!({"failure": format!("no model for {}", ["AKIA", "IOSFODNN7ABCDEFG"].concat())});
        let capture = crate::store::samples::commit(1);
        let record =
            CaptureRecord { capture, template: String::new(), wire: None, decision: Some(decision.to_string()) };
        let line = serde_json::to_string(&ExportLine::from(record)).unwrap();
        let read = parse(0, &line).unwrap().unwrap().decision.unwrap();
        assert_eq!(read, r#"{"failure":"no model for [redacted:aws-key]"}"#);
    }

    #[test]
    fn a_store_that_refuses_ends_the_reading() {
        let home = tempfile::tempdir().unwrap();
        let store = crate::store::sqlite::SqliteStore::open(&home.path().join("captures.db")).unwrap().store;
        std::fs::remove_dir_all(home.path()).unwrap();
        std::fs::write(home.path(), "no directory").unwrap();
        let all: String = (1..=BATCH as u64 * 5).map(line_of).collect();
        assert!(import(&store, all.as_bytes()).is_err());
    }

    /// One line of an export.
    fn line_of(n: u64) -> String {
        let capture = crate::store::samples::commit(n);
        let template = capture.summary.clone();
        let record = CaptureRecord { capture, template, wire: None, decision: None };
        serde_json::to_string(&ExportLine::from(record)).unwrap() + "\n"
    }

    #[test]
    fn batches_lose_nothing_and_a_wrong_line_keeps_those_before_it() {
        let home = tempfile::tempdir().unwrap();
        let store = crate::store::sqlite::SqliteStore::open(&home.path().join("captures.db")).unwrap().store;
        let line = line_of;
        let count = BATCH as u64 + 2;
        let all: String = (1..=count).map(line).collect();
        assert!(import(&store, format!("{}wrong\n", line(1) + &line(2)).as_bytes()).is_err());
        assert_eq!(import(&store, all.as_bytes()).unwrap(), Imported { added: count - 2, known: 2 });
        assert_eq!(import(&store, all.as_bytes()).unwrap(), Imported { added: 0, known: count });
    }
}
