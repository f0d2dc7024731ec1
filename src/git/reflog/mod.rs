//! Reflog reconciliation: finds commits in the reflogs that hooks and watchers missed.

use jiff::Timestamp;

use crate::domain::id::Oid;

pub(super) mod classify;
pub(super) mod collect;
pub(super) mod commit_order;
pub(super) mod file;
pub(super) mod fingerprint;
pub(super) mod line;
pub(super) mod log_files;
pub(super) mod message;
pub(super) mod reader;
pub(super) mod ref_tips;
pub(super) mod resolve;

/// A commit that was made here, per a reflog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReflogCommit {
    pub oid: Oid,
    /// The commit that this one replaced.
    pub replaces: Option<Oid>,
    pub at: Timestamp,
}
