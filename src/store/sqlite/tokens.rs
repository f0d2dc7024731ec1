//! Token counts reported by model servers: tokens per bytes of prompt.

use rusqlite::{Connection, params};

use super::super::{Result, TokenCount};
use crate::prompt::tokens::{Counts, FADE};

/// Adds a count to the decaying sum; returns the sum.
pub fn count(tx: &Connection, endpoint: &str, model: &str, bytes: u64, tokens: u64) -> Result<Counts> {
    let sql = "INSERT INTO token_counts (endpoint, model, bytes, tokens) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (endpoint, model) DO UPDATE
               SET bytes = bytes * ?5 + excluded.bytes, tokens = tokens * ?5 + excluded.tokens
               RETURNING bytes, tokens";
    let values = params![endpoint, model, bytes as f64, tokens as f64, FADE];
    let sum = |row: &rusqlite::Row<'_>| Ok(Counts { bytes: row.get(0)?, tokens: row.get(1)? });
    Ok(tx.prepare_cached(sql)?.query_row(values, sum)?)
}

/// All of them.
pub fn all(db: &Connection) -> Result<Vec<TokenCount>> {
    let mut query = db.prepare_cached("SELECT endpoint, model, bytes, tokens FROM token_counts ORDER BY 1, 2")?;
    let read = |row: &rusqlite::Row<'_>| {
        let counts = Counts { bytes: row.get(2)?, tokens: row.get(3)? };
        Ok(TokenCount { endpoint: row.get(0)?, model: row.get(1)?, counts })
    };
    Ok(query.query_map([], read)?.collect::<rusqlite::Result<_>>()?)
}
