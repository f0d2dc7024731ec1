//! What is asked for at every commit is found by an index, however many captures there are.

use rusqlite::params_from_iter;

use super::super::{expire, finish, notes};
use super::Home;

#[test]
fn what_a_commit_asks_for_is_found_by_an_index() {
    let home = Home::new();
    drop(home.open());
    let db = rusqlite::Connection::open(home.path()).unwrap();
    let cases = [
        (notes::OWNERS.to_owned(), "n USING PRIMARY KEY (note=?)"),
        (notes::NAMING.to_owned(), "n USING PRIMARY KEY (note=?)"),
        (finish::crediting(true), "captures_commit (repo_id=? AND oid=?)"),
        (finish::crediting(false), "(captured_at>?)"),
    ];
    for (sql, index) in cases {
        let mut query = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let nothing = vec![rusqlite::types::Null; query.parameter_count()];
        let steps = query.query_map(params_from_iter(nothing), |row| row.get::<_, String>(3)).unwrap();
        let steps = steps.collect::<rusqlite::Result<Vec<_>>>().unwrap().join("; ");
        assert!(steps.contains(index), "{sql}: {steps}");
        assert!(!steps.contains("SCAN"), "{sql}: {steps}");
    }
}

#[test]
fn what_expires_is_found_by_an_index() {
    let home = Home::new();
    drop(home.open());
    let db = rusqlite::Connection::open(home.path()).unwrap();
    for (sql, index) in [
        (expire::EVENTS, "events_closed (stamp<?)"),
        (expire::OPERATIONS, "PRIMARY KEY (at<?)"),
        (expire::PROMPTS, "wires_time (at<?)"),
        (expire::DECISIONS, "decisions_time (at<?)"),
        (expire::PROBLEMS, "problems_time (at<?)"),
        (expire::SQUASHES, "squashes_time (at<?)"),
    ] {
        let mut query = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = query.query_map([0, 0], |row| row.get::<_, String>(3)).unwrap();
        let steps = steps.collect::<rusqlite::Result<Vec<_>>>().unwrap().join("; ");
        assert!(steps.contains(index), "{sql}: {steps}");
        assert!(!steps.contains("SCAN"), "{sql}: {steps}");
    }
}
