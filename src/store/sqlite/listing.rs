//! Capture lists, newest first, served from the narrowest index.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::Durability::Durable;
use super::captures::sort_out;
use super::codes::Coded;
use super::row::{self, CAPTURE};
use super::{SqliteStore, captures, counts, finish, record, search};
use crate::domain::capture::{Capture, RepoRef};
use crate::domain::id::{CaptureId, RepoId};
use crate::domain::project::ProjectOrigin;
use crate::store::{CaptureArchive, CaptureCounts, CaptureQuery, CaptureRecord, Result};

/// The results, and the ids of rows too damaged to show.
pub struct CaptureRows {
    pub captures: Vec<Capture>,
    pub damaged: Vec<String>,
}

/// A query's conditions in SQL. Each combination is its own statement, so that the planner can choose the right index.
pub struct SqlConditions {
    pub sql: String,
    pub values: Vec<Value>,
}

impl SqlConditions {
    pub fn of(query: &CaptureQuery) -> Self {
        let mut conditions = Self { sql: String::from("1"), values: Vec::new() };
        if !query.all_states {
            conditions.sql.push_str(" AND c.state = 0");
        }
        conditions.add("c.repo_id =", query.repo.as_ref().map(|repo| Value::from(repo.as_str().to_owned())));
        if query.outside {
            conditions.sql.push_str(" AND c.repo_id IS NULL");
        }
        conditions.add("c.project =", query.project.clone().map(Value::from));
        conditions.add("c.kind =", query.kind.map(|kind| Value::from(kind.code())));
        conditions.add("c.at >=", query.since.map(|at| Value::from(row::micros(at))));
        conditions.add("c.at <", query.until.map(|at| Value::from(row::micros(at))));
        conditions.add("c.captured_at >=", query.captured_since.map(|at| Value::from(row::micros(at))));
        conditions
    }

    fn add(&mut self, condition: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.values.push(value);
            self.sql.push_str(&format!(" AND {condition} ?{}", self.values.len()));
        }
    }
}

fn path(origin: &ProjectOrigin) -> &str {
    origin.repo.as_ref().map_or("", |repo| repo.path.as_str())
}

/// Runs a query that selects the columns of a capture.
pub fn run(db: &Connection, sql: &str, values: Vec<Value>) -> Result<CaptureRows> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(params_from_iter(values))?;
    let mut listed = CaptureRows { captures: Vec::new(), damaged: Vec::new() };
    while let Some(found) = rows.next()? {
        sort_out(row::capture(found), &mut listed.captures, &mut listed.damaged)?;
    }
    Ok(listed)
}

impl CaptureArchive for SqliteStore {
    fn capture(&self, id_prefix: &str) -> Result<CaptureRecord> {
        self.read(|db| captures::by_id(db, id_prefix))
    }

    fn faults(&self, id: CaptureId) -> Result<Vec<String>> {
        self.read(|db| captures::faults(db, id))
    }

    fn captures(&self, query: &CaptureQuery) -> Result<Vec<Capture>> {
        let listed = self.read(|db| {
            let SqlConditions { sql, mut values } = SqlConditions::of(query);
            let limit = query.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
            values.push(Value::from(limit));
            // In order of author dates the few recently captured ones may come last or not at all.
            let by = if query.captured_since.is_some() { "INDEXED BY captures_count" } else { "" };
            let sql = format!(
                "SELECT {CAPTURE} FROM captures c {by} WHERE {sql} ORDER BY c.at DESC, c.row DESC LIMIT ?{}",
                values.len()
            );
            run(db, &sql, values)
        })?;
        self.report_damage("capture", &listed.damaged);
        Ok(listed.captures)
    }

    fn each_record(&self, each: &mut dyn FnMut(CaptureRecord) -> Result<()>) -> Result<()> {
        let mut next = Some(0);
        while let Some(after) = next {
            let page = self.read(|db| captures::page(db, after, PAGE))?;
            next = page.next;
            self.report_damage("capture", &page.damaged);
            page.records.into_iter().try_for_each(&mut *each)?;
        }
        Ok(())
    }

    fn import_records(&self, records: &[CaptureRecord]) -> Result<u64> {
        self.write(Durable, |tx| {
            records.iter().try_fold(0, |added, record| Ok(added + u64::from(record::import(tx, record)?)))
        })
    }

    fn search(&self, words: &str, query: &CaptureQuery) -> Result<Vec<Capture>> {
        let listed = self.read(|db| search::search(db, words, query))?;
        self.report_damage("capture", &listed.damaged);
        Ok(listed.captures)
    }

    fn edit_capture(&self, id: CaptureId, summary: &str) -> Result<Capture> {
        self.write(Durable, |tx| finish::edit(tx, id, summary))
    }

    fn capture_id(&self, id_prefix: &str) -> Result<CaptureId> {
        self.read(|db| row::parse(&captures::full_id(db, "capture", "captures", id_prefix)?))
    }

    fn forgotten_id(&self, id_prefix: &str) -> Result<CaptureId> {
        self.read(|db| row::parse(&captures::full_id(db, "capture", "forgotten", id_prefix)?))
    }

    fn count_captures(&self, repo: Option<&RepoId>, since: Timestamp, until: Timestamp) -> Result<CaptureCounts> {
        self.read(|db| counts::count(db, repo, since, until))
    }

    fn origins(&self) -> Result<Vec<ProjectOrigin>> {
        self.read(|db| {
    // Skips from one repository to the next instead of reading all rows.
    let sql = "WITH RECURSIVE ids (id) AS (
                 SELECT min(repo_id) FROM captures UNION ALL
                 SELECT (SELECT min(c.repo_id) FROM captures c WHERE c.repo_id > ids.id) FROM ids WHERE ids.id IS NOT NULL),
               newest (row) AS (
                 SELECT (SELECT c.row FROM captures c WHERE c.repo_id = ids.id AND c.state = 0
                         ORDER BY c.at DESC, c.row DESC LIMIT 1)
                 FROM ids WHERE ids.id IS NOT NULL)
               SELECT c.project, c.repo_id, CASE WHEN json_valid(c.rest) THEN json_extract(c.rest, '$.repo_path') END
               FROM newest JOIN captures c ON c.row = newest.row";
    let mut query = db.prepare_cached(sql)?;
    let read = |row: &rusqlite::Row<'_>| {
        let (project, id, path): (String, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let repo = RepoRef { path: path.unwrap_or_default(), id: RepoId::from_stored(id) };
        Ok(ProjectOrigin { project, repo: Some(repo) })
    };
    let mut origins = query.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let sql = "SELECT DISTINCT project FROM (
                 SELECT project FROM captures WHERE repo_id IS NULL AND state = 0 ORDER BY at DESC, row DESC LIMIT 1000)";
    let mut query = db.prepare_cached(sql)?;
    for project in query.query_map([], |row| row.get(0))? {
        origins.push(ProjectOrigin { project: project?, repo: None });
    }
    origins.sort_by(|one, other| one.project.cmp(&other.project).then_with(|| path(one).cmp(path(other))));
    Ok(origins)
})
    }
}

/// Page size for export: no read transaction is held while the caller processes records.
const PAGE: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capture::CaptureKind;
    use crate::store::sqlite::connection::ConnectionHandle;

    /// The query plan for a list of 20.
    fn plan(query: &CaptureQuery) -> String {
        let home = tempfile::tempdir().unwrap();
        let handle = ConnectionHandle::open(&home.path().join("captures.db")).unwrap();
        let SqlConditions { sql, values } = SqlConditions::of(query);
        let sql =
            format!("EXPLAIN QUERY PLAN SELECT {CAPTURE} FROM captures c WHERE {sql} ORDER BY c.at DESC, c.row DESC");
        let mut plan = handle.connection.prepare(&sql).unwrap();
        let steps = plan.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
        steps.collect::<rusqlite::Result<Vec<_>>>().unwrap().join("; ")
    }

    #[test]
    fn every_list_is_read_off_an_index_and_never_sorted() {
        let any = CaptureQuery::default;
        let repo = Some(RepoId::from_stored("r".into()));
        let cases = [
            (any(), "captures_time"),
            (CaptureQuery { all_states: true, ..any() }, "captures_time"),
            (
                CaptureQuery { kind: Some(CaptureKind::Note), since: Some(Timestamp::UNIX_EPOCH), ..any() },
                "captures_time",
            ),
            (CaptureQuery { repo: repo.clone(), ..any() }, "captures_repo"),
            (CaptureQuery { repo, project: Some("p".into()), all_states: true, ..any() }, "captures_"),
            (CaptureQuery { outside: true, project: Some("p".into()), ..any() }, "captures_"),
            (CaptureQuery { project: Some("p".into()), kind: Some(CaptureKind::Note), ..any() }, "captures_project"),
        ];
        for (query, index) in cases {
            let plan = plan(&query);
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
        }
    }
}
