//! Event queue: the spool's content, ingested exactly once.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, Rows, params, params_from_iter};

use super::Durability::Rebuildable;
use super::codes::Coded;
use super::{SqliteStore, forget, row};
use crate::domain::event::{Event, HookName, LogPosition, PendingEvent};
use crate::domain::id::{Oid, RepoId};
use crate::store::{EventStore, Result, SpoolPosition, StoreError};

/// Stores the events and advances the position. A record ingested before is not stored again.
fn ingest(tx: &Connection, events: &[Event], position: &SpoolPosition) -> Result<()> {
    for event in events {
        insert(tx, event, Some(&position.file))?;
    }
    let sql = "INSERT INTO spools (file, offset) VALUES (?1, ?2) ON CONFLICT (file) DO UPDATE SET offset = ?2";
    tx.prepare_cached(sql)?.execute(params![
        position.file,
        i64::try_from(position.offset).map_err(|error| StoreError::Other(Box::new(error)))?
    ])?;
    Ok(())
}

/// Stores one event; returns its row.
pub fn insert_event(tx: &Connection, event: &Event) -> Result<i64> {
    insert(tx, event, None)?;
    Ok(tx.last_insert_rowid())
}

pub(super) fn insert(tx: &Connection, event: &Event, spool: Option<&str>) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO events (spool, stamp, source, hook, git_dir, oid, rewrites, in_sequence)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    tx.prepare_cached(sql)?.execute(params![
        spool,
        row::micros(event.stamp),
        event.source.code(),
        event.hook.map(HookName::as_str),
        event.git_dir.as_os_str().as_bytes(),
        event.oid.as_ref().map(Oid::as_str),
        serde_json::to_string(&event.rewrites)?,
        event.in_sequence,
    ])?;
    Ok(())
}

const EVENT: &str = "row, stamp, source, hook, git_dir, oid, rewrites, in_sequence";

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn collect(mut rows: Rows<'_>) -> Result<Vec<PendingEvent>> {
    let mut pending = Vec::new();
    while let Some(row) = rows.next()? {
        pending.push(PendingEvent { row: row.get(0)?, event: read_event(row)? });
    }
    Ok(pending)
}

fn places(mut rows: Rows<'_>) -> Result<Vec<PathBuf>> {
    let mut places = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(0)?;
        places.push(PathBuf::from(OsStr::from_bytes(&bytes)));
    }
    Ok(places)
}

fn read_event(row: &Row<'_>) -> Result<Event> {
    let hook: Option<String> = row.get(3)?;
    let git_dir: Vec<u8> = row.get(4)?;
    let oid: Option<String> = row.get(5)?;
    Ok(Event {
        stamp: row::time(row.get(1)?)?,
        source: row::code(row, 2)?,
        hook: hook.as_deref().and_then(HookName::parse),
        git_dir: PathBuf::from(OsStr::from_bytes(&git_dir)),
        oid: oid.as_deref().map(row::parse).transpose()?,
        rewrites: row::json(row, 6)?,
        in_sequence: row.get(7)?,
    })
}

/// Number of open events.
pub fn count(db: &Connection) -> Result<u64> {
    let count: i64 =
        db.prepare_cached("SELECT count(*) FROM events WHERE closed = 0")?.query_row([], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Path prefix of everything below the directory.
fn below(dir: &Path) -> Vec<u8> {
    let mut start = dir.as_os_str().as_bytes().to_vec();
    start.push(b'/');
    start
}

/// Moves the open events of a relocated repository to its new path.
pub fn move_events(tx: &Connection, old: &Path, new: &Path) -> Result<()> {
    // `||` turns bytes into text; cast back to bytes they compare equal.
    let sql = "UPDATE events SET git_dir = CAST(?2 || substr(git_dir, length(?1) + 1) AS BLOB)
               WHERE closed = 0 AND (git_dir = ?1 OR substr(git_dir, 1, length(?3)) = ?3)";
    tx.execute(sql, params![old.as_os_str().as_bytes(), new.as_os_str().as_bytes(), below(old)])?;
    Ok(())
}

/// Marks the event as done. Closing it again changes nothing.
pub fn close(tx: &Connection, event: i64, note: Option<&str>) -> Result<()> {
    let sql = "UPDATE events SET closed = 1, note = ?2 WHERE row = ?1 AND closed = 0";
    tx.prepare_cached(sql)?.execute(params![event, note])?;
    Ok(())
}

impl EventStore for SqliteStore {
    fn ingest_events(&self, events: &[Event], position: &SpoolPosition) -> Result<()> {
        self.write(Rebuildable, |tx| ingest(tx, events, position))
    }

    fn insert_event(&self, event: &Event) -> Result<i64> {
        self.write(Rebuildable, |tx| insert_event(tx, event))
    }

    fn record_reflog_events(&self, repo: &RepoId, events: &[Event], positions: &[LogPosition]) -> Result<()> {
        self.write(Rebuildable, |tx| {
            for event in events {
                insert(tx, event, None)?;
            }
            let sql = "INSERT OR REPLACE INTO reflogs (repo_id, log, identity, offset) VALUES (?1, ?2, ?3, ?4)";
            let mut put = tx.prepare_cached(sql)?;
            for LogPosition { log, identity, offset } in positions {
                let offset = i64::try_from(*offset).map_err(|error| StoreError::Other(Box::new(error)))?;
                put.execute(params![repo.as_str(), log, identity, offset])?;
            }
            Ok(())
        })
    }

    fn log_positions(&self, repo: &RepoId) -> Result<Vec<LogPosition>> {
        self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT log, identity, offset FROM reflogs WHERE repo_id = ?1 ORDER BY log")?;
            let mut rows = query.query([repo.as_str()])?;
            let mut positions = Vec::new();
            while let Some(row) = rows.next()? {
                let offset: i64 = row.get(2)?;
                positions.push(LogPosition { log: row.get(0)?, identity: row.get(1)?, offset: offset.unsigned_abs() });
            }
            Ok(positions)
        })
    }

    fn commits_with_open_events(&self, common_dir: &Path, oids: &[Oid]) -> Result<HashSet<Oid>> {
        self.read(|db| {
            let names = serde_json::to_string(oids)?;
            let sql = "SELECT oid FROM events WHERE closed = 0 AND oid IN (SELECT value FROM json_each(?1))
               AND (git_dir = ?2 OR substr(git_dir, 1, length(?3)) = ?3)";
            let mut query = db.prepare_cached(sql)?;
            let mut rows = query.query(params![names, common_dir.as_os_str().as_bytes(), below(common_dir)])?;
            let mut awaited = HashSet::new();
            while let Some(row) = rows.next()? {
                let oid: String = row.get(0)?;
                awaited.insert(row::parse(&oid)?);
            }
            Ok(awaited)
        })
    }

    fn spool_positions(&self) -> Result<Vec<SpoolPosition>> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT file, offset FROM spools ORDER BY file")?;
            let mut rows = query.query([])?;
            let mut positions = Vec::new();
            while let Some(row) = rows.next()? {
                let offset: i64 = row.get(1)?;
                let offset = u64::try_from(offset).map_err(|error| StoreError::Corrupt(Box::new(error)))?;
                positions.push(SpoolPosition { file: row.get(0)?, offset });
            }
            Ok(positions)
        })
    }

    fn forget_spool(&self, file: &str) -> Result<()> {
        self.write(Rebuildable, |tx| {
            // Removes the position of a deleted spool file, and frees its events' key for a later file with that name.
            tx.execute("DELETE FROM spools WHERE file = ?1", [file])?;
            tx.execute("UPDATE events SET spool = NULL WHERE spool = ?1", [file])?;
            Ok(())
        })
    }

    fn pending_events(&self, limit: usize) -> Result<Vec<PendingEvent>> {
        self.read(|db| {
            let sql = format!("SELECT {EVENT} FROM events WHERE closed = 0 ORDER BY stamp, row LIMIT ?1");
            let mut query = db.prepare_cached(&sql)?;
            collect(query.query([rows(limit)])?)
        })
    }

    fn pending_event_count(&self) -> Result<u64> {
        self.read(count)
    }

    fn ready_events(
        &self,
        limit: usize,
        running: &[PathBuf],
        since: Timestamp,
        apart: &[PathBuf],
    ) -> Result<Vec<PendingEvent>> {
        self.read(|db| {
            let since = row::micros(since);
            let held = vec!["?"; running.len()].join(", ");
            let elsewhere = " AND git_dir <> ? AND substr(git_dir, 1, ?) <> ?".repeat(apart.len());
            let sql = format!(
        "SELECT {EVENT} FROM events WHERE closed = 0 AND NOT (in_sequence = 1 AND stamp > ? AND git_dir IN ({held}))
         {elsewhere} ORDER BY stamp, row LIMIT ?"
    );
            let bytes = |dir: &PathBuf| Value::Blob(dir.as_os_str().as_bytes().to_vec());
            let mut values = vec![Value::Integer(since)];
            values.extend(running.iter().map(bytes));
            for dir in apart {
                let start = below(dir);
                values.extend([bytes(dir), Value::Integer(start.len() as i64), Value::Blob(start)]);
            }
            values.push(Value::Integer(rows(limit)));
            let mut query = db.prepare_cached(&sql)?;
            collect(query.query(params_from_iter(values))?)
        })
    }

    fn newest_git_dirs(&self, limit: usize) -> Result<Vec<PathBuf>> {
        self.read(|db| {
            let sql = "SELECT git_dir FROM events WHERE closed = 0 ORDER BY stamp DESC, row DESC LIMIT ?1";
            places(db.prepare_cached(sql)?.query([rows(limit)])?)
        })
    }

    fn waiting_sequences(&self, since: Timestamp) -> Result<Vec<PathBuf>> {
        self.read(|db| {
            // Git directories with waiting events of a sequence newer than this. Skips from one directory to the next.
            let since = row::micros(since);
            let sql = "WITH RECURSIVE dirs (dir) AS (
                 SELECT min(git_dir) FROM events WHERE closed = 0 AND in_sequence = 1 UNION ALL
                 SELECT (SELECT min(e.git_dir) FROM events e
                         WHERE e.closed = 0 AND e.in_sequence = 1 AND e.git_dir > dirs.dir)
                 FROM dirs WHERE dirs.dir IS NOT NULL)
               SELECT dir FROM dirs WHERE EXISTS (
                 SELECT 1 FROM events e
                 WHERE e.closed = 0 AND e.in_sequence = 1 AND e.git_dir = dirs.dir AND e.stamp > ?1)";
            places(db.prepare_cached(sql)?.query([since])?)
        })
    }

    fn has_pending_rewrite(&self, oid: &Oid) -> Result<bool> {
        self.read(|db| {
            let sql = "SELECT 1 FROM rewritten r CROSS JOIN events e ON e.row = r.event
               WHERE r.old = ?1 AND e.closed = 0 AND (e.in_sequence = 0 OR e.hook IS NULL)";
            Ok(db.prepare_cached(sql)?.exists([oid.as_str()])?)
        })
    }

    fn close_event(&self, row: i64, note: Option<&str>) -> Result<()> {
        self.write(Rebuildable, |tx| close(tx, row, note))
    }

    fn skip_commits(&self, commits: &[(RepoId, Oid)], position: &SpoolPosition) -> Result<()> {
        self.write(Rebuildable, |tx| {
            commits.iter().try_for_each(|(repo, oid)| forget::skip(tx, repo, oid))?;
            ingest(tx, &[], position)
        })
    }
}
