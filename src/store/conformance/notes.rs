//! Notes and their commits.

use super::Check;
use crate::domain::capture::{Capture, Outcome};
use crate::store::samples::{answered, at, commit, note, oid, repo};
use crate::store::{CaptureQuery, Store};

pub const CHECKS: &[Check] = &[
    ("notes are found before a commit, with the commits they belong to", notes_before),
    ("what quotes a forgotten note is forgotten with it", forgetting),
];

/// A note in the repository of the commits.
fn noted(n: u64, text: &str) -> Capture {
    Capture { repo: commit(n).repo, ..note(n, text) }
}

fn notes_before(store: &dyn Store) {
    let (early, one, two) = (noted(1, "early"), noted(5, "one"), noted(6, "two"));
    let owner = Capture { notes: vec![one.id], ..commit(8) };
    for capture in [&early, &two, &one, &note(6, "elsewhere"), &owner, &commit(9)] {
        store.record_capture(capture, None).unwrap();
    }
    let found = |since, until| {
        let found = store.notes_before(&repo(), at(since), at(until)).unwrap();
        found.into_iter().map(|found| (found.note.raw, found.commits)).collect::<Vec<_>>()
    };
    assert_eq!(found(5, 7), [("one".to_owned(), vec![oid(8)]), ("two".to_owned(), vec![])]);
    assert_eq!(found(5, 6).len(), 1, "half-open");
    assert_eq!(store.capture(&owner.id.to_string()).unwrap().capture.notes, [one.id]);
    store.finish_capture(owner.id, &|| answered("Retries.", 9.0)).unwrap();
    assert_eq!(
        store.capture(&owner.id.to_string()).unwrap().capture.notes,
        [one.id],
        "a model changes nothing in that"
    );
    store.supersede(&repo(), &oid(8), &oid(9)).unwrap();
    assert_eq!(found(5, 6), [("one".to_owned(), vec![])], "what was replaced owns nothing");
}

fn forgetting(store: &dyn Store) {
    let secret = noted(1, "the customer is ACME");
    let quote = |before: &str| format!("{before} Noted before: “the customer is ACME”.");
    let owner = Capture { notes: vec![secret.id], summary: quote("Retry login."), ..commit(2) };
    store.record_capture(&secret, None).unwrap();
    store.record_capture(&owner, None).unwrap();
    let decision = serde_json::json!({"reason": "none", "answer": quote("Retries."), "dropped": ["ACME (b)"]});
    let sent = Outcome {
        summary: Some(quote("Retries.")),
        wire: Some(quote("sent")),
        decision: Some(decision.to_string()),
        ..answered("", 9.0)
    };
    store.finish_capture(owner.id, &|| sent.clone()).unwrap();
    store.forget_capture(secret.id, at(0)).unwrap();
    let left = store.capture(&owner.id.to_string()).unwrap();
    assert_eq!((left.capture.summary.as_str(), left.template.as_str()), ("Retries.", "Retry login."));
    assert_eq!((left.wire, left.capture.notes), (None, vec![]));
    assert!(left.decision.is_none_or(|decision| !decision.contains("ACME")), "nor what the model answered");
    assert!(store.search("ACME", &CaptureQuery::default()).unwrap().is_empty());
}
