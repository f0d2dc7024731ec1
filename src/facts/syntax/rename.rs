//! One definition under two names: which of those that went is which of those that came.

use super::swaps::Swaps;
use super::tokens::{self, Token};
use crate::facts::language::SymbolKind;

/// At most so many definitions of a file are compared each with each.
pub const CANDIDATES: usize = 64;
/// From this likeness on, two bodies are one (Dice over their words).
const ALIKE: f64 = 0.8;
/// Bodies of fewer words than this are alike by chance: accessors, one-line tests.
const WORDS: usize = 14;
/// Equal bodies need fewer.
const EQUAL_WORDS: usize = 8;
/// Where callers swapped the names, or the definition's own line did, less likeness will do.
const CALLED_ALIKE: f64 = 0.5;
const SWAPPED_ALIKE: f64 = 0.7;

/// Where the type changes as well.
const FAR_ALIKE: f64 = 0.9;
const FAR_WORDS: usize = 30;

/// A definition without a partner.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub bare: String,
    /// What stands before it.
    pub of: String,
    pub kind: SymbolKind,
    /// Sorted, without its name.
    pub words: Vec<Token>,
}

/// Pairs of one that went with one that came, one to one, the likeliest first.
#[must_use]
pub fn pairs(gone: &[Candidate], come: &[Candidate], swaps: &Swaps) -> Vec<(usize, usize)> {
    let mut scored: Vec<(f64, usize, usize)> = Vec::new();
    for (a, was) in gone.iter().enumerate() {
        for (b, is) in come.iter().enumerate() {
            if let Some(score) = score(was, is, swaps) {
                scored.push((score, a, b));
            }
        }
    }
    scored.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (_, a, b) in scored {
        if !pairs.iter().any(|(was, is)| *was == a || *is == b) {
            pairs.push((a, b));
        }
    }
    pairs
}

/// How surely the two are one; absent where they are not.
fn score(was: &Candidate, is: &Candidate, swaps: &Swaps) -> Option<f64> {
    if was.kind != is.kind || was.bare == is.bare {
        return None;
    }
    let likeness = tokens::likeness(&was.words, &is.words);
    let swapped = swaps.count(&was.bare, &is.bare);
    let size = was.words.len().min(is.words.len());
    let alike = (likeness >= ALIKE && size >= WORDS) || (likeness >= 1.0 && size >= EQUAL_WORDS);
    let called = swapped >= 2 && likeness >= CALLED_ALIKE;
    let replaced = swapped == 1 && likeness >= SWAPPED_ALIKE && size >= EQUAL_WORDS;
    // Another name behind another type: members of two types are often alike.
    let far = was.of != is.of && swapped == 0 && (likeness < FAR_ALIKE || size < FAR_WORDS);
    let surety = likeness + f64::from(swapped.min(4)) * 0.1 + resemblance(&was.bare, &is.bare) * 0.05;
    ((alike || called || replaced) && !far).then_some(surety)
}

/// How much of the longer name both share at start and end: between equal bodies it decides.
fn resemblance(one: &str, other: &str) -> f64 {
    let head = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let tail = one.chars().rev().zip(other.chars().rev()).take_while(|(a, b)| a == b).count();
    let (one, other) = (one.chars().count(), other.chars().count());
    (head + tail).min(one.min(other)) as f64 / one.max(other).max(1) as f64
}
