//! Scaling: store calls for commits and notes take as many steps of SQLite's virtual machine in a large store as in a
//! small one. Steps instead of times, so that the result does not depend on the machine.

use std::collections::BTreeMap;

use super::{Home, trace};
use crate::domain::capture::{AuthoredBy, Capture, CaptureKind, ModelOutcome, Provenance, Reason, RepoRef};
use crate::domain::draft::{DraftKind, Period};
use crate::domain::event::{Event, Source};
use crate::domain::id::CaptureId;
use crate::store::samples::{answered, commit, event, fresh_id, note, oid, operation, repo, template, timestamp};
use crate::store::{CaptureQuery, CaptureRecord, FinalCapture, NewDraft, Refinement, SpoolPosition, Store};

const SMALL: u64 = 20;
const LARGE: u64 = 600;

/// Allowed extra steps per run of a statement. Reading only one column of one more row takes five.
const SLACK: i64 = 200;

/// Numbers of captures beyond those of `fill`, and so with later times.
const NEW: u64 = 1_000_000;

fn fill(store: &dyn Store, rows: u64) {
    let records: Vec<CaptureRecord> = (0..rows)
        .map(|n| {
            let mut capture = commit(n);
            capture.provenance = template(Reason::Disabled);
            CaptureRecord { template: capture.summary.clone(), capture, wire: None, decision: None }
        })
        .collect();
    store.import_records(&records).unwrap();
    let events: Vec<Event> = (0..2 * rows).map(event).collect();
    store.ingest_events(&events, &SpoolPosition { file: "1:1".into(), offset: 9 }).unwrap();
    for pending in store.pending_events(usize::try_from(rows).unwrap()).unwrap() {
        store.close_event(pending.row, None).unwrap();
    }
    for n in 0..i64::try_from(rows).unwrap() {
        store.log_operation(&operation(n, 1_000)).unwrap();
        store.note_problem(timestamp(n), &format!("problem {n}"), "a hint").unwrap();
        let period = Period { from: timestamp(n), to: timestamp(n + 1) };
        let draft = NewDraft { kind: DraftKind::Devlog, project: "shop".into(), repo: None, period, max_attempts: 1 };
        store.queue_draft(&draft, timestamp(n)).unwrap();
        let lease = store.lease_draft(timestamp(n), timestamp(n + 9)).unwrap().unwrap();
        store.fail_draft(lease.draft.id, lease.attempt, "no", timestamp(n), timestamp(n)).unwrap();
    }
}

fn noted(n: u64) -> Capture {
    let place = RepoRef { path: "/home/me/shop".into(), id: repo() };
    Capture {
        repo: Some(place),
        project: "shop".into(),
        id: fresh_id(i64::try_from(n).unwrap()),
        ..note(n, "a thought")
    }
}

/// Store calls of the hook, the sidecar and the user around a commit.
fn commits(store: &dyn Store) {
    let now = timestamp(i64::try_from(NEW).unwrap());
    let (row, next) = (store.insert_event(&event(NEW)).unwrap(), event(NEW + 1));
    store.ingest_events(std::slice::from_ref(&next), &SpoolPosition { file: "1:2".into(), offset: 1 }).unwrap();
    store.ready_events(3, std::slice::from_ref(&next.git_dir), now, &["/elsewhere".into()]).unwrap();
    store.waiting_sequences(now).unwrap();
    store.newest_git_dirs(3).unwrap();
    store.has_pending_rewrite(&oid(NEW + 7)).unwrap();
    store.commits_with_open_events(&next.git_dir, &[oid(NEW), oid(NEW + 7)]).unwrap();
    store.captured_commits(&repo(), &[oid(NEW), oid(3)]).unwrap();
    store.live_captures_of_patch(&repo(), "none").unwrap();
    store.live_captures_of_change(&repo(), "none").unwrap();
    store.live_captures_without_patch(&repo(), now, "none").unwrap();
    store.prepared_squash(&repo(), &oid(NEW)).unwrap();
    let notes: Vec<Capture> = (NEW..NEW + 3).map(noted).collect();
    for note in &notes {
        store.record_capture(note, None).unwrap();
    }
    let ids: Vec<CaptureId> = notes.iter().map(|note| note.id).collect();
    let first = Capture { notes: ids.clone(), ..commit(NEW + 3) };
    store.record_capture(&first, Some(row)).unwrap();
    assert_eq!(store.notes_before(&repo(), now, timestamp(i64::try_from(NEW + 9).unwrap())).unwrap().len(), 3);
    store.finish_capture(first.id, &outcome).unwrap();
    let second = Capture { provenance: template(Reason::Cold), source: Source::Watch, ..commit(NEW + 4) };
    let third = Capture { provenance: template(Reason::Cold), ..commit(NEW + 5) };
    store.record_final(&|| finished(&second), None).unwrap();
    store.record_replaced(&|| finished(&third), &oid(NEW + 4), None).unwrap();
    store.restore_captures(&repo(), &[oid(NEW + 5)]).unwrap();
    store.credit_hook(&repo(), Some(&oid(NEW + 4)), now).unwrap();
    store.credit_hook(&repo(), None, now).unwrap();
    store.note_problem(now, "another", "another hint").unwrap();
    store.resolve_problems("another hint", timestamp(i64::try_from(NEW + 1).unwrap())).unwrap();
    store.finish_abandoned(now, now).unwrap();
    ask(store, &first, &third);
}

/// Later queries about captures.
fn ask(store: &dyn Store, first: &Capture, third: &Capture) {
    let now = timestamp(i64::try_from(NEW).unwrap());
    assert_eq!(store.capture(&first.id.to_string()).unwrap().capture.notes.len(), 3);
    store.faults(first.id).unwrap();
    store.decision(first.id).unwrap();
    store.capture_of_commit(&repo(), &oid(NEW + 3)).unwrap();
    store.refinable(timestamp(0), now, 5).unwrap();
    assert!(store.refine_capture(third.id, &refinement()).unwrap());
    store.record_failed_refinement(third.id, now).unwrap();
    store.edit_capture(first.id, "What I meant.").unwrap();
    let since =
        CaptureQuery { captured_since: Some(timestamp(2 * i64::try_from(NEW).unwrap())), ..CaptureQuery::default() };
    assert_eq!(store.captures(&CaptureQuery { limit: Some(1), all_states: true, ..since }).unwrap().len(), 0);
    let of_repo =
        CaptureQuery { repo: Some(repo()), kind: Some(CaptureKind::Commit), limit: Some(3), ..CaptureQuery::default() };
    assert_eq!(store.captures(&of_repo).unwrap().len(), 3);
    assert_eq!(store.evidence(timestamp(0)).unwrap().len(), 2);
    assert!(store.lease_draft(now, now).unwrap().is_none());
    store.origins().unwrap();
}

fn finished(capture: &Capture) -> FinalCapture {
    FinalCapture { capture: capture.clone(), template: capture.summary.clone(), operation: operation(1, 1) }
}

fn outcome() -> ModelOutcome {
    answered("The basket keeps its total.", 904.0)
}

fn refinement() -> Refinement {
    let Provenance { model, endpoint, prompt_version, .. } = outcome().provenance;
    assert_eq!(outcome().provenance.by, AuthoredBy::Model);
    Refinement {
        at: timestamp(1),
        summary: "Better.".into(),
        model: model.unwrap() + "-large",
        endpoint: endpoint.unwrap(),
        prompt_version: prompt_version.unwrap(),
        decision: None,
        quality: None,
        wire: "sent".into(),
        faults: Vec::new(),
    }
}

/// Maximum steps of any single run, by statement.
fn steps(rows: u64) -> BTreeMap<String, i64> {
    let home = Home::new();
    fill(&home.open(), rows);
    let store = home.open();
    let mut most = BTreeMap::new();
    for run in trace::during(|| commits(&store)) {
        let before = most.entry(run.sql).or_insert(0);
        *before = run.steps.max(*before);
    }
    // The full-text index merges its segments at times of its own.
    most.retain(|sql, _| !sql.contains("'words_"));
    most
}

#[test]
fn a_commit_takes_no_more_steps_in_a_large_store() {
    let (small, large) = (steps(SMALL), steps(LARGE));
    assert!(small.len() > 60, "{} statements were heard", small.len());
    assert!(small.values().all(|steps| *steps > 0));
    let more = |(sql, steps): (&String, &i64)| {
        let before = small.get(sql).copied().unwrap_or(0);
        (*steps > before + SLACK).then(|| format!("{before} → {steps} steps: {sql}"))
    };
    let grown: Vec<String> = large.iter().filter_map(more).collect();
    assert!(grown.is_empty(), "{}", grown.join("\n"));
}
