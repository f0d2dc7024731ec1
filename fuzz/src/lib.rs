//! A commit written as people write one down, read from arbitrary bytes: the targets' common language, so that
//! seeds can be read and a mutated byte changes a path, a line or a file and not the meaning of all that follows.
//!
//! ```text
//! Subject and body
//!
//! === M src/a.rs
//! @@ fn main
//!  context
//! +added
//! -removed
//! === R old/path => new/path
//! === B logo.png
//! ```

use jiff::Timestamp;
use uro_capture::domain::patch::{Change, Commit, FileChange, Hunk, Line, Origin, Patch, Texts, Unread};

/// Most files and lines that are read: the reader of git is bounded too.
const FILES: usize = 200;
const LINES: usize = 20_000;

/// The commit that the text describes; any text describes one.
#[must_use]
pub fn commit(text: &str) -> Commit {
    let (message, rest) = text.split_once("\n===").map_or((text, ""), |(message, rest)| (message, rest));
    let mut files: Vec<FileChange> =
        rest.split("\n===").filter(|part| !part.trim().is_empty()).take(FILES).map(file).collect();
    files.iter_mut().for_each(settle);
    let total = |count: fn(&FileChange) -> Option<u64>| files.iter().map(count).sum::<Option<u64>>();
    let patch = Patch {
        files_total: files.len(),
        insertions: total(|file| file.insertions),
        deletions: total(|file| file.deletions),
        patch_id: None,
        truncated: files.iter().any(|file| file.unread.is_some()),
        files,
    };
    let id = |digit: &str| digit.repeat(40).parse().expect("forty digits");
    Commit {
        oid: id("a"),
        tree: id("b"),
        parents: parents(message).into_iter().map(id).collect(),
        author: "A U Thor".to_owned(),
        author_email: "author@example.org".to_owned(),
        authored_at: Timestamp::UNIX_EPOCH,
        committed_at: Timestamp::UNIX_EPOCH,
        message: harmless(message, true),
        change_id: None,
        branch: None,
        patch,
    }
}

fn parents(message: &str) -> Vec<&'static str> {
    if message.starts_with("Merge ") {
        vec!["c", "d"]
    } else if message.starts_with("Initial ") {
        Vec::new()
    } else {
        vec!["c"]
    }
}

/// What the reader of git does to names and messages: no control characters.
fn harmless(text: &str, lines: bool) -> String {
    text.chars().map(|c| if c.is_control() && !(lines && c == '\n') { '\u{fffd}' } else { c }).collect()
}

fn file(part: &str) -> FileChange {
    let (head, body) = part.split_once('\n').unwrap_or((part, ""));
    let head = head.trim_start_matches('=').trim_start();
    let (mark, path) = head.split_at_checked(1).unwrap_or(("M", head));
    let path = harmless(path.trim(), false);
    let (old_path, path) = match path.split_once(" => ") {
        Some((old, new)) => (Some(old.to_owned()), new.to_owned()),
        None => (None, path),
    };
    let (change, unread) = match mark {
        "A" => (Change::Added, None),
        "D" => (Change::Deleted, None),
        "R" => (Change::Renamed, None),
        "C" => (Change::Copied, None),
        "T" => (Change::TypeChanged, None),
        "B" => (Change::Modified, Some(Unread::Binary)),
        "L" => (Change::Modified, Some(Unread::TooLarge)),
        "S" => (Change::Modified, Some(Unread::Submodule)),
        "X" => (Change::Modified, Some(Unread::Excluded)),
        _ => (Change::Modified, None),
    };
    let hunks = if unread.is_some() { Vec::new() } else { hunks(body) };
    FileChange {
        old_path: old_path.filter(|old| *old != path),
        path,
        change,
        mode_changed: mark == "P",
        insertions: Some(0),
        deletions: Some(0),
        hunks,
        unread,
        texts: None,
    }
}

fn hunks(body: &str) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for line in body.lines().take(LINES) {
        let line = line.trim_end_matches('\r');
        if let Some(header) = line.strip_prefix("@@") {
            let header = harmless(header.trim(), false);
            hunks.push(Hunk { header, old_start: 1, new_start: 1, lines: Vec::new() });
            continue;
        }
        if hunks.is_empty() {
            hunks.push(Hunk { header: String::new(), old_start: 1, new_start: 1, lines: Vec::new() });
        }
        let (origin, text) = match line.as_bytes().first() {
            Some(b'+') => (Origin::Added, &line[1..]),
            Some(b'-') => (Origin::Removed, &line[1..]),
            Some(b' ') => (Origin::Context, &line[1..]),
            _ => (Origin::Context, line),
        };
        if let Some(hunk) = hunks.last_mut() {
            hunk.lines.push(Line { origin, text: text.to_owned() });
        }
    }
    hunks
}

/// Lets each hunk begin where the one before it ends: `settle` puts them together like that.
fn number(hunks: &mut [Hunk]) {
    let (mut old_row, mut new_row) = (1, 1);
    for hunk in hunks {
        (hunk.old_start, hunk.new_start) = (old_row, new_row);
        let rows = |hidden: Origin| hunk.lines.iter().filter(|line| line.origin != hidden).count() as u32;
        (old_row, new_row) = (old_row + rows(Origin::Added), new_row + rows(Origin::Removed));
    }
}

/// Counts the lines, and puts the two sides together for the grammars.
fn settle(file: &mut FileChange) {
    if file.unread.is_some() {
        (file.insertions, file.deletions) = (None, None);
        return;
    }
    number(&mut file.hunks);
    let side = |hidden: Origin| {
        let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin != hidden);
        lines.map(|line| format!("{}\n", line.text)).collect::<String>()
    };
    let count = |origin: Origin| {
        file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin == origin).count() as u64
    };
    let (texts, added, removed) =
        (Texts { old: side(Origin::Added), new: side(Origin::Removed) }, count(Origin::Added), count(Origin::Removed));
    (file.insertions, file.deletions) = (Some(added), Some(removed));
    file.texts = Some(Box::new(texts));
}

/// What is left to say of a text: its control characters are nobody's to say.
#[must_use]
pub fn spoken(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// Everything that a true text about the commit may name, as one text.
#[must_use]
pub fn everything(commit: &Commit) -> String {
    let mut all = format!("{}\n{}\n{}\n", commit.message, commit.author, commit.author_email);
    for file in &commit.patch.files {
        all.push_str(&file.path);
        all.push('\n');
        all.push_str(file.old_path.as_deref().unwrap_or(""));
        all.push('\n');
        for hunk in &file.hunks {
            all.push_str(&hunk.header);
            all.push('\n');
            for line in &hunk.lines {
                all.push_str(&line.text);
                all.push('\n');
            }
        }
    }
    all
}

/// Every part of a name stands somewhere in what it was taken from, which is [`spoken`] once and for all names.
pub fn assert_occurs(name: &str, all: &str) {
    let name = spoken(name);
    for part in name.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$')).filter(|part| !part.is_empty()) {
        assert!(all.contains(part), "{part:?} of {name:?} occurs nowhere");
    }
}

/// One printable line.
pub fn assert_line(text: &str) {
    assert!(!text.chars().any(char::is_control), "control characters in {text:?}");
    assert_eq!(text.trim(), text, "blanks around {text:?}");
}
