//! Patch of a commit as read from git: bounded in bytes, and marked where parts were left out.

use jiff::Timestamp;

use super::capture::Kind;
use super::id::Oid;

/// A commit with its (bounded) patch against its first parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub oid: Oid,
    pub tree: Oid,
    pub parents: Vec<Oid>,
    pub author: String,
    pub author_email: String,
    pub authored_at: Timestamp,
    pub committed_at: Timestamp,
    /// The whole message, decoded lossily, control characters made harmless.
    pub message: String,
    /// Change id: the header of jj and GitButler, else Gerrit's trailer.
    pub change_id: Option<String>,
    /// The current branch, if the commit is its tip.
    pub branch: Option<String>,
    pub patch: Patch,
}

impl Commit {
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.parents.len() > 1 { Kind::Merge } else { Kind::Commit }
    }

    /// First line of the message.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("")
    }

    /// Everything after the subject, trimmed.
    #[must_use]
    pub fn body(&self) -> &str {
        let text = self.message.trim_start();
        text.split_once('\n').map_or("", |(_, rest)| rest.trim())
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    pub files: Vec<FileChange>,
    /// Number of changed files; `files` may hold fewer.
    pub files_total: usize,
    /// Line counts; absent unless every text file was read. Excluded paths do not count.
    pub insertions: Option<u64>,
    pub deletions: Option<u64>,
    /// `git patch-id --stable`; absent for large patches.
    pub patch_id: Option<String>,
    /// Parts were left out because of the bounds.
    pub truncated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    Added,
    Deleted,
    Modified,
    Renamed,
    Copied,
    TypeChanged,
}

/// Why a file's hunks are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unread {
    Binary,
    /// Larger than the per-file bound.
    TooLarge,
    /// Other files used up the patch's bound.
    BudgetSpent,
    Submodule,
    /// A submodule: the hunks name the commits that it points to.
    Symlink,
    /// Excluded by configuration: its lines are never read. A lockfile may have `texts`, for its packages.
    Excluded,
    /// A partial clone does not have the object.
    Missing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Path after the change (before it, for deletions); decoded lossily, control characters made harmless.
    pub path: String,
    /// Path before a rename or copy.
    pub old_path: Option<String>,
    pub change: Change,
    pub mode_changed: bool,
    /// Line counts; absent if unread.
    pub insertions: Option<u64>,
    pub deletions: Option<u64>,
    pub hunks: Vec<Hunk>,
    pub unread: Option<Unread>,
    /// Both full versions, for languages with a built-in grammar, lockfiles and notebooks, up to a size bound. Not
    /// redacted: only definition names, package names and versions, and a notebook's shape are extracted, then the
    /// texts are dropped.
    pub texts: Option<Box<Texts>>,
}

/// A file before and after; an absent side is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    pub old: String,
    pub new: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The text after the second `@@`: the enclosing function if git knows it; may be empty.
    pub header: String,
    pub old_start: u32,
    pub new_start: u32,
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    Added,
    Removed,
    Context,
}

/// A line without its newline, decoded lossily, cut at the per-line bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub origin: Origin,
    pub text: String,
}
