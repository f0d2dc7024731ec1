//! Secrets without a distinctive prefix: the secret beside an AWS access key, Discord tokens, JWTs.

use std::ops::Range;

use super::files::decoded;
use super::shape::{Alphabet, MANY};
use super::value_class::entropy;

/// Distance from an access key searched for its secret, in bytes, in each direction.
const NEAR: usize = 300;
/// Minimum length of a JWT object, and maximum length of its header.
const OBJECT: usize = 19;
const HEADER: usize = 4096;
/// Length of an AWS secret.
const AWS: usize = 40;

/// The secrets beside the access key at `key`: forty Base64 characters with all character classes.
pub(super) fn aws_secrets(text: &str, key: &Range<usize>) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let (from, to) = (key.start.saturating_sub(NEAR), (key.end + NEAR).min(bytes.len()));
    let mut found = Vec::new();
    let mut at = from;
    while at < to {
        let length = Alphabet::Base64.run(bytes, at, AWS + 1);
        // The run may have begun before the window.
        let whole = at == 0 || !bytes.get(at - 1).is_some_and(|b| Alphabet::Base64.has(*b) && *b != b'=');
        if length == AWS && whole && text.get(at..at + AWS).is_some_and(is_aws_secret) {
            found.push(at..at + AWS);
        }
        at += length.max(1);
        at += if length > AWS { Alphabet::Base64.run(bytes, at, to - at.min(to)) } else { 0 };
    }
    found
}

fn is_aws_secret(value: &str) -> bool {
    let has = |class: fn(&u8) -> bool| value.bytes().any(|b| class(&b));
    has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && entropy(value) >= 4.0
}

/// A bot token around the dot at `dot`: its id in Base64, six characters of time, and the signature.
pub(super) fn discord(text: &str, dot: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let second = dot + 7;
    if bytes.get(second) != Some(&b'.') || Alphabet::Url.run(bytes, dot + 1, 6) != 6 {
        return None;
    }
    let id = bytes.get(..dot)?.iter().rev().take(29).take_while(|b| Alphabet::Alnum.has(**b)).count();
    let signature = Alphabet::Url.run(bytes, second + 1, MANY);
    let start = dot - id;
    let digits = decoded(text.get(start..dot)?);
    let is = (23..=28).contains(&id) && signature >= 25 && digits.iter().all(u8::is_ascii_digit);
    is.then(|| start..second + 1 + signature)
}

/// The two Base64 objects around the dot at `dot`, and their signature.
pub(super) fn jwt(text: &str, dot: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let header = bytes.get(..dot)?.iter().rev().take(HEADER).take_while(|b| Alphabet::Url.has(**b)).count();
    let start = dot - header;
    let body = joined(bytes, dot + 1);
    let end = dot + 1 + body;
    if header < OBJECT || body < OBJECT || !bytes.get(start..)?.starts_with(b"ey") || bytes.get(end) != Some(&b'.') {
        return None;
    }
    let mut end = end + 1 + joined(bytes, end + 1);
    while bytes.get(end) == Some(&b'.') && joined(bytes, end + 1) > 0 {
        end += 1 + joined(bytes, end + 1);
    }
    Some(start..end)
}

/// Length of the Base64 run at `from`; some encoders insert a `\` that is not a string escape.
fn joined(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let inner = |at: usize| match rest[at] {
        b'\\' => rest.get(at + 1).is_some_and(|b| Alphabet::Any.has(*b) && !matches!(b, b'n' | b'r' | b't')),
        byte => Alphabet::Any.has(byte),
    };
    (0..rest.len()).take_while(|at| inner(*at)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_beside_a_key_is_found_and_a_digest_is_not() {
        let text = "AKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n";
        assert_eq!(aws_secrets(text, &(0..20)).first(), Some(&(21..61)));
        let text = "AKIAIOSFODNN7EXAMPLE 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b\n";
        assert!(aws_secrets(text, &(0..20)).is_empty());
    }

    #[test]
    fn a_bots_token_begins_with_its_number() {
        let text = "x MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs y";
        assert_eq!(discord(text, 26).map(|range| range.len()), Some(59));
        let text = "x someThingElseThatIsLong1.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs y";
        assert_eq!(discord(text, 26), None);
    }
}
