//! One unit of work, one live capture, whatever git did to it: the whole way from git to the log.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::fake_llm::{Behaviour, FakeLlm};
use crate::harness::{World, eventually};

/// A world with a sidecar and a hooked repository with one commit in it.
fn stage(world: &World) -> PathBuf {
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let oid = world.commit(&repo, "base", "base\n", "Lay the base");
    world.final_capture(&repo, &oid);
    repo
}

/// Live captures' subjects, oldest first, once there are `count` and all of them are final.
fn live(world: &World, repo: &Path, count: usize) -> Vec<String> {
    eventually(&format!("{count} live captures"), || {
        let log = world.log(repo);
        let done = log.iter().all(|capture| !capture["timing"]["total_ms"].is_null());
        let subject = |capture: &Value| capture["commit"]["subject"].as_str().unwrap().to_owned();
        (done && log.len() == count).then(|| log.iter().rev().map(subject).collect())
    })
}

fn all(world: &World, repo: &Path) -> usize {
    world.json(repo, &["log", "--all", "-n", "100000"]).as_array().unwrap().len()
}

/// Waits until the live captures are exactly these commits of the branch.
fn live_is(world: &World, repo: &Path, range: &str) {
    let mut wanted: Vec<String> = world.git(repo, &["rev-list", range]).lines().map(str::to_owned).collect();
    wanted.sort();
    eventually(&format!("the captures of {range}"), || {
        let log = world.log(repo);
        let mut live: Vec<String> =
            log.iter().map(|capture| capture["commit"]["oid"].as_str().unwrap().to_owned()).collect();
        live.sort();
        (live == wanted).then_some(())
    });
}

#[test]
fn amending_five_times_leaves_one_live_capture_and_its_history() {
    let world = World::without_models();
    let repo = stage(&world);
    world.commit(&repo, "a.rs", "fn a0() {}\n", "Add a");
    for n in 1..=5 {
        std::fs::write(repo.join("a.rs"), format!("fn a{n}() {{}}\n")).unwrap();
        world.git(&repo, &["commit", "-q", "-a", "--amend", "-m", &format!("Add a, take {n}")]);
    }
    live_is(&world, &repo, "main");
    assert_eq!(live(&world, &repo, 2), ["Lay the base", "Add a, take 5"]);
    assert_eq!(all(&world, &repo), 7);
}

#[test]
fn a_rebase_of_a_hundred_commits_asks_no_model_and_their_texts_follow() {
    let server = FakeLlm::start(Behaviour::Answer("Adds a function for a session and its timeout.".to_owned()));
    let world = World::with_fake(&server);
    let repo = stage(&world);
    world.git(&repo, &["checkout", "-q", "-b", "topic"]);
    for n in 0..100 {
        world.commit(
            &repo,
            &format!("f{n}.rs"),
            &format!("fn f{n}(session: u8, timeout: u8) {{}}\n"),
            &format!("Add f{n}"),
        );
    }
    live(&world, &repo, 101);
    world.git(&repo, &["checkout", "-q", "main"]);
    world.commit(&repo, "main.rs", "fn main() {}\n", "Add main");
    live(&world, &repo, 102);
    let by_model = |capture: &&Value| capture["provenance"]["by"] == "model";
    let (asked, before) = (server.questions().len(), world.log(&repo).iter().filter(by_model).count());
    world.git(&repo, &["checkout", "-q", "topic"]);
    world.git(&repo, &["rebase", "-q", "main"]);
    live_is(&world, &repo, "topic");
    assert_eq!(server.questions().len(), asked, "no model was asked");
    let after = world.log(&repo);
    let others: Vec<&Value> = after.iter().filter(|capture| !by_model(capture)).collect();
    assert_eq!(after.len() - others.len(), before, "each text followed its commit, but {others:#?}");
    assert!(before > 50, "{before}");
    assert_eq!(all(&world, &repo), 202);
}

#[test]
fn a_cherry_pick_moves_the_work_and_a_revert_is_work_of_its_own() {
    let world = World::without_models();
    let repo = stage(&world);
    world.git(&repo, &["checkout", "-q", "-b", "topic"]);
    world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    world.git(&repo, &["checkout", "-q", "main"]);
    world.commit(&repo, "b.rs", "fn b() {}\n", "Add b");
    world.git(&repo, &["cherry-pick", "topic"]);
    live_is(&world, &repo, "main");
    world.git(&repo, &["revert", "--no-edit", "HEAD"]);
    let again = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a once more");
    world.final_capture(&repo, &again);
    live_is(&world, &repo, "main");
}

/// Four commits on `topic` beside one on main, all captured; main is checked out.
fn four(world: &World, repo: &Path) {
    world.git(repo, &["checkout", "-q", "-b", "topic"]);
    for n in 1..=4 {
        world.commit(repo, &format!("f{n}.rs"), &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"));
    }
    world.git(repo, &["checkout", "-q", "main"]);
    world.commit(repo, "main.rs", "fn main() {}\n", "Add main");
    live(world, repo, 6);
}

fn replaced(world: &World, repo: &Path) -> usize {
    let head = world.git(repo, &["rev-parse", "HEAD"]);
    world.final_capture(repo, &head)["supersedes"].as_array().unwrap().len()
}

#[test]
fn a_squash_merge_links_what_it_carries_though_its_message_says_nothing_of_it() {
    let world = World::without_models();
    let repo = stage(&world);
    four(&world, &repo);
    // In one go, so that nobody can look between the two.
    let merge = "git merge -q --squash topic && git commit -q -m 'Add four functions'";
    assert!(world.program("sh", &repo).args(["-c", merge]).output().unwrap().status.success());
    assert_eq!(live(&world, &repo, 3).last().unwrap(), "Add four functions");
    assert_eq!(replaced(&world, &repo), 4);
}

#[test]
fn an_interactive_squash_links_all_four() {
    let world = World::without_models();
    let repo = stage(&world);
    four(&world, &repo);
    world.git(&repo, &["checkout", "-q", "topic"]);
    let mut rebase = world.git_command(&repo, &["rebase", "-q", "-i", "main"]);
    rebase.env("GIT_SEQUENCE_EDITOR", "sed -i -e '2,$s/^pick/squash/'").env("GIT_EDITOR", "true");
    assert!(rebase.output().unwrap().status.success());
    live_is(&world, &repo, "topic");
    assert_eq!(replaced(&world, &repo), 4);
}

#[test]
fn a_rebase_that_was_given_up_changes_nothing() {
    let world = World::without_models();
    let repo = stage(&world);
    four(&world, &repo);
    world.commit(&repo, "f4.rs", "in the way\n", "Be in the way");
    live(&world, &repo, 7);
    world.git(&repo, &["checkout", "-q", "topic"]);
    assert!(!world.git_command(&repo, &["rebase", "-q", "main"]).output().unwrap().status.success(), "a conflict");
    world.git(&repo, &["rebase", "--abort"]);
    let oid = world.commit(&repo, "g.rs", "fn g() {}\n", "Add g");
    world.final_capture(&repo, &oid);
    eventually("all events are dealt with", || {
        (world.sidecar_status()["queue_depth"] == 0 && live(&world, &repo, 8).len() == 8).then_some(())
    });
    assert_eq!(all(&world, &repo), 8, "nothing was superseded");
}

#[test]
fn a_commit_of_a_lock_file_alone_keeps_its_one_capture_through_a_rebase() {
    let world = World::without_models();
    let repo = stage(&world);
    world.git(&repo, &["checkout", "-q", "-b", "topic"]);
    world.commit(&repo, "Cargo.lock", "locked\n", "Lock");
    world.git(&repo, &["checkout", "-q", "main"]);
    world.commit(&repo, "main.rs", "fn main() {}\n", "Add main");
    world.git(&repo, &["checkout", "-q", "topic"]);
    world.git(&repo, &["rebase", "-q", "main"]);
    live_is(&world, &repo, "topic");
}

#[test]
fn what_somebody_else_made_is_not_captured_however_it_is_pulled() {
    let world = World::without_models();
    let repo = stage(&world);
    let hub = world.path("hub.git");
    let hub = hub.to_str().unwrap();
    world.git(&repo, &["clone", "-q", "--bare", ".", hub]);
    world.git(&repo, &["remote", "add", "origin", hub]);
    world.git(&repo, &["fetch", "-q"]);
    world.git(&repo, &["branch", "-q", "-u", "origin/main"]);
    let theirs = world.path("theirs");
    world.git(&repo, &["clone", "-q", hub, theirs.to_str().unwrap()]);
    world.git(&theirs, &["config", "user.email", "other@example.com"]);
    for (n, how) in [vec!["--ff-only"], vec!["--no-rebase", "--no-edit"], vec!["--rebase"]].into_iter().enumerate() {
        world.git(&theirs, &["pull", "-q", "--rebase"]);
        world.commit(&theirs, &format!("theirs{n}"), "1\n", &format!("Theirs {n}"));
        world.git(&theirs, &["push", "-q"]);
        if n > 0 {
            let oid = world.commit(&repo, &format!("mine{n}"), "1\n", &format!("Mine {n}"));
            world.final_capture(&repo, &oid);
        }
        let pull: Vec<&str> = ["pull", "-q"].into_iter().chain(how).collect();
        world.git(&repo, &pull);
        world.git(&repo, &["push", "-q"]);
    }
    let last = world.commit(&repo, "last", "1\n", "Last");
    world.final_capture(&repo, &last);
    let subjects = live(&world, &repo, 5);
    assert!(subjects.iter().all(|subject| !subject.starts_with("Theirs")), "{subjects:?}");
    assert!(subjects.iter().any(|subject| subject.starts_with("Merge ")), "{subjects:?}");
}

#[test]
fn a_moved_repository_keeps_its_captures() {
    let world = World::without_models();
    let repo = stage(&world);
    let moved = world.path("moved");
    std::fs::rename(&repo, &moved).unwrap();
    let oid = world.commit(&moved, "a.rs", "fn a() {}\n", "Add a");
    world.final_capture(&moved, &oid);
    assert_eq!(live(&world, &moved, 2), ["Lay the base", "Add a"]);
}
