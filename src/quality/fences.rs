//! Strips code fences around or inside an answer.

use crate::text::fences::Fence;

/// Fence languages that hold prose, not code.
const WORDS: &[&str] =
    &["", "text", "txt", "plaintext", "markdown", "md", "commit", "gitcommit", "git", "json", "yaml", "output", "none"];
/// Maximum nested fences removed.
const DEPTH: u8 = 4;

/// The prose of a text with fences: the content where only a preamble precedes the fence, else the text outside.
pub(super) fn without_fences(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..DEPTH {
        if !text.lines().any(|line| fence(line).is_some()) {
            break;
        }
        text = outermost_off(&text);
    }
    text.lines().filter(|line| fence(line).is_none()).map(unquote_inline).collect::<Vec<_>>().join("\n")
}

/// The fence on a line, also in a quote.
fn fence(line: &str) -> Option<Fence<'_>> {
    Fence::parse(line.trim_start().trim_start_matches(['>', ' ']))
}

/// `` ```Adds a.``` `` on one line, or with a closing fence only.
fn unquote_inline(line: &str) -> &str {
    let bare = line.trim();
    if bare.starts_with("```") || bare.ends_with("```") { bare.trim_matches('`').trim() } else { line }
}

fn outermost_off(text: &str) -> String {
    let mut before = Vec::new();
    let mut outside = Vec::new();
    let mut inside: Vec<&str> = Vec::new();
    let mut open: Option<(Fence<'_>, bool)> = None;
    let mut blocks = 0;
    for line in text.lines() {
        match (fence(line), open) {
            (Some(fence), Some((opening, _))) if fence.closes(&opening) => open = None,
            (Some(fence), None) => {
                blocks += 1;
                let is_text = WORDS.contains(&fence.info.to_lowercase().as_str());
                open = Some((fence, is_text));
                // The answer's first line may be on the fence line itself.
                if !is_text && fence.info.contains(' ') {
                    inside.push(fence.info);
                }
            }
            (_, Some((_, is_text))) => {
                let is_content = is_text || line.trim_start().starts_with("git commit ");
                if is_content && blocks == 1 {
                    inside.push(line);
                }
            }
            (_, None) => {
                if blocks == 0 {
                    before.push(line);
                }
                outside.push(line);
            }
        }
    }
    let announced = before.iter().rfind(|line| !line.trim().is_empty()).is_none_or(|line| is_announcement(line));
    let worded = inside.iter().any(|line| line.chars().any(char::is_alphanumeric));
    if worded && (announced || outside.iter().all(|line| line.trim().is_empty())) {
        inside.join("\n")
    } else {
        outside.join("\n")
    }
}

fn is_announcement(line: &str) -> bool {
    let line = line.trim().trim_end_matches(['*', '_']);
    line.ends_with(':') || line.starts_with('#') || super::preamble::without_preamble(line).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_inside_or_outside_are_found() {
        for text in [
            "```\nAdds a.\n```",
            "```text\nAdds a.",
            "~~~\nAdds a.\n~~~",
            "````markdown\n```\nAdds a.\n```\n````",
            "> ```\nAdds a.\n> ```",
            "Here it is:\n\n```commit\nAdds a.\n```\n\nThis says what was added.",
            "Adds a.\n\n```rust\nfn a() {}\n```",
            "Adds a.\n```diff\n+a",
            "```Adds a.```",
            "Adds a.```",
            "``` Adds a.\n```",
        ] {
            assert_eq!(without_fences(text).trim(), "Adds a.", "{text:?}");
        }
        assert_eq!(without_fences("Adds `a` and `b`."), "Adds `a` and `b`.");
    }
}
