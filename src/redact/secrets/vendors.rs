//! Providers with keys without a distinctive prefix: the provider's name, and next to it a value in the form of its
//! keys. Forms from the providers' documentation and from the public rule set of gitleaks.

use std::ops::Range;

use super::assigned::{self, AssignOperator, Assigned};
use super::names::{has_word, is_argument, name_suffix};
use super::shape::Alphabet::{Alnum, Any, Digits, Hex, Loose, Percent, Url};
use super::shape::ShapePart::{self, Is, Run};
use super::shape::matches;
use super::value_class::{entropy, is_placeholder, is_words};
use super::words::share;

/// The consecutive parts of a complete key.
type KeyForm = &'static [ShapePart];

const HEX_32: KeyForm = &[Run(Hex, 32, 32)];
const HEX_40: KeyForm = &[Run(Hex, 40, 40)];
const HEX_64: KeyForm = &[Run(Hex, 64, 64)];
const ALNUM_24: KeyForm = &[Run(Alnum, 24, 24)];
const ALNUM_32: KeyForm = &[Run(Alnum, 32, 32)];
const ALNUM_40: KeyForm = &[Run(Alnum, 40, 40)];
const ALNUM_64: KeyForm = &[Run(Alnum, 64, 64)];
const LOOSE_32: KeyForm = &[Run(Loose, 32, 32)];
const LOOSE_40: KeyForm = &[Run(Loose, 40, 40)];
const LOOSE_64: KeyForm = &[Run(Loose, 64, 64)];
const JFROG: &[KeyForm] = &[&[Run(Alnum, 73, 73)], ALNUM_64];
const RELIC: &[KeyForm] = &[ALNUM_64, HEX_40];
const LINKED_IN: &[KeyForm] = &[&[Run(Alnum, 16, 16)]];
const BIRD: &[KeyForm] = &[&[Run(Alnum, 25, 25)]];
const TIMES: &[KeyForm] = &[LOOSE_32];
const CONTRIBSYS: &[KeyForm] = &[&[Run(Hex, 8, 8), Is(":"), Run(Hex, 8, 8)]];
const UUID: KeyForm = &[
    Run(Hex, 8, 8),
    Is("-"),
    Run(Hex, 4, 4),
    Is("-"),
    Run(Hex, 4, 4),
    Is("-"),
    Run(Hex, 4, 4),
    Is("-"),
    Run(Hex, 12, 12),
];

/// A provider's name in lower case, and the forms of its keys.
#[rustfmt::skip]
pub(super) const VENDORS: &[(&str, &[KeyForm])] = &[
    ("adafruit", &[&[Run(Url, 32, 32)]]), ("adobe", &[HEX_32]), ("airtable", &[&[Run(Alnum, 17, 17)]]),
    ("algolia", &[ALNUM_32]), ("alibaba", &[&[Run(Alnum, 30, 30)]]), ("asana", &[ALNUM_32]),
    ("atlassian", &[ALNUM_24]), ("confluence", &[ALNUM_24]), ("jira", &[ALNUM_24]), ("auth0", &[LOOSE_64]),
    ("beamer", &[&[Is("b_"), Run(Loose, 44, 44)]]), ("bintray", JFROG), ("xray", JFROG), ("jfrog", JFROG),
    ("artifactory", JFROG), ("bitbucket", &[ALNUM_32, LOOSE_64]), ("bittrex", &[ALNUM_32]), ("meraki", &[HEX_40]),
    ("cloudflare", &[&[Run(Url, 40, 40)], &[Run(Hex, 37, 37)]]), ("codecov", &[ALNUM_32, UUID]),
    ("cohere", &[ALNUM_40]), ("co_api_key", &[ALNUM_40]), ("coinbase", &[LOOSE_64]),
    ("confluent", &[&[Run(Alnum, 16, 16)], ALNUM_64]), ("contentful", &[&[Run(Loose, 43, 43)]]),
    ("contribsys__com", CONTRIBSYS), ("contribsyscom", CONTRIBSYS), ("contribsys_com", CONTRIBSYS),
    ("datadog", &[HEX_32, ALNUM_40]), ("dd_api", &[HEX_32]), ("dd_app", &[HEX_40]), ("discord", &[HEX_64, LOOSE_32]),
    ("droneci", &[ALNUM_32]), ("dropbox", &[&[Run(Alnum, 15, 15)], LOOSE_64, &[Is("sl."), Run(Loose, 130, 180)]]),
    ("etsy", &[ALNUM_24]), ("facebook", &[HEX_32]), ("fastly", &[LOOSE_32]), ("figma", &[&[Run(Url, 43, 43)]]),
    ("finicity", &[HEX_32, &[Run(Alnum, 20, 20)]]), ("finnhub", &[&[Run(Alnum, 20, 20)]]), ("flickr", &[ALNUM_32]),
    ("freshbooks", &[ALNUM_64]), ("gitter", &[&[Run(Url, 40, 40)]]), ("gocardless", &[&[Run(Loose, 45, 45)]]),
    ("heroku", &[UUID]), ("hubspot", &[UUID]), ("intercom", &[&[Run(Loose, 60, 60)]]),
    ("kraken", &[&[Run(Any, 80, 90)]]), ("kucoin", &[&[Run(Hex, 24, 24)], UUID]), ("launchdarkly", &[LOOSE_40]),
    ("linear", &[HEX_32]), ("linkedin", LINKED_IN), ("linked_in", LINKED_IN), ("linked-in", LINKED_IN),
    ("lob", &[&[Is("live_"), Run(Hex, 35, 35)], &[Is("test_"), Run(Hex, 35, 35)]]), ("looker", &[ALNUM_24]),
    ("mailgun", &[HEX_32, &[Run(Alnum, 32, 32), Is("-"), Run(Alnum, 8, 8), Is("-"), Run(Alnum, 8, 8)]]),
    ("mattermost", &[&[Run(Alnum, 26, 26)]]), ("messagebird", BIRD), ("message_bird", BIRD), ("message-bird", BIRD),
    ("netlify", &[&[Run(Loose, 40, 46)]]), ("newrelic", RELIC), ("new_relic", RELIC), ("new-relic", RELIC),
    ("nytimes", TIMES), ("new_york_times,", TIMES), ("newyorktimes,", TIMES), ("new-york-times,", TIMES), ("newyorktimes", TIMES), ("new_york_times", TIMES), ("new-york-times", TIMES),
    ("okta", &[&[Is("00"), Run(Loose, 40, 40)]]), ("paypal", &[&[Run(Url, 80, 80)]]),
    ("pagerduty", &[&[Run(Url, 20, 20)]]), ("plaid", &[&[Run(Alnum, 30, 30)]]), ("privateai", &[ALNUM_32]),
    ("private_ai", &[ALNUM_32]), ("private-ai", &[ALNUM_32]), ("rapidapi", &[&[Run(Url, 50, 50)]]),
    ("rollbar", &[HEX_32]), ("sendbird", &[HEX_40]), ("sentry", &[HEX_64, HEX_32]),
    ("sessid", &[&[Run(Alnum, 26, 26)], ALNUM_32]), ("sessionid", &[ALNUM_32]), ("session_id", &[ALNUM_32, ALNUM_40]),
    ("session", &[ALNUM_32, ALNUM_40, &[Run(Url, 43, 43)]]), ("snyk", &[UUID]), ("sonar", &[LOOSE_40, &[Is("sqp_"), Run(Loose, 40, 40)], &[Is("squ_"), Run(Loose, 40, 40)], &[Is("sqa_"), Run(Loose, 40, 40)]]),
    ("sourcegraph", &[HEX_40]), ("squarespace", &[UUID]), ("sumo", &[ALNUM_64]), ("travis", &[&[Run(Alnum, 22, 22)]]),
    ("twilio", &[HEX_32]), ("twitch", &[&[Run(Alnum, 30, 30)]]),
    ("twitter", &[&[Run(Alnum, 25, 25)], &[Run(Alnum, 45, 45)], &[Run(Alnum, 50, 50)],
        &[Run(Digits, 15, 25), Is("-"), Run(Alnum, 20, 40)], &[Is("AAAAAAAAAAAAAAAAAAAAAA"), Run(Percent, 80, 100)]]),
    ("vercel", &[ALNUM_24]), ("wandb", &[HEX_40]), ("yandex", &[&[Is("YC"), Run(Url, 38, 38)]]), ("zendesk", &[ALNUM_40]),
];

/// Words in a name that make its value public: addresses, digests.
const PUBLIC: [&str; 14] = [
    "sha", "hash", "digest", "checksum", "commit", "revision", "version", "integrity", "url", "uri", "path",
    "endpoint", "public", "fingerprint",
];

/// The value of a name that contains a provider, when it has the form of that provider's keys.
pub(super) fn find_vendor_key(text: &str, name: Range<usize>, forms: &[KeyForm]) -> Option<Range<usize>> {
    if !is_word(text, &name) {
        return None;
    }
    let more = name_suffix(text, name.end, false);
    let found = assigned::after(text, name.end + more.len())?;
    if !is_given(text, &found) || PUBLIC.iter().any(|word| has_word(more, word)) {
        return None;
    }
    // A key can begin with a character that resembles an operator.
    let signed = found.value.start - 1..found.value.end;
    let is_key = |range: &Range<usize>| text.get(range.clone()).is_some_and(|value| is_key(value, forms));
    [found.value, signed].into_iter().find(is_key)
}

fn is_key(value: &str, forms: &[KeyForm]) -> bool {
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
    forms.iter().any(|form| matches(form, value))
        && (hex || (share(value) < 50 && !is_words(value)))
        && !is_placeholder(value)
        && entropy(value) >= 2.4
}

fn is_given(text: &str, found: &Assigned) -> bool {
    match found.join {
        AssignOperator::Sign | AssignOperator::Tag => true,
        AssignOperator::Call => found.quoted,
        AssignOperator::Blank => is_argument(text, found),
        AssignOperator::Prose => false,
    }
}

/// Whether the provider is a separate word, or the end or beginning of one by case: `SetSysctl` does not contain Etsy,
/// nor `sumOfExposures` Sumo.
fn is_word(text: &str, name: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let vendor = bytes.get(name.clone()).unwrap_or_default();
    let before = name.start.checked_sub(1).and_then(|at| bytes.get(at));
    let first = vendor.first().is_some_and(u8::is_ascii_uppercase);
    let shouting = vendor.iter().filter(|byte| byte.is_ascii_alphabetic()).all(u8::is_ascii_uppercase);
    // `linkedIn`, `PayPal`, `jFrog`: within a short name a case change must begin a word.
    let begins_part = |at: usize| at == 1 || vendor.len() > 6 || vendor.len() - at >= 3;
    let even = shouting || (1..vendor.len()).all(|at| !vendor[at].is_ascii_uppercase() || begins_part(at));
    let begins = match before {
        Some(b) if b.is_ascii_alphabetic() => first && (b.is_ascii_lowercase() || !shouting),
        _ => true,
    };
    even && begins
}

#[cfg(test)]
mod tests {
    use crate::redact::redact;

    const KEY: &str = "gkts85ui3u488ih5ug7b8w1x";

    #[test]
    fn a_vendors_key_is_known_however_it_is_given() {
        for text in [
            format!("ETSY={KEY}"),
            format!("etsy: {KEY}"),
            format!("const etsyKey = \"{KEY}\";"),
            format!("setProperty(\"ETSY_KEY\", \"{KEY}\")"),
            format!("configure('etsy', '{KEY}')"),
            format!("etsy = process.env.ETSY || '{KEY}'"),
        ] {
            assert!(!redact(&text).contains(KEY), "{text}");
        }
    }

    #[test]
    fn a_vendors_name_within_a_word_is_none() {
        for text in [
            "SetSysctl = \"8e6mkwsaoub2wcf87hz00nid\"",
            "ReactNativeCameraKit: f15a5a04b0f6dc6073e6db0296e6ef2d8b8d2522",
            "rookTable = 0023452Lllk2KqjLBvaxANWEgTd7bqjsxjo8aZj0wd",
            "sumOfExposures = 3Kof2VffNQ0QgYIhXUPJosVlCaQKm2hfpWE6F1fT9YGY74blQBIPsrkCcf1TwKE5;",
            "jira_commit: gkts85ui3u488ih5ug7b8w1x",
            "jira: someIdentifierOfAnIssue1",
            "heroku_url = \"550e8400-e29b-41d4-a716-446655440000\"",
        ] {
            assert_eq!(redact(text), text);
        }
    }
}
