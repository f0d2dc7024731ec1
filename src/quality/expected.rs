//! Expected style of an answer, derived from its author's text: language, script, prefix, first person.

use crate::text::words::WordList;
use crate::word_list;
use std::collections::BTreeSet;

use unicode_script::{Script, UnicodeScript as _};

use super::spans;
use crate::facts::subject::SubjectLine;

/// Minimum letters for language detection.
const LETTERS: usize = 20;
/// Confidence from which the detector is trusted, where no word of the text is English.
const CONFIDENT: f64 = 0.9;

/// Styles that the author's text allows. The default is plain English, for an author without text.
#[derive(Debug, Clone, Default)]
pub struct ExpectedStyle {
    /// The type of the author's conventional prefix, in lower case.
    prefix: Option<String>,
    /// The text before the first colon of the author's subject, in lower case.
    label: Option<String>,
    /// The author's words, in lower case.
    words: BTreeSet<String>,
    /// Scripts other than Latin that the author writes.
    scripts: Vec<Script>,
    /// The author writes in a language other than English that uses Latin letters.
    foreign: bool,
    /// The author writes in the first person ("I" or "we").
    first_person: bool,
}

impl ExpectedStyle {
    /// Derives the style from a commit's message or a note.
    #[must_use]
    pub fn of(author: &str) -> Self {
        let subject = author.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
        let words: BTreeSet<String> = words(author).map(str::to_lowercase).collect();
        let mut scripts: Vec<Script> = Vec::new();
        for script in author.chars().map(|c| c.script()).filter(|script| is_other(*script)) {
            if !scripts.contains(&script) {
                scripts.push(script);
            }
        }
        Self {
            prefix: SubjectLine::parse(subject).prefix.map(|prefix| prefix.kind),
            label: subject.split_once(':').map(|(label, _)| label.trim().to_lowercase()),
            foreign: is_foreign_latin(&prose(author, &BTreeSet::new())),
            first_person: ["i", "we", "i'm", "we're", "our", "my"].iter().any(|word| words.contains(*word)),
            scripts,
            words,
        }
    }

    /// Whether the author used this kind of conventional prefix.
    pub(super) fn has_prefix(&self, kind: &str) -> bool {
        self.prefix.as_deref() == Some(kind)
    }

    /// Whether the line begins with the author's own label: otherwise `output: …` is a preamble.
    pub(super) fn has_label_of(&self, line: &str) -> bool {
        let label = line.split_once(':').map(|(label, _)| label.trim().to_lowercase());
        self.label.is_some() && self.label == label
    }

    pub(super) fn has_first_person(&self) -> bool {
        self.first_person
    }

    /// Whether the text is in a language or script that is neither English nor the author's. Code, quoted words and the
    /// author's own words are ignored, and so are texts too short for detection.
    #[must_use]
    pub fn is_foreign(&self, text: &str) -> bool {
        let prose = prose(text, &self.words);
        let mut other = prose.split_whitespace().filter(|word| self.is_other_script(word));
        other.next().is_some() || (!self.foreign && self.scripts.is_empty() && is_foreign_latin(&prose))
    }

    /// A word in an unexpected script, or one that mixes look-alike letters.
    fn is_other_script(&self, word: &str) -> bool {
        let count = |wanted: fn(Script) -> bool| word.chars().filter(|c| wanted(c.script())).count();
        let other = word.chars().filter(|c| is_other(c.script()) && !self.scripts.contains(&c.script())).count();
        let mixed = count(|script| matches!(script, Script::Cyrillic | Script::Armenian | Script::Cherokee)) > 0
            && count(|script| script == Script::Latin) > 0;
        let styled = word.chars().filter(|c| ('\u{1d400}'..='\u{1d7ff}').contains(c)).count();
        let wide = word.chars().any(|c| is_other(c.script()) && u32::from(c) >= 0x1100);
        mixed
            || styled > 1
            || (other > 1 && !self.scripts.contains(&Script::Unknown))
            || (other == 1 && wide) && !self.scripts_hold(word)
    }

    fn scripts_hold(&self, word: &str) -> bool {
        word.chars().filter(|c| is_other(c.script())).all(|c| self.scripts.contains(&c.script()))
    }
}

/// Letters not used in English text. Greek ones are units and names of mathematics.
fn is_other(script: Script) -> bool {
    !matches!(script, Script::Latin | Script::Common | Script::Inherited | Script::Greek | Script::Unknown)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '\u{2019}')).filter(|word| !word.is_empty())
}

/// Words that are neither code nor quoted nor the author's.
fn prose(text: &str, known: &BTreeSet<String>) -> String {
    let text = spans::prose(text);
    let mut kept = Vec::new();
    for (at, piece) in text.split(['"', '\u{201c}', '\u{201d}']).enumerate() {
        let quoted = at % 2 == 1;
        let plain = piece.split_whitespace().filter(|word| !quoted && !is_code(word));
        kept.extend(plain.filter(|word| !words(word).all(|part| known.contains(&part.to_lowercase()))));
    }
    kept.join(" ")
}

/// A path, a name from code, a number, an abbreviation: without a language.
fn is_code(word: &str) -> bool {
    let bare =
        word.trim_matches(|c: char| matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '(' | ')' | '\'' | '\u{2026}'));
    let inner_capital = bare.chars().skip(1).any(|c| c.is_ascii_uppercase());
    inner_capital || bare.contains(|c: char| c.is_ascii_digit() || "_/\\.:@#=<>{}[]()$*+~|&%".contains(c))
}

/// Frequent English words, and first words of change descriptions.
static ENGLISH: WordList = word_list!("expected_english");

/// Frequent words of other languages that do not occur in English.
static FOREIGN: WordList = word_list!("expected_foreign");

fn is_foreign_latin(prose: &str) -> bool {
    let letters = prose.chars().filter(|c| c.is_alphabetic()).count();
    if letters < LETTERS {
        return false;
    }
    let words: Vec<String> = words(prose).map(str::to_lowercase).collect();
    let count = |list: &WordList| words.iter().filter(|word| list.contains(&word.as_str())).count();
    let (english, foreign) = (count(&ENGLISH), count(&FOREIGN));
    if foreign >= 2 && foreign > english {
        return true;
    }
    english == 0
        && whatlang::detect(prose)
            .is_some_and(|found| found.lang() != whatlang::Lang::Eng && found.confidence() >= CONFIDENT)
}

#[cfg(test)]
#[path = "expected_tests.rs"]
mod tests;
