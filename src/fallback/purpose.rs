//! Purpose of a change: one detail from a changelog, new tests, comments or documentation.

use super::line_details;
use super::phrase::{code, list_up_to, one_line, path, words};
use crate::domain::patch::{Change, Commit, LineOrigin};
use crate::facts::Facts;
use crate::facts::case::Case;
use crate::facts::edits::Edits;
use crate::facts::mentions::{Mention, MentionKind};
use crate::facts::roles::FileRole;
use crate::facts::symbols::{Symbol, SymbolChange, bare};

/// Up to this number of changed text lines a correction is reported.
const CORRECTED: u64 = 6;
/// Limit of named tests.
const TESTS: usize = 2;

type PurposeSource = fn(&Commit, &Facts) -> Option<String>;
const ASKED: [PurposeSource; 8] = [opaque, entry, correction, tests, section, prose, comment, line];
/// If source changed, its comments come before the documentation.
const OF_SOURCE: [PurposeSource; 7] = [opaque, entry, correction, tests, comment, section, prose];

/// A sentence of at most `room` words without its full stop, not yet in `said`.
#[must_use]
pub fn find_purpose(commit: &Commit, facts: &Facts, known: &str, room: usize) -> Option<String> {
    let of_source = facts.shares.first().is_some_and(|share| share.role == FileRole::Source);
    first_new_purpose(if of_source { &OF_SOURCE } else { &ASKED }, commit, facts, known, room)
}

/// The same after a line detail.
#[must_use]
pub fn beside_lines(commit: &Commit, facts: &Facts, known: &str, room: usize) -> Option<String> {
    first_new_purpose(&[opaque, entry, tests], commit, facts, known, room)
}

/// The same after an informative subject.
#[must_use]
pub fn beside_lead(commit: &Commit, facts: &Facts, known: &str, room: usize) -> Option<String> {
    let only_words = facts.shares.first().is_none_or(|share| share.role == FileRole::Docs);
    first_new_purpose(if only_words { &[section, prose] } else { &[comment] }, commit, facts, known, room)
}

fn first_new_purpose(
    asked: &[PurposeSource],
    commit: &Commit,
    facts: &Facts,
    known: &str,
    room: usize,
) -> Option<String> {
    let fits = |text: &String| words(text) <= room && !repeats(known, text);
    asked.iter().filter_map(|ask| ask(commit, facts)).find(fits)
}

/// Whether the quotation is already in `said`.
pub fn repeats(known: &str, text: &str) -> bool {
    let quoted = text.split(['“', '”', '`']).skip(1).step_by(2);
    let quoted: Vec<&str> = quoted.filter(|part| !part.is_empty()).collect();
    !quoted.is_empty() && quoted.iter().all(|part| known.contains(part) || known.contains(bare(part)))
}

/// A new digest or secret.
fn opaque(_: &Commit, facts: &Facts) -> Option<String> {
    let all = || facts.mentions.iter().filter(|mention| mention.kind == MentionKind::Opaque);
    let mut phrases: Vec<&str> = all().filter_map(|mention| mention.before.as_deref()).collect();
    phrases.sort_unstable();
    phrases.dedup();
    phrases.truncate(2);
    let sentence = |phrase: &str| {
        let same = all().filter(|mention| mention.before.as_deref() == Some(phrase));
        let names: Vec<String> = same.map(|mention| code(&mention.text)).collect();
        phrase.replace("{}", &list_up_to(3, names, true))
    };
    (!phrases.is_empty()).then(|| phrases.into_iter().map(sentence).collect::<Vec<_>>().join(". "))
}

/// The most characteristic mention of a kind; truncated texts come last.
fn best_mention(facts: &Facts, is: impl Fn(&Mention) -> bool) -> Option<&Mention> {
    let mut all: Vec<&Mention> = facts.mentions.iter().filter(|mention| is(mention)).collect();
    all.sort_by_key(|mention| (mention.text.starts_with('…'), mention.text.ends_with('…')));
    all.first().copied()
}

fn entry(_: &Commit, facts: &Facts) -> Option<String> {
    let entry = best_mention(facts, |mention| mention.kind == MentionKind::ChangelogEntry)?;
    Some(format!("The changelog says “{}”", entry.text))
}

/// A few replaced words, if nothing but prose changed.
fn correction(commit: &Commit, facts: &Facts) -> Option<String> {
    let code = Edits::from_commit(commit, |role| role != FileRole::Docs);
    let lines = commit.patch.insertions.zip(commit.patch.deletions).map(|(added, removed)| added + removed)?;
    if code.count() > 0 || lines > CORRECTED {
        return None;
    }
    let swap = best_mention(facts, |mention| {
        mention.kind == MentionKind::Correction
            && mention.key.is_none()
            && is_one(mention)
            && !is_elsewhere(commit, mention)
    })?;
    let before = swap.before.as_deref()?;
    Some(if before.is_empty() {
        format!("Adds the words “{}”", swap.text)
    } else if swap.text.is_empty() {
        format!("Removes the words “{before}”")
    } else {
        format!("“{before}” becomes “{}”", swap.text)
    })
}

/// Does not span two sentences.
fn is_one(mention: &Mention) -> bool {
    ![Some(mention.text.as_str()), mention.before.as_deref()].into_iter().flatten().any(|text| text.contains(". "))
}

/// The new text existed before, or the old one still does: it was only reflowed.
fn is_elsewhere(commit: &Commit, mention: &Mention) -> bool {
    let hunks = || commit.patch.files.iter().filter(|file| file.path == mention.path).flat_map(|file| &file.hunks);
    let has = |side: LineOrigin, text: &str| {
        let lines = hunks().flat_map(|hunk| &hunk.lines).filter(|line| line.origin == side);
        words(text) > 1 && one_line(&lines.map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ")).contains(text)
    };
    let before = mention.before.as_deref().unwrap_or("");
    (before.is_empty() && has(LineOrigin::Removed, &mention.text))
        || (mention.text.is_empty() && has(LineOrigin::Added, before))
}

/// New tests, by title, else by name.
fn tests(_: &Commit, facts: &Facts) -> Option<String> {
    let is_new = |mention: &&Mention| mention.kind == MentionKind::Title && mention.added == Some(true);
    let titles: Vec<String> = facts.mentions.iter().filter(is_new).map(|title| format!("“{}”", title.text)).collect();
    // In a file with removed tests, a new one may be a rename.
    let lost = |path: &str| {
        facts
            .symbols
            .iter()
            .any(|symbol| symbol.test_case && symbol.change == SymbolChange::Removed && symbol.path == path)
    };
    let named =
        |name: &str| name.strip_prefix("test").is_some_and(|rest| rest.starts_with(|c: char| !c.is_lowercase()));
    let is_test = |symbol: &&Symbol| symbol.test_case || (symbol.test && named(symbol.bare()));
    let new = facts.symbols.iter().filter(is_test).filter(|symbol| symbol.change == SymbolChange::Added);
    let names: Vec<String> = new.filter(|symbol| !lost(&symbol.path)).map(|symbol| code(symbol.bare())).collect();
    // The list of titles may be incomplete.
    let (added, exact) = if titles.is_empty() { (names, facts.all_symbols) } else { (titles, false) };
    let noun = if added.len() == 1 { "test" } else { "tests" };
    (!added.is_empty()).then(|| format!("Adds the {noun} {}", list_up_to(TESTS, added, exact)))
}

/// A new file's prose is skipped: there is too much of it.
fn is_new(commit: &Commit, path: &str) -> bool {
    commit.patch.files.iter().any(|file| file.path == path && file.change == Change::Added)
}

/// A new documentation heading.
fn section(commit: &Commit, facts: &Facts) -> Option<String> {
    let is_section = |mention: &Mention| mention.kind == MentionKind::Heading && mention.added == Some(true);
    let heading = best_mention(facts, |mention| is_section(mention) && !is_new(commit, &mention.path))?;
    (words(&heading.text) < 9).then(|| format!("Adds the section “{}” to {}", heading.text, path(&heading.path)))
}

/// A sentence added to or removed from the documentation.
fn prose(commit: &Commit, facts: &Facts) -> Option<String> {
    let of = |removed: bool| {
        let docs = |mention: &Mention| {
            mention.kind == MentionKind::Prose
                && FileRole::from_path(&mention.path) == FileRole::Docs
                && words(&mention.text) > 3
                && !mention.text.starts_with(['(', '…'])
                && !is_new(commit, &mention.path)
        };
        best_mention(facts, |mention| docs(mention) && (mention.added == Some(false)) == removed)
    };
    let prose = of(false).or_else(|| of(true))?;
    let (text, file) = (&prose.text, path(&prose.path));
    Some(match prose.added {
        Some(false) => format!("{file} no longer says “{text}”"),
        _ => format!("{file} now says “{text}”"),
    })
}

/// A new comment; a removed one says nothing about the code.
fn comment(_: &Commit, facts: &Facts) -> Option<String> {
    // Beside source, comments in settings are less informative.
    let head = facts.shares.first().map(|share| share.role);
    let whole = |mention: &Mention| {
        let role = FileRole::from_path(&mention.path);
        !mention.text.starts_with(['…', '('])
            && (Some(role) == head || matches!(role, FileRole::Source | FileRole::Tests))
    };
    let of = |kind: MentionKind| {
        best_mention(facts, |mention| mention.kind == kind && mention.added != Some(false) && whole(mention))
    };
    if let Some(comment) = of(MentionKind::Comment).filter(|comment| words(&comment.text) > 3) {
        let subject = if comment.added == Some(true) { "A new comment says" } else { "A comment now says" };
        return Some(format!("{subject} “{}”", comment.text));
    }
    let text = of(MentionKind::Prose).filter(|mention| FileRole::from_path(&mention.path) != FileRole::Docs)?;
    let subject = if text.added == Some(true) { "A new text says" } else { "A text now says" };
    (!text.text.ends_with('…')).then(|| format!("{subject} “{}”", text.text))
}

fn line(commit: &Commit, _: &Facts) -> Option<String> {
    line_details::docs_line(commit)
}

/// Kinds of commits that need no further detail.
#[must_use]
pub fn needs_no_detail(case: Case) -> bool {
    matches!(
        case,
        Case::Merge
            | Case::Unknown
            | Case::Empty
            | Case::RenameOnly
            | Case::ModeOnly
            | Case::SubmoduleOnly
            | Case::BinaryOnly
            | Case::WhitespaceOnly
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::domain::patch::FileChange;
    use crate::facts;
    use crate::facts::sample::{commit, file};

    fn purpose_text(files: Vec<FileChange>, known: &str) -> Option<String> {
        let commit = commit("wip", files);
        find_purpose(&commit, &facts::extract_facts(&commit, &SystemClock), known, 40)
    }

    fn text(path: &str, patch: &str) -> String {
        purpose_text(vec![file(path, patch)], "").unwrap_or_default()
    }

    #[test]
    fn names_alone_tell_no_purpose() {
        assert_eq!(text("src/a.rs", "@@ fn a() {\n+    walker.follow_links();"), "");
        assert_eq!(purpose_text(vec![], ""), None);
    }

    #[test]
    fn a_changelog_and_documentation_speak_for_themselves() {
        assert_eq!(
            text("CHANGES.md", "@@\n+- Retry when the server is busy."),
            "The changelog says “Retry when the server is busy”"
        );
        let guide = text("docs/guide.md", "@@\n ## Installing\n \n+Use the package of your system.");
        assert_eq!(guide, "docs/guide.md now says “Use the package of your system”");
        let removal = text("docs/guide.md", "@@\n ## Installing\n \n-Use the package of your system.");
        assert_eq!(removal, "docs/guide.md no longer says “Use the package of your system”");
        let point = "@@\n - [`a`](https://a.example): One\n+- [`left-pad`](https://b.example): Pad texts on the left";
        assert_eq!(text("README.md", point), "README.md now says “left-pad: Pad texts on the left”");
    }

    #[test]
    fn a_section_is_told_by_its_heading() {
        let summary =
            text("Garden.md", "@@\n ## Compost 1\n \n Turn it weekly.\n+\n+## Compost 2\n+\n+Turn it weekly.");
        assert_eq!(summary, "Adds the section “Compost 2” to Garden.md");
        let renamed = text("Garden.md", "@@\n-## Compost\n+## Compost heaps\n \n Turn it weekly.");
        assert!(!renamed.contains("section"), "{renamed}");
    }

    #[test]
    fn a_sentence_that_was_set_anew_is_not_told_as_new() {
        let patch = "@@\n-It works on numbers.  Division by zero\n-raises an error.\n+It works on two numbers.\n+Division by zero raises an error.";
        assert_eq!(text("docs/a.md", patch), "docs/a.md now says “It works on two numbers”");
    }

    #[test]
    fn a_correction_is_told_with_what_it_corrects() {
        assert_eq!(text("a.md", "@@\n-You recieve it.\n+You receive it."), "“recieve” becomes “receive”");
        let import = "@@\n-import \"gopkg.in/gin-gonic/gin.v1\"\n+import \"github.com/gin-gonic/gin\"";
        assert!(!text("README.md", import).contains("adds the words"), "{}", text("README.md", import));
    }

    #[test]
    fn new_tests_are_told_by_title_or_name() {
        assert_eq!(text("test/a.js", "@@\n+  it('redirects once', () => {"), "Adds the test “redirects once”");
        assert_eq!(text("spec/a_spec.rb", "@@\n+  it \"redirects once\" do"), "Adds the test “redirects once”");
        let names = "@@\n+def test_a():\n+    pass\n+def test_b():\n+    pass\n+def test_c():\n+    pass";
        assert_eq!(text("tests/test_x.py", names), "Adds the tests `test_a`, `test_b` and 1 more");
        assert_eq!(purpose_text(vec![file("tests/test_x.py", names)], "`test_a` `test_b`"), None, "they were named");
    }

    #[test]
    fn comments_are_quoted_where_they_are_whole() {
        let new = "@@ fn a() {\n+    // The proxy drops idle connections.\n+    go();";
        assert_eq!(text("src/a.rs", new), "A new comment says “The proxy drops idle connections”");
        let split = "@@ fn a() {\n+    // This call invalidates the reference, so\n     go();";
        assert_eq!(text("src/a.rs", split), "");
        assert_eq!(text("src/a.rs", "@@ fn a() {\n+    // debugging only\n+    go();"), "");
    }

    #[test]
    fn a_pin_and_a_secret_are_told_by_their_names() {
        let digests = ["09ab".repeat(16), "4e69".repeat(16)];
        let [old, new] = digests.map(|digest| format!("FROM node:20@sha256:{digest}"));
        assert_eq!(text("Dockerfile", &format!("@@\n-{old}\n+{new}")), "It pins `node:20` to another digest");
        let secret = "@@\n-password: [redacted:value]\n+password: [redacted:value]";
        assert_eq!(text("app.yml", secret), "It changes the value of `password`");
    }
}
