//! Locations, revisions, walks, settings, reflogs.

use jiff::Timestamp;

use super::scratch::Scratch;
use crate::domain::id::{Oid, RepoId};
use crate::git::{GitError, Repo};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn three() -> (Scratch, [Oid; 3]) {
    let scratch = Scratch::new();
    let commits = [100, 200, 300].map(|time| scratch.write("a", time.to_string()).commit_at("Next", time));
    (scratch, commits)
}

#[test]
fn a_place_is_the_same_from_the_root_a_folder_and_the_git_directory() {
    let scratch = Scratch::new();
    scratch.write("deep/er/a", "1").commit("Start");
    let place = scratch.open().place().clone();
    let root = scratch.path().canonicalize().unwrap();
    assert_eq!((place.project.as_str(), place.work_tree.as_deref()), ("tool", Some(root.as_path())));
    assert_eq!(place.git_dir, root.join(".git"));
    assert_eq!(place.id, RepoId::of_common_dir(root.join(".git").to_str().unwrap().as_bytes()));
    assert_eq!(*Repo::discover(&scratch.path().join("deep/er")).unwrap().place(), place);
    assert_eq!(*Repo::open_git_dir(&root.join(".git")).unwrap().place(), place);
}

#[test]
fn a_linked_worktree_shares_the_repository_and_has_its_own_head() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    scratch.git(&["worktree", "add", "--quiet", "-b", "side", "../linked"]);
    let main = scratch.open();
    let linked = Repo::discover(&scratch.outside().join("linked")).unwrap();
    assert_eq!((&linked.place().id, &linked.place().common_dir), (&main.place().id, &main.place().common_dir));
    assert_eq!(linked.place().project, "tool");
    let tree = scratch.outside().join("linked").canonicalize().unwrap();
    assert_eq!(linked.place().work_tree.as_deref(), Some(tree.as_path()));
    let by_event = Repo::open_git_dir(&main.place().common_dir.join("worktrees/linked")).unwrap();
    assert_eq!(by_event.place(), linked.place());
    let commit = by_event.commit(&linked.head().unwrap(), &crate::git::Bounds::default(), &|_| false).unwrap();
    assert_eq!(commit.branch.as_deref(), Some("side"));
}

#[test]
fn the_project_is_named_after_the_origin() {
    let scratch = Scratch::new();
    scratch.git(&["remote", "add", "origin", "git@example.org:team/real-name.git"]);
    assert_eq!(scratch.open().place().project, "real-name");
}

#[test]
fn a_bare_repository_has_no_work_tree() {
    let scratch = Scratch::with(&["--bare"]);
    let place = scratch.open().place().clone();
    assert_eq!((place.work_tree, place.project.as_str()), (None, "tool"));
}

#[test]
fn before_the_first_commit_head_is_unborn() {
    let repo = Scratch::new();
    assert!(matches!(repo.open().head(), Err(GitError::Unborn)));
    assert_eq!(repo.open().since(at(0)).unwrap(), []);
    assert_eq!(repo.open().committed_since(at(0)).unwrap(), []);
}

#[test]
fn a_commit_keeps_the_branch_it_was_made_on() {
    let (scratch, [one, _, three]) = three();
    let branch = |oid: &Oid| scratch.open().commit(oid, &crate::git::Bounds::default(), &|_| false).unwrap().branch;
    assert_eq!((branch(&one).as_deref(), branch(&three).as_deref()), (Some("main"), Some("main")));
    scratch.git(&["checkout", "--quiet", "-b", "ABC-7-next"]);
    assert_eq!(branch(&three).as_deref(), Some("main"));
    scratch.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(branch(&three).as_deref(), Some("main"));
}

#[test]
fn revisions_and_ranges_are_resolved() {
    let (scratch, [one, two, three]) = three();
    scratch.git(&["tag", "-a", "v1", "-m", "tag", one.as_str()]);
    let repo = scratch.open();
    assert_eq!(repo.resolve("v1").unwrap(), one);
    assert_eq!(repo.resolve("HEAD~1").unwrap(), two);
    assert_eq!(repo.range("HEAD", None).unwrap(), std::slice::from_ref(&three));
    assert_eq!(repo.range("v1..HEAD", None).unwrap(), [two.clone(), three.clone()]);
    assert_eq!(repo.range("v1..", None).unwrap(), [two, three.clone()]);
    assert_eq!(repo.range("v1..", Some(at(250))).unwrap(), [three]);
    assert_eq!(repo.range("v1", Some(at(250))).unwrap(), []);
    for bad in ["nothing", "v1..nothing", "v1...HEAD", "--all", "HEAD:a"] {
        assert!(matches!(repo.range(bad, None), Err(GitError::NoSuchCommit { .. })), "{bad}");
    }
}

#[test]
fn the_history_since_a_time_comes_oldest_first() {
    let (scratch, [_, two, three]) = three();
    assert_eq!(scratch.open().since(at(200)).unwrap(), [two, three]);
    assert_eq!(scratch.open().since(at(301)).unwrap(), []);
}

#[test]
fn settings_are_merged_and_the_last_value_counts() {
    let scratch = Scratch::new();
    scratch.git(&["config", "--add", "uro.capture", "true"]);
    scratch.git(&["config", "--add", "uro.capture", "false"]);
    scratch.git(&["config", "uro.excludePaths", "*.snap"]);
    scratch.git(&["config", "urox.other", "1"]);
    scratch.write("../included", "[uro]\n\tbudget = 3s\n\tquiet\n");
    scratch.git(&["config", "include.path", "../../included"]);
    let settings = scratch.open().settings().unwrap();
    let settings: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(settings, [("budget", "3s"), ("capture", "false"), ("excludepaths", "*.snap"), ("quiet", "true")]);
}

#[test]
fn the_hooks_path_is_absolute_and_knows_its_level() {
    let scratch = Scratch::new();
    let found = |scratch: &Scratch| {
        scratch.open().hooks_path().unwrap().filter(|(_, origin)| matches!(origin.as_str(), "local" | "worktree"))
    };
    assert_eq!(found(&scratch), None);
    scratch.git(&["config", "core.hooksPath", ".husky"]);
    let root = scratch.path().canonicalize().unwrap();
    assert_eq!(found(&scratch), Some((root.join(".husky"), "local".to_owned())));
    scratch.git(&["config", "extensions.worktreeConfig", "true"]);
    scratch.git(&["config", "--worktree", "core.hooksPath", "/opt/hooks"]);
    assert_eq!(found(&scratch), Some(("/opt/hooks".into(), "worktree".to_owned())));
}

#[test]
fn what_was_committed_here_is_found_in_the_reflog() {
    let scratch = Scratch::new();
    let first = scratch.write("a", "1").commit_at("One", 100);
    scratch.write("a", "2").commit_at("Two, amended away", 200);
    scratch.git(&["commit", "--quiet", "--amend", "-m", "Two"]);
    let amended = scratch.rev("HEAD");
    scratch.git(&["checkout", "--quiet", "-b", "topic", first.as_str()]);
    let topic = scratch.write("t", "t").commit_at("Topic", 400);
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.git(&["cherry-pick", topic.as_str()]);
    let picked = scratch.rev("HEAD");
    let mut found = scratch.open().committed_since(at(100)).unwrap();
    let mut expected = vec![first, amended.clone(), topic, picked];
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let made = scratch.open().made_since(at(100)).unwrap();
    let amend = made.iter().find(|made| made.oid == amended).unwrap();
    assert!(amend.replaces.is_some());
}

#[test]
fn a_commit_is_on_a_branch_also_below_its_tip_and_where_head_is_not() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    scratch.git(&["checkout", "--quiet", "-b", "side"]);
    let below = scratch.write("a", "2").commit("Below");
    scratch.write("a", "3").commit("Tip");
    scratch.git(&["checkout", "--quiet", "main"]);
    let repo = scratch.open();
    assert!(repo.on_a_branch(&below).unwrap());
    scratch.git(&["branch", "--quiet", "-D", "side"]);
    assert!(!scratch.open().on_a_branch(&below).unwrap());
    assert!(!scratch.open().on_a_branch(&"ab".repeat(20).parse().unwrap()).unwrap(), "not even there");
}

#[test]
fn a_merge_was_made_here_and_what_was_gone_to_was_not() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    scratch.git(&["checkout", "--quiet", "-b", "side"]);
    scratch.write("b", "2").commit("Aside");
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.write("c", "2").commit("Ahead");
    scratch.git(&["checkout", "--quiet", "--detach"]);
    scratch.git(&["merge", "--quiet", "--no-edit", "side"]);
    let merge = scratch.rev("HEAD");
    assert_eq!(scratch.open().made_here(&merge).unwrap(), Some(true));
    std::fs::write(scratch.path().join(".git/logs/HEAD"), "").unwrap();
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.git(&["merge", "--quiet", "--ff-only", merge.as_str()]);
    assert_eq!(scratch.open().made_here(&merge).unwrap(), Some(false));
    std::fs::remove_dir_all(scratch.path().join(".git/logs")).unwrap();
    assert_eq!(scratch.open().made_here(&merge).unwrap(), None);
}
