//! Packed patches: small, large, wide, and full of noise.

use proptest::prelude::*;

use super::*;
use crate::domain::clock::SystemClock;
use crate::domain::patch::{Change, UnreadReason};
use crate::facts;
use crate::facts::sample::{self, named};

/// A file of added lines, one hunk for each ten.
fn added(path: &str, lines: usize) -> FileChange {
    let hunk = |from: usize| {
        let line = |at| format!("+line {at} of {path} with some words in it\n");
        format!("@@ fn part_{from}()\n context {from}\n{}", (from..lines.min(from + 10)).map(line).collect::<String>())
    };
    sample::file(path, &(0..lines).step_by(10).map(hunk).collect::<String>())
}

fn patch(files: Vec<FileChange>) -> Patch {
    Patch { files_total: files.len(), files, ..Patch::default() }
}

fn packed(files: Vec<FileChange>, bytes: usize) -> PackedPatch {
    pack_patch(&patch(files), &[], bytes)
}

#[test]
fn of_a_small_patch_all_changed_lines_are_shown_and_no_others() {
    let packed = packed(vec![added("src/a.rs", 2)], 1280);
    insta::assert_snapshot!(format!("{}{}", packed.patch, packed.left_out), @r"
    --- src/a.rs
    @@ fn part_0()
    +line 0 of src/a.rs with some words in it
    +line 1 of src/a.rs with some words in it
    ");
}

#[test]
fn source_comes_before_tests_docs_and_settings() {
    let files = ["Cargo.toml", "README.md", "tests/a.rs", "src/a.rs"].map(|path| added(path, 3));
    let packed = packed(files.to_vec(), 6000);
    let heads: Vec<&str> = packed.patch.lines().filter(|line| line.starts_with("---")).collect();
    assert_eq!(heads, ["--- src/a.rs", "--- tests/a.rs", "--- README.md", "--- Cargo.toml"]);
}

#[test]
fn a_large_file_does_not_push_out_a_small_one() {
    let packed = packed(vec![added("src/large.rs", 500), added("src/small.rs", 3)], 1280);
    assert!(packed.patch.contains("line 2 of src/small.rs"));
    assert!(packed.patch.contains("line 0 of src/large.rs"));
    assert!(packed.left_out.ends_with(" more lines."), "{}", packed.left_out);
}

#[test]
fn large_tests_do_not_push_out_the_source() {
    let packed = packed(vec![added("tests/a.rs", 900), added("src/a.rs", 20)], 1800);
    assert!((0..20).all(|n| packed.patch.contains(&format!("line {n} of src/a.rs"))), "{}", packed.patch);
    assert!(packed.patch.contains("of tests/a.rs"));
}

#[test]
fn noise_is_not_shown_and_not_missed() {
    let mut binary = named("logo.png", Change::Modified);
    (binary.unread, binary.insertions, binary.deletions) = (Some(UnreadReason::Binary), None, None);
    let lock = FileChange { insertions: Some(31_204), deletions: Some(12), ..added("package-lock.json", 90) };
    let packed = packed(vec![lock, binary, added("dist/a.js", 5)], 3000);
    assert_eq!((packed.patch.as_str(), packed.left_out.as_str()), ("", ""), "the facts tell it");
}

#[test]
fn what_defines_something_for_others_comes_before_the_rest() {
    let calls = |n: usize| format!("@@ fn run()\n{}", format!("+    step_{n}(state, other, yet_another);\n").repeat(9));
    let body = "+        self.consider(model, deadline, budget);\n".repeat(4);
    let define = format!("@@ impl Router {{\n+    pub fn choose(&self) -> Model {{\n{body}+        best()\n+    }}\n");
    let file = sample::file("src/z.rs", &format!("{}{define}{}", calls(1), calls(2)));
    let other = sample::file("src/a.rs", &(0..30).map(calls).collect::<String>());
    let commit = sample::commit("wip", vec![other, file]);
    let symbols = facts::extract_facts(&commit, &SystemClock).symbols;
    let packed = pack_patch(&commit.patch, &symbols, 400);
    assert!(packed.patch.starts_with("--- src/z.rs"), "{}", packed.patch);
    let defined = packed.patch.contains("pub fn choose") && packed.patch.contains("+    best()\n");
    assert!(defined, "whole: {}", packed.patch);
}

#[test]
fn lines_that_say_nothing_are_not_shown() {
    let file = sample::file("src/a.rs", "@@\n-one   = 1\n+one = 1\n+two = 2\n+}\n+\n@@\n-    }\n");
    let packed = packed(vec![file], 400);
    assert_eq!((packed.patch.as_str(), packed.left_out.as_str()), ("--- src/a.rs\n@@\n+two = 2\n", ""));
}

#[test]
fn indentation_that_all_lines_share_is_not_shown() {
    let line = |n: usize| format!("+            call_{n}();\n+                more_{n}();\n\n");
    let file = sample::file("src/a.rs", &format!("@@\n{}", (0..40).map(line).collect::<String>()));
    let tight = packed(vec![file], 1500);
    assert!(tight.patch.contains("\n+call_0();\n+    more_0();\n"), "{}", tight.patch);
    assert!(tight.patch.contains("\n+    more_39();\n"), "{}", tight.patch);
}

#[test]
fn what_does_not_fit_is_said() {
    let packed = packed((0..200).map(|at| added(&format!("src/m{at}.rs"), 30)).collect(), 900);
    assert!(packed.left_out.contains(" more files"), "{}", packed.left_out);
    assert!(packed.patch.contains("line 0 of src/m0.rs"), "some of it is shown all the same");
    let cut = FileChange { insertions: Some(500), ..added("src/a.rs", 3) };
    assert_eq!(self::packed(vec![cut], 2000).left_out, "Not shown: 497 more lines.");
    let unread = Patch { truncated: true, ..Patch::default() };
    let packed = pack_patch(&unread, &[], 100);
    assert_eq!(packed.left_out, "Not shown: the patch, which could not be read.");
}

/// Files of every class, with lines of every length and script.
fn any_file() -> impl Strategy<Value = FileChange> {
    let path = prop_oneof![
        "src/[a-z]{1,8}\\.rs",
        "tests/[a-z]{1,8}\\.py",
        "docs/\\PC{0,300}",
        "[a-z]{1,4}\\.(lock|toml|png)",
        Just("src/定義.rs".to_owned()),
    ];
    // No text starts with a hyphen: a removed one would look like a file header to the count below.
    let line = ("[-+ ]", prop_oneof!["[^\\PC-]\\PC{0,80}", "[a-z ]{0,400}", Just("😀".repeat(90))]);
    let hunk = ("\\PC{0,60}", prop::collection::vec(line, 0..30));
    (path, prop::collection::vec(hunk, 0..6)).prop_map(|(path, hunks)| {
        let lines = |lines: Vec<(String, String)>| lines.into_iter().map(|(mark, text)| format!("\n{mark}{text}"));
        let hunk = |(header, body)| format!("@@ {header}{}\n", lines(body).collect::<String>());
        sample::file(&path, &hunks.into_iter().map(hunk).collect::<String>())
    })
}

proptest! {
    #[test]
    fn a_room_holds_and_every_changed_line_is_shown_or_counted_as_left_out(
        files in prop::collection::vec(any_file(), 0..12), room in 0usize..9000,
    ) {
        let patch = patch(files);
        let packed = pack_patch(&patch, &[], room);
        prop_assert!(packed.patch.len() <= room);
        let readable = |file: &&FileChange| file_priority(file).class != FileClass::Noise;
        let hunks = patch.files.iter().filter(readable).flat_map(|file| &file.hunks);
        let changed = changed_lines(&hunks.map(hunk_text).collect::<String>());
        let heads = packed.patch.split_inclusive('\n').filter(|line| line.starts_with("--- ")).count();
        let shown = changed_lines(&packed.patch) - heads;
        let missing = packed.missing.lines + packed.missing.lines_of_files;
        prop_assert_eq!(shown + missing, changed);
        prop_assert_eq!(missing > 0, !packed.left_out.is_empty());
        prop_assert_eq!(pack_patch(&patch, &[], room), packed, "the same bytes");
    }
}

#[test]
fn small_needs_are_met_before_large_ones_are_cut() {
    assert_eq!(shares(&[1000, 200, 1000], 1000, 120), [400, 200, 400]);
    assert_eq!(shares(&[10, 20], 1000, 120), [10, 20]);
    assert_eq!(shares(&[500, 500, 500], 250, 120), [125, 125, 0], "two useful shares instead of three useless ones");
    assert_eq!(shares(&[], 100, 120), [0usize; 0]);
    assert_eq!(shares(&[300], 100, 120), [0]);
}

proptest! {
    #[test]
    fn no_share_exceeds_the_need_and_all_not_more_than_there_is(
        needs in prop::collection::vec(0usize..3000, 0..40), room in 0usize..20_000,
    ) {
        let given = shares(&needs, room, 120);
        prop_assert!(given.iter().sum::<usize>() <= room);
        prop_assert!(given.iter().zip(&needs).all(|(given, need)| given <= need));
        if needs.iter().sum::<usize>() <= room {
            prop_assert_eq!(given, needs);
        }
    }
}
