//! Credentials as they go over HTTP: `Authorization:` headers, bearer tokens, `curl --user`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::judge::is_placeholder;
use super::shape::{MANY, Of};

/// A header is looked for within so many bytes.
const WINDOW: usize = 600;

const AUTHORIZATION: &str = r#"\A(?i:authorization)\\?["'\]]{0,2}[ \t]{0,4}[:=,][ \t]{0,4}\\?["'`]?(?P<scheme>(?i:bearer|basic|token|digest|negotiate|apikey|ssws|bot)[ \t]{1,4})?(?P<s>[A-Za-z0-9._~+/=:-]{8,})"#;
const BEARER: &str = r"\A(?P<scheme>(?i:bearer))[ \t]{1,4}(?P<s>[A-Za-z0-9._~+/=-]{16,})";
const USER: &str = r#"\A(?:-u|--user|--proxy-user)[ =]{1,2}\\?["']?[A-Za-z0-9_.@-]{0,64}:(?P<s>[^\s"'\\]{4,200})"#;

#[expect(clippy::expect_used, reason = "the patterns are constants, compiled by every test of this room")]
static COMPILED: LazyLock<[Regex; 3]> =
    LazyLock::new(|| [AUTHORIZATION, BEARER, USER].map(|pattern| Regex::new(pattern).expect("a constant pattern")));

/// The value of the header or of the scheme that begins at `at`.
pub(super) fn authorization(text: &str, at: usize) -> Option<Range<usize>> {
    let window = window(text, at);
    let captures = COMPILED.iter().take(2).find_map(|regex| regex.captures(window))?;
    let secret = header_value(window, &captures)?;
    let end = at + secret.end;
    Some(at + secret.start..end + Of::Loose.run(text.as_bytes(), end, MANY))
}

/// The password of a `curl` on the same line.
pub(super) fn user(text: &str, at: usize) -> Option<Range<usize>> {
    let from = text.floor_char_boundary(at.saturating_sub(WINDOW));
    let before = text.get(from..at)?;
    let line = before.rfind('\n').map_or(before, |end| before.get(end..).unwrap_or_default());
    let captures = line.contains("curl").then(|| COMPILED[2].captures(window(text, at))).flatten()?;
    let secret = captures.name("s")?;
    (!is_placeholder(secret.as_str())).then(|| at + secret.start()..at + secret.end())
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
