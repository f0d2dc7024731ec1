//! Captures and drafts for tests, as the pipeline makes them.

use crate::domain::capture::{AuthoredBy, Capture, CaptureKind, CaptureState, CommitRef, Provenance, Reason};
use crate::domain::clock::FakeClock;
use crate::domain::draft::{Draft, DraftKind, DraftState, Period};
use crate::domain::event::Source;
use crate::domain::id::{CaptureId, DraftId, Oid};
use crate::domain::timing::{Timing, Tokens};

/// A commit of `project` at `moment`, captured at once, with `text` as message and summary. Its object id is made of
/// moment and text, so that it is the same in every run.
pub fn capture(project: &str, moment: &str, text: &str) -> Capture {
    let at = moment.parse().unwrap();
    let subject = text.lines().next().unwrap_or_default();
    Capture {
        id: CaptureId::fresh(&FakeClock::at(at)),
        at,
        captured_at: at,
        kind: CaptureKind::Commit,
        project: project.to_owned(),
        tags: Vec::new(),
        repo: None,
        commit: Some(commit(&oid(&format!("{moment}{text}")), subject)),
        raw: text.to_owned(),
        summary: subject.to_owned(),
        source: Source::Hook,
        provenance: Provenance {
            by: AuthoredBy::Template,
            model: None,
            endpoint: None,
            reason: Reason::Disabled,
            prompt_version: None,
        },
        timing: Timing::default(),
        tokens: Tokens::default(),
        quality: None,
        refined: None,
        state: CaptureState::Live,
        supersedes: Vec::new(),
        notes: Vec::new(),
    }
}

/// A note of `project` at `moment`.
pub fn note(project: &str, moment: &str, text: &str) -> Capture {
    Capture { kind: CaptureKind::Note, commit: None, summary: text.to_owned(), ..capture(project, moment, text) }
}

/// An accepted devlog of one day of the project `harbour`.
pub fn draft(title: &str, body: &str) -> Draft {
    let midnight = |date: &str| format!("{date}T00:00:00Z").parse().unwrap();
    let created_at = midnight("2026-03-04");
    Draft {
        id: DraftId::fresh(&FakeClock::at(created_at)),
        kind: DraftKind::Devlog,
        project: "harbour".to_owned(),
        repo: None,
        period: Period { from: midnight("2026-03-03"), to: created_at },
        state: DraftState::Accepted,
        attempt: 1,
        max_attempts: 5,
        next_at: None,
        model: None,
        title: title.to_owned(),
        body: body.to_owned(),
        format: "markdown".to_owned(),
        sources: Vec::new(),
        edit: None,
        quality: None,
        error: None,
        created_at,
        finished_at: None,
    }
}

fn commit(oid: &str, subject: &str) -> CommitRef {
    CommitRef {
        oid: oid.parse::<Oid>().unwrap(),
        branch: None,
        subject: subject.to_owned(),
        author: "A U Thor".to_owned(),
        files: 2,
        insertions: Some(10),
        deletions: Some(4),
        patch_id: None,
        change_id: None,
        parents: Vec::new(),
    }
}

fn oid(seed: &str) -> String {
    let hash = crate::text::hash::fnv1a(seed.bytes());
    format!("{hash:016x}{hash:016x}00000001")
}
