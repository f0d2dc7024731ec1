//! Contradiction check: claims about increase, decrease, continuation or absence that the patch contradicts.

use super::claims::{self, Claim};
use super::lexicon::{Lexicon, SideSet};
use super::token::{SentenceToken, TokenKind};
use super::words;
use crate::text::words::WordList;
use crate::word_list;

/// The first word of a sentence that the patch contradicts.
pub fn find_contradiction<'a>(sentence: &[SentenceToken<'a>], lexicon: &Lexicon) -> Option<&'a str> {
    if lexicon.partial {
        return None;
    }
    let low: Vec<String> = sentence.iter().map(SentenceToken::low).collect();
    let word = |at: usize| sentence.get(at).map(|token| token.text);
    let claims = claims::extract_claims(sentence);
    let at = (0..sentence.len())
        .find(|at| is_given_up(*at, &low, sentence, lexicon) || is_removed_subject(*at, &low, sentence, lexicon))
        .or_else(|| claims.iter().find_map(|claim| wrong_way(*claim, &low, sentence)))
        .or_else(|| (0..sentence.len()).find(|at| is_elsewhere(*at, &low, sentence, lexicon)))
        .or_else(|| (0..sentence.len()).find(|at| is_set_back(*at, &low, sentence, lexicon)))
        .or_else(|| of_another_kind(&low, lexicon))?;
    word(at)
}

/// "Moves `gone`", "Renames `gone` to `kept`": the first was not replaced, and the second existed before.
fn is_elsewhere(at: usize, low: &[String], sentence: &[SentenceToken<'_>], lexicon: &Lexicon) -> bool {
    let verb = low.get(at).map_or("", String::as_str);
    let symbol = |at: usize| {
        let token = sentence.get(at).filter(|token| token.kind == TokenKind::Code)?;
        Some((lexicon.symbol_of(&token.low()), lexicon.is_kept(&token.low())))
    };
    let one_sided = |at: usize| symbol(at).is_some_and(|(sides, _)| sides.is_removed() || sides.is_added());
    match verb {
        "moves" | "moved" | "move" => one_sided(at + 1),
        "renames" | "renamed" | "rename" => {
            let to = (at + 2..at + 5).find(|to| low.get(*to).is_some_and(|word| word == "to"));
            let kept = |at: usize| symbol(at).is_some_and(|(_, kept)| kept);
            kept(at + 1) || to.is_some_and(|to| kept(to + 1))
        }
        _ => false,
    }
}

/// "Sets x to 30", where 30 is the old value.
fn is_set_back(at: usize, low: &[String], sentence: &[SentenceToken<'_>], lexicon: &Lexicon) -> bool {
    let before = at.checked_sub(1).and_then(|to| low.get(to)).is_some_and(|word| word == "to");
    let number = sentence.get(at).is_some_and(|token| token.kind == TokenKind::Number);
    let sets = low.iter().take(at).any(|word| SETS.contains(&word.as_str()));
    let sides = || low.get(at).map(|number| lexicon.number(number)).unwrap_or_default();
    before && number && sets && sides().is_removed() && !sides().has(SideSet::CONTEXT) && !sides().has(SideSet::AUTHOR)
}

static SETS: WordList = word_list!("contradictions_sets");

/// A claimed merge, revert, test or documentation change that did not happen.
fn of_another_kind(low: &[String], lexicon: &Lexicon) -> Option<usize> {
    let word = |at: usize| low.get(at).map_or("", String::as_str);
    let near = |words: &[&str]| (1..5).find(|at| words.contains(&word(*at)));
    match word(0) {
        "merges" | "merged" if !lexicon.kinds.merge => {
            near(&["branch", "branches"]).filter(|_| !lexicon.is_author_word("merg"))
        }
        "reverts" | "reverted" if !lexicon.is_author_word("revert") => near(&["commit", "commits"]),
        "adds" | "added" | "updates" | "updated" | "extends" | "expands" | "improves" => {
            let tests = near(&["test", "tests"]).filter(|_| !lexicon.kinds.tests && !lexicon.has_stem("test"));
            let words = near(&["documentation", "docs", "readme"]).filter(|_| !lexicon.kinds.words);
            tests.or(words.filter(|_| !lexicon.has_stem("doc") && !lexicon.has_stem("readm")))
        }
        _ => None,
    }
}

/// "no longer retries", where only added lines have the word.
fn is_given_up(at: usize, low: &[String], sentence: &[SentenceToken<'_>], lexicon: &Lexicon) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| low.get(at)).map_or("", String::as_str);
    let given_up = before(1) == "longer" && before(2) == "no";
    let prose = sentence.get(at).is_some_and(|token| token.kind == TokenKind::Prose && token.text.chars().count() > 3);
    let in_author_text = low.get(at).is_some_and(|word| lexicon.author_text().contains(word.as_str()));
    // A changed comment may state it.
    let in_comments = low.get(at).is_some_and(|word| lexicon.is_human_word(&words::stem(word)));
    given_up
        && prose
        && !in_author_text
        && !in_comments
        && low.get(at).is_some_and(|word| lexicon.word(word).is_added())
}

/// "`gone` now supports": removed code cannot do anything.
fn is_removed_subject(at: usize, low: &[String], sentence: &[SentenceToken<'_>], lexicon: &Lexicon) -> bool {
    let next = low.get(at + 1).map_or("", String::as_str);
    let thing = sentence.get(at).filter(|token| token.kind == TokenKind::Code && token.after.is_none());
    let is_removed = thing.is_some_and(|token| lexicon.symbol_of(&token.low()).is_removed());
    let after_next = low.get(at + 2).map_or("", String::as_str);
    is_removed && (GOES_ON.contains(&next) || (next == "now" && GOES_ON.contains(&after_next)))
}

/// Verbs that require an existing subject.
static GOES_ON: WordList = word_list!("contradictions_goes_on");

/// "Raises x from 60 to 30".
fn wrong_way(claim: Claim, low: &[String], sentence: &[SentenceToken<'_>]) -> Option<usize> {
    let Claim::Became(old, new) = claim else { return None };
    let number = |at: usize| -> Option<f64> {
        sentence.get(at).filter(|token| token.kind == TokenKind::Number)?;
        low.get(at)?.replace(['_', ','], "").parse().ok()
    };
    let (before, after) = (number(old)?, number(new)?);
    // Quantities with units are not compared.
    let unit = |at: usize| low.get(at + 1).map_or("", String::as_str);
    if !matches!(unit(old), "to" | "into" | "\u{2192}" | "->") && unit(old) != unit(new) {
        return None;
    }
    let verb = low.get(..old)?.iter().rev().take(8).find_map(|word| raises_or_lowers(word))?;
    ((verb && after < before) || (!verb && after > before)).then_some(new)
}

/// Direction of a value change.
fn raises_or_lowers(word: &str) -> Option<bool> {
    match word {
        "raise" | "raises" | "raised" | "raising" | "increase" | "increases" | "increased" | "increasing"
        | "doubles" => Some(true),
        "lower" | "lowers" | "lowered" | "lowering" | "reduce" | "reduces" | "reduced" | "reducing" | "decrease"
        | "decreases" | "decreased" | "decreasing" | "halves" | "cuts" => Some(false),
        _ => None,
    }
}
