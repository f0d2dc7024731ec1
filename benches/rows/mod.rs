//! A store full of made-up captures and operations.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use jiff::Timestamp;
use uro_capture::domain::capture::{
    AuthoredBy, Capture, CaptureKind, CaptureState, CommitRef, ModelOutcome, Provenance, Reason, RepoRef,
};
use uro_capture::domain::clock::{Clock, FakeClock};
use uro_capture::domain::event::Source;
use uro_capture::domain::id::{CaptureId, Oid, RepoId};
use uro_capture::domain::operation::{Operation, PrefillOutcome};
use uro_capture::domain::timing::{Timing, Tokens};
use uro_capture::store::sqlite::SqliteStore;
use uro_capture::store::{CaptureStore, OperationLog};

const VERBS: [&str; 8] = ["Repair", "Add", "Remove", "Speed up", "Rename", "Document", "Test", "Split"];
const NOUNS: [&str; 24] = [
    "basket", "checkout_total", "login", "session", "token", "parser", "lexer", "cache", "index", "queue", "worker",
    "lease", "spool", "hook", "branch", "merge", "rebase", "template", "prompt", "router", "budget", "deadline",
    "socket", "timeout",
];

/// One microsecond stands for one capture, so that a million fit into a window.
pub fn at(n: u64) -> Timestamp {
    Timestamp::from_microsecond(1_772_323_200_000_000 + i64::try_from(n).unwrap() * 1000).unwrap()
}

fn pick<'a>(from: &[&'a str], n: u64, salt: u64) -> &'a str {
    let mixed = (n ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    from[usize::try_from(mixed).unwrap() % from.len()]
}

pub fn capture(n: u64) -> Capture {
    let project = format!("project{}", n % 7);
    let subject = format!("{} {} of {} {n}", pick(&VERBS, n, 1), pick(&NOUNS, n, 2), pick(&NOUNS, n, 3));
    let raw = format!(
        "{subject}\n\nThe {} lost its {} whenever the {} was slow, because nobody waited for the {}.",
        pick(&NOUNS, n, 4),
        pick(&NOUNS, n, 5),
        pick(&NOUNS, n, 6),
        pick(&NOUNS, n, 7)
    );
    Capture {
        id: CaptureId::fresh(&FakeClock::at(at(n)) as &dyn Clock),
        at: at(n),
        captured_at: at(n),
        kind: if n.is_multiple_of(20) { CaptureKind::Merge } else { CaptureKind::Commit },
        tags: vec!["fix".into()],
        repo: Some(RepoRef { path: format!("/home/me/{project}"), id: repo(n % 7) }),
        commit: Some(CommitRef {
            oid: oid(n),
            branch: Some("main".into()),
            subject,
            author: "A. Writer".into(),
            files: 3,
            insertions: Some(10),
            deletions: Some(2),
            patch_id: Some(format!("{:040x}", u128::from(n) + (1 << 70))),
            change_id: None,
            parents: Vec::new(),
        }),
        project,
        raw,
        summary: format!("Changes {} in three files: {}.", pick(&NOUNS, n, 8), pick(&NOUNS, n, 9)),
        source: Source::Hook,
        provenance: Provenance {
            by: AuthoredBy::Template,
            model: None,
            endpoint: None,
            reason: Reason::Pending,
            prompt_version: None,
        },
        timing: Timing { budget_ms: Some(2000.0), ..Timing::default() },
        tokens: Tokens::default(),
        quality: None,
        refined: None,
        state: CaptureState::Live,
        supersedes: Vec::new(),
        notes: Vec::new(),
    }
}

pub fn repo(n: u64) -> RepoId {
    RepoId::from_common_dir(format!("/home/me/project{n}/.git").as_bytes())
}

pub fn outcome(n: u64) -> ModelOutcome {
    ModelOutcome {
        summary: Some(format!("The {} keeps its {} now.", pick(&NOUNS, n, 10), pick(&NOUNS, n, 11))),
        provenance: Provenance {
            by: AuthoredBy::Model,
            model: Some("orca-mini:3b".into()),
            endpoint: Some("local".into()),
            reason: Reason::None,
            prompt_version: Some("p1".into()),
        },
        timing: Timing { budget_ms: Some(2000.0), total_ms: Some(904.0), ..Timing::default() },
        tokens: Tokens::default(),
        quality: None,
        wire: None,
        faults: Vec::new(),
        decision: None,
    }
}

pub fn operation(n: u64) -> Operation {
    let mixed = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44) % 2_400_000;
    let template = n.is_multiple_of(4);
    Operation {
        at: at(n),
        op: ["capture.commit", "capture.note", "draft.devlog"][usize::try_from(n % 3).unwrap()].into(),
        duration_us: mixed,
        budget_us: Some(2_000_000),
        model: (!template).then(|| "orca-mini:3b".into()),
        endpoint: (!template).then(|| "local".into()),
        cold: n % 50 == 1,
        ttft_us: (!template).then_some(mixed / 4),
        tps: (!template).then_some(40.0),
        reason: if template { Reason::Deadline } else { Reason::None },
        failed: false,
        repaired: false,
        prefill: PrefillOutcome::None,
    }
}

/// Fills an empty store with so many captures and operations.
pub fn fill(store: &SqliteStore, rows: u64) {
    for n in 0..rows {
        let capture = capture(n);
        if n % 10 == 0 {
            store.record_capture(&capture, None).unwrap();
            store.finish_capture(capture.id, &|| outcome(n)).unwrap();
        } else {
            let mut done = capture;
            done.provenance = outcome(n).provenance;
            done.timing = outcome(n).timing;
            store.record_capture(&done, None).unwrap();
        }
        store.log_operation(&operation(n)).unwrap();
    }
}

pub fn oid(n: u64) -> Oid {
    format!("{:040x}", n + 1).parse().unwrap()
}
