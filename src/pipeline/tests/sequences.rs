//! Rebases and other sequences are processed when they are over; a storm asks no model.

use std::sync::Arc;
use std::time::Duration;

use super::{Place, Scene};
use crate::domain::capture::Reason;
use crate::domain::clock::FakeClock;
use crate::domain::event::{HookName, Source};
use crate::domain::id::Oid;
use crate::hook::test_program::write_program;
use crate::pipeline::reconcile;
use crate::pipeline::waiting::{self, PATIENCE};

const NOW: &str = "2026-03-01T12:00:00Z";

fn commit(place: &Place<'_>, n: usize) -> Oid {
    place.commit(&format!("f{n}"), "1", &format!("Part {n}"))
}

/// Main and a topic of `count` commits to be rebased onto it; all captured.
fn apart(scene: &Scene, place: &Place<'_>, count: usize) -> Vec<Oid> {
    place.commit("base", "x", "Base");
    place.git(&["checkout", "-q", "-b", "topic"]);
    let made = (1..=count).map(|n| commit(place, n)).collect();
    place.git(&["checkout", "-q", "main"]);
    place.commit("other", "1", "Other work");
    place.git(&["checkout", "-q", "topic"]);
    scene.reconcile();
    made
}

/// Records each step's hook reports, as git runs them.
fn hook_steps(place: &Place<'_>) {
    let hook = place.path.join(".git/hooks/post-commit");
    let script = "#!/bin/sh\ngit rev-parse HEAD >> \"$(git rev-parse --git-common-dir)/steps\"\n";
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    write_program(&hook, script.as_bytes());
}

/// The post-commit reports of the steps noted so far.
fn report_steps(scene: &Scene, place: &Place<'_>) -> usize {
    let steps = std::fs::read_to_string(place.path.join(".git/steps")).unwrap_or_default();
    for oid in steps.lines() {
        place.tell(&crate::domain::event::Event {
            stamp: scene.services.clock.now(),
            source: Source::Hook,
            hook: Some(HookName::PostCommit),
            git_dir: place.path.join(".git"),
            oid: Some(oid.parse().unwrap()),
            rewrites: Vec::new(),
            in_sequence: true,
        });
    }
    steps.lines().count()
}

#[test]
fn a_rebase_leaves_one_live_capture_per_commit_and_asks_no_model() {
    let scene = Scene::new();
    let place = scene.repo("r");
    apart(&scene, &place, 12);
    place.git(&["rebase", "-q", "main"]);
    assert_eq!(reconcile::all(&scene.services, Source::Watch), 12);
    assert!(scene.work().is_empty(), "no model");
    assert_eq!(place.live().len(), 14, "{:?}", place.live());
    assert_eq!(place.superseded(), 12);
}

#[test]
fn a_sequence_waits_for_its_end_but_not_for_ever() {
    let clock = Arc::new(FakeClock::at(NOW.parse().unwrap()));
    let scene = Scene::with_clock(clock.clone());
    let place = scene.repo("r");
    apart(&scene, &place, 2);
    place.git(&["checkout", "-q", "main"]);
    place.commit("f2", "in the way", "Be in the way");
    scene.reconcile();
    place.git(&["checkout", "-q", "topic"]);
    hook_steps(&place);
    assert!(!place.command(&["rebase", "-q", "main"]).output().unwrap().status.success(), "a conflict");
    assert_eq!(report_steps(&scene, &place), 1);
    let ready = waiting::ready(&scene.services, 16).unwrap();
    assert!(ready.events.is_empty() && ready.held);
    clock.advance(PATIENCE + Duration::from_secs(1));
    let ready = waiting::ready(&scene.services, 16).unwrap();
    assert!(ready.events.len() == 1 && !ready.held);
    assert!(scene.work().is_empty());
    let live = place.captures(false);
    let part = live.iter().find(|capture| capture.raw == "Part 1").unwrap();
    assert_eq!((part.provenance.reason, part.supersedes.len()), (Reason::Disabled, 1));
}

#[test]
fn what_an_aborted_rebase_made_is_no_work() {
    let scene = Scene::new();
    let place = scene.repo("r");
    apart(&scene, &place, 2);
    place.git(&["checkout", "-q", "main"]);
    place.commit("f2", "in the way", "Be in the way");
    scene.reconcile();
    place.git(&["checkout", "-q", "topic"]);
    let before = place.captures(false);
    hook_steps(&place);
    assert!(!place.command(&["rebase", "-q", "main"]).output().unwrap().status.success(), "a conflict");
    report_steps(&scene, &place);
    place.git(&["rebase", "--abort"]);
    scene.work();
    scene.reconcile();
    assert_eq!(place.captures(false), before, "what was there before still stands");
    assert_eq!(place.superseded(), 0);
}

/// Squashes the four commits of the topic into one.
fn squash(place: &Place<'_>) {
    let mut rebase = place.command(&["rebase", "-q", "-i", "main"]);
    rebase.env("GIT_SEQUENCE_EDITOR", "sed -i -e '2,$s/^pick/squash/'");
    assert!(rebase.output().unwrap().status.success());
}

#[test]
fn an_interactive_squash_links_all_of_them_with_hooks_and_without() {
    for hooks in [true, false] {
        let scene = Scene::new();
        let place = scene.repo("r");
        let four = apart(&scene, &place, 4);
        if hooks {
            hook_steps(&place);
        }
        squash(&place);
        if hooks {
            assert!(report_steps(&scene, &place) > 1, "the steps in between are reported too");
            let head = place.head();
            let pairs: Vec<(Oid, Oid)> = four.iter().map(|oid| (oid.clone(), head.clone())).collect();
            place.report(HookName::PostRewrite, &pairs);
            assert!(scene.work().is_empty(), "no model");
        }
        scene.reconcile();
        assert_eq!(place.live().len(), 3, "hooks {hooks}: {:?}", place.live());
        let squashed = place.captures(false).into_iter().find(|capture| capture.raw.contains("Part 4")).unwrap();
        assert_eq!(squashed.commit.as_ref().unwrap().oid, place.head());
        assert_eq!(squashed.supersedes.len(), 4, "hooks {hooks}");
    }
}

#[test]
fn what_a_rebase_left_stands_for_its_originals_though_the_branch_has_moved_on() {
    let amend: &[&str] = &["commit", "-q", "--amend", "-m", "All of it, amended"];
    for (then, last) in [(amend, "All of it, amended"), (&["reset", "-q", "--hard", "HEAD~1"], "Part 1")] {
        let scene = Scene::new();
        let place = scene.repo("r");
        apart(&scene, &place, 4);
        squash(&place);
        assert!(reconcile::all(&scene.services, Source::Watch) > 0);
        // Before its event is processed.
        place.git(then);
        scene.work();
        scene.reconcile();
        let mut live = place.live();
        live.sort();
        let mut expected = [last, "Base", "Other work"];
        expected.sort_unstable();
        assert_eq!(live, expected, "{then:?}");
    }
}

#[test]
fn another_authors_commit_is_not_captured_for_the_one_that_a_rebase_dropped_in_its_favour() {
    let scene = Scene::new();
    let place = scene.repo("r");
    place.commit("base", "x", "Base");
    place.git(&["checkout", "-q", "-b", "theirs"]);
    place.write("x", "1").write("y", "1").user("them@example.com").git(&["add", "-A"]);
    place.git(&["commit", "-q", "-m", "Theirs"]);
    let theirs = place.head();
    place.user("author@example.com").git(&["checkout", "-q", "main"]);
    place.git(&["update-ref", "refs/remotes/origin/main", theirs.as_str()]);
    place.git(&["branch", "-q", "-D", "theirs"]);
    // Known without it, as after a fetch.
    reconcile::begin(&scene.services, &place.open()).unwrap();
    for (file, message) in [("x", "Mine, and theirs too"), ("z", "Mine")] {
        place.commit(file, "1", message);
        place.report(HookName::PostCommit, &[]);
    }
    scene.work();
    let (dropped, kept) = (place.git(&["rev-parse", "HEAD~1"]), place.head());
    place.git(&["rebase", "-q", "origin/main"]);
    let pairs = [(dropped.parse().unwrap(), theirs), (kept, place.head())];
    place.report(HookName::PostRewrite, &pairs);
    scene.work();
    scene.reconcile();
    assert_eq!(place.live(), ["Mine, and theirs too", "Mine"]);
}

#[test]
fn many_commits_at_once_ask_no_model_and_few_do() {
    for (count, asked) in [(waiting::STORM, waiting::STORM), (waiting::STORM + 1, 0)] {
        let scene = Scene::new();
        let place = scene.repo("r");
        for n in 0..count {
            commit(&place, n);
            place.report(HookName::PostCommit, &[]);
            if count <= waiting::STORM {
                // The same commit, seen by another reader, is no second one.
                place.report(HookName::PostCommit, &[]);
            }
        }
        assert_eq!(scene.work().len(), asked, "{count} commits");
        let left = place.captures(false);
        assert_eq!(left.len(), count);
        let storm = left.iter().filter(|capture| capture.provenance.reason == Reason::PredictedMiss).count();
        assert_eq!(storm, count - asked);
    }
}

#[test]
fn a_linked_worktree_has_its_own_sequences() {
    let scene = Scene::new();
    let place = scene.repo("r");
    place.commit("base", "x", "Base");
    std::fs::create_dir(place.path.join(".git/rebase-merge")).unwrap();
    place.commit("a", "1", "In a rebase");
    place.report(HookName::PostCommit, &[]);
    let linked = scene.path("linked");
    place.git(&["worktree", "add", "-q", super::text(&linked)]);
    let other = scene.at("linked");
    other.commit("b", "1", "Beside it");
    scene.reconcile();
    assert_eq!(other.live(), ["Base", "Beside it"]);
    std::fs::remove_dir(place.path.join(".git/rebase-merge")).unwrap();
    scene.work();
    assert_eq!(other.live().len(), 3);
}

#[test]
fn the_next_commit_elsewhere_does_not_wait_behind_two_storms() {
    let scene = Scene::new();
    let storms = ["a", "b"].map(|name| scene.repo(name));
    for place in &storms {
        (0..100).for_each(|n| open(&scene, place, n));
    }
    let calm = scene.repo("c");
    open(&scene, &calm, 0);
    let ready = waiting::ready(&scene.services, 16).unwrap();
    assert_eq!(ready.events.len(), 16);
    let (first, reason) = &ready.events[0];
    assert_eq!((first.event.git_dir.clone(), *reason), (calm.path.join(".git"), None));
    for (n, (pending, reason)) in ready.events[1..].iter().enumerate() {
        assert_eq!(pending.event.git_dir, storms[0].path.join(".git"), "the older storm goes first");
        assert_eq!(pending.event.oid, Some(numbered(n)), "in order");
        assert_eq!(*reason, Some(Reason::PredictedMiss));
    }
}

/// A pending event.
fn open(scene: &Scene, place: &Place<'_>, n: usize) {
    place.tell(&crate::domain::event::Event {
        stamp: scene.services.clock.now(),
        source: Source::Watch,
        hook: None,
        git_dir: place.path.join(".git"),
        oid: Some(numbered(n)),
        rewrites: Vec::new(),
        in_sequence: false,
    });
}

fn numbered(n: usize) -> Oid {
    format!("{:040x}", n + 1).parse().unwrap()
}
