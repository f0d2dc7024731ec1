//! Passwords and tokens in URLs: `postgres://user:password@host`, `https://token@host`.

use std::ops::Range;

use super::value_class::is_placeholder;

/// Maximum URL length searched (bytes).
const LONGEST: usize = 512;
/// Minimum length from which a name without a password counts as a token.
const TOKEN: usize = 20;
/// The secrets in the URL with its `://` ending at `at`: the password, and the name where it is a token.
pub(super) fn secrets(text: &str, at: usize) -> Vec<Range<usize>> {
    let Some(info) = user_info(text, at) else { return Vec::new() };
    if info.contains("[redacted") {
        return Vec::new();
    }
    let (name, password) = info.split_once(':').unwrap_or((info, ""));
    let mut found = Vec::new();
    if !password.is_empty() && !is_placeholder(password) {
        let start = at + name.len() + 1;
        found.push(start..at + info.len());
    }
    if is_token(name) || (!password.is_empty() && is_made(name)) {
        found.push(at..at + name.len());
    }
    found
}

/// The text before the last `@` of the URL's authority.
fn user_info(text: &str, at: usize) -> Option<&str> {
    let rest = text.as_bytes().get(at..)?;
    let ends = |b: u8| b.is_ascii_whitespace() || b"/\"'`<>\\".contains(&b);
    let part = rest.iter().take(LONGEST).take_while(|byte| !ends(**byte)).count();
    let info = rest.get(..part)?.iter().rposition(|byte| *byte == b'@')?;
    text.get(at..at + info)
}

fn is_token(name: &str) -> bool {
    let shaped = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.~".contains(&b));
    name.len() >= TOKEN && shaped && !is_placeholder(name) && name.bytes().any(|b| b.is_ascii_digit())
}

/// The half of a key that is written as a name: `7a2bd6b4:7bf4cd8c@host`.
fn is_made(name: &str) -> bool {
    name.len() >= 8 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        secrets(text, text.find("://").unwrap() + 3).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn passwords_and_tokens_are_found_in_addresses() {
        assert_eq!(found("postgres://app:s3cr3t@db/x"), ["s3cr3t"]);
        assert_eq!(found("redis://:p@ss@h:1"), ["p@ss"]);
        assert_eq!(found("https://abcdefghij0123456789@host/x.git"), ["abcdefghij0123456789"]);
    }

    #[test]
    fn plain_addresses_and_what_manuals_write_stay() {
        for text in [
            "http://127.0.0.1:11434/api",
            "https://user:password@example.com",
            "https://user:${PASSWORD}@example.com",
            "ssh://git@host:22/x",
            "https://www.npmjs.com/package/@scope/name",
            "https://a-very-long-name-of-somebody@host/x",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }
}
