//! What users of the code have to know: the author's own mark, public names that went, flags, variables, migrations.

use crate::domain::patch::Commit;

/// A change that may break who uses the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breaking {
    /// `!` after the type, or `BREAKING CHANGE:`, with the words that follow it (may be empty).
    Said(String),
    /// A command-line flag that only removed lines name: `--select`.
    Flag(String),
    /// A variable of the environment that only removed lines read: `APP_HOME`.
    Variable(String),
    /// A migration of a database was added: its path.
    Migration(String),
}

/// Hints, the author's own first.
#[must_use]
pub fn of(_commit: &Commit) -> Vec<Breaking> {
    Vec::new()
}
