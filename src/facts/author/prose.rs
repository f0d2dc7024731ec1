//! The sentences of a message's body: what its author wrote as prose, and nothing that was pasted there.

/// Sentences in order, blanks tidied. Without code, quotes, logs, trailers, and all that follows a rule or the
/// folded part of a bot's page.
#[must_use]
pub fn sentences(body: &str) -> Vec<String> {
    paragraphs(body).iter().flat_map(|paragraph| split(paragraph)).filter(|sentence| is_prose(sentence)).collect()
}

fn paragraphs(body: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = vec![String::new()];
    let mut fenced = false;
    for line in body.lines() {
        let text = line.trim();
        if text.starts_with("```") || text.starts_with("~~~") {
            fenced = !fenced;
            paragraphs.push(String::new());
            continue;
        }
        if !fenced && ends_the_authors_part(text) {
            break;
        }
        let item = item(text);
        if fenced || text.is_empty() || is_foreign(line) {
            paragraphs.push(String::new());
            continue;
        }
        if item.is_some() {
            paragraphs.push(String::new());
        }
        if let Some(paragraph) = paragraphs.last_mut() {
            paragraph.push_str(item.unwrap_or(text));
            paragraph.push(' ');
        }
    }
    paragraphs
}

/// The message up to where its author's own words end.
#[must_use]
pub fn own_part(message: &str) -> &str {
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

/// What stands behind a bullet.
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

/// `Signed-off-by: …`, `Co-authored-by: …`, `error: …`: one word and a colon. `Note:` and `Reason:` begin sentences.
fn is_trailer(text: &str) -> bool {
    let Some((key, value)) = text.split_once(": ").or_else(|| text.strip_suffix(':').map(|key| (key, ""))) else {
        return false;
    };
    let prose = ["note", "reason", "motivation", "rationale", "why", "background", "context", "problem"];
    let word = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    word && !value.is_empty() && !prose.contains(&key.to_lowercase().as_str())
}

/// At `.`, `!` or `?` before a blank and a capital letter; not after abbreviations.
fn split(paragraph: &str) -> Vec<String> {
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let mut sentences = Vec::new();
    let mut current: Vec<&str> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        current.push(word);
        let next_starts = words.get(at + 1).is_none_or(|next| {
            let first = next.trim_start_matches(['(', '"', '\'', '`', '*']).chars().next();
            first.is_none_or(|first| !first.is_lowercase()) || next.starts_with('`')
        });
        if ends(word) && next_starts {
            sentences.push(current.join(" "));
            current.clear();
        }
    }
    sentences.push(current.join(" "));
    sentences
}

fn ends(word: &str) -> bool {
    let bare = word.trim_end_matches(['"', '\'', ')', '*', '`']);
    let abbreviated = ["e.g.", "i.e.", "etc.", "cf.", "vs.", "approx.", "resp.", "No.", "(e.g.", "(i.e."];
    bare.ends_with(['.', '!', '?', '。']) && !abbreviated.contains(&word)
}

/// Mostly words, without links: neither code nor a line of a log.
fn is_prose(sentence: &str) -> bool {
    let words = sentence.split_whitespace().count();
    let wordlike = |word: &&str| {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
        bare.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’')) && !bare.is_empty()
    };
    let plain = sentence.split_whitespace().filter(wordlike).count();
    let pasted = ["://", "](", "<!--", "\\n", "();", "=>", " at line ", "Traceback"];
    let begins = sentence.chars().next().is_some_and(|first| first.is_alphanumeric() || "\"'`(".contains(first));
    begins && plain * 3 >= words * 2 && !pasted.iter().any(|mark| sentence.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_told_sentence_by_sentence() {
        assert_eq!(
            sentences(
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
        assert_eq!(sentences(body), ["Real words here."]);
    }

    #[test]
    fn a_labelled_reason_is_prose() {
        assert_eq!(sentences("Reason: it breaks on Windows."), ["Reason: it breaks on Windows."]);
    }
}
