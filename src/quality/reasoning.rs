//! Removes reasoning from a model's answer: between tags of many model families, in channels, or unmarked.

use crate::text::words::WordList;
use crate::word_list;

/// Tag names of reasoning sections.
static NAMES: WordList = word_list!("reasoning_names");
/// Longest tag recognised, in characters.
const LONGEST: usize = 40;

/// Removes reasoning; an unclosed tag drops the rest, an end tag without start drops the text before it.
pub(super) fn without_thoughts(text: &str) -> String {
    let text = channel_answer(text);
    let mut kept = String::with_capacity(text.len());
    let mut before_stray = String::new();
    let (mut inside, mut closed) = (false, false);
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let Some(mark) = mark_at(&text, at) else {
            if !inside {
                kept.push(c);
            }
            at += c.len_utf8();
            continue;
        };
        if mark.closing && !inside {
            let before = std::mem::take(&mut kept);
            // A second end tag after the answer is ignored; a first one ends reasoning without a start tag.
            if closed && before_stray.is_empty() {
                before_stray = before;
            }
        }
        closed |= mark.closing;
        inside = !mark.closing;
        at += mark.bytes;
    }
    if kept.trim().is_empty() { before_stray } else { kept }
}

struct ReasoningTag {
    bytes: usize,
    closing: bool,
}

/// `<think>`, `</thinking>`, `<|begin_of_thought|>`, `[THINK]`, `◁/think▷`, and `<think` with its end missing. A tag
/// inside backticks is quoted text, not a tag.
fn mark_at(text: &str, at: usize) -> Option<ReasoningTag> {
    let rest = &text[at..];
    let open = rest.chars().next()?;
    let close = match open {
        '<' => '>',
        '[' => ']',
        '\u{25c1}' => '\u{25b7}',
        _ => return None,
    };
    let inner = &rest[open.len_utf8()..];
    let ends = |c: char| c == close || c.is_whitespace();
    let length = inner.char_indices().take(LONGEST).find(|(_, c)| ends(*c)).map_or(inner.len(), |(at, _)| at);
    if length > 4 * LONGEST || (open == '[' && inner[..length].chars().any(char::is_lowercase)) {
        return None;
    }
    let name = inner[..length].trim_matches(['|', '\u{ff5c}']).to_lowercase();
    let (closing, name) = stem(&name);
    let whole = inner[length..].starts_with(close);
    if !NAMES.contains(&name) || !(whole || open == '<') || (!whole && name.len() < "think".len()) {
        return None;
    }
    let bytes = open.len_utf8() + length + if whole { close.len_utf8() } else { 0 };
    let quoted = text[..at].ends_with('`') && rest[bytes..].starts_with('`');
    (!quoted).then_some(ReasoningTag { bytes, closing })
}

fn stem(name: &str) -> (bool, &str) {
    for end in ["/", "end_of_", "end_"] {
        if let Some(name) = name.strip_prefix(end) {
            return (true, name);
        }
    }
    match name {
        "unused95" => (true, "unused94"),
        _ => (false, ["begin_of_", "start_of_", "begin_"].iter().find_map(|s| name.strip_prefix(s)).unwrap_or(name)),
    }
}

/// The user-visible text of channels: the final channel of several; without channel tags, the text after their leftover
/// names.
fn channel_answer(text: &str) -> String {
    if let Some((_, answer)) = text.rsplit_once("assistantfinal").filter(|(before, _)| is_bare_channel(before)) {
        return answer.to_owned();
    }
    if is_bare_channel(text) {
        return String::new();
    }
    if text.contains("<|channel>") {
        return outside(text, "<|channel>", "<channel|>");
    }
    if text.contains("<|channel|>") { channels(text) } else { text.to_owned() }
}

/// `analysisWe need to …`: the channel's name is joined to its text.
fn is_bare_channel(text: &str) -> bool {
    let text = text.trim_start();
    ["analysis", "commentary"].iter().any(|name| {
        text.strip_prefix(name).is_some_and(|rest| rest.starts_with(|c: char| c.is_uppercase() || c == '\n'))
    })
}

fn outside(text: &str, open: &str, close: &str) -> String {
    let mut pieces = text.split(open);
    let mut kept = pieces.next().unwrap_or("").to_owned();
    for piece in pieces {
        kept.push_str(piece.split_once(close).map_or("", |(_, after)| after));
    }
    kept
}

/// `<|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…`
fn channels(text: &str) -> String {
    let mut pieces = text.split("<|channel|>");
    let mut outside = pieces.next().unwrap_or("").trim_end_matches("<|start|>assistant").to_owned();
    let mut answer = String::new();
    for piece in pieces {
        let named = piece.split_once("<|message|>");
        let is_final = piece.trim_start().starts_with("final");
        let body = named.map_or(if is_final { &piece.trim_start()["final".len()..] } else { "" }, |(_, body)| body);
        let end = ["<|end|>", "<|return|>", "<|call|>", "<|start|>"].iter().filter_map(|mark| body.find(mark)).min();
        let (body, after) = body.split_at(end.unwrap_or(body.len()));
        if is_final {
            answer.push_str(body);
        } else {
            outside.push_str(after.trim_end_matches("<|start|>assistant"));
        }
    }
    if answer.trim().is_empty() { outside } else { answer }
}

/// Typical beginnings of unmarked reasoning, with or without "okay,".
const ALOUD: &[&str] = &[
    "the user ", "the user's ", "the user\u{2019}s ", "let's ", "let me ", "i need to", "we need to", "i should",
    "we should", "i have to", "we have to", "i'll ", "i will ", "we'll ", "we must", "i must", "we are asked",
    "we're asked", "i'm asked", "i am asked", "i'm given", "i am given", "we are given", "we're given", "we have a ",
    "we have the ", "i have a ", "i'm looking", "i am looking", "i'm going to", "i want to", "wait,", "wait.",
    "wait \u{2014}", "hmm", "thinking process", "thought process", "here's a thinking", "here is a thinking",
    "here's my thought", "here is my thought", "my task is", "the task is", "the task:", "the question is",
    "the instructions", "the prompt ", "the rules say", "looking at the diff, i", "so the user", "so i need",
    "so we need", "so the task", "so the answer",
];

/// A sentence of reasoning, addressed to the model itself.
pub(super) fn is_reasoning(sentence: &str) -> bool {
    let low = sentence.trim_start_matches(['*', '_', '"', '#', '>', ' ', '(']).to_lowercase().replace('\u{2019}', "'");
    let rest = ["okay", "ok", "alright", "all right", "so", "hmm", "well", "right", "now", "first", "then", "but"]
        .iter()
        .find_map(|word| low.strip_prefix(word)?.strip_prefix([',', '.', ':', ' ']))
        .map_or(low.as_str(), str::trim_start);
    ALOUD.iter().any(|start| rest.starts_with(start) || low.starts_with(start))
}

/// The answer after unmarked reasoning: the last paragraph, unless it is reasoning too. The whole text where it does
/// not begin with reasoning; `None` where there is nothing else.
pub(super) fn after_musing(text: &str) -> &str {
    let text = text.trim();
    let first = text.split('\n').next().unwrap_or("");
    if !is_reasoning(first) {
        return text;
    }
    let last = text.rsplit("\n\n").next().unwrap_or("").trim();
    let answers =
        last.len() < text.len() && !crate::text::sentences::split(last).iter().any(|sentence| is_reasoning(sentence));
    if answers { last } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_all_families_are_read() {
        for text in [
            "<think>a</think>X",
            "<THINKING>a</THINKING>X",
            "<|thought|>a<|/thought|>X",
            "<|begin_of_thought|>a<|end_of_thought|>X",
            "[THINK]a[/THINK]X",
            "\u{25c1}think\u{25b7}a\u{25c1}/think\u{25b7}X",
            "<unused94>thought a<unused95>X",
            "a</think>X",
            "<think>a<think>b</think>c</think>X",
            "<think>a</think>X</think>",
            "X<think>a",
            "X<think",
            "X<think\nabout it",
            "<|channel>thought\na<channel|>X",
            "<|channel|>commentary to=functions.x<|message|>{}<|call|><|start|>assistant<|channel|>final<|message|>X",
            "analysisWe need one word.assistantfinalX",
        ] {
            assert_eq!(without_thoughts(text), "X", "{text:?}");
        }
    }

    #[test]
    fn talk_about_marks_stays() {
        for text in ["Strips `<think>` and `</think>`.", "Adds [think] to a <b>.", "Sorts a<plane>.", "x <thin> y"] {
            assert_eq!(without_thoughts(text), text);
        }
    }

    #[test]
    fn thoughts_without_marks_leave_the_last_paragraph() {
        assert_eq!(after_musing("Okay, the user wants a summary.\n\nAdds a."), "Adds a.");
        assert_eq!(after_musing("We need to say it.\n\nLet's write it."), "");
        assert_eq!(after_musing("We need to say it."), "");
        assert_eq!(after_musing("Okay button now submits."), "Okay button now submits.");
    }
}
