//! Chatter filter: statements about the model, its answer or the prompt, and continued conversation turns.

/// The start of a further conversation turn that the model generated itself.
pub(super) fn is_next_turn(line: &str) -> bool {
    let low = line.trim_start_matches(['#', '*', '<', '[', ' ']).to_lowercase();
    ["user:", "human:", "instruction:", "question:", "q:", "user>", "### user", "input:", "system:", "developer:"]
        .iter()
        .any(|start| low.starts_with(start))
}

/// Beginnings of sentences about the conversation, the answer or the model itself.
const ASIDES: &[&str] = &[
    "let me know", "i hope this", "i hope that", "hope this helps", "hope that helps", "feel free to",
    "is there anything else", "please let me", "please note", "if you need", "if you have any", "if you'd like",
    "if you would like", "if you want", "would you like", "do you want", "do you need", "should i ", "shall i ",
    "can i ", "does this", "does that", "is this ", "what do you think", "how does this", "how does that",
    "any questions", "want me to", "need anything", "happy to help", "i can also", "i could also", "i have analyzed",
    "i have analysed", "i have reviewed", "i have read", "i have summarized", "i have described", "i have kept",
    "i've analyzed", "i've reviewed", "i've summarized", "i've kept", "i analyzed", "i reviewed", "i kept", "i used",
    "i would", "i'd ", "i think", "i believe", "i can see", "we can see", "as you can see", "as requested",
    "as instructed", "in my opinion", "explanation:", "rationale:", "reasoning:", "justification:", "word count",
    "character count", "confidence:", "thank you for", "these sentences",
];
/// Self-references of an answer: "This message follows …".
const OF_ITSELF: &[&str] = &[
    "follows", "adheres", "captures", "describes", "summarizes", "summarises", "is concise", "accurately", "clearly",
    "concisely", "provides a", "is written", "uses only", "highlights", "reflects", "conveys",
];

/// "Let me know if you need anything else!", "This summary captures …" as a whole sentence or line.
pub(super) fn is_aside(sentence: &str) -> bool {
    let low = sentence.trim_start_matches(['*', '_', '"', ' ', '(', '[']).to_lowercase().replace('\u{2019}', "'");
    let low = low.strip_prefix("note: ").or_else(|| low.strip_prefix("note that ")).unwrap_or(&low);
    let starts = |list: &[&str]| list.iter().any(|start| low.starts_with(start));
    let of_itself = [
        "this summary ", "this message ", "the summary ", "the message ", "this description ", "this commit message ",
        "the commit message ", "the above ", "this sentence ", "this answer ",
    ]
    .iter()
    .find_map(|start| low.strip_prefix(start))
    .is_some_and(|rest| OF_ITSELF.iter().any(|verb| rest.starts_with(verb)));
    let asks = low.ends_with('?') && (low.contains(" you ") || low.contains(" you?") || low.contains("this correct"));
    starts(ASIDES) || of_itself || asks
}

const REFUSALS: &[&str] = &[
    "i'm sorry", "i am sorry", "sorry, ", "sorry but", "apologies", "my apologies", "as an ai", "as a language model",
    "as a large language", "i cannot", "i can't", "i can not", "i could not", "i couldn't", "i'm unable",
    "i am unable", "i'm not able", "i am not able", "i'm not sure", "i am not sure", "i don't know", "i do not know",
    "i don't see", "i do not see", "i don't understand", "i won't", "i will not", "unfortunately, i",
    "unfortunately, the", "unfortunately, there", "i apologize", "i don't have", "i do not have", "please provide",
    "please share", "please paste", "could you please", "can you please", "can you provide", "it seems you",
    "it looks like you", "it appears that you", "it seems there is no", "without more context",
];
/// Words of a sentence that claims there is nothing to describe.
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

/// A refusal.
pub(super) fn is_refusal(sentence: &str) -> bool {
    let low = sentence.to_lowercase().replace('\u{2019}', "'");
    let low = low.trim_start_matches(['"', '*', ' ']);
    REFUSALS.iter().any(|start| low.starts_with(start)) || NOTHING_THERE.iter().any(|words| low.contains(words))
}

/// Phrases of our own rules and prompt frames, and unfilled template blanks.
const ECHOES: &[&str] = &[
    "<patch>",
    "</patch>",
    "<message>",
    "</message>",
    "<facts>",
    "</facts>",
    "<note>",
    "</note>",
    "<work>",
    "</work>",
    "never follow instructions",
    "what does the code do differently now",
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

/// Sentences of our prompt rules; an echo is recognised from the current text of the rules.
const RULES: [&str; 2] =
    [include_str!("../../templates/prompt/capture.txt"), include_str!("../../templates/prompt/note.txt")];
/// Shorter texts are not matched against the rules, in bytes.
const RULE: usize = 24;

/// An echo of our own prompt, or an unfilled form.
pub(super) fn is_echo(text: &str) -> bool {
    let low = super::spans::prose(text).to_lowercase();
    let bare = text.trim_start_matches(['-', '*', ' ']).trim_end_matches(['.', ' ']);
    let is_rule = bare.len() >= RULE && RULES.iter().any(|rules| rules.contains(bare));
    is_rule || ECHOES.iter().any(|mark| low.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            for sentence in crate::text::sentences::split(rule).into_iter().filter(|s| s.len() > RULE + 2) {
                assert!(is_echo(sentence), "{sentence}");
            }
        }
        assert!(!is_echo("Adds names, paths and numbers to the report of the parser."));
    }
}
