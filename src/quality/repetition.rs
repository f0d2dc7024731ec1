//! Repetition detection: loops of letters, words, phrases or sentences in a model's output.

use std::collections::BTreeSet;

use crate::text::words::bare_word;

/// Longest loop phrase checked, in words.
const PHRASE: usize = 8;
/// Consecutive repeats of a phrase that count as a loop.
const TIMES: usize = 3;
/// Share of common words from which two sentences count as duplicates.
const ALIKE: f64 = 0.85;

/// Detects "the the the", "to the login to the login to the login", "aaaaaaa", and few words repeated many times.
pub(super) fn is_loop(line: &str) -> bool {
    let words: Vec<String> = line.split_whitespace().map(bare_word).filter(|word| !word.is_empty()).collect();
    let distinct: BTreeSet<&str> = words.iter().map(String::as_str).collect();
    let stale = words.len() >= 8 && distinct.len() * 4 <= words.len();
    stale
        || line.split_whitespace().any(repeats_characters)
        || (1..=PHRASE).any(|length| repeats_phrase(&words, length))
}

fn repeats_phrase(words: &[String], length: usize) -> bool {
    let mut run = 0;
    for at in length..words.len() {
        run = if words[at] == words[at - length] { run + 1 } else { 0 };
        if run >= length * (TIMES - 1) {
            return true;
        }
    }
    false
}

/// A word of one to four repeated characters: letters only, not a ruler or a number.
fn repeats_characters(word: &str) -> bool {
    let chars: Vec<char> = word.chars().collect();
    let repeats = |period: usize| chars.iter().skip(period).zip(&chars).all(|(a, b)| a == b);
    chars.len() > 12 && chars.iter().any(|c| c.is_alphabetic()) && (1..=4).any(repeats)
}

/// Sentences seen so far.
#[derive(Debug, Default)]
pub(super) struct SeenSentences(Vec<(BTreeSet<String>, BTreeSet<String>)>);

impl SeenSentences {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the sentence, unless it duplicates an earlier one with slightly different words but the same names and
    /// numbers.
    pub(super) fn is_new(&mut self, sentence: &str) -> bool {
        let new = words(sentence);
        let is_repeated = self.0.iter().any(|old| {
            let shared = new.0.intersection(&old.0).count() as f64;
            let all = new.0.union(&old.0).count() as f64;
            new.1 == old.1 && shared >= ALIKE * all
        });
        if !is_repeated {
            self.0.push(new);
        }
        !is_repeated
    }
}

/// All words, and the subset that looks like names or numbers.
fn words(sentence: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut all = BTreeSet::new();
    let mut names = BTreeSet::new();
    for word in sentence.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '`');
        let inner = bare.trim_matches('`');
        let named = bare.contains('`') || inner.contains(|c: char| c.is_numeric() || "_./:".contains(c));
        if named {
            names.insert(inner.to_owned());
        }
        all.insert(inner.to_lowercase());
    }
    (all, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_told_from_lists_and_emphasis() {
        for text in [
            "the the the",
            "adds a retry to the login to the login to the login",
            "aaaaaaaaaaaaaaaaa",
            "hahahahahahahaha now",
            "a b a b a b a b",
        ] {
            assert!(is_loop(text), "{text}");
        }
        for text in [
            "Adds a retry to the login, to the logout and to the session.",
            "Bumps a from 1 to 2, b from 1 to 2 and c from 2 to 3.",
            "Very, very slow tests are skipped.",
            "Prints a ruler of ======================== below.",
            "Pads to 0000000000000000 digits.",
        ] {
            assert!(!is_loop(text), "{text}");
        }
    }

    #[test]
    fn near_copies_are_found_and_other_things_are_not_copies() {
        let mut sentences = SeenSentences::default();
        assert!(sentences.is_new("Adds a retry to the login flow of the client."));
        assert!(!sentences.is_new("Adds a retry to the login flow of the client!"));
        assert!(!sentences.is_new("It adds a retry to the login flow of the client."));
        assert!(sentences.is_new("Removes the login flow."));
        assert!(sentences.is_new("Adds `a` to the login flow.") && sentences.is_new("Adds `b` to the login flow."));
        assert_eq!(sentences.len(), 4);
    }
}
