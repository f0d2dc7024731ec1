//! `recap`: what was done, across repositories, without a model.

use crate::harness::World;

#[test]
fn a_recap_names_the_work_of_all_repositories_and_what_is_still_open() {
    let world = World::without_models();
    let (shop, site) = (world.repo("shop"), world.repo("site"));
    world.commit(&shop, "cart.rs", "fn total() {}\n", "feat(cart): a total (#7)");
    world.git(&shop, &["switch", "-q", "-c", "expiry"]);
    world.commit(&shop, "cart.rs", "fn total() {}\nfn expire() {}\n", "Let carts expire");
    world.commit(&site, "index.md", "# Hello\n", "docs: a first page");
    world.git(&shop, &["remote", "add", "origin", "git@github.com:acme/shop.git"]);
    world.ok(&shop, &["commit", "--since", "2000-01-01"]);
    world.ok(&site, &["commit", "--since", "2000-01-01"]);
    world.ok(&site, &["should the page be in two languages?"]);

    let text = world.ok(&world.path("home"), &["recap", "--since", "2000-01-01"]);
    for expected in [
        "## shop\n",
        "- cart: a total (#7)\n",
        "- Let carts expire\n",
        "## site\n",
        "## Still open\n",
        "- shop: expiry is not merged (1 commit)\n",
        "- site: should the page be in two languages?\n",
    ] {
        assert!(text.contains(expected), "{expected:?} in {text}");
    }
    let list = world.ok(&shop, &["recap", "--since", "2000-01-01", "--as", "list"]);
    assert!(list.contains("](https://github.com/acme/shop/commit/"), "{list}");

    let json = world.json(&shop, &["recap", "--since", "2000-01-01"]);
    assert_eq!(json["items"].as_array().unwrap().len(), 4, "{json:#}");
    assert_eq!(json["open"].as_array().unwrap().len(), 2);
    let csv = world.ok(&shop, &["recap", "--since", "2000-01-01", "--format", "csv", "--project", "site"]);
    assert_eq!(csv.lines().count(), 3, "a header, a commit, a note: {csv}");
    assert!(
        csv.lines().all(|line| !line.ends_with([',', '\r', '\u{fffd}'])),
        "each line ends with its captures: {csv:?}"
    );
    let plain = world.ok(&shop, &["recap", "--since", "2000-01-01", "--format", "plain"]);
    assert!(!plain.contains(['#', '*']) || plain.contains("(#7)"), "{plain}");
}

#[test]
fn an_empty_period_says_so_and_a_wrong_one_helps() {
    let world = World::without_models();
    let home = world.path("home");
    assert!(world.ok(&home, &["recap", "yesterday"]).contains("Nothing was captured in this period."));
    for (args, code) in [
        (&["recap", "someday"][..], 2),
        (&["recap", "--since", "2999-01-01"], 2),
        (&["recap", "--project", "nowhere"], 1),
    ] {
        let output = world.uro_in(&home, args);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && err.contains("hint: "), "{args:?}: {err}");
    }
}

#[test]
fn a_range_becomes_release_notes_and_a_pull_request_without_storing_anything() {
    let world = World::without_models();
    let repo = world.repo("shop");
    world.commit(&repo, "cart.rs", "fn total() {}\n", "feat(cart): a total (#7)");
    world.git(&repo, &["tag", "v1"]);
    world.git(&repo, &["switch", "-q", "-c", "expiry"]);
    world.commit(&repo, "cart.rs", "fn total() {}\nfn expire() {}\n", "feat(cart): let carts expire\n\nFixes: #9");
    world.commit(&repo, "cart.rs", "fn total() {}\nfn expire() { }\n", "fixup! feat(cart): let carts expire");
    world.commit(&repo, "cart.rs", "fn total() {}\n", "fix(cart): round prices");

    let notes = world.ok(&repo, &["release-notes", "v1..", "--version", "1.1", "--as", "keep-a-changelog"]);
    assert!(notes.starts_with("## [1.1] - "), "{notes}");
    assert!(
        notes.ends_with("### Added\n\n- cart: let carts expire (#9)\n\n### Fixed\n\n- cart: round prices\n"),
        "{notes}"
    );
    let pull_request = world.ok(&repo, &["pr"]);
    assert_eq!(
        pull_request,
        "feat(cart): let carts expire\n\n- cart: let carts expire (#9)\n- cart: round prices\n\nTickets: #9.\n"
    );
    let account = world.json(&repo, &["release-notes", "v1..HEAD", "--account"]);
    assert_eq!(account["commits"].as_array().unwrap().len(), 3);
    assert_eq!(world.log(&repo).len(), 0, "describing commits captures none");

    for (args, code) in
        [(&["release-notes", "v9..v10"][..], 1), (&["release-notes", "HEAD..HEAD"], 1), (&["pr", "nowhere"], 1)]
    {
        let output = world.uro_in(&repo, args);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && err.contains("hint: "), "{args:?}: {err}");
    }
}
