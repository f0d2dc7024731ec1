//! Forgetting a capture: the row, its words in the index, what was sent, and the bytes in the log.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::{Result, StoreError};
use super::{checksum, notes, row};
use crate::domain::id::{CaptureId, Oid, RepoId};

struct Doomed {
    row: i64,
    repo_id: Option<String>,
    oid: Option<String>,
    patch_id: Option<String>,
    /// A note's words, which the captures of commits may quote.
    words: Option<String>,
    intact: bool,
}

/// Removes the capture, and those it replaced, which tell the same work; leaves their identifiers, so that
/// nothing brings them back by itself.
pub fn forget(tx: &Connection, id: CaptureId) -> Result<()> {
    let missing = || StoreError::NotFound { what: "capture", id: id.to_string() };
    let doomed = find(tx, id)?.ok_or_else(missing)?;
    if let Some(words) = &doomed.words {
        notes::detach(tx, id, words)?;
    }
    for replaced in replaced_by(tx, doomed.row)? {
        forget(tx, replaced)?;
    }
    let sql = "INSERT INTO forgotten (id, repo_id, oid, patch_id) VALUES (?1, ?2, ?3, ?4)";
    tx.execute(sql, params![id.to_string(), doomed.repo_id, doomed.oid, doomed.patch_id])?;
    tx.execute("DELETE FROM captures WHERE row = ?1", [doomed.row])?;
    if !doomed.intact {
        // The index was told the damaged words; the true ones would stay in it.
        tx.execute("INSERT INTO words (words) VALUES ('rebuild')", [])?;
    }
    Ok(())
}

/// Nothing brings this commit in by itself. One that is captured already stays.
pub fn skip(tx: &Connection, repo: &RepoId, oid: &Oid) -> Result<()> {
    let sql = "INSERT INTO forgotten (id, repo_id, oid) SELECT '', ?1, ?2
               WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE repo_id = ?1 AND oid = ?2)";
    tx.execute(sql, [repo.as_str(), oid.as_str()])?;
    Ok(())
}

fn replaced_by(tx: &Connection, row: i64) -> Result<Vec<CaptureId>> {
    // Detached first: a chain that loops, however it came about, must not loop here.
    let sql = "UPDATE captures SET superseded_by = NULL WHERE superseded_by = ?1 AND row <> ?1 RETURNING id";
    let ids = tx.prepare(sql)?.query_map([row], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    ids.iter().map(|id| row::parse(id)).collect()
}

/// Reads nothing that a damaged row could fail on, but its text.
fn find(tx: &Connection, id: CaptureId) -> Result<Option<Doomed>> {
    let sql = "SELECT row, repo_id, oid, patch_id, raw, summary, checksum FROM captures WHERE id = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let (raw, summary) = (row.get::<_, String>(4).ok(), row.get::<_, String>(5).ok());
        let texts = raw.as_ref().zip(summary.as_ref());
        let intact = texts.is_some_and(|(raw, summary)| row.get(6) == Ok(checksum::of(&[raw, summary])));
        let (repo_id, oid): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        let words = raw.filter(|_| oid.is_none() && repo_id.is_some());
        Ok(Doomed { row: row.get(0)?, repo_id, oid, patch_id: row.get(3)?, words, intact })
    };
    Ok(tx.prepare(sql)?.query_row([id.to_string()], read).optional()?)
}

/// Moves the log into the file and cuts it to nothing; false when a reader kept it from that.
pub fn scrub_log(db: &Connection) -> Result<bool> {
    let busy: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}
