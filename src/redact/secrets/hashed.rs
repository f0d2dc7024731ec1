//! Password hashes of `crypt` and similar: `$2b$12$…`, `$argon2id$v=19$…`, `$6$…`. They allow unlimited offline
//! guessing of the password.

use std::ops::Range;

use super::words::is_random;

/// Their prefixes, up to the next separator.
#[rustfmt::skip]
pub(super) const BEGINNINGS: [&str; 17] = [
    "$2a", "$2b", "$2x", "$2y", "$argon2", "$scrypt", "$pbkdf2", "$apr1", "$1", "$5", "$6", "$7", "$y", "$gy",
    "pbkdf2_sha", "pbkdf2:sha", "scrypt:",
];
/// Minimum length of the last part (the hash, or the salt and the hash).
const HASH: usize = 22;
/// Maximum length of a part.
const LONGEST: usize = 512;
/// Maximum number of parts.
const PARTS: usize = 8;

/// The hash with its prefix at `at`. Where a dollar is special it is doubled or escaped.
pub(super) fn hash(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let escapes = bytes.get(..at)?.iter().rev().take(2).take_while(|b| matches!(b, b'$' | b'\\')).count();
    let signs = [at - escapes, at];
    signs.into_iter().find_map(|start| {
        let sign = if bytes.get(at) == Some(&b'$') { bytes.get(start..=at)? } else { b"$" };
        let end = end(bytes, at + usize::from(bytes.get(at) == Some(&b'$')), sign)?;
        text.get(end.clone()).is_some_and(is_random).then_some(start..end.end)
    })
}

/// The last of at least three parts joined by the separator.
fn end(bytes: &[u8], from: usize, sign: &[u8]) -> Option<Range<usize>> {
    let part =
        |at: usize| bytes.get(at..).map_or(0, |rest| rest.iter().take(LONGEST).take_while(|b| is_inner(**b)).count());
    let (mut start, mut end, mut parts) = (from, from + part(from), 1);
    while parts <= PARTS && bytes.get(end..).is_some_and(|rest| rest.starts_with(sign)) {
        start = end + sign.len();
        end = start + part(start);
        parts += 1;
    }
    let digest = bytes.get(start..end)?.iter().take_while(|b| !matches!(b, b',' | b':')).count();
    let end = start + digest;
    ((3..=PARTS).contains(&parts) && (HASH..LONGEST).contains(&digest)).then_some(start..end)
}

fn is_inner(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"./+=,-_:".contains(&byte)
}

#[cfg(test)]
mod tests {
    use crate::redact::redact;

    const HASHES: [&str; 11] = [
        "$2a$10$H1a30nMr9v2QE2nkyz0BoOD2J0I6FQFMtHS0csEg12RBWzfRuuoE6",
        "$2b$12$LQv3c1yqBWVHxkd0LHAkCOYz6TtxMQJqhN8/LewdBPj3bp.gS8vD.",
        "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC",
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
        "$6$rounds=5000$saltsalt$l9IxTLm0qYkAcd8Rs9vNzQ0e3yGmWfTjKhUuXoPpBb1Zz2Aa3Cc4Dd5Ee6Ff7Gg8Hh9Ii0Jj1Kk2Ll3Mm4Nn5O",
        "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8",
        "$1$5pZSV9va$azfrPr6af3Fc7dLblQXVa0",
        "$apr1$r31hGjL0$Tq8dLkQm2zXcVbNfGhJkL1",
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC",
        "pbkdf2_sha256$260000$Zk9mQ2xPdE5y$q1Rj8dVbXmLkTz0pWn3sYhGfCe5uAoI7vBxKtQ2wN4E=",
        "scrypt:32768:8:1$Qk8sTvWnLpXz$9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ];

    #[test]
    fn a_hashed_password_is_taken_whole_wherever_it_stands() {
        for hash in HASHES {
            for (before, after) in [
                ("argocdServerAdminPassword: ", "\n  other: 1"),
                ("ADMIN_PASSWORD_HASH=", ""),
                ("hash = '", "';"),
                ("{\"password\": \"", "\", \"other\": 1}"),
                ("admin:", ":19000:0:99999:7:::"),
                ("It was ", " before"),
            ] {
                let clean = redact(&format!("{before}{hash}{after}"));
                assert!(clean.starts_with(&format!("{before}[redacted:")) && clean.ends_with(after), "{clean}");
                assert_eq!(
                    clean.len(),
                    before.len() + clean[before.len()..].find(']').unwrap() + 1 + after.len(),
                    "{clean}"
                );
            }
        }
    }

    #[test]
    fn doubled_and_escaped_signs_belong_to_it() {
        for sign in ["$$", "\\$"] {
            for hash in HASHES.iter().filter(|hash| hash.starts_with('$')) {
                let text = format!("x: {}", hash.replace('$', sign));
                assert_eq!(redact(&text), "x: [redacted:password-hash]", "{text}");
            }
        }
    }

    #[test]
    fn what_only_begins_like_one_stays() {
        for text in [
            "echo \"$1$2\"",
            "awk '{ print $6$5 }'",
            "s/(a)(b)/$1$2/",
            "$5$",
            "$2a$10$",
            "cost $6, $7 and $1",
            "$1/$some$other_name_of_a_variable",
            "use $2b$12$salt$ as a prefix",
            "scrypt: see below",
        ] {
            assert_eq!(redact(text), text);
        }
    }
}
