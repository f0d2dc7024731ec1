//! Captures into pages: grouped facts, Markdown that a capture's text cannot break, names for files.
//!
//! Everything here is a function of its arguments, except reading a person's own templates.

pub mod document;
pub mod entry;
pub mod markdown;
pub mod numbers;
pub mod outline;
#[cfg(test)]
pub mod sample;
pub mod slug;
pub mod span;
pub mod templates;
pub mod theme;
