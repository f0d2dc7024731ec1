//! What every benchmark shares: arguments, turns in rotating order, statistics, and one table or one JSON of them.
//!
//! Every line tells n, min, median, p95 and, where it is compared, ratios inside the same interleaved run: on a
//! loaded machine only those mean anything. The load is told with them.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Map, Value, json};
use uro_capture::domain::clock::{Clock, SystemClock};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Prints tables as Markdown.
const MARKDOWN: &str = "--markdown";

/// The words after `--` of `cargo bench`.
pub struct Arguments(Vec<String>);

impl Arguments {
    pub fn read() -> Self {
        // Cargo itself adds `--bench`; every report reads `--markdown`.
        Self(std::env::args().skip(1).filter(|word| word != "--bench" && word != MARKDOWN).collect())
    }

    /// Whether `name` was given.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|word| word != name);
        self.0.len() < before
    }

    /// The word after `name`.
    pub fn value(&mut self, name: &str) -> Result<Option<String>> {
        let Some(at) = self.0.iter().position(|word| word == name) else { return Ok(None) };
        if at + 1 == self.0.len() {
            return Err(format!("{name} needs a value").into());
        }
        let value = self.0.remove(at + 1);
        self.0.remove(at);
        Ok(Some(value))
    }

    /// The number after `name`.
    pub fn number(&mut self, name: &str, otherwise: usize) -> Result<usize> {
        Ok(self.value(name)?.map(|text| text.parse()).transpose()?.unwrap_or(otherwise))
    }

    /// What is left once every option was taken.
    ///
    /// # Errors
    /// An option is left that nobody knows.
    pub fn rest(self) -> Result<Vec<String>> {
        match self.0.iter().find(|word| word.starts_with('-')) {
            Some(unknown) => Err(format!("unknown option {unknown}").into()),
            None => Ok(self.0),
        }
    }
}

/// Runs the job and tells how long it took.
pub fn timed<T>(job: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
    let start = SystemClock.instant();
    let done = job()?;
    Ok((SystemClock.instant() - start, done))
}

/// How often, and how many rounds before anything is counted.
#[derive(Clone, Copy)]
pub struct Rounds {
    pub n: usize,
    pub warm_up: usize,
    /// Between two turns, not timed: what one of them leaves behind is not billed to the next.
    pub pause: Duration,
}

/// The times of one arm, in milliseconds, by round.
#[derive(Default)]
pub struct Series {
    pub name: String,
    pub ms: Vec<f64>,
}

impl Series {
    pub fn of(name: impl Into<String>) -> Self {
        Self { name: name.into(), ms: Vec::new() }
    }

    pub fn push(&mut self, elapsed: Duration) {
        self.ms.push(elapsed.as_secs_f64() * 1e3);
    }

    /// The nearest rank.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a small rank"
    )]
    pub fn quantile(&self, q: f64) -> f64 {
        let mut sorted = self.ms.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (q * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }

    /// This arm over `base`, round by round.
    fn paired(&self, base: &Self) -> Self {
        let ms = self.ms.iter().zip(&base.ms).map(|(ours, theirs)| ours / theirs).collect();
        Self { name: self.name.clone(), ms }
    }
}

/// Lets every arm take its turn in each round; another one begins each time. `run` gets arm and round.
pub fn in_turns(
    names: &[String],
    rounds: Rounds,
    mut run: impl FnMut(usize, usize) -> Result<Duration>,
) -> Result<Vec<Series>> {
    let mut all: Vec<Series> = names.iter().map(Series::of).collect();
    for round in 0..rounds.n + rounds.warm_up {
        for turn in 0..all.len() {
            let arm = (turn + round) % all.len();
            let elapsed = run(arm, round)?;
            if round >= rounds.warm_up {
                all[arm].push(elapsed);
            }
            std::thread::sleep(rounds.pause);
        }
    }
    Ok(all)
}

/// One line of a table.
pub struct Row {
    name: String,
    fields: Vec<(String, Value)>,
}

/// Below these n the estimate's upper end is the maximum itself: such a percentile is not told.
const SUPPORTED: [(&str, f64, usize); 4] =
    [("min_ms", 0.0, 1), ("median_ms", 0.5, 1), ("p95_ms", 0.95, 59), ("p99_ms", 0.99, 299)];

impl Row {
    /// Without any column yet.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), fields: Vec::new() }
    }

    pub fn of(series: &Series) -> Self {
        let n = series.ms.len();
        let row = Self::named(&series.name).with("n", json!(n));
        SUPPORTED.iter().fold(row, |row, (name, q, least)| {
            row.with(*name, if n >= *least { json!(series.quantile(*q)) } else { Value::Null })
        })
    }

    /// Adds the ratios to `base`, which was measured in the same rounds.
    pub fn against(self, label: &str, base: &Series, series: &Series) -> Self {
        let ratio = |q| json!(series.quantile(q) / base.quantile(q));
        self.with(format!("median_vs_{label}"), ratio(0.5))
            .with(format!("p95_vs_{label}"), ratio(0.95))
            .with(format!("paired_vs_{label}"), json!(series.paired(base).quantile(0.5)))
    }

    /// Adds a column.
    pub fn with(mut self, name: impl Into<String>, value: Value) -> Self {
        self.fields.push((name.into(), value));
        self
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        let fields = self.fields.iter().cloned();
        Value::Object([("name".to_owned(), json!(self.name))].into_iter().chain(fields).collect::<Map<_, _>>())
    }
}

/// Tables, printed as they come, or one JSON object at the end.
pub struct Report {
    bench: &'static str,
    json: bool,
    markdown: bool,
    tables: Vec<Value>,
    load: f64,
}

impl Report {
    pub fn new(bench: &'static str, json: bool) -> Self {
        let markdown = std::env::args().any(|word| word == MARKDOWN);
        Self { bench, json, markdown, tables: Vec::new(), load: load() }
    }

    /// Adds a table, and says how busy the machine was since the one before.
    pub fn table(&mut self, title: &str, rows: &[Row]) -> Result<()> {
        let (before, after) = (self.load, load());
        self.load = after;
        if self.json {
            let rows: Vec<Value> = rows.iter().map(Row::json).collect();
            self.tables.push(json!({"title": title, "load": [before, after], "rows": rows}));
            return Ok(());
        }
        let mut out = io::stdout().lock();
        if self.markdown {
            writeln!(out, "\n### {title}\n\nLoad {before} → {after}.\n")?;
            return print_markdown(&mut out, rows);
        }
        writeln!(out, "\n{title} (load {before} → {after})")?;
        print(&mut out, rows)
    }

    pub fn finish(self) -> Result<()> {
        if self.json {
            writeln!(io::stdout().lock(), "{}", json!({"bench": self.bench, "tables": self.tables}))?;
        }
        Ok(())
    }
}

/// The load average of the last minute; NaN where the system does not tell.
fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN)
}

/// The names of all columns, in the order in which the rows first have them.
fn columns(rows: &[Row]) -> Vec<&str> {
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.fields) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    columns
}

fn cell(row: &Row, column: &str) -> String {
    row.get(column).map_or_else(String::new, spoken)
}

fn print_markdown(out: &mut impl Write, rows: &[Row]) -> Result<()> {
    let columns = columns(rows);
    writeln!(out, "| | {} |\n|---|{}", columns.join(" | "), "---:|".repeat(columns.len()))?;
    for row in rows {
        let cells: Vec<String> = columns.iter().map(|column| cell(row, column)).collect();
        writeln!(out, "| {} | {} |", row.name.replace('|', "\\|"), cells.join(" | "))?;
    }
    Ok(())
}

fn print(out: &mut impl Write, rows: &[Row]) -> Result<()> {
    let columns = columns(rows);
    let widest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let width = |column: &str| {
        let cells = rows.iter().map(|row| cell(row, column).chars().count());
        cells.chain([column.chars().count()]).max().unwrap_or(0)
    };
    write!(out, "{:<widest$}", "")?;
    columns.iter().try_for_each(|column| write!(out, "  {column:>0$}", width(column)))?;
    for row in rows {
        write!(out, "\n{:<widest$}", row.name)?;
        columns.iter().try_for_each(|column| write!(out, "  {:>1$}", cell(row, column), width(column)))?;
    }
    Ok(writeln!(out)?)
}

fn spoken(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Number(number) if number.is_f64() => number.as_f64().map_or_else(String::new, |n| format!("{n:.3}")),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
