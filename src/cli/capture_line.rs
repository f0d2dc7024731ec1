//! Capture formatting for people: one line, or in full.

use jiff::Zoned;

use super::ui::{BOLD, DIM, Ui, one_line};
use super::when;
use crate::domain::capture::{AuthoredBy, Capture, CaptureState, Provenance, Reason};

/// Length of an id's millisecond part, with the hyphen: the minimum shown in lists.
const SHORT_ID: usize = 13;

/// The shortest unique prefixes of these ids, at least a millisecond long.
#[must_use]
pub fn short_ids(ids: impl Iterator<Item = impl ToString>) -> Vec<String> {
    let full: Vec<String> = ids.map(|id| id.to_string()).collect();
    let mut sorted: Vec<&str> = full.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let shared = |pair: &[&str]| pair[0].bytes().zip(pair[1].bytes()).take_while(|(a, b)| a == b).count();
    let shared = sorted.windows(2).map(shared).max().unwrap_or(0);
    let length = (shared + 1).max(SHORT_ID);
    full.into_iter().map(|id| id.chars().take(length).collect()).collect()
}

/// Formats one line: the summary, then in brackets why the text is not a model's, and whether the capture still counts.
#[must_use]
pub fn format_line(capture: &Capture, ui: &Ui) -> String {
    let origin = match (capture.provenance.by, capture.provenance.reason) {
        (AuthoredBy::Model, Reason::Salvaged) => Some("cut short".to_owned()),
        (AuthoredBy::Model, _) => None,
        (AuthoredBy::Human, _) => Some("edited".to_owned()),
        (AuthoredBy::Template, Reason::Pending) => Some("pending".to_owned()),
        (AuthoredBy::Template, reason) => Some(format!("template: {}", describe_reason(reason))),
    };
    let superseded = (capture.state == CaptureState::Superseded).then(|| "superseded".to_owned());
    let marks = origin.into_iter().chain(superseded).collect::<Vec<_>>().join(", ");
    let marks = if marks.is_empty() { String::new() } else { format!("  {}", ui.paint(DIM, &format!("[{marks}]"))) };
    format!("{}{marks}", one_line(&capture.summary))
}

/// Fallback reason for people; `show` and the JSON have the identifier itself.
#[must_use]
pub fn describe_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Disabled => "no model was asked",
        Reason::BreakerOpen => "the model is paused after repeated failures",
        Reason::Cold => "the model was not loaded",
        Reason::PredictedMiss => "the model would have been late",
        Reason::Deadline => "the model was late",
        Reason::Ungrounded => "the model's text did not match the change",
        Reason::Unusable => "the model gave no usable text",
        Reason::Refused => "no model answered",
        Reason::Overflow => "too long for the model",
        Reason::None | Reason::Pending | Reason::Salvaged => reason.as_str(),
    }
}

/// Formats a whole capture as lines `name  value`.
#[must_use]
pub fn format_full(capture: &Capture, ui: &Ui, now: &Zoned) -> String {
    let mut rows = vec![("id", capture.id.to_string()), ("when", when::full(capture.at, now))];
    rows.push(("project", capture.project.clone()));
    rows.extend(capture.repo.as_ref().map(|repo| ("repository", repo.path.clone())));
    rows.extend(commit_rows(capture));
    rows.extend((!capture.tags.is_empty()).then(|| ("tags", capture.tags.join(", "))));
    rows.push(("written by", written_by(&capture.provenance)));
    rows.extend(capture.quality.as_ref().map(|quality| {
        // In percent, the total first. The rule set's name tells which scores are comparable.
        let parts = [
            quality.score,
            quality.technical_accuracy,
            quality.format_compliance,
            quality.completeness,
            quality.readability,
            quality.length,
        ];
        let [total, accuracy, format, completeness, readability, length] = parts.map(|score| score * 100.0);
        let text = format!(
            "{total:.0} % (accuracy {accuracy:.0}, format {format:.0}, completeness {completeness:.0},              readability {readability:.0}, length {length:.0}; rubric {})",
            quality.rubric
        );
        ("quality", text)
    }));
    rows.extend(timing(capture).map(|text| ("took", text)));
    rows.push(("source", capture.source.as_str().to_owned()));
    rows.extend(capture.refined.as_ref().map(|r| ("refined", format!("{} by {}", when::full(r.at, now), r.model))));
    rows.extend((capture.state == CaptureState::Superseded).then(|| ("state", "superseded".to_owned())));
    let ids: Vec<String> = capture.supersedes.iter().map(ToString::to_string).collect();
    rows.extend((!ids.is_empty()).then(|| ("replaces", ids.join(", "))));
    let text = super::ui::sanitise(&capture.summary);
    let facts: String = rows.iter().map(|(name, value)| format_fact(ui, name, value)).collect();
    format!("{}\n\n{facts}", ui.paint(BOLD, &text))
}

/// Formats one line `name  value`.
#[must_use]
pub fn format_fact(ui: &Ui, name: &str, value: &str) -> String {
    format!("{}  {}\n", ui.paint(DIM, &format!("{name:>10}")), one_line(value))
}

fn commit_rows(capture: &Capture) -> Vec<(&'static str, String)> {
    let Some(commit) = &capture.commit else { return vec![("note", capture.raw.clone())] };
    let count = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let on = commit.branch.as_ref().map(|branch| format!(" on {branch}")).unwrap_or_default();
    let files = if commit.files == 1 { "1 file".to_owned() } else { format!("{} files", commit.files) };
    vec![
        ("commit", format!("{}{on}", commit.oid)),
        ("subject", commit.subject.clone()),
        ("author", commit.author.clone()),
        ("changes", format!("{files}, +{} -{}", count(commit.insertions), count(commit.deletions))),
    ]
}

fn written_by(provenance: &Provenance) -> String {
    let reason = provenance.reason.as_str().replace('_', " ");
    match provenance.by {
        AuthoredBy::Human => "you".to_owned(),
        AuthoredBy::Template if provenance.reason == Reason::Pending => {
            "the template, a model is being asked".to_owned()
        }
        AuthoredBy::Template => format!("the template ({reason}: {})", describe_reason(provenance.reason)),
        AuthoredBy::Model => {
            let at = provenance.endpoint.as_ref().map(|name| format!(" at {name}")).unwrap_or_default();
            let how = if provenance.reason == Reason::None { String::new() } else { format!(" ({reason})") };
            format!("{}{at}{how}", provenance.model.as_deref().unwrap_or("a model"))
        }
    }
}

fn timing(capture: &Capture) -> Option<String> {
    let total = capture.timing.total_ms?;
    let part = |name: &str, ms: Option<f64>| ms.map(|ms| format!("{name} {ms:.0}"));
    let parts: Vec<String> = [
        part("queue", capture.timing.queue_ms),
        part("load", capture.timing.load_ms.filter(|ms| *ms > 0.0)),
        part("first token", capture.timing.ttft_ms),
        part("model", capture.timing.model_ms),
        part("our own", capture.timing.overhead_ms),
        part("budget", capture.timing.budget_ms),
    ]
    .into_iter()
    .flatten()
    .collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    Some(format!("{total:.0} ms{parts}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cli::ui::OutputOptions;
    use crate::domain::capture::{CaptureKind, CommitRef, Quality, RepoRef};
    use crate::domain::event::Source;
    use crate::domain::id::RepoId;
    use crate::domain::timing::{Timing, Tokens};

    /// A finished capture of a commit.
    pub(crate) fn capture() -> Capture {
        Capture {
            id: "019d4a00-0000-7000-8000-000000000001".parse().unwrap(),
            at: "2026-04-01T06:05:00Z".parse().unwrap(),
            captured_at: "2026-04-01T06:05:01Z".parse().unwrap(),
            kind: CaptureKind::Commit,
            project: "api".into(),
            tags: vec!["fix".into()],
            repo: Some(RepoRef { path: "/src/api".into(), id: RepoId::from_stored("00ff".into()) }),
            commit: Some(CommitRef {
                oid: "1".repeat(40).parse().unwrap(),
                branch: Some("main".into()),
                subject: "Cut the auth timeout".into(),
                author: "A".into(),
                files: 1,
                insertions: Some(10),
                deletions: None,
                patch_id: None,
                change_id: None,
                parents: Vec::new(),
            }),
            raw: "Cut the auth timeout".into(),
            summary: "Auth now times out after 200 ms.".into(),
            source: Source::Hook,
            provenance: Provenance {
                by: AuthoredBy::Model,
                model: Some("orca-mini:3b".into()),
                endpoint: Some("local".into()),
                reason: Reason::None,
                prompt_version: None,
            },
            timing: Timing { total_ms: Some(904.2), ttft_ms: Some(180.0), ..Timing::default() },
            tokens: Tokens::default(),
            quality: None,
            refined: None,
            state: CaptureState::Live,
            supersedes: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn now() -> Zoned {
        "2026-04-01T14:30:00+02:00[Europe/Berlin]".parse().unwrap()
    }

    fn plain() -> Ui {
        Ui::in_memory(OutputOptions::default()).0
    }

    #[test]
    fn a_models_sentence_stands_alone_and_everything_else_says_what_it_is() {
        let mut capture = capture();
        assert_eq!(format_line(&capture, &plain()), "Auth now times out after 200 ms.");
        for (by, reason, mark) in [
            (AuthoredBy::Model, Reason::Salvaged, "cut short"),
            (AuthoredBy::Template, Reason::Pending, "pending"),
            (AuthoredBy::Template, Reason::BreakerOpen, "template: the model is paused after repeated failures"),
            (AuthoredBy::Human, Reason::None, "edited"),
        ] {
            (capture.provenance.by, capture.provenance.reason) = (by, reason);
            assert_eq!(format_line(&capture, &plain()), format!("Auth now times out after 200 ms.  [{mark}]"));
        }
        capture.state = CaptureState::Superseded;
        assert!(format_line(&capture, &plain()).ends_with("[edited, superseded]"));
    }

    #[test]
    fn a_line_is_one_line_whatever_the_text_holds() {
        let mut capture = capture();
        capture.summary = "one\ntwo \u{1b}[31mred".into();
        assert_eq!(format_line(&capture, &plain()), "one two \u{fffd}[31mred");
    }

    #[test]
    fn ids_are_shortened_as_far_as_they_differ() {
        let with = |id: &str| Capture { id: id.parse().unwrap(), ..capture() };
        let far = [with("019d4a00-0000-7000-8000-000000000001"), with("019d4a00-0001-7000-8000-000000000001")];
        assert_eq!(short_ids(far.iter().map(|capture| capture.id)), ["019d4a00-0000", "019d4a00-0001"]);
        let near = [with("019d4a00-0000-7000-8000-000000000001"), with("019d4a00-0000-7001-8000-000000000001")];
        assert_eq!(short_ids(near.iter().map(|capture| capture.id)), ["019d4a00-0000-7000", "019d4a00-0000-7001"]);
        assert!(short_ids(std::iter::empty::<String>()).is_empty());
    }

    #[test]
    fn the_full_form_says_everything_once() {
        let expected = "\
Auth now times out after 200 ms.

        id  019d4a00-0000-7000-8000-000000000001
      when  2026-04-01 08:05:00 +02:00
   project  api
repository  /src/api
    commit  1111111111111111111111111111111111111111 on main
   subject  Cut the auth timeout
    author  A
   changes  1 file, +10 -?
      tags  fix
written by  orca-mini:3b at local
      took  904 ms (first token 180)
    source  hook
";
        assert_eq!(format_full(&capture(), &plain(), &now()), expected);
    }

    #[test]
    fn scores_are_shown_in_percent_with_the_name_of_their_rules() {
        let rubric = "1a2b3c4d".to_owned();
        let quality = Quality {
            technical_accuracy: 1.0,
            format_compliance: 0.85,
            completeness: 0.458,
            readability: 0.9,
            length: 1.0,
            score: 0.876,
            rubric,
        };
        let text = format_full(&Capture { quality: Some(quality), ..capture() }, &plain(), &now());
        let row =
            "quality  88 % (accuracy 100, format 85, completeness 46, readability 90, length 100; rubric 1a2b3c4d)";
        assert!(text.contains(row), "{text}");
    }
}
