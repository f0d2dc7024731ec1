//! Forgetting a capture: its rows, its words in the full-text index, and its bytes in the files. Retention: deletion of
//! expired rows.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Durability::{Durable, Rebuildable};
use super::connection::beside;
use super::{SqliteStore, captures, checksum, copies, drafts, error, repositories, row};
use crate::domain::fragments::Fragments;
use crate::domain::id::{CaptureId, DraftId, Oid, RepoId};
use crate::store::{
    ExpiringData, FORGETTING, ForgetReport, MaintenanceStore, RemainingFile, Result, ScrubReport, StoreError,
    StoreSizes,
};

/// A shorter message (bytes) occurs in many texts: captures that repeat it are not searched.
const TELLING: usize = 12;

struct RowToForget {
    row: i64,
    repo_id: Option<String>,
    oid: Option<String>,
    patch_id: Option<String>,
    /// A note's text, which captures of commits may quote.
    note_text: Option<String>,
    intact: bool,
}

/// All texts about the forgotten capture.
#[derive(Default)]
struct CollectedTexts {
    /// The author's own text.
    author: Vec<String>,
    /// Template text, model text and prompts.
    generated: Vec<String>,
}

fn remove(tx: &Connection, id: CaptureId, texts: &mut CollectedTexts, ids: &mut Vec<CaptureId>) -> Result<()> {
    let missing = || StoreError::NotFound { what: "capture", id: id.to_string() };
    let doomed = find(tx, id)?.ok_or_else(missing)?;
    collect(tx, doomed.row, texts)?;
    if let Some(note_text) = &doomed.note_text {
        captures::detach_note(tx, id, note_text)?;
    }
    for replaced in replaced_by(tx, doomed.row)? {
        remove(tx, replaced, texts, ids)?;
    }
    let sql = "INSERT INTO forgotten (id, repo_id, oid, patch_id) VALUES (?1, ?2, ?3, ?4)";
    tx.execute(sql, params![id.to_string(), doomed.repo_id, doomed.oid, doomed.patch_id])?;
    tx.execute("DELETE FROM captures WHERE row = ?1", [doomed.row])?;
    if let Some(oid) = &doomed.oid {
        tx.execute("UPDATE events SET note = NULL WHERE closed = 1 AND oid = ?1 AND note IS NOT NULL", [oid])?;
    }
    if !doomed.intact {
        // The full-text index was given the damaged words; the original ones would stay in it.
        tx.execute("INSERT INTO words (words) VALUES ('rebuild')", [])?;
    }
    ids.push(id);
    Ok(())
}

/// The readable texts; a damaged row may have lost some.
fn collect(tx: &Connection, row: i64, texts: &mut CollectedTexts) -> Result<()> {
    let sql = "SELECT c.raw, c.subject, c.summary, c.template, w.wire, w.faults,
                 CASE WHEN json_valid(d.decision) THEN json_extract(d.decision, '$.answer') END FROM captures c
               LEFT JOIN prompts w ON w.capture = c.row LEFT JOIN decisions d ON d.capture = c.row WHERE c.row = ?1";
    tx.query_row(sql, [row], |found| {
        let text = |column| found.get::<_, Option<String>>(column).ok().flatten();
        texts.author.extend([text(0), text(1)].into_iter().flatten());
        texts.generated.extend([text(2), text(3), text(4), text(5), text(6)].into_iter().flatten());
        Ok(())
    })?;
    Ok(())
}

/// Removes drafts with a version that was written from one of these captures; the next run writes them again from the rest.
fn drop_drafts(tx: &Connection, ids: &[String]) -> Result<Vec<DraftId>> {
    let mut dropped = Vec::new();
    for id in ids {
        let mut query = tx.prepare(
            "DELETE FROM drafts WHERE instr(sources, ?1) > 0 OR EXISTS (
               SELECT 1 FROM draft_versions v WHERE v.draft = drafts.row AND instr(v.sources, ?1) > 0) RETURNING id",
        )?;
        let drafts = query.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        for draft in drafts {
            dropped.push(row::parse(&draft)?);
        }
    }
    Ok(dropped)
}

/// Removes prompts of other captures that quote these messages, and returns captures with the same words of their own.
fn drop_quotations(tx: &Connection, quoted: &[String]) -> Result<Vec<CaptureId>> {
    let mut repeated_by = Vec::new();
    for note_text in quoted.iter().map(|note_text| note_text.trim()).filter(|note_text| note_text.len() >= TELLING) {
        let quoting = "DELETE FROM prompts WHERE (instr(wire, ?1) > 0 OR instr(faults, ?1) > 0)
                       AND NOT EXISTS (SELECT 1 FROM captures c WHERE c.row = capture AND instr(c.raw, ?1) > 0)";
        tx.execute(quoting, [note_text])?;
        tx.execute(ANSWERS_QUOTING, [note_text])?;
        let repeating = "SELECT id FROM captures
                         WHERE instr(raw, ?1) > 0 OR instr(summary, ?1) > 0 OR instr(template, ?1) > 0 ORDER BY row";
        let mut query = tx.prepare(repeating)?;
        let ids = query.query_map([note_text], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        for id in ids {
            repeated_by.push(row::parse(&id)?);
        }
    }
    repeated_by.sort_unstable();
    repeated_by.dedup();
    Ok(repeated_by)
}

/// Removes model answers about other captures that contain these words, with the decisions.
const ANSWERS_QUOTING: &str = "DELETE FROM decisions
    WHERE (instr(decision, ?1) > 0 OR CASE WHEN json_valid(decision)
      THEN instr(coalesce(json_extract(decision, '$.answer'), ''), ?1) > 0
        OR EXISTS (SELECT 1 FROM json_each(decision, '$.dropped') WHERE instr(value, ?1) > 0) END)
    AND NOT EXISTS (SELECT 1 FROM captures c WHERE c.row = capture AND instr(c.raw, ?1) > 0)";

/// Removes problems and draft errors that contain part of the text (a server's message, for example).
fn drop_problems(tx: &Connection, fragments: &Fragments) -> Result<()> {
    let read = |row: &rusqlite::Row<'_>| Ok([row.get::<_, String>(0)?, row.get(1)?]);
    let pairs = |sql: &str| tx.prepare(sql)?.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>();
    for [what, hint] in pairs("SELECT what, hint FROM problems")? {
        if fragments.occur_in(what.as_bytes()) || fragments.occur_in(hint.as_bytes()) {
            tx.execute("DELETE FROM problems WHERE what = ?1 AND hint = ?2", [what, hint])?;
        }
    }
    for [id, error] in pairs("SELECT id, error FROM drafts WHERE error IS NOT NULL")? {
        if fragments.occur_in(error.as_bytes()) {
            tx.execute("UPDATE drafts SET error = NULL WHERE id = ?1", [id])?;
        }
    }
    Ok(())
}

/// Blocks automatic capture of this commit. An existing capture stays.
pub fn skip(tx: &Connection, repo: &RepoId, oid: &Oid) -> Result<()> {
    let sql = "INSERT INTO forgotten (id, repo_id, oid) SELECT '', ?1, ?2
               WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE repo_id = ?1 AND oid = ?2)";
    tx.execute(sql, [repo.as_str(), oid.as_str()])?;
    Ok(())
}

fn replaced_by(tx: &Connection, row: i64) -> Result<Vec<CaptureId>> {
    // Detached first, so that a cyclic chain, however it arose, does not loop here.
    let sql = "UPDATE captures SET superseded_by = NULL WHERE superseded_by = ?1 AND row <> ?1 RETURNING id";
    let ids = tx.prepare(sql)?.query_map([row], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    ids.iter().map(|id| row::parse(id)).collect()
}

/// Decodes only the text, so that a damaged row does not fail.
fn find(tx: &Connection, id: CaptureId) -> Result<Option<RowToForget>> {
    let sql = "SELECT row, repo_id, oid, patch_id, raw, summary, checksum FROM captures WHERE id = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let (raw, summary) = (row.get::<_, String>(4).ok(), row.get::<_, String>(5).ok());
        let texts = raw.as_ref().zip(summary.as_ref());
        let intact = texts.is_some_and(|(raw, summary)| row.get(6) == Ok(checksum::of(&[raw, summary])));
        let (repo_id, oid): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        let note_text = raw.filter(|_| oid.is_none() && repo_id.is_some());
        Ok(RowToForget { row: row.get(0)?, repo_id, oid, patch_id: row.get(3)?, note_text, intact })
    };
    Ok(tx.prepare(sql)?.query_row([id.to_string()], read).optional()?)
}

/// Checkpoints and truncates the WAL; false when a reader prevented it.
pub fn scrub_log(db: &Connection) -> Result<bool> {
    let busy: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}

/// Whether any of these captures was forgotten.
pub fn is_any_forgotten(db: &Connection, ids: &[CaptureId]) -> Result<bool> {
    let mut query = db.prepare_cached("SELECT 1 FROM forgotten WHERE id = ?1")?;
    for id in ids {
        if query.exists([id.to_string()])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The ids of everything forgotten, as they would occur in a copy of the file.
pub fn forgotten_ids(db: &Connection) -> Result<Fragments> {
    let mut query = db.prepare("SELECT id FROM forgotten WHERE id <> ''")?;
    let names = query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    Ok(Fragments::of(names.iter().map(String::as_str)))
}

impl SqliteStore {
    /// Rewrites the file: SQLite overwrites what it deletes, but content freed by an older program remains, and the
    /// full-text index keeps words at page starts. Returns the file that may still hold them, and why.
    fn rewrite(&self) -> Result<Option<(PathBuf, String)>> {
        let rebuilt =
            self.write(Durable, |tx| Ok(tx.execute("INSERT INTO words (words) VALUES ('rebuild')", []).map(drop)?));
        let written = rebuilt.and_then(|()| self.maintain(|db| Ok(db.execute_batch("VACUUM")?)));
        // Does what is possible without disk space for a second file.
        let is_cut = self.maintain(scrub_log)?;
        written?;
        let reader = || (beside(self.path(), "-wal"), "another process is reading the store".to_owned());
        Ok((!is_cut).then(reader))
    }
}

/// A store error with SQLite's message.
fn describe_error(error: &StoreError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// Rows removed per step; a prompt has some kilobytes, all of which are overwritten.
const STEP: u64 = 200;

const EVENTS: &str = "DELETE FROM events WHERE row IN
  (SELECT row FROM events WHERE closed = 1 AND stamp < ?1 LIMIT ?2)";
const OPERATIONS: &str = "DELETE FROM operations WHERE (at, seq) IN
  (SELECT at, seq FROM operations WHERE at < ?1 LIMIT ?2)";
const PROMPTS: &str = "DELETE FROM prompts WHERE capture IN (SELECT capture FROM prompts WHERE at < ?1 LIMIT ?2)";
const DECISIONS: &str = "DELETE FROM decisions WHERE capture IN (SELECT capture FROM decisions WHERE at < ?1 LIMIT ?2)";
const PROBLEMS: &str = "DELETE FROM problems WHERE (what, hint) IN
  (SELECT what, hint FROM problems WHERE at < ?1 LIMIT ?2)";
const SQUASHES: &str = "DELETE FROM squashes WHERE (repo_id, parent) IN
  (SELECT repo_id, parent FROM squashes WHERE at < ?1 LIMIT ?2)";

/// The result of one step.
struct ExpireStep {
    removed: u64,
    /// There may be more.
    more: bool,
}

/// Removes at most `STEP` rows of each table that are older than `before`.
fn expire_step(tx: &Connection, what: ExpiringData, before: i64) -> Result<ExpireStep> {
    let remove = |sql: &str| Ok::<_, rusqlite::Error>(tx.prepare_cached(sql)?.execute([before, STEP as i64])? as u64);
    // Closed events do not count towards the total.
    let events = if what == ExpiringData::Operations { remove(EVENTS)? } else { 0 };
    let removed = match what {
        ExpiringData::Operations => remove(OPERATIONS)?,
        ExpiringData::Prompts => remove(PROMPTS)?,
        ExpiringData::Decisions => remove(DECISIONS)?,
        ExpiringData::Problems => remove(PROBLEMS)?,
        ExpiringData::Squashes => remove(SQUASHES)?,
        ExpiringData::Copies => 0,
    };
    Ok(ExpireStep { removed, more: removed.max(events) >= STEP })
}

impl MaintenanceStore for SqliteStore {
    fn forget_capture(&self, id: CaptureId, now: Timestamp) -> Result<ForgetReport> {
        let forgotten = self.write(Durable, |tx| {
            // Removes the capture and those it replaced, which describe the same work; keeps their identifiers, so that nothing
            // captures them again automatically. Other rows that name or quote it are removed as well.
            let mut texts = CollectedTexts::default();
            let mut forgotten = ForgetReport::default();
            remove(tx, id, &mut texts, &mut forgotten.ids)?;
            let names = forgotten.ids.iter().map(ToString::to_string).collect::<Vec<_>>();
            let all = names.iter().chain(&texts.author).chain(&texts.generated).map(String::as_str);
            forgotten.fragments = Fragments::of(all);
            forgotten.drafts = drop_drafts(tx, &names)?;
            forgotten.repeated_by = drop_quotations(tx, &texts.author)?;
            drop_problems(tx, &forgotten.fragments)?;
            repositories::set_mark(tx, FORGETTING, Some(&now.to_string()))?;
            Ok(forgotten)
        })?;
        Ok(ForgetReport { scrubbed: self.scrub(), ..forgotten })
    }

    fn scrub(&self) -> ScrubReport {
        let mut left = match self.rewrite() {
            Ok(None) => Vec::new(),
            Ok(Some((path, why))) => vec![RemainingFile { path, why, foreign: false }],
            Err(error) => {
                vec![RemainingFile { path: self.path().to_owned(), why: describe_error(&error), foreign: false }]
            }
        };
        let copies = match copies::remove(self.path()) {
            Ok((copies, kept)) => {
                left.extend(kept);
                copies
            }
            Err(error) => {
                left.push(RemainingFile {
                    path: beside(self.path(), ".lock"),
                    why: describe_error(&error),
                    foreign: false,
                });
                Vec::new()
            }
        };
        let names = self.read(forgotten_ids).unwrap_or_default();
        left.extend(copies::foreign(self.path(), &names).unwrap_or_default());
        ScrubReport { copies, remaining: left }
    }

    fn sizes(&self) -> Result<StoreSizes> {
        let copies = copies::all(&self.path).map_err(error::file)?;
        Ok(StoreSizes {
            database: copies::database_size(&self.path),
            copies: copies.iter().map(|copy| copy.bytes).sum(),
            copy_files: copies.len() as u64,
            drafts: self.read(drafts::size)?,
        })
    }

    fn expire(&self, what: ExpiringData, before: Timestamp) -> Result<u64> {
        if what == ExpiringData::Copies {
            return copies::expire(&self.path, before);
        }
        let mut expired = 0;
        loop {
            // In small steps, so that a commit never waits for the whole deletion.
            let step = self.write(Rebuildable, |tx| expire_step(tx, what, row::micros(before)))?;
            expired += step.removed;
            if !step.more {
                return Ok(expired);
            }
        }
    }
}
