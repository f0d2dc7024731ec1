//! Router state: evidence of quality per model and role, token counts, and latency forecasts kept across runs.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::Durability::Rebuildable;
use super::codes::Coded;
use super::{SqliteStore, row};
use crate::domain::capture::Reason;
use crate::domain::draft::DraftKind;
use crate::domain::role::Role;
use crate::prompt::tokens::{FADE, ReportedCounts};
use crate::route::ledger::{Entry, Ledger};
use crate::route::merit::{Evidence, Mean};
use crate::store::{JudgedAnswer, ModelEvidence, Result, RouterState, TokenCount};

/// Maximum captures read, newest first: older texts say little about the model's current quality.
const NEWEST: i64 = 500;

/// Live captures not written by a template: by code, as in the index `captures_worded`.
fn captures(db: &Connection, since: Timestamp) -> Result<Vec<ModelEvidence>> {
    let sql = "SELECT coalesce(json_extract(rest, '$.model'), json_extract(rest, '$.edited.model')) AS writer,
                 count(json_extract(rest, '$.quality.score')), total(json_extract(rest, '$.quality.score')),
                 count(json_extract(rest, '$.edited.kept')), total(json_extract(rest, '$.edited.kept'))
               FROM (SELECT rest FROM captures WHERE captured_at >= ?1 AND state = 0 AND written_by <> 1
                     ORDER BY captured_at DESC LIMIT ?2)
               WHERE writer IS NOT NULL GROUP BY writer ORDER BY writer";
    let mut query = db.prepare_cached(sql)?;
    let values = params![row::micros(since), NEWEST];
    let found = query.query_map(values, |row| {
        Ok(ModelEvidence { model: row.get(0)?, role: Role::Capture, evidence: evidence(row, 1)? })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// A draft accepted without changes counts as fully retained.
fn drafts(db: &Connection, since: Timestamp) -> Result<Vec<ModelEvidence>> {
    let sql = "SELECT model, count(score), total(score), count(kept), total(kept), kind
               FROM (SELECT model, kind, json_extract(quality, '$.score') AS score,
                       CASE WHEN edit_distance IS NOT NULL THEN 1.0 - edit_distance
                            WHEN state IN ('accepted', 'published') THEN 1.0 END AS kept
                     FROM drafts WHERE finished_at >= ?1 AND model IS NOT NULL)
               GROUP BY model, kind ORDER BY model, kind";
    let mut query = db.prepare_cached(sql)?;
    let found = query.query_map([row::micros(since)], |row| {
        let kind: String = row.get(5)?;
        Ok(DraftKind::parse(&kind).map(|kind| (kind.role(), row.get(0), evidence(row, 1))))
    })?;
    let mut all = Vec::new();
    for (role, model, evidence) in found.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten() {
        all.push(ModelEvidence { model: model?, role, evidence: evidence? });
    }
    Ok(all)
}

/// Maximum operations searched for judged answers, newest first.
const LOOKED_AT: i64 = 5_000;

/// Series of judged answers by code: written by a model, no failure, and the text was kept or rejected.
fn judged_series(db: &Connection) -> Result<HashMap<i64, JudgedAnswer>> {
    let sql = "SELECT row, op, model, endpoint, reason FROM series
               WHERE failed = 0 AND model IS NOT NULL AND endpoint IS NOT NULL";
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query([])?;
    let mut all = HashMap::new();
    while let Some(row) = rows.next()? {
        let (op, reason): (String, i64) = (row.get(1)?, row.get(4)?);
        if let (Some(role), Some(used)) = (role(&op), Reason::decode(reason).and_then(used)) {
            let (model, endpoint, at) = (row.get(2)?, row.get(3)?, Timestamp::UNIX_EPOCH);
            all.insert(row.get(0)?, JudgedAnswer { at, endpoint, model, role, used });
        }
    }
    Ok(all)
}

/// The role behind an operation of this name.
fn role(op: &str) -> Option<Role> {
    match op.split_once('.')? {
        ("capture" | "refine", _) => Some(Role::Capture),
        ("draft", kind) => DraftKind::parse(kind).map(DraftKind::role),
        _ => None,
    }
}

/// Whether the text of an operation with this result was kept; `None` where no answer was judged.
fn used(reason: Reason) -> Option<bool> {
    match reason {
        Reason::None | Reason::Salvaged => Some(true),
        Reason::Ungrounded | Reason::Unusable => Some(false),
        _ => None,
    }
}

/// Two means, from this column on.
fn evidence(row: &Row<'_>, first: usize) -> rusqlite::Result<Evidence> {
    let mean =
        |at: usize| Ok::<_, rusqlite::Error>(Mean { n: row.get::<_, i64>(at)?.unsigned_abs(), sum: row.get(at + 1)? });
    Ok(Evidence { rubric: mean(first)?, kept: mean(first + 2)? })
}

/// Equal to the capacity of a ledger.
const MOST_FORECASTS: i64 = crate::route::ledger::MOST as i64;

/// All forecasts. Unreadable ones are skipped and learned again.
fn all_forecasts(db: &Connection) -> Result<Ledger> {
    let mut query = db.prepare_cached("SELECT key, at, forecast FROM forecasts")?;
    let mut rows = query.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.extend(entry(row));
    }
    Ok(entries.into())
}

fn entry(row: &Row<'_>) -> Option<Entry> {
    Some(Entry {
        key: row::json(row, 0).ok()?,
        at: row::time(row.get(1).ok()?).ok()?,
        forecast: row::json(row, 2).ok()?,
    })
}

/// The forecast of the newer run wins, in whatever order they are stored; beyond the maximum the least recently used is
/// removed.
fn store_forecast(tx: &Connection, entry: &Entry) -> Result<()> {
    let sql = "INSERT INTO forecasts (key, at, forecast) VALUES (?1, ?2, ?3)
               ON CONFLICT (key) DO UPDATE SET at = excluded.at, forecast = excluded.forecast
               WHERE excluded.at >= at";
    let (key, forecast) = (serde_json::to_string(&entry.key)?, serde_json::to_string(&entry.forecast)?);
    tx.prepare_cached(sql)?.execute(params![key, row::micros(entry.at), forecast])?;
    let sql = "DELETE FROM forecasts WHERE key IN (SELECT key FROM forecasts ORDER BY at DESC LIMIT -1 OFFSET ?1)";
    tx.prepare_cached(sql)?.execute([MOST_FORECASTS])?;
    Ok(())
}

impl RouterState for SqliteStore {
    fn count_tokens(&self, endpoint: &str, model: &str, bytes: u64, tokens: u64) -> Result<ReportedCounts> {
        self.write(Rebuildable, |tx| {
            let sql = "INSERT INTO token_counts (endpoint, model, bytes, tokens) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (endpoint, model) DO UPDATE
               SET bytes = bytes * ?5 + excluded.bytes, tokens = tokens * ?5 + excluded.tokens
               RETURNING bytes, tokens";
            let values = params![endpoint, model, bytes as f64, tokens as f64, FADE];
            let sum = |row: &Row<'_>| Ok(ReportedCounts { bytes: row.get(0)?, tokens: row.get(1)? });
            Ok(tx.prepare_cached(sql)?.query_row(values, sum)?)
        })
    }

    fn token_counts(&self) -> Result<Vec<TokenCount>> {
        self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT endpoint, model, bytes, tokens FROM token_counts ORDER BY 1, 2")?;
            let read = |row: &Row<'_>| {
                let counts = ReportedCounts { bytes: row.get(2)?, tokens: row.get(3)? };
                Ok(TokenCount { endpoint: row.get(0)?, model: row.get(1)?, counts })
            };
            Ok(query.query_map([], read)?.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn evidence(&self, since: Timestamp) -> Result<Vec<ModelEvidence>> {
        self.read(|db| {
            let mut found = captures(db, since)?;
            found.extend(drafts(db, since)?);
            Ok(found)
        })
    }

    fn judged_answers(&self, since: Timestamp) -> Result<Vec<JudgedAnswer>> {
        self.read(|db| {
            let kinds = judged_series(db)?;
            if kinds.is_empty() {
                return Ok(Vec::new());
            }
            let mut query =
                db.prepare_cached("SELECT at, series FROM operations WHERE at >= ?1 ORDER BY at DESC LIMIT ?2")?;
            let mut rows = query.query(params![row::micros(since), LOOKED_AT])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let series: i64 = row.get(1)?;
                if let Some(kind) = kinds.get(&series) {
                    all.push(JudgedAnswer { at: row::time(row.get(0)?)?, ..kind.clone() });
                }
            }
            Ok(all)
        })
    }

    fn forecasts(&self) -> Result<Ledger> {
        self.read(all_forecasts)
    }

    fn store_forecast(&self, entry: &Entry) -> Result<()> {
        self.write(Rebuildable, |tx| store_forecast(tx, entry))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::{all_forecasts, store_forecast};
    use crate::route::forecast::Forecast;
    use crate::route::key::ForecastKey;
    use crate::route::ledger::Entry;
    use crate::route::speed::{ModelHardware, Speed};
    use crate::store::samples::timestamp;
    use crate::store::sqlite::connection::ConnectionHandle;

    #[test]
    fn a_row_that_cannot_be_read_is_left_out_and_the_others_come() {
        let home = tempfile::tempdir().unwrap();
        let db = ConnectionHandle::open(&home.path().join("captures.db")).unwrap().connection;
        let key =
            ForecastKey { endpoint: "local".into(), model: "m".into(), digest: None, options: 1, on_battery: false };
        let forecast = Forecast::from_seed(Speed::from_hardware(&ModelHardware::default()));
        store_forecast(&db, &Entry { key: key.clone(), at: timestamp(1), forecast }).unwrap();
        let good: (String, String) =
            db.query_row("SELECT key, forecast FROM forecasts", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let other = good.0.replace("\"m\"", "\"n\"");
        let bad = [("no key", 1, good.1.as_str()), (other.as_str(), 1, "{}"), (r#"{"model":"x"}"#, i64::MAX, "[]")];
        for (key, at, forecast) in bad {
            db.execute("INSERT INTO forecasts VALUES (?1, ?2, ?3)", params![key, at, forecast]).unwrap();
        }
        let ledger = all_forecasts(&db).unwrap();
        assert_eq!((ledger.iter().count(), ledger.entry(&key).map(|entry| entry.at)), (1, Some(timestamp(1))));
    }
}
