//! Cleans a model's text to one plain line, or rejects it. A plain answer passes unmodified.

use super::expected::ExpectedStyle;
use super::{chatter, controls, fences, json, markdown, marks, opener, preamble, reasoning, repetition, spans, tokens};
use crate::facts::subject::SubjectLine;
use crate::phrase_list;
use crate::text::sentences;
use crate::text::words::{PhraseList, bare_word};

/// Maximum sentences of a summary.
const SENTENCES: usize = 3;
/// Maximum summary length, in characters.
const CHARS: usize = 400;
/// Maximum sentences kept before the bounds are applied, and maximum checked for them: later text of an endless answer
/// changes nothing, and each sentence costs up to a fifth of a millisecond (whatlang).
const KEPT: usize = 4 * SENTENCES;
const LOOKED_AT: usize = 200;
/// Longest text processed, in bytes.
const INPUT: usize = 64 * 1024;
/// A text with a smaller share of letters and digits is noise.
const WORDY: f64 = 0.5;
/// Minimum summary length, in letters and digits.
const SHORTEST: usize = 4;
/// Maximum clean-up passes: one wrapper may hide another.
const ROUNDS: usize = 6;

/// Why a text was rejected. Of several reasons the last one in this order is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum TextRejection {
    #[error("the answer is empty")]
    Empty,
    #[error("the answer is noise")]
    Noise,
    #[error("the answer holds only the model's reasoning")]
    OnlyThoughts,
    #[error("the answer is one endless sentence")]
    Endless,
    #[error("the answer is in another language")]
    Foreign,
    #[error("the answer repeats its instructions")]
    Echo,
    #[error("the model refused")]
    Refused,
}

/// Cleans to one line of at most three sentences and 400 characters, in the expected language.
///
/// # Errors
/// When no readable text is left.
pub fn clean(text: &str, expected: &ExpectedStyle) -> Result<String, TextRejection> {
    let mut line = clean_once(&unwrapped(text, true)?, expected)?;
    for _ in 0..ROUNDS {
        let again = clean_once(&unwrapped(&line, true)?, expected)?;
        if again == line {
            return Ok(line);
        }
        line = again;
    }
    Err(TextRejection::Noise)
}

/// The complete part of a truncated text: everything up to the last sentence end outside code and quotes, cleaned.
#[must_use]
pub fn salvage(text: &str, expected: &ExpectedStyle) -> Option<String> {
    let open = unwrapped(text, false).ok()?;
    let mut ends = sentences::ends(&open);
    ends.pop_if(|end| open[*end..].trim().is_empty() && may_go_on(&open[..*end]));
    let end = ends.pop()?;
    clean(&open[..end], expected).ok().filter(|line| !sentences::ends(line).is_empty())
}

/// A cut right after a dot: `3.` may have become `3.5`, and `src/foo.` `src/foo.rs`.
fn may_go_on(text: &str) -> bool {
    let Some(text) = text.strip_suffix('.') else { return false };
    let word = text.rsplit(char::is_whitespace).next().unwrap_or("");
    word.chars().any(|c| c.is_ascii_digit() || "/\\_:.".contains(c))
}

/// Removes wrappers: control characters, reasoning, tokens, fences, JSON. Unmarked reasoning is removed only from a
/// complete text, because its end is unknown before.
pub(super) fn unwrapped(text: &str, whole: bool) -> Result<String, TextRejection> {
    let text = controls::without_controls(&text[..text.floor_char_boundary(INPUT)]);
    if text.trim().is_empty() {
        return Err(TextRejection::Empty);
    }
    let open = tokens::without_tokens(&reasoning::without_thoughts(&text));
    let without_reasoning = reasoning::after_musing(&open);
    if without_reasoning.trim().is_empty() || (!whole && without_reasoning.len() < open.trim().len()) {
        return Err(if has_words(&open) || has_words(&text) {
            TextRejection::OnlyThoughts
        } else {
            TextRejection::Empty
        });
    }
    let text = fences::without_fences(without_reasoning);
    let text = match json::without_json(&text) {
        Some(inner) => fences::without_fences(&controls::without_controls(&inner)),
        None => text,
    };
    Ok(command_message(&with_line_ends(&text)))
}

fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// `Adds a.\nRemoves b.` with a literal escape sequence.
fn with_line_ends(text: &str) -> String {
    let mut text = text.to_owned();
    for end in ["\\n\\n", ".\\n", ":\\n", "\\n- ", "\\n* "] {
        if text.contains(end) {
            text = text.replace(end, &end.replace("\\n", "\n"));
        }
    }
    text
}

/// `git commit -m "Adds a."`
fn command_message(text: &str) -> String {
    let inner = text.trim().trim_start_matches("$ ").strip_prefix("git commit").and_then(|rest| {
        let (_, rest) = rest.split_once("-m ").or_else(|| rest.split_once("-am "))?;
        let quote = rest.trim_start().chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let rest = &rest.trim_start()[1..];
        Some(&rest[..rest.find(quote)?])
    });
    inner.unwrap_or(text).to_owned()
}

/// One pass over the lines and sentences.
fn clean_once(text: &str, expected: &ExpectedStyle) -> Result<String, TextRejection> {
    let lines: Vec<&str> = text.lines().filter(|line| has_words(line)).collect();
    let diff = lines.iter().any(|line| marks::is_patch_line(line));
    let mut kept_sentences = repetition::SeenSentences::default();
    let mut looked_at = 0;
    let mut kept: Vec<String> = Vec::new();
    let mut dropped = if diff { TextRejection::Echo } else { TextRejection::Empty };
    for line in &lines {
        if looked_at >= LOOKED_AT || kept_sentences.len() >= KEPT {
            break;
        }
        if !kept.is_empty() && chatter::is_next_turn(line) {
            break;
        }
        if (lines.len() > 1 && preamble::is_heading(line)) || is_quoted_patch(line, diff) || marks::is_table_line(line)
        {
            continue;
        }
        let mut here = Vec::new();
        for sentence in sentences::split(&bare(line, expected)).into_iter().take(LOOKED_AT) {
            looked_at += 1;
            match clean_sentence(sentence, expected) {
                Ok(sentence) if kept_sentences.len() < KEPT && kept_sentences.is_new(&sentence) => here.push(sentence),
                Ok(_) => {}
                Err(why) => dropped = dropped.max(why),
            }
        }
        if !here.is_empty() {
            kept.push(here.join(" "));
        }
    }
    let line = marks::without_quotes(&joined(&kept)).to_owned();
    if line.is_empty() {
        return Err(dropped);
    }
    validate_line(&line, expected)?;
    shorten(&line)
}

/// A line of an echoed patch; with patch markers around it, lines that only look like one count too.
fn is_quoted_patch(line: &str, diff: bool) -> bool {
    marks::is_patch_line(line) || (diff && line.starts_with(['+', '-', ' ']))
}

/// The line without bullets, labels, quotes and Markdown.
fn bare(line: &str, expected: &ExpectedStyle) -> String {
    let unannounced = |line| if expected.has_label_of(line) { line } else { preamble::without_preamble(line) };
    let line = markdown::without_emoji(marks::without_bullet(unannounced(line)));
    let line = marks::without_quotes(unannounced(marks::without_quotes(line)));
    let line = markdown::plain(line);
    marks::without_quotes(unannounced(&line)).to_owned()
}

/// The sentence as allowed in the summary, or why not.
fn clean_sentence(sentence: &str, expected: &ExpectedStyle) -> Result<String, TextRejection> {
    let tidy = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    let tidy = controls::repair_replacements(&tidy).ok_or(TextRejection::Noise)?;
    if !has_words(&tidy) {
        return Err(TextRejection::Empty);
    }
    if chatter::is_refusal(&tidy) {
        return Err(TextRejection::Refused);
    }
    if chatter::is_echo(&tidy) {
        return Err(TextRejection::Echo);
    }
    let direct = opener::direct(&tidy, expected);
    let own = expected.has_first_person();
    if chatter::is_aside(&direct) || (!own && reasoning::is_reasoning(&direct)) {
        return Err(if reasoning::is_reasoning(&direct) { TextRejection::OnlyThoughts } else { TextRejection::Empty });
    }
    if repetition::is_loop(&direct) {
        return Err(TextRejection::Noise);
    }
    if expected.is_foreign(&direct) {
        return Err(TextRejection::Foreign);
    }
    Ok(direct.trim().to_owned())
}

/// Joins lines. A line without its full stop gets one, unless the next continues in lower case.
fn joined(lines: &[String]) -> String {
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        text.push_str(line);
        if let Some(next) = lines.get(at + 1) {
            let ended = next.starts_with(char::is_lowercase)
                || line.ends_with(['.', '!', '?', ':', ',', ';', '"', ')', '\u{2026}', '\u{201d}', '\u{3002}']);
            text.push_str(if ended { " " } else { ". " });
        }
    }
    text
}

/// Placeholders for a missing text.
static BLANKS: PhraseList = phrase_list!("clean_blanks");

fn validate_line(line: &str, expected: &ExpectedStyle) -> Result<(), TextRejection> {
    let wordy = line.chars().filter(|c| c.is_alphanumeric()).count();
    let visible = line.chars().filter(|c| !c.is_whitespace()).count();
    let blank = BLANKS.contains(&bare_word(line).as_str()) || !SubjectLine::parse(line).informative;
    let lone = line.is_ascii() && line.split_whitespace().filter(|word| has_words(word)).count() < 2;
    let noisy = (wordy as f64) < WORDY * visible as f64;
    if wordy < SHORTEST || blank || lone || noisy || repetition::is_loop(line) || has_forbidden_content(line) {
        return Err(TextRejection::Noise);
    }
    if expected.is_foreign(line) {
        return Err(TextRejection::Foreign);
    }
    if chatter::is_echo(line) { Err(TextRejection::Echo) } else { Ok(()) }
}

/// Final validation: content that must never be in a summary.
fn has_forbidden_content(line: &str) -> bool {
    let prose = spans::prose(line).to_lowercase();
    [
        "<|", "|>", "<think", "</think", "```", "[inst", "[/inst", "[think", "{\"", "\"}", "assistant:", "</s>",
        "\u{fffd}",
    ]
    .iter()
    .any(|mark| prose.contains(mark))
}

/// Keeps complete sentences within the bounds.
fn shorten(line: &str) -> Result<String, TextRejection> {
    let mut end = 0;
    for sentence_end in sentences::ends(line).into_iter().take(SENTENCES) {
        if line[..sentence_end].chars().count() <= CHARS {
            end = sentence_end;
        }
    }
    let sentences = sentences::split(line).len();
    match end {
        _ if sentences <= SENTENCES && line.chars().count() <= CHARS => Ok(line.to_owned()),
        0 => Err(TextRejection::Endless),
        end => Ok(line[..end].to_owned()),
    }
}

#[cfg(test)]
#[path = "clean_tests.rs"]
mod tests;
