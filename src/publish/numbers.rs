//! Exact counts: of commits, notes, authors, and of lines where every one of them was counted.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::theme::{self, Theme};
use crate::domain::capture::{Capture, CommitRef, Kind};
use crate::fallback::phrase::{self, number};

/// Counts of a set of captures. Lines and files of merges are left out: they were counted in the merged commits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    pub commits: u64,
    pub merges: u64,
    pub notes: u64,
    pub authors: u64,
    /// A file changed by two commits counts twice.
    pub file_changes: u64,
    pub insertions: u64,
    pub deletions: u64,
    /// Commits that cannot be counted, because not all of their lines were read.
    pub uncounted: u64,
    pub by_theme: BTreeMap<Theme, u64>,
}

impl Numbers {
    #[must_use]
    pub fn of<'a>(captures: impl IntoIterator<Item = &'a Capture>) -> Self {
        let mut numbers = Self::default();
        let mut authors = BTreeSet::new();
        for capture in captures {
            match (capture.kind, &capture.commit) {
                (Kind::Merge, _) => numbers.merges += 1,
                (Kind::Commit, Some(commit)) => numbers.add(commit),
                (Kind::Commit, None) => numbers.commits += 1,
                (Kind::Note, _) => numbers.notes += 1,
            }
            authors.extend(capture.commit.iter().map(|commit| commit.author.as_str()));
        }
        numbers.authors = authors.len() as u64;
        numbers
    }

    fn add(&mut self, commit: &CommitRef) {
        self.commits += 1;
        self.file_changes += commit.files;
        match (commit.insertions, commit.deletions) {
            (Some(insertions), Some(deletions)) => {
                self.insertions += insertions;
                self.deletions += deletions;
            }
            _ => self.uncounted += 1,
        }
        *self.by_theme.entry(theme::read(&commit.subject).theme).or_default() += 1;
    }

    /// "38 commits, 2 merges and 1 note"; absent when there is nothing.
    #[must_use]
    pub fn what(&self) -> Option<String> {
        let parts =
            [(self.commits, "commit", "commits"), (self.merges, "merge", "merges"), (self.notes, "note", "notes")];
        join(parts.into_iter().filter(|(n, _, _)| *n > 0).map(|(n, one, many)| count(n, one, many)))
    }

    /// "+1,204 −310 lines in 96 file changes", as far as they were counted; absent when none were.
    #[must_use]
    pub fn size(&self) -> Option<String> {
        if self.commits == self.uncounted {
            return None;
        }
        let (plus, minus) = (number(self.insertions), number(self.deletions));
        let size = format!("+{plus} −{minus} lines");
        Some(if self.uncounted == 0 {
            format!("{size} in {}", count(self.file_changes, "file change", "file changes"))
        } else {
            let counted = count(self.commits - self.uncounted, "commit", "commits");
            format!("{size} in the {counted} whose lines were counted")
        })
    }

    /// "12 fixes, 5 additions": the types that the authors gave their commits, most frequent first; absent without any,
    /// and for a single commit, which needs no count.
    #[must_use]
    pub fn themes(&self) -> Option<String> {
        if self.commits < 2 {
            return None;
        }
        let mut themes: Vec<_> = self.by_theme.iter().filter_map(|(theme, n)| Some((*n, theme.nouns()?))).collect();
        themes.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
        join(themes.into_iter().map(|(n, (one, many))| count(n, one, many)))
    }
}

/// "1 fix", "1,204 fixes".
#[must_use]
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// "a", "a and b", "a, b and c"; absent when empty.
fn join(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| phrase::list(&parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::sample::{capture, note};

    fn commit(subject: &str) -> Capture {
        capture("uro", "2026-03-03T09:00:00Z", subject)
    }

    #[test]
    fn everything_is_counted_once_and_merges_bring_no_lines() {
        let merge = Capture { kind: Kind::Merge, ..commit("Merge branch 'x'") };
        let captures =
            [commit("fix: a"), commit("fix: b"), commit("wip"), merge, note("uro", "2026-03-03T10:00:00Z", "n")];
        let numbers = Numbers::of(&captures);
        assert_eq!(numbers.what().unwrap(), "3 commits, 1 merge and 1 note");
        assert_eq!(numbers.size().unwrap(), "+30 −12 lines in 6 file changes");
        assert_eq!(numbers.themes().unwrap(), "2 fixes");
        assert_eq!(numbers.authors, 1);
    }

    #[test]
    fn a_sum_says_of_how_many_commits_it_is() {
        let mut huge = commit("import");
        huge.commit.as_mut().unwrap().insertions = None;
        let numbers = Numbers::of(&[commit("fix: a"), huge.clone()]);
        assert_eq!(numbers.size().unwrap(), "+10 −4 lines in the 1 commit whose lines were counted");
        assert_eq!(Numbers::of(&[huge]).size(), None);
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        let numbers = Numbers::of(&[]);
        assert_eq!((numbers.what(), numbers.size(), numbers.themes()), (None, None, None));
    }

    #[test]
    fn one_commit_speaks_for_itself() {
        assert_eq!(Numbers::of(&[commit("feat: a")]).themes(), None);
    }

    #[test]
    fn the_most_frequent_theme_comes_first() {
        let captures = [commit("feat: a"), commit("fix: b"), commit("fix: c"), commit("docs: d")];
        assert_eq!(Numbers::of(&captures).themes().unwrap(), "2 fixes, 1 addition and 1 documentation change");
    }
}
