//! How much of the prompt a file deserves: source before tests before docs before settings.

use crate::domain::patch::{FileChange, Unread};
use crate::facts;
use crate::facts::roles::FileRole;

/// In the order in which files get their share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Source,
    Tests,
    Docs,
    Settings,
    /// One line in the list of files, never its hunks: the words say what it is.
    Named(&'static str),
}

/// A line this long was not written by a person.
const MINIFIED: usize = 2000;

/// What a file is, by its path and by what could be read of it.
pub(super) fn weight(file: &FileChange) -> Weight {
    if let Some(unread) = file.unread {
        return Weight::Named(unread_words(unread));
    }
    if lines(file).any(|text| text.contains("@generated")) {
        return Weight::Named("generated");
    }
    if lines(file).any(|text| text.len() > MINIFIED) {
        return Weight::Named("minified");
    }
    by_role(facts::role_of(file))
}

fn by_role(role: FileRole) -> Weight {
    match role {
        FileRole::Source | FileRole::Other => Weight::Source,
        FileRole::Tests => Weight::Tests,
        FileRole::Docs => Weight::Docs,
        FileRole::Config | FileRole::Ci => Weight::Settings,
        FileRole::Asset => Weight::Named("asset"),
        FileRole::Generated => Weight::Named("written by a tool"),
    }
}

fn unread_words(unread: Unread) -> &'static str {
    match unread {
        Unread::Binary => "binary",
        Unread::TooLarge => "too large to show",
        Unread::BudgetSpent => "not read",
        Unread::Submodule => "submodule",
        Unread::Symlink => "symbolic link",
        Unread::Excluded => "excluded",
        Unread::Missing => "not available",
    }
}

fn lines(file: &FileChange) -> impl Iterator<Item = &str> {
    file.hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| line.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::patch::Change;

    fn of(path: &str) -> Weight {
        weight(&FileChange {
            path: path.into(),
            old_path: None,
            change: Change::Modified,
            mode_changed: false,
            insertions: None,
            deletions: None,
            hunks: vec![],
            unread: None,
            texts: None,
        })
    }

    #[test]
    fn paths_tell_what_a_file_is() {
        for (path, expected) in [
            ("src/main.rs", Weight::Source),
            ("Makefile", Weight::Settings),
            ("src/foo_test.go", Weight::Tests),
            ("tests/it/main.rs", Weight::Tests),
            ("web/app.test.ts", Weight::Tests),
            ("README.md", Weight::Docs),
            ("docs/index.html", Weight::Docs),
            ("Cargo.toml", Weight::Settings),
            (".github/workflows/ci.yml", Weight::Settings),
            ("Cargo.lock", Weight::Named("written by a tool")),
            ("web/yarn.lock", Weight::Named("written by a tool")),
            ("dist/app.js", Weight::Named("written by a tool")),
            ("a/vendor/x.go", Weight::Named("written by a tool")),
            ("img/logo.svg", Weight::Named("asset")),
            ("app.min.js", Weight::Named("written by a tool")),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
    }
}
