//! Conversion between domain values and columns.

use jiff::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::super::{Result, StoreError};
use super::codes::{Coded, Punctual};
use super::{checksum, error::DamagedRow};
use crate::domain::capture::{Capture, CommitRef, Provenance, Quality, Reason, Refined, RepoRef};
use crate::domain::id::{CaptureId, Oid, RepoId};
use crate::domain::timing::{Timing, Tokens};

/// Columns of a capture in the order that `capture` reads them. `c` is the table alias.
pub const CAPTURE: &str = "c.id, c.at, c.captured_at, c.kind, c.state, c.source, c.written_by, c.reason, c.project, \
     c.repo_id, c.oid, c.patch_id, c.subject, c.tags, c.raw, c.summary, c.supersedes, c.rest, c.checksum, \
     c.change_id";

/// The part of a capture that is never queried by value, kept as JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    pub files: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insertions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletions: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Oid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_version: Option<String>,
    pub timing: Timing,
    pub tokens: Tokens,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refined: Option<Refined>,
    /// The provenance of the text that the user replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited: Option<Edited>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<CaptureId>,
}

/// A model's text that the user replaced: training input for the router.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Edited {
    pub model: String,
    /// The retained share of its words, 0..=1.
    pub kept: f64,
}

impl Rest {
    pub fn of(capture: &Capture) -> Self {
        let commit = capture.commit.as_ref();
        Self {
            repo_path: capture.repo.as_ref().map(|repo| repo.path.clone()),
            branch: commit.and_then(|commit| commit.branch.clone()),
            author: commit.map(|commit| commit.author.clone()),
            files: commit.map_or(0, |commit| commit.files),
            insertions: commit.and_then(|commit| commit.insertions),
            deletions: commit.and_then(|commit| commit.deletions),
            parents: commit.map(|commit| commit.parents.clone()).unwrap_or_default(),
            model: capture.provenance.model.clone(),
            endpoint: capture.provenance.endpoint.clone(),
            prompt_version: capture.provenance.prompt_version.clone(),
            timing: capture.timing.clone(),
            tokens: capture.tokens,
            quality: capture.quality.clone(),
            refined: capture.refined.clone(),
            edited: None,
            notes: capture.notes.clone(),
        }
    }
}

/// Whether a budget was met, as far as known yet.
pub fn punctual(reason: Reason, timing: &Timing) -> Punctual {
    match (reason, timing.budget_ms, timing.total_ms) {
        (Reason::Pending, _, _) | (_, None, _) => Punctual::Unjudged,
        (_, Some(budget), Some(total)) if total <= budget => Punctual::OnTime,
        _ => Punctual::Late,
    }
}

/// Microseconds since 1970.
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A time from its microseconds.
pub fn time(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|error| StoreError::Corrupt(Box::new(error)))
}

/// Reads the columns of `CAPTURE` and verifies the checksum of user-written text.
///
/// # Errors
/// `Corrupt` with a `DamagedRow` that names the capture.
pub fn capture(row: &Row<'_>) -> Result<Capture> {
    let id: String = row.get(0)?;
    decode(row).map_err(|error| match error {
        StoreError::Corrupt(why) | StoreError::Other(why) if !is_sqlite(&*why) => {
            DamagedRow::error("capture", id, &why)
        }
        other => other,
    })
}

/// SQLite's own failures keep their meaning; decoding failures mean a damaged row.
fn is_sqlite(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(rusqlite::Error::SqliteFailure(..)))
}

fn decode(row: &Row<'_>) -> Result<Capture> {
    let (raw, summary): (String, String) = (row.get(14)?, row.get(15)?);
    if checksum::of(&[&raw, &summary]) != row.get::<_, i64>(18)? {
        return Err(StoreError::Corrupt("its text does not match its checksum".into()));
    }
    let rest: Rest = json(row, 17)?;
    let provenance = Provenance {
        by: code(row, 6)?,
        model: rest.model.clone(),
        endpoint: rest.endpoint.clone(),
        reason: code(row, 7)?,
        prompt_version: rest.prompt_version.clone(),
    };
    let repo_id: Option<String> = row.get(9)?;
    Ok(Capture {
        id: parse(&row.get::<_, String>(0)?)?,
        at: time(row.get(1)?)?,
        captured_at: time(row.get(2)?)?,
        kind: code(row, 3)?,
        project: row.get(8)?,
        tags: json(row, 13)?,
        repo: repo_id
            .map(|id| RepoRef { id: RepoId::from_stored(id), path: rest.repo_path.clone().unwrap_or_default() }),
        commit: commit(row, &rest)?,
        raw,
        summary,
        source: code(row, 5)?,
        provenance,
        timing: rest.timing,
        tokens: rest.tokens,
        quality: rest.quality,
        refined: rest.refined,
        state: code(row, 4)?,
        supersedes: json::<Vec<CaptureId>>(row, 16)?,
        notes: rest.notes,
    })
}

fn commit(row: &Row<'_>, rest: &Rest) -> Result<Option<CommitRef>> {
    let Some(oid) = row.get::<_, Option<String>>(10)? else { return Ok(None) };
    Ok(Some(CommitRef {
        oid: parse::<Oid>(&oid)?,
        branch: rest.branch.clone(),
        subject: row.get::<_, Option<String>>(12)?.unwrap_or_default(),
        author: rest.author.clone().unwrap_or_default(),
        files: rest.files,
        insertions: rest.insertions,
        deletions: rest.deletions,
        patch_id: row.get(11)?,
        change_id: row.get(19)?,
        parents: rest.parents.clone(),
    }))
}

/// Reads a value stored as text.
pub fn parse<T: std::str::FromStr>(text: &str) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(|error: T::Err| StoreError::Corrupt(Box::new(error)))
}

/// Reads a value stored as JSON.
pub fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    let text = row.get_ref(column)?.as_str().map_err(|error| StoreError::Corrupt(Box::new(error)))?;
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(Box::new(error)))
}

/// Reads a value stored as a code.
pub fn code<T: Coded>(row: &Row<'_>, column: usize) -> Result<T> {
    let code: i64 = row.get(column)?;
    T::decode(code).ok_or_else(|| StoreError::Corrupt(format!("unknown number {code} in column {column}").into()))
}
