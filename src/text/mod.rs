//! Text primitives, one of each for all rooms: sentences, code fences, identifiers, stems, commit subjects, versions,
//! hashes, word lists.

pub mod conventional;
pub mod fences;
pub mod hash;
pub mod identifiers;
pub mod sentences;
pub mod stem;
pub mod version;
pub mod words;
