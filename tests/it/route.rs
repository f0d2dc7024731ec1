//! `route` from outside: which model would write now, and why; and `models`, which shows the same roles.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::fake_llm::{Behaviour, FakeLlm, MODEL};
use crate::harness::{World, eventually};

fn answering() -> FakeLlm {
    FakeLlm::start(Behaviour::Answer("Adds the function retry to a.rs.".into()))
}

/// A repository of two commits.
fn repo(world: &World) -> PathBuf {
    let repo = world.repo("repo");
    world.commit(&repo, "a.rs", "fn login() {}\n", "Add a login");
    world.commit(&repo, "a.rs", "fn login() {}\nfn retry() { login() }\n", "Try a login again");
    repo
}

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn has(value: &Value, names: &[&str]) {
    let found = fields(value);
    for name in names {
        assert!(found.contains(name), "{name} in {found:?}");
    }
}

fn is_documented(decided: &Value) {
    has(decided, &["task", "deadline_ms", "choice", "reason", "candidates"]);
    for one in decided["candidates"].as_array().unwrap() {
        has(one, &["model", "endpoint", "resident", "queue_ms", "predicted_ttft_ms", "predicted_total_ms"]);
        has(one, &["p_on_time", "quality", "score", "rejected_because"]);
    }
}

#[test]
fn the_newest_commit_is_routed_as_its_capture_would_be_and_nothing_is_asked_or_stored() {
    let server = answering();
    let world = World::new();
    world.use_fake(&server, "budget = \"2s\"");
    let repo = repo(&world);
    let decided = world.json(&repo, &["route"]);
    is_documented(&decided);
    assert_eq!((&decided["task"]["role"], &decided["task"]["urgency"]), (&"capture".into(), &"interactive".into()));
    assert_eq!((&decided["choice"]["model"], &decided["choice"]["endpoint"]), (&MODEL.into(), &"test".into()));
    assert_eq!((&decided["deadline_ms"], &decided["reason"]), (&2000.0.into(), &"none".into()), "{decided:#}");
    assert!(decided["choice"]["max_tokens"].as_u64().unwrap() > 0);
    assert!(decided["task"]["technicality"].as_f64().unwrap() > 0.0, "it is the commit and no note: {decided:#}");
    assert!(server.questions().is_empty(), "nobody was asked to write");
    assert_eq!(world.log(&repo).len(), 0);

    let older = world.json(&repo, &["route", "--commit", "HEAD~1"]);
    assert_ne!(older["task"]["prompt_tokens"], decided["task"]["prompt_tokens"]);
    assert_eq!(world.uro_in(&repo, &["route", "--commit", "nonsense"]).status.code(), Some(1));
}

#[test]
fn a_running_sidecar_is_asked_because_it_knows_more() {
    let server = answering();
    let world = World::with_fake(&server);
    let repo = repo(&world);
    assert_eq!(world.json(&repo, &["route"])["by_sidecar"], false);
    let out = world.uro_in(&repo, &["-v", "route"]);
    assert!(String::from_utf8_lossy(&out.stderr).contains("no sidecar runs"), "{out:?}");
    world.start_sidecar();
    // What it wrote is in the server's cache, and it knows that.
    world.ok(&repo, &["commit"]);
    let decided = world.json(&repo, &["route"]);
    is_documented(&decided);
    assert_eq!(decided["by_sidecar"], true);
    let chosen = &decided["candidates"][0];
    assert!(chosen["cached_tokens"].as_u64().unwrap() > 100 && chosen["resident"] == true, "{decided:#}");
    assert_eq!(server.questions().len(), 1);
}

#[test]
fn a_person_is_told_in_two_or_three_lines_or_in_a_colleagues_words() {
    let server = answering();
    let world = World::with_fake(&server);
    let repo = repo(&world);
    let brief = world.ok(&repo, &["route"]);
    assert!(brief.starts_with(&format!("{MODEL} on test writes this capture.\n")), "{brief}");
    assert!((2..=3).contains(&brief.lines().count()) && brief.contains("of 100 cases"), "{brief}");
    let explained = world.ok(&repo, &["route", "--explain"]);
    assert!(explained.starts_with(&format!("{MODEL} on test writes this capture.")), "{explained}");
    let guessed = ["I have never run it like this", "Its speed here is not measured yet"];
    assert!(guessed.iter().any(|words| explained.contains(words)), "{explained}");
    assert_eq!(world.json(&repo, &["route"])["explanation"].as_str().map(|text| text.lines().count() > 0), Some(true));
}

#[test]
fn without_a_server_the_template_writes_and_that_is_no_error() {
    let world = World::without_models();
    let repo = repo(&world);
    let decided = world.json(&repo, &["route"]);
    is_documented(&decided);
    assert_eq!(decided["choice"], serde_json::json!({"template": true}));
    assert_eq!((&decided["reason"], &decided["candidates"]), (&"refused".into(), &Value::Array(vec![])));
    assert!(decided["error"].as_str().unwrap().contains("http://127.0.0.1:9"), "{decided:#}");
    for args in [&["route"][..], &["route", "--explain"], &["route", "Fixed the login"]] {
        let text = world.ok(&repo, args);
        assert!(text.starts_with("The template writes this capture: nothing listens at"), "{text}");
    }
    world.start_sidecar();
    world.json(&repo, &["route"]);
    let again = world.json(&repo, &["route"]);
    assert_eq!((&again["reason"], &again["by_sidecar"]), (&"refused".into(), &true.into()));
}

#[test]
fn during_a_rebase_commits_wait_and_notes_do_not() {
    let server = answering();
    let world = World::with_fake(&server);
    let repo = repo(&world);
    let stopped = world.git_command(&repo, &["rebase", "-q", "--exec", "false", "HEAD~1"]).output().unwrap();
    assert!(!stopped.status.success(), "it stops at the command that fails");
    let decided = world.json(&repo, &["route"]);
    assert_eq!((&decided["task"]["traffic"], &decided["choice"]["template"]), (&"rebase".into(), &true.into()));
    assert_eq!(decided["candidates"][0]["rejected_because"], "not_now");
    assert!(world.ok(&repo, &["route", "--explain"]).contains("a rebase is under way"));
    assert_eq!(world.json(&repo, &["route", "A note"])["task"]["traffic"], "calm");
    world.git(&repo, &["rebase", "--abort"]);
    assert_eq!(world.json(&repo, &["route"])["task"]["traffic"], "calm");
}

#[test]
fn outside_a_repository_a_note_of_usual_length_is_meant() {
    let server = answering();
    let world = World::with_fake(&server);
    let home: &Path = &world.path("home");
    let decided = world.json(home, &["route"]);
    assert_eq!((&decided["choice"]["model"], &decided["task"]["technicality"]), (&MODEL.into(), &0.0.into()));
    let longer = world.json(home, &["route", &"A long note about the login. ".repeat(40)]);
    assert!(longer["task"]["prompt_tokens"].as_u64() > decided["task"]["prompt_tokens"].as_u64());
    assert_eq!(world.uro_in(home, &["route", "--kind", "commit"]).status.code(), Some(1));
    assert_eq!(world.uro_in(home, &["route", "--commit", "HEAD"]).status.code(), Some(1));
}

#[test]
fn each_kind_has_its_role_and_somebody_who_waits_changes_the_time() {
    let server = answering();
    let world = World::with_fake(&server);
    let repo = repo(&world);
    for kind in ["devlog", "blog", "social", "status"] {
        let decided = world.json(&repo, &["route", "--kind", kind]);
        is_documented(&decided);
        assert_eq!((&decided["task"]["role"], &decided["task"]["urgency"]), (&kind.into(), &"batch".into()));
        assert!(decided["choice"]["model"].is_string(), "nobody waits: {decided:#}");
    }
    let left = |args: &[&str]| world.json(&repo, args)["task"]["left_s"].as_f64().unwrap();
    assert!(left(&["route", "--kind", "blog"]) > 100.0 && left(&["route", "--kind", "blog", "--urgent"]) < 30.0);
    assert_eq!(world.json(&repo, &["route", "--urgent"])["task"]["urgency"], "urgent");
    for kind in ["capture", "commit", "note", "merge"] {
        assert_eq!(world.json(&repo, &["route", "--kind", kind])["task"]["role"], "capture");
    }
    assert_eq!(world.uro_in(&repo, &["route", "--kind", "blog", "A note"]).status.code(), Some(2));
    assert_eq!(world.uro_in(&repo, &["route", "--kind", "novel"]).status.code(), Some(2));
}

#[test]
fn models_shows_roles_breakers_and_what_was_learned() {
    let server = answering();
    let world = World::with_fake(&server);
    let repo = repo(&world);
    let before = world.json(&repo, &["models"]);
    assert_eq!((&before[0]["running"], &before[0]["breaker"]), (&Value::Null, &Value::Null), "no sidecar tells");
    world.start_sidecar();
    world.ok(&repo, &["commit"]);
    let after = world.json(&repo, &["models"]);
    has(&after[0], &["endpoint", "url", "api", "server", "version", "up", "error", "models", "device", "running"]);
    assert_eq!((&after[0]["running"], &after[0]["breaker"]["state"]), (&0.into(), &"closed".into()));
    let models = after[0]["models"].as_array().unwrap();
    let model = models.iter().find(|model| model["name"] == MODEL).unwrap();
    has(model, &["resident", "roles", "listed", "measured", "needs_bytes", "spilled", "unfit", "thinks_aloud"]);
    assert_eq!(model["roles"][0], "capture");
    assert_eq!((&model["learned"]["runs"], &model["breaker"]["state"]), (&1.into(), &"closed".into()), "{model:#}");
    assert!(model["learned"]["tps"].as_f64().unwrap() > 0.0 && model["needs_bytes"].as_u64().unwrap() > 2_000_000_000);
    assert!(world.ok(&repo, &["models"]).contains("(1 run)"));
}

#[test]
fn an_endpoint_that_went_away_is_shown_with_its_breaker_and_found_by_doctor() {
    let server = answering();
    let world = World::with_fake(&server);
    let gone = FakeLlm::start(Behaviour::Refused);
    let config = std::fs::read_to_string(world.path("uro/config/capture.toml")).unwrap();
    let second = format!("[[endpoints]]\nname = \"gone\"\nurl = \"{}\"\napi = \"ollama\"\n", gone.url());
    world.configure(&format!("{config}{second}"));
    let repo = repo(&world);
    world.start_sidecar();
    world.json(&repo, &["route"]);
    let found = world.json(&repo, &["models"]);
    assert_eq!((&found[0]["breaker"]["state"], &found[1]["breaker"]["state"]), (&"closed".into(), &"open".into()));
    assert!(found[1]["breaker"]["probe_in_s"].as_f64().is_some(), "{found:#}");
    let out = world.uro_in(&repo, &["doctor"]);
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(text.contains("captures do not go to gone"), "{text}");
}

#[test]
fn a_draft_goes_to_the_model_that_its_owner_named_although_another_one_would_be_better() {
    let server = answering();
    let world = World::with_fake(&server);
    let config = std::fs::read_to_string(world.path("uro/config/capture.toml")).unwrap();
    world.configure(&config.replace("[models]", "[models]\nstatus = \"mistral:latest\""));
    let repo = repo(&world);
    world.start_sidecar();
    let decided = eventually("a list of models", || {
        let decided = world.json(&repo, &["route", "--kind", "status"]);
        decided["candidates"][0]["resident"].is_boolean().then_some(decided)
    });
    assert_eq!(decided["choice"]["model"], "mistral:latest", "{decided:#}");
    let views = world.json(&repo, &["models"]);
    let has_it = |model: &&Value| model["roles"].as_array().unwrap().contains(&"status".into());
    assert_eq!(views[0]["models"].as_array().unwrap().iter().find(has_it).unwrap()["name"], "mistral:latest");
}
