//! The versions of a draft's text.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::codes::Coded;
use super::error::DamagedRow;
use super::{captures, checksum, row};
use crate::domain::capture::AuthoredBy;
use crate::domain::draft::{DraftEdit, DraftVersion};
use crate::domain::id::DraftId;
use crate::store::{Result, StoreError, WrittenDraft};

const COLUMNS: &str = "v.number, v.at, v.written_by, v.base, v.model, v.title, v.body, v.edit_seconds, v.edit_distance, \
     v.checksum";

/// Oldest first, and the numbers of damaged ones.
pub fn all(db: &Connection, id: DraftId) -> Result<(Vec<DraftVersion>, Vec<String>)> {
    let sql = format!(
        "SELECT {COLUMNS} FROM draft_versions v JOIN drafts d ON d.row = v.draft WHERE d.id = ?1 ORDER BY v.number"
    );
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query([id.to_string()])?;
    let (mut versions, mut damaged) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        captures::sort_out(decode(row, id), &mut versions, &mut damaged)?;
    }
    Ok((versions, damaged))
}

/// One version.
///
/// # Errors
/// `NotFound`, or `Corrupt` when its text fails its checksum.
pub fn find(db: &Connection, id: DraftId, number: u32) -> Result<DraftVersion> {
    let sql = format!(
        "SELECT {COLUMNS} FROM draft_versions v JOIN drafts d ON d.row = v.draft WHERE d.id = ?1 AND v.number = ?2"
    );
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query(params![id.to_string(), number])?;
    let missing = || StoreError::NotFound { what: "version", id: number.to_string() };
    decode(rows.next()?.ok_or_else(missing)?, id)
}

fn decode(row: &Row<'_>, id: DraftId) -> Result<DraftVersion> {
    let (number, title, body): (u32, String, String) = (row.get(0)?, row.get(5)?, row.get(6)?);
    let by = AuthoredBy::decode(row.get(2)?);
    if checksum::of(&[&title, &body]) != row.get::<_, i64>(9)? {
        return Err(DamagedRow::error("draft", format!("{id}, version {number}"), &"its text fails its checksum"));
    }
    let edit: (Option<f64>, Option<f64>) = (row.get(7)?, row.get(8)?);
    Ok(DraftVersion {
        number,
        at: row::time(row.get(1)?)?,
        by: by.ok_or_else(|| DamagedRow::error("draft", format!("{id}, version {number}"), &"unknown author"))?,
        base: row.get(3)?,
        model: row.get(4)?,
        title,
        body,
        edit: edit.0.zip(edit.1).map(|(seconds, distance)| DraftEdit { seconds, distance }),
    })
}

/// Appends a text that was written for the draft, unless it is the last written one again.
pub fn add_written(tx: &Connection, id: DraftId, written: &WrittenDraft, now: Timestamp) -> Result<()> {
    let last = "SELECT v.title = ?2 AND v.body = ?3 FROM draft_versions v JOIN drafts d ON d.row = v.draft
                WHERE d.id = ?1 AND v.written_by <> ?4 ORDER BY v.number DESC LIMIT 1";
    let values = params![id.to_string(), written.title, written.body, AuthoredBy::Human.code()];
    if tx.prepare_cached(last)?.query_row(values, |row| row.get(0)).optional()? == Some(true) {
        return Ok(());
    }
    let by = if written.model.is_some() { AuthoredBy::Model } else { AuthoredBy::Template };
    let sql = "INSERT INTO draft_versions (draft, number, at, written_by, base, model, title, body, sources, checksum)
               SELECT d.row, n.next, ?2, ?3, n.next, ?4, ?5, ?6, ?7, ?8 FROM drafts d
                 JOIN (SELECT coalesce(max(v.number), 0) + 1 AS next FROM draft_versions v
                       WHERE v.draft = (SELECT row FROM drafts WHERE id = ?1)) n
               WHERE d.id = ?1";
    tx.prepare_cached(sql)?.execute(params![
        id.to_string(),
        row::micros(now),
        by.code(),
        written.model,
        written.title,
        written.body,
        serde_json::to_string(&written.sources)?,
        checksum::of(&[&written.title, &written.body]),
    ])?;
    Ok(())
}

/// Appends a text that the user made from version `from`: a copy of that row with another text.
pub fn add_edited(
    tx: &Connection,
    id: DraftId,
    from: u32,
    text: (&str, &str),
    edit: DraftEdit,
    now: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO draft_versions
                 (draft, number, at, written_by, base, model, title, body, sources, edit_seconds, edit_distance, checksum)
               SELECT draft, (SELECT max(n.number) + 1 FROM draft_versions n WHERE n.draft = v.draft), ?3, ?4, base,
                 model, ?5, ?6, sources, ?7, ?8, ?9
               FROM draft_versions v WHERE draft = (SELECT row FROM drafts WHERE id = ?1) AND number = ?2";
    let (title, body) = text;
    tx.prepare_cached(sql)?.execute(params![
        id.to_string(),
        from,
        row::micros(now),
        AuthoredBy::Human.code(),
        title,
        body,
        edit.seconds,
        edit.distance,
        checksum::of(&[title, body]),
    ])?;
    Ok(())
}

/// Appends a copy of version `number` and makes it the draft's text.
pub fn restore(tx: &Connection, id: DraftId, number: u32, now: Timestamp) -> Result<()> {
    let copy = "INSERT INTO draft_versions
                  (draft, number, at, written_by, base, model, title, body, sources, edit_seconds, edit_distance, checksum)
                SELECT draft, (SELECT max(n.number) + 1 FROM draft_versions n WHERE n.draft = v.draft), ?3, written_by,
                  base, model, title, body, sources, edit_seconds, edit_distance, checksum
                FROM draft_versions v WHERE draft = (SELECT row FROM drafts WHERE id = ?1) AND number = ?2";
    tx.prepare_cached(copy)?.execute(params![id.to_string(), number, row::micros(now)])?;
    let sql = "UPDATE drafts SET (model, title, body, edit_seconds, edit_distance, checksum)
                 = (SELECT model, title, body, edit_seconds, edit_distance, checksum FROM draft_versions
                    WHERE draft = drafts.row AND number = ?2), quality = NULL, error = NULL
               WHERE id = ?1";
    tx.prepare_cached(sql)?.execute(params![id.to_string(), number])?;
    Ok(())
}
