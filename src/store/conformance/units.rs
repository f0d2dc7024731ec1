//! One unit of work, one live capture.

use super::{Check, live, picked};
use crate::domain::capture::{Capture, CaptureState, Reason};
use crate::domain::event::Source;
use crate::domain::id::{Oid, RepoId};
use crate::store::samples::{answered, commit, event, fresh_id, oid, operation, repo, template, timestamp};
use crate::store::{CaptureQuery, FinalCapture, RecordOutcome, SpoolPosition, Store, StoreError};

pub const CHECKS: &[Check] = &[
    ("a commit is captured once", a_commit_once),
    ("a patch tells its live captures", patches),
    ("a change tells its live captures", changes),
    ("what a capture supersedes becomes superseded", supersedes),
    ("a rewrite supersedes the old commit, and no circle arises", rewrites),
    ("an older commit that comes to light late is superseded from the start", late_commits),
    ("what a hook reported after a watcher is the hook's", credits),
    ("what is visible again is live, and stands for what stood for it", restoring),
    ("a commit that was superseded is told by what replaced it", superseded_commits),
    ("a forgotten capture is gone and does not come back by itself", forgetting),
    ("commits that were skipped are never captured by themselves", skipping),
    ("a forgotten patch does not come back under another commit", forgetting_patches),
];

fn a_commit_once(store: &dyn Store) {
    let first = commit(1);
    assert_eq!(store.record_capture(&first, None).unwrap(), RecordOutcome::New);
    let again = Capture { id: fresh_id(5), source: Source::Reconcile, ..commit(1) };
    assert_eq!(store.record_capture(&again, None).unwrap(), RecordOutcome::Known(first.id));
    let mut elsewhere = Capture { id: fresh_id(6), ..commit(1) };
    elsewhere.repo.as_mut().unwrap().id = RepoId::from_common_dir(b"/another/.git");
    assert_eq!(store.record_capture(&elsewhere, None).unwrap(), RecordOutcome::New);
    let captured = store.captured_commits(&repo(), &[oid(1), oid(2)]).unwrap();
    assert_eq!(captured.into_iter().collect::<Vec<_>>(), [oid(1)]);
}

fn patches(store: &dyn Store) {
    let (first, second) = (commit(1), picked(2));
    store.record_capture(&first, None).unwrap();
    assert_eq!(store.record_capture(&second, None).unwrap(), RecordOutcome::New, "ancestry is the caller's question");
    let patch = first.commit.as_ref().unwrap().patch_id.clone().unwrap();
    let ids = |store: &dyn Store| -> Vec<_> {
        store.live_captures_of_patch(&repo(), &patch).unwrap().iter().map(|capture| capture.id).collect()
    };
    assert_eq!(ids(store), [first.id, second.id]);
    store.supersede_commit(&repo(), &oid(1), &oid(2)).unwrap();
    assert_eq!(ids(store), [second.id]);
}

fn changes(store: &dyn Store) {
    for n in 1..=3 {
        let mut capture = commit(n);
        capture.commit.as_mut().unwrap().change_id = Some(if n == 3 { "other" } else { "same" }.into());
        store.record_capture(&capture, None).unwrap();
    }
    let versions = |store: &dyn Store| -> Vec<Oid> {
        let found = store.live_captures_of_change(&repo(), "same").unwrap();
        found.into_iter().map(|capture| capture.commit.unwrap().oid).collect()
    };
    assert_eq!(versions(store), [oid(1), oid(2)]);
    store.supersede_commit(&repo(), &oid(1), &oid(2)).unwrap();
    assert_eq!(versions(store), [oid(2)]);
}

fn restoring(store: &dyn Store) {
    let (old, new, other) = (commit(1), commit(2), commit(3));
    for capture in [&old, &new, &other] {
        store.record_capture(capture, None).unwrap();
    }
    store.supersede_commit(&repo(), &oid(1), &oid(2)).unwrap();
    assert_eq!(store.restore_captures(&repo(), &[oid(1), oid(9)]).unwrap(), [oid(1)], "those that have a capture");
    let ids = |store: &dyn Store| live(store).iter().map(|capture| capture.id).collect::<Vec<_>>();
    assert_eq!(ids(store), [other.id, old.id]);
    assert_eq!(store.restore_captures(&repo(), &[oid(1)]).unwrap(), [oid(1)]);
    assert_eq!(ids(store), [other.id, old.id], "it was live already");
    store.restore_captures(&repo(), &[oid(2)]).unwrap();
    assert_eq!(ids(store), [other.id, new.id], "and back again");
}

fn skipping(store: &dyn Store) {
    let position = SpoolPosition { file: "2049:80".into(), offset: 41 };
    store.record_capture(&commit(1), None).unwrap();
    for _ in 0..2 {
        store.skip_commits(&[(repo(), oid(1)), (repo(), oid(2))], &position).unwrap();
    }
    assert_eq!(store.spool_positions().unwrap(), [position]);
    assert_eq!(live(store).len(), 1, "one that is captured already stays");
    assert_eq!(store.record_capture(&commit(2), None).unwrap(), RecordOutcome::Forgotten);
    let asked = Capture { source: Source::Manual, ..commit(2) };
    assert_eq!(store.record_capture(&asked, None).unwrap(), RecordOutcome::New, "a person asked for it by name");
}

fn supersedes(store: &dyn Store) {
    let (old, other) = (commit(1), commit(5));
    store.record_capture(&old, None).unwrap();
    store.record_capture(&other, None).unwrap();
    // Reworded: the patch is the same, the commit is not.
    let new = Capture { supersedes: vec![old.id], ..picked(2) };
    assert_eq!(store.record_capture(&new, None).unwrap(), RecordOutcome::New);
    assert_eq!(live(store).iter().map(|capture| capture.id).collect::<Vec<_>>(), [other.id, new.id]);
    let all = store.captures(&CaptureQuery { all_states: true, ..CaptureQuery::default() }).unwrap();
    assert_eq!(all.iter().find(|capture| capture.id == old.id).unwrap().state, CaptureState::Superseded);
    // The same report again, after a crash: nothing changes.
    assert_eq!(
        store.record_capture(&Capture { id: fresh_id(9), ..new.clone() }, None).unwrap(),
        RecordOutcome::Known(new.id)
    );
    assert_eq!(live(store).len(), 2);
}

fn rewrites(store: &dyn Store) {
    store.record_capture(&commit(1), None).unwrap();
    store.supersede_commit(&repo(), &oid(1), &oid(2)).unwrap();
    assert_eq!(live(store).len(), 1, "only one of them has a capture");
    store.record_capture(&commit(2), None).unwrap();
    for _ in 0..2 {
        store.supersede_commit(&repo(), &oid(1), &oid(2)).unwrap();
        store.supersede_commit(&repo(), &oid(2), &oid(1)).unwrap();
        store.supersede_commit(&repo(), &oid(2), &oid(2)).unwrap();
    }
    let left = live(store);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].commit.as_ref().unwrap().oid, oid(2));
    let old = store.capture_of_commit(&repo(), &oid(1)).unwrap().unwrap();
    assert_eq!((old.state, left[0].supersedes.as_slice()), (CaptureState::Superseded, [old.id].as_slice()));
}

fn late_commits(store: &dyn Store) {
    let newer = picked(2);
    store.record_capture(&newer, None).unwrap();
    let (row, oldest) = (store.insert_event(&event(1)).unwrap(), commit(5));
    store.record_capture(&oldest, None).unwrap();
    let late = Capture { supersedes: vec![oldest.id], provenance: template(Reason::Disabled), ..commit(1) };
    let finished = || FinalCapture { capture: late.clone(), template: "Adds.".into(), operation: operation(1, 3_000) };
    assert_eq!(store.record_replaced(&finished, &oid(2), Some(row)).unwrap(), RecordOutcome::New);
    assert_eq!(live(store).iter().map(|capture| capture.id).collect::<Vec<_>>(), [newer.id]);
    let earlier = store.capture_of_commit(&repo(), &oid(2)).unwrap().unwrap();
    assert_eq!((earlier.supersedes, store.pending_event_count().unwrap()), (vec![late.id], 0));
    assert_eq!(store.record_replaced(&finished, &oid(2), None).unwrap(), RecordOutcome::Known(newer.id));
}

fn credits(store: &dyn Store) {
    let sources = [(1, Source::Watch), (2, Source::Manual), (3, Source::Reconcile), (4, Source::Watch)];
    for (n, source) in sources {
        store.record_capture(&Capture { source, captured_at: timestamp(10 * n as i64), ..commit(n) }, None).unwrap();
    }
    let sources = |store: &dyn Store| {
        (1..=4).map(|n| store.capture_of_commit(&repo(), &oid(n)).unwrap().unwrap().source).collect::<Vec<_>>()
    };
    let credit = |repo: &RepoId, oid: Option<&Oid>, since| store.credit_hook(repo, oid, timestamp(since)).unwrap();
    assert!(!credit(&repo(), Some(&oid(1)), 11) && !credit(&repo(), Some(&oid(2)), 0));
    assert!(!credit(&RepoId::from_common_dir(b"/another/.git"), None, 0));
    assert_eq!(sources(store), [Source::Watch, Source::Manual, Source::Reconcile, Source::Watch], "too old, asked for");
    assert!(credit(&repo(), Some(&oid(1)), 10) && credit(&repo(), None, 11));
    assert_eq!(sources(store), [Source::Hook, Source::Manual, Source::Hook, Source::Watch]);
}

fn superseded_commits(store: &dyn Store) {
    for n in 1..=3 {
        store.record_capture(&commit(n), None).unwrap();
    }
    store.supersede_commit(&repo(), &oid(1), &oid(2)).unwrap();
    store.supersede_commit(&repo(), &oid(2), &oid(3)).unwrap();
    let end = store.capture_of_commit(&repo(), &oid(3)).unwrap().unwrap().id;
    let again = Capture { id: fresh_id(9), ..commit(1) };
    assert_eq!(store.record_capture(&again, None).unwrap(), RecordOutcome::Known(end));
}

fn forgetting(store: &dyn Store) {
    let capture = commit(1);
    store.record_capture(&capture, None).unwrap();
    store.finish_capture(capture.id, &|| answered("Mentions a zebra.", 10.0)).unwrap();
    let export = store.capture(&capture.id.to_string()).unwrap();
    store.forget_capture(capture.id, timestamp(0)).unwrap();
    assert!(matches!(store.capture(&capture.id.to_string()), Err(StoreError::NotFound { .. })));
    assert!(matches!(store.forget_capture(capture.id, timestamp(0)), Err(StoreError::NotFound { .. })));
    assert!(store.search("zebra", &CaptureQuery { all_states: true, ..CaptureQuery::default() }).unwrap().is_empty());
    assert!(store.captured_commits(&repo(), &[oid(1)]).unwrap().contains(&oid(1)), "reconciliation leaves it alone");
    let by_itself = Capture { id: fresh_id(7), source: Source::Reconcile, ..commit(1) };
    assert_eq!(store.record_capture(&by_itself, None).unwrap(), RecordOutcome::Forgotten);
    assert_eq!(store.import_records(&[export]).unwrap(), 0, "an old export does not bring it back");
    let asked_for = Capture { id: fresh_id(8), source: Source::Manual, ..commit(1) };
    assert_eq!(store.record_capture(&asked_for, None).unwrap(), RecordOutcome::New);
    assert_eq!(live(store).len(), 1);
}

fn forgetting_patches(store: &dyn Store) {
    let (old, new) = (commit(1), picked(2));
    store.record_capture(&old, None).unwrap();
    store.record_capture(&Capture { supersedes: vec![old.id], ..new.clone() }, None).unwrap();
    store.forget_capture(new.id, timestamp(0)).unwrap();
    let all = CaptureQuery { all_states: true, ..CaptureQuery::default() };
    assert!(store.captures(&all).unwrap().is_empty(), "what it replaced told the same work");
    for n in [1, 2, 3] {
        assert_eq!(store.record_capture(&picked(n), None).unwrap(), RecordOutcome::Forgotten);
    }
}
