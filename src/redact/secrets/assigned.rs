//! Assignment parser: `name = value` in the syntax of programs, settings, shells and markup.

use std::ops::Range;

use super::value_class::is_strong;

/// Maximum bytes of a value scanned, also for its closing quote.
pub(super) const LONGEST: usize = 320;
/// Allowed text between a name and its value.
const BLANKS: usize = 20;
const INDENT: usize = 40;
const TYPE: usize = 42;

/// The operator between name and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AssignOperator {
    /// `=`, `:`, `:=`, `=>`, a type in between.
    Sign,
    /// `>`: between tags.
    Tag,
    /// `(` or `,`: the argument of a call.
    Call,
    /// Only spaces: an argument of a command, `ENV` of a Dockerfile.
    Blank,
    /// ` is `.
    Prose,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) value: Range<usize>,
    pub(super) quoted: bool,
    pub(super) join: AssignOperator,
}

impl Assigned {
    /// Truncates the value before a character.
    pub(super) fn until(&mut self, end: char, text: &str) {
        let value = text.get(self.value.clone()).unwrap_or_default();
        self.value.end = self.value.start + value.find(end).unwrap_or(value.len());
    }
}

/// The value assigned to the name that ends at `at`.
pub(super) fn after(text: &str, at: usize) -> Option<Assigned> {
    let bytes = text.as_bytes();
    let mut cursor = Cursor { bytes, at };
    cursor.skip(4, |b| matches!(b, b'"' | b'\'' | b'`' | b']' | b'\\'));
    cursor.index();
    let unspaced = cursor.at;
    if cursor.peek() == Some(b')') {
        // `getenv('NAME') ?: '…'`
        cursor.at += 1;
        cursor.blanks(BLANKS);
        return cursor
            .otherwise()
            .and_then(|cursor| value(text, cursor, AssignOperator::Sign))
            .filter(|found| found.quoted);
    }
    cursor.blanks(BLANKS);
    let spaced = cursor.at > unspaced;
    if let Some(cursor) = cursor.value_named() {
        return value(text, cursor, AssignOperator::Sign);
    }
    if let Some(cursor) = cursor.otherwise() {
        let found = value(text, cursor, AssignOperator::Sign)?;
        return (found.quoted || !spaced).then_some(found);
    }
    let annotated = cursor.annotated().or_else(|| cursor.typed().filter(|_| spaced));
    if let Some(found) = annotated.and_then(|cursor| value(text, cursor, AssignOperator::Sign)) {
        return Some(found);
    }
    match cursor.join() {
        Some(join) => value(text, cursor, join),
        None if spaced && cursor.is_word("is") => {
            cursor.at += 3;
            value(text, cursor, AssignOperator::Prose)
        }
        None if spaced => value(text, cursor, AssignOperator::Blank),
        None => None,
    }
}

fn value(text: &str, mut cursor: Cursor<'_>, join: AssignOperator) -> Option<Assigned> {
    cursor.blanks(BLANKS);
    let from = cursor.at;
    if join == AssignOperator::Sign {
        cursor.block();
    }
    if join != AssignOperator::Blank {
        cursor.line_end();
    }
    let broken = text.get(from..cursor.at).is_some_and(|gap| gap.contains('\n'));
    let mut quoted = cursor.opened();
    if quoted.is_none() && join == AssignOperator::Sign {
        quoted = cursor.wrapped();
    }
    let start = quoted.as_ref().map_or(cursor.at, |(_, start)| *start);
    let end = match quoted {
        Some((quote, _)) => cursor.closing(start, quote),
        None => cursor.bare_end(),
    };
    let value = text.get(start..end)?;
    // An argument of a function other than a string constructor is more often a name.
    let made = ["(", "[", "{", "concat!(", "String::from(", "Some("].iter().any(|call| cursor.is(call));
    let passed = quoted.is_some() && cursor.opened().is_none() && !made;
    if passed && !is_strong(value, true) {
        return None;
    }
    // After an empty value the next line's name is not the value.
    let next = || broken && quoted.is_none() && (cursor.column() == 0 || is_named(value));
    let value = if quoted.is_some() { value.trim_end_matches('\\') } else { value };
    (value.len() >= 4 && !next()).then(|| Assigned {
        value: start..start + value.len(),
        quoted: quoted.is_some(),
        join,
    })
}

/// The next literal of a list after the one that ends at `at`.
pub(super) fn next_of_list(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut cursor = Cursor { bytes, at };
    cursor.skip(2, |b| matches!(b, b'\\' | b'"' | b'\'' | b'`'));
    cursor.blanks(4);
    if cursor.skip(1, |b| b == b',') == 0 {
        return None;
    }
    cursor.blanks(4);
    cursor.line_end();
    let (quote, start) = cursor.opened()?;
    let end = cursor.closing(start, quote);
    text.get(start..end).map(|value| start..start + value.trim_end_matches('\\').len())
}

/// Whether the literal that begins at `at` is the first of a list.
pub(super) fn opens_list(text: &str, at: usize) -> bool {
    let head = text.get(..at).unwrap_or_default();
    let from = head.len() - head.len().min(INDENT);
    let head = head.get(head.ceil_char_boundary(from)..).unwrap_or_default();
    head.trim_end_matches(['"', '\'', '`', '\\']).trim_end().ends_with('[')
}

/// `NAME=…`, `name:`
fn is_named(line: &str) -> bool {
    let shouting = |name: &str| name.len() > 2 && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    line.ends_with(':') || line.split_once('=').is_some_and(|(name, _)| shouting(name))
}

#[derive(Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
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
        if self.peek() == Some(b'\r') {
            self.at += 1;
        }
        if self.peek() == Some(b'\n') {
            self.at += 1;
            self.blanks(INDENT);
        }
    }

    /// `[]`, `[prod]`
    fn index(&mut self) {
        let mut cursor = *self;
        if cursor.skip(1, |b| b == b'[') == 1 {
            cursor.skip(BLANKS, |b| b.is_ascii_alphanumeric() || b == b'_');
            if cursor.skip(1, |b| b == b']') == 1 {
                *self = cursor;
            }
        }
    }

    /// Base64 padding is not an operator.
    fn is_after_blank(&self) -> bool {
        self.at.checked_sub(1).and_then(|at| self.bytes.get(at)).is_some_and(|b| matches!(b, b' ' | b'\t'))
    }

    /// Column in its line.
    fn column(&self) -> usize {
        let head = self.bytes.get(..self.at).unwrap_or_default();
        head.iter().rev().take(INDENT).take_while(|byte| **byte != b'\n').count()
    }

    /// `|`, `>-`: the value is on the next line.
    fn block(&mut self) {
        let mut cursor = *self;
        let marked = cursor.skip(1, |b| matches!(b, b'|' | b'>')) == 1;
        cursor.skip(2, |b| b.is_ascii_digit() || matches!(b, b'-' | b'+'));
        if marked && matches!(cursor.peek(), Some(b'\n' | b'\r')) {
            *self = cursor;
        }
    }

    /// `|| '…'`, `?? "…"`, `?: '…'`, `:-…`, ` or "…"`: the default for an unset name.
    fn otherwise(mut self) -> Option<Self> {
        let sign = ["||", "??", "?:", ":-", "or "].into_iter().find(|sign| self.is(sign))?;
        self.at += sign.len();
        // `||=` and `??=` assign.
        self.skip(1, |b| b == b'=');
        Some(self)
    }

    /// `string =` as Go writes it.
    fn typed(mut self) -> Option<Self> {
        let length = self.skip(TYPE, |b| b.is_ascii_alphanumeric() || b"_*[].".contains(&b));
        self.blanks(BLANKS);
        let has_type = length > 0 && self.is_after_blank() && self.skip(1, |b| b == b'=') == 1;
        (has_type && self.peek() != Some(b'=')).then_some(self)
    }

    /// `- name: X` and `value:` on the next line, or `key="X" value="…"`.
    fn value_named(mut self) -> Option<Self> {
        if self.is("</") {
            self.skip(TYPE, |b| b != b'>' && b != b'\n');
            self.skip(1, |b| b == b'>');
        } else {
            self.skip(1, |b| b == b',');
            self.blanks(4);
            self.skip(2, |b| matches!(b, b'/' | b'>'));
        }
        self.line_end();
        self.skip(1, |b| b == b',');
        self.blanks(INDENT);
        self.skip(2, |b| matches!(b, b'"' | b'\'' | b'<'));
        if !self.is("value") {
            return None;
        }
        self.at += "value".len();
        self.skip(2, |b| matches!(b, b'"' | b'\''));
        self.blanks(4);
        (self.skip(1, |b| matches!(b, b':' | b'=' | b'>')) == 1).then_some(self)
    }

    /// `: &str =`: a type, then the operator.
    fn annotated(mut self) -> Option<Self> {
        if self.skip(1, |b| b == b':') == 0 {
            return None;
        }
        let of_type = |b: u8| b.is_ascii_alphabetic() || b"&'_<>:[]?| ".contains(&b);
        let length = self.skip(TYPE, of_type);
        (length > 0 && self.is_after_blank() && self.skip(1, |b| b == b'=') == 1).then_some(self)
    }

    fn join(&mut self) -> Option<AssignOperator> {
        for (sign, join) in [
            (":::=", AssignOperator::Sign),
            ("::=", AssignOperator::Sign),
            (":=", AssignOperator::Sign),
            ("?=", AssignOperator::Sign),
            (".=", AssignOperator::Sign),
            ("+=", AssignOperator::Sign),
            ("=>", AssignOperator::Sign),
            ("<-", AssignOperator::Sign),
            ("===", AssignOperator::Sign),
            ("==", AssignOperator::Sign),
            ("=", AssignOperator::Sign),
            (":", AssignOperator::Sign),
            (">", AssignOperator::Tag),
            (",", AssignOperator::Call),
            ("(", AssignOperator::Call),
            ("{", AssignOperator::Call),
        ] {
            if self.is(sign) {
                self.at += sign.len();
                return Some(join);
            }
        }
        None
    }

    /// An opening quote, with an optional prefix letter or escape, and the start of the value.
    fn opened(&self) -> Option<(u8, usize)> {
        let mut cursor = *self;
        cursor.skip(2, |b| b"bBrRuUfFL@".contains(&b));
        cursor.skip(2, |b| matches!(b, b'#' | b'\\'));
        let quote = cursor.peek().filter(|b| matches!(b, b'"' | b'\'' | b'`'))?;
        // `"""`
        let more = cursor.bytes.get(cursor.at..cursor.at + 3).is_some_and(|three| three.iter().all(|b| *b == quote));
        Some((quote, cursor.at + if more { 3 } else { 1 }))
    }

    /// The same in parentheses, as for joined literals.
    fn wrapped(&self) -> Option<(u8, usize)> {
        let mut cursor = *self;
        if cursor.skip(1, |b| matches!(b, b'[' | b'{')) == 0 {
            cursor.skip(TYPE, |b| b.is_ascii_alphanumeric() || b"_.:!".contains(&b));
            if cursor.skip(1, |b| b == b'(') == 0 {
                return None;
            }
        }
        cursor.blanks(BLANKS);
        cursor.line_end();
        cursor.opened()
    }

    /// The closing quote; without one on this line the value ends like a bare one.
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
        // The end of a long value is searched once it is known to be a secret.
        let looked = rest.get(..LONGEST.min(rest.len())).unwrap_or_default();
        let ends = |at: usize, byte: u8| {
            let escape = byte == b'\\' && matches!(looked.get(at + 1), Some(b'n' | b'r' | b't' | b'"' | b'\''));
            ENDS[usize::from(byte)] || escape
        };
        self.at + looked.iter().enumerate().position(|(at, byte)| ends(at, *byte)).unwrap_or(looked.len())
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
