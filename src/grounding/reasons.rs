//! Reason check: a patch does not show why a change was made or how good it is, so the author must have stated it.

use super::lexicon::Lexicon;
use super::token::{SentenceToken, TokenKind};
use super::words;
use crate::phrase_list;
use crate::text::words::{PhraseList, WordList};
use crate::word_list;

/// An unsupported clause: its start offset (bytes) and its first words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedReason {
    pub from: usize,
    pub words: String,
}

/// The first reason in the sentence that the author did not state.
pub fn find_unsupported(sentence: &str, tokens: &[SentenceToken<'_>], lexicon: &Lexicon) -> Option<UnsupportedReason> {
    // Quoted text is attributed by the quote check.
    let word = |token: &SentenceToken<'_>| if token.kind == TokenKind::Quote { String::new() } else { token.low() };
    let low: Vec<String> = tokens.iter().map(word).collect();
    let low: Vec<&str> = low.iter().map(String::as_str).collect();
    if let Some(found) = unsupported_verdict(&low, lexicon).or_else(|| unshown_claim(&low, lexicon)) {
        return Some(UnsupportedReason { from: 0, words: found });
    }
    (0..low.len()).find_map(|at| {
        let (length, also) = marker(&low[at..]).filter(|_| !is_action(&low, at))?;
        let clause = &tokens[at + length..];
        let end = clause.iter().position(|token| token.after == Some(';')).map_or(clause.len(), |end| end + 1);
        let is_supported = is_stated(&clause[..end], also, lexicon);
        let from = tokens.get(at).map_or(0, |token| token.at);
        (!is_supported).then(|| UnsupportedReason { from, words: sentence[from..].chars().take(80).collect() })
    })
}

/// "Optimizing the parser", "Linting and optimizing": an action of the commit, unless it claims a quality gain.
fn is_action(low: &[&str], at: usize) -> bool {
    let gerund = |at: usize| low.get(at).is_some_and(|word| word.ends_with("ing"));
    let quality = low.iter().skip(at + 1).take(3).any(|word| QUALITIES.contains(word));
    let leads = at == 0 || (at == 2 && gerund(0) && low.get(1) == Some(&"and"));
    gerund(at) && leads && !quality
}

/// Number of words that introduce a reason here, and the one among them that is part of the claim.
fn marker<'a>(low: &[&'a str]) -> Option<(usize, Option<&'a str>)> {
    let word = |at: usize| low.get(at).copied().unwrap_or("");
    match word(0) {
        "because" | "thereby" | "thus" | "hence" => Some((1, None)),
        "so" if word(1) == "that" => Some((2, None)),
        "so" if word(1) == "as" && word(2) == "to" => Some((3, Some(word(3)))),
        "in" if word(1) == "order" && word(2) == "to" => Some((3, Some(word(3)))),
        "due" if word(1) == "to" => Some((2, None)),
        "since" if matches!(word(1), "it" | "they" | "we" | "this" | "that" | "the" | "there") => Some((2, None)),
        "to" if PURPOSES.contains(&word(1)) => Some((2, Some(word(1)))),
        "which" | "that" if EFFECTS.contains(&word(1)) => Some((2, Some(word(1)))),
        "for" if QUALITIES.contains(&word(1)) => Some((1, None)),
        gerund if low.len() > 1 && GERUNDS.contains(&gerund) => Some((1, Some(gerund))),
        verb if IMPROVES.contains(&verb) && QUALITIES.contains(&word(1)) => Some((1, None)),
        _ => None,
    }
}

/// Whether the author used at least half of the content words; the effect itself counts as one.
fn is_stated(clause: &[SentenceToken<'_>], effect: Option<&str>, lexicon: &Lexicon) -> bool {
    let text: Vec<&str> = clause.iter().map(|token| token.text).collect();
    let mut stems = words::stems(&text.join(" "));
    stems.truncate(MOST);
    let supported = stems.iter().filter(|stem| lexicon.is_human_word(stem)).count();
    if stems.is_empty() {
        return effect.is_none_or(|effect| lexicon.is_human_word(&words::stem(effect)));
    }
    supported * 2 >= stems.len()
}

/// A reason is checked by its first words.
const MOST: usize = 12;

/// Correctness is not visible in a patch: only the author can claim it.
fn unsupported_verdict(low: &[&str], lexicon: &Lexicon) -> Option<String> {
    let line = format!(" {} ", low.join(" "));
    let found = VERDICTS.iter().find(|verdict| line.contains(&format!(" {verdict} ")))?;
    let is_supported =
        words::stems(found).iter().all(|stem| lexicon.is_author_word(stem)) && !words::stems(found).is_empty();
    (!is_supported).then(|| (*found).to_owned())
}

/// Severe or precise claims must occur in the commit: only words can show that a change fixes a vulnerability.
fn unshown_claim(low: &[&str], lexicon: &Lexicon) -> Option<String> {
    let line = format!(" {} ", low.join(" "));
    let found = SHOWN.iter().find(|words| {
        line.contains(&format!(" {words} ")) && !words::stems(words).iter().all(|stem| lexicon.has_stem(stem))
    })?;
    Some((*found).to_owned())
}

static SHOWN: PhraseList = phrase_list!("reasons_shown");

static VERDICTS: PhraseList = phrase_list!("reasons_verdicts");

static PURPOSES: WordList = word_list!("reasons_purposes");
static EFFECTS: WordList = word_list!("reasons_effects");
static GERUNDS: WordList = word_list!("reasons_gerunds");
static IMPROVES: WordList = word_list!("reasons_improves");
static QUALITIES: WordList = word_list!("reasons_qualities");

#[cfg(test)]
mod tests {
    use super::super::token::tokenize;
    use super::*;

    fn unsupported(message: &str, text: &str) -> Option<String> {
        find_unsupported(text, &tokenize(text), &Lexicon::of_words(&[message])).map(|unsaid| unsaid.words)
    }

    #[test]
    fn a_reason_needs_an_author_as_its_source() {
        let text = "Adds a retry to avoid a panic.";
        assert_eq!(unsupported("wip", text).as_deref(), Some("to avoid a panic."));
        assert_eq!(unsupported("No more panics", text), None);
        assert!(unsupported("wip", "Adds a retry because the server is slow.").is_some());
        assert!(unsupported("wip", "Sorts the list, improving performance.").is_some());
        assert!(unsupported("wip", "Improves performance of the parser.").is_some());
        assert_eq!(unsupported("wip", "Adds a retry to the client."), None);
    }

    #[test]
    fn that_all_is_well_is_the_authors_to_say() {
        assert!(unsupported("wip", "All tests pass.").is_some());
        assert_eq!(unsupported("Make all tests pass", "All tests pass."), None);
    }
}
