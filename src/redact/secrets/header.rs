//! HTTP credentials: `Authorization:` headers, bearer tokens.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::value_class::is_placeholder;

/// Search range for a header (bytes).
const WINDOW: usize = 600;

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
    let rest = text.as_bytes().get(end..).unwrap_or_default();
    let scheme = captures.name("scheme").map_or(secret.start, |scheme| scheme.start());
    let open = quote_before(text, at + scheme).or_else(|| {
        let after = text.as_bytes().get(at + "authorization".len());
        quote_before(text, at).filter(|quote| after != Some(quote))
    });
    let inner = |byte: &&u8| match open {
        Some(quote) => byte.is_ascii_graphic() && !matches!(**byte, b'\\') && **byte != quote,
        None => byte.is_ascii_graphic() && !b"\"'`\\,;(){}<>[]|".contains(byte),
    };
    Some(at + secret.start..end + rest.iter().take_while(inner).count())
}

/// The quote around the value or the whole header: the value extends to the closing one.
fn quote_before(text: &str, at: usize) -> Option<u8> {
    let before = at.checked_sub(1).and_then(|at| text.as_bytes().get(at)).copied();
    before.filter(|b| matches!(b, b'"' | b'\'' | b'`'))
}

fn window(text: &str, at: usize) -> &str {
    text.get(at..text.floor_char_boundary(at + WINDOW)).unwrap_or_default()
}

/// `Authorization: Bearer <token>` and prose about authorization are not secrets.
fn header_value(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let secret = captures.name("s")?;
    let called = text.get(secret.end()..)?.starts_with('(') || secret.as_str().contains("::");
    let has = |class: fn(&u8) -> bool| secret.as_str().bytes().any(|b| class(&b));
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let shaped = !called && (has(u8::is_ascii_digit) || (captures.name("scheme").is_some() && mixed));
    (shaped && !is_placeholder(secret.as_str())).then(|| secret.range())
}
