//! Detects a change of the project's own version.

use std::sync::LazyLock;

use regex::Regex;

use super::roles::{self, FileRole};
use crate::domain::patch::{Commit, FileChange, LineOrigin, PatchLine};
use crate::text::version::is_dotted_version;

/// The project's version, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectVersion {
    /// Previous version; `None` if only the new one is shown.
    pub from: Option<String>,
    pub to: String,
    /// The author's message calls it a release, or names this version.
    pub released: bool,
}

const NUMBER: &str = r"v?\d+\.\d+(?:\.\d+)*(?:[-.+]?[A-Za-z][0-9A-Za-z.]*)*";

/// `version = "1.2.3"`, `"version": "1.2.3"`, `__version__ = '1.2.3'`, `const Version = "v1.2.3"`.
static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(
        r#"^\s*(?:"version"\s*:|(?:(?:export )?const |static |public static final String |var |let )?_{{0,2}}(?i:version)_{{0,2}}(?:\s*:\s*&(?:'static )?str)?\s*:?=|version=)\s*["']?(?P<version>{NUMBER})["']?[\s,;)]*$"#
    ))
    .ok()
});

/// `## 1.2.3 - 2026-01-01`, `[1.2.3]`, `Version 1.2.3`, `1.2.3 (2026-01-01)`.
static HEADING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(
        r"^(?:#{{1,4}} +|=+ +)?\[?(?i:version |release )?(?P<version>{NUMBER})\]?(?:\([^)]*\))?(?: *[-–—/(:] *.{{0,40}})?$"
    ))
    .ok()
});

/// A subject that is a tag: `v1.2.3`, `Release 1.2.3`, `chore(release): 1.2.3`, `name 1.2.3`.
static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?i)^(?:(?:chore|release|build)(?:\([\w/-]+\))?: *)?(?:(?:release|version|tag|cut|publish|prepare|bump(?: version)? to)[ :]+)?(?:version )?(?P<version>{NUMBER})(?: release)?(?: \(#\d+\))?[.!]?$"
    ))
    .ok()
});

fn capture<'a>(pattern: &'static LazyLock<Option<Regex>>, text: &'a str) -> Option<&'a str> {
    Some(pattern.as_ref()?.captures(text)?.name("version")?.as_str())
}

/// The project's version from a changed line in a manifest, a version file or a changelog, or from a subject that is a
/// tag.
#[must_use]
pub fn find_version_change(commit: &Commit) -> Option<ProjectVersion> {
    let subject = commit.subject();
    let is_own = |path: &str| FileRole::from_path(path) != FileRole::Tests && !roles::is_vendored(path);
    let files = || commit.patch.files.iter().filter(|file| file.hunks.len() <= HUNKS && is_own(&file.path));
    let shown = files().find_map(by_line).or_else(|| files().find_map(by_heading));
    let tag = capture(&TAG, subject);
    let is_other = |word: &str| is_dotted_version(word.trim_end_matches([',', ')', ':', ';']));
    match (shown, tag) {
        (Some((from, to)), _) => {
            let released =
                names_version(subject, &to) || (calls_release(subject) && !subject.split_whitespace().any(is_other));
            Some(ProjectVersion { from, to, released })
        }
        (None, Some(tag)) => Some(ProjectVersion { from: None, to: tag.to_owned(), released: true }),
        (None, None) => None,
    }
    .filter(|version| version.released || version.from.is_some())
}

/// A version is near the top of its file; files with more hunks are skipped.
const HUNKS: usize = 64;

fn name(file: &FileChange) -> String {
    file.path.rsplit('/').next().unwrap_or("").to_ascii_lowercase()
}

fn by_line(file: &FileChange) -> Option<(Option<String>, String)> {
    let mut heads = file.hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| line.text.trim());
    // The line is below `[dependencies.name]`.
    let of_dependency = heads.any(|line| line.starts_with('[') && line.contains("dependencies."));
    if !(roles::is_manifest(&file.path) || is_about_version(&name(file))) || of_dependency {
        return None;
    }
    let of = |origin| lines(file, origin).find_map(|line| capture(&LINE, line)).map(str::to_owned);
    let (from, to) = (of(LineOrigin::Removed), of(LineOrigin::Added)?);
    (from.as_ref() != Some(&to)).then_some((from, to))
}

/// A new changelog heading.
fn by_heading(file: &FileChange) -> Option<(Option<String>, String)> {
    let name = name(file);
    let changelog = ["changelog", "changes", "history", "news", "releases"].iter().any(|stem| name.starts_with(stem));
    let docs = changelog && FileRole::from_path(&file.path) == FileRole::Docs;
    let heading =
        || lines(file, LineOrigin::Added).find_map(|line| capture(&HEADING, line.trim_end())).map(str::to_owned);
    docs.then(heading)?.map(|to| (None, to))
}

fn is_about_version(name: &str) -> bool {
    matches!(name, "__version__.py" | "__init__.py" | "_version.py" | "gradle.properties" | "lerna.json")
        || name.split('.').next().is_some_and(|stem| stem == "version")
}

fn lines(file: &FileChange, origin: LineOrigin) -> impl Iterator<Item = &str> {
    let of = move |line: &&PatchLine| line.origin == origin;
    file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(of).map(|line| line.text.as_str())
}

/// Whether the text names the version, with or without its `v`.
fn names_version(subject: &str, version: &str) -> bool {
    let bare = version.trim_start_matches('v');
    subject.split(|c: char| c.is_whitespace() || "(),:;[]`\"'".contains(c)).any(|word| {
        let word = word.trim_end_matches(['.', '!']).rsplit('@').next().unwrap_or(word);
        word == version || word.trim_start_matches('v') == bare
    })
}

fn calls_release(subject: &str) -> bool {
    let lower = subject.to_lowercase();
    let words = || lower.split(|c: char| !c.is_alphanumeric());
    let bump = words().any(|word| matches!(word, "bump" | "bumps" | "bumped" | "up" | "increment" | "set"));
    words().any(|word| matches!(word, "release" | "releasing" | "releases"))
        || (bump && words().any(|w| w == "version"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::{commit, counted, file};

    fn version_change(subject: &str, path: &str, patch: &str) -> Option<(Option<String>, String, bool)> {
        find_version_change(&commit(subject, vec![file(path, patch)]))
            .map(|version| (version.from, version.to, version.released))
    }

    fn change(from: &str, to: &str, released: bool) -> Option<(Option<String>, String, bool)> {
        Some((Some(from.to_owned()), to.to_owned(), released))
    }

    #[test]
    fn version_lines_are_read_in_the_ways_of_their_files() {
        for (path, patch) in [
            ("Cargo.toml", "@@\n [package]\n-version = \"1.2.2\"\n+version = \"1.2.3\""),
            ("package.json", "@@\n-  \"version\": \"1.2.2\",\n+  \"version\": \"1.2.3\","),
            ("src/x/__init__.py", "@@\n-__version__ = '1.2.2'\n+__version__ = '1.2.3'"),
            ("version.go", "@@\n-const Version = \"1.2.2\"\n+const Version = \"1.2.3\""),
            ("setup.cfg", "@@\n-version = 1.2.2\n+version = 1.2.3"),
        ] {
            assert_eq!(version_change("Release 1.2.3", path, patch), change("1.2.2", "1.2.3", true), "{path}");
            assert_eq!(version_change("Add things", path, patch), change("1.2.2", "1.2.3", false), "{path}");
        }
    }

    #[test]
    fn a_release_is_called_so_by_its_author() {
        let patch = "@@\n-version = \"1.2.2\"\n+version = \"1.2.3\"";
        for (subject, released) in [
            ("v1.2.3", true),
            ("Bump version to 1.2.3", true),
            ("Bump version", true),
            ("chore(release): publish", true),
            ("Fix crash since release 1.1.0", false),
            ("Fix the parser", false),
        ] {
            assert_eq!(version_change(subject, "Cargo.toml", patch), change("1.2.2", "1.2.3", released), "{subject}");
        }
    }

    #[test]
    fn changelogs_and_tags_tell_a_version_too() {
        let heading = "@@\n+## [1.2.3] - 2026-01-01\n+- Fixed";
        assert_eq!(version_change("Prepare 1.2.3", "CHANGELOG.md", heading), Some((None, "1.2.3".to_owned(), true)));
        assert_eq!(version_change("Note the fix", "CHANGELOG.md", heading), None);
        let tag =
            |subject: &str| find_version_change(&commit(subject, vec![counted("a", 1, 1)])).map(|version| version.to);
        assert_eq!(tag("release: v3.4.0").as_deref(), Some("v3.4.0"));
        assert_eq!(tag("1.2.3").as_deref(), Some("1.2.3"));
        assert_eq!(tag("Support Python 3.12"), None);
        assert_eq!(tag("Use 1.2.3 of it"), None);
    }

    #[test]
    fn a_dependencys_version_is_not_the_projects() {
        let patch = "@@\n [dependencies.x]\n-version = \"1.2.2\"\n+version = \"1.2.3\"";
        assert_eq!(version_change("Update x to 1.2.3", "Cargo.toml", patch), None);
        assert_eq!(
            version_change("Release 1.2.3", "tests/Cargo.toml", "@@\n-version = \"1.2.2\"\n+version = \"1.2.3\""),
            Some((None, "1.2.3".to_owned(), true))
        );
    }
}
