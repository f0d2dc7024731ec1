//! Preamble removal: politeness, labels and headings before the answer.

use crate::phrase_list;
use crate::text::words::PhraseList;

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

static POLITE: PhraseList = phrase_list!("preamble_polite");

fn without_politeness(line: &str) -> &str {
    for word in POLITE.iter() {
        let Some((start, rest)) = line.split_at_checked(word.len()) else { continue };
        let marked = rest.starts_with(['!', ',', '.', ':']);
        if start.eq_ignore_ascii_case(word) && marked {
            return rest.trim_start_matches(['!', ',', '.', ':', ' ']);
        }
    }
    line
}

/// Exact labels before a colon.
static LABELS: PhraseList = phrase_list!("preamble_labels");
/// Beginnings of labels with free text up to the colon.
static OPENINGS: PhraseList = phrase_list!("preamble_openings");
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
