//! Capture: one unit of work with its summary. Its serde shape is the public JSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::Source;
use super::id::{CaptureId, Oid, RepoId};
use super::timing::{Timing, Tokens};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Commit,
    Merge,
    Note,
}

impl Kind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Merge => "merge",
            Self::Note => "note",
        }
    }
}

/// Author of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    Model,
    Template,
    Human,
}

impl By {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Template => "template",
            Self::Human => "human",
        }
    }
}

/// Why the summary is not simply the model's full answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The model's own full answer, or the user's text.
    None,
    /// The template text is shown; the model's answer is pending.
    Pending,
    /// No model is configured or wanted.
    Disabled,
    BreakerOpen,
    Cold,
    PredictedMiss,
    /// The deadline expired before any usable text arrived.
    Deadline,
    /// The deadline expired; the partial answer was cut at a sentence end and used (salvage).
    Salvaged,
    Ungrounded,
    /// The answer was unusable: empty, broken or aborted.
    Unusable,
    /// The server was unreachable or refused (unknown model, busy, error, remote not allowed).
    Refused,
    /// Prompt or answer exceeded the model's limits.
    Overflow,
}

impl Reason {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pending => "pending",
            Self::Disabled => "disabled",
            Self::BreakerOpen => "breaker_open",
            Self::Cold => "cold",
            Self::PredictedMiss => "predicted_miss",
            Self::Deadline => "deadline",
            Self::Salvaged => "salvaged",
            Self::Ungrounded => "ungrounded",
            Self::Unusable => "unusable",
            Self::Refused => "refused",
            Self::Overflow => "overflow",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    pub by: By,
    pub model: Option<String>,
    pub endpoint: Option<String>,
    pub reason: Reason,
    pub prompt_version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoRef {
    pub path: String,
    pub id: RepoId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRef {
    pub oid: Oid,
    pub branch: Option<String>,
    pub subject: String,
    pub author: String,
    pub files: u64,
    /// Absent if the patch exceeds the read bounds.
    pub insertions: Option<u64>,
    pub deletions: Option<u64>,
    /// `git patch-id --stable`; absent for merges, empty patches and patches beyond the read bounds.
    pub patch_id: Option<String>,
    /// Change id: the header of jj and GitButler, else Gerrit's trailer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    /// For a merge, the branch that it was made on first; empty for every other commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Oid>,
}

/// Rubric scores, each in 0..=1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    pub technical_accuracy: f64,
    pub format_compliance: f64,
    pub completeness: f64,
    pub readability: f64,
    pub length: f64,
    pub score: f64,
    pub rubric: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refined {
    pub at: Timestamp,
    pub model: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Live,
    Superseded,
}

/// One unit of work. All of it is redacted already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    pub id: CaptureId,
    /// Author date for commits, time of the key press for notes.
    pub at: Timestamp,
    pub captured_at: Timestamp,
    pub kind: Kind,
    pub project: String,
    pub tags: Vec<String>,
    pub repo: Option<RepoRef>,
    pub commit: Option<CommitRef>,
    /// The author's text: the note, or the commit message.
    pub raw: String,
    /// The summary text.
    pub summary: String,
    pub source: Source,
    pub provenance: Provenance,
    pub timing: Timing,
    pub tokens: Tokens,
    pub quality: Option<Quality>,
    pub refined: Option<Refined>,
    pub state: State,
    pub supersedes: Vec<CaptureId>,
    /// Notes that the author took while working on the commit. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<CaptureId>,
}

/// Result of the model stage; applied to a pending capture in one write.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The model's cleaned text; absent if the template stays.
    pub summary: Option<String>,
    pub provenance: Provenance,
    pub timing: Timing,
    pub tokens: Tokens,
    /// Scores of the final text.
    pub quality: Option<Quality>,
    /// The redacted request as sent, for `show --wire`.
    pub wire: Option<String>,
    /// Dropped parts of the model's text with reasons, redacted.
    pub faults: Vec<String>,
    /// The router's decision with every term, as JSON; absent if there was no choice.
    pub decision: Option<String>,
}

/// Project of notes taken outside any repository.
pub const NO_PROJECT: &str = "notes";
