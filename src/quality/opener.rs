//! Opener removal: "This commit adds …" becomes "Adds …".

use super::expected::ExpectedStyle;
use crate::facts::subject::SubjectLine;
use crate::phrase_list;
use crate::text::words::{PhraseList, WordList};
use crate::word_list;

/// Removable words before the verb.
static ACTORS: PhraseList = phrase_list!("opener_actors");
/// The same in the first person, removed unless the author writes so.
const PERSONS: &[&str] = &["i have", "we have", "i've", "we've", "i", "we"];
/// Introductory clauses, up to their comma.
static CLAUSES: PhraseList = phrase_list!("opener_clauses");
/// Longest clause, in bytes.
const CLAUSE: usize = 90;
/// Verbs of descriptions, in their base form.
static VERBS: WordList = word_list!("opener_verbs");
const ADVERBS: &[&str] = &["also", "now", "simply", "mainly", "primarily", "further", "additionally", "only"];

/// Removes redundant openers and capitalises the first letter; a conventional prefix stays only where the author used
/// the same one.
pub(super) fn direct(sentence: &str, expected: &ExpectedStyle) -> String {
    let sentence = without_prefix(sentence, expected);
    let sentence = without_clause(&sentence);
    let persons: &[&str] = if expected.has_first_person() { &[] } else { PERSONS };
    without_actor(&sentence, &ACTORS).or_else(|| without_actor(&sentence, persons)).unwrap_or(sentence)
}

/// `feat: add …`, a prefix invented by the model.
fn without_prefix(sentence: &str, expected: &ExpectedStyle) -> String {
    let Some(prefix) = SubjectLine::parse(sentence).prefix.filter(|prefix| !expected.has_prefix(&prefix.kind)) else {
        return sentence.to_owned();
    };
    let rest = sentence.split_once(':').map_or("", |(_, rest)| rest.trim_start());
    // `test::run` is a path, and a prefix alone is kept.
    let stands_alone = rest.is_empty() || rest.starts_with(':') || prefix.kind.is_empty();
    if stands_alone { sentence.to_owned() } else { capitalized(rest) }
}

fn without_clause(sentence: &str) -> String {
    let low = sentence.to_lowercase();
    let Some(comma) = sentence.find(',').filter(|at| *at <= CLAUSE && low.len() == sentence.len()) else {
        return sentence.to_owned();
    };
    let clause = &low[..comma];
    let opens = CLAUSES
        .iter()
        .any(|start| clause.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')));
    let about_us = ["diff", "patch", "change", "commit", "provided", "message", "information", "files", "update", "pr"];
    let bare = clause.split_whitespace().count() <= 2 || about_us.iter().any(|word| clause.contains(word));
    let rest = sentence[comma + 1..].trim_start();
    if opens && bare && !clause.contains('`') && !rest.is_empty() { capitalized(rest) } else { sentence.to_owned() }
}

fn without_actor(sentence: &str, actors: &[&str]) -> Option<String> {
    let rest = actors.iter().find_map(|actor| {
        let (start, rest) = sentence.split_at_checked(actor.len())?;
        let whole = start.to_lowercase().replace('\u{2019}', "'") == *actor;
        rest.strip_prefix(' ').filter(|_| whole)
    })?;
    let mut words = rest.split(' ');
    let mut verb = words.next()?;
    if ADVERBS.contains(&verb) {
        verb = words.next()?;
    }
    let verb = verb.trim_end_matches([',', '.', ';']);
    is_verb(verb).then(|| capitalized(rest))
}

fn is_verb(word: &str) -> bool {
    VERBS.iter().any(|verb| {
        let Some(ending) = word.strip_prefix(verb.strip_suffix(['e', 'y']).unwrap_or(verb)) else { return false };
        match verb.chars().last() {
            Some('e') => matches!(ending, "e" | "es" | "ed"),
            Some('y') => matches!(ending, "y" | "ies" | "ied"),
            _ => matches!(ending, "" | "s" | "es" | "ed" | "ped"),
        }
    })
}

/// Capitalises the first letter, unless it begins a name.
pub(super) fn capitalized(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or("");
    let is_name = first.contains(|c: char| "_/:.(".contains(c)) && !first.ends_with('.');
    let mut chars = text.chars();
    match chars.next() {
        Some(c) if c.is_ascii_lowercase() && !is_name => format!("{}{}", c.to_ascii_uppercase(), chars.as_str()),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openers_go_where_a_verb_follows() {
        for text in [
            "This commit adds a retry.",
            "The patch adds a retry.",
            "In this commit, we add a retry.",
            "Based on the provided diff, this commit adds a retry.",
            "I have added a retry.",
            "feat(auth): add a retry.",
            "Overall, this commit adds a retry.",
        ] {
            let direct_text = direct(text, &ExpectedStyle::default());
            let again = direct(&direct_text, &ExpectedStyle::default());
            assert!(["Adds a retry.", "Add a retry.", "Added a retry."].contains(&again.as_str()), "{text}: {again}");
        }
    }

    #[test]
    fn what_only_looks_like_an_opener_stays() {
        for text in [
            "The patch notes list it.",
            "The commit message of a revert is read.",
            "This change is breaking.",
            "This test relies on it.",
            "The author says logins timed out.",
            "Based on `serde`, it parses.",
            "test::run is public.",
            "If a file is missing, it is created.",
            "Overall, nothing.",
        ] {
            let expected = if text.starts_with("Overall") { "Nothing." } else { text };
            assert_eq!(direct(text, &ExpectedStyle::default()), expected);
        }
        assert_eq!(direct("fix: drop it", &ExpectedStyle::of("fix: x")), "fix: drop it");
        assert_eq!(direct("feat: drop it", &ExpectedStyle::of("fix: x")), "Drop it");
    }
}
