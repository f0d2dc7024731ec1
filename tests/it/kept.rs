//! What is kept of a model's answers decides whether it is asked again, and every answer can be seen.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use uro_capture::config::{Overrides, Paths};
use uro_capture::domain::capture::Reason;
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::operation::{Operation, PrefillOutcome};
use uro_capture::pipeline::services::Services;

use crate::harness::fake_llm::{Behaviour, FakeLlm, MODEL};
use crate::harness::{World, eventually, retry};

const MADE_UP: &str = "Moves the Kubernetes billing cluster to PostgreSQL.";

fn desk(server: &FakeLlm) -> (World, PathBuf) {
    let world = World::with_fake(server);
    let repo = world.repo("repo");
    (world, repo)
}

/// The capture of a new commit, in full.
fn captured(world: &World, repo: &Path) -> Value {
    let oid = world.commit(repo, "a.rs", retry::CODE, retry::SUBJECT);
    std::fs::write(repo.join("a.rs"), "").unwrap();
    world.git(repo, &["commit", "-qam", "Empty it"]);
    let capture = world.json(repo, &["commit", &oid]);
    let capture = capture.as_array().map_or(capture.clone(), |all| all[0].clone());
    world.json(repo, &["show", capture["id"].as_str().unwrap()])
}

fn shown(world: &World, repo: &Path, capture: &Value) -> String {
    world.ok(repo, &["show", capture["id"].as_str().unwrap()])
}

/// So many answers of the model that were not kept.
fn log_unkept(world: &World, answers: usize) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let services =
        Services::open(Paths::from_home(&world.path("uro")), Overrides::default(), Arc::clone(&clock)).unwrap();
    for _ in 0..answers {
        let operation = Operation {
            at: clock.now(),
            op: "capture.commit".into(),
            duration_us: 900_000,
            budget_us: Some(2_000_000),
            model: Some(MODEL.into()),
            endpoint: Some("test".into()),
            cold: false,
            ttft_us: Some(200_000),
            tps: Some(40.0),
            reason: Reason::Ungrounded,
            failed: false,
            repaired: false,
            prefill: PrefillOutcome::None,
        };
        services.store.log_operation(&operation).unwrap();
    }
}

fn texts(world: &World, repo: &Path) -> Value {
    let views = world.json(repo, &["models"]);
    let models = views[0]["models"].as_array().unwrap();
    models.iter().find(|model| model["name"] == MODEL).unwrap()["texts"].clone()
}

#[test]
fn a_model_of_which_too_little_is_kept_is_not_asked_until_a_person_wants_it() {
    let server = FakeLlm::start(Behaviour::Answer(MADE_UP.into()));
    let (world, repo) = desk(&server);
    let first = captured(&world, &repo);
    assert_eq!((&first["provenance"]["reason"], server.asked().len()), (&"ungrounded".into(), 1), "{first:#}");
    assert_eq!(texts(&world, &repo)[0]["judged"], 1);
    log_unkept(&world, 18);
    let twentieth = captured(&world, &repo);
    assert_eq!((&twentieth["provenance"]["reason"], server.asked().len()), (&"ungrounded".into(), 2));

    let barred = captured(&world, &repo);
    assert_eq!((&barred["provenance"]["by"], server.asked().len()), (&"template".into(), 2), "{barred:#}");
    let output = shown(&world, &repo, &barred);
    let words = "is not asked any more, because only 0 of 20 texts could be used";
    assert!(output.contains(words), "{output}");
    let candidates = barred["decision"]["candidates"].as_array().unwrap();
    let one = candidates.iter().find(|one| one["model"] == MODEL).unwrap();
    assert_eq!(
        (&one["rejected_because"], &one["judged"], &one["used"]),
        (&"seldom_usable".into(), &20.into(), &0.into())
    );

    let of_models = serde_json::json!([{"role": "capture", "judged": 20, "used": 0, "barred": true}]);
    assert_eq!(texts(&world, &repo), of_models);
    let table = world.ok(&repo, &["models"]);
    assert!(table.contains("0 of 20 texts could be used") && table.contains("models --retry orca-mini:3b"), "{table}");
    let doctor = world.uro_in(&repo, &["doctor"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.contains("0 of 20 texts could be used; it is not asked any more"), "{doctor}");
    let status = world.ok(&repo, &["status"]);
    assert!(status.contains("orca-mini:3b on test is not asked any more (capture): 0 of 20"), "{status}");

    let unknown = world.uro_in(&repo, &["models", "--retry", "another:7b"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(world.ok(&repo, &["models", "--retry", MODEL]).contains("is enabled again"));
    let again = captured(&world, &repo);
    assert_eq!((&again["provenance"]["reason"], server.asked().len()), (&"ungrounded".into(), 3));
    assert_eq!(texts(&world, &repo)[0]["judged"], 1, "counted anew");
}

#[test]
fn the_running_sidecar_stops_asking_as_soon_as_too_few_can_be_used() {
    let server = FakeLlm::start(Behaviour::Answer(MADE_UP.into()));
    let world = World::with_fake(&server);
    let repo = world.hooked_repo("repo");
    log_unkept(&world, 18);
    world.start_sidecar();
    for n in 1..=3_usize {
        let oid = world.commit(&repo, "a.rs", &format!("fn retry() {{ login({n}) }}\n"), "Try a login again");
        let capture = world.final_capture(&repo, &oid);
        assert_eq!(capture["provenance"]["by"], "template", "{capture:#}");
        // The sidecar counts once the capture is final.
        let judged = 18 + n.min(2);
        eventually("it is counted", || {
            let route = world.json(&repo, &["route"]);
            let candidates = route["candidates"].as_array().cloned().unwrap_or_default();
            let counted = candidates.iter().any(|one| one["model"] == MODEL && one["judged"] == judged);
            (route["by_sidecar"] == true && counted).then_some(())
        });
        assert_eq!(server.asked().len(), n.min(2), "{capture:#}");
    }
}

#[test]
fn the_answer_of_a_model_is_shown_whatever_became_of_it() {
    for (answer, reason, text, why) in [
        (retry::SAID.to_owned(), "none", true, None),
        (retry::SAID_LESS.to_owned(), "ungrounded", false, Some("adds nothing to subject and facts")),
        (format!("{} {MADE_UP}", retry::SAID), "none", true, Some("Kubernetes")),
        (MADE_UP.to_owned(), "ungrounded", false, Some("Kubernetes")),
        ("I'm sorry, but I can't help with that.".to_owned(), "unusable", false, Some("(the model refused)")),
    ] {
        let server = FakeLlm::start(Behaviour::Answer(answer.clone()));
        let (world, repo) = desk(&server);
        let capture = captured(&world, &repo);
        assert_eq!(capture["provenance"]["reason"], reason, "{capture:#}");
        assert_eq!(capture["answer"].as_str().map(str::trim), Some(answer.as_str()), "{capture:#}");
        assert_eq!(capture["provenance"]["by"] == "model", text);
        assert_eq!(capture["summary"], if text { retry::TEXT } else { retry::UNASKED });
        let output = shown(&world, &repo, &capture);
        assert!(output.contains(&format!("--- answer\n{answer}")), "{output}");
        let dropped: Vec<&str> = output.lines().filter(|line| line.trim_start().starts_with("not kept")).collect();
        assert_eq!(!dropped.is_empty(), why.is_some(), "{output}");
        assert!(why.is_none_or(|why| dropped.iter().any(|line| line.contains(why))), "{output}");
        let rows = world.json(&repo, &["latency"]);
        let row = rows.as_array().unwrap().iter().find(|row| row["op"] == "capture.commit").unwrap();
        assert_eq!(row["error_rate"], 0.0, "the server did what it should: {row:#}");
    }
}

#[test]
fn what_an_answer_would_do_to_a_terminal_or_tell_of_a_secret_is_not_shown() {
    let secret = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
    let answer = format!("I'm sorry\u{1b}[2J\u{202e}, I cannot use {secret} for that.");
    let server = FakeLlm::start(Behaviour::Answer(answer));
    let (world, repo) = desk(&server);
    let capture = captured(&world, &repo);
    let output = shown(&world, &repo, &capture);
    let shown = output.split_once("--- answer").unwrap().1;
    assert!(shown.contains("I'm sorry") && !shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{output}");
    assert!(!output.contains(&secret) && !capture.to_string().contains(&secret), "{output}");
}

#[test]
fn a_first_attempt_that_was_merely_late_is_repeated_at_the_next_commit() {
    let server = FakeLlm::start(Behaviour::HeadThenSilent);
    let (world, repo) = desk(&server);
    world.use_fake(&server, "budget = \"700ms\"");
    for commit in 1..=3 {
        let capture = captured(&world, &repo);
        assert_eq!(capture["provenance"]["reason"], "deadline", "{capture:#}");
        assert_eq!(server.asked().len(), commit, "{capture:#}");
    }
    assert_eq!(texts(&world, &repo), serde_json::json!([]), "a text that was late is not judged");
}

#[test]
fn a_piece_of_an_answer_takes_the_templates_place_only_where_it_tells_as_much() {
    for (answer, reason, summary, why) in [
        (retry::SAID, "salvaged", retry::TEXT, "not kept  It then ("),
        (retry::SAID_LESS, "ungrounded", retry::UNASKED, "adds nothing to subject and facts"),
    ] {
        let server = FakeLlm::start(Behaviour::SayThenStall(format!("{answer} It then")));
        let (world, repo) = desk(&server);
        world.use_fake(&server, "budget = \"1s\"");
        let capture = captured(&world, &repo);
        assert_eq!(capture["provenance"]["reason"], reason, "{capture:#}");
        assert_eq!(capture["summary"], summary, "{capture:#}");
        let output = shown(&world, &repo, &capture);
        assert!(output.contains(why), "{output}");
        assert!(output.contains(&format!("--- answer\n{answer}")), "{output}");
    }
}

#[test]
fn a_piece_of_an_answer_about_a_note_that_tells_less_than_the_note_is_not_kept() {
    let note = "Cut the auth timeout from 3s to 200ms, the proxy drops idle connections";
    for (answer, reason) in [
        ("The auth timeout is cut from 3s to 200ms, as the proxy drops idle connections.", "salvaged"),
        ("The auth timeout is cut.", "deadline"),
    ] {
        let server = FakeLlm::start(Behaviour::SayThenStall(format!("{answer} It then")));
        let (world, repo) = desk(&server);
        world.use_fake(&server, "budget = \"1s\"");
        let capture = world.json(&repo, &[note]);
        assert_eq!(capture["provenance"]["reason"], reason, "{capture:#}");
        let kept = reason == "salvaged";
        assert_eq!(capture["summary"], if kept { answer.to_owned() } else { format!("{note}.") }, "{capture:#}");
        let output = shown(&world, &repo, &capture);
        assert_eq!(output.contains("say less than the template"), !kept, "{output}");
    }
}
