//! Private key blocks (PEM, OpenSSH, PGP), complete or partial: a patch may show only some of their lines.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

pub(super) const KIND: &str = "private-key";

const BEGIN: &str = r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----";
const END: &str = r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----";

/// Line widths of key files (openssl 64, OpenSSH 70). 76, the width of mail and images, is not among them.
const WIDTHS: [usize; 2] = [64, 70];
/// Consecutive lines of such a width that count as a key without any marker.
const RUN: usize = 2;

#[expect(clippy::expect_used, reason = "the patterns are constants, compiled by every test of this room")]
static COMPILED: LazyLock<(Regex, Regex)> =
    LazyLock::new(|| (Regex::new(BEGIN).expect("a constant pattern"), Regex::new(END).expect("a constant pattern")));

#[derive(Debug, Clone, Copy, PartialEq)]
enum Block {
    Outside,
    Private,
    /// Certificates and public keys are not secret.
    Public,
}

/// For each line the part that belongs to a private key.
pub(super) fn find(lines: &[&str]) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    let mut block = Block::Outside;
    let mut run = 0;
    for (at, line) in lines.iter().enumerate() {
        if line.contains("-----") {
            block = marker(lines, at, block, &mut found);
            run = 0;
            continue;
        }
        if begins_putty(line) {
            run_end(lines, at, run, block, &mut found);
            (block, run) = (Block::Private, 0);
            continue;
        }
        if block == Block::Private && !is_body(line) {
            block = Block::Outside;
        }
        run = if block == Block::Outside && is_key_line(line) {
            run + 1
        } else {
            run_end(lines, at, run, block, &mut found)
        };
        if block == Block::Private && !line.trim().is_empty() {
            found.push((at, 0..line.len()));
        }
    }
    run_end(lines, lines.len(), run, Block::Outside, &mut found);
    found
}

/// Whether a line is relevant for key blocks.
pub(super) fn hints(line: &str) -> bool {
    line.contains("-----") || is_key_line(line) || begins_putty(line)
}

/// PuTTY key files mark their sections with headers.
fn begins_putty(line: &str) -> bool {
    line.contains("Private-Lines:")
}

/// Handles a line with dashes: it enters or leaves a block, and may hold a whole one.
fn marker(lines: &[&str], at: usize, block: Block, found: &mut Vec<(usize, Range<usize>)>) -> Block {
    let line = lines[at];
    let (_, end) = &*COMPILED;
    let (parts, open) = begun_in(line);
    if !parts.is_empty() {
        found.extend(parts.into_iter().map(|part| (at, part)));
        return if open { Block::Private } else { Block::Outside };
    }
    if let Some(end) = end.find(line) {
        found.push((at, 0..end.end()));
        let before = (0..at).rev().take_while(|line| block != Block::Private && is_body(lines[*line]));
        found.extend(before.filter(|line| !lines[*line].trim().is_empty()).map(|line| (line, 0..lines[line].len())));
        return Block::Outside;
    }
    if line.contains("-----BEGIN ") { Block::Public } else { Block::Outside }
}

/// The blocks that begin in a line, and whether the last one continues after it. Each search starts at the end of the
/// previous one, so that a line full of markers costs one pass.
fn begun_in(line: &str) -> (Vec<Range<usize>>, bool) {
    let (begin, end) = &*COMPILED;
    let (mut parts, mut from, mut open) = (Vec::new(), 0, false);
    let mut ends = true;
    while let Some(found) = begin.find_at(line, from) {
        let closing = if ends { end.find_at(line, found.end()) } else { None };
        ends = closing.is_some();
        open = !ends;
        from = closing.map_or_else(|| found.end() + literal_body(&line[found.end()..]), |closing| closing.end());
        parts.push(found.start()..from);
    }
    (parts, open)
}

/// Number of bytes from the start that can be a key body inside a string literal.
fn literal_body(rest: &str) -> usize {
    let mut length = 0;
    while let Some(byte) = rest.as_bytes().get(length) {
        let newline = rest[length..].starts_with("\\n") || rest[length..].starts_with("\\r");
        match (newline, is_base64(*byte)) {
            (true, _) => length += 2,
            (false, true) => length += 1,
            (false, false) => break,
        }
    }
    length
}

/// Closes a run of unmarked key lines that ended before `at`; its last, shorter line belongs to it.
fn run_end(lines: &[&str], at: usize, run: usize, block: Block, found: &mut Vec<(usize, Range<usize>)>) -> usize {
    if run >= RUN {
        found.extend((at - run..at).map(|line| (line, 0..lines[line].len())));
        let tail = lines.get(at).filter(|line| block == Block::Outside && is_body(line) && payload(line).len() >= 4);
        found.extend(tail.map(|line| (at, 0..line.len())));
    }
    0
}

/// Whether a line can occur inside a block: Base64, an armour header, or empty; also as a string literal.
fn is_body(line: &str) -> bool {
    let payload = payload(line);
    payload.bytes().all(is_base64)
        || ["Proc-Type:", "DEK-Info:", "Comment:", "Version:"].iter().any(|header| payload.starts_with(header))
}

/// Whether it has a key's line width and all character classes (hexadecimal digests also have one width).
fn is_key_line(line: &str) -> bool {
    if line.len() < WIDTHS[0] || line.len() > 120 {
        return false;
    }
    let payload = payload(line);
    let has = |class: fn(&u8) -> bool| payload.bytes().any(|b| class(&b));
    WIDTHS.contains(&payload.len())
        && payload.bytes().all(is_base64)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// The line without surrounding quotes, operators, comment marks and escaped line ends.
fn payload(line: &str) -> &str {
    let around = |c: char| c.is_whitespace() || "\"'`,;.()#*>|\\".contains(c);
    let line = line.trim_start_matches(|c| around(c) || c == '/').trim_end_matches(|c| around(c) || c == '+');
    let line = line.strip_suffix("\\n").unwrap_or(line);
    line.strip_suffix("\\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MIIEowIBAAKCAQEA7bq5Zc8mYpQeXy2hJ0v1uTn4Rk6sLw9aFgDiOoPlKjHbNvCx";

    fn hit(text: &str) -> Vec<usize> {
        let lines: Vec<&str> = text.split('\n').collect();
        let mut hit: Vec<usize> = find(&lines).into_iter().map(|(line, _)| line).collect();
        hit.sort_unstable();
        hit
    }

    #[test]
    fn a_block_is_found_from_its_first_to_its_last_line() {
        let text = format!(
            "a\n-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{BODY}\nabc=\n-----END RSA PRIVATE KEY-----\nb"
        );
        assert_eq!(hit(&text), [1, 2, 4, 5, 6]);
    }

    #[test]
    fn parts_of_a_block_are_found_too() {
        assert_eq!(hit(&format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{BODY}")), [0, 1]);
        assert_eq!(hit(&format!("fn main() {{\n{BODY}\nabc=\n-----END PRIVATE KEY-----")), [1, 2, 3]);
        assert_eq!(hit(&format!("x y\n{BODY}\n{BODY}\nqrs=\nx y")), [1, 2, 3]);
        assert_eq!(hit(&format!("{BODY}\n{BODY}")), [0, 1]);
    }

    #[test]
    fn a_block_written_as_string_literals_is_found() {
        let text = format!(
            "k = \"-----BEGIN PRIVATE KEY-----\\n\" +\n    \"{BODY}\\n\" +\n    \"abc=\\n\" +\n  \"-----END PRIVATE KEY-----\"\nf(x)"
        );
        assert_eq!(hit(&text), [0, 1, 2, 3]);
        let one = format!("\"key\": \"-----BEGIN PRIVATE KEY-----\\n{BODY}\\n-----END PRIVATE KEY-----\\n\", \"x\": 1");
        let found = find(&[&one]);
        assert_eq!(&one[found[0].1.end..], "\\n\", \"x\": 1");
    }

    #[test]
    fn code_that_only_names_the_marker_stays() {
        let text = "if text.contains(\"-----BEGIN PRIVATE KEY-----\") {\n    return Err(bad());\n}";
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(find(&lines), [(0, 18..45)]);
    }

    #[test]
    fn certificates_digests_and_images_stay() {
        assert_eq!(
            hit(&format!("-----BEGIN CERTIFICATE-----\n{BODY}\n{BODY}\n-----END CERTIFICATE-----")),
            Vec::<usize>::new()
        );
        let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert_eq!(hit(&format!("{digest}\n{digest}\n{digest}")), Vec::<usize>::new());
        let image = format!("{BODY}ABCDEFabcd12");
        assert_eq!(hit(&format!("{image}\n{image}")), Vec::<usize>::new());
    }
}
