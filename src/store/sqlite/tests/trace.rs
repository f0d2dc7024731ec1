//! Statement tracer: records every statement that a thread runs on the store's connections, with the virtual machine's
//! cost.

use std::cell::RefCell;
use std::collections::HashMap;

use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, StatementStatus};

/// One run of one statement.
#[derive(Debug, Clone)]
pub struct Run {
    pub sql: String,
    /// Instructions of SQLite's virtual machine, triggers included.
    pub steps: i64,
}

thread_local! {
    static RUNS: RefCell<Option<Vec<Run>>> = const { RefCell::new(None) };
}

/// Reports the connection's statements to the thread that runs them.
pub fn listen(connection: &mut Connection) -> rusqlite::Result<()> {
    // The counters of a cached statement add up over its runs.
    let mut counted: HashMap<String, i64> = HashMap::new();
    let report = move |event: TraceEvent<'_>| {
        let TraceEvent::Profile(statement, _) = event else { return };
        RUNS.with_borrow_mut(|runs| {
            let sql = statement.sql().into_owned();
            let sum = i64::from(statement.get_status(StatementStatus::VmStep));
            let before = counted.insert(sql.clone(), sum);
            let first = statement.get_status(StatementStatus::Run) <= 1;
            let steps = if first { sum } else { sum - before.unwrap_or(0) };
            runs.iter_mut().for_each(|runs| runs.push(Run { sql: sql.clone(), steps }));
        });
    };
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(report))
}

/// The statements that this thread runs during `job`, on new and existing connections.
pub fn during(job: impl FnOnce()) -> Vec<Run> {
    RUNS.set(Some(Vec::new()));
    job();
    RUNS.take().unwrap_or_default()
}
