//! Strips code fences around or inside an answer.

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
    text.lines().filter(|line| fence(line).is_none()).map(inline).collect::<Vec<_>>().join("\n")
}

/// The fence marker and the rest of its line.
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let line = line.trim_start().trim_start_matches(['>', ' ']);
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let length = line.len() - rest.len();
    (length >= 3 && !rest.contains('`')).then_some((mark, length, rest.trim()))
}

/// `` ```Adds a.``` `` on one line, or with a closing fence only.
fn inline(line: &str) -> &str {
    let bare = line.trim();
    if bare.starts_with("```") || bare.ends_with("```") { bare.trim_matches('`').trim() } else { line }
}

fn outermost_off(text: &str) -> String {
    let mut before = Vec::new();
    let mut outside = Vec::new();
    let mut inside: Vec<&str> = Vec::new();
    let mut open: Option<(char, usize, bool)> = None;
    let mut blocks = 0;
    for line in text.lines() {
        match (fence(line), open) {
            (Some((mark, length, "")), Some((with, least, _))) if mark == with && length >= least => open = None,
            (Some((mark, length, language)), None) => {
                blocks += 1;
                let words = WORDS.contains(&language.to_lowercase().as_str());
                open = Some((mark, length, words));
                // The answer's first line may be on the fence line itself.
                if !words && language.contains(' ') {
                    inside.push(language);
                }
            }
            (_, Some((_, _, words))) => {
                let says = words || line.trim_start().starts_with("git commit ");
                if says && blocks == 1 {
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
    let announced = before.iter().rfind(|line| !line.trim().is_empty()).is_none_or(|line| announces(line));
    let worded = inside.iter().any(|line| line.chars().any(char::is_alphanumeric));
    if worded && (announced || outside.iter().all(|line| line.trim().is_empty())) {
        inside.join("\n")
    } else {
        outside.join("\n")
    }
}

fn announces(line: &str) -> bool {
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
