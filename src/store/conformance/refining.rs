//! Routing decisions and deferred refinement.

use jiff::Timestamp;

use super::{Check, live};
use crate::domain::capture::{AuthoredBy, Capture, CaptureState, ModelOutcome, Reason, Refined};
use crate::domain::id::CaptureId;
use crate::domain::operation::Operation;
use crate::domain::role::Role;
use crate::route::merit::Mean;
use crate::store::samples::{answered, commit, fresh_id, note, oid, operation, quality, repo, template, timestamp};
use crate::store::{CaptureQuery, Refinement, Store};

pub const CHECKS: &[Check] = &[
    ("a decision is kept with its capture, and goes with it", decisions),
    ("templates that stand for want of time can be refined, newest first", refinable),
    ("what was tried in vain rests, and twice is enough", tries),
    ("a better text takes the place of the template and nothing else changes", refining),
    ("only the template is replaced, never what came since", what_came_since),
    ("a person's words end a refinement", edited_later),
    ("what was seen of a model's texts is summed up", evidence),
    ("the answers that were judged are told, newest first", judged),
];

/// A final capture with this number that kept its template for this reason.
fn recorded(store: &dyn Store, n: u64, reason: Reason) -> Capture {
    let capture = commit(n);
    store.record_capture(&capture, None).unwrap();
    let outcome = ModelOutcome {
        summary: None,
        provenance: template(reason),
        wire: None,
        decision: Some(format!("{{\"n\":{n}}}")),
        ..answered("", 1900.0)
    };
    assert!(store.finish_capture(capture.id, &|| outcome.clone()).unwrap());
    store.capture(&capture.id.to_string()).unwrap().capture
}

fn better(text: &str) -> Refinement {
    Refinement {
        at: timestamp(900),
        summary: text.into(),
        model: "big:13b".into(),
        endpoint: "attic".into(),
        prompt_version: "p2".into(),
        quality: Some(quality()),
        decision: None,
        wire: "asked again".into(),
        faults: vec!["It flies. (unknown_name)".into()],
    }
}

fn ids(store: &dyn Store, tried_before: Timestamp) -> Vec<CaptureId> {
    store.refinable(timestamp(0), tried_before, 9).unwrap().iter().map(|capture| capture.id).collect()
}

fn decisions(store: &dyn Store) {
    let capture = recorded(store, 1, Reason::Cold);
    assert_eq!(store.decision(capture.id).unwrap().as_deref(), Some("{\"n\":1}"));
    assert_eq!(store.capture(&capture.id.to_string()).unwrap().decision.as_deref(), Some("{\"n\":1}"));
    let other = commit(2);
    store.record_capture(&other, None).unwrap();
    store.finish_capture(other.id, &|| answered("The model's.", 10.0)).unwrap();
    assert_eq!(store.decision(other.id).unwrap(), None);
    assert_eq!(store.decision(fresh_id(9)).unwrap(), None);
    store.forget_capture(capture.id, timestamp(0)).unwrap();
    assert_eq!(store.decision(capture.id).unwrap(), None);
}

fn refinable(store: &dyn Store) {
    let reasons = [Reason::Deadline, Reason::Cold, Reason::PredictedMiss, Reason::BreakerOpen, Reason::Refused];
    let mut wanted: Vec<CaptureId> = (1..).zip(reasons).map(|(n, reason)| recorded(store, n, reason).id).collect();
    wanted.reverse();
    let never = [Reason::Disabled, Reason::Ungrounded, Reason::Unusable, Reason::Overflow];
    (11..).zip(never).for_each(|(n, reason)| drop(recorded(store, n, reason)));
    store.record_capture(&commit(21), None).unwrap();
    let answer = commit(22);
    store.record_capture(&answer, None).unwrap();
    store.finish_capture(answer.id, &|| answered("The model's.", 10.0)).unwrap();
    let salvaged = Capture { provenance: answered("", 0.0).provenance, ..commit(23) };
    store.record_capture(&salvaged, None).unwrap();
    assert_eq!(ids(store, timestamp(99)), wanted);
    let lately = store.refinable(timestamp(3), timestamp(99), 2).unwrap();
    assert_eq!(lately.iter().map(|capture| capture.id).collect::<Vec<_>>(), wanted[..2]);
    assert_eq!(store.refinable(timestamp(4), timestamp(99), 9).unwrap().len(), 2, "captured since");
    store.supersede_commit(&repo(), &oid(4), &oid(5)).unwrap();
    assert_eq!(ids(store, timestamp(99)).len(), 4);
}

fn tries(store: &dyn Store) {
    let (first, second) = (recorded(store, 1, Reason::Cold).id, recorded(store, 2, Reason::Cold).id);
    store.record_failed_refinement(second, timestamp(50)).unwrap();
    assert_eq!(ids(store, timestamp(50)), [first], "it rests");
    assert_eq!(ids(store, timestamp(51)), [second, first]);
    store.record_failed_refinement(second, timestamp(60)).unwrap();
    assert_eq!(ids(store, timestamp(999)), [first]);
    store.record_failed_refinement(fresh_id(9), timestamp(60)).unwrap();
}

fn refining(store: &dyn Store) {
    let before = recorded(store, 1, Reason::Deadline);
    let counted = store.count_captures(None, timestamp(0), timestamp(9)).unwrap();
    assert!(store.refine_capture(before.id, &better("The basket keeps a zebra.")).unwrap());
    let record = store.capture(&before.id.to_string()).unwrap();
    let after = record.capture;
    assert_eq!(after.refined, Some(Refined { at: timestamp(900), model: "big:13b".into() }));
    assert_eq!((after.provenance.by, after.provenance.reason), (AuthoredBy::Model, Reason::None));
    assert_eq!(after.provenance.endpoint.as_deref(), Some("attic"));
    assert_eq!((after.provenance.prompt_version.as_deref(), &after.quality), (Some("p2"), &Some(quality())));
    let same = Capture {
        summary: before.summary.clone(),
        provenance: before.provenance.clone(),
        quality: before.quality.clone(),
        refined: None,
        ..after.clone()
    };
    assert_eq!(same, before, "timing, tokens and the rest are the capture's own");
    assert_eq!((record.template, record.wire.as_deref()), (before.summary.clone(), Some("asked again")));
    assert_eq!(store.faults(before.id).unwrap(), better("").faults);
    assert_eq!(record.decision.as_deref(), Some("{\"n\":1}"), "why it was a template at first");
    let counts = store.count_captures(None, timestamp(0), timestamp(9)).unwrap();
    assert_eq!((counts.budgeted, counts.on_time), (counted.budgeted, counted.on_time));
    assert_eq!((counts.refined, counted.refined, counts.by_provenance), (1, 0, vec![("model".into(), 1)]));
    assert_eq!(store.count_captures(Some(&repo()), timestamp(0), timestamp(9)).unwrap().refined, 1);
    assert_eq!(store.count_captures(None, timestamp(5), timestamp(9)).unwrap().refined, 0);
    let found = |words| store.search(words, &CaptureQuery::default()).unwrap().len();
    assert_eq!((found("zebra"), found("\"three files\"")), (1, 0), "the index follows");
    assert!(ids(store, timestamp(999)).is_empty());
    assert!(!store.refine_capture(before.id, &better("Once more.")).unwrap());
    let other = recorded(store, 2, Reason::Deadline);
    let decided = Refinement { decision: Some(r#"{"answer":"All of it."}"#.into()), ..better("Better.") };
    assert!(store.refine_capture(other.id, &decided).unwrap());
    assert_eq!(store.decision(other.id).unwrap(), decided.decision, "what the model said that wrote the text");
}

fn what_came_since(store: &dyn Store) {
    let refused = |store: &dyn Store, id| assert!(!store.refine_capture(id, &better("Too late.")).unwrap());
    let edited = recorded(store, 1, Reason::Cold).id;
    store.edit_capture(edited, "What I meant.").unwrap();
    refused(store, edited);
    let (old, _new) = (recorded(store, 2, Reason::Cold).id, recorded(store, 3, Reason::Disabled).id);
    store.supersede_commit(&repo(), &oid(2), &oid(3)).unwrap();
    refused(store, old);
    let forgotten = recorded(store, 4, Reason::Cold).id;
    store.forget_capture(forgotten, timestamp(0)).unwrap();
    refused(store, forgotten);
    let pending = note(5, "a thought");
    store.record_capture(&pending, None).unwrap();
    refused(store, pending.id);
    refused(store, fresh_id(9));
    assert!(live(store).iter().all(|capture| capture.summary != "Too late." && capture.refined.is_none()));
    assert_eq!(store.capture(&old.to_string()).unwrap().capture.state, CaptureState::Superseded);
}

fn edited_later(store: &dyn Store) {
    let id = recorded(store, 1, Reason::Cold).id;
    assert!(store.refine_capture(id, &better("The model's.")).unwrap());
    let edited = store.edit_capture(id, "Mine.").unwrap();
    assert_eq!((edited.refined, edited.provenance.by), (None, AuthoredBy::Human));
    assert_eq!(store.count_captures(None, timestamp(0), timestamp(9)).unwrap().refined, 0);
}

fn evidence(store: &dyn Store) {
    let share = |mean: Mean| (mean.n, (mean.sum * 100.0).round());
    assert!(store.evidence(timestamp(0)).unwrap().is_empty());
    for n in 1..=3 {
        let id = recorded(store, n, Reason::Cold).id;
        if n > 1 {
            assert!(store.refine_capture(id, &better("Three of the four.")).unwrap());
        }
        if n == 3 {
            store.edit_capture(id, "Three of the many.").unwrap();
            store.edit_capture(id, "Nothing of it.").unwrap();
        }
    }
    let evidence = store.evidence(timestamp(0)).unwrap();
    let [one] = &evidence[..] else { panic!("{evidence:?}") };
    assert_eq!((one.model.as_str(), one.role, share(one.evidence.rubric)), ("big:13b", Role::Capture, (1, 93.0)));
    assert_eq!(one.evidence.kept.n, 1, "what replaces a person's own words is no model's");
    assert!((0.7..1.0).contains(&one.evidence.kept.sum), "{:?}", one.evidence.kept);
    assert!(store.evidence(timestamp(1_000_000)).unwrap().is_empty(), "long ago");
}

fn judged(store: &dyn Store) {
    let log = |n: i64, op: &str, reason: Reason, failed: bool| {
        store.log_operation(&Operation { op: op.into(), reason, failed, ..operation(n, 1000) }).unwrap();
    };
    log(1, "capture.commit", Reason::None, false);
    log(2, "capture.note", Reason::Ungrounded, false);
    log(3, "refine.commit", Reason::Salvaged, false);
    log(4, "draft.devlog", Reason::Unusable, false);
    // An aborted server, a timeout and a template are no evidence about a model's texts.
    log(5, "capture.commit", Reason::Unusable, true);
    log(6, "capture.commit", Reason::Deadline, false);
    store.log_operation(&Operation { model: None, endpoint: None, ..operation(7, 1000) }).unwrap();
    store.log_operation(&Operation { op: "reconcile".into(), ..operation(8, 1000) }).unwrap();
    let answers_since = |since| -> Vec<(Timestamp, Role, bool)> {
        store.judged_answers(timestamp(since)).unwrap().into_iter().map(|one| (one.at, one.role, one.used)).collect()
    };
    let all = [
        (timestamp(4), Role::Devlog, false),
        (timestamp(3), Role::Capture, true),
        (timestamp(2), Role::Capture, false),
        (timestamp(1), Role::Capture, true),
    ];
    assert_eq!((answers_since(0), answers_since(3)), (all.to_vec(), all[..2].to_vec()));
    let one = store.judged_answers(timestamp(0)).unwrap().remove(0);
    assert_eq!((one.endpoint.as_str(), one.model.as_str()), ("local", "orca-mini:3b"));
}
