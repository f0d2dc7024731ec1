//! What the changed lines name besides definitions: the words by which a reader would know the change again.

use super::symbols::Symbol;
use crate::domain::patch::FileChange;

/// An identifier, heading, key or word that the changed lines are about.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// As written.
    pub text: String,
    /// How characteristic it is; higher first.
    pub weight: f64,
    /// Only added lines name it, only removed ones, or both (`None`).
    pub added: Option<bool>,
}

/// Most characteristic first.
#[must_use]
pub fn of(_files: &[FileChange], _symbols: &[Symbol]) -> Vec<Mention> {
    Vec::new()
}
