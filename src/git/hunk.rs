//! Diff hunks between two versions of a file, each headed by the definition that encloses its first change.

use git2::{DiffLineType, DiffOptions};

use super::{GitError, text};
use crate::domain::patch::{Hunk, Line, Origin};
use crate::facts::language::{Language, SymbolKind};
use crate::facts::layout::{indent, is_margin};

/// The changed lines of one file.
#[derive(Debug, Default)]
pub struct Diffed {
    pub insertions: u64,
    pub deletions: u64,
    pub hunks: Vec<Hunk>,
    /// Bytes of text in `hunks`.
    pub kept: usize,
    /// Whether `hunks` holds every changed line in full.
    pub whole: bool,
}

/// Limits for diff text and line length (bytes).
#[derive(Debug, Clone, Copy)]
pub struct Room {
    pub patch_bytes: usize,
    pub line_bytes: usize,
}

/// Git's binary heuristic looks for a NUL in this many bytes.
const BINARY_PROBE: usize = 8000;
/// How far above a change the enclosing definition is searched (lines).
const ENCLOSING_REACH: usize = 1000;

#[must_use]
pub fn is_binary(content: &[u8]) -> bool {
    content[..content.len().min(BINARY_PROBE)].contains(&0)
}

/// Diffs two versions of the file at `path`, independent of configuration: libgit2 sees only the buffers.
pub fn diff(path: &str, old: &[u8], new: &[u8], room: Room) -> Result<Diffed, GitError> {
    let mut options = DiffOptions::new();
    options.context_lines(3).force_text(true).indent_heuristic(true);
    let failed = |error| GitError::git("cannot diff a file", error);
    let patch = git2::Patch::from_buffers(old, None, new, None, Some(&mut options)).map_err(failed)?;
    let (_, insertions, deletions) = patch.line_stats().map_err(failed)?;
    let mut diffed =
        Diffed { insertions: insertions as u64, deletions: deletions as u64, whole: true, ..Diffed::default() };
    let mut sides = Sides { language: Language::of(path), old: Version::of(old), new: Version::of(new) };
    for at in 0..patch.num_hunks() {
        if diffed.kept >= room.patch_bytes {
            diffed.whole = false;
            break;
        }
        let hunk = hunk(&patch, at, &mut diffed, room).map_err(failed)?;
        let header = sides.header(&hunk.1);
        diffed.kept += header.len();
        diffed.hunks.push(Hunk { header: text::line(header, room.line_bytes), ..hunk.0 });
    }
    Ok(diffed)
}

/// Line index of a hunk's first change, from zero.
enum First {
    Old(usize),
    New(usize),
}

fn hunk(patch: &git2::Patch<'_>, at: usize, diffed: &mut Diffed, room: Room) -> Result<(Hunk, First), git2::Error> {
    let (meta, count) = patch.hunk(at)?;
    let mut lines = Vec::new();
    let mut first = None;
    for number in 0..count {
        let line = patch.line_in_hunk(at, number)?;
        let index = |number: Option<u32>| number.map_or(0, |n| n.saturating_sub(1) as usize);
        let (origin, place) = match line.origin_value() {
            DiffLineType::Addition => (Origin::Added, Some(First::New(index(line.new_lineno())))),
            DiffLineType::Deletion => (Origin::Removed, Some(First::Old(index(line.old_lineno())))),
            DiffLineType::Context => (Origin::Context, None),
            _ => continue,
        };
        let blank = line.content().trim_ascii().is_empty();
        first = first.or(place.filter(|_| !blank));
        if diffed.kept >= room.patch_bytes {
            diffed.whole = false;
            break;
        }
        let text = text::line(line.content(), room.line_bytes);
        diffed.whole &= line.content().len() <= room.line_bytes;
        diffed.kept += text.len() + 1;
        lines.push(Line { origin, text });
    }
    let first = first.unwrap_or(First::New(meta.new_start().saturating_sub(1) as usize));
    Ok((Hunk { header: String::new(), old_start: meta.old_start(), new_start: meta.new_start(), lines }, first))
}

struct Sides<'a> {
    language: Option<Language>,
    old: Version<'a>,
    new: Version<'a>,
}

impl<'a> Sides<'a> {
    fn header(&mut self, first: &First) -> &'a [u8] {
        match first {
            First::Old(line) => self.old.enclosing(*line, self.language),
            First::New(line) => self.new.enclosing(*line, self.language),
        }
    }
}

/// One version of a file; its line starts are computed on first use.
struct Version<'a> {
    content: &'a [u8],
    lines: Option<Vec<&'a [u8]>>,
}

impl<'a> Version<'a> {
    fn of(content: &'a [u8]) -> Self {
        Self { content, lines: None }
    }

    /// The line above `line` that opens the enclosing definition; empty where none is recognised.
    ///
    /// Going up, only lines with less indentation than all lines seen so far can enclose. Git itself takes the nearest
    /// line that looks like a definition, which names the neighbour for a change between two functions.
    fn enclosing(&mut self, line: usize, language: Option<Language>) -> &'a [u8] {
        let content = self.content;
        let lines = self.lines.get_or_insert_with(|| content.split(|byte| *byte == b'\n').collect());
        let Some(mut narrowest) = lines.get(line).map(|line| indent(line)) else { return b"" };
        for above in lines[..line].iter().rev().take(ENCLOSING_REACH) {
            if narrowest == 0 {
                break;
            }
            if above.trim_ascii().is_empty() || indent(above) >= narrowest || is_margin(above) {
                continue;
            }
            narrowest = indent(above);
            if opens_definition(above, language) {
                return above;
            }
        }
        b""
    }
}

fn opens_definition(line: &[u8], language: Option<Language>) -> bool {
    let Some(language) = language else {
        // Git's own rule for unknown languages.
        return line.first().is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, b'_' | b'$'));
    };
    let text = String::from_utf8_lossy(&line[..line.len().min(400)]);
    language.definition(&text).is_some_and(|found| found.kind != SymbolKind::Constant)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { patch_bytes: 64 << 10, line_bytes: 1 << 10 };

    fn headers(path: &str, old: &str, new: &str) -> Vec<String> {
        let diffed = diff(path, old.as_bytes(), new.as_bytes(), ROOM).unwrap();
        diffed.hunks.into_iter().map(|hunk| hunk.header).collect()
    }

    #[test]
    fn a_hunk_is_headed_by_the_method_around_it() {
        let old = "impl Router {\n    fn choose(&self) {\n        a();\n        b();\n        c();\n        d();\n        e();\n    }\n}\n";
        assert_eq!(headers("a.rs", old, &old.replace("e();", "f();")), ["    fn choose(&self) {"]);
        assert_eq!(headers("a.rs", old, &old.replace("    }\n", "    }\n\n    fn next() {}\n")), ["impl Router {"]);
    }

    #[test]
    fn a_change_between_two_functions_names_neither() {
        let old = "fn a() {\n    x();\n}\n\nconst N: u8 = 1;\n\nfn b() {\n    y();\n}\n";
        assert_eq!(headers("a.rs", old, &old.replace("= 1", "= 2")), [""]);
    }

    #[test]
    fn an_unknown_language_uses_gits_rule() {
        let old = "section one\n  a\n  b\n  c\n  d\n  e\n";
        assert_eq!(headers("notes.xyz", old, &old.replace("  e", "  f")), ["section one"]);
    }

    #[test]
    fn counts_are_complete_where_text_is_cut() {
        let new: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        let room = Room { patch_bytes: 100, line_bytes: 50 };
        let diffed = diff("a.txt", b"", new.as_bytes(), room).unwrap();
        assert_eq!((diffed.insertions, diffed.deletions, diffed.whole), (1000, 0, false));
        assert!(diffed.kept < 120, "{}", diffed.kept);
    }

    #[test]
    fn a_cut_line_is_not_the_whole_line() {
        let room = Room { patch_bytes: 1000, line_bytes: 10 };
        let diffed = diff("a.txt", b"", b"0123456789abcdef\n", room).unwrap();
        assert!(!diffed.whole);
        assert_eq!(diffed.hunks[0].lines[0].text, "0123456789");
    }

    #[test]
    fn a_missing_newline_at_the_end_is_no_line() {
        let diffed = diff("a.txt", b"a", b"b", ROOM).unwrap();
        let origins: Vec<_> = diffed.hunks[0].lines.iter().map(|line| line.origin).collect();
        assert_eq!(origins, [Origin::Removed, Origin::Added]);
        assert!(diffed.whole);
    }

    #[test]
    fn a_nul_in_the_first_8000_bytes_is_binary() {
        assert!(is_binary(b"a\0b"));
        let mut late = vec![b'a'; 9000];
        late[8500] = 0;
        assert!(!is_binary(&late));
    }
}
