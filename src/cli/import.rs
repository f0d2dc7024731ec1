//! `uro-capture import`: an export comes back; what is known already is skipped.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::app::App;
use super::export::ExportLine;
use super::failure::{Failure, quoted};
use super::ui::Exit;
use crate::prompt::redact::redact;
use crate::store::{CaptureRecord, Store};

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
/// The file cannot be read, a line is no capture (it is named; those before it are kept), or the store cannot be
/// written.
pub fn run(app: &App, args: &ImportArgs) -> Result<Exit, Failure> {
    let input: Box<dyn Read> = if args.file.as_os_str() == "-" {
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

fn import(store: &dyn Store, input: impl BufRead) -> Result<Imported, Failure> {
    let mut imported = Imported::default();
    for (index, text) in input.lines().enumerate() {
        let record = text.map_err(|error| wrong(index, &error.to_string())).and_then(|text| parse(index, &text))?;
        let Some(record) = record else { continue };
        if store.import_record(&record)? {
            imported.added += 1;
        } else {
            imported.known += 1;
        }
    }
    Ok(imported)
}

/// One line; empty ones are skipped. An export may come from anywhere, so it is redacted like everything else.
fn parse(index: usize, text: &str) -> Result<Option<CaptureRecord>, Failure> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let line: ExportLine = serde_json::from_str(text).map_err(|error| wrong(index, &error.to_string()))?;
    let mut record = CaptureRecord::from(line);
    record.capture.raw = redact(&record.capture.raw);
    record.capture.summary = redact(&record.capture.summary);
    if let Some(commit) = &mut record.capture.commit {
        commit.subject = redact(&commit.subject);
    }
    record.template = redact(&record.template);
    record.wire = record.wire.as_deref().map(redact);
    Ok(Some(record))
}

fn wrong(index: usize, cause: &str) -> Failure {
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
}
