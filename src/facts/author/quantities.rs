//! Parses quantities in a commit message: `3s to 200ms`, `40 %`, `2x`.

use std::sync::LazyLock;

use regex::Regex;

const AMOUNT: &str = r"\d[\d,]*(?:\.\d+)?\s?(?:ns|µs|us|ms|s|secs?|seconds?|mins?|minutes?|hours?|[kKMGT]i?B|[kMG]b|bytes?|%|percent|[x×]|MHz|GHz|fps|rps|qps|LOC)?";
const MEASURED: &str = r"\d[\d,]*(?:\.\d+)?(?:\s?(?:ns|µs|us|ms|secs?|seconds?|mins?|minutes?|hours?|[kKMGT]i?B|bytes|percent|MHz|GHz|fps)\b|\s?%|[x×](?:\W|$)|s\b)";

/// `3s to 200ms`, `1.2 MB → 800 kB`: two amounts, at least the second one measured.
static RANGE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(r"(?:^|[^\w.#/-])(~?{AMOUNT}\s?(?:to|->|→|=>|down to|up to)\s?~?{MEASURED})")).ok()
});
static SINGLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!(r"(?:^|[^\w.#/-])(~?{MEASURED})")).ok());

/// Quantities as written, without duplicates.
#[must_use]
pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        let mut from = 0;
        while let Some((quantity, end)) = next(text, from) {
            if !found.iter().any(|known| known == quantity) && found.len() < MOST {
                found.push(quantity.to_owned());
            }
            from = end;
        }
    }
    found
}

/// A message with more quantities is a table.
const MOST: usize = 12;

/// The next quantity from `from` on, ranges before their first amount, with its end.
fn next(text: &str, from: usize) -> Option<(&str, usize)> {
    let rest = text.get(from..)?;
    let find = |pattern: &'static LazyLock<Option<Regex>>| {
        pattern.as_ref().and_then(|pattern| pattern.captures(rest)).and_then(|found| found.get(1))
    };
    let (range, single) = (find(&RANGE), find(&SINGLE));
    let first = match (range, single) {
        (Some(range), Some(single)) if range.start() > single.start() => single,
        (Some(range), _) => range,
        (None, single) => single?,
    };
    // The separator required after a factor (`2x,`) is not part of it.
    let quantity = first.as_str().trim_end_matches(|c: char| !(c.is_alphanumeric() || matches!(c, '%' | '×')));
    Some((quantity, from + first.end()))
}

/// Whether the sentence quantifies a change: from one amount to another, by a factor, by a share.
#[must_use]
pub fn compares(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let better =
        ["faster", "slower", "smaller", "larger", "down from", "up from", "reduce", "speed", "improve", "saves"];
    let range = RANGE.as_ref().is_some_and(|range| range.is_match(sentence));
    range || (better.iter().any(|word| lower.contains(word)) && next(sentence, 0).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        of(std::iter::once(text))
    }

    #[test]
    fn quantities_are_read_as_written() {
        assert_eq!(found("Cut it from 3s to 200ms, 40 % less"), ["3s to 200ms", "40 %"]);
        assert_eq!(found("2x faster, 1.5x, and 12 MB -> 800 kB"), ["2x", "1.5x", "12 MB -> 800 kB"]);
        assert_eq!(found("takes ~20 seconds"), ["~20 seconds"]);
    }

    #[test]
    fn versions_ids_and_names_are_no_quantities() {
        assert_eq!(
            found("v1.2.3, #42, utf8, 0x1f, sha256s, 1.40 to 1.42, 2026-01-01, x86, 3 files"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_comparison_needs_an_amount() {
        assert!(compares("It takes 200ms now, down from 3s.") && compares("From 3s to 200ms") && compares("2x faster"));
        assert!(!compares("It is faster now") && !compares("Waits 3s"));
    }
}
