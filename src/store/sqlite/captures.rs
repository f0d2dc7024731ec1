//! Capture lookup by id, row and commit, and paging for export.

use std::collections::HashSet;

use rusqlite::{Connection, Row, params};

use super::super::{CaptureRecord, Result, StoreError};
use super::error::DamagedRow;
use super::record;
use super::row::{self, CAPTURE};
use crate::domain::capture::Capture;
use crate::domain::id::{CaptureId, Oid, RepoId};

/// Maximum candidates returned for an ambiguous id.
const CANDIDATES: usize = 5;

/// The unique full id in `table` with this prefix.
///
/// # Errors
/// `NotFound`, `Ambiguous`.
pub fn full_id(db: &Connection, what: &'static str, table: &str, prefix: &str) -> Result<String> {
    let missing = || StoreError::NotFound { what, id: prefix.to_owned() };
    let start = normal_prefix(prefix).ok_or_else(missing)?;
    // '~' sorts after every character of an id.
    let sql = format!("SELECT id FROM {table} WHERE id >= ?1 AND id < ?1 || '~' ORDER BY id LIMIT ?2");
    let mut query = db.prepare_cached(&sql)?;
    let ids = query.query_map((&start, CANDIDATES as i64), |row| row.get(0))?;
    let mut candidates = ids.collect::<rusqlite::Result<Vec<String>>>()?;
    match candidates.len() {
        0 => Err(missing()),
        1 => Ok(candidates.remove(0)),
        _ => Err(StoreError::Ambiguous { what, id: prefix.to_owned(), candidates }),
    }
}

/// Normalises an id to lower case with hyphens; `None` for text that is not an id.
fn normal_prefix(typed: &str) -> Option<String> {
    let digits: Vec<char> = typed.trim().chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    if digits.is_empty() || digits.len() > 32 || !digits.iter().all(char::is_ascii_hexdigit) {
        return None;
    }
    let mut normal = String::with_capacity(36);
    for (place, digit) in digits.into_iter().enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            normal.push('-');
        }
        normal.push(digit);
    }
    Some(normal)
}

/// The columns that `read_record` reads after those of a capture, and the table.
const BESIDE: &str = "c.row, c.template, w.wire, d.decision FROM captures c \
     LEFT JOIN prompts w ON w.capture = c.row LEFT JOIN decisions d ON d.capture = c.row";

/// Lookup by full or shortened id, with the fields for `show` and `export`.
pub fn by_id(db: &Connection, prefix: &str) -> Result<CaptureRecord> {
    let id = full_id(db, "capture", "captures", prefix)?;
    let sql = format!("SELECT {CAPTURE}, {BESIDE} WHERE c.id = ?1");
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query([&id])?;
    let found = rows.next()?.ok_or(StoreError::NotFound { what: "capture", id })?;
    read_record(found)
}

fn read_record(found: &Row<'_>) -> Result<CaptureRecord> {
    Ok(CaptureRecord {
        capture: row::capture(found)?,
        template: found.get(21)?,
        wire: found.get(22)?,
        decision: found.get(23)?,
    })
}

/// Dropped sentences of the model's text, with reasons.
pub fn faults(db: &Connection, id: CaptureId) -> Result<Vec<String>> {
    let sql = "SELECT w.faults FROM prompts w JOIN captures c ON w.capture = c.row WHERE c.id = ?1";
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query([id.to_string()])?;
    let Some(found) = rows.next()? else { return Ok(Vec::new()) };
    let faults: Option<String> = found.get(0)?;
    faults.map_or(Ok(Vec::new()), |faults| Ok(serde_json::from_str(&faults)?))
}

pub fn by_row(db: &Connection, row: i64) -> Result<Capture> {
    let mut query = db.prepare_cached(&format!("SELECT {CAPTURE} FROM captures c WHERE c.row = ?1"))?;
    let mut rows = query.query([row])?;
    let missing = || StoreError::NotFound { what: "capture", id: row.to_string() };
    row::capture(rows.next()?.ok_or_else(missing)?)
}

/// The capture of this commit.
pub fn of_commit(db: &Connection, repo: &RepoId, oid: &Oid) -> Result<Option<Capture>> {
    record::row_of_commit(db, repo.as_str(), oid.as_str())?.map(|row| by_row(db, row)).transpose()
}

/// Live captures of commits with this patch, oldest first.
pub fn live_of_patch(db: &Connection, repo: &RepoId, patch_id: &str) -> Result<Vec<Capture>> {
    live_where(db, "c.patch_id = ?2", [repo.as_str(), patch_id])
}

/// Live captures of versions of this change, oldest first.
pub fn live_of_change(db: &Connection, repo: &RepoId, change: &str) -> Result<Vec<Capture>> {
    live_where(db, "c.change_id = ?2", [repo.as_str(), change])
}

fn live_where(db: &Connection, which: &str, values: [&str; 2]) -> Result<Vec<Capture>> {
    let sql =
        format!("SELECT {CAPTURE} FROM captures c WHERE c.repo_id = ?1 AND {which} AND c.state = 0 ORDER BY c.row");
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row::capture(row)?);
    }
    Ok(found)
}

/// Live captures of commits without a patch id, authored at `at` under this message, oldest first.
pub fn live_alike(db: &Connection, repo: &RepoId, at: i64, raw: &str) -> Result<Vec<Capture>> {
    let sql = format!(
        "SELECT {CAPTURE} FROM captures c WHERE c.repo_id = ?1 AND c.at = ?2 AND c.raw = ?3 AND c.state = 0
         AND c.oid IS NOT NULL AND c.patch_id IS NULL ORDER BY c.row"
    );
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query(params![repo.as_str(), at, raw])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row::capture(row)?);
    }
    Ok(found)
}

/// Commits among these that need no capture: already captured or forgotten.
pub fn captured_commits(db: &Connection, repo: &RepoId, oids: &[Oid]) -> Result<HashSet<Oid>> {
    let sql = "SELECT 1 FROM captures WHERE repo_id = ?1 AND oid = ?2
               UNION ALL SELECT 1 FROM forgotten WHERE repo_id = ?1 AND oid = ?2";
    let mut query = db.prepare_cached(sql)?;
    let mut captured = HashSet::new();
    for oid in oids {
        if query.exists([repo.as_str(), oid.as_str()])? {
            captured.insert(oid.clone());
        }
    }
    Ok(captured)
}

/// Records and damaged rows after `row`, at most `limit`, in the order they were stored.
pub struct Page {
    pub records: Vec<CaptureRecord>,
    pub damaged: Vec<String>,
    /// Where the next page starts; absent after the last one.
    pub next: Option<i64>,
}

pub fn page(db: &Connection, after: i64, limit: usize) -> Result<Page> {
    let sql = format!("SELECT {CAPTURE}, {BESIDE} WHERE c.row > ?1 ORDER BY c.row LIMIT ?2");
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query((after, limit as i64))?;
    let mut page = Page { records: Vec::new(), damaged: Vec::new(), next: None };
    while let Some(found) = rows.next()? {
        page.next = Some(found.get(20)?);
        sort_out(read_record(found), &mut page.records, &mut page.damaged)?;
    }
    Ok(page)
}

/// A damaged row is collected for the report; any other error aborts.
pub fn sort_out<T>(read: Result<T>, good: &mut Vec<T>, damaged: &mut Vec<String>) -> Result<()> {
    match read {
        Ok(value) => good.push(value),
        Err(error) => match DamagedRow::of(&error) {
            Some(row) => damaged.push(row.id.clone()),
            None => return Err(error),
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::normal_prefix;

    #[test]
    fn an_id_may_be_typed_without_hyphens_and_in_capitals() {
        assert_eq!(normal_prefix("0199AB").as_deref(), Some("0199ab"));
        assert_eq!(normal_prefix("0199abcdef01").as_deref(), Some("0199abcd-ef01"));
        assert_eq!(normal_prefix("0199abcd-ef01").as_deref(), Some("0199abcd-ef01"));
        assert_eq!(normal_prefix("0199abcd-").as_deref(), Some("0199abcd"));
        for bad in ["", "-", "xyz", "%", "0199'--"] {
            assert_eq!(normal_prefix(bad), None, "{bad}");
        }
    }
}
