//! What models put around their answers: thoughts, fences, greetings, wrappers, control characters.

use serde_json::Value;

/// Pairs of marks around hidden thoughts.
const THOUGHTS: [(&str, &str); 4] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("<|channel|>analysis", "<|channel|>final<|message|>"),
];

/// Template tokens that leak into the text.
const LEAKS: [&str; 12] = [
    "<|im_end|>",
    "<|im_start|>",
    "<|eot_id|>",
    "<|end|>",
    "<|endoftext|>",
    "<|assistant|>",
    "<|return|>",
    "</s>",
    "<s>",
    "[/INST]",
    "[INST]",
    "<end_of_turn>",
];

/// Keys under which a JSON wrapper holds the text.
const KEYS: [&str; 9] =
    ["summary", "text", "message", "description", "response", "answer", "content", "output", "result"];

/// Removes thoughts; one that is never closed takes the rest with it, one never opened what is before.
pub(super) fn without_thoughts(text: &str) -> String {
    let mut text = text.to_owned();
    for (open, close) in THOUGHTS {
        while let Some(start) = find_ignoring_case(&text, open) {
            let end = find_ignoring_case(&text[start..], close).map_or(text.len(), |at| start + at + close.len());
            text.replace_range(start..end, "");
        }
        if let Some(end) = find_ignoring_case(&text, close) {
            text.replace_range(..end + close.len(), "");
        }
    }
    for leak in LEAKS {
        if text.contains(leak) {
            text = text.replace(leak, " ");
        }
    }
    text
}

fn find_ignoring_case(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes().windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

/// Removes ANSI sequences, control, bidirectional and zero-width characters and replacement characters.
/// Newlines stay, tabs become spaces.
pub(super) fn without_controls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_parameters(&mut chars),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => clean.push('\n'),
            '\t' | '\u{a0}' => clean.push(' '),
            '\n' => clean.push('\n'),
            _ if c.is_control() || is_invisible(c) => {}
            _ => clean.push(c),
        }
    }
    clean
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffd}'
        | '\u{e0000}'..='\u{e007f}')
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// After an escape character: a control sequence, an operating system command, or one character.
fn skip_escape(chars: &mut Chars<'_>) {
    match chars.next_if(|c| ('\u{20}'..='\u{7e}').contains(c)) {
        Some('[') => skip_parameters(chars),
        Some(']') => while chars.next_if(|c| !matches!(c, '\u{7}' | '\u{1b}' | '\n')).is_some() {},
        _ => {}
    }
}

fn skip_parameters(chars: &mut Chars<'_>) {
    while chars.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {}
    chars.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
}

/// Unwraps `{"summary": "…"}`, `["…"]` and a JSON string.
pub(super) fn without_json(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text.trim()).ok().filter(|value: &Value| !value.is_number())?;
    words_of(&value)
}

fn words_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let words: Vec<String> = items.iter().filter_map(words_of).collect();
            (!words.is_empty()).then(|| words.join("\n"))
        }
        Value::Object(fields) => {
            KEYS.iter().find_map(|key| fields.get(*key)).or(fields.values().next()).and_then(words_of)
        }
        _ => None,
    }
}

/// The contents of the first fence when the answer lies in one, else the text without fence lines.
pub(super) fn without_fences(text: &str) -> String {
    let is_fence = |line: &&str| line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
    text.lines().filter(|line| !is_fence(line)).collect::<Vec<_>>().join("\n")
}

/// "Sure! Here is a summary of the changes:" and the like, as a line's start.
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

const POLITE: [&str; 12] = [
    "sure thing",
    "sure",
    "certainly",
    "of course",
    "absolutely",
    "okay",
    "ok",
    "great",
    "got it",
    "no problem",
    "yes",
    "understood",
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

const LABELS: [&str; 22] = [
    "here is",
    "here's",
    "here are",
    "below is",
    "the following is",
    "this is a summary",
    "summary",
    "output",
    "answer",
    "response",
    "commit summary",
    "commit message",
    "one-sentence summary",
    "assistant",
    "final answer",
    "in summary",
    "tl;dr",
    "tldr",
    "description",
    "changes",
    "note",
    "to summarize",
];
/// Longest text before a label's colon, in bytes.
const LABEL_CAP: usize = 90;

/// A label that ends in a colon, where what is before the colon starts like one and names no code.
fn without_label(line: &str) -> &str {
    let plain = line.trim_start_matches(['*', '_', '#', ' ']);
    let Some(colon) = plain.find(':').filter(|at| *at <= LABEL_CAP) else { return line };
    let label = plain[..colon].trim_end_matches(['*', '_', ' ']).to_lowercase();
    let rest = plain[colon + 1..].trim_start_matches(['*', '_']);
    let opening = ["here is", "here's", "here are", "below is", "the following is", "this is a summary"];
    let is_label = LABELS.contains(&label.as_str()) || opening.iter().any(|start| label.starts_with(start));
    if is_label && !label.contains('`') && !rest.starts_with(':') { rest.trim() } else { line }
}

/// `## Summary`, or a label on a line of its own.
pub(super) fn is_heading(line: &str) -> bool {
    let line = line.trim();
    let marks = line.len() - line.trim_start_matches('#').len();
    let label = line.trim_matches(['*', '_', ' ', '#']).to_lowercase();
    (marks > 0 && line[marks..].starts_with(' ')) || LABELS.contains(&label.as_str())
}

/// "Let me know if you need anything else!" as a whole sentence or line.
pub(super) fn is_afterthought(sentence: &str) -> bool {
    let low = sentence.trim_start_matches(['*', '_', '"', ' ']).to_lowercase();
    [
        "let me know",
        "i hope this",
        "hope this helps",
        "feel free to",
        "is there anything else",
        "please let me",
        "if you need",
        "if you have any",
        "would you like",
        "i can also",
    ]
    .iter()
    .any(|start| low.starts_with(start))
}

/// Bullets, numbering, headings and quote marks at a line's start.
pub(super) fn without_bullet(line: &str) -> &str {
    let line = line.trim();
    let line = line.trim_start_matches('>').trim_start();
    let line = line.strip_prefix(['#', '#']).map_or(line, |rest| rest.trim_start_matches('#').trim_start());
    for bullet in ["- ", "* ", "+ ", "• ", "– ", "— ", "· ", "-- "] {
        if let Some(rest) = line.strip_prefix(bullet) {
            return without_checkbox(rest.trim_start());
        }
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    match line[digits..].strip_prefix(['.', ')']) {
        Some(rest) if (1..=2).contains(&digits) && rest.starts_with(' ') => rest.trim_start(),
        _ => line,
    }
}

fn without_checkbox(line: &str) -> &str {
    ["[ ] ", "[x] ", "[X] "].iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line)
}

/// One pair of quotes or emphasis marks around the whole text.
pub(super) fn without_quotes(text: &str) -> &str {
    let mut text = text.trim();
    for (open, close) in
        [("**", "**"), ("\"", "\""), ("\u{201c}", "\u{201d}"), ("'", "'"), ("`", "`"), ("*", "*"), ("_", "_")]
    {
        if let Some(inner) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close))
            && !inner.is_empty()
            && !inner.contains(open)
            && !inner.contains(close)
        {
            text = inner.trim();
        }
    }
    text
}
