//! Test fixtures: captures and operations; the same number gives the same content.

use jiff::Timestamp;

use crate::domain::capture::{By, Capture, CommitRef, Kind, Outcome, Provenance, Quality, Reason, RepoRef, State};
use crate::domain::clock::{Clock, FakeClock};
use crate::domain::event::{Event, HookName, Source};
use crate::domain::id::{CaptureId, Oid, RepoId};
use crate::domain::operation::{Ahead, Operation};
use crate::domain::timing::{Timing, Tokens};

/// A fixed moment, `seconds` after the start of March 2026.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_323_200 + seconds).unwrap()
}

pub fn oid(n: u64) -> Oid {
    format!("{:040x}", n + 1).parse().unwrap()
}

pub fn repo() -> RepoId {
    RepoId::of_common_dir(b"/home/me/shop/.git")
}

pub fn fresh_id(seconds: i64) -> CaptureId {
    CaptureId::fresh(&FakeClock::at(at(seconds)) as &dyn Clock)
}

/// A commit's capture with its template just stored.
pub fn commit(n: u64) -> Capture {
    let seconds = i64::try_from(n).unwrap();
    Capture {
        id: fresh_id(seconds),
        at: at(seconds),
        captured_at: at(seconds),
        kind: Kind::Commit,
        project: "shop".into(),
        tags: vec!["fix".into()],
        repo: Some(RepoRef { path: "/home/me/shop".into(), id: repo() }),
        commit: Some(CommitRef {
            oid: oid(n),
            branch: Some("main".into()),
            subject: format!("Repair basket {n}"),
            author: "A. Writer".into(),
            files: 3,
            insertions: Some(10),
            deletions: None,
            patch_id: Some(format!("{:040x}", n + 0xbeef)),
            change_id: None,
            parents: Vec::new(),
        }),
        raw: format!("Repair basket {n}\n\nIt forgot its checkout_total."),
        summary: format!("Repairs basket {n} in three files."),
        source: Source::Hook,
        provenance: template(Reason::Pending),
        timing: Timing { queue_ms: Some(0.4), budget_ms: Some(2000.0), ..Timing::default() },
        tokens: Tokens::default(),
        quality: None,
        refined: None,
        state: State::Live,
        supersedes: Vec::new(),
        notes: Vec::new(),
    }
}

/// A note outside any repository.
pub fn note(n: u64, text: &str) -> Capture {
    Capture {
        kind: Kind::Note,
        project: "notes".into(),
        tags: Vec::new(),
        repo: None,
        commit: None,
        raw: text.into(),
        summary: text.into(),
        source: Source::Manual,
        quality: Some(quality()),
        ..commit(n)
    }
}

pub fn quality() -> Quality {
    Quality {
        technical_accuracy: 1.0,
        format_compliance: 1.0,
        completeness: 0.8,
        readability: 0.9,
        length: 1.0,
        score: 0.93,
        rubric: "r1".into(),
    }
}

pub fn template(reason: Reason) -> Provenance {
    Provenance { by: By::Template, model: None, endpoint: None, reason, prompt_version: None }
}

/// A model's result after `total` milliseconds.
pub fn answered(summary: &str, total: f64) -> Outcome {
    Outcome {
        summary: Some(summary.into()),
        provenance: Provenance {
            by: By::Model,
            model: Some("orca-mini:3b".into()),
            endpoint: Some("local".into()),
            reason: Reason::None,
            prompt_version: Some("p1".into()),
        },
        timing: Timing { budget_ms: Some(2000.0), total_ms: Some(total), ttft_ms: Some(180.0), ..Timing::default() },
        tokens: Tokens { prompt: Some(210), cached: None, output: Some(34) },
        quality: None,
        wire: Some("rules and question".into()),
        faults: Vec::new(),
        decision: None,
    }
}

pub fn event(n: u64) -> Event {
    Event {
        stamp: at(i64::try_from(n).unwrap()),
        source: Source::Hook,
        hook: Some(HookName::PostCommit),
        git_dir: "/home/me/shop/.git".into(),
        oid: Some(oid(n)),
        rewrites: vec![(oid(n), oid(n + 1))],
        in_sequence: n % 2 == 1,
    }
}

pub fn operation(seconds: i64, micros: u64) -> Operation {
    Operation {
        at: at(seconds),
        op: "capture.commit".into(),
        duration_us: micros,
        budget_us: Some(2_000_000),
        model: Some("orca-mini:3b".into()),
        endpoint: Some("local".into()),
        cold: false,
        ttft_us: Some(micros / 4),
        tps: Some(40.0),
        reason: Reason::None,
        failed: false,
        repaired: false,
        ahead: Ahead::None,
    }
}
