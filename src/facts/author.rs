//! Parses the commit message beyond the subject: reasons, quantities, ticket references.

mod prose;
mod quantities;

use std::sync::LazyLock;

use regex::Regex;

pub use prose::split_into_sentences;

/// Taken from the message alone, in the author's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// The sentence with the reason, if any.
    pub why: Option<String>,
    /// Quantities: `3s to 200ms`, `40 %`.
    pub numbers: Vec<String>,
    /// References to tickets: `#42`, `ABC-123`.
    pub tickets: Vec<String>,
}

impl Author {
    #[must_use]
    pub fn from_message(message: &str) -> Self {
        let (subject, body) = message.trim_start().split_once('\n').unwrap_or((message.trim(), ""));
        let sentences = split_into_sentences(body);
        let texts = std::iter::once(subject).chain(sentences.iter().map(String::as_str));
        Self {
            why: find_reason(&sentences),
            numbers: quantities::parse_quantities(texts),
            tickets: parse_references(prose::authored_part(message)),
        }
    }
}

/// Word count of a quoted sentence: shorter ones say nothing, longer ones leave no room for anything else.
const WHY_WORDS: std::ops::RangeInclusive<usize> = 4..=30;

/// The sentence with the clearest reason; else one that quantifies an improvement.
fn find_reason(sentences: &[String]) -> Option<String> {
    let fits =
        |sentence: &&String| WHY_WORDS.contains(&sentence.split_whitespace().count()) && is_self_contained(sentence);
    let mut found: Option<(u8, &String)> = None;
    for sentence in sentences.iter().filter(fits) {
        let strength = reason_strength(sentence);
        if strength > 0 && found.is_none_or(|(best, _)| strength > best) {
            found = Some((strength, sentence));
        }
    }
    found.map(|(_, sentence)| sentence.clone())
}

/// Phrases that introduce a reason, the clearest first. A trailing blank stands for the end of a word.
const REASONS: [(u8, &[&str]); 3] = [
    (
        3,
        &[
            "because ", "so that ", "in order to ", "the reason ", "reason: ", "motivation: ", "rationale: ",
            "because: ", "why: ", "cause: ", "weil ", "damit ", "grund: ", "begründung: ", "parce que ", "afin de ",
            "afin que ", "raison : ", "raison: ", "porque ", "para que ", "motivo: ", "perché ", "потому что ",
            "чтобы ", "поскольку ", "причина: ",
        ],
    ),
    (
        2,
        &[
            "otherwise ", "to avoid ", "avoids ", "avoiding ", "to prevent ", "prevents ", "preventing ", "due to ",
            "caused ", "causes ", "causing ", "resulting in ", "results in ", "which means ", "to make sure ",
            "to ensure ", "ensures ", "leads to ", "led to ", "since the ", "since it ", "since we ", "since this ",
            "since there ", "since they ", "now that ",
        ],
    ),
    (
        1,
        &[
            "this allows ", "this lets ", "this makes ", "this fixes ", "this helps ", "this improves ",
            "this reduces ", "this is needed ", "this is required ", "it fixes ", "so we can ", "so it can ",
            "needed to ", "needed for ", "required for ", "required by ", "makes it possible ", "no longer needed ",
            "no longer required ", "and so ", ", so ",
        ],
    ),
];

/// False for a diary, an aside, or the end of a thought without its beginning.
fn is_self_contained(sentence: &str) -> bool {
    let mut words = sentence.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’')));
    let first = words.clone().next().unwrap_or("").to_lowercase();
    let goes_on =
        ["and", "but", "or", "also", "then", "however", "therefore", "thus", "hence"].contains(&first.as_str());
    let diary = words.any(|word| word == "I" || ["I'm", "I've", "I'd", "I'll", "I’m", "my", "My"].contains(&word));
    let open = sentence.ends_with(':') || sentence.contains("[1]") || sentence.contains("below");
    !goes_on && !diary && !open
}

fn reason_strength(sentence: &str) -> u8 {
    let padded = format!(" {} ", sentence.to_lowercase().trim_end_matches(['.', '!', '?']));
    let gives = |reason: &&str| {
        let needle = format!(" {}", reason.trim_start());
        // A comma follows its word directly, without a blank.
        (reason.starts_with(',') && padded.contains(*reason))
            || padded.contains(&needle)
            || padded.contains(&needle.replacen(' ', "(", 1))
    };
    let stated = REASONS.iter().find(|(_, words)| words.iter().any(gives)).map_or(0, |(rank, _)| *rank);
    let measured = u8::from(quantities::compares(sentence));
    stated.max(measured)
}

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
const TICKETS: usize = 12;

/// References without duplicates, in order.
fn parse_references(message: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let Some(pattern) = TICKET.as_ref() else { return found };
    let is_project = |key: &&str| key.split_once('-').is_some_and(|(project, _)| !NO_PROJECTS.contains(&project));
    for ticket in pattern.captures_iter(message) {
        let of_url = || Some(format!("{}#{}", ticket.name("repo")?.as_str(), ticket.name("of_url")?.as_str()));
        let short = || ticket.name("short").map(|short| short.as_str().to_owned());
        let key = || ticket.name("key").map(|key| key.as_str()).filter(is_project).map(str::to_owned);
        let Some(reference) = of_url().or_else(short).or_else(key) else { continue };
        if !found.contains(&reference) && found.len() < TICKETS {
            found.push(reference);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn why_of(body: &str) -> Option<String> {
        Author::from_message(&format!("Subject\n\n{body}")).why
    }

    #[test]
    fn the_sentence_that_gives_a_reason_is_kept() {
        for (body, why) in [
            ("Move it. Otherwise the lock is\nheld twice.", "Otherwise the lock is held twice."),
            (
                "It was slow. This is done because the cache was cold. Nothing else.",
                "This is done because the cache was cold.",
            ),
            ("- Use one pass so that the file is read once\n- Tidy", "Use one pass so that the file is read once"),
            ("Use e.g. foo.rs since it is smaller.", "Use e.g. foo.rs since it is smaller."),
            (
                "The proxy drops idle connections, so the first request fails.",
                "The proxy drops idle connections, so the first request fails.",
            ),
            (
                "The second close ran into a lock.\nIMPORTANT: callers must await it, because it is a coroutine now.",
                "IMPORTANT: callers must await it, because it is a coroutine now.",
            ),
            (
                "Der Pool lief voll.\nWichtig: Aufrufer müssen warten, weil es jetzt eine Koroutine ist.",
                "Wichtig: Aufrufer müssen warten, weil es jetzt eine Koroutine ist.",
            ),
            (
                "It ran into a lock.\nFix: close it once, because the second close waits.",
                "Fix: close it once, because the second close waits.",
            ),
            ("Because: the server sends it twice.", "Because: the server sends it twice."),
            ("The start took long. It takes 200ms now, down from 3s.", "It takes 200ms now, down from 3s."),
        ] {
            assert_eq!(why_of(body).as_deref(), Some(why), "{body}");
        }
    }

    #[test]
    fn the_clearest_reason_wins() {
        let body = "This makes the tests pass. We do it because the old server is gone.";
        assert_eq!(why_of(body).as_deref(), Some("We do it because the old server is gone."));
    }

    #[test]
    fn trailers_quotes_code_and_logs_give_no_reason() {
        for body in [
            "Signed-off-by: A <a@example.org> because of it",
            "> quoted because it was said by others",
            "    let x = because of the code;",
            "```\nit failed because of the log line here\n```",
            "error: it failed because of the missing file",
            "    at main (because of.js:12:3) in order to fail",
            "Bumps x because of y.\n<details>\nChanged because of others' work here.",
            "See https://example.org/because of that page here",
            "Nothing is said here.",
            "Because.",
            "",
        ] {
            assert!(why_of(body).is_none_or(|why| why == "Bumps x because of y."), "{body:?} {:?}", why_of(body));
        }
    }

    #[test]
    fn numbers_and_tickets_are_found_in_the_whole_message() {
        let author =
            Author::from_message("Fix auth timeout, 3s to 200ms (#42)\n\nIt saves 40 % of the time.\n\nFixes: ABC-12");
        assert_eq!(author.numbers, ["3s to 200ms", "40 %"]);
        assert_eq!(author.tickets, ["#42", "ABC-12"]);
    }

    #[test]
    fn references_are_found_in_all_their_forms() {
        let message = "Fix it (#42), ABC-123\n\nFixes: GH-7, closes owner/repo#3 (CVE-2026-12345).\nSee https://example.org/a/b/issues/9#c1\n\
                       https://tracker.example.org/browse/XY-9";
        assert_eq!(
            parse_references(message),
            ["#42", "ABC-123", "GH-7", "owner/repo#3", "CVE-2026-12345", "a/b#9", "XY-9"]
        );
    }

    #[test]
    fn standards_colours_and_anchors_are_no_tickets() {
        assert_eq!(
            parse_references(
                "UTF-8, SHA-256 and RFC-2119; color #123abc; page.html#12; a-1, X-1, foo#12bar, AB-2026-01"
            ),
            Vec::<String>::new()
        );
    }

    proptest! {
        #[test]
        fn whatever_the_message_what_is_found_is_in_it(message in "(\\PC|\n|because |#4|A-1|3ms to |```|    |[.] ){0,60}") {
            let author = Author::from_message(&message);
            let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            for number in &author.numbers {
                prop_assert!(flat(&message).contains(&flat(number)), "{number:?}");
            }
            if let Some(why) = author.why {
                prop_assert!(flat(&message).contains(&why), "{why:?}");
            }
        }
    }
}
