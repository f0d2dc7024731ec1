//! Retention: deletion of expired rows.

use rusqlite::Connection;

use super::super::{Expiring, Result};

/// Rows removed per step; a prompt has some kilobytes, all of which are overwritten.
const STEP: u64 = 200;

pub const EVENTS: &str = "DELETE FROM events WHERE row IN
  (SELECT row FROM events WHERE closed = 1 AND stamp < ?1 LIMIT ?2)";
pub const OPERATIONS: &str = "DELETE FROM operations WHERE (at, seq) IN
  (SELECT at, seq FROM operations WHERE at < ?1 LIMIT ?2)";
pub const PROMPTS: &str = "DELETE FROM prompts WHERE capture IN (SELECT capture FROM prompts WHERE at < ?1 LIMIT ?2)";
pub const DECISIONS: &str =
    "DELETE FROM decisions WHERE capture IN (SELECT capture FROM decisions WHERE at < ?1 LIMIT ?2)";
pub const PROBLEMS: &str = "DELETE FROM problems WHERE (what, hint) IN
  (SELECT what, hint FROM problems WHERE at < ?1 LIMIT ?2)";
pub const SQUASHES: &str = "DELETE FROM squashes WHERE (repo_id, parent) IN
  (SELECT repo_id, parent FROM squashes WHERE at < ?1 LIMIT ?2)";

/// The result of one step.
pub struct Step {
    pub removed: u64,
    /// There may be more.
    pub more: bool,
}

/// Removes at most `STEP` rows of each table that are older than `before`.
pub fn step(tx: &Connection, what: Expiring, before: i64) -> Result<Step> {
    let remove = |sql: &str| Ok::<_, rusqlite::Error>(tx.prepare_cached(sql)?.execute([before, STEP as i64])? as u64);
    // Closed events do not count towards the total.
    let events = if what == Expiring::Operations { remove(EVENTS)? } else { 0 };
    let removed = match what {
        Expiring::Operations => remove(OPERATIONS)?,
        Expiring::Prompts => remove(PROMPTS)?,
        Expiring::Decisions => remove(DECISIONS)?,
        Expiring::Problems => remove(PROBLEMS)?,
        Expiring::Squashes => remove(SQUASHES)?,
        Expiring::Copies => 0,
    };
    Ok(Step { removed, more: removed.max(events) >= STEP })
}
