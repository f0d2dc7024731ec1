//! Updates of a stored capture: the model's result, an edit by the user, replacement.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::super::{Result, StoreError};
use super::codes::{Coded, Punctual};
use super::row::{self, CaptureExtras, UserEdit};
use super::{captures, checksum, record, refine};
use crate::domain::capture::{AuthoredBy, Capture, ModelOutcome, Reason};
use crate::domain::event::Source;
use crate::domain::id::{CaptureId, Oid, RepoId};

/// The fields of the current row that an update needs.
struct CurrentRow {
    row: i64,
    raw: String,
    summary: String,
    reason: Reason,
    rest: CaptureExtras,
}

fn current(tx: &Connection, id: CaptureId) -> Result<Option<CurrentRow>> {
    let mut query = tx.prepare_cached("SELECT row, raw, summary, reason, rest FROM captures WHERE id = ?1")?;
    let mut rows = query.query([id.to_string()])?;
    let Some(found) = rows.next()? else { return Ok(None) };
    Ok(Some(CurrentRow {
        row: found.get(0)?,
        raw: found.get(1)?,
        summary: found.get(2)?,
        reason: row::code(found, 3)?,
        rest: row::json(found, 4)?,
    }))
}

/// Applies the model stage's result; false when the capture is no longer pending.
pub fn finish(tx: &Connection, id: CaptureId, outcome: &ModelOutcome) -> Result<bool> {
    let Some(mut current) = current(tx, id)? else { return Ok(false) };
    if current.reason != Reason::Pending {
        return Ok(false);
    }
    let provenance = &outcome.provenance;
    current.rest.model.clone_from(&provenance.model);
    current.rest.endpoint.clone_from(&provenance.endpoint);
    current.rest.prompt_version.clone_from(&provenance.prompt_version);
    current.rest.timing = outcome.timing.clone();
    current.rest.tokens = outcome.tokens;
    current.rest.quality.clone_from(&outcome.quality);
    let punctual = row::punctual(provenance.reason, &outcome.timing);
    update(tx, &current, outcome.summary.as_deref(), (provenance.by, provenance.reason, punctual))?;
    if let Some(wire) = &outcome.wire {
        keep_wire(tx, current.row, wire, &outcome.faults)?;
    }
    if let Some(decision) = &outcome.decision {
        refine::keep_decision(tx, current.row, decision)?;
    }
    Ok(true)
}

/// Stores the prompt sent and the dropped parts of the answer, dated by the refinement or the capture.
pub fn keep_wire(tx: &Connection, row: i64, wire: &str, faults: &[String]) -> Result<()> {
    let faults = (!faults.is_empty()).then(|| serde_json::to_string(faults)).transpose()?;
    let sql = "INSERT OR REPLACE INTO prompts (capture, wire, faults, at)
               SELECT row, ?2, ?3, coalesce(refined, captured_at) FROM captures WHERE row = ?1";
    tx.prepare_cached(sql)?.execute(params![row, wire, faults])?;
    Ok(())
}

/// Writes the changed fields in one statement, so that the full-text index is updated once.
fn update(
    tx: &Connection,
    current: &CurrentRow,
    summary: Option<&str>,
    how: (AuthoredBy, Reason, Punctual),
) -> Result<()> {
    let (by, reason, punctual) = how;
    let rest = serde_json::to_string(&current.rest)?;
    let values = params![current.row, by.code(), reason.code(), punctual.code(), rest];
    let Some(summary) = summary.filter(|summary| *summary != current.summary) else {
        let sql = "UPDATE captures SET written_by = ?2, reason = ?3, punctual = ?4, rest = ?5 WHERE row = ?1";
        tx.prepare_cached(sql)?.execute(values)?;
        return Ok(());
    };
    let sql = "UPDATE captures SET written_by = ?2, reason = ?3, punctual = ?4, rest = ?5, summary = ?6, checksum = ?7
               WHERE row = ?1";
    let sum = checksum::of(&[&current.raw, summary]);
    tx.prepare_cached(sql)?.execute(params![
        current.row,
        by.code(),
        reason.code(),
        punctual.code(),
        rest,
        summary,
        sum
    ])?;
    Ok(())
}

/// Pending captures that ran out of budget before `before` were orphaned by their process and keep the template: reason
/// `deadline`, late where they had a budget. Their total ends at `now`, when they become final.
pub fn finish_abandoned(tx: &Connection, before: i64, now: i64) -> Result<u64> {
    let sql = "UPDATE captures SET reason = ?2, written_by = ?3,
                 punctual = CASE WHEN json_extract(rest, '$.timing.budget_ms') IS NULL THEN ?4 ELSE ?5 END,
                 rest = json_set(rest, '$.timing.total_ms',
                   coalesce(json_extract(rest, '$.timing.queue_ms'), 0) + (?6 - captured_at) / 1000.0)
               WHERE reason = 1 AND captured_at < ?1
                 AND captured_at + coalesce(json_extract(rest, '$.timing.budget_ms'), 0) * 1000 < ?1";
    let (unjudged, late) = (Punctual::Unjudged.code(), Punctual::Late.code());
    let done =
        tx.execute(sql, params![before, Reason::Deadline.code(), AuthoredBy::Template.code(), unjudged, late, now])?;
    Ok(done as u64)
}

/// The user's text replaces the summary. A running model request then finds the capture no longer pending.
pub fn edit(tx: &Connection, id: CaptureId, summary: &str) -> Result<Capture> {
    let missing = || StoreError::NotFound { what: "capture", id: id.to_string() };
    let mut current = current(tx, id)?.ok_or_else(missing)?;
    if let Some(model) = current.rest.model.take() {
        current.rest.edited = Some(UserEdit { model, kept: retained_share(&current.summary, summary) });
    }
    (current.rest.endpoint, current.rest.prompt_version) = (None, None);
    // The scores belong to the replaced text, and the new one is not a model's.
    (current.rest.quality, current.rest.refined) = (None, None);
    tx.prepare_cached("UPDATE captures SET refined = NULL WHERE row = ?1 AND refined IS NOT NULL")?
        .execute([current.row])?;
    let punctual = row::punctual(Reason::None, &current.rest.timing);
    let punctual = if current.rest.timing.total_ms.is_none() { Punctual::Unjudged } else { punctual };
    update(tx, &current, Some(summary), (AuthoredBy::Human, Reason::None, punctual))?;
    captures::by_row(tx, current.row)
}

/// The share of words that both texts have in common.
fn retained_share(before: &str, after: &str) -> f64 {
    let mut config = similar::TextDiff::configure();
    let diff = config.timeout(DIFF_TIME).diff_words(before, after);
    f64::from(diff.ratio()).clamp(0.0, 1.0)
}

/// Above this length the share is estimated: two long texts without common words would take seconds.
const DIFF_TIME: Duration = Duration::from_millis(20);

/// `old` was rewritten as `new`: when both have captures, the old one becomes superseded.
pub fn supersede(tx: &Connection, repo: &RepoId, old: &Oid, new: &Oid) -> Result<()> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get(2)?));
    let sql = "SELECT row, id, supersedes FROM captures WHERE repo_id = ?1 AND oid = ?2";
    let mut query = tx.prepare_cached(sql)?;
    let old: Option<(i64, String, String)> = query.query_row([repo.as_str(), old.as_str()], read).optional()?;
    let new: Option<(i64, String, String)> = query.query_row([repo.as_str(), new.as_str()], read).optional()?;
    let (Some((old_row, old, _)), Some((new_row, _, list))) = (old, new) else { return Ok(()) };
    if old_row == new_row || replaces(tx, old_row, new_row)? {
        return Ok(());
    }
    let old: CaptureId = row::parse(&old)?;
    record::supersede(tx, &[old], Some(new_row))?;
    let mut list: Vec<CaptureId> = serde_json::from_str(&list)?;
    if !list.contains(&old) {
        list.push(old);
        let sql = "UPDATE captures SET supersedes = ?2 WHERE row = ?1";
        tx.prepare_cached(sql)?.execute(params![new_row, serde_json::to_string(&list)?])?;
    }
    Ok(())
}

/// These commits are visible again: see the trait.
pub fn restore(tx: &Connection, repo: &RepoId, oids: &[Oid]) -> Result<Vec<Oid>> {
    let (mut restored, mut rows) = (Vec::new(), Vec::new());
    for oid in oids {
        if let Some(row) = record::row_of_commit(tx, repo.as_str(), oid.as_str())? {
            restored.push(oid.clone());
            rows.push(row);
        }
    }
    let mut ends = Vec::new();
    for row in &rows {
        if let Some(end) = record::end_of_chain(tx, *row)?.filter(|end| !rows.contains(end)) {
            ends.push((end, *row));
        }
    }
    for row in &rows {
        let sql = "UPDATE captures SET state = 0, superseded_by = NULL WHERE row = ?1 AND state <> 0";
        tx.prepare_cached(sql)?.execute([row])?;
    }
    for (end, row) in ends {
        let sql = "UPDATE captures SET state = 1, superseded_by = ?2 WHERE row = ?1 AND state = 0";
        tx.prepare_cached(sql)?.execute([end, row])?;
    }
    Ok(restored)
}

/// Sets the source to the hook for a capture at or after `since` that a watcher or a sweep reported first.
pub fn credit_hook(tx: &Connection, repo: &RepoId, oid: Option<&Oid>, since: i64) -> Result<bool> {
    let [hook, watch, reconcile] = [Source::Hook, Source::Watch, Source::Reconcile].map(Coded::code);
    let which = params![repo.as_str(), oid.map(Oid::as_str), since, hook, watch, reconcile];
    Ok(tx.prepare_cached(&crediting(oid.is_some()))?.execute(which)? > 0)
}

/// Each query uses its own index: by commit, or by recent capture time.
pub fn crediting(named: bool) -> String {
    let which = if named {
        "repo_id = ?1 AND oid = ?2"
    } else {
        // `+` keeps SQLite from using the index of all the repository's commits.
        "+repo_id = ?1 AND +oid IS NOT NULL AND ?2 IS NULL"
    };
    format!(
        "UPDATE captures SET source = ?4 WHERE row = (
           SELECT row FROM captures WHERE {which} AND captured_at >= ?3 AND source IN (?5, ?6)
           ORDER BY captured_at, row LIMIT 1)"
    )
}

/// Ignored when the opposite is already recorded: a cycle would leave no live capture.
fn replaces(tx: &Connection, winner: i64, loser: i64) -> Result<bool> {
    let sql = "WITH RECURSIVE chain (row, step) AS (
                 SELECT ?1, 0 UNION ALL
                 SELECT superseded_by, step + 1 FROM captures JOIN chain USING (row)
                 WHERE superseded_by IS NOT NULL AND step < 1000)
               SELECT 1 FROM chain WHERE row = ?2";
    Ok(tx.prepare_cached(sql)?.exists([loser, winner])?)
}
