//! Problem log: faults that were repaired or skipped. One row per kind of problem, with its last time.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::Result;
use super::row;

pub fn note(tx: &Connection, at: Timestamp, what: &str, hint: &str) -> Result<()> {
    let sql = "INSERT INTO problems (what, hint, at) VALUES (?1, ?2, ?3)
               ON CONFLICT (what, hint) DO UPDATE SET at = max(at, ?3)";
    tx.prepare_cached(sql)?.execute(params![what, hint, row::micros(at)])?;
    Ok(())
}

/// Whether problems with this hint and no later time exist.
pub fn are_open(db: &Connection, hint: &str, before: Timestamp) -> Result<bool> {
    let sql = "SELECT 1 FROM problems WHERE hint = ?1 AND at < ?2";
    Ok(db.prepare_cached(sql)?.exists(params![hint, row::micros(before)])?)
}

/// Removes problems with this hint and no later time.
pub fn settle(tx: &Connection, hint: &str, before: Timestamp) -> Result<()> {
    let sql = "DELETE FROM problems WHERE hint = ?1 AND at < ?2";
    tx.prepare_cached(sql)?.execute(params![hint, row::micros(before)])?;
    Ok(())
}

/// Newest first.
pub fn since(db: &Connection, since: Timestamp) -> Result<Vec<(Timestamp, String, String)>> {
    let mut query = db.prepare_cached("SELECT at, what, hint FROM problems WHERE at >= ?1 ORDER BY at DESC, what")?;
    let mut rows = query.query([row::micros(since)])?;
    let mut problems = Vec::new();
    while let Some(row) = rows.next()? {
        problems.push((row::time(row.get(0)?)?, row.get(1)?, row.get(2)?));
    }
    Ok(problems)
}
