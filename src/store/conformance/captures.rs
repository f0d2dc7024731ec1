//! The life of a capture: template, model text, user edit, export to another store.

use super::{Check, live, picked};
use crate::domain::capture::{AuthoredBy, Capture, CaptureState, ModelOutcome, Reason, Refined};
use crate::store::samples::{answered, commit, fresh_id, note, oid, repo, template, timestamp};
use crate::store::{CaptureRecord, RecordOutcome, Store, StoreError};

pub const CHECKS: &[Check] = &[
    ("a capture comes back as it was stored", captures_come_back),
    ("the model's text replaces the template once", finishing),
    ("a template that stays becomes final", finishing_without_text),
    ("abandoned captures become final and late", abandoned),
    ("a person's words win over a late model", editing),
    ("importing one's own export adds nothing", importing_own),
    ("records that come together are stored together", importing_together),
    ("importing into an empty store gives the same records", importing_elsewhere),
];

fn captures_come_back(store: &dyn Store) {
    let mut odd = commit(2);
    let change = "zxywkvutsrqponmlkzxywkvutsrqponm";
    let commit_ref = odd.commit.as_mut().unwrap();
    (commit_ref.patch_id, commit_ref.change_id) = (None, Some(change.into()));
    odd.repo.as_mut().unwrap().path = "/home/me/\u{fffd}".into();
    odd.tags = Vec::new();
    for capture in [commit(1), odd, note(3, "Fixed auth timeout, 3s to 200ms"), note(4, "")] {
        assert_eq!(store.record_capture(&capture, None).unwrap(), RecordOutcome::New);
        let found = store.capture(&capture.id.to_string()).unwrap();
        assert_eq!(found, CaptureRecord { template: capture.summary.clone(), wire: None, decision: None, capture });
    }
    assert_eq!(store.capture_of_commit(&repo(), &oid(1)).unwrap().unwrap().commit.unwrap().oid, oid(1));
    assert!(store.capture_of_commit(&repo(), &oid(77)).unwrap().is_none());
    let versions = store.live_captures_of_change(&repo(), change).unwrap();
    assert_eq!(versions.into_iter().map(|version| version.commit.unwrap().oid).collect::<Vec<_>>(), [oid(2)]);
}

fn finishing(store: &dyn Store) {
    let capture = commit(1);
    store.record_capture(&capture, None).unwrap();
    assert!(store.finish_capture(capture.id, &|| answered("The basket keeps its total.", 904.0)).unwrap());
    assert!(!store.finish_capture(capture.id, &|| answered("Too late.", 1.0)).unwrap(), "no longer pending");
    assert!(!store.finish_capture(fresh_id(3), &|| answered("Nobody's.", 1.0)).unwrap());
    let found = store.capture(&capture.id.to_string()).unwrap();
    assert_eq!(found.capture.summary, "The basket keeps its total.");
    assert_eq!((found.template, found.wire.as_deref()), (capture.summary, Some("rules and question")));
    assert_eq!(found.capture.provenance, answered("", 0.0).provenance);
    assert_eq!((found.capture.timing.total_ms, found.capture.tokens.output), (Some(904.0), Some(34)));
}

fn finishing_without_text(store: &dyn Store) {
    let capture = commit(1);
    store.record_capture(&capture, None).unwrap();
    let provenance = template(Reason::Refused);
    let outcome = ModelOutcome { summary: None, provenance: provenance.clone(), wire: None, ..answered("", 12.0) };
    assert!(store.finish_capture(capture.id, &|| outcome.clone()).unwrap());
    let found = store.capture(&capture.id.to_string()).unwrap();
    assert_eq!((found.capture.summary, found.capture.provenance), (capture.summary, provenance));
    assert_eq!(found.wire, None);
}

fn abandoned(store: &dyn Store) {
    for n in 1..=3 {
        store.record_capture(&commit(n), None).unwrap();
    }
    store.finish_capture(live(store)[2].id, &|| answered("In time.", 10.0)).unwrap();
    assert_eq!(store.finish_abandoned(timestamp(5), timestamp(9)).unwrap(), 1, "one is final already, one is younger");
    assert_eq!(store.finish_abandoned(timestamp(5), timestamp(9)).unwrap(), 0);
    let found = live(store).remove(1);
    assert_eq!((found.provenance.reason, found.provenance.by), (Reason::Deadline, AuthoredBy::Template));
    let waited = timestamp(9).duration_since(found.captured_at).as_secs_f64() * 1e3;
    assert_eq!(found.timing.total_ms, Some(found.timing.queue_ms.unwrap_or(0.0) + waited));
    let counts = store.count_captures(None, timestamp(0), timestamp(9)).unwrap();
    assert_eq!((counts.pending, counts.budgeted, counts.on_time), (1, 2, 1));
}

fn editing(store: &dyn Store) {
    let capture = commit(1);
    store.record_capture(&capture, None).unwrap();
    let edited = store.edit_capture(capture.id, "What I meant.").unwrap();
    assert_eq!((edited.summary.as_str(), edited.provenance.by), ("What I meant.", AuthoredBy::Human));
    assert_eq!((edited.provenance.reason, edited.provenance.model.clone()), (Reason::None, None));
    assert!(!store.finish_capture(capture.id, &|| answered("The model's.", 900.0)).unwrap());
    assert_eq!(store.finish_abandoned(timestamp(100), timestamp(100)).unwrap(), 0);
    let found = store.capture(&capture.id.to_string()).unwrap();
    assert_eq!((found.capture, found.template), (edited, capture.summary));
    assert!(matches!(store.edit_capture(fresh_id(1), "x"), Err(StoreError::NotFound { .. })));
}

fn records(store: &dyn Store) -> Vec<CaptureRecord> {
    let mut records = Vec::new();
    let mut collect = |record| {
        records.push(record);
        Ok(())
    };
    store.each_record(&mut collect).unwrap();
    records
}

fn fill(store: &dyn Store) {
    for n in 1..=3 {
        store.record_capture(&commit(n), None).unwrap();
    }
    store.record_capture(&note(4, "a thought"), None).unwrap();
    store.finish_capture(live(store)[1].id, &|| answered("The model's.", 10.0)).unwrap();
    store.supersede_commit(&repo(), &oid(1), &oid(2)).unwrap();
}

fn importing_own(store: &dyn Store) {
    fill(store);
    let before = records(store);
    assert_eq!(before.len(), 4, "superseded ones too");
    for record in &before {
        assert_eq!(store.import_records(std::slice::from_ref(record)).unwrap(), 0);
    }
    let same_work = CaptureRecord { capture: Capture { id: fresh_id(9), ..picked(9) }, ..before[1].clone() };
    assert_eq!(
        store.import_records(std::slice::from_ref(&same_work)).unwrap(),
        1,
        "its patch has no live capture here"
    );
    let same_commit = CaptureRecord { capture: Capture { id: fresh_id(10), ..commit(2) }, ..before[1].clone() };
    assert_eq!(store.import_records(std::slice::from_ref(&same_commit)).unwrap(), 0);
    assert_eq!(records(store).len(), 5);
}

fn of_change(mut capture: Capture) -> Capture {
    capture.commit.as_mut().unwrap().change_id = Some("I0123456789abcdef0123456789abcdef01234567".into());
    capture
}

fn importing_elsewhere(store: &dyn Store) {
    let old = CaptureRecord {
        capture: Capture { state: CaptureState::Superseded, ..commit(1) },
        template: "The template.".into(),
        wire: Some("what was sent".into()),
        decision: Some("{}".into()),
    };
    let new = CaptureRecord {
        capture: Capture { supersedes: vec![old.capture.id], ..of_change(picked(2)) },
        template: "Another.".into(),
        wire: None,
        decision: None,
    };
    let refined = CaptureRecord {
        capture: Capture { refined: Some(Refined { at: timestamp(9), model: "big".into() }), ..commit(5) },
        ..new.clone()
    };
    assert_eq!(store.import_records(std::slice::from_ref(&old)).unwrap(), 1);
    assert_eq!(store.import_records(std::slice::from_ref(&new)).unwrap(), 1);
    assert_eq!(store.import_records(std::slice::from_ref(&refined)).unwrap(), 1);
    assert_eq!(records(store), [old, new, refined]);
    assert_eq!(store.count_captures(None, timestamp(0), timestamp(9)).unwrap().refined, 1);
}

fn importing_together(store: &dyn Store) {
    let template = || String::from("The template.");
    let records: Vec<CaptureRecord> = (1..=3)
        .map(|n| CaptureRecord { capture: commit(n), template: template(), wire: None, decision: None })
        .collect();
    assert_eq!(store.import_records(&records[..2]).unwrap(), 2);
    assert_eq!(store.import_records(&records).unwrap(), 1, "two were known");
    let twice = CaptureRecord { capture: commit(4), ..records[0].clone() };
    assert_eq!(store.import_records(&[twice.clone(), twice]).unwrap(), 1, "also from the same call");
    assert_eq!(store.import_records(&[]).unwrap(), 0);
    assert_eq!(live(store).len(), 4);
}
