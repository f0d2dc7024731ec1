//! How long things are kept: what is forgotten is gone from every file, what is old goes by itself.

use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use crate::harness::fake_llm::{Behaviour, FakeLlm};
use crate::harness::{World, eventually};

/// What the model says of the commit with the secret.
const TEXT: &str = "Adds okapi, which passes quagga to zebra.";

fn database(world: &World) -> PathBuf {
    world.path("uro/data/captures.db")
}

/// Files below `dir` that hold one of the words.
fn holding(dir: &Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, words));
            continue;
        }
        // A socket has no bytes.
        let bytes = std::fs::read(&path).unwrap_or_default();
        let holds = |word: &&&str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
        found.extend(words.iter().filter(holds).map(|word| format!("{word} in {}", path.display())));
    }
    found
}

/// As the program made it that knew two schemas less; the next command brings it up again.
fn bring_down(world: &World) {
    let db = Connection::open(database(world)).unwrap();
    db.execute_batch(
        "ALTER TABLE prompts RENAME TO wires; ALTER TABLE kv RENAME TO marks; DROP INDEX prompts_time;
         CREATE INDEX wires_time ON wires (at); DROP TRIGGER events_rewriting; DROP TRIGGER events_settled; DROP TABLE rewritten;
         DROP INDEX events_commit; DROP INDEX captures_worded; DROP INDEX drafts_worded; DROP INDEX drafts_state;
         DROP INDEX problems_hint; DROP TABLE draft_versions; DROP INDEX drafts_period; DELETE FROM refinery_schema_history WHERE version >= 9; PRAGMA user_version = 8;",
    )
    .unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

fn damage(world: &World) {
    let mut file = std::fs::OpenOptions::new().write(true).open(database(world)).unwrap();
    file.write_all(b"garbage!").unwrap();
}

fn append(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn what_is_forgotten_is_in_no_byte_of_any_file_after_a_migration_and_a_quarantine() {
    let server = FakeLlm::start(Behaviour::Answer(TEXT.into()));
    let world = World::with_fake(&server);
    let repo = world.repo("repo");
    // The model says the same of every commit.
    world.commit(&repo, "b.rs", "fn other() {}\n", "Keep another function");
    world.ok(&repo, &["commit", "HEAD", "--no-model"]);
    world.ok(&repo, &["init"]);
    world.start_sidecar();
    let oid = world.commit(
        &repo,
        "a.rs",
        "fn okapi() { zebra(quagga) }\n",
        "Let okapi ask\n\nThe customer's lemur wants it.",
    );
    let capture = world.final_capture(&repo, &oid);
    assert_eq!(capture["provenance"]["by"], "model", "{capture:#}");
    let id = capture["id"].as_str().unwrap();
    world.ok(&repo, &["sidecar", "stop"]);
    world.ok(&repo, &["draft", "new", "devlog", "--from", "2026-03-01"]);
    world.ok(&repo, &["draft", "run"]);
    let drafts = world.json(&repo, &["draft", "list"]);
    assert!(drafts.to_string().contains("okapi"), "{drafts:#}");
    bring_down(&world);
    world.ok(&repo, &["log"]);
    damage(&world);
    world.ok(&repo, &["log"]);
    let state = world.path("uro/state");
    append(&state.join("sidecar.log"), "a server said: {\"prompt\":\"…\\nThe customer's lemur wants it.\\n\"}\n");
    append(&state.join("sidecar.log.old"), "Let okapi ask, again\n");
    append(&state.join("edit-1.md"), TEXT);
    world.start_sidecar();

    let words = &["okapi", "zebra", "lemur"];
    let before = holding(&world.path("uro"), words);
    for name in
        ["captures.db", "captures.db.schema-8", "captures.db.corrupt-", "sidecar.log", "sidecar.log.old", "edit-1.md"]
    {
        assert!(before.iter().any(|found| found.contains(name)), "{name}: {before:#?}");
    }
    let result = world.json(&repo, &["forget", id, "--yes"]);
    assert_eq!(holding(&world.path("uro"), words), Vec::<String>::new(), "{result:#}");

    assert_eq!((&result["id"], &result["forgotten"]), (&capture["id"], &true.into()));
    assert_eq!(result["left"].as_array().unwrap().len(), 0);
    assert!(!result["drafts"].as_array().unwrap().is_empty(), "{result:#}");
    let removed = result["removed"].to_string();
    for name in ["captures.db.schema-8", "captures.db.corrupt-", "sidecar.log", "edit-1.md"] {
        assert!(removed.contains(name), "{name}: {removed}");
    }
    assert!(result["removed_bytes"].as_u64().unwrap() > 2 * 4096);
    assert_eq!(world.log(&repo).len(), 1, "the other one is still there");
    // Also for those who ask again.
    world.ok(&repo, &["forget", id, "--yes"]);
    world.uro_in(&repo, &["commit", "--since", "2020-01-01"]);
    assert_eq!(world.log(&repo).len(), 1);
}

#[test]
fn a_file_that_still_has_it_is_named_and_the_command_fails_until_it_is_gone() {
    let world = World::without_models();
    let repo = world.repo("repo");
    let note = world.json(&repo, &["note", "the customer's okapi broke"]);
    let id = note["id"].as_str().unwrap();
    let stubborn = world.path("uro/data/captures.db.schema-3");
    std::fs::create_dir(&stubborn).unwrap();
    let out = world.uro_in(&repo, &["forget", id, "--yes"]);
    let errors = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{errors}");
    assert!(errors.contains("captures.db.schema-3") && errors.contains("hint: uro-capture forget"), "{errors}");
    assert!(world.log(&repo).is_empty(), "it is forgotten all the same");
    std::fs::remove_dir(&stubborn).unwrap();
    std::fs::write(&stubborn, "the customer's okapi broke").unwrap();
    let errors = world.ok(&repo, &["forget", &id[..14], "--yes"]);
    assert!(errors.contains("1 file, 26 B (captures.db.schema-3)"), "{errors}");
    assert_eq!(holding(&world.path("uro"), &["okapi"]), Vec::<String>::new());
    let out = world.uro_in(&repo, &["forget", "0199abcd", "--yes"]);
    assert_eq!(out.status.code(), Some(1), "never heard of");
}

#[test]
fn a_damaged_capture_can_be_forgotten() {
    let world = World::without_models();
    let repo = world.repo("repo");
    let note = world.json(&repo, &["note", "the customer's okapi broke"]);
    let db = Connection::open(database(&world)).unwrap();
    db.execute("UPDATE captures SET summary = 'the other okapi broke'", []).unwrap();
    drop(db);
    world.ok(&repo, &["forget", note["id"].as_str().unwrap(), "--yes"]);
    assert_eq!(holding(&world.path("uro"), &["okapi"]), Vec::<String>::new());
}

#[test]
fn the_sidecar_removes_what_is_older_than_the_settings_say() {
    let server = FakeLlm::start(Behaviour::Answer(TEXT.into()));
    let world = World::with_fake(&server);
    let repo = world.repo("repo");
    for n in 0..2 {
        world.commit(&repo, "a.rs", &format!("fn okapi() {{ zebra({n}) }}\n"), "Let okapi ask zebra twice");
        world.json(&repo, &["commit", "HEAD"]);
    }
    let wire = |n: usize| {
        let log = world.log(&repo);
        world.json(&repo, &["show", "--wire", log[n]["id"].as_str().unwrap()])["wire"].clone()
    };
    assert!(wire(0).is_string() && wire(1).is_string());
    let copy = world.path("uro/data/captures.db.schema-3");
    std::fs::write(&copy, "a copy of today").unwrap();
    let db = Connection::open(database(&world)).unwrap();
    // The older one, a hundred days ago.
    db.execute("UPDATE prompts SET at = at - 100 * 86400000000 WHERE capture = 1", []).unwrap();
    db.execute("INSERT INTO problems VALUES ('long mended', 'nothing', 1700000000000000)", []).unwrap();
    drop(db);
    world.start_sidecar();
    eventually("the old prompt is gone", || wire(1).is_null().then_some(()));
    assert!(wire(0).is_string() && copy.exists());
    let shown = world.ok(&repo, &["show", "--wire", world.log(&repo)[1]["id"].as_str().unwrap()]);
    assert!(shown.contains("no longer kept (retention.prompts)"), "{shown}");
    assert_eq!(world.log(&repo).len(), 2);
    eventually("the old problem is gone", || {
        let db = Connection::open(database(&world)).unwrap();
        let count = "SELECT count(*) FROM problems WHERE what = 'long mended'";
        (db.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap() == 0).then_some(())
    });
}

#[test]
fn status_and_doctor_say_how_much_room_is_taken() {
    let world = World::without_models();
    let repo = world.repo("repo");
    world.ok(&repo, &["note", "a thought"]);
    std::fs::write(world.path("uro/data/captures.db.schema-3"), vec![b'x'; 3 << 20]).unwrap();
    append(&world.path("uro/state/sidecar.log"), &"x".repeat(2048));
    let sizes = |report: &Value| {
        assert!(report["sizes"]["database"].as_u64().unwrap() > 4096, "{report:#}");
        assert_eq!((&report["sizes"]["copies"], &report["sizes"]["log"]), (&(3 << 20).into(), &2048.into()));
        assert!(report["sizes"]["spool"].is_u64() && report["sizes"]["drafts"] == 0);
    };
    sizes(&world.json(&repo, &["status"]));
    let words = "old copies 3.0 MiB, log 2.0 KiB, spool";
    let verbose = world.ok(&repo, &["status", "-v"]);
    assert!(verbose.contains(words), "{verbose}");
    assert!(!world.ok(&repo, &["status"]).contains(words));
    let doctor = world.uro_in(&repo, &["doctor"]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains(words));
    let doctor = world.uro_in(&repo, &["doctor", "--json"]);
    sizes(&serde_json::from_slice(&doctor.stdout).unwrap());
}

#[test]
fn the_log_of_a_running_sidecar_is_renamed_when_it_gets_long() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let (log, old) = (world.path("uro/state/sidecar.log"), world.path("uro/state/sidecar.log.old"));
    eventually("its first line is there", || std::fs::read_to_string(&log).ok().filter(|text| text.ends_with('\n')));
    // Another process writes to it as well; the sidecar's next line, whichever that is, comes behind it.
    append(&log, &"of another process\n".repeat(60_000));
    world.ok(&repo, &["sidecar", "stop"]);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert!(read(&log).contains("sidecar leaves") && read(&log).len() < 4096, "{}", read(&log).len());
    assert!(read(&old).starts_with("20") && read(&old).ends_with("of another process\n"), "from its start");
    for path in [&log, &old] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
