//! Term weighting: the prior weight of a word, and marks of code around words.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::text::stem::stem;
use crate::text::words::WordList;
use crate::word_list;

/// Prior weight of a word: how often authors mention it when their patch contains it. Counted over the subjects of
/// fifteen thousand commits of six public projects.
#[must_use]
pub fn prior_weight(word: &str) -> f64 {
    let prior = PRIORS.get(word).or_else(|| PRIORS.get(stem(word).as_str())).copied();
    prior.unwrap_or(if word.chars().count() < 4 { 0.6 } else { 1.0 })
}

static PRIORS: LazyLock<HashMap<&str, f64>> = LazyLock::new(|| {
    let lists: [(WordList, f64); 3] = [
        (word_list!("common_in_subjects"), 1.8),
        (word_list!("rare_in_subjects"), 0.3),
        (word_list!("stop_words"), 0.0),
    ];
    lists.iter().flat_map(|(words, prior)| words.iter().map(|word| (*word, *prior))).collect()
});

/// The text without these marks, whitespace normalised. Parts separated only by a mark stay separate words.
pub fn strip_marks(text: &str, is_mark: impl Fn(char) -> bool) -> String {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let mut plain = String::with_capacity(text.len());
    let mut pending = false;
    for c in text.chars() {
        if is_mark(c) {
            pending = true;
            continue;
        }
        if pending && is_part(c) && plain.ends_with(is_part) {
            plain.push(' ');
        }
        plain.push(c);
        pending = false;
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_only_a_mark_kept_apart_stay_apart() {
        let quote = |c: char| c == '"';
        assert_eq!(strip_marks("\"1.0.2\"rge \"a\".", quote), "1.0.2 rge a.");
        assert_eq!(strip_marks("say \"x\", then", quote), "say x, then");
        assert_eq!(strip_marks("$\"0.0.1\" \"a\"_b", quote), "$ 0.0.1 a _b");
    }

    #[test]
    fn what_makes_statements_tells_nothing() {
        assert_eq!((prior_weight("return"), prior_weight("the")), (0.0, 0.0));
        assert!(prior_weight("result") < prior_weight("mmap") && prior_weight("mmap") < prior_weight("timeout"));
    }
}
