//! Files that are damaged, full, unwritable or replaced while in use.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::super::{Durability, OpenedStore, SqliteStore};
use super::Home;
use crate::domain::capture::{ModelOutcome, Reason};
use crate::domain::clock::FakeClock;
use crate::domain::draft::{DraftEdit, DraftKind, Period};
use crate::domain::event::HookMode;
use crate::domain::id::CaptureId;
use crate::route::forecast::Forecast;
use crate::route::key::ForecastKey;
use crate::route::ledger::Entry;
use crate::route::speed::{ModelHardware, Speed};
use crate::store::samples::{answered, commit, note, repo, timestamp};
use crate::store::{
    CaptureArchive, CaptureQuery, CaptureStore, DraftQuery, DraftQueue, MaintenanceStore, NewDraft, ProblemLog,
    RefinementStore, RegisteredRepo, RepositoryStore, RouterState, StoreError, WrittenDraft,
};

fn list(store: &SqliteStore) -> usize {
    store.captures(&CaptureQuery::default()).unwrap().len()
}

/// Everything a user could lose: notes, an edited draft, a registered repository, a forgotten capture.
fn fill(store: &SqliteStore, captures: u64) {
    for n in 0..captures {
        let thought = format!("thought number {n} {}", "and more ".repeat(30));
        let mut capture = if n % 2 == 0 { note(n, &thought) } else { commit(n) };
        capture.provenance.reason = Reason::Disabled;
        store.record_capture(&capture, None).unwrap();
    }
    let forgotten = commit(captures + 1);
    store.record_capture(&forgotten, None).unwrap();
    store.forget_capture(forgotten.id, timestamp(0)).unwrap();
    let shop = RegisteredRepo {
        id: repo(),
        path: "/home/me/shop".into(),
        common_dir: "/home/me/shop/.git".into(),
        project: "shop".into(),
        since: timestamp(0),
        hook_mode: HookMode::File,
        inode: None,
    };
    store.register(&shop).unwrap();
    let draft = NewDraft {
        kind: DraftKind::Devlog,
        project: "shop".into(),
        repo: None,
        period: Period { from: timestamp(0), to: timestamp(9) },
        max_attempts: 3,
    };
    store.queue_draft(&draft, timestamp(0)).unwrap();
    let lease = store.lease_draft(timestamp(0), timestamp(9)).unwrap().unwrap();
    let written = WrittenDraft {
        title: "T".into(),
        body: "B".into(),
        format: "markdown".into(),
        model: None,
        sources: Vec::new(),
        note: None,
        quality: None,
    };
    store.finish_draft(lease.draft.id, 1, &written, timestamp(1)).unwrap();
    store
        .edit_draft(
            lease.draft.id,
            1,
            ("My title", "My words"),
            DraftEdit { seconds: 1.0, distance: 1.0 },
            timestamp(2),
        )
        .unwrap();
}

/// Closes the store so that all content is in one file.
fn settle(store: SqliteStore) {
    store.maintain(super::super::forget::scrub_log).unwrap();
    drop(store);
}

fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, offset).unwrap();
}

fn reopen(path: &Path) -> OpenedStore {
    SqliteStore::open_at(path, &FakeClock::at(timestamp(0))).unwrap()
}

#[test]
fn a_file_of_garbage_is_put_away_and_a_new_one_works() {
    for garbage in [vec![b'x'; 20_000], b"short".to_vec(), vec![0; 4096]] {
        let home = Home::new();
        fs::create_dir_all(home.path().parent().unwrap()).unwrap();
        fs::write(home.path(), &garbage).unwrap();
        let opened = reopen(&home.path());
        let kept = opened.quarantined.unwrap();
        assert_eq!(kept.file_name().unwrap(), "captures.db.corrupt-20260301T000000Z");
        assert_eq!(fs::read(&kept).unwrap(), garbage, "the evidence is untouched");
        opened.store.record_capture(&note(1, "goes on"), None).unwrap();
        let (_, what, hint) = opened.store.problems(timestamp(-1)).unwrap().remove(0);
        assert!(what.contains(&*kept.to_string_lossy()) && hint.starts_with("uro-capture "), "{what}");
        drop(opened.store);
        assert_eq!(list(&home.open()), 1, "and the next opening finds nothing wrong");
    }
}

#[test]
fn an_empty_file_is_a_new_store() {
    let home = Home::new();
    fs::create_dir_all(home.path().parent().unwrap()).unwrap();
    fs::write(home.path(), b"").unwrap();
    assert_eq!(list(&home.open()), 0);
}

#[test]
fn a_lost_header_costs_nothing_that_was_written() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 40);
    let mut asked = commit(900);
    asked.commit.as_mut().unwrap().change_id = Some("zxywkvutsrqponmlkzxywkvutsrqponm".into());
    store.record_capture(&asked, None).unwrap();
    let decided = ModelOutcome { decision: Some("{\"n\":1}".into()), ..answered("The model's.", 10.0) };
    store.finish_capture(asked.id, &|| decided.clone()).unwrap();
    store.store_forecast(&learned()).unwrap();
    settle(store);
    overwrite(&home.path(), 0, b"garbage!");
    let opened = reopen(&home.path());
    let salvaged = opened.salvaged.unwrap();
    assert_eq!((salvaged.notes, salvaged.commits, salvaged.drafts, salvaged.repositories), (20, 21, 1, 1));
    assert_eq!(opened.store.decision(asked.id).unwrap().as_deref(), Some("{\"n\":1}"));
    assert!(opened.store.forecasts().unwrap().entry(&learned().key).is_some());
    let versions = opened.store.live_captures_of_change(&repo(), "zxywkvutsrqponmlkzxywkvutsrqponm").unwrap();
    assert_eq!(versions.iter().map(|version| version.id).collect::<Vec<_>>(), [asked.id]);
    let draft = opened.store.drafts(&DraftQuery::default()).unwrap().remove(0);
    let versions = opened.store.draft_versions(draft.id).unwrap();
    assert_eq!((draft.body.as_str(), versions.len(), versions[1].body.as_str()), ("My words", 2, "My words"));
    assert_eq!(opened.store.registered_repos().unwrap().len(), 1);
    assert_eq!(opened.store.search("thought", &CaptureQuery::default()).unwrap().len(), 20, "and is found");
    assert!(
        opened.store.captured_commits(&repo(), &[crate::store::samples::oid(41)]).unwrap().len() == 1,
        "still forgotten"
    );
    let left = files(&home).into_iter().filter(|name| name.contains("mended")).count();
    assert_eq!(left, 0);
}

fn learned() -> Entry {
    let key = ForecastKey { endpoint: "local".into(), model: "m".into(), digest: None, options: 1, on_battery: false };
    Entry { key, at: timestamp(1), forecast: Forecast::from_seed(Speed::from_hardware(&ModelHardware::default())) }
}

fn files(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.path().parent().unwrap()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// The page that holds the middle of the captures.
fn middle_page(store: &SqliteStore) -> u64 {
    let sql = "SELECT pageno FROM dbstat WHERE name = 'captures' AND pagetype = 'leaf' ORDER BY path";
    store
        .read(|db| {
            let mut query = db.prepare(sql)?;
            let pages = query.query_map([], |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(u64::try_from(pages[pages.len() / 2]).unwrap())
        })
        .unwrap()
}

#[test]
fn a_damaged_page_in_the_middle_is_noticed_when_read_and_costs_only_its_rows() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 160);
    let page = middle_page(&store);
    settle(store);
    overwrite(&home.path(), (page - 1) * 4096, &[0xa5; 4096]);

    let first = home.open();
    let damaged = first.captures(&CaptureQuery::default()).unwrap_err();
    assert!(matches!(damaged, StoreError::Corrupt(_)), "{damaged}");
    let opened = reopen(&home.path());
    assert!(opened.quarantined.is_some());
    let salvaged = opened.salvaged.unwrap();
    let lost = 160 - salvaged.notes - salvaged.commits;
    assert!(lost > 0 && lost <= 20, "both sides of the damage are saved: {salvaged}");
    assert_eq!(list(&opened.store) as u64, 160 - lost);
    assert_eq!(salvaged.drafts, 1);

    // The process that had the old file open continues with the new one.
    first.record_capture(&note(9_000, "after"), None).unwrap();
    assert_eq!(list(&first) as u64, 161 - lost);
    drop(first);
    assert_eq!(list(&opened.store) as u64, 161 - lost);
    drop(opened.store);
    assert_eq!(list(&home.open()) as u64, 161 - lost);
}

#[test]
fn a_cut_file_is_put_away() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 160);
    settle(store);
    let file = fs::OpenOptions::new().write(true).open(home.path()).unwrap();
    let half = file.metadata().unwrap().len() / 2 / 4096 * 4096 + 100;
    file.set_len(half).unwrap();
    let store = SqliteStore::open(&home.path()).map(|opened| opened.store);
    if let Ok(store) = &store {
        drop(store.captures(&CaptureQuery::default()));
    }
    let opened = reopen(&home.path());
    assert!(opened.quarantined.is_some() || files(&home).iter().any(|name| name.contains("corrupt")));
    opened.store.record_capture(&note(1, "goes on"), None).unwrap();
}

#[test]
fn a_needless_suspicion_is_dropped() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 4);
    drop(store);
    fs::write(home.path().with_extension("db.suspect"), b"").unwrap();
    let store = home.open();
    assert_eq!(list(&store), 4);
    assert!(!home.path().with_extension("db.suspect").exists());
}

#[test]
fn a_changed_word_is_reported_and_not_shown() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 4);
    let id: CaptureId = store.captures(&CaptureQuery::default()).unwrap()[0].id;
    // Flipped outside the program, as by a bad disk.
    let sql = "UPDATE captures SET raw = replace(raw, 'basket', 'casket') WHERE id = ?1";
    store.write(Durability::Durable, |tx| Ok(tx.execute(sql, [id.to_string()])?)).unwrap();
    let one = store.capture(&id.to_string()).unwrap_err();
    assert!(matches!(&one, StoreError::Corrupt(source) if source.to_string().contains(&id.to_string())), "{one}");
    assert_eq!(list(&store), 3, "the others are still there");
    let mut exported = 0;
    let mut count = |_| {
        exported += 1;
        Ok(())
    };
    store.each_record(&mut count).unwrap();
    assert_eq!(exported, 3);
    let problems = store.problems(timestamp(0)).unwrap();
    assert_eq!(problems.len(), 1, "said once, however often it is met");
    assert!(problems[0].1.contains(&id.to_string()));
    store.forget_capture(id, timestamp(0)).unwrap();
    assert!(store.search("basket", &CaptureQuery { all_states: true, ..CaptureQuery::default() }).unwrap().len() == 1);
    assert!(!home.path().with_extension("db.suspect").exists(), "a row is not the file");
}

#[test]
fn a_changed_draft_is_reported_and_not_shown() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 2);
    let id = store.drafts(&DraftQuery::default()).unwrap()[0].id;
    store.write(Durability::Durable, |tx| Ok(tx.execute("UPDATE drafts SET body = 'Their words'", [])?)).unwrap();
    assert!(matches!(store.draft(&id.to_string()), Err(StoreError::Corrupt(_))));
    assert!(store.drafts(&DraftQuery::default()).unwrap().is_empty());
    assert!(store.problems(timestamp(0)).unwrap()[0].1.contains("draft"));
}

#[test]
fn a_full_disk_refuses_the_write_and_keeps_the_rest() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 10);
    let pages: i64 = store.maintain(|db| Ok(db.query_row("PRAGMA page_count", [], |row| row.get(0))?)).unwrap();
    store.maintain(|db| Ok(db.pragma_update(None, "max_page_count", pages)?)).unwrap();
    let mut stored = 0;
    let refused = (100..).find_map(|n| match store.record_capture(&note(n, &"long ".repeat(1000)), None) {
        Ok(_) => {
            stored += 1;
            None
        }
        Err(refused) => Some(refused),
    });
    assert!(matches!(refused, Some(StoreError::Full(_))), "{refused:?}");
    assert_eq!(list(&store), 10 + stored);
    store.maintain(|db| Ok(db.pragma_update(None, "max_page_count", pages + 1000)?)).unwrap();
    store.record_capture(&note(90_000, "room again"), None).unwrap();
}

#[test]
fn a_place_that_cannot_be_written_is_unavailable() {
    let home = Home::new();
    fs::write(home.directory.path().join("data"), b"a file, not a directory").unwrap();
    let refused = SqliteStore::open(&home.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
}

#[test]
fn a_read_only_directory_is_unavailable_where_permissions_count() {
    let home = Home::new();
    let data: PathBuf = home.path().parent().unwrap().into();
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    // Root may write anywhere; then the test has nothing to check.
    let refused = SqliteStore::open(&home.path());
    if fs::write(data.join("probe"), b"").is_err() {
        assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    }
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_file_that_was_removed_is_made_again_by_a_running_process() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 2);
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(format!("{}{suffix}", home.path().display())));
    }
    store.record_capture(&note(1, "on the new file"), None).unwrap();
    assert_eq!(list(&store), 1);
    drop(store);
    assert_eq!(list(&home.open()), 1);
}

#[test]
fn a_replacement_that_was_killed_before_the_last_rename_is_ended() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 20);
    settle(store);
    let path = home.path();
    fs::rename(&path, path.with_extension("db.rebuilt")).unwrap();
    fs::write(path.with_extension("db-wal"), b"the damaged file's log").unwrap();
    assert_eq!(list(&home.open()), 20);
    assert!(!files(&home).iter().any(|name| name.ends_with("rebuilt")));
}

#[test]
fn a_damaged_file_is_salvaged_with_its_log() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 20);
    settle(store);
    let store = home.open();
    store.record_capture(&note(500, "only in the log"), None).unwrap();
    // As after a kill: the WAL is not checkpointed.
    std::mem::forget(store);
    overwrite(&home.path(), 0, b"garbage!");
    let opened = reopen(&home.path());
    assert_eq!(list(&opened.store), 21, "{:?}", opened.salvaged);
}

#[test]
fn a_process_that_leaves_the_old_file_takes_nothing_of_the_new_one_along() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 20);
    settle(store);
    let old = home.open();
    assert!(old.problems(timestamp(0)).unwrap().is_empty(), "it has the old file and its log open");
    overwrite(&home.path(), 0, b"garbage!");
    let opened = reopen(&home.path());
    opened.store.record_capture(&note(500, "in the new log"), None).unwrap();
    // The last connection to a file deletes its WAL by name, and the name now belongs to the new file: SQLite notices
    // that the old file has moved, and this store relies on it.
    drop(old);
    assert_eq!(list(&home.open()), 21);
    opened.store.record_capture(&note(501, "and more"), None).unwrap();
    assert_eq!(list(&home.open()), 22);
}

#[test]
fn many_processes_that_meet_a_damaged_file_put_it_away_once() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 20);
    settle(store);
    overwrite(&home.path(), 0, b"garbage!");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| SqliteStore::open(&home.path()).unwrap());
        }
    });
    assert_eq!(files(&home).iter().filter(|name| name.contains("corrupt")).count(), 1);
    assert_eq!(list(&home.open()), 20);
}
