//! Line details, as they appear in the whole text.

use crate::domain::clock::SystemClock;
use crate::domain::patch::FileChange;
use crate::facts;
use crate::facts::sample::{commit, file};
use crate::fallback::template;

fn commit_text(files: Vec<FileChange>) -> String {
    let commit = commit("wip", files);
    template::summarize_commit(&commit, &facts::extract_facts(&commit, &SystemClock))
}

fn text(path: &str, patch: &str) -> String {
    commit_text(vec![file(path, patch)])
}

#[test]
fn a_statement_that_became_another_is_quoted_with_its_function() {
    assert_eq!(
        text("src/a.rs", "@@ fn run() {\n-    go(1 > x);\n+    go(2 > x);"),
        "Changes `run` in src/a.rs: `go(1 > x)` becomes `go(2 > x)`. +1 −1."
    );
    assert_eq!(
        text("src/a.zig", "@@\n-    go(1);\n+    go(2);"),
        "In src/a.zig, `go(1)` becomes `go(2)`. +1 −1.",
        "where no function is known, with its file"
    );
}

#[test]
fn a_statement_that_came_or_went_is_quoted() {
    assert_eq!(
        text("src/a.rs", "@@ fn run() {\n     a();\n+    self.cache = None;"),
        "Changes `run` in src/a.rs, adding `self.cache = None`. +1."
    );
    assert_eq!(
        text("src/a.rs", "@@ fn run() {\n     a();\n-    drop(x);\n-    drop(y);"),
        "Changes `run` in src/a.rs, removing `drop(x)` and `drop(y)`. −2."
    );
    assert_eq!(text(".gitignore", "@@\n target\n+/out"), "Adds `/out` to .gitignore. +1.");
}

#[test]
fn of_a_larger_change_the_new_condition_is_quoted() {
    let body = "+    if depth > limit {\n+        a();\n+        b();\n+        return c();\n+    }";
    let summary = text("src/a.rs", &format!("@@ fn run() {{\n     start();\n{body}"));
    assert_eq!(summary, "Changes `run` in src/a.rs, with the new condition `depth > limit`. +5.");
    let split = "@@ def run():\n-    if one(a) and not other(b):\n+    if one(a) \\\n+       and c is not None \\\n+       and not other(b):";
    assert!(!text("a.py", split).contains("new condition"), "it was there on one line");
}

#[test]
fn long_lines_are_told_by_the_words_that_differ() {
    let long = "x".repeat(60);
    let patch = format!("@@\n-call(\"{long}\", {long}, one two)\n+call(\"{long}\", {long}, one three)");
    assert_eq!(text("src/a.zig", &patch), "In src/a.zig, `two` becomes `three`. +1 −1.");
    let patch = format!("@@\n-pattern = {long} [a-z]+ {long}\n+pattern = {long} [a-z]* {long}");
    assert_eq!(text("a.cfg", &patch), "In a.cfg, `[a-z]+` becomes `[a-z]*`. +1 −1.");
}

#[test]
fn one_name_in_the_place_of_another_is_told_once() {
    let patch = "@@ fn one() {\n-    set_protoype(a);\n+    set_prototype(a);\n@@ fn two() {\n-    set_protoype(b);\n+    set_prototype(b);";
    assert_eq!(text("src/a.rs", patch), "Replaces `set_protoype` with `set_prototype` in src/a.rs. +2 −2.");
    let docs = "@@\n-Off per default.\n+Off by default.\n x\n-On per default.\n+On by default.";
    assert_eq!(text("README.md", docs), "Replaces “per” with “by” in README.md. Documentation only: +2 −2.");
}

#[test]
fn what_only_moved_is_told_as_that() {
    let patch = "@@\n-Please note that it stops in debug mode.\n \n Here is an example.\n \n+Please note that it stops in debug mode.";
    assert_eq!(
        text("docs/a.md", patch),
        "Moves “Please note that it stops in debug mode.” within docs/a.md. Documentation only: +1 −1."
    );
    let indented = "@@\n-go(a);\n+try {\n+    go(a);\n+}";
    assert!(!text("src/a.zig", indented).contains("Moves"), "a line that was indented did not move");
}

#[test]
fn a_value_goes_from_one_to_another() {
    assert_eq!(text("a.toml", "@@\n-depth = 3\n+depth = 9"), "`depth` goes from 3 to 9. +1 −1 in a.toml.");
    assert_eq!(
        text("main.go", "@@\n-var version string = \"0.46\"\n+var version string = \"0.47\""),
        "`version` goes from 0.46 to 0.47. +1 −1 in main.go."
    );
}

#[test]
fn a_link_that_leads_elsewhere_is_told_by_its_words() {
    let patch = "@@\n-See [the docs](https://a.example/x).\n+See [the docs](https://b.example/y).";
    let expected = "The link “the docs” in README.md now leads to https://b.example/y. Documentation only: +1 −1.";
    assert_eq!(text("README.md", patch), expected);
}

#[test]
fn comments_alone_are_said_to_be_that() {
    let patch = "@@ fn run() {\n     a();\n-    // b();\n-    // c();";
    assert_eq!(text("src/a.ts", patch), "Changes only comments in src/a.ts. −2.");
    assert!(!text("src/a.ts", "@@\n-#count = 1\n+#count = 2").contains("comments"), "a private field");
}

#[test]
fn the_steps_of_a_workflow_are_told_by_their_names() {
    let patch =
        "@@\n steps:\n+    - name: Attest build provenance\n+      uses: a/b@v1\n+      with:\n+        path: x";
    assert_eq!(
        text(".github/workflows/release.yml", patch),
        "Adds the step “Attest build provenance”. CI only: +4 in .github/workflows/release.yml."
    );
}

#[test]
fn an_import_is_told_where_it_is_all() {
    assert_eq!(text("a.py", "@@\n-import threading\n a = 1"), "Removes `import threading` from a.py. −1.");
    let both = text("a.zig", "@@\n+import x\n-go(1)\n+go(2)");
    assert_eq!(both, "In a.zig, `go(1)` becomes `go(2)`. +2 −1.");
}

#[test]
fn what_was_redacted_is_not_quoted() {
    let text = text("a.zig", "@@\n-go([redacted:value])\n+run([redacted:value])");
    assert!(!text.contains("redacted"), "{text}");
}

#[test]
fn what_most_lines_have_in_common_is_told_beside_the_rest() {
    let one = |name: &str| format!("@@ fn {name}() {{\n-    render({name});\n+    answer({name});\n");
    let new = "@@\n+fn answer(x: X) {\n+    go(x);\n+}\n";
    let text = text("src/a.rs", &format!("{new}{}{}{}", one("a"), one("b"), one("c")));
    assert_eq!(
        text,
        "Adds `answer` and changes 3 other functions in src/a.rs. On 3 lines, `render` becomes `answer`. +6 −3."
    );
}

#[test]
fn what_came_to_a_long_line_is_quoted_alone() {
    let long = "x".repeat(70);
    let patch = format!("@@\n-run({long}) --tac {long}\n+run({long}) --tac --sync {long}");
    assert_eq!(text("a.cfg", &patch), "Adds `--sync` to a.cfg. +1 −1.");
    let split = format!("@@\n-if one(a) and not other(b) {long}\n+if one(a) {long}\n+and not other(b)");
    assert!(!text("a.cfg", &split).contains("emov"), "{}", text("a.cfg", &split));
}

#[test]
fn statements_that_give_way_to_others_are_both_told() {
    assert_eq!(
        text(".travis.yml", "@@\n go:\n-  - 1.4.2\n+  - 1.5\n+  - 1.6\n   - tip"),
        "In .travis.yml, removes `1.4.2` and adds `1.5` and `1.6`. CI only: +2 −1."
    );
}

#[test]
fn a_comment_behind_a_statement_is_not_quoted() {
    let text = text("src/a.zig", "@@\n-let n = max(len, 1); // bytes\n+let n = max(len, 2); // bytes");
    assert_eq!(text, "In src/a.zig, `let n = max(len, 1)` becomes `let n = max(len, 2)`. +1 −1.");
}

#[test]
fn what_several_files_gained_alike_is_told_once() {
    let both = ["a/x.zig", "b/x.zig"].map(|path| file(path, "@@\n one();\n+two();"));
    assert_eq!(commit_text(both.to_vec()), "Edits a/x.zig and b/x.zig. Adds `two()`. +2 in 2 source files.");
}

#[test]
fn conditions_that_went_are_told_of_a_removal() {
    let patch = "@@ fn run() {\n-    try {\n     go();\n-    } catch (StackError e) {\n-        fail(e);\n-    } catch (MemoryError e) {\n-        fail(e, 1);\n-    }";
    let text = text("src/a.ts", patch);
    assert!(text.contains("`catch (StackError e)` and `catch (MemoryError e)`"), "{text}");
}

#[test]
fn a_value_beside_many_other_edits_is_a_detail() {
    let lines: String = (0..9).map(|n| format!("+line{n}();\n")).collect();
    let summary = text("a.zig", &format!("@@\n-depth = 3\n+depth = 9\n x\n{lines}"));
    assert!(!summary.contains("goes from"), "{summary}");
}
