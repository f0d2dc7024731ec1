//! Deferred refinement: templates kept for lack of time, replaced later by a model's text.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Durability::Rebuildable;
use super::codes::Coded;
use super::listing;
use super::row::{self, CAPTURE, CaptureExtras};
use super::{SqliteStore, checksum, finish};
use crate::domain::capture::{AuthoredBy, Capture, Reason, Refined};
use crate::domain::id::CaptureId;
use crate::store::{Refinement, RefinementStore, Result};

/// Condition of the partial index `captures_standing`, word for word: otherwise SQLite does not use it.
const STANDING: &str = "state = 0 AND written_by = 1 AND reason IN (3, 4, 5, 6, 10)";

/// The routing decision, stored with the capture in this row; replaces an earlier one.
pub fn keep_decision(tx: &Connection, row: i64, decision: &str) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO decisions (capture, decision, at)
               SELECT row, ?2, captured_at FROM captures WHERE row = ?1";
    tx.prepare_cached(sql)?.execute(params![row, decision])?;
    Ok(())
}

impl RefinementStore for SqliteStore {
    fn decision(&self, id: CaptureId) -> Result<Option<String>> {
        self.read(|db| {
            let sql = "SELECT d.decision FROM decisions d JOIN captures c ON d.capture = c.row WHERE c.id = ?1";
            Ok(db.prepare_cached(sql)?.query_row([id.to_string()], |row| row.get(0)).optional()?)
        })
    }

    fn refinable(&self, since: Timestamp, tried_before: Timestamp, limit: usize) -> Result<Vec<Capture>> {
        let listed = self.read(|db| {
            let sql = format!(
                "SELECT {CAPTURE} FROM captures c INDEXED BY captures_standing WHERE {STANDING} AND tries < 2
         AND captured_at >= ?1 AND (tried_at IS NULL OR tried_at < ?2) ORDER BY captured_at DESC LIMIT ?3"
            );
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            listing::run(db, &sql, vec![row::micros(since).into(), row::micros(tried_before).into(), limit.into()])
        })?;
        self.report_damage("capture", &listed.damaged);
        Ok(listed.captures)
    }

    fn refine_capture(&self, id: CaptureId, refinement: &Refinement) -> Result<bool> {
        self.write(Rebuildable, |tx| {
            let sql = format!("SELECT row, raw, rest FROM captures WHERE id = ?1 AND {STANDING}");
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?));
            let found: Option<(i64, String, String)> =
                tx.prepare_cached(&sql)?.query_row([id.to_string()], read).optional()?;
            let Some((row, raw, rest)) = found else { return Ok(false) };
            let Refinement { at, summary, model, endpoint, prompt_version, quality, decision, wire, faults } =
                refinement;
            // Timing and tokens stay those of the capture, which was final as a template.
            let rest = CaptureExtras {
                model: Some(model.clone()),
                endpoint: Some(endpoint.clone()),
                prompt_version: Some(prompt_version.clone()),
                quality: quality.clone(),
                refined: Some(Refined { at: *at, model: model.clone() }),
                ..serde_json::from_str(&rest)?
            };
            let sql =
                "UPDATE captures SET summary = ?2, checksum = ?3, written_by = ?4, reason = ?5, rest = ?6, refined = ?7
               WHERE row = ?1";
            let (by, reason, rest) = (AuthoredBy::Model.code(), Reason::None.code(), serde_json::to_string(&rest)?);
            let sum = checksum::of(&[&raw, summary]);
            tx.prepare_cached(sql)?.execute(params![row, summary, sum, by, reason, rest, row::micros(*at)])?;
            finish::keep_wire(tx, row, wire, faults)?;
            if let Some(decision) = decision {
                keep_decision(tx, row, decision)?;
            }
            Ok(true)
        })
    }

    fn record_failed_refinement(&self, id: CaptureId, at: Timestamp) -> Result<()> {
        self.write(Rebuildable, |tx| {
            let sql = "UPDATE captures SET tries = tries + 1, tried_at = ?2 WHERE id = ?1";
            tx.prepare_cached(sql)?.execute(params![id.to_string(), row::micros(at)])?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_want_of_time_is_what_its_numbers_say() {
        let reasons = [Reason::BreakerOpen, Reason::Cold, Reason::PredictedMiss, Reason::Deadline, Reason::Refused];
        let numbers: Vec<String> = reasons.iter().map(|reason| reason.code().to_string()).collect();
        assert!(STANDING.ends_with(&format!("reason IN ({})", numbers.join(", "))));
        assert!(STANDING.contains(&format!("written_by = {}", AuthoredBy::Template.code())));
    }
}
