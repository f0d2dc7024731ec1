//! One golden text of each variant.

use super::template;
use super::variants::Variant;
use crate::domain::clock::SystemClock;
use crate::domain::patch::{Change, Commit, FileChange, Unread};
use crate::facts;
use crate::facts::sample::{commit, counted, file, unread};

/// The variant of the commit, and its text.
fn told(commit: &Commit) -> (Variant, String) {
    let facts = facts::of(commit, &SystemClock);
    (Variant::of(facts.case), template::commit(commit, &facts))
}

fn check(message: &str, files: Vec<FileChange>, variant: Variant, text: &str) {
    assert_eq!(told(&commit(message, files)), (variant, text.to_owned()));
}

const HASH: &str = "0123456789012345678901234567890123456789";

fn client() -> FileChange {
    file("src/client.rs", "@@\n+pub fn retry() {\n+}\n-fn reconnect() {\n-}")
}

fn locked() -> FileChange {
    file("Cargo.lock", "@@\n [[package]]\n name = \"mio\"\n-version = \"1.0.2\"\n+version = \"1.0.3\"\n source = \"x\"")
}

fn manifest() -> FileChange {
    file("Cargo.toml", "@@\n [dependencies]\n-tokio = \"1.40\"\n+tokio = \"1.42\"")
}

#[test]
fn a_commit_is_told_with_its_reason() {
    check(
        "fix: keep the connection (#42)\n\nThe proxy drops idle connections, so that the first request fails.\n\nFixes: ABC-7",
        vec![client(), manifest()],
        Variant::Commit,
        "fix: keep the connection (#42). The proxy drops idle connections, so that the first request fails. Adds \
         `retry` and removes `reconnect` in src/client.rs. Updates tokio 1.40 → 1.42. +2 −2 in 1 source file, config \
         +1 −1 in Cargo.toml. Refers to ABC-7.",
    );
    check(
        "feat(cli)!: drop the old flag\n\nBREAKING CHANGE: Use the new one instead.",
        vec![file("src/cli.rs", "@@\n-    \"--select\"")],
        Variant::Commit,
        "feat(cli)!: drop the old flag. Breaking: Use the new one instead. Removes `\"--select\"` from src/cli.rs. −1.",
    );
    check(
        "Tidy the arguments",
        vec![file("src/cli.rs", "@@\n-    \"--select\"")],
        Variant::Commit,
        "Tidy the arguments. Removes lines that name `--select`. −1 in src/cli.rs.",
    );
}

#[test]
fn a_merge_says_what_it_merged() {
    let mut merge = commit("Merge pull request #12 from team/retry\n\nRetry on timeout", vec![client()]);
    merge.parents.push(merge.oid.clone());
    let text = "Merges pull request #12 from team/retry: Retry on timeout. Adds `retry` and removes `reconnect` in \
                src/client.rs. +2 −2.";
    assert_eq!(told(&merge), (Variant::Merge, text.to_owned()));
    merge.message =
        "Merge pull request #12 from team/retry\n\nCo-authored-by: A U Thor <author@example.org>".to_owned();
    let text = "Merges pull request #12 from team/retry. Adds `retry` and removes `reconnect` in src/client.rs. +2 −2.";
    assert_eq!(told(&merge), (Variant::Merge, text.to_owned()));
}

#[test]
fn a_revert_says_what_it_undoes_and_why() {
    check(
        &format!("Revert \"Add retry\"\n\nThis reverts commit {HASH}.\nIt was merged too early because of a mistake."),
        vec![counted("src/client.rs", 0, 9)],
        Variant::Revert,
        "Revert \"Add retry\". It was merged too early because of a mistake. −9 in src/client.rs.",
    );
}

#[test]
fn a_release_says_from_which_version_it_comes() {
    let version = file("Cargo.toml", "@@\n [package]\n-version = \"1.2.2\"\n+version = \"1.2.3\"");
    check(
        "Release 1.2.3",
        vec![version, counted("CHANGELOG.md", 12, 1)],
        Variant::Release,
        "Release 1.2.3. Sets the version from 1.2.2 to 1.2.3. +12 −1 in CHANGELOG.md, config +1 −1 in Cargo.toml.",
    );
    check("v1.2.3", vec![counted("CHANGELOG.md", 1, 1)], Variant::Release, "v1.2.3. +1 −1 in CHANGELOG.md.");
}

#[test]
fn a_bump_says_from_which_version_to_which() {
    check(
        "chore(deps): update",
        vec![manifest(), locked()],
        Variant::Dependencies,
        "Updates tokio 1.40 → 1.42, with 1 transitive change. +1 −1 in Cargo.toml, generated +1 −1 in Cargo.lock.",
    );
    check(
        "Bump tokio from 1.40 to 1.42",
        vec![manifest(), unread("Cargo.lock", Change::Modified, Unread::Excluded)],
        Variant::Dependencies,
        "Bump tokio from 1.40 to 1.42. +1 −1 in Cargo.toml, also Cargo.lock.",
    );
    check(
        "cargo update",
        vec![locked()],
        Variant::Dependencies,
        "cargo update. Updates mio 1.0.2 → 1.0.3. +1 −1 in Cargo.lock.",
    );
}

#[test]
fn documentation_alone_is_said_to_be_that() {
    check(
        "docs: small changes",
        vec![counted("README.md", 3, 1)],
        Variant::Docs,
        "Documentation only: +3 −1 in README.md.",
    );
}

#[test]
fn formatting_alone_is_said_to_be_that() {
    check(
        "rustfmt",
        vec![file("src/a.rs", "@@\n-fn a(){b()}\n+fn a() {\n+    b()\n+}")],
        Variant::Format,
        "rustfmt. Changes only whitespace in src/a.rs. +3 −1.",
    );
    check(
        "cleanup",
        vec![file("src/a.rs", "@@\n-use b;\n use a;\n+use b;")],
        Variant::Format,
        "Only reorders imports in src/a.rs. +1 −1.",
    );
}

#[test]
fn binaries_copies_and_generated_files_are_called_so() {
    check(
        "logo",
        vec![unread("logo.png", Change::Added, Unread::Binary)],
        Variant::Binary,
        "Adds the binary file logo.png.",
    );
    check(
        "Update the parser library",
        vec![counted("vendor/p/a.c", 1200, 3), counted("vendor/p/b.c", 1, 0)],
        Variant::Generated,
        "Update the parser library. Changes 2 vendored files (+1,201 −3).",
    );
    check(
        "Regenerate it",
        vec![counted("api.pb.go", 10, 3)],
        Variant::Generated,
        "Regenerate it. +10 −3 in api.pb.go.",
    );
}

#[test]
fn the_first_commit_and_fixups_are_called_so() {
    let added = FileChange { change: Change::Added, ..counted("src/main.zig", 5, 0) };
    let root = Commit { parents: Vec::new(), ..commit("Initial commit", vec![added]) };
    assert_eq!(told(&root), (Variant::Initial, "The first commit: 1 file. +5 in src/main.zig.".to_owned()));
    check(
        "fixup! Add the client",
        vec![client()],
        Variant::Fixup,
        "A fixup of \"Add the client\". Adds `retry` and removes `reconnect` in src/client.rs. +2 −2.",
    );
    check(
        "squash! Add the client",
        vec![counted("src/client.zig", 1, 0)],
        Variant::Fixup,
        "To be squashed into \"Add the client\". +1 in src/client.zig.",
    );
}
