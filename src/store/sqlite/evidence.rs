//! What was seen of each model's texts: how they were scored, and what a person left of them.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::{Result, WrittenBy};
use super::row;
use crate::domain::draft::DraftKind;
use crate::domain::role::Role;
use crate::route::merit::{Evidence, Mean};

/// Captures that are looked at, newest first: what a model wrote long before says less of it, and nobody waits for more.
const NEWEST: i64 = 500;

/// One sum per model and role.
pub fn all(db: &Connection, since: Timestamp) -> Result<Vec<WrittenBy>> {
    let mut found = captures(db, since)?;
    found.extend(drafts(db, since)?);
    Ok(found)
}

/// Live captures that no template worded: in numbers, as the index `captures_worded` says it.
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

/// A draft that was accepted as it stood was kept whole.
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

/// Two means, from this column on.
fn seen(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Evidence> {
    let mean =
        |at: usize| Ok::<_, rusqlite::Error>(Mean { n: row.get::<_, i64>(at)?.unsigned_abs(), sum: row.get(at + 1)? });
    Ok(Evidence { rubric: mean(first)?, kept: mean(first + 2)?, ..Evidence::default() })
}
