//! Latency log: one append per operation, aggregated in one pass.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Durability::Rebuildable;
use super::codes::{Coded, Punctual};
use super::error::DamagedRow;
use super::{SqliteStore, row};
use crate::domain::capture::Reason;
use crate::domain::operation::{Operation, PrefillOutcome};
use crate::route::stats::quantile::Sample;
use crate::store::{LatencyGrouping, LatencyRow, OperationLog, PrefetchRow, Result};

/// Appends an operation.
pub fn log(tx: &Connection, operation: &Operation) -> Result<()> {
    let series = series_of(tx, operation)?;
    let sql = "INSERT INTO operations (at, seq, series, duration_us, ttft_us, tps_milli) VALUES
               (?1, coalesce((SELECT max(seq) + 1 FROM operations WHERE at = ?1), 0), ?2, ?3, ?4, ?5)";
    tx.prepare_cached(sql)?.execute(params![
        row::micros(operation.at),
        series,
        clamp(operation.duration_us),
        operation.ttft_us.map(clamp),
        operation.tps.map(|tps| (tps * 1e3).round().clamp(0.0, FASTEST) as i64),
    ])?;
    Ok(())
}

fn series_of(tx: &Connection, operation: &Operation) -> Result<i64> {
    let punctual = match operation.budget_us {
        None => Punctual::Unjudged,
        Some(_) if operation.on_time() => Punctual::OnTime,
        Some(_) => Punctual::Late,
    };
    let values = params![
        operation.op,
        operation.model,
        operation.endpoint,
        operation.cold,
        operation.reason.code(),
        operation.failed,
        punctual.code(),
        operation.repaired,
        operation.prefill.code(),
    ];
    let find = "SELECT row FROM series WHERE op = ?1 AND coalesce(model, '') = coalesce(?2, '')
                AND coalesce(endpoint, '') = coalesce(?3, '') AND cold = ?4 AND reason = ?5 AND failed = ?6
                AND punctual = ?7 AND repaired = ?8 AND ahead = ?9";
    if let Some(row) = tx.prepare_cached(find)?.query_row(values, |row| row.get(0)).optional()? {
        return Ok(row);
    }
    let add = "INSERT INTO series (op, model, endpoint, cold, reason, failed, punctual, repaired, ahead)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    tx.prepare_cached(add)?.execute(values)?;
    Ok(tx.last_insert_rowid())
}

/// Group numbers are dense and index an array; a larger number means damage and must not cause an allocation.
const MOST_SERIES: usize = 1 << 20;

fn clamp(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(LONGEST).min(LONGEST)
}

/// The grouping key, without the columns not requested.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct GroupKey {
    op: Option<String>,
    model: Option<String>,
    endpoint: Option<String>,
    cold: Option<bool>,
}

struct Series {
    /// Index of its group.
    group: usize,
    asked: bool,
    reason: Reason,
    failed: bool,
    repaired: bool,
    /// A text arrived and was checked for grounding.
    judged: bool,
    punctual: Punctual,
    ahead: PrefillOutcome,
}

#[derive(Default)]
struct LatencyGroup {
    durations: Sample,
    ttfts: Sample,
    speeds: Sample,
    budgeted: u64,
    on_time: u64,
    asked: u64,
    failed: u64,
    judged: u64,
    ungrounded: u64,
    repaired: u64,
    reasons: BTreeMap<String, u64>,
    ahead: PrefetchGroup,
}

/// Operations that were candidates for prompt prefetch.
#[derive(Default)]
struct PrefetchGroup {
    whole: u64,
    part: u64,
    missed: u64,
    ttfts_whole: Sample,
    ttfts_missed: Sample,
}

/// Fetching a column costs more than computing one, so four values are packed into two numbers: series (20 bits) with
/// duration, and speed (24 bits) with time to first token, each of these plus one, 0 where absent.
const PACKED: &str = "SELECT series | (duration_us << 20),
         coalesce(tps_milli + 1, 0) | (coalesce(ttft_us + 1, 0) << 24) FROM operations WHERE at >= ?1";

/// Longest duration (µs) and highest speed (thousandths of a token per second) that are distinguished.
const LONGEST: i64 = (1 << 39) - 2;
const FASTEST: f64 = ((1 << 24) - 2) as f64;

/// Reads the window once: durations go to their group, everything else is counted per series.
fn read_window(
    db: &Connection,
    since: Timestamp,
    series: &[Option<Series>],
    groups: &mut [LatencyGroup],
    tally: &mut [u64],
) -> Result<()> {
    let mut query = db.prepare_cached(PACKED)?;
    let mut rows = query.query([row::micros(since)])?;
    while let Some(row) = rows.next()? {
        let [first, second] = [0, 1].map(|column| row.get_ref(column).map(|value| value.as_i64().unwrap_or(0)));
        let (first, second) = (first?, second?);
        let number = (first & (MOST_SERIES as i64 - 1)) as usize;
        let Some(Some(of)) = series.get(number) else { continue };
        tally[number] += 1;
        let group = &mut groups[of.group];
        group.durations.push((first >> 20).unsigned_abs());
        if second > 0 {
            group.add_streaming(second.unsigned_abs(), of.ahead);
        }
    }
    Ok(())
}

/// All series by number, and their groups.
fn all_series(db: &Connection, grouping: LatencyGrouping) -> Result<(Vec<GroupKey>, Vec<Option<Series>>)> {
    let sql =
        "SELECT row, op, model, endpoint, cold, reason, failed, punctual, repaired, ahead FROM series ORDER BY row";
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query([])?;
    let (mut keys, mut numbers, mut all) = (Vec::new(), HashMap::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let (row_id, key, mut series) = read_series(row, grouping)?;
        series.group = *numbers.entry(key.clone()).or_insert_with(|| {
            keys.push(key);
            keys.len() - 1
        });
        all.resize_with(row_id.max(all.len()), || None);
        all.push(Some(series));
    }
    Ok((keys, all))
}

fn read_series(row: &Row<'_>, grouping: LatencyGrouping) -> Result<(usize, GroupKey, Series)> {
    let (model, endpoint): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
    let failed: bool = row.get(6)?;
    let reason: Reason = row::code(row, 5)?;
    let series = Series {
        group: 0,
        repaired: row.get(8)?,
        judged: model.is_some() && matches!(reason, Reason::None | Reason::Salvaged | Reason::Ungrounded),
        asked: model.is_some() || failed,
        reason,
        failed,
        punctual: row::code(row, 7)?,
        ahead: row::code(row, 9)?,
    };
    let key = GroupKey {
        op: if grouping.op { row.get(1)? } else { None },
        model: model.filter(|_| grouping.model),
        endpoint: endpoint.filter(|_| grouping.model),
        cold: if grouping.cold { Some(row.get(4)?) } else { None },
    };
    let number: i64 = row.get(0)?;
    let number = usize::try_from(number).ok().filter(|number| *number < MOST_SERIES);
    let damaged = || DamagedRow::error("series", "of the latency log", &"its number is out of range");
    Ok((number.ok_or_else(damaged)?, key, series))
}

impl LatencyGroup {
    fn add_streaming(&mut self, packed: u64, ahead: PrefillOutcome) {
        if let Some(ttft) = (packed >> 24).checked_sub(1) {
            self.ttfts.push(ttft);
            match ahead {
                PrefillOutcome::None | PrefillOutcome::Partial => {}
                PrefillOutcome::Complete => self.ahead.ttfts_whole.push(ttft),
                PrefillOutcome::Missed => self.ahead.ttfts_missed.push(ttft),
            }
        }
        if let Some(speed) = (packed & ((1 << 24) - 1)).checked_sub(1) {
            self.speeds.push(speed);
        }
    }

    fn count(&mut self, series: &Series, n: u64) {
        if n == 0 {
            return;
        }
        self.budgeted += if series.punctual == Punctual::Unjudged { 0 } else { n };
        self.on_time += if series.punctual == Punctual::OnTime { n } else { 0 };
        self.asked += if series.asked { n } else { 0 };
        self.failed += if series.failed { n } else { 0 };
        self.judged += if series.judged { n } else { 0 };
        self.ungrounded += if series.judged && series.reason == Reason::Ungrounded { n } else { 0 };
        self.repaired += if series.judged && series.repaired { n } else { 0 };
        match series.ahead {
            PrefillOutcome::None => {}
            PrefillOutcome::Complete => self.ahead.whole += n,
            PrefillOutcome::Partial => self.ahead.part += n,
            PrefillOutcome::Missed => self.ahead.missed += n,
        }
        if series.reason != Reason::None {
            *self.reasons.entry(series.reason.as_str().to_owned()).or_default() += n;
        }
    }

    fn into_row(mut self, key: GroupKey) -> LatencyRow {
        let durations = self.durations.quantiles();
        LatencyRow {
            op: key.op,
            model: key.model,
            endpoint: key.endpoint,
            cold: key.cold,
            n: durations.n,
            on_time_rate: rate(self.on_time, self.budgeted),
            p50_ms: durations.p50.map(to_ms),
            p95_ms: durations.p95.map(to_ms),
            p99_ms: durations.p99.map(to_ms),
            ttft_p50_ms: self.ttfts.p50().map(to_ms),
            tps_p50: self.speeds.p50().map(|speed| speed as f64 / 1e3),
            error_rate: rate(self.failed, self.asked),
            ungrounded_rate: rate(self.ungrounded, self.judged),
            repaired_rate: rate(self.repaired, self.judged),
            reasons: self.reasons,
            ahead: self.ahead.into_row(),
        }
    }
}

impl PrefetchGroup {
    /// `None` without any candidate for prefetch.
    fn into_row(mut self) -> Option<PrefetchRow> {
        let Self { whole, part, missed, .. } = self;
        let n = whole + part + missed;
        Some(PrefetchRow {
            n,
            whole,
            part,
            missed,
            hit_rate: rate(whole, n)?,
            ttft_p50_ms: self.ttfts_whole.p50().map(to_ms),
            ttft_missed_p50_ms: self.ttfts_missed.p50().map(to_ms),
        })
    }
}

fn rate(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn to_ms(micros: u64) -> f64 {
    micros as f64 / 1e3
}

impl OperationLog for SqliteStore {
    fn log_operation(&self, operation: &Operation) -> Result<()> {
        self.write(Rebuildable, |tx| log(tx, operation))
    }

    fn latency(&self, since: Timestamp, grouping: LatencyGrouping) -> Result<Vec<LatencyRow>> {
        self.read(|db| {
            let (keys, series) = all_series(db, grouping)?;
            let mut groups: Vec<LatencyGroup> = keys.iter().map(|_| LatencyGroup::default()).collect();
            let mut tally: Vec<u64> = vec![0; series.len()];
            read_window(db, since, &series, &mut groups, &mut tally)?;
            for (series, n) in series.iter().zip(&tally) {
                if let Some(series) = series {
                    groups[series.group].count(series, *n);
                }
            }
            let mut rows: Vec<(GroupKey, LatencyGroup)> =
                keys.into_iter().zip(groups).filter(|(_, group)| group.durations.n() > 0).collect();
            rows.sort_by(|a, b| a.0.cmp(&b.0));
            Ok(rows.into_iter().map(|(key, group)| group.into_row(key)).collect())
        })
    }
}
