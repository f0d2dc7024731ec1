//! Word lists (lexicons): the data files of `words/`, words separated by blanks or line ends, `#` starts a comment.

use std::{collections::BTreeSet, sync::LazyLock};

/// A word list that is parsed at its first use: `static VERBS: WordList = word_list!("verbs");`.
pub type WordList = LazyLock<BTreeSet<&'static str>>;

/// The words of a data file's text.
pub fn parse_words(text: &'static str) -> BTreeSet<&'static str> {
    text.lines().flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace()).collect()
}

/// The list `words/NAME.txt`.
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

#[cfg(test)]
mod tests {
    use super::parse_words;

    #[test]
    fn comments_and_empty_lines_are_no_words() {
        let words = parse_words("# heads\nadd fix\n\n  drop # trailing\n");
        assert_eq!(words.into_iter().collect::<Vec<_>>(), ["add", "drop", "fix"]);
    }
}
