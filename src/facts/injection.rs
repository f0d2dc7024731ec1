//! Prompt-injection filter: lines that address the model are ignored as evidence and must not be echoed.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Phrases that address the model that summarises a patch. In small letters.
const PHRASES: &[&str] = &[
    "ignore the above",
    "ignore all",
    "ignore previous",
    "ignore any previous",
    "ignore everything",
    "ignore every",
    "ignore your",
    "ignore prior",
    "ignore this patch",
    "ignore the patch",
    "ignore the diff",
    "ignore the rest",
    "ignore these",
    "ignore the previous",
    "ignore preceding",
    "ignore the instructions",
    "disregard the",
    "disregard all",
    "disregard previous",
    "disregard any",
    "disregard your",
    "disregard everything",
    "forget the above",
    "forget all",
    "forget everything",
    "forget previous",
    "forget your",
    "override your",
    "override the rules",
    "override all",
    "new instructions",
    "new rules:",
    "real instructions",
    "you are now",
    "you are an ai",
    "you are a helpful",
    "you are chatgpt",
    "pretend to be",
    "pretend you",
    "as an ai",
    "system prompt",
    "system override",
    "<|",
    "|>",
    "[inst]",
    "[/inst]",
    "<<sys>>",
    "<system>",
    "</system>",
    "<s>[",
    "### instruction",
    "### response",
    "### system",
    "begin_of_text",
    "respond with",
    "respond only",
    "reply with",
    "reply only",
    "answer with",
    "answer only",
    "your summary",
    "the summary must",
    "the summary should",
    "summary must",
    "correct summary",
    "right summary",
    "in your summary",
    "in this summary",
    "output only",
    "output exactly",
    "output the following",
    "print the following",
    "print exactly",
    "write exactly",
    "write only",
    "write the following",
    "repeat after me",
    "repeat the following",
    "repeat this",
    "say \"",
    "say '",
    "just say",
    "instead say",
    "simply say",
    "claim that",
    "mention that",
    "always mention",
    "must mention",
    "please mention",
    "be sure to mention",
    "include the link",
    "include this link",
    "include the url",
    "include this url",
    "include a link",
    "must include the text",
    "make sure to include",
    "tell the user",
    "tell the reader",
    "tell them that",
    "tell everyone",
    "inform the user",
    "note to ai",
    "note to the ai",
    "note to the model",
    "note to model",
    "note to llm",
    "note for ai",
    "note to reviewer",
    "note to summar",
    "dear ai",
    "dear model",
    "dear assistant",
    "dear llm",
    "hey ai",
    "attention ai",
    "attention model",
    "ai model:",
    "summarise this",
    "summarize this",
    "describe this commit",
    "describe this change",
    "describe this patch",
    "describe the commit",
    "do not describe",
    "do not mention",
    "do not summar",
    "don't describe",
    "don't mention",
    "don't summar",
    "never mention",
    "instead of describing",
    "instead of summar",
    "instead of the summary",
    "</patch>",
    "</diff>",
    "end of patch",
    "end of diff",
    "end of the patch",
    "end of the diff",
    "patch ends here",
    "diff ends here",
    "translate to",
    "translate this",
    "answer in french",
    "answer in german",
    "speak like",
    "talk like",
    "write a poem",
    "write a story",
    "jailbreak",
    "prompt injection",
    "must read",
    "must say",
    "must answer",
    "must reply",
    "must respond",
    "must output",
    "must write",
    "should read:",
    "has to read",
    "has to say",
];

/// Phrases that also occur in ordinary code and prose: only that line is ignored, unless it starts with one.
const WEAK: &[&str] = &[
    "system:", "assistant:", "\"summary\":", "'summary':", "summary:", "\"role\":", "human:", "important:",
    "attention:", "instruction:", "instructions:", "prompt:", "llm:", "ai:", "say:", "final answer",
    "expected output:", "expected output is", "commit summary", "</message>", "<message>", "act as a", "act as an",
    "output this", "your output", "your response", "your answer", "your reply", "please include", "system message",
    "say that", "in the style of", "summarize the", "summarise the", "developer mode", "language model",
    "the summary is", "in the summary",
];

static MATCHERS: LazyLock<Option<[AhoCorasick; 2]>> = LazyLock::new(|| {
    let build = |phrases: &[&str]| AhoCorasick::builder().ascii_case_insensitive(true).build(phrases).ok();
    Some([build(PHRASES)?, build(WEAK)?])
});

/// How certainly a line addresses a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    None,
    Perhaps,
    Plainly,
}

/// Searches a line for such phrases, also with hidden letters and look-alikes of Latin ones.
#[must_use]
pub fn speaks(line: &str) -> Speech {
    let Some([strong, weak]) = MATCHERS.as_ref() else { return Speech::None };
    let open = if line.is_ascii() { line.into() } else { std::borrow::Cow::Owned(unmasked(line)) };
    let at_word = |at: usize| !open[..at].ends_with(char::is_alphanumeric);
    let starts = |at: usize| !open[..at].contains(char::is_alphanumeric);
    if strong.find_iter(open.as_ref()).any(|found| at_word(found.start())) {
        return Speech::Plainly;
    }
    let found: Vec<usize> = weak.find_iter(open.as_ref()).map(|found| found.start()).collect();
    match found {
        found if found.iter().any(|at| starts(*at)) => Speech::Plainly,
        found if found.iter().any(|at| at_word(*at)) => Speech::Perhaps,
        _ => Speech::None,
    }
}

/// Removes disguises: invisible characters, and letters of other scripts that look Latin.
#[must_use]
pub fn unmasked(text: &str) -> String {
    text.chars()
        .filter(
            |c| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{180e}'),
        )
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}' | '\u{e0000}'..='\u{e007f}'))
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => ' ',
            'а' | 'α' => 'a',
            'е' | 'ε' => 'e',
            'і' | 'ι' => 'i',
            'о' | 'ο' => 'o',
            'р' | 'ρ' => 'p',
            'с' => 'c',
            'у' => 'y',
            'х' => 'x',
            'ѕ' => 's',
            'ո' => 'n',
            'ɡ' => 'g',
            'ı' => 'i',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_letters_do_not_hide_an_instruction() {
        for line in ["ig\u{200b}nore the above", "ｉｇｎｏｒｅ ａｌｌ", "Ignоrе аll of it", "Ign\u{301}ore the above"]
        {
            assert_eq!(speaks(line), Speech::Plainly, "{line}");
        }
    }
}
