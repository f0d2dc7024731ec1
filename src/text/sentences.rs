//! Sentence splitter: ignores ends in code, quotes, numbers, file names and abbreviations.

/// Abbreviations: their dot does not end a sentence.
const ABBREVIATIONS: [&str; 14] =
    ["e.g", "i.e", "etc", "vs", "cf", "resp", "approx", "incl", "no", "fig", "mr", "dr", "al", "ca"];

/// Byte offsets just after each sentence's end mark (including closing quotes and brackets).
pub fn ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut inside = OpenMarks::default();
    let first = text.len() - text.trim_start().len();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        inside.update(text, at, c);
        if matches!(c, '\u{3002}' | '\u{ff01}' | '\u{ff1f}') && !inside.any() {
            ends.push(at + c.len_utf8());
        }
        if !matches!(c, '.' | '!' | '?') || inside.code() {
            continue;
        }
        let end = closed(text, at + 1, &mut inside);
        while chars.peek().is_some_and(|(next, _)| *next < end) {
            chars.next();
        }
        let rest = &text[end..];
        let goes_on = end > at + 1 && rest.trim_start().starts_with(char::is_lowercase);
        let breaks = rest.chars().next().is_none_or(char::is_whitespace) && !goes_on;
        if breaks && !inside.any() && !(c == '.' && is_abbreviated(&text[..at], rest, first)) {
            ends.push(end);
        }
    }
    ends
}

/// The ends in an author's prose: a lower-case letter after a mark goes on with the sentence.
pub fn prose_ends(text: &str) -> Vec<usize> {
    let mut ends = ends(text);
    ends.retain(|end| !text[*end..].trim_start_matches([' ', '(', '"', '\'', '*']).starts_with(char::is_lowercase));
    ends
}

/// Splits into sentences; the text after the last end is one too.
pub fn split(text: &str) -> Vec<&str> {
    let mut from = 0;
    let mut sentences = Vec::new();
    for end in ends(text) {
        sentences.push(text[from..end].trim());
        from = end;
    }
    sentences.push(text[from..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

/// Open quotes, brackets and code at a position in the text.
#[derive(Debug, Default)]
struct OpenMarks {
    code: bool,
    quote: bool,
    depth: u32,
}

impl OpenMarks {
    fn update(&mut self, text: &str, at: usize, c: char) {
        match c {
            '`' => self.code = !self.code,
            _ if self.code => {}
            '"' => self.quote = !self.quote,
            '\u{201c}' => self.quote = true,
            '\u{201d}' => self.quote = false,
            '(' => self.depth += 1,
            ')' => self.depth = self.depth.saturating_sub(1),
            '\n' if text[at..].starts_with("\n\n") => *self = Self::default(),
            _ => {}
        }
    }

    fn code(&self) -> bool {
        self.code
    }

    fn any(&self) -> bool {
        self.code || self.quote || self.depth > 0
    }
}

/// Skips repeated end marks and closing quotes or brackets.
fn closed(text: &str, mut at: usize, inside: &mut OpenMarks) -> usize {
    for c in text[at..].chars() {
        let closes = match c {
            '.' | '!' | '?' | '\u{2026}' => true,
            '"' => inside.quote,
            '\u{201d}' => inside.quote,
            ')' => inside.depth > 0,
            '*' | '_' => true,
            _ => false,
        };
        if !closes {
            break;
        }
        inside.update(text, at, c);
        at += c.len_utf8();
    }
    at
}

/// Whether the word before the dot is an abbreviation, an initial or a list number, which is `first` in the text.
fn is_abbreviated(before: &str, rest: &str, first: usize) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
    let low = word.to_ascii_lowercase();
    let initial = word.len() == 1 && word.chars().all(char::is_uppercase);
    let numbering = before.len().saturating_sub(first) == word.len() && word.bytes().all(|b| b.is_ascii_digit());
    // `i. e.`, `e. g.`
    let spaced = [("i", " e."), ("e", " g.")].iter().any(|(one, other)| {
        (low == *one && rest.starts_with(other)) || before.ends_with(&format!("{one}.{}", other.trim_end_matches('.')))
    });
    initial || numbering || spaced || ABBREVIATIONS.contains(&low.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_in_names_numbers_code_and_quotes_end_nothing() {
        for text in [
            "Moves the parser to foo.rs and bumps to 3.5 for",
            "Calls `a.b(). Then c` and",
            "Prints \"Done. Bye.\" before",
            "Adds a check (see docs. more) and",
            "Skips what is unset, i. e. absent",
            "Handles e.g. empty lines and i.e. blank",
            "Uses std::fmt. ",
        ] {
            let expected = usize::from(text.ends_with(". "));
            assert_eq!(ends(text).len(), expected, "{text}");
        }
    }

    /// Re-reading the indentation for each sentence would take minutes here.
    #[test]
    fn a_wide_margin_is_read_once() {
        let text = format!("{}{}", " ".repeat(500_000), "It is. ".repeat(50_000));
        assert_eq!(ends(&text).len(), 50_000);
        assert!(ends("  1. Adds a").is_empty());
    }

    #[test]
    fn sentences_are_split_at_their_ends() {
        assert_eq!(split("Adds a.rs. Why? Because! End"), ["Adds a.rs.", "Why?", "Because!", "End"]);
        assert_eq!(split("Says \"no.\" Then stops (at last.) Yes."), ["Says \"no.\"", "Then stops (at last.)", "Yes."]);
        assert_eq!(split("Was 3s... Now 200ms."), ["Was 3s...", "Now 200ms."]);
        assert!(split("  ").is_empty());
        assert_eq!(split("\u{52a0}\u{3002}\u{5220}\u{3002}").len(), 2);
    }
}
