//! Draft clean-up: Markdown from a model, without its chatter. The remaining text is not modified.

use std::collections::HashSet;

use super::clean::TextRejection;
use super::{chatter, controls, json, preamble, reasoning, tokens};
use crate::text::fences::{Fence, ends_in_code};

/// Longest draft processed, in bytes.
const INPUT: usize = 512 * 1024;
/// Shortest draft, in letters and digits.
const SHORTEST: usize = 20;

/// Cleans a Markdown document: removes reasoning, control characters, an outer fence, greetings and sign-offs, closes
/// an open code fence, and drops repeated paragraphs.
///
/// # Errors
/// When the remaining text cannot be a draft.
pub fn document(text: &str) -> Result<String, TextRejection> {
    let open = tokens::without_tokens(&reasoning::without_thoughts(&text[..text.floor_char_boundary(INPUT)]));
    if open.trim().is_empty() {
        return Err(if text.trim().is_empty() { TextRejection::Empty } else { TextRejection::OnlyThoughts });
    }
    let text = controls::without_controls(&open).replace("\u{fffd}", "");
    let text = json::without_json(&text).unwrap_or(text);
    let body = fenced_whole(without_greeting(text.trim())).trim();
    let mut body = paragraphs(body);
    if ends_in_code(&body) {
        body.push_str("\n```");
    }
    if body.chars().filter(|c| c.is_alphanumeric()).count() < SHORTEST {
        return Err(if body.is_empty() { TextRejection::Empty } else { TextRejection::Noise });
    }
    Ok(body)
}

/// The partial output without reasoning; empty while the model is still reasoning.
#[must_use]
pub fn visible_text(text: &str) -> String {
    reasoning::without_thoughts(&text[..text.floor_char_boundary(INPUT)])
}

/// A first line that only announces the rest.
fn without_greeting(text: &str) -> &str {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let announces = !first.starts_with('#') && preamble::without_preamble(first).trim().is_empty();
    if announces && !rest.trim().is_empty() { rest.trim() } else { text }
}

/// An outer fence ```` ```markdown … ``` ````.
fn fenced_whole(text: &str) -> &str {
    let Some((first, rest)) = text.split_once('\n') else { return text };
    let opens = matches!(first.trim().to_ascii_lowercase().as_str(), "```" | "```markdown" | "```md" | "```text");
    let Some(end) = rest.rfind("\n```").filter(|_| opens) else { return if opens { rest } else { text } };
    let after = &rest[end + 4..];
    let inner = &rest[..end];
    let balanced = !ends_in_code(inner);
    let nothing_after = after.trim().is_empty() || after.trim().lines().all(chatter::is_aside);
    if balanced && nothing_after { inner } else { text }
}

/// Deduplicates paragraphs, keeping their order; drops sign-offs at the end. Code blocks are not modified.
fn paragraphs(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut distinct = HashSet::new();
    let mut in_code = false;
    for paragraph in text.split("\n\n") {
        let code = in_code || paragraph.lines().any(|line| Fence::parse(line).is_some());
        let prose = !code && paragraph.len() > 40;
        let new = distinct.insert(paragraph);
        if new || !prose {
            kept.push(paragraph);
        }
        in_code ^= ends_in_code(paragraph);
    }
    while !in_code && kept.len() > 1 && kept.last().is_some_and(|last| chatter::is_aside(last)) {
        kept.pop();
    }
    kept.join("\n\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "# Week 9\n\nThe login retries once.\n\n```rust\nfn a() {}\n\nfn a() {}\n```\n\n- one\n- two";

    #[test]
    fn a_clean_draft_passes_byte_for_byte() {
        assert_eq!(document(BODY).as_deref(), Ok(BODY));
    }

    #[test]
    fn what_models_put_around_a_draft_goes() {
        for dirty in [
            format!("<think>plan</think>\n{BODY}"),
            format!("Sure! Here is the devlog:\n\n{BODY}"),
            format!("```markdown\n{BODY}\n```"),
            format!("Here's your blog post:\n```md\n{BODY}\n```\nLet me know if you need changes!"),
            format!("{BODY}\n\nI hope this helps! Let me know."),
            format!("\u{1b}[1m{BODY}\u{1b}[0m"),
            format!("{BODY}<|im_end|>"),
        ] {
            assert_eq!(document(&dirty).as_deref(), Ok(BODY), "{dirty}");
        }
    }

    #[test]
    fn repeated_paragraphs_and_open_fences_are_mended() {
        let line = "The login flow now retries once after a timeout.";
        assert_eq!(document(&format!("{line}\n\n{line}")).as_deref(), Ok(line));
        assert_eq!(document("Some words of explanation:\n\n```rust\nfn a() {}").unwrap().matches("```").count(), 2);
    }

    #[test]
    fn nothing_is_no_draft() {
        assert_eq!(document(" \n"), Err(TextRejection::Empty));
        assert_eq!(document("<think>never ends"), Err(TextRejection::OnlyThoughts));
        assert_eq!(document("ok."), Err(TextRejection::Noise));
    }
}
