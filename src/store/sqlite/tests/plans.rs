//! No statement scans a growing table: EXPLAIN QUERY PLAN of every statement that the store runs while it uses all its
//! features.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, params_from_iter, types::Null};

use super::source;
use super::{Home, conform, trace};
use crate::domain::capture::CaptureKind;
use crate::store::samples::{note, repo, timestamp};
use crate::store::{CaptureQuery, CaptureStore, MaintenanceStore, Store};

/// Tables that stay small, and why. All others, new ones included, are assumed to grow without limit.
const SMALL: [(&str, &str); 6] = [
    ("forecasts", "holds at most `ledger::MOST` rows"),
    ("kv", "one row per fact that the program keeps for itself"),
    ("repositories", "one row per repository that was registered"),
    ("series", "one row per combination of operation, model and outcome"),
    ("spools", "one row per spool file"),
    ("token_counts", "one row per model and endpoint"),
];

/// Columns with so few values that an index search by them alone returns a large part of the table.
const COARSE: [&str; 9] = ["repo_id", "project", "spool", "git_dir", "hint", "kind", "state", "closed", "in_sequence"];

/// Statements allowed to read much, by a part of their text, and why.
const ALLOWED: [(&str, &str); 27] = [
    ("FROM 'main'.'final' AS T", "SQLite's own, after damage: the words of all captures are read again"),
    ("INDEXED BY captures_count", "what was captured since a moment, read off the index of that"),
    ("reason = 1 AND captured_at < ?1", "its index holds pending captures alone"),
    ("FROM operations WHERE at >= ?1", "adds up the window that was asked for"),
    ("FROM problems WHERE at >= ?1", "lists the window that was asked for"),
    ("FROM problems WHERE hint = ?1", "all that it finds goes"),
    ("SELECT count(*) FROM events WHERE closed = 0", "its index holds open events alone"),
    ("UPDATE events SET spool = NULL", "all of a spool's rows change, when it goes"),
    ("UPDATE events SET git_dir", "once, when a repository moved; open events alone"),
    ("UPDATE OR IGNORE", "once, when a repository moved: all its rows change"),
    ("SET rest = json_set(rest, '$.repo_path'", "once, when a repository moved: all its rows change"),
    ("UPDATE drafts SET repo_path", "once, when a repository moved"),
    ("SELECT state, count(*) FROM drafts", "counts the entries of a narrow index"),
    ("UPDATE drafts SET state = CASE WHEN edit_distance", "those that a worker holds: one for each"),
    ("FROM drafts WHERE finished_at >= ?1", "adds up the window that was asked for"),
    ("WITH RECURSIVE dirs", "jumps from one directory to the next"),
    ("FROM reflogs WHERE repo_id = ?1", "as many as the repository has logs"),
    ("DELETE FROM squashes WHERE repo_id = ?1", "all that it reads goes"),
    ("sum(octet_length(title)", "adds up lengths, which the heads of the rows have"),
    ("DELETE FROM drafts WHERE instr(sources", "forget looks everywhere"),
    ("DELETE FROM prompts WHERE (instr(wire", "forget looks everywhere"),
    ("DELETE FROM decisions WHERE (instr", "forget looks everywhere"),
    ("FROM captures WHERE instr(raw", "forget looks everywhere"),
    ("SELECT id FROM forgotten WHERE id <> ''", "forget looks everywhere"),
    ("SELECT id, error FROM drafts", "forget looks everywhere"),
    ("SELECT what, hint FROM problems", "forget looks everywhere"),
    ("UPDATE events SET note = NULL", "forget looks everywhere"),
];

/// Every statement that the store runs, once.
fn statements() -> &'static BTreeSet<String> {
    static ALL: OnceLock<BTreeSet<String>> = OnceLock::new();
    ALL.get_or_init(|| {
        let runs = trace::during(|| {
            conform();
            let home = Home::new();
            lists(&home.open());
            forget_damaged(&home);
        });
        runs.into_iter().map(|run| run.sql).collect()
    })
}

/// Statements that only create or migrate a file.
fn making() -> BTreeSet<String> {
    let home = Home::new();
    let statements =
        |job: &dyn Fn()| -> BTreeSet<String> { trace::during(job).into_iter().map(|run| run.sql).collect() };
    let first = statements(&|| drop(home.open()));
    &first - &statements(&|| drop(home.open()))
}

/// The words of a damaged capture are unknown: the whole index is rebuilt.
fn forget_damaged(home: &Home) {
    let store = home.open();
    let capture = note(1, "a thought");
    store.record_capture(&capture, None).unwrap();
    let file = Connection::open(home.path()).unwrap();
    file.execute("UPDATE captures SET checksum = checksum + 1", []).unwrap();
    store.forget_capture(capture.id, timestamp(9)).unwrap();
}

/// Every combination of conditions is a separate statement.
fn lists(store: &dyn Store) {
    for bits in 0..256_u32 {
        let has = |bit: u32| bits & (1 << bit) != 0;
        let query = CaptureQuery {
            project: has(0).then(|| "shop".into()),
            repo: has(1).then(repo),
            outside: has(2),
            kind: has(3).then_some(CaptureKind::Note),
            since: has(4).then(|| timestamp(0)),
            until: has(5).then(|| timestamp(9)),
            captured_since: has(6).then(|| timestamp(0)),
            all_states: has(7),
            limit: Some(20),
        };
        store.captures(&query).unwrap();
        store.search("basket", &query).unwrap();
    }
}

#[test]
fn no_statement_reads_all_of_a_table_that_grows() {
    let home = Home::new();
    drop(home.open());
    let schema = Schema::read(&home);
    let mut refused = BTreeMap::new();
    let making = making();
    for sql in statements().iter().filter(|sql| !making.contains(*sql)) {
        let objections = schema.objections(sql);
        if !objections.is_empty() {
            refused.insert(sql, objections);
        }
    }
    let mut needed = BTreeSet::new();
    refused.retain(|sql, _| {
        let allowed = ALLOWED.iter().find(|(part, _)| source::flat(sql).contains(part));
        needed.extend(allowed.map(|(part, _)| *part));
        allowed.is_none()
    });
    let descriptions: Vec<String> =
        refused.iter().map(|(sql, why)| format!("{}\n    {}", source::flat(sql), why.join("\n    "))).collect();
    assert!(
        refused.is_empty(),
        "{} statements:\n{}",
        descriptions.len(),
        descriptions[..descriptions.len().min(20)].join("\n")
    );
    let idle: Vec<_> = ALLOWED.iter().map(|(part, _)| *part).filter(|part| !needed.contains(part)).collect();
    assert!(idle.is_empty(), "allowed, but not needed: {idle:?}");
}

/// The tables and triggers of an empty store.
struct Schema {
    db: Connection,
    tables: BTreeSet<String>,
    /// The text of all triggers, which may alias a table.
    triggers: String,
}

impl Schema {
    fn read(home: &Home) -> Self {
        let db = super::super::connection::raw(&home.path()).unwrap();
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRIGGER_EQP, true).unwrap();
        let tables = texts(&db, "SELECT name FROM sqlite_schema WHERE type = 'table'").into_iter().collect();
        let triggers = texts(&db, "SELECT sql FROM sqlite_schema WHERE type = 'trigger'").join(" ");
        Self { db, tables, triggers }
    }

    /// Unwanted steps of the query plan.
    fn objections(&self, sql: &str) -> Vec<String> {
        let mut query = self.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let nothing = vec![Null; query.parameter_count()];
        let steps = query.query_map(params_from_iter(nothing), |row| row.get::<_, Option<String>>(3)).unwrap();
        // A step without detail starts a foreign key action.
        let steps: Vec<String> = steps.filter_map(|step| step.unwrap()).collect();
        // Reads in index order until the limit is reached.
        let ends_early = sql.contains("LIMIT") && !steps.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
        steps.into_iter().filter(|step| self.is_wide(sql, step, ends_early)).collect()
    }

    fn is_wide(&self, sql: &str, step: &str, ends_early: bool) -> bool {
        let mut words = step.split_whitespace();
        let (Some(how), Some(name)) = (words.next(), words.next()) else { return false };
        let grows = self.table(sql, name).is_some_and(|table| SMALL.iter().all(|(small, _)| *small != table));
        match how {
            _ if step.contains("AUTOMATIC") => true,
            // Full text: `M` is the matched term.
            "SCAN" if step.contains("VIRTUAL TABLE") => name == "words" && !step.contains(":M"),
            "SCAN" => grows && !(ends_early && step.contains("USING")),
            "SEARCH" => grows && !ends_early && is_coarse(step),
            _ => false,
        }
    }

    /// The table behind this alias; `None` for a table that the statement itself created.
    fn table(&self, sql: &str, name: &str) -> Option<String> {
        if self.tables.contains(name) {
            return Some(name.to_owned());
        }
        let all = format!("{sql} {}", self.triggers);
        let words: Vec<&str> =
            all.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !matches!(*word, "" | "AS")).collect();
        let named = words.windows(2).find(|pair| pair[1] == name && self.tables.contains(pair[0]));
        named.map(|pair| pair[0].to_owned())
    }
}

/// Whether the compared columns have low selectivity, or restrict only one end of the range.
fn is_coarse(step: &str) -> bool {
    let Some((_, compared)) = step.rsplit_once('(') else { return false };
    let columns: Vec<&str> = compared.split(')').next().unwrap_or_default().split(" AND ").collect();
    let precise = |column: &&str| column.strip_suffix("=?").is_some_and(|name| !COARSE.contains(&name));
    let between =
        columns.iter().any(|column| column.ends_with("<?")) && columns.iter().any(|column| column.ends_with(">?"));
    !between && !columns.iter().any(precise)
}

fn texts(db: &Connection, sql: &str) -> Vec<String> {
    let mut query = db.prepare(sql).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn every_statement_in_the_source_was_run() {
    let run: Vec<String> = statements().iter().map(|sql| source::flat(sql)).collect();
    let patterns = source::statements();
    assert!(patterns.len() > 100, "{} statements are read off the source", patterns.len());
    let missing = patterns.iter().filter(|pattern| !run.iter().any(|sql| pattern.fits(sql)));
    let missing: Vec<String> =
        missing.map(|pattern| format!("{}: {}", pattern.file, pattern.parts.join("…"))).collect();
    assert!(missing.is_empty(), "no check of the store runs\n{}", missing.join("\n"));
}

#[test]
fn every_method_of_the_store_is_called_by_a_check() {
    let (methods, called) = (source::methods(), source::conformance());
    assert!(methods.len() > 60, "{} methods are read off the source", methods.len());
    let missing: Vec<&String> = methods.iter().filter(|name| !called.contains(&format!(".{name}("))).collect();
    assert!(missing.is_empty(), "no check calls: {missing:?}");
}
