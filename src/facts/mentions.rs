//! What the changed lines name besides definitions: the words by which a reader would know the change again.

use std::collections::HashSet;

use super::roles::FileRole;
use super::symbols::Symbol;
use crate::domain::patch::FileChange;

pub mod line;
pub mod phrases;
pub mod swap;
mod weigh;
pub mod words;

/// What a mention is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An identifier, key or flag.
    Name,
    /// A line that a changelog gained.
    Entry,
    /// What a new test says of itself in words: `it("redirects once")`.
    Title,
    /// The heading under which documentation changed.
    Heading,
    /// Words for people: documentation, a text in the code.
    Prose,
    /// A comment in the code.
    Comment,
    /// A few words that took the place of a few others; `before` has those, `key` what has them as its value.
    Swap,
    /// The same in words for people.
    Correction,
    /// A value that is not told changed; `text` is what has it, `before` says what became of it.
    Opaque,
}

/// An identifier, heading, key or phrase that the changed lines are about.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    pub kind: Kind,
    /// As written, on one line; a phrase without the marks of its markup.
    pub text: String,
    /// How characteristic it is; higher first.
    pub weight: f64,
    /// Only added lines name it, only removed ones, or both (`None`). Of a phrase: nothing was replaced by it.
    pub added: Option<bool>,
    /// The file where it is first named.
    pub path: String,
    /// What stood there before, for a swap.
    pub before: Option<String>,
    /// The name whose value was swapped.
    pub key: Option<String>,
    /// Its telling words, stemmed, and what each weighs.
    pub stems: Vec<(String, f64)>,
}

/// Names that are kept, and phrases of each kind.
const NAMES: usize = 40;
const PHRASES: usize = 6;

/// Most characteristic first.
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

/// How much the words of files with this role count.
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
