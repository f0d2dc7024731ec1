//! Machine-made subjects: backups, saves and synchronisations of editors, note-taking apps, web sites and agents. They
//! name time, place and file, but not the change.

use super::{DAYS_AND_MONTHS, is_plain_reference, is_time};
use crate::phrase_list;
use crate::text::words::{PhraseList, WordList, bare_word};
use crate::word_list;

/// Whole subjects, without time, origin and file.
static WHOLE: PhraseList = phrase_list!("automatic_subjects");

/// Beginnings that are followed by an origin or an app.
static BEGINNINGS: PhraseList = phrase_list!("automatic_beginnings");
/// Limit of the words of an origin: a host, an app, a device.
const ORIGIN: usize = 5;

/// Apps, sites, devices and agents with automatic commits.
static APPS: WordList = word_list!("automatic_apps");
/// Words of such a subject beside the app's name.
static ACTS: WordList = word_list!("automatic_acts");
/// Prepositions before the app's name.
const LEADS: [&str; 5] = ["from", "by", "via", "with", "using"];

/// `Updated via Decap CMS`, `logseq sync`: an app, its automatic action, and nothing else. A verb directly before the
/// app's name is about the app: `Update Tina CMS`.
fn is_of_app(words: &[String]) -> bool {
    let is_app = |word: &String| APPS.contains(word.as_str());
    let is_act = |word: &String| ACTS.contains(word.as_str());
    let acts = words.iter().any(is_act);
    let lead = words.iter().position(|word| LEADS.contains(&word.as_str()));
    if let Some(lead) = lead {
        let (act, origin) = words.split_at(lead);
        let small =
            |word: &String| is_act(word) || matches!(word.as_str(), "my" | "the" | "on" | "app" | "working" | "copy");
        let named = origin.iter().skip(1).any(is_app) && origin.iter().skip(1).all(|word| is_app(word) || small(word));
        return acts && named && act.iter().all(|word| is_act(word) || is_app(word) || word == "page");
    }
    acts && words.first().is_some_and(is_app) && words.iter().skip(1).all(|word| is_act(word) || is_app(word))
}

/// Verbs in the subjects of web editors, before the file name.
const FILE_VERBS: [&str; 18] = [
    "update", "updated", "create", "created", "delete", "deleted", "rename", "renamed", "edit", "edited", "add",
    "added", "remove", "removed", "modify", "modified", "change", "changed",
];

/// Whether the line, without a conventional prefix, is machine-made.
#[must_use]
pub fn is_automatic(line: &str) -> bool {
    let words = words(line);
    let line_text = words.join(" ");
    let begins = |beginning: &str| {
        line_text
            .strip_prefix(beginning)
            .is_some_and(|rest| (rest.is_empty() || rest.starts_with(' ')) && rest.split_whitespace().count() <= ORIGIN)
    };
    // `etckeeper: saving uncommitted changes in /etc`
    let behind_app = || line.split_once(": ").is_some_and(|(app, rest)| is_app_name(app) && is_automatic(rest));
    // `[logseq-plugin-git:commit] 2026-01-01`
    let in_brackets =
        || line.strip_prefix('[').and_then(|rest| rest.split([']', '-', ':']).next()).is_some_and(is_app_name);
    if words.is_empty() {
        return in_brackets();
    }
    WHOLE.contains(&line_text.as_str())
        || BEGINNINGS.iter().any(|beginning| begins(beginning))
        || is_of_app(&words)
        || behind_app()
}

fn is_app_name(word: &str) -> bool {
    APPS.contains(word.trim().to_lowercase().as_str())
}

/// The words in lower case, `auto-save` as two, without numbers, dates, hashes and bracketed text.
fn words(line: &str) -> Vec<String> {
    let mut plain = String::with_capacity(line.len());
    let mut depth = 0_usize;
    for c in line.chars() {
        depth += usize::from(c == '[');
        plain.push(if depth > 0 || is_mark(c) { ' ' } else { c });
        depth = depth.saturating_sub(usize::from(c == ']'));
    }
    let telling = plain.split_whitespace().filter(|word| !is_time(&bare_word(word)) && !is_plain_reference(word));
    let words = telling.flat_map(|word| word.split(['-', '_', '–', '—']).map(bare_word).collect::<Vec<_>>());
    let is_empty = |word: &str| word.is_empty() || is_time(word) || DAYS_AND_MONTHS.contains(word);
    words.filter(|word| !is_empty(word)).collect()
}

fn is_mark(c: char) -> bool {
    matches!(c, '(' | ')' | ',' | ';' | '"' | '\'' | '`' | '…' | '@' | '#' | '|' | '{' | '}' | '<' | '>')
}

/// `Update Garden.md`, `Update Page “garden”`, `Garden.md`: at most one of these verbs, only names of changed files,
/// and an origin such as `(via web)`.
#[must_use]
pub fn names_only_files(line: &str, changed: &[&str]) -> bool {
    let line = without_origin(line);
    let is_verb = |word: &str| FILE_VERBS.contains(&word.trim_end_matches(':').to_ascii_lowercase().as_str());
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let verb = words.first().is_some_and(|word| is_verb(word));
    if verb {
        words.remove(0);
    }
    words.retain(|word| !matches!(*word, "and" | "&" | "to" | "file" | "files"));
    let name = |word: &'_ str| word.trim_matches(|c: char| ",;`\"'()".contains(c)).to_owned();
    let is_file = |word: &&str| {
        let name = name(word);
        !name.is_empty() && changed.iter().any(|path| *path == name || path.rsplit('/').next() == Some(name.as_str()))
    };
    let all = if verb { line.split_once(' ').map_or("", |(_, rest)| rest.trim()) } else { line.trim() };
    // A name may hold blanks: `Update My Garden.md`. Alone it must have a file ending.
    let whole = || changed.iter().any(|path| *path == all || path.rsplit('/').next() == Some(all));
    let files = !words.is_empty() && (words.iter().all(is_file) || whole());
    (files && (verb || all.contains('.'))) || (verb && names_entry(all, changed))
}

/// `Page “garden”`: an entry of a collection, by the stem of its file.
fn names_entry(text: &str, changed: &[&str]) -> bool {
    let Some((collection, entry)) = text.split_once(' ') else { return false };
    let entry = entry.trim();
    let slug = entry.trim_matches(['“', '”', '"', '\'']);
    let quoted = slug.len() < entry.len() && collection.starts_with(char::is_alphabetic);
    let stem = |path: &str| path.rsplit('/').next().unwrap_or(path).split('.').next().unwrap_or(path).to_lowercase();
    quoted && changed.iter().any(|path| stem(path) == slug.to_lowercase() || path.contains(&format!("/{slug}/")))
}

/// Without a trailing `via GitHub`, `(via web)`, `with CodeMirror`.
fn without_origin(line: &str) -> &str {
    let leads = [" via ", " (via ", " with ", " from ", " using ", " on "];
    let found = leads.iter().filter_map(|lead| line.rfind(lead).map(|at| (at, at + lead.len()))).max();
    let app = |text: &str| text.trim_end_matches(')').split_whitespace().all(is_app_name);
    match found {
        Some((at, from)) if line.get(from..).is_some_and(app) => &line[..at],
        _ => line,
    }
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
            "Garden.md",
            "modified:   Garden.md",
            "Edit Garden.md via GitHub",
            "Update Garden.md (via web)",
            "Edited Garden.md with CodeMirror",
            "Update Page “garden”",
            "Create Note \"Garden\"",
        ] {
            assert!(names_only_files(line, &changed), "{line}");
        }
        for line in [
            "Update README.md",
            "Update Garden.md for spring",
            "Support Node.js",
            "Update",
            "Garden",
            "Edit Garden.md with care",
            "Update page garden",
        ] {
            assert!(!names_only_files(line, &changed), "{line}");
        }
    }
}
