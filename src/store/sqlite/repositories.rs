//! The repositories that `init` registered.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rusqlite::{Connection, Row, params};

use super::super::{Registered, Result};
use super::row;
use crate::domain::id::RepoId;

/// Registers or updates it. The earliest `since` stays: a second `init` must not hide older commits.
pub fn register(tx: &Connection, repo: &Registered) -> Result<()> {
    let sql = "INSERT INTO repositories (id, path, common_dir, project, since) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (id) DO UPDATE SET path = ?2, common_dir = ?3, project = ?4, since = min(since, ?5)";
    tx.execute(
        sql,
        params![
            repo.id.as_str(),
            repo.path.as_os_str().as_bytes(),
            repo.common_dir.as_os_str().as_bytes(),
            repo.project,
            row::micros(repo.since),
        ],
    )?;
    Ok(())
}

/// True when it was registered. Its captures stay.
pub fn unregister(tx: &Connection, id: &RepoId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM repositories WHERE id = ?1", [id.as_str()])? > 0)
}

pub fn all(db: &Connection) -> Result<Vec<Registered>> {
    let mut query = db.prepare_cached("SELECT id, path, common_dir, project, since FROM repositories ORDER BY path")?;
    let mut rows = query.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

fn read(row: &Row<'_>) -> Result<Registered> {
    let path = |column| row.get(column).map(|bytes: Vec<u8>| PathBuf::from(OsStr::from_bytes(&bytes)));
    Ok(Registered {
        id: RepoId::from_stored(row.get(0)?),
        path: path(1)?,
        common_dir: path(2)?,
        project: row.get(3)?,
        since: row::time(row.get(4)?)?,
    })
}
