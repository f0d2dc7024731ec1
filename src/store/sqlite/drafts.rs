//! Draft queue: leases with a fencing token, and user actions on a finished draft.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Durability::Durable;
use super::error::DamagedRow;
use super::{SqliteStore, captures, checksum, draft_versions, forget, row};
use crate::domain::capture::RepoRef;
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::draft::{Draft, DraftEdit, DraftKind, DraftState, DraftVersion, Period};
use crate::domain::id::{DraftId, RepoId};
use crate::store::{DraftQuery, DraftQueue, Lease, NewDraft, Result, StoreError, WrittenDraft};

const COLUMNS: &str = "id, kind, project, period_from, period_to, state, attempt, max_attempts, next_at, model, title, \
     body, format, sources, edit_seconds, edit_distance, quality, error, created_at, finished_at, checksum, lease_until, \
     repo_id, repo_path";

/// The caller's time as a clock, for time-ordered ids.
struct FixedClock(Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn instant(&self) -> std::time::Instant {
        SystemClock.instant()
    }

    fn thread_cpu(&self) -> std::time::Duration {
        SystemClock.thread_cpu()
    }
}

/// Titles and texts of all drafts and their versions, in bytes.
pub fn size(db: &Connection) -> Result<u64> {
    let mut bytes = 0;
    for table in ["drafts", "draft_versions"] {
        let sql = format!("SELECT coalesce(sum(octet_length(title) + octet_length(body)), 0) FROM {table}");
        bytes += db.prepare_cached(&sql)?.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs();
    }
    Ok(bytes)
}

/// Releases the lease: queued again; when its attempts are used up dead, or ready with the text that the user edited.
pub fn fail(tx: &Connection, id: DraftId, attempt: u32, error: &str, times: (Timestamp, Timestamp)) -> Result<()> {
    let (next_at, now) = times;
    let sql = "UPDATE drafts SET error = ?3, lease_until = NULL,
                 state = CASE WHEN attempt < max_attempts THEN 'queued'
                              WHEN edit_distance IS NULL THEN 'dead' ELSE 'ready' END,
                 next_at = CASE WHEN attempt >= max_attempts THEN NULL ELSE ?4 END,
                 finished_at = CASE WHEN edit_distance IS NOT NULL THEN finished_at
                                    WHEN attempt >= max_attempts THEN ?5 END
               WHERE id = ?1 AND attempt = ?2 AND state = 'leased'";
    let values = params![id.to_string(), attempt, error, row::micros(next_at), row::micros(now)];
    let changed = tx.prepare_cached(sql)?.execute(values)?;
    check_fence(tx, changed, id, attempt)
}

/// Explains why an update affected no row.
fn check_fence(tx: &Connection, changed: usize, id: DraftId, attempt: u32) -> Result<()> {
    if changed == 1 {
        return Ok(());
    }
    let sql = "SELECT state, attempt FROM drafts WHERE id = ?1";
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?));
    match tx.query_row(sql, [id.to_string()], read).optional()? {
        None => Err(StoreError::NotFound { what: "draft", id: id.to_string() }),
        Some((state, current)) => {
            Err(StoreError::Conflict(format!("attempt {attempt} is over: draft {id} is {state}, attempt {current}")))
        }
    }
}

/// By full or shortened id.
pub fn find(db: &Connection, prefix: &str) -> Result<Draft> {
    let id = captures::full_id(db, "draft", "drafts", prefix)?;
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM drafts WHERE id = ?1"))?;
    let mut rows = query.query([&id])?;
    read_draft(rows.next()?.ok_or(StoreError::NotFound { what: "draft", id })?)
}

/// The draft, if its text may be changed.
fn find_editable(db: &Connection, id: DraftId) -> Result<Draft> {
    let draft = find(db, &id.to_string())?;
    let editable = draft.is_acceptable() || draft.state == DraftState::Accepted;
    if editable { Ok(draft) } else { Err(wrong_state(&draft, "edited")) }
}

/// Counts per state; a damaged draft counts like any other.
pub fn count(db: &Connection) -> Result<Vec<(DraftState, u64)>> {
    let mut query = db.prepare_cached("SELECT state, count(*) FROM drafts GROUP BY state")?;
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.unsigned_abs()));
    let found = query.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(found.into_iter().filter_map(|(state, n)| Some((DraftState::parse(&state)?, n))).collect())
}

fn wrong_state(draft: &Draft, wish: &str) -> StoreError {
    StoreError::Conflict(format!("draft {} is {} and cannot be {wish}", draft.id, draft.state.as_str()))
}

fn read_draft(row: &Row<'_>) -> Result<Draft> {
    let id: String = row.get(0)?;
    decode(row).map_err(|error| match error {
        StoreError::Corrupt(why) => DamagedRow::error("draft", id, &why),
        other => other,
    })
}

fn repo(id: String, path: rusqlite::Result<Option<String>>) -> Result<RepoRef> {
    Ok(RepoRef { id: RepoId::from_stored(id), path: path?.unwrap_or_default() })
}

fn decode(row: &Row<'_>) -> Result<Draft> {
    let (title, body): (String, String) = (row.get(10)?, row.get(11)?);
    if checksum::of(&[&title, &body]) != row.get::<_, i64>(20)? {
        return Err(StoreError::Corrupt("its text does not match its checksum".into()));
    }
    let unknown = |what: &str| StoreError::Corrupt(format!("unknown {what}").into());
    let time = |column| row.get::<_, Option<i64>>(column).map_err(StoreError::from)?.map(row::time).transpose();
    let edit: (Option<f64>, Option<f64>) = (row.get(14)?, row.get(15)?);
    Ok(Draft {
        id: row::parse(&row.get::<_, String>(0)?)?,
        kind: DraftKind::parse(&row.get::<_, String>(1)?).ok_or_else(|| unknown("kind"))?,
        project: row.get(2)?,
        repo: row.get::<_, Option<String>>(22)?.map(|id| repo(id, row.get(23))).transpose()?,
        period: Period { from: row::time(row.get(3)?)?, to: row::time(row.get(4)?)? },
        state: DraftState::parse(&row.get::<_, String>(5)?).ok_or_else(|| unknown("state"))?,
        attempt: row.get(6)?,
        max_attempts: row.get(7)?,
        next_at: time(8)?,
        model: row.get(9)?,
        title,
        body,
        format: row.get(12)?,
        sources: row::json(row, 13)?,
        edit: edit.0.zip(edit.1).map(|(seconds, distance)| DraftEdit { seconds, distance }),
        quality: row.get::<_, Option<String>>(16)?.and_then(|text| serde_json::from_str(&text).ok()),
        error: row.get(17)?,
        created_at: row::time(row.get(18)?)?,
        finished_at: time(19)?,
    })
}

impl DraftQueue for SqliteStore {
    fn queue_draft(&self, draft: &NewDraft, now: Timestamp) -> Result<bool> {
        self.write(Durable, |tx| {
    let sql = "INSERT OR IGNORE INTO drafts (id, kind, project, period_from, period_to, state, max_attempts, allowance,
                 next_at, created_at, checksum, repo_id, repo_path)
               VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?6, ?7, ?7, ?8, ?9, ?10)";
    let added = tx.execute(
        sql,
        params![
            DraftId::fresh(&FixedClock(now)).to_string(),
            draft.kind.as_str(),
            draft.project,
            row::micros(draft.period.from),
            row::micros(draft.period.to),
            draft.max_attempts.max(1),
            row::micros(now),
            checksum::of(&["", ""]),
            draft.repo.as_ref().map(|repo| repo.id.as_str()),
            draft.repo.as_ref().map(|repo| &repo.path),
        ],
    )?;
    Ok(added > 0)
})
    }

    fn lease_draft(&self, now: Timestamp, until: Timestamp) -> Result<Option<Lease>> {
        self.write(Durable, |tx| {
            let bury = "UPDATE drafts SET state = CASE WHEN edit_distance IS NULL THEN 'dead' ELSE 'ready' END,
                  finished_at = CASE WHEN edit_distance IS NULL THEN ?1 ELSE finished_at END, lease_until = NULL,
                  error = coalesce(error, 'the worker died in each of ' || attempt || ' attempts')
                WHERE state = 'leased' AND lease_until <= ?1 AND attempt >= max_attempts";
            tx.prepare_cached(bury)?.execute([row::micros(now)])?;
            let claim = format!(
                "UPDATE drafts SET state = 'leased', attempt = attempt + 1, lease_until = ?2, next_at = NULL
         WHERE row = (SELECT row FROM drafts INDEXED BY drafts_due WHERE state IN ('queued', 'leased')
                      AND (state = 'leased' OR next_at <= ?1) AND (state = 'queued' OR lease_until <= ?1)
                      ORDER BY created_at, row LIMIT 1)
         RETURNING {COLUMNS}"
            );
            let mut query = tx.prepare_cached(&claim)?;
            let mut rows = query.query([row::micros(now), row::micros(until)])?;
            let draft = rows.next()?.map(read_draft).transpose()?;
            Ok(draft.map(|draft| Lease { attempt: draft.attempt, draft, until }))
        })
    }

    fn finish_draft(&self, id: DraftId, attempt: u32, written: &WrittenDraft, now: Timestamp) -> Result<()> {
        self.write(Durable, |tx| {
            if forget::is_any_forgotten(tx, &written.sources)? {
                return Err(StoreError::Conflict(format!(
                    "a capture that draft {id} was written from was forgotten meanwhile"
                )));
            }
            let sources = serde_json::to_string(&written.sources)?;
            // The sources follow the captures also where the edited text stays, so that it is not written again for them.
            let beside =
                "UPDATE drafts SET state = 'ready', sources = ?3, error = NULL, lease_until = NULL, next_at = NULL
               WHERE id = ?1 AND attempt = ?2 AND state = 'leased' AND edit_distance IS NOT NULL";
            if tx.prepare_cached(beside)?.execute(params![id.to_string(), attempt, sources])? == 1 {
                return draft_versions::add_written(tx, id, written, now);
            }
            let sql = "UPDATE drafts SET state = 'ready', title = ?3, body = ?4, format = ?5, model = ?6, sources = ?7,
                 error = ?8, finished_at = ?9, checksum = ?10, lease_until = NULL, next_at = NULL, quality = ?11
               WHERE id = ?1 AND attempt = ?2 AND state = 'leased'";
            let changed = tx.prepare_cached(sql)?.execute(params![
                id.to_string(),
                attempt,
                written.title,
                written.body,
                written.format,
                written.model,
                sources,
                written.note,
                row::micros(now),
                checksum::of(&[&written.title, &written.body]),
                written.quality.as_ref().map(serde_json::to_string).transpose()?,
            ])?;
            check_fence(tx, changed, id, attempt)?;
            draft_versions::add_written(tx, id, written, now)
        })
    }

    fn fail_draft(&self, id: DraftId, attempt: u32, error: &str, next_at: Timestamp, now: Timestamp) -> Result<()> {
        self.write(Durable, |tx| fail(tx, id, attempt, error, (next_at, now)))
    }

    fn draft(&self, id_prefix: &str) -> Result<Draft> {
        self.read(|db| find(db, id_prefix))
    }

    fn drafts(&self, query: &DraftQuery) -> Result<Vec<Draft>> {
        let (drafts, damaged) = self.read(|db| {
            // The ids of damaged ones as well. Conditions are added only as needed, so that an index can be used.
            let of_state = if query.state.is_some() { "state = ?1" } else { "?1 IS NULL" };
            let open = if query.open { "AND state NOT IN ('rejected', 'published')" } else { "" };
            let sql = format!(
                "SELECT {COLUMNS} FROM drafts WHERE {of_state} {open} AND (?2 IS NULL OR project = ?2
           OR substr(project, -length(?2) - 1) = '/' || ?2 OR substr(project, 1, length(?2) + 2) = ?2 || ' (')
         ORDER BY period_to DESC, period_from DESC, id DESC LIMIT ?3"
            );
            let limit = query.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
            let values = (query.state.map(DraftState::as_str), &query.project, limit);
            let mut query = db.prepare_cached(&sql)?;
            let mut rows = query.query(values)?;
            let (mut drafts, mut damaged) = (Vec::new(), Vec::new());
            while let Some(row) = rows.next()? {
                captures::sort_out(read_draft(row), &mut drafts, &mut damaged)?;
            }
            Ok((drafts, damaged))
        })?;
        self.report_damage("draft", &damaged);
        Ok(drafts)
    }

    fn draft_versions(&self, id: DraftId) -> Result<Vec<DraftVersion>> {
        let (versions, damaged) = self.read(|db| draft_versions::all(db, id))?;
        self.report_damage("draft", &damaged);
        Ok(versions)
    }

    fn draft_counts(&self) -> Result<Vec<(DraftState, u64)>> {
        self.read(count)
    }

    fn edit_draft(&self, id: DraftId, from: u32, text: (&str, &str), edit: DraftEdit, now: Timestamp) -> Result<Draft> {
        self.write(Durable, |tx| {
            find_editable(tx, id)?;
            draft_versions::add_edited(tx, id, from, text, edit, now)?;
            let sql = "UPDATE drafts SET title = ?2, body = ?3, edit_seconds = ?4, edit_distance = ?5, checksum = ?6,
                         quality = NULL WHERE id = ?1";
            let (title, body) = text;
            let sum = checksum::of(&[title, body]);
            tx.execute(sql, params![id.to_string(), title, body, edit.seconds, edit.distance, sum])?;
            find(tx, &id.to_string())
        })
    }

    fn restore_version(&self, id: DraftId, number: u32, now: Timestamp) -> Result<Draft> {
        self.write(Durable, |tx| {
            find_editable(tx, id)?;
            draft_versions::find(tx, id, number)?;
            draft_versions::restore(tx, id, number, now)?;
            find(tx, &id.to_string())
        })
    }

    fn move_draft(&self, id: DraftId, from: &[DraftState], to: DraftState, now: Timestamp) -> Result<Draft> {
        self.write(Durable, |tx| {
            let draft = find(tx, &id.to_string())?;
            if !from.contains(&draft.state) {
                return Err(wrong_state(&draft, to.as_str()));
            }
            let sql = "UPDATE drafts SET state = ?2, lease_until = NULL, next_at = CASE WHEN ?2 = 'queued' THEN ?3 END,
                 finished_at = CASE WHEN ?2 = 'queued' THEN NULL ELSE coalesce(finished_at, ?3) END
               WHERE id = ?1";
            tx.execute(sql, params![id.to_string(), to.as_str(), row::micros(now)])?;
            find(tx, &id.to_string())
        })
    }

    fn retry_draft(&self, id: DraftId, now: Timestamp) -> Result<Draft> {
        self.write(Durable, |tx| {
            // Queued again with the initial number of attempts. The attempt number keeps rising because it is the fencing token: a
            // worker of an earlier round must not be accepted.
            let draft = find(tx, &id.to_string())?;
            if !matches!(draft.state, DraftState::Dead | DraftState::Rejected | DraftState::Ready) {
                return Err(wrong_state(&draft, "retried"));
            }
            let sql =
                "UPDATE drafts SET state = 'queued', max_attempts = attempt + allowance, next_at = ?2, error = NULL,
                 finished_at = CASE WHEN edit_distance IS NOT NULL THEN finished_at END, lease_until = NULL
               WHERE id = ?1";
            tx.execute(sql, params![id.to_string(), row::micros(now)])?;
            find(tx, &id.to_string())
        })
    }
}
