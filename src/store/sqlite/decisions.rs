//! Routing decisions: why a model was or was not used for a capture.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::Result;
use crate::domain::id::CaptureId;

/// Stored with the capture in this row; replaces an earlier one.
pub fn keep(tx: &Connection, row: i64, decision: &str) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO decisions (capture, decision, at)
               SELECT row, ?2, captured_at FROM captures WHERE row = ?1";
    tx.prepare_cached(sql)?.execute(params![row, decision])?;
    Ok(())
}

/// The stored decision.
pub fn of(db: &Connection, id: CaptureId) -> Result<Option<String>> {
    let sql = "SELECT d.decision FROM decisions d JOIN captures c ON d.capture = c.row WHERE c.id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([id.to_string()], |row| row.get(0)).optional()?)
}
