//! Full-text search over raw text and summaries. Users type words, not a query language.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::listing::{self, CaptureRows, SqlConditions};
use super::row::CAPTURE;
use crate::domain::capture::Capture;
use crate::store::{CaptureQuery, Result};

/// Number of the newest matches that are ranked. A word in every row ranks nothing, and ranking all rows would take
/// time in proportion to the store.
const RANKED: usize = 2_000;

/// Default number of results.
const LIMIT: usize = 50;

/// Maximum pending captures scanned.
const PENDING: usize = 200;

/// Best match first; a match in the subject or the user's text counts more than one in a project name. Pending captures
/// come first, unranked, because they are the most recent.
pub fn search(db: &Connection, words: &str, query: &CaptureQuery) -> Result<CaptureRows> {
    let words = literal_words(words);
    if words.is_empty() {
        return Ok(CaptureRows { captures: Vec::new(), damaged: Vec::new() });
    }
    let mut found = find_pending(db, &words, query)?;
    let mut ranked = find_ranked(db, &words, query)?;
    found.captures.append(&mut ranked.captures);
    found.damaged.append(&mut ranked.damaged);
    found.captures.truncate(query.limit.unwrap_or(LIMIT));
    Ok(found)
}

/// Newest first.
fn find_pending(db: &Connection, words: &[&str], query: &CaptureQuery) -> Result<CaptureRows> {
    let SqlConditions { sql, values } = SqlConditions::of(query);
    let sql = format!(
        "SELECT {CAPTURE} FROM captures c INDEXED BY captures_pending WHERE c.reason = 1 AND {sql}
         ORDER BY c.captured_at DESC LIMIT {PENDING}"
    );
    let mut listed = listing::run(db, &sql, values)?;
    listed.captures.retain(|capture| contains_words(capture, words));
    Ok(listed)
}

/// Whether all words occur, ignoring case.
fn contains_words(capture: &Capture, words: &[&str]) -> bool {
    let subject = capture.commit.as_ref().map_or("", |commit| commit.subject.as_str());
    let parts = [capture.raw.as_str(), &capture.summary, subject, &capture.project, &capture.tags.join(" ")];
    let text = parts.join("\n").to_lowercase();
    words.iter().all(|word| text.contains(&word.to_lowercase()))
}

fn find_ranked(db: &Connection, words: &[&str], query: &CaptureQuery) -> Result<CaptureRows> {
    let SqlConditions { sql, mut values } = SqlConditions::of(query);
    values.push(Value::from(match_expression(words)));
    let expression = values.len();
    // CROSS JOIN: the full-text match is evaluated first, whatever other index the conditions could use.
    values.push(Value::from(query.limit.unwrap_or(LIMIT) as i64));
    let sql = format!(
        "SELECT {CAPTURE} FROM (
           SELECT rowid AS found, bm25(words, 2.0, 2.0, 3.0, 0.5, 1.0) AS distance FROM words
           WHERE words MATCH ?{expression} ORDER BY rowid DESC LIMIT {RANKED})
         CROSS JOIN captures c ON c.row = found WHERE {sql} ORDER BY distance, found DESC LIMIT ?{}",
        values.len()
    );
    listing::run(db, &sql, values)
}

/// The words of the query; tokens without a letter, digit or underscore are not indexed.
fn literal_words(typed: &str) -> Vec<&str> {
    typed
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| word.chars().any(|c| c.is_alphanumeric() || c == '_'))
        .collect()
}

/// All words, each quoted against the query syntax, the last one as a prefix.
fn match_expression(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
    quoted.join(" ") + "*"
}

#[cfg(test)]
mod tests {
    use super::{literal_words, match_expression};

    #[test]
    fn words_are_literal_and_the_last_one_is_a_beginning() {
        let of = |typed| match_expression(&literal_words(typed));
        assert_eq!(of("auth tim"), r#""auth" "tim"*"#);
        assert_eq!(of("  a\u{0}b\tc "), r#""a" "b" "c"*"#);
        assert_eq!(of(r#"NEAR( "x OR"#), r#""NEAR(" """x" "OR"*"#);
        assert!(literal_words("-- ** \"\" ()").is_empty());
    }
}
