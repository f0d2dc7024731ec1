//! Replaced identifiers on changed lines, as evidence of a rename at its call sites.

use std::collections::HashMap;

use crate::domain::patch::{FileChange, Line, Origin};

/// Number of lines on which one word replaced another while the rest stayed.
#[derive(Debug, Default)]
pub struct Swaps {
    counts: HashMap<(String, String), u32>,
}

/// Longer runs of changed lines are rewrites.
const RUN: usize = 200;

impl Swaps {
    #[must_use]
    pub fn of(files: &[FileChange]) -> Self {
        let mut swaps = Self::default();
        for hunk in files.iter().flat_map(|file| &file.hunks) {
            for run in hunk.lines.split(|line| line.origin == Origin::Context) {
                swaps.run(run);
            }
        }
        swaps
    }

    /// Number of lines where `new` replaced `old`.
    #[must_use]
    pub fn count(&self, old: &str, new: &str) -> u32 {
        self.counts.get(&(old.to_owned(), new.to_owned())).copied().unwrap_or(0)
    }

    fn run(&mut self, run: &[Line]) {
        let of = |origin| run.iter().filter(move |line| line.origin == origin).map(|line| line.text.trim());
        let (removed, added): (Vec<_>, Vec<_>) = (of(Origin::Removed).collect(), of(Origin::Added).collect());
        if removed.len() != added.len() || removed.len() > RUN {
            return;
        }
        for (old, new) in removed.into_iter().zip(added) {
            if let Some(swap) = swap(old, new) {
                *self.counts.entry(swap).or_default() += 1;
            }
        }
    }
}

/// The single differing word, however often it occurs on the line.
fn swap(old: &str, new: &str) -> Option<(String, String)> {
    let (old, new): (Vec<&str>, Vec<&str>) = (pieces(old).collect(), pieces(new).collect());
    if old.len() != new.len() {
        return None;
    }
    let mut apart = old.into_iter().zip(new).filter(|(a, b)| a != b);
    let first = apart.next()?;
    let is_word = |text: &str| text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    (apart.all(|other| other == first) && is_word(first.0) && is_word(first.1))
        .then(|| (first.0.to_owned(), first.1.to_owned()))
}

/// Words, and the text between them.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let mut rest = line;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c: char| is_part(c) != is_part(first)).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(end);
        rest = tail;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::file;

    #[test]
    fn a_word_in_anothers_place_counts_once_a_line() {
        let swaps =
            Swaps::of(&[file("a.py", "@@\n-x = load(load(1))\n-y = load(2)\n+x = read(read(1))\n+y = read(2)")]);
        assert_eq!((swaps.count("load", "read"), swaps.count("read", "load")), (2, 0));
    }

    #[test]
    fn lines_that_differ_in_more_than_one_word_say_nothing() {
        let swaps = Swaps::of(&[file("a.py", "@@\n-x = load(1)\n+x = read(2)\n y\n-z = load(1)\n+w\n+z = read(1)")]);
        assert_eq!(swaps.count("load", "read"), 0);
    }
}
