//! Message form: puts rules and question into a system and a user message, or into one user message.

use serde_json::{Value, json};

use super::ModelRequest;

/// Chat templates of some models (Gemma, early Mistral) have no system role and raise an error for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageForm {
    /// Rules in the system message, question in the user message.
    Separate,
    /// Both in the user message, the rules first, so that the server's prefix cache applies.
    Merged,
}

impl MessageForm {
    pub(super) fn messages(self, ask: &ModelRequest) -> Value {
        let user = |content: String| json!({"role": "user", "content": content});
        match self {
            Self::Separate => json!([{"role": "system", "content": ask.rules}, user(ask.question.clone())]),
            Self::Merged if ask.question.is_empty() => json!([user(ask.rules.clone())]),
            Self::Merged => json!([user(format!("{}\n\n{}", ask.rules, ask.question))]),
        }
    }
}
