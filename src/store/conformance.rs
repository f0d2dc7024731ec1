//! What any `Store` must do, whatever is behind it. A backend's tests call `all` with a way to make an
//! empty store; each check gets its own.

use super::samples::{answered, at, commit, event, fresh_id, note, oid, operation, repo, template};
use super::{
    CaptureQuery, CaptureRecord, LatencyGrouping, NewDraft, Recorded, Registered, SpoolPosition, Store, StoreError,
    Written,
};
use crate::domain::capture::{By, Capture, Kind, Outcome, Reason, State};
use crate::domain::draft::{Draft, DraftKind, DraftState, Edit, Period};
use crate::domain::event::Source;
use crate::domain::id::RepoId;

/// A check, and what it says.
type Check = (&'static str, fn(&dyn Store));

const CHECKS: [Check; 31] = [
    ("an event taken over twice stays one event", taken_over_twice),
    ("events wait oldest first until they are closed", events_wait),
    ("a forgotten spool's name may be used again", spool_names_are_reused),
    ("recording closes the event", recording_closes_the_event),
    ("a capture comes back as it was stored", captures_come_back),
    ("a commit is captured once", a_commit_once),
    ("a patch tells its live captures", patches),
    ("what a capture supersedes becomes superseded", supersedes),
    ("a rewrite supersedes the old commit, and no circle arises", rewrites),
    ("a commit that was superseded is told by what replaced it", superseded_commits),
    ("the model's text replaces the template once", finishing),
    ("a template that stays becomes final", finishing_without_text),
    ("abandoned captures become final and late", abandoned),
    ("a person's words win over a late model", editing),
    ("lists are newest first and filtered", listing),
    ("an id may be shortened while unambiguous", short_ids),
    ("search takes words literally and the last as a beginning", searching),
    ("search follows edits and filters", search_follows),
    ("a forgotten capture is gone and does not come back by itself", forgetting),
    ("a forgotten patch does not come back under another commit", forgetting_patches),
    ("importing one's own export adds nothing", importing_own),
    ("importing into an empty store gives the same records", importing_elsewhere),
    ("captures are counted by when they were captured", counting),
    ("projects are those with live captures", projects),
    ("registering again keeps the earliest date", registering),
    ("the latency log is grouped as asked", latency),
    ("old operations go", expiry),
    ("a draft's key is unique", draft_keys),
    ("a lease fences all later writes", leases),
    ("poison ends as dead and a retry counts anew", poison),
    ("a person's draft is never overwritten", edited_drafts),
];

/// Runs every check on a store of its own.
pub fn all(mut empty: impl FnMut() -> Box<dyn Store>) {
    for (name, check) in CHECKS {
        println!("{name}");
        check(&*empty());
    }
    println!("problems are kept once, with their last time");
    problems(&*empty());
}

fn position(offset: u64) -> SpoolPosition {
    SpoolPosition { file: "2049:77".into(), offset }
}

fn taken_over_twice(store: &dyn Store) {
    let events = [event(1), event(2)];
    store.take_over(&events[..1], &position(60)).unwrap();
    store.take_over(&events, &position(120)).unwrap();
    assert_eq!(store.spool_positions().unwrap(), [position(120)]);
    let pending: Vec<_> = store.pending_events(10).unwrap().into_iter().map(|pending| pending.event).collect();
    assert_eq!(pending, events);
    store.close_event(store.pending_events(1).unwrap()[0].row, None).unwrap();
    store.take_over(&events, &position(120)).unwrap();
    assert_eq!(store.pending_event_count().unwrap(), 1, "a closed event stays closed");
}

fn events_wait(store: &dyn Store) {
    let late = store.put_event(&event(9)).unwrap();
    let early = store.put_event(&event(3)).unwrap();
    let rows: Vec<i64> = store.pending_events(10).unwrap().iter().map(|pending| pending.row).collect();
    assert_eq!(rows, [early, late]);
    assert_eq!(store.pending_events(1).unwrap().len(), 1);
    store.close_event(early, Some("excluded")).unwrap();
    assert_eq!(store.pending_event_count().unwrap(), 1);
    store.put_event(&event(9)).unwrap();
    assert_eq!(store.pending_event_count().unwrap(), 2, "reports that did not come through a spool all count");
    let bare = crate::domain::event::Event { hook: None, oid: None, rewrites: Vec::new(), ..event(1) };
    store.put_event(&bare).unwrap();
    assert_eq!(store.pending_events(1).unwrap()[0].event, bare);
}

fn spool_names_are_reused(store: &dyn Store) {
    store.take_over(&[event(1)], &position(60)).unwrap();
    store.forget_spool(&position(0).file).unwrap();
    assert!(store.spool_positions().unwrap().is_empty());
    store.take_over(&[event(1)], &position(60)).unwrap();
    assert_eq!(store.pending_event_count().unwrap(), 2);
}

fn recording_closes_the_event(store: &dyn Store) {
    let (first, second) = (store.put_event(&event(1)).unwrap(), store.put_event(&event(1)).unwrap());
    assert_eq!(store.record_capture(&commit(1), Some(first)).unwrap(), Recorded::New);
    assert_eq!(store.pending_events(9).unwrap()[0].row, second);
    assert!(matches!(store.record_capture(&commit(1), Some(second)).unwrap(), Recorded::Known(_)));
    assert_eq!(store.pending_event_count().unwrap(), 0);
}

fn captures_come_back(store: &dyn Store) {
    let mut odd = commit(2);
    odd.commit.as_mut().unwrap().patch_id = None;
    odd.repo.as_mut().unwrap().path = "/home/me/\u{fffd}".into();
    odd.tags = Vec::new();
    for capture in [commit(1), odd, note(3, "Fixed auth timeout, 3s to 200ms"), note(4, "")] {
        assert_eq!(store.record_capture(&capture, None).unwrap(), Recorded::New);
        let found = store.capture(&capture.id.to_string()).unwrap();
        assert_eq!(found, CaptureRecord { template: capture.summary.clone(), wire: None, capture });
    }
    assert_eq!(store.capture_of_commit(&repo(), &oid(1)).unwrap().unwrap().commit.unwrap().oid, oid(1));
    assert!(store.capture_of_commit(&repo(), &oid(77)).unwrap().is_none());
}

fn a_commit_once(store: &dyn Store) {
    let first = commit(1);
    assert_eq!(store.record_capture(&first, None).unwrap(), Recorded::New);
    let again = Capture { id: fresh_id(5), source: Source::Reconcile, ..commit(1) };
    assert_eq!(store.record_capture(&again, None).unwrap(), Recorded::Known(first.id));
    let mut elsewhere = Capture { id: fresh_id(6), ..commit(1) };
    elsewhere.repo.as_mut().unwrap().id = RepoId::of_common_dir(b"/another/.git");
    assert_eq!(store.record_capture(&elsewhere, None).unwrap(), Recorded::New);
    let known = store.captured_commits(&repo(), &[oid(1), oid(2)]).unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [oid(1)]);
}

/// The same patch as commit 1 under another commit id.
fn picked(n: u64) -> Capture {
    let mut capture = commit(n);
    capture.commit.as_mut().unwrap().patch_id = commit(1).commit.unwrap().patch_id;
    capture
}

fn patches(store: &dyn Store) {
    let (first, second) = (commit(1), picked(2));
    store.record_capture(&first, None).unwrap();
    assert_eq!(store.record_capture(&second, None).unwrap(), Recorded::New, "ancestry is the caller's question");
    let patch = first.commit.as_ref().unwrap().patch_id.clone().unwrap();
    let ids = |store: &dyn Store| -> Vec<_> {
        store.live_captures_of_patch(&repo(), &patch).unwrap().iter().map(|capture| capture.id).collect()
    };
    assert_eq!(ids(store), [first.id, second.id]);
    store.supersede(&repo(), &oid(1), &oid(2)).unwrap();
    assert_eq!(ids(store), [second.id]);
}

fn live(store: &dyn Store) -> Vec<Capture> {
    store.captures(&CaptureQuery::default()).unwrap()
}

fn supersedes(store: &dyn Store) {
    let (old, other) = (commit(1), commit(5));
    store.record_capture(&old, None).unwrap();
    store.record_capture(&other, None).unwrap();
    // Reworded: the patch is the same, the commit is not.
    let new = Capture { supersedes: vec![old.id], ..picked(2) };
    assert_eq!(store.record_capture(&new, None).unwrap(), Recorded::New);
    assert_eq!(live(store).iter().map(|capture| capture.id).collect::<Vec<_>>(), [other.id, new.id]);
    let all = store.captures(&CaptureQuery { all_states: true, ..CaptureQuery::default() }).unwrap();
    assert_eq!(all.iter().find(|capture| capture.id == old.id).unwrap().state, State::Superseded);
    // The same report again, after a crash: nothing changes.
    assert_eq!(
        store.record_capture(&Capture { id: fresh_id(9), ..new.clone() }, None).unwrap(),
        Recorded::Known(new.id)
    );
    assert_eq!(live(store).len(), 2);
}

fn rewrites(store: &dyn Store) {
    store.record_capture(&commit(1), None).unwrap();
    store.supersede(&repo(), &oid(1), &oid(2)).unwrap();
    assert_eq!(live(store).len(), 1, "only one of them has a capture");
    store.record_capture(&commit(2), None).unwrap();
    for _ in 0..2 {
        store.supersede(&repo(), &oid(1), &oid(2)).unwrap();
        store.supersede(&repo(), &oid(2), &oid(1)).unwrap();
        store.supersede(&repo(), &oid(2), &oid(2)).unwrap();
    }
    let left = live(store);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].commit.as_ref().unwrap().oid, oid(2));
    let old = store.capture_of_commit(&repo(), &oid(1)).unwrap().unwrap();
    assert_eq!((old.state, left[0].supersedes.as_slice()), (State::Superseded, [old.id].as_slice()));
}

fn superseded_commits(store: &dyn Store) {
    for n in 1..=3 {
        store.record_capture(&commit(n), None).unwrap();
    }
    store.supersede(&repo(), &oid(1), &oid(2)).unwrap();
    store.supersede(&repo(), &oid(2), &oid(3)).unwrap();
    let end = store.capture_of_commit(&repo(), &oid(3)).unwrap().unwrap().id;
    let again = Capture { id: fresh_id(9), ..commit(1) };
    assert_eq!(store.record_capture(&again, None).unwrap(), Recorded::Known(end));
}

fn finishing(store: &dyn Store) {
    let capture = commit(1);
    store.record_capture(&capture, None).unwrap();
    assert!(store.finish_capture(capture.id, &answered("The basket keeps its total.", 904.0)).unwrap());
    assert!(!store.finish_capture(capture.id, &answered("Too late.", 1.0)).unwrap(), "no longer pending");
    assert!(!store.finish_capture(fresh_id(3), &answered("Nobody's.", 1.0)).unwrap());
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
    let outcome = Outcome { summary: None, provenance: provenance.clone(), wire: None, ..answered("", 12.0) };
    assert!(store.finish_capture(capture.id, &outcome).unwrap());
    let found = store.capture(&capture.id.to_string()).unwrap();
    assert_eq!((found.capture.summary, found.capture.provenance), (capture.summary, provenance));
    assert_eq!(found.wire, None);
}

fn abandoned(store: &dyn Store) {
    for n in 1..=3 {
        store.record_capture(&commit(n), None).unwrap();
    }
    store.finish_capture(live(store)[2].id, &answered("In time.", 10.0)).unwrap();
    assert_eq!(store.finish_abandoned(at(3)).unwrap(), 1, "one is final already, one is younger");
    assert_eq!(store.finish_abandoned(at(3)).unwrap(), 0);
    let found = live(store).remove(1);
    assert_eq!((found.provenance.reason, found.provenance.by), (Reason::Deadline, By::Template));
    let counts = store.count_captures(None, at(0), at(9)).unwrap();
    assert_eq!((counts.pending, counts.budgeted, counts.on_time), (1, 2, 1));
}

fn editing(store: &dyn Store) {
    let capture = commit(1);
    store.record_capture(&capture, None).unwrap();
    let edited = store.edit_capture(capture.id, "What I meant.").unwrap();
    assert_eq!((edited.summary.as_str(), edited.provenance.by), ("What I meant.", By::Human));
    assert_eq!((edited.provenance.reason, edited.provenance.model.clone()), (Reason::None, None));
    assert!(!store.finish_capture(capture.id, &answered("The model's.", 900.0)).unwrap());
    assert_eq!(store.finish_abandoned(at(100)).unwrap(), 0);
    let found = store.capture(&capture.id.to_string()).unwrap();
    assert_eq!((found.capture, found.template), (edited, capture.summary));
    assert!(matches!(store.edit_capture(fresh_id(1), "x"), Err(StoreError::NotFound { .. })));
}

fn ids(captures: &[Capture]) -> Vec<String> {
    captures.iter().map(|capture| capture.id.to_string()).collect()
}

fn listing(store: &dyn Store) {
    let late = Capture { captured_at: at(500), ..commit(2) };
    let merge = Capture { kind: Kind::Merge, project: "other".into(), ..commit(4) };
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
    assert_eq!(list(CaptureQuery { kind: Some(Kind::Note), ..any() }), pick(&[2]));
    assert_eq!(list(CaptureQuery { since: Some(at(2)), until: Some(at(4)), ..any() }), pick(&[2, 1]));
    assert_eq!(list(CaptureQuery { captured_since: Some(at(4)), ..any() }), pick(&[3, 1]));
    let narrow = CaptureQuery { repo: Some(repo()), project: Some("other".into()), kind: Some(Kind::Merge), ..any() };
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
    let words = note(1, "Über den checkout_total: foo::bar \"quoted\" don't");
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

fn search_follows(store: &dyn Store) {
    for n in 1..=3 {
        store.record_capture(&commit(n), None).unwrap();
    }
    let find = |typed: &str, query: CaptureQuery| ids(&store.search(typed, &query).unwrap());
    let any = CaptureQuery::default;
    assert_eq!(find("basket", any()).len(), 3);
    assert_eq!(find("basket", CaptureQuery { limit: Some(2), ..any() }).len(), 2);
    assert_eq!(find("basket", CaptureQuery { since: Some(at(3)), ..any() }).len(), 1);
    assert_eq!(find("shop", any()).len(), 3, "the project's name counts");
    let edited = live(store)[0].id;
    store.edit_capture(edited, "Quicksilver").unwrap();
    assert_eq!(find("quicks", any()), [edited.to_string()]);
    assert_eq!(find("repairs basket 3", any()).len(), 0, "its old summary is no longer found");
    store.supersede(&repo(), &oid(1), &oid(2)).unwrap();
    assert_eq!(find("basket", any()).len(), 2);
    assert_eq!(find("basket", CaptureQuery { all_states: true, ..any() }).len(), 3);
}

fn forgetting(store: &dyn Store) {
    let capture = commit(1);
    store.record_capture(&capture, None).unwrap();
    store.finish_capture(capture.id, &answered("Mentions a zebra.", 10.0)).unwrap();
    let export = store.capture(&capture.id.to_string()).unwrap();
    store.forget_capture(capture.id).unwrap();
    assert!(matches!(store.capture(&capture.id.to_string()), Err(StoreError::NotFound { .. })));
    assert!(matches!(store.forget_capture(capture.id), Err(StoreError::NotFound { .. })));
    assert!(store.search("zebra", &CaptureQuery { all_states: true, ..CaptureQuery::default() }).unwrap().is_empty());
    assert!(store.captured_commits(&repo(), &[oid(1)]).unwrap().contains(&oid(1)), "reconciliation leaves it alone");
    let by_itself = Capture { id: fresh_id(7), source: Source::Reconcile, ..commit(1) };
    assert_eq!(store.record_capture(&by_itself, None).unwrap(), Recorded::Forgotten);
    assert!(!store.import_record(&export).unwrap(), "an old export does not bring it back");
    let asked_for = Capture { id: fresh_id(8), source: Source::Manual, ..commit(1) };
    assert_eq!(store.record_capture(&asked_for, None).unwrap(), Recorded::New);
    assert_eq!(live(store).len(), 1);
}

fn forgetting_patches(store: &dyn Store) {
    let capture = commit(1);
    store.record_capture(&capture, None).unwrap();
    store.record_capture(&Capture { supersedes: vec![capture.id], ..picked(2) }, None).unwrap();
    store.forget_capture(picked(2).id).unwrap();
    assert_eq!(records(store).len(), 0, "what it replaced told the same work");
    for n in [1, 2, 3] {
        assert_eq!(store.record_capture(&picked(n), None).unwrap(), Recorded::Forgotten);
    }
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
    store.finish_capture(live(store)[1].id, &answered("The model's.", 10.0)).unwrap();
    store.supersede(&repo(), &oid(1), &oid(2)).unwrap();
}

fn importing_own(store: &dyn Store) {
    fill(store);
    let before = records(store);
    assert_eq!(before.len(), 4, "superseded ones too");
    for record in &before {
        assert!(!store.import_record(record).unwrap());
    }
    let same_work = CaptureRecord { capture: Capture { id: fresh_id(9), ..picked(9) }, ..before[1].clone() };
    assert_eq!(store.import_record(&same_work).unwrap(), true, "its patch has no live capture here");
    let same_commit = CaptureRecord { capture: Capture { id: fresh_id(10), ..commit(2) }, ..before[1].clone() };
    assert!(!store.import_record(&same_commit).unwrap());
    assert_eq!(records(store).len(), 5);
}

fn importing_elsewhere(store: &dyn Store) {
    let old = CaptureRecord {
        capture: Capture { state: State::Superseded, ..commit(1) },
        template: "The template.".into(),
        wire: Some("what was sent".into()),
    };
    let new = CaptureRecord {
        capture: Capture { supersedes: vec![old.capture.id], ..picked(2) },
        template: "Another.".into(),
        wire: None,
    };
    assert!(store.import_record(&old).unwrap());
    assert!(store.import_record(&new).unwrap());
    assert_eq!(records(store), [old, new]);
}

fn counting(store: &dyn Store) {
    let backfilled = Capture { at: at(-900_000), source: Source::Backfill, ..commit(1) };
    let merge = Capture { kind: Kind::Merge, captured_at: at(100), ..commit(2) };
    for capture in [&backfilled, &merge, &note(3, "a thought"), &commit(4)] {
        store.record_capture(capture, None).unwrap();
    }
    store.finish_capture(backfilled.id, &answered("In time.", 2000.0)).unwrap();
    store.finish_capture(merge.id, &answered("Late.", 2000.1)).unwrap();
    let counts = store.count_captures(None, at(1), at(5)).unwrap();
    let pairs = |list: &[(&str, u64)]| list.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Vec<_>>();
    assert_eq!(counts.total, 3, "half-open, by captured_at");
    assert_eq!(counts.by_kind, pairs(&[("commit", 2), ("note", 1)]));
    assert_eq!(counts.by_source, pairs(&[("backfill", 1), ("hook", 1), ("manual", 1)]));
    assert_eq!(counts.by_provenance, pairs(&[("model", 1), ("template", 2)]));
    assert_eq!((counts.budgeted, counts.on_time, counts.pending), (1, 1, 2));
    let of_repo = store.count_captures(Some(&repo()), at(1), at(101)).unwrap();
    assert_eq!((of_repo.total, of_repo.budgeted, of_repo.on_time), (3, 2, 1));
    store.supersede(&repo(), &oid(1), &oid(4)).unwrap();
    assert_eq!(store.count_captures(None, at(1), at(5)).unwrap().total, 2, "live ones");
}

fn projects(store: &dyn Store) {
    assert!(store.projects().unwrap().is_empty());
    let gone = Capture { project: "gone".into(), ..commit(1) };
    for capture in [gone, commit(2), note(3, "x"), note(4, "y")] {
        store.record_capture(&capture, None).unwrap();
    }
    store.supersede(&repo(), &oid(1), &oid(2)).unwrap();
    assert_eq!(store.projects().unwrap(), ["notes", "shop"]);
}

fn registering(store: &dyn Store) {
    let shop = Registered {
        id: repo(),
        path: "/home/me/shop".into(),
        common_dir: "/home/me/shop/.git".into(),
        project: "shop".into(),
        since: at(10),
    };
    store.register(&shop).unwrap();
    store.register(&Registered { project: "store".into(), since: at(20), ..shop.clone() }).unwrap();
    assert_eq!(store.registered().unwrap(), [Registered { project: "store".into(), ..shop }]);
    assert!(store.unregister(&repo()).unwrap());
    assert!(!store.unregister(&repo()).unwrap());
    assert!(store.registered().unwrap().is_empty());
}

fn latency(store: &dyn Store) {
    for n in 1..=60 {
        store.log_operation(&operation(n, 1000 * n.unsigned_abs())).unwrap();
    }
    let late = crate::domain::operation::Operation {
        duration_us: 3_000_000,
        cold: true,
        reason: Reason::Deadline,
        failed: true,
        ..operation(61, 0)
    };
    store.log_operation(&late).unwrap();
    let bare = crate::domain::operation::Operation {
        op: "reconcile".into(),
        model: None,
        endpoint: None,
        budget_us: None,
        ttft_us: None,
        tps: None,
        ..operation(61, 7)
    };
    store.log_operation(&bare).unwrap();
    store.log_operation(&bare).unwrap();

    let all = LatencyGrouping { op: true, model: true, cold: true };
    let rows = store.latency(at(0), all).unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[0].n, rows[0].p50_ms, rows[0].p95_ms, rows[0].p99_ms), (60, Some(30.0), Some(57.0), None));
    assert_eq!((rows[0].ttft_p50_ms, rows[0].tps_p50, rows[0].error_rate), (Some(7.5), Some(40.0), Some(0.0)));
    assert_eq!((rows[0].on_time_rate, rows[0].cold, rows[0].reasons.len()), (Some(1.0), Some(false), 0));
    assert_eq!((rows[1].cold, rows[1].on_time_rate, rows[1].error_rate), (Some(true), Some(0.0), Some(1.0)));
    assert_eq!(rows[1].reasons.get("deadline"), Some(&1));
    assert_eq!((rows[2].op.as_deref(), rows[2].n, rows[2].on_time_rate), (Some("reconcile"), 2, None));
    assert_eq!((rows[2].model.as_deref(), rows[2].error_rate, rows[2].tps_p50), (None, None, None));

    let one = store.latency(at(61), LatencyGrouping { op: false, model: false, cold: false }).unwrap();
    assert_eq!((one.len(), one[0].n, one[0].op.as_deref()), (1, 3, None));
    assert!(store.latency(at(62), all).unwrap().is_empty());
}

fn expiry(store: &dyn Store) {
    for n in 1..=3 {
        store.log_operation(&operation(n, 5)).unwrap();
    }
    assert_eq!(store.expire_operations(at(3)).unwrap(), 2);
    assert_eq!(store.latency(at(0), LatencyGrouping { op: true, model: false, cold: false }).unwrap()[0].n, 1);
}

fn new_draft(max_attempts: u32) -> NewDraft {
    NewDraft {
        kind: DraftKind::Devlog,
        project: "shop".into(),
        period: Period { from: at(0), to: at(86_400) },
        max_attempts,
    }
}

fn only(store: &dyn Store) -> Draft {
    let mut drafts = store.drafts(None, None).unwrap();
    assert_eq!(drafts.len(), 1);
    drafts.remove(0)
}

fn written(title: &str) -> Written {
    Written {
        title: title.into(),
        body: "# What happened\n\n- a basket".into(),
        format: "markdown".into(),
        model: Some("codellama:7b".into()),
        sources: ["019cc47f-4100-71ac-90a0-9d5066f80d95", "019cc47f-4100-71ac-90a0-9d512011b46e"]
            .map(|id| id.parse().unwrap())
            .to_vec(),
        note: None,
    }
}

fn draft_keys(store: &dyn Store) {
    assert!(store.queue_draft(&new_draft(3), at(10)).unwrap());
    assert!(!store.queue_draft(&new_draft(3), at(11)).unwrap());
    assert!(store.draft_exists(DraftKind::Devlog, "shop", &new_draft(3).period).unwrap());
    assert!(!store.draft_exists(DraftKind::Blog, "shop", &new_draft(3).period).unwrap());
    let blog = NewDraft { kind: DraftKind::Blog, ..new_draft(3) };
    assert!(store.queue_draft(&blog, at(12)).unwrap());
    assert_eq!(store.drafts(Some(DraftState::Queued), Some("shop")).unwrap().len(), 2);
    assert_eq!(store.drafts(Some(DraftState::Ready), None).unwrap().len(), 0);
    assert_eq!(store.drafts(None, Some("other")).unwrap().len(), 0);
}

fn leases(store: &dyn Store) {
    assert!(store.lease_draft(at(0), at(60)).unwrap().is_none());
    store.queue_draft(&new_draft(3), at(10)).unwrap();
    assert!(store.lease_draft(at(9), at(60)).unwrap().is_none(), "not due yet");
    let first = store.lease_draft(at(10), at(60)).unwrap().unwrap();
    assert_eq!((first.attempt, first.draft.state, first.until), (1, DraftState::Leased, at(60)));
    assert!(store.lease_draft(at(59), at(90)).unwrap().is_none(), "leased");
    let second = store.lease_draft(at(60), at(120)).unwrap().unwrap();
    assert_eq!((second.draft.id, second.attempt), (first.draft.id, 2));
    let stale = store.finish_draft(first.draft.id, 1, &written("Stale"), at(61));
    assert!(matches!(stale, Err(StoreError::Conflict(_))));
    assert!(matches!(store.fail_draft(first.draft.id, 1, "x", at(61), at(61)), Err(StoreError::Conflict(_))));
    store.fail_draft(second.draft.id, 2, "model gone", at(200), at(70)).unwrap();
    let waiting = only(store);
    assert_eq!(
        (waiting.state, waiting.next_at, waiting.error.as_deref()),
        (DraftState::Queued, Some(at(200)), Some("model gone"))
    );
    assert!(store.lease_draft(at(199), at(300)).unwrap().is_none());
    let third = store.lease_draft(at(200), at(300)).unwrap().unwrap();
    store.finish_draft(third.draft.id, 3, &written("Day one"), at(210)).unwrap();
    let ready = only(store);
    assert_eq!((ready.state, ready.title.as_str(), ready.finished_at), (DraftState::Ready, "Day one", Some(at(210))));
    assert_eq!((ready.sources, ready.error, ready.model.as_deref()), (written("").sources, None, Some("codellama:7b")));
    assert!(matches!(store.finish_draft(third.draft.id, 3, &written("Twice"), at(220)), Err(StoreError::Conflict(_))));
    assert!(matches!(store.finish_draft(fresh_draft(), 1, &written("x"), at(1)), Err(StoreError::NotFound { .. })));
}

fn fresh_draft() -> crate::domain::id::DraftId {
    crate::domain::id::DraftId::fresh(&crate::domain::clock::FakeClock::at(at(1)))
}

fn poison(store: &dyn Store) {
    store.queue_draft(&new_draft(2), at(0)).unwrap();
    let other = NewDraft { kind: DraftKind::Blog, ..new_draft(2) };
    store.queue_draft(&other, at(1)).unwrap();
    store.lease_draft(at(0), at(10)).unwrap().unwrap();
    let stale = store.lease_draft(at(10), at(20)).unwrap().unwrap();
    // Both workers died. The queue moves on to the next draft.
    let next = store.lease_draft(at(20), at(30)).unwrap().unwrap();
    assert_eq!(next.draft.kind, DraftKind::Blog);
    let dead = store.draft(&stale.draft.id.to_string()).unwrap();
    assert_eq!((dead.state, dead.finished_at), (DraftState::Dead, Some(at(20))));
    assert!(dead.error.is_some());
    store.fail_draft(next.draft.id, 1, "once", at(21), at(21)).unwrap();
    let again = store.lease_draft(at(21), at(30)).unwrap().unwrap();
    store.fail_draft(again.draft.id, 2, "twice", at(22), at(22)).unwrap();
    assert_eq!(store.draft(&again.draft.id.to_string()).unwrap().state, DraftState::Dead);

    let retried = store.retry_draft(stale.draft.id, at(40)).unwrap();
    assert_eq!((retried.state, retried.error), (DraftState::Queued, None));
    let (one, two) =
        (store.lease_draft(at(40), at(50)).unwrap().unwrap(), store.lease_draft(at(50), at(60)).unwrap().unwrap());
    assert!(one.attempt > stale.attempt && two.attempt > one.attempt, "a token is never used twice");
    let late = store.finish_draft(stale.draft.id, stale.attempt, &written("From the first round"), at(51));
    assert!(matches!(late, Err(StoreError::Conflict(_))));
    assert!(store.lease_draft(at(60), at(70)).unwrap().is_none(), "two attempts, as at first");
}

fn edited_drafts(store: &dyn Store) {
    store.queue_draft(&new_draft(3), at(0)).unwrap();
    let edit = Edit { seconds: 31.5, distance: 0.2 };
    let id = only(store).id;
    assert!(matches!(store.edit_draft(id, "T", "B", edit), Err(StoreError::Conflict(_))), "nothing to edit yet");
    let lease = store.lease_draft(at(0), at(10)).unwrap().unwrap();
    store.finish_draft(id, lease.attempt, &written("Theirs"), at(5)).unwrap();
    assert_eq!(store.retry_draft(id, at(6)).unwrap().state, DraftState::Queued, "unedited: may be written again");
    let lease = store.lease_draft(at(6), at(16)).unwrap().unwrap();
    store.finish_draft(id, lease.attempt, &written("Theirs again"), at(7)).unwrap();
    let edited = store.edit_draft(id, "Mine", "My body", edit).unwrap();
    assert_eq!((edited.title.as_str(), edited.body.as_str(), edited.edit), ("Mine", "My body", Some(edit)));
    assert!(matches!(store.retry_draft(id, at(8)), Err(StoreError::Conflict(_))));
    assert!(!store.queue_draft(&new_draft(3), at(9)).unwrap());
    assert!(store.lease_draft(at(1000), at(1100)).unwrap().is_none());
    let wrong = store.move_draft(id, &[DraftState::Accepted], DraftState::Published, at(9));
    assert!(matches!(wrong, Err(StoreError::Conflict(message)) if message.contains("ready")));
    assert_eq!(
        store.move_draft(id, &[DraftState::Ready], DraftState::Accepted, at(9)).unwrap().state,
        DraftState::Accepted
    );
    assert_eq!(store.edit_draft(id, "Mine 2", "B", edit).unwrap().title, "Mine 2", "accepted may still be edited");
    let published = store.move_draft(id, &[DraftState::Accepted], DraftState::Published, at(10)).unwrap();
    assert_eq!((published.state, published.finished_at), (DraftState::Published, Some(at(7))));
    assert!(matches!(store.edit_draft(id, "T", "B", edit), Err(StoreError::Conflict(_))));
}

fn problems(store: &dyn Store) {
    store.note_problem(at(1), "hooks lost", "uro-capture init").unwrap();
    store.note_problem(at(3), "store damaged", "none").unwrap();
    store.note_problem(at(5), "hooks lost", "uro-capture init").unwrap();
    let found = store.problems(at(2)).unwrap();
    assert_eq!(
        found.iter().map(|(when, what, _)| (*when, what.as_str())).collect::<Vec<_>>(),
        [(at(5), "hooks lost"), (at(3), "store damaged")]
    );
    assert!(store.problems(at(6)).unwrap().is_empty());
}
