//! Capture lookup by id, row and commit, and paging for export.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Durability::{Durable, Rebuildable};
use super::codes::Coded;
use super::error::DamagedRow;
use super::row::{self, CAPTURE, CaptureExtras};
use super::{Durability, SqliteStore, checksum, finish, record};
use crate::domain::capture::{Capture, CaptureKind, ModelOutcome};
use crate::domain::id::{CaptureId, Oid, RepoId};
use crate::fallback::quoted_note;
use crate::store::{CaptureRecord, CaptureStore, FinalCapture, NoteWithCommits, RecordOutcome, Result, StoreError};

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

/// With more notes than this in half an hour, none is assigned to a commit.
const MOST_NOTES: i64 = 20;

const OWNERS: &str = "SELECT c.oid FROM noted n CROSS JOIN captures c ON c.row = n.capture
  WHERE n.note = ?1 AND c.repo_id = ?2 AND c.state = 0 AND c.oid IS NOT NULL ORDER BY n.capture";
const NAMING: &str = "SELECT c.row, c.raw, c.summary, c.template, c.rest
  FROM noted n CROSS JOIN captures c ON c.row = n.capture WHERE n.note = ?1";

/// Commits with live captures that list the note.
fn commits_with_note(db: &Connection, repo: &RepoId, note: &Capture) -> Result<Vec<Oid>> {
    let mut query = db.prepare_cached(OWNERS)?;
    let values = params![note.id.to_string(), repo.as_str()];
    let oids = query.query_map(values, |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    oids.iter().map(|oid| row::parse(oid)).collect()
}

/// Before a note is forgotten: its captures lose the prompt that contained it, the link, and the sentence that quotes
/// it.
pub fn detach_note(tx: &Connection, note: CaptureId, note_text: &str) -> Result<()> {
    let read = |row: &Row<'_>| {
        let texts: [String; 4] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        Ok((row.get::<_, i64>(0)?, texts))
    };
    let found = tx.prepare(NAMING)?.query_map([note.to_string()], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    for (row, [raw, summary, template, rest]) in found {
        let Ok(mut rest) = serde_json::from_str::<CaptureExtras>(&rest) else { continue };
        rest.notes.retain(|id| *id != note);
        let (summary, template) =
            (quoted_note::without_note(&summary, note_text), quoted_note::without_note(&template, note_text));
        let sum = checksum::of(&[&raw, &summary]);
        let sql = "UPDATE captures SET summary = ?2, template = ?3, rest = ?4, checksum = ?5 WHERE row = ?1";
        tx.execute(sql, params![row, summary, template, serde_json::to_string(&rest)?, sum])?;
        record::forget_wire(tx, row)?;
    }
    Ok(())
}

/// Commits can be rebuilt from git; notes cannot.
fn durability(kind: CaptureKind) -> Durability {
    match kind {
        CaptureKind::Note => Durable,
        CaptureKind::Commit | CaptureKind::Merge => Rebuildable,
    }
}

impl CaptureStore for SqliteStore {
    fn record_capture(&self, capture: &Capture, event: Option<i64>) -> Result<RecordOutcome> {
        self.write(durability(capture.kind), |tx| record::record(tx, capture, &capture.summary, event))
    }

    fn record_final(&self, finished: &dyn Fn() -> FinalCapture, event: Option<i64>) -> Result<RecordOutcome> {
        self.write(Rebuildable, |tx| record::record_final(tx, &finished(), event))
    }

    fn record_replaced(
        &self,
        finished: &dyn Fn() -> FinalCapture,
        newer: &Oid,
        event: Option<i64>,
    ) -> Result<RecordOutcome> {
        self.write(Rebuildable, |tx| {
            let finished = finished();
            let recorded = record::record_final(tx, &finished, event)?;
            if let (Some(repo), Some(commit)) = (&finished.capture.repo, &finished.capture.commit) {
                finish::supersede(tx, &repo.id, &commit.oid, newer)?;
            }
            Ok(recorded)
        })
    }

    fn credit_hook(&self, repo: &RepoId, oid: Option<&Oid>, since: Timestamp) -> Result<bool> {
        self.write(Rebuildable, |tx| finish::credit_hook(tx, repo, oid, row::micros(since)))
    }

    fn finish_capture(&self, id: CaptureId, outcome: &dyn Fn() -> ModelOutcome) -> Result<bool> {
        self.write(Rebuildable, |tx| finish::finish(tx, id, &outcome()))
    }

    fn finish_abandoned(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        self.write(Rebuildable, |tx| finish::finish_abandoned(tx, row::micros(before), row::micros(now)))
    }

    fn supersede_commit(&self, repo: &RepoId, old: &Oid, new: &Oid) -> Result<()> {
        self.write(Rebuildable, |tx| finish::supersede(tx, repo, old, new))
    }

    fn restore_captures(&self, repo: &RepoId, oids: &[Oid]) -> Result<Vec<Oid>> {
        self.write(Rebuildable, |tx| finish::restore(tx, repo, oids))
    }

    fn capture_of_commit(&self, repo: &RepoId, oid: &Oid) -> Result<Option<Capture>> {
        self.read(|db| record::row_of_commit(db, repo.as_str(), oid.as_str())?.map(|row| by_row(db, row)).transpose())
    }

    fn live_captures_of_patch(&self, repo: &RepoId, patch_id: &str) -> Result<Vec<Capture>> {
        self.read(|db| live_where(db, "c.patch_id = ?2", [repo.as_str(), patch_id]))
    }

    fn live_captures_of_change(&self, repo: &RepoId, change: &str) -> Result<Vec<Capture>> {
        self.read(|db| live_where(db, "c.change_id = ?2", [repo.as_str(), change]))
    }

    fn live_captures_without_patch(&self, repo: &RepoId, at: Timestamp, raw: &str) -> Result<Vec<Capture>> {
        self.read(|db| {
            let at = row::micros(at);
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
        })
    }

    fn notes_before(&self, repo: &RepoId, since: Timestamp, until: Timestamp) -> Result<Vec<NoteWithCommits>> {
        let (notes, damaged) = self.read(|db| {
            let since = row::micros(since);
            let until = row::micros(until);
            let sql = format!(
                "SELECT {CAPTURE} FROM captures c WHERE c.repo_id = ?1 AND c.at >= ?2 AND c.at < ?3 AND c.kind = ?4
         AND c.state = 0 ORDER BY c.at DESC, c.row DESC LIMIT {MOST_NOTES}"
            );
            let mut query = db.prepare_cached(&sql)?;
            let mut rows = query.query(params![repo.as_str(), since, until, CaptureKind::Note.code()])?;
            let (mut notes, mut damaged) = (Vec::new(), Vec::new());
            while let Some(found) = rows.next()? {
                sort_out(row::capture(found), &mut notes, &mut damaged)?;
            }
            notes.reverse();
            let owned = |note: Capture| Ok(NoteWithCommits { commits: commits_with_note(db, repo, &note)?, note });
            Ok((notes.into_iter().map(owned).collect::<Result<_>>()?, damaged))
        })?;
        self.report_damage("capture", &damaged);
        Ok(notes)
    }

    fn prepare_squash(&self, repo: &RepoId, parent: &Oid, oids: &[Oid], at: Timestamp) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO squashes (repo_id, parent, oids, at) VALUES (?1, ?2, ?3, ?4)";
        let values = params![repo.as_str(), parent.as_str(), serde_json::to_string(oids)?, row::micros(at)];
        self.write(Rebuildable, |tx| Ok(tx.execute(sql, values).map(drop)?))
    }

    fn prepared_squash(&self, repo: &RepoId, parent: &Oid) -> Result<Vec<Oid>> {
        self.read(|db| {
            let sql = "SELECT oids FROM squashes WHERE repo_id = ?1 AND parent = ?2";
            let found: Option<String> =
                db.prepare_cached(sql)?.query_row([repo.as_str(), parent.as_str()], |row| row.get(0)).optional()?;
            Ok(found.map(|json| serde_json::from_str(&json)).transpose()?.unwrap_or_default())
        })
    }

    fn captured_commits(&self, repo: &RepoId, oids: &[Oid]) -> Result<HashSet<Oid>> {
        self.read(|db| {
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
        })
    }
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
