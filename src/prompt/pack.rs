//! The patch within a room: what matters first, a fair share for each file, and a word about what was left out.

use super::listing::list;
use super::shares::shares;
use super::text::{cut, plural, short};
use super::weight::{Class, Definitions, Tier, weight};
use crate::domain::patch::{FileChange, Hunk, Line, Origin, Patch};
use crate::facts::symbols::Symbol;

/// A patch as a model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// One line per file.
    pub files: String,
    /// Hunks of the files that got a share.
    pub patch: String,
    /// What is missing, in words; empty when nothing is.
    pub left_out: String,
    pub missing: Missing,
}

/// How much room there is for list and patch together, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// What is used.
    pub aim: usize,
    /// What is used where that shows all changed lines of the source.
    pub most: usize,
}

/// What could not be shown, noise aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missing {
    /// Files of which no line is shown, and their changed lines.
    pub files: usize,
    pub lines_of_files: usize,
    /// Changed lines of files that are shown in part.
    pub lines: usize,
    /// The patch could not be read at all.
    pub unread: bool,
}

/// The count of what is left over may exceed the room by so many bytes.
pub const SLACK: usize = 40;

/// Packs a patch whose definitions are `symbols`.
#[must_use]
pub fn pack(patch: &Patch, symbols: &[Symbol], room: Room) -> Packed {
    let files = list(patch, room.aim / 3);
    let mut sheets = sheets(patch, symbols);
    let (aim, most) = (room.aim.saturating_sub(files.len()), room.most.saturating_sub(files.len()));
    let mut source = source_bytes(&sheets);
    if source > most {
        sheets.iter_mut().for_each(Sheet::tighten);
        source = source_bytes(&sheets);
    }
    let left = allot(&mut sheets, if (aim..=most).contains(&source) { source } else { aim });
    widen(&mut sheets, left);
    let missing = missing(&sheets, patch);
    Packed { files, patch: sheets.iter().map(Sheet::text).collect(), left_out: missing.words(), missing }
}

fn source_bytes(sheets: &[Sheet<'_>]) -> usize {
    sheets.iter().filter(|sheet| sheet.class == Class::Source).map(Sheet::bare).sum()
}

/// A file whose hunks can be shown.
struct Sheet<'a> {
    file: &'a FileChange,
    class: Class,
    head: String,
    pieces: Vec<Piece<'a>>,
}

/// One hunk of it, and how much of it is shown.
struct Piece<'a> {
    hunk: &'a Hunk,
    tier: Tier,
    /// Without context.
    bare: String,
    shown: Shown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// So many bytes of `bare`.
    Bare(usize),
    /// With context.
    Full,
}

impl Piece<'_> {
    fn text(&self) -> String {
        match self.shown {
            Shown::Bare(bytes) => self.bare[..bytes].to_owned(),
            Shown::Full => hunk_text(self.hunk, true),
        }
    }

    fn is_shown(&self) -> bool {
        self.shown != Shown::Bare(0)
    }

    fn missing_lines(&self) -> usize {
        match self.shown {
            Shown::Bare(bytes) => changed_lines(&self.bare[bytes..]),
            Shown::Full => 0,
        }
    }
}

impl Sheet<'_> {
    fn bare(&self) -> usize {
        self.head.len() + self.pieces.iter().map(|piece| piece.bare.len()).sum::<usize>()
    }

    /// Takes the indentation that all changed lines of a hunk share out of them.
    fn tighten(&mut self) {
        for piece in &mut self.pieces {
            let changed = piece.hunk.lines.iter().filter(|line| line.origin != Origin::Context);
            let shared = shared_indent(changed.map(|line| line.text.as_str()));
            let lines = piece.bare.split_inclusive('\n');
            let tight = |line: &str| match line.split_at_checked(1) {
                Some((mark @ ("+" | "-"), text)) => format!("{mark}{}", text.strip_prefix(shared).unwrap_or(text)),
                _ => line.to_owned(),
            };
            piece.bare = lines.map(tight).collect();
        }
    }

    fn is_shown(&self) -> bool {
        self.pieces.iter().any(Piece::is_shown)
    }

    fn best(&self) -> Tier {
        self.pieces.iter().map(|piece| piece.tier).min().unwrap_or(Tier::Rest)
    }

    fn text(&self) -> String {
        if !self.is_shown() {
            return String::new();
        }
        std::iter::once(self.head.clone()).chain(self.pieces.iter().map(Piece::text)).collect()
    }

    /// Gives what it needs of `room` to the hunks of a tier; gives what was used.
    fn take(&mut self, tier: Tier, room: usize) -> usize {
        let head = if self.is_shown() { 0 } else { self.head.len() };
        let mut pieces: Vec<&mut Piece<'_>> = self.pieces.iter_mut().filter(|piece| piece.tier == tier).collect();
        let needs: Vec<usize> = pieces.iter().map(|piece| piece.bare.len()).collect();
        let mut used = 0;
        for (piece, share) in pieces.iter_mut().zip(shares(&needs, room.saturating_sub(head))) {
            let bytes = whole_lines(&piece.bare, share);
            piece.shown = Shown::Bare(bytes);
            used += bytes;
        }
        if used == 0 { 0 } else { head + used }
    }

    fn need(&self, tier: Tier) -> usize {
        let pieces: usize = self.pieces.iter().filter(|piece| piece.tier == tier).map(|piece| piece.bare.len()).sum();
        if self.is_shown() || pieces == 0 { pieces } else { self.head.len() + pieces }
    }
}

/// In the order in which they are shown.
fn sheets<'a>(patch: &'a Patch, symbols: &'a [Symbol]) -> Vec<Sheet<'a>> {
    let definitions = Definitions::of(symbols);
    let readable = patch.files.iter().filter(|file| !file.hunks.is_empty());
    let weighed = readable.map(|file| (weight(file).class, file)).filter(|(class, _)| *class != Class::Noise);
    let mut sheets: Vec<Sheet<'_>> = weighed
        .map(|(class, file)| Sheet {
            file,
            class,
            head: format!("--- {}\n", short(&file.path)),
            pieces: file.hunks.iter().map(|hunk| piece(&definitions, file, hunk)).collect(),
        })
        .collect();
    sheets.sort_by_key(|sheet| (sheet.class, sheet.best()));
    sheets
}

fn piece<'a>(definitions: &Definitions<'_>, file: &FileChange, hunk: &'a Hunk) -> Piece<'a> {
    Piece { hunk, tier: definitions.tier(file, hunk), bare: hunk_text(hunk, false), shown: Shown::Bare(0) }
}

/// Shows changed lines, class after class and tier after tier; gives what is left of the room.
fn allot(sheets: &mut [Sheet<'_>], room: usize) -> usize {
    let mut left = room;
    for class in [Class::Source, Class::Tests, Class::Docs, Class::Settings] {
        for tier in [Tier::Public, Tier::Internal, Tier::Rest] {
            let mut level: Vec<&mut Sheet<'_>> = sheets.iter_mut().filter(|sheet| sheet.class == class).collect();
            level.retain(|sheet| sheet.need(tier) > 0);
            let needs: Vec<usize> = level.iter().map(|sheet| sheet.need(tier)).collect();
            for (sheet, share) in level.iter_mut().zip(shares(&needs, left)) {
                left = left.saturating_sub(sheet.take(tier, share));
            }
        }
    }
    left
}

/// Shows context too as far as there is room, in the same order.
fn widen(sheets: &mut [Sheet<'_>], mut left: usize) {
    for piece in sheets.iter_mut().flat_map(|sheet| &mut sheet.pieces) {
        let more = hunk_text(piece.hunk, true).len().saturating_sub(piece.bare.len());
        if piece.shown == Shown::Bare(piece.bare.len()) && more <= left {
            piece.shown = Shown::Full;
            left -= more;
        }
    }
}

fn missing(sheets: &[Sheet<'_>], patch: &Patch) -> Missing {
    let mut missing = Missing { unread: patch.truncated && patch.files.is_empty(), ..Missing::default() };
    for sheet in sheets {
        let lines = unread_lines(sheet.file) + sheet.pieces.iter().map(Piece::missing_lines).sum::<usize>();
        if sheet.is_shown() {
            missing.lines += lines;
        } else if lines > 0 {
            missing.files += 1;
            missing.lines_of_files += lines;
        }
    }
    missing
}

/// Changed lines that were counted but not kept when the patch was read.
fn unread_lines(file: &FileChange) -> usize {
    let kept = file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin != Origin::Context).count();
    let counted = file.insertions.zip(file.deletions).map_or(0, |(added, removed)| added.saturating_add(removed));
    usize::try_from(counted).unwrap_or(usize::MAX).saturating_sub(kept)
}

impl Missing {
    fn words(&self) -> String {
        let mut parts = Vec::new();
        if self.files > 0 {
            let (files, lines) = (plural(self.files, "file"), plural(self.lines_of_files, "line"));
            let patches = if self.files == 1 { "the patch" } else { "the patches" };
            parts.push(format!("{patches} of {} more {files} ({} {lines})", self.files, self.lines_of_files));
        }
        if self.lines > 0 {
            parts.push(format!("{} more {} of the files above", self.lines, plural(self.lines, "line")));
        }
        if self.unread {
            parts.push("the patch, which could not be read".to_owned());
        }
        if parts.is_empty() { String::new() } else { format!("Not shown: {}.", parts.join(", ")) }
    }
}

/// The blanks that all lines start with which hold anything else.
fn shared_indent<'a>(lines: impl Iterator<Item = &'a str>) -> &'a str {
    let indent = |line: &'a str| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    let shared = lines.filter(|line| !line.trim().is_empty()).map(indent).reduce(|one, other| {
        let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        &one[..same]
    });
    shared.unwrap_or("")
}

/// Bytes of as many whole lines as fit; a lone `@@` line says nothing.
fn whole_lines(hunk: &str, share: usize) -> usize {
    if hunk.len() <= share {
        return hunk.len();
    }
    let end = cut(hunk, share).rfind('\n').map_or(0, |at| at + 1);
    if hunk[..end].lines().count() > 1 { end } else { 0 }
}

fn changed_lines(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with(['+', '-'])).count()
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

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
