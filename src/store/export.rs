//! Export format: one JSON object per line, a capture as in the contract with `template` and `wire`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CaptureRecord;
use crate::domain::capture::Capture;

/// Why an export line could not be parsed.
#[derive(Debug, thiserror::Error)]
#[error("line {line} is no capture")]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    #[source]
    source: serde_json::Error,
}

#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    capture: &'a Capture,
    template: &'a str,
    wire: Option<&'a str>,
    decision: Option<Value>,
}

#[derive(Deserialize)]
struct Read {
    #[serde(flatten)]
    capture: Capture,
    template: Option<String>,
    wire: Option<String>,
    #[serde(default)]
    decision: Option<Value>,
}

/// The record as one line, without its newline.
///
/// # Errors
/// None for records from the store.
pub fn write_record(record: &CaptureRecord) -> Result<String, serde_json::Error> {
    let CaptureRecord { capture, template, wire, decision } = record;
    // Invalid JSON means damage; dropping the field saves the line.
    let decision = decision.as_deref().and_then(|text| serde_json::from_str(text).ok());
    serde_json::to_string(&Written { capture, template, wire: wire.as_deref(), decision })
}

/// Parses a line. Unknown fields are ignored (newer programs add them); a capture without a template, as `--json`
/// prints it, uses its summary. `None` for an empty line.
///
/// # Errors
/// Says which line, counted from 1.
pub fn parse_record(line: &str, number: usize) -> Result<Option<CaptureRecord>, ParseError> {
    if line.trim().is_empty() {
        return Ok(None);
    }
    let Read { capture, template, wire, decision } =
        serde_json::from_str(line).map_err(|source| ParseError { line: number, source })?;
    let template = template.unwrap_or_else(|| capture.summary.clone());
    let decision = decision.map(|decision| decision.to_string());
    Ok(Some(CaptureRecord { capture, template, wire, decision }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples;

    #[test]
    fn a_record_comes_back_from_its_line() {
        for (n, capture) in [samples::commit(1), samples::note(2, "Zeile\nzwei \u{2028} \"x\"")].into_iter().enumerate()
        {
            let record = CaptureRecord {
                capture,
                template: "The template.".into(),
                wire: Some("{\"a\":1}".into()),
                decision: Some(r#"{"kept":false,"reason":"none"}"#.into()),
            };
            let line = write_record(&record).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(parse_record(&line, n).unwrap(), Some(record));
        }
    }

    #[test]
    fn what_json_prints_can_be_imported_and_newer_fields_are_skipped() {
        let capture = samples::commit(1);
        let mut value = serde_json::to_value(&capture).unwrap();
        value["mood"] = "sunny".into();
        let read = parse_record(&value.to_string(), 1).unwrap().unwrap();
        assert_eq!((read.template.as_str(), read.wire), (capture.summary.as_str(), None));
        assert_eq!(read.capture, capture);
    }

    #[test]
    fn a_bad_line_is_named_and_says_what_is_wrong() {
        let error = parse_record("{\"id\":\"x\"}", 17).unwrap_err();
        assert_eq!(error.to_string(), "line 17 is no capture");
        assert!(std::error::Error::source(&error).is_some());
        assert!(parse_record("  ", 3).unwrap().is_none());
        let mut value = serde_json::to_value(samples::commit(1)).unwrap();
        value["commit"]["oid"] = "HEAD".into();
        assert!(parse_record(&value.to_string(), 1).is_err(), "an oid that is none");
    }
}
