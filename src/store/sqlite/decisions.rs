//! Why a model was asked about a capture, or none.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::Result;
use crate::domain::id::CaptureId;

/// Kept with the capture in this row, in place of an earlier one.
pub fn keep(tx: &Connection, row: i64, decision: &str) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO decisions (capture, decision, at)
               SELECT row, ?2, captured_at FROM captures WHERE row = ?1";
    tx.prepare_cached(sql)?.execute(params![row, decision])?;
    Ok(())
}

/// As it was stored.
pub fn of(db: &Connection, id: CaptureId) -> Result<Option<String>> {
    let sql = "SELECT d.decision FROM decisions d JOIN captures c ON d.capture = c.row WHERE c.id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([id.to_string()], |row| row.get(0)).optional()?)
}
