//! The patch under a token budget: a fair share for each file, and a word about what was left out.

use std::fmt::Write as _;

use super::tokens::bytes_in;
use super::weight::{Weight, weight};
use crate::domain::patch::{Change, FileChange, Hunk, Line, Origin, Patch};

/// Most files that are listed by name.
const LISTED: usize = 40;
/// Longest line, in characters; the rest says little.
const LINE: usize = 240;
/// A file's share below which nothing of it is shown, in bytes: a path and two lines.
const LEAST: usize = 120;

/// A patch as a model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// One line per file.
    pub files: String,
    /// Hunks of the files that got a share.
    pub patch: String,
    /// What is missing, in words; empty when nothing is.
    pub left_out: String,
}

/// Packs a patch into about `budget` tokens, the list of files included.
#[must_use]
pub fn pack(patch: &Patch, budget: u32) -> Packed {
    let files = list(patch, bytes_in(budget) / 3);
    let room = bytes_in(budget).saturating_sub(files.len());
    let mut shown = readable(patch);
    shown.sort_by_key(|(weight, _)| *weight);
    let needs: Vec<(Weight, usize)> = shown.iter().map(|(weight, file)| (*weight, whole(file).len())).collect();
    let mut text = String::new();
    let mut missing = Missing::default();
    for (((_, file), (_, need)), share) in shown.iter().zip(&needs).zip(shares(&needs, room)) {
        if share < LEAST.min(*need) {
            missing.files += 1;
            continue;
        }
        let (part, lines) = fit(file, share);
        text.push_str(&part);
        missing.lines += lines;
    }
    missing.unread = patch.truncated;
    Packed { files, patch: text, left_out: missing.words() }
}

#[derive(Debug, Default)]
struct Missing {
    files: usize,
    lines: usize,
    unread: bool,
}

impl Missing {
    fn words(&self) -> String {
        let mut parts = Vec::new();
        if self.files > 0 {
            parts.push(format!("the patches of {} more {}", self.files, plural(self.files, "file")));
        }
        if self.lines > 0 {
            parts.push(format!("{} more {} of the files above", self.lines, plural(self.lines, "line")));
        }
        if self.unread && parts.is_empty() {
            parts.push("parts of a very large patch".to_owned());
        }
        if parts.is_empty() { String::new() } else { format!("Not shown: {}.", parts.join(", ")) }
    }
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

fn readable(patch: &Patch) -> Vec<(Weight, &FileChange)> {
    let weighed = patch.files.iter().map(|file| (weight(file), file));
    weighed.filter(|(weight, file)| !matches!(weight, Weight::Named(_)) && !file.hunks.is_empty()).collect()
}

fn list(patch: &Patch, most: usize) -> String {
    let mut text = String::new();
    let mut listed = 0;
    for file in patch.files.iter().take(LISTED) {
        let line = entry(file);
        if listed > 0 && text.len() + line.len() > most {
            break;
        }
        text.push_str(&line);
        listed += 1;
    }
    let more = patch.files_total.max(patch.files.len()) - listed;
    if more > 0 {
        let _infallible = writeln!(text, "and {more} more {}", plural(more, "file"));
    }
    text
}

fn entry(file: &FileChange) -> String {
    let mut line = format!("{} {}", verb(file.change), file.path);
    if let Some(old) = file.old_path.as_deref().filter(|old| *old != file.path) {
        let _infallible = write!(line, " (from {old})");
    }
    if let (Some(added), Some(removed)) = (file.insertions, file.deletions) {
        let _infallible = write!(line, " +{added} -{removed}");
    }
    if let Weight::Named(what) = weight(file) {
        let _infallible = write!(line, ", {what}");
    }
    if file.mode_changed {
        line.push_str(", mode changed");
    }
    line.push('\n');
    line
}

fn verb(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Deleted => "deleted",
        Change::Modified => "modified",
        Change::Renamed => "renamed",
        Change::Copied => "copied",
        Change::TypeChanged => "changed the type of",
    }
}

/// Bytes per file: class after class, and within a class small files whole before large ones are cut.
fn shares(needs: &[(Weight, usize)], mut room: usize) -> Vec<usize> {
    let mut shares = vec![0; needs.len()];
    let mut from = 0;
    while from < needs.len() {
        let class = needs[from..].iter().take_while(|(weight, _)| *weight == needs[from].0).count();
        let mut order: Vec<usize> = (from..from + class).collect();
        order.sort_by_key(|at| needs[*at].1);
        for (done, at) in order.iter().enumerate() {
            let fair = room / (class - done);
            shares[*at] = needs[*at].1.min(fair);
            room -= shares[*at];
        }
        from += class;
    }
    shares
}

/// The file within `share` bytes, and how many changed lines that left out:
/// whole; else without context; else the hunks cut, each to its fair share.
fn fit(file: &FileChange, share: usize) -> (String, usize) {
    let text = whole(file);
    if text.len() <= share {
        return (text, 0);
    }
    let mut text = head(file);
    let bare: Vec<String> = file.hunks.iter().map(|hunk| hunk_text(hunk, false)).collect();
    let needs: Vec<(Weight, usize)> = bare.iter().map(|hunk| (Weight::Source, hunk.len())).collect();
    let mut left_out = 0;
    for (hunk, share) in bare.iter().zip(shares(&needs, share.saturating_sub(text.len()))) {
        let (part, lines) = cut(hunk, share);
        text.push_str(part);
        left_out += lines;
    }
    (text, left_out)
}

/// As many whole lines as fit; a lone `@@` line says nothing.
fn cut(hunk: &str, share: usize) -> (&str, usize) {
    if hunk.len() <= share {
        return (hunk, 0);
    }
    let mut end = share;
    while !hunk.is_char_boundary(end) {
        end -= 1;
    }
    let end = hunk[..end].rfind('\n').map_or(0, |at| at + 1);
    let kept = &hunk[..end];
    let kept = if kept.lines().count() > 1 { kept } else { "" };
    let changed = |text: &str| text.lines().filter(|line| line.starts_with(['+', '-'])).count();
    (kept, changed(&hunk[kept.len()..]))
}

fn whole(file: &FileChange) -> String {
    let mut text = head(file);
    file.hunks.iter().for_each(|hunk| text.push_str(&hunk_text(hunk, true)));
    text
}

fn head(file: &FileChange) -> String {
    format!("--- {}\n", file.path)
}

fn hunk_text(hunk: &Hunk, context: bool) -> String {
    let header = hunk.header.trim();
    let mut text = if header.is_empty() { "@@\n".to_owned() } else { format!("@@ {}\n", short(header)) };
    for line in hunk.lines.iter().filter(|line| context || line.origin != Origin::Context) {
        text.push_str(&line_text(line));
    }
    text
}

fn line_text(line: &Line) -> String {
    let mark = match line.origin {
        Origin::Added => '+',
        Origin::Removed => '-',
        Origin::Context => ' ',
    };
    format!("{mark}{}\n", short(line.text.trim_end()))
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::patch::Unread;
    use crate::prompt::tokens::estimate;

    fn file(path: &str, lines: usize) -> FileChange {
        let text = |at| Line { origin: Origin::Added, text: format!("line {at} of {path} with some words in it") };
        FileChange {
            path: path.into(),
            old_path: None,
            change: Change::Modified,
            mode_changed: false,
            insertions: Some(lines as u64),
            deletions: Some(0),
            hunks: vec![Hunk {
                header: "fn main()".into(),
                old_start: 1,
                new_start: 1,
                lines: (0..lines).map(text).collect(),
            }],
            unread: None,
            texts: None,
        }
    }

    fn patch(files: Vec<FileChange>) -> Patch {
        Patch { files_total: files.len(), files, ..Patch::default() }
    }

    #[test]
    fn a_small_patch_is_shown_whole() {
        let packed = pack(&patch(vec![file("src/a.rs", 2)]), 400);
        insta::assert_snapshot!(format!("{}{}{}", packed.files, packed.patch, packed.left_out), @r"
        modified src/a.rs +2 -0
        --- src/a.rs
        @@ fn main()
        +line 0 of src/a.rs with some words in it
        +line 1 of src/a.rs with some words in it
        ");
    }

    #[test]
    fn the_budget_holds_whatever_the_patch() {
        for budget in [0, 50, 200, 400, 1500] {
            let files = (0..60).map(|at| file(&format!("src/module_{at}.rs"), at * 7)).collect();
            let packed = pack(&patch(files), budget);
            assert!(estimate(&packed.patch) + estimate(&packed.files) <= budget + 50, "{budget}");
        }
    }

    #[test]
    fn source_comes_before_tests_docs_and_settings() {
        let files = vec![file("Cargo.toml", 3), file("README.md", 3), file("tests/a.rs", 3), file("src/a.rs", 3)];
        let packed = pack(&patch(files), 2000);
        let heads: Vec<&str> = packed.patch.lines().filter(|line| line.starts_with("---")).collect();
        assert_eq!(heads, ["--- src/a.rs", "--- tests/a.rs", "--- README.md", "--- Cargo.toml"]);
    }

    #[test]
    fn a_large_file_does_not_push_out_a_small_one() {
        let packed = pack(&patch(vec![file("src/large.rs", 500), file("src/small.rs", 3)]), 400);
        assert!(packed.patch.contains("line 2 of src/small.rs"));
        assert!(packed.patch.contains("line 0 of src/large.rs"));
        assert!(packed.left_out.contains("more lines"), "{}", packed.left_out);
    }

    #[test]
    fn locks_generated_and_unread_files_are_one_line() {
        let mut binary = file("logo.png", 1);
        binary.unread = Some(Unread::Binary);
        let packed = pack(&patch(vec![file("Cargo.lock", 90), binary, file("dist/a.js", 5)]), 900);
        assert_eq!(packed.patch, "");
        assert_eq!(
            packed.files,
            "modified Cargo.lock +90 -0, written by a tool\nmodified logo.png +1 -0, binary\nmodified dist/a.js +5 -0, written by a tool\n"
        );
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let files = (0..200).map(|at| file(&format!("src/m{at}.rs"), 30)).collect();
        let packed = pack(&patch(files), 300);
        assert!(packed.files.ends_with("more files\n"));
        assert!(packed.left_out.starts_with("Not shown: the patches of "), "{}", packed.left_out);
    }

    #[test]
    fn the_same_patch_gives_the_same_bytes() {
        let make = || pack(&patch(vec![file("src/a.rs", 50), file("src/b.rs", 50)]), 300);
        assert_eq!(make(), make());
    }
}
