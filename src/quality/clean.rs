//! A model's text becomes one plain line, or is refused. A plain answer passes byte for byte.

use super::{noise, sentence};

pub use super::document::document;

/// Most sentences of a summary.
const SENTENCES: usize = 3;
/// Longest summary, in characters.
const CHARS: usize = 400;
/// Longest text that is looked at, in bytes.
const INPUT: usize = 64 * 1024;
/// A text with a smaller share of letters and digits is noise.
const WORDY: f64 = 0.5;
/// Shortest summary, in letters and digits.
const SHORTEST: usize = 4;

/// Why a text is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("the answer is empty")]
    Empty,
    #[error("the answer holds thoughts only")]
    OnlyThoughts,
    #[error("the model refused")]
    Refused,
    #[error("the answer is noise")]
    Noise,
    #[error("the answer is one endless sentence")]
    Endless,
    #[error("the answer repeats its instructions")]
    Echo,
}

/// One line of at most three sentences and 400 characters.
///
/// # Errors
/// When nothing is left that a person would read.
pub fn clean(text: &str) -> Result<String, Unusable> {
    if is_plain(text) {
        return Ok(text.to_owned());
    }
    let text = cut(text, INPUT);
    let open = noise::without_thoughts(text);
    if open.trim().is_empty() {
        return Err(if text.trim().is_empty() { Unusable::Empty } else { Unusable::OnlyThoughts });
    }
    let line = one_line(&unwrapped(&open));
    judge(&line)?;
    shorten(&line)
}

/// What of a cut-off text is whole: everything up to the last sentence end outside code and quotes, cleaned.
#[must_use]
pub fn salvage(text: &str) -> Option<String> {
    let open = noise::without_thoughts(cut(text, INPUT));
    let mut ends = sentence::ends(&open);
    ends.pop_if(|end| open[*end..].trim().is_empty() && may_go_on(&open[..*end]));
    let end = ends.pop()?;
    clean(&open[..end]).ok().filter(|line| !sentence::ends(line).is_empty())
}

/// A cut right after a dot: `3.` may have become `3.5`, and `src/foo.` `src/foo.rs`.
fn may_go_on(text: &str) -> bool {
    let Some(text) = text.strip_suffix('.') else { return false };
    let word = text.rsplit(char::is_whitespace).next().unwrap_or("");
    word.chars().any(|c| c.is_ascii_digit() || "/\\_:.".contains(c))
}

/// Nothing to do: the common case, and the promise that a good answer is not touched.
fn is_plain(text: &str) -> bool {
    let sentences = sentence::split(text);
    let tidy = text.trim() == text && !text.contains("  ") && text.chars().count() <= CHARS;
    let first = text.chars().next().is_some_and(char::is_alphanumeric);
    tidy && first
        && sentences.len() <= SENTENCES
        && !text.contains(['\n', '<', '{'])
        && noise::without_controls(text) == text
        && noise::without_preamble(text) == text
        && noise::without_bullet(text) == text
        && !has_repeats(&sentences)
        && !sentences.iter().any(|sentence| noise::is_afterthought(sentence))
        && judge(text).is_ok()
}

fn has_repeats(sentences: &[&str]) -> bool {
    sentences.iter().enumerate().any(|(at, sentence)| sentences[..at].contains(sentence))
}

/// Takes the wrapping off: control characters, fences, JSON.
fn unwrapped(text: &str) -> String {
    let text = noise::without_controls(text);
    let text = noise::without_fences(&text);
    match noise::without_json(&text) {
        Some(inner) => noise::without_controls(&inner),
        None => embedded_json(&text).unwrap_or(text),
    }
}

/// `Here you go: {"summary": "…"}`: the object behind a preamble.
fn embedded_json(text: &str) -> Option<String> {
    let (start, end) = (text.find("{\"")?, text.rfind('}')?);
    let ends_there = text[end + 1..].trim().is_empty();
    (start < end && ends_there).then(|| noise::without_json(&text[start..=end])).flatten()
}

fn one_line(text: &str) -> String {
    let mut sentences: Vec<String> = Vec::new();
    let several = text.lines().filter(|line| !line.trim().is_empty()).count() > 1;
    for line in text.lines().filter(|line| !(several && noise::is_heading(line))) {
        let line = noise::without_preamble(noise::without_bullet(noise::without_quotes(noise::without_preamble(line))));
        for sentence in sentence::split(noise::without_quotes(line)) {
            let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
            let worth = sentence.chars().any(char::is_alphanumeric) && !noise::is_afterthought(&sentence);
            if worth && !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
    }
    noise::without_quotes(&joined(&sentences)).to_owned()
}

/// Joins sentences. A line without its full stop gets one, unless the next goes on in lower case.
fn joined(sentences: &[String]) -> String {
    let mut text = String::new();
    for (at, sentence) in sentences.iter().enumerate() {
        text.push_str(sentence);
        if let Some(next) = sentences.get(at + 1) {
            let ended = next.starts_with(char::is_lowercase)
                || sentence.ends_with(['.', '!', '?', ':', ',', ';', '"', ')', '\u{2026}', '\u{201d}']);
            text.push_str(if ended { " " } else { ". " });
        }
    }
    text
}

fn judge(line: &str) -> Result<(), Unusable> {
    let wordy = line.chars().filter(|c| c.is_alphanumeric()).count();
    if wordy < SHORTEST {
        return Err(if line.trim().is_empty() { Unusable::Empty } else { Unusable::Noise });
    }
    if (wordy as f64) < WORDY * line.chars().filter(|c| !c.is_whitespace()).count() as f64 || is_monotone(line) {
        return Err(Unusable::Noise);
    }
    if is_refusal(line) {
        return Err(Unusable::Refused);
    }
    if is_echo(line) {
        return Err(Unusable::Echo);
    }
    Ok(())
}

/// "the the the the", "aaaaaaa": a model that has run into a loop.
fn is_monotone(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let distinct: std::collections::BTreeSet<&str> = words.iter().copied().collect();
    let one_char = words.iter().any(|word| word.len() > 12 && word.chars().all(|c| word.starts_with(c)));
    one_char || (words.len() >= 8 && distinct.len() * 4 <= words.len())
}

fn is_refusal(line: &str) -> bool {
    let low = line.to_lowercase().replace('\u{2019}', "'");
    [
        "i'm sorry",
        "i am sorry",
        "sorry, ",
        "as an ai",
        "i cannot",
        "i can't",
        "i'm unable",
        "i am unable",
        "unfortunately, i",
        "i apologize",
        "i don't have access",
        "i do not have access",
        "as a language model",
        "please provide",
        "could you please provide",
        "it seems you",
        "it looks like you",
    ]
    .iter()
    .any(|start| low.starts_with(start))
}

/// The fences of our own prompt, or its rules, coming back.
fn is_echo(line: &str) -> bool {
    let low = line.to_lowercase();
    ["<patch>", "</patch>", "<message>", "</message>", "<files>", "you describe one commit", "you write for"]
        .iter()
        .any(|mark| low.contains(mark))
}

/// Keeps whole sentences within the bounds.
fn shorten(line: &str) -> Result<String, Unusable> {
    let mut end = 0;
    for sentence_end in sentence::ends(line).into_iter().take(SENTENCES) {
        if line[..sentence_end].chars().count() <= CHARS {
            end = sentence_end;
        }
    }
    let sentences = sentence::split(line).len();
    match end {
        _ if sentences <= SENTENCES && line.chars().count() <= CHARS => Ok(line.to_owned()),
        0 => Err(Unusable::Endless),
        end => Ok(line[..end].to_owned()),
    }
}

/// The first `most` bytes, at a character's end.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
#[path = "clean_tests.rs"]
mod tests;
