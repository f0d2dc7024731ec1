//! Salvage of an interrupted Markdown text: its finished sections, and how the continuation is joined to them.

use crate::quality::clean::visible_text;
use crate::text::fences::FenceTracker;
use crate::text::sentences;

/// Characters from which a line that occurs twice counts as a repetition; headings always do. Shorter ones ("- docs")
/// may be intended.
const TELLING: usize = 24;

/// The finished part of a text, which later interruptions cannot shrink.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections {
    kept: String,
}

/// Granularity of what counts as finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Blocks with a blank line after them; a heading only together with its content.
    Blocks,
    /// Also the whole lines and sentences of the unfinished block.
    Sentences,
}

impl Sections {
    /// The finished text; it ends where the rest begins.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.kept
    }

    /// Keeps the finished part of `came`, the continuation. True when the text grew; it never shrinks.
    pub fn keep(&mut self, came: &str, grain: Grain) -> bool {
        let mut whole = self.with(came);
        whole.truncate(finished(&whole, grain));
        let more = whole.trim_end().len() > self.kept.trim_end().len();
        if more {
            self.kept = whole;
        }
        more
    }

    /// The whole text, once its last part has come. A repetition replaces the earlier version, unless it is shorter.
    #[must_use]
    pub fn whole(&self, came: &str) -> String {
        let whole = self.with(came);
        if whole.trim_end().len() < self.kept.trim_end().len() { self.kept.trim_end().to_owned() } else { whole }
    }

    fn with(&self, came: &str) -> String {
        let came = visible_text(came);
        match first_line(&came).and_then(|line| repeated(&self.kept, line)) {
            Some(at) => format!("{}{}", self.kept.get(..at).unwrap_or_default(), came.trim_start()),
            None => joined(&self.kept, &came),
        }
    }
}

/// `came` behind `kept`: on the same line, on the next one, or as a block of its own.
fn joined(kept: &str, came: &str) -> String {
    let lines = came.trim_start_matches(['\n', '\r', ' ']);
    if kept.is_empty() {
        lines.to_owned()
    } else if came.starts_with('\n') || lines.starts_with('#') {
        format!("{}\n\n{lines}", kept.trim_end())
    } else if kept.ends_with('\n') {
        // Indented text continues a list.
        format!("{kept}{came}")
    } else {
        format!("{} {lines}", kept.trim_end())
    }
}

fn first_line(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| !line.is_empty())
}

/// Where in `kept` a repetition that begins with `line` starts: at the very beginning, or at the last equal line.
fn repeated(kept: &str, line: &str) -> Option<usize> {
    let telling = is_heading(line) || line.chars().count() >= TELLING;
    let mut fences = FenceTracker::default();
    let (mut at, mut first, mut found) = (0, true, None);
    for one in kept.split_inclusive('\n') {
        let inside = fences.open;
        fences.pass(one);
        if one.trim() == line && (first || telling && !inside) {
            found = Some(at);
        }
        first &= one.trim().is_empty();
        at += one.len();
    }
    found
}

/// Bytes of `text` that are finished.
fn finished(text: &str, grain: Grain) -> usize {
    let mut fences = FenceTracker::default();
    let (mut at, mut done) = (0, 0);
    // Whether there is content after the last heading.
    let mut led = false;
    for line in text.split_inclusive('\n') {
        let whole = line.ends_with('\n');
        fences.pass(line);
        let (blank, heading) = (line.trim().is_empty(), !fences.open && is_heading(line.trim()));
        let line_end = at + line.len();
        led = !heading && (led || !blank);
        if !fences.open && led && whole && (blank || grain == Grain::Sentences) {
            done = line_end;
        } else if !fences.open && !whole && !heading && grain == Grain::Sentences {
            done = sentence_end(line).map_or(done, |end| at + end);
        }
        at = line_end;
    }
    done
}

/// End of the last sentence of a line that another one follows in.
fn sentence_end(line: &str) -> Option<usize> {
    sentences::ends(line)
        .into_iter()
        .rfind(|end| !line[*end..].trim().is_empty())
        .map(|end| line.len() - line[end..].trim_start().len())
}

fn is_heading(line: &str) -> bool {
    let marks = line.chars().take_while(|c| *c == '#').count();
    (1..=6).contains(&marks) && line.chars().nth(marks).is_none_or(char::is_whitespace)
}

#[cfg(test)]
#[path = "sections_tests.rs"]
mod tests;
