//! One version of a file, prepared for comparison: outline and changed rows.

use std::cell::OnceCell;
use std::collections::HashSet;

use super::definition_node::Reporting;
use super::outline::{Outline, OutlineEntry};
use super::rows::Rows;
use super::tokens::{self, Token};

#[derive(Debug)]
pub struct FileSide<'a> {
    pub source: &'a str,
    pub outline: Outline,
    pub rows: Rows,
    /// Changed rows that belong to an entry directly.
    pub lines: Vec<u32>,
    pub names: HashSet<String>,
    pub keys: HashSet<String>,
    /// Every word of the text; computed on first use.
    all_words: OnceCell<HashSet<Token>>,
}

impl<'a> FileSide<'a> {
    #[must_use]
    pub fn of(source: &'a str, outline: Outline, rows: Rows) -> Self {
        let lines = owned_lines(&outline.entries, &rows);
        let set = |of: fn(&OutlineEntry) -> &String| outline.entries.iter().map(of).cloned().collect();
        let (names, keys) = (set(|entry| &entry.name), set(|entry| &entry.key));
        Self { source, outline, rows, lines, names, keys, all_words: OnceCell::new() }
    }

    /// Whether the text contains the word.
    pub(super) fn has_word(&self, word: &str) -> bool {
        let all =
            || tokens::tokenize(self.source, std::slice::from_ref(&(0..self.source.len())), &[]).into_iter().collect();
        self.all_words.get_or_init(all).contains(&tokens::word(word.trim_start_matches('#')))
    }

    pub(super) fn entry(&self, at: usize) -> &OutlineEntry {
        &self.outline.entries[at]
    }

    pub(super) fn is_touched(&self, at: usize) -> bool {
        self.rows.touch(&self.entry(at).rows)
    }

    pub(super) fn children(&self, at: usize) -> impl Iterator<Item = &OutlineEntry> {
        let end = self.entry(at).bytes.end;
        let inside = self.outline.entries[at + 1..].iter().take_while(move |entry| entry.bytes.start < end);
        inside.filter(move |entry| entry.owner == Some(at))
    }

    /// The bytes of the entry outside its inner definitions.
    pub(super) fn own_ranges(&self, at: usize) -> Vec<std::ops::Range<usize>> {
        let bytes = self.entry(at).bytes.clone();
        let mut own = Vec::new();
        let mut from = bytes.start;
        for child in self.children(at).filter(|child| !child.is_part() && child.reporting == Reporting::Reported) {
            if child.bytes.start > from {
                own.push(from..child.bytes.start);
            }
            from = from.max(child.bytes.end);
        }
        if from < bytes.end {
            own.push(from..bytes.end);
        }
        own
    }

    pub(super) fn signature(&self, at: usize) -> Vec<Token> {
        tokens::tokenize(self.source, std::slice::from_ref(&self.entry(at).signature), &self.outline.comments)
    }

    pub(super) fn code(&self, at: usize) -> Vec<Token> {
        tokens::tokenize(self.source, &self.own_ranges(at), &self.outline.comments)
    }

    pub(super) fn text(&self, at: usize) -> Vec<Token> {
        tokens::tokenize(self.source, &self.own_ranges(at), &[])
    }

    /// The words of the whole entry except its name, sorted.
    pub(super) fn words(&self, at: usize) -> Vec<Token> {
        let entry = self.entry(at);
        let range = entry.signature.start..entry.bytes.end;
        let name = tokens::word(&entry.bare);
        let mut words =
            tokens::word_tokens(&tokens::tokenize(self.source, std::slice::from_ref(&range), &self.outline.comments));
        words.retain(|word| *word != name);
        words
    }
}

/// Assigns each changed row to its innermost entry.
fn owned_lines(entries: &[OutlineEntry], rows: &Rows) -> Vec<u32> {
    let mut lines = vec![0u32; entries.len()];
    let mut open: Vec<usize> = Vec::new();
    let mut next = 0;
    for row in rows.each() {
        while next < entries.len() && entries[next].rows.start <= row {
            if !entries[next].is_part() && entries[next].reporting == Reporting::Reported {
                open.push(next);
            }
            next += 1;
        }
        while open.last().is_some_and(|last| entries[*last].rows.end <= row) {
            open.pop();
        }
        // Names of one statement share their rows, which count for the first.
        if let Some(last) = open.iter().rev().find(|at| entries[**at].rows.contains(&row)) {
            lines[*last] = lines[*last].saturating_add(1);
        }
    }
    lines
}
