//! Natural-language primitives: one stemmer, one identifier splitter, one commit-subject parser, the word lists.

pub mod conventional;
pub mod identifiers;
pub mod stem;
pub mod version;
pub mod words;
