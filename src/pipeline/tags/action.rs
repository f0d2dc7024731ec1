//! Action tags: by the Conventional Commits type, the kind of commit, or the verbs of the subject.

use crate::domain::patch::Commit;
use crate::facts::Facts;
use crate::facts::case::Case;
use crate::facts::roles::FileRole;
use crate::text::version::is_dotted_version;
use crate::text::words::bare_word;

/// Maps a Conventional Commits type to the tag's name.
fn of_type(kind: &str) -> &str {
    match kind {
        "feat" => "feature",
        "perf" => "performance",
        other => other,
    }
}

/// The author's type or, without one, the verbs decide, then the files; empty where neither is clear.
pub(super) fn action_tags(commit: &Commit, facts: &Facts) -> Vec<String> {
    if facts.case == Case::Merge {
        return Vec::new();
    }
    let of_case = match facts.case {
        Case::Only(FileRole::Docs) => Some("docs"),
        Case::Only(FileRole::Tests) => Some("test"),
        Case::Only(FileRole::Ci) => Some("ci"),
        _ => None,
    };
    let tags: Vec<&str> = match &facts.subject.prefix {
        Some(prefix) => vec![of_type(&prefix.kind)].into_iter().chain(of_scope(prefix.scope.as_deref())).collect(),
        None if facts.case == Case::Revert => vec!["revert"],
        None => of_words(&lowercase_words(commit.subject()), facts).into_iter().chain(of_case).collect(),
    };
    tags.into_iter().map(str::to_owned).collect()
}

fn of_scope(scope: Option<&str>) -> Option<&'static str> {
    matches!(scope?, "deps" | "deps-dev" | "dependencies").then_some("dependencies")
}

/// The subject's words; `fixed-width` is one word, and no fix.
fn lowercase_words(subject: &str) -> Vec<String> {
    subject.split_whitespace().map(bare_word).filter(|word| !word.is_empty()).collect()
}

fn of_words(words: &[String], facts: &Facts) -> Option<&'static str> {
    let first = words.first()?.as_str();
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let version = || words.iter().skip(1).any(|word| is_dotted_version(word));
    let source = facts.shares.iter().any(|share| share.role == FileRole::Source && share.insertions != Some(0));
    if matches!(first, "release" | "released" | "releasing") && version() {
        return Some("release");
    }
    if matches!(first, "bump" | "bumps") && words.get(1).is_some_and(|word| word == "version") && version() {
        return Some("release");
    }
    if matches!(first, "bump" | "bumps" | "upgrade" | "upgrades") && !source && !facts.manifests.is_empty() {
        return Some("dependencies");
    }
    if any(&["fix", "fixes", "fixed", "fixing", "bugfix", "hotfix", "repair", "repairs"]) {
        return Some("fix");
    }
    if any(&["perf", "performance", "faster", "speedup", "optimize", "optimizes", "optimise", "optimises"])
        || words.windows(2).any(|pair| matches!(pair[0].as_str(), "speed" | "speeds" | "sped") && pair[1] == "up")
    {
        return Some("performance");
    }
    if any(&["refactor", "refactors", "refactored", "refactoring", "restructure"]) {
        return Some("refactor");
    }
    if matches!(first, "document" | "documents" | "docs" | "doc") && !source {
        return Some("docs");
    }
    let adds = matches!(first, "add" | "adds" | "added" | "implement" | "implements" | "introduce" | "introduces");
    (adds && source && !any(&OTHER_THINGS)).then_some("feature")
}

/// Nouns that are added without being a feature.
const OTHER_THINGS: [&str; 26] = [
    "test", "tests", "testing", "unittest", "unittests", "benchmark", "benchmarks", "doc", "docs", "documentation",
    "docstring", "docstrings", "comment", "comments", "changelog", "license", "readme", "missing", "todo", "note",
    "notes", "typo", "lint", "debug", "example", "examples",
];
