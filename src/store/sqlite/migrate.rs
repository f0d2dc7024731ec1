//! Brings a database to this program's schema: all steps in one transaction, after a backup.

use std::hash::{Hash, Hasher};
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use siphasher::sip::SipHasher13;

use super::super::{Result, StoreError};
use super::connection::{Exclusive, Identity, beside, create_private};
use super::error::{self, DamagedRow};

/// One migration: SQL that raises the schema to `version` and sets `user_version`.
#[derive(Debug, Clone, Copy)]
struct Migration {
    version: i32,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("migrations/V", $version, "__", $name, ".sql")),
        }
    };
}

/// Every migration, in order of version. A migration that has been released never changes.
const MIGRATIONS: [Migration; 9] = [
    migration!(1, "captures"),
    migration!(2, "reflogs"),
    migration!(3, "judged"),
    migration!(4, "routed"),
    migration!(5, "noted"),
    migration!(6, "draft_repositories"),
    migration!(7, "changes"),
    migration!(8, "dated"),
    migration!(9, "by_index"),
];

/// The schema this program writes: the last migration's number.
pub const SCHEMA: i64 = 9;

/// Name and columns as the `refinery` crate defines them: the first releases kept their history with it.
const HISTORY: &str = "CREATE TABLE IF NOT EXISTS refinery_schema_history(
  version int4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255))";

impl Migration {
    /// Checksum as the `refinery` crate computes it: SipHash-1-3 with a zero key over name, version and SQL.
    fn checksum(&self) -> u64 {
        let mut hasher = SipHasher13::new();
        self.name.hash(&mut hasher);
        self.version.hash(&mut hasher);
        self.sql.hash(&mut hasher);
        hasher.finish()
    }

    fn apply(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        transaction.execute_batch(self.sql)?;
        let record = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
                      VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?3)";
        transaction.execute(record, params![self.version, self.name, self.checksum().to_string()])?;
        Ok(())
    }
}

/// The schema number that the file carries; 0 for an empty one.
pub fn found(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))?)
}

/// Does nothing but one header read when the file is up to date.
///
/// # Errors
/// `TooNew` when a newer program wrote the file; nothing is touched then.
pub fn bring_up(connection: &mut Connection, path: &Path) -> Result<()> {
    bring_to(connection, path, SCHEMA, &MIGRATIONS)
}

fn bring_to(connection: &mut Connection, path: &Path, known: i64, migrations: &[Migration]) -> Result<()> {
    let opened = Identity::of(path);
    if up_to_date(connection, known)? {
        return Ok(());
    }
    // Another process may be at it: whoever comes second finds the work done.
    let _lock = Exclusive::take(path)?;
    if up_to_date(connection, known)? || Identity::of(path) != opened {
        // Done by the other process, or the file was replaced: then the caller opens the new one.
        return Ok(());
    }
    let old = found(connection)?;
    if old > 0 {
        readable_history(connection)?;
        backup(connection, path, old)?;
    }
    connection.pragma_update(None, "journal_mode", "wal")?;
    apply_missing(connection, migrations)?;
    // Part of the last step already; said again for a file whose history knows more than its header.
    Ok(connection.pragma_update(None, "user_version", known)?)
}

fn up_to_date(connection: &Connection, known: i64) -> Result<bool> {
    match found(connection)? {
        found if found > known => Err(StoreError::TooNew { found, known }),
        found => Ok(found == known),
    }
}

/// Keeps `captures.db.schema-<old>`, complete or not at all.
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

/// Applies what the history does not list, in one transaction.
fn apply_missing(connection: &mut Connection, migrations: &[Migration]) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(HISTORY, [])?;
    let applied = applied(&transaction, migrations)?;
    for migration in migrations.iter().filter(|migration| migration.version > applied) {
        migration.apply(&transaction)?;
    }
    Ok(transaction.commit()?)
}

/// The newest applied version, 0 for none.
///
/// # Errors
/// The history is not that of `migrations`: an entry is unknown or differs, or one is left out.
fn applied(connection: &Connection, migrations: &[Migration]) -> Result<i32> {
    let mut rows =
        connection.prepare("SELECT version, name, checksum FROM refinery_schema_history ORDER BY version")?;
    let history = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut expected = migrations.iter();
    let mut newest = 0;
    for entry in history {
        let (version, name, checksum): (i32, String, String) = entry?;
        let known = expected.next().is_some_and(|migration| {
            migration.version == version && migration.name == name && migration.checksum().to_string() == checksum
        });
        if !known {
            return Err(StoreError::Other(format!("migration {version} ({name}) is not one of this program").into()));
        }
        newest = version;
    }
    Ok(newest)
}

/// Fails on a history that no program wrote.
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

/// A file as the first released program made it.
#[cfg(test)]
pub fn bring_to_first(connection: &mut Connection, path: &Path) -> Result<()> {
    bring_to(connection, path, 1, &MIGRATIONS[..1])
}

/// A file as the program made it that knew of no router.
#[cfg(test)]
pub fn bring_to_third(connection: &mut Connection, path: &Path) -> Result<()> {
    bring_to(connection, path, 3, &MIGRATIONS[..3])
}

/// A file as the program made it that knew drafts by their project's name.
#[cfg(test)]
pub fn bring_to_fourth(connection: &mut Connection, path: &Path) -> Result<()> {
    bring_to(connection, path, 4, &MIGRATIONS[..4])
}

#[cfg(test)]
mod tests {
    use super::super::connection::raw;
    use super::*;

    const FIRST: Migration =
        Migration { version: 1, name: "one", sql: "CREATE TABLE one (x); PRAGMA user_version = 1;" };
    const OLD: [Migration; 1] = [FIRST];
    const GOOD: [Migration; 2] =
        [FIRST, second("CREATE TABLE two (x); INSERT INTO two SELECT x FROM one; PRAGMA user_version = 2;")];
    const BROKEN: [Migration; 2] =
        [FIRST, second("CREATE TABLE two (x); INSERT INTO nowhere VALUES (1); PRAGMA user_version = 2;")];

    const fn second(sql: &'static str) -> Migration {
        Migration { version: 2, name: "two", sql }
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
        bring_to(&mut connection, &path, 1, &OLD).unwrap();
        connection.execute("INSERT INTO one VALUES (7)", []).unwrap();

        assert!(bring_to(&mut connection, &path, 2, &BROKEN).is_err());
        assert_eq!(found(&connection).unwrap(), 1);
        assert_eq!(tables(&connection), ["one", "refinery_schema_history"]);
        let kept = raw(&home.path().join("captures.db.schema-1")).unwrap();
        assert_eq!(kept.query_row("SELECT x FROM one", [], |row| row.get::<_, i64>(0)).unwrap(), 7);

        bring_to(&mut connection, &path, 2, &GOOD).unwrap();
        assert_eq!(found(&connection).unwrap(), 2);
        assert_eq!(connection.query_row("SELECT x FROM two", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("captures.db");
        let mut connection = raw(&path).unwrap();
        bring_to(&mut connection, &path, 2, &GOOD).unwrap();
        let refused = bring_to(&mut connection, &path, 1, &OLD).unwrap_err();
        assert!(matches!(refused, StoreError::TooNew { found: 2, known: 1 }), "{refused}");
        assert_eq!(tables(&connection).len(), 3);
    }

    #[test]
    fn a_garbled_history_is_damage_and_no_panic() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("captures.db");
        let mut connection = raw(&path).unwrap();
        bring_to(&mut connection, &path, 1, &OLD).unwrap();
        connection.execute("UPDATE refinery_schema_history SET checksum = 'x'", []).unwrap();
        let refused = bring_to(&mut connection, &path, 2, &GOOD).unwrap_err();
        assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
    }

    #[test]
    fn a_history_of_another_program_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("captures.db");
        let mut connection = raw(&path).unwrap();
        bring_to(&mut connection, &path, 1, &OLD).unwrap();
        connection.execute("UPDATE refinery_schema_history SET version = 2", []).unwrap();
        let refused = bring_to(&mut connection, &path, 2, &GOOD).unwrap_err();
        assert!(matches!(refused, StoreError::Other(_)), "{refused}");
        assert_eq!(tables(&connection), ["one", "refinery_schema_history"]);
    }

    #[test]
    fn the_migrations_are_the_files_without_a_gap_and_end_at_this_schema() {
        let versions: Vec<i64> = MIGRATIONS.iter().map(|migration| i64::from(migration.version)).collect();
        assert_eq!(versions, (1..=SCHEMA).collect::<Vec<_>>());
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sqlite/migrations");
        assert_eq!(std::fs::read_dir(directory).unwrap().count(), MIGRATIONS.len());
    }

    /// From the history of a file that a program with the `refinery` crate made.
    #[test]
    fn checksums_are_those_that_files_of_older_programs_hold() {
        let sums = MIGRATIONS.map(|migration| migration.checksum());
        let stored = [
            741_063_203_255_655_668,
            5_010_609_670_368_327_668,
            10_695_058_965_530_031_019,
            15_089_647_385_108_382_327,
            8_004_091_082_345_043_188,
            10_932_434_471_452_073_081,
            146_553_030_834_181_090,
            16_995_284_745_186_919_554,
            14_691_319_833_299_847_719,
        ];
        assert_eq!(sums, stored);
    }

    #[test]
    fn many_processes_that_open_an_empty_file_at_once_make_one_schema() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("captures.db");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| bring_up(&mut raw(&path).unwrap(), &path).unwrap());
            }
        });
        let connection = raw(&path).unwrap();
        let applied = "SELECT count(*) FROM refinery_schema_history";
        let steps = MIGRATIONS.len();
        assert_eq!(
            connection.query_row(applied, [], |row| row.get::<_, i64>(0)).unwrap(),
            i64::try_from(steps).unwrap()
        );
    }
}
