//! `uro-capture show ID`: one capture in full.

use clap::Args;

use super::app::App;
use super::capture_line;
use super::failure::Failure;
use super::ui::{Exit, harmless};
use crate::domain::capture::Capture;
use crate::prompt::render;
use crate::store::CaptureRecord;

#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// Its id, which may be shortened
    #[arg(value_name = "ID")]
    pub id: String,
    /// Also print exactly what was sent to the model
    #[arg(long)]
    pub wire: bool,
}

/// # Errors
/// There is no such capture, or the id fits several.
pub fn run(app: &App, args: &ShowArgs) -> Result<Exit, Failure> {
    let store = app.store()?;
    let record = store.capture(&args.id)?;
    let faults = store.faults(record.capture.id)?;
    if app.json {
        app.ui.json(&as_json(&record, &faults, args.wire)?)?;
    } else {
        // A note that was forgotten since is nobody's any more.
        let notes = record.capture.notes.iter().filter_map(|id| store.capture(&id.to_string()).ok());
        let notes: Vec<Capture> = notes.map(|record| record.capture).collect();
        app.ui.raw(as_text(app, (&record, &faults), &notes, args.wire).as_bytes())?;
    }
    Ok(Exit::Done)
}

/// The capture, with `faults` where the model's text had some, with `wire` and `template` when asked for.
fn as_json(record: &CaptureRecord, faults: &[String], wire: bool) -> Result<serde_json::Value, Failure> {
    let broken = |error: serde_json::Error| Failure::bug(format!("cannot print the capture: {error}"));
    let mut value = serde_json::to_value(&record.capture).map_err(broken)?;
    if let Some(fields) = value.as_object_mut().filter(|_| wire) {
        fields.insert("template".to_owned(), record.template.clone().into());
        fields.insert("wire".to_owned(), record.wire.clone().into());
    }
    if let Some(fields) = value.as_object_mut().filter(|_| wire || !faults.is_empty()) {
        fields.insert("faults".to_owned(), faults.into());
    }
    Ok(value)
}

fn as_text(app: &App, (record, faults): (&CaptureRecord, &[String]), notes: &[Capture], wire: bool) -> String {
    let mut full = capture_line::full(&record.capture, &app.ui, &app.now());
    let noted = notes.iter().map(|note| ("noted", format!("{} ({})", note.raw, note.id)));
    let left_out = record.wire.as_deref().and_then(render::left_out).map(|words| ("prompt", words.to_owned()));
    let faults = faults.iter().map(|fault| ("not kept", fault.clone()));
    for (name, value) in noted.chain(left_out).chain(faults) {
        full.push_str(&capture_line::fact(&app.ui, name, &value));
    }
    if !wire {
        return full;
    }
    let sent = record.wire.as_deref().map_or_else(|| "nothing was sent to a model".to_owned(), harmless);
    format!("{full}\n--- template\n{}\n--- wire\n{}\n", harmless(&record.template), sent.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::capture_line::tests::capture;

    /// The fields of a capture that the documentation promises; `notes` is there where a commit has some.
    const FIELDS: [&str; 18] = [
        "id",
        "at",
        "captured_at",
        "kind",
        "project",
        "tags",
        "repo",
        "commit",
        "raw",
        "summary",
        "source",
        "provenance",
        "timing",
        "tokens",
        "quality",
        "refined",
        "state",
        "supersedes",
    ];

    #[test]
    fn the_json_is_the_documented_capture_and_the_wire_comes_only_on_request() {
        let record = CaptureRecord { capture: capture(), template: "T".into(), wire: None, decision: None };
        let plain = as_json(&record, &[], false).unwrap();
        let mut keys: Vec<_> = plain.as_object().unwrap().keys().map(String::as_str).collect();
        let mut fields = FIELDS;
        keys.sort_unstable();
        fields.sort_unstable();
        assert_eq!(keys, fields);
        let wired = as_json(&record, &[], true).unwrap();
        assert_eq!((&wired["template"], &wired["wire"]), (&"T".into(), &serde_json::Value::Null));
    }
}
