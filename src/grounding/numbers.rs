//! Number check: numbers, quantities and versions must occur in the input or follow by counting.

use std::collections::BTreeSet;

use super::lexicon::{Lexicon, occurs};
use super::token::{SentenceToken, TokenKind};
use super::words;

/// Whether the number at `at` is known; true for words that are not numbers.
pub fn is_known(tokens: &[SentenceToken<'_>], at: usize, lexicon: &Lexicon) -> bool {
    let Some(token) = tokens.get(at) else { return true };
    match token.kind {
        TokenKind::Number => digits(tokens, at, token, lexicon),
        TokenKind::Prose => spelled_number(&token.low()).is_none_or(|n| {
            is_counted(tokens, at, n, lexicon) || is_written(n, lexicon) || lexicon.has_literal(&token.low())
        }),
        TokenKind::Code => requirement(&token.low(), lexicon),
        _ => true,
    }
}

/// `>= 0.4.20 < 0.5.0`: in a token without words every number must be known.
fn requirement(low: &str, lexicon: &Lexicon) -> bool {
    let mut all_found = true;
    if !low.contains(char::is_alphabetic) && !lexicon.has_literal(low) {
        words::numbers(low, &mut |number| all_found &= !lexicon.number(number).is_none());
    }
    all_found
}

fn is_written(n: u64, lexicon: &Lexicon) -> bool {
    let (things, files) = (&lexicon.counts.things, &lexicon.counts.files);
    !lexicon.number(&n.to_string()).is_none()
        || things.contains(&n)
        || files.contains(&n)
        || lexicon.counts.lines.contains(&n)
}

/// "two", "three"; "one" is excluded because it is often a pronoun.
fn spelled_number(low: &str) -> Option<u64> {
    let words = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    words.iter().position(|word| *word == low).map(|at| at as u64 + 2)
}

fn digits(tokens: &[SentenceToken<'_>], at: usize, token: &SentenceToken<'_>, lexicon: &Lexicon) -> bool {
    let low = token.low();
    let counted_only = is_count_of_lines(&low) || strict_counts(tokens, at, lexicon).is_some() || is_rest(tokens, at);
    if lexicon.has_literal(&low) && !counted_only {
        return true;
    }
    if let Some(ticket) = low.strip_prefix('#') {
        return lexicon.has_literal(&low) || occurs(lexicon.author_text(), &format!("/{ticket}"));
    }
    let bare = low.trim_start_matches(|c: char| !c.is_ascii_digit());
    if is_ordinal(bare) || is_release(tokens, at, &low) || (is_name_of_thing(&low) && !is_rest(tokens, at)) {
        return true;
    }
    let pieces: Vec<&str> = bare.split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '_'))).collect();
    let pieces: Vec<&str> =
        pieces.into_iter().filter(|piece| piece.starts_with(|c: char| c.is_ascii_digit())).collect();
    let unit = unit(bare, tokens, at);
    pieces.iter().enumerate().all(|(nth, piece)| {
        let number: String = piece.trim_end_matches(['.', ',']).chars().filter(|c| !matches!(c, ',' | '_')).collect();
        let whole: Option<u64> = number.parse().ok();
        if nth == 0 && is_count_of_lines(&low) {
            let counts = if low.starts_with('+') { &lexicon.counts.insertions } else { &lexicon.counts.deletions };
            let is_count = whole.is_some_and(|n| counts.contains(&n)) && both_sides(tokens, at, lexicon);
            return is_count || is_in_author_text(&number, lexicon);
        }
        if let Some(counts) = strict_counts(tokens, at, lexicon) {
            return whole.is_some_and(|n| counts.contains(&n)) || is_in_author_text(&number, lexicon);
        }
        if is_rest(tokens, at) && !lexicon.counts.files.is_empty() {
            return whole.is_some_and(|n| is_counted(tokens, at, n, lexicon)) || is_in_author_text(&number, lexicon);
        }
        !lexicon.number(&number).is_none()
            || whole.is_some_and(|n| is_counted(tokens, at, n, lexicon))
            || convert_units(&number, &unit).iter().any(|number| number.len() > 1 && !lexicon.number(number).is_none())
    })
}

fn is_in_author_text(number: &str, lexicon: &Lexicon) -> bool {
    lexicon.number(number).has(super::lexicon::SideSet::AUTHOR)
}

/// `+84 −12` count the same lines.
fn both_sides(tokens: &[SentenceToken<'_>], at: usize, lexicon: &Lexicon) -> bool {
    let count = |at: Option<usize>, sign: char| -> Option<u64> {
        let low = tokens.get(at?).map(SentenceToken::low)?;
        low.strip_prefix(sign)?.replace(',', "").parse().ok()
    };
    let plus = count(Some(at), '+').map(|_| at).or_else(|| at.checked_sub(1));
    let minus = plus.and_then(|at| at.checked_add(1));
    let pair = count(plus, '+').zip(count(minus, '\u{2212}'));
    pair.is_none_or(|pair| lexicon.counts.sides.contains(&pair))
}

/// `+84`, `−12`: line counts in the template's notation.
fn is_count_of_lines(low: &str) -> bool {
    let rest = low.strip_prefix(['+', '\u{2212}']);
    rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == ','))
}

fn is_ordinal(bare: &str) -> bool {
    let end = bare.trim_start_matches(|c: char| c.is_ascii_digit());
    matches!(end, "st" | "nd" | "rd" | "th")
}

/// Systems and languages with releases that are named by number.
fn is_release(tokens: &[SentenceToken<'_>], at: usize, low: &str) -> bool {
    let of = at.checked_sub(1).and_then(|before| tokens.get(before)).map(SentenceToken::low).unwrap_or_default();
    match of.as_str() {
        "windows" => matches!(low, "7" | "8" | "10" | "11"),
        "python" => matches!(low, "2" | "3"),
        _ => false,
    }
}

/// Numbers that are part of a well-known name.
fn is_name_of_thing(low: &str) -> bool {
    matches!(low, "2d" | "3d" | "2fa" | "3rd-party" | "0" | "1" | "2x")
}

/// "and 3 more", "and 2 other files": the number of omitted list items.
fn is_rest(tokens: &[SentenceToken<'_>], at: usize) -> bool {
    let next = tokens.get(at + 1).map(SentenceToken::low).unwrap_or_default();
    let after_and = || at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|token| token.text == "and");
    matches!(next.as_str(), "more" | "others") || (next == "other" && after_and())
}

/// Phrases that can only be counts: "in 3 source files", "2 new tests", "40 lines".
fn strict_counts<'a>(tokens: &[SentenceToken<'_>], at: usize, lexicon: &'a Lexicon) -> Option<&'a BTreeSet<u64>> {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before)).map(SentenceToken::low).unwrap_or_default();
    let noun =
        tokens.iter().skip(at + 1).take(3).take_while(|token| token.kind != TokenKind::Number).map(SentenceToken::low);
    let nouns: Vec<String> = noun.collect();
    let has = |words: &[&str]| nouns.iter().any(|noun| words.contains(&noun.as_str()));
    let counts = &lexicon.counts;
    let placed = matches!(
        before.as_str(),
        "in" | "across"
            | "to"
            | "of"
            | "from"
            | "adds"
            | "deletes"
            | "removes"
            | "moves"
            | "renames"
            | "edits"
            | "changes"
            | "touches"
            | "updates"
            | "modifies"
            | "reformats"
            | "and"
            | "over"
    );
    if has(&["file", "files"]) && !is_rest(tokens, at) && placed && !counts.files.is_empty() {
        return Some(&counts.files);
    }
    if has(&["insertion", "insertions", "deletion", "deletions"]) && !counts.lines.is_empty() {
        return Some(&counts.lines);
    }
    let new_tests = has(&["test", "tests"]) && has(&["new"]);
    (new_tests && !counts.tests.is_empty()).then_some(&counts.tests)
}

/// Whether the number follows by counting, given the counted noun.
fn is_counted(tokens: &[SentenceToken<'_>], at: usize, n: u64, lexicon: &Lexicon) -> bool {
    let counts = &lexicon.counts;
    let nouns: Vec<String> = tokens.iter().skip(at + 1).take(3).map(SentenceToken::low).collect();
    let has = |words: &[&str]| nouns.iter().any(|noun| words.contains(&noun.as_str()));
    if nouns.first().is_some_and(|noun| ROLES.contains(&noun.as_str())) && counts.files.contains(&n) {
        return true;
    }
    if has(&["more", "others", "other"]) {
        let all = n.saturating_add(listed_before(tokens, at, lexicon));
        let of_files = has(&["file", "files", "module", "modules", "place", "places"]);
        let goes_on = tokens.get(at + 1).is_some_and(|token| token.after.is_none());
        let of_things = goes_on && nouns.get(1).is_some_and(|noun| noun.ends_with('s')) && counts.things.contains(&n);
        return if of_files { counts.files.contains(&all) } else { counts.lists.contains(&all) || of_things };
    }
    if has(&["file", "files", "module", "modules", "place", "places", "document", "documents", "snapshot", "snapshots"])
    {
        return counts.files.contains(&n);
    }
    if has(&["line", "lines", "insertion", "insertions", "deletion", "deletions"]) {
        return counts.lines.contains(&n);
    }
    counts.things.contains(&n) && nouns.first().is_some_and(|noun| noun.ends_with('s') || has(&["new", "transitive"]))
}

/// Nouns that imply counted files: "9 source and 4 test".
const ROLES: &[&str] =
    &["source", "test", "documentation", "config", "ci", "generated", "vendored", "binary", "asset", "other"];

/// Number of names in the list that ends here, without their bracketed remarks, versions and new values.
fn listed_before(tokens: &[SentenceToken<'_>], at: usize, lexicon: &Lexicon) -> u64 {
    let (mut names, mut renamed, mut next) = (0_u64, 0, TokenKind::Prose);
    for token in tokens.get(..at).unwrap_or_default().iter().rev().filter(|token| !token.inner) {
        match token.text {
            "and" | "or" | "\u{2192}" | "->" => {}
            "to" => renamed += u64::from(next != TokenKind::Number),
            _ if token.kind == TokenKind::Number => {}
            text if token.is_thing() || token.kind == TokenKind::Name || lexicon.is_package(&text.to_lowercase()) => {
                names += 1;
            }
            _ => break,
        }
        next = token.kind;
    }
    names.saturating_sub(renamed)
}

/// The unit after the digits, or the following word.
fn unit(bare: &str, tokens: &[SentenceToken<'_>], at: usize) -> String {
    let own = bare.trim_start_matches(|c: char| !c.is_alphabetic() && c != '%').to_owned();
    if own.is_empty() { tokens.get(at + 1).map(SentenceToken::low).unwrap_or_default() } else { own }
}

/// The same quantity in units common in code: `2s` is 2000 there.
fn convert_units(number: &str, unit: &str) -> Vec<String> {
    let Ok(value) = number.parse::<f64>() else { return Vec::new() };
    let factors: &[f64] = match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => &[1e3, 1e6, 1e9, 1.0 / 60.0],
        "ms" | "millisecond" | "milliseconds" => &[1e-3, 1e3, 1e6],
        "m" | "min" | "mins" | "minute" | "minutes" => &[60.0, 6e4],
        "h" | "hour" | "hours" => &[60.0, 3600.0, 3.6e6],
        "d" | "day" | "days" => &[24.0, 1440.0, 86_400.0, 8.64e7],
        "k" | "kb" | "kib" => &[1e3, 1024.0],
        "m b" | "mb" | "mib" => &[1e6, 1_048_576.0, 1024.0],
        "g" | "gb" | "gib" => &[1e9, 1_073_741_824.0],
        "%" | "percent" => &[1e-2],
        _ => &[],
    };
    factors.iter().map(|factor| format_number(value * factor)).collect()
}

fn format_number(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
