//! Line edits: pairs replaced lines, and separates added, removed and moved ones.

use std::collections::HashSet;

use super::mentions::line::{is_comment, is_prose};
use super::mentions::swap::{is_hash, tokens};
use super::roles::FileRole;
use super::{role_of, symbols};
use crate::domain::patch::{Commit, FileChange, LineOrigin, PatchLine};

/// A line without its indentation, and its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineEdit {
    pub path: String,
    pub text: String,
}

/// A replaced line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePair {
    pub path: String,
    pub before: String,
    pub after: String,
}

/// The changed lines of some files, without comments, blank lines and single brackets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    pub pairs: Vec<LinePair>,
    pub added: Vec<LineEdit>,
    pub removed: Vec<LineEdit>,
    /// Lines on both sides, with their new place, in any file.
    pub moved: Vec<LineEdit>,
}

/// Limit of changed lines; a larger change is not described by its lines.
const LINES: usize = 2_000;

impl Edits {
    /// The edits of all files whose role satisfies `is`, without comments. Empty where a file was truncated: a line
    /// that seems new could have been moved.
    #[must_use]
    pub fn from_commit(commit: &Commit, is: impl Fn(FileRole) -> bool) -> Self {
        Self::collect_edits(commit, is, |text, role| role == FileRole::Docs || !is_prose_line(text, role))
    }

    /// The same for comments and other prose.
    #[must_use]
    pub fn comments_of(commit: &Commit) -> Self {
        Self::collect_edits(commit, |role| role != FileRole::Docs, is_prose_line)
    }

    fn collect_edits(commit: &Commit, is: impl Fn(FileRole) -> bool, wanted: fn(&str, FileRole) -> bool) -> Self {
        let has_code_lines = |file: &&FileChange| {
            !matches!(role_of(file), FileRole::Generated | FileRole::Asset) && !super::has_no_lines(file)
        };
        let files: Vec<&FileChange> = commit.patch.files.iter().filter(has_code_lines).collect();
        let count: usize = files.iter().flat_map(|file| &file.hunks).map(|hunk| hunk.lines.len()).sum();
        if commit.patch.truncated || count > LINES || !files.iter().all(|file| symbols::is_whole(file)) {
            return Self::default();
        }
        let on = |origin: LineOrigin| -> HashSet<&str> {
            let lines = files.iter().flat_map(|file| &file.hunks).flat_map(|hunk| &hunk.lines);
            lines.filter(|line| line.origin == origin).map(|line| line.text.trim()).collect()
        };
        let (new, old) = (on(LineOrigin::Added), on(LineOrigin::Removed));
        let mut edits = Self::default();
        for file in files.into_iter().filter(|file| is(role_of(file))) {
            for hunk in &file.hunks {
                let blocks = hunk.lines.split(|line| line.origin == LineOrigin::Context);
                for block in blocks.filter(|block| !block.is_empty()) {
                    edits.block(block, file, (&new, &old), wanted);
                }
                // A line that moved only past brackets was merely indented.
                edits.moved.retain(|edit| edit.path != file.path || !is_beside(&hunk.lines, &edit.text));
            }
        }
        edits
    }

    fn block(
        &mut self,
        block: &[PatchLine],
        file: &FileChange,
        (new, old): (&HashSet<&str>, &HashSet<&str>),
        wanted: fn(&str, FileRole) -> bool,
    ) {
        let edit = |text: &str| LineEdit { path: file.path.clone(), text: text.to_owned() };
        let both = |text: &str| new.contains(text) && old.contains(text);
        // On both sides of one block it was merely indented.
        let has = |text: &str, origin| {
            block.iter().any(|line| line.origin == origin && strip_continuation(&line.text) == strip_continuation(text))
        };
        let here = |text: &str| has(text, LineOrigin::Added) && has(text, LineOrigin::Removed);
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        let role = role_of(file);
        for line in block {
            let text = line.text.trim();
            if !wanted(text, role) || !is_informative(text) {
                continue;
            }
            match line.origin {
                _ if here(text) => {}
                LineOrigin::Added if both(text) => self.moved.push(edit(text)),
                LineOrigin::Added => added.push(text),
                _ if both(text) => {}
                _ => removed.push(text),
            }
        }
        let (all_removed, all_added) = (removed.clone(), added.clone());
        for (before, after) in pair_lines(&all_removed, &all_added) {
            removed.retain(|text| *text != before);
            added.retain(|text| *text != after);
            if !is_rewrapped((before, &all_removed), (after, &all_added)) {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.pairs.push(LinePair { path: file.path.clone(), before, after });
            }
        }
        self.added.extend(added.into_iter().map(edit));
        self.removed.extend(removed.into_iter().map(edit));
    }

    /// Number of edits, a pair counted once; moved lines excluded.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pairs.len() + self.added.len() + self.removed.len()
    }

    /// Whether both sides have a line with this text: it was moved, not added or removed.
    #[must_use]
    pub fn has_both(&self, text: &str) -> bool {
        let old = self.removed.iter().map(|edit| &edit.text).chain(self.pairs.iter().map(|pair| &pair.before));
        let new = self.added.iter().map(|edit| &edit.text).chain(self.pairs.iter().map(|pair| &pair.after));
        old.into_iter().any(|line| line.contains(text)) && new.into_iter().any(|line| line.contains(text))
    }

    /// The replacement shared by most pairs, three at least: `(before, after, lines)`; one text is empty for a pure
    /// insertion or deletion.
    #[must_use]
    pub fn common_replacement(&self) -> Option<(String, String, usize)> {
        let all: Vec<(String, String)> = self.pairs.iter().filter_map(LinePair::difference).collect();
        let count = |pair: &(String, String)| all.iter().filter(|other| *other == pair).count();
        let most = all.iter().max_by_key(|pair| count(pair))?;
        let lines = count(most);
        (lines > 2 && lines * 2 >= self.pairs.len() && lines * 3 >= self.count())
            .then(|| (most.0.clone(), most.1.clone(), lines))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0 && self.moved.is_empty()
    }

    /// The replacement common to all pairs, if there are no other edits: `(before, after)`.
    #[must_use]
    pub fn replacement(&self) -> Option<(String, String)> {
        let first = self.pairs.first().and_then(LinePair::replacement)?;
        let all = self.pairs.iter().all(|pair| pair.replacement().as_ref() == Some(&first));
        (all && self.pairs.len() > 1 && self.pairs.len() == self.count()).then_some(first)
    }
}

impl LinePair {
    /// The replacement, else the part in the middle that only one line has.
    #[must_use]
    pub fn difference(&self) -> Option<(String, String)> {
        if let Some(replacement) = self.replacement() {
            return Some(replacement);
        }
        let (before, after) = (tokens(&self.before), tokens(&self.after));
        let start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        let (left, right) = (before.get(start..)?, after.get(start..)?);
        let end = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
        let of = |rest: &[&str]| {
            let ends = |c: char| matches!(c, ',' | ';') || c.is_whitespace();
            rest.get(..rest.len() - end).map(|middle| middle.concat().trim_matches(ends).to_owned())
        };
        of(left).zip(of(right)).filter(|(a, b)| a.is_empty() != b.is_empty())
    }

    /// The token that was replaced by another one wherever the lines differ.
    #[must_use]
    pub fn replacement(&self) -> Option<(String, String)> {
        let (before, after) = (tokens(&self.before), tokens(&self.after));
        let mut differing = before.iter().zip(&after).filter(|(a, b)| a != b);
        let (a, b) = differing.next()?;
        let same = before.len() == after.len() && differing.all(|next| next == (a, b));
        let version = |token: &str| token.contains('.') && token.chars().any(|c| c.is_ascii_digit());
        let word = |token: &str| (token.chars().any(char::is_alphabetic) || version(token)) && !is_hash(token);
        (same && word(a) && word(b)).then(|| ((*a).to_owned(), (*b).to_owned()))
    }
}

/// Pairs removed and added lines: one by one if they are equally many, else the single most similar pair.
fn pair_lines<'a>(removed: &[&'a str], added: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    if removed.len() == added.len() {
        let like = |(a, b): &(&&str, &&str)| removed.len() == 1 || similarity(a, b) >= ALIKE;
        return removed.iter().zip(added).filter(like).map(|(a, b)| (*a, *b)).collect();
    }
    let all = removed.iter().flat_map(|a| added.iter().map(move |b| (similarity(a, b), *a, *b)));
    let best = all.max_by(|(x, ..), (y, ..)| x.total_cmp(y)).filter(|(x, ..)| *x >= ALIKE);
    best.map(|(_, a, b)| (a, b)).into_iter().collect()
}

/// The differing part of one line is found on the lines beside the other: the statement was only wrapped or joined, so
/// neither line describes a change.
fn is_rewrapped((before, removed): (&str, &[&str]), (after, added): (&str, &[&str])) -> bool {
    let (old, new) = (words(before), words(after));
    let is_beside = |rest: HashSet<String>, line: &str, lines: &[&str]| {
        let at = lines.iter().position(|text| *text == line).unwrap_or(0);
        let near = lines.get(at.saturating_sub(BESIDE)..(at + 1 + BESIDE).min(lines.len())).unwrap_or_default();
        let near: HashSet<String> = near.iter().filter(|text| **text != line).flat_map(|text| words(text)).collect();
        !rest.is_empty() && rest.is_subset(&near)
    };
    let only = |one: &HashSet<String>, other: &HashSet<String>| one.difference(other).cloned().collect();
    is_beside(only(&old, &new), after, added) || is_beside(only(&new, &old), before, removed)
}

/// Lines before and after that are searched for a wrapped statement.
const BESIDE: usize = 3;

/// Lines with a lower similarity are unrelated.
const ALIKE: f64 = 0.5;

/// The share of common words of two lines.
fn similarity(a: &str, b: &str) -> f64 {
    let (a, b) = (words(a), words(b));
    let common = a.intersection(&b).count() as f64;
    let most = a.len().max(b.len()).max(1) as f64;
    common / most
}

/// Tokens other than punctuation.
fn words(text: &str) -> HashSet<String> {
    tokens(text).into_iter().filter(|token| token.chars().any(char::is_alphanumeric)).map(str::to_owned).collect()
}

/// A comment, or several words in a row: docstring lines are not always recognised as comments.
fn is_prose_line(text: &str, role: FileRole) -> bool {
    // Values in settings consist of words, too.
    if matches!(role, FileRole::Config | FileRole::Ci) {
        return is_comment(text);
    }
    let plain = |word: &str| {
        let bare = word.trim_matches(|c: char| matches!(c, ',' | '.' | ':' | '`' | '?' | '!' | '"' | '(' | ')'));
        !bare.is_empty() && bare.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\''))
    };
    let (all, words) =
        text.split_whitespace().fold((0, 0), |(all, words), word| (all + 1, words + usize::from(plain(word))));
    let code = |c: char| matches!(c, '=' | ';' | '{' | '}' | '<' | '>' | '(' | '[' | '$' | '|' | '&' | '"');
    is_comment(text) || is_prose(text) || (words > 4 && words * 5 >= all * 4 && !text.contains(code))
}

/// Whether the line is on both sides of a hunk with no informative unchanged line in between.
fn is_beside(lines: &[PatchLine], text: &str) -> bool {
    let at = |origin: LineOrigin| lines.iter().position(|line| line.origin == origin && line.text.trim() == text);
    let Some((old, new)) = at(LineOrigin::Removed).zip(at(LineOrigin::Added)) else { return false };
    let between = lines.get(old.min(new)..old.max(new)).unwrap_or(&[]);
    !between.iter().any(|line| line.origin == LineOrigin::Context && is_informative(line.text.trim()))
}

/// Without trailing continuation marks.
fn strip_continuation(line: &str) -> &str {
    line.trim().trim_end_matches(|c: char| matches!(c, ',' | ';' | '\\') || c.is_whitespace())
}

/// More than a bracket, a keyword or a redaction placeholder.
fn is_informative(text: &str) -> bool {
    const ALONE: [&str; 11] = ["else", "end", "begin", "do", "then", "fi", "done", "try", "finally", "esac", "endif"];
    let word = text.trim_matches(|c: char| !c.is_alphanumeric());
    !word.is_empty() && !ALONE.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::{commit, counted, file};

    fn edits_of(patch: &str) -> Edits {
        Edits::from_commit(&commit("wip", vec![file("src/a.rs", patch)]), |_| true)
    }

    fn pairs(patch: &str) -> Vec<(String, String)> {
        edits_of(patch).pairs.into_iter().map(|pair| (pair.before, pair.after)).collect()
    }

    fn texts(edits: &[LineEdit]) -> Vec<&str> {
        edits.iter().map(|edit| edit.text.as_str()).collect()
    }

    #[test]
    fn a_line_that_took_the_place_of_another_is_its_pair() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(pairs("@@\n-    a(1);\n+    b(2);"), [pair("a(1);", "b(2);")]);
        assert_eq!(pairs("@@\n-run(a, b);\n+check();\n+run(a, b, c);"), [pair("run(a, b);", "run(a, b, c);")]);
        assert_eq!(pairs("@@\n-one();\n-two();\n+three();\n+four();"), [], "nothing in common");
    }

    #[test]
    fn a_statement_that_was_only_set_on_other_lines_became_nothing_else() {
        let broken =
            "@@\n-let (tree, _) = self.tree.add_child(path);\n+let (tree, _) =\n+    self.tree.add_child(path);";
        assert_eq!(pairs(broken), []);
        let joined = "@@\n-panic!(\n-    \"could not read: {}\", error);\n+panic!(\"could not read: {}\", error);";
        assert_eq!(pairs(joined), []);
        let block =
            "@@\n-wait { |lines| lines.last.ends_with('a') }\n+wait do |lines|\n+  lines.last.ends_with('a')\n+end";
        assert_eq!(pairs(block), []);
    }

    #[test]
    fn what_is_on_both_sides_moved() {
        let edits = edits_of("@@\n-first(a);\n b();\n-second(a);\n+second(c);\n+first(a);");
        assert_eq!(texts(&edits.moved), ["first(a);"]);
        assert_eq!(edits.pairs.len(), 1);
        assert_eq!(edits.count(), 1);
    }

    #[test]
    fn brackets_and_blanks_tell_nothing() {
        let edits = edits_of("@@\n+\n+}\n+else {\n+x();");
        assert_eq!(texts(&edits.added), ["x();"]);
    }

    #[test]
    fn what_most_lines_have_in_common_is_a_habit() {
        let habit = |patch: &str| edits_of(patch).common_replacement().map(|(a, b, n)| format!("{a}|{b}|{n}"));
        let each = |old: &str, new: &str| {
            let letter = |at: usize| {
                format!("@@\n-{}\n+{}\n", old.replace('N', &at.to_string()), new.replace('N', &at.to_string()))
            };
            (1..4).map(letter).collect::<String>()
        };
        assert_eq!(habit(&each("go(aN);", "run(aN);")).as_deref(), Some("go|run|3"));
        assert_eq!(habit(&each("go(aN);", "go(aN --all);")).as_deref(), Some("|--all|3"));
        assert_eq!(habit(&each("go(_ aN);", "go(aN);")).as_deref(), Some("_||3"));
        assert_eq!(habit("@@\n-go(a)\n+run(a)\n x\n-go(b)\n+run(b)"), None, "two lines are no habit");
    }

    #[test]
    fn what_was_not_read_to_its_end_says_nothing_of_lines() {
        let mut cut = file("src/a.rs", "@@\n+x();");
        cut.insertions = Some(9);
        assert!(Edits::from_commit(&commit("wip", vec![cut]), |_| true).is_empty());
        assert!(
            Edits::from_commit(&commit("wip", vec![counted("a.rs", 1, 0), file("b.rs", "@@\n+x();")]), |_| true)
                .is_empty()
        );
    }

    #[test]
    fn one_replacement_in_all_lines_is_told_as_one() {
        let same = "@@\n-set_protoype(a)\n+set_prototype(a)\n x\n-set_protoype(b, set_protoype)\n+set_prototype(b, set_prototype)";
        assert_eq!(edits_of(same).replacement(), Some(("set_protoype".to_owned(), "set_prototype".to_owned())));
        assert_eq!(edits_of("@@\n-get(a)\n+put(a)\n x\n-get(b)\n+cut(b)").replacement(), None);
        assert_eq!(edits_of("@@\n-get(a)\n+put(a)").replacement(), None, "one line is quoted");
        assert_eq!(edits_of("@@\n-get(a)\n+put(a)\n x\n-get(b)\n+put(b)\n x\n+new()").replacement(), None);
    }
}
