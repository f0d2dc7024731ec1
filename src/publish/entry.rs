//! List entry of a page: a capture's summary, the author's own words beside it, and its commit ids.

use crate::domain::capture::{AuthoredBy, Capture, CaptureKind};
use crate::domain::id::Oid;

use super::links::{WebLinks, commit_link};
use super::markdown;
use super::theme::{self, Theme};
use crate::text::sentences;

/// One or more captures with the same content. Texts are plain, on one line; `why` and the methods give Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    pub theme: Theme,
    /// From the author's prefix, as plain text.
    pub area: Option<String>,
    /// The author's prefix where the summary starts with it: a heading may replace it.
    pub prefix: String,
    /// The summary without it.
    pub rest: String,
    /// The first sentence of that: the author's subject where the summary starts with it.
    pub first: String,
    /// The theme is the author's own prefix, not inferred.
    pub typed: bool,
    /// First paragraph of the message's body.
    pub why: Option<String>,
    /// A model's checked sentences about the work, as Markdown.
    pub prose: Option<String>,
    /// Titles of the other commits of the same piece of work, as Markdown.
    pub more: Vec<String>,
    /// Tickets that neither text nor titles name, as plain text.
    pub tickets: Vec<String>,
    pub commits: Vec<Oid>,
    pub breaking: bool,
    /// Lines added and removed, where known: the entry's weight on its page.
    pub lines: u64,
}

/// The heading above an entry; what it says need not be repeated there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heading {
    None,
    Theme,
    Area,
}

/// Longest quote of the body, in characters; cut at a sentence end.
const LONGEST_WHY: usize = 400;

impl ListEntry {
    /// Of a commit or merge; a note reads as `words`.
    #[must_use]
    pub fn of(capture: &Capture) -> Self {
        let subject = capture.commit.as_ref().map_or("", |commit| commit.subject.as_str());
        let read = theme::parse_subject(subject);
        let summary = one_line(&capture.summary);
        let (prefix, rest) = split_prefix(&summary, read.prefix);
        let own = one_line(subject);
        let first = own.strip_prefix(prefix).filter(|own| starts_as_sentence(rest, own));
        Self {
            theme: if capture.kind == CaptureKind::Merge { Theme::Merges } else { read.theme },
            area: read.area.map(str::to_owned),
            prefix: prefix.to_owned(),
            rest: rest.to_owned(),
            first: first.unwrap_or_else(|| first_sentence(rest)).to_owned(),
            typed: read.typed,
            why: why(&capture.raw).filter(|why| !summary.contains(why.as_str())).map(|why| markdown::inline(&why)),
            prose: None,
            more: Vec::new(),
            tickets: Vec::new(),
            commits: capture.commit.iter().map(|commit| commit.oid.clone()).collect(),
            breaking: read.breaking || capture.raw.contains("BREAKING CHANGE"),
            lines: capture.commit.as_ref().map_or(0, |c| c.insertions.unwrap_or(0) + c.deletions.unwrap_or(0)),
        }
    }

    /// Whether one line can stand for both.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.prefix == other.prefix
            && self.rest == other.rest
            && self.theme == other.theme
            && self.breaking == other.breaking
    }

    /// Adds the other's commits.
    pub fn absorb(&mut self, other: Self) {
        self.commits.extend(other.commits);
        self.lines += other.lines;
        self.why = self.why.take().or(other.why);
    }

    /// The whole summary as Markdown, without what `heading` says.
    #[must_use]
    pub fn text(&self, heading: Heading) -> String {
        self.spoken(&self.under(heading, &self.rest))
    }

    /// Its first sentence, likewise, as a headline: without the full stop.
    #[must_use]
    pub fn headline(&self, heading: Heading) -> String {
        let bare = self.first.strip_suffix('.').filter(|bare| !bare.is_empty() && !bare.ends_with('.'));
        self.spoken(&self.under(heading, bare.unwrap_or(&self.first)))
    }

    fn under(&self, heading: Heading, text: &str) -> String {
        match (heading, &self.area) {
            (Heading::None, _) => format!("{}{text}", self.prefix),
            (Heading::Theme, Some(area)) if !self.prefix.is_empty() => format!("{area}: {text}"),
            _ => text.to_owned(),
        }
    }

    fn spoken(&self, text: &str) -> String {
        let text = markdown::inline(text);
        if self.breaking { format!("**Breaking:** {text}") } else { text }
    }

    /// The short commit ids as code, linked where their pages are known, in parentheses; empty when there are none.
    #[must_use]
    pub fn references(&self, links: Option<&WebLinks>) -> String {
        let ids: Vec<String> = self.commits.iter().map(|oid| commit_link(links, oid)).collect();
        if ids.is_empty() { String::new() } else { format!("({})", ids.join(", ")) }
    }
}

/// The author's prefix and the rest, where the summary starts with the prefix and says something after it.
fn split_prefix<'a>(summary: &'a str, prefix: &str) -> (&'a str, &'a str) {
    match summary.strip_prefix(prefix) {
        Some(rest) if !rest.trim().is_empty() => summary.split_at(prefix.len()),
        _ => ("", summary),
    }
}

/// `text` is `sentence`, perhaps with more sentences after it.
fn starts_as_sentence(text: &str, sentence: &str) -> bool {
    !sentence.is_empty()
        && text.strip_prefix(sentence).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ' ']))
}

/// A capture's text on one line in two parts: its first sentence, which is the author's subject where the text begins
/// with it, and the rest.
#[must_use]
pub fn subject_and_details(capture: &Capture) -> (String, String) {
    let summary = one_line(&capture.summary);
    let own = capture.commit.as_ref().map_or_else(String::new, |commit| one_line(&commit.subject));
    let first = if starts_as_sentence(&summary, &own) { own.as_str() } else { first_sentence(&summary) };
    let rest = &summary[first.len()..];
    // The template's full stop behind the author's words stays with them.
    let stop = rest.len() - rest.trim_start_matches(['.', '!', '?', '…']).len();
    (summary[..first.len() + stop].to_owned(), rest[stop..].trim_start().to_owned())
}

/// A note's text: as typed, or as the user edited it later.
#[must_use]
pub fn note_text(note: &Capture) -> &str {
    if note.provenance.by == AuthoredBy::Human { note.summary.trim() } else { note.raw.trim() }
}

/// Up to the first sentence end that more follows, not in lower case.
fn first_sentence(text: &str) -> &str {
    sentences::prose_ends(text).first().map_or(text, |end| &text[..*end])
}

/// The first paragraph of prose after the subject: no trailers, headings, lists, quotes or markup.
fn why(message: &str) -> Option<String> {
    cut(paragraphs(message).first()?)
}

/// The paragraphs of prose after the subject, each on one line.
#[must_use]
pub fn paragraphs(message: &str) -> Vec<String> {
    let body = message.trim().split_once('\n').map_or("", |(_, body)| body).replace("\r\n", "\n");
    body.split("\n\n").filter(|paragraph| is_prose(paragraph)).map(one_line).collect()
}

fn is_prose(paragraph: &str) -> bool {
    let structural = ['#', '-', '*', '+', '>', '|', '<', '[', '`', '=', '~', '!'];
    let indented = paragraph.lines().any(|line| line.starts_with("    ") || line.starts_with('\t'));
    paragraph.split_whitespace().count() >= 4
        && !paragraph.trim_start().starts_with(structural)
        && !paragraph.trim_start().starts_with(|c: char| c.is_ascii_digit())
        && !paragraph.contains("://")
        && !paragraph.trim_start().starts_with("See merge request ")
        && !indented
        && !paragraph.lines().any(is_trailer)
        && !paragraph.lines().all(closes_ticket)
}

/// `close #12`, `fixes #4, fixes #5`.
fn closes_ticket(line: &str) -> bool {
    const WORDS: [&str; 4] = ["close", "fix", "resolve", "ref"];
    line.split([' ', ',', ':', '.']).filter(|word| !word.is_empty()).all(|word| {
        let low = word.to_lowercase();
        low.starts_with('#') || low == "and" || WORDS.iter().any(|verb| low.starts_with(verb))
    })
}

/// Endings of trailer keys; `Root-cause: …` is a sentence.
const ENDS: [&str; 11] = ["-by", "-id", "-to", "-on", "-for", "-from", "-link", "-url", "-with", "-revid", "-issue"];

/// `Signed-off-by: …`, `Fixes: …`, `Change-Id: …`.
fn is_trailer(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(key, _)| {
        (key.starts_with(|c: char| c.is_ascii_uppercase()) || key.ends_with("-by"))
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && (ENDS.iter().any(|end| key.to_ascii_lowercase().ends_with(end))
                || matches!(key, "Fixes" | "Closes" | "Link" | "Refs" | "Bug" | "Cc" | "Reviewed"))
    })
}

/// Cut at the last sentence end that fits, outside parentheses; `None` when not even the first sentence fits.
fn cut(text: &str) -> Option<String> {
    let (mut end, mut whole) = (0, 0);
    while end < text.len() {
        let next = end + first_sentence(text[end..].trim_start()).len() + leading(&text[end..]);
        // A text that ends with a colon introduces something that is not quoted here.
        if text[..next].chars().count() > LONGEST_WHY || text[..next].ends_with(':') {
            break;
        }
        end = next;
        if text[..end].matches('(').count() == text[..end].matches(')').count() {
            whole = end;
        }
    }
    (whole > 0).then(|| text[..whole].trim().to_owned())
}

fn leading(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::sample::{capture, note};
    use proptest::prelude::*;

    fn entry(text: &str) -> ListEntry {
        ListEntry::of(&capture("uro", "2026-03-03T09:00:00Z", text))
    }

    #[test]
    fn the_prefix_is_not_said_twice() {
        let entry = entry("fix(parser): handle an empty body");
        assert_eq!((entry.theme, entry.area.as_deref()), (Theme::Fixed, Some("parser")));
        assert_eq!(entry.text(Heading::None), "fix(parser): handle an empty body");
        assert_eq!(entry.text(Heading::Theme), "parser: handle an empty body");
        assert_eq!(entry.text(Heading::Area), "handle an empty body");
    }

    #[test]
    fn a_summary_in_other_words_than_the_subject_stays_whole() {
        let capture = Capture {
            summary: "Returns an error for an empty body: `parse` panicked before.".to_owned(),
            ..capture("uro", "2026-03-03T09:00:00Z", "fix(parser): empty body")
        };
        assert_eq!(ListEntry::of(&capture).text(Heading::Theme), capture.summary);
    }

    #[test]
    fn a_subject_that_is_only_a_prefix_is_kept() {
        assert_eq!(entry("fix: ").text(Heading::Theme), "fix:");
    }

    #[test]
    fn the_first_sentence_ends_where_a_reader_would_end_it() {
        for (text, first) in [
            ("Adds `a. B`. Removes c.", "Adds `a. B`."),
            ("Update Rust to 1.98 (#12). Changes `main`.", "Update Rust to 1.98 (#12)."),
            ("Handles e.g. `X`. Done.", "Handles e.g. `X`."),
            ("Uses vs. Not. +84 −12 in 3 files", "Uses vs. Not."),
            ("No full stop here", "No full stop here"),
            ("Ends with one.", "Ends with one."),
            ("缩短超时。修改了一个文件。", "缩短超时。"),
            ("see example.com for more. ok", "see example.com for more. ok"),
        ] {
            assert_eq!(first_sentence(text), first);
        }
    }

    #[test]
    fn a_headline_is_one_sentence_without_its_full_stop() {
        let sync = Capture {
            summary: "Sync releases (#2). crates/python/releases.json only.".to_owned(),
            ..capture("uro", "2026-03-03T09:00:00Z", "Sync releases (#2)")
        };
        assert_eq!(ListEntry::of(&sync).headline(Heading::None), "Sync releases (#2)");
        let told = Capture { summary: "Takes new releases. Nothing else.".to_owned(), ..sync };
        assert_eq!(ListEntry::of(&told).headline(Heading::None), "Takes new releases");
        for (text, headline) in [
            ("Fix a leak (#12). +3 −1 in 1 file.", "Fix a leak (#12). +3 −1 in 1 file"),
            ("It works now!", "It works now!"),
            ("wip...", "wip..."),
            ("Use 1.2. Then 1.3", "Use 1.2. Then 1.3"),
            (".", "."),
        ] {
            assert_eq!(entry(text).headline(Heading::None), headline);
        }
    }

    #[test]
    fn the_authors_reason_is_the_first_paragraph_of_prose() {
        let body = "fix: x\n\n## Summary\n\nThe lease was taken before the clock was read,\nso it ended early.\n\nSecond.\n\nSigned-off-by: A <a@example.com>";
        let labelled = "fix: x\n\nRoot-cause: the lease was taken twice on start.";
        assert_eq!(why(labelled).as_deref(), Some("Root-cause: the lease was taken twice on start."));
        assert_eq!(why(body).as_deref(), Some("The lease was taken before the clock was read, so it ended early."));
    }

    #[test]
    fn trailers_lists_links_and_short_bodies_are_no_reason() {
        for message in [
            "fix: x",
            "fix: x\n\nSigned-off-by: A U Thor <a@example.com>",
            "fix: x\n\n- one thing and another thing\n- more",
            "fix: x\n\nSee https://example.com/a/b for the reason",
            "fix: x\n\nCloses #12",
            "Merge branch 'a' into 'main'\n\nSee merge request team/shop!12",
            "fix: x\n\nThere seems to be an improvement here:\n\n    10 ms",
            "fix: x\n\n<!-- template: describe what you did here -->",
        ] {
            assert_eq!(why(message), None, "{message}");
        }
    }

    #[test]
    fn a_long_reason_is_cut_at_a_sentence_end() {
        let sentence = "This sentence is repeated until it is too long. ";
        let open = "x\n\nIt is a small thing. (One could do more. Or less";
        assert_eq!(why(open).as_deref(), Some("It is a small thing."));
        let why = why(&format!("x\n\n{}", sentence.repeat(20))).unwrap();
        assert!(why.ends_with("too long.") && why.chars().count() <= LONGEST_WHY && why.len() > 300, "{why}");
        assert_eq!(super::why(&format!("x\n\n{}", "word ".repeat(200))), None);
    }

    #[test]
    fn a_note_speaks_in_its_authors_words() {
        let mut note = note("uro", "2026-03-03T09:00:00Z", "auth timeout gone, 3s to 200ms");
        note.summary = "Reduces the authentication timeout.".to_owned();
        assert_eq!(note_text(&note), "auth timeout gone, 3s to 200ms");
        note.provenance.by = AuthoredBy::Human;
        assert_eq!(note_text(&note), "Reduces the authentication timeout.");
    }

    #[test]
    fn the_same_words_twice_are_one_entry_with_both_sources() {
        let (mut one, other) =
            (entry("Update README"), ListEntry::of(&capture("uro", "2026-03-04T09:00:00Z", "Update README")));
        assert!(one.says_the_same(&other));
        one.absorb(other);
        assert_eq!(one.commits.len(), 2);
        assert_eq!(one.references(None).matches('`').count(), 4);
    }

    proptest! {
        #[test]
        fn reading_any_message_never_fails(text in "\\PC{0,200}", body in "(\\PC|\\n){0,300}") {
            let entry = entry(&format!("{text}\n\n{body}"));
            prop_assert!(!entry.text(Heading::None).contains('\n') && !entry.headline(Heading::Theme).contains('\n'));
        }
    }
}
