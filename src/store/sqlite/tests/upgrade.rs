//! Files of an older program: migrated with all their content, salvaged like any other when damaged.

use std::fs;
use std::os::unix::fs::FileExt;

use rusqlite::{Connection, params};

use super::super::{SqliteStore, checksum, connection, events, migrate, record};
use super::Home;
use crate::domain::capture::{Capture, Reason, RepoRef};
use crate::domain::clock::FakeClock;
use crate::domain::draft::{DraftKind, Period};
use crate::domain::event::HookMode;
use crate::domain::id::RepoId;
use crate::store::samples::{commit, event, note, oid, operation, repo, template, timestamp};
use crate::store::{
    CaptureArchive, CaptureQuery, CaptureStore, DraftQuery, DraftQueue, EventStore, LatencyGrouping, MarkStore,
    NewDraft, OperationLog, RefinementStore, RegisteredRepo, RepositoryStore, RouterState,
};

/// A file of schema 1 with a repository, captures and an open event in it.
fn first(home: &Home) {
    fs::create_dir_all(home.path().parent().unwrap()).unwrap();
    let mut connection = connection::raw(&home.path()).unwrap();
    migrate::bring_to_first(&mut connection, &home.path()).unwrap();
    assert_eq!(migrate::schema_version(&connection).unwrap(), 1);
    fill(&connection);
    connection.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
}

fn fill(connection: &Connection) {
    let sql = "INSERT INTO repositories (id, path, common_dir, project, since) VALUES (?1, ?2, ?3, 'shop', ?4)";
    let (path, common_dir) = (&b"/home/me/shop"[..], &b"/home/me/shop/.git"[..]);
    connection.execute(sql, params![repo().as_str(), path, common_dir, timestamp(1).as_microsecond()]).unwrap();
    for mut capture in [commit(1), note(2, "a thought")] {
        capture.provenance = template(Reason::Disabled);
        record::record(connection, &capture, &capture.summary, None).unwrap();
    }
    events::insert_event(connection, &event(3)).unwrap();
}

fn shop() -> RegisteredRepo {
    RegisteredRepo {
        id: repo(),
        path: "/home/me/shop".into(),
        common_dir: "/home/me/shop/.git".into(),
        project: "shop".into(),
        since: timestamp(1),
        hook_mode: HookMode::File,
        inode: None,
    }
}

#[test]
fn a_file_of_the_first_schema_is_brought_up_with_everything_in_it() {
    let home = Home::new();
    first(&home);
    let store = home.open();
    assert_eq!(store.registered_repos().unwrap(), [shop()], "its hooks were files");
    assert_eq!(store.captures(&CaptureQuery::default()).unwrap().len(), 2);
    assert_eq!(store.pending_events(9).unwrap()[0].event, event(3));
    assert!(store.log_positions(&repo()).unwrap().is_empty());
    store.set_mark("global", Some("1")).unwrap();
    store.prepare_squash(&repo(), &oid(1), &[oid(2)], timestamp(1)).unwrap();
    let kept = connection::raw(&home.path().with_extension("db.schema-1")).unwrap();
    assert_eq!(migrate::schema_version(&kept).unwrap(), 1, "the old file is kept beside it");
}

/// A file of schema 3 with a template kept because of a cold model, and its log entry.
fn third(home: &Home) {
    fs::create_dir_all(home.path().parent().unwrap()).unwrap();
    let mut connection = connection::raw(&home.path()).unwrap();
    migrate::bring_to_third(&mut connection, &home.path()).unwrap();
    let capture = Capture { provenance: template(Reason::Cold), ..commit(1) };
    record::record(&connection, &capture, &capture.summary, None).unwrap();
    connection.execute("INSERT INTO wires VALUES (1, 'sent', '[\"It flies.\"]')", []).unwrap();
    let series = "INSERT INTO series (op, model, endpoint, cold, reason, failed, punctual, repaired)
                  VALUES ('capture.commit', 'orca-mini:3b', 'local', 0, 0, 0, 2, 0)";
    connection.execute(series, []).unwrap();
    let logged = "INSERT INTO operations (at, seq, series, duration_us) VALUES (?1, 0, 1, 4000)";
    connection.execute(logged, [timestamp(1).as_microsecond()]).unwrap();
}

#[test]
fn a_file_from_before_the_router_keeps_what_it_holds_and_its_template_can_be_refined() {
    let home = Home::new();
    third(&home);
    let store = home.open();
    let standing = store.refinable(timestamp(0), timestamp(99), 9).unwrap().remove(0);
    assert_eq!((store.decision(standing.id).unwrap(), standing.refined), (None, None));
    assert_eq!(store.faults(standing.id).unwrap(), ["It flies."]);
    store.log_operation(&operation(1, 4_000)).unwrap();
    let grouping = LatencyGrouping { op: true, model: true, cold: true };
    let rows = store.latency(timestamp(0), grouping).unwrap();
    assert_eq!((rows.len(), rows[0].n, rows[0].ahead.clone()), (1, 2, None), "old and new are one series");
    assert_eq!(store.forecasts().unwrap().iter().count(), 0);
}

/// A file of schema 4 with drafts that were keyed by their project's name.
fn fourth(home: &Home) {
    fs::create_dir_all(home.path().parent().unwrap()).unwrap();
    let mut connection = connection::raw(&home.path()).unwrap();
    migrate::bring_to_fourth(&mut connection, &home.path()).unwrap();
    let elsewhere = |n: u64| {
        let place = RepoRef { path: "/home/you/shop".into(), id: RepoId::from_stored("elsewhere".into()) };
        Capture { repo: Some(place), ..commit(n) }
    };
    let captures = [commit(1), elsewhere(2), elsewhere(3), note(4, "a thought"), commit(60)];
    for capture in &captures {
        record::record(&connection, capture, &capture.summary, None).unwrap();
    }
    let sources = serde_json::to_string(&captures[..3].iter().map(|c| c.id).collect::<Vec<_>>()).unwrap();
    let sql = "INSERT INTO drafts (id, kind, project, period_from, period_to, state, max_attempts, allowance, sources,
                 title, created_at, checksum) VALUES (?1, 'devlog', ?2, ?3, ?4, ?5, 3, 3, ?6, ?7, 0, ?8)";
    for (n, project, from, state, sources, title) in [
        (1, "shop", 0, "ready", sources.as_str(), "Mixed"),
        (2, "shop", 50, "queued", "[]", ""),
        (3, "notes", 0, "queued", "[]", ""),
        (4, "stall", 0, "ready", sources.as_str(), "The same repository under another name"),
        (5, "lost", 0, "ready", "no JSON", "Damaged"),
    ] {
        let id = format!("019cc47f-4100-71ac-90a0-9d5066f80d{n:02}");
        let (from, to, sum) =
            (timestamp(from).as_microsecond(), timestamp(from + 50).as_microsecond(), checksum::of(&[title, ""]));
        connection.execute(sql, params![id, project, from, to, state, sources, title, sum]).unwrap();
    }
}

#[test]
fn drafts_that_were_keyed_by_a_name_find_their_repository() {
    let home = Home::new();
    fourth(&home);
    let store = home.open();
    let repo_of = |id: &str| store.draft(id).unwrap().repo.map(|repo| (repo.id.as_str().to_owned(), repo.path));
    let of = |n: u32| repo_of(&format!("019cc47f-4100-71ac-90a0-9d5066f80d{n:02}"));
    assert_eq!(of(1), Some(("elsewhere".into(), "/home/you/shop".into())), "that of most of its captures");
    assert_eq!(of(2), Some((repo().as_str().to_owned(), "/home/me/shop".into())), "that of the period");
    assert_eq!((of(3), of(4)), (None, None));
    assert_eq!(store.drafts(&DraftQuery::default()).unwrap().len(), 4, "the damaged one is left out, as before");
    let mixed = store.draft("019cc47f-4100-71ac-90a0-9d5066f80d01").unwrap();
    let versions = store.draft_versions(mixed.id).unwrap();
    assert_eq!((versions.len(), versions[0].title.as_str(), versions[0].number), (1, "Mixed", 1));
    let again = NewDraft {
        kind: DraftKind::Devlog,
        project: "shop".into(),
        repo: Some(RepoRef { path: String::new(), id: RepoId::from_stored("elsewhere".into()) }),
        period: Period { from: timestamp(0), to: timestamp(50) },
        max_attempts: 3,
    };
    assert!(!store.queue_draft(&again, timestamp(99)).unwrap());
}

#[test]
fn a_damaged_file_of_the_first_schema_gives_back_what_can_be_read() {
    let home = Home::new();
    first(&home);
    let file = fs::OpenOptions::new().write(true).open(home.path()).unwrap();
    file.write_all_at(b"garbage!", 0).unwrap();
    let opened = SqliteStore::open_at(&home.path(), &FakeClock::at(timestamp(0))).unwrap();
    let salvaged = opened.salvaged.unwrap();
    assert_eq!((salvaged.notes, salvaged.commits, salvaged.repositories, salvaged.damaged), (1, 1, 1, 0));
    assert_eq!(opened.store.registered_repos().unwrap(), [shop()]);
    assert_eq!(opened.store.search("thought", &CaptureQuery::default()).unwrap().len(), 1);
}

#[test]
fn prompts_and_facts_under_the_names_of_older_tables_are_salvaged() {
    let home = Home::new();
    third(&home);
    let connection = connection::raw(&home.path()).unwrap();
    connection.execute("INSERT INTO marks (name, value) VALUES ('global', '1')", []).unwrap();
    drop(connection);
    let file = fs::OpenOptions::new().write(true).open(home.path()).unwrap();
    file.write_all_at(b"garbage!", 0).unwrap();
    let opened = SqliteStore::open_at(&home.path(), &FakeClock::at(timestamp(0))).unwrap();
    assert!(opened.salvaged.is_some());
    assert_eq!(opened.store.mark("global").unwrap().as_deref(), Some("1"));
    let id = opened.store.captures(&CaptureQuery::default()).unwrap()[0].id;
    assert_eq!(opened.store.faults(id).unwrap(), ["It flies."]);
}

#[test]
fn a_note_of_an_older_file_is_still_its_commits_whatever_else_is_damaged() {
    let home = Home::new();
    third(&home);
    let thought = Capture { repo: commit(5).repo, ..note(5, "thought") };
    let owner = Capture { notes: vec![thought.id], ..commit(8) };
    let connection = connection::raw(&home.path()).unwrap();
    for capture in [&thought, &owner] {
        record::record(&connection, capture, &capture.summary, None).unwrap();
    }
    connection.execute("UPDATE captures SET rest = '{\"notes\": [' WHERE oid = ?1", [oid(1).as_str()]).unwrap();
    drop(connection);
    let found = home.open().notes_before(&repo(), timestamp(5), timestamp(6)).unwrap().remove(0);
    assert_eq!((found.note.id, found.commits), (thought.id, vec![oid(8)]));
}
