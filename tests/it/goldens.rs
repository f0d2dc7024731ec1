//! What commands print for a person, on 80 columns without colour, compared with kept snapshots.

use std::path::Path;

use regex::Regex;

use crate::harness::fake_llm::{Behaviour, FakeLlm};
use crate::harness::{World, eventually};

/// What differs from run to run, and what stands for it in a snapshot.
const CHANGING: [(&str, &str); 8] = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "[id]"),
    (r"127\.0\.0\.1:[0-9]{2,5}", "[address]"),
    (r"process [0-9]+", "process [pid]"),
    (r"version [0-9.]+, up [^,]+", "version [version], up [time]"),
    (r"took  .*", "took  [times]"),
    (r"rubric [0-9a-f]+", "rubric [hash]"),
    (r"[0-9]+ % on time", "[n] % on time"),
    (r"[0-9.]+ (ms|s|tokens)\b", "[n] $1"),
];

/// Both outputs of a command and its exit code.
fn printed(world: &World, cwd: &Path, args: &[&str]) -> String {
    let mut command = world.program(env!("CARGO_BIN_EXE_uro-capture"), cwd);
    let out = command.args(["--color", "never"]).args(args).env("COLUMNS", "80").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "colour: {stdout}{stderr}");
    let code = out.status.code().unwrap();
    let all = format!("{stdout}--- stderr\n{stderr}--- exit code {code}\n");
    let all = all.replace(world.path("").to_str().unwrap(), "[world]/");
    CHANGING.iter().fold(all, |text, (pattern, replacement)| {
        Regex::new(pattern).unwrap().replace_all(&text, *replacement).into_owned()
    })
}

fn id_of(world: &World, repo: &Path, oid: &str) -> String {
    world.capture_of(repo, oid).unwrap()["id"].as_str().unwrap().to_owned()
}

const CODE: &str = "def login(session):\n    return session.open(timeout)\n";

#[test]
fn status_before_and_after_the_first_captures() {
    let world = World::without_models();
    let home = world.path("home");
    insta::assert_snapshot!("status_of_nothing", printed(&world, &home, &["status"]));
    let repo = world.hooked_repo("shop");
    let oid = world.commit(&repo, "auth.py", CODE, "Add the login");
    world.final_capture(&repo, &oid);
    world.ok(&repo, &["Talked about the release"]);
    insta::assert_snapshot!("status_after_work", printed(&world, &repo, &["status", "--days", "36500"]));
}

#[test]
fn status_names_each_problem_with_what_helps() {
    let world = World::without_models();
    let (_, gone, off) = (world.hooked_repo("shop"), world.hooked_repo("gone"), world.hooked_repo("off"));
    std::fs::remove_dir_all(&gone).unwrap();
    world.git(&off, &["config", "uro.capture", "false"]);
    insta::assert_snapshot!("status_with_problems", printed(&world, &world.path("home"), &["status"]));
}

#[test]
fn show_tells_a_models_text_and_a_templates_apart() {
    let answer = "Sure! Adds `login` for a session and its timeout. It makes the server 12 times faster.";
    let server = FakeLlm::start(Behaviour::Answer(answer.to_owned()));
    let world = World::with_fake(&server);
    let repo = world.repo("shop");
    let oid = world.commit(&repo, "auth.py", CODE, "wip");
    world.ok(&repo, &["commit", "HEAD"]);
    insta::assert_snapshot!("show_model", printed(&world, &repo, &["show", &id_of(&world, &repo, &oid)]));
    let oid =
        world.commit(&repo, "auth.py", "def logout(session):\n    session.close()\n", "Replace the login\n\nFixes #7");
    world.ok(&repo, &["commit", "HEAD", "--no-model"]);
    insta::assert_snapshot!("show_template", printed(&world, &repo, &["show", &id_of(&world, &repo, &oid)]));
    insta::assert_snapshot!("show_nothing", printed(&world, &repo, &["show", "ffffffff"]));
}

#[test]
fn models_lists_what_a_server_offers_and_says_where_none_answered() {
    let server = FakeLlm::start(Behaviour::Answer("Adds a login.".to_owned()));
    let world = World::with_fake(&server);
    let home = world.path("home");
    insta::assert_snapshot!("models_of_a_server", printed(&world, &home, &["models"]));
    drop(server);
    insta::assert_snapshot!("models_of_none", printed(&world, &home, &["models"]));
}

#[test]
fn what_is_listed_where_there_is_nothing() {
    let world = World::without_models();
    let repo = world.repo("shop");
    let lists = [&["log"][..], &["search", "login"], &["latency"], &["draft", "list"]];
    let all: String = lists
        .iter()
        .map(|args| format!("$ uro-capture {}\n{}\n", args.join(" "), printed(&world, &repo, args)))
        .collect();
    insta::assert_snapshot!("lists_of_nothing", all);
}

#[test]
fn a_sidecar_that_was_stopped_by_hand_is_told_by_status_and_by_its_own() {
    let world = World::without_models();
    world.start_sidecar();
    let home = world.path("home");
    eventually("a running sidecar", || (world.sidecar_status()["state"] == "running").then_some(()));
    let running = printed(&world, &home, &["sidecar", "status"]);
    world.freeze_sidecar();
    let frozen = printed(&world, &home, &["sidecar", "status"]);
    insta::assert_snapshot!("sidecar_status", format!("{running}\n{frozen}"));
}
