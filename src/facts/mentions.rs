//! Key terms of a patch besides definitions: the names and phrases that identify the change for a reader.

use std::collections::HashSet;

use super::roles::FileRole;
use super::symbols::Symbol;
use crate::domain::patch::FileChange;

pub mod line;
pub mod phrases;
pub mod swap;
mod weigh;
pub mod words;

/// Kind of a mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An identifier, key or flag.
    Name,
    /// A new changelog line.
    Entry,
    /// Title of a new test: `it("redirects once")`.
    Title,
    /// The heading above changed documentation.
    Heading,
    /// Prose: documentation, or a text in the code.
    Prose,
    /// A comment in the code.
    Comment,
    /// A few replaced words: `before` has the old ones, `key` the name of the value.
    Swap,
    /// A replacement in prose.
    Correction,
    /// A changed value that is not shown; `text` names its owner, `before` describes the change.
    Opaque,
}

/// An identifier, heading, key or phrase that the changed lines are about.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    pub kind: Kind,
    /// As written, on one line; a phrase without markup.
    pub text: String,
    /// How characteristic it is; higher first.
    pub weight: f64,
    /// Only on added lines, only on removed ones, or both (`None`). For a phrase: it replaced nothing.
    pub added: Option<bool>,
    /// The file of its first occurrence.
    pub path: String,
    /// The previous text, for a swap.
    pub before: Option<String>,
    /// The key of a swapped value.
    pub key: Option<String>,
    /// Its informative words, stemmed, with their weights.
    pub stems: Vec<(String, f64)>,
}

/// Limits: names in all, and phrases of each kind.
const NAMES: usize = 40;
const PHRASES: usize = 6;

/// Mentions, the most characteristic first.
#[must_use]
pub fn of(files: &[FileChange], symbols: &[Symbol]) -> Vec<Mention> {
    let phrases = phrases::of(files);
    let tally = weigh::Tally::of(files, symbols, &phrases);
    let mut mentions = tally.names();
    mentions.extend(phrases.into_iter().map(|phrase| tally.weighed(phrase)));
    mentions.retain(|mention| {
        mention.weight > 0.0 || matches!(mention.kind, Kind::Swap | Kind::Correction | Kind::Opaque | Kind::Heading)
    });
    mentions.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    few_of_each(mentions)
}

fn few_of_each(mentions: Vec<Mention>) -> Vec<Mention> {
    let mut kept: Vec<Mention> = Vec::new();
    let mut seen = HashSet::new();
    for mention in mentions {
        let limit = if mention.kind == Kind::Name { NAMES } else { PHRASES };
        let same = kept.iter().filter(|known| known.kind == mention.kind).count();
        if same < limit && seen.insert((mention.kind, mention.text.clone())) {
            kept.push(mention);
        }
    }
    kept
}

/// Weight of the words in files of this role.
fn share(role: FileRole) -> f64 {
    match role {
        FileRole::Source => 1.0,
        FileRole::Docs | FileRole::Config | FileRole::Ci | FileRole::Other => 0.7,
        FileRole::Tests => 0.6,
        FileRole::Asset | FileRole::Generated => 0.05,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::file;

    fn told(files: &[FileChange], kind: Kind) -> Vec<(String, Option<bool>)> {
        let all = of(files, &[]);
        all.into_iter().filter(|m| m.kind == kind).map(|m| (m.text, m.added)).collect()
    }

    #[test]
    fn what_only_one_side_names_comes_before_what_both_do() {
        let names =
            told(&[file("a.rs", "@@\n-    let cap = limit(old_cap);\n+    let cap = limit(max_depth);")], Kind::Name);
        assert_eq!(names[0], ("max_depth".to_owned(), Some(true)));
        assert!(names.contains(&("old_cap".to_owned(), Some(false))), "{names:?}");
    }

    #[test]
    fn keywords_are_no_mentions() {
        assert_eq!(told(&[file("a.py", "@@\n+    return self.value")], Kind::Name), []);
    }

    #[test]
    fn a_word_beside_the_change_is_on_both_sides() {
        let names = told(&[file("a.rs", "@@\n use walker;\n+    walker.run_parallel()")], Kind::Name);
        assert!(names.contains(&("walker".to_owned(), None)), "{names:?}");
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        assert_eq!(of(&[], &[]), []);
        assert_eq!(of(&[file("a.rs", "@@\n+\n+}")], &[]), []);
    }
}
