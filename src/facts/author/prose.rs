//! Sentence splitter for a commit message's body: the author's prose without pasted material.

use crate::text::{fences::FenceTracker, sentences};

/// Sentences in order, whitespace normalised. Skips code, quotes, logs, trailers, and everything after a rule or in the
/// folded part of a bot's page.
#[must_use]
pub fn split_into_sentences(body: &str) -> Vec<String> {
    paragraphs(body)
        .iter()
        .flat_map(|paragraph| split_paragraph(paragraph))
        .filter(|sentence| is_prose(sentence))
        .collect()
}

fn paragraphs(body: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = vec![String::new()];
    let mut fences = FenceTracker::default();
    for line in body.lines() {
        let text = line.trim();
        if fences.pass(text) {
            paragraphs.push(String::new());
            continue;
        }
        if !fences.open && ends_the_authors_part(text) {
            break;
        }
        let item = item(text);
        if fences.open || text.is_empty() || is_foreign(line) {
            paragraphs.push(String::new());
            continue;
        }
        if item.is_some() || label(text).is_some() {
            paragraphs.push(String::new());
        }
        if let Some(paragraph) = paragraphs.last_mut() {
            paragraph.push_str(item.unwrap_or(text));
            paragraph.push(' ');
        }
    }
    paragraphs
}

/// The message up to the end of the author's own words.
#[must_use]
pub fn authored_part(message: &str) -> &str {
    let mut end = 0;
    for line in message.split_inclusive('\n') {
        if ends_the_authors_part(line.trim()) {
            break;
        }
        end += line.len();
    }
    &message[..end]
}

/// A rule, a scissors line, a bot's folded page.
fn ends_the_authors_part(text: &str) -> bool {
    text.starts_with("<details") || text.starts_with("---") || text.starts_with("***") || text.contains(">8 ---")
}

/// The text after a bullet.
fn item(text: &str) -> Option<&str> {
    let rest = ["- ", "* ", "+ ", "• "].iter().find_map(|bullet| text.strip_prefix(bullet));
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = || (digits.len() < text.len()).then(|| digits.strip_prefix(". ").or(digits.strip_prefix(") ")))?;
    rest.or_else(numbered).map(|rest| rest.trim_start_matches("[ ] ").trim_start_matches("[x] "))
}

/// Code, a quote, a heading, a table, a trailer.
fn is_foreign(line: &str) -> bool {
    let text = line.trim();
    let indented = line.starts_with("    ") || line.starts_with('\t');
    let marked = text.starts_with(['>', '#', '|', '<', '$', '%', '@', '!']);
    (indented && item(text).is_none()) || marked || is_trailer(text)
}

/// `Signed-off-by: …`, `Fixes: #12`, a log line. Any other word with a colon labels a sentence: `IMPORTANT: …`.
fn is_trailer(text: &str) -> bool {
    let Some((key, value)) = label(text) else { return false };
    let low = key.to_ascii_lowercase();
    let words = value.split_whitespace().count();
    // `Fix: callers must await it.` is a sentence, `Fix: #12` is not.
    let sentence =
        words >= LONG && is_prose(value) && !value.contains(|c: char| "#@<".contains(c) || c.is_ascii_digit());
    let of_git = (TRAILERS.contains(&low.as_str()) && !(LABELS.contains(&low.as_str()) && sentence))
        || TRAILER_ENDS.iter().any(|end| low.ends_with(end));
    // A log line begins with its level in one case, or with an error type, and has no full stop.
    let stopped = sentence && value.ends_with('.') && !FAILURES.contains(&low.as_str());
    let logged = LEVELS.contains(&low.as_str()) && (key == low || low == "error") && !stopped;
    let of_type = ["Error", "Exception"].iter().any(|end| key.ends_with(end) && key.len() > end.len());
    of_git || logged || of_type || words < SENTENCE
}

/// Least words after a label that is also a trailer key; fewer are a value.
const LONG: usize = 6;
/// Keys of trailers that also label a sentence.
const LABELS: [&str; 6] = ["fix", "bug", "issue", "ticket", "see", "related"];
/// Levels followed by an error message, with or without a full stop.
const FAILURES: [&str; 3] = ["error", "fatal", "panic"];

/// Least words after a label for a sentence; fewer are a value.
const SENTENCE: usize = 3;

/// One word and a colon, and the text after it; a word in square brackets is a label, too. `Note:` alone at the end of
/// its line labels the next one.
fn label(text: &str) -> Option<(&str, &str)> {
    let bracketed = || text.strip_prefix('[')?.split_once("] ");
    let (key, value) = text.split_once(": ").or_else(bracketed)?;
    let of_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '*' | '.' | '/' | '(' | ')' | '`');
    let word = key.contains(char::is_alphabetic) && key.chars().all(of_word);
    word.then(|| (key.trim_matches(['*', '_']), value.trim()))
}

/// Keys of trailers for people, places and tickets (git's, Gerrit's, the forges').
const TRAILERS: [&str; 34] = [
    "fix", "fixes", "fixed", "close", "closes", "closed", "resolve", "resolves", "resolved", "ref", "refs", "see",
    "related", "relates", "link", "links", "bug", "bugs", "issue", "issues", "ticket", "jira", "pr", "cc", "to",
    "from", "date", "author", "subject", "reviewers", "subscribers", "lgtm", "backport", "url",
];
/// Endings of keys with two or more words.
const TRAILER_ENDS: [&str; 14] = [
    "-by", "-id", "-to", "-on", "-for", "-from", "-link", "-url", "-with", "-position", "-revid", "-queue", "-submit",
    "-issue",
];
/// Levels of logs and compilers.
const LEVELS: [&str; 10] = ["error", "warning", "warn", "fatal", "panic", "info", "debug", "trace", "hint", "help"];

/// Splits a paragraph at the ends of its sentences, whitespace normalised.
fn split_paragraph(paragraph: &str) -> Vec<String> {
    let paragraph = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut from = 0;
    let ends = sentences::prose_ends(&paragraph).into_iter().chain([paragraph.len()]);
    ends.map(|end| paragraph[std::mem::replace(&mut from, end)..end].trim().to_owned()).collect()
}

/// Mostly words, without links: neither code nor a log line.
fn is_prose(sentence: &str) -> bool {
    let words = sentence.split_whitespace().count();
    let wordlike = |word: &&str| {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
        bare.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’')) && !bare.is_empty()
    };
    let plain = sentence.split_whitespace().filter(wordlike).count();
    let pasted = ["://", "](", "<!--", "\\n", "();", "=>", " at line ", "Traceback"];
    let begins = sentence.chars().next().is_some_and(|first| first.is_alphanumeric() || "\"'`(*_[".contains(first));
    begins && plain * 3 >= words * 2 && !pasted.iter().any(|mark| sentence.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_told_sentence_by_sentence() {
        assert_eq!(
            split_into_sentences(
                "One thing\nis done. Another, e.g. this. (Third thing!) Last\n\n* item one\n  goes on\n1. item two"
            ),
            ["One thing is done.", "Another, e.g. this.", "(Third thing!)", "Last", "item one goes on", "item two"]
        );
    }

    #[test]
    fn what_was_pasted_is_left_out() {
        let body = "Real words here.\n\n```\nfenced words here\n```\n\n    indented code here\n> quoted words here\n\
                    # Heading words here\nSigned-off-by: A B\nerror: some words here\nlet x = foo(1, 2) + bar::<T>();\n\
                    ---\nWords after the rule.";
        assert_eq!(split_into_sentences(body), ["Real words here."]);
    }

    #[test]
    fn a_labelled_reason_is_prose() {
        for text in [
            "Reason: it breaks on Windows.",
            "IMPORTANT: callers must await the result.",
            "NOTE: callers must await the result.",
            "Caveat: it waits for the lock.",
            "TODO: callers must await the result.",
            "Root-cause: the second close ran into a lock.",
            "**Warning**: callers must await the result.",
            "Важно: вызовы теперь асинхронные.",
            "Hinweis: wer es aufruft, muss jetzt warten.",
            "note: callers must await the result.",
            "warning: callers must await the result from now on.",
            "hint: callers must await the result from now on.",
            "WIP: callers must await the result.",
            "HACK: callers must await the result.",
            "Fix: callers must await the result from now on.",
            "Issue: the pool was closed twice on shutdown.",
            "[NOTE] callers must await the result.",
            "_Note_: callers must await the result.",
            "pool.py: callers must await the result.",
            "close(): callers must await the result.",
        ] {
            assert_eq!(
                split_into_sentences(&format!("One thing\nis done.\n{text}")),
                ["One thing is done.", text],
                "{text}"
            );
        }
    }

    #[test]
    fn trailers_and_logs_are_no_prose() {
        for text in [
            "Signed-off-by: A U Thor because of it",
            "Reviewed-on: the server of the team",
            "Fixes: the second close of the pool",
            "Change-Id: I0123 because of it",
            "error: it failed because of the file",
            "ERROR: it failed because of the file",
            "TypeError: it is not a function here",
            "warning: it is never used anywhere",
            "Closes: #12",
            "Fix: PR #12 of the other team by then",
            "See: the page of the team",
            "error: it failed because of the missing file.",
            "warning: unused variable in the body of it",
            "Priority: high",
        ] {
            assert_eq!(split_into_sentences(text), Vec::<String>::new(), "{text}");
        }
    }
}
