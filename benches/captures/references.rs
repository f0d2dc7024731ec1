//! What in a subject only its author can know: tickets, pull requests, revisions, and versions in files that are never
//! read.

use uro_capture::domain::patch::Commit;

/// A subject without what a forge appends: "(#42)".
pub fn without_tickets(subject: &str) -> String {
    let ticket = |word: &&str| word.starts_with("(#") && word.ends_with(')') && !word.contains(char::is_alphabetic);
    subject.split_whitespace().filter(|word| !ticket(word)).collect::<Vec<_>>().join(" ")
}

/// A subject without numbers of tickets and names of revisions, whatever stands around them.
pub fn without(subject: &str) -> String {
    let words: Vec<&str> = subject.split_whitespace().collect();
    let kept = words.iter().enumerate().filter(|(at, word)| {
        let before = at.checked_sub(1).and_then(|at| words.get(at)).copied().unwrap_or_default();
        !is_reference(bare(word), before)
    });
    kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !(c.is_alphanumeric() || c == '#'))
}

/// `#42`, `GH-42`, `owner/project#42`, `r499`, `a0c986a24d`; `42` after "issue".
fn is_reference(word: &str, before: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbered = word.rsplit_once('#').is_some_and(|(_, number)| digits(number));
    let led = ["GH-", "gh-", "gh", "GH"].iter().any(|lead| word.strip_prefix(lead).is_some_and(digits));
    let revision = word.strip_prefix('r').is_some_and(|number| number.len() > 1 && digits(number));
    let hash = (7..=40).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.contains(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| c.is_ascii_alphabetic());
    let named = ["issue", "issues", "bug", "ticket", "pr", "request", "revision", "rev"];
    numbered || led || revision || hash || (digits(word) && named.contains(&bare(before).to_lowercase().as_str()))
}

/// The word stands in the changed lines only of files that the gate may not read.
pub fn is_hidden(word: &str, commit: &Commit, judge: &Commit) -> bool {
    let unread = |path: &str| commit.patch.files.iter().any(|file| file.path == path && file.unread.is_some());
    let has = |hidden: bool| {
        let files = judge.patch.files.iter().filter(|file| unread(&file.path) == hidden);
        let mut lines = files.flat_map(|file| &file.hunks).flat_map(|hunk| &hunk.lines);
        lines.any(|line| line.text.contains(word.trim_start_matches('v')))
    };
    !word.is_empty() && has(true) && !has(false)
}
