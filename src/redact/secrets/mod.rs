//! Secret scanner: finds secrets by their form or by adjacent names.
//!
//! One automaton finds all rule prefixes; the rule then examines some bytes around each. All rules together cost one
//! pass over the text, and a text without any prefix costs nothing more.

mod address;
mod assigned;
mod command;
mod files;
mod hashed;
mod header;
mod names;
mod providers;
mod shape;
mod token;
mod unprefixed;
mod value_class;
mod vendors;
mod words;

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use names::NameStrength;
use shape::{ShapePart, TokenShape};

/// A range of text that must not leave this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretMatch {
    pub(super) range: Range<usize>,
    pub(super) kind: &'static str,
}

/// The kind of a secret recognised only by its name.
pub(super) const ANY: &str = "secret";

/// The action for a matched prefix.
#[derive(Debug, Clone, Copy)]
enum Rule {
    Shape(TokenShape),
    /// A sensitive name, and its strength.
    Name(NameStrength),
    Vendor(&'static [&'static [ShapePart]]),
    Address,
    Authorization,
    User,
    Password,
    Netrc,
    Docker,
    Kubernetes,
    Hashed,
    Discord,
    Jwt,
}

struct RuleSet {
    beginnings: AhoCorasick,
    rules: Vec<Rule>,
}

#[expect(clippy::expect_used, reason = "the beginnings are constants, compiled by every test of this room")]
static RULES: LazyLock<RuleSet> = LazyLock::new(|| {
    let all = beginnings();
    let built = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(all.iter().map(|(beginning, _)| beginning));
    RuleSet { beginnings: built.expect("constant patterns"), rules: all.into_iter().map(|(_, rule)| rule).collect() }
});

fn beginnings() -> Vec<(String, Rule)> {
    let shapes = providers::shapes().into_iter().map(|shape| (shape.prefix.to_owned(), Rule::Shape(shape)));
    let names = names::sensitive_names().into_iter().map(|(name, strength)| (name, Rule::Name(strength)));
    let vendors = vendors::VENDORS.iter().map(|(name, forms)| ((*name).to_owned(), Rule::Vendor(forms)));
    let others = [
        ("://", Rule::Address),
        ("authorization", Rule::Authorization),
        ("bearer ", Rule::Authorization),
        ("-u ", Rule::User),
        ("-u=", Rule::User),
        (" -p", Rule::Password),
        ("--user", Rule::User),
        ("--proxy-user", Rule::User),
        ("login", Rule::Netrc),
        ("auth\"", Rule::Docker),
        ("auth\\\"", Rule::Docker),
        ("kind: secret", Rule::Kubernetes),
        ("kind: \"secret", Rule::Kubernetes),
        ("kind: 'secret", Rule::Kubernetes),
        (".", Rule::Discord),
        (".ey", Rule::Jwt),
    ];
    let others = others.map(|(beginning, rule)| (beginning.to_owned(), rule));
    let hashes = hashed::BEGINNINGS.map(|beginning| (beginning.to_owned(), Rule::Hashed));
    shapes.chain(names).chain(vendors).chain(others).chain(hashes).collect()
}

/// Every secret in `text`, in no particular order; ranges may overlap.
pub(super) fn find(text: &str) -> Vec<SecretMatch> {
    let rules = &*RULES;
    let mut found = Vec::new();
    let mut done = vec![0; rules.rules.len()];
    for hit in rules.beginnings.find_overlapping_iter(text) {
        let pattern = hit.pattern().as_usize();
        let (Some(rule), Some(done)) = (rules.rules.get(pattern), done.get_mut(pattern)) else { continue };
        if hit.start() >= *done {
            *done = rule.apply(text, hit.range(), &mut found);
        }
    }
    found
}

impl Rule {
    /// Adds the matches; returns the offset up to which this prefix need not be searched again.
    fn apply(&self, text: &str, hit: Range<usize>, found: &mut Vec<SecretMatch>) -> usize {
        if !matches!(self, Self::Shape(_)) && names::is_in_marker(text, hit.start) {
            return 0;
        }
        let (kind, secret) = match self {
            Self::Shape(shape) => match shape.match_at(text, hit.start) {
                Ok(range) => (shape.kind, Some(range)),
                Err(barren) => return barren,
            },
            Self::Name(strength) => (ANY, names::find_named_secret(text, hit, *strength)),
            Self::Vendor(forms) => (ANY, vendors::find_vendor_key(text, hit, forms)),
            Self::Address => {
                found.extend(
                    address::secrets(text, hit.end)
                        .into_iter()
                        .map(|range| SecretMatch { range, kind: "url-password" }),
                );
                return hit.end;
            }
            Self::Authorization => ("authorization", header::authorization(text, hit.start)),
            Self::User => ("authorization", command::user(text, hit)),
            Self::Password => ("password", command::password(text, hit)),
            Self::Netrc => ("netrc", files::netrc(text, hit.start)),
            Self::Docker => ("docker-login", files::docker(text, hit.end)),
            Self::Kubernetes if text.as_bytes().get(hit.end).is_some_and(u8::is_ascii_alphanumeric) => return 0,
            Self::Kubernetes => {
                let (values, end) = files::kubernetes(text, hit.start);
                found.extend(values.into_iter().map(|range| SecretMatch { range, kind: "kubernetes-secret" }));
                return end;
            }
            Self::Hashed => ("password-hash", hashed::find_hash(text, hit.start)),
            Self::Jwt => ("jwt", unprefixed::jwt(text, hit.start)),
            Self::Discord => ("discord-token", unprefixed::discord(text, hit.start)),
        };
        let Some(range) = secret else { return 0 };
        if let Self::Name(strength) = self {
            found.extend(names::listed(text, &range, *strength).into_iter().map(|range| SecretMatch { range, kind }));
        }
        // A command argument ends with its word.
        let word = matches!(self, Self::User | Self::Password);
        let end = if word { range.end } else { token::token_end(text, range.end) };
        let range = range.start..end;
        if kind == "aws-key" {
            found.extend(
                unprefixed::aws_secrets(text, &range)
                    .into_iter()
                    .map(|range| SecretMatch { range, kind: "aws-secret" }),
            );
        }
        found.push(SecretMatch { range, kind });
        end
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::redact::redact;

    fn kinds() -> BTreeSet<&'static str> {
        let others = [
            ANY, "url-password", "authorization", "netrc", "docker-login", "kubernetes-secret", "discord-token",
            "password-hash",
        ];
        providers::shapes().iter().map(|shape| shape.kind).chain(others).chain(["aws-secret", "private-key"]).collect()
    }

    #[test]
    fn there_are_rules_for_the_common_providers() {
        assert!(kinds().len() >= 90, "{}", kinds().len());
    }

    #[test]
    fn a_marker_is_no_secret_and_makes_none_of_what_stands_beside_it() {
        for kind in kinds() {
            let marker = format!("[redacted:{kind}]");
            for text in [
                marker.clone(),
                format!("password = \"{marker}\""),
                format!("API_TOKEN={marker}"),
                format!("{marker}: \"a8Kd02mZq91LxV\""),
                format!("{marker} = a8Kd02mZq91LxV"),
                format!("https://user:{marker}@host.example.com"),
                format!("Authorization: Bearer {marker}"),
                format!("x = \"{marker}\" + \"{marker}\""),
                format!("machine h login me password {marker}"),
                format!("kind: Secret\ndata:\n  a: {marker}\n"),
                format!("{marker}{marker}=a8Kd02mZq91LxV"),
            ] {
                assert_eq!(redact(&text), text);
            }
        }
    }
}
