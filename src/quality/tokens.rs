//! Removes leaked chat-template tokens from an answer.

use std::sync::LazyLock;

use regex::Regex;

/// Tokens of the known families: ChatML, Llama 2 to 4, Mistral, Gemma, Phi, DeepSeek, Granite, Kimi, harmony, T5, and
/// byte-fallback tokens.
static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)<\|[^<>|\n]{1,40}\|?>|<\x{ff5c}[^<>\n]{1,60}\x{ff5c}>|</?s>|<</?sys>>|\[/?inst\]",
        r"|<(?:start|end)_of_(?:turn|utterance|text|image)>|<(?:bos|eos|pad|unk)>",
        r"|\[(?:eos|bos|pad|unk|sep|cls|gmask|control_\d+)\]|<0x[0-9a-f]{2}>|<unused\d+>|<extra_id_\d+>",
        r"|<\|[a-z_]{0,20}\|?$|</?(?:commit[ _]message|summary|answer|response|output|final_answer|result)>",
    ))
    .ok()
});

/// The effect of a token on the surrounding text.
enum Effect {
    /// End of the answer.
    Ends,
    /// Start of a turn: its role follows.
    Opens,
    /// End of the prompt: the text before it is dropped.
    Answers,
    /// Replaced by a space.
    Gap,
}

fn effect(token: &str) -> Effect {
    let name = token.to_lowercase();
    let name = name.trim_matches(['<', '>', '|', '[', ']', '\u{ff5c}']);
    match name {
        "im_end"
        | "eot_id"
        | "eom_id"
        | "eot"
        | "end"
        | "endoftext"
        | "end_of_text"
        | "end_of_turn"
        | "return"
        | "/s"
        | "eos"
        | "end_of_utterance"
        | "end\u{2581}of\u{2581}sentence"
        | "endofprompt"
        | "inst"
        | "user"
        | "im_user"
        | "system"
        | "call" => Effect::Ends,
        "im_start" | "start_header_id" | "start_of_role" | "start_of_turn" | "start" | "im_assistant" => Effect::Opens,
        "/inst" => Effect::Answers,
        _ => Effect::Gap,
    }
}

/// Removes the tokens, the roles after them, and everything after the answer's end.
pub(super) fn without_tokens(text: &str) -> String {
    let Some(pattern) = TOKEN.as_ref() else { return text.to_owned() };
    let mut kept = String::with_capacity(text.len());
    let mut done = 0;
    // Counted incrementally: a text of only tokens is not re-read for each of them.
    let mut letters = 0;
    for found in pattern.find_iter(text) {
        if found.start() < done || is_quoted(text, found.start(), found.end()) {
            continue;
        }
        let piece = &text[done..found.start()];
        kept.push_str(piece);
        letters += some_letters(piece);
        done = found.end();
        let is_prose = letters >= WORDY;
        match effect(found.as_str()) {
            Effect::Ends if is_prose => return kept,
            Effect::Opens => {
                let role = role_length(&text[done..]);
                if is_prose && text[done..].trim_start().starts_with(['u', 's']) && role > 0 {
                    return kept;
                }
                done += role;
                kept.push('\n');
            }
            Effect::Answers if some_letters(&text[done..]) >= WORDY => {
                kept.clear();
                letters = 0;
            }
            _ => kept.push(' '),
        }
    }
    kept.push_str(&text[done..]);
    unglued(kept)
}

fn is_quoted(text: &str, start: usize, end: usize) -> bool {
    text[..start].ends_with('`') && text[end..].starts_with('`')
}

/// Length in bytes of the role after a token that opens a turn.
fn role_length(text: &str) -> usize {
    let trimmed = text.trim_start();
    let role = ["assistant", "model", "user", "system", "ai"].iter().find(|role| trimmed.starts_with(**role));
    role.map_or(0, |role| text.len() - trimmed.len() + role.len())
}

/// Minimum letters and digits for a text with content.
const WORDY: usize = 4;

/// Counts letters and digits, up to the minimum.
fn some_letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).take(WORDY).count()
}

/// Undecoded byte-pair pieces: `Adds\u{120}a\u{120}retry`, `Adds\u{2581}a`.
fn unglued(text: String) -> String {
    let glue = text.matches('\u{120}').count();
    if glue < 2 && !text.contains('\u{2581}') {
        return text;
    }
    let text = text.replace('\u{2581}', " ");
    if glue < 2 { text } else { text.replace('\u{120}', " ").replace('\u{10a}', "\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_all_families_go_with_what_follows_the_answer() {
        for text in [
            "Adds a.<|im_end|>\n<|im_start|>user\nMore",
            "<|start_header_id|>assistant<|end_header_id|>\n\nAdds a.<|eot_id|>",
            "<start_of_turn>model\nAdds a.<end_of_turn>",
            "<|start_of_role|>assistant<|end_of_role|>Adds a.<|end_of_text|>",
            "Question [/INST] Adds a.</s>",
            "Adds a.<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>",
            "Adds a.<eos>",
            "Adds a.[EOS]",
            "Adds a.<commit message>",
            "Adds a.<|im_e",
            "Adds\u{120}a.\u{120}",
            "<0x0A>Adds a.",
        ] {
            assert_eq!(without_tokens(text).trim(), "Adds a.", "{text:?}");
        }
        assert_eq!(without_tokens("Knows `<|im_end|>` and Vec<T>."), "Knows `<|im_end|>` and Vec<T>.");
    }

    /// Re-reading the kept text for each token would take minutes here.
    #[test]
    fn a_text_of_nothing_but_tokens_is_read_once() {
        assert_eq!(without_tokens(&"<eos>".repeat(200_000)), " ".repeat(200_000));
    }
}
