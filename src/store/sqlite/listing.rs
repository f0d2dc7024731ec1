//! Capture lists, newest first, served from the narrowest index.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::super::{CaptureQuery, Result};
use super::captures::sort_out;
use super::codes::Coded;
use super::row::{self, CAPTURE};
use crate::domain::capture::{Capture, RepoRef};
use crate::domain::id::RepoId;
use crate::domain::project::Origin;

/// The results, and the ids of rows too damaged to show.
pub struct Listed {
    pub captures: Vec<Capture>,
    pub damaged: Vec<String>,
}

/// A query's conditions in SQL. Each combination is its own statement, so that the planner can choose the right index.
pub struct Conditions {
    pub sql: String,
    pub values: Vec<Value>,
}

impl Conditions {
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

/// At most `limit` captures, newest first by author date.
pub fn list(db: &Connection, query: &CaptureQuery) -> Result<Listed> {
    let Conditions { sql, mut values } = Conditions::of(query);
    let limit = query.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
    values.push(Value::from(limit));
    // In order of author dates the few recently captured ones may come last or not at all.
    let by = if query.captured_since.is_some() { "INDEXED BY captures_count" } else { "" };
    let sql = format!(
        "SELECT {CAPTURE} FROM captures c {by} WHERE {sql} ORDER BY c.at DESC, c.row DESC LIMIT ?{}",
        values.len()
    );
    run(db, &sql, values)
}

/// Skips from one repository to the next instead of reading all rows.
pub fn origins(db: &Connection) -> Result<Vec<Origin>> {
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
        Ok(Origin { project, repo: Some(repo) })
    };
    let mut origins = query.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let sql = "SELECT DISTINCT project FROM (
                 SELECT project FROM captures WHERE repo_id IS NULL AND state = 0 ORDER BY at DESC, row DESC LIMIT 1000)";
    let mut query = db.prepare_cached(sql)?;
    for project in query.query_map([], |row| row.get(0))? {
        origins.push(Origin { project: project?, repo: None });
    }
    origins.sort_by(|one, other| one.project.cmp(&other.project).then_with(|| path(one).cmp(path(other))));
    Ok(origins)
}

fn path(origin: &Origin) -> &str {
    origin.repo.as_ref().map_or("", |repo| repo.path.as_str())
}

/// Runs a query that selects the columns of a capture.
pub fn run(db: &Connection, sql: &str, values: Vec<Value>) -> Result<Listed> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(params_from_iter(values))?;
    let mut listed = Listed { captures: Vec::new(), damaged: Vec::new() };
    while let Some(found) = rows.next()? {
        sort_out(row::capture(found), &mut listed.captures, &mut listed.damaged)?;
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capture::Kind;
    use crate::store::sqlite::connection::Handle;

    /// The query plan for a list of 20.
    fn plan(query: &CaptureQuery) -> String {
        let home = tempfile::tempdir().unwrap();
        let handle = Handle::open(&home.path().join("captures.db")).unwrap();
        let Conditions { sql, values } = Conditions::of(query);
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
                CaptureQuery { kind: Some(Kind::Note), since: Some(jiff::Timestamp::UNIX_EPOCH), ..any() },
                "captures_time",
            ),
            (CaptureQuery { repo: repo.clone(), ..any() }, "captures_repo"),
            (CaptureQuery { repo, project: Some("p".into()), all_states: true, ..any() }, "captures_"),
            (CaptureQuery { outside: true, project: Some("p".into()), ..any() }, "captures_"),
            (CaptureQuery { project: Some("p".into()), kind: Some(Kind::Note), ..any() }, "captures_project"),
        ];
        for (query, index) in cases {
            let plan = plan(&query);
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
        }
    }
}
