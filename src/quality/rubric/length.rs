//! Length: long enough to say something, short enough to be read in passing.

use super::said::Said;

/// Words between which a text has the right length.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rules {
    least: f64,
    most: f64,
}

/// A summary of one to three sentences.
pub(super) const SUMMARY: Rules = Rules { least: 8.0, most: 60.0 };
/// A draft, from a status report to a blog post.
pub(super) const DOCUMENT: Rules = Rules { least: 30.0, most: 900.0 };

/// One on the plateau; below in proportion, above as the plateau's end to the length.
pub(super) fn of(rules: &Rules, said: &Said<'_>) -> f64 {
    let words = said.words.len() as f64;
    if words < rules.least { words / rules.least } else { rules.most / words.max(rules.most) }
}
