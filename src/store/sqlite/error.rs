//! Maps SQLite's errors to store errors.

use rusqlite::ErrorCode;

use super::super::StoreError;

/// A row that fails its checksum or cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[error("{what} {id} is damaged: {why}")]
pub struct DamagedRow {
    pub what: &'static str,
    pub id: String,
    pub why: String,
}

impl DamagedRow {
    pub fn error(what: &'static str, id: impl Into<String>, why: &dyn std::fmt::Display) -> StoreError {
        StoreError::Corrupt(Box::new(Self { what, id: id.into(), why: why.to_string() }))
    }

    /// The damaged row of an error, when it concerns a single row.
    pub fn of(error: &StoreError) -> Option<&Self> {
        match error {
            StoreError::Corrupt(source) => source.downcast_ref(),
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(Box::new(error)),
            Some(ErrorCode::DiskFull) => Self::Full(Box::new(error)),
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure,
            ) => Self::Unavailable(Box::new(error)),
            Some(_) => Self::Other(Box::new(error)),
            None => undecodable(error),
        }
    }
}

/// Errors of decoding a value: the row is damaged.
fn undecodable(error: rusqlite::Error) -> StoreError {
    use rusqlite::Error as E;
    match error {
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..) => StoreError::Corrupt(Box::new(error)),
        other => StoreError::Other(Box::new(other)),
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(Box::new(error))
    }
}

/// An error of the file system around the database.
pub fn file(error: std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full(Box::new(error)),
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

fn code(error: &StoreError) -> Option<ErrorCode> {
    let (StoreError::Corrupt(source) | StoreError::Unavailable(source)) = error else { return None };
    source.downcast_ref::<rusqlite::Error>()?.sqlite_error_code()
}

/// Whether SQLite reports the file (not only one row) as damaged.
pub fn file_is_damaged(error: &StoreError) -> bool {
    matches!(code(error), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Errors after which a connection's cached state is unreliable: it must be reopened.
pub fn spoils_connection(error: &StoreError) -> bool {
    file_is_damaged(error) || matches!(code(error), Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen))
}
