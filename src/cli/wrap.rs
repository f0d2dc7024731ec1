//! Text layout: wraps text to a width in terminal columns. Widths are those of Unicode (East Asian wide characters and
//! emoji take two columns, combining marks none); styles are added afterwards, so that no escape sequence is cut.

use clap::builder::styling::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Text in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPiece {
    text: String,
    style: Style,
    /// Blanks between it and its predecessor on the line.
    gap: usize,
    /// Broken only if wider than a line.
    whole: bool,
}

impl TextPiece {
    /// Words, one blank apart.
    #[must_use]
    pub fn words(text: &str, style: Style) -> Self {
        Self { text: text.to_owned(), style, gap: 1, whole: false }
    }

    /// An unbreakable piece, two blanks after its predecessor.
    #[must_use]
    pub fn whole(text: &str, style: Style) -> Self {
        Self { text: text.to_owned(), style, gap: 2, whole: true }
    }

    /// Sets the number of blanks before it.
    #[must_use]
    pub fn after(self, gap: usize) -> Self {
        Self { gap, ..self }
    }
}

/// Styled runs of text, from left to right.
pub type StyledLine = Vec<(String, Style)>;

/// Width of a text in terminal columns.
#[must_use]
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// Wraps the pieces to lines of at most `columns` columns. A word wider than a line is broken between grapheme
/// clusters; a cluster that is wider still gets its own line.
#[must_use]
pub fn lines(pieces: &[TextPiece], columns: usize) -> Vec<StyledLine> {
    let mut flow = LineWrapper { columns: columns.max(1), done: Vec::new(), line: Vec::new(), used: 0 };
    for piece in pieces {
        let parts =
            if piece.whole { vec![(piece.gap, piece.text.as_str())] } else { split_parts(&piece.text, piece.gap) };
        for (gap, part) in parts {
            flow.add_part(gap, part, piece.style);
        }
    }
    flow.end()
}

struct LineWrapper {
    columns: usize,
    done: Vec<StyledLine>,
    line: StyledLine,
    used: usize,
}

impl LineWrapper {
    fn add_part(&mut self, gap: usize, part: &str, style: Style) {
        let wide = width(part);
        if wide == 0 && part.is_empty() {
            return;
        }
        let gap = if self.line.is_empty() { 0 } else { gap };
        if self.used + gap + wide <= self.columns {
            self.append(gap, part, style);
            return;
        }
        if !self.line.is_empty() {
            self.break_line();
        }
        for character in part.graphemes(true) {
            if self.used + width(character) > self.columns && !self.line.is_empty() {
                self.break_line();
            }
            self.append(0, character, style);
        }
    }

    fn append(&mut self, gap: usize, part: &str, style: Style) {
        match self.line.last_mut() {
            Some((text, last)) if *last == style => text.push_str(&(" ".repeat(gap) + part)),
            Some((text, _)) => {
                text.push_str(&" ".repeat(gap));
                self.line.push((part.to_owned(), style));
            }
            None => self.line.push((part.to_owned(), style)),
        }
        self.used += gap + width(part);
    }

    fn break_line(&mut self) {
        self.done.push(std::mem::take(&mut self.line));
        self.used = 0;
    }

    fn end(mut self) -> Vec<StyledLine> {
        if !self.line.is_empty() {
            self.break_line();
        }
        self.done
    }
}

/// Splits into words, and at the line break opportunities of scripts without blanks: before and after every wide
/// character. Each part with the blanks before it.
fn split_parts(text: &str, gap: usize) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    for (at, word) in text.split_whitespace().enumerate() {
        let (mut start, mut before) = (0, None);
        let mut blank = if at == 0 { gap } else { 1 };
        for (end, character) in word.grapheme_indices(true) {
            if before.is_some_and(|before| can_break_between(before, character)) {
                parts.push((blank, &word[start..end]));
                (start, blank) = (end, 0);
            }
            before = Some(character);
        }
        parts.push((blank, &word[start..]));
    }
    parts
}

fn can_break_between(before: &str, after: &str) -> bool {
    // Korean has blanks between its words.
    let is_wide = |text: &str| width(text) == 2 && !text.chars().all(|c| ('\u{ac00}'..='\u{d7a3}').contains(&c));
    (is_wide(before) || is_wide(after)) && !CLOSING.contains(after) && !OPENING.contains(before)
}

/// Never at the start of a line (Unicode Standard Annex 14: CL, EX, NS and ASCII marks that follow a word).
const CLOSING: &str = "、。，．：；？！）］｝」』】〕〉》・ー々ゝゞ”’…,.:;?!)]}>\"'";
/// Never at the end of a line (OP).
const OPENING: &str = "（［｛「『【〔〈《“‘([{<\"'";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ui::DIM;
    use proptest::prelude::*;

    fn plain(text: &str, columns: usize) -> Vec<String> {
        let lines = lines(&[TextPiece::words(text, Style::new())], columns);
        lines.into_iter().map(|line| line.into_iter().map(|(text, _)| text).collect()).collect()
    }

    #[test]
    fn words_are_wrapped_between_blanks() {
        assert_eq!(plain("one two  three\tfour", 9), ["one two", "three", "four"]);
        assert_eq!(plain("", 9), Vec::<String>::new());
        assert_eq!(plain("exactly  nine!", 9), ["exactly", "nine!"]);
    }

    #[test]
    fn a_word_wider_than_a_line_is_broken() {
        assert_eq!(plain("see src/a/long/path.rs now", 8), ["see", "src/a/lo", "ng/path.", "rs now"]);
    }

    #[test]
    fn wide_characters_count_twice_and_may_be_broken_apart() {
        assert_eq!(plain("登录超时缩短到二百毫秒。", 10), ["登录超时缩", "短到二百毫", "秒。"]);
        assert_eq!(plain("登录超时缩短。", 12), ["登录超时缩", "短。"], "no line begins with a full stop");
        assert_eq!(plain("（登录）a b", 4), ["（登", "录）", "a b"]);
        assert_eq!(plain("각 나라 말", 5), ["각", "나라", "말"]);
    }

    #[test]
    fn emoji_and_combining_marks_stay_whole() {
        assert_eq!(width("👩‍👩‍👧🇩🇪e\u{301}"), 5);
        assert_eq!(plain("👩‍👩‍👧👩‍👩‍👧🇩🇪", 4), ["👩‍👩‍👧👩‍👩‍👧", "🇩🇪"]);
        assert_eq!(plain("e\u{301}e\u{301}e\u{301}", 2), ["e\u{301}e\u{301}", "e\u{301}"]);
        assert_eq!(plain("登", 1), ["登"]);
    }

    #[test]
    fn what_stays_together_moves_to_the_next_line_with_its_style() {
        let pieces = [TextPiece::words("one two", Style::new()), TextPiece::whole("id · x", DIM)];
        assert_eq!(lines(&pieces, 14), [vec![("one two".to_owned(), Style::new())], vec![("id · x".to_owned(), DIM)]]);
        assert_eq!(lines(&pieces, 15), [vec![("one two  ".to_owned(), Style::new()), ("id · x".to_owned(), DIM)]]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_no_character_is_lost(text in "[a-z 登録。（é👍\u{301}]{0,60}", columns in 2_usize..20) {
            let lines = plain(&text, columns);
            for line in &lines {
                prop_assert!(width(line) <= columns, "{line:?}");
            }
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(bare(&lines.concat()), bare(&text));
        }
    }
}
