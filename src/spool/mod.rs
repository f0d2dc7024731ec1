//! Spool: an append-only file through which the hook reports events to the sidecar.
//!
//! The spool is a hint: git itself is the write-ahead log, and reconciliation finds what the spool lost.
//! Writers append each record with one `write`; readers remember an offset and never change a record.

pub mod reader;
pub mod record;
pub mod rotation;
pub mod writer;

/// Name of the active file in the spool's directory.
pub const ACTIVE: &str = "events.log";
