//! Markdown that MDX compiles and shows as plain Markdown would be shown: no expression, no JSX, no ESM.
//!
//! MDX has no indented code, no raw HTML and no autolinks; their text is shown as it is. Code spans and fences are
//! literal in MDX and stay. Source: the MDX 3 documentation, "What is MDX", section "Markdown".

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};

use super::markdown::reference;
use super::rich_text::DIALECT;

/// Escapes braces, tags and module statements outside of code.
#[must_use]
pub fn escape(markdown: &str) -> String {
    let (code, verbatim) = find_ranges(markdown);
    let mut out = String::with_capacity(markdown.len() + 32);
    let mut at = 0;
    for range in code {
        if range.start >= at {
            escape_text(markdown, at..range.start, &verbatim, &mut out);
            out.push_str(&markdown[range.clone()]);
            at = range.end;
        }
    }
    escape_text(markdown, at..markdown.len(), &verbatim, &mut out);
    out
}

/// Code spans of one line and fences, and the blocks that are verbatim in Markdown and running text in MDX.
fn find_ranges(markdown: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let (mut code, mut verbatim) = (Vec::new(), Vec::new());
    for (event, range) in Parser::new_ext(markdown, DIALECT).into_offset_iter() {
        match event {
            // The second line of a code span could begin with a brace, which ends the paragraph in MDX.
            Event::Code(_) if markdown[range.clone()].contains('\n') => {}
            Event::Code(_) | Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => code.push(range),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented) | Tag::HtmlBlock) => verbatim.push(range),
            _ => {}
        }
    }
    (code, verbatim)
}

fn escape_text(markdown: &str, range: Range<usize>, verbatim: &[Range<usize>], out: &mut String) {
    let mut chars = markdown[range.clone()].char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        let at = range.start + offset;
        let rest = &markdown[at..range.end];
        let is_line_start = at == 0 || markdown[..at].ends_with('\n');
        // A list mark, a quote and the like in it would be one in MDX, too; only fences change how the rest is read.
        let is_verbatim = || verbatim.iter().any(|block| block.contains(&at));
        match c {
            '\\' if chars.peek().is_some_and(|(_, next)| next.is_ascii_punctuation()) => {
                out.push(c);
                out.extend(chars.next().map(|(_, next)| next));
            }
            '{' | '}' => out.push_str(reference(c, None).unwrap_or_default()),
            // A backtick that opens no code in Markdown must open none in MDX.
            '<' | '`' => out.extend(['\\', c]),
            '~' if rest.starts_with("~~~") && is_verbatim() => out.extend(['\\', c]),
            'i' if is_line_start && rest.starts_with("import") => out.push_str("&#105;"),
            'e' if is_line_start && rest.starts_with("export") => out.push_str("&#101;"),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mdx_would_run_is_text_and_code_stays_code() {
        for (markdown, expected) in [
            ("a {b} <c>", "a &#123;b&#125; \\<c>"),
            ("`{x}` and ``<y>``", "`{x}` and ``<y>``"),
            ("```js\n{x} <y>\n```\n{z}", "```js\n{x} <y>\n```\n&#123;z&#125;"),
            ("> ```\n> {x}\n\n{y}", "> ```\n> {x}\n\n&#123;y&#125;"),
            ("- ```\n  {x}\n  ```\n- {y}", "- ```\n  {x}\n  ```\n- &#123;y&#125;"),
            ("a ` b\n\nc `{x}`", "a \\` b\n\nc `{x}`"),
            ("    {x} ```", "    &#123;x&#125; \\`\\`\\`"),
            ("<https://a.example>", "\\<https://a.example>"),
            ("<b>`{x}", "\\<b>\\`&#123;x&#125;"),
            ("import {a} from 'b'\nexport the data", "&#105;mport &#123;a&#125; from 'b'\n&#101;xport the data"),
            ("\\<b \\{c\\}", "\\<b \\{c\\}"),
            ("It is important", "It is important"),
            ("`a\n{b}`", "\\`a\n&#123;b&#125;\\`"),
        ] {
            assert_eq!(escape(markdown), expected, "{markdown}");
            assert_eq!(escape(expected), expected, "twice: {markdown}");
        }
    }
}
