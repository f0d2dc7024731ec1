//! Natural-language primitives: one stemmer, one identifier splitter, one commit-subject parser, the word lists.

pub mod fences;
pub mod hash;
pub mod sentences;
pub mod words;
