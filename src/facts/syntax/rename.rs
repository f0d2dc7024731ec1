//! Rename detection: matches removed with added definitions by similarity.

use super::swaps::IdentifierSwaps;
use super::tokens::{self, Token};
use crate::facts::language::SymbolKind;

/// Limit of definitions per file that are compared pairwise.
pub const CANDIDATES: usize = 64;
/// Least similarity of two bodies (Dice coefficient of their words).
const ALIKE: f64 = 0.8;
/// Shorter bodies are similar by chance: accessors, one-line tests.
const WORDS: usize = 14;
/// Least size of equal bodies.
const EQUAL_WORDS: usize = 8;
/// Lower limits if callers swapped the names, or the definition's own line did.
const CALLED_ALIKE: f64 = 0.5;
const SWAPPED_ALIKE: f64 = 0.7;

/// Limits if the type changes as well.
const FAR_ALIKE: f64 = 0.9;
const FAR_WORDS: usize = 30;

/// An unmatched definition.
#[derive(Debug, Clone)]
pub struct RenameCandidate {
    pub bare: String,
    /// The qualifier of its name.
    pub qualifier: String,
    pub kind: SymbolKind,
    /// Sorted, without its name.
    pub words: Vec<Token>,
}

/// One-to-one pairs of a removed and an added definition, the likeliest first.
#[must_use]
pub fn match_renames(
    removed: &[RenameCandidate],
    added: &[RenameCandidate],
    swaps: &IdentifierSwaps,
) -> Vec<(usize, usize)> {
    let mut scored: Vec<(f64, usize, usize)> = Vec::new();
    for (a, from) in removed.iter().enumerate() {
        for (b, to) in added.iter().enumerate() {
            if let Some(score) = match_score(from, to, swaps) {
                scored.push((score, a, b));
            }
        }
    }
    scored.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (_, a, b) in scored {
        if !pairs.iter().any(|(from, to)| *from == a || *to == b) {
            pairs.push((a, b));
        }
    }
    pairs
}

/// Match score; `None` without a match.
fn match_score(from: &RenameCandidate, to: &RenameCandidate, swaps: &IdentifierSwaps) -> Option<f64> {
    if from.kind != to.kind || from.bare == to.bare {
        return None;
    }
    let likeness = tokens::likeness(&from.words, &to.words);
    let swapped = swaps.count(&from.bare, &to.bare);
    let size = from.words.len().min(to.words.len());
    let alike = (likeness >= ALIKE && size >= WORDS) || (likeness >= 1.0 && size >= EQUAL_WORDS);
    let called = swapped >= 2 && likeness >= CALLED_ALIKE;
    let replaced = swapped == 1 && likeness >= SWAPPED_ALIKE && size >= EQUAL_WORDS;
    // Another name under another type: members of two types are often similar.
    let far = from.qualifier != to.qualifier && swapped == 0 && (likeness < FAR_ALIKE || size < FAR_WORDS);
    let surety = likeness + f64::from(swapped.min(4)) * 0.1 + resemblance(&from.bare, &to.bare) * 0.05;
    ((alike || called || replaced) && !far).then_some(surety)
}

/// Common prefix and suffix as a share of the longer name: a tie-breaker between equal bodies.
fn resemblance(one: &str, other: &str) -> f64 {
    let head = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let tail = one.chars().rev().zip(other.chars().rev()).take_while(|(a, b)| a == b).count();
    let (one, other) = (one.chars().count(), other.chars().count());
    (head + tail).min(one.min(other)) as f64 / one.max(other).max(1) as f64
}
