//! Commit identity: work that was moved, reworded, applied again, or squashed.

use super::{PipelineFixture, TestRepo, text};
use crate::domain::capture::{AuthoredBy, CaptureKind, Reason};
use crate::domain::event::HookName;
use crate::domain::id::Oid;

/// Commits, and reports as git with installed hooks does.
fn hooked(scene: &PipelineFixture, place: &TestRepo<'_>, file: &str, content: &str, message: &str) -> Oid {
    let oid = place.commit(file, content, message);
    place.report(HookName::PostCommit, &[]);
    scene.work();
    oid
}

#[test]
fn the_same_patch_on_another_branch_replaces_and_takes_the_text_along() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    hooked(&scene, &place, "base", "x", "Base");
    place.git(&["checkout", "-q", "-b", "topic"]);
    let topic = hooked(&scene, &place, "a", "1", "Add a");
    let store = &scene.services.store;
    let first = store.capture_of_commit(&place.open().location().id, &topic).unwrap().unwrap();
    store.edit_capture(first.id, "Adds a, in my words.").unwrap();
    place.git(&["checkout", "-q", "main"]);
    hooked(&scene, &place, "b", "1", "Add b");
    place.git(&["cherry-pick", topic.as_str()]);
    place.report(HookName::PostCommit, &[]);
    scene.work();
    assert_eq!(place.live(), ["Base", "Add a", "Add b"], "by author date");
    let picked = place.captures(false).remove(1);
    assert_eq!((picked.supersedes, picked.summary.as_str()), (vec![first.id], "Adds a, in my words."));
    assert_eq!((picked.provenance.by, picked.provenance.reason), (AuthoredBy::Human, Reason::None));
    assert!(picked.timing.total_ms.is_some(), "final at once");
}

#[test]
fn the_same_patch_above_the_earlier_commit_is_new_work() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    hooked(&scene, &place, "base", "x", "Base");
    hooked(&scene, &place, "a", "1", "Add a");
    place.git(&["revert", "--no-edit", "HEAD"]);
    place.report(HookName::PostCommit, &[]);
    hooked(&scene, &place, "a", "1", "Add a");
    assert_eq!(place.live(), ["Base", "Add a", "Revert \"Add a\"", "Add a"]);
}

/// A commit on a topic and the same picked onto main, the pick dated `later` seconds after the other; neither is
/// reported yet.
fn picked<'a>(scene: &'a PipelineFixture, later: i64) -> (TestRepo<'a>, Oid, Oid) {
    let place = scene.repo("r");
    hooked(scene, &place, "base", "x", "Base");
    let dated = |args: &[&str], second: i64| {
        let (mut command, date) = (place.command(args), format!("{} +0000", 1_700_100_000 + second));
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        assert!(command.output().unwrap().status.success(), "{args:?}");
        place.head()
    };
    place.git(&["checkout", "-q", "-b", "topic"]);
    place.write("a", "1").git(&["add", "-A"]);
    let topic = dated(&["commit", "-q", "-m", "Add a"], 0);
    place.git(&["checkout", "-q", "main"]);
    hooked(scene, &place, "b", "1", "Add b");
    let pick = dated(&["cherry-pick", topic.as_str()], later);
    place.git(&["checkout", "-q", "topic"]);
    place.git(&["checkout", "-q", "main"]);
    (place, topic, pick)
}

/// A hook's report of a commit other than HEAD.
fn report(scene: &PipelineFixture, place: &TestRepo<'_>, oid: &Oid) {
    place.record_event(&crate::domain::event::Event {
        stamp: scene.services.clock.now(),
        source: crate::domain::event::Source::Hook,
        hook: Some(HookName::PostCommit),
        git_dir: place.path.join(".git"),
        oid: Some(oid.clone()),
        rewrites: Vec::new(),
        in_sequence: false,
    });
}

#[test]
fn a_commit_that_comes_to_light_late_does_not_replace_what_was_made_of_it_since() {
    // Dates may run backwards: then it comes to light in its turn.
    for (later, late) in [(10, true), (0, true), (0, false), (-10, false)] {
        let scene = PipelineFixture::new();
        let (place, topic, pick) = picked(&scene, later);
        let order = if late { [&pick, &topic] } else { [&topic, &pick] };
        for oid in order {
            report(&scene, &place, oid);
            let asked = !scene.work().is_empty();
            assert!(asked || late && *oid == topic, "no model is asked about a superseded commit, {later}");
        }
        let live: Vec<Oid> = place.captures(false).into_iter().map(|capture| capture.commit.unwrap().oid).collect();
        assert!(live.contains(&pick) && !live.contains(&topic), "{later} s later, {late}: {:?}", place.captures(true));
        let of = |oid: &Oid| scene.services.store.capture_of_commit(&place.open().location().id, oid).unwrap().unwrap();
        assert_eq!(of(&pick).supersedes, [of(&topic).id], "{later}");
        assert_eq!(scene.reconcile(), 0);
    }
}

#[test]
fn work_that_comes_to_light_after_it_was_applied_again_is_work_of_its_own() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    hooked(&scene, &place, "base", "x", "Base");
    let first = place.commit("a", "1", "Add a");
    place.git(&["revert", "--no-edit", "HEAD"]);
    hooked(&scene, &place, "a", "1", "Add a");
    report(&scene, &place, &first);
    scene.work();
    assert_eq!((place.live().len(), place.superseded()), (3, 0), "{:?}", place.live());
}

#[test]
fn a_commit_whose_patch_is_not_read_is_known_by_author_date_and_message() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    hooked(&scene, &place, "base", "x", "Base");
    place.git(&["checkout", "-q", "-b", "topic"]);
    hooked(&scene, &place, "Cargo.lock", "locked", "Update the lock file");
    assert_eq!(place.captures(false)[0].commit.as_ref().unwrap().patch_id, None, "else this proves nothing");
    place.git(&["checkout", "-q", "main"]);
    hooked(&scene, &place, "b", "1", "Add b");
    place.git(&["checkout", "-q", "topic"]);
    place.git(&["rebase", "-q", "main"]);
    scene.reconcile();
    assert_eq!(place.live(), ["Base", "Update the lock file", "Add b"], "by author date");
    assert_eq!(place.superseded(), 1);
    hooked(&scene, &place, "Cargo.lock", "locked again", "Update the lock file");
    assert_eq!(place.live().len(), 4, "written at another time");
}

#[test]
fn empty_commits_and_merges_are_known_by_their_commit_alone() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    hooked(&scene, &place, "base", "x", "Base");
    for _ in 0..2 {
        let mut commit = place.command(&["commit", "-q", "--allow-empty", "-m", "Nothing"]);
        let date = "1700001000 +0000";
        assert!(commit.env("GIT_AUTHOR_DATE", date).status().unwrap().success());
        place.git(&["checkout", "-q", "-B", "other", "HEAD~1"]);
        scene.reconcile();
    }
    assert_eq!(place.live().iter().filter(|subject| *subject == "Nothing").count(), 2, "{:?}", place.live());
}

#[test]
fn a_merge_made_here_is_one_capture_and_one_that_was_fetched_is_none() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    hooked(&scene, &place, "base", "x", "Base");
    place.git(&["checkout", "-q", "-b", "topic"]);
    hooked(&scene, &place, "a", "1", "Add a");
    place.git(&["checkout", "-q", "main"]);
    place.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    place.report(HookName::PostMerge, &[]);
    scene.work();
    let merge = place.captures(false).remove(0);
    assert_eq!((merge.kind, place.captures(false).len()), (CaptureKind::Merge, 3));

    place.git(&["clone", "-q", ".", text(&scene.path("clone"))]);
    let clone = scene.at("clone");
    clone.user("other@example.com").git(&["reset", "-q", "--hard", "HEAD~1"]);
    clone.register(crate::domain::event::HookMode::File);
    clone.git(&["merge", "-q", "--ff-only", "origin/main"]);
    clone.report(HookName::PostMerge, &[]);
    scene.work();
    assert!(clone.live().is_empty(), "the fast-forward ended at somebody's merge");
}

#[test]
fn an_amend_supersedes_by_hook_and_by_log() {
    for hooks in [true, false] {
        let scene = PipelineFixture::new();
        let place = scene.repo("r");
        place.commit("a", "0", "Add a");
        if hooks {
            place.report(HookName::PostCommit, &[]);
        }
        for n in 1..=5 {
            let old = place.head();
            place.write("a", &n.to_string());
            place.git(&["commit", "-q", "-a", "--amend", "-m", &format!("Add a, take {n}")]);
            match hooks {
                true => {
                    place.report(HookName::PostCommit, &[]);
                    place.report(HookName::PostRewrite, &[(old, place.head())]);
                    scene.work();
                }
                false => drop(scene.reconcile()),
            }
        }
        let (live, replaced) = place.only();
        assert_eq!((live.raw.as_str(), replaced), ("Add a, take 5", 1), "hooks {hooks}");
        assert_eq!(place.superseded(), if hooks { 5 } else { 4 }, "hooks {hooks}: the history is kept");
    }
}

#[test]
fn amends_without_a_report_become_one_capture() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    place.commit("a", "0", "Add a");
    for n in 1..=5 {
        place.write("a", &n.to_string());
        place.git(&["commit", "-q", "-a", "--amend", "-m", "Add a"]);
    }
    scene.reconcile();
    place.only();
}

/// A branch of four commits beside one on main; gives the four.
fn four(scene: &PipelineFixture, place: &TestRepo<'_>) -> Vec<Oid> {
    hooked(scene, place, "base", "x", "Base");
    place.git(&["checkout", "-q", "-b", "topic"]);
    let four = (1..=4).map(|n| hooked(scene, place, &format!("f{n}"), "1", &format!("Part {n}"))).collect();
    place.git(&["checkout", "-q", "main"]);
    hooked(scene, place, "other", "1", "Other work");
    four
}

fn prepared(place: &TestRepo<'_>, four: &[Oid]) {
    let head = place.head();
    let pairs: Vec<(Oid, Oid)> = four.iter().map(|oid| (oid.clone(), head.clone())).collect();
    place.report(HookName::PostMerge, &pairs);
}

#[test]
fn a_squash_merge_links_what_it_carries() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    let four = four(&scene, &place);
    place.git(&["merge", "-q", "--squash", "topic"]);
    prepared(&place, &four);
    place.git(&["commit", "-q", "-m", "All four parts"]);
    place.report(HookName::PostCommit, &[]);
    scene.work();
    assert_eq!(place.live(), ["Base", "Other work", "All four parts"]);
    assert_eq!(place.captures(false)[0].supersedes.len(), 4);
}

#[test]
fn a_squash_without_a_report_is_known_by_its_message() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    four(&scene, &place);
    place.git(&["merge", "-q", "--squash", "topic"]);
    place.git(&["commit", "-q", "--no-edit"]);
    scene.reconcile();
    assert_eq!(place.live().len(), 3, "{:?}", place.live());
    assert_eq!(place.captures(false)[0].supersedes.len(), 4);
}

#[test]
fn a_squash_replaces_what_comes_to_light_only_after_it() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    place.commit("base", "x", "Base");
    scene.reconcile();
    place.git(&["checkout", "-q", "-b", "topic"]);
    for n in 1..=2 {
        place.commit(&format!("f{n}"), "1", &format!("Part {n}"));
    }
    // Another by a tool without hooks.
    place.write("f3", "1").git(&["add", "-A"]);
    let tree = place.git(&["write-tree"]);
    let third = place.git(&["commit-tree", "-p", "HEAD", "-m", "Part 3", &tree]);
    place.git(&["reset", "-q", "--hard"]);
    place.git(&["checkout", "-q", "main"]);
    place.git(&["update-ref", "refs/heads/topic", &third]);
    place.git(&["merge", "-q", "--squash", "topic"]);
    place.git(&["commit", "-q", "--no-edit"]);
    // A hook reports before the logs are read.
    place.report(HookName::PostCommit, &[]);
    scene.work();
    scene.reconcile();
    assert_eq!(place.live().len(), 2, "{:?}", place.live());
    assert_eq!(place.captures(false)[0].supersedes.len(), 3);
}

#[test]
fn other_work_after_a_squash_was_prepared_replaces_nothing() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    let four = four(&scene, &place);
    place.git(&["merge", "-q", "--squash", "topic"]);
    prepared(&place, &four);
    place.git(&["reset", "-q", "--hard"]);
    hooked(&scene, &place, "unrelated", "1", "Something else");
    assert_eq!(place.live().len(), 7, "{:?}", place.live());
}

/// A version of this change, as jj makes it.
fn version(place: &TestRepo<'_>, change: &str, message: &str, tree: &str, second: i64) -> String {
    object(place, &format!("change-id {change}\n"), message, tree, second)
}

/// A commit object on the tag `base` with these further lines in its header.
fn object(place: &TestRepo<'_>, fields: &str, message: &str, tree: &str, second: i64) -> String {
    let parent = place.git(&["rev-parse", "base"]);
    let who = format!("A <a@example.com> {second} +0000");
    let object = format!("tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n{fields}\n{message}\n");
    let file = place.scene.path("object");
    std::fs::write(&file, object).unwrap();
    place.git(&["hash-object", "-t", "commit", "-w", &file.to_string_lossy()])
}

#[test]
fn versions_of_one_change_are_one_unit_of_work_and_the_newest_is_live_in_either_order() {
    for newest_first in [false, true] {
        let scene = PipelineFixture::new();
        let place = scene.repo("r");
        place.user("a@example.com").commit("a", "1", "Base");
        place.git(&["tag", "base"]);
        place.commit("a", "2", "Two");
        let two = place.git(&["rev-parse", "HEAD^{tree}"]);
        place.commit("b", "3", "Three");
        let three = place.git(&["rev-parse", "HEAD^{tree}"]);
        scene.reconcile();
        let change = "zxywkvutsrqponmlkzxywkvutsrqponm";
        let mut versions = [
            version(&place, change, "Old words", &two, 1_800_000_000),
            version(&place, change, "New words", &three, 1_800_000_100),
            version(&place, "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "Another", &three, 1_800_000_200),
        ];
        if newest_first {
            versions.swap(0, 1);
        }
        for (n, oid) in versions.iter().enumerate() {
            place.git(&["update-ref", &format!("refs/heads/v{n}"), oid]);
            scene.reconcile();
        }
        let live = place.live();
        assert!(!live.contains(&"Old words".to_owned()), "{newest_first} {live:?}");
        assert!(live.contains(&"Another".to_owned()), "{newest_first} {live:?}");
    }
}

/// A commit with the tag `base`, and the trees of two more commits.
fn trees(place: &TestRepo<'_>) -> (String, String) {
    place.user("a@example.com").commit("a", "1", "Base");
    place.git(&["tag", "base"]);
    place.commit("a", "2", "Two");
    let two = place.git(&["rev-parse", "HEAD^{tree}"]);
    place.commit("b", "3", "Three");
    let three = place.git(&["rev-parse", "HEAD^{tree}"]);
    place.git(&["reset", "-q", "--hard", "base"]);
    (two, three)
}

const ONE: &str = "zxywkvutsrqponmlkzxywkvutsrqponm";
const OTHER: &str = "kkkkkkkkkkkkkkkkwwwwwwwwwwwwwwww";

#[test]
fn a_copy_under_another_change_id_stands_beside_its_original_as_long_as_that_is_there() {
    for is_there in [true, false] {
        let scene = PipelineFixture::new();
        let place = scene.repo("r");
        let (two, _) = trees(&place);
        scene.reconcile();
        let original = version(&place, ONE, "The same", &two, 1_800_000_000);
        let copy = version(&place, OTHER, "The same", &two, 1_800_000_100);
        place.git(&["update-ref", "refs/heads/topic", &original]);
        scene.reconcile();
        // A duplicate has a branch of its own; a commit that was undone and made again has the old one.
        place.git(&["update-ref", if is_there { "refs/heads/copy" } else { "refs/heads/topic" }, &copy]);
        scene.reconcile();
        let same = place.live().into_iter().filter(|subject| subject == "The same").count();
        assert_eq!(same, if is_there { 2 } else { 1 }, "{is_there} {:?}", place.live());
    }
}

#[test]
fn a_change_is_the_same_for_each_writer_of_its_id_and_its_capture_has_it() {
    let butler = "0f74c342-1cd3-4408-b965-6c2dfac89857";
    let gerrit = "I0123456789abcdef0123456789abcdef01234567";
    for (header, id) in [("change-id ", ONE), ("gitbutler-change-id ", butler), ("", gerrit)] {
        let scene = PipelineFixture::new();
        let place = scene.repo("r");
        let (two, three) = trees(&place);
        scene.reconcile();
        for (n, (words, tree)) in [("Old words", two), ("New words", three)].into_iter().enumerate() {
            let message = if header.is_empty() { format!("{words}\n\nChange-Id: {id}") } else { words.to_owned() };
            let fields = if header.is_empty() { String::new() } else { format!("{header}{id}\n") };
            let oid = object(&place, &fields, &message, &tree, 1_800_000_000 + i64::try_from(n).unwrap());
            // As a cherry-pick to another branch with a conflict, or a rewritten stack.
            place.git(&["update-ref", &format!("refs/heads/v{n}"), &oid]);
            scene.reconcile();
        }
        let mut live = place.captures(false);
        live.retain(|capture| capture.raw.contains(" words"));
        let commits: Vec<_> = live.iter().map(|capture| capture.commit.as_ref().unwrap()).collect();
        assert_eq!(commits.len(), 1, "{header}{live:?}");
        assert_eq!((commits[0].subject.as_str(), commits[0].change_id.as_deref()), ("New words", Some(id)), "{header}");
    }
}

#[test]
fn commits_above_each_other_under_one_change_id_are_work_of_their_own() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    place.user("a@example.com").commit("a", "1", "Base");
    scene.reconcile();
    let trailer = "Change-Id: I0123456789abcdef0123456789abcdef01234567";
    hooked(&scene, &place, "b", "1", &format!("Add b\n\n{trailer}"));
    hooked(&scene, &place, "c", "1", &format!("Add c\n\n{trailer}"));
    assert_eq!(place.live().len(), 3, "{:?}", place.live());
}

#[test]
fn what_gitbutler_checks_out_is_nobodys_work_unless_it_is_asked_for() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    let (two, three) = trees(&place);
    scene.reconcile();
    let work = version(&place, ONE, "Add two", &two, 1_800_000_000);
    let who = "GitButler <gitbutler@gitbutler.com> 1800000001 +0000";
    let mut books = Vec::new();
    for message in ["GitButler Workspace Commit", "GitButler Workspace Commit, anew"] {
        let text = format!("tree {three}\nparent {work}\nauthor {who}\ncommitter {who}\n\n{message}\n");
        let file = place.scene.path("object");
        std::fs::write(&file, text).unwrap();
        books.push(place.git(&["hash-object", "-t", "commit", "-w", &file.to_string_lossy()]));
    }
    for book in &books {
        place.git(&["update-ref", "refs/heads/gitbutler/workspace", book]);
        place.git(&["update-ref", "refs/heads/topic", &work]);
        scene.reconcile();
        report(&scene, &place, &book.parse().unwrap());
        scene.work();
    }
    let live = place.live();
    assert!(live.contains(&"Add two".to_owned()), "{live:?}");
    assert!(!live.iter().any(|subject| subject.starts_with("GitButler")), "{live:?}");
    assert_eq!(scene.reconcile(), 0);
    let plan = super::super::capture::Plan::Template(Reason::Disabled);
    let (oid, stamp) = (books[0].parse().unwrap(), scene.services.clock.now());
    let request = super::super::capture::Request { oid, source: crate::domain::event::Source::Manual, stamp, plan };
    super::super::capture::take_commit(&scene.services, &place.open(), &request).unwrap();
    assert!(place.live().contains(&"GitButler Workspace Commit".to_owned()), "{:?}", place.live());
}
