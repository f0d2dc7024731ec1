//! Registered repositories (`init`).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Durability::Durable;
use super::{SqliteStore, events, row};
use crate::domain::event::HookMode;
use crate::domain::id::RepoId;
use crate::redact::redact;
use crate::store::{MarkStore, RegisteredRepo, RepositoryStore, Result};

/// Inserts or updates a repository. The earliest `since` is kept: a second `init` must not hide older commits.
pub fn register(tx: &Connection, repo: &RegisteredRepo) -> Result<()> {
    let sql = "INSERT INTO repositories (id, path, common_dir, project, since, means, inode)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (id) DO UPDATE SET path = ?2, common_dir = ?3, project = ?4, since = min(since, ?5),
                 means = ?6, inode = ?7";
    tx.execute(
        sql,
        params![
            repo.id.as_str(),
            repo.path.as_os_str().as_bytes(),
            repo.common_dir.as_os_str().as_bytes(),
            repo.project,
            row::micros(repo.since),
            repo.hook_mode.as_str(),
            repo.inode,
        ],
    )?;
    Ok(())
}

/// Removes a repository; true when it was registered. Its captures stay.
pub fn unregister(tx: &Connection, id: &RepoId) -> Result<bool> {
    tx.execute("DELETE FROM reflogs WHERE repo_id = ?1", [id.as_str()])?;
    tx.execute("DELETE FROM squashes WHERE repo_id = ?1", [id.as_str()])?;
    Ok(tx.execute("DELETE FROM repositories WHERE id = ?1", [id.as_str()])? > 0)
}

const REPOSITORY: &str = "SELECT id, path, common_dir, project, since, means, inode FROM repositories";

pub fn find(db: &Connection, id: &RepoId) -> Result<Option<RegisteredRepo>> {
    let mut query = db.prepare_cached(&format!("{REPOSITORY} WHERE id = ?1"))?;
    let mut rows = query.query([id.as_str()])?;
    rows.next()?.map(read_repository).transpose()
}

fn read_repository(row: &Row<'_>) -> Result<RegisteredRepo> {
    let path = |column| row.get(column).map(|bytes: Vec<u8>| PathBuf::from(OsStr::from_bytes(&bytes)));
    let means: String = row.get(5)?;
    Ok(RegisteredRepo {
        id: RepoId::from_stored(row.get(0)?),
        path: path(1)?,
        common_dir: path(2)?,
        project: row.get(3)?,
        since: row::time(row.get(4)?)?,
        hook_mode: HookMode::parse(&means),
        inode: row.get(6)?,
    })
}

pub fn set_mark(tx: &Connection, name: &str, value: Option<&str>) -> Result<()> {
    match value {
        Some(value) => tx.execute("INSERT OR REPLACE INTO kv (name, value) VALUES (?1, ?2)", [name, value])?,
        None => tx.execute("DELETE FROM kv WHERE name = ?1", [name])?,
    };
    Ok(())
}

impl RepositoryStore for SqliteStore {
    fn register(&self, repo: &RegisteredRepo) -> Result<()> {
        self.write(Durable, |tx| register(tx, repo))
    }

    fn unregister(&self, id: &RepoId) -> Result<bool> {
        self.write(Durable, |tx| unregister(tx, id))
    }

    fn registered_repos(&self) -> Result<Vec<RegisteredRepo>> {
        self.read(|db| {
            let mut query = db.prepare_cached(&format!("{REPOSITORY} ORDER BY path"))?;
            let mut rows = query.query([])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push(read_repository(row)?);
            }
            Ok(all)
        })
    }

    fn registration(&self, id: &RepoId) -> Result<Option<RegisteredRepo>> {
        self.read(|db| find(db, id))
    }

    fn move_repository(&self, old: &RepoId, new: &RegisteredRepo) -> Result<()> {
        self.write(Durable, |tx| {
            let before = find(tx, old)?;
            for table in ["captures", "reflogs", "squashes", "forgotten", "drafts"] {
                let sql = format!("UPDATE OR IGNORE {table} SET repo_id = ?2 WHERE repo_id = ?1");
                tx.execute(&sql, [old.as_str(), new.id.as_str()])?;
            }
            let path = redact(&new.path.to_string_lossy());
            let sql = "UPDATE captures SET rest = json_set(rest, '$.repo_path', ?2) WHERE repo_id = ?1";
            tx.execute(sql, [new.id.as_str(), &path])?;
            tx.execute("UPDATE drafts SET repo_path = ?2 WHERE repo_id = ?1", [new.id.as_str(), &path])?;
            if let Some(before) = &before {
                events::move_events(tx, &before.common_dir, &new.common_dir)?;
            }
            unregister(tx, old)?;
            let since = before.map_or(new.since, |before| before.since.min(new.since));
            register(tx, &RegisteredRepo { since, ..new.clone() })
        })
    }
}

impl MarkStore for SqliteStore {
    fn mark(&self, name: &str) -> Result<Option<String>> {
        self.read(|db| {
            let sql = "SELECT value FROM kv WHERE name = ?1";
            Ok(db.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?)
        })
    }

    fn set_mark(&self, name: &str, value: Option<&str>) -> Result<()> {
        self.write(Durable, |tx| set_mark(tx, name, value))
    }
}
