//! Validated identifiers: object, repository, capture and draft ids.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::{ContextV7, Timestamp as UuidTimestamp, Uuid};

use super::clock::Clock;

/// Why a string is not a valid identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}")]
pub struct InvalidId {
    what: &'static str,
    text: String,
}

impl InvalidId {
    fn new(what: &'static str, text: &str) -> Self {
        Self { what, text: text.chars().take(80).collect() }
    }
}

/// A git object id: 40 (SHA-1) or 64 (SHA-256) lowercase hexadecimal digits, never all zero.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Oid(String);

impl Oid {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first ten digits, as shown to people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl FromStr for Oid {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let zero = text.bytes().all(|b| b == b'0');
        if hex && !zero && matches!(text.len(), 40 | 64) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId::new("git object id", text))
        }
    }
}

impl TryFrom<String> for Oid {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> Self {
        oid.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a repository: 16 hexadecimal digits derived from its canonical common git directory,
/// so that all linked worktrees of one repository share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RepoId(String);

impl RepoId {
    /// From the bytes of the canonical path of the common git directory.
    ///
    /// The id is a name, not a secret: version-5 UUIDs are how one derives one from a path.
    #[must_use]
    pub fn from_common_dir(path: &[u8]) -> Self {
        // FNV-1a, 128 bits folded to 64: stable across releases, no dependency, collisions
        // only matter among the repositories of one user.
        Self(format!("{:016x}", crate::text::hash::fnv1a_folded(path)))
    }

    /// Parses an id read from the store.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

thread_local! {
    /// Counter within one millisecond: ids of one batch sort in creation order.
    static ORDER: ContextV7 = const { ContextV7::new() };
}

macro_rules! time_ordered_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id (UUID version 7), sorted by the time of `clock`.
            #[must_use]
            pub fn fresh(clock: &dyn Clock) -> Self {
                let now = clock.now();
                let seconds = u64::try_from(now.as_second()).unwrap_or(0);
                let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
                ORDER.with(|order| Self(Uuid::new_v7(UuidTimestamp::from_unix(order, seconds, nanos))))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId::new($what, text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.as_hyphenated())
            }
        }
    };
}

time_ordered_id!(
    /// Id of a capture.
    CaptureId,
    "capture id"
);
time_ordered_id!(
    /// Id of a draft.
    DraftId,
    "draft id"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;

    #[test]
    fn an_oid_is_forty_or_sixtyfour_lowercase_hex_digits_and_not_zero() {
        assert!("a".repeat(40).parse::<Oid>().is_ok());
        assert!("0f".repeat(32).parse::<Oid>().is_ok());
        for bad in ["", "abc", &"A".repeat(40), &"g".repeat(40), &"0".repeat(40), &"a".repeat(41)] {
            assert!(bad.parse::<Oid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn fresh_ids_sort_in_the_order_they_were_made() {
        let clock = SystemClock;
        let ids: Vec<CaptureId> = (0..1000).map(|_| CaptureId::fresh(&clock)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_repository_id_depends_on_every_byte_of_the_path() {
        let one = RepoId::from_common_dir(b"/a/.git");
        assert_eq!(one, RepoId::from_common_dir(b"/a/.git"));
        assert_ne!(one, RepoId::from_common_dir(b"/b/.git"));
        assert_eq!(one.as_str().len(), 16);
    }
}
