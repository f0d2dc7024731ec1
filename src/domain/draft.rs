//! Draft: a text for readers, composed of captures in the background. Its serde shape is the public JSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::capture::{Quality, RepoRef};
use super::id::{CaptureId, DraftId};
use super::role::Role;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DraftKind {
    Devlog,
    Blog,
    Social,
    Status,
}

impl DraftKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.role().as_str()
    }

    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Devlog => Role::Devlog,
            Self::Blog => Role::Blog,
            Self::Social => Role::Social,
            Self::Status => Role::Status,
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Devlog, Self::Blog, Self::Social, Self::Status].into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DraftState {
    Queued,
    Leased,
    Ready,
    Accepted,
    Rejected,
    Published,
    Dead,
}

impl DraftState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Leased => "leased",
            Self::Ready => "ready",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Published => "published",
            Self::Dead => "dead",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Queued, Self::Leased, Self::Ready, Self::Accepted, Self::Rejected, Self::Published, Self::Dead]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// Half-open interval: includes `from`, excludes `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Period {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// The user's edit of the text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    pub seconds: f64,
    /// Normalised edit distance between the written and the edited text, 0..=1.
    pub distance: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    pub id: DraftId,
    pub kind: DraftKind,
    /// The project's label; qualified if another repository has the same name (`acme/backend`).
    pub project: String,
    /// Repository of the captures; absent for notes from outside any repository.
    pub repo: Option<RepoRef>,
    pub period: Period,
    pub state: DraftState,
    /// Fencing token: a write with another attempt number changes nothing.
    pub attempt: u32,
    pub max_attempts: u32,
    pub next_at: Option<Timestamp>,
    pub model: Option<String>,
    pub title: String,
    pub body: String,
    pub format: String,
    pub sources: Vec<CaptureId>,
    pub edit: Option<Edit>,
    pub quality: Option<Quality>,
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}
