//! Repositories that only the git CLI can open yield the same results.

use super::scratch::{Scratch, file, numbered};
use crate::domain::id::Oid;
use crate::domain::patch::{Change, Commit, UnreadReason};
use crate::git::{Bounds, GitError, Repo};
use jiff::Timestamp;

/// The same history in any format; its ids are equal where the hash is.
fn history(scratch: &Scratch) -> [Oid; 2] {
    let first = scratch.write("src/a.rs", numbered(0, 40)).write("old", numbered(0, 30)).commit("Start");
    scratch.git(&["mv", "old", "new"]);
    let edited = numbered(0, 40).replace("number 20\n", "number twenty\n");
    scratch
        .write("src/a.rs", edited)
        .write("new", numbered(0, 29))
        .write("logo.png", b"\0\x01")
        .commit("Change things");
    scratch.remove("logo.png");
    [first, scratch.write("src/a.rs", numbered(0, 41)).commit("Last")]
}

fn read(scratch: &Scratch, rev: &str) -> Commit {
    let repo = scratch.open();
    repo.commit(&repo.resolve(rev).unwrap(), &Bounds::default(), &|_| false).unwrap()
}

pub fn reftable() -> Option<Scratch> {
    let git = Scratch::new();
    let probe = git.command().args(["init", "--quiet", "--ref-format=reftable", "../probe"]).output().unwrap();
    // Git before 2.45 cannot create such a repository.
    probe.status.success().then(|| Scratch::with(&["--ref-format=reftable"]))
}

#[test]
fn a_reftable_repository_reads_exactly_like_a_plain_one() {
    let Some(reftable) = reftable() else { return };
    let plain = Scratch::new();
    history(&plain);
    history(&reftable);
    for rev in ["HEAD", "HEAD~1", "HEAD~2"] {
        // Only a plain log file records the branch of an earlier commit.
        let without_other_branch =
            |commit: Commit| Commit { branch: commit.branch.filter(|_| rev == "HEAD"), ..commit };
        assert_eq!(without_other_branch(read(&reftable, rev)), without_other_branch(read(&plain, rev)), "{rev}");
    }
    let middle = read(&reftable, "HEAD~1");
    assert_eq!(file(&middle, "new").change, Change::Renamed);
    assert_eq!(file(&middle, "logo.png").unread, Some(UnreadReason::Binary));
    let root = read(&reftable, "HEAD~2");
    assert_eq!(root.patch.patch_id, Some(reftable.patch_id("HEAD~2")));
}

#[test]
fn a_sha256_repository_is_read_too() {
    let scratch = Scratch::with(&["--object-format=sha256"]);
    let [first, _] = history(&scratch);
    assert_eq!(first.as_str().len(), 64);
    let root = read(&scratch, "HEAD~2");
    assert_eq!(root.patch.insertions, Some(70));
    assert_eq!(root.patch.patch_id, Some(scratch.patch_id("HEAD~2")));
}

#[test]
fn places_ranges_settings_and_reflogs_come_through_the_child() {
    let Some(scratch) = reftable() else { return };
    assert!(matches!(scratch.open().head(), Err(GitError::Unborn)));
    let [first, last] = history(&scratch);
    scratch.git(&["config", "uro.capture", "false"]);
    scratch.git(&["config", "--add", "uro.capture", "true"]);
    scratch.git(&["config", "core.hooksPath", ".husky"]);
    scratch.git(&["remote", "add", "origin", "https://example.org/x/named.git"]);
    let repo = scratch.open();
    let root = scratch.path().canonicalize().unwrap();
    assert_eq!(repo.location().work_tree.as_deref(), Some(root.as_path()));
    assert_eq!((repo.location().git_dir.clone(), repo.location().project.as_str()), (root.join(".git"), "named"));
    assert_eq!(Repo::open_git_dir(&root.join(".git")).unwrap().location(), repo.location());
    assert_eq!(repo.head().unwrap(), last);
    assert_eq!(repo.range("HEAD~2..HEAD", None).unwrap().last(), Some(&last));
    assert_eq!(repo.commits_since(Timestamp::UNIX_EPOCH).unwrap().first(), Some(&first));
    assert_eq!(repo.settings().unwrap(), [("capture".to_owned(), "true".to_owned())]);
    assert_eq!(repo.hooks_path().unwrap(), Some((root.join(".husky"), "local".to_owned())));
    assert_eq!(repo.committed_since(Timestamp::UNIX_EPOCH).unwrap().len(), 3);
    assert!(matches!(repo.resolve("--all"), Err(GitError::NoSuchCommit { .. })));
    assert!(matches!(Repo::discover(scratch.outside()), Err(GitError::NotARepository { .. })));
}

#[test]
fn a_linked_worktree_of_a_reftable_repository_is_one_of_it() {
    let Some(scratch) = reftable() else { return };
    history(&scratch);
    scratch.git(&["worktree", "add", "--quiet", "-b", "side", "../linked"]);
    let tree = scratch.outside().join("linked").canonicalize().unwrap();
    let linked = Repo::discover(&tree).unwrap();
    assert_eq!(
        (&linked.location().id, linked.location().work_tree.as_deref()),
        (&scratch.open().location().id, Some(&*tree))
    );
    let commit = linked.commit(&linked.head().unwrap(), &Bounds::default(), &|_| false).unwrap();
    assert_eq!(commit.branch.as_deref(), Some("side"));
}

#[test]
fn the_child_runs_nothing_of_the_repository_and_reads_past_its_settings() {
    let Some(scratch) = reftable() else { return };
    history(&scratch);
    let plain = read(&scratch, "HEAD~1");
    let touch = format!("touch {}/ran; cat", scratch.outside().display());
    scratch.write(".gitattributes", "* diff=evil\n");
    for (key, value) in [
        ("diff.external", touch.as_str()),
        ("diff.evil.textconv", &touch),
        ("core.fsmonitor", &touch),
        ("core.pager", &touch),
        ("diff.noprefix", "true"),
        ("color.ui", "always"),
        ("diff.orderFile", "/nonexistent"),
    ] {
        scratch.git(&["config", key, value]);
    }
    assert_eq!(read(&scratch, "HEAD~1"), plain);
    assert!(!scratch.outside().join("ran").exists());
}

#[test]
fn a_foreign_reftable_repository_is_refused() {
    let Some(scratch) = reftable() else { return };
    history(&scratch);
    let foreign = |path: &std::path::Path| std::os::unix::fs::chown(path, Some(65_534), None);
    if foreign(&scratch.path().join(".git")).is_err() {
        // Only root can give files away.
        return;
    }
    foreign(&scratch.path()).unwrap();
    assert!(matches!(Repo::discover(&scratch.path()), Err(GitError::ForeignOwner { .. })));
    assert!(matches!(Repo::open_git_dir(&scratch.path().join(".git")), Err(GitError::ForeignOwner { .. })));
}
