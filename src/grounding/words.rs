//! Normalises words and numbers in code and prose for comparison.

use crate::text::words::WordList;
pub use crate::text::{identifiers::split_parts, stem::stem};
use crate::word_list;

/// Runs of letters, digits, `_` and `$`.
pub fn identifiers(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).filter(|word| !word.is_empty())
}

/// Identifiers joined by hyphens: `dry-run`.
pub fn hyphenated(line: &str) -> impl Iterator<Item = &str> {
    let joined = |c: char| !(c.is_alphanumeric() || c == '_' || c == '-');
    line.split(joined).map(|word| word.trim_matches('-')).filter(|word| word.contains('-'))
}

/// Lookup form of a name: `cancel_token`, `cancelToken` and `cancel-token` are equal.
pub fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Stems of the content words of a text.
pub fn stems(text: &str) -> Vec<String> {
    identifiers(text)
        .flat_map(split_parts)
        .filter(|word| word.chars().count() > 2 && !is_stop(word))
        .map(stem)
        .collect()
}

/// The comment part of a line of code; empty without one.
pub fn comment(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with(['*', '#', ';', '%']) || trimmed.starts_with("--") || trimmed.starts_with("\"\"\"") {
        return trimmed;
    }
    let marks = ["//", "/*", " # ", "<!--", "\"\"\""];
    marks.iter().filter_map(|mark| line.find(mark)).min().map_or("", |at| &line[at..])
}

/// Digits with dots between them, and each prefix that ends before a dot: `1.40.2`, `1.40`, `1`. Thousands separators
/// are removed.
pub fn numbers(line: &str, found: &mut dyn FnMut(&str)) {
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let (mut end, mut number) = (at, String::new());
        while let Some(byte) = bytes.get(end) {
            let next_digit = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
            match byte {
                b'0'..=b'9' => number.push(char::from(*byte)),
                b'.' if next_digit => {
                    found(&number);
                    number.push('.');
                }
                b'_' if next_digit => {}
                b',' if next_digit && is_thousand(&bytes[end + 1..]) => found(&number),
                _ => break,
            }
            end += 1;
        }
        found(&number);
        at = end;
    }
}

fn is_thousand(rest: &[u8]) -> bool {
    rest.len() >= 3 && rest[..3].iter().all(u8::is_ascii_digit) && !rest.get(3).is_some_and(u8::is_ascii_digit)
}

/// Stop words.
pub fn is_stop(word: &str) -> bool {
    let low = word.to_ascii_lowercase();
    STOP.contains(&low.as_str())
}

/// Sorted.
static STOP: WordList = word_list!("words_stop");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_with_their_beginnings_and_without_separators() {
        let mut all = Vec::new();
        numbers("v1.40.2 of 10,000 in u64, 5_000.", &mut |number| all.push(number.to_owned()));
        assert_eq!(all, ["1", "1.40", "1.40.2", "10", "10000", "64", "5000"]);
    }

    #[test]
    fn the_list_of_empty_words_can_be_searched() {
        assert!(is_stop("The") && !is_stop("router"));
    }
}
