//! Parses a page's Markdown for the forms that are not Markdown: HTML and plain text.
//!
//! Safe by construction: raw HTML becomes text, and a link or image stays one only with an address of the web or mail.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

use super::markdown::SEPARATOR;

/// Markdown as forges and site generators read it.
pub(super) const DIALECT: Options =
    Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH).union(Options::ENABLE_TASKLISTS);

/// The structure of `markdown`, without raw HTML and without addresses of other schemes.
pub(super) fn safe_events(markdown: &str) -> impl Iterator<Item = Event<'_>> {
    // Whether each open link or image is kept; they nest properly.
    let mut kept: Vec<bool> = Vec::new();
    Parser::new_ext(markdown, DIALECT).filter_map(move |event| match event {
        Event::Start(Tag::Link { ref dest_url, .. } | Tag::Image { ref dest_url, .. }) => {
            kept.push(is_safe_address(dest_url));
            is_safe_address(dest_url).then_some(event)
        }
        Event::End(TagEnd::Link | TagEnd::Image) => kept.pop().filter(|is_kept| *is_kept).map(|_| event),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Html(text) | Event::InlineHtml(text) | Event::Text(text) => Some(Event::Text(joined(text))),
        Event::Code(text) => Some(Event::Code(joined(text))),
        other => Some(other),
    })
}

/// Takes out what keeps template delimiters apart in code: no template language reads the result.
fn joined(text: CowStr<'_>) -> CowStr<'_> {
    if text.contains(SEPARATOR) { text.replace(SEPARATOR, "").into() } else { text }
}

/// `http`, `https`, `mailto`, or an address relative to the page. Browsers drop control characters and blanks within a
/// scheme, so an address with one is not safe.
fn is_safe_address(address: &str) -> bool {
    if address.is_empty() || address.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return false;
    }
    match address.split(['/', '?', '#']).next().and_then(|start| start.split_once(':')) {
        Some((scheme, _)) => ["http", "https", "mailto"].iter().any(|known| scheme.eq_ignore_ascii_case(known)),
        None => !address.contains('\\'),
    }
}

/// The body as a fragment of HTML.
#[must_use]
pub fn html_fragment(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut out, safe_events(markdown));
    out
}

/// A page of its own.
#[must_use]
pub fn html_page(title: &str, body: &str) -> String {
    let mut heading = String::new();
    pulldown_cmark::html::push_html(&mut heading, std::iter::once(Event::Text(title.into())));
    format!(
        "<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{heading}</title>\n</head>\n<body>\n<h1>{heading}</h1>\n{}</body>\n\
         </html>\n",
        html_fragment(body)
    )
}

/// The body as plain text: an empty line between blocks, list marks and quotes as people type them, and the address
/// behind a link's text.
#[must_use]
pub fn plain_text(markdown: &str) -> String {
    let mut writer = TextWriter::default();
    for event in safe_events(markdown) {
        writer.write_event(event);
    }
    let text = writer.out.trim_end();
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

/// A block whose lines begin with a mark.
#[derive(Debug)]
enum Container {
    Quote,
    Item { mark: String, is_marked: bool },
}

#[derive(Debug, Default)]
struct TextWriter {
    out: String,
    containers: Vec<Container>,
    /// The next number of each open list; `None` in a list without numbers.
    lists: Vec<Option<u64>>,
    /// Address of each open link or image, and where its text begins.
    links: Vec<(String, usize)>,
    is_line_open: bool,
    /// An empty line comes before the next block: how many quotes it belongs to.
    gap: Option<usize>,
}

impl TextWriter {
    fn write_event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) => self.write(&text),
            Event::SoftBreak => self.write(" "),
            Event::HardBreak => self.is_line_open = false,
            Event::Rule => {
                self.write("---");
                self.close_block();
            }
            Event::TaskListMarker(done) => self.write(if done { "[x] " } else { "[ ] " }),
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::BlockQuote(_) => {
                self.enter();
                self.containers.push(Container::Quote);
            }
            Tag::List(first) => {
                self.enter();
                self.lists.push(first);
            }
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.containers.push(Container::Item { mark, is_marked: false });
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.write("");
                self.links.push((dest_url.into_string(), self.out.len()));
            }
            Tag::TableCell if self.is_line_open => self.write(" | "),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::Table => self.close_block(),
            TagEnd::TableHead | TagEnd::TableRow => self.is_line_open = false,
            TagEnd::BlockQuote(_) => {
                self.containers.pop();
                self.close_block();
            }
            TagEnd::Item => {
                self.containers.pop();
                self.is_line_open = false;
                self.gap = None;
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.close_block();
                self.enter();
            }
            TagEnd::Link | TagEnd::Image => {
                let Some((address, from)) = self.links.pop() else { return };
                let address = address.strip_prefix("mailto:").unwrap_or(&address);
                if self.out[from..] != *address {
                    self.write(&format!(" ({address})"));
                }
            }
            _ => {}
        }
    }

    fn close_block(&mut self) {
        self.is_line_open = false;
        self.gap = Some(self.quotes());
    }

    /// Within a list no empty line comes before what belongs to an item.
    fn enter(&mut self) {
        self.is_line_open = false;
        self.gap = self.gap.filter(|_| self.lists.is_empty());
    }

    /// Number of open quotes that no list item is around.
    fn quotes(&self) -> usize {
        self.containers.iter().take_while(|container| matches!(container, Container::Quote)).count()
    }

    /// Writes running text, or the lines of a code block.
    fn write(&mut self, text: &str) {
        let mut lines = text.split('\n');
        if !self.is_line_open {
            self.open_line();
        }
        self.out.push_str(lines.next().unwrap_or_default());
        // A code block ends with a line break.
        let text = text.strip_suffix('\n').unwrap_or(text);
        for line in text.split('\n').skip(1) {
            self.open_line();
            self.out.push_str(line);
        }
        self.is_line_open = lines.next_back() != Some("");
    }

    fn open_line(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        if let Some(quotes) = self.gap.take().filter(|_| !self.out.is_empty()) {
            self.out.push_str("> ".repeat(quotes.min(self.quotes())).trim_end());
            self.out.push('\n');
        }
        for container in &mut self.containers {
            match container {
                Container::Quote => self.out.push_str("> "),
                Container::Item { mark, is_marked: false } => self.out.push_str(mark),
                Container::Item { mark, .. } => self.out.push_str(&" ".repeat(mark.len())),
            }
            if let Container::Item { is_marked, .. } = container {
                *is_marked = true;
            }
        }
        self.is_line_open = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::markdown::inline;
    use proptest::prelude::*;

    #[test]
    fn raw_html_is_shown_and_never_interpreted() {
        for (markdown, expected) in [
            ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
            ("a <img src=x onerror=alert(1)> b", "<p>a &lt;img src=x onerror=alert(1)&gt; b</p>\n"),
            ("[a](javascript:alert(1)) b", "<p>a b</p>\n"),
            ("[a](JaVaScRiPt&#58;alert(1))", "<p>a</p>\n"),
            ("[a](java&#9;script:alert(1))", "<p>a</p>\n"),
            ("![a](data:text/html,x)", "<p>a</p>\n"),
            ("<javascript:alert(1)>", "<p>javascript:alert(1)</p>\n"),
            (
                "[a](https://a.example/?b=1&c \"t\\\"\")",
                "<p><a href=\"https://a.example/?b=1&amp;c\" title=\"t&quot;\">a</a></p>\n",
            ),
            ("[a](guide.md#b)", "<p><a href=\"guide.md#b\">a</a></p>\n"),
            ("<me@mail.example>", "<p><a href=\"mailto:me@mail.example\">me@mail.example</a></p>\n"),
            (
                "``` a\"><b>\nx <y>\n```",
                "<pre><code class=\"language-a&quot;&gt;&lt;b&gt;\">x &lt;y&gt;\n</code></pre>\n",
            ),
        ] {
            assert_eq!(html_fragment(markdown), expected, "{markdown}");
        }
        assert!(html_page("a </title><b>", "x").contains("<title>a &lt;/title&gt;&lt;b&gt;</title>"));
    }

    #[test]
    fn plain_text_has_the_marks_that_people_type() {
        let markdown = "## Fixed\n\nTwo \\*words\\*,\nand `code`.\n\n- one\n  > why\n  - deep\n- two [site](https://a.example)\n\n3. x\n4. y\n\n> a\n>\n> b\n\n```rust\nfn a() {\n}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<https://b.example>";
        insta::assert_snapshot!(plain_text(markdown), @r"
        Fixed

        Two *words*, and code.

        - one
          > why
          - deep
        - two site (https://a.example)

        3. x
        4. y

        > a
        >
        > b

        fn a() {
        }

        a | b
        1 | 2

        https://b.example
        ");
    }

    proptest! {
        #[test]
        fn no_markdown_makes_a_tag_that_html_output_does_not_use(markdown in "[ -~\\n`*_#<>&\\\\\\[\\]|é]{0,80}") {
            let known = ["p", "h", "a ", "a>", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "hr", "br",
                "img ", "del", "table", "thead", "tbody", "tr", "th", "td", "input "];
            for (at, _) in html_fragment(&markdown).match_indices('<') {
                let html = html_fragment(&markdown);
                let tag = html[at + 1..].trim_start_matches('/').to_owned();
                prop_assert!(known.iter().any(|name| tag.starts_with(name)), "{html}");
            }
        }

        #[test]
        fn an_escaped_text_is_itself_again_as_plain_text(words in prop::collection::vec("[a-zA-Z0-9_*.<>#{}%-]{1,8}", 1..8)) {
            let text = words.join(" ");
            prop_assert_eq!(plain_text(&inline(&text)), format!("{text}\n"));
        }
    }
}
