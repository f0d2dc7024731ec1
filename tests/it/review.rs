//! The review of drafts: versions, differences, the editor, and the captures behind each sentence.

use std::path::Path;

use serde_json::Value;

use crate::harness::week::week;
use crate::harness::{World, write_program};

/// A draft of the newest day of the week, written from the template.
fn written(world: &World, repo: &Path) -> String {
    let draft = world.json(repo, &["draft", "new", "devlog", "--day", "2026-03-04"]);
    world.ok(repo, &["draft", "run"]);
    draft["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_text_that_is_written_again_stands_beside_the_edited_one_until_it_is_taken() {
    let world = World::without_models();
    let repo = week(&world);
    let id = written(&world, &repo);
    let show = |more: &[&str]| world.ok(&repo, &[&["draft", "show", &id], more].concat());
    std::fs::write(repo.join("page.md"), "# My title\n\nThe cart has step2.\n").unwrap();
    world.ok(&repo, &["draft", "edit", &id, "--body", "page.md"]);
    let diff = world.ok(&repo, &["draft", "diff", &id]);
    assert!(diff.starts_with("--- version 1, a list\n+++ version 2, edited from version 1\n"), "{diff}");
    assert!(diff.contains("\n-# Devlog shop, 4 March 2026\n") && diff.contains("\n+# My title\n"), "{diff}");

    let late = "2026-03-04T15:00:00Z";
    std::fs::write(repo.join("till.rs"), "fn receipt() {}\n").unwrap();
    world.git(&repo, &["add", "-A"]);
    let mut commit = world.git_command(&repo, &["commit", "-q", "-m", "Print a receipt"]);
    assert!(commit.env("GIT_AUTHOR_DATE", late).env("GIT_COMMITTER_DATE", late).status().unwrap().success());
    world.ok(&repo, &["commit", "--no-model", "HEAD"]);
    world.ok(&repo, &["draft", "run"]);
    let draft = world.json(&repo, &["draft", "show", &id]);
    assert_eq!((&draft["title"], &draft["body"]), (&"My title".into(), &"The cart has step2.\n".into()));
    assert_eq!((&draft["state"], &draft["version"]), (&"ready".into(), &2.into()));
    assert_eq!(draft["versions"].as_array().unwrap().len(), 3, "{draft:#}");
    let shown = show(&[]);
    assert!(
        shown.contains(&format!("another text was written after the edit: uro-capture draft diff {id} 2 3\n")),
        "{shown}"
    );
    assert!(world.ok(&repo, &["draft", "diff", &id, "2", "3"]).contains("Print a receipt"));
    assert!(show(&["--version", "3"]).contains(&format!("uro-capture draft edit {id} --restore 3\n")));
    let list = show(&["--versions"]);
    assert_eq!(list.lines().filter(|line| line.ends_with("current")).count(), 1, "{list}");

    let equal = world.json(&repo, &["draft", "diff", &id, "3", "3"]);
    assert_eq!((&equal["diff"], &equal["distance"]), (&"".into(), &0.0.into()));
    let out = world.uro_in(&repo, &["draft", "diff", &id, "9"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("hint: uro-capture draft show {id} --versions")), "{said}");

    world.ok(&repo, &["draft", "edit", &id, "--restore", "3"]);
    let taken = world.json(&repo, &["draft", "show", &id]);
    assert!(taken["body"].as_str().unwrap().contains("Print a receipt"), "{taken:#}");
    assert_eq!((&taken["edit"], &taken["version"]), (&Value::Null, &4.into()));
    world.ok(&repo, &["draft", "edit", &id, "--restore", "2"]);
    assert_eq!(world.json(&repo, &["draft", "show", &id])["title"], "My title");
    world.ok(&repo, &["draft", "retry", &id]);
    world.ok(&repo, &["draft", "accept", &id]);
    assert!(
        world.ok(&repo, &["draft", "publish", &id]).starts_with("# My title\n"),
        "its own text counts while queued"
    );
}

#[test]
fn each_sentence_names_the_captures_behind_it() {
    let world = World::without_models();
    let repo = week(&world);
    let id = written(&world, &repo);
    let capture = world.log(&repo).into_iter().find(|capture| capture["raw"] == "Add step2 to the cart").unwrap();
    let source = format!("    {}  Add step2 to the cart\n", capture["id"].as_str().unwrap());
    let list = world.ok(&repo, &["draft", "show", &id, "--sources"]);
    let commit = &capture["commit"]["oid"].as_str().unwrap()[..10];
    assert!(list.contains(&format!("(`{commit}`)\n{source}")), "{list}");
    assert!(list.contains("    counted from all captures\n"), "{list}");

    let text = "Now `step2` adds to the cart. The team had cake.\n";
    std::fs::write(repo.join("page.md"), text).unwrap();
    world.ok(&repo, &["draft", "edit", &id, "--body", "page.md"]);
    let shown = world.ok(&repo, &["draft", "show", &id, "--sources"]);
    let expected = format!("Now `step2` adds to the cart.\n{source}The team had cake.\n    no source\n");
    assert!(shown.ends_with(&expected), "{shown}");
    let sentences = &world.json(&repo, &["draft", "show", &id, "--sources"])["sentences"];
    assert_eq!(sentences[0]["sources"], serde_json::json!([capture["id"]]), "{sentences:#}");
    assert_eq!((&sentences[0]["by"], &sentences[1]["by"]), (&"words".into(), &Value::Null));
}

#[test]
fn the_users_core_editor_is_started_and_a_repositorys_own_never() {
    let world = World::without_models();
    let repo = week(&world);
    let id = written(&world, &repo);
    let (ours, theirs) = (world.path("ours"), world.path("theirs"));
    write_program(&ours, b"#!/bin/sh\necho 'By core.editor.' >>\"$1\"\n");
    write_program(&theirs, b"#!/bin/sh\necho 'By the repository.' >>\"$1\"\n");
    world.git(&repo, &["config", "core.editor", theirs.to_str().unwrap()]);
    let alone = world.uro_in(&repo, &["draft", "edit", &id]);
    assert_eq!(alone.status.code(), Some(1), "{alone:?}");
    assert!(!world.path(&format!("uro/state/draft-{id}.md")).exists());
    world.git(&repo, &["config", "--global", "core.editor", ours.to_str().unwrap()]);
    world.ok(&repo, &["draft", "edit", &id]);
    let body = world.json(&repo, &["draft", "show", &id])["body"].as_str().unwrap().to_owned();
    assert!(body.ends_with("By core.editor.\n") && !body.contains("repository"), "{body}");
}

#[test]
fn a_list_of_drafts_ends_where_it_is_told_to() {
    let world = World::without_models();
    let repo = week(&world);
    world.ok(&repo, &["draft", "run"]);
    let all = world.json(&repo, &["draft", "list", "-n", "0"]);
    let two = world.json(&repo, &["draft", "list", "-n", "2"]);
    assert_eq!(all.as_array().unwrap().len(), 4);
    assert_eq!(two.as_array().unwrap()[..], all.as_array().unwrap()[..2]);
}
