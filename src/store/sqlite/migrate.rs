//! Schema migration: all steps in one transaction, after a backup.

use std::path::Path;

use jiff::Timestamp;
use refinery::Runner;
use rusqlite::{Connection, TransactionBehavior};

use super::super::{Result, StoreError};
use super::connection::{DatabaseFileId, DatabaseLock, beside, create_private};
use super::error::{self, DamagedRow};

mod embedded {
    refinery::embed_migrations!("src/store/sqlite/migrations");
}

/// The schema version of this program: the last migration's number.
pub const SCHEMA: i64 = 11;

/// The schema version stored in the file; 0 for an empty one.
pub fn schema_version(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))?)
}

/// Reads only the header when the file is up to date.
///
/// # Errors
/// `TooNew` when a newer program wrote the file; it is not modified then.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    migrate_to(connection, path, SCHEMA, embedded::migrations::runner)
}

fn migrate_to(connection: &mut Connection, path: &Path, schema: i64, runner: fn() -> Runner) -> Result<()> {
    let opened = DatabaseFileId::of(path);
    if up_to_date(connection, schema)? {
        return Ok(());
    }
    // Another process may be migrating: after its lock is released there is nothing left to do.
    let _lock = DatabaseLock::acquire(path)?;
    if up_to_date(connection, schema)? || DatabaseFileId::of(path) != opened {
        // Migrated by the other process, or the file was replaced: then the caller opens the new one.
        return Ok(());
    }
    let old = schema_version(connection)?;
    if old > 0 {
        readable_history(connection)?;
        backup(connection, path, old)?;
    }
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    runner().set_grouped(true).run(connection).map_err(failed)?;
    // Usually set by the last step; repeated for a file with a history that is ahead of its header.
    Ok(connection.pragma_update(None, "user_version", schema)?)
}

fn up_to_date(connection: &Connection, schema: i64) -> Result<bool> {
    match schema_version(connection)? {
        found if found > schema => Err(StoreError::TooNew { found, known: schema }),
        found => Ok(found == schema),
    }
}

/// Writes the backup `captures.db.schema-<old>` atomically.
fn backup(connection: &Connection, path: &Path, old: i64) -> Result<()> {
    let target = beside(path, &format!(".schema-{old}"));
    let unfinished = beside(&target, ".unfinished");
    match std::fs::remove_file(&unfinished) {
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {}
        other => other.map_err(error::file)?,
    }
    create_private(&unfinished).map_err(error::file)?;
    connection.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])?;
    std::fs::rename(&unfinished, &target).map_err(error::file)
}

/// The migration library panics on a history it can't parse, so the history is validated first.
fn readable_history(connection: &Connection) -> Result<()> {
    let mut rows = connection.prepare("SELECT applied_on, checksum FROM refinery_schema_history")?;
    let history = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for entry in history {
        let (applied_on, checksum) = entry?;
        if applied_on.parse::<Timestamp>().is_err() || checksum.parse::<u64>().is_err() {
            return Err(DamagedRow::error("migration", applied_on, &"not a date and a checksum"));
        }
    }
    Ok(())
}

/// Extracts SQLite's error from the library's.
fn failed(wrapped: refinery::Error) -> StoreError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&wrapped);
    while let Some(error) = source {
        if let Some(rusqlite::Error::SqliteFailure(code, message)) = error.downcast_ref() {
            return rusqlite::Error::SqliteFailure(*code, message.clone()).into();
        }
        source = error.source();
    }
    StoreError::Other(Box::new(wrapped))
}

/// A file of the first released version.
#[cfg(test)]
pub fn bring_to_first(connection: &mut Connection, path: &Path) -> Result<()> {
    migrate_to(connection, path, 1, || embedded::migrations::runner().set_target(refinery::Target::Version(1)))
}

/// A file of a version without the router.
#[cfg(test)]
pub fn bring_to_third(connection: &mut Connection, path: &Path) -> Result<()> {
    migrate_to(connection, path, 3, || embedded::migrations::runner().set_target(refinery::Target::Version(3)))
}

/// A file of a version that keyed drafts by project name.
#[cfg(test)]
pub fn bring_to_fourth(connection: &mut Connection, path: &Path) -> Result<()> {
    migrate_to(connection, path, 4, || embedded::migrations::runner().set_target(refinery::Target::Version(4)))
}

#[cfg(test)]
mod tests {
    use super::super::connection::raw;
    use super::*;
    use refinery::Migration;

    fn first() -> Migration {
        Migration::unapplied("V1__one", "CREATE TABLE one (x); PRAGMA user_version = 1;").unwrap()
    }

    fn old() -> Runner {
        Runner::new(&[first()])
    }

    fn good() -> Runner {
        let second = "CREATE TABLE two (x); INSERT INTO two SELECT x FROM one; PRAGMA user_version = 2;";
        Runner::new(&[first(), Migration::unapplied("V2__two", second).unwrap()])
    }

    fn broken() -> Runner {
        let second = "CREATE TABLE two (x); INSERT INTO nowhere VALUES (1); PRAGMA user_version = 2;";
        Runner::new(&[first(), Migration::unapplied("V2__two", second).unwrap()])
    }

    fn tables(connection: &Connection) -> Vec<String> {
        let mut names = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1").unwrap();
        let names = names.query_map([], |row| row.get(0)).unwrap();
        names.collect::<rusqlite::Result<Vec<String>>>().unwrap()
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_schema_and_the_backup() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("captures.db");
        let mut connection = raw(&path).unwrap();
        migrate_to(&mut connection, &path, 1, old).unwrap();
        connection.execute("INSERT INTO one VALUES (7)", []).unwrap();

        assert!(migrate_to(&mut connection, &path, 2, broken).is_err());
        assert_eq!(schema_version(&connection).unwrap(), 1);
        assert_eq!(tables(&connection), ["one", "refinery_schema_history"]);
        let kept = raw(&home.path().join("captures.db.schema-1")).unwrap();
        assert_eq!(kept.query_row("SELECT x FROM one", [], |row| row.get::<_, i64>(0)).unwrap(), 7);

        migrate_to(&mut connection, &path, 2, good).unwrap();
        assert_eq!(schema_version(&connection).unwrap(), 2);
        assert_eq!(connection.query_row("SELECT x FROM two", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("captures.db");
        let mut connection = raw(&path).unwrap();
        migrate_to(&mut connection, &path, 2, good).unwrap();
        let refused = migrate_to(&mut connection, &path, 1, old).unwrap_err();
        assert!(matches!(refused, StoreError::TooNew { found: 2, known: 1 }), "{refused}");
        assert_eq!(tables(&connection).len(), 3);
    }

    #[test]
    fn a_garbled_history_is_damage_and_no_panic() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("captures.db");
        let mut connection = raw(&path).unwrap();
        migrate_to(&mut connection, &path, 1, old).unwrap();
        connection.execute("UPDATE refinery_schema_history SET checksum = 'x'", []).unwrap();
        let refused = migrate_to(&mut connection, &path, 2, good).unwrap_err();
        assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
    }

    #[test]
    fn the_embedded_migrations_end_at_this_schema() {
        let last = embedded::migrations::runner().get_migrations().iter().map(Migration::version).max();
        assert_eq!(last.map(i64::from), Some(SCHEMA));
    }

    #[test]
    fn many_processes_that_open_an_empty_file_at_once_make_one_schema() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("captures.db");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| migrate(&mut raw(&path).unwrap(), &path).unwrap());
            }
        });
        let connection = raw(&path).unwrap();
        let applied = "SELECT count(*) FROM refinery_schema_history";
        let steps = embedded::migrations::runner().get_migrations().len();
        assert_eq!(
            connection.query_row(applied, [], |row| row.get::<_, i64>(0)).unwrap(),
            i64::try_from(steps).unwrap()
        );
    }
}
