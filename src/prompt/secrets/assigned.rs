//! A name and what it is given: `name = value` in the ways of programs, settings, shells and markup.

use std::ops::Range;

/// A value longer than this is looked at no further, nor is a quote searched beyond it.
pub(super) const LONGEST: usize = 320;
/// What may stand between a name and its value.
const BLANKS: usize = 20;
const INDENT: usize = 40;
const TYPE: usize = 42;

/// How the value is joined to the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    /// `=`, `:`, `:=`, `=>`, a type in between.
    Sign,
    /// `>`: between tags.
    Tag,
    /// `(` or `,`: the argument of a call.
    Call,
    /// Nothing but blanks: an argument of a command, `ENV` of a Dockerfile.
    Blank,
    /// ` is `.
    Prose,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) value: Range<usize>,
    pub(super) quoted: bool,
    pub(super) join: Join,
}

impl Assigned {
    /// Ends the value before a character.
    pub(super) fn until(&mut self, end: char, text: &str) {
        let value = text.get(self.value.clone()).unwrap_or_default();
        self.value.end = self.value.start + value.find(end).unwrap_or(value.len());
    }
}

/// The value that is given to the name that ends at `at`.
pub(super) fn after(text: &str, at: usize) -> Option<Assigned> {
    let bytes = text.as_bytes();
    let mut cursor = Cursor { bytes, at };
    cursor.skip(4, |b| matches!(b, b'"' | b'\'' | b'`' | b']' | b'\\'));
    let unspaced = cursor.at;
    cursor.blanks(BLANKS);
    let spaced = cursor.at > unspaced;
    if let Some(cursor) = cursor.value_named() {
        return value(text, cursor, Join::Sign);
    }
    let annotated = cursor.annotated();
    if let Some(found) = annotated.and_then(|cursor| value(text, cursor, Join::Sign)) {
        return Some(found);
    }
    match cursor.join() {
        Some(join) => value(text, cursor, join),
        None if spaced && cursor.is_word("is") => {
            cursor.at += 3;
            value(text, cursor, Join::Prose)
        }
        None if spaced => value(text, cursor, Join::Blank),
        None => None,
    }
}

fn value(text: &str, mut cursor: Cursor<'_>, join: Join) -> Option<Assigned> {
    cursor.blanks(BLANKS);
    if join != Join::Blank {
        cursor.line_end();
    }
    let mut quoted = cursor.opened();
    if quoted.is_none() && join == Join::Sign {
        quoted = cursor.wrapped();
    }
    let start = quoted.as_ref().map_or(cursor.at, |(_, start)| *start);
    let end = match quoted {
        Some((quote, _)) => cursor.closing(start, quote),
        None => cursor.bare_end(),
    };
    let value = text.get(start..end)?;
    let value = if quoted.is_some() { value.trim_end_matches('\\') } else { value };
    (value.len() >= 4).then(|| Assigned { value: start..start + value.len(), quoted: quoted.is_some(), join })
}

#[derive(Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn now(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn is(&self, text: &str) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    fn is_word(&self, word: &str) -> bool {
        self.is(word) && self.bytes.get(self.at + word.len()) == Some(&b' ')
    }

    fn skip(&mut self, most: usize, class: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().take(most).take_while(|byte| class(**byte)).count();
        self.at += length;
        length
    }

    fn blanks(&mut self, most: usize) {
        self.skip(most, |b| matches!(b, b' ' | b'\t'));
    }

    fn line_end(&mut self) {
        if self.now() == Some(b'\r') {
            self.at += 1;
        }
        if self.now() == Some(b'\n') {
            self.at += 1;
            self.blanks(INDENT);
        }
    }

    /// `- name: X` and `value:` on the next line, or `key="X" value="…"`.
    fn value_named(mut self) -> Option<Self> {
        self.line_end();
        self.skip(1, |b| b == b',');
        self.blanks(INDENT);
        self.skip(2, |b| matches!(b, b'"' | b'\''));
        if !self.is("value") {
            return None;
        }
        self.at += "value".len();
        self.skip(2, |b| matches!(b, b'"' | b'\''));
        self.blanks(4);
        (self.skip(1, |b| matches!(b, b':' | b'=')) == 1).then_some(self)
    }

    /// `: &str =`: a type, then the sign.
    fn annotated(mut self) -> Option<Self> {
        if self.skip(1, |b| b == b':') == 0 {
            return None;
        }
        let of_type = |b: u8| b.is_ascii_alphabetic() || b"&'_<>:[]?| ".contains(&b);
        let length = self.skip(TYPE, of_type);
        (length > 0 && self.skip(1, |b| b == b'=') == 1).then_some(self)
    }

    fn join(&mut self) -> Option<Join> {
        for (sign, join) in [
            (":=", Join::Sign),
            ("?=", Join::Sign),
            ("=>", Join::Sign),
            ("==", Join::Sign),
            ("=", Join::Sign),
            (":", Join::Sign),
            (">", Join::Tag),
            (",", Join::Call),
            ("(", Join::Call),
        ] {
            if self.is(sign) {
                self.at += sign.len();
                return Some(join);
            }
        }
        None
    }

    /// An opening quote, perhaps with a letter or an escape before it, and where the value begins.
    fn opened(&self) -> Option<(u8, usize)> {
        let mut cursor = *self;
        cursor.skip(2, |b| b"bBrRuUfFL@".contains(&b));
        cursor.skip(2, |b| matches!(b, b'#' | b'\\'));
        let quote = cursor.now().filter(|b| matches!(b, b'"' | b'\'' | b'`'))?;
        Some((quote, cursor.at + 1))
    }

    /// The same in parentheses, as literals are put together.
    fn wrapped(&self) -> Option<(u8, usize)> {
        let mut cursor = *self;
        cursor.at += ["(", "concat!(", "String::from("].into_iter().find(|call| self.is(call))?.len();
        cursor.blanks(BLANKS);
        cursor.line_end();
        cursor.opened()
    }

    /// The closing quote; without one on this line the value ends where a bare one would.
    fn closing(&self, start: usize, quote: u8) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let line = rest.iter().take(LONGEST).take_while(|byte| **byte != b'\n');
        match line.clone().position(|byte| *byte == quote) {
            Some(length) => start + length,
            None => Cursor { bytes: self.bytes, at: start }.bare_end(),
        }
    }

    fn bare_end(&self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        // The end of a long one is found once it is known to be a secret.
        self.at + rest.iter().take(LONGEST).take_while(|byte| !ENDS[usize::from(**byte)]).count()
    }
}

/// What ends a value without quotes.
const ENDS: [bool; 256] = {
    let mut ends = [false; 256];
    let mut at = 0;
    let all = b" \t\r\n\x0c\"'`,;(){}[]<>";
    while at < all.len() {
        ends[all[at] as usize] = true;
        at += 1;
    }
    ends
};
