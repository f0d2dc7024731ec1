//! Natural-language primitives: one stemmer, one identifier splitter, one commit-subject parser, the word lists.

pub mod words;
