//! Rules and question. Rules first and byte-stable, then files, patch, and the author's words last,
//! so that a server's prefix cache survives from commit to commit and from edit to edit of a message.

use std::fmt::Write as _;

use super::pack::{Packed, pack};
use super::tokens::{bytes_in, estimate};
use crate::domain::capture::Capture;
use crate::domain::draft::DraftKind;
use crate::domain::patch::Commit;

const CAPTURE: &str = include_str!("../../templates/prompt/capture.txt");
const NOTE: &str = include_str!("../../templates/prompt/note.txt");
const DEVLOG: &str = include_str!("../../templates/prompt/devlog.txt");
const BLOG: &str = include_str!("../../templates/prompt/blog.txt");
const SOCIAL: &str = include_str!("../../templates/prompt/social.txt");
const STATUS: &str = include_str!("../../templates/prompt/status.txt");

/// Longest message of an author that is sent, in bytes.
const MESSAGE: usize = 2000;
/// What the frame around the contents costs, in tokens.
const FRAME: u32 = 60;
/// Tags that frame untrusted text; their closing forms cannot occur inside.
const TAGS: [&str; 5] = ["files", "patch", "message", "note", "captures"];

/// What is sent for one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The system message: fixed per kind.
    pub rules: String,
    /// The user message. Contains what the repository says: untrusted, fenced.
    pub question: String,
    /// Names the rules: a hash of their text.
    pub version: String,
    /// Estimate of both together, in tokens.
    pub prompt_tokens: u32,
}

impl Rendered {
    fn new(rules: &str, question: String) -> Self {
        let prompt_tokens = estimate(rules) + estimate(&question);
        Self { rules: rules.to_owned(), question, version: version(rules), prompt_tokens }
    }
}

/// The question about a commit that was redacted before, within about `token_budget` tokens in all.
#[must_use]
pub fn commit(commit: &Commit, token_budget: u32) -> Rendered {
    let message = message(commit);
    let spent = estimate(CAPTURE) + estimate(&message) + FRAME;
    let Packed { files, patch, left_out } = pack(&commit.patch, token_budget.saturating_sub(spent));
    let mut question = fenced("files", &files);
    if !patch.is_empty() {
        question.push_str(&fenced("patch", &patch));
    }
    if !left_out.is_empty() {
        let _infallible = writeln!(question, "{left_out}");
    }
    question.push_str(&fenced("message", &message));
    question.push_str("Describe the commit.");
    Rendered::new(CAPTURE, question)
}

/// The question about a note that was redacted before.
#[must_use]
pub fn note(text: &str, project: &str) -> Rendered {
    let question = format!("Project: {}\n{}Write it down.", one_line(project), fenced("note", cut(text, 2 * MESSAGE)));
    Rendered::new(NOTE, question)
}

/// The question for a text made of captures, oldest first; `period_words` says which period in words.
#[must_use]
pub fn draft(kind: DraftKind, project: &str, period_words: &str, captures: &[Capture], token_budget: u32) -> Rendered {
    let rules = match kind {
        DraftKind::Devlog => DEVLOG,
        DraftKind::Blog => BLOG,
        DraftKind::Social => SOCIAL,
        DraftKind::Status => STATUS,
    };
    let room = bytes_in(token_budget.saturating_sub(estimate(rules) + FRAME));
    let mut question = format!("Project: {}\nPeriod: {}\n", one_line(project), one_line(period_words));
    question.push_str(&fenced("captures", &captures_text(captures, room)));
    let _infallible = write!(question, "Write the {}.", noun(kind));
    Rendered::new(rules, question)
}

fn noun(kind: DraftKind) -> &'static str {
    match kind {
        DraftKind::Devlog => "devlog entry",
        DraftKind::Blog => "blog post",
        DraftKind::Social => "post",
        DraftKind::Status => "status report",
    }
}

/// Subject and body; trailers such as `Signed-off-by` say nothing about the change.
fn message(commit: &Commit) -> String {
    let body: Vec<&str> = commit.body().lines().filter(|line| !is_trailer(line)).collect();
    let text = format!("{}\n\n{}", commit.subject(), body.join("\n").trim());
    cut(text.trim(), MESSAGE).to_owned()
}

fn is_trailer(line: &str) -> bool {
    let low = line.trim_start().to_ascii_lowercase();
    ["signed-off-by:", "co-authored-by:", "reviewed-by:", "change-id:", "acked-by:", "tested-by:", "cc:"]
        .iter()
        .any(|start| low.starts_with(start))
}

/// One line per capture. When not all fit, each gives the same share; when even that is too little,
/// the newest stay, and it is said how many are missing.
fn captures_text(captures: &[Capture], room: usize) -> String {
    /// A capture in fewer bytes than this says nothing.
    const LEAST: usize = 60;
    let most = (room / LEAST).max(1);
    let skipped = captures.len().saturating_sub(most);
    let captures = &captures[skipped..];
    let lines: Vec<String> = captures.iter().map(capture_line).collect();
    let total: usize = lines.iter().map(String::len).sum();
    let share = if total <= room { usize::MAX } else { room / lines.len().max(1) };
    let mut text = String::new();
    if skipped > 0 {
        let _infallible = writeln!(text, "({skipped} older captures are left out)");
    }
    for line in &lines {
        text.push_str(cut(line, share.saturating_sub(1)).trim_end());
        text.push('\n');
    }
    text
}

/// What we said, and the author's own first line where it says something else. No ids, no dates.
fn capture_line(capture: &Capture) -> String {
    let mut line = format!("- {}", one_line(&capture.summary));
    let own = capture.raw.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    if !own.is_empty() && !capture.summary.contains(own) {
        let _infallible = write!(line, " [author: {}]", one_line(own));
    }
    line.push('\n');
    line
}

/// Untrusted text between tags that it cannot close.
fn fenced(tag: &str, text: &str) -> String {
    let text = harmless(text.trim_end());
    format!("<{tag}>\n{text}\n</{tag}>\n")
}

/// Breaks every form of our own tags that stands in the text.
fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at + 1);
        safe.push_str(before);
        let name = from.trim_start_matches(|c: char| c == '/' || c.is_whitespace());
        let ours = TAGS.iter().any(|tag| name.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)));
        if ours {
            safe.push(' ');
        }
        rest = from;
    }
    safe.push_str(rest);
    safe
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Eight hexadecimal digits of the rules' FNV-1a hash.
fn version(rules: &str) -> String {
    let hash = rules
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
