//! Template text, the fallback without a model. Total: any commit and any note gets a true text, because it names only
//! content of the patch or the message.

use minijinja::context;

use super::phrase::{one_line, sentence, words};
use super::template_values::TemplateValues;
pub use super::template_values::describe_changes;
pub use super::variants::WORDS;
use super::variants::{RenderedText, Variant, Variants};
use crate::domain::context::Context;
use crate::domain::patch::Commit;
use crate::facts::Facts;
use crate::facts::symbols::bare;

/// One paragraph of at most sixty words from the built-in templates: the author's subject if informative, the reason,
/// the headline, and the distribution.
#[must_use]
pub fn summarize_commit(commit: &Commit, facts: &Facts) -> String {
    summarize_commit_with(Variants::built_in(), commit, facts, &Context::default()).text
}

/// The same from the active templates, with the author's note.
#[must_use]
pub fn summarize_commit_with(variants: &Variants, commit: &Commit, facts: &Facts, context: &Context) -> RenderedText {
    let pieces = TemplateValues::of(commit, facts, context);
    let rendered = variants.render_variant(Variant::for_case(facts.case), &pieces.values(commit, facts));
    rendered.unwrap_or_else(|| RenderedText { text: join_values(&pieces), complaint: None })
}

/// The same with a model's sentence; `None` if that does not fit, or if it adds nothing to the author's subject and the
/// template's own sentences. `adds` decides whether a sentence adds to these two texts.
#[must_use]
pub fn with_sentence(
    variants: &Variants,
    (commit, facts, context): (&Commit, &Facts, &Context),
    sentence: &str,
    adds: &dyn Fn(&str, &str, &str) -> bool,
) -> Option<String> {
    let pieces = TemplateValues::of(commit, facts, context);
    let (author, template) = pieces.split_by_source();
    // Without an informative message, a sentence replaces the template's if it has all its names.
    let mut names = template.split('`').skip(1).step_by(2).peekable();
    let names_all = names.peek().is_some() && names.all(|name| sentence.contains(bare(name)));
    let instead = author.trim().is_empty() && names_all;
    if !instead && !adds(sentence, &author, &template) {
        return None;
    }
    let pieces = pieces.with_sentence(commit, facts, sentence, instead);
    let rendered = variants.render_variant(Variant::for_case(facts.case), &pieces.values(commit, facts))?;
    rendered.text.contains(sentence).then_some(rendered.text)
}

/// Last resort if templates fail: the pieces joined.
fn join_values(pieces: &TemplateValues) -> String {
    let mut text = String::new();
    for more in pieces.all().into_iter().filter(|piece| !piece.is_empty()) {
        if words(&text) + words(more) <= WORDS {
            text = if text.is_empty() { more.to_owned() } else { format!("{text} {more}") };
        }
    }
    if text.is_empty() { "Changes that could not be read.".to_owned() } else { text }
}

/// A note is its own summary: on one line, with a full stop, in the author's own words.
#[cfg(test)]
pub fn summarize_note(text: &str) -> String {
    summarize_note_with(Variants::built_in(), text).text
}

/// The same from the active templates.
#[must_use]
pub fn summarize_note_with(variants: &Variants, text: &str) -> RenderedText {
    let text = sentence(&one_line(text));
    if text.is_empty() {
        return RenderedText { text: "An empty note.".to_owned(), complaint: None };
    }
    let rendered = variants.render_variant(Variant::Note, &context! { note => text.as_str() });
    rendered.unwrap_or(RenderedText { text, complaint: None })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::patch::{Change, FileChange, Patch, UnreadReason};
    use crate::facts;
    use crate::facts::sample::{self, counted, file, named, renamed, unread};

    fn commit_text(message: &str, files: Vec<FileChange>) -> String {
        text(&sample::commit(message, files))
    }

    fn text(commit: &Commit) -> String {
        summarize_commit(commit, &facts::extract_facts(commit, &crate::domain::clock::SystemClock))
    }

    #[test]
    fn an_informative_subject_leads_and_facts_follow() {
        let choose = file(
            "src/route/choose.rs",
            "@@ impl Router {\n+    pub fn choose(&self) {\n+        best()\n+    }\n@@\n-fn select_model() {\n-}",
        );
        assert_eq!(
            commit_text("Pick the model by forecast", vec![choose, counted("tests/route.rs", 40, 0)]),
            "Pick the model by forecast. Adds `Router::choose` and removes `select_model` in src/route/choose.rs. \
             +3 −2 in 1 source file, tests +40 in tests/route.rs."
        );
    }

    #[test]
    fn facts_carry_a_subject_that_says_nothing() {
        let patch = "@@ fn choose() {\n-    a();\n+    b();";
        assert_eq!(commit_text("wip", vec![file("src/choose.rs", patch)]), "Changes `choose` in src/choose.rs. +1 −1.");
        assert_eq!(commit_text("fix", vec![counted("src/x.zig", 2, 1)]), "+2 −1 in src/x.zig.");
        let two = vec![counted("src/x.zig", 2, 1), counted("src/y.zig", 0, 1)];
        assert_eq!(commit_text("fix", two), "Edits src/x.zig and src/y.zig. +2 −2 in 2 source files.");
        assert_eq!(commit_text("", vec![counted("Makefile", 2, 0)]), "+2 in Makefile.");
    }

    #[test]
    fn what_the_subject_names_is_not_said_twice() {
        let patch = "@@\n+fn retry() {\n+}";
        assert_eq!(
            commit_text("Add retry to the client", vec![file("src/c.rs", patch)]),
            "Add retry to the client. +2 in src/c.rs."
        );
    }

    #[test]
    fn several_names_are_listed_and_many_are_counted() {
        let patch: String = (0..6).map(|n| format!("+fn f{n}() {{\n+}}\n")).collect();
        assert_eq!(
            commit_text("wip", vec![file("src/a.rs", &format!("@@\n{patch}"))]),
            "Adds `f0`, `f1`, `f2` and 3 more in src/a.rs. +12."
        );
    }

    #[test]
    fn names_from_several_files_are_placed_in_their_folder() {
        let files =
            ["a", "b", "c"].map(|n| file(&format!("src/route/{n}.py"), &format!("@@\n+def {n}{n}():\n+    pass")));
        assert_eq!(
            commit_text("wip", files.to_vec()),
            "Adds `aa`, `bb` and `cc` in src/route/a.py and 2 more files. +6 in 3 source files."
        );
    }

    #[test]
    fn one_name_is_told_once() {
        let twice = "@@\n+#[cfg(unix)]\n+fn imp() {\n+}\n@@ fn imp() {\n-    a();\n+    b();";
        assert_eq!(commit_text("wip", vec![file("src/a.rs", twice)]), "Adds `imp` in src/a.rs. +4 −1.");
        let removal = |name: &str| file(name, "@@\n-function help() {\n-}");
        let there = file("test/z.js", "@@\n+function help() {\n+}");
        let text = commit_text("Share help", vec![removal("test/x.js"), removal("test/y.js"), there]);
        assert!(!text.contains("removes"), "{text}");
    }

    #[test]
    fn lists_of_names_are_kept_apart_and_new_tests_are_counted() {
        let patch = "@@\n+fn a1() {\n+}\n+fn b1() {\n+}\n-fn c1() {\n-}\n+#[cfg(test)]\n+mod tests {\n+    #[test]\n+    fn works() {\n+    }\n+    fn helper() {\n+    }\n+}";
        assert_eq!(
            commit_text("wip", vec![file("src/a.rs", patch)]),
            "Adds `a1` and `b1`; removes `c1` in src/a.rs. Adds the test `works`. +12 −2."
        );
        let renamed = "@@\n+fn a1() {\n+}\n #[cfg(test)]\n mod tests {\n     #[test]\n-    fn works() {\n+    fn really_works() {\n     }\n }";
        let text = commit_text("wip", vec![file("src/a.rs", renamed)]);
        assert!(!text.contains("new test"), "a renamed test is not new: {text}");
        assert_eq!(
            commit_text("wip", vec![file("a.py", "@@\n-def gone():\n-    pass")]),
            "Removes `gone` from a.py. −2."
        );
    }

    #[test]
    fn a_new_type_is_told_without_its_members() {
        let patch = "@@\n+pub struct Router {\n+}\n+impl Router {\n+    pub fn choose(&self) {\n+    }\n+}";
        assert_eq!(commit_text("wip", vec![file("src/r.rs", patch)]), "Adds `Router` in src/r.rs. +6.");
    }

    #[test]
    fn documentation_and_tests_alone_are_said_to_be_that() {
        assert_eq!(
            commit_text("Fix typo", vec![counted("README.md", 1, 1)]),
            "Fix typo. Documentation only: +1 −1 in README.md."
        );
        assert_eq!(
            commit_text("Cover retries", vec![counted("tests/a.rs", 9, 0), counted("tests/b.rs", 1, 0)]),
            "Cover retries. Tests only: +10 in 2 test files."
        );
    }

    #[test]
    fn merges_are_told_from_their_subject() {
        let mut merge = sample::commit("Merge branch 'topic' into main", vec![counted("src/a.rs", 3, 0)]);
        merge.parents.push(merge.oid.clone());
        assert_eq!(text(&merge), "Merges branch 'topic' into main. +3 in src/a.rs.");
        merge.message = "Merge pull request #12 from team/topic\n\nRetry on timeout".to_owned();
        assert_eq!(text(&merge), "Merges pull request #12 from team/topic: Retry on timeout. +3 in src/a.rs.");
        merge.message = "Bring in the new parser".to_owned();
        assert_eq!(text(&merge), "Merges “Bring in the new parser”. +3 in src/a.rs.");
    }

    #[test]
    fn reverts_name_what_they_undo() {
        let message = "Revert \"Add x\"\n\nThis reverts commit 0123456789012345678901234567890123456789.";
        assert_eq!(commit_text(message, vec![counted("src/a.rs", 0, 3)]), "Revert \"Add x\". −3 in src/a.rs.");
        let message = "fix\n\nThis reverts commit 0123456789012345678901234567890123456789.";
        assert_eq!(commit_text(message, vec![counted("src/a.rs", 0, 3)]), "Reverts commit 0123456789. −3 in src/a.rs.");
    }

    #[test]
    fn the_first_commit_is_said_to_be_that() {
        let added = |path: &str| FileChange { change: Change::Added, ..counted(path, 5, 0) };
        let root = |files| Commit { parents: Vec::new(), ..sample::commit("Initial commit", files) };
        let two = root(vec![added("src/main.rs"), added("README.md")]);
        assert_eq!(text(&two), "The first commit: 2 files. +5 in src/main.rs, docs +5 in README.md.");
        let one = root(vec![file("a.rs", "@@\n+fn a() {\n+}")]);
        assert_eq!(text(&one), "The first commit: 1 file with `a`. +2 in a.rs.");
    }

    #[test]
    fn renames_modes_binaries_and_submodules_have_words_of_their_own() {
        assert_eq!(commit_text("wip", vec![renamed("src/a.rs", "src/b.rs")]), "Renames src/a.rs to src/b.rs.");
        let many = ["x", "y", "z"].map(|n| renamed(&format!("old/{n}.rs"), &format!("new/{n}.rs")));
        assert_eq!(commit_text("Sort files", many.to_vec()), "Sort files. Moves 3 files from old to new.");
        let mode = FileChange { mode_changed: true, ..named("run.sh", Change::Modified) };
        assert_eq!(commit_text("wip", vec![mode]), "Changes the mode of run.sh.");
        assert_eq!(
            commit_text("wip", vec![unread("a.png", Change::Added, UnreadReason::Binary)]),
            "Adds the binary file a.png."
        );
        let lib = |change| vec![unread("lib", change, UnreadReason::Submodule)];
        assert_eq!(
            commit_text("Bump lib", lib(Change::Modified)),
            "Bump lib. Moves the submodule lib to another commit."
        );
        assert_eq!(commit_text("x", lib(Change::Added)), "Adds the submodule lib.");
        assert_eq!(commit_text("fix", vec![file("a.rs", "@@\n-a b\n+ab")]), "Changes only whitespace in a.rs. +1 −1.");
    }

    #[test]
    fn a_submodule_is_no_file_of_the_folder_it_stands_in() {
        let theme = unread("docs/theme", Change::Modified, UnreadReason::Submodule);
        assert_eq!(
            commit_text("wip", vec![theme, counted("docs/faq.md", 2, 0)]),
            "Edits docs/faq.md and moves the submodule docs/theme to another commit. +2 in 1 documentation file."
        );
        let added = vec![counted(".gitmodules", 3, 0), unread("lib", Change::Added, UnreadReason::Submodule)];
        assert!(commit_text("wip", added).contains("adds the submodule lib"));
    }

    #[test]
    fn what_was_moved_is_told_from_where_to_where() {
        let both = |name: &str, sign: char| {
            file(
                name,
                &format!(
                    "@@\n{sign}fn one(a: A) {{\n{sign}    first(a);\n{sign}    second(a);\n{sign}}}\n{sign}fn two(b: B) {{\n{sign}    third(b);\n{sign}    fourth(b);\n{sign}}}"
                ),
            )
        };
        let text = commit_text("wip", vec![both("src/a.rs", '-'), both("src/b.rs", '+')]);
        assert!(text.starts_with("Moves `one` and `two` from src/a.rs to src/b.rs."), "{text}");
    }

    #[test]
    fn what_was_not_parsed_in_time_is_not_counted() {
        let patch: String = (0..6).map(|n| format!("+fn f{n}() {{\n+}}\n")).collect();
        let commit = sample::commit("wip", vec![file("src/a.rs", &format!("@@\n{patch}"))]);
        let facts = facts::extract_facts(&commit, &crate::domain::clock::SystemClock);
        let late = Facts { all_symbols: false, ..facts };
        assert_eq!(summarize_commit(&commit, &late), "Adds `f0`, `f1`, `f2` and more in src/a.rs. +12.");
    }

    #[test]
    fn an_empty_commit_changes_no_file() {
        assert_eq!(commit_text("Trigger CI", vec![]), "Trigger CI. Changes no file.");
        assert_eq!(commit_text("", vec![]), "Changes no file.");
    }

    #[test]
    fn of_what_was_not_read_no_lines_are_claimed() {
        let mut cut = sample::commit("Reformat", vec![unread("src/a.rs", Change::Modified, UnreadReason::BudgetSpent)]);
        cut.patch.files_total = 500;
        assert_eq!(text(&cut), "Reformat. 500 files changed.");
        let files = vec![
            unread("src/a.rs", Change::Modified, UnreadReason::TooLarge),
            unread("src/b.rs", Change::Modified, UnreadReason::BudgetSpent),
            unread("Cargo.lock", Change::Modified, UnreadReason::Excluded),
        ];
        assert_eq!(commit_text("Reformat", files), "Reformat. 3 files changed: 2 source and 1 generated.");
        let files = vec![counted("src/a.rs", 1, 0), counted("vendor/x.go", 5, 0), counted("vendor/y.go", 1, 0)];
        assert_eq!(commit_text("Take x along", files), "Take x along. +1 in src/a.rs, vendored +6 in 2 files.");
        let files =
            ["vendor/x.go", "vendor/y.go", "api/z.pb.go"].map(|p| unread(p, Change::Modified, UnreadReason::Excluded));
        let files = [vec![counted("src/a.rs", 1, 0)], files.to_vec()].concat();
        assert_eq!(
            commit_text("Take x along", files),
            "Take x along. +1 in src/a.rs, also 3 vendored or generated files."
        );
        let files = vec![counted("src/a.rs", 1, 0), unread("Cargo.lock", Change::Modified, UnreadReason::Excluded)];
        assert_eq!(commit_text("Bump it all once", files), "Bump it all once. +1 in src/a.rs, also Cargo.lock.");
        let lock = vec![unread("Cargo.lock", Change::Modified, UnreadReason::Excluded)];
        assert_eq!(commit_text("Bump clap", lock), "Bump clap. Changes Cargo.lock.");
        let big = |path: &str, change| unread(path, change, UnreadReason::TooLarge);
        let many = |n: usize, change| (0..n).map(|n| big(&format!("m{n}.rs"), change)).collect::<Vec<_>>();
        assert_eq!(commit_text("wip", many(500, Change::Modified)), "Changes 500 source files.");
        assert_eq!(commit_text("wip", many(2000, Change::Added)), "Adds 2,000 files.");
        let mut unknown = sample::commit("Shallow end", vec![]);
        unknown.patch = Patch { truncated: true, ..Patch::default() };
        assert_eq!(text(&unknown), "Shallow end. Its changes are not in this clone.");
    }

    #[test]
    fn a_path_keeps_its_letters_at_the_start_of_a_sentence() {
        let files = vec![renamed("ui/src/lib.rs", "build/src/lib.rs"), counted("tests/a.rs", 2, 1)];
        let text = commit_text("Rename the crate", files);
        assert!(text.contains("build/src/lib.rs") && !text.contains("Build/src"), "{text}");
    }

    #[test]
    fn a_note_keeps_its_words() {
        assert_eq!(summarize_note("Fixed auth timeout, 3s to 200ms"), "Fixed auth timeout, 3s to 200ms.");
        assert_eq!(summarize_note("  two\nlines\t here! "), "two lines here!");
        assert_eq!(summarize_note(" \n"), "An empty note.");
    }

    fn any_change() -> impl Strategy<Value = Change> {
        prop::sample::select(vec![
            Change::Added,
            Change::Deleted,
            Change::Modified,
            Change::Renamed,
            Change::TypeChanged,
        ])
    }

    fn any_file() -> impl Strategy<Value = FileChange> {
        let unread = prop::option::of(prop::sample::select(vec![
            UnreadReason::Binary,
            UnreadReason::TooLarge,
            UnreadReason::BudgetSpent,
            UnreadReason::Submodule,
            UnreadReason::Symlink,
            UnreadReason::Excluded,
            UnreadReason::Missing,
        ]));
        let path = prop_oneof!["\\PC{0,40}", "[a-z]{1,5}/[a-z]{1,4}\\.(rs|py|go|md|lock|png)"];
        let patch = prop::collection::vec("[-+ @]{1,3}(fn |def |class |impl |\\}|    |\\PC)*", 0..8);
        (path, patch, any_change(), unread, prop::option::of("\\PC{0,20}"), any::<bool>()).prop_map(
            |(path, patch, change, unread, old_path, mode_changed)| {
                let file = file(&path, &patch.join("\n"));
                FileChange { change, unread, old_path, mode_changed, ..file }
            },
        )
    }

    proptest! {
        #[test]
        fn whatever_the_commit_the_text_is_one_true_to_form_paragraph(
            message in "(\\PC|\n|\t|\r|\u{1b}){0,400}",
            files in prop::collection::vec(any_file(), 0..6),
            parents in 0usize..3,
            more_files in prop::sample::select(vec![0usize, 0, 7]),
            truncated in any::<bool>(),
        ) {
            let mut commit = sample::commit(&message, files);
            commit.parents = vec![commit.oid.clone(); parents];
            commit.patch.files_total += more_files;
            commit.patch.truncated = truncated;
            let text = text(&commit);
            prop_assert!(!text.trim().is_empty());
            prop_assert!(!text.chars().any(char::is_control), "{text:?}");
            // Paths may contain blanks, which count as words: slightly more than sixty.
            prop_assert!(words(&text) <= WORDS, "{text:?}");
            prop_assert!(sentence(&text) == text, "{text:?}");
        }

        #[test]
        fn whatever_the_note_its_words_are_kept(text in "(\\PC|\n|\t){0,200}") {
            let noted = summarize_note(&text);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().concat();
            let kept = words(&text).trim_end_matches([':', ';', ',']).to_owned();
            prop_assert!(words(&noted).starts_with(&kept) || kept.is_empty());
            prop_assert!(!noted.is_empty());
        }
    }
}
