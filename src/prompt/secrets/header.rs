//! Credentials as they go over HTTP: `Authorization:` headers, bearer tokens, `curl --user`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::judge::{entropy, is_placeholder};
use super::shape::{MANY, Of};
use super::words::{is_random, share};

/// A header is looked for within so many bytes.
const WINDOW: usize = 600;
/// A name without a password is a key from this length on.
const KEY: usize = 10;

const AUTHORIZATION: &str = r#"\A(?i:authorization)\\?["'\]]{0,2}[ \t]{0,4}[:=,][ \t]{0,4}\\?["'`]?(?P<scheme>(?i:bearer|basic|token|api-?token|api-?key|key|digest|negotiate|ssws|bot|jwt|oauth|hmac)[ \t]{1,4})?(?P<s>[A-Za-z0-9._~+/=:@%-]{8,})"#;
const BEARER: &str = r"\A(?P<scheme>(?i:bearer))[ \t]{1,4}(?P<s>[A-Za-z0-9._~+/=@%-]{16,})";

#[expect(clippy::expect_used, reason = "the patterns are constants, compiled by every test of this room")]
static COMPILED: LazyLock<[Regex; 2]> =
    LazyLock::new(|| [AUTHORIZATION, BEARER].map(|pattern| Regex::new(pattern).expect("a constant pattern")));

/// The value of the header or of the scheme that begins at `at`.
pub(super) fn authorization(text: &str, at: usize) -> Option<Range<usize>> {
    let window = window(text, at);
    let captures = COMPILED.iter().find_map(|regex| regex.captures(window))?;
    let secret = header_value(window, &captures)?;
    let end = at + secret.end;
    Some(at + secret.start..end + Of::Loose.run(text.as_bytes(), end, MANY))
}

/// The password of a `curl` on the same line or on the lines that it continues; a name without one is the key.
pub(super) fn user(text: &str, flag: Range<usize>) -> Option<Range<usize>> {
    let from = text.floor_char_boundary(flag.start.saturating_sub(WINDOW));
    let before = text.get(from..flag.start)?;
    let command = before.rsplit('\n').enumerate().take_while(|(n, line)| *n == 0 || line.ends_with('\\'));
    if !command.into_iter().any(|(_, line)| line.contains("curl")) {
        return None;
    }
    let rest = text.get(flag.end..)?;
    let start = flag.end + rest.bytes().take(4).take_while(|b| matches!(b, b' ' | b'=')).count();
    let word = word(text.get(start..text.floor_char_boundary(start + WINDOW)).unwrap_or_default());
    let (name, password) = word.split_once(':')?;
    // What a template or the reader fills in.
    if name.starts_with('<') || ["{{", "$("].iter().any(|mark| word.contains(mark)) {
        return None;
    }
    let marks = |c: char| "\"'\\{}".contains(c);
    let secret = if password.trim_matches(marks).is_empty() { name } else { password };
    let inner = secret.trim_matches(marks);
    let first = secret.find(|c| !marks(c)).unwrap_or(0);
    let offset = first + if std::ptr::eq(secret, name) { 0 } else { name.len() + 1 };
    let known = if std::ptr::eq(secret, name) {
        inner.len() >= KEY && is_key(inner)
    } else {
        inner.len() >= 4 && inner != name.trim_matches(marks) && !inner.starts_with('[')
    };
    (known && !is_placeholder(inner)).then(|| start + offset..start + offset + inner.len())
}

fn is_key(name: &str) -> bool {
    let digit = name.bytes().any(|b| b.is_ascii_digit());
    (is_random(name) || (digit && share(name) < 80)) && entropy(name) >= 2.5
}

/// One word of a shell, with its quotes.
fn word(text: &str) -> &str {
    let mut quote = None;
    let end = text.find(|c: char| {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => return c == '\n',
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None => return c.is_whitespace(),
        }
        false
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn window(text: &str, at: usize) -> &str {
    text.get(at..text.floor_char_boundary(at + WINDOW)).unwrap_or_default()
}

/// `Authorization: Bearer <token>` and prose about authorization are left alone.
fn header_value(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let secret = captures.name("s")?;
    let called = text.get(secret.end()..)?.starts_with('(') || secret.as_str().contains("::");
    let has = |class: fn(&u8) -> bool| secret.as_str().bytes().any(|b| class(&b));
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let shaped = !called && (has(u8::is_ascii_digit) || (captures.name("scheme").is_some() && mixed));
    (shaped && !is_placeholder(secret.as_str())).then(|| secret.range())
}
