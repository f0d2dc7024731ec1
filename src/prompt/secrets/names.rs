//! Values beside names that tell: `password`, `api_key`, or a provider's name with a value in its form.

use std::ops::Range;

use super::assigned::{self, Assigned, Join};
use super::judge::{entropy, is_code, is_placeholder, is_words, looks_secret};
use super::shape::Of;

/// Names of which the value is a secret, and whether it is chosen by people and may be short.
#[rustfmt::skip]
pub(super) const TELLING: &[(&str, bool)] = &[
    ("password", true), ("passwd", true), ("passphrase", true), ("passcode", true), ("pwd", true), ("pass", true),
    ("kennwort", true), ("passwort", true), ("contraseña", true),
    ("secret", false), ("token", false), ("credential", false),
    ("apikey", false), ("api_key", false), ("api-key", false), ("api key", false),
    ("appkey", false), ("app_key", false), ("app-key", false),
    ("accesskey", false), ("access_key", false), ("access-key", false), ("access key", false),
    ("privatekey", false), ("private_key", false), ("private-key", false), ("private key", false),
    ("accountkey", false), ("account_key", false), ("account-key", false),
    ("authkey", false), ("auth_key", false), ("auth-key", false),
    ("encryptionkey", false), ("encryption_key", false), ("encryption-key", false),
    ("signingkey", false), ("signing_key", false), ("signing-key", false),
    ("masterkey", false), ("master_key", false), ("master-key", false),
    ("licensekey", false), ("license_key", false), ("license-key", false),
    ("consumerkey", false), ("consumer_key", false), ("sharedkey", false), ("shared_key", false),
    ("storagekey", false), ("storage_key", false), ("subscriptionkey", false), ("subscription-key", false),
    ("servicekey", false), ("service_key", false), ("servicerolekey", false), ("service_role_key", false),
    ("sessionkey", false), ("session_key", false), ("key-data", false), ("_auth", false),
];

/// A provider's name, and the forms its keys have: alphabet and length.
/// A value of that form is a key whatever the rest of the name is (`DATADOG_APP=…`, `heroku: …`).
#[rustfmt::skip]
pub(super) const VENDORS: &[(&str, &[(Of, usize)])] = &[
    ("adafruit", &[(Of::Url, 32)]), ("adobe", &[(Of::Hex, 32)]), ("airtable", &[(Of::Alnum, 17)]),
    ("algolia", &[(Of::Hex, 32)]), ("alibaba", &[(Of::Alnum, 30)]), ("asana", &[(Of::Hex, 32)]),
    ("atlassian", &[(Of::Alnum, 24)]), ("confluence", &[(Of::Alnum, 24)]), ("jira", &[(Of::Alnum, 24)]),
    ("auth0", &[(Of::Url, 64)]), ("bitbucket", &[(Of::Alnum, 32), (Of::Url, 64)]), ("bittrex", &[(Of::Hex, 32)]),
    ("meraki", &[(Of::Hex, 40)]), ("cloudflare", &[(Of::Url, 40), (Of::Hex, 37)]), ("codecov", &[(Of::Alnum, 32), (Of::Url, 36)]),
    ("cohere", &[(Of::Alnum, 40)]), ("coinbase", &[(Of::Url, 64)]), ("confluent", &[(Of::Alnum, 16), (Of::Alnum, 64)]),
    ("contentful", &[(Of::Url, 43)]), ("datadog", &[(Of::Hex, 32), (Of::Alnum, 40)]), ("dd_api", &[(Of::Hex, 32)]),
    ("discord", &[(Of::Hex, 64), (Of::Url, 32)]), ("droneci", &[(Of::Alnum, 32)]), ("dropbox", &[(Of::Alnum, 15)]),
    ("etsy", &[(Of::Alnum, 24)]), ("facebook", &[(Of::Hex, 32)]), ("fastly", &[(Of::Url, 32)]),
    ("figma", &[(Of::Url, 43)]), ("finicity", &[(Of::Hex, 32)]), ("finnhub", &[(Of::Alnum, 20)]),
    ("flickr", &[(Of::Hex, 32)]), ("freshbooks", &[(Of::Alnum, 64)]), ("gitter", &[(Of::Alnum, 40)]),
    ("gocardless", &[(Of::Loose, 45)]), ("heroku", &[(Of::Url, 36)]), ("hubspot", &[(Of::Url, 36)]), ("intercom", &[(Of::Loose, 60)]),
    ("jfrog", &[(Of::Alnum, 73), (Of::Alnum, 64)]), ("artifactory", &[(Of::Alnum, 73), (Of::Alnum, 64)]),
    ("kraken", &[(Of::Base64, 88)]), ("kucoin", &[(Of::Hex, 24), (Of::Url, 36)]), ("launchdarkly", &[(Of::Url, 40)]),
    ("linkedin", &[(Of::Alnum, 16)]), ("looker", &[(Of::Alnum, 24)]), ("mailgun", &[(Of::Hex, 32), (Of::Url, 50)]),
    ("mattermost", &[(Of::Lower, 26)]), ("messagebird", &[(Of::Alnum, 25)]), ("netlify", &[(Of::Url, 43), (Of::Url, 40)]),
    ("newrelic", &[(Of::Alnum, 64), (Of::Hex, 40)]), ("new_relic", &[(Of::Alnum, 64), (Of::Hex, 40)]),
    ("okta", &[(Of::Url, 42)]), ("paypal", &[(Of::Url, 80)]), ("pagerduty", &[(Of::Url, 20)]), ("plaid", &[(Of::Hex, 30)]),
    ("sessid", &[(Of::Alnum, 26), (Of::Alnum, 32)]), ("sessionid", &[(Of::Lower, 32), (Of::Alnum, 32)]),
    ("session", &[(Of::Alnum, 32), (Of::Alnum, 40), (Of::Url, 43)]), ("session_id", &[(Of::Lower, 32), (Of::Alnum, 40)]),
    ("rapidapi", &[(Of::Alnum, 50)]), ("rollbar", &[(Of::Hex, 32)]), ("sendbird", &[(Of::Hex, 40)]), ("sentry", &[(Of::Hex, 64), (Of::Hex, 32)]),
    ("snyk", &[(Of::Url, 36)]), ("sonar", &[(Of::Hex, 40)]), ("squarespace", &[(Of::Url, 36)]), ("sumo", &[(Of::Alnum, 64)]),
    ("travis", &[(Of::Url, 22)]), ("twilio", &[(Of::Hex, 32)]), ("twitch", &[(Of::Lower, 30)]),
    ("twitter", &[(Of::Alnum, 25), (Of::Alnum, 45), (Of::Alnum, 50)]), ("vercel", &[(Of::Alnum, 24)]),
    ("wandb", &[(Of::Hex, 40)]), ("zendesk", &[(Of::Alnum, 40)]),
];

/// Words in a name that make its value public: digests, revisions, public halves.
const PUBLIC: [&str; 14] = [
    "sha",
    "hash",
    "digest",
    "checksum",
    "commit",
    "revision",
    "version",
    "public",
    "fingerprint",
    "integrity",
    "url",
    "uri",
    "endpoint",
    "path",
];
/// After `is`, only what no sentence would go on with.
const SAID: usize = 8;
/// Longest remainder of a name.
const MORE: usize = 60;

/// The value of a telling name at `name`, when it looks like a secret.
pub(super) fn telling(text: &str, name: Range<usize>, password: bool) -> Option<Range<usize>> {
    let said = text.get(name.clone())?;
    if is_public(text, name.start) {
        return None;
    }
    let more = more(text, name.end, true);
    if goes_on_as_another_word(said, more) || !is_name(text, &name, more) || PUBLIC.iter().any(|word| has(more, word)) {
        return None;
    }
    let mut found = assigned::after(text, name.end + more.len())?;
    if found.join == Join::Call && (more.contains('.') || ends_a_string(text, &name, more)) {
        return None;
    }
    if is_parameter(text, name.start) {
        found.until('&', text);
    }
    let value = text.get(found.value.clone())?;
    if is_base64_blob(said) {
        let base64 = value.len() >= 12 && value.bytes().all(|b| Of::Base64.has(b));
        return (base64 && found.join == Join::Sign && !is_words(value)).then(|| whole(text, &found));
    }
    let short = matches!(said.to_ascii_lowercase().as_str(), "pass" | "pwd");
    let plain = found.join == Join::Sign && (found.quoted || is_shouting(said)) && !value.contains(['/', '\\']);
    if short && !plain {
        return None;
    }
    is_secret(text, &found, value, password).then(|| whole(text, &found))
}

fn is_secret(text: &str, found: &Assigned, value: &str, password: bool) -> bool {
    if value.contains("://") || (found.join == Join::Blank && !is_argument(text, found)) {
        return false;
    }
    if found.quoted {
        // `privilege(token, "SeDebugPrivilege")`: what is passed beside it is more often a name.
        let named = found.join == Join::Call && !value.bytes().any(|b| b.is_ascii_digit()) && !password;
        return looks_secret(value, password) && !named && !(found.join == Join::Prose && is_words(value));
    }
    let rest = text.get(found.value.end..).unwrap_or_default();
    let code = match found.join {
        Join::Call => true,
        // Between tags a value ends where the closing tag begins; elsewhere a bracket makes it a call.
        Join::Tag => !rest.starts_with("</"),
        Join::Sign => rest.starts_with(['(', '[', '{', '<']),
        Join::Blank => is_words(value),
        Join::Prose => value.len() < SAID || is_words(value),
    };
    let value = if found.join == Join::Prose { value.trim_end_matches(['.', '!', '?', ':']) } else { value };
    let least = if password { 6 } else { 8 };
    !code && value.len() >= least && !is_code(value, password) && looks_secret(value, password)
}

/// The value of a name with a provider in it, when it has the form of that provider's keys.
pub(super) fn vendor(text: &str, name: Range<usize>, forms: &[(Of, usize)]) -> Option<Range<usize>> {
    let more = more(text, name.end, false);
    let found = assigned::after(text, name.end + more.len())?;
    let given = match found.join {
        Join::Sign | Join::Tag => true,
        Join::Blank => is_argument(text, &found),
        Join::Call | Join::Prose => false,
    };
    if !given || PUBLIC.iter().any(|word| has(more, word)) {
        return None;
    }
    let value = text.get(found.value.clone())?;
    let of_form = |(of, length): &(Of, usize)| value.len() == *length && value.bytes().all(|b| of.has(b));
    let key = forms.iter().any(of_form)
        && value.bytes().filter(u8::is_ascii_digit).count() >= 2
        && !is_words(value)
        && !is_placeholder(value)
        && entropy(value) >= 3.0;
    key.then_some(found.value)
}

/// What the name goes on with.
fn more(text: &str, at: usize, as_word: bool) -> &str {
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
fn is_argument(text: &str, found: &Assigned) -> bool {
    let before = text.get(line_start(text, found.value.start)..found.value.start).unwrap_or_default();
    let trimmed = before.trim_start();
    let name = trimmed.trim_end().rsplit(char::is_whitespace).next().unwrap_or("");
    name.starts_with("--")
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

/// `public_token` and `csrf-token-hash` are for everyone.
fn is_public(text: &str, at: usize) -> bool {
    let from = text.floor_char_boundary(at.saturating_sub(7));
    text.get(from..at)
        .is_some_and(|before| before.to_ascii_lowercase().trim_end_matches(['_', '-', ' ']).ends_with("public"))
}

fn has(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
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
