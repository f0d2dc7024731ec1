//! Draft: a text for readers, composed of captures in the background. Its serde shape is the public JSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::capture::{AuthoredBy, Quality, RepoRef};
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
pub struct DraftEdit {
    /// Time in the editor over all edits of this text, without idle time.
    pub seconds: f64,
    /// Normalised edit distance between the written and the edited text, 0..=1.
    pub distance: f64,
}

/// A text that a draft has or had, or that was written beside an edited one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftVersion {
    /// Counted from 1.
    pub number: u32,
    pub at: Timestamp,
    pub by: AuthoredBy,
    /// The model that wrote it, or the text that it was made from.
    pub model: Option<String>,
    /// Number of the written version that an edit was made from; for a written text, its own.
    pub base: u32,
    pub title: String,
    pub body: String,
    /// Of a text edited by the user: the sum of all edits up to it.
    pub edit: Option<DraftEdit>,
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
    pub edit: Option<DraftEdit>,
    pub quality: Option<Quality>,
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

impl Draft {
    /// Whether its text can be accepted. A text that the user edited stays while another one is written beside it.
    #[must_use]
    pub fn is_acceptable(&self) -> bool {
        match self.state {
            DraftState::Ready => true,
            DraftState::Queued | DraftState::Leased => self.edit.is_some(),
            DraftState::Accepted | DraftState::Rejected | DraftState::Published | DraftState::Dead => false,
        }
    }

    /// The version that is the draft's text: the last one, and of an edited draft the last edited one.
    #[must_use]
    pub fn current_version<'a>(&self, versions: &'a [DraftVersion]) -> Option<&'a DraftVersion> {
        versions.iter().rev().find(|version| self.edit.is_none() || version.by == AuthoredBy::Human)
    }

    /// The newest text that was written after the user's edit and stands beside it.
    #[must_use]
    pub fn alternative_version<'a>(&self, versions: &'a [DraftVersion]) -> Option<&'a DraftVersion> {
        versions.last().filter(|last| self.current_version(versions).is_some_and(|own| own.number < last.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued() -> Draft {
        let text = r#"{"id":"019cc47f-4100-71ac-90a0-9d5066f80d95","kind":"devlog","project":"shop","repo":null,
            "period":{"from":"2026-03-02T00:00:00Z","to":"2026-03-03T00:00:00Z"},"state":"queued","attempt":0,
            "max_attempts":5,"next_at":null,"model":null,"title":"","body":"","format":"markdown","sources":[],
            "edit":null,"quality":null,"error":null,"created_at":"2026-03-03T00:00:00Z","finished_at":null}"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_text_written_after_an_edit_stands_beside_it() {
        let draft = queued();
        let version = |number, by| DraftVersion {
            number,
            at: Timestamp::UNIX_EPOCH,
            by,
            model: None,
            base: 1,
            title: String::new(),
            body: String::new(),
            edit: None,
        };
        let edited = Draft { edit: Some(DraftEdit { seconds: 1.0, distance: 0.1 }), ..draft.clone() };
        let mut versions = vec![version(1, AuthoredBy::Model), version(2, AuthoredBy::Human)];
        let numbers = |draft: &Draft, versions: &[DraftVersion]| {
            let number = |version: &DraftVersion| version.number;
            (draft.current_version(versions).map(number), draft.alternative_version(versions).map(number))
        };
        assert_eq!(numbers(&edited, &versions), (Some(2), None));
        versions.push(version(3, AuthoredBy::Template));
        assert_eq!(numbers(&edited, &versions), (Some(2), Some(3)));
        assert_eq!(numbers(&draft, &versions), (Some(3), None));
        assert_eq!(numbers(&draft, &[]), (None, None));
    }

    #[test]
    fn an_edited_draft_can_be_accepted_while_another_text_is_written() {
        let queued = queued();
        let edited = Draft { edit: Some(DraftEdit { seconds: 1.0, distance: 0.1 }), ..queued.clone() };
        assert!(edited.is_acceptable() && !queued.is_acceptable());
        assert!(!Draft { state: DraftState::Rejected, ..edited }.is_acceptable());
    }
}
