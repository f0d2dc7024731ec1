//! Roles: the kinds of text that a model writes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A kind of text, with its own model, options and budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Capture,
    Devlog,
    Blog,
    Social,
    Status,
}

pub const ROLES: [Role; 5] = [Role::Capture, Role::Devlog, Role::Blog, Role::Social, Role::Status];

impl Role {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Devlog => "devlog",
            Self::Blog => "blog",
            Self::Social => "social",
            Self::Status => "status",
        }
    }

    /// Targets for the total response time per role.
    #[must_use]
    pub fn target(self) -> Duration {
        Duration::from_secs(match self {
            Self::Capture => 2,
            Self::Social => 5,
            Self::Status => 10,
            Self::Devlog => 15,
            Self::Blog => 30,
        })
    }
}
