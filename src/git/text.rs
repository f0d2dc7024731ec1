//! Sanitises bytes from a repository to text that is safe to store and print.

use std::fmt::Write as _;

/// Decodes lossily and escapes characters that could spoof a terminal or a reader: C0, C1 and bidirectional controls.
/// `\n` and `\t` are kept where `keep_layout`, else escaped too.
pub fn harmless(bytes: &[u8], keep_layout: bool) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !text.chars().any(|c| is_harmful(c, keep_layout)) {
        return text.into_owned();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c, keep_layout) { escape(c, &mut safe) } else { safe.push(c) }
    }
    safe
}

/// A path as printable text on one line.
pub fn path(bytes: &[u8]) -> String {
    harmless(bytes, false)
}

/// A line of a patch, without its line end, cut at `limit` bytes on a character boundary.
pub fn line(bytes: &[u8], limit: usize) -> String {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    // A character has at most four bytes: truncating the bytes first keeps a giant line cheap.
    let head = &bytes[..bytes.len().min(limit.saturating_add(4))];
    let mut text = harmless(head, true);
    text.truncate(text.floor_char_boundary(limit));
    text
}

fn is_harmful(c: char, keep_layout: bool) -> bool {
    match c {
        '\n' | '\t' => !keep_layout,
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{2028}' | '\u{2029}' => true,
        _ => c.is_control(),
    }
}

fn escape(c: char, out: &mut String) {
    let written = match c {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        c if (c as u32) < 0x100 => write!(out, "\\x{:02x}", c as u32),
        c => write!(out, "\\u{{{:x}}}", c as u32),
    };
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_are_escaped() {
        assert_eq!(path(b"a\x1b[31m\nb\t\x07"), "a\\x1b[31m\\nb\\t\\x07");
        assert_eq!(path("x\u{202e}txt.exe".as_bytes()), "x\\u{202e}txt.exe");
        assert_eq!(path(b"\xc2\x9b2J"), "\\x9b2J");
    }

    #[test]
    fn layout_is_kept_in_messages() {
        assert_eq!(harmless(b"a\n\tb\r", true), "a\n\tb\\r");
    }

    #[test]
    fn broken_utf8_becomes_replacement_characters() {
        assert_eq!(path(b"caf\xe9"), "caf\u{fffd}");
    }

    #[test]
    fn lines_lose_their_end_and_are_cut_between_characters() {
        assert_eq!(line(b"text\r\n", 100), "text");
        assert_eq!(line("ääää".as_bytes(), 5), "ää");
        assert_eq!(line(&[b'x'; 5000], 10).len(), 10);
        assert!(line(&[0x1b; 50], 10).len() <= 10);
    }
}
