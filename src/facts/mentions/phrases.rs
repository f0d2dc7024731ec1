//! Prose on the changed lines: changelog entries, test titles, headings, sentences, small corrections.

use std::collections::HashSet;

use super::line::{PieceClass, is_comment, is_prose, split_pieces};
use super::swap::{self, Block};
use super::{Mention, MentionKind};
use crate::domain::patch::{Change, FileChange, Hunk, LineOrigin, PatchLine};
use crate::facts::injection::{InjectionMatch, detect_injection};
use crate::facts::role_of;
use crate::facts::roles::FileRole;
use crate::text::{fences::Fence, sentences};

/// Words of a phrase that are kept; characters, for scripts without blanks.
const WORDS: usize = 16;
const CHARS: usize = 140;
/// Limit of phrases per patch.
const PHRASES: usize = 400;

/// A documentation line without markup.
#[must_use]
pub fn plain_text(line: &str) -> String {
    one_line(&strip_markup(&without_addresses(strip_line_marks(line))))
}

/// The phrases of all files; `weight` is the weight of one of their words, by kind.
#[must_use]
pub fn find_phrases(files: &[FileChange]) -> Vec<Mention> {
    let mut phrases = Vec::new();
    let sides = Sides::of(files);
    for file in files {
        let role = role_of(file);
        if matches!(role, FileRole::Generated | FileRole::Asset) {
            continue;
        }
        let texts = Texts::of(file);
        for hunk in &file.hunks {
            if phrases.len() > PHRASES {
                return phrases;
            }
            let before = phrases.len();
            PhraseReader { file, role, sides: &sides, texts: &texts, phrases: &mut phrases }.hunk(hunk);
            // Text beside an injected instruction may belong to it.
            if phrases.len() > before
                && hunk.lines.iter().any(|line| detect_injection(&line.text) == InjectionMatch::Certain)
            {
                phrases.truncate(before);
            }
        }
    }
    phrases
}

/// The lines of each side without indentation: a line on both sides was moved, and is neither new nor removed.
struct Sides<'a> {
    added: HashSet<&'a str>,
    removed: HashSet<&'a str>,
    /// Test titles on removed lines.
    titles: HashSet<&'a str>,
}

impl<'a> Sides<'a> {
    fn of(files: &'a [FileChange]) -> Self {
        let lines = |origin| {
            let all = files.iter().flat_map(|file| &file.hunks).flat_map(|hunk| &hunk.lines);
            all.filter(move |line| line.origin == origin).map(|line| line.text.trim())
        };
        Self {
            added: lines(LineOrigin::Added).collect(),
            removed: lines(LineOrigin::Removed).collect(),
            titles: lines(LineOrigin::Removed).filter_map(parse_title).collect(),
        }
    }

    fn has_moved(&self, line: &PatchLine) -> bool {
        let other = if line.origin == LineOrigin::Added { &self.removed } else { &self.added };
        !line.text.trim().is_empty() && other.contains(line.text.trim())
    }
}

/// The words on each side of a file: a sentence on both sides was only reflowed.
struct Texts {
    added: String,
    removed: String,
}

impl Texts {
    fn of(file: &FileChange) -> Self {
        let of = |origin| {
            let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin == origin);
            one_line(&strip_markup(&lines.map(|line| strip_line_marks(&line.text)).collect::<Vec<_>>().join(" ")))
        };
        Self { added: of(LineOrigin::Added), removed: of(LineOrigin::Removed) }
    }

    /// Whether the other side has the sentence, too.
    fn have_both(&self, sentence: &str, origin: LineOrigin) -> bool {
        let other = if origin == LineOrigin::Added { &self.removed } else { &self.added };
        other.contains(&one_line(&strip_markup(sentence.trim_end_matches('…'))))
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct PhraseReader<'a> {
    file: &'a FileChange,
    role: FileRole,
    sides: &'a Sides<'a>,
    texts: &'a Texts,
    phrases: &'a mut Vec<Mention>,
}

impl PhraseReader<'_> {
    fn hunk(&mut self, hunk: &Hunk) {
        let is_context = |line: &PatchLine| line.origin == LineOrigin::Context;
        let mut code = if self.role == FileRole::Docs { fenced(&hunk.lines) } else { Vec::new() };
        if self.file.path.ends_with(".rdoc") {
            code = hunk.lines.iter().map(|line| line.text.starts_with([' ', '\t'])).collect();
        }
        if self.role == FileRole::Docs && !is_changelog(&self.file.path) {
            self.headings(&hunk.lines);
        }
        let mut next = 0;
        for block in hunk.lines.split(is_context) {
            let (start, end) = (next, next + block.len());
            next = end + 1;
            if block.is_empty() {
                continue;
            }
            let after = hunk.lines.get(end);
            let (above, below) = (&hunk.lines[..start], &hunk.lines[end..]);
            self.phrases.extend(swap::find_swaps(Block { above, lines: block, below }, &self.file.path, self.role));
            let changelog = self.role == FileRole::Docs && is_changelog(&self.file.path);
            if changelog {
                self.entries(block);
            } else {
                let read: Vec<PatchLine> = (start..end)
                    .filter(|at| !code.get(*at).is_some_and(|is| *is))
                    .map(|at| hunk.lines[at].clone())
                    .collect();
                self.prose(&read, LineOrigin::Added, after);
                // A replaced sentence may have been reworded.
                let kept = block.iter().filter(|line| line.origin == LineOrigin::Added).count();
                if kept * 4 < block.len() {
                    self.prose(&read, LineOrigin::Removed, after);
                }
            }
            if !changelog {
                self.titles(block);
                self.messages(block);
            }
        }
    }

    fn push(&mut self, kind: MentionKind, text: &str, weight: f64, added: Option<bool>) {
        let text = cut(&strip_markup(text));
        if text.split_whitespace().count() > usize::from(!matches!(kind, MentionKind::Heading | MentionKind::Title)) {
            let path = self.file.path.clone();
            self.phrases.push(Mention { kind, text, weight, added, path, before: None, key: None, stems: Vec::new() });
        }
    }

    /// Each list item added to the changelog, with its continuation lines.
    fn entries(&mut self, block: &[PatchLine]) {
        let added = block.iter().filter(|line| line.origin == LineOrigin::Added).map(|line| line.text.as_str());
        for paragraph in paragraphs(added, false) {
            // A line within an item was only reworded.
            let within = paragraph.starts_with(|c: char| c.is_lowercase() || c == ':')
                && !block.iter().any(|line| line.origin == LineOrigin::Added && begins_point(&line.text, &paragraph));
            if !within
                && paragraph.split_whitespace().count() > 2
                && !is_heading(&paragraph)
                && !is_reference(&paragraph)
            {
                self.push(MentionKind::ChangelogEntry, &paragraph, 1.0, Some(true));
            }
        }
    }

    /// Sentences of a run of prose lines; `after` is the line behind the block, into which the last sentence may
    /// continue.
    fn prose(&mut self, block: &[PatchLine], origin: LineOrigin, after: Option<&PatchLine>) {
        let docs = self.role == FileRole::Docs;
        let tests = self.role == FileRole::Tests;
        let kind = |line: &&PatchLine| match line.text.trim() {
            _ if docs => Some(MentionKind::Prose),
            text if is_comment(text) => Some(MentionKind::Comment),
            text => (!tests && is_prose(text)).then_some(MentionKind::Prose),
        };
        let whole = matches!(self.file.change, Change::Added | Change::Deleted);
        let replaced = block.iter().any(|line| line.origin != origin);
        let lines: Vec<&PatchLine> = block.iter().filter(|line| line.origin == origin).collect();
        let mut left = lines.len();
        for run in lines.chunk_by(|a, b| kind(a) == kind(b)) {
            left -= run.len();
            let Some(of) = run.first().and_then(kind) else { continue };
            if run.iter().any(|line| self.sides.has_moved(line)) {
                continue;
            }
            // Docstring lines are not always recognised as comments.
            let same = |next: &PatchLine| of == MentionKind::Prose || kind(&next) == Some(of);
            let inner = of == MentionKind::Prose && left > 0;
            let goes_on = inner || (left == 0 && after.is_some_and(|next| runs_on(&next.text) && same(next)));
            let (kind, mut paragraphs) =
                (of, paragraphs(run.iter().map(|line| line.text.trim()), of == MentionKind::Comment));
            paragraphs.last_mut().filter(|_| goes_on).map(mark_unended);
            for paragraph in paragraphs {
                let weight = if docs { 0.6 } else { 0.45 };
                let paragraph = without_addresses(&paragraph);
                let paragraph = if docs { strip_markup(&paragraph) } else { paragraph };
                let is_statement = |sentence: &&str| {
                    let command = !docs && of == MentionKind::Prose && sentence.contains(" --");
                    let dull = command || (whole && sentence.contains("opyright"));
                    is_readable(sentence) && !dull && !self.texts.have_both(sentence, origin)
                };
                let statements: Vec<&str> = sentences::split(&paragraph).into_iter().filter(is_statement).collect();
                for sentence in statements {
                    let small = (docs || kind == MentionKind::Prose) && sentence.starts_with(char::is_lowercase);
                    let inner = small && !run.iter().any(|line| begins_point(&line.text, sentence));
                    let sentence = if inner { format!("…{sentence}") } else { sentence.to_owned() };
                    let added = if origin == LineOrigin::Removed { Some(false) } else { (!replaced).then_some(true) };
                    self.push(kind, &sentence, weight, added);
                }
            }
        }
    }

    /// Beside a removed title a new one may be a rename.
    fn titles(&mut self, block: &[PatchLine]) {
        let of =
            |origin| block.iter().filter(move |line| line.origin == origin).filter_map(|l| parse_title(l.text.trim()));
        let new = of(LineOrigin::Removed).next().is_none();
        for title in of(LineOrigin::Added).filter(|title| !self.sides.titles.contains(title)) {
            self.push(MentionKind::Title, title, 0.8, new.then_some(true));
        }
    }

    /// String literals that are sentences: the program's messages.
    fn messages(&mut self, block: &[PatchLine]) {
        if self.role != FileRole::Source {
            return;
        }
        let new = block.iter().all(|line| line.origin == LineOrigin::Added);
        let is_new_line = |line: &&PatchLine| line.origin == LineOrigin::Added && !self.sides.has_moved(line);
        for line in block.iter().filter(is_new_line) {
            for (class, text) in split_pieces(&line.text, self.role) {
                if class != PieceClass::Quoted || text.split_whitespace().count() < 4 {
                    continue;
                }
                for sentence in sentences::split(text)
                    .into_iter()
                    .filter(|text| text.split_whitespace().count() > 3 && is_readable(text) && !text.contains(" --"))
                {
                    self.push(MentionKind::Prose, sentence, 0.4, new.then_some(true));
                }
            }
        }
    }

    /// The changed heading, else the one above the first change.
    fn headings(&mut self, lines: &[PatchLine]) {
        let mut above = None;
        let code = fenced(lines);
        // Beside a removed heading a new one may be a rename.
        let lost = lines.iter().any(|line| line.origin == LineOrigin::Removed && line.text.starts_with('#'));
        for (at, line) in lines.iter().enumerate().filter(|(at, _)| !code[*at]) {
            let underlined = lines.get(at + 1).is_some_and(|next| is_underline(&next.text) && !is_fence(&next.text));
            let underlined = underlined && !line.text.trim().is_empty();
            let marked = line.text.starts_with('#') && line.text.trim_start_matches('#').starts_with(' ');
            if (underlined && !is_underline(&line.text)) || marked {
                above = Some(line);
                if line.origin == LineOrigin::Added {
                    self.push(MentionKind::Heading, strip_line_marks(&line.text), 0.9, (!lost).then_some(true));
                }
            } else if line.origin != LineOrigin::Context
                && !line.text.trim().is_empty()
                && !is_underline(&line.text)
                && let Some(heading) = above.take().filter(|heading| heading.origin == LineOrigin::Context)
            {
                self.push(MentionKind::Heading, strip_line_marks(&heading.text), 0.6, None);
            }
        }
    }
}

/// A changelog, by its usual names.
fn is_changelog(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or(&name);
    matches!(stem, "changelog" | "changes" | "history" | "news" | "releases" | "release_notes" | "whatsnew")
}

/// Joins lines to paragraphs: a blank line or a list item begins another. A comment's mark precedes the item's mark.
fn paragraphs<'a>(lines: impl Iterator<Item = &'a str>, comment: bool) -> Vec<String> {
    let mut paragraphs: Vec<String> = vec![String::new()];
    for line in lines {
        let text = line.trim();
        let inner = if comment { text.trim_start_matches(['/', '#', '*', '!', ';']).trim_start() } else { text };
        let heads = |c: char| matches!(c, '-' | '*' | '+' | '•') || (c == '#' && !comment);
        let point = inner.starts_with(heads) || is_underline(text) || inner.starts_with("TODO");
        if inner.is_empty() || point {
            paragraphs.push(String::new());
        }
        if let (false, Some(paragraph)) = (is_underline(text), paragraphs.last_mut()) {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(strip_line_marks(text));
        }
    }
    paragraphs.retain(|paragraph| !paragraph.trim().is_empty());
    paragraphs
}

/// Marks the lines that are code in documentation, or delimit it.
fn fenced(lines: &[PatchLine]) -> Vec<bool> {
    // A closing fence is followed by a blank line; if the first fence is, the lines before it are code.
    let first = lines.iter().position(|line| is_fence(&line.text));
    let bare = |at: usize| lines[at].text.trim().trim_matches(['`', '~']).is_empty();
    let blank = |at: usize| lines.get(at + 1).is_none_or(|line| line.text.trim().is_empty());
    let mut inside = first.is_some_and(|at| bare(at) && blank(at));
    let of = |line: &PatchLine| {
        let (fence, text) = (is_fence(&line.text), line.text.trim());
        inside ^= fence;
        // A tag, or an option with its meaning.
        let tag = text.starts_with('<') && text.ends_with('>');
        fence || inside || tag || text.starts_with("--")
    };
    lines.iter().map(of).collect()
}

/// Delimiters of code in documentation.
fn is_fence(line: &str) -> bool {
    Fence::parse(line).is_some()
}

fn is_underline(text: &str) -> bool {
    let text = text.trim();
    text.len() > 2 && text.chars().all(|c| matches!(c, '=' | '-' | '~' | '^' | '*' | '#' | '"' | '`' | '+'))
}

/// `## 1.2.3`, `Version 2.0`, `Unreleased`.
fn is_heading(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits * 2 > text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Whether the line is the list item that begins with this sentence.
fn begins_point(line: &str, sentence: &str) -> bool {
    let first = sentence.split_whitespace().next().unwrap_or(sentence);
    line.trim_start().starts_with(['-', '*', '+', '•']) && plain_text(line).starts_with(first)
}

/// `.. _name: https://…`, `[name]: https://…`, `deps: name@1.2`: an address or a list of versions, no prose.
fn is_reference(text: &str) -> bool {
    let defines = (text.starts_with("_") || text.starts_with("[")) && text.contains("]: ");
    defines || text.starts_with("..") || text.starts_with("deps: ")
}

/// The line continues the previous one: it is neither blank nor a list item.
fn runs_on(line: &str) -> bool {
    let inner = line.trim().trim_start_matches(['/', '!']).trim_start();
    !strip_line_marks(line).is_empty()
        && !is_underline(line)
        && !inner.starts_with(['-', '+', '•', '@', '.', ':'])
        && !inner.starts_with("* ")
}

/// Marks a truncated sentence as unfinished.
fn mark_unended(paragraph: &mut String) {
    let inner = paragraph.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ')' | '"' | '`' | '*'));
    if !inner.ends_with(['.', '!', '?', ':']) {
        paragraph.truncate(paragraph.trim_end_matches([' ', ',', ';']).len());
        paragraph.push('…');
    }
}

/// Without the marks of a comment, docstring, list item or heading. The mark of a ticket number is kept.
fn strip_line_marks(line: &str) -> &str {
    let marks =
        |c: char| matches!(c, '/' | '*' | '#' | '-' | '!' | '+' | '•' | '<' | '>' | ';' | '|') || c.is_whitespace();
    let ends = |c: char| matches!(c, '*' | '/' | '#' | '"' | '<' | '>' | '-' | '|') || c.is_whitespace();
    let begun = line.trim_start_matches(marks);
    let text = ["\"\"\"", "'''"].iter().find_map(|mark| begun.strip_prefix(mark)).unwrap_or(begun);
    let text = text.trim_start_matches(marks);
    let (before, _) = line.split_at(line.len() - text.len());
    let ticket = text.starts_with(|c: char| c.is_ascii_digit()) && before.ends_with('#');
    line[before.len() - usize::from(ticket)..].trim_end_matches(ends)
}

/// `it("…"`, `test('…'`, `describe(`…`, `t.Run("…"`.
fn parse_title(line: &str) -> Option<&str> {
    let calls = ["it(", "it ", "test(", "test ", "specify(", "specify ", "t.Run(", "should ", "scenario "];
    let rest = calls.iter().find_map(|call| line.strip_prefix(call))?.trim_start();
    let mark = rest.chars().next().filter(|mark| matches!(mark, '"' | '\'' | '`'))?;
    let rest = &rest[1..];
    rest.find(mark).map(|end| &rest[..end])
}

/// Mostly plain words, and no code.
fn is_readable(sentence: &str) -> bool {
    let code = |c: char| matches!(c, '{' | '}' | '<' | '>' | '\\' | '=' | ';' | '|' | '$' | '@');
    let plain = |word: &&str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        !bare.is_empty() && bare.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’'))
    };
    let all = sentence.split_whitespace().count();
    let words = sentence.split_whitespace().filter(plain).count();
    words > 1
        // Parameters with their types.
        && sentence.matches(": ").count() < 2
        && words * 10 >= all * 7
        && !is_boilerplate(sentence)
        && !sentence.starts_with([':', '-', '!'])
        && !sentence.contains(code)
        && !sentence.contains("://")
        && !sentence.contains("::")
        && !ends_open(sentence)
}

/// The sentence stops where it cannot end, because code interrupts it.
fn ends_open(sentence: &str) -> bool {
    const OPEN: [&str; 22] = [
        "so", "and", "or", "the", "a", "an", "to", "of", "that", "which", "if", "when", "because", "for", "with", "in",
        "by", "as", "but", "is", "are", "we",
    ];
    sentence.rsplit([' ', ',']).find(|word| !word.is_empty()).is_some_and(|last| OPEN.contains(&last))
}

/// Drops `<https://…>` after a link's words.
fn without_addresses(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find("<http") {
        let (before, from) = rest.split_at(open);
        let Some(close) = from.find('>') else { break };
        kept.push_str(before.trim_end());
        rest = from[close + 1..].trim_start_matches(['`', '_']);
    }
    kept + rest
}

/// Licence text, present in every file.
fn is_boilerplate(sentence: &str) -> bool {
    [
        "applicable law", "ights reserved", "ights Reserved", "SPDX", "opyright (", "opyright ©", "WARRANT",
        "icensed under", "of this license", "style license", "the License", "Permission is hereby", "copyright notice",
    ]
    .iter()
    .any(|part| sentence.contains(part))
}

/// Without markup, so that it can be quoted.
fn strip_markup(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    // `[words](address)` and `:role:` are reduced to their words.
    while let Some(open) = rest.find("](") {
        let (words, address) = rest.split_at(open);
        let Some(close) = address.find(')') else { break };
        plain.push_str(words);
        plain.push(']');
        rest = &address[close + 1..];
    }
    plain.push_str(rest);
    let mut plain = plain.replace("`__", "`").replace("`_", "`");
    if let Some(at) = plain.find(":issue:`").or_else(|| plain.find(":pr:`")) {
        plain.truncate(at);
    }
    for role in [":func:", ":class:", ":meth:", ":mod:", ":attr:", ":data:", ":exc:", ":ref:", ":doc:"] {
        if plain.contains(role) {
            plain = plain.replace(role, "`");
        }
    }
    let marks = |c: char| matches!(c, '`' | '*' | '“' | '”' | '"' | '[' | ']' | '|') || c.is_control();
    super::words::strip_marks(&plain, marks)
}

/// At most [`WORDS`] words; `…` marks a cut before or after.
fn cut(text: &str) -> String {
    let text = text.trim_end_matches(['.', ',', ';', ':', ' ']);
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut kept = words.iter().take(WORDS).copied().collect::<Vec<_>>().join(" ");
    let mut short = words.len() > WORDS;
    while kept.chars().count() > CHARS {
        let Some((head, _)) = kept.rsplit_once(' ') else { return String::new() };
        (kept, short) = (head.to_owned(), true);
    }
    if short { format!("{}…", kept.trim_end_matches(['.', ',', ';', ':'])) } else { kept }
}

#[cfg(test)]
#[path = "phrases_tests.rs"]
mod tests;
