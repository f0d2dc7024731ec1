//! What the reflogs tell: deeds, in the order they were done, and how far the logs were read.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// What one line of a reflog means for somebody who captures commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A commit that git made here.
    Made {
        oid: Oid,
        /// What it stands for now: the amended commit, the one that was reset away under the same message, the
        /// commits that a rebase copied or folded into it.
        replaces: Vec<Oid>,
        /// Of a rebase or of `am`.
        step: bool,
    },
    /// A tool that says nothing about it (libgit2, fast-import, update-ref, jj) moved the branch. Without `from` the
    /// branch is new and nothing that was known before is below it.
    Moved { from: Option<Oid>, to: Oid },
    /// jj shows these again or for the first time, and has not made them: an undo brought them back, or a fetch.
    Shown { oids: Vec<Oid> },
    /// Came from elsewhere or went back: pull, fast-forward, checkout, reset, clone, creation of a branch.
    Pulled { from: Option<Oid>, to: Oid },
}

/// One deed, with where and when it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The git directory of the worktree whose log tells it; the common directory for the log of a branch.
    pub git_dir: PathBuf,
    /// Whole seconds, as the log has them.
    pub at: Timestamp,
    pub deed: Deed,
}

/// What the logs tell beyond the known positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// The positions that changed; one with the identity `absent` stands for a log that is gone.
    pub positions: Vec<LogPosition>,
    /// Some log was not read to its end: ask again with the new positions.
    pub more: bool,
}
