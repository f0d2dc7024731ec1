//! Reflog events, running sequences, prepared squashes, moved repositories.

use std::path::{Path, PathBuf};

use super::{Check, live};
use crate::domain::capture::{Capture, Reason};
use crate::domain::event::{Event, HookMode, LogPosition};
use crate::domain::id::RepoId;
use crate::store::samples::{commit, event, fresh_id, oid, operation, repo, template, timestamp};
use crate::store::{FinalCapture, LatencyGrouping, RecordOutcome, RegisteredRepo, Store};

pub const CHECKS: &[Check] = &[
    ("what a log told and how far it was read go together", moves),
    ("an open event of the same repository awaits its commit", awaiting),
    ("events of a sequence that runs are not ready", sequences),
    ("events of a repository and its worktrees can be left out", apart),
    ("an open event of a sequence tells what it rewrote", replaced),
    ("a capture that is final at once is stored with its template and its log entry", finals),
    ("captures without a patch id are found by date and message", alike),
    ("a prepared squash is kept until the next one", squashes),
    ("a moved repository keeps everything", moving),
    ("a repository that is registered is found by its id", registrations),
    ("marks are kept until they are removed", marks),
];

fn position(log: &str, offset: u64) -> LogPosition {
    LogPosition { log: log.into(), identity: "8:15".into(), offset }
}

fn moves(store: &dyn Store) {
    store
        .record_reflog_events(&repo(), &[event(1)], &[position("logs/HEAD", 60), position("logs/refs/heads/x", 30)])
        .unwrap();
    store.record_reflog_events(&repo(), &[event(2)], &[position("logs/HEAD", 120)]).unwrap();
    assert_eq!(store.pending_event_count().unwrap(), 2);
    let positions = [position("logs/HEAD", 120), position("logs/refs/heads/x", 30)];
    assert_eq!(store.log_positions(&repo()).unwrap(), positions);
    let other = RepoId::from_common_dir(b"/another/.git");
    assert!(store.log_positions(&other).unwrap().is_empty());
    store
        .record_reflog_events(&repo(), &[], &[LogPosition { identity: "8:16".into(), ..position("logs/HEAD", 0) }])
        .unwrap();
    assert_eq!(store.log_positions(&repo()).unwrap()[0].identity, "8:16", "a log that was replaced");
    store.unregister(&repo()).unwrap();
    assert!(store.log_positions(&repo()).unwrap().is_empty());
}

fn awaiting(store: &dyn Store) {
    let linked = Event { git_dir: "/home/me/shop/.git/worktrees/w".into(), ..event(2) };
    let beside = Event { git_dir: "/home/me/shop/.github".into(), ..event(3) };
    let row = store.insert_event(&event(1)).unwrap();
    store.insert_event(&linked).unwrap();
    store.insert_event(&beside).unwrap();
    let oids = [oid(1), oid(2), oid(3), oid(4)];
    let awaited = |dir: &str| {
        let found = store.commits_with_open_events(Path::new(dir), &oids).unwrap();
        oids.iter().filter(|oid| found.contains(*oid)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(awaited("/home/me/shop/.git"), [oid(1), oid(2)]);
    assert_eq!(awaited("/home/me/other/.git"), []);
    store.close_event(row, None).unwrap();
    assert_eq!(awaited("/home/me/shop/.git"), [oid(2)]);
}

fn sequences(store: &dyn Store) {
    let git_dir = PathBuf::from("/home/me/shop/.git");
    for n in 1..=4 {
        store.insert_event(&Event { in_sequence: n <= 2, ..event(n) }).unwrap();
    }
    store.insert_event(&Event { in_sequence: true, git_dir: "/home/me/idle/.git".into(), ..event(5) }).unwrap();
    let mut waiting = store.waiting_sequences(timestamp(1)).unwrap();
    waiting.sort();
    assert_eq!(waiting, [PathBuf::from("/home/me/idle/.git"), git_dir.clone()]);
    assert!(store.waiting_sequences(timestamp(5)).unwrap().is_empty(), "all of them are too old to be waited for");
    let ready = |running: &[PathBuf], since| {
        let events = store.ready_events(10, running, timestamp(since), &[]).unwrap();
        events.into_iter().map(|pending| pending.event.oid.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ready(&[], 0), [oid(1), oid(2), oid(3), oid(4), oid(5)]);
    assert_eq!(ready(std::slice::from_ref(&git_dir), 0), [oid(3), oid(4), oid(5)]);
    assert_eq!(ready(&[git_dir], 1), [oid(1), oid(3), oid(4), oid(5)], "the first has waited long enough");
    assert_eq!(store.ready_events(2, &[], timestamp(0), &[]).unwrap().len(), 2);
}

fn apart(store: &dyn Store) {
    let dirs = ["/home/me/shop/.git", "/home/me/shop/.git/worktrees/w", "/home/me/shop/.github", "/home/me/idle/.git"];
    for (n, dir) in (1..).zip(dirs) {
        store.insert_event(&Event { git_dir: dir.into(), ..event(n) }).unwrap();
    }
    let ready = |apart: &[&str]| {
        let apart: Vec<PathBuf> = apart.iter().map(PathBuf::from).collect();
        let events = store.ready_events(10, &[], timestamp(0), &apart).unwrap();
        events.into_iter().map(|pending| pending.event.oid.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ready(&dirs[..1]), [oid(3), oid(4)], "its linked worktree goes with it, its neighbour does not");
    assert_eq!(ready(&[dirs[0], dirs[3]]), [oid(3)]);
    assert_eq!(store.newest_git_dirs(2).unwrap(), [dirs[3], dirs[2]].map(PathBuf::from));
    store.close_event(store.pending_events(4).unwrap()[3].row, None).unwrap();
    assert_eq!(store.newest_git_dirs(1).unwrap(), [PathBuf::from(dirs[2])], "what was dealt with does not count");
}

fn replaced(store: &dyn Store) {
    let in_sequence_event = |n| Event { in_sequence: true, hook: None, ..event(n) };
    let row = store.insert_event(&in_sequence_event(1)).unwrap();
    store.insert_event(&Event { in_sequence: false, ..in_sequence_event(7) }).unwrap();
    store.insert_event(&Event { hook: event(9).hook, ..in_sequence_event(9) }).unwrap();
    assert!(store.has_pending_rewrite(&oid(1)).unwrap());
    assert!(!store.has_pending_rewrite(&oid(2)).unwrap(), "that is what it was rewritten as");
    assert!(store.has_pending_rewrite(&oid(7)).unwrap(), "an amend outside any sequence");
    assert!(!store.has_pending_rewrite(&oid(9)).unwrap(), "a hook tells of the whole sequence at its end");
    store.close_event(row, None).unwrap();
    assert!(!store.has_pending_rewrite(&oid(1)).unwrap());
}

fn finals(store: &dyn Store) {
    let row = store.insert_event(&event(1)).unwrap();
    let mut capture = commit(1);
    capture.provenance = template(Reason::PredictedMiss);
    capture.timing.total_ms = Some(3.0);
    capture.summary = "Carries these words.".into();
    let finished =
        || FinalCapture { capture: capture.clone(), template: "Repairs.".into(), operation: operation(1, 3_000) };
    assert_eq!(store.record_final(&finished, Some(row)).unwrap(), RecordOutcome::New);
    assert_eq!(store.pending_event_count().unwrap(), 0);
    let record = store.capture(&capture.id.to_string()).unwrap();
    assert_eq!((record.capture, record.template.as_str()), (capture.clone(), "Repairs."));
    let again = || FinalCapture { capture: Capture { id: fresh_id(7), ..capture.clone() }, ..finished() };
    assert_eq!(store.record_final(&again, None).unwrap(), RecordOutcome::Known(capture.id));
    let all = LatencyGrouping { op: true, model: false, cold: false };
    assert_eq!(store.latency(timestamp(0), all).unwrap()[0].n, 1, "what added nothing is no operation");
    assert_eq!(store.search("carries", &crate::store::CaptureQuery::default()).unwrap().len(), 1);
}

fn without_patch(n: u64) -> Capture {
    let mut capture = commit(n);
    capture.commit.as_mut().unwrap().patch_id = None;
    capture.at = timestamp(1);
    capture.raw = "Update the lock file".into();
    capture
}

fn alike(store: &dyn Store) {
    let later = Capture { at: timestamp(2), ..without_patch(3) };
    let compared = Capture { at: timestamp(1), raw: "Update the lock file".into(), ..commit(4) };
    for capture in [without_patch(1), without_patch(2), later, compared] {
        store.record_capture(&capture, None).unwrap();
    }
    let alike = |at, raw: &str| {
        let found = store.live_captures_without_patch(&repo(), at, raw).unwrap();
        found.into_iter().map(|capture| capture.commit.unwrap().oid).collect::<Vec<_>>()
    };
    assert_eq!(alike(timestamp(1), "Update the lock file"), [oid(1), oid(2)]);
    assert_eq!(alike(timestamp(1), "Update the lock files"), []);
    store.supersede_commit(&repo(), &oid(1), &oid(2)).unwrap();
    assert_eq!(alike(timestamp(1), "Update the lock file"), [oid(2)], "only live ones");
}

fn squashes(store: &dyn Store) {
    store.prepare_squash(&repo(), &oid(9), &[oid(1), oid(2)], timestamp(1)).unwrap();
    store.prepare_squash(&repo(), &oid(9), &[oid(3)], timestamp(2)).unwrap();
    assert_eq!(store.prepared_squash(&repo(), &oid(9)).unwrap(), [oid(3)]);
    assert_eq!(store.prepared_squash(&repo(), &oid(8)).unwrap(), []);
}

fn shop(common_dir: &str) -> RegisteredRepo {
    RegisteredRepo {
        id: RepoId::from_common_dir(common_dir.as_bytes()),
        path: Path::new(common_dir).parent().unwrap().into(),
        common_dir: common_dir.into(),
        project: "shop".into(),
        since: timestamp(10),
        hook_mode: HookMode::Config,
        inode: Some("8:15".into()),
    }
}

fn moving(store: &dyn Store) {
    let (old, new) =
        (shop("/home/me/shop/.git"), RegisteredRepo { since: timestamp(50), ..shop("/home/me/moved/.git") });
    store.register(&old).unwrap();
    for n in 1..=3 {
        store.record_capture(&commit(n), None).unwrap();
    }
    store.forget_capture(commit_id(store, 3), timestamp(0)).unwrap();
    store.record_reflog_events(&old.id, &[event(4)], &[position("logs/HEAD", 60)]).unwrap();
    store.prepare_squash(&old.id, &oid(9), &[oid(1)], timestamp(1)).unwrap();
    let mut there = commit(2);
    there.id = fresh_id(77);
    there.repo.as_mut().unwrap().id = new.id.clone();
    store.record_capture(&there, None).unwrap();

    store.move_repository(&old.id, &new).unwrap();
    assert_eq!(store.registered_repos().unwrap(), [RegisteredRepo { since: timestamp(10), ..new.clone() }]);
    let captured = store.captured_commits(&new.id, &[oid(1), oid(2), oid(3)]).unwrap();
    assert_eq!(captured.len(), 3, "also what was forgotten");
    let first = store.capture_of_commit(&new.id, &oid(1)).unwrap().unwrap();
    assert_eq!(first.repo.unwrap().path, "/home/me/moved");
    assert_eq!(store.capture_of_commit(&new.id, &oid(2)).unwrap().unwrap().id, there.id);
    assert_eq!(store.log_positions(&new.id).unwrap(), [position("logs/HEAD", 60)]);
    assert_eq!(store.prepared_squash(&new.id, &oid(9)).unwrap(), [oid(1)]);
    assert_eq!(store.pending_events(1).unwrap()[0].event.git_dir, Path::new("/home/me/moved/.git"));
    assert!(live(store).iter().any(|capture| capture.commit.as_ref().unwrap().oid == oid(1)));
}

fn commit_id(store: &dyn Store, n: u64) -> crate::domain::id::CaptureId {
    store.capture_of_commit(&repo(), &oid(n)).unwrap().unwrap().id
}

fn registrations(store: &dyn Store) {
    let shop = shop("/home/me/shop/.git");
    store.register(&shop).unwrap();
    assert_eq!(store.registration(&shop.id).unwrap(), Some(shop));
    assert_eq!(store.registration(&RepoId::from_common_dir(b"/another/.git")).unwrap(), None);
}

fn marks(store: &dyn Store) {
    assert_eq!(store.mark("global").unwrap(), None);
    store.set_mark("global", Some("1")).unwrap();
    store.set_mark("global", Some("2")).unwrap();
    assert_eq!(store.mark("global").unwrap().as_deref(), Some("2"));
    store.set_mark("global", None).unwrap();
    assert_eq!(store.mark("global").unwrap(), None);
}
