//! What the author's subject line is worth.

/// The subject, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The line itself, blanks tidied.
    pub text: String,
    /// It says something about the change: not "wip", "fix", a ticket number alone, ….
    pub informative: bool,
    /// The author's own conventional prefix: `fix`, `feat`, ….
    pub prefix: Option<Prefix>,
}

/// `kind(scope)!:` at the start of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    pub kind: String,
    pub scope: Option<String>,
    pub breaking: bool,
}

/// The kinds of the Conventional Commits habit (commitlint's list).
const KINDS: [&str; 11] =
    ["build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test"];

/// Words that say nothing of a change, alone or together.
const FILLERS: [&str; 64] = [
    "wip",
    "fix",
    "fixes",
    "fixed",
    "fixing",
    "bug",
    "bugs",
    "bugfix",
    "bugfixes",
    "hotfix",
    "update",
    "updates",
    "updated",
    "updating",
    "change",
    "changes",
    "changed",
    "edit",
    "edits",
    "edited",
    "tweak",
    "tweaks",
    "minor",
    "small",
    "some",
    "more",
    "many",
    "few",
    "various",
    "misc",
    "stuff",
    "thing",
    "things",
    "code",
    "file",
    "files",
    "work",
    "working",
    "in",
    "progress",
    "commit",
    "commits",
    "save",
    "saving",
    "checkpoint",
    "tmp",
    "temp",
    "the",
    "a",
    "an",
    "and",
    "it",
    "this",
    "that",
    "again",
    "another",
    "new",
    "now",
    "final",
    "finally",
    "oops",
    "test",
    "todo",
    "done",
];

impl Subject {
    /// Judges a message's first line.
    #[must_use]
    pub fn of(line: &str) -> Self {
        let text = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let (prefix, rest) = conventional(&text).map_or((None, text.as_str()), |(prefix, rest)| (Some(prefix), rest));
        let informative = !is_autosquash(&text) && says_something(rest);
        Self { informative, prefix, text }
    }
}

fn conventional(text: &str) -> Option<(Prefix, &str)> {
    let (head, rest) = text.split_once(':')?;
    let (head, breaking) = head.strip_suffix('!').map_or((head, false), |head| (head, true));
    let (kind, scope) = match head.split_once('(') {
        Some((kind, scope)) => (kind, Some(scope.strip_suffix(')')?.to_owned())),
        None => (head, None),
    };
    let kind = kind.to_ascii_lowercase();
    let known = KINDS.contains(&kind.as_str());
    known.then(|| (Prefix { kind, scope, breaking }, rest.trim_start()))
}

fn is_autosquash(text: &str) -> bool {
    ["fixup!", "squash!", "amend!"].iter().any(|mark| text.starts_with(mark))
}

fn says_something(text: &str) -> bool {
    let mut telling = 0;
    let mut fragments = 0;
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/' | '&' | '[' | ']' | '(' | ')')) {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        if bare.is_empty() || is_ticket(word) || FILLERS.contains(&bare.to_lowercase().as_str()) {
            continue;
        }
        if is_gibberish(bare) { fragments += 1 } else { telling += 1 }
    }
    telling > 0 || fragments > 2
}

/// `#123`, `ABC-123`, `GH-1`, `123`: a reference, not words.
fn is_ticket(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '#');
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = word.strip_prefix('#').unwrap_or(word);
    let tracked = word.rsplit_once('-').is_some_and(|(project, number)| {
        digits(number) && !project.is_empty() && project.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    });
    digits(number) || tracked
}

/// Keyboard noise: one letter, one letter repeated, a run along the keyboard. Version numbers are none of it.
fn is_gibberish(word: &str) -> bool {
    const ROWS: [&str; 4] = ["qwertyuiop", "asdfghjkl", "zxcvbnm", "asdfasdfasdf"];
    let lower = word.to_lowercase();
    let mut letters = lower.chars();
    let first = letters.next();
    // An ideograph is a word of its own.
    let single = lower.len() == 1;
    let repeated = lower.is_ascii() && letters.all(|letter| Some(letter) == first);
    single || repeated || (lower.len() > 2 && ROWS.iter().any(|row| row.contains(&lower)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_words_are_not_informative() {
        for text in [
            "",
            "   ",
            ".",
            "...",
            "wip",
            "WIP",
            "wip: stuff",
            "fix",
            "Fixes",
            "fix bug",
            "bug fixes",
            "update",
            "Updates.",
            "minor changes",
            "some more fixes",
            "tmp",
            "asdf",
            "asdfasdf",
            "qwerty",
            "aaa",
            "x",
            "ABC-123",
            "#42",
            "fix #42",
            "Fixes #12, #13",
            "[JIRA-7]",
            "commit",
            "save work in progress",
            "fixup! Add the router",
            "squash! x y z",
            "fix: bug",
            "chore(deps): update",
            "test",
            "oops",
            "final final",
            "42",
        ] {
            assert!(!Subject::of(text).informative, "{text:?}");
        }
    }

    #[test]
    fn words_about_the_change_are_informative() {
        for text in [
            "Fix typo",
            "Add the router",
            "fix: retry on timeout",
            "Fix auth timeout (#42)",
            "v1.2.3",
            "Release 2.0",
            "rustfmt",
            "ABC-123 Retry",
            "Update README.md",
            "Clippy fixes",
            "修复登录",
            "Typo",
            "Revert \"Add x\"",
            "Bump serde to 1.0.200",
        ] {
            assert!(Subject::of(text).informative, "{text:?}");
        }
    }

    #[test]
    fn an_authors_own_prefix_is_read() {
        let prefix = Subject::of("feat(cli)!: add --json").prefix.unwrap();
        assert_eq!((prefix.kind.as_str(), prefix.scope.as_deref(), prefix.breaking), ("feat", Some("cli"), true));
        assert_eq!(Subject::of("docs: say it").prefix.unwrap().kind, "docs");
        assert_eq!(Subject::of("printer: rename").prefix, None);
        assert_eq!(Subject::of("no prefix").prefix, None);
    }

    #[test]
    fn blanks_are_tidied_and_words_are_not() {
        assert_eq!(Subject::of("  Add\tthe   Router ").text, "Add the Router");
    }
}
