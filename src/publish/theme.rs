//! Classifies a commit by its subject: Conventional Commits type or first words; nothing is inferred from the patch.

use crate::text::conventional::ConventionalSubject;
use crate::text::version::{is_dotted_version, is_version};

/// Kinds of change, in the order of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Theme {
    Release,
    Security,
    Added,
    Fixed,
    Performance,
    Removed,
    /// The author's words name no other kind.
    Changed,
    Refactoring,
    Documentation,
    Tests,
    Upgrades,
    Upkeep,
    Reverted,
    Merges,
}

impl Theme {
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Release => "Releases",
            Self::Security => "Security",
            Self::Added => "Added",
            Self::Fixed => "Fixed",
            Self::Performance => "Performance",
            Self::Removed => "Removed",
            Self::Changed => "Changed",
            Self::Refactoring => "Refactoring",
            Self::Documentation => "Documentation",
            Self::Tests => "Tests",
            Self::Upgrades => "Upgrades",
            Self::Upkeep => "Build and upkeep",
            Self::Reverted => "Reverted",
            Self::Merges => "Merges",
        }
    }

    /// Singular and plural for counting; absent where the count would say nothing.
    #[must_use]
    pub fn nouns(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Release => Some(("release", "releases")),
            Self::Security => Some(("security change", "security changes")),
            Self::Added => Some(("addition", "additions")),
            Self::Fixed => Some(("fix", "fixes")),
            Self::Performance => Some(("performance change", "performance changes")),
            Self::Removed => Some(("removal", "removals")),
            Self::Refactoring => Some(("refactoring", "refactorings")),
            Self::Documentation => Some(("documentation change", "documentation changes")),
            Self::Tests => Some(("test change", "test changes")),
            Self::Upgrades => Some(("upgrade", "upgrades")),
            Self::Upkeep => Some(("build or upkeep change", "build and upkeep changes")),
            Self::Reverted => Some(("revert", "reverts")),
            Self::Changed | Self::Merges => None,
        }
    }
}

/// A subject's prefix, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectPrefix<'a> {
    pub theme: Theme,
    /// `fix(parser):` → parser; `net/http:` → net/http.
    pub area: Option<&'a str>,
    /// The prefix as written, with the space after it; empty where there is none.
    pub prefix: &'a str,
    /// The theme is the author's own prefix, not inferred from the first words.
    pub typed: bool,
    /// Marked as breaking by its author (`feat!:`).
    pub breaking: bool,
}

/// Parses a commit's subject.
#[must_use]
pub fn parse_subject(subject: &str) -> SubjectPrefix<'_> {
    let subject = subject.trim();
    let parsed = ConventionalSubject::parse(subject).filter(|_| subject.contains(": "));
    if let Some((typed, theme)) = parsed.and_then(|parsed| Some((parsed, by_type(parsed.kind)?))) {
        // A version after it is an entry in that file, no documentation of its own.
        let area = typed.scope.or_else(|| typed.kind.eq_ignore_ascii_case("changelog").then_some(typed.kind));
        return SubjectPrefix {
            theme: by_scope(theme, typed.scope, typed.description),
            area,
            prefix: &subject[..subject.len() - typed.description.len()],
            typed: true,
            breaking: typed.breaking,
        };
    }
    let (area, rest) = match subject.split_once(": ").filter(|(head, _)| is_area(head)) {
        Some((head, rest)) => (Some(head), rest),
        None => (None, subject),
    };
    let prefix = &subject[..subject.len() - rest.len()];
    SubjectPrefix { theme: by_first_words(rest), area, prefix, typed: false, breaking: false }
}

/// The types of Conventional Commits and of the Angular convention, with common variants.
fn by_type(word: &str) -> Option<Theme> {
    Some(match word.to_ascii_lowercase().as_str() {
        "feat" | "feature" => Theme::Added,
        "fix" | "bugfix" | "hotfix" => Theme::Fixed,
        "perf" => Theme::Performance,
        "refactor" => Theme::Refactoring,
        "docs" | "doc" | "changelog" => Theme::Documentation,
        "test" | "tests" => Theme::Tests,
        "build" | "ci" | "chore" | "style" => Theme::Upkeep,
        "deps" => Theme::Upgrades,
        "revert" => Theme::Reverted,
        "security" | "sec" => Theme::Security,
        _ => return None,
    })
}

fn by_scope(theme: Theme, scope: Option<&str>, rest: &str) -> Theme {
    match scope {
        Some("deps" | "deps-dev" | "dependencies") => Theme::Upgrades,
        Some("release") => Theme::Release,
        _ if theme == Theme::Upkeep => match by_first_words(rest) {
            found @ (Theme::Release | Theme::Upgrades) => found,
            _ => theme,
        },
        _ => theme,
    }
}

/// A word or path before the colon, as in `net/http: …`, not a clause.
fn is_area(head: &str) -> bool {
    let ok = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '*' | '+' | '@' | ',' | ' ');
    head.len() <= 40 && !head.is_empty() && head.chars().all(ok) && head.split(", ").all(|part| !part.contains(' '))
}

fn by_first_words(text: &str) -> Theme {
    let words: Vec<String> = text.split_whitespace().take(12).map(bare).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((first, rest)) = words.split_first() else { return Theme::Changed };
    match *first {
        "merge" if matches!(rest.first(), Some(&("branch" | "pull" | "tag" | "remote-tracking"))) => Theme::Merges,
        "revert" | "reverts" => Theme::Reverted,
        "release" if rest.first().is_some_and(|word| is_version(word)) => Theme::Release,
        "bump" if rest.first() == Some(&"version") => Theme::Release,
        "bump" | "upgrade" | "update" if ends_in_version(first, rest) => Theme::Upgrades,
        "fix" | "fixes" | "fixed" => Theme::Fixed,
        "document" | "documents" | "readme" | "changelog" => Theme::Documentation,
        "test" | "tests" => Theme::Tests,
        "refactor" | "refactors" => Theme::Refactoring,
        "add" | "adds" | "added" => object(rest).unwrap_or(Theme::Added),
        "implement" | "implements" | "introduce" | "introduces" => Theme::Added,
        "remove" | "removes" | "removed" | "delete" | "deletes" | "drop" | "drops" => {
            object(rest).unwrap_or(Theme::Removed)
        }
        "update" | "improve" | "clarify" => object(rest).unwrap_or(Theme::Changed),
        word if rest.is_empty() && names_version(word) => Theme::Release,
        _ => Theme::Changed,
    }
}

/// The object that is added or removed, when it is a test or documentation.
fn object(rest: &[&str]) -> Option<Theme> {
    const FILLERS: [&str; 12] = [
        "a", "an", "the", "more", "some", "missing", "new", "failing", "unit", "regression", "integration", "snapshot",
    ];
    let noun = rest.iter().find(|word| !FILLERS.contains(*word))?;
    match *noun {
        "test" | "tests" | "testcase" | "testcases" => Some(Theme::Tests),
        "docs" | "documentation" | "readme" | "readme.md" | "changelog" | "changelog.md" => Some(Theme::Documentation),
        _ => None,
    }
}

/// "… from 1.2 to 1.3", "… to v2"; an update needs more than a number, or every "update x to 3" would be one.
fn ends_in_version(verb: &str, rest: &[&str]) -> bool {
    let versions = rest.iter().zip(rest.iter().skip(1)).filter(|(to, _)| **to == "to").map(|(_, version)| *version);
    versions
        .into_iter()
        .any(|version| is_version(version) && (verb != "update" || version.contains('.') || version.starts_with('v')))
}

/// "1.2.3", "v1.2.3", "name-1.2.3".
fn names_version(word: &str) -> bool {
    is_dotted_version(word.rsplit_once('-').map_or(word, |(_, version)| version))
}

/// Lowercase, without the punctuation around it.
fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authors_prefix_decides() {
        for (subject, theme, area, prefix) in [
            ("feat: add log", Theme::Added, None, "feat: "),
            ("fix(parser): crash", Theme::Fixed, Some("parser"), "fix(parser): "),
            ("Fix: crash", Theme::Fixed, None, "Fix: "),
            ("perf(store)!: one pass", Theme::Performance, Some("store"), "perf(store)!: "),
            ("chore(deps): bump serde from 1.0.1 to 1.0.2", Theme::Upgrades, Some("deps"), "chore(deps): "),
            ("chore: release 1.2.0", Theme::Release, None, "chore: "),
            ("chore(release): 1.2.0", Theme::Release, Some("release"), "chore(release): "),
            ("build: use lld", Theme::Upkeep, None, "build: "),
            ("net/http: fix a leak", Theme::Fixed, Some("net/http"), "net/http: "),
            ("net/http, crypto/tls: retry", Theme::Changed, Some("net/http, crypto/tls"), "net/http, crypto/tls: "),
            ("release: 15.0.0", Theme::Release, Some("release"), "release: "),
            ("release: drop a platform", Theme::Removed, Some("release"), "release: "),
            ("changelog: 15.0.0", Theme::Documentation, Some("changelog"), "changelog: "),
            ("Say what happened: it broke", Theme::Changed, None, ""),
            ("fix(): crash", Theme::Fixed, None, "fix(): "),
        ] {
            let read = parse_subject(subject);
            assert_eq!((read.theme, read.area, read.prefix), (theme, area, prefix), "{subject}");
        }
    }

    #[test]
    fn without_a_prefix_the_first_words_decide_and_only_when_they_are_plain() {
        for (subject, theme) in [
            ("Fix human-readable size rounding (#21136)", Theme::Fixed),
            ("Fixture configuration for benchmarks", Theme::Changed),
            ("Add `--json` to log", Theme::Added),
            ("Add regression test for #21255", Theme::Tests),
            ("Add a missing test", Theme::Tests),
            ("Address review comments", Theme::Changed),
            ("Remove contributor configuration", Theme::Removed),
            ("Bump serde from 1.0.1 to 1.0.2", Theme::Upgrades),
            ("Upgrade Hawk to 0.1.13 (#21266)", Theme::Upgrades),
            ("Update Rust to 1.98 and MSRV to 1.96", Theme::Upgrades),
            ("Update owner/setup action to v10 (#21161)", Theme::Upgrades),
            ("Update the timeout to 30", Theme::Changed),
            ("Update README", Theme::Documentation),
            ("Document manual maintenance", Theme::Documentation),
            ("Bump version to 0.4", Theme::Release),
            ("v1.2.3", Theme::Release),
            ("globset-0.4.17", Theme::Release),
            ("read-only.mode", Theme::Changed),
            ("Release 15.1.0", Theme::Release),
            ("15", Theme::Changed),
            ("Revert \"Add x\"", Theme::Reverted),
            ("Merge branch 'x' into main", Theme::Merges),
            ("Merge two loops", Theme::Changed),
            ("wip", Theme::Changed),
            ("", Theme::Changed),
        ] {
            assert_eq!(parse_subject(subject).theme, theme, "{subject:?}");
        }
    }

    #[test]
    fn an_exclamation_mark_is_the_authors_word_for_breaking() {
        assert!(parse_subject("feat!: drop v1").breaking && parse_subject("fix(api)!: rename").breaking);
        assert!(!parse_subject("fix: it works!").breaking && !parse_subject("Wow!: it works").breaking);
    }

    #[test]
    fn every_theme_has_a_heading_and_counts_in_words() {
        assert_eq!(Theme::Fixed.heading(), "Fixed");
        assert_eq!(Theme::Fixed.nouns(), Some(("fix", "fixes")));
        assert_eq!(Theme::Changed.nouns(), None);
    }
}
