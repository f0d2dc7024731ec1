//! Salvage: copies readable rows of a damaged file into a new one. Git rebuilds commits, but not user-written text.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params_from_iter};

use super::super::Result;
use super::checksum;
use super::codes::Coded;
use super::connection::{beside, create_private};
use super::error;
use crate::domain::capture::CaptureKind;

/// The rows recovered from a damaged file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Salvaged {
    pub notes: u64,
    pub commits: u64,
    pub drafts: u64,
    pub repositories: u64,
    /// Rows found but rejected because of a checksum mismatch.
    pub damaged: u64,
}

impl fmt::Display for Salvaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { notes, commits, drafts, repositories, damaged } = self;
        write!(f, "saved: {notes} notes, {commits} commits, {drafts} drafts, {repositories} repositories")?;
        if *damaged > 0 { write!(f, "; {damaged} rows are damaged") } else { Ok(()) }
    }
}

/// A table to copy, and how its rows are addressed.
struct SalvageTable {
    name: &'static str,
    /// Its name before schema 10.
    formerly: Option<&'static str>,
    key: RowAddress,
}

enum RowAddress {
    /// By row number: ranges after a damaged page remain reachable.
    Row,
    /// Small tables: from the start until the damage.
    Whole,
}

/// In the order of references between rows.
const TABLES: [SalvageTable; 10] = [
    SalvageTable { name: "repositories", formerly: None, key: RowAddress::Whole },
    SalvageTable { name: "forgotten", formerly: None, key: RowAddress::Row },
    SalvageTable { name: "captures", formerly: None, key: RowAddress::Row },
    SalvageTable { name: "prompts", formerly: Some("wires"), key: RowAddress::Whole },
    SalvageTable { name: "decisions", formerly: None, key: RowAddress::Whole },
    SalvageTable { name: "drafts", formerly: None, key: RowAddress::Row },
    SalvageTable { name: "draft_versions", formerly: None, key: RowAddress::Row },
    SalvageTable { name: "spools", formerly: None, key: RowAddress::Whole },
    SalvageTable { name: "kv", formerly: Some("marks"), key: RowAddress::Whole },
    SalvageTable { name: "forecasts", formerly: None, key: RowAddress::Whole },
];

/// Maximum failing reads per table; each costs some 10 µs.
const PROBES: u32 = 20_000;

/// Highest row number tried when the table's end can't be read.
const FAR: i64 = 1 << 24;

/// Copies into `new`. Damage is not an error; a failed write is.
pub fn copy(damaged: &Path, new: &mut Connection) -> Result<Salvaged> {
    let mended = mend_header(damaged)?;
    let source = mended.as_deref().unwrap_or(damaged);
    let mut salvaged = Salvaged::default();
    if let Ok(old) = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_ONLY) {
        let tx = new.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for table in &TABLES {
            copy_table(&old, &tx, table, &mut salvaged)?;
        }
        date(&tx)?;
        tx.execute(FIRST_VERSIONS, [])?;
        tx.commit()?;
    }
    for suffix in mended.iter().flat_map(|_| ["", "-wal", "-shm"]) {
        // A copy that can't be removed is harmless: the next salvage overwrites it.
        drop(fs::remove_file(beside(source, suffix)));
    }
    Ok(salvaged)
}

/// An older schema has no date for its prompts; without a date they would be kept forever.
fn date(new: &Connection) -> Result<()> {
    for table in ["prompts", "decisions"] {
        let when = format!(
            "UPDATE {table} SET at = (SELECT coalesce(refined, captured_at) FROM captures WHERE row = {table}.capture)
             WHERE at IS NULL"
        );
        new.execute(&when, [])?;
    }
    Ok(())
}

/// An older schema has no versions of its drafts; the migration to them does the same.
const FIRST_VERSIONS: &str = "INSERT INTO draft_versions
      (draft, number, at, written_by, base, model, title, body, sources, edit_seconds, edit_distance, checksum)
    SELECT row, 1, coalesce(finished_at, created_at),
      CASE WHEN edit_distance IS NOT NULL THEN 2 WHEN model IS NULL THEN 1 ELSE 0 END,
      1, model, title, body, sources, edit_seconds, edit_distance, checksum
    FROM drafts d WHERE (title <> '' OR body <> '')
      AND NOT EXISTS (SELECT 1 FROM draft_versions v WHERE v.draft = d.row)";

/// The first 16 bytes of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// A copy with a restored file header, when that is missing. The damaged file itself is not modified.
fn mend_header(damaged: &Path) -> Result<Option<PathBuf>> {
    let mut magic = [0; 16];
    let mut file = File::open(damaged).map_err(error::file)?;
    if file.read_exact(&mut magic).is_err() || &magic == MAGIC {
        return Ok(None);
    }
    let copy = beside(damaged, ".mended");
    let mend = || {
        duplicate(damaged, &copy)?.write_all_at(MAGIC, 0)?;
        let log = beside(damaged, "-wal");
        if log.exists() { duplicate(&log, &beside(&copy, "-wal")).map(drop) } else { Ok(()) }
    };
    mend().map_err(error::file)?;
    Ok(Some(copy))
}

fn duplicate(from: &Path, to: &Path) -> io::Result<File> {
    let mut target = create_private(to)?;
    target.set_len(0)?;
    io::copy(&mut File::open(from)?, &mut target)?;
    Ok(target)
}

fn copy_table(old: &Connection, new: &Connection, table: &SalvageTable, salvaged: &mut Salvaged) -> Result<()> {
    let is_older = |name: &&str| columns(old, name).is_ok_and(|columns| !columns.is_empty());
    let source = table.formerly.filter(is_older).unwrap_or(table.name);
    let columns = common_columns(old, source, new, table.name)?;
    let mut rows = Vec::new();
    match table.key {
        RowAddress::Whole => drop(read_rows(old, &select(source, &columns, ""), [0, 0], &mut rows)),
        RowAddress::Row => {
            let sql = select(source, &columns, "WHERE row BETWEEN ?1 AND ?2 ORDER BY row");
            let last = format!("SELECT coalesce(max(row), 0) FROM {source}");
            let end = old.query_row(&last, [], |row| row.get(0)).unwrap_or(FAR);
            let mut probes = PROBES;
            copy_halves(old, &sql, [0, end], &mut probes, &mut rows);
        }
    }
    let insert = insert(table.name, &columns);
    for row in rows {
        insert_if_intact(new, table.name, &insert, &columns, &row, salvaged)?;
    }
    Ok(())
}

/// Copies a range, and where that fails, its halves.
fn copy_halves(old: &Connection, sql: &str, range: [i64; 2], probes: &mut u32, rows: &mut Vec<Vec<Value>>) {
    let [from, to] = range;
    if from > to || *probes == 0 {
        return;
    }
    let before = rows.len();
    if read_rows(old, sql, range, rows).is_ok() {
        return;
    }
    *probes -= 1;
    // Rows before the damage are kept; `row` is the first column.
    let next = match rows[before..].last().and_then(|row| row.first()) {
        Some(Value::Integer(last)) => last + 1,
        _ => from,
    };
    if next >= to {
        return;
    }
    let middle = next + (to - next) / 2;
    copy_halves(old, sql, [next, middle], probes, rows);
    copy_halves(old, sql, [middle + 1, to], probes, rows);
}

fn read_rows(old: &Connection, sql: &str, range: [i64; 2], into: &mut Vec<Vec<Value>>) -> rusqlite::Result<()> {
    let mut query = old.prepare_cached(sql)?;
    let columns = query.column_count();
    let mut rows = if query.parameter_count() == 0 { query.query([])? } else { query.query(range)? };
    while let Some(row) = rows.next()? {
        into.push((0..columns).map(|column| row.get(column)).collect::<rusqlite::Result<_>>()?);
    }
    Ok(())
}

/// A damaged file may have an older schema; where that is unreadable, the new one's columns are tried.
fn common_columns(old: &Connection, source: &str, new: &Connection, table: &str) -> Result<Vec<String>> {
    let old_columns = columns(old, source).unwrap_or_default();
    let mut columns = columns(new, table)?;
    columns.retain(|column| old_columns.is_empty() || old_columns.contains(column));
    Ok(columns)
}

fn columns(file: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut query = file.prepare("SELECT name FROM pragma_table_info(?1)")?;
    query.query_map([table], |row| row.get(0))?.collect()
}

fn select(table: &str, columns: &[String], rest: &str) -> String {
    // NOT INDEXED: an index with a missing entry must not hide the row.
    format!("SELECT {} FROM {table} NOT INDEXED {rest}", listed(columns))
}

fn insert(table: &str, columns: &[String]) -> String {
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    format!("INSERT OR IGNORE INTO {table} ({}) VALUES ({})", listed(columns), places.join(", "))
}

fn listed(columns: &[String]) -> String {
    columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
}

/// Stores and counts a row with a valid checksum. A row that the new schema rejects counts as damaged.
fn insert_if_intact(
    new: &Connection,
    table: &str,
    insert: &str,
    columns: &[String],
    row: &[Value],
    salvaged: &mut Salvaged,
) -> Result<()> {
    if !is_intact(table, columns, row) {
        salvaged.damaged += 1;
        return Ok(());
    }
    let added = match new.prepare_cached(insert)?.execute(params_from_iter(row)) {
        Ok(added) => added as u64,
        Err(refused) if is_constraint(&refused) => 0,
        Err(other) => return Err(other.into()),
    };
    match table {
        "captures" if value(columns, row, "kind") == Some(&Value::Integer(CaptureKind::Note.code())) => {
            salvaged.notes += added;
        }
        "captures" => salvaged.commits += added,
        "drafts" => salvaged.drafts += added,
        "repositories" => salvaged.repositories += added,
        _ => {}
    }
    Ok(())
}

fn is_constraint(failure: &rusqlite::Error) -> bool {
    let code = failure.sqlite_error_code();
    matches!(code, Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TypeMismatch))
}

fn value<'a>(columns: &[String], row: &'a [Value], name: &str) -> Option<&'a Value> {
    columns.iter().position(|column| column == name).and_then(|place| row.get(place))
}

fn is_intact(table: &str, columns: &[String], row: &[Value]) -> bool {
    let guarded = match table {
        "captures" => ["raw", "summary"],
        "drafts" | "draft_versions" => ["title", "body"],
        _ => return true,
    };
    let texts = guarded.map(|name| value(columns, row, name));
    match (texts, value(columns, row, "checksum")) {
        ([Some(Value::Text(one)), Some(Value::Text(two))], Some(Value::Integer(sum))) => {
            checksum::of(&[one, two]) == *sum
        }
        _ => false,
    }
}
