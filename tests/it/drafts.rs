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
    assert!(page.contains("Merges “feat: go on with one (#179)”"), "{page}");
    assert!(page.contains("Merges “Bring both steps in (!7)”"), "an octopus is one merge: {page}");
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
