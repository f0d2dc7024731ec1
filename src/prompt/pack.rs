//! Packs a patch into a byte budget: most important parts first, a fair share per file, and a note about omissions.

use std::collections::HashSet;

use super::priority::{Definitions, FileClass, Tier, file_priority};
use super::text::{cut, plural, short};
use crate::domain::patch::{FileChange, Hunk, LineOrigin, Patch, PatchLine};
use crate::facts::symbols::Symbol;

/// A patch in the form that a model reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedPatch {
    /// Hunks of the files that got a share.
    pub patch: String,
    /// The omissions in words; empty when complete.
    pub left_out: String,
    pub missing: OmittedContent,
}

/// Omitted content, without noise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OmittedContent {
    /// Files without any shown line, and their changed lines.
    pub files: usize,
    pub lines_of_files: usize,
    /// Omitted changed lines of partly shown files.
    pub lines: usize,
    /// The patch could not be read at all.
    pub unread: bool,
}

/// The changed lines of a patch with the definitions `symbols`, in at most `room` bytes. Context lines are omitted: a
/// model would describe them as changed.
#[must_use]
pub fn pack_patch(patch: &Patch, symbols: &[Symbol], room: usize) -> PackedPatch {
    let mut sheets = sheets(patch, symbols);
    sheets.iter_mut().for_each(FileSheet::tighten);
    allot(&mut sheets, room);
    let missing = count_omitted(&sheets, patch);
    PackedPatch { patch: sheets.iter().map(FileSheet::text).collect(), left_out: missing.words(), missing }
}

/// Minimum budget for a file: its path, a header and two lines; and for a hunk: a header and a line (bytes).
const FILE: usize = 150;
const HUNK: usize = 100;

/// A file with hunks to show.
struct FileSheet<'a> {
    file: &'a FileChange,
    class: FileClass,
    head: String,
    pieces: Vec<HunkPiece>,
}

/// One of its hunks, and the number of bytes shown.
struct HunkPiece {
    tier: Tier,
    text: String,
    shown: usize,
}

impl HunkPiece {
    fn text(&self) -> &str {
        &self.text[..self.shown]
    }

    fn missing_lines(&self) -> usize {
        changed_lines(&self.text[self.shown..])
    }
}

impl FileSheet<'_> {
    /// Removes the common indentation of a hunk's changed lines.
    fn tighten(&mut self) {
        for piece in &mut self.pieces {
            let changed = piece.text.lines().filter(|line| line.starts_with(['+', '-']));
            let shared = shared_indent(changed.map(|line| &line[1..])).to_owned();
            let lines = piece.text.split_inclusive('\n');
            let tight = |line: &str| match line.split_at_checked(1) {
                Some((mark @ ("+" | "-"), text)) => format!("{mark}{}", text.strip_prefix(&shared).unwrap_or(text)),
                _ => line.to_owned(),
            };
            piece.text = lines.map(tight).collect();
        }
    }

    fn is_shown(&self) -> bool {
        self.pieces.iter().any(|piece| piece.shown > 0)
    }

    fn best(&self) -> Tier {
        self.pieces.iter().map(|piece| piece.tier).min().unwrap_or(Tier::Rest)
    }

    fn text(&self) -> String {
        if !self.is_shown() {
            return String::new();
        }
        std::iter::once(self.head.as_str()).chain(self.pieces.iter().map(HunkPiece::text)).collect()
    }

    /// Distributes `room` among the hunks of a tier; returns the bytes used.
    fn allot_tier(&mut self, tier: Tier, room: usize) -> usize {
        let head = if self.is_shown() { 0 } else { self.head.len() };
        let mut pieces: Vec<&mut HunkPiece> = self.pieces.iter_mut().filter(|piece| piece.tier == tier).collect();
        let needs: Vec<usize> = pieces.iter().map(|piece| piece.text.len()).collect();
        let mut used = 0;
        for (piece, share) in pieces.iter_mut().zip(shares(&needs, room.saturating_sub(head), HUNK)) {
            piece.shown = whole_lines(&piece.text, share);
            used += piece.shown;
        }
        if used == 0 { 0 } else { head + used }
    }

    fn need(&self, tier: Tier) -> usize {
        let pieces: usize = self.pieces.iter().filter(|piece| piece.tier == tier).map(|piece| piece.text.len()).sum();
        if self.is_shown() || pieces == 0 { pieces } else { self.head.len() + pieces }
    }
}

/// In display order.
fn sheets<'a>(patch: &'a Patch, symbols: &'a [Symbol]) -> Vec<FileSheet<'a>> {
    let definitions = Definitions::of(symbols);
    let readable = patch.files.iter().filter(|file| !file.hunks.is_empty());
    let weighed =
        readable.map(|file| (file_priority(file).class, file)).filter(|(class, _)| *class != FileClass::Noise);
    let mut sheets: Vec<FileSheet<'_>> = weighed
        .map(|(class, file)| FileSheet {
            file,
            class,
            head: format!("--- {}\n", short(&file.path)),
            pieces: file.hunks.iter().map(|hunk| piece(&definitions, file, hunk)).collect(),
        })
        .collect();
    sheets.sort_by_key(|sheet| (sheet.class, sheet.best()));
    sheets
}

fn piece(definitions: &Definitions<'_>, file: &FileChange, hunk: &Hunk) -> HunkPiece {
    HunkPiece { tier: definitions.tier(file, hunk), text: hunk_text(hunk), shown: 0 }
}

/// Selects changed lines, class by class and tier by tier.
fn allot(sheets: &mut [FileSheet<'_>], room: usize) {
    let mut left = room;
    for class in [FileClass::Source, FileClass::Tests, FileClass::Docs, FileClass::Settings] {
        for tier in [Tier::Public, Tier::Internal, Tier::Rest] {
            let mut level: Vec<&mut FileSheet<'_>> = sheets.iter_mut().filter(|sheet| sheet.class == class).collect();
            level.retain(|sheet| sheet.need(tier) > 0);
            let needs: Vec<usize> = level.iter().map(|sheet| sheet.need(tier)).collect();
            for (sheet, share) in level.iter_mut().zip(shares(&needs, left, FILE)) {
                left = left.saturating_sub(sheet.allot_tier(tier, share));
            }
        }
    }
}

fn count_omitted(sheets: &[FileSheet<'_>], patch: &Patch) -> OmittedContent {
    let mut missing = OmittedContent { unread: patch.truncated && patch.files.is_empty(), ..OmittedContent::default() };
    for sheet in sheets {
        let lines = unread_lines(sheet.file) + sheet.pieces.iter().map(HunkPiece::missing_lines).sum::<usize>();
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
    let kept = file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin != LineOrigin::Context).count();
    let counted = file.insertions.zip(file.deletions).map_or(0, |(added, removed)| added.saturating_add(removed));
    usize::try_from(counted).unwrap_or(usize::MAX).saturating_sub(kept)
}

impl OmittedContent {
    fn words(&self) -> String {
        let mut parts = Vec::new();
        if self.files > 0 {
            let (files, lines) = (plural(self.files, "file"), plural(self.lines_of_files, "line"));
            parts.push(format!("{} {lines} of {} more {files}", self.lines_of_files, self.files));
        }
        if self.lines > 0 {
            parts.push(format!("{} more {}", self.lines, plural(self.lines, "line")));
        }
        if self.unread {
            parts.push("the patch, which could not be read".to_owned());
        }
        if parts.is_empty() { String::new() } else { format!("Not shown: {}.", parts.join(", ")) }
    }
}

/// The common leading whitespace of all non-blank lines.
fn shared_indent<'a>(lines: impl Iterator<Item = &'a str>) -> &'a str {
    let indent = |line: &'a str| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    let shared = lines.filter(|line| !line.trim().is_empty()).map(indent).reduce(|one, other| {
        let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        &one[..same]
    });
    shared.unwrap_or("")
}

/// Bytes of the complete lines that fit; a `@@` line alone is omitted.
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

/// The header and the changed lines with content; empty where there are none.
fn hunk_text(hunk: &Hunk) -> String {
    let header = hunk.header.trim();
    let mut text = if header.is_empty() { "@@\n".to_owned() } else { format!("@@ {}\n", short(header)) };
    let changed: Vec<&PatchLine> = hunk.lines.iter().filter(|line| line.origin != LineOrigin::Context).collect();
    let realigned = realigned(&changed);
    let mut shown = false;
    for line in paired(&changed) {
        if has_words(&line.text) && !realigned.contains(&bare(&line.text)) {
            text.push_str(&line_text(line));
            shown = true;
        }
    }
    if shown { text } else { String::new() }
}

/// Interleaves removed and added lines of a run, so that a truncated hunk shows both.
fn paired<'a>(changed: &[&'a PatchLine]) -> Vec<&'a PatchLine> {
    let mut lines = Vec::with_capacity(changed.len());
    let same = |one: &&PatchLine, other: &&PatchLine| one.origin == other.origin || other.origin == LineOrigin::Added;
    for block in changed.chunk_by(same) {
        let (added, removed): (Vec<&PatchLine>, Vec<&PatchLine>) =
            block.iter().partition(|line| line.origin == LineOrigin::Added);
        for at in 0..added.len().max(removed.len()) {
            lines.extend(removed.get(at).into_iter().chain(added.get(at)));
        }
    }
    lines
}

/// Lines that differ between the sides only in whitespace.
fn realigned(changed: &[&PatchLine]) -> HashSet<String> {
    let (added, removed): (Vec<&PatchLine>, Vec<&PatchLine>) =
        changed.iter().partition(|line| line.origin == LineOrigin::Added);
    let old: HashSet<String> = removed.iter().map(|line| bare(&line.text)).collect();
    added.iter().map(|line| bare(&line.text)).filter(|text| old.contains(text)).collect()
}

/// Without whitespace.
fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Whether it has more than brackets and whitespace.
fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn line_text(line: &PatchLine) -> String {
    let mark = match line.origin {
        LineOrigin::Added => '+',
        LineOrigin::Removed => '-',
        LineOrigin::Context => ' ',
    };
    format!("{mark}{}\n", short(line.text.trim_end()))
}

/// Fair division of a budget: small needs are met fully before large ones are cut. The share of each in `room`, in order where there is not enough for `least` each: no smaller share is given, unless
/// less is needed. All in bytes.
fn shares(needs: &[usize], room: usize, least: usize) -> Vec<usize> {
    let mut shares = vec![0; needs.len()];
    let mut order: Vec<usize> = (0..served(needs, room, least)).collect();
    order.sort_by_key(|at| needs[*at]);
    let (count, mut left) = (order.len(), room);
    for (done, at) in order.into_iter().enumerate() {
        shares[at] = needs[at].min(left / (count - done));
        left -= shares[at];
    }
    shares
}

/// Number of leading entries that can each have a useful share.
fn served(needs: &[usize], room: usize, least: usize) -> usize {
    let mut left = room;
    let fits = |need: &&usize| {
        let least = least.min(**need);
        let fits = least <= left;
        left = left.saturating_sub(least);
        fits
    };
    needs.iter().take_while(fits).count()
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
