//! Values beside names that tell: `password`, `api_key`, and, where only chance makes such a value, `key` or `auth`.

use std::ops::Range;

use super::assigned::{self, Assigned, Join};
use super::judge::{is_code, is_placeholder, is_strong, is_words, looks_secret};
use super::shape::Of;
use super::words::{is_random, share};
use crate::redact::telling::{CHOSEN, KEYS, MADE, names_one};

/// How much a name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// What it is given is chosen by people and may be short.
    Chosen,
    /// What it is given was made by a program.
    Made,
    /// Often something else: only a value that chance made is a secret; whether a row of hexadecimal digits is one.
    Weak(bool),
}
use Says::{Chosen, Made, Weak};

/// What a name is known by in a text, and what it says.
pub(super) fn telling_names() -> Vec<(String, Says)> {
    let words = CHOSEN.map(|word| (word.to_owned(), Chosen)).into_iter();
    let made = MADE.map(|word| (word.to_owned(), Made));
    let keys = KEYS.iter().flat_map(|word| ["", "_", "-", "."].map(|joint| (format!("{word}{joint}key"), Made)));
    let others = [
        ("pass", Chosen),
        ("identified by", Chosen),
        ("api key", Made),
        ("access key", Made),
        ("private key", Made),
        ("key-data", Made),
        ("_auth", Made),
        ("key", Weak(false)),
        ("access", Weak(false)),
        ("api", Weak(false)),
        ("auth", Weak(true)),
        ("creds", Weak(true)),
    ];
    words.chain(made).chain(keys).chain(others.map(|(name, says)| (name.to_owned(), says))).collect()
}

/// Words in a name that make its value public: digests, addresses, public halves.
const PUBLIC: [&str; 11] =
    ["sha", "hash", "digest", "checksum", "public", "fingerprint", "integrity", "url", "uri", "endpoint", "path"];
/// Words in a name that make a row of hexadecimal digits public.
const REVISION: [&str; 3] = ["commit", "revision", "version"];
/// After `is`, only what no sentence would go on with.
const SAID: usize = 8;
/// So many of a list are looked at.
const LISTED: usize = 100;
/// Longest remainder of a name.
const MORE: usize = 60;

/// The value of a telling name at `name`, when it looks like a secret.
pub(super) fn telling(text: &str, name: Range<usize>, says: Says) -> Option<Range<usize>> {
    let said = text.get(name.clone())?;
    let (says, more) = whole_name(text, &name, says)?;
    let mut found = assigned::after(text, name.end + more.len())?;
    let public = || is_public(text, name.start) || PUBLIC.iter().any(|word| has_word(more, word));
    if public()
        || is_of_a_place(text, &name)
        || !is_passed(text, &name, more, &found)
        || is_enumerated(text, &name, more, &found)
    {
        return None;
    }
    if is_parameter(text, name.start) {
        found.until('&', text);
    }
    let value = text.get(found.value.clone())?;
    if is_public_id(said, more, value) {
        return None;
    }
    if let Weak(hex) = says {
        if is_key_of_things(text, name.start) {
            return None;
        }
        let version = REVISION.iter().any(|word| has_word(more, word));
        let given = !version && is_given(text, &found, value) && !is_placeholder(value);
        return (given && is_strong(value, hex)).then(|| whole(text, &found));
    }
    if is_base64_blob(said) {
        let base64 = value.len() >= 12 && value.bytes().all(|b| Of::Base64.has(b));
        return (base64 && found.join == Join::Sign && !is_words(value)).then(|| whole(text, &found));
    }
    let short = matches!(said.to_ascii_lowercase().as_str(), "pass" | "pwd");
    let plain = found.join == Join::Sign && (found.quoted || is_shouting(said)) && !value.contains(['/', '\\']);
    if short && !plain {
        return None;
    }
    is_secret(text, &found, value, says == Chosen).then(|| whole(text, &found))
}

/// What stands in a list beside the secret at `first`.
pub(super) fn listed(text: &str, first: &Range<usize>, says: Says) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if !assigned::opens_list(text, first.start) {
        return found;
    }
    let mut end = first.end;
    while let Some(next) = assigned::next_of_list(text, end).filter(|_| found.len() < LISTED) {
        end = next.end;
        let value = text.get(next.clone()).unwrap_or_default();
        if looks_secret(value, says == Chosen) {
            found.push(next);
        }
    }
    found
}

/// What the name goes on with. Where that makes another word of it, it may still be a telling one (`mysecretstring`),
/// but tells no more than a weak one.
fn whole_name<'a>(text: &'a str, name: &Range<usize>, says: Says) -> Option<(Says, &'a str)> {
    let said = text.get(name.clone())?;
    let part = more(text, name.end, true);
    let on = text.as_bytes().get(name.end + part.len()).is_some_and(u8::is_ascii_alphabetic);
    if on || goes_on_as_another_word(said, part) {
        let whole = more(text, name.end, false);
        return (said.len() >= 5 && whole.len() < MORE).then_some((Weak(false), whole));
    }
    is_name(text, name, part).then_some((says, part))
}

/// A name stands before what a call is passed beside it, not a path or the end of a sentence.
fn is_passed(text: &str, name: &Range<usize>, more: &str, found: &Assigned) -> bool {
    let closed = || text.as_bytes().get(name.end + more.len()).is_some_and(|b| matches!(b, b'"' | b'\'' | b'`'));
    found.join != Join::Call || ((!more.contains('.') || closed()) && !ends_a_string(text, name, more))
}

/// `` `password` or `confirmPassword` ``: names in a sentence. What a call is passed may be a value.
fn is_enumerated(text: &str, name: &Range<usize>, more: &str, found: &Assigned) -> bool {
    let between = text.get(name.end + more.len()..found.value.start).unwrap_or_default();
    let Some(quote) = between.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else { return false };
    let value = text.get(found.value.clone()).unwrap_or_default();
    let stands_by = between.get(1..).is_some_and(|rest| rest.trim_start().starts_with("or "));
    let in_prose = || quote == '`' && !is_called(text, name.start);
    between.ends_with(quote) && names_one(value) && (stands_by || in_prose())
}

/// `set(`NAME`, `: whether the string that holds the name is what a call begins with.
fn is_called(text: &str, name: usize) -> bool {
    let head = text.as_bytes().get(..name).unwrap_or_default();
    let inner = head.iter().rev().take(MORE).take_while(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b)).count();
    let head = head.get(..head.len() - inner).unwrap_or_default();
    let head = head.strip_suffix(b"`").unwrap_or(head);
    matches!(head, [.., before, b'('] if before.is_ascii_alphanumeric() || matches!(before, b'_' | b'!'))
}

/// The last part of `/etc/passwd`, also as it is written in an address, and a part of `arn:aws:…:secret:…`.
fn is_of_a_place(text: &str, name: &Range<usize>) -> bool {
    let from = text.floor_char_boundary(name.start.saturating_sub(MORE));
    let before = text.get(from..name.start).unwrap_or_default();
    let word = before.rsplit(|c: char| c.is_whitespace() || "\"'`".contains(c)).next().unwrap_or("");
    if word.starts_with("arn:aws") {
        return true;
    }
    let before = ["/", "\\", "%2f", "%2F", "%5c", "%5C"].iter().find_map(|joint| before.strip_suffix(joint));
    before.is_some_and(|before| before.ends_with("etc"))
}

/// Ids of what is kept elsewhere and revisions are no secrets: `credentialsId`, `secret_version`.
fn is_public_id(said: &str, more: &str, value: &str) -> bool {
    let hex = || value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let elsewhere = said.eq_ignore_ascii_case("credential") || more.starts_with(['s', 'S']);
    (REVISION.iter().any(|word| has_word(more, word)) && hex())
        || (elsewhere && ["id", "ids", "name", "names", "ref"].iter().any(|word| ends_with_word(more, word)))
}

/// A weak name has to be given its value plainly.
fn is_given(text: &str, found: &Assigned, value: &str) -> bool {
    let rest = text.get(found.value.end..).unwrap_or_default();
    match found.join {
        Join::Sign if !found.quoted => !rest.starts_with(['(', '[', '{', '<']) && !is_code(value, false),
        Join::Sign => true,
        Join::Call => found.quoted,
        Join::Tag => rest.trim_start().starts_with("</"),
        Join::Blank => is_argument(text, found),
        Join::Prose => false,
    }
}

fn is_secret(text: &str, found: &Assigned, value: &str, password: bool) -> bool {
    if value.contains("://")
        || (found.join == Join::Blank && !is_argument(text, found) && !(found.quoted && is_strong(value, true)))
    {
        return false;
    }
    if found.quoted {
        let label = match found.join {
            // `privilege(token, "SeDebugPrivilege")`: what is passed beside it is more often a name.
            Join::Call => !password && !value.bytes().any(|b| b.is_ascii_digit()) && !is_random(value),
            Join::Blank => !password && share(value) >= 50,
            Join::Prose => is_words(value),
            Join::Sign | Join::Tag => false,
        };
        return looks_secret(value, password) && !label;
    }
    let rest = text.get(found.value.end..).unwrap_or_default();
    // `${NAME:+words}`: what stands there where the name has a value.
    if value.starts_with(['+', '?']) && rest.starts_with('}') && is_words(&value[1..]) {
        return false;
    }
    let code = match found.join {
        // A table of names and values.
        Join::Call => !is_strong(value, true) || !rest.starts_with([',', '\n', '\r']),
        // Between tags a value ends where the closing tag begins; elsewhere a bracket makes it a call.
        Join::Tag => !rest.trim_start().starts_with("</"),
        Join::Sign => rest.starts_with(['(', '[', '{', '<']),
        Join::Blank => is_words(value),
        Join::Prose => value.len() < SAID || is_words(value),
    };
    let value = if found.join == Join::Prose { value.trim_end_matches(['.', '!', '?', ':']) } else { value };
    let least = if password { 6 } else { 8 };
    !code && value.len() >= least && !is_code(value, password) && looks_secret(value, password)
}

/// What the name goes on with.
pub(super) fn more(text: &str, at: usize, as_word: bool) -> &str {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    // `tokens`, `token_1`, `tokenValue`; but `tokenizer` is another word.
    let begins = |b: u8| !as_word || b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-');
    let plural = usize::from(as_word && rest.first() == Some(&b's'));
    let more = match rest.get(plural) {
        Some(first) if begins(*first) => rest.iter().take(MORE).skip(plural).take_while(|b| part(b)).count(),
        _ => 0,
    };
    text.get(at..at + plural + more).unwrap_or_default()
}

/// `TOKENIZER` is not `TOKEN`, but `tokenValue` and `TOKENS` are.
fn goes_on_as_another_word(name: &str, more: &str) -> bool {
    is_shouting(name) && more.starts_with(|c: char| c.is_ascii_uppercase()) && !more.starts_with("S_") && more != "S"
}

fn is_shouting(name: &str) -> bool {
    name.ends_with(|c: char| c.is_ascii_uppercase())
}

/// `bypass` and `compass` are no names of passwords; `db_pass`, `dbPass` and `"pass"` are.
fn is_name(text: &str, name: &Range<usize>, more: &str) -> bool {
    let said = text.get(name.clone()).unwrap_or_default();
    if said.starts_with(['_', '-']) {
        return text.as_bytes().get(name.end).is_some_and(|b| !b.is_ascii_alphanumeric() && *b != b'_');
    }
    if !said.eq_ignore_ascii_case("pass") && !said.eq_ignore_ascii_case("pwd") {
        return true;
    }
    let before = name.start.checked_sub(1).and_then(|at| text.as_bytes().get(at));
    let begins = before.is_none_or(|b| !b.is_ascii_alphanumeric())
        || (before.is_some_and(u8::is_ascii_lowercase) && said.starts_with(|c: char| c.is_ascii_uppercase()));
    begins && more.is_empty()
}

/// `_auth` of `.npmrc`, `client-key-data` of a kubeconfig: Base64 and nothing else.
fn is_base64_blob(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "_auth" | "key-data")
}

/// A flag of a command, or the `ENV` of a Dockerfile.
pub(super) fn is_argument(text: &str, found: &Assigned) -> bool {
    let before = text.get(line_start(text, found.value.start)..found.value.start).unwrap_or_default();
    let trimmed = before.trim_start().trim_end_matches(['"', '\'', '`', '\\']);
    let name = trimmed.trim_end().rsplit(char::is_whitespace).next().unwrap_or("");
    let quoted = trimmed.starts_with("#define ") || ["PASSWORD", "BY"].contains(&name);
    name.starts_with("--")
        || (found.quoted && quoted)
        || ["ENV ", "ARG ", "setx ", "set -gx ", "set -x ", "$ set -x "].iter().any(|start| trimmed.starts_with(start))
}

/// `"/etc/passwd", "next"` and `"a=1&app_key=x", "next"`: what a string ends with names nothing after it.
fn ends_a_string(text: &str, name: &Range<usize>, more: &str) -> bool {
    let quote = |at: Option<&u8>| at.is_some_and(|b| matches!(b, b'"' | b'\'' | b'`'));
    let bytes = text.as_bytes();
    let head = bytes.get(..name.start).unwrap_or_default();
    let word =
        head.iter().rev().take(MORE).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let before = head.len() - word.count();
    quote(bytes.get(name.end + more.len())) && !quote(before.checked_sub(1).and_then(|at| bytes.get(at)))
}

/// A parameter of an address ends where the next begins.
fn is_parameter(text: &str, name: usize) -> bool {
    let head = text.as_bytes().get(..name).unwrap_or_default();
    let start = head.iter().rev().take(MORE).position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'_' | b'-'));
    start.is_some_and(|back| matches!(head.get(head.len() - 1 - back), Some(b'?' | b'&')))
}

/// Up to 200 bytes back: more of a line does not matter.
fn line_start(text: &str, at: usize) -> usize {
    let from = text.floor_char_boundary(at.saturating_sub(200));
    text.get(from..at).and_then(|head| head.rfind('\n')).map_or(from, |end| from + end + 1)
}

/// A marker that stands for a secret tells nothing about what follows it.
pub(super) fn is_in_marker(text: &str, at: usize) -> bool {
    let head = text.as_bytes().get(..at).unwrap_or_default();
    let word = head.iter().rev().take(40).take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || **b == b'-');
    let start = at - word.count();
    text.as_bytes().get(..start).is_some_and(|head| head.ends_with(b"[redacted:"))
}

/// `public_token`, `pubkey` and `csrf-token-hash` are for everyone.
fn is_public(text: &str, at: usize) -> bool {
    let from = text.floor_char_boundary(at.saturating_sub(16));
    let before = text.get(from..at).unwrap_or_default().to_ascii_lowercase();
    let before = before.trim_end_matches(['_', '-', ' ', '.']);
    // What a WebSocket is opened with is asked for and answered once.
    let socket =
        before.strip_suffix("websocket").is_some_and(|head| head.trim_end_matches(['_', '-']).ends_with("sec"));
    socket || before.ends_with("public") || before.ends_with("pub") || before.ends_with("verify")
}

/// `etag_key`, `cacheKey`, `Idempotency-Key`: by which something is found again.
fn is_key_of_things(text: &str, at: usize) -> bool {
    let from = text.floor_char_boundary(at.saturating_sub(16));
    let before = text.get(from..at).unwrap_or_default().to_ascii_lowercase();
    let before = before.trim_end_matches(['_', '-']);
    ["etag", "nonce", "cache", "idempotency"].iter().any(|word| before.ends_with(word))
}

/// Whether a name has a word, written as one: `_sha`, `Sha1`, not `shared`.
pub(super) fn has_word(name: &str, word: &str) -> bool {
    places(name, word).next().is_some()
}

fn ends_with_word(name: &str, word: &str) -> bool {
    places(name, word).any(|end| end == name.len())
}

/// Where the word ends in the name.
fn places<'a>(name: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = name.as_bytes();
    let windows = bytes.windows(word.len()).enumerate().map(|(at, window)| (at, at + word.len(), window));
    windows.filter_map(move |(at, end, window)| {
        let next = bytes.get(end);
        let goes_on = match window.last() {
            Some(last) if last.is_ascii_uppercase() => next.is_some_and(u8::is_ascii_alphabetic),
            _ => next.is_some_and(u8::is_ascii_lowercase),
        };
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        // The `s` of a plural may stand before it: `secretsId`.
        let begins = before.is_none_or(|b| !b.is_ascii_alphabetic() || (at == 1 && matches!(b, b's' | b'S')))
            || window.first().is_some_and(u8::is_ascii_uppercase) && before.is_some_and(u8::is_ascii_lowercase);
        (window.eq_ignore_ascii_case(word.as_bytes()) && !goes_on && begins).then_some(end)
    })
}

/// A value that was cut for looking at it, to its very end.
fn whole(text: &str, found: &Assigned) -> Range<usize> {
    let rest = text.get(found.value.end..).unwrap_or_default();
    if found.value.len() + 2 < assigned::LONGEST {
        return found.value.clone();
    }
    let ends = |c: char| c.is_whitespace() || "\"'`".contains(c) || (!found.quoted && ",;(){}[]<>".contains(c));
    found.value.start..found.value.end + rest.find(ends).unwrap_or(rest.len())
}
