//! Quality evidence per model: scores, the share kept after user edits, and usable answers.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::{JudgedAnswer, Result, WrittenBy};
use super::codes::Coded;
use super::row;
use crate::domain::capture::Reason;
use crate::domain::draft::DraftKind;
use crate::domain::role::Role;
use crate::route::merit::{Evidence, Mean};

/// Maximum captures read, newest first: older texts say little about the model's current quality.
const NEWEST: i64 = 500;

/// One sum per model and role.
pub fn all(db: &Connection, since: Timestamp) -> Result<Vec<WrittenBy>> {
    let mut found = captures(db, since)?;
    found.extend(drafts(db, since)?);
    Ok(found)
}

/// Live captures not written by a template: by code, as in the index `captures_worded`.
fn captures(db: &Connection, since: Timestamp) -> Result<Vec<WrittenBy>> {
    let sql = "SELECT coalesce(json_extract(rest, '$.model'), json_extract(rest, '$.edited.model')) AS writer,
                 count(json_extract(rest, '$.quality.score')), total(json_extract(rest, '$.quality.score')),
                 count(json_extract(rest, '$.edited.kept')), total(json_extract(rest, '$.edited.kept'))
               FROM (SELECT rest FROM captures WHERE captured_at >= ?1 AND state = 0 AND written_by <> 1
                     ORDER BY captured_at DESC LIMIT ?2)
               WHERE writer IS NOT NULL GROUP BY writer ORDER BY writer";
    let mut query = db.prepare_cached(sql)?;
    let values = params![row::micros(since), NEWEST];
    let found = query
        .query_map(values, |row| Ok(WrittenBy { model: row.get(0)?, role: Role::Capture, seen: seen(row, 1)? }))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// A draft accepted without changes counts as fully retained.
fn drafts(db: &Connection, since: Timestamp) -> Result<Vec<WrittenBy>> {
    let sql = "SELECT model, count(score), total(score), count(kept), total(kept), kind
               FROM (SELECT model, kind, json_extract(quality, '$.score') AS score,
                       CASE WHEN edit_distance IS NOT NULL THEN 1.0 - edit_distance
                            WHEN state IN ('accepted', 'published') THEN 1.0 END AS kept
                     FROM drafts WHERE finished_at >= ?1 AND model IS NOT NULL)
               GROUP BY model, kind ORDER BY model, kind";
    let mut query = db.prepare_cached(sql)?;
    let found = query.query_map([row::micros(since)], |row| {
        let kind: String = row.get(5)?;
        Ok(DraftKind::parse(&kind).map(|kind| (kind.role(), row.get(0), seen(row, 1))))
    })?;
    let mut all = Vec::new();
    for (role, model, seen) in found.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten() {
        all.push(WrittenBy { model: model?, role, seen: seen? });
    }
    Ok(all)
}

/// Maximum operations searched for judged answers, newest first.
const LOOKED_AT: i64 = 5_000;

/// Answers that were judged, newest first.
pub fn judged(db: &Connection, since: Timestamp) -> Result<Vec<JudgedAnswer>> {
    let kinds = judged_series(db)?;
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = db.prepare_cached("SELECT at, series FROM operations WHERE at >= ?1 ORDER BY at DESC LIMIT ?2")?;
    let mut rows = query.query(params![row::micros(since), LOOKED_AT])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let series: i64 = row.get(1)?;
        if let Some(kind) = kinds.get(&series) {
            all.push(JudgedAnswer { at: row::time(row.get(0)?)?, ..kind.clone() });
        }
    }
    Ok(all)
}

/// Series of judged answers by code: written by a model, no failure, and the text was kept or rejected.
fn judged_series(db: &Connection) -> Result<HashMap<i64, JudgedAnswer>> {
    let sql = "SELECT row, op, model, endpoint, reason FROM series
               WHERE failed = 0 AND model IS NOT NULL AND endpoint IS NOT NULL";
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query([])?;
    let mut all = HashMap::new();
    while let Some(row) = rows.next()? {
        let (op, reason): (String, i64) = (row.get(1)?, row.get(4)?);
        if let (Some(role), Some(used)) = (role(&op), Reason::decode(reason).and_then(used)) {
            let (model, endpoint, at) = (row.get(2)?, row.get(3)?, Timestamp::UNIX_EPOCH);
            all.insert(row.get(0)?, JudgedAnswer { at, endpoint, model, role, used });
        }
    }
    Ok(all)
}

/// The role behind an operation of this name.
fn role(op: &str) -> Option<Role> {
    match op.split_once('.')? {
        ("capture" | "refine", _) => Some(Role::Capture),
        ("draft", kind) => DraftKind::parse(kind).map(DraftKind::role),
        _ => None,
    }
}

/// Whether the text of an operation with this result was kept; `None` where no answer was judged.
fn used(reason: Reason) -> Option<bool> {
    match reason {
        Reason::None | Reason::Salvaged => Some(true),
        Reason::Ungrounded | Reason::Unusable => Some(false),
        _ => None,
    }
}

/// Two means, from this column on.
fn seen(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Evidence> {
    let mean =
        |at: usize| Ok::<_, rusqlite::Error>(Mean { n: row.get::<_, i64>(at)?.unsigned_abs(), sum: row.get(at + 1)? });
    Ok(Evidence { rubric: mean(first)?, kept: mean(first + 2)?, ..Evidence::default() })
}
