//! How much of the prompt a file deserves: source before tests before docs before settings.

use crate::domain::patch::{FileChange, Unread};

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

const LOCKS: [&str; 14] = [
    "cargo.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lockb",
    "bun.lock",
    "poetry.lock",
    "uv.lock",
    "pipfile.lock",
    "gemfile.lock",
    "composer.lock",
    "go.sum",
    "flake.lock",
];
const DOCS: [&str; 7] = ["md", "rst", "txt", "adoc", "tex", "org", "markdown"];
const SETTINGS: [&str; 12] =
    ["toml", "yaml", "yml", "json", "ini", "cfg", "conf", "xml", "properties", "env", "lock", "csv"];
const GENERATED_ENDS: [&str; 9] =
    [".min.js", ".min.css", ".map", ".snap", ".pb.go", "_pb2.py", ".pb.rs", ".g.dart", ".generated.ts"];
const GENERATED_DIRS: [&str; 7] =
    ["dist/", "node_modules/", "vendor/", "third_party/", "__snapshots__/", "generated/", "target/"];
/// A line this long was not written by a person.
const MINIFIED: usize = 2000;

/// What a file is, by its path and by what could be read of it.
pub(super) fn weight(file: &FileChange) -> Weight {
    if let Some(unread) = file.unread {
        return Weight::Named(unread_words(unread));
    }
    let path = file.path.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    if LOCKS.contains(&name) {
        return Weight::Named("lock file");
    }
    if is_generated(&path, name) || lines(file).any(|text| text.contains("@generated")) {
        return Weight::Named("generated");
    }
    if lines(file).any(|text| text.len() > MINIFIED) {
        return Weight::Named("minified");
    }
    by_name(&path, name)
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

fn is_generated(path: &str, name: &str) -> bool {
    GENERATED_ENDS.iter().any(|end| name.ends_with(end))
        || GENERATED_DIRS.iter().any(|dir| path.starts_with(dir) || path.contains(&format!("/{dir}")))
}

fn by_name(path: &str, name: &str) -> Weight {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let tests =
        path.split('/').any(|part| matches!(part, "test" | "tests" | "spec" | "specs" | "__tests__" | "testdata"));
    let stem = name.split('.').next().unwrap_or(name);
    if tests
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.starts_with("test_")
        || name.contains(".test.")
        || name.contains(".spec.")
    {
        Weight::Tests
    } else if DOCS.contains(&extension) || path.starts_with("docs/") || path.starts_with("doc/") {
        Weight::Docs
    } else if SETTINGS.contains(&extension) || name.starts_with('.') || path.starts_with(".github/") {
        Weight::Settings
    } else {
        Weight::Source
    }
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
        })
    }

    #[test]
    fn paths_tell_what_a_file_is() {
        for (path, expected) in [
            ("src/main.rs", Weight::Source),
            ("Makefile", Weight::Source),
            ("src/foo_test.go", Weight::Tests),
            ("tests/it/main.rs", Weight::Tests),
            ("web/app.test.ts", Weight::Tests),
            ("README.md", Weight::Docs),
            ("docs/index.html", Weight::Docs),
            ("Cargo.toml", Weight::Settings),
            (".github/workflows/ci.yml", Weight::Settings),
            ("Cargo.lock", Weight::Named("lock file")),
            ("web/yarn.lock", Weight::Named("lock file")),
            ("dist/app.js", Weight::Named("generated")),
            ("a/vendor/x.go", Weight::Named("generated")),
            ("app.min.js", Weight::Named("generated")),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
    }
}
