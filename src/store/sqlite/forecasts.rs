//! Persisted latency forecasts: learned durations per model, kept across runs.

use rusqlite::{Connection, Row, params};

use super::super::Result;
use super::row;
use crate::route::ledger::{Entry, Ledger};

/// Equal to the capacity of a ledger.
const MOST: i64 = crate::route::ledger::MOST as i64;

/// All forecasts. Unreadable ones are skipped and learned again.
pub fn all(db: &Connection) -> Result<Ledger> {
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
pub fn put(tx: &Connection, entry: &Entry) -> Result<()> {
    let sql = "INSERT INTO forecasts (key, at, forecast) VALUES (?1, ?2, ?3)
               ON CONFLICT (key) DO UPDATE SET at = excluded.at, forecast = excluded.forecast
               WHERE excluded.at >= at";
    let (key, forecast) = (serde_json::to_string(&entry.key)?, serde_json::to_string(&entry.forecast)?);
    tx.prepare_cached(sql)?.execute(params![key, row::micros(entry.at), forecast])?;
    let sql = "DELETE FROM forecasts WHERE key IN (SELECT key FROM forecasts ORDER BY at DESC LIMIT -1 OFFSET ?1)";
    tx.prepare_cached(sql)?.execute([MOST])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::forecast::Forecast;
    use crate::route::key::Key;
    use crate::route::speed::{Machine, Speed};
    use crate::store::samples::at;
    use crate::store::sqlite::connection::Handle;

    #[test]
    fn a_row_that_cannot_be_read_is_left_out_and_the_others_come() {
        let home = tempfile::tempdir().unwrap();
        let db = Handle::open(&home.path().join("captures.db")).unwrap().connection;
        let key = Key { endpoint: "local".into(), model: "m".into(), digest: None, options: 1, on_battery: false };
        let forecast = Forecast::seeded(Speed::of(&Machine::default()));
        put(&db, &Entry { key: key.clone(), at: at(1), forecast }).unwrap();
        let good: (String, String) =
            db.query_row("SELECT key, forecast FROM forecasts", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let other = good.0.replace("\"m\"", "\"n\"");
        let bad = [("no key", 1, good.1.as_str()), (other.as_str(), 1, "{}"), (r#"{"model":"x"}"#, i64::MAX, "[]")];
        for (key, at, forecast) in bad {
            db.execute("INSERT INTO forecasts VALUES (?1, ?2, ?3)", params![key, at, forecast]).unwrap();
        }
        let ledger = all(&db).unwrap();
        assert_eq!((ledger.iter().count(), ledger.entry(&key).map(|entry| entry.at)), (1, Some(at(1))));
    }
}
