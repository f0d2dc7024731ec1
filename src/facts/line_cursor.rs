//! Cursor over a line of code, word by word.

/// Cursor over words, punctuation and bracket groups.
#[derive(Debug, Clone)]
pub struct LineCursor<'a> {
    rest: &'a str,
    indented: bool,
}

impl<'a> LineCursor<'a> {
    pub fn new(line: &'a str) -> Self {
        Self { rest: line.trim_start(), indented: line.starts_with([' ', '\t']) }
    }

    pub fn at_column_zero(&self) -> bool {
        !self.indented
    }

    pub fn rest(&self) -> &'a str {
        self.rest
    }

    pub fn peek_char(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn peek_word(&self) -> &'a str {
        let end = self.rest.find(|c: char| !is_word(c)).unwrap_or(self.rest.len());
        &self.rest[..end]
    }

    pub fn is_next(&self, word: &str) -> bool {
        self.peek_word() == word
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start();
    }

    /// The next word; `None` at punctuation or the end.
    pub fn next_word(&mut self) -> Option<&'a str> {
        let word = self.peek_word();
        self.advance(word.len());
        (!word.is_empty()).then_some(word)
    }

    /// The next word, if it is a valid identifier.
    pub fn identifier(&mut self) -> Option<String> {
        let word = self.next_word()?;
        is_identifier(word).then(|| word.to_owned())
    }

    /// Skips `word` if it is next.
    pub fn skip_word(&mut self, word: &str) -> bool {
        let next = self.is_next(word);
        if next {
            self.advance(word.len());
        }
        next
    }

    pub fn skip_char(&mut self, c: char) {
        if self.rest.starts_with(c) {
            self.advance(c.len_utf8());
        }
    }

    /// Skips `"…"`, if it is next.
    pub fn skip_string(&mut self) {
        if let Some(end) = self.rest.strip_prefix('"').and_then(|rest| rest.find('"')) {
            self.advance(end + 2);
        }
    }

    /// Skips `(…)` and returns it; `None` if it does not close on this line.
    pub fn skip_parens(&mut self) -> Option<&'a str> {
        self.skip_group('(', ')')
    }

    pub fn skip_angles(&mut self) -> Option<&'a str> {
        self.skip_group('<', '>')
    }

    fn skip_group(&mut self, open: char, close: char) -> Option<&'a str> {
        let end = group_end(self.rest, open, close)?;
        let group = &self.rest[..end];
        self.advance(end);
        Some(group)
    }
}

/// End (exclusive) of the group that opens at the start of `text`.
fn group_end(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at + c.len_utf8());
            }
        }
    }
    None
}

/// Whether `(…)` at the start of `text` extends to its end (a return type may follow).
pub fn closes_at_end(text: &str) -> bool {
    group_end(text, '(', ')').is_some_and(|end| text[end..].is_empty() || text[end..].starts_with(':'))
}

/// Whether only a return type is between `(…)` and the `{` at the end.
pub fn closes_before_body(text: &str) -> bool {
    group_end(text, '(', ')').is_some_and(|end| {
        let between = text[end..].trim_end_matches('{').trim();
        between.is_empty() || between.starts_with(':')
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Whether the text is a valid identifier.
pub fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word) && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// Keywords before a parenthesis that are not function names.
pub fn is_control(word: &str) -> bool {
    matches!(
        word,
        "if" | "else"
            | "for"
            | "while"
            | "switch"
            | "catch"
            | "return"
            | "do"
            | "with"
            | "function"
            | "sizeof"
            | "defined"
            | "throw"
            | "new"
            | "await"
            | "yield"
            | "typeof"
            | "try"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_groups_are_stepped_over() {
        let mut cursor = LineCursor::new("  pub(crate) fn name<T>(x)");
        assert!(!cursor.at_column_zero());
        assert!(cursor.skip_word("pub"));
        assert_eq!(cursor.skip_parens(), Some("(crate)"));
        assert_eq!(cursor.next_word(), Some("fn"));
        assert_eq!(cursor.identifier().as_deref(), Some("name"));
        assert_eq!(cursor.skip_angles(), Some("<T>"));
        assert_eq!(cursor.rest(), "(x)");
    }

    #[test]
    fn unclosed_groups_are_none() {
        assert_eq!(LineCursor::new("(a, (b)").skip_parens(), None);
        assert!(closes_before_body("(a: (x) => y): void {"));
        assert!(!closes_before_body("('x', () => {"));
    }

    #[test]
    fn identifiers_do_not_start_with_digits() {
        assert!(is_identifier("$x_1") && is_identifier("über"));
        assert!(!is_identifier("1x") && !is_identifier("") && !is_identifier("a-b"));
    }
}
