//! File formats that hold secrets without naming them: `.netrc`, Docker logins, Kubernetes secrets.

use std::ops::Range;

use super::shape::Alphabet;
use super::value_class::{is_placeholder, looks_secret};

/// Bytes of a Kubernetes document searched around its kind, in each direction.
const DOCUMENT: usize = 16 << 10;

/// The password after the `login` at `at`: `login NAME password SECRET`, on one line or several.
pub(super) fn netrc(text: &str, at: usize) -> Option<Range<usize>> {
    let window = text.get(at..text.floor_char_boundary(at + 300))?;
    let mut words = WordRanges { text: window, at: 0 };
    let (login, name) = (words.next()?, words.next()?);
    let mut word = words.next()?;
    if &window[login] != "login" || window[name].ends_with([',', ':', ';']) {
        return None;
    }
    if &window[word.clone()] == "account" {
        words.next()?;
        word = words.next()?;
    }
    let secret = words.next().filter(|_| &window[word] == "password")?;
    let value = &window[secret.clone()];
    let from = text.floor_char_boundary(at.saturating_sub(120));
    let hosted = text.get(from..at)?.contains("machine ");
    let is = if hosted { value.len() >= 4 && !is_placeholder(value) } else { looks_secret(value, true) };
    is.then(|| at + secret.start..at + secret.end)
}

/// Words between spaces, with their positions.
struct WordRanges<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for WordRanges<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..)?;
        let start = self.at + rest.find(|c: char| !c.is_whitespace())?;
        let end = self.text.get(start..)?.find(char::is_whitespace).map_or(self.text.len(), |length| start + length);
        self.at = end;
        Some(start..end)
    }
}

/// The login after `"auth"` at `at`: Base64 of `name:password`.
pub(super) fn docker(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let gap =
        |from: usize| bytes.get(from..)?.iter().take(8).position(|b| !matches!(b, b' ' | b':' | b'"' | b'\\' | b'\''));
    let start = at + gap(at)?;
    let length = Alphabet::Base64.run(bytes, start, 2_048);
    let value = text.get(start..start + length)?;
    (length >= 8 && start - at >= 2 && is_login(value)).then(|| start..start + length)
}

/// Whether it is Base64 of printable text with a colon in it.
fn is_login(value: &str) -> bool {
    let decoded = decoded(value.trim_end_matches('='));
    decoded.len() >= 4 && decoded.contains(&b':') && decoded.iter().all(|b| (0x20..0x7f).contains(b))
}

/// Decodes Base64 without padding; stops at the first other character.
pub(super) fn decoded(value: &str) -> Vec<u8> {
    let sextet = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let sextets: Vec<u8> = value.bytes().map_while(sextet).collect();
    let mut bytes = Vec::with_capacity(sextets.len());
    for four in sextets.chunks(4) {
        let bits = four.iter().enumerate().fold(0_u32, |bits, (n, s)| bits | u32::from(*s) << (18 - 6 * n));
        bytes.extend(bits.to_be_bytes().into_iter().skip(1).take(four.len().saturating_sub(1)));
    }
    bytes
}

/// The values under `data` and `stringData` of the Kubernetes document around `at`, and where it ends.
pub(super) fn kubernetes(text: &str, at: usize) -> (Vec<Range<usize>>, usize) {
    let document = document(text, at);
    let mut found = Vec::new();
    let mut under: Option<(usize, bool)> = None;
    let mut start = document.start;
    for line in text.get(document.clone()).unwrap_or_default().split_inclusive('\n') {
        let body = line.trim_end();
        let depth = body.len() - body.trim_start().len();
        let name = body.trim_start();
        if name == "data:" || name == "stringData:" {
            under = Some((depth, name == "data:"));
        } else if !name.is_empty() {
            under = under.filter(|(data, _)| depth > *data);
            let value = under.and_then(|(_, encoded)| secret_of(body, encoded));
            found.extend(value.map(|value| start + value.start..start + value.end));
        }
        start += line.len();
    }
    (found, document.end)
}

fn document(text: &str, at: usize) -> Range<usize> {
    let from = text.floor_char_boundary(at.saturating_sub(DOCUMENT));
    let to = text.floor_char_boundary(at.saturating_add(DOCUMENT));
    let before = text.get(from..at).unwrap_or_default();
    let after = text.get(at..to).unwrap_or_default();
    from + before.rfind("\n---").unwrap_or(0)..at + after.find("\n---").unwrap_or(after.len())
}

/// The value of `  name: value`; in a `|` block, a line by itself.
fn secret_of(line: &str, encoded: bool) -> Option<Range<usize>> {
    let start = match line.find(": ") {
        Some(colon) => colon + 2,
        None if line.ends_with(':') => return None,
        None => 0,
    };
    let value = line.get(start..)?;
    let inner = value.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    let start = start + value.find(inner)?;
    let base64 = encoded && inner.len() >= 4 && inner.bytes().all(|b| Alphabet::Base64.has(b));
    let plain = !encoded && inner.len() >= 4;
    ((base64 || plain) && !is_placeholder(inner) && !inner.starts_with(['|', '>'])).then(|| start..start + inner.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_of_a_netrc_is_found_on_one_line_or_several() {
        for text in ["machine h login me password plainword", "machine h\n  login me\n  password plainword\n"] {
            assert_eq!(netrc(text, text.find("login").unwrap()).map(|range| &text[range]), Some("plainword"), "{text}");
        }
        for text in ["login page password field", "login name, password and host", "login with password instead"] {
            assert_eq!(netrc(text, 0), None, "{text}");
        }
    }

    #[test]
    fn base64_is_read() {
        assert_eq!(decoded("dXNlcjpwYXNz"), b"user:pass");
        assert_eq!(decoded("dXNlcjpwYXM"), b"user:pas");
        assert_eq!(decoded("dXNlcjpwYQ=="), b"user:pa");
    }

    #[test]
    fn a_docker_login_is_one_only_with_a_name_and_a_password() {
        let text = r#""auth": "dXNlcjpwYXNz""#;
        assert_eq!(docker(text, 6).map(|range| &text[range]), Some("dXNlcjpwYXNz"));
        assert_eq!(docker(r#""auth": "requiredAlways""#, 6), None);
    }

    #[test]
    fn the_data_of_a_secret_is_found_before_and_after_its_kind() {
        let text = "apiVersion: v1\ndata:\n  user: YWRtaW4=\nkind: Secret\nstringData:\n  word: plain\ntype: Opaque\n---\ndata:\n  a: b3RoZXI=\n";
        let (found, _) = kubernetes(text, text.find("kind").unwrap());
        let found: Vec<&str> = found.into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["YWRtaW4=", "plain"]);
    }
}
