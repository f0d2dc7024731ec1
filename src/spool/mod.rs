//! The spool: the file through which the hook tells the sidecar what happened.
//!
//! A hint, not the truth: git itself is the write-ahead log, and reconciliation finds what the spool lost.
//! Writers only append, each record with one `write`; readers remember an offset and never change a record.

pub mod crc32;
pub mod reader;
pub mod record;
pub mod rotation;
pub mod writer;

/// The file that is appended to, in the spool's directory.
pub const ACTIVE: &str = "events.log";
