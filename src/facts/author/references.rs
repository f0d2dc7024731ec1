//! Parses ticket references in a commit message.

use std::sync::LazyLock;

use regex::Regex;

/// `https://host/owner/repo/issues/12`, `owner/repo#12`, `#12`, `GH-12`, `ABC-123`.
static TICKET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        https?://[^\s/]+/(?P<repo>[\w.-]+/[\w.-]+)/(?:-/)?(?:issues|pull|pulls|merge_requests)/(?P<of_url>\d{1,9})\b
        | (?:^|[\s(\[,;:])(?P<short>(?:[\w.-]+/[\w.-]+)?\#\d{1,9})\b
        | (?:^|[\s(\[,;:/])(?P<key>CVE-\d{4}-\d{4,8}|[A-Z][A-Z0-9]{1,9}-\d{1,7})(?:[\s)\],;:.!?/]|$)",
    )
    .ok()
});

/// Standards and encodings written like tickets.
const NO_PROJECTS: [&str; 32] = [
    "UTF", "SHA", "ISO", "RFC", "MD", "AES", "RSA", "HTTP", "IEEE", "ES", "ECMA", "TLS", "SSL", "BASE", "CRC", "UCS",
    "PEP", "GPT", "X", "ARM", "MIPS", "UUID", "POSIX", "LATIN", "WINDOWS", "CP", "KOI8", "AVX", "SSE", "MPL", "GPL",
    "BSD",
];

/// A message with more references lists other work.
const MOST: usize = 12;

/// References without duplicates, in order.
#[must_use]
pub fn of(message: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let Some(pattern) = TICKET.as_ref() else { return found };
    for ticket in pattern.captures_iter(message) {
        let of_url = || Some(format!("{}#{}", ticket.name("repo")?.as_str(), ticket.name("of_url")?.as_str()));
        let short = || ticket.name("short").map(|short| short.as_str().to_owned());
        let key = || ticket.name("key").map(|key| key.as_str()).filter(|key| is_project(key)).map(str::to_owned);
        let Some(reference) = of_url().or_else(short).or_else(key) else { continue };
        if !found.contains(&reference) && found.len() < MOST {
            found.push(reference);
        }
    }
    found
}

fn is_project(key: &str) -> bool {
    key.split_once('-').is_some_and(|(project, _)| !NO_PROJECTS.contains(&project))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_in_all_their_forms() {
        let message = "Fix it (#42), ABC-123\n\nFixes: GH-7, closes owner/repo#3 (CVE-2026-12345).\nSee https://example.org/a/b/issues/9#c1\n\
                       https://tracker.example.org/browse/XY-9";
        assert_eq!(of(message), ["#42", "ABC-123", "GH-7", "owner/repo#3", "CVE-2026-12345", "a/b#9", "XY-9"]);
    }

    #[test]
    fn standards_colours_and_anchors_are_no_tickets() {
        assert_eq!(
            of("UTF-8, SHA-256 and RFC-2119; color #123abc; page.html#12; a-1, X-1, foo#12bar, AB-2026-01"),
            Vec::<String>::new()
        );
    }
}
