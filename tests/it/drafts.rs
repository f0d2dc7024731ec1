//! From captures to a page, with a model server and without.

use serde_json::Value;

use crate::harness::fake_llm::{Behaviour, FakeLlm};
use crate::harness::week::week;
use crate::harness::{World, write_program};

#[test]
fn a_week_becomes_devlogs_and_a_blog_post_without_any_model() {
    let world = World::without_models();
    let repo = week(&world);
    world.ok(&repo, &["draft", "run"]);
    let drafts = world.json(&repo, &["draft", "list"]);
    let drafts = drafts.as_array().unwrap();
    let of = |kind: &str| drafts.iter().filter(|draft| draft["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(of("devlog").len(), 3, "{drafts:#?}");
    assert_eq!(of("blog").len(), 1);
    let blog = of("blog")[0];
    assert_eq!(blog["state"], "ready");
    assert_eq!(blog["sources"].as_array().unwrap().len(), 3);
    for step in 0..3 {
        assert!(blog["body"].as_str().unwrap().contains(&format!("step{step}")), "{blog:#}");
    }
    world.ok(&repo, &["draft", "run"]);
    assert_eq!(world.json(&repo, &["draft", "list"]).as_array().unwrap().len(), 4, "nothing twice");

    let id = blog["id"].as_str().unwrap();
    let early = world.uro_in(&repo, &["draft", "publish", id]);
    assert_eq!(early.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&early.stderr).contains("draft accept"));
    world.ok(&repo, &["draft", "accept", id]);
    let page = world.ok(&repo, &["draft", "publish", id]);
    assert!(page.contains("step1") && page.contains('#'), "{page}");
    assert_eq!(world.json(&repo, &["draft", "show", id])["state"], "published");
}

#[test]
fn a_draft_has_the_models_supported_sentences_and_all_of_the_authors() {
    let answer = "Added step0 to the cart. It makes every checkout faster.";
    let server = FakeLlm::start(Behaviour::Answer(answer.to_owned()));
    let world = World::with_fake(&server);
    let repo = week(&world);
    world.json(&repo, &["draft", "new", "status", "--week", "2026-03-03"]);
    world.ok(&repo, &["draft", "run"]);
    let drafts = world.json(&repo, &["draft", "list"]);
    let status = drafts.as_array().unwrap().iter().find(|draft| draft["kind"] == "status").unwrap();
    assert!(!status["model"].is_null() && status["quality"]["score"].as_f64().unwrap() > 0.0, "{status:#}");
    let body = status["body"].as_str().unwrap();
    assert!(body.contains("Added step0 to the cart.") && !body.contains("faster"), "{body}");
    assert!((0..3).all(|step| body.contains(&format!("Add step{step} to the cart"))), "{body}");
}

/// The text of the one devlog of the day on which the tests' commits are dated.
fn devlog(world: &World, repo: &std::path::Path) -> String {
    let drafts = world.json(repo, &["draft", "new", "devlog", "--day", "2026-03-01"]);
    world.ok(repo, &["draft", "run"]);
    let draft = world.json(repo, &["draft", "show", drafts["id"].as_str().unwrap()]);
    assert_eq!(draft["state"], "ready", "{draft:#}");
    format!("{}\n{}", draft["title"].as_str().unwrap(), draft["body"].as_str().unwrap())
}

#[test]
fn repositories_with_one_folder_name_have_pages_of_their_own() {
    let world = World::without_models();
    let repos = ["acme", "globex"].map(|client| {
        let repo = world.repo(&format!("{client}/backend"));
        let subject = format!("Let {client} customers log in");
        world.commit(&repo, "auth.py", &format!("def {client}_login():\n    return 1\n"), &subject);
        world.ok(&repo, &["commit", "--no-model", "HEAD"]);
        repo
    });
    let pages = repos.each_ref().map(|repo| devlog(&world, repo));
    for (page, own, other) in [(&pages[0], "acme", "globex"), (&pages[1], "globex", "acme")] {
        assert!(page.contains(&format!("{own}_login")) || page.contains(&format!("Let {own} customers")), "{page}");
        assert!(!page.contains(&format!("{other}_login")) && !page.contains(&format!("Let {other}")), "{page}");
    }
    // A clone elsewhere is the same project's work in another place.
    let clone = world.path("third/backend");
    std::fs::create_dir_all(world.path("third")).unwrap();
    world.git(&world.path("third"), &["clone", "-q", repos[0].to_str().unwrap(), clone.to_str().unwrap()]);
    world.commit(&clone, "auth.py", "def third_login():\n    return 1\n", "Let third customers log in");
    world.ok(&clone, &["commit", "--no-model", "HEAD"]);
    assert!(!devlog(&world, &repos[1]).contains("third"), "a page of another repository");
}

#[test]
fn a_merge_is_told_as_one_and_its_work_is_listed_once() {
    let world = World::without_models();
    let repo = world.repo("repo");
    world.commit(&repo, "a.py", "def a(): return 1\n", "Start with one function");
    let branches = ["one", "two", "three"];
    for branch in branches {
        world.git(&repo, &["checkout", "-q", "-b", branch, "main"]);
        let subject = format!("feat: go on with {branch}");
        world.commit(&repo, &format!("{branch}.py"), &format!("def {branch}_step(): return 2\n"), &subject);
    }
    world.git(&repo, &["checkout", "-q", "main"]);
    world.git(&repo, &["merge", "-q", "--no-ff", "one", "-m", "feat: go on with one (#179)"]);
    world.git(&repo, &["merge", "-q", "--no-ff", "two", "three", "-m", "Bring both steps in (!7)"]);
    world.ok(&repo, &["commit", "--no-model", "--since", "2020-01-01"]);
    let page = devlog(&world, &repo);
    for branch in branches {
        assert_eq!(page.matches(&format!("`{branch}_step`")).count(), 1, "{branch}: {page}");
    }
    assert!(page.contains("Merges: “feat: go on with one (#179)”"), "{page}");
    assert!(page.contains("; “Bring both steps in (!7)”"), "an octopus is one merge: {page}");
    assert!(page.contains("4 commits and 2 merges"), "{page}");
}

#[test]
fn what_a_site_generator_takes_for_its_own_is_escaped_in_a_page() {
    let world = World::without_models();
    let repo = world.repo("repo");
    let subjects = [
        "Use {{< figure >}} and {{% notice %}} in the gallery",
        "Read {{ .Values.image }} and {% raw %} from the chart",
        "Show `{{% note %}}` in the manual",
        "Render {{{ body }}} and {# a remark #} of the theme",
        "Close {% endraw %} before <%= title %> in the layout",
        "Import `{{{{raw}}}}` from the handbook",
    ];
    for (n, subject) in subjects.iter().enumerate() {
        world.commit(&repo, "a.bin", &n.to_string(), subject);
    }
    world.ok(&repo, &["commit", "--no-model", "--since", "2020-01-01"]);
    let id = world.json(&repo, &["draft", "new", "devlog", "--day", "2026-03-01"])["id"].as_str().unwrap().to_owned();
    world.ok(&repo, &["draft", "run"]);
    let page = world.ok(&repo, &["draft", "publish", "--accept", &id]);
    for mark in ["{{", "{%", "{#", "<%"] {
        assert!(!page.contains(mark), "{mark}: {page}");
    }
    for word in ["figure", "notice", ".Values.image", "raw", "note", "body", "remark", "title", "handbook"] {
        assert!(page.contains(word), "{word}: {page}");
    }
}

/// A draft of the newest day of the week, written from the template.
fn ready(world: &World, repo: &std::path::Path) -> Value {
    let draft = world.json(repo, &["draft", "new", "devlog", "--day", "2026-03-04"]);
    world.ok(repo, &["draft", "run"]);
    world.json(repo, &["draft", "show", draft["id"].as_str().unwrap()])
}

fn fails(world: &World, repo: &std::path::Path, args: &[&str], hint: &str) {
    let out = world.uro_in(repo, args);
    let errors = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{args:?}: {errors}");
    assert!(errors.contains(&format!("hint: {hint}")), "{args:?}: {errors}");
}

#[test]
fn a_capture_becomes_a_draft_that_is_edited_accepted_and_published() {
    let world = World::without_models();
    let repo = week(&world);
    let draft = ready(&world, &repo);
    let id = draft["id"].as_str().unwrap();
    assert_eq!((&draft["state"], &draft["model"], &draft["edit"]), (&"ready".into(), &Value::Null, &Value::Null));
    let of_the_day = world.log(&repo).into_iter().find(|capture| capture["raw"] == "Add step2 to the cart").unwrap();
    assert_eq!(draft["sources"], serde_json::json!([of_the_day["id"]]), "{draft:#}");
    insta::assert_snapshot!("devlog_of_one_day", world.ok(&repo, &["draft", "show", id]).replace(id, "[id]"));

    let editor = world.path("editor");
    write_program(&editor, b"#!/bin/sh\nsed -i 's/step2/the third step/' \"$1\"\necho 'By hand.' >>\"$1\"\n");
    let mut edit = world.program(env!("CARGO_BIN_EXE_uro-capture"), &repo);
    assert!(edit.args(["draft", "edit", id]).env("EDITOR", &editor).status().unwrap().success());
    let edited = world.json(&repo, &["draft", "show", id]);
    let body = edited["body"].as_str().unwrap();
    assert!(body.ends_with("By hand.\n") && body.contains("the third step"), "{edited:#}");
    assert!(edited["edit"]["seconds"].as_f64().unwrap() >= 0.0, "{edited:#}");
    let distance = edited["edit"]["distance"].as_f64().unwrap();
    assert!(distance > 0.0 && distance < 1.0, "{edited:#}");
    assert!(!world.path(&format!("uro/state/draft-{id}.md")).exists(), "no copy of the text is left");

    world.ok(&repo, &["draft", "accept", id]);
    let pages = world.path("pages");
    fails(&world, &repo, &["draft", "publish", id, "--to", pages.to_str().unwrap()], "mkdir -p ");
    assert_eq!(world.json(&repo, &["draft", "show", id])["state"], "accepted", "nothing left, nothing is published");
    std::fs::create_dir(&pages).unwrap();
    let path = world.ok(&repo, &["draft", "publish", id, "--to", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(path.trim_end()).unwrap();
    assert!(page.contains(body.trim_end()), "{page}");
    assert_eq!(world.ok(&repo, &["draft", "publish", id]), page, "on standard output it is the same page");
    assert_eq!(
        world.ok(&repo, &["draft", "publish", id, "--to", pages.to_str().unwrap()]),
        path,
        "a second time as well"
    );
    assert_eq!(std::fs::read_dir(&pages).unwrap().count(), 1, "nothing is left beside it");
    std::fs::write(path.trim_end(), "Changed on the site.\n").unwrap();
    fails(&world, &repo, &["draft", "publish", id, "--to", pages.to_str().unwrap()], "uro-capture draft publish ");
    assert_eq!(std::fs::read_to_string(path.trim_end()).unwrap(), "Changed on the site.\n", "never overwritten");

    fails(&world, &repo, &["draft", "edit", id, "--title", "Late"], &format!("uro-capture draft show {id}"));
    let listed = |args: &[&str]| world.json(&repo, args).to_string().contains(id);
    assert!(!listed(&["draft", "list"]) && listed(&["draft", "list", "--all"]));
}

#[test]
fn an_edit_by_a_file_or_a_pipe_keeps_what_it_does_not_name() {
    let world = World::without_models();
    let repo = week(&world);
    let draft = ready(&world, &repo);
    let id = draft["id"].as_str().unwrap();
    world.ok(&repo, &["draft", "edit", id, "--title", "The cart is done"]);
    let titled = world.json(&repo, &["draft", "show", id]);
    assert_eq!((&titled["title"], &titled["body"]), (&"The cart is done".into(), &draft["body"]));
    std::fs::write(repo.join("page.md"), "Three steps, one cart.\n").unwrap();
    world.ok(&repo, &["draft", "edit", id, "--body", "page.md"]);
    let bodied = world.json(&repo, &["draft", "show", id]);
    assert_eq!((&bodied["title"], &bodied["body"]), (&titled["title"], &"Three steps, one cart.\n".into()));
    std::fs::write(repo.join("page.md"), "\n").unwrap();
    fails(&world, &repo, &["draft", "edit", id, "--body", "page.md"], &format!("uro-capture draft reject {id}"));
    fails(&world, &repo, &["draft", "edit", id], &format!("EDITOR=nano uro-capture draft edit {id}"));
    let left = world.json(&repo, &["draft", "show", id]);
    assert_eq!((&left["body"], &left["state"]), (&bodied["body"], &"ready".into()));
}

#[test]
fn an_editor_that_fails_leaves_the_draft_and_the_persons_text() {
    let world = World::without_models();
    let repo = week(&world);
    let draft = ready(&world, &repo);
    let id = draft["id"].as_str().unwrap();
    let editor = world.path("editor");
    write_program(&editor, b"#!/bin/sh\necho 'Half a thought' >\"$1\"\nexit 1\n");
    let mut edit = world.program(env!("CARGO_BIN_EXE_uro-capture"), &repo);
    let out = edit.args(["draft", "edit", id]).env("VISUAL", &editor).output().unwrap();
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert_eq!(world.json(&repo, &["draft", "show", id])["body"], draft["body"]);
    let more = b"#!/bin/sh\ngrep -q 'Half a thought' \"$1\" && echo 'and the rest' >>\"$1\"\nexit 1\n";
    write_program(&editor, more);
    let out = edit.output().unwrap();
    let errors = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(errors.contains("going on with an edit that was not stored"), "{errors}");
    let (_, hint) = errors.split_once("hint: uro-capture ").unwrap();
    let words: Vec<&str> = hint.split_whitespace().collect();
    world.ok(&repo, &words);
    assert_eq!(world.json(&repo, &["draft", "show", id])["body"], "Half a thought\nand the rest\n", "{errors}");
    assert!(!world.path(&format!("uro/state/draft-{id}.md")).exists(), "stored, so no copy is left");
}

#[test]
fn a_rejected_draft_is_queued_again_by_retry_and_written_anew() {
    let world = World::without_models();
    let repo = week(&world);
    let draft = ready(&world, &repo);
    let id = draft["id"].as_str().unwrap();
    fails(&world, &repo, &["draft", "publish", id], &format!("uro-capture draft accept {id}"));
    world.ok(&repo, &["draft", "reject", id]);
    fails(&world, &repo, &["draft", "accept", id], &format!("uro-capture draft retry {id}"));
    world.ok(&repo, &["draft", "retry", id]);
    assert_eq!(world.json(&repo, &["draft", "show", id])["state"], "queued");
    world.ok(&repo, &["draft", "run"]);
    let again = world.json(&repo, &["draft", "show", id]);
    assert_eq!((&again["state"], &again["body"]), (&"ready".into(), &draft["body"]));
}
