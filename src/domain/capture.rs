//! A capture: one unit of work and what we say of it. Its serde shape is the public JSON.

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

/// Who wrote the summary.
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
    /// The model's own full answer, or a person's words.
    None,
    /// The template stands; the model is still being asked.
    Pending,
    /// No model is configured or wanted here.
    Disabled,
    BreakerOpen,
    Cold,
    PredictedMiss,
    /// The clock fired before anything usable arrived.
    Deadline,
    /// The clock fired; what had arrived was cut at a sentence end and used.
    Salvaged,
    Ungrounded,
    /// An answer came that is no text to keep: empty, broken, aborted.
    Unusable,
    /// The server could not be reached, or said no (unknown model, busy, error, remote not allowed).
    Refused,
    /// Prompt or answer exceeded what fits.
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
    /// Absent where the patch is too large to count within the reading bounds.
    pub insertions: Option<u64>,
    pub deletions: Option<u64>,
    /// `git patch-id --stable`; absent for merges, empty patches and patches beyond the reading bounds.
    pub patch_id: Option<String>,
    /// The change that the commit is a version of: jj's and GitButler's header, else Gerrit's trailer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    /// Of a merge, the branch that it was made on first; empty for every other commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Oid>,
}

/// Scores of the rubric, each in 0..=1.
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

/// One unit of work. Everything in it is redacted already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    pub id: CaptureId,
    /// Author date for commits, key press for notes.
    pub at: Timestamp,
    pub captured_at: Timestamp,
    pub kind: Kind,
    pub project: String,
    pub tags: Vec<String>,
    pub repo: Option<RepoRef>,
    pub commit: Option<CommitRef>,
    /// What the person wrote: the note, or the commit's message.
    pub raw: String,
    /// What we say.
    pub summary: String,
    pub source: Source,
    pub provenance: Provenance,
    pub timing: Timing,
    pub tokens: Tokens,
    pub quality: Option<Quality>,
    pub refined: Option<Refined>,
    pub state: State,
    pub supersedes: Vec<CaptureId>,
    /// Notes that belong to the commit: its author wrote them down while working on it. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<CaptureId>,
}

/// What the model stage ends with; applied to a pending capture in one write.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The model's cleaned text; absent when the template stays.
    pub summary: Option<String>,
    pub provenance: Provenance,
    pub timing: Timing,
    pub tokens: Tokens,
    /// Scores of the text that the capture ends with.
    pub quality: Option<Quality>,
    /// Exactly what was sent, redacted, for `show --wire`.
    pub wire: Option<String>,
    /// What of the model's text was not kept, and why, redacted.
    pub faults: Vec<String>,
    /// The router's decision with every term, as JSON; absent where nothing was to be decided.
    pub decision: Option<String>,
}

/// Project under which notes outside any repository are filed.
pub const NO_PROJECT: &str = "notes";
