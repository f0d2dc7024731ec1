//! The commands as a person uses them: output, JSON, exit codes, errors that help.

use serde_json::Value;

use crate::harness::World;

#[test]
fn a_notes_words_are_kept_found_edited_and_forgotten() {
    let world = World::without_models();
    let repo = world.repo("repo");
    world.ok(&repo, &["Learned that the pool was never drained"]);
    let log = world.log(&repo);
    assert_eq!(log.len(), 1);
    let id = log[0]["id"].as_str().unwrap();
    let found = world.json(&repo, &["search", "drained"]);
    assert_eq!(found[0]["id"], id);

    world.ok(&repo, &["edit", id, "-m", "The pool is drained now"]);
    let edited = world.json(&repo, &["show", &id[..id.len() - 3]]);
    assert_eq!(edited["summary"], "The pool is drained now");
    assert_eq!(edited["provenance"]["by"], "human");
    assert_eq!(edited["raw"], "Learned that the pool was never drained", "what was written stays");

    world.ok(&repo, &["forget", id, "--yes"]);
    assert_eq!(world.log(&repo).len(), 0);
    assert_eq!(world.json(&repo, &["search", "drained"]), Value::Array(vec![]));
}

#[test]
fn outside_a_repository_a_note_belongs_to_no_repository() {
    let world = World::without_models();
    let home = world.path("home");
    world.ok(&home, &["Called the printer shop"]);
    let log = world.json(&home, &["log"]);
    assert_eq!(log[0]["repo"], Value::Null);
    assert_eq!(log[0]["commit"], Value::Null);
}

#[test]
fn a_history_is_backfilled_once_and_ranges_mean_what_they_mean_to_git() {
    let world = World::without_models();
    let repo = world.repo("repo");
    for n in 0..6 {
        world.commit(&repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"));
    }
    let captured = world.json(&repo, &["commit", "HEAD~3..HEAD"]);
    assert_eq!(captured.as_array().unwrap().len(), 3);
    assert!(captured[0]["summary"].as_str().unwrap().starts_with("Add f3"), "oldest first: {captured:#}");
    assert_eq!(captured[0]["source"], "backfill");
    world.ok(&repo, &["commit", "--since", "2020-01-01"]);
    assert_eq!(world.log(&repo).len(), 6);
    world.ok(&repo, &["commit", "--since", "2020-01-01"]);
    assert_eq!(world.log(&repo).len(), 6, "a second time adds nothing");
    let newest = world.json(&repo, &[]);
    assert!(newest["summary"].as_str().unwrap().starts_with("Add f5"));
}

#[test]
fn importing_ones_own_export_adds_nothing_and_a_fresh_home_gets_everything() {
    let world = World::without_models();
    let repo = world.repo("repo");
    world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    world.ok(&repo, &["commit", "HEAD"]);
    world.ok(&repo, &["A note"]);
    let export = world.ok(&repo, &["export"]);
    assert_eq!(export.lines().count(), 2);
    let file = world.path("export.jsonl");
    std::fs::write(&file, &export).unwrap();
    world.ok(&repo, &["import", file.to_str().unwrap()]);
    assert_eq!(world.log(&repo).len(), 2);

    let other = World::without_models();
    let home = other.path("home");
    other.ok(&home, &["import", file.to_str().unwrap()]);
    assert_eq!(other.json(&home, &["log", "--everywhere"]).as_array().unwrap().len(), 2);
    assert_eq!(other.ok(&home, &["export"]), export, "byte for byte");
}

#[test]
fn errors_say_what_why_and_which_command_helps() {
    let world = World::without_models();
    let repo = world.repo("repo");
    let home = world.path("home");
    let cases: &[(&std::path::Path, &[&str], i32)] = &[
        (&repo, &["show", "nosuchid"], 1),
        (&home, &["init"], 1),
        (&repo, &[], 1),
        (&repo, &["commit", "nosuchrev"], 1),
        (&repo, &["config", "get", "capture.bugdet"], 1),
        (&repo, &["log", "--since", "sometime"], 2),
        (&repo, &["draft", "show", "nosuchid"], 1),
    ];
    for (cwd, args, code) in cases {
        let out = world.uro_in(cwd, args);
        let err = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(*code), "{args:?}: {err}");
        assert!(err.contains("error:") && err.contains("hint:"), "{args:?}: {err}");
        assert!(out.stdout.is_empty(), "{args:?}");
    }
    assert_eq!(world.uro_in(&repo, &["log", "--nonsense"]).status.code(), Some(2));
}

#[test]
fn init_and_deinit_leave_the_git_directory_as_it_was() {
    let world = World::without_models();
    let repo = world.repo("repo");
    let hook = repo.join(".git/hooks/post-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho prior ran\nexit 3\n").unwrap();
    std::process::Command::new("chmod").arg("755").arg(&hook).status().unwrap();
    let before = world.path("before");
    copy(&repo.join(".git"), &before);

    let plan = world.ok(&repo, &["init", "--dry-run"]);
    assert!(plan.contains("post-commit") && plan.contains("post-rewrite"), "{plan}");
    assert_same(&before, &repo.join(".git"));

    world.ok(&repo, &["init"]);
    world.ok(&repo, &["init"]);
    std::fs::write(repo.join("a.rs"), "fn a() {}\n").unwrap();
    world.git(&repo, &["add", "-A"]);
    let out = world.git_command(&repo, &["commit", "-q", "-m", "Add a"]).output().unwrap();
    assert!(out.status.success());
    assert_eq!(String::from_utf8_lossy(&out.stdout).to_string() + &String::from_utf8_lossy(&out.stderr), "prior ran\n");
    let oid = world.git(&repo, &["rev-parse", "HEAD"]);
    world.final_capture(&repo, &oid);
    let status = world.json(&repo, &["status"]);
    assert_eq!(status["hooks"][0]["how"], "chained", "{status:#}");
    assert_eq!(status["hooks"][0]["state"], "ok");

    world.ok(&repo, &["deinit"]);
    assert_same(&before.join("hooks"), &repo.join(".git/hooks"));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    assert!(std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

fn assert_same(one: &std::path::Path, other: &std::path::Path) {
    let out = std::process::Command::new("diff").arg("-r").arg(one).arg(other).output().unwrap();
    assert!(out.stdout.is_empty(), "{}", String::from_utf8_lossy(&out.stdout));
}

#[test]
fn status_and_latency_count_what_happened() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    let oid = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    world.final_capture(&repo, &oid);
    world.ok(&repo, &["A note"]);
    let status = world.json(&repo, &["status", "--days", "36500"]);
    assert_eq!(status["captures"]["total"], 2, "{status:#}");
    assert_eq!(status["captures"]["by_kind"]["commit"], 1);
    assert_eq!(status["captures"]["by_kind"]["note"], 1);
    assert_eq!(status["captures"]["by_source"]["hook"], 1);
    assert_eq!(status["captures"]["by_provenance"]["template"], 2);
    assert_eq!(status["captures"]["on_time_rate"], 1.0);
    assert_eq!(status["coverage"]["missing"], 0);
    assert_eq!(status["hooks"][0]["state"], "ok");

    let rows = world.json(&repo, &["latency"]);
    let commit = rows.as_array().unwrap().iter().find(|row| row["op"] == "capture.commit").unwrap();
    assert_eq!(commit["n"], 1);
    assert_eq!(commit["reasons"]["refused"], 1, "{rows:#}");
    assert_eq!(commit["p95_ms"], Value::Null, "one sample supports no p95");
}

#[test]
fn a_switched_off_repository_and_an_excluded_path_are_never_read() {
    let world = World::without_models();
    let (off, repo) = (world.hooked_repo("off"), world.hooked_repo("repo"));
    world.git(&off, &["config", "uro.capture", "false"]);
    world.commit(&off, "a.rs", "fn hidden() {}\n", "Add hidden");
    world.configure("[capture]\nexclude_paths = [\"secret/**\"]\n[[endpoints]]\nname = \"x\"\nurl = \"http://127.0.0.1:9\"\napi = \"ollama\"\n");
    let oid = world.commit(&repo, "secret/plan.rs", "fn takeover() {}\n", "wip");
    let capture = world.final_capture(&repo, &oid);
    assert!(!capture["summary"].as_str().unwrap().contains("takeover"), "{capture:#}");
    // Events are dealt with in their order: the switched-off commit was there first.
    assert_eq!(world.log(&off).len(), 0);
}

#[test]
fn a_damaged_store_is_set_aside_and_rebuilt_from_git() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    let oids: Vec<String> =
        (0..3).map(|n| world.commit(&repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"))).collect();
    for oid in &oids {
        world.final_capture(&repo, oid);
    }
    world.ok(&repo, &["sidecar", "stop"]);
    let data = world.path("uro/data");
    for leftover in ["captures.db-wal", "captures.db-shm"] {
        let _ = std::fs::remove_file(data.join(leftover));
    }
    std::fs::write(data.join("captures.db"), "this is no database at all, not even close to one").unwrap();
    for oid in &oids {
        world.final_capture(&repo, oid);
    }
    assert_eq!(world.log(&repo).len(), 3);
    let status = world.json(&repo, &["status"]);
    let problems = status["problems"].to_string();
    assert!(problems.contains("damaged"), "{problems}");
}

#[test]
fn options_may_follow_a_note_and_stdout_is_json_then() {
    let world = World::without_models();
    let repo = world.repo("repo");
    for args in [&["Cut the timeout", "--json"][..], &["note", "Two", "words", "--json"]] {
        let capture: Value = serde_json::from_str(&world.ok(&repo, args)).unwrap();
        assert!(!capture["raw"].as_str().unwrap().contains("json"), "{capture:#}");
    }
    world.ok(&repo, &["Removed", "--force"]);
    assert_eq!(world.log(&repo)[0]["raw"], "Removed --force");
}

#[test]
fn a_repository_whose_path_is_no_utf_8_is_registered_like_any_other() {
    use std::os::unix::ffi::OsStrExt;
    let world = World::without_models();
    let repo = world.path("home").join(std::ffi::OsStr::from_bytes(b"h\xffllo"));
    std::fs::create_dir(&repo).unwrap();
    world.git(&repo, &["init", "-q"]);
    world.ok(&repo, &["init"]);
    assert!(world.ok(&repo, &["init"]).contains("was captured already"));
    let status = world.json(&repo, &["status"]);
    assert_eq!(status["hooks"][0]["state"], "ok", "{status:#}");
    assert!(world.ok(&repo, &["deinit"]).contains("no longer captured"));
    assert!(world.ok(&repo, &["deinit"]).contains("was not captured"));
}

#[test]
fn a_commit_in_the_second_of_init_counts_and_one_before_it_is_not_missing() {
    let world = World::without_models();
    let repo = world.repo("repo");
    // Real dates: it is about the fraction of the second that a reflog does not have.
    let commit = |message: &str| {
        let out = world.program("git", &repo).args(["commit", "-q", "--allow-empty", "-m", message]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        world.git(&repo, &["rev-parse", "HEAD"])
    };
    commit("Before init");
    world.ok(&repo, &["init"]);
    let oid = commit("After init");
    world.final_capture(&repo, &oid);
    let coverage = &world.json(&repo, &["status"])["coverage"];
    assert_eq!(coverage["missing"], 0, "{coverage}");
    assert_eq!((&coverage["commits_seen"], &coverage["captured"]), (&Value::from(1), &Value::from(1)));
}

#[test]
fn a_foreign_setting_that_breaks_everything_is_told_with_how_to_take_it_back() {
    let world = World::without_models();
    let repo = world.repo("repo");
    world.git(&repo, &["config", "uro.capture", "maybe"]);
    for (command, code) in [("commit", 1), ("log", 0)] {
        let out = world.uro_in(&repo, &[command]);
        assert_eq!(out.status.code(), Some(code), "{command}");
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(errors.contains("hint: git config --unset uro.capture\n"), "{command}: {errors}");
    }
}

#[test]
fn a_store_elsewhere_that_is_not_used_yet_is_not_passed_over_in_silence() {
    let world = World::without_models();
    world.configure("[store]\nurl = \"postgres://me@localhost/captures\"\n");
    let out = world.uro_in(&world.path("home"), &["log"]);
    let errors = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success() && errors.contains("store.url is not used yet"), "{errors}");
}

#[test]
fn a_command_of_a_later_version_is_refused_and_never_stored_as_a_note() {
    let world = World::without_models();
    let repo = world.repo("repo");
    for name in ["tune", "bench", "schedule"] {
        assert_eq!(world.uro_in(&repo, &[name]).status.code(), Some(1), "{name}");
    }
    assert_eq!(world.log(&repo).len(), 0);
    assert!(!world.ok(&repo, &["completions", "bash"]).contains("regress"));
}

#[test]
fn a_repository_that_is_gone_can_be_taken_off_the_list() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    let home = world.path("home");
    std::fs::rename(&repo, world.path("moved")).unwrap();
    let problems = world.json(&home, &["status"])["problems"].clone();
    let path = repo.to_str().unwrap();
    assert!(problems[0]["hint"].as_str().unwrap().starts_with(&format!("uro-capture deinit {path};")), "{problems}");
    assert!(world.ok(&home, &["deinit", path]).contains("no longer captured"));
    assert_eq!(world.json(&home, &["status"])["hooks"], Value::Array(vec![]));
    assert_eq!(world.uro_in(&home, &["deinit", path]).status.code(), Some(1));
}
