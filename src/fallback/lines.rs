//! What single lines tell of a small change: one statement that became another, one that came or went, a value.

use super::phrase::{code, cut, list, one_line, path, words};
use crate::domain::patch::{Commit, FileChange, Line, Origin};
use crate::facts::edits::{Edit, Edits, Pair};
use crate::facts::language::Language;
use crate::facts::mentions::line::is_import;
use crate::facts::mentions::phrases::plain_text;
use crate::facts::mentions::swap::{core, middle, pairs_up};
use crate::facts::mentions::{Kind, Mention};
use crate::facts::roles::FileRole;
use crate::facts::{Facts, role_of, symbols};

/// What the changed lines tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A whole sentence: it tells everything, or needs no place.
    Whole(String),
    /// A whole sentence that does not say what came or went.
    Vague(String),
    /// Something that can be told of a definition, or of the file it is in.
    Quoted { what: Quoted, path: String },
}

/// Statements as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quoted {
    Becomes(String, String),
    Adds(Vec<String>),
    Removes(Vec<String>),
    /// What is asked now.
    Asks(String),
}

/// Up to so many edits one of them is quoted for all.
const FEW: usize = 6;
/// Up to so many edits their first condition is told.
const SOME: usize = 20;
/// New or removed statements that are quoted together.
const TOGETHER: usize = 2;
/// Characters and words of what is quoted.
const CHARS: usize = 64;
const WORDS: usize = 10;
/// Words of a moved text.
const MOVED: usize = 12;
/// Beyond so many edits a value is a detail.
const VALUES: usize = 8;

/// What the lines of code tell, else those of tests, else those of documentation; `known` has been said.
#[must_use]
pub fn of(commit: &Commit, facts: &Facts, known: &str) -> Option<Told> {
    // Source before what is neither tests nor documentation, before tests.
    let source = Edits::of(commit, |role| role == FileRole::Source);
    let has_source = commit.patch.files.iter().any(|file| role_of(file) == FileRole::Source);
    let code = Edits::of(commit, |role| !matches!(role, FileRole::Docs | FileRole::Tests));
    let edits = if code.is_empty() && !has_source { Edits::of(commit, |role| role == FileRole::Tests) } else { code };
    if edits.is_empty() {
        let docs = Edits::of(commit, |role| role == FileRole::Docs);
        let words = || replaced(&Edits::of_comments(commit), marked).map(Told::Whole).or_else(|| comments(commit));
        let docs = || replaced(&docs, marked).or_else(|| moved(&docs, true)).or_else(|| link(&docs));
        return if has_source { words() } else { docs().map(Told::Whole) };
    }
    let whole = values(facts, known, &edits)
        .or_else(|| steps(&edits))
        .or_else(|| replaced(&edits, code_or_marked))
        .or_else(|| moved(&edits, false));
    let quotable = if has_source { source } else { edits };
    whole.map(Told::Whole).or_else(|| quoted(&without_imports(quotable)))
}

/// The one line of documentation that another one took the place of, as it is written.
#[must_use]
pub fn of_docs(commit: &Commit) -> Option<String> {
    let docs = Edits::of(commit, |role| role == FileRole::Docs);
    match quoted(&docs).filter(|_| docs.pairs.len() == 1)? {
        Told::Quoted { what, path } => Some(what.alone(&path, "")),
        _ => None,
    }
}

/// Nothing but comments, where that is certain.
fn comments(commit: &Commit) -> Option<Told> {
    let files = &commit.patch.files;
    let is = |file: &FileChange, line: &Line| {
        let text = line.text.trim();
        let marks: &[&str] = match Language::of(&file.path) {
            Some(Language::Python | Language::Ruby | Language::Shell) => &["#"],
            Some(_) => &["//", "/*", "*/"],
            None => &[],
        };
        text.is_empty() || marks.iter().any(|mark| text.starts_with(mark))
    };
    let all = |file: &FileChange| {
        let mut changed = file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin != Origin::Context);
        symbols::is_whole(file) && changed.all(|line| is(file, line))
    };
    let places: Vec<String> = files.iter().map(|file| path(&file.path)).collect();
    (!files.is_empty() && places.len() < 3 && files.iter().all(all))
        .then(|| Told::Vague(format!("Changes only comments in {}", list(&places))))
}

/// Lines that bring names into view are told only where there are no others.
fn without_imports(edits: Edits) -> Edits {
    let kept = Edits {
        pairs: edits.pairs.iter().filter(|pair| !is_import(&pair.after)).cloned().collect(),
        added: edits.added.iter().filter(|edit| !is_import(&edit.text)).cloned().collect(),
        removed: edits.removed.iter().filter(|edit| !is_import(&edit.text)).cloned().collect(),
        moved: edits.moved.clone(),
    };
    if kept.len() == 0 { edits } else { kept }
}

/// `serde` goes from 1.0.1 to 1.0.2: where values are most of what changed.
fn values(facts: &Facts, known: &str, edits: &Edits) -> Option<String> {
    let is_swap = |mention: &&Mention| {
        matches!(mention.kind, Kind::Swap | Kind::Correction)
            && edits.pairs.iter().any(|pair| pair.path == mention.path)
    };
    let swaps: Vec<&Mention> = facts.mentions.iter().filter(is_swap).filter(|mention| mention.key.is_some()).collect();
    let mut told: Vec<(&str, String)> = Vec::new();
    for mention in &swaps {
        let (Some(key), Some(before)) = (mention.key.as_deref(), mention.before.as_deref()) else { continue };
        if !known.contains(mention.text.as_str()) && told.iter().all(|(known, _)| *known != key) {
            told.push((key, format!("{} goes from {before} to {}", code(key), mention.text)));
        }
    }
    let told: Vec<String> = told.into_iter().map(|(_, text)| text).take(TOGETHER).collect();
    (!told.is_empty() && edits.len() <= VALUES.max(swaps.len() * 2)).then(|| list(&told))
}

/// One name or word in the place of another, on every line that changed.
fn replaced(edits: &Edits, mark: fn(&str) -> String) -> Option<String> {
    let (before, after) = edits.replacement()?;
    (fits(&before) && fits(&after)).then(|| {
        let mut places: Vec<String> = edits.pairs.iter().map(|pair| path(&pair.path)).collect();
        places.dedup();
        let place = if places.len() > 2 { format!("{} files", places.len()) } else { list(&places) };
        format!("Replaces {} with {} in {place}", mark(&before), mark(&after))
    })
}

fn marked(words: &str) -> String {
    format!("“{words}”")
}

/// Code; between other marks where it has those of code itself.
fn code_or_marked(text: &str) -> String {
    if text.contains('`') { marked(text) } else { code(text) }
}

/// The steps that a workflow gained or lost, by their names.
fn steps(edits: &Edits) -> Option<String> {
    let named = |edits: &[Edit]| -> Vec<String> {
        let name = |two: &[Edit]| {
            let runs = ["uses:", "run:", "id:", "if:"].iter().any(|key| two[1].text.starts_with(key));
            let name = two[0].text.strip_prefix("- name: ").filter(|_| runs && two[0].path == two[1].path)?;
            let of_ci = FileRole::of(&two[0].path) == FileRole::Ci;
            let name = name.trim_matches(['"', '\'', ' ']);
            (of_ci && fits(name)).then(|| marked(name))
        };
        edits.windows(2).filter_map(name).collect()
    };
    let (came, went) = (named(&edits.added), named(&edits.removed));
    let (verb, names) = if came.is_empty() { ("Removes", went) } else { ("Adds", came) };
    let all_of_ci = edits.added.iter().chain(&edits.removed).all(|edit| FileRole::of(&edit.path) == FileRole::Ci);
    let noun = if names.len() == 1 { "step" } else { "steps" };
    (all_of_ci && (1..=TOGETHER).contains(&names.len())).then(|| format!("{verb} the {noun} {}", list(&names)))
}

/// Lines that are only elsewhere now, in one file.
fn moved(edits: &Edits, docs: bool) -> Option<String> {
    let first = edits.moved.first().filter(|_| edits.len() == 0)?;
    if edits.moved.iter().any(|edit| edit.path != first.path) {
        return None;
    }
    let text = if docs {
        let text = plain_text(&first.text);
        (words(&text) > 2).then(|| format!("“{}”", cut(&text, MOVED, CHARS + CHARS)))
    } else {
        let defined = edits.moved.iter().find_map(|edit| Some(Language::of(&edit.path)?.definition(&edit.text)?.name));
        defined.or_else(|| quote(&first.text)).map(|text| code(&text))
    }?;
    let more = if edits.moved.len() > 1 && !docs { " and other lines" } else { "" };
    Some(format!("Moves {text}{more} within {}", path(&first.path)))
}

/// The one link that leads elsewhere, its words being the same.
fn link(edits: &Edits) -> Option<String> {
    let [pair] = edits.pairs.as_slice() else { return None };
    let (label, to) = new_address(pair)?;
    let place = path(&pair.path);
    (edits.len() == 1).then(|| match to.chars().count() <= CHARS {
        true => format!("The link “{label}” in {place} now leads to {to}"),
        false => format!("The link “{label}” in {place} now leads elsewhere"),
    })
}

fn new_address(pair: &Pair) -> Option<(String, String)> {
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

fn quoted(edits: &Edits) -> Option<Told> {
    if !edits.pairs.is_empty() {
        let of = |pair: &Pair| {
            let (before, after) = both(&pair.before, &pair.after)?;
            Some(Told::Quoted { what: Quoted::Becomes(before, after), path: pair.path.clone() })
        };
        // One line that was rewritten beside new ones is told, too.
        let few = edits.len() <= FEW || (edits.pairs.len() == 1 && edits.removed.is_empty() && edits.len() <= 2 * FEW);
        let told = edits.pairs.iter().find_map(of).filter(|_| few);
        return told.or_else(|| asked(edits));
    }
    let of = |edits: &[Edit], what: fn(Vec<String>) -> Quoted| {
        let first = edits.first().filter(|_| edits.len() <= TOGETHER)?;
        let mut texts: Vec<String> = edits.iter().filter_map(|edit| quote(&edit.text)).collect();
        let whole = texts.len() == edits.len() && edits.iter().all(|edit| edit.path == first.path);
        texts.dedup();
        whole.then(|| Told::Quoted { what: what(texts), path: first.path.clone() })
    };
    match (edits.added.is_empty(), edits.removed.is_empty()) {
        (false, true) => of(&edits.added, Quoted::Adds),
        (true, false) => of(&edits.removed, Quoted::Removes),
        _ => None,
    }
    .or_else(|| asked(edits))
}

/// The first condition that a change of some lines brings; one that was written on fewer lines before is none.
fn asked(edits: &Edits) -> Option<Told> {
    let before = |text: &str| {
        let old = edits.removed.iter().map(|edit| &edit.text).chain(edits.pairs.iter().map(|pair| &pair.before));
        old.into_iter().any(|line| line.contains(text))
    };
    let first = edits.added.iter().find_map(|edit| Some((condition(&edit.text)?, edit.path.clone())));
    let (text, path) = first.filter(|(text, _)| edits.len() <= SOME && !before(text))?;
    quote(text).map(|text| Told::Quoted { what: Quoted::Asks(text), path })
}

/// What stands between the keyword and the block.
fn condition(line: &str) -> Option<&str> {
    let line = line.trim_start_matches("} ").trim_start_matches("else ");
    let rest = ["if ", "if(", "elif ", "elsif ", "unless ", "when ", "case "]
        .iter()
        .find_map(|word| line.strip_prefix(word).map(|rest| if word.ends_with('(') { &line[2..] } else { rest }))?;
    let rest = rest.trim_end_matches(|c: char| matches!(c, '{' | ':') || c.is_whitespace()).trim_end_matches(" then");
    let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).filter(|inner| closes(inner));
    Some(inner.unwrap_or(rest)).filter(|text| text.chars().filter(|c| c.is_alphanumeric()).count() > 1)
}

/// Whether the brackets around the text were partners.
fn closes(inner: &str) -> bool {
    let mut depth = 0_i32;
    let mut depths = inner.chars().map(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth
    });
    depths.all(|depth| depth >= 0)
}

/// Both lines where they are short, else the words by which they differ, else less than words.
fn both(before: &str, after: &str) -> Option<(String, String)> {
    let quoted = |(before, after): (String, String)| quote(&before).zip(quote(&after)).filter(|(a, b)| a != b);
    let part = |pair: (String, String)| quoted(pair).filter(|(a, b)| is_even(a, b));
    quoted((before.to_owned(), after.to_owned()))
        .or_else(|| middle(before, after).and_then(part))
        .or_else(|| core(before, after).and_then(part))
}

/// Neither is only a rest of the other.
fn is_even(before: &str, after: &str) -> bool {
    let (a, b) = (words(before), words(after));
    a.min(b) * 4 >= a.max(b) && !KEYWORDS.contains(&before) && !KEYWORDS.contains(&after)
}

/// What tells nothing without the rest of its line.
const KEYWORDS: [&str; 10] = ["and", "or", "not", "if", "else", "return", "&&", "||", "in", "is"];

/// The statement without the marks that only lead on to the next line, unless it opens a block within brackets; absent
/// where it is too long to be quoted, or half of one.
fn quote(line: &str) -> Option<String> {
    let ends = |c: char| matches!(c, ',' | ';' | '{' | '\\' | ':') || c.is_whitespace();
    let line = line.trim();
    let bare = line.trim_start_matches("} ").trim_end_matches(ends);
    let text = if pairs_up(bare) { bare } else { line };
    let whole = pairs_up(text) || (text == line && line.ends_with(['{', '(', '[']));
    let told = text.chars().filter(|c| c.is_alphanumeric()).count() > 1;
    (whole && told && fits(text)).then(|| one_line(text))
}

fn fits(text: &str) -> bool {
    text.chars().count() <= CHARS && words(text) <= WORDS && !text.contains(['“', '”']) && !text.contains("[redacted:")
}

impl Quoted {
    /// Behind a sentence about the definition that it is in.
    #[must_use]
    pub fn behind(&self) -> String {
        match self {
            Self::Becomes(before, after) => format!(": {} becomes {}", code_or_marked(before), code_or_marked(after)),
            Self::Adds(lines) => format!(", adding {}", all(lines)),
            Self::Removes(lines) => format!(", removing {}", all(lines)),
            Self::Asks(condition) => format!(", with the new condition {}", code_or_marked(condition)),
        }
    }

    /// As a sentence of its own; `known` names the file already, or does not.
    #[must_use]
    pub fn alone(&self, file: &str, known: &str) -> String {
        let whole = path(file);
        if let (Self::Becomes(before, after), true) = (self, known.ends_with(&whole)) {
            return format!("{} becomes {}", code_or_marked(before), code_or_marked(after));
        }
        let named = known.contains(&whole);
        let place = if named { whole.rsplit('/').next().unwrap_or(&whole) } else { &whole };
        let there = |preposition: &str| format!(" {preposition} {place}");
        match self {
            Self::Becomes(before, after) => {
                format!("In {place}, {} becomes {}", code_or_marked(before), code_or_marked(after))
            }
            Self::Adds(lines) => format!("Adds {}{}", all(lines), there("to")),
            Self::Removes(lines) => format!("Removes {}{}", all(lines), there("from")),
            Self::Asks(condition) => format!("Adds the condition {}{}", code_or_marked(condition), there("to")),
        }
    }
}

fn all(lines: &[String]) -> String {
    list(&lines.iter().map(|line| code_or_marked(line)).collect::<Vec<_>>())
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
