//! How the rules and the question are put into messages.

use serde_json::{Value, json};

use super::Ask;

/// Templates of some models (Gemma, early Mistral) know no system role and raise an error where one is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The rules as the system message, the question as the user's.
    Separate,
    /// Both in the user's message, the rules first, so that a server can keep their prefix.
    Merged,
}

impl Form {
    pub(super) fn messages(self, ask: &Ask) -> Value {
        let user = |content: String| json!({"role": "user", "content": content});
        match self {
            Self::Separate => json!([{"role": "system", "content": ask.rules}, user(ask.question.clone())]),
            Self::Merged if ask.question.is_empty() => json!([user(ask.rules.clone())]),
            Self::Merged => json!([user(format!("{}\n\n{}", ask.rules, ask.question))]),
        }
    }
}
