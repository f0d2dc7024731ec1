//! What the author said beyond the subject: reasons, numbers, tickets.

/// Taken from the message alone, in the author's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// The sentence that says why; absent where none does.
    pub why: Option<String>,
    /// Quantities: `3s to 200ms`, `40 %`.
    pub numbers: Vec<String>,
    /// References to tickets: `#42`, `ABC-123`.
    pub tickets: Vec<String>,
}

impl Author {
    #[must_use]
    pub fn of(_message: &str) -> Self {
        Self::default()
    }
}
