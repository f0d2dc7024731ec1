//! How good a text about a commit is, as far as rules can tell: five scores in 0..=1, and one of them all.

use crate::domain::capture::Quality;
use crate::domain::patch::Commit;
use crate::facts::Facts;

/// Judges a summary by the facts of its commit; `faults` is how many of its statements were not grounded.
/// Absent until there are rules.
#[must_use]
pub fn commit(_text: &str, _commit: &Commit, _facts: &Facts, _faults: usize) -> Option<Quality> {
    None
}

/// Judges a note's summary by the note.
#[must_use]
pub fn note(_text: &str, _note: &str) -> Option<Quality> {
    None
}
