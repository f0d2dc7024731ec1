//! Capture counts for `status`: one scan of a narrow index, summed in memory.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use rusqlite::Connection;

use super::codes::{CaptureClass, Punctual};
use super::row::micros;
use crate::domain::capture::{AuthoredBy, CaptureKind, CaptureState, Reason};
use crate::domain::event::Source;
use crate::domain::id::RepoId;
use crate::store::{CaptureCounts, Result};

/// Counts of live captures in the window, per grouping.
pub fn count(db: &Connection, repo: Option<&RepoId>, since: Timestamp, until: Timestamp) -> Result<CaptureCounts> {
    let counts = add_up(&count_classes(db, repo, since, until)?);
    Ok(CaptureCounts { refined: count_refined(db, repo, since, until)?, ..counts })
}

/// Number of captures per class.
fn count_classes(
    db: &Connection,
    repo: Option<&RepoId>,
    since: Timestamp,
    until: Timestamp,
) -> Result<HashMap<i64, u64>> {
    let base = "SELECT class FROM captures INDEXED BY captures_count WHERE captured_at >= ?1 AND captured_at < ?2";
    let mut query = match repo {
        None => db.prepare_cached(base)?,
        Some(_) => db.prepare_cached(&format!("{base} AND repo_id = ?3"))?,
    };
    let window = (micros(since), micros(until));
    let mut rows = match repo {
        None => query.query(window)?,
        Some(repo) => query.query((window.0, window.1, repo.as_str()))?,
    };
    // The code is small and dense, so an array counts faster than a map.
    let mut counts = vec![0_u64; 1 << 14];
    while let Some(row) = rows.next()? {
        let class = row.get_ref(0)?.as_i64().unwrap_or(0);
        if let Some(count) = usize::try_from(class).ok().and_then(|index| counts.get_mut(index)) {
            *count += 1;
        }
    }
    Ok(counts.into_iter().enumerate().filter(|(_, n)| *n > 0).map(|(class, n)| (class as i64, n)).collect())
}

/// The few refined captures have an index of their own.
fn count_refined(db: &Connection, repo: Option<&RepoId>, since: Timestamp, until: Timestamp) -> Result<u64> {
    let sql = "SELECT count(*) FROM captures INDEXED BY captures_refined WHERE refined IS NOT NULL AND state = 0
               AND captured_at >= ?1 AND captured_at < ?2 AND (?3 IS NULL OR repo_id = ?3)";
    let values = (micros(since), micros(until), repo.map(RepoId::as_str));
    Ok(db.prepare_cached(sql)?.query_row(values, |row| row.get::<_, i64>(0))?.unsigned_abs())
}

fn add_up(classes: &HashMap<i64, u64>) -> CaptureCounts {
    let mut counts = CaptureCounts::default();
    let (mut kinds, mut sources, mut authors) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (class, n) in classes {
        let class = CaptureClass::decode(*class);
        if class.state != Some(CaptureState::Live) {
            continue;
        }
        counts.total += n;
        add(&mut kinds, class.kind.map(CaptureKind::as_str), *n);
        add(&mut sources, class.source.map(Source::as_str), *n);
        add(&mut authors, class.by.map(AuthoredBy::as_str), *n);
        counts.pending += if class.reason == Some(Reason::Pending) { *n } else { 0 };
        counts.budgeted += if matches!(class.punctual, Some(Punctual::Late | Punctual::OnTime)) { *n } else { 0 };
        counts.on_time += if class.punctual == Some(Punctual::OnTime) { *n } else { 0 };
    }
    counts.by_kind = kinds.into_iter().collect();
    counts.by_source = sources.into_iter().collect();
    counts.by_provenance = authors.into_iter().collect();
    counts
}

fn add(groups: &mut BTreeMap<String, u64>, name: Option<&'static str>, n: u64) {
    *groups.entry(name.unwrap_or("unknown").to_owned()).or_default() += n;
}
