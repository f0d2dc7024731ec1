//! A draft's text: the list that needs no model, or a model's text with its sources, and the published page.

use jiff::tz::TimeZone;

use crate::domain::capture::Capture;

use super::entry::Heading;
use super::markdown;
use super::outline::{Outline, Subject};
use super::slug;
use super::span::Span;
use super::templates::Templates;

/// What a draft keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Plain text.
    pub title: String,
    /// Markdown, without the title.
    pub body: String,
    /// Why a person's own template was not used.
    pub complaint: Option<String>,
}

/// The only format so far.
pub const FORMAT: &str = "markdown";

/// The list: every capture of the period, grouped, in its own words.
#[must_use]
pub fn list(subject: &Subject<'_>, captures: &[Capture], zone: &TimeZone, templates: &Templates) -> Document {
    let outline = Outline::of(subject, captures, zone);
    let page = templates.page(&outline);
    let (title, body) = split_title(&page.markdown);
    Document { title: title.unwrap_or_else(|| outline.title()), body, complaint: page.complaint }
}

/// A model's text, followed by everything it was made from: a text that leaves something out shows that it does.
#[must_use]
pub fn from_model(text: &str, subject: &Subject<'_>, captures: &[Capture], zone: &TimeZone) -> Document {
    let outline = Outline::of(subject, captures, zone);
    let (title, body) = split_title(text);
    let body = format!("{}\n\n{}", body.trim(), sources(&outline));
    Document { title: title.unwrap_or_else(|| outline.title()), body, complaint: None }
}

/// Heading of the list that follows a model's text.
pub const SOURCES: &str = "Made from";

fn sources(outline: &Outline) -> String {
    let mut out = format!("## {SOURCES}\n\n");
    for note in &outline.notes {
        out.push_str(&format!("- Note: {}\n", markdown::inline(note)));
    }
    for entry in outline.groups.iter().flat_map(|group| &group.entries) {
        out.push_str(format!("- {} {}", entry.headline(Heading::None), entry.references()).trim_end());
        out.push('\n');
    }
    out
}

/// The heading of first rank that a text starts with, as plain text, and the rest.
fn split_title(markdown: &str) -> (Option<String>, String) {
    let text = markdown.trim();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match first.trim_end().strip_prefix("# ").map(str::trim) {
        Some(title) if !title.is_empty() => (Some(markdown::plain(title)), body(rest)),
        _ => (None, body(text)),
    }
}

fn body(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

/// The page as it is published: the title as its first heading, then the body.
#[must_use]
pub fn page(title: &str, body: &str) -> String {
    format!("# {}\n\n{}\n", markdown::inline(title), body.trim())
}

/// The published page's file name.
#[must_use]
pub fn file_name(subject: &Subject<'_>, zone: &TimeZone) -> String {
    format!("{}.md", slug::slug(subject.kind, subject.project, &Span::of(&subject.period, zone)))
}
