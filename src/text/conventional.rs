//! Conventional Commits: the prefix of a subject, by the crate `git-conventional` and a little more tolerant.

use git_conventional::Commit;

/// The types of Conventional Commits (commitlint's list).
pub const TYPES: [&str; 11] =
    ["build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test"];

/// A subject with a prefix `kind(scope)!:`; `kind` is any word as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConventionalSubject<'a> {
    pub kind: &'a str,
    pub scope: Option<&'a str>,
    pub breaking: bool,
    pub description: &'a str,
}

impl<'a> ConventionalSubject<'a> {
    /// Parses one line; an empty scope or description is allowed.
    pub fn parse(line: &'a str) -> Option<Self> {
        if let Ok(commit) = Commit::parse(line) {
            return Some(Self {
                kind: commit.type_().as_str(),
                scope: commit.scope().map(|scope| scope.as_str().trim()).filter(|scope| !scope.is_empty()),
                breaking: commit.breaking(),
                description: commit.description(),
            });
        }
        let (head, description) = line.split_once(':')?;
        let (kind, scope) = split_head(head)?;
        let breaking = head.ends_with('!');
        let plain = !kind.is_empty() && !kind.contains(|c: char| c.is_whitespace() || matches!(c, ')' | '!'));
        plain.then(|| Self { kind, scope, breaking, description: description.trim_start() })
    }
}

/// Kind and scope of the text before the colon: `fix(parser)!`.
pub fn split_head(head: &str) -> Option<(&str, Option<&str>)> {
    let head = head.trim_end_matches('!');
    let Some((kind, scope)) = head.split_once('(') else { return Some((head, None)) };
    let scope = scope.strip_suffix(')')?.trim();
    Some((kind, Some(scope).filter(|scope| !scope.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::ConventionalSubject;

    #[test]
    fn prefixes_are_parsed_and_prose_is_not() {
        for (line, expected) in [
            ("fix(parser)!: a crash", Some(("fix", Some("parser"), true, "a crash"))),
            ("Feat:add", Some(("Feat", None, false, "add"))),
            ("fix(): a crash", Some(("fix", None, false, "a crash"))),
            ("docs:", Some(("docs", None, false, ""))),
            ("Say what happened: it broke", None),
            ("fix(parser: a crash", None),
            (": nothing", None),
        ] {
            let parsed = ConventionalSubject::parse(line);
            assert_eq!(parsed.map(|s| (s.kind, s.scope, s.breaking, s.description)), expected, "{line}");
        }
    }
}
