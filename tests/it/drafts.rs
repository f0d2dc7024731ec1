//! From captures to a page, with a model server and without.

use crate::harness::World;
use crate::harness::llama::Llama;

/// Three days of one complete week, captured as backfill.
fn week(world: &World) -> std::path::PathBuf {
    let repo = world.repo("shop");
    let days = ["2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z", "2026-03-04T10:00:00Z"];
    for (n, day) in days.iter().enumerate() {
        std::fs::write(repo.join("cart.rs"), format!("fn step{n}() {{}}\n")).unwrap();
        world.git(&repo, &["add", "-A"]);
        let mut commit = world.git_command(&repo, &["commit", "-q", "-m", &format!("Add step{n} to the cart")]);
        assert!(commit.env("GIT_AUTHOR_DATE", day).env("GIT_COMMITTER_DATE", day).status().unwrap().success());
    }
    world.ok(&repo, &["commit", "--since", "2020-01-01", "--no-model"]);
    repo
}

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
fn a_draft_is_written_by_the_model_where_one_answers() {
    let llama = Llama::start(Some("The cart grew three steps this week and each of them is small."));
    let world = World::with_endpoint(llama.url(), "auto");
    let repo = week(&world);
    world.ok(&repo, &["draft", "run"]);
    let drafts = world.json(&repo, &["draft", "list"]);
    for draft in drafts.as_array().unwrap() {
        assert!(!draft["model"].is_null(), "{draft:#}");
        assert!(draft["quality"]["score"].as_f64().unwrap() > 0.0, "{draft:#}");
        assert!(draft["body"].as_str().unwrap().contains("three steps"), "{draft:#}");
    }
}
