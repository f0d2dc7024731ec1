//! Reflog reconciliation: finds commits in the reflogs that hooks and watchers missed.

use jiff::Timestamp;

use crate::domain::id::Oid;

pub(super) mod answer;
pub(super) mod file;
pub(super) mod fingerprint;
pub(super) mod line;
pub(super) mod message;
pub(super) mod news;
pub(super) mod order;
pub(super) mod places;
pub(super) mod story;
pub(super) mod tail;
pub(super) mod unlogged;

/// A commit that was made here, per a reflog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub oid: Oid,
    /// The commit that this one replaced.
    pub replaces: Option<Oid>,
    pub at: Timestamp,
}
