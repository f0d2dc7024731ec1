//! Subjects and paths with the tags they get, false friends among them.

use super::*;
use crate::domain::clock::SystemClock;
use crate::facts::{self, sample};
use crate::redact::redact;

fn tags(message: &str, paths: &[&str]) -> String {
    let files = paths.iter().map(|path| sample::file(path, "@@\n-let a = 1;\n+let a = 2;")).collect();
    let commit = sample::commit(message, files);
    of_commit(&commit, &facts::extract_facts(&commit, &SystemClock)).join(" ")
}

#[test]
fn commits_are_filed_under_what_they_are() {
    for (message, paths, expected) in [
        ("fix(auth)!: cut the timeout", &["src/x.rs"][..], "fix rust auth"),
        ("feat: sort by date", &["web/list.ts"], "feature typescript"),
        ("perf: skip empty rows", &["a.c", "a.h"], "performance c"),
        ("chore: tidy", &["a.py"], "chore python"),
        ("docs: explain leases", &["README.md"], "docs"),
        ("Fix the login form", &["ui/LoginForm.vue"], "fix vue auth ui"),
        ("Fixes a crash in the parser", &["src/parser.go"], "fix go parser"),
        ("Speed up the walk", &["walk.rs"], "performance rust"),
        ("Refactored HTTPServer", &["server.java"], "refactor java network"),
        ("Add retries to the client", &["client.py"], "feature python"),
        ("Add tests for retries", &["client.py", "tests/test_client.py"], "python"),
        ("More cases", &["tests/test_client.py"], "test python"),
        ("Explain it", &["docs/a.md"], "docs"),
        ("Run on Windows too", &[".github/workflows/ci.yml"], "ci"),
        ("Release v1.2.3", &["Cargo.toml"], "release"),
        ("Bump serde to 1.0.2", &["Cargo.toml", "Cargo.lock"], "dependencies"),
        ("Revert \"Add x\"\n\nThis reverts commit 0123456789012345678901234567890123456789.", &["a.rs"], "revert rust"),
        ("wip", &["migrations/0001_users.sql"], "sql db"),
        ("wip", &["src/auth/token.rs", "src/auth/mod.rs"], "rust auth"),
        ("wip", &["Dockerfile"], "docker"),
        ("wip", &["infra/main.tf"], "terraform"),
        ("Move sessions to Redis #ops #Q3-goals", &["a.go"], "ops q3-goals go redis"),
        ("Show amounts in the REST API", &["a.rb"], "ruby api"),
        ("Cache the list", &["a.kt"], "kotlin cache"),
        ("Close idle WebSockets", &["a.ts"], "typescript network"),
        ("Bump version to 1.20.0", &["Cargo.toml", "Cargo.lock"], "release"),
        ("build(deps): bump lxml from 6.1.0 to 6.1.1 in /docs", &["docs/requirements.txt"], "build dependencies"),
        ("Fix a typo", &["docs/a.md"], "fix docs"),
        ("Repair a flaky test", &["tests/a.py"], "fix test python"),
        ("wip", &["package-lock.json"], ""),
        ("", &[], ""),
    ] {
        assert_eq!(tags(message, paths), expected, "{message:?} {paths:?}");
    }
}

#[test]
fn words_that_only_look_alike_are_no_tags() {
    for message in [
        "Thank the author",
        "Keep the authority record",
        "Show authored posts",
        "Use an authentic font",
        "Print capital letters",
        "Ask the apiary",
        "Build a guide quickly",
        "Suit the quill",
        "Trust the rustic wall",
        "Going on with the category",
        "Move to django",
        "Read dbus feedback",
        "Strip the prefix and the suffix",
        "Load a fixture",
        "Print fixed-width columns",
        "Debug the latest contest",
        "Perform the transform",
        "Ask the doctor",
        "Call the client on click",
        "Copy to the clipboard",
        "Go on",
        "Let it react swiftly",
        "Dock the window",
        "Store the login-free badge".replace("login-free", "loginless").as_str(),
        "Close the ticket #42",
        "Paint it #ffcc00 and #fff",
        "Guard the #include and the #ifdef",
        "Count sequels",
        "Use https://example.org/docker/auth from actions/cache",
        "Take feature/login-api in",
        "Emailer is a name, as is Parserless",
        "Translate it into Javanese",
    ] {
        assert_eq!(tags(message, &["notes/thing.txt"]).replace("docs", ""), "", "{message}");
    }
}

#[test]
fn paths_are_taken_at_their_words_too() {
    for (path, expected) in [
        ("src/author.rs", "rust"),
        ("src/authors/list.rs", "rust"),
        ("src/capital.rs", "rust"),
        ("src/build.rs", "rust"),
        ("src/client.rs", "rust"),
        ("src/userAuth.rs", "rust auth"),
        ("src/http_server.rs", "rust network"),
        ("src/apiKeys.rs", "rust api"),
    ] {
        assert_eq!(tags("wip", &[path]), expected, "{path}");
    }
    assert_eq!(tags("wip", &["src/auth.rs", "src/b.rs", "src/c.rs"]), "rust", "one of three files is not the matter");
}

#[test]
fn there_are_at_most_five_and_none_tells_a_secret() {
    let many = tags("fix: #one #two #three #four password of the api in SQLite", &["a.rs"]);
    assert_eq!(many, "one two three four fix");
    assert_eq!(of_note(&redact("use #AKIAIOSFODNN7EXAMPLE and #ops")), ["ops"]);
}

#[test]
fn a_note_is_filed_under_its_hashtags_and_words() {
    assert_eq!(
        of_note("tried #Rust, and #42 and (#io-uring). Login is slow in SQLite"),
        ["rust", "io-uring", "auth", "db", "sqlite"]
    );
    assert!(of_note("Fixed width was the author's idea").is_empty());
}

#[test]
fn words_are_taken_apart_at_signs_and_changes_of_case() {
    assert_eq!(words("Add `LoginForm` to api/v2"), ["add", "login", "form", "loginform", "to", "api", "v2"]);
    assert_eq!(words("HTTPServer's"), ["http", "server", "httpserver", "s"]);
    assert_eq!(words("the_auth-token"), ["the", "auth", "token"]);
    assert_eq!(words("Ärger ÜberGroß"), ["ärger", "über", "groß", "übergroß"]);
    assert!(words(" -- ").is_empty());
}
