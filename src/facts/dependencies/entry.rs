//! Dependency entries on one side of a hunk.

use crate::domain::patch::{Hunk, LineOrigin};

/// A dependency named on a changed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyEntry {
    pub name: String,
    /// Version or requirement as written; empty where there is none.
    pub version: String,
    /// The project itself requires it, by the file's own words or for lack of contrary evidence.
    pub direct: bool,
    /// Index of its line on this side.
    pub line: usize,
}

/// A line of one side of the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SideLine<'a> {
    pub text: &'a str,
    /// The other side lacks it.
    pub changed: bool,
}

/// The hunk before (`Origin::StoreFile`) or after (`Origin::Added`) the change.
pub fn side_lines(hunk: &Hunk, origin: LineOrigin) -> Vec<SideLine<'_>> {
    let of_side = hunk.lines.iter().filter(|line| line.origin == origin || line.origin == LineOrigin::Context);
    of_side.map(|line| SideLine { text: &line.text, changed: line.origin == origin }).collect()
}

/// Digits of an abbreviated commit hash.
const SHORT: usize = 7;

/// The abbreviated commit at the end of `git+https://…?branch=main#<hash>`, or alone.
pub fn short_commit(source: &str) -> Option<String> {
    let hash = source.trim_matches(['"', '\'', ' ', ',', '}']).rsplit('#').next()?;
    let plain = hash.len() >= 40 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| hash[..SHORT].to_owned())
}

/// Whether the text is a valid package name.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@~".contains(c);
    let letter = text.contains(|c: char| c.is_ascii_alphabetic());
    letter && text.len() <= 214 && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_commit_is_told_by_its_first_digits() {
        let hash = "a1".repeat(20);
        assert_eq!(
            short_commit(&format!("\"git+https://g.example/x?branch=main#{hash}\"")).as_deref(),
            Some("a1a1a1a")
        );
        assert_eq!(short_commit(&format!("{{ git = \"https://g.example/x#{hash}\" }}")).as_deref(), Some("a1a1a1a"));
        assert_eq!(short_commit(&hash).as_deref(), Some("a1a1a1a"));
        assert_eq!(short_commit("registry+https://r.example/index"), None);
    }

    #[test]
    fn names_hold_a_letter_and_no_blanks() {
        assert!(is_name("@vue/shared") && is_name("golang.org/x/net") && is_name("a"));
        assert!(!is_name("a b") && !is_name("123") && !is_name("") && !is_name("key="));
    }
}
