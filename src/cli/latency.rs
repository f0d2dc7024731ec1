//! `uro-capture latency`: latency percentiles, on-time share, and fallback reasons.

use clap::{Args, ValueEnum};

use super::app::App;
use super::failure::Failure;
use super::ui::{Align, Exit, Table};
use crate::store::{LatencyGrouping, LatencyRow, PrefetchRow};

#[derive(Debug, Clone, Args)]
pub struct LatencyArgs {
    /// Since then: 7d, yesterday, 2026-03-01
    #[arg(long, value_name = "WHEN", default_value = "7d")]
    pub since: String,
    /// What makes a group
    #[arg(long, value_enum, value_delimiter = ',', value_name = "BY", default_value = "op,model,cold")]
    pub by: Vec<GroupBy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupBy {
    Op,
    Model,
    Cold,
}

/// # Errors
/// `--since` is no time, or the store cannot be read.
pub fn run(app: &App, args: &LatencyArgs) -> Result<Exit, Failure> {
    let has = |by| args.by.contains(&by);
    let grouping = LatencyGrouping { op: has(GroupBy::Op), model: has(GroupBy::Model), cold: has(GroupBy::Cold) };
    let rows = app.store()?.latency(super::when::parse(&args.since, app)?, grouping)?;
    if app.json {
        app.ui.json(&rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        app.ui.note("nothing was timed in that time");
        return Ok(Exit::Done);
    }
    app.ui.table(&table(&rows))?;
    if let Some(ahead) = prefill_table(&rows) {
        app.ui.line("")?;
        app.ui.table(&ahead)?;
    }
    if rows.iter().any(|row| row.p95_ms.is_none() || row.p99_ms.is_none()) {
        app.ui.note("–: too few measurements for that percentile (p95 needs 59, p99 needs 299), or nothing to measure");
    }
    Ok(Exit::Done)
}

fn table(rows: &[LatencyRow]) -> Table {
    use Align::{Left, Right};
    let mut table = Table::new(&[
        ("operation", Left),
        ("model", Left),
        ("", Left),
        ("n", Right),
        ("on time", Right),
        ("p50 ms", Right),
        ("p95", Right),
        ("p99", Right),
        ("first token", Right),
        ("tok/s", Right),
        ("errors", Right),
        ("ungrounded", Right),
        ("repaired", Right),
        ("why the template", Left),
    ]);
    for row in rows {
        table.row(vec![
            row.op.clone().unwrap_or_else(none),
            model(row),
            temperature(row.cold),
            row.n.to_string(),
            percent(row.on_time_rate),
            number(row.p50_ms),
            number(row.p95_ms),
            number(row.p99_ms),
            number(row.ttft_p50_ms),
            number(row.tps_p50),
            percent(row.error_rate),
            percent(row.ungrounded_rate),
            percent(row.repaired_rate),
            reasons(row),
        ]);
    }
    table
}

/// Prefix cache statistics; empty if no prompt could be prefilled.
fn prefill_table(rows: &[LatencyRow]) -> Option<Table> {
    use Align::{Left, Right};
    let mut table = Table::new(&[
        ("read ahead", Left),
        ("model", Left),
        ("", Left),
        ("n", Right),
        ("whole", Right),
        ("in part", Right),
        ("missed", Right),
        ("hits", Right),
        ("first token", Right),
        ("without", Right),
    ]);
    let mut any = false;
    for (row, ahead) in rows.iter().filter_map(|row| Some((row, row.ahead.as_ref()?))) {
        let PrefetchRow { n, whole, part, missed, hit_rate, ttft_p50_ms, ttft_missed_p50_ms } = ahead;
        let mut cells = vec![row.op.clone().unwrap_or_else(none), model(row), temperature(row.cold)];
        cells.extend([n, whole, part, missed].map(ToString::to_string));
        cells.extend([percent(Some(*hit_rate)), number(*ttft_p50_ms), number(*ttft_missed_p50_ms)]);
        table.row(cells);
        any = true;
    }
    any.then_some(table)
}

fn model(row: &LatencyRow) -> String {
    match (&row.model, &row.endpoint) {
        (Some(model), Some(endpoint)) => format!("{model} at {endpoint}"),
        (Some(model), None) => model.clone(),
        _ => none(),
    }
}

fn temperature(cold: Option<bool>) -> String {
    match cold {
        Some(true) => "cold".to_owned(),
        Some(false) => "warm".to_owned(),
        None => String::new(),
    }
}

/// Most frequent first. `none` and `salvaged` are model texts and no fallback reasons.
fn reasons(row: &LatencyRow) -> String {
    let mut reasons: Vec<_> = row.reasons.iter().filter(|(name, _)| name.as_str() != "none").collect();
    reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    reasons.iter().map(|(name, n)| format!("{} {n}", name.replace('_', " "))).collect::<Vec<_>>().join(", ")
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(none, |value| if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") })
}

/// Rounded down, so that 100 % means all.
fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(none, |rate| format!("{:.0} %", (rate * 100.0).floor()))
}

fn none() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> LatencyRow {
        LatencyRow {
            op: Some("capture.commit".into()),
            model: Some("orca-mini:3b".into()),
            endpoint: Some("local".into()),
            cold: Some(false),
            n: 200,
            on_time_rate: Some(0.9999),
            p50_ms: Some(904.4),
            p95_ms: Some(1700.0),
            p99_ms: None,
            ttft_p50_ms: Some(8.25),
            tps_p50: None,
            error_rate: Some(0.0),
            ungrounded_rate: Some(0.05),
            repaired_rate: None,
            reasons: [("none".to_owned(), 190), ("deadline".to_owned(), 3), ("breaker_open".to_owned(), 7)].into(),
            ahead: None,
        }
    }

    #[test]
    fn the_table_says_what_could_not_be_measured_and_never_rounds_up_to_all() {
        let text = table(&[row()]).render(false);
        let fields: Vec<&str> =
            text.lines().nth(1).unwrap().split("  ").map(str::trim).filter(|s| !s.is_empty()).collect();
        assert_eq!(
            fields,
            [
                "capture.commit",
                "orca-mini:3b at local",
                "warm",
                "200",
                "99 %",
                "904",
                "1700",
                "–",
                "8.2",
                "–",
                "0 %",
                "5 %",
                "–",
                "breaker open 7, deadline 3"
            ]
        );
    }

    #[test]
    fn the_rows_of_a_usual_log_line_up() {
        let cold = LatencyRow { cold: Some(true), n: 3, p95_ms: None, on_time_rate: Some(0.0), ..row() };
        let without_a_model = LatencyRow {
            op: Some("capture.note".into()),
            model: None,
            endpoint: None,
            cold: None,
            p50_ms: Some(3.25),
            reasons: [("refused".to_owned(), 200)].into(),
            ..row()
        };
        insta::assert_snapshot!(table(&[row(), cold, without_a_model]).render(false));
    }

    #[test]
    fn what_was_read_ahead_is_told_where_there_was_something_to_read() {
        assert!(prefill_table(&[row()]).is_none());
        let read = PrefetchRow {
            n: 50,
            whole: 47,
            part: 2,
            missed: 1,
            hit_rate: 0.94,
            ttft_p50_ms: Some(31.0),
            ttft_missed_p50_ms: None,
        };
        let text = prefill_table(&[row(), LatencyRow { ahead: Some(read), ..row() }]).unwrap().render(false);
        assert_eq!(text.lines().count(), 2);
        let fields: Vec<&str> =
            text.lines().nth(1).unwrap().split("  ").map(str::trim).filter(|s| !s.is_empty()).collect();
        assert_eq!(fields[2..], ["warm", "50", "47", "2", "1", "94 %", "31", "–"]);
    }

    #[test]
    fn the_json_row_has_the_documented_fields_with_null_for_what_is_unknown() {
        let json = serde_json::to_value(row()).unwrap();
        for field in [
            "op", "model", "endpoint", "cold", "n", "on_time_rate", "p50_ms", "p95_ms", "p99_ms", "ttft_p50_ms",
            "tps_p50", "error_rate", "ungrounded_rate", "repaired_rate", "reasons", "ahead",
        ] {
            assert!(json.get(field).is_some(), "{field}");
        }
        assert!(json["p99_ms"].is_null());
    }
}
