//! What stands of a text that was interrupted: its finished sections, and how what comes later goes on from them.

use crate::quality::clean::said;

/// A line that occurs twice is a repetition when it is at least this long (characters), or a heading. Shorter ones
/// ("- docs") may well be meant.
const TELLING: usize = 24;

/// The part of a text that no interruption takes away any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections {
    kept: String,
}

/// How much of a text is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Blocks with a blank line after them; a heading only together with what follows it.
    Blocks,
    /// Also the whole lines and sentences of the block that was being written.
    Sentences,
}

impl Sections {
    /// What stands, and ends where the rest begins.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.kept
    }

    /// Keeps what is finished of `came`, which was to follow what stands. True when more stands than before; what
    /// stood before never becomes less.
    pub fn keep(&mut self, came: &str, grain: Grain) -> bool {
        let mut whole = self.with(came);
        whole.truncate(finished(&whole, grain));
        let more = whole.trim_end().len() > self.kept.trim_end().len();
        if more {
            self.kept = whole;
        }
        more
    }

    /// All of the text, once its last part has come. What was repeated replaces what stood, unless it is less.
    #[must_use]
    pub fn whole(&self, came: &str) -> String {
        let whole = self.with(came);
        if whole.trim_end().len() < self.kept.trim_end().len() { self.kept.trim_end().to_owned() } else { whole }
    }

    fn with(&self, came: &str) -> String {
        let came = said(came);
        match first_line(&came).and_then(|line| repeated(&self.kept, line)) {
            Some(at) => format!("{}{}", self.kept.get(..at).unwrap_or_default(), came.trim_start()),
            None => joined(&self.kept, &came),
        }
    }
}

/// `came` behind `kept`: on the line where that ends, on the next one, or as a block of its own.
fn joined(kept: &str, came: &str) -> String {
    let lines = came.trim_start_matches(['\n', '\r', ' ']);
    if kept.is_empty() {
        lines.to_owned()
    } else if came.starts_with('\n') || lines.starts_with('#') {
        format!("{}\n\n{lines}", kept.trim_end())
    } else if kept.ends_with('\n') {
        // What is indented goes on with a list.
        format!("{kept}{came}")
    } else {
        format!("{} {lines}", kept.trim_end())
    }
}

fn first_line(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| !line.is_empty())
}

/// Where in `kept` what begins with `line` starts over: at the very beginning, or at the last line that is the same.
fn repeated(kept: &str, line: &str) -> Option<usize> {
    let telling = is_heading(line) || line.chars().count() >= TELLING;
    let mut fences = Fences::default();
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

/// How many bytes of `text` are finished.
fn finished(text: &str, grain: Grain) -> usize {
    let mut fences = Fences::default();
    let (mut at, mut done) = (0, 0);
    // Whether something has come since the last heading.
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

/// Behind the last sentence of a line that more follows in.
fn sentence_end(line: &str) -> Option<usize> {
    [". ", "! ", "? "].iter().filter_map(|end| line.rfind(end).map(|at| at + end.len())).max()
}

fn is_heading(line: &str) -> bool {
    let marks = line.chars().take_while(|c| *c == '#').count();
    (1..=6).contains(&marks) && line.chars().nth(marks).is_none_or(char::is_whitespace)
}

/// Whether a line is inside a code block.
#[derive(Debug, Default)]
struct Fences {
    open: bool,
}

impl Fences {
    fn pass(&mut self, line: &str) {
        let line = line.trim_start();
        self.open ^= line.starts_with("```") || line.starts_with("~~~");
    }
}

#[cfg(test)]
#[path = "sections_tests.rs"]
mod tests;
