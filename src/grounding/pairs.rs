//! Replacement pairs (old value, new value): from the facts for packages, names, paths and versions, else from two
//! lines that differ in one place.

use std::collections::HashSet;

use crate::domain::patch::{Commit, Hunk, Origin};
use crate::facts::Facts;

/// Longer differences are not treated as values (bytes).
const VALUE: usize = 64;

/// Old values with their new values, in lower case.
#[derive(Debug, Default)]
pub struct Pairs(HashSet<(String, String)>);

impl Pairs {
    pub fn of(commit: &Commit, facts: &Facts) -> Self {
        let mut pairs = Self::default();
        let dependencies = facts.dependencies.iter().map(|change| (change.from.as_deref(), change.to.as_deref()));
        let symbols = facts.symbols.iter().map(|symbol| (symbol.old_name.as_deref(), Some(symbol.name.as_str())));
        let paths = facts.renames.iter().map(|(from, to)| (Some(from.as_str()), Some(to.as_str())));
        let version = facts.version.iter().map(|version| (version.from.as_deref(), Some(version.to.as_str())));
        for (old, new) in dependencies.chain(symbols).chain(paths).chain(version) {
            old.zip(new).into_iter().for_each(|(old, new)| pairs.add(old, new));
        }
        commit.patch.files.iter().flat_map(|file| &file.hunks).for_each(|hunk| pairs.hunk(hunk));
        pairs
    }

    pub fn has(&self, old: &str, new: &str) -> bool {
        self.0.contains(&(bare(old), bare(new)))
    }

    /// Whether the pair occurs only in the reverse direction.
    pub fn has_reverse_only(&self, old: &str, new: &str) -> bool {
        self.has(new, old) && !self.has(old, new)
    }

    fn add(&mut self, old: &str, new: &str) {
        if old != new {
            self.0.insert((bare(old), bare(new)));
        }
    }

    /// Equal numbers of removed and added lines: each removed line pairs with the added one at its position.
    fn hunk(&mut self, hunk: &Hunk) {
        for run in hunk.lines.chunk_by(|a, b| a.origin != Origin::Context && b.origin != Origin::Context) {
            let of = |origin: Origin| run.iter().filter(move |line| line.origin == origin).map(|line| &*line.text);
            if of(Origin::Removed).count() == of(Origin::Added).count() {
                let both = of(Origin::Removed).zip(of(Origin::Added));
                both.filter_map(|(old, new)| difference(old, new)).for_each(|(old, new)| self.add(old, new));
            }
        }
    }
}

/// Lookup form of a value: a version without leading operators.
fn bare(value: &str) -> String {
    let low = value.trim_end_matches("()").to_lowercase();
    let plain = low.trim_start_matches(['=', '~', '^', '>', '<', '!', ' ']);
    let digits = plain.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    digits.unwrap_or(plain).to_owned()
}

/// The single difference between two lines, extended to word boundaries.
fn difference<'a>(old: &'a str, new: &'a str) -> Option<(&'a str, &'a str)> {
    let word = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let start: usize = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (rest_old, rest_new) = (old.get(start..)?, new.get(start..)?);
    let back = rest_old.chars().rev().zip(rest_new.chars().rev()).take_while(|(a, b)| a == b);
    let end: usize = back.map(|(a, _)| a.len_utf8()).sum();
    let before: usize = old.get(..start)?.chars().rev().take_while(word).map(char::len_utf8).sum();
    let after: usize = old.get(old.len().checked_sub(end)?..)?.chars().take_while(word).map(char::len_utf8).sum();
    let cut = |line: &'a str| line.get(start.checked_sub(before)?..line.len().checked_sub(end)?.checked_add(after)?);
    let value = |text: &&str| !text.is_empty() && text.len() <= VALUE && text.chars().all(|c| word(&c));
    Some((cut(old).filter(value)?, cut(new).filter(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_in_one_value_say_what_became_what() {
        for (old, new, found) in [
            ("tokio = \"~1.38\", x", "tokio = \"~1.43\", x", Some(("1.38", "1.43"))),
            ("let most = 30;", "let most = 60;", Some(("30", "60"))),
            ("'2.0.0rc3'", "'2.0.0'", Some(("2.0.0rc3", "2.0.0"))),
            ("one two three", "one three", None),
            ("call(a b, c)", "call(x y, c)", None),
            ("é1", "è1", Some(("é1", "è1"))),
            ("same", "same", Some(("same", "same"))),
            ("", "x", None),
        ] {
            assert_eq!(difference(old, new), found, "{old} | {new}");
        }
    }
}
