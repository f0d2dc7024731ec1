//! Reflog positions, and prepared squash merges.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::{Result, StoreError};
use super::events;
use crate::domain::event::{Event, LogPosition};
use crate::domain::id::{Oid, RepoId};

/// Stores the events and advances the positions.
pub fn take_moves(tx: &Connection, repo: &RepoId, events: &[Event], positions: &[LogPosition]) -> Result<()> {
    for event in events {
        events::insert(tx, event, None)?;
    }
    let sql = "INSERT OR REPLACE INTO reflogs (repo_id, log, identity, offset) VALUES (?1, ?2, ?3, ?4)";
    let mut put = tx.prepare_cached(sql)?;
    for LogPosition { log, identity, offset } in positions {
        let offset = i64::try_from(*offset).map_err(|error| StoreError::Other(Box::new(error)))?;
        put.execute(params![repo.as_str(), log, identity, offset])?;
    }
    Ok(())
}

/// All positions of this repository.
pub fn positions(db: &Connection, repo: &RepoId) -> Result<Vec<LogPosition>> {
    let mut query = db.prepare_cached("SELECT log, identity, offset FROM reflogs WHERE repo_id = ?1 ORDER BY log")?;
    let mut rows = query.query([repo.as_str()])?;
    let mut positions = Vec::new();
    while let Some(row) = rows.next()? {
        let offset: i64 = row.get(2)?;
        positions.push(LogPosition { log: row.get(0)?, identity: row.get(1)?, offset: offset.unsigned_abs() });
    }
    Ok(positions)
}

/// Stores the commits that the next commit on `parent` combines.
pub fn prepare_squash(tx: &Connection, repo: &RepoId, parent: &Oid, oids: &[Oid], at: i64) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO squashes (repo_id, parent, oids, at) VALUES (?1, ?2, ?3, ?4)";
    tx.execute(sql, params![repo.as_str(), parent.as_str(), serde_json::to_string(oids)?, at])?;
    Ok(())
}

/// The stored commits; empty if none.
pub fn prepared_squash(db: &Connection, repo: &RepoId, parent: &Oid) -> Result<Vec<Oid>> {
    let sql = "SELECT oids FROM squashes WHERE repo_id = ?1 AND parent = ?2";
    let found: Option<String> =
        db.prepare_cached(sql)?.query_row([repo.as_str(), parent.as_str()], |row| row.get(0)).optional()?;
    Ok(found.map(|json| serde_json::from_str(&json)).transpose()?.unwrap_or_default())
}
