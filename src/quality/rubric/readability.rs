//! Readability score: sentences of moderate length, made of words rather than names alone.

use std::collections::BTreeSet;

use super::share;
use super::text_analysis::TextAnalysis;

/// Bounds and weights.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rules {
    /// Words per sentence: comfortable up to the first, unreadable from the second.
    comfortable: f64,
    unreadable: f64,
    /// Share of names among the words: acceptable up to the first, a list from the second.
    names_fine: f64,
    names_list: f64,
    /// Minimum share of function words in a sentence; a list has none.
    small: f64,
    weights: [f64; 5],
    articles: &'static [&'static str],
    prepositions: &'static [&'static str],
    joints: &'static [&'static str],
}

pub(super) const RULES: Rules = Rules {
    comfortable: 25.0,
    unreadable: 60.0,
    names_fine: 0.4,
    names_list: 0.9,
    small: 0.15,
    // Sentence length, share of names, function words, order, repetition.
    weights: [0.2, 0.2, 0.2, 0.25, 0.15],
    articles: &["the", "a", "an", "its", "their"],
    prepositions: &["to", "of", "in", "for", "with", "from", "by", "at", "on", "into", "after", "before", "without"],
    joints: &["and", "or", "that", "when", "if", "is", "are", "so", "as", "which", "instead", "now", "not", "than"],
};

pub(super) fn of(rules: &Rules, analysis: &TextAnalysis<'_>) -> f64 {
    if analysis.words.is_empty() {
        return 0.0;
    }
    let scores = [
        sentence_length(rules, analysis),
        names(rules, analysis),
        small_words(rules, analysis),
        order(rules, analysis),
        freshness(analysis),
    ];
    scores.iter().zip(rules.weights).map(|(score, weight)| score.clamp(0.0, 1.0) * weight).sum()
}

fn falling(value: f64, from: f64, to: f64) -> f64 {
    1.0 - (value - from).max(0.0) / (to - from)
}

fn sentence_length(rules: &Rules, analysis: &TextAnalysis<'_>) -> f64 {
    let longest = analysis.sentences.iter().map(|sentence| sentence.split_whitespace().count()).max().unwrap_or(0);
    falling(longest as f64, rules.comfortable, rules.unreadable)
}

fn names(rules: &Rules, analysis: &TextAnalysis<'_>) -> f64 {
    falling(share(analysis.names.len() as f64, analysis.words.len() as f64, 1.0), rules.names_fine, rules.names_list)
}

/// A short sentence may lack function words; a list of ten names may not.
fn small_words(rules: &Rules, analysis: &TextAnalysis<'_>) -> f64 {
    let lists = [rules.articles, rules.prepositions, rules.joints];
    let is_small = |word: &&&str| lists.iter().any(|list| list.contains(&word.to_lowercase().as_str()));
    let small = analysis.words.iter().filter(is_small).count() as f64;
    let wanted = (rules.small * analysis.words.len() as f64).floor();
    share(small, wanted, 1.0)
}

/// Position of function words: an article or preposition must be followed by something, and not by another of its kind.
fn order(rules: &Rules, analysis: &TextAnalysis<'_>) -> f64 {
    let lower: Vec<String> = analysis.text.split_whitespace().map(str::to_lowercase).collect();
    let ends = |word: &str| word.ends_with(['.', ',', ';', '!', '?', ':']);
    let (mut joints, mut bad) = (0usize, 0usize);
    for (at, word) in lower.iter().enumerate() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let article = rules.articles.contains(&bare);
        if !article && !rules.prepositions.contains(&bare) {
            let stops_inside =
                word.ends_with('.') && lower.get(at + 1).is_some() && !starts_large(analysis.text, at + 1);
            bad += usize::from(stops_inside);
            joints += usize::from(stops_inside);
            continue;
        }
        joints += 1;
        let next = lower.get(at + 1).map(|next| next.trim_matches(|c: char| !c.is_alphanumeric()));
        let clash = next.is_none_or(|next| {
            rules.prepositions.contains(&next)
                || rules.joints.contains(&next)
                || (article && rules.articles.contains(&next))
        });
        bad += usize::from(clash || ends(word));
    }
    1.0 - share(bad as f64, joints as f64, 0.0) * 2.0
}

fn starts_large(text: &str, at: usize) -> bool {
    text.split_whitespace().nth(at).is_some_and(|word| !word.starts_with(char::is_lowercase))
}

/// Share of content words that occur once.
fn freshness(analysis: &TextAnalysis<'_>) -> f64 {
    let telling: Vec<String> =
        analysis.words.iter().map(|word| word.to_lowercase()).filter(|word| word.chars().count() > 3).collect();
    let distinct: BTreeSet<&String> = telling.iter().collect();
    let fresh = share(distinct.len() as f64, telling.len() as f64, 1.0);
    // One or two repeated words are normal in any text.
    (fresh - 0.4) / 0.5
}
