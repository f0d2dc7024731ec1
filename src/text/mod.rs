//! Text primitives: one sentence splitter, one fence scanner, one stable hash, the word lists.

pub mod fences;
pub mod hash;
pub mod sentences;
pub mod words;
