//! Lists, search and counts.

use super::{Check, live};
use crate::domain::capture::{Capture, CaptureKind, Reason, RepoRef};
use crate::domain::event::Source;
use crate::domain::id::RepoId;
use crate::domain::project::ProjectOrigin;
use crate::store::samples::{answered, commit, note, oid, repo, timestamp};
use crate::store::{CaptureQuery, Store, StoreError};

pub const CHECKS: &[Check] = &[
    ("lists are newest first and filtered", listing),
    ("an id may be shortened while unambiguous", short_ids),
    ("search takes words literally and the last as a beginning", searching),
    ("what is pending is found too", searching_pending),
    ("search follows edits and filters", search_follows),
    ("captures are counted by when they were captured", counting),
    ("origins are those with live captures", origins),
];

fn ids(captures: &[Capture]) -> Vec<String> {
    captures.iter().map(|capture| capture.id.to_string()).collect()
}

fn listing(store: &dyn Store) {
    let late = Capture { captured_at: timestamp(500), ..commit(2) };
    let merge = Capture { kind: CaptureKind::Merge, project: "other".into(), ..commit(4) };
    let all = [commit(1), late, note(3, "a thought"), merge];
    for capture in all.iter().rev() {
        store.record_capture(capture, None).unwrap();
    }
    let pick = |places: &[usize]| places.iter().map(|place| all[*place].id.to_string()).collect::<Vec<_>>();
    let list = |query: CaptureQuery| ids(&store.captures(&query).unwrap());
    let any = CaptureQuery::default;
    assert_eq!(list(any()), pick(&[3, 2, 1, 0]));
    assert_eq!(list(CaptureQuery { limit: Some(2), ..any() }), pick(&[3, 2]));
    assert_eq!(list(CaptureQuery { limit: Some(0), ..any() }), pick(&[]));
    assert_eq!(list(CaptureQuery { repo: Some(repo()), ..any() }), pick(&[3, 1, 0]));
    assert_eq!(list(CaptureQuery { project: Some("shop".into()), ..any() }), pick(&[1, 0]));
    assert_eq!(list(CaptureQuery { kind: Some(CaptureKind::Note), ..any() }), pick(&[2]));
    assert_eq!(list(CaptureQuery { since: Some(timestamp(2)), until: Some(timestamp(4)), ..any() }), pick(&[2, 1]));
    assert_eq!(list(CaptureQuery { captured_since: Some(timestamp(4)), ..any() }), pick(&[3, 1]));
    let narrow =
        CaptureQuery { repo: Some(repo()), project: Some("other".into()), kind: Some(CaptureKind::Merge), ..any() };
    assert_eq!(list(narrow), pick(&[3]));
}

fn short_ids(store: &dyn Store) {
    let (one, two) = (commit(1), commit(500_000));
    store.record_capture(&one, None).unwrap();
    store.record_capture(&two, None).unwrap();
    let full = one.id.to_string();
    assert_eq!(store.capture(&full[..12]).unwrap().capture.id, one.id);
    assert_eq!(store.capture(&full.replace('-', "").to_uppercase()).unwrap().capture.id, one.id);
    match store.capture(&full[..3]) {
        Err(StoreError::Ambiguous { candidates, .. }) => assert_eq!(candidates, [full, two.id.to_string()]),
        other => panic!("{other:?}"),
    }
    for unknown in ["ffff", "", "%", "note"] {
        assert!(matches!(store.capture(unknown), Err(StoreError::NotFound { .. })), "{unknown}");
    }
}

fn searching(store: &dyn Store) {
    let mut words = note(1, "Über den checkout_total: foo::bar \"quoted\" don't");
    words.provenance.reason = Reason::Disabled;
    store.record_capture(&words, None).unwrap();
    store.record_capture(&note(2, "nothing of the kind"), None).unwrap();
    let find = |typed: &str| ids(&store.search(typed, &CaptureQuery::default()).unwrap());
    for typed in
        ["uber", "ÜBER", "check", "checkout_t", "foo::bar", "\"quoted\"", "quoted den", "don\'t", "den -- *", "^den"]
    {
        assert_eq!(find(typed), [words.id.to_string()], "{typed}");
    }
    for typed in ["", "   ", "*", "\"", "ub der", "checkout total", "absent", "NEAR(", "a AND", "raw:quoted"] {
        assert!(find(typed).is_empty(), "{typed}");
    }
}

fn searching_pending(store: &dyn Store) {
    let pending = note(1, "Über den checkout_total");
    store.record_capture(&pending, None).unwrap();
    store.record_capture(&note(2, "nothing of the kind"), None).unwrap();
    let find = |typed: &str| ids(&store.search(typed, &CaptureQuery::default()).unwrap());
    for typed in ["ÜBER", "den checkout_t", "checkout_total notes"] {
        assert_eq!(find(typed), [pending.id.to_string()], "{typed}");
    }
    assert!(find("checkout absent").is_empty());
    store.finish_capture(pending.id, &|| answered("About the basket.", 1.0)).unwrap();
    for typed in ["basket uber", "checkout_total"] {
        assert_eq!(find(typed), [pending.id.to_string()], "{typed}: once, and now in the index");
    }
}

fn search_follows(store: &dyn Store) {
    for n in 1..=3 {
        store.record_capture(&commit(n), None).unwrap();
    }
    assert_eq!(store.finish_abandoned(timestamp(5), timestamp(9)).unwrap(), 2);
    let find = |typed: &str, query: CaptureQuery| ids(&store.search(typed, &query).unwrap());
    let any = CaptureQuery::default;
    assert_eq!(find("basket", any()).len(), 3);
    assert_eq!(find("basket", CaptureQuery { limit: Some(2), ..any() }).len(), 2);
    assert_eq!(find("basket", CaptureQuery { since: Some(timestamp(3)), ..any() }).len(), 1);
    assert_eq!(find("shop", any()).len(), 3, "the project's name counts");
    let edited = live(store)[0].id;
    store.edit_capture(edited, "Quicksilver").unwrap();
    assert_eq!(find("quicks", any()), [edited.to_string()]);
    assert_eq!(find("repairs basket 3", any()).len(), 0, "its old summary is no longer found");
    store.supersede_commit(&repo(), &oid(1), &oid(2)).unwrap();
    assert_eq!(find("basket", any()).len(), 2);
    assert_eq!(find("basket", CaptureQuery { all_states: true, ..any() }).len(), 3);
}

fn counting(store: &dyn Store) {
    let backfilled = Capture { at: timestamp(-900_000), source: Source::Backfill, ..commit(1) };
    let merge = Capture { kind: CaptureKind::Merge, captured_at: timestamp(100), ..commit(2) };
    for capture in [&backfilled, &merge, &note(3, "a thought"), &commit(4)] {
        store.record_capture(capture, None).unwrap();
    }
    store.finish_capture(backfilled.id, &|| answered("In time.", 2000.0)).unwrap();
    store.finish_capture(merge.id, &|| answered("Late.", 2000.1)).unwrap();
    let counts = store.count_captures(None, timestamp(1), timestamp(5)).unwrap();
    let pairs = |list: &[(&str, u64)]| list.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Vec<_>>();
    assert_eq!(counts.total, 3, "half-open, by captured_at");
    assert_eq!(counts.by_kind, pairs(&[("commit", 2), ("note", 1)]));
    assert_eq!(counts.by_source, pairs(&[("backfill", 1), ("hook", 1), ("manual", 1)]));
    assert_eq!(counts.by_provenance, pairs(&[("model", 1), ("template", 2)]));
    assert_eq!((counts.budgeted, counts.on_time, counts.pending), (1, 1, 2));
    let of_repo = store.count_captures(Some(&repo()), timestamp(1), timestamp(101)).unwrap();
    assert_eq!((of_repo.total, of_repo.budgeted, of_repo.on_time), (3, 2, 1));
    store.supersede_commit(&repo(), &oid(1), &oid(4)).unwrap();
    assert_eq!(store.count_captures(None, timestamp(1), timestamp(5)).unwrap().total, 2, "live ones");
}

fn origins(store: &dyn Store) {
    assert!(store.origins().unwrap().is_empty());
    let elsewhere = |n: u64| {
        let repo = RepoRef { path: "/home/you/shop".into(), id: RepoId::from_stored("elsewhere".into()) };
        Capture { repo: Some(repo), ..commit(n) }
    };
    let renamed = Capture { project: "stall".into(), ..commit(1) };
    let forgotten =
        Capture { repo: Some(RepoRef { path: "/gone".into(), id: RepoId::from_stored("gone".into()) }), ..commit(5) };
    for capture in [renamed, commit(2), note(3, "x"), note(4, "y"), forgotten.clone(), elsewhere(6), elsewhere(7)] {
        store.record_capture(&capture, None).unwrap();
    }
    store.forget_capture(forgotten.id, timestamp(0)).unwrap();
    let shop = |capture: Capture| ProjectOrigin { project: "shop".into(), repo: capture.repo };
    let notes = ProjectOrigin { project: "notes".into(), repo: None };
    assert_eq!(store.origins().unwrap(), [notes, shop(commit(2)), shop(elsewhere(7))]);
    let outside = CaptureQuery { outside: true, ..CaptureQuery::default() };
    assert_eq!(store.captures(&outside).unwrap().len(), 2);
}
