//! `uro-capture show ID`: one capture in full.

use clap::Args;

use super::app::App;
use super::capture_line;
use super::failure::Failure;
use super::ui::{Exit, sanitise};
use crate::domain::capture::Capture;
use crate::prompt::render;
use crate::route::decision::{Decision, DecisionRecord};
use crate::route::explain::explain;
use crate::store::CaptureRecord;
use crate::text::sentences;

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
        // After `forget`, a note of a commit no longer exists.
        let notes = record.capture.notes.iter().filter_map(|id| store.capture(&id.to_string()).ok());
        let notes: Vec<Capture> = notes.map(|record| record.capture).collect();
        app.ui.raw(as_text(app, (&record, &faults), &notes, args.wire).as_bytes())?;
    }
    Ok(Exit::Done)
}

/// The capture with its decision; `answer` and `dropped` if a model answered, `faults` if its text had some, `template`
/// if that was replaced later, and `wire` and `template` on request.
fn as_json(record: &CaptureRecord, faults: &[String], wire: bool) -> Result<serde_json::Value, Failure> {
    let broken = |error: serde_json::Error| Failure::bug(format!("cannot print the capture: {error}"));
    let mut value = serde_json::to_value(&record.capture).map_err(broken)?;
    if let Some(fields) = value.as_object_mut() {
        let decision = record.decision.as_deref().and_then(|text| serde_json::from_str(text).ok());
        fields.insert("decision".to_owned(), decision.unwrap_or_default());
        let (failure, answer, dropped) = describe_answer(record);
        fields.extend(failure.map(|failure| ("failure".to_owned(), failure.into())));
        fields.extend(answer.map(|answer| ("answer".to_owned(), answer.into())));
        fields.extend((!dropped.is_empty()).then(|| ("dropped".to_owned(), dropped.into())));
    }
    if let Some(fields) = value.as_object_mut().filter(|_| wire || record.capture.refined.is_some()) {
        fields.insert("template".to_owned(), record.template.clone().into());
    }
    if let Some(fields) = value.as_object_mut().filter(|_| wire) {
        fields.insert("wire".to_owned(), record.wire.clone().into());
    }
    if let Some(fields) = value.as_object_mut().filter(|_| wire || !faults.is_empty()) {
        fields.insert("faults".to_owned(), faults.into());
    }
    Ok(value)
}

fn as_text(app: &App, (record, faults): (&CaptureRecord, &[String]), notes: &[Capture], wire: bool) -> String {
    let mut full = capture_line::format_full(&record.capture, &app.ui, &app.now());
    let noted = notes.iter().map(|note| ("noted", format!("{} ({})", note.raw, note.id)));
    let left_out = record.wire.as_deref().and_then(render::stored_omissions).map(|text| ("prompt", text.to_owned()));
    let faults = faults.iter().map(|fault| ("not kept", fault.clone()));
    let first = record.capture.refined.as_ref().map(|_| ("at first", record.template.clone()));
    let why = record.decision.as_deref().and_then(explain_decision).map(|why| ("decided", why));
    let (failure, answer, dropped) = describe_answer(record);
    let failure = failure.map(|text| ("failed", text));
    let dropped = dropped.into_iter().map(|piece| ("not kept", piece));
    let rows = first.into_iter().chain(why).chain(failure).chain(noted).chain(left_out).chain(faults).chain(dropped);
    for (name, value) in rows {
        full.push_str(&capture_line::format_fact(&app.ui, name, &value));
    }
    if let Some(answer) = answer {
        full.push_str(&format!("\n--- answer\n{}\n", sanitise(&answer).trim_end()));
    }
    if !wire {
        return full;
    }
    let sent = match (&record.wire, &record.capture.provenance.model) {
        (Some(wire), _) => sanitise(wire),
        (None, Some(_)) => "what was sent is no longer kept (retention.prompts)".to_owned(),
        (None, None) => "nothing was sent to a model, or it is no longer kept (retention.prompts)".to_owned(),
    };
    format!("{full}\n--- template\n{}\n--- wire\n{}\n", sanitise(&record.template), sent.trim_end())
}

/// The failure of the request, the model's answer, and the parts of it that were dropped.
fn describe_answer(record: &CaptureRecord) -> (Option<String>, Option<String>, Vec<String>) {
    let reasoned = record.decision.as_deref().and_then(|text| serde_json::from_str::<DecisionRecord>(text).ok());
    reasoned.map(|answered| (answered.failure, answered.answer, answered.dropped)).unwrap_or_default()
}

/// Short explanations; `route --explain` has the details.
const ENOUGH: usize = 3;

/// The router's reasons at the time of the decision, without rejected models except disabled ones; for a decision
/// of an older program, its choice alone.
fn explain_decision(decision: &str) -> Option<String> {
    if let Ok(decision) = serde_json::from_str::<Decision>(decision) {
        let explanation = explain(&decision);
        let line = explanation.lines().next()?;
        let beginning = sentences::ends(line).get(ENOUGH - 1).map_or(line, |end| &line[..*end]);
        let barred = explanation.lines().skip(1).filter(|line| line.contains("is not asked any more"));
        return Some(std::iter::once(beginning.trim_end()).chain(barred).collect::<Vec<_>>().join(" "));
    }
    let decision: serde_json::Value = serde_json::from_str(decision).ok()?;
    let reason = decision["reason"].as_str()?.replace('_', " ");
    let model = decision["choice"]["model"].as_str();
    Some(model.map_or_else(|| format!("the template writes ({reason})"), |model| format!("{model} writes")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::capture_line::tests::capture;
    use crate::domain::capture::Refined;
    use crate::domain::role::Role;
    use crate::route::choice::decide;
    use crate::route::signals::{Signals, Traffic, Urgency};

    /// Documented fields of a capture; `notes` only for commits that have some.
    const FIELDS: [&str; 19] = [
        "id", "at", "captured_at", "kind", "project", "tags", "repo", "commit", "raw", "summary", "source",
        "provenance", "timing", "tokens", "quality", "refined", "state", "supersedes", "decision",
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
        assert!(plain["decision"].is_null());
        let decided = CaptureRecord { decision: Some(r#"{"reason":"cold"}"#.into()), ..record };
        assert_eq!(as_json(&decided, &[], false).unwrap()["decision"]["reason"], "cold");
    }

    #[test]
    fn what_the_model_answered_and_what_of_it_was_left_out_is_told() {
        let decision = r#"{"answer":"Sure!\u001b[2J It flies.","dropped":["Sure! (says nothing of the change)"]}"#;
        let record =
            CaptureRecord { capture: capture(), template: "T".into(), wire: None, decision: Some(decision.into()) };
        let json = as_json(&record, &[], false).unwrap();
        assert_eq!(
            (&json["answer"], &json["dropped"][0]),
            (&"Sure!\u{1b}[2J It flies.".into(), &"Sure! (says nothing of the change)".into())
        );
        assert_eq!(describe_answer(&CaptureRecord { decision: Some("{}".into()), ..record }), (None, None, Vec::new()));
    }

    #[test]
    fn a_text_that_came_later_is_shown_with_the_one_that_stood_at_first() {
        let refined = Some(Refined { at: "2026-04-01T09:05:00Z".parse().unwrap(), model: "big:13b".into() });
        let record = CaptureRecord {
            capture: Capture { refined, ..capture() },
            template: "Cuts in one file.".into(),
            wire: None,
            decision: None,
        };
        assert_eq!(as_json(&record, &[], false).unwrap()["template"], "Cuts in one file.");
    }

    #[test]
    fn a_decision_of_any_version_is_one_line() {
        let task = Signals {
            role: Role::Capture,
            urgency: Urgency::Interactive,
            traffic: Traffic::Storm,
            prompt_tokens: 400,
            least_tokens: 100,
            max_tokens: 120,
            technicality: 0.5,
            budget_s: 2.0,
            left_s: 1.7,
            pressed: false,
            on_battery: false,
            template_quality: 0.5,
        };
        let whole = decide(&task, &[], None);
        let line = explain_decision(&serde_json::to_string(&whole).unwrap()).unwrap();
        assert!(explain(&whole).starts_with(&line) && !line.contains('\n'), "{line}");
        let older = r#"{"choice":{"model":"m"},"reason":"none"}"#;
        assert_eq!(explain_decision(older).as_deref(), Some("m writes"));
        let template = r#"{"choice":{"template":true},"reason":"predicted_miss"}"#;
        assert_eq!(explain_decision(template).as_deref(), Some("the template writes (predicted miss)"));
        assert_eq!((explain_decision("{}"), explain_decision("no JSON")), (None, None));
    }
}
