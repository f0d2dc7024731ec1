//! A draft as the page of a format: what all formats share, and the content and file name of each.

use jiff::tz::TimeZone;

use super::document;
use super::feed;
use super::rich_text::{html_page, plain_text};
use super::slug;
use super::span::Span;
use super::{front_matter, markdown, mdx};
use crate::domain::draft::{Draft, DraftKind};
use crate::text::sentences;

/// Form of a published page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageFormat {
    Markdown,
    Html,
    Text,
    Hugo,
    Jekyll,
    Zola,
    Astro,
    /// For Astro and other sites that compile MDX.
    Mdx,
    Devto,
    /// An item of a JSON Feed.
    Feed,
}

impl PageFormat {
    pub const NAMES: [&'static str; 10] =
        ["markdown", "html", "text", "hugo", "jekyll", "zola", "astro", "mdx", "devto", "feed"];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Markdown,
            Self::Html,
            Self::Text,
            Self::Hugo,
            Self::Jekyll,
            Self::Zola,
            Self::Astro,
            Self::Mdx,
            Self::Devto,
            Self::Feed,
        ]
        .into_iter()
        .find(|format| format.as_str() == text)
    }
}

/// A draft with what every format needs of it.
#[derive(Debug, Clone)]
pub struct DraftPage<'a> {
    pub id: String,
    pub kind: DraftKind,
    pub project: &'a str,
    /// Plain text.
    pub title: &'a str,
    /// Markdown, without the title.
    pub body: &'a str,
    pub slug: String,
    /// Start of the period's last day, which is never in the future for a site generator.
    day: jiff::Zoned,
    is_one_day: bool,
    /// The first sentences, as plain text.
    pub description: String,
    pub tags: Vec<String>,
}

/// Longest description, in characters; search engines show about as much.
const DESCRIPTION: usize = 160;

impl<'a> DraftPage<'a> {
    #[must_use]
    pub fn of(draft: &'a Draft, zone: &TimeZone) -> Self {
        let span = Span::of(&draft.period, zone);
        let day = span.last.to_zoned(zone.clone()).unwrap_or_else(|_| draft.period.from.to_zoned(zone.clone()));
        Self {
            id: draft.id.to_string(),
            kind: draft.kind,
            project: &draft.project,
            title: &draft.title,
            body: &draft.body,
            slug: slug::slug(draft.kind, &draft.project, &span),
            day,
            is_one_day: span.is_day(),
            description: describe(&draft.body),
            tags: vec![draft.kind.as_str().to_owned(), draft.project.clone()],
        }
    }

    /// RFC 3339, which YAML and TOML read as a time.
    #[must_use]
    pub fn date(&self) -> String {
        self.day.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// The last day of the period.
    #[must_use]
    pub fn last_day(&self) -> jiff::civil::Date {
        self.day.date()
    }

    /// The whole content of the page's file; a feed has this page alone.
    #[must_use]
    pub fn content(&self, format: PageFormat) -> String {
        let body = || format!("{}\n", markdown::without_delimiters(self.body).trim());
        match format {
            PageFormat::Markdown => document::page(self.title, self.body),
            PageFormat::Html => html_page(self.title, self.body),
            PageFormat::Text => format!("{}\n\n{}", self.title, plain_text(self.body)),
            // Only an existing feed can be at fault.
            PageFormat::Feed => feed::with_page(None, self).unwrap_or_default(),
            PageFormat::Hugo => front_matter::hugo(self) + &body(),
            PageFormat::Jekyll => front_matter::jekyll(self) + &body(),
            PageFormat::Zola => front_matter::zola(self) + &body(),
            PageFormat::Astro => front_matter::astro(self) + &body(),
            PageFormat::Mdx => front_matter::astro(self) + &format!("{}\n", mdx::escape(self.body.trim())),
            PageFormat::Devto => front_matter::devto(self) + &body(),
        }
    }

    /// The text of a social post: without the title.
    #[must_use]
    pub fn post_text(&self) -> String {
        plain_text(self.body).trim().to_owned()
    }

    /// The name of the page's file. Jekyll publishes only what begins with a date.
    #[must_use]
    pub fn file_name(&self, format: PageFormat) -> String {
        let slug = &self.slug;
        match format {
            PageFormat::Html => format!("{slug}.html"),
            PageFormat::Text => format!("{slug}.txt"),
            PageFormat::Mdx => format!("{slug}.mdx"),
            PageFormat::Feed => "feed.json".to_owned(),
            PageFormat::Jekyll if !self.is_one_day => format!("{}-{slug}.md", self.last_day()),
            _ => format!("{slug}.md"),
        }
    }
}

/// The first sentences of running text that fit; a longer one is cut at a word.
fn describe(body: &str) -> String {
    let text = plain_text(body);
    let first = text.split("\n\n").find(|block| !block.trim().is_empty()).unwrap_or_default();
    let line = first.split_whitespace().filter(|word| !matches!(*word, ">" | "-")).collect::<Vec<_>>().join(" ");
    let fits = |end: usize| line[..end].chars().count() <= DESCRIPTION;
    if let Some(end) = sentences::ends(&line).into_iter().chain([line.len()]).rfind(|end| fits(*end)) {
        return line[..end].to_owned();
    }
    let start: String = line.chars().take(DESCRIPTION - 1).collect();
    let cut = start.rfind(' ').unwrap_or(start.len());
    format!("{}…", &start[..cut])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::draft::Period;
    use crate::publish::sample::draft;

    fn page(draft: &Draft) -> DraftPage<'_> {
        DraftPage::of(draft, &TimeZone::get("Asia/Tokyo").unwrap())
    }

    #[test]
    fn a_format_has_the_name_that_it_is_asked_for_by() {
        for name in PageFormat::NAMES {
            assert_eq!(PageFormat::parse(name).unwrap().as_str(), name);
        }
        assert_eq!(PageFormat::parse("docx"), None);
    }

    #[test]
    fn the_date_is_the_start_of_the_last_day_where_the_user_is() {
        let midnight = |date: &str| format!("{date}T15:00:00Z").parse().unwrap();
        let week = Period { from: midnight("2026-03-01"), to: midnight("2026-03-08") };
        let week = Draft { kind: DraftKind::Blog, period: week, ..draft("A week", "Done.") };
        let page = page(&week);
        assert_eq!(page.date(), "2026-03-08T00:00:00+09:00");
        assert_eq!(page.file_name(PageFormat::Hugo), "2026-w10-blog-harbour.md");
        assert_eq!(page.file_name(PageFormat::Jekyll), "2026-03-08-2026-w10-blog-harbour.md", "Jekyll wants a date");
        assert_eq!(page.file_name(PageFormat::Feed), "feed.json");
    }

    #[test]
    fn the_description_is_what_fits_of_the_first_paragraph() {
        let describe = |body: &str| page(&draft("A", body)).description;
        assert_eq!(describe("3 commits. +3 −1 \\*lines\\*.\n\n- more"), "3 commits. +3 −1 *lines*.");
        let long = "It does one more thing. ".repeat(9);
        assert_eq!(describe(&long), "It does one more thing. ".repeat(6).trim_end());
        let sentence = describe(&"word ".repeat(50));
        assert!(sentence.ends_with("word…") && sentence.chars().count() <= 160, "{sentence}");
        assert_eq!(describe("> a quote\n\nText."), "a quote");
        assert_eq!(describe(""), "");
    }

    #[test]
    fn a_post_has_no_title() {
        assert_eq!(page(&draft("A", "Done.\n")).post_text(), "Done.");
    }
}
