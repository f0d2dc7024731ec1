//! Format score: one plain paragraph of sentences in the expected language, about the change and nothing else.

use super::text_analysis::TextAnalysis;
use crate::quality::expected::ExpectedStyle;
use crate::quality::{chatter, markdown, marks, preamble, reasoning, repetition};
use crate::text::fences::ends_in_code;

/// Deduction per violation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rules {
    most_sentences: usize,
    least_words: usize,
    lines: f64,
    sentences: f64,
    beginning: f64,
    ending: f64,
    fragment: f64,
    markdown: f64,
    first_person: f64,
    praise: f64,
    chatter: f64,
    foreign: f64,
    title: f64,
    persons: &'static [&'static str],
    praises: &'static [&'static str],
}

pub(super) const RULES: Rules = Rules {
    most_sentences: 3,
    least_words: 3,
    lines: 0.3,
    sentences: 0.2,
    beginning: 0.15,
    ending: 0.2,
    fragment: 0.3,
    markdown: 0.3,
    first_person: 0.2,
    praise: 0.3,
    chatter: 0.4,
    foreign: 0.8,
    title: 0.3,
    persons: &["i", "we", "my", "our", "me", "us", "i'm", "i've", "we've", "let's"],
    praises: &[
        "great", "robust", "robustness", "seamless", "seamlessly", "elegant", "elegantly", "powerful", "awesome",
        "amazing", "excellent", "exciting", "significantly", "greatly", "vastly", "enhance", "enhances", "enhancing",
        "enhancement", "streamline", "streamlines", "leverage", "leverages", "cutting-edge", "best-in-class",
        "blazing", "effortless", "effortlessly", "beautiful", "clever", "drastically", "overall", "maintainability",
        "experience", "state-of-the-art", "impressive", "nice", "cleaner", "world-class", "revolutionary", "delve",
    ],
};

/// For a summary; `author` is the author's own text.
pub(super) fn of(rules: &Rules, analysis: &TextAnalysis<'_>, author: &str) -> f64 {
    if analysis.words.is_empty() {
        return 0.0;
    }
    let lines = analysis.text.lines().filter(|line| !line.trim().is_empty()).count();
    let off = |breach: bool, marks: f64| if breach { marks } else { 0.0 };
    1.0 - off(lines > 1, rules.lines)
        - off(analysis.sentences.len() > rules.most_sentences, rules.sentences)
        - off(analysis.words.len() < rules.least_words, rules.fragment)
        - off(!begins(analysis.text), rules.beginning)
        - off(!analysis.text.ends_with(['.', '!', '?', '\u{3002}']), rules.ending)
        - off(is_marked_up(analysis.text), rules.markdown)
        - off(has(analysis, rules.persons) && !has(&TextAnalysis::of(author), rules.persons), rules.first_person)
        - off(has(analysis, rules.praises) && !has(&TextAnalysis::of(author), rules.praises), rules.praise)
        - off(is_chatter(analysis), rules.chatter)
        - off(ExpectedStyle::of(author).is_foreign(analysis.text), rules.foreign)
}

/// For a draft: Markdown with a title, without the same violations.
pub(super) fn of_document(rules: &Rules, analysis: &TextAnalysis<'_>) -> f64 {
    if analysis.words.is_empty() {
        return 0.0;
    }
    let off = |breach: bool, marks: f64| if breach { marks } else { 0.0 };
    1.0 - off(analysis.text.contains('\n') && !analysis.text.starts_with('#'), rules.title)
        - off(ends_in_code(analysis.text), rules.markdown)
        - off(has(analysis, rules.praises), rules.praise)
        - off(is_chatter(analysis), rules.chatter)
        - off(ExpectedStyle::default().is_foreign(analysis.text), rules.foreign)
}

fn begins(text: &str) -> bool {
    text.starts_with(|c: char| (c.is_alphanumeric() && !c.is_lowercase()) || matches!(c, '`' | '"' | '\u{201c}'))
}

fn is_marked_up(text: &str) -> bool {
    let line = |line: &str| {
        let line = line.trim();
        marks::without_bullet(line) != line || marks::is_table_line(line) || marks::is_patch_line(line)
    };
    text.lines().any(line) || text.contains("```") || text.lines().any(|line| markdown::plain(line) != line.trim())
}

fn has(analysis: &TextAnalysis<'_>, list: &[&str]) -> bool {
    analysis.words.iter().any(|word| list.contains(&word.to_lowercase().as_str()))
}

fn is_chatter(analysis: &TextAnalysis<'_>) -> bool {
    preamble::without_preamble(analysis.text).len() < analysis.text.len() && !analysis.text.contains("::")
        || repetition::is_loop(analysis.text)
        || analysis.sentences.iter().any(|sentence| {
            chatter::is_aside(sentence) || chatter::is_refusal(sentence) || reasoning::is_reasoning(sentence)
        })
}
