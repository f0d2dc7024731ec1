//! Breaking-change detection: the author's own mark, removed flags and variables, migrations. Removed public names are
//! reported with the symbols.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::roles::FileRole;
use super::subject::SubjectLine;
use super::{author, role_of};
use crate::domain::patch::{Change, Commit, FileChange, LineOrigin};

/// A change that may break users of the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BreakingHint {
    /// `!` after the type, or `BREAKING CHANGE:`, with the words that follow it (may be empty).
    Declared(String),
    /// A command-line flag that only removed lines name: `--select`.
    Flag(String),
    /// A variable of the environment that only removed lines read: `APP_HOME`.
    Variable(String),
    /// A migration of a database was added: its path.
    Migration(String),
}

/// With more hints the commit is a rewrite, and single names say little.
const MOST: usize = 6;

/// Breaking-change hints, the author's own first.
#[must_use]
pub fn find_breaking_hints(commit: &Commit) -> Vec<BreakingHint> {
    let files = &commit.patch.files;
    let mut found: Vec<BreakingHint> = parse_declaration(commit).into_iter().collect();
    // Unread parts of the patch may still contain the name.
    if !commit.patch.truncated {
        found.extend(removed_names(files, &FLAG).map(BreakingHint::Flag));
        found.extend(removed_names(files, &VARIABLE).map(BreakingHint::Variable));
    }
    let migrations = files.iter().filter(|file| is_migration(file));
    found.extend(migrations.map(|file| BreakingHint::Migration(file.path.clone())));
    found.truncate(MOST);
    found
}

fn parse_declaration(commit: &Commit) -> Option<BreakingHint> {
    let mark = ["BREAKING CHANGE:", "BREAKING-CHANGE:", "BREAKING CHANGES:"];
    let lines = commit.body().lines().map(|line| line.trim().trim_start_matches(['*', '#', ' ']));
    let footer = mark.iter().find_map(|mark| footer(lines.clone(), mark));
    let marked = || SubjectLine::parse(commit.subject()).prefix.is_some_and(|prefix| prefix.breaking).then(String::new);
    footer.or_else(marked).map(BreakingHint::Declared)
}

/// The first sentence after the mark.
fn footer<'a>(mut lines: impl Iterator<Item = &'a str>, mark: &str) -> Option<String> {
    let first = lines.find_map(|line| line.strip_prefix(mark))?;
    let rest = lines.take_while(|line| !line.is_empty() && !line.contains(": "));
    let text = std::iter::once(first).chain(rest).collect::<Vec<_>>().join("\n");
    Some(author::split_into_sentences(&text).into_iter().next().unwrap_or_default())
}

/// `"--flag"` as a whole string, `long = "flag"`, `.long("flag")`.
static FLAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"["'`](?P<whole>--[a-z][a-z0-9-]{2,40})["'`=]|\blong(?: = |\()"(?P<bare>[a-z][a-z0-9-]{1,40})""#).ok()
});

/// Environment variables read by a program, in the idioms of its language.
static VARIABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?: \benv::var(?:_os)?\( | \benv!\( | \bgetenv\( | \bGetenv\( | \bLookupEnv\( | \bgetenv_s\(
          | \benviron(?:\.get\(|\[) | \bENV(?:\.fetch\(|\[) | \bprocess\.env\[ | \bSystem\.getenv\( )
        \s*["'](?P<whole>[A-Z][A-Z0-9_]{2,60})["']
        | \bprocess\.env\.(?P<bare>[A-Z][A-Z0-9_]{2,60})\b"#,
    )
    .ok()
});

/// Names on removed source lines that occur on no other line of the patch, in order.
fn removed_names(files: &[FileChange], pattern: &'static LazyLock<Option<Regex>>) -> impl Iterator<Item = String> {
    let program = files.iter().filter(|file| role_of(file) == FileRole::Source);
    let removed = program.flat_map(|file| lines(file, true)).filter(|line| !is_subprocess_call(line));
    let mut names: Vec<String> = removed.flat_map(|line| captured_names(line, pattern)).collect();
    let kept: HashSet<String> = files.iter().flat_map(|file| lines(file, false)).flat_map(words).collect();
    let mut distinct = HashSet::new();
    names.retain(|name| !kept.contains(&plain(name)) && distinct.insert(name.clone()));
    names.into_iter()
}

fn lines(file: &FileChange, removed: bool) -> impl Iterator<Item = &str> {
    let all = file.hunks.iter().flat_map(|hunk| &hunk.lines);
    all.filter(move |line| (line.origin == LineOrigin::Removed) == removed).map(|line| line.text.as_str())
}

fn captured_names(line: &str, pattern: &'static LazyLock<Option<Regex>>) -> Vec<String> {
    let Some(pattern) = pattern.as_ref() else { return Vec::new() };
    let name = |found: regex::Captures<'_>| {
        let bare = |bare: regex::Match<'_>| {
            if bare.as_str().starts_with(|c: char| c.is_ascii_lowercase()) {
                format!("--{}", bare.as_str())
            } else {
                bare.as_str().to_owned()
            }
        };
        found.name("whole").map(|whole| whole.as_str().to_owned()).or_else(|| found.name("bare").map(bare))
    };
    pattern.captures_iter(line).filter_map(name).collect()
}

/// Words of flags and variables; `no_deps` may be the field of a flag `--no-deps`.
fn words(line: &str) -> impl Iterator<Item = String> + '_ {
    let word = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    line.split(word).map(plain).filter(|word| !word.is_empty())
}

fn plain(name: &str) -> String {
    name.trim_start_matches('-').replace('-', "_")
}

/// The flag belongs to another program.
fn is_subprocess_call(line: &str) -> bool {
    ["Command", ".arg(", ".args(", "spawn", "exec", "subprocess", "popen", "run(", "check_call", "check_output"]
        .iter()
        .any(|call| line.contains(call))
}

fn is_migration(file: &FileChange) -> bool {
    let (dirs, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let folder = dirs.split('/').any(|dir| matches!(dir, "migrations" | "migrate" | "migration"));
    let code = [".sql", ".py", ".rb", ".js", ".ts", ".go", ".php", ".rs"].iter().any(|end| name.ends_with(end));
    let test =
        FileRole::from_path(&file.path) == FileRole::Tests || name.starts_with("__init__") || name.starts_with("mod.");
    file.change == Change::Added && folder && code && !test
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::{commit, file, named};

    #[test]
    fn the_authors_own_mark_comes_first() {
        let hints = |message: &str| find_breaking_hints(&commit(message, vec![]));
        assert_eq!(hints("feat!: drop it"), [BreakingHint::Declared(String::new())]);
        let body = "feat: x\n\nText.\n\nBREAKING CHANGE: The file is gone\nfor good. Use another.\nSigned-off-by: A";
        assert_eq!(hints(body), [BreakingHint::Declared("The file is gone for good.".to_owned())]);
        assert_eq!(hints("fix: x\n\nNo breaking change: none."), []);
    }

    #[test]
    fn flags_and_variables_count_where_only_removed_lines_name_them() {
        let shown = |patch: &str| find_breaking_hints(&commit("x", vec![file("src/a.rs", patch)]));
        assert_eq!(
            shown("@@\n-    \"--select\" => 1,\n-    #[arg(long = \"colour\")]\n-    \"--keep\"\n+    \"--keep\""),
            [BreakingHint::Flag("--select".to_owned()), BreakingHint::Flag("--colour".to_owned())]
        );
        assert_eq!(
            shown(
                "@@\n-  let a = env::var(\"APP_HOME\");\n-  env::var(\"APP_LOG\")\n+  const LOG: &str = \"APP_LOG\";"
            ),
            [BreakingHint::Variable("APP_HOME".to_owned())]
        );
        assert_eq!(shown("@@\n-  process.env.APP_MODE\n"), [BreakingHint::Variable("APP_MODE".to_owned())]);
        assert_eq!(shown("@@\n-  #[arg(long = \"no-deps\")]\n+  #[arg(long)]\n   no_deps: bool,"), []);
        assert_eq!(shown("@@\n-  Command::new(\"x\").arg(\"--quiet\")"), []);
    }

    #[test]
    fn tests_and_unread_patches_show_no_flag_that_went() {
        let patch = "@@\n-    \"--select\"";
        assert_eq!(find_breaking_hints(&commit("x", vec![file("tests/a.rs", patch)])), []);
        let mut cut = commit("x", vec![file("src/a.rs", patch)]);
        cut.patch.truncated = true;
        assert_eq!(find_breaking_hints(&cut), []);
    }

    #[test]
    fn new_migrations_are_told() {
        let added = named("db/migrations/0002_add.sql", Change::Added);
        assert_eq!(
            find_breaking_hints(&commit("x", vec![added])),
            [BreakingHint::Migration("db/migrations/0002_add.sql".to_owned())]
        );
        assert_eq!(find_breaking_hints(&commit("x", vec![named("db/migrations/0001.sql", Change::Modified)])), []);
    }
}
