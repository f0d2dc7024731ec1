//! Files of an older program: brought up with all they hold, salvaged like any other when damaged.

use std::fs;
use std::os::unix::fs::FileExt;

use rusqlite::{Connection, params};

use super::super::{SqliteStore, connection, events, migrate, record};
use super::Home;
use crate::domain::capture::{Capture, Reason};
use crate::domain::clock::FakeClock;
use crate::domain::event::Means;
use crate::store::samples::{at, commit, event, note, oid, operation, repo, template};
use crate::store::{CaptureQuery, LatencyGrouping, Registered, Store};

/// A file of schema 1 with a repository, captures and an open event in it.
fn first(home: &Home) {
    fs::create_dir_all(home.path().parent().unwrap()).unwrap();
    let mut connection = connection::raw(&home.path()).unwrap();
    migrate::bring_to_first(&mut connection, &home.path()).unwrap();
    assert_eq!(migrate::found(&connection).unwrap(), 1);
    fill(&connection);
    connection.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
}

fn fill(connection: &Connection) {
    let sql = "INSERT INTO repositories (id, path, common_dir, project, since) VALUES (?1, ?2, ?3, 'shop', ?4)";
    let (path, common_dir) = (&b"/home/me/shop"[..], &b"/home/me/shop/.git"[..]);
    connection.execute(sql, params![repo().as_str(), path, common_dir, at(1).as_microsecond()]).unwrap();
    for mut capture in [commit(1), note(2, "a thought")] {
        capture.provenance = template(Reason::Disabled);
        record::record(connection, &capture, &capture.summary, None).unwrap();
    }
    events::put(connection, &event(3)).unwrap();
}

fn shop() -> Registered {
    Registered {
        id: repo(),
        path: "/home/me/shop".into(),
        common_dir: "/home/me/shop/.git".into(),
        project: "shop".into(),
        since: at(1),
        means: Means::File,
        inode: None,
    }
}

#[test]
fn a_file_of_the_first_schema_is_brought_up_with_everything_in_it() {
    let home = Home::new();
    first(&home);
    let store = home.open();
    assert_eq!(store.registered().unwrap(), [shop()], "its hooks were files");
    assert_eq!(store.captures(&CaptureQuery::default()).unwrap().len(), 2);
    assert_eq!(store.pending_events(9).unwrap()[0].event, event(3));
    assert!(store.log_positions(&repo()).unwrap().is_empty());
    store.set_mark("global", Some("1")).unwrap();
    store.prepare_squash(&repo(), &oid(1), &[oid(2)], at(1)).unwrap();
    let kept = connection::raw(&home.path().with_extension("db.schema-1")).unwrap();
    assert_eq!(migrate::found(&kept).unwrap(), 1, "the old file is kept beside it");
}

/// A file of schema 3 with a template that a cold model left standing, and what was logged of it.
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
    connection.execute(logged, [at(1).as_microsecond()]).unwrap();
}

#[test]
fn a_file_from_before_the_router_keeps_what_it_holds_and_its_template_can_be_refined() {
    let home = Home::new();
    third(&home);
    let store = home.open();
    let standing = store.refinable(at(0), at(99), 9).unwrap().remove(0);
    assert_eq!((store.decision(standing.id).unwrap(), standing.refined), (None, None));
    assert_eq!(store.faults(standing.id).unwrap(), ["It flies."]);
    store.log_operation(&operation(1, 4_000)).unwrap();
    let grouping = LatencyGrouping { op: true, model: true, cold: true };
    let rows = store.latency(at(0), grouping).unwrap();
    assert_eq!((rows.len(), rows[0].n, rows[0].ahead.clone()), (1, 2, None), "old and new are one series");
    assert_eq!(store.forecasts().unwrap().iter().count(), 0);
}

#[test]
fn a_damaged_file_of_the_first_schema_gives_back_what_can_be_read() {
    let home = Home::new();
    first(&home);
    let file = fs::OpenOptions::new().write(true).open(home.path()).unwrap();
    file.write_all_at(b"garbage!", 0).unwrap();
    let opened = SqliteStore::open_at(&home.path(), &FakeClock::at(at(0))).unwrap();
    let salvaged = opened.salvaged.unwrap();
    assert_eq!((salvaged.notes, salvaged.commits, salvaged.repositories, salvaged.damaged), (1, 1, 1, 0));
    assert_eq!(opened.store.registered().unwrap(), [shop()]);
    assert_eq!(opened.store.search("thought", &CaptureQuery::default()).unwrap().len(), 1);
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
    let found = home.open().notes_before(&repo(), at(5), at(6)).unwrap().remove(0);
    assert_eq!((found.note.id, found.commits), (thought.id, vec![oid(8)]));
}
