//! Hostile repositories that try to spoof output or execute code.

use super::scratch::{Scratch, file};
use crate::git::{Bounds, GitError, Repo};

#[test]
fn nothing_that_the_configuration_names_is_executed_and_nothing_of_it_changes_what_is_read() {
    let scratch = Scratch::new();
    scratch
        .write("a.rs", "fn a() {\n    1\n}\n")
        .write(".gitattributes", "*.rs diff=evil filter=evil\n")
        .commit("Start");
    scratch.write("a.rs", "fn a() {\n    2\n}\n").commit("Edit");
    let plain = scratch.read();
    let touch = format!("touch {}/ran; cat", scratch.outside().display());
    for (key, value) in [
        ("diff.external", touch.as_str()),
        ("diff.evil.textconv", &touch),
        ("diff.evil.command", &touch),
        ("filter.evil.smudge", &touch),
        ("filter.evil.clean", &touch),
        ("core.fsmonitor", &touch),
        ("core.pager", &touch),
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("color.ui", "always"),
        ("diff.context", "0"),
        ("diff.renames", "false"),
        ("diff.algorithm", "patience"),
        ("diff.evil.binary", "true"),
        ("core.fileMode", "false"),
        ("diff.ignoreSubmodules", "all"),
    ] {
        scratch.git(&["config", key, value]);
    }
    assert_eq!(scratch.read(), plain);
    assert!(!scratch.outside().join("ran").exists());
}

#[test]
fn a_repository_of_another_user_is_refused() {
    let scratch = Scratch::new();
    scratch.write("a", "1\n").commit("Start");
    if std::os::unix::fs::chown(scratch.path().join(".git"), Some(65_534), None).is_err() {
        // Only root can give files away; elsewhere there is nothing foreign to open.
        return;
    }
    std::os::unix::fs::chown(scratch.path(), Some(65_534), None).unwrap();
    assert!(matches!(Repo::discover(&scratch.path()), Err(GitError::ForeignOwner { .. })));
    assert!(matches!(Repo::open_git_dir(&scratch.path().join(".git")), Err(GitError::ForeignOwner { .. })));
}

#[test]
fn hostile_names_and_messages_are_made_harmless() {
    let scratch = Scratch::new();
    let blob = scratch.feed(&["hash-object", "-w", "--stdin"], b"text \x1b[2J\xff\n");
    let name = "evil\x1b[31m\n\u{202e}.rs";
    let entry = format!("100644 blob {blob}\t{name}\0");
    let tree = scratch.feed(&["mktree", "-z"], entry.as_bytes());
    let mut raw = format!("tree {tree}\nauthor \x1b]0;x\x07 <a@b> 1 +0000\ncommitter C <c@d> 1 +0000\n\n").into_bytes();
    raw.extend(b"Subject \x1b]52;c;x\x07 \xe9");
    let oid = scratch.feed(&["hash-object", "-t", "commit", "-w", "--stdin", "--literally"], &raw).parse().unwrap();
    let commit = scratch.open().commit(&oid, &Bounds::default(), &|_| false).unwrap();
    assert_eq!(commit.subject(), "Subject \\x1b]52;c;x\\x07 \u{fffd}");
    assert_eq!(commit.author, "\\x1b]0;x\\x07");
    let hostile = file(&commit, "evil\\x1b[31m\\n\\u{202e}.rs");
    assert_eq!(hostile.hunks[0].lines[0].text, "text \\x1b[2J\u{fffd}");
}

#[test]
fn what_is_no_commit_is_an_error_not_a_panic() {
    let scratch = Scratch::new();
    scratch.write("a", "1\n").commit("Start");
    let repo = scratch.open();
    let blob = scratch.rev("HEAD:a");
    assert!(matches!(repo.commit(&blob, &Bounds::default(), &|_| false), Err(GitError::NoSuchCommit { .. })));
    let absent = "1".repeat(40).parse().unwrap();
    assert!(matches!(repo.commit(&absent, &Bounds::default(), &|_| false), Err(GitError::Missing(_))));
}

#[test]
fn a_directory_without_a_repository_is_said_to_be_none() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Repo::discover(dir.path()), Err(GitError::NotARepository { .. })));
    assert!(matches!(Repo::open_git_dir(dir.path()), Err(GitError::NotARepository { .. })));
}
