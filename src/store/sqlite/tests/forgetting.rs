//! Forgotten text is in no byte of any file, whatever lies beside the database.

use std::fs;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use super::super::{Durability, SqliteStore, connection, forget, migrate, record};
use super::Home;
use crate::domain::capture::{Capture, ModelOutcome, Reason};
use crate::domain::draft::{DraftKind, Period};
use crate::domain::id::{CaptureId, DraftId};
use crate::store::samples::{answered, commit, note, oid, repo, template, timestamp};
use crate::store::{
    CaptureArchive, CaptureQuery, CaptureStore, DraftQuery, DraftQueue, ExpiringData, FORGETTING, MaintenanceStore,
    MarkStore, NewDraft, ProblemLog, RefinementStore, ScrubReport, StoreError, StoreFile, WrittenDraft,
};

/// The secret words in each text of a capture.
const WORDS: [&str; 6] = ["zebra", "okapi", "lemur", "tapir", "gecko", "quokka"];

fn secret(n: u64) -> Capture {
    let mut secret = commit(n);
    secret.raw = format!("the customer's zebra{n} broke\n\nbody of zebra{n}");
    secret.commit.as_mut().unwrap().subject = format!("the customer's okapi{n} broke");
    secret.summary = format!("Template with tapir{n}.");
    secret
}

/// Stores it with all data of the model stage.
fn store_secret(store: &SqliteStore, n: u64) -> CaptureId {
    let secret = secret(n);
    store.record_capture(&secret, None).unwrap();
    let mut outcome = answered(&format!("The model says lemur{n}."), 10.0);
    outcome.wire = Some(format!("the rules\nand then gecko{n} {}", "and more ".repeat(900)));
    outcome.faults = vec![format!("quokka{n} is not known")];
    outcome.decision = Some(format!("gecko{n} was asked"));
    assert!(store.finish_capture(secret.id, &|| outcome.clone()).unwrap());
    secret.id
}

/// The files of the store that hold one of the words.
fn files_with(home: &Home, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(home.path().parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        if bytes.windows(word.len()).any(|window| window == word.as_bytes()) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

/// Either all words of the capture are in some file, or none is in any.
fn assert_there(home: &Home, n: u64) {
    for word in WORDS {
        assert!(
            !files_with(home, &format!("{word}{n}")).is_empty(),
            "{word} is there at first, else this proves nothing"
        );
    }
}

fn assert_gone(home: &Home, n: u64) {
    for word in WORDS {
        assert_eq!(files_with(home, &format!("{word}{n}")), Vec::<String>::new(), "{word}");
    }
}

fn names(removed: &[StoreFile]) -> Vec<String> {
    removed.iter().map(|file| file.path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn what_an_older_program_deleted_or_the_index_kept_goes_too() {
    let home = Home::new();
    let store = home.open();
    store
        .write(Durability::Durable, |tx| {
            for n in 1000..2500 {
                let capture = Capture { provenance: template(Reason::Disabled), ..secret(n) };
                record::record(tx, &capture, &capture.summary, None)?;
            }
            Ok(())
        })
        .unwrap();
    let old = connection::raw(&home.path()).unwrap();
    old.pragma_update(None, "secure_delete", false).unwrap();
    old.execute("DELETE FROM captures WHERE row % 3 = 0", []).unwrap();
    drop(old);
    let found = || {
        let bytes = String::from_utf8_lossy(&fs::read(home.path()).unwrap()).into_owned();
        let deleted = (1000..2500).filter(|n| (n - 999) % 3 == 0);
        deleted
            .flat_map(|n| ["zebra", "okapi", "tapir"].map(|word| format!("{word}{n}")))
            .filter(|word| bytes.contains(word))
            .count()
    };
    store.maintain(forget::scrub_log).unwrap();
    assert!(found() > 0, "else this proves nothing");
    assert_eq!(store.scrub(), ScrubReport::default());
    assert_eq!(found(), 0);
    assert_eq!(store.search("zebra1000", &CaptureQuery::default()).unwrap().len(), 1);
}

#[test]
fn an_answer_about_something_else_that_quotes_what_was_forgotten_goes() {
    let home = Home::new();
    let store = home.open();
    let (note, other) = (note(1, "the customer's \"zebra1\" broke in the night"), commit(2));
    for capture in [&note, &other] {
        store.record_capture(capture, None).unwrap();
    }
    let answer = serde_json::json!({"reason": "none", "answer": format!("As noted, {}.", note.raw), "dropped": []});
    let decided = ModelOutcome { decision: Some(answer.to_string()), ..answered("It works.", 10.0) };
    assert!(store.finish_capture(other.id, &|| decided.clone()).unwrap());
    assert!(!files_with(&home, "As noted").is_empty(), "else this proves nothing");
    store.forget_capture(note.id, timestamp(9)).unwrap();
    assert_eq!((store.decision(other.id).unwrap(), files_with(&home, "As noted")), (None, Vec::new()));
}

#[test]
fn a_copy_of_before_a_migration_goes_with_the_capture() {
    let home = Home::new();
    fs::create_dir_all(home.path().parent().unwrap()).unwrap();
    let mut connection = connection::raw(&home.path()).unwrap();
    migrate::bring_to_fourth(&mut connection, &home.path()).unwrap();
    let old = Capture { provenance: template(Reason::Disabled), ..secret(7) };
    record::record(&connection, &old, &old.summary, None).unwrap();
    let sent = "INSERT INTO wires (capture, wire, faults) VALUES (1, 'gecko7 and lemur7', 'quokka7')";
    connection.execute(sent, []).unwrap();
    drop(connection);
    let store = home.open();
    fs::write(home.path().with_extension("db.schema-2.unfinished"), "a copy that was cut short: zebra7").unwrap();
    assert!(files_with(&home, "zebra7").len() >= 3, "in the store, its copy, and a torn copy");
    assert_there(&home, 7);
    let forgotten = store.forget_capture(old.id, timestamp(9)).unwrap();
    assert_gone(&home, 7);
    assert_eq!(names(&forgotten.scrubbed.copies), ["captures.db.schema-2.unfinished", "captures.db.schema-4"]);
    assert!(forgotten.scrubbed.copies[1].bytes > 4096 && forgotten.scrubbed.remaining.is_empty());
}

#[test]
fn a_damaged_database_that_was_put_away_goes_with_the_capture() {
    let home = Home::new();
    let store = home.open();
    let id = store_secret(&store, 7);
    store.record_capture(&note(8, "something else"), None).unwrap();
    store.maintain(forget::scrub_log).unwrap();
    store.record_capture(&note(9, "only in the log"), None).unwrap();
    // As after a kill: the WAL is not checkpointed.
    std::mem::forget(store);
    fs::OpenOptions::new().write(true).open(home.path()).unwrap().write_all_at(b"garbage!", 0).unwrap();
    let opened = SqliteStore::open(&home.path()).unwrap();
    let quarantined = opened.quarantined.unwrap().file_name().unwrap().to_string_lossy().into_owned();
    assert!(files_with(&home, "zebra7").contains(&quarantined), "{:?}", files_with(&home, "zebra7"));
    for (suffix, word) in [("rebuilding", "zebra7"), ("rebuilt-wal", "okapi7"), ("mended", "tapir7")] {
        fs::write(home.path().with_extension(format!("db.{suffix}")), word).unwrap();
    }
    assert_there(&home, 7);
    let forgotten = opened.store.forget_capture(id, timestamp(9)).unwrap();
    assert_gone(&home, 7);
    let copies = [quarantined.clone(), format!("{quarantined}-wal")];
    let removed = names(&forgotten.scrubbed.copies);
    assert!(copies.iter().all(|copy| removed.contains(copy)), "{removed:?}");
    assert_eq!(opened.store.captures(&CaptureQuery::default()).unwrap().len(), 2);
}

#[test]
fn a_file_that_cannot_be_removed_is_named_and_removed_by_the_next_try() {
    let home = Home::new();
    let store = home.open();
    let id = store_secret(&store, 7);
    // A directory in its place cannot be removed as a file, not even by root.
    let stubborn = home.path().with_extension("db.schema-2");
    fs::create_dir(&stubborn).unwrap();
    let others = home.path().with_extension("db.bak");
    fs::write(&others, format!("a foreign copy: {id}")).unwrap();
    fs::write(home.path().with_extension("db.txt"), "of another matter").unwrap();
    let left = store.forget_capture(id, timestamp(9)).unwrap().scrubbed.remaining;
    let leftovers: Vec<_> = left.iter().map(|left| (left.path.clone(), left.foreign)).collect();
    assert_eq!(leftovers, [(stubborn.clone(), false), (others.clone(), true)]);
    assert_eq!(store.mark(FORGETTING).unwrap(), Some(timestamp(9).to_string()));
    assert_eq!(store.forgotten_id(&id.to_string()[..14]).unwrap(), id);
    assert!(matches!(store.capture_id(&id.to_string()), Err(StoreError::NotFound { .. })));
    fs::remove_dir(&stubborn).unwrap();
    fs::write(&stubborn, "zebra7").unwrap();
    fs::remove_file(others).unwrap();
    let again = store.scrub();
    assert_eq!((names(&again.copies), again.remaining), (vec!["captures.db.schema-2".to_owned()], vec![]));
}

#[test]
fn a_reader_that_keeps_the_log_busy_is_named() {
    let home = Home::new();
    let store = home.open();
    let id = store_secret(&store, 7);
    store.maintain(|db| Ok(db.busy_timeout(Duration::from_millis(20))?)).unwrap();
    let reader = connection::raw(&home.path()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM captures").unwrap();
    let left = store.forget_capture(id, timestamp(9)).unwrap().scrubbed.remaining;
    assert_eq!(left.len(), 1);
    assert!(left[0].path.to_string_lossy().ends_with("-wal"), "{left:?}");
    drop(reader);
    assert_eq!(store.scrub(), ScrubReport::default());
    assert_gone(&home, 7);
}

#[test]
fn problems_and_prompts_that_quote_it_go_and_captures_that_repeat_it_are_named() {
    let home = Home::new();
    let store = home.open();
    let id = store_secret(&store, 7);
    let own_words = Capture { raw: secret(7).raw, ..commit(20) };
    let asks = |n: u64, wire: &str| {
        let mut outcome = answered("It works.", 10.0);
        outcome.wire = Some(wire.to_owned());
        store.finish_capture(commit_id(&store, n), &|| outcome.clone()).unwrap();
    };
    for capture in [&own_words, &commit(21), &commit(22)] {
        store.record_capture(capture, None).unwrap();
    }
    asks(20, "said: the customer's zebra7 broke\n\nbody of zebra7");
    asks(21, "before: the customer's okapi7 broke");
    asks(22, "nothing of the kind");
    store.note_problem(timestamp(1), "a server said: 400 \\\"the customer's zebra7 broke\\\"", "try again").unwrap();
    store.note_problem(timestamp(1), "the disk is full", "df -h").unwrap();
    let forgotten = store.forget_capture(id, timestamp(9)).unwrap();
    assert_eq!(forgotten.repeated_by, [commit_id(&store, 20)]);
    let wire = |n: u64| store.capture(&commit_id(&store, n).to_string()).unwrap().wire;
    assert!(wire(20).is_some() && wire(21).is_none() && wire(22).is_some());
    assert_eq!(store.problems(timestamp(0)).unwrap().len(), 1);
    for word in ["okapi7", "lemur7", "tapir7", "gecko7", "quokka7"] {
        assert!(files_with(&home, word).is_empty(), "{word}");
    }
}

fn commit_id(store: &SqliteStore, n: u64) -> CaptureId {
    store.capture_of_commit(&repo(), &oid(n)).unwrap().unwrap().id
}

#[test]
fn drafts_that_were_written_from_it_go_also_one_that_is_just_being_written() {
    let home = Home::new();
    let store = home.open();
    let id = store_secret(&store, 7);
    let draft = |from: i64| {
        let period = Period { from: timestamp(from), to: timestamp(from + 9) };
        let new = NewDraft { kind: DraftKind::Devlog, project: "shop".into(), repo: None, period, max_attempts: 3 };
        assert!(store.queue_draft(&new, timestamp(from)).unwrap());
        let lease = store.lease_draft(timestamp(from), timestamp(from + 9)).unwrap().unwrap();
        (lease.draft.id, lease.attempt)
    };
    let written = |body: &str, sources: Vec<CaptureId>| WrittenDraft {
        title: "T".into(),
        body: body.into(),
        format: "markdown".into(),
        model: None,
        sources,
        note: None,
        quality: None,
    };
    let write = |(draft, attempt): (DraftId, u32), sources: Vec<CaptureId>| {
        store.finish_draft(draft, attempt, &written("The customer's zebra7 broke.", sources), timestamp(50))
    };
    let of_it = draft(0);
    write(of_it, vec![commit(3).id, id]).unwrap();
    let of_others = draft(100);
    write(of_others, vec![commit(3).id]).unwrap();
    let once = draft(300);
    write(once, vec![id]).unwrap();
    store.retry_draft(once.0, timestamp(310)).unwrap();
    let again = store.lease_draft(timestamp(310), timestamp(320)).unwrap().unwrap();
    store.finish_draft(once.0, again.attempt, &written("Nothing broke.", vec![commit(3).id]), timestamp(311)).unwrap();
    let open = draft(200);
    assert_eq!(
        store.forget_capture(id, timestamp(60)).unwrap().drafts,
        [of_it.0, once.0],
        "an earlier version as well"
    );
    assert!(matches!(write(open, vec![id]), Err(StoreError::Conflict(_))));
    assert_eq!(store.drafts(&DraftQuery::default()).unwrap().len(), 2);
    assert!(store.draft(&of_others.0.to_string()).is_ok());
}

#[test]
fn copies_expire_and_strangers_do_not() {
    let home = Home::new();
    let store = home.open();
    store.record_capture(&commit(1), None).unwrap();
    let beside = |suffix: &str| home.path().with_extension(format!("db.{suffix}"));
    for suffix in ["schema-3", "corrupt-20260301T000000Z", "corrupt-20260301T000000Z-wal", "bak"] {
        fs::write(beside(suffix), "x").unwrap();
    }
    let (past, future) = (timestamp(0), timestamp(40 * 365 * 86_400));
    assert_eq!(store.expire(ExpiringData::Copies, past).unwrap(), 0, "they were made just now");
    assert_eq!(store.sizes().unwrap().copy_files, 3);
    assert_eq!(store.expire(ExpiringData::Copies, future).unwrap(), 3);
    assert!(beside("bak").exists() && home.path().exists());
    assert_eq!(store.captures(&CaptureQuery::default()).unwrap().len(), 1);
}

#[test]
fn prompts_of_a_damaged_file_of_an_older_schema_still_expire() {
    let home = Home::new();
    fs::create_dir_all(home.path().parent().unwrap()).unwrap();
    let mut connection = connection::raw(&home.path()).unwrap();
    migrate::bring_to_fourth(&mut connection, &home.path()).unwrap();
    let old = Capture { provenance: template(Reason::Disabled), ..commit(7) };
    record::record(&connection, &old, &old.summary, None).unwrap();
    connection.execute("INSERT INTO wires (capture, wire) VALUES (1, 'sent')", []).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    fs::OpenOptions::new().write(true).open(home.path()).unwrap().write_all_at(b"garbage!", 0).unwrap();
    let store = SqliteStore::open(&home.path()).unwrap().store;
    assert_eq!(store.capture(&old.id.to_string()).unwrap().wire.as_deref(), Some("sent"));
    assert_eq!(store.expire(ExpiringData::Prompts, timestamp(7)).unwrap(), 0);
    assert_eq!(store.expire(ExpiringData::Prompts, timestamp(8)).unwrap(), 1);
}
