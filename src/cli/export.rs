//! `uro-capture export`: all captures in every state as JSON lines, oldest first.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::app::App;
use super::failure::{Failure, write_hint};
use super::ui::{Exit, json_line};
use crate::domain::capture::Capture;
use crate::store::{CaptureRecord, StoreError};

#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// Write to FILE, which must not exist; without it to standard output
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportLine {
    pub capture: Capture,
    /// The template's text.
    #[serde(default)]
    pub template: String,
    /// The redacted request to the model.
    #[serde(default)]
    pub wire: Option<String>,
    /// The router's decision.
    #[serde(default)]
    pub decision: Option<serde_json::Value>,
}

impl From<CaptureRecord> for ExportLine {
    fn from(record: CaptureRecord) -> Self {
        // Damaged JSON is left out in favour of the line.
        let decision = record.decision.and_then(|decision| serde_json::from_str(&decision).ok());
        Self { capture: record.capture, template: record.template, wire: record.wire, decision }
    }
}

impl From<ExportLine> for CaptureRecord {
    fn from(line: ExportLine) -> Self {
        let decision = line.decision.map(|decision| decision.to_string());
        Self { capture: line.capture, template: line.template, wire: line.wire, decision }
    }
}

/// # Errors
/// The store cannot be read, or the output cannot be written.
pub fn run(app: &App, args: &ExportArgs) -> Result<Exit, Failure> {
    match &args.file {
        Some(path) => to_file(app, &app.cwd.join(path))?,
        None if app.json => to_array(app)?,
        None => to_stdout(app)?,
    }
    Ok(Exit::Done)
}

/// Block-buffered: unbuffered, each line would be a write.
fn to_stdout(app: &App) -> Result<(), Failure> {
    const BLOCK: usize = 64 << 10;
    let mut block = String::new();
    for_each_line(app, |line| {
        block.push_str(line);
        if block.len() < BLOCK {
            return Ok(());
        }
        app.ui.raw(std::mem::take(&mut block).as_bytes())
    })?;
    app.ui.raw(block.as_bytes())
}

fn to_file(app: &App, path: &Path) -> Result<(), Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let failed = |error: std::io::Error| {
        Failure::input(format!("cannot write {}", path.display()))
            .because(error.to_string())
            .hint(write_hint(path, &error))
    };
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let mut file = std::io::BufWriter::new(file);
    let written = for_each_line(app, |line| file.write_all(line.as_bytes()).map_err(failed))?;
    file.flush().map_err(failed)?;
    if app.json {
        app.ui.json(&serde_json::json!({"written": written, "path": path}))
    } else {
        app.ui.line(&format!("{written} {} written", if written == 1 { "capture" } else { "captures" }))
    }
}

/// With `--json` the output is one array, as for other lists.
fn to_array(app: &App) -> Result<(), Failure> {
    let mut before = "[";
    for_each_line(app, |line| {
        let text = format!("{before}{}", line.trim_end());
        before = ",\n";
        app.ui.raw(text.as_bytes())
    })?;
    app.ui.raw(if before == "[" { b"[]\n" } else { b"]\n" })
}

/// Passes every line to `write` and returns their number.
fn for_each_line(app: &App, mut write: impl FnMut(&str) -> Result<(), Failure>) -> Result<u64, Failure> {
    let (mut count, mut failure) = (0, None);
    let walked = app.store()?.each_record(&mut |record| {
        let written = format_line(record).and_then(|line| write(&line));
        count += 1;
        // The store's error type cannot carry ours: ours is kept aside and ends the iteration.
        written.map_err(|error| {
            failure = Some(error);
            StoreError::Conflict("the export was ended".to_owned())
        })
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(walked.map(|()| count)?),
    }
}

fn format_line(record: CaptureRecord) -> Result<String, Failure> {
    json_line(&ExportLine::from(record)).map_err(|error| Failure::bug(format!("cannot write a capture: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::capture_line::tests::capture;

    #[test]
    fn a_line_comes_back_as_it_was() {
        let decision = Some(r#"{"kept":false}"#.into());
        let record = CaptureRecord { capture: capture(), template: "T\nt".into(), wire: Some("W".into()), decision };
        let text = format_line(record.clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        let back: ExportLine = serde_json::from_str(&text).unwrap();
        assert_eq!(CaptureRecord::from(back), record);
    }

    #[test]
    fn fields_of_a_newer_program_are_skipped_and_a_wrong_one_is_refused() {
        let record = CaptureRecord { capture: capture(), template: "T".into(), wire: None, decision: None };
        let mut value = serde_json::to_value(ExportLine::from(record.clone())).unwrap();
        value["mood"] = "sunny".into();
        let back: ExportLine = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(CaptureRecord::from(back), record);
        value["capture"]["commit"]["oid"] = "HEAD".into();
        assert!(serde_json::from_value::<ExportLine>(value).is_err(), "an oid that is none");
    }
}
