//! Prompt rendering: rules first and byte-stable, then files, patch, and the author's words last, so that a server's
//! prefix cache survives from commit to commit and from edit to edit of a message.

use std::fmt::Write as _;

use super::pack::{PackedPatch, pack_patch};
use super::text::{cut, one_line, strip_trailers};
use super::tokens::{Budget, TokenScale, bytes_in, estimate};
use crate::domain::context::Context;
use crate::domain::draft::DraftKind;
use crate::domain::patch::Commit;
use crate::domain::wording::Wording;
use crate::facts::symbols::Symbol;
use crate::text::hash::version;

const CAPTURE: &str = include_str!("../../templates/prompt/capture.txt");
const NOTE_RULES: &str = include_str!("../../templates/prompt/note.txt");
const DEVLOG: &str = include_str!("../../templates/prompt/devlog.txt");
const BLOG: &str = include_str!("../../templates/prompt/blog.txt");
const SOCIAL: &str = include_str!("../../templates/prompt/social.txt");
const STATUS: &str = include_str!("../../templates/prompt/status.txt");

/// Bytes reserved for the author's words (message, notes, ticket) whatever their length: the patch, which comes first,
/// must not depend on the words after it.
const WORDS: usize = 360;
/// Maximum notes sent (bytes).
const NOTES: usize = 200;
/// Longest note summarised (bytes).
const NOTE: usize = 4000;
/// Size of the frame around the contents, in bytes: tags, the line about omissions, the question.
const FRAME: usize = 160;
/// Size of a draft's frame, in tokens.
const DRAFT_FRAME: u32 = 60;
/// Tags that enclose untrusted text, `notes` among them by its prefix; their closing forms cannot occur inside.
const TAGS: [&str; 5] = ["facts", "patch", "message", "note", "work"];

/// The prompt for one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedPrompt {
    /// The system message: fixed per kind.
    pub rules: String,
    /// The user message. Contains untrusted, fenced repository text.
    pub question: String,
    /// Length of the stable prefix of `question` (bytes), independent of the author's words: files and patch of a
    /// commit. A server can prefill it, after the rules, before the commit exists. 0 for other questions.
    pub fixed: usize,
    /// The vocabulary of a single-sentence answer; set by the caller.
    pub wording: Option<Wording>,
    /// Identifies the rules: a hash of their text.
    pub version: String,
    /// Omitted parts of the patch, in words; empty when complete. The question contains it too.
    pub left_out: String,
    /// Estimate of both messages together, in tokens.
    pub prompt_tokens: u32,
}

impl RenderedPrompt {
    fn new(rules: &str, question: String, scale: TokenScale) -> Self {
        let prompt_tokens = scale.tokens(rules) + scale.tokens(&question);
        let (version, left_out) = (version(rules), String::new());
        Self { rules: rules.to_owned(), question, fixed: 0, wording: None, version, left_out, prompt_tokens }
    }

    /// The stable prefix of the question.
    #[must_use]
    pub fn stable_prefix(&self) -> &str {
        self.question.get(..self.fixed).unwrap_or_default()
    }

    /// The same question with a word limit for the answer.
    #[must_use]
    pub fn with_word_limit(mut self, words: Option<u32>) -> Self {
        if let Some(words) = words {
            let _infallible = write!(self.question, " Use at most {words} words.");
        }
        self
    }

    /// Bytes sent as text.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        (self.rules.len() + self.question.len()) as u64
    }
}

/// The prompt for a redacted commit, within the budget: its facts in sentences, the most significant changed lines, and
/// the author's words last. Everything before these depends on the patch and the budget alone.
#[must_use]
pub fn commit(commit: &Commit, deeds: &str, symbols: &[Symbol], context: &Context, budget: &Budget) -> RenderedPrompt {
    let room = budget.scale.bytes_in(budget.tokens).saturating_sub(CAPTURE.len() + FRAME);
    let words = WORDS.min(room / 3);
    let deeds = whole_words(deeds, room / 3);
    let PackedPatch { patch, left_out, .. } =
        pack_patch(&commit.patch, symbols, room.saturating_sub(words + deeds.len()));
    let mut question = if deeds.is_empty() { String::new() } else { fenced("facts", deeds) };
    if !patch.is_empty() {
        question.push_str(&fenced("patch", &patch));
    }
    if !left_out.is_empty() {
        let _infallible = writeln!(question, "{left_out}");
    }
    let fixed = question.len();
    question.push_str(&author(commit, context, words));
    question.push_str("What does the code do differently now?");
    RenderedPrompt { fixed, left_out, ..RenderedPrompt::new(CAPTURE, question, budget.scale) }
}

/// The longest prefix of whole words within this many bytes.
fn whole_words(text: &str, most: usize) -> &str {
    let head = cut(text, most);
    if head.len() == text.len() { head } else { head.rfind(' ').map_or("", |at| &head[..at]) }
}

/// The omissions stated in a stored question. Nothing inside a fence can imitate it.
#[must_use]
pub fn stored_omissions(wire: &str) -> Option<&str> {
    let outside = wire.rsplit_once("</patch>\n").or_else(|| wire.rsplit_once("</facts>\n"))?.1;
    outside.lines().next().filter(|line| line.starts_with("Not shown: "))
}

/// The author's words in at most `room` bytes, tags not counted: notes, the branch's tickets, the message last.
fn author(commit: &Commit, context: &Context, room: usize) -> String {
    let mut text = String::new();
    let notes: Vec<String> = context.notes.iter().map(|note| format!("- {}", one_line(note))).collect();
    let notes = notes.join("\n");
    let notes = cut(&notes, NOTES.min(room / 3));
    if !notes.is_empty() {
        text.push_str(&fenced("notes", notes));
    }
    let tickets = context.tickets.join(", ");
    if !tickets.is_empty() {
        let _infallible = writeln!(text, "Ticket of the branch: {}", cut(&tickets, TICKETS));
    }
    let left = room.saturating_sub(notes.len() + tickets.len().min(TICKETS));
    text.push_str(&fenced("message", cut(&strip_trailers(&commit.message), left)));
    text
}

/// Longest list of tickets (bytes).
const TICKETS: usize = 60;

/// The rules of a commit's question alone: prefilled before any commit exists.
#[must_use]
pub fn commit_rules() -> RenderedPrompt {
    RenderedPrompt::new(CAPTURE, String::new(), TokenScale::default())
}

/// The prompt for a redacted note.
#[must_use]
pub fn note(text: &str, project: &str) -> RenderedPrompt {
    let question = format!("Project: {}\n{}Write it down.", one_line(project), fenced("note", cut(text, NOTE)));
    RenderedPrompt::new(NOTE_RULES, question, TokenScale::default())
}

/// The prompt for a paragraph about one work item: `messages` are those of its commits. Of a text that exceeds the budget
/// the end is left out.
#[must_use]
pub fn paragraph(kind: DraftKind, messages: &[String], token_budget: u32) -> RenderedPrompt {
    let rules = if kind == DraftKind::Blog { BLOG } else { DEVLOG };
    let room = bytes_in(token_budget.saturating_sub(estimate(rules) + DRAFT_FRAME));
    let question = fenced("work", cut(&messages.join("\n\n"), room)) + "Write the sentences.";
    RenderedPrompt::new(rules, question, TokenScale::default())
}

/// The prompt for the sentences about a whole period: a social post, the summary of a status. `headlines`: one per work item, the most important first; those beyond the budget are left out.
#[must_use]
pub fn summary(
    kind: DraftKind,
    project: &str,
    period_words: &str,
    headlines: &[String],
    token_budget: u32,
) -> RenderedPrompt {
    let rules = if kind == DraftKind::Social { SOCIAL } else { STATUS };
    let mut room = bytes_in(token_budget.saturating_sub(estimate(rules) + DRAFT_FRAME));
    let lines = headlines.iter().map(|headline| format!("- {}\n", one_line(headline)));
    let lines = lines.take_while(|line| {
        let fits = line.len() <= room;
        room = room.saturating_sub(line.len());
        fits
    });
    let list = fenced("work", &lines.collect::<String>());
    let question =
        format!("Project: {}\nPeriod: {}\n{list}Write the sentences.", one_line(project), one_line(period_words));
    RenderedPrompt::new(rules, question, TokenScale::default())
}

/// Untrusted text between tags that it cannot close.
pub(super) fn fenced(tag: &str, text: &str) -> String {
    let text = break_tags(text.trim_end());
    format!("<{tag}>\n{text}\n</{tag}>\n")
}

/// Breaks every form of our own tags in the text, keeping its length.
fn break_tags(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = (&rest[..at], &rest[at + 1..]);
        let name = from.trim_start_matches(|c: char| c == '/' || c.is_whitespace());
        let ours = TAGS.iter().any(|tag| name.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)));
        safe.push_str(before);
        safe.push(if ours { '(' } else { '<' });
        rest = from;
    }
    safe.push_str(rest);
    safe
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
