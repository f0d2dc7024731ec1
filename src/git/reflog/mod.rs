//! Reflog reconciliation: finds commits in the reflogs that hooks and watchers missed.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

pub(super) mod classify;
pub(super) mod collect;
pub(super) mod commit_order;
pub(super) mod file;
pub(super) mod line;
pub(super) mod log_files;
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

/// The reference change that one reflog line records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefChange {
    /// A commit that git made here.
    Committed {
        oid: Oid,
        /// The commits it replaces: the amended one, one reset away with the same message, those that a rebase copied
        /// or folded into it.
        replaces: Vec<Oid>,
        /// Created by a rebase or by `am`.
        step: bool,
    },
    /// A tool that writes no reflog message (libgit2, fast-import, update-ref, jj) moved the branch. Without `from` the
    /// branch is new and starts at no known commit.
    UnloggedMove { from: Option<Oid>, to: Oid },
    /// jj shows these commits again or for the first time without having made them: by an undo or a fetch.
    Shown { oids: Vec<Oid> },
    /// Fetched or moved back: pull, fast-forward, checkout, reset, clone, creation of a branch.
    Pulled { from: Option<Oid>, to: Oid },
}

/// One reference change with its worktree and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedChange {
    /// The git directory of the worktree with the log that records it; the common directory for a branch log.
    pub git_dir: PathBuf,
    /// Whole seconds, as the log has them.
    pub at: Timestamp,
    pub change: RefChange,
}

/// The log entries after the known positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogUpdates {
    /// Oldest first.
    pub entries: Vec<LoggedChange>,
    /// The changed positions; the identity `absent` marks a missing log.
    pub positions: Vec<LogPosition>,
    /// Some log was not read to its end: call again with the new positions.
    pub more: bool,
}
