//! Full text over what was written and said. People type words, not a query language.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::super::{CaptureQuery, Result};
use super::listing::{self, Conditions, Listed};
use super::row::CAPTURE;

/// So many of the newest matches are ranked. A word that is everywhere ranks nothing anyway, and ranking
/// all its rows would cost time in proportion to the whole store.
const RANKED: usize = 2_000;

/// How many results a search gives when nobody says.
const LIMIT: usize = 50;

/// Best match first; a match in the subject or the person's words counts more than one in a project name.
pub fn search(db: &Connection, words: &str, query: &CaptureQuery) -> Result<Listed> {
    let Some(expression) = expression(words) else {
        return Ok(Listed { captures: Vec::new(), damaged: Vec::new() });
    };
    let Conditions { sql, mut values } = Conditions::of(query);
    values.push(Value::from(expression));
    let expression = values.len();
    values.push(Value::from(query.limit.unwrap_or(LIMIT) as i64));
    let sql = format!(
        "SELECT {CAPTURE} FROM (
           SELECT rowid AS found, bm25(words, 2.0, 2.0, 3.0, 0.5, 1.0) AS distance FROM words
           WHERE words MATCH ?{expression} ORDER BY rowid DESC LIMIT {RANKED})
         JOIN captures c ON c.row = found WHERE {sql} ORDER BY distance, found DESC LIMIT ?{}",
        values.len()
    );
    listing::run(db, &sql, values)
}

/// All words, each taken literally, the last one as the beginning of a word; nothing when there is none.
fn expression(typed: &str) -> Option<String> {
    let words: Vec<String> = typed
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| word.chars().any(|c| c.is_alphanumeric() || c == '_'))
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect();
    if words.is_empty() { None } else { Some(words.join(" ") + "*") }
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn words_are_literal_and_the_last_one_is_a_beginning() {
        assert_eq!(expression("auth tim").as_deref(), Some(r#""auth" "tim"*"#));
        assert_eq!(expression("  a\u{0}b\tc ").as_deref(), Some(r#""a" "b" "c"*"#));
        assert_eq!(expression(r#"NEAR( "x OR"#).as_deref(), Some(r#""NEAR(" """x" "OR"*"#));
        assert_eq!(expression("-- ** \"\" ()"), None);
    }
}
