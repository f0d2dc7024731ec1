//! Preamble removal: politeness, labels and headings before the answer.

/// Strips "Sure! Here is a summary of the changes:" and the like from a line's start.
pub(super) fn without_preamble(line: &str) -> &str {
    let mut line = line.trim();
    loop {
        let shorter = without_label(without_politeness(line));
        if shorter.len() == line.len() {
            return line;
        }
        line = shorter;
    }
}

const POLITE: &[&str] = &[
    "sure thing", "sure", "certainly", "of course", "absolutely", "okay", "ok", "alright", "great", "great question",
    "got it", "no problem", "yes", "understood", "hello", "hi", "hi there", "thanks", "thank you", "good question",
    "right", "happy to help",
];

fn without_politeness(line: &str) -> &str {
    for word in POLITE {
        let Some((start, rest)) = line.split_at_checked(word.len()) else { continue };
        let marked = rest.starts_with(['!', ',', '.', ':']);
        if start.eq_ignore_ascii_case(word) && marked {
            return rest.trim_start_matches(['!', ',', '.', ':', ' ']);
        }
    }
    line
}

/// Exact labels before a colon.
const LABELS: &[&str] = &[
    "summary",
    "output",
    "answer",
    "response",
    "result",
    "commit",
    "commit summary",
    "commit message",
    "commit description",
    "suggested commit message",
    "generated commit message",
    "git commit message",
    "one-sentence summary",
    "one sentence summary",
    "two-sentence summary",
    "short summary",
    "brief summary",
    "summary of changes",
    "summary of the changes",
    "assistant",
    "ai",
    "bot",
    "model",
    "final answer",
    "final",
    "final output",
    "final summary",
    "in summary",
    "tl;dr",
    "tldr",
    "description",
    "changes",
    "note",
    "title",
    "subject",
    "body",
    "message",
    "to summarize",
    "overview",
    "explanation of changes",
    "sentence 1",
    "sentence 2",
    "line 1",
    "line 2",
];
/// Beginnings of labels with free text up to the colon.
const OPENINGS: &[&str] = &[
    "here is", "here's", "here are", "here you go", "below is", "below are", "the following is", "the following are",
    "this is a summary", "this is the summary", "a summary of", "the summary is", "the summary of",
    "the commit message", "the answer is", "my answer", "based on the", "i would describe", "i would summarize",
    "the commit can be", "one possible", "a possible",
];
/// Longest text before a label's colon, in bytes.
const LABEL_CAP: usize = 120;

/// A label that ends in a colon, where the text before the colon starts like one and contains no code.
fn without_label(line: &str) -> &str {
    let plain = line.trim_start_matches(['*', '_', '#', '>', ' ']);
    let Some(colon) = plain.bytes().take(LABEL_CAP + 1).position(|byte| byte == b':') else { return line };
    let label = plain[..colon].trim_end_matches(['*', '_', ' ']).to_lowercase().replace('\u{2019}', "'");
    let rest = plain[colon + 1..].trim_start_matches(['*', '_']);
    let is_label = LABELS.contains(&label.as_str()) || OPENINGS.iter().any(|start| label.starts_with(start));
    if is_label && !label.contains('`') && !rest.starts_with(':') { rest.trim() } else { line }
}

/// `## Summary`, or a label on a line of its own.
pub(super) fn is_heading(line: &str) -> bool {
    let line = line.trim();
    let marks = line.len() - line.trim_start_matches('#').len();
    let label = line.trim_matches(['*', '_', ' ', '#', ':', '[', ']']).to_lowercase();
    (marks > 0 && line[marks..].starts_with(' ')) || LABELS.contains(&label.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preambles_in_many_forms_go() {
        for line in [
            "Sure! Here's a concise summary of the commit: Adds a.",
            "Here is the commit message based on the provided diff: Adds a.",
            "**Summary:** Adds a.",
            "Suggested commit message: Adds a.",
            "Okay, here you go: Adds a.",
            "Based on the provided patch, here is the summary: Adds a.",
        ] {
            assert_eq!(without_preamble(line), "Adds a.", "{line}");
        }
        for line in ["Adds `a: b`.", "Fixes the parser: it drops a line.", "Note::new returns now.", "Ok button works."]
        {
            assert_eq!(without_preamble(line), line);
        }
    }
}
