//! String concatenation: secrets split across string literals, `"AKIA" +` on one line, the rest on the next.

use std::ops::Range;

use super::secrets::{self, SecretMatch};

/// Range of joined text around a concatenation, in bytes: to the line before it and to the end of its own line.
const REACH: usize = 1_024;
/// Shorter literals are ignored (bytes).
const CRUMB: usize = 3;
/// Maximum distance before a comma to the call that joins its arguments.
const CALL: usize = 600;
/// Maximum consecutive whitespace at a concatenation.
const BLANKS: usize = 120;

/// A text with its literals joined, and a map back to the original.
struct JoinedText {
    text: String,
    /// (start in the joined text, start in the original), ascending; inserted separators have no original.
    pieces: Vec<(usize, Option<usize>)>,
}

/// Secrets that exist only after joining literals; one range per piece.
pub(super) fn find(text: &str) -> Vec<SecretMatch> {
    let seams = seams(text);
    if seams.is_empty() {
        return Vec::new();
    }
    let joined_parts = join_literals(text, &seams);
    secrets::find(&joined_parts.text).into_iter().flat_map(|found| joined_parts.pieces_of(&found)).collect()
}

/// Joins only the text around concatenations: the plain search covers the rest.
fn join_literals(text: &str, seams: &[Range<usize>]) -> JoinedText {
    let mut joined_parts = JoinedText { text: String::new(), pieces: Vec::new() };
    let (mut from, mut to) = (0, 0);
    for seam in seams {
        if joined_parts.pieces.is_empty() || seam.start > to {
            let start = before(text, seam.start);
            if joined_parts.pieces.is_empty() || start > to {
                joined_parts.add(text, from..to);
                joined_parts.pieces.push((joined_parts.text.len(), None));
                joined_parts.text.push_str("\n\n");
                from = start;
            }
        }
        joined_parts.add(text, from..seam.start.max(from));
        from = seam.end;
        // A long line is not measured again for each of its concatenations.
        if to < seam.end + REACH / 2 {
            to = after(text, seam.end).max(to);
        }
    }
    joined_parts.add(text, from..to.max(from));
    joined_parts
}

/// Start of the line before the one with `at`.
fn before(text: &str, at: usize) -> usize {
    let mut ends = 0;
    let head = text.as_bytes().get(..at).unwrap_or_default().iter().rev().take(REACH).take_while(|byte| {
        ends += usize::from(**byte == b'\n');
        ends < 2
    });
    text.ceil_char_boundary(at - head.count())
}

/// End of the line with `at`.
fn after(text: &str, at: usize) -> usize {
    let tail = text.as_bytes().get(at..).unwrap_or_default().iter().take(REACH).take_while(|byte| **byte != b'\n');
    text.floor_char_boundary(at + tail.count())
}

/// The places where literals are joined: a closing quote, a concatenation operator, optionally a line end, and an
/// opening quote; or a backslash at a line end. Ascending, without overlap.
fn seams(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut seams = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'"' | b'\'' | b'`' => concatenation_end(text, at),
            b'\\' => continued(bytes, at),
            _ => None,
        };
        seams.extend(end.map(|end| at..end));
        at = end.unwrap_or(at + 1);
    }
    seams
}

/// End of the concatenation that begins with the quote at `at`.
fn concatenation_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut end = blanks(bytes, at + 1);
    if bytes.get(end) == Some(&b',') {
        // `concat!("a", "b")`, `["a", "b"].join("")`; a plain list does not join.
        let before = text.get(text.floor_char_boundary(at.saturating_sub(CALL))..at)?;
        end = blanks(bytes, before.contains("concat").then_some(end + 1)?);
    }
    end = blanks(bytes, operator(bytes, end, true));
    // Some languages additionally need a backslash.
    end = blanks(bytes, end + usize::from(bytes.get(end) == Some(&b'\\')));
    end = blanks(bytes, line_end(bytes, end));
    end = blanks(bytes, operator(bytes, end, false));
    let letters = bytes.get(end..)?.iter().take(2).take_while(|b| b"fFrRbBuUL".contains(b)).count();
    matches!(bytes.get(end + letters)?, b'"' | b'\'' | b'`').then_some(end + letters + 1)
}

fn continued(bytes: &[u8], at: usize) -> Option<usize> {
    let end = line_end(bytes, at + 1);
    (end > at + 1).then(|| blanks(bytes, end))
}

fn operator(bytes: &[u8], at: usize, first: bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let long: &[&[u8]] = if first { &[b"..", b"||", b"<>", b"++"] } else { &[b".."] };
    if long.iter().any(|sign| rest.starts_with(sign)) {
        return at + 2;
    }
    let short = rest.first().is_some_and(|b| b"+.&~".contains(b) || (first && *b == b'\\'));
    at + usize::from(short)
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) }
}

fn blanks(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take(BLANKS).take_while(|b| matches!(b, b' ' | b'\t')).count()
}

impl JoinedText {
    fn add(&mut self, text: &str, range: Range<usize>) {
        let Some(piece) = text.get(range.clone()) else { return };
        self.pieces.push((self.text.len(), Some(range.start)));
        self.text.push_str(piece);
    }

    /// The original ranges of a match; `None` when it is within one piece, which the plain search covers.
    fn pieces_of(&self, found: &SecretMatch) -> Vec<SecretMatch> {
        let first = self.pieces.partition_point(|(start, _)| *start <= found.range.start).saturating_sub(1);
        let mut ranges = Vec::new();
        for (at, (start, original)) in self.pieces.iter().enumerate().skip(first) {
            if *start >= found.range.end {
                break;
            }
            let end = self.pieces.get(at + 1).map_or(self.text.len(), |(next, _)| *next);
            let (from, to) = (found.range.start.max(*start), found.range.end.min(end));
            if let (true, Some(original)) = (from < to, original) {
                ranges.push(SecretMatch { range: original + from - start..original + to - start, kind: found.kind });
            }
        }
        if ranges.len() < 2 {
            return Vec::new();
        }
        ranges.retain(|piece| piece.range.len() >= CRUMB);
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|found| &text[found.range]).collect()
    }

    #[test]
    fn literals_are_put_together_before_they_are_judged() {
        assert_eq!(pieces("k = \"AKIA\" +\n    \"IOSFODNN7EXAMPLE\""), ["AKIA", "IOSFODNN7EXAMPLE"]);
        assert_eq!(pieces("k = 'AKIAIOSF' \\\n 'ODNN7' . 'EXAMPLE'"), ["AKIAIOSF", "ODNN7", "EXAMPLE"]);
        assert_eq!(pieces("k = \"AKIAIOSF\" + \\\n  \"ODNN7EXAMPLE\""), ["AKIAIOSF", "ODNN7EXAMPLE"]);
        assert_eq!(pieces("key=AKIAIOSF\\\n  ODNN7EXAMPLE"), ["AKIAIOSF", "ODNN7EXAMPLE"]);
        assert_eq!(
            pieces("f\"ghp_0123456789\" f\"abcdefghij0123456789abcdef\""),
            ["ghp_0123456789", "abcdefghij0123456789abcdef"]
        );
    }

    #[test]
    fn whole_secrets_and_lists_are_not_its_business() {
        assert!(pieces("\"AKIAIOSFODNN7EXAMPLE\" + \" x\"").is_empty());
        assert!(pieces("[\"AKIA\", \"IOSFODNN7EXAMPLE\"]").is_empty());
        assert!(pieces("no quotes at all").is_empty());
    }
}
