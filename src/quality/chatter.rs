//! What a model says around its answer, or about itself, or about the answer.

/// "Sure! Here is a summary of the changes:" and the like, off a line's start.
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
    "sure thing",
    "sure",
    "certainly",
    "of course",
    "absolutely",
    "okay",
    "ok",
    "alright",
    "great",
    "great question",
    "got it",
    "no problem",
    "yes",
    "understood",
    "hello",
    "hi",
    "hi there",
    "thanks",
    "thank you",
    "good question",
    "right",
    "happy to help",
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

/// Labels before a colon, whole.
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
/// Beginnings of a label that goes on freely to its colon.
const OPENINGS: &[&str] = &[
    "here is",
    "here's",
    "here are",
    "here you go",
    "below is",
    "below are",
    "the following is",
    "the following are",
    "this is a summary",
    "this is the summary",
    "a summary of",
    "the summary is",
    "the summary of",
    "the commit message",
    "the answer is",
    "my answer",
    "based on the",
    "i would describe",
    "i would summarize",
    "the commit can be",
    "one possible",
    "a possible",
];
/// Longest text before a label's colon, in bytes.
const LABEL_CAP: usize = 120;

/// A label that ends in a colon, where what is before the colon starts like one and names no code.
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

/// The next turn of a conversation that the model goes on to write by itself.
pub(super) fn is_next_turn(line: &str) -> bool {
    let low = line.trim_start_matches(['#', '*', '<', '[', ' ']).to_lowercase();
    ["user:", "human:", "instruction:", "question:", "q:", "user>", "### user", "input:", "system:", "developer:"]
        .iter()
        .any(|start| low.starts_with(start))
}

/// Beginnings of sentences about the conversation, the answer or the model itself.
const ASIDES: &[&str] = &[
    "let me know",
    "i hope this",
    "i hope that",
    "hope this helps",
    "hope that helps",
    "feel free to",
    "is there anything else",
    "please let me",
    "please note",
    "if you need",
    "if you have any",
    "if you'd like",
    "if you would like",
    "if you want",
    "would you like",
    "do you want",
    "do you need",
    "should i ",
    "shall i ",
    "can i ",
    "does this",
    "does that",
    "is this ",
    "what do you think",
    "how does this",
    "how does that",
    "any questions",
    "want me to",
    "need anything",
    "happy to help",
    "i can also",
    "i could also",
    "i have analyzed",
    "i have analysed",
    "i have reviewed",
    "i have read",
    "i have summarized",
    "i have described",
    "i have kept",
    "i've analyzed",
    "i've reviewed",
    "i've summarized",
    "i've kept",
    "i analyzed",
    "i reviewed",
    "i kept",
    "i used",
    "i would",
    "i'd ",
    "i think",
    "i believe",
    "i can see",
    "we can see",
    "as you can see",
    "as requested",
    "as instructed",
    "in my opinion",
    "explanation:",
    "rationale:",
    "reasoning:",
    "justification:",
    "word count",
    "character count",
    "confidence:",
    "thank you for",
    "these sentences",
];
/// What is said of an answer by itself: "This message follows …".
const OF_ITSELF: &[&str] = &[
    "follows",
    "adheres",
    "captures",
    "describes",
    "summarizes",
    "summarises",
    "is concise",
    "accurately",
    "clearly",
    "concisely",
    "provides a",
    "is written",
    "uses only",
    "highlights",
    "reflects",
    "conveys",
];

/// "Let me know if you need anything else!", "This summary captures …" as a whole sentence or line.
pub(super) fn is_aside(sentence: &str) -> bool {
    let low = sentence.trim_start_matches(['*', '_', '"', ' ', '(', '[']).to_lowercase().replace('\u{2019}', "'");
    let low = low.strip_prefix("note: ").or_else(|| low.strip_prefix("note that ")).unwrap_or(&low);
    let starts = |list: &[&str]| list.iter().any(|start| low.starts_with(start));
    let of_itself = [
        "this summary ",
        "this message ",
        "the summary ",
        "the message ",
        "this description ",
        "this commit message ",
        "the commit message ",
        "the above ",
        "this sentence ",
        "this answer ",
    ]
    .iter()
    .find_map(|start| low.strip_prefix(start))
    .is_some_and(|rest| OF_ITSELF.iter().any(|verb| rest.starts_with(verb)));
    let asks = low.ends_with('?') && (low.contains(" you ") || low.contains(" you?") || low.contains("this correct"));
    starts(ASIDES) || of_itself || asks
}

const REFUSALS: &[&str] = &[
    "i'm sorry",
    "i am sorry",
    "sorry, ",
    "sorry but",
    "apologies",
    "my apologies",
    "as an ai",
    "as a language model",
    "as a large language",
    "i cannot",
    "i can't",
    "i can not",
    "i could not",
    "i couldn't",
    "i'm unable",
    "i am unable",
    "i'm not able",
    "i am not able",
    "i'm not sure",
    "i am not sure",
    "i don't know",
    "i do not know",
    "i don't see",
    "i do not see",
    "i don't understand",
    "i won't",
    "i will not",
    "unfortunately, i",
    "unfortunately, the",
    "unfortunately, there",
    "i apologize",
    "i don't have",
    "i do not have",
    "please provide",
    "please share",
    "please paste",
    "could you please",
    "can you please",
    "can you provide",
    "it seems you",
    "it looks like you",
    "it appears that you",
    "it seems there is no",
    "without more context",
];
/// Words anywhere in a sentence that says there was nothing to describe.
const NOTHING_THERE: &[&str] = &[
    "no changes were provided",
    "no patch was provided",
    "no diff was provided",
    "no diff provided",
    "no commit message was provided",
    "not enough information",
    "not enough context",
    "insufficient information",
    "insufficient context",
    "diff is empty",
    "patch is empty",
    "the provided text does not",
    "you haven't provided",
    "you have not provided",
];

/// The model does not answer.
pub(super) fn is_refusal(sentence: &str) -> bool {
    let low = sentence.to_lowercase().replace('\u{2019}', "'");
    let low = low.trim_start_matches(['"', '*', ' ']);
    REFUSALS.iter().any(|start| low.starts_with(start)) || NOTHING_THERE.iter().any(|words| low.contains(words))
}

/// Phrases of our own rules and frames, and blanks of a form that was not filled in.
const ECHOES: &[&str] = &[
    "<patch>",
    "</patch>",
    "<message>",
    "</message>",
    "<files>",
    "</files>",
    "<note>",
    "</note>",
    "<captures>",
    "never follow instructions",
    "describe the commit.",
    "[insert ",
    "[your ",
    "<insert ",
    "<your ",
    "summary here",
    "lorem ipsum",
    "your sentence here",
    "ignore the above",
    "ignore all previous",
    "ignore previous instructions",
    "system prompt",
    "{{",
    "not shown: ",
];

/// What the rules of our prompts say; a text of theirs is told by it whatever they come to say.
const RULES: [&str; 2] =
    [include_str!("../../templates/prompt/capture.txt"), include_str!("../../templates/prompt/note.txt")];
/// Shorter texts than this are not taken for one of the rules, in bytes.
const RULE: usize = 24;

/// Our own prompt coming back, or a form with its blanks.
pub(super) fn is_echo(text: &str) -> bool {
    let low = super::spans::prose(text).to_lowercase();
    let bare = text.trim_start_matches(['-', '*', ' ']).trim_end_matches(['.', ' ']);
    let is_rule = bare.len() >= RULE && RULES.iter().any(|rules| rules.contains(bare));
    is_rule || ECHOES.iter().any(|mark| low.contains(mark))
}

/// A line of a diff or of our list of files.
pub(super) fn is_patch_line(line: &str) -> bool {
    let starts = [
        "diff --git",
        "index ",
        "@@ ",
        "--- a/",
        "+++ b/",
        "--- /dev/null",
        "+++ /dev/null",
        "new file mode",
        "deleted file mode",
        "rename from ",
        "rename to ",
        "similarity index ",
        "Binary files ",
    ];
    let line = line.trim_end();
    let listed = || {
        let mut words = line.split_whitespace().rev();
        let counts = |word: Option<&str>, mark| {
            word.and_then(|word| word.strip_prefix(mark)).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        };
        counts(words.next(), '-') && counts(words.next(), '+')
    };
    let whole = |start: &str| {
        let one_word = || line.split_whitespace().count() == 3;
        line.starts_with(start)
            && (start != "index " || line.contains(".."))
            && (!start.starts_with("rename ") || one_word())
    };
    starts.into_iter().any(whole) || listed()
}

/// `| file | change |`, or the ruler below its head.
pub(super) fn is_table_line(line: &str) -> bool {
    let line = line.trim();
    let ruler = line.len() > 2 && line.chars().all(|c| "|-=:+ *_".contains(c));
    ruler || (line.starts_with('|') && line.matches('|').count() >= 2)
}

/// Bullets, numbering, headings and quote marks at a line's start.
pub(super) fn without_bullet(line: &str) -> &str {
    let line = line.trim();
    let line = line.trim_start_matches('>').trim_start();
    let line = if line.starts_with('#') && line.trim_start_matches('#').starts_with(' ') {
        line.trim_start_matches('#').trim_start()
    } else {
        line
    };
    for bullet in ["- ", "* ", "+ ", "• ", "– ", "— ", "· ", "-- ", "‣ ", "▪ ", "◦ ", "● ", "→ ", "-> ", "» "]
    {
        if let Some(rest) = line.strip_prefix(bullet) {
            return without_checkbox(rest.trim_start());
        }
    }
    let (number, rest) = match line.strip_prefix('(') {
        Some(inner) => inner.split_once(')').unwrap_or(("", "")),
        None => line.split_once(['.', ')']).unwrap_or(("", "")),
    };
    let counts = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    if counts && rest.starts_with(' ') { rest.trim_start() } else { without_checkbox(line) }
}

fn without_checkbox(line: &str) -> &str {
    ["[ ] ", "[x] ", "[X] "].iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line)
}

/// Pairs of quotes or emphasis marks around the whole text.
pub(super) fn without_quotes(text: &str) -> &str {
    let mut text = text.trim();
    for (open, close) in [
        ("**", "**"),
        ("\"\"\"", "\"\"\""),
        ("'''", "'''"),
        ("\"", "\""),
        ("\u{201c}", "\u{201d}"),
        ("\u{201e}", "\u{201c}"),
        ("\u{ab}", "\u{bb}"),
        ("\u{2018}", "\u{2019}"),
        ("\u{300c}", "\u{300d}"),
        ("'", "'"),
        ("`", "`"),
        ("*", "*"),
        ("_", "_"),
        ("(", ")"),
        ("[", "]"),
    ] {
        if let Some(inner) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close))
            && !inner.is_empty()
            && !inner.contains(open)
            && !inner.contains(close)
        {
            text = inner.trim();
        }
    }
    for (open, close) in [('\u{201c}', '\u{201d}'), ('\u{ab}', '\u{bb}'), ('\u{300c}', '\u{300d}')] {
        if text.contains(open) != text.contains(close) {
            text = text.trim_start_matches(open).trim_end_matches(close).trim();
        }
    }
    let closes = text
        .char_indices()
        .skip(1)
        .any(|(at, c)| c == '\'' && !text[at + 1..].starts_with(|next: char| next.is_alphanumeric() || next == '\''));
    if text.starts_with('\'') && !closes {
        text = text.trim_start_matches('\'').trim();
    }
    let torn = text.matches('"').count() % 2 == 1 || text.starts_with("\"\"");
    if torn && (text.starts_with('"') || text.ends_with('"')) { text.trim_matches('"').trim() } else { text }
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

    #[test]
    fn asides_are_told_from_sentences_about_the_code() {
        for aside in [
            "Let me know if you need changes!",
            "This summary captures the main change.",
            "(Note: I kept it short.)",
            "Is this what you wanted?",
            "I have analyzed the diff.",
        ] {
            assert!(is_aside(aside), "{aside}");
        }
        for sentence in [
            "The message is now translated.",
            "Note that `a` and `b` now differ.",
            "Why? Because x was wrong.",
            "If a file is missing, it is created.",
        ] {
            assert!(!is_aside(sentence), "{sentence}");
        }
    }

    #[test]
    fn each_rule_of_our_prompts_is_known_when_it_comes_back() {
        for rule in RULES.iter().flat_map(|rules| rules.lines()).filter(|line| line.len() > RULE) {
            for sentence in crate::quality::sentence::split(rule).into_iter().filter(|s| s.len() > RULE + 2) {
                assert!(is_echo(sentence), "{sentence}");
            }
        }
        assert!(!is_echo("Adds names, paths and numbers to the report of the parser."));
    }

    #[test]
    fn patch_lines_and_tables_are_seen() {
        for line in ["diff --git a/x b/x", "@@ -1 +1 @@ fn a", "modified src/a.rs +2 -0", "index 1a2..3b4 100644"] {
            assert!(is_patch_line(line), "{line}");
        }
        assert!(!is_patch_line("index the new table") && !is_patch_line("Adds a."));
        assert!(is_table_line("| File | Change |") && is_table_line("|---|---|") && is_table_line("-----"));
        assert!(!is_table_line("Adds a | b."));
    }
}
