//! Storing captures: one live capture per unit of work, whatever reported it.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::{CaptureRecord, FinalCapture, RecordOutcome, Result};
use super::codes::Coded;
use super::row::{self, CaptureExtras};
use super::{checksum, events, finish, operations, refine};
use crate::domain::capture::{Capture, CaptureState};
use crate::domain::event::Source;
use crate::domain::id::CaptureId;

/// The store's knowledge of a unit of work.
enum UnitState {
    Nothing,
    /// Its capture.
    Capture {
        row: i64,
        id: CaptureId,
    },
    Forgotten,
}

/// Stores the capture and closes the event.
pub fn record(tx: &Connection, capture: &Capture, template: &str, event: Option<i64>) -> Result<RecordOutcome> {
    if let Some(event) = event {
        events::close(tx, event, None)?;
    }
    match find_unit(tx, capture)? {
        UnitState::Forgotten if capture.source != Source::Manual => Ok(RecordOutcome::Forgotten),
        UnitState::Capture { row, id } => {
            supersede(tx, &capture.supersedes, Some(row))?;
            Ok(RecordOutcome::Known(id))
        }
        UnitState::Forgotten | UnitState::Nothing => {
            revive(tx, capture)?;
            insert(tx, capture, template)?;
            Ok(RecordOutcome::New)
        }
    }
}

/// Same as `record`, with an entry in the latency log.
pub fn record_final(tx: &Connection, finished: &FinalCapture, event: Option<i64>) -> Result<RecordOutcome> {
    let recorded = record(tx, &finished.capture, &finished.template, event)?;
    if recorded == RecordOutcome::New {
        operations::log(tx, &finished.operation)?;
    }
    Ok(recorded)
}

/// Imports a foreign record unless its id or its unit of work is known or was forgotten.
pub fn import(tx: &Connection, record: &CaptureRecord) -> Result<bool> {
    let capture = &record.capture;
    let id = capture.id.to_string();
    let exists = "SELECT 1 FROM captures WHERE id = ?1 UNION ALL SELECT 1 FROM forgotten WHERE id = ?1";
    if tx.prepare_cached(exists)?.exists([&id])? {
        return Ok(false);
    }
    let unit = match capture.state {
        CaptureState::Live => find_unit(tx, capture)?,
        CaptureState::Superseded => known_commit(tx, capture)?,
    };
    if !matches!(unit, UnitState::Nothing) {
        return Ok(false);
    }
    let row = insert(tx, capture, &record.template)?;
    if let Some(wire) = &record.wire {
        finish::keep_wire(tx, row, wire, &[])?;
    }
    if let Some(decision) = &record.decision {
        refine::keep_decision(tx, row, decision)?;
    }
    Ok(true)
}

fn find_unit(tx: &Connection, capture: &Capture) -> Result<UnitState> {
    match known_commit(tx, capture)? {
        UnitState::Nothing => forgotten_patch(tx, capture),
        known => Ok(known),
    }
}

/// The capture of the same commit in any state; a superseded one resolves to its replacement.
fn known_commit(tx: &Connection, capture: &Capture) -> Result<UnitState> {
    let Some((repo, oid, _)) = unit(capture) else { return Ok(UnitState::Nothing) };
    if let Some(row) = row_of_commit(tx, repo, oid)? {
        return resolve_replacement(tx, row);
    }
    let forgotten = "SELECT 1 FROM forgotten WHERE repo_id = ?1 AND oid = ?2";
    let forgotten = tx.prepare_cached(forgotten)?.exists([repo, oid])?;
    Ok(if forgotten { UnitState::Forgotten } else { UnitState::Nothing })
}

/// The row of this commit's capture.
pub fn row_of_commit(tx: &Connection, repo: &str, oid: &str) -> Result<Option<i64>> {
    let sql = "SELECT row FROM captures WHERE repo_id = ?1 AND oid = ?2";
    Ok(tx.prepare_cached(sql)?.query_row([repo, oid], |row| row.get(0)).optional()?)
}

/// Follows the chain of replacements to its end.
fn resolve_replacement(tx: &Connection, row: i64) -> Result<UnitState> {
    let sql = "WITH RECURSIVE chain (row, step) AS (
                 SELECT ?1, 0 UNION ALL
                 SELECT superseded_by, step + 1 FROM captures JOIN chain USING (row)
                 WHERE superseded_by IS NOT NULL AND step < 1000)
               SELECT captures.row, id FROM chain JOIN captures USING (row) ORDER BY step DESC LIMIT 1";
    let found = tx.prepare_cached(sql)?.query_row([row], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    Ok(UnitState::Capture { row: found.0, id: row::parse(&found.1)? })
}

/// The row at the end of the chain of replacements, unless it is this one.
pub fn end_of_chain(tx: &Connection, row: i64) -> Result<Option<i64>> {
    let sql = "WITH RECURSIVE chain (row, step) AS (
                 SELECT ?1, 0 UNION ALL
                 SELECT superseded_by, step + 1 FROM captures JOIN chain USING (row)
                 WHERE superseded_by IS NOT NULL AND step < 1000)
               SELECT row FROM chain ORDER BY step DESC LIMIT 1";
    let end: i64 = tx.prepare_cached(sql)?.query_row([row], |found| found.get(0))?;
    Ok(Some(end).filter(|end| *end != row))
}

/// A forgotten patch is not captured again under another commit id.
fn forgotten_patch(tx: &Connection, capture: &Capture) -> Result<UnitState> {
    let Some((repo, _, Some(patch))) = unit(capture) else { return Ok(UnitState::Nothing) };
    let sql = "SELECT 1 FROM forgotten WHERE repo_id = ?1 AND patch_id = ?2";
    let forgotten = tx.prepare_cached(sql)?.exists([repo, patch])?;
    Ok(if forgotten { UnitState::Forgotten } else { UnitState::Nothing })
}

/// (repository, commit, patch) of a capture of a commit.
fn unit(capture: &Capture) -> Option<(&str, &str, Option<&str>)> {
    let (repo, commit) = (capture.repo.as_ref()?, capture.commit.as_ref()?);
    Some((repo.id.as_str(), commit.oid.as_str(), commit.patch_id.as_deref()))
}

/// The user asked for a forgotten commit by name: it may be captured again.
fn revive(tx: &Connection, capture: &Capture) -> Result<()> {
    let Some((repo, oid, patch)) = unit(capture) else { return Ok(()) };
    let sql = "DELETE FROM forgotten WHERE repo_id = ?1 AND (oid = ?2 OR patch_id = ?3)";
    tx.prepare_cached(sql)?.execute(params![repo, oid, patch])?;
    Ok(())
}

/// Returns its row.
fn insert(tx: &Connection, capture: &Capture, template: &str) -> Result<i64> {
    insert_row(tx, capture, template)?;
    let row = tx.last_insert_rowid();
    supersede(tx, &capture.supersedes, Some(row))?;
    if let Some(change) = capture.commit.as_ref().and_then(|commit| commit.change_id.as_ref()) {
        tx.prepare_cached("UPDATE captures SET change_id = ?2 WHERE row = ?1")?.execute(params![row, change])?;
    }
    if let Some(refined) = &capture.refined {
        let sql = "UPDATE captures SET refined = ?2 WHERE row = ?1";
        tx.prepare_cached(sql)?.execute(params![row, row::micros(refined.at)])?;
    }
    Ok(row)
}

fn insert_row(tx: &Connection, capture: &Capture, template: &str) -> Result<()> {
    let sql = "INSERT INTO captures (id, at, captured_at, kind, state, source, written_by, reason, punctual, project, \
               repo_id, oid, patch_id, subject, tags, raw, summary, template, supersedes, rest, checksum) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)";
    let commit = capture.commit.as_ref();
    let reason = capture.provenance.reason;
    tx.prepare_cached(sql)?.execute(params![
        capture.id.to_string(),
        row::micros(capture.at),
        row::micros(capture.captured_at),
        capture.kind.code(),
        capture.state.code(),
        capture.source.code(),
        capture.provenance.by.code(),
        reason.code(),
        row::punctual(reason, &capture.timing).code(),
        capture.project,
        capture.repo.as_ref().map(|repo| repo.id.as_str()),
        commit.map(|commit| commit.oid.as_str()),
        commit.and_then(|commit| commit.patch_id.as_deref()),
        commit.map(|commit| commit.subject.as_str()),
        serde_json::to_string(&capture.tags)?,
        capture.raw,
        capture.summary,
        template,
        serde_json::to_string(&capture.supersedes)?,
        serde_json::to_string(&CaptureExtras::of(capture))?,
        checksum::of(&[&capture.raw, &capture.summary]),
    ])?;
    Ok(())
}

/// Removes the stored prompt and model answer of this capture.
pub fn forget_wire(tx: &Connection, row: i64) -> Result<()> {
    tx.execute("DELETE FROM prompts WHERE capture = ?1", [row])?;
    let answer = "UPDATE decisions SET decision = json_remove(decision, '$.answer', '$.dropped')
                  WHERE capture = ?1 AND json_valid(decision)";
    tx.execute(answer, [row])?;
    Ok(())
}

/// Marks these as superseded, by the capture in `by` where it has a row yet (never by itself).
pub fn supersede(tx: &Connection, ids: &[CaptureId], by: Option<i64>) -> Result<()> {
    let sql = "UPDATE captures SET state = 1, superseded_by = coalesce(?2, superseded_by)
               WHERE id = ?1 AND row IS NOT ?2 AND (state = 0 OR superseded_by IS NULL)";
    let mut update = tx.prepare_cached(sql)?;
    for id in ids {
        update.execute(params![id.to_string(), by])?;
    }
    Ok(())
}
