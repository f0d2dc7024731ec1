//! What belongs to a commit besides the commit: what its author noted while working on it.

/// Words of the author that came before the commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Manual notes of the last 30 minutes in the same repository, oldest first.
    pub notes: Vec<String>,
}
