//! Capture event: a report that something happened in a repository, and its source.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::Oid;

/// Source of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    Hook,
    Watch,
    Reconcile,
    Manual,
    Backfill,
}

impl Source {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Watch => "watch",
            Self::Reconcile => "reconcile",
            Self::Manual => "manual",
            Self::Backfill => "backfill",
        }
    }
}

/// How a registered repository's commits are detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HookMode {
    /// Hooks in git's configuration (git ≥ 2.54).
    Config,
    /// Our hook files, alone or chained before other hooks.
    File,
    /// No hook installed: the reflogs are watched.
    Watch,
}

impl HookMode {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::File => "file",
            Self::Watch => "watch",
        }
    }

    /// An unknown word parses as the weakest guarantee.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "config" => Self::Config,
            "file" => Self::File,
            _ => Self::Watch,
        }
    }

    /// True if git itself reports commits.
    #[must_use]
    pub fn has_hooks(self) -> bool {
        self != Self::Watch
    }
}

/// The git hook that reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookName {
    PostCommit,
    PostMerge,
    PostRewrite,
    PostApplypatch,
}

/// The hooks that are installed, in this order. Only post-* hooks: a broken pre-* hook blocks the commit.
pub const HOOKS: [HookName; 4] =
    [HookName::PostCommit, HookName::PostMerge, HookName::PostRewrite, HookName::PostApplypatch];

impl HookName {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PostCommit => "post-commit",
            Self::PostMerge => "post-merge",
            Self::PostRewrite => "post-rewrite",
            Self::PostApplypatch => "post-applypatch",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        HOOKS.into_iter().find(|hook| hook.as_str() == name)
    }
}

/// Read position in one reflog. `log` is its path relative to the common git directory; `identity` detects that
/// the file was replaced; `offset` is in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPosition {
    pub log: String,
    pub identity: String,
    pub offset: u64,
}

impl LogPosition {
    /// A position whose identity alone says how far the log was read.
    #[must_use]
    pub fn at_start(log: &str, identity: &str) -> Self {
        Self { log: log.to_owned(), identity: identity.to_owned(), offset: 0 }
    }
}

/// One report, as delivered by the spool or by a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened (the hook's stamp): the budget starts here.
    pub stamp: Timestamp,
    pub source: Source,
    pub hook: Option<HookName>,
    /// The git directory of the worktree (`.git`, or `.git/worktrees/NAME`), absolute.
    pub git_dir: PathBuf,
    /// The commit, if the reporter knew it; else HEAD is meant.
    pub oid: Option<Oid>,
    /// (old commit, new commit), from post-rewrite or a reflog; from post-merge after a squash: (carried commit, HEAD,
    /// or the carried commit again where the hook could not read HEAD).
    pub rewrites: Vec<(Oid, Oid)>,
    /// A rebase, cherry-pick sequence or `am` was in progress.
    pub in_sequence: bool,
}

/// A queued event with its queue row, which is closed once the event is processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEvent {
    pub row: i64,
    pub event: Event,
}
