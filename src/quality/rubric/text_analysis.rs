//! Text analysis for scoring: words, names, sentences.

use std::collections::BTreeSet;

use crate::quality::spans;
use crate::text::identifiers::split_words;
use crate::text::sentences;
use crate::text::stem::stem;

/// Longest text scored, in bytes.
const INPUT: usize = 512 * 1024;

/// The analysed content of a text.
#[derive(Debug)]
pub(super) struct TextAnalysis<'a> {
    pub text: &'a str,
    pub sentences: Vec<&'a str>,
    /// As written, in order, without surrounding punctuation.
    pub words: Vec<&'a str>,
    /// Names from code: in backticks, or recognisable by form.
    pub names: Vec<&'a str>,
    /// Every identifier, in lower case.
    identifiers: BTreeSet<String>,
    /// Stems of all words and of all parts of identifiers.
    stems: BTreeSet<String>,
}

impl<'a> TextAnalysis<'a> {
    pub fn of(text: &'a str) -> Self {
        let text = text[..text.floor_char_boundary(INPUT)].trim();
        let is_mark = |c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$');
        let words = text.split_whitespace().map(|word| word.trim_matches(is_mark)).filter(|word| !word.is_empty());
        let identifiers = segments(text).map(str::to_lowercase).collect();
        let stems = segments(text).flat_map(split_words).map(|part| stem(&part)).collect();
        Self { text, sentences: sentences::split(text), words: words.collect(), names: names(text), identifiers, stems }
    }

    /// Degree to which a name is mentioned: full where its last part occurs, else the share of its words.
    pub fn mention_share(&self, name: &str) -> f64 {
        /// Weight of a name's words without the name itself.
        const IN_WORDS: f64 = 0.8;
        let Some(last) = segments(name).filter(|part| part.len() > 1).last() else { return 0.0 };
        if self.identifiers.contains(&last.to_lowercase()) {
            return 1.0;
        }
        IN_WORDS * self.mentioned_words(last)
    }

    /// The share of the content words that the text also has.
    pub fn mentioned_words(&self, text: &str) -> f64 {
        let wanted = content(text);
        let found = wanted.iter().filter(|word| self.stems.contains(*word)).count();
        super::share(found as f64, wanted.len() as f64, 0.0)
    }

    pub fn has_word(&self, word: &str) -> bool {
        self.identifiers.contains(word)
    }
}

/// Identifiers and numbers, without their joiners.
pub(super) fn segments(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$')).filter(|part| !part.is_empty())
}

/// Stop words for changes.
const EMPTY: &[&str] = &[
    "this", "that", "with", "from", "into", "when", "then", "than", "them", "they", "their", "there", "these", "those",
    "have", "been", "were", "will", "would", "should", "could", "also", "only", "some", "more", "most", "such", "each",
    "which", "while", "where", "what", "because", "commit", "change", "changes", "file", "files", "code", "adds",
    "added", "removes", "removed", "fixes", "fixed", "update", "updates", "updated", "uses", "used", "make", "makes",
    "the", "and", "for", "not", "are", "was", "has", "its", "can", "add", "fix", "use", "now", "all", "out", "get",
];

/// Stems of the content words: three letters and more, parts of names included.
pub(super) fn content(text: &str) -> BTreeSet<String> {
    segments(text)
        .flat_map(split_words)
        .filter(|part| part.chars().count() >= 3 && !EMPTY.contains(&part.as_str()))
        .filter(|part| part.chars().any(char::is_alphabetic))
        .map(|part| stem(&part))
        .collect()
}

fn names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for span in spans::split_spans(text) {
        match span {
            spans::LineSpan::Code(code) => names.extend(code.trim_matches('`').split_whitespace()),
            spans::LineSpan::Prose(prose) => names.extend(prose.split_whitespace().map(trimmed).filter(|w| is_name(w))),
        }
    }
    names.retain(|name| name.chars().any(char::is_alphabetic));
    names
}

fn trimmed(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '(' | ')' | '$')).trim_matches(['(', ')'])
}

/// Recognisable as code: `snake_case`, `a::b`, `src/a.rs`, `camelCase`.
fn is_name(word: &str) -> bool {
    let camel = word.starts_with(char::is_lowercase) && word.chars().any(char::is_uppercase);
    let dotted = word.split('.').count() == 2 && word.split('.').all(|part| part.len() > 1) && !word.contains("e.g");
    camel || dotted || word.contains('_') || word.contains("::") || word.matches('/').count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_words_and_parts_are_found() {
        let analysis = TextAnalysis::of("Adds `Router::choose` and moves read_lines to src/io.rs, e.g. for iOS.");
        assert_eq!(analysis.names, ["Router::choose", "read_lines", "src/io.rs", "iOS"]);
        assert!((analysis.mention_share("choose") - 1.0).abs() < 1e-9);
        assert!((analysis.mention_share("line_reader") - 0.8).abs() < 1e-9);
        assert!((analysis.mention_share("line_writer") - 0.4).abs() < 1e-9);
        assert!((analysis.mention_share("nothing_here")).abs() < 1e-9);
    }
}
