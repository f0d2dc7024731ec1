//! Problem log: faults that were repaired or skipped. One row per kind of problem, with its last time.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::Durability::Rebuildable;
use super::{SqliteStore, row};
use crate::domain::clock::{Clock, SystemClock};
use crate::store::{ProblemLog, Result};

pub fn note(tx: &Connection, at: Timestamp, what: &str, hint: &str) -> Result<()> {
    let sql = "INSERT INTO problems (what, hint, at) VALUES (?1, ?2, ?3)
               ON CONFLICT (what, hint) DO UPDATE SET at = max(at, ?3)";
    tx.prepare_cached(sql)?.execute(params![what, hint, row::micros(at)])?;
    Ok(())
}

impl ProblemLog for SqliteStore {
    fn problems(&self, since: Timestamp) -> Result<Vec<(Timestamp, String, String)>> {
        self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT at, what, hint FROM problems WHERE at >= ?1 ORDER BY at DESC, what")?;
            let mut rows = query.query([row::micros(since)])?;
            let mut problems = Vec::new();
            while let Some(row) = rows.next()? {
                problems.push((row::time(row.get(0)?)?, row.get(1)?, row.get(2)?));
            }
            Ok(problems)
        })
    }

    fn note_problem(&self, at: Timestamp, what: &str, hint: &str) -> Result<()> {
        self.write(Rebuildable, |tx| note(tx, at, what, hint))
    }

    fn resolve_problems(&self, hint: &str, before: Timestamp) -> Result<()> {
        let values = params![hint, row::micros(before)];
        // Usually there is nothing to do, and a read does not wait for another writer.
        let sql = "SELECT 1 FROM problems WHERE hint = ?1 AND at < ?2";
        if self.read(|db| Ok(db.prepare_cached(sql)?.exists(values)?))? {
            let sql = "DELETE FROM problems WHERE hint = ?1 AND at < ?2";
            self.write(Rebuildable, |tx| Ok(tx.execute(sql, values).map(drop)?))?;
        }
        Ok(())
    }
}

impl SqliteStore {
    /// Lists omit damaged rows because their content is unreliable; this reports them.
    pub(super) fn report_damage(&self, what: &str, ids: &[String]) {
        for id in ids {
            let problem = format!("{what} {id} is damaged: its text does not match its checksum");
            let hint = format!("uro-capture forget {id}");
            // An unwritable store was already reported to the caller.
            drop(self.note_problem(SystemClock.now(), &problem, &hint));
        }
    }
}
