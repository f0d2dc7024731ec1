//! Value classifier: whether a value next to a sensitive name is a secret, or a word, a reference, a placeholder.

use super::words::{is_random, share, turns};
use crate::redact::reference::is_reference;

/// Only this many bytes are checked, so that a long value costs no more than a short one.
const JUDGED: usize = 256;
/// Minimum length for the randomness test.
const STRONG: usize = 20;

/// Classifies by characters: length, classes, entropy. Prose and placeholders are not secrets.
pub(super) fn looks_secret(value: &str, password: bool) -> bool {
    let value = head(value);
    if value.contains(char::is_whitespace)
        || is_placeholder(value)
        || is_format(value, password)
        || (!password && is_words(value))
    {
        return false;
    }
    let has = |class: fn(&u8) -> bool| value.bytes().any(|b| class(&b));
    let (letter, digit) = (has(u8::is_ascii_alphabetic), has(u8::is_ascii_digit));
    let symbol = value.bytes().any(|b| b.is_ascii_punctuation() && !b"_-.:/,".contains(&b));
    if password {
        let chance = value.len() >= 8 && is_random(value) && !is_one_word(value);
        return value.len() >= 6 && letter && (digit || symbol || chance);
    }
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    match value.len() {
        0..8 => false,
        8..12 => letter && digit && (mixed || symbol),
        12..24 => letter && (digit || (mixed && symbol) || is_chance(value)) && entropy(value) >= 2.8,
        _ => letter && (digit || mixed || is_chance(value)) && entropy(value) >= 3.2,
    }
}

/// `client_traffic_secret_0`, `MY-APP-1`: a label, at any length.
pub(super) fn is_words(value: &str) -> bool {
    let word = |part: &str| {
        let stem = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let tail = stem.get(1..).unwrap_or("");
        let even = tail.bytes().all(|b| b.is_ascii_lowercase()) || stem.bytes().all(|b| b.is_ascii_uppercase());
        part.len() - stem.len() <= 3 && even && stem.bytes().all(|b| b.is_ascii_alphabetic())
    };
    value.contains(['_', '-', '.']) && value.split(['_', '-', '.']).all(word)
}

/// Names of values instead of values: `self.tokens0.next`, `env.SECRET`, `next_token2`, paths, URLs.
pub(super) fn is_code(value: &str, password: bool) -> bool {
    let value = head(value);
    let most_digits = if password { 1 } else { 5 };
    let word = |part: &str| {
        let stem = part.trim_end_matches(|c: char| c.is_ascii_digit());
        part.len() - stem.len() <= most_digits && stem.bytes().all(|b| b.is_ascii_alphabetic())
    };
    if is_strong(value, false) {
        return false;
    }
    let gibberish = value.len() >= 12 && share(value) < 35 && humps(value);
    value.contains("::")
        || value.contains("://")
        || value.contains("->")
        || value.starts_with("0x")
        || value.starts_with([':', '/', '.', '~', '&', '*', '@', '!', '|', '-'])
        || value.trim_end_matches(['?', '.', ')', '!', '|']).split(['.', '_', '-', '/', '\\', '$']).all(word)
            && !gibberish
}

/// Whether its case changes more often than in a name, or never.
fn humps(value: &str) -> bool {
    let turns = turns(value);
    (turns == 0 && value.len() >= 16) || turns * 3 >= value.len()
}

/// Whether the value is random, whatever its name: `key = "…"`.
pub(super) fn is_strong(value: &str, hex: bool) -> bool {
    let has = |class: fn(&u8) -> bool| value.bytes().any(|b| class(&b));
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.=+/-".contains(&b));
    let digits = value.strip_prefix("0x").unwrap_or(value);
    let counted = ["abcdefgh", "12345678", "ABCDEFGH"].iter().any(|row| value.contains(row));
    let digest = digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        || ["sha1-", "sha256-", "sha384-", "sha512-"].iter().any(|start| value.starts_with(start));
    let letters = has(u8::is_ascii_alphabetic);
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let digit = has(u8::is_ascii_digit);
    let classes = if value.len() < STRONG { digit && mixed } else { digit || mixed };
    !counted
        && (STRONG - 4..=JUDGED).contains(&value.len())
        && plain
        && letters
        && classes
        && (hex || !digest)
        && (share(value) < 35 || (share(value) < 50 && digit && mixed && turns(value) * 3 >= value.len()))
        && entropy(value) >= 3.5
}

/// Placeholder passwords from manuals; they protect nothing.
const WORDS: [&str; 15] = [
    "password", "passwd", "pass", "pwd", "secret", "token", "xxx", "xxxx", "yourpassword", "your-password",
    "mypassword", "pw", "p", "user", "x-oauth-basic",
];

pub(super) fn is_placeholder(value: &str) -> bool {
    let value = head(value);
    let first = value.bytes().next();
    let stem = value.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['_', '-']);
    let uniform = value.bytes().all(|b| Some(b) == first || b == b'-');
    uniform
        || WORDS.iter().any(|word| stem.eq_ignore_ascii_case(word))
        || value.starts_with(['$', '{', '<'])
        || (value.starts_with(['%', '#']) && (value.contains('{') || value.ends_with('%') || !has_chance(value)))
        || value.contains("[redacted")
        || value.split_once("${").is_some_and(|(_, rest)| rest.contains('}'))
        || value.contains("{{")
        || ["npm:", "workspace:", "file:", "process.env", "os.environ"].iter().any(|start| value.starts_with(start))
        || is_reference(value)
        || is_public(value)
}

/// `sha512-…`: a file checksum; also the body of an SSH public key.
fn is_public(value: &str) -> bool {
    if ["AAAAB3NzaC1", "AAAAC3NzaC1lZDI1NTE5", "AAAAE2VjZHNhLXNoYTI"].iter().any(|start| value.starts_with(start)) {
        return true;
    }
    const LENGTHS: [(&str, usize); 4] = [("sha1-", 28), ("sha256-", 44), ("sha384-", 64), ("sha512-", 88)];
    LENGTHS.iter().filter_map(|(start, length)| Some((value.strip_prefix(start)?, length))).any(|(digest, length)| {
        digest.len() == *length && digest.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
    })
}

/// Letters alone need a higher randomness.
fn is_chance(value: &str) -> bool {
    share(value) < 20 || (turns(value) * 3 >= value.len() && is_random(value))
}

/// `Password:`, however rare its letter pairs are.
fn is_one_word(value: &str) -> bool {
    let letters = value.trim_end_matches(|c: char| c.is_ascii_punctuation());
    letters.len() <= 12 && letters.bytes().skip(1).all(|b| b.is_ascii_lowercase())
}

fn has_chance(value: &str) -> bool {
    value.len() >= 8 && value.bytes().any(|b| b.is_ascii_digit()) && is_random(value)
}

/// `user-%s`: a format string. A password may contain such a pair by chance.
fn is_format(value: &str, password: bool) -> bool {
    const VERBS: [&str; 4] = ["%s", "%d", "%0", "%v"];
    let rest = VERBS.iter().fold(value.to_owned(), |rest, verb| rest.replace(verb, ""));
    let chance = password || (rest.len() >= 16 && is_random(&rest));
    rest.len() < value.len() && (!chance || rest.len() < 6 || !rest.bytes().any(|b| b.is_ascii_digit()))
}

/// Shannon entropy in bits per byte.
pub(super) fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let total = value.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total).map(|p| -p * p.log2()).sum()
}

fn head(value: &str) -> &str {
    value.get(..value.floor_char_boundary(JUDGED)).unwrap_or(value)
}
