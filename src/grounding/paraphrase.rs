//! Paraphrase check: whether a sentence of a draft only restates what one of its sources says.
//!
//! A model that condenses its sources invents by new words, by turned negations and conditions, and by joining words
//! that belong to different statements. So each content word must be in the source with the same operator before it
//! (`not`, `if`, `because`, `only` …), and neighbours must be neighbours there, in the same order.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::words::{self, stem};
use super::{Fault, Grounded, GroundingCheck, Ungrounded};
use crate::text::sentences;
use crate::text::words::{WordList, parse_phrases};
use crate::word_list;

/// Words of a source that may lie between two words that are neighbours in the paraphrase.
const GAP: usize = 4;
/// One pair of neighbours in so many may be new: where two statements of the source are joined.
const PAIRS_PER_JOINT: usize = 5;
/// A sentence with fewer content words says too little to be checked.
const LEAST_WORDS: usize = 3;

/// Words that limit, negate or connect, by their class.
static OPERATORS: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| pairs(include_str!("../text/words/paraphrase_operators.txt")));
/// Words that stand for one another, by their base word.
static BASES: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| pairs(include_str!("../text/words/paraphrase_verbs.txt")));
static NEUTRAL: WordList = word_list!("paraphrase_neutral");

fn pairs(text: &'static str) -> HashMap<&'static str, &'static str> {
    let words: Vec<&str> = parse_phrases(text).into_iter().flat_map(str::split_whitespace).collect();
    words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

/// A content word, with the operators that stand before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Term {
    operators: Vec<&'static str>,
    stem: String,
}

/// A source: the terms of each of its sentences.
#[derive(Debug)]
struct SourceTerms {
    sentences: Vec<Vec<Term>>,
    all: HashSet<Term>,
}

/// The prepared sources of a text.
#[derive(Debug)]
pub struct ParaphraseCheck {
    words: GroundingCheck,
    sources: Vec<SourceTerms>,
    /// Stems that may occur beside the sources' own: of the project's name and the period.
    neutral: HashSet<String>,
}

impl ParaphraseCheck {
    /// `about`: the names of the subject (project, period), which a text may use freely.
    #[must_use]
    pub fn of(sources: &[&str], about: &str) -> Self {
        let all: Vec<&str> = sources.iter().copied().chain([about]).collect();
        Self {
            words: GroundingCheck::of_words(&all),
            sources: sources.iter().map(|text| SourceTerms::of(text)).collect(),
            neutral: words::stems(about).into_iter().collect(),
        }
    }

    /// Keeps the sentences that restate one source.
    #[must_use]
    pub fn check(&self, text: &str) -> Grounded {
        self.keep(text, |sentence| match terms(sentence) {
            terms if terms.len() < LEAST_WORDS => Some(String::new()),
            terms => self.find_foreign(&terms),
        })
    }

    /// Keeps the sentences that enumerate: each part between commas and conjunctions restates one source.
    #[must_use]
    pub fn check_summary(&self, text: &str) -> Grounded {
        self.keep(text, |sentence| {
            let stated = |part: &str| -> Vec<Term> {
                let free = |term: &Term| self.neutral.contains(&term.stem) || NEUTRAL.contains(term.stem.as_str());
                terms(part).into_iter().filter(|term| !free(term)).collect()
            };
            // "lexer and parser" may be one source's; its parts alone are too short to tell.
            let all = stated(sentence);
            let whole = self.find_foreign(&all).or_else(|| all.is_empty().then(String::new))?;
            let parts = parts_of(sentence).into_iter().map(stated).filter(|terms| !terms.is_empty());
            let mut faults = parts.filter_map(|terms| self.find_foreign(&terms));
            faults.next().map(|part| if part.is_empty() { whole } else { part })
        })
    }

    fn keep(&self, text: &str, find: impl Fn(&str) -> Option<String>) -> Grounded {
        let (mut kept, mut faults) = (Vec::new(), Vec::new());
        for sentence in sentences::split(text) {
            let grounded = self.words.check(sentence, &|_| false);
            let unsupported = || {
                find(sentence).map(|word| Ungrounded { sentence: sentence.to_owned(), word, fault: Fault::Unsupported })
            };
            match grounded.faults.into_iter().next().or_else(unsupported) {
                Some(fault) => faults.push(fault),
                None => kept.push(sentence),
            }
        }
        Grounded { text: (!kept.is_empty()).then(|| kept.join(" ")), faults }
    }

    /// What no source says: the first word, or the first two, by the source that says most of it.
    fn find_foreign(&self, terms: &[Term]) -> Option<String> {
        let mut best: Option<(usize, String)> = None;
        for source in &self.sources {
            let (known, fault) = source.compare(terms);
            let fault = fault?;
            if best.as_ref().is_none_or(|(most, _)| known > *most) {
                best = Some((known, fault));
            }
        }
        Some(best.map_or_else(String::new, |(_, fault)| fault))
    }
}

impl SourceTerms {
    fn of(text: &str) -> Self {
        let sentences: Vec<Vec<Term>> = statements(text).iter().map(|sentence| terms(sentence)).collect();
        let all = sentences.iter().flatten().cloned().collect();
        Self { sentences, all }
    }

    /// How many of the terms the source has, and what of them it does not say.
    fn compare(&self, terms: &[Term]) -> (usize, Option<String>) {
        let known = terms.iter().filter(|term| self.all.contains(*term)).count();
        if let Some(foreign) = terms.iter().find(|term| !self.all.contains(*term)) {
            return (known, Some(foreign.to_string()));
        }
        let mut joints = terms.windows(2).filter(|pair| !self.has_neighbours(&pair[0], &pair[1]));
        let allowed = (terms.len() / PAIRS_PER_JOINT).max(1);
        let joint = joints.clone().next().map(|pair| format!("{} {}", pair[0], pair[1]));
        (known, joint.filter(|_| joints.nth(allowed).is_some()))
    }

    fn has_neighbours(&self, one: &Term, next: &Term) -> bool {
        self.sentences.iter().any(|terms| {
            let places = terms.iter().enumerate().filter(|(_, term)| *term == one);
            places.into_iter().any(|(at, _)| terms[at + 1..].iter().take(GAP).any(|term| term == next))
        })
    }
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.operators.iter().try_for_each(|operator| write!(f, "{operator} "))?;
        f.write_str(&self.stem)
    }
}

/// The content words of a sentence in their order. An operator belongs to the next content word.
fn terms(sentence: &str) -> Vec<Term> {
    let mut found = Vec::new();
    let mut operators: Vec<&'static str> = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '\'' | '\u{2019}');
    for word in sentence.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()) {
        let low = word.to_lowercase().replace('\u{2019}', "'");
        let low = low.trim_matches('\'');
        if let Some(class) = OPERATORS.get(low) {
            operators.push(class);
            continue;
        }
        for part in words::split_parts(low.trim_end_matches("'s")) {
            if part.chars().count() < 3 || words::is_stop(part) {
                continue;
            }
            let base = BASES.get(part).copied().unwrap_or(part);
            let stem = stem(base);
            let stem = BASES.get(stem.as_str()).map_or(stem.clone(), |base| words::stem(base));
            operators.sort_unstable();
            operators.dedup();
            found.push(Term { operators: std::mem::take(&mut operators), stem });
        }
    }
    found
}

/// The sentences of a message: list items and paragraphs are apart.
fn statements(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = vec![String::new()];
    for line in text.lines().map(str::trim) {
        let item = line.starts_with(['-', '*', '#', '>', '|']);
        if line.is_empty() || item {
            blocks.push(String::new());
        }
        if let Some(block) = blocks.last_mut() {
            block.push_str(line);
            block.push(' ');
        }
    }
    blocks.iter().flat_map(|block| sentences::split(block)).map(str::to_owned).collect()
}

/// The parts of an enumeration.
fn parts_of(sentence: &str) -> Vec<&str> {
    sentence.split([',', ';', ':']).flat_map(|part| part.split(" and ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "fix(types): don't constrain component $el type to Element\n\n\
        Custom renderers have host nodes that aren't DOM elements, so they can't type `$el` without laundering.\n\n\
        Relax the `TypeEl` bound to unconstrained. Abort if the instance folder cannot be created.";

    fn kept(text: &str) -> Option<String> {
        ParaphraseCheck::of(&[SOURCE], "uro").check(text).text
    }

    #[test]
    fn a_sentence_in_the_sources_words_and_order_is_kept() {
        for text in [
            "Relaxed the `TypeEl` bound to unconstrained.",
            "Custom renderers had host nodes that weren't DOM elements.",
            "Aborted when the instance folder could not be created.",
            "Relaxed the `TypeEl` bound, because custom renderers have host nodes that aren't DOM elements.",
        ] {
            let expected = (!text.contains("because")).then(|| text.to_owned());
            assert_eq!(kept(text), expected, "{text}");
        }
    }

    #[test]
    fn new_words_turned_operators_and_other_neighbours_are_not() {
        for text in [
            "Relaxed the `TypeEl` bound to improve stability.",
            "Custom renderers have host nodes that are DOM elements.",
            "Aborted because the instance folder could not be created.",
            "Aborted when the instance folder could be created.",
            "The DOM elements relaxed the component type of custom renderers.",
            "Constrained the component $el type to Element.",
            "Relaxed.",
        ] {
            assert_eq!(kept(text), None, "{text}");
        }
    }

    #[test]
    fn a_sentence_that_mixes_two_sources_is_kept_in_a_summary_alone() {
        let check = ParaphraseCheck::of(&["feat: list dead jobs", "fix: give an expired lease back"], "harbour, March");
        let text = "Harbour listed dead jobs and gave an expired lease back.";
        assert_eq!(check.check(text).text, None);
        assert_eq!(check.check_summary(text).text.as_deref(), Some(text));
        assert_eq!(check.check_summary("Harbour gave dead jobs back and listed an expired lease.").text, None);
    }

    #[test]
    fn what_was_not_kept_is_named() {
        let faults =
            ParaphraseCheck::of(&[SOURCE], "").check("Relaxed the `TypeEl` bound for speed and safety.").faults;
        assert_eq!(faults[0].word, "speed");
        assert_eq!(faults[0].fault, Fault::Unsupported);
    }
}
