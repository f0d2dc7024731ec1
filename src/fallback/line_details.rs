//! Line details of a small change: a replaced, added or removed statement, or a value.

use super::phrase::{code, cut, list, one_line, path, words};
use crate::domain::patch::{Commit, FileChange, LineOrigin, PatchLine};
use crate::facts::edits::{Edits, LineEdit, LinePair};
use crate::facts::language::Language;
use crate::facts::mentions::line::is_import;
use crate::facts::mentions::phrases::plain_text;
use crate::facts::mentions::swap::{differing_tokens, differing_words, has_matched_marks};
use crate::facts::mentions::{Mention, MentionKind};
use crate::facts::roles::FileRole;
use crate::facts::{Facts, role_of, symbols};

/// Detail from the changed lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineDetail {
    /// A complete sentence: it covers everything, or needs no location.
    Whole(String),
    /// A complete sentence that does not name the change.
    Vague(String),
    /// A sentence beside the headline.
    Beside(String),
    /// A detail for a definition, or for its file.
    Quoted { what: QuotedLines, path: String },
}

/// Quoted statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuotedLines {
    Becomes(String, String),
    Adds(Vec<String>),
    Removes(Vec<String>),
    /// Removed and added statements of one file.
    Swaps(Vec<String>, Vec<String>),
    /// A new condition.
    NewCondition(String),
}

/// Up to this number of edits one is quoted for all.
const FEW: usize = 6;
/// Up to this number of edits the first condition is quoted.
const SOME: usize = 20;
/// Limit of added or removed statements quoted together.
const TOGETHER: usize = 2;
/// Limits of a quotation, in characters and words.
const CHARS: usize = 64;
const WORDS: usize = 10;
/// Limit of the words of a moved text.
const MOVED: usize = 12;
/// With more edits per value, values are a detail.
const FEW_OF_MANY: usize = 4;

/// Details from the lines of code, else of tests, else of documentation; `known` is already in the text.
#[must_use]
pub fn find_detail(commit: &Commit, facts: &Facts, known: &str) -> Option<LineDetail> {
    // Source before other files, before tests.
    let source = Edits::from_commit(commit, |role| role == FileRole::Source);
    let has_source = commit.patch.files.iter().any(|file| role_of(file) == FileRole::Source);
    // Documentation is more informative than a change that no rule recognises.
    let has_docs = commit.patch.files.iter().any(|file| role_of(file) == FileRole::Docs);
    let is_code = |role| {
        matches!(role, FileRole::Source | FileRole::Config | FileRole::Ci) || (role == FileRole::Other && !has_docs)
    };
    let code = Edits::from_commit(commit, is_code);
    let edits =
        if code.is_empty() && !has_source { Edits::from_commit(commit, |role| role == FileRole::Tests) } else { code };
    if edits.is_empty() {
        let docs = Edits::from_commit(commit, |role| role == FileRole::Docs);
        let words = || {
            describe_replacement(&Edits::comments_of(commit), marked)
                .map(LineDetail::Whole)
                .or_else(|| describe_comments(commit))
        };
        let docs = || {
            describe_replacement(&docs, marked)
                .or_else(|| describe_move(&docs, true))
                .or_else(|| link(&docs))
                .or_else(|| describe_habit(&docs, marked))
        };
        return if has_source { words() } else { docs().map(LineDetail::Whole) };
    }
    let whole = describe_values(facts, known, &edits)
        .or_else(|| describe_steps(&edits))
        .or_else(|| describe_replacement(&edits, code_or_marked))
        .or_else(|| describe_move(&edits, false));
    let whole = whole.map(LineDetail::Whole).or_else(|| describe_habit(&edits, code_or_marked).map(LineDetail::Beside));
    let quotable = if has_source { source } else { edits };
    whole.or_else(|| quote_edits(&without_imports(quotable)))
}

/// Whether all changed lines of the file, except blank ones, belong to the definition.
pub fn belongs_to_definition(file: &FileChange, lines: u32) -> bool {
    let all = file.hunks.iter().flat_map(|hunk| &hunk.lines);
    let changed = all.filter(|line| line.origin != LineOrigin::Context && !line.text.trim().is_empty());
    changed.count() <= lines as usize
}

/// The single replaced line of documentation, as written.
#[must_use]
pub fn docs_line(commit: &Commit) -> Option<String> {
    let docs = Edits::from_commit(commit, |role| role == FileRole::Docs);
    match quote_edits(&docs).filter(|_| docs.pairs.len() == 1)? {
        LineDetail::Quoted { what, path } => Some(what.as_sentence(&path, "")),
        _ => None,
    }
}

/// Only comments, if that is certain.
fn describe_comments(commit: &Commit) -> Option<LineDetail> {
    let files = &commit.patch.files;
    let is = |file: &FileChange, line: &PatchLine| {
        let text = line.text.trim();
        let marks: &[&str] = match Language::from_path(&file.path) {
            Some(Language::Python | Language::Ruby | Language::Shell) => &["#"],
            Some(_) => &["//", "/*", "*/"],
            None => &[],
        };
        text.is_empty() || marks.iter().any(|mark| text.starts_with(mark))
    };
    let all = |file: &FileChange| {
        let mut changed =
            file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin != LineOrigin::Context);
        symbols::is_whole(file) && changed.all(|line| is(file, line))
    };
    let places: Vec<String> = files.iter().map(|file| path(&file.path)).collect();
    (!files.is_empty() && places.len() < 3 && files.iter().all(all))
        .then(|| LineDetail::Vague(format!("Changes only comments in {}", list(&places))))
}

/// Import lines are reported only if there are hardly any others.
fn without_imports(edits: Edits) -> Edits {
    let kept = Edits {
        pairs: edits.pairs.iter().filter(|pair| !is_import(&pair.after)).cloned().collect(),
        added: edits.added.iter().filter(|edit| !is_import(&edit.text)).cloned().collect(),
        removed: edits.removed.iter().filter(|edit| !is_import(&edit.text)).cloned().collect(),
        moved: edits.moved.clone(),
    };
    if kept.count() * 2 < edits.count() { edits } else { kept }
}

/// `serde` goes from 1.0.1 to 1.0.2: if values are most of the change.
fn describe_values(facts: &Facts, known: &str, edits: &Edits) -> Option<String> {
    let is_swap = |mention: &&Mention| {
        matches!(mention.kind, MentionKind::Swap | MentionKind::Correction)
            && edits.pairs.iter().any(|pair| pair.path == mention.path)
    };
    let swaps: Vec<&Mention> = facts
        .mentions
        .iter()
        .filter(is_swap)
        .filter(|mention| mention.key.is_some() && !mention.text.contains(':'))
        .collect();
    let mut transitions: Vec<(&str, String)> = Vec::new();
    for mention in &swaps {
        let (Some(key), Some(before)) = (mention.key.as_deref(), mention.before.as_deref()) else { continue };
        if !known.contains(mention.text.as_str()) && transitions.iter().all(|(known, _)| *known != key) {
            transitions.push((key, format!("{} goes from {before} to {}", code(key), mention.text)));
        }
    }
    let transitions: Vec<String> = transitions.into_iter().map(|(_, text)| text).take(TOGETHER).collect();
    let of_swap = |pair: &&LinePair| {
        let has = |swap: &&&Mention| {
            let before = swap.before.as_deref().is_some_and(|before| pair.before.contains(before));
            before && pair.after.contains(swap.text.as_str())
        };
        swaps.iter().any(|swap| has(&swap))
    };
    let most = edits.count() <= edits.pairs.iter().filter(of_swap).count() * FEW_OF_MANY;
    (!transitions.is_empty() && most).then(|| list(&transitions))
}

/// One name or word replaced on every changed line.
fn describe_replacement(edits: &Edits, mark: fn(&str) -> String) -> Option<String> {
    let (before, after) = edits.replacement()?;
    (is_short(&before) && is_short(&after)).then(|| {
        let mut places: Vec<String> = edits.pairs.iter().map(|pair| path(&pair.path)).collect();
        places.dedup();
        let place = if places.len() > 2 { format!("{} files", places.len()) } else { list(&places) };
        format!("Replaces {} with {} in {place}", mark(&before), mark(&after))
    })
}

fn marked(words: &str) -> String {
    format!("“{words}”")
}

/// Code; in other quotation marks if it contains backticks.
fn code_or_marked(text: &str) -> String {
    if text.contains('`') { marked(text) } else { code(text) }
}

/// The replacement common to most lines.
fn describe_habit(edits: &Edits, mark: fn(&str) -> String) -> Option<String> {
    let (before, after, lines) = edits.common_replacement()?;
    let fit = |text: &str| {
        is_short(text)
            && !KEYWORDS.contains(&text)
            && has_matched_marks(text)
            && text.chars().any(|c| c.is_alphanumeric() || c == '_')
    };
    match (before.is_empty(), after.is_empty()) {
        (true, _) => fit(&after).then(|| format!("Adds {} to {lines} lines", mark(&after))),
        (_, true) => fit(&before).then(|| format!("Removes {} from {lines} lines", mark(&before))),
        _ => (fit(&before) && fit(&after))
            .then(|| format!("On {lines} lines, {} becomes {}", mark(&before), mark(&after))),
    }
}

/// Workflow steps added or removed, by name.
fn describe_steps(edits: &Edits) -> Option<String> {
    let named = |edits: &[LineEdit]| -> Vec<String> {
        let name = |two: &[LineEdit]| {
            let runs = ["uses:", "run:", "id:", "if:"].iter().any(|key| two[1].text.starts_with(key));
            let name = two[0].text.strip_prefix("- name: ").filter(|_| runs && two[0].path == two[1].path)?;
            let of_ci = FileRole::from_path(&two[0].path) == FileRole::Ci;
            let name = name.trim_matches(['"', '\'', ' ']);
            (of_ci && is_short(name)).then(|| marked(name))
        };
        edits.windows(2).filter_map(name).collect()
    };
    let (added, removed) = (named(&edits.added), named(&edits.removed));
    let (verb, names) = if added.is_empty() { ("Removes", removed) } else { ("Adds", added) };
    let all = edits.added.iter().chain(&edits.removed);
    let all_of_ci =
        all.map(|edit| FileRole::from_path(&edit.path)).all(|role| matches!(role, FileRole::Ci | FileRole::Config));
    let noun = if names.len() == 1 { "step" } else { "steps" };
    (all_of_ci && (1..=TOGETHER).contains(&names.len())).then(|| format!("{verb} the {noun} {}", list(&names)))
}

/// Lines moved within one file.
fn describe_move(edits: &Edits, docs: bool) -> Option<String> {
    let first = edits.moved.first().filter(|_| edits.count() == 0)?;
    if edits.moved.iter().any(|edit| edit.path != first.path) {
        return None;
    }
    let text = if docs {
        let text = plain_text(&first.text);
        (words(&text) > 2).then(|| format!("“{}”", cut(&text, MOVED, CHARS + CHARS)))
    } else {
        let defined =
            edits.moved.iter().find_map(|edit| Some(Language::from_path(&edit.path)?.definition(&edit.text)?.name));
        defined.or_else(|| quote(&first.text)).map(|text| code(&text))
    }?;
    let more = if edits.moved.len() > 1 && !docs { " and other lines" } else { "" };
    Some(format!("Moves {text}{more} within {}", path(&first.path)))
}

/// The single link with a new target and the same words.
fn link(edits: &Edits) -> Option<String> {
    let [pair] = edits.pairs.as_slice() else { return None };
    let (label, to) = new_address(pair)?;
    let place = path(&pair.path);
    (edits.count() == 1).then(|| match to.chars().count() <= CHARS {
        true => format!("The link “{label}” in {place} now leads to {to}"),
        false => format!("The link “{label}” in {place} now leads elsewhere"),
    })
}

fn new_address(pair: &LinePair) -> Option<(String, String)> {
    let addresses = |text: &str| -> Vec<(String, String)> {
        let of = |part: &str, label: &str| {
            let label = label.rsplit('[').next().unwrap_or(label);
            part.split(')').next().map(|to| (plain_text(label), to.to_owned()))
        };
        let parts: Vec<&str> = text.split("](").collect();
        parts.windows(2).filter_map(|two| of(two[1], two[0])).collect()
    };
    let (before, after) = (addresses(&pair.before), addresses(&pair.after));
    let same = plain_text(&pair.before) == plain_text(&pair.after) && before.len() == after.len();
    let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
    let [(_, (label, to))] = changed.as_slice() else { return None };
    (same && !label.is_empty() && to.starts_with("http")).then(|| (label.clone(), to.clone()))
}

fn quote_edits(edits: &Edits) -> Option<LineDetail> {
    if !edits.pairs.is_empty() {
        let of =
            |pair: &LinePair| Some(LineDetail::Quoted { what: quote_rewrite(pair, edits)?, path: pair.path.clone() });
        // One rewritten line beside new ones is quoted, too.
        let few =
            edits.count() <= FEW || (edits.pairs.len() == 1 && edits.removed.is_empty() && edits.count() <= 2 * FEW);
        let quoted = edits.pairs.iter().find_map(of).filter(|_| few);
        return quoted.or_else(|| find_condition(edits));
    }
    let of = |edits: &[LineEdit], what: fn(Vec<String>) -> QuotedLines| {
        let (lines, path) = (without_duplicates(edits), common_file(edits)?);
        let texts: Vec<String> = lines.iter().filter_map(|line| quote(line)).collect();
        let whole = texts.len() == lines.len() && lines.len() <= TOGETHER;
        whole.then(|| LineDetail::Quoted { what: what(texts), path })
    };
    let heads =
        |edits: &[LineEdit]| -> Vec<LineEdit> { edits.iter().filter(|edit| is_head(&edit.text)).cloned().collect() };
    match (edits.added.is_empty(), edits.removed.is_empty()) {
        (false, true) => of(&edits.added, QuotedLines::Adds),
        (true, false) => of(&edits.removed, QuotedLines::Removes)
            .or_else(|| of(&heads(&edits.removed), QuotedLines::Removes).filter(|_| edits.count() <= SOME)),
        (false, false) if edits.count() <= TOGETHER + 1 => {
            of(&edits.removed, QuotedLines::Removes).zip(of(&edits.added, QuotedLines::Adds)).and_then(combine_swaps)
        }
        _ => None,
    }
    .or_else(|| find_condition(edits))
}

/// Lines without duplicates.
fn without_duplicates(edits: &[LineEdit]) -> Vec<&str> {
    let mut lines: Vec<&str> = Vec::new();
    for edit in edits {
        if !lines.contains(&edit.text.as_str()) {
            lines.push(&edit.text);
        }
    }
    lines
}

/// The file of all edits; `None` if several files contain all of them.
fn common_file(edits: &[LineEdit]) -> Option<String> {
    let first = edits.first()?;
    let of = |path: &str| {
        without_duplicates(&edits.iter().filter(|edit| edit.path == path).cloned().collect::<Vec<_>>()).len()
    };
    if edits.iter().all(|edit| edit.path == first.path) {
        return Some(first.path.clone());
    }
    let lines = without_duplicates(edits).len();
    edits.iter().all(|edit| of(&edit.path) == lines).then(String::new)
}

/// The head of a conditional block.
fn is_head(line: &str) -> bool {
    let line = line.trim_start_matches("} ");
    ["if ", "if(", "catch ", "except ", "rescue ", "for ", "while ", "elif ", "else if "]
        .iter()
        .any(|w| line.starts_with(w))
}

/// Combines removed with added statements.
fn combine_swaps((old, new): (LineDetail, LineDetail)) -> Option<LineDetail> {
    match (old, new) {
        (
            LineDetail::Quoted { what: QuotedLines::Removes(old), path },
            LineDetail::Quoted { what: QuotedLines::Adds(new), path: other },
        ) if path == other => Some(LineDetail::Quoted { what: QuotedLines::Swaps(old, new), path }),
        _ => None,
    }
}

/// The first new condition of a change of some lines; a condition that was merely wrapped is not new.
fn find_condition(edits: &Edits) -> Option<LineDetail> {
    let before = |text: &str| {
        let old = edits.removed.iter().map(|edit| &edit.text).chain(edits.pairs.iter().map(|pair| &pair.before));
        old.into_iter().any(|line| line.contains(text))
    };
    let first = edits.added.iter().find_map(|edit| Some((parse_condition(&edit.text)?, edit.path.clone())));
    let (text, path) = first.filter(|_| edits.count() <= SOME)?;
    quote(text)
        .filter(|text| !before(text))
        .map(|text| LineDetail::Quoted { what: QuotedLines::NewCondition(text), path })
}

/// The text between the keyword and the block.
fn parse_condition(line: &str) -> Option<&str> {
    let line = line.trim_start_matches("} ").trim_start_matches("else ");
    let rest = ["if ", "if(", "elif ", "elsif ", "unless "]
        .iter()
        .find_map(|word| line.strip_prefix(word).map(|rest| if word.ends_with('(') { &line[2..] } else { rest }))?;
    let rest = rest.trim_end_matches(|c: char| matches!(c, '{' | ':') || c.is_whitespace()).trim_end_matches(" then");
    let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).filter(|inner| is_balanced(inner));
    Some(inner.unwrap_or(rest)).filter(|text| text.chars().filter(|c| c.is_alphanumeric()).count() > 1)
}

/// Whether the brackets around the text match.
fn is_balanced(inner: &str) -> bool {
    let mut depth = 0_i32;
    let mut depths = inner.chars().map(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth
    });
    depths.all(|depth| depth >= 0)
}

/// Both lines if they are short; else the added or removed part, else the differing words, else the differing tokens.
fn quote_rewrite(pair: &LinePair, edits: &Edits) -> Option<QuotedLines> {
    let quoted = |before: &str, after: &str| quote(before).zip(quote(after)).filter(|(a, b)| a != b);
    let becomes = |(before, after): (String, String)| QuotedLines::Becomes(before, after);
    if let Some(whole) = quoted(&pair.before, &pair.after) {
        return Some(becomes(whole));
    }
    let telling = |text: &String| is_part(text) && !edits.has_both(text.trim_matches(['&', '|', '+', ' ', '\\']));
    let one_sided = |(before, after): (String, String)| match (before.is_empty(), after.is_empty()) {
        (true, false) => quote(&after).filter(telling).map(|after| QuotedLines::Adds(vec![after])),
        (false, true) => quote(&before).filter(telling).map(|before| QuotedLines::Removes(vec![before])),
        _ => None,
    };
    let part = |(before, after): (String, String)| quoted(&before, &after).filter(|(a, b)| is_even(a, b));
    let (before, after) = (without_comment(&pair.before), without_comment(&pair.after));
    let differing = || pair.difference().and_then(one_sided);
    let words =
        || differing_words(before, after).and_then(part).or_else(|| differing_tokens(before, after).and_then(part));
    differing().or_else(|| words().map(becomes))
}

/// A part of a line that can be quoted alone.
fn is_part(text: &str) -> bool {
    let even = |mark: char| text.chars().filter(|c| *c == mark).count().is_multiple_of(2);
    let whole = even('\'') && !text.contains(['<', '>', '\\']) && !text.ends_with(['/', '(', '.', '=']);
    whole && !text.starts_with(['=', '/']) && text.chars().filter(|c| c.is_alphanumeric()).count() > 2
}

/// The statement without a trailing comment.
fn without_comment(line: &str) -> &str {
    let at = [" // ", "  # ", " /* "].iter().filter_map(|mark| line.find(mark)).min();
    at.map_or(line, |at| &line[..at])
}

/// Neither is only a remainder of the other.
fn is_even(before: &str, after: &str) -> bool {
    let (a, b) = (words(before), words(after));
    a.min(b) * 4 >= a.max(b) && !KEYWORDS.contains(&before) && !KEYWORDS.contains(&after)
}

/// Words that say nothing without the rest of the line.
const KEYWORDS: [&str; 14] =
    ["and", "or", "not", "if", "else", "return", "&&", "||", "in", "is", "const", "let", "var", "await"];

/// The statement without continuation marks, unless it opens a block within brackets; `None` if it is too long to
/// quote, or incomplete.
fn quote(line: &str) -> Option<String> {
    let ends = |c: char| matches!(c, ',' | ';' | '{' | '\\' | ':') || c.is_whitespace();
    let line = without_comment(line).trim().trim_start_matches("- ");
    let bare = line.trim_start_matches("} ").trim_end_matches(ends);
    let text = if has_matched_marks(bare) { bare } else { line };
    let whole = has_matched_marks(text) || (text == line && line.ends_with(['{', '(', '[']));
    let has_words = text.chars().filter(|c| c.is_alphanumeric()).count() > 1;
    (whole && has_words && is_short(text)).then(|| one_line(text))
}

fn is_short(text: &str) -> bool {
    text.chars().count() <= CHARS && words(text) <= WORDS && !text.contains(['“', '”']) && !text.contains("[redacted:")
}

impl QuotedLines {
    /// As a supplement to a sentence about its definition.
    #[must_use]
    pub fn as_supplement(&self) -> String {
        match self {
            Self::Becomes(before, after) => format!(": {} becomes {}", code_or_marked(before), code_or_marked(after)),
            Self::Adds(lines) => format!(", adding {}", join_quoted(lines)),
            Self::Removes(lines) => format!(", removing {}", join_quoted(lines)),
            Self::Swaps(old, new) => format!(", removing {} and adding {}", join_quoted(old), join_quoted(new)),
            Self::NewCondition(condition) => format!(", with the new condition {}", code_or_marked(condition)),
        }
    }

    /// As a sentence of its own; `known` may already name the file.
    #[must_use]
    pub fn as_sentence(&self, file: &str, known: &str) -> String {
        let whole = path(file);
        if file.is_empty() {
            return match self {
                Self::Becomes(before, after) => format!("{} becomes {}", code_or_marked(before), code_or_marked(after)),
                Self::Adds(lines) => format!("Adds {}", join_quoted(lines)),
                Self::Removes(lines) => format!("Removes {}", join_quoted(lines)),
                Self::Swaps(old, new) => format!("Removes {} and adds {}", join_quoted(old), join_quoted(new)),
                Self::NewCondition(condition) => format!("Adds the condition {}", code_or_marked(condition)),
            };
        }
        if let (Self::Becomes(before, after), true) = (self, known.ends_with(&whole)) {
            return format!("{} becomes {}", code_or_marked(before), code_or_marked(after));
        }
        let named = known.contains(&whole);
        let place = if named { whole.rsplit('/').next().unwrap_or(&whole) } else { &whole };
        self.as_sentence_at(place)
    }

    /// As a sentence about this location.
    fn as_sentence_at(&self, place: &str) -> String {
        let there = |preposition: &str| format!(" {preposition} {place}");
        match self {
            Self::Becomes(before, after) => {
                format!("In {place}, {} becomes {}", code_or_marked(before), code_or_marked(after))
            }
            Self::Adds(lines) => format!("Adds {}{}", join_quoted(lines), there("to")),
            Self::Removes(lines) => format!("Removes {}{}", join_quoted(lines), there("from")),
            Self::Swaps(old, new) => format!("In {place}, removes {} and adds {}", join_quoted(old), join_quoted(new)),
            Self::NewCondition(condition) => format!("Adds the condition {}{}", code_or_marked(condition), there("to")),
        }
    }
}

fn join_quoted(lines: &[String]) -> String {
    list(&lines.iter().map(|line| code_or_marked(line)).collect::<Vec<_>>())
}

#[cfg(test)]
#[path = "line_details_tests.rs"]
mod tests;
