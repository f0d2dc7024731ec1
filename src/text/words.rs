//! Word lists (lexicons): the data files of `words/`. A line that starts with `# ` is a comment.

use std::{collections::BTreeSet, sync::LazyLock};

/// A word list that is parsed at its first use: `static VERBS: WordList = word_list!("verbs");`.
pub type WordList = LazyLock<BTreeSet<&'static str>>;

/// A list of phrases, one per line, in the order of its file: `phrase_list!("phrases")`.
pub type PhraseList = LazyLock<Vec<&'static str>>;

/// The lines of a data file; comments and empty lines are left out.
pub fn parse_phrases(text: &'static str) -> Vec<&'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect()
}

/// The words of a data file, separated by blanks or line ends.
pub fn parse_words(text: &'static str) -> BTreeSet<&'static str> {
    parse_phrases(text).into_iter().flat_map(str::split_whitespace).collect()
}

/// The word without marks at its ends, in lower case.
pub fn bare_word(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// The words of `words/NAME.txt`.
#[macro_export]
macro_rules! word_list {
    ($name:literal) => {
        std::sync::LazyLock::new(|| {
            $crate::text::words::parse_words(include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/src/text/words/",
                $name,
                ".txt"
            )))
        })
    };
}

/// The phrases of `words/NAME.txt`.
#[macro_export]
macro_rules! phrase_list {
    ($name:literal) => {
        std::sync::LazyLock::new(|| {
            $crate::text::words::parse_phrases(include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/src/text/words/",
                $name,
                ".txt"
            )))
        })
    };
}

#[cfg(test)]
mod tests {
    use super::parse_words;

    #[test]
    fn comments_and_empty_lines_are_no_words() {
        let words = parse_words("# heads\nadd fix\n\n  drop\n");
        assert_eq!(words.into_iter().collect::<Vec<_>>(), ["add", "drop", "fix"]);
    }
}
