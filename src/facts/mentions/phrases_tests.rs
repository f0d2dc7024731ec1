//! Which phrases of the changed lines are quoted, and which are not.

use super::*;
use crate::facts::sample::file;

fn phrases_of(path: &str, patch: &str) -> Vec<(MentionKind, String)> {
    find_phrases(&[file(path, patch)]).into_iter().map(|m| (m.kind, m.text)).collect()
}

/// A quadratic search for each kind of end would take minutes here.
#[test]
fn a_long_paragraph_is_read_once() {
    assert_eq!(sentences::split(&"It is. ".repeat(200_000)).len(), 200_000);
    assert_eq!(sentences::split("Why? See a.rs! It. is"), ["Why?", "See a.rs!", "It.", "is"]);
}

#[test]
fn a_changelogs_new_points_are_entries() {
    let patch = "@@\n Version 2\n ---------\n+-   Views may return a ``list``,\n+    which becomes JSON. :issue:`4672`\n+-   Second point here.";
    assert_eq!(
        phrases_of("CHANGES.rst", patch),
        [
            (MentionKind::ChangelogEntry, "Views may return a list, which becomes JSON".to_owned()),
            (MentionKind::ChangelogEntry, "Second point here".to_owned())
        ]
    );
}

#[test]
fn tests_that_say_what_they_test_are_titles() {
    assert_eq!(
        phrases_of("test/a.js", "@@\n+  it('should redirect once', function () {"),
        [(MentionKind::Title, "should redirect once".to_owned())]
    );
    assert_eq!(
        phrases_of("a_test.go", "@@\n+\tt.Run(\"empty body wins\", func(t *testing.T) {"),
        [(MentionKind::Title, "empty body wins".to_owned())]
    );
}

#[test]
fn documentation_is_told_by_heading_and_sentence() {
    let patch = "@@\n ## Installing\n \n+Use the package of your distribution.";
    assert_eq!(
        phrases_of("README.md", patch),
        [
            (MentionKind::Heading, "Installing".to_owned()),
            (MentionKind::Prose, "Use the package of your distribution".to_owned())
        ]
    );
}

fn titles_of(patch: &str) -> Vec<(String, Option<bool>)> {
    let all = find_phrases(&[file("test/a.js", patch)]).into_iter().filter(|m| m.kind == MentionKind::Title);
    all.map(|m| (m.text, m.added)).collect()
}

#[test]
fn a_test_that_was_moved_or_called_anew_is_no_new_one() {
    let moved = "@@\n-    it('keeps the last value', () => {\n a()\n+  it('keeps the last value', () => {";
    assert_eq!(titles_of(moved), []);
    let renamed = "@@\n-  it('keeps teh value', () => {\n+  it('keeps the value', () => {";
    assert_eq!(titles_of(renamed), [("keeps the value".to_owned(), None)]);
    let new = "@@\n+  it('keeps the value', () => {";
    assert_eq!(titles_of(new), [("keeps the value".to_owned(), Some(true))]);
}

#[test]
fn a_comment_that_was_moved_is_neither_new_nor_gone() {
    let moved = "@@\n-  // a special keyword here\n-  a()\n b()\n+// a special keyword here\n+a()";
    assert_eq!(phrases_of("a.js", moved), []);
}

#[test]
fn comments_of_several_lines_are_read_as_one_text() {
    let patch = "@@\n+# Otherwise we fail with an error that explains what went\n+# wrong. The rest is known.\n+#\n+# - a point of a list";
    let texts: Vec<String> = phrases_of("a.py", patch).into_iter().map(|(_, text)| text).collect();
    assert_eq!(
        texts,
        ["Otherwise we fail with an error that explains what went wrong", "The rest is known", "a point of a list"]
    );
}

fn last(path: &str, patch: &str) -> String {
    phrases_of(path, patch).pop().unwrap().1
}

#[test]
fn a_sentence_that_runs_on_into_the_context_is_shown_to_go_on() {
    let comment = "@@\n+// So this loop has no expensive function\n // calls (except make).\n x();";
    assert_eq!(last("a.go", comment), "So this loop has no expensive function…");
    assert_eq!(last("a.go", "@@\n+// This loop has no calls.\n // Another one."), "This loop has no calls");
    assert_eq!(last("a.go", "@@\n+// This loop has no calls\n x();"), "This loop has no calls");
    let docs = "@@\n+Errors are raised rather than handled by\n the error handlers.";
    assert_eq!(last("a.md", docs), "Errors are raised rather than handled by…");
}

#[test]
fn tickets_and_abbreviations_are_kept_whole() {
    let patch = "@@\n+// #726 If set, trusts headers that start with\n+// 'X-App' for this platform";
    assert_eq!(last("a.go", patch), "#726 If set, trusts headers that start with 'X-App' for this platform");
    let patch = "@@\n+# Keys that are set to none, i. e. absent, go.";
    assert_eq!(last("a.py", patch), "Keys that are set to none, i. e. absent, go");
}

#[test]
fn code_and_tags_in_documentation_are_no_sentences() {
    let patch = "@@\n ```\n \n+You can install it from the archive.\n+```\n+$ install the package\n+# a comment of the shell\n+```\n ";
    assert_eq!(
        phrases_of("README.md", patch),
        [(MentionKind::Prose, "You can install it from the archive".to_owned())]
    );
    let more = "@@\n+<p>\n+    --black          Use the black background\n+[`left-pad`](https://a.example): Pad it on the left";
    assert_eq!(phrases_of("README.md", more), [(MentionKind::Prose, "…left-pad: Pad it on the left".to_owned())]);
}

#[test]
fn an_address_or_the_middle_of_a_point_is_no_entry() {
    let patch = "@@\n - A point that\n+  was continued here: ref.\n \n+.. _pallets: https://a.example/b c\n+  * deps: bytes@3.1.2 and more";
    assert_eq!(phrases_of("CHANGES", patch), []);
}

#[test]
fn what_was_replaced_is_not_said_to_be_gone() {
    let patch = "@@\n-You must call `enable templates` for the other files.\n+You must call <tt>enable templates</tt> for the other files.";
    assert!(find_phrases(&[file("README.rdoc", patch)]).iter().all(|mention| mention.added != Some(false)));
}

#[test]
fn whatever_the_line_nothing_breaks() {
    for text in ["", "`", "](", "[x](y", "it(", "it('é", "# ", "---", "“”", "\u{1b}[0m"] {
        let _ = phrases_of("README.md", &format!("@@\n-{text}\n+{text} x"));
        let _ = phrases_of("test/a.js", &format!("@@\n+{text}"));
        assert!(!strip_markup(text).contains(['`', '“', '”']));
    }
}
