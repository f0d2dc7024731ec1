//! Several handles and several processes on one file.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::super::{Durability, SqliteStore, migrate};
use super::Home;
use crate::domain::capture::Capture;
use crate::store::samples::{commit, event, note, oid, repo, timestamp};
use crate::store::{CaptureArchive, CaptureQuery, CaptureStore, EventStore, RecordOutcome, SpoolPosition, StoreError};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_the_owner_may_read_the_files() {
    let home = Home::new();
    let store = home.open();
    store.record_capture(&note(1, "mine"), None).unwrap();
    assert_eq!(mode(home.path().parent().unwrap()), 0o700);
    for entry in std::fs::read_dir(home.path().parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_reader_does_not_wait_for_a_held_write_and_sees_what_was_committed() {
    let home = Home::new();
    let (one, two) = (home.open(), home.open());
    one.record_capture(&commit(1), None).unwrap();
    one.write(Durability::Durable, |tx| {
        tx.execute("DELETE FROM captures", [])?;
        for reader in [&one, &two] {
            assert_eq!(reader.captures(&CaptureQuery::default())?.len(), 1);
        }
        Ok(())
    })
    .unwrap();
    assert!(two.captures(&CaptureQuery::default()).unwrap().is_empty());
}

#[test]
fn a_writer_waits_for_a_held_write_of_another_handle_and_loses_nothing() {
    let home = Home::new();
    let (one, two) = (home.open(), home.open());
    let (holding, held) = mpsc::channel();
    let (about_to_write, release) = mpsc::channel();
    std::thread::scope(|scope| {
        let one = &one;
        scope.spawn(move || {
            one.write(Durability::Durable, |tx| {
                tx.execute("UPDATE captures SET row = row", [])?;
                holding.send(()).unwrap();
                release.recv().unwrap();
                Ok(())
            })
            .unwrap();
        });
        held.recv().unwrap();
        about_to_write.send(()).unwrap();
        assert_eq!(two.record_capture(&commit(1), None).unwrap(), RecordOutcome::New);
    });
    assert_eq!(one.captures(&CaptureQuery::default()).unwrap().len(), 1);
}

#[test]
fn a_write_that_is_never_released_is_unavailable_and_not_forever() {
    let home = Home::new();
    let (one, two) = (home.open(), home.open());
    two.maintain(|db| Ok(db.busy_timeout(Duration::from_millis(20))?)).unwrap();
    one.write(Durability::Durable, |_| {
        let refused = two.record_capture(&commit(1), None).unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
        Ok(())
    })
    .unwrap();
    assert_eq!(two.record_capture(&commit(1), None).unwrap(), RecordOutcome::New);
}

#[test]
fn many_handles_that_capture_the_same_commits_make_one_capture_each() {
    let home = Home::new();
    home.open();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let home = &home;
            scope.spawn(move || {
                let store = home.open();
                for n in 0..50 {
                    let capture = Capture { id: crate::store::samples::fresh_id(worker), ..commit(n) };
                    store.record_capture(&capture, None).unwrap();
                }
            });
        }
    });
    let store = home.open();
    assert_eq!(store.captures(&CaptureQuery::default()).unwrap().len(), 50);
    let oids: Vec<_> = (0..60).map(oid).collect();
    assert_eq!(store.captured_commits(&repo(), &oids).unwrap().len(), 50);
}

#[test]
fn a_job_that_fails_or_panics_leaves_nothing_behind() {
    let home = Home::new();
    let store = home.open();
    let failed: Result<(), StoreError> = store.write(Durability::Rebuildable, |tx| {
        tx.execute("INSERT INTO spools VALUES ('x', 1)", [])?;
        Err(StoreError::Conflict("on purpose".into()))
    });
    assert!(failed.is_err());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.write(Durability::Rebuildable, |tx| -> Result<(), StoreError> {
            tx.execute("INSERT INTO spools VALUES ('y', 1)", []).unwrap();
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    store.ingest_events(&[], &SpoolPosition { file: "z".into(), offset: 1 }).unwrap();
    assert_eq!(store.spool_positions().unwrap().len(), 1);
}

#[test]
fn a_schema_that_grew_while_this_program_ran_is_not_written_to() {
    let home = Home::new();
    let (old, new) = (home.open(), home.open());
    old.record_capture(&commit(1), None).unwrap();
    new.maintain(|db| Ok(db.pragma_update(None, "user_version", migrate::SCHEMA + 1)?)).unwrap();
    let refused = old.record_capture(&commit(2), None).unwrap_err();
    assert!(matches!(refused, StoreError::TooNew { .. }), "{refused}");
    let refused = SqliteStore::open(&home.path()).unwrap_err();
    assert!(matches!(refused, StoreError::TooNew { .. }), "{refused}");
    assert_eq!(
        std::fs::read_dir(home.path().parent().unwrap())
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name().to_string_lossy().contains("corrupt") })
            .count(),
        0,
        "nothing is put away"
    );
}

/// Not a test of its own: the process that the next test kills. Ingests events and records captures in a loop, printing
/// each number once the store has confirmed it.
#[test]
#[ignore = "the child process of the test below"]
fn child_that_is_killed() {
    let mut path = String::new();
    std::io::stdin().read_line(&mut path).unwrap();
    let store = SqliteStore::open(Path::new(path.trim())).unwrap().store;
    let start = store.spool_positions().unwrap().first().map_or(0, |position| position.offset);
    for n in start.. {
        store.ingest_events(&[event(n)], &SpoolPosition { file: "spool".into(), offset: n + 1 }).unwrap();
        for pending in store.pending_events(100).unwrap() {
            let which = u64::try_from(pending.event.stamp.as_second() - timestamp(0).as_second()).unwrap();
            store.record_capture(&commit(which), Some(pending.row)).unwrap();
            println!("kept {which}");
        }
    }
}

fn child(path: &Path) -> Child {
    let name = "store::sqlite::tests::sharing::child_that_is_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", path.display()).unwrap();
    child
}

#[test]
fn a_killed_process_loses_nothing_and_doubles_nothing() {
    let home = Home::new();
    home.open();
    let mut kept = Vec::new();
    for round in 0..8 {
        let mut child = child(&home.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let numbers = lines.filter_map(|line| line.strip_prefix("kept ")?.parse::<u64>().ok());
        kept.extend(numbers.take(5 + 7 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = home.open();
        let verdict: String =
            store.read(|db| Ok(db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?)).unwrap();
        assert_eq!(verdict, "ok");
    }
    let store = home.open();
    let wanted: Vec<_> = kept.iter().map(|n| oid(*n)).collect();
    assert_eq!(
        store.captured_commits(&repo(), &wanted).unwrap().len(),
        kept.len(),
        "nothing that was acknowledged is lost"
    );
    let position = store.spool_positions().unwrap()[0].offset;
    let captures = store.captures(&CaptureQuery::default()).unwrap().len() as u64;
    assert_eq!(captures + store.pending_event_count().unwrap(), position, "each event once: captured or waiting");
    assert!(position >= kept.len() as u64 && kept.len() > 100);
}
