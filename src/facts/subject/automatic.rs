//! Subjects that a program makes up: backups, saves and synchronisations of editors, note-taking apps, web sites and
//! agents. They say when, where and of which file, but nothing about the change.

use super::{DAYS_AND_MONTHS, is_plain_reference, is_time};

/// Whole subjects, without what says when, where from and which one.
const WHOLE: [&str; 64] = [
    "auto save",
    "autosave",
    "auto saved",
    "autosaved",
    "auto commit",
    "autocommit",
    "auto committed",
    "automatic commit",
    "automated commit",
    "automatic save",
    "auto backup",
    "autobackup",
    "automatic backup",
    "automated backup",
    "auto sync",
    "autosync",
    "automatic sync",
    "auto update",
    "automatic update",
    "automated update",
    "auto push",
    "automatic changes",
    "apply automatic changes",
    "automated changes",
    "automatic commit by",
    "scheduled commit",
    "scheduled backup",
    "scheduled sync",
    "scheduled update",
    "daily autocommit",
    "daily commit",
    "daily backup",
    "daily sync",
    "hourly backup",
    "nightly backup",
    "weekly backup",
    "periodic commit",
    "backup",
    "back up",
    "vault backup",
    "vault sync",
    "vault update",
    "notes backup",
    "notes sync",
    "sync notes",
    "save point",
    "savepoint",
    "save",
    "saved",
    "snapshot",
    "auto snapshot",
    "checkpoint",
    "auto checkpoint",
    "sync",
    "synced",
    "last sync",
    "add files via upload",
    "site updated",
    "rebuilding site",
    "update on overleaf",
    "updates from overleaf",
    "no description set",
    "deploy",
    "deployed",
];

/// What goes on with where it was made, or by what.
const BEGINNINGS: [&str; 22] = [
    "vault backup",
    "commit from",
    "auto commit from",
    "autocommit from",
    "auto commit by",
    "autocommit by",
    "automatic commit from",
    "automated commit from",
    "automated commit by",
    "auto save from",
    "autosave from",
    "backup from",
    "auto backup from",
    "sync from",
    "synced from",
    "auto sync from",
    "saved from",
    "last sync",
    "snapshot from",
    "saving uncommitted changes in",
    "deploying to gh pages from",
    "wip on",
];
/// Of these the rest may be so many words: a host, an app, a device.
const ORIGIN: usize = 5;

/// Verbs with which web sites fill in a subject, before the name of the file.
const FILE_VERBS: [&str; 18] = [
    "update", "updated", "create", "created", "delete", "deleted", "rename", "renamed", "edit", "edited", "add",
    "added", "remove", "removed", "modify", "modified", "change", "changed",
];

/// Whether the line, without the prefix of a kind, is one that a program fills in.
#[must_use]
pub fn is_automatic(line: &str) -> bool {
    let words = words(line);
    let said = words.join(" ");
    let begins = |beginning: &str| {
        said.strip_prefix(beginning)
            .is_some_and(|rest| (rest.is_empty() || rest.starts_with(' ')) && rest.split_whitespace().count() <= ORIGIN)
    };
    !words.is_empty() && (WHOLE.contains(&said.as_str()) || BEGINNINGS.iter().any(|beginning| begins(beginning)))
}

/// The words in lower case, `auto-save` as two, without numbers, dates, hashes and what stands in square brackets.
fn words(line: &str) -> Vec<String> {
    let mut plain = String::with_capacity(line.len());
    let mut depth = 0_usize;
    for c in line.chars() {
        depth += usize::from(c == '[');
        plain.push(if depth > 0 || is_mark(c) { ' ' } else { c });
        depth = depth.saturating_sub(usize::from(c == ']'));
    }
    let telling = plain.split_whitespace().filter(|word| !is_time(&bare(word)) && !is_plain_reference(word));
    let words = telling.flat_map(|word| word.split(['-', '_', '–', '—']).map(bare).collect::<Vec<_>>());
    let is_empty = |word: &str| word.is_empty() || is_time(word) || DAYS_AND_MONTHS.contains(&word);
    words.filter(|word| !is_empty(word)).collect()
}

fn is_mark(c: char) -> bool {
    matches!(c, '(' | ')' | ',' | ';' | '"' | '\'' | '`' | '…' | '@' | '#' | '|' | '{' | '}' | '<' | '>')
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// `Update Garden.md`: one of these verbs and nothing but names of files that the commit changes.
#[must_use]
pub fn names_only_files(line: &str, changed: &[&str]) -> bool {
    let mut words = line.split_whitespace();
    let verb = words.next().is_some_and(|verb| FILE_VERBS.contains(&verb.to_ascii_lowercase().as_str()));
    let rest: Vec<&str> = words.filter(|word| !matches!(*word, "and" | "&" | "to" | "file" | "files")).collect();
    let is_file = |word: &&str| {
        let name = word.trim_matches(|c: char| matches!(c, ',' | ';' | '`' | '"' | '\'' | '(' | ')'));
        !name.is_empty() && changed.iter().any(|path| *path == name || path.rsplit('/').next() == Some(name))
    };
    let all = line.split_once(' ').map_or("", |(_, rest)| rest.trim());
    // A name may hold blanks: `Update My Garden.md`.
    let whole = || changed.iter().any(|path| *path == all || path.rsplit('/').next() == Some(all));
    verb && ((!rest.is_empty() && rest.iter().all(is_file)) || whole())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_and_names_of_changed_files_say_nothing_more() {
        let changed = ["notes/Garden.md", "src/a.rs", "My Plan.md", "Plan.md"];
        for line in [
            "Update Garden.md",
            "Create notes/Garden.md",
            "Delete a.rs",
            "Rename Plan.md to Garden.md",
            "Update My Plan.md",
            "Update Garden.md and a.rs",
            "update Garden.md, a.rs",
        ] {
            assert!(names_only_files(line, &changed), "{line}");
        }
        for line in ["Update README.md", "Update Garden.md for spring", "Garden.md", "Support Node.js", "Update"] {
            assert!(!names_only_files(line, &changed), "{line}");
        }
    }
}
