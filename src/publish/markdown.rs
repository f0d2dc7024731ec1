//! Text into Markdown: whatever a capture says comes out as that text, and can neither end nor begin a structure.
//!
//! Balanced code spans are kept (summaries name symbols in backticks); everything else that CommonMark or GFM
//! would interpret is escaped, and only where it would be, so that the source stays readable.
//!
//! Template delimiters of static site generators are escaped as well. Hugo, Jekyll (Liquid), Zola (Tera), Eleventy and
//! their like read `{{ }}`, `{% %}`, `{# #}` and `<% %>` before Markdown is parsed, code included; MDX, mdsvex and Vue
//! read braces and tags afterwards. A character reference (`&#123;`) is a delimiter to none of them and a brace to the
//! reader. Character references do not work in code: a code span with a delimiter becomes text that shows its
//! backticks, and in a code block an invisible word joiner stands between the two characters.

use crate::text::fences::Fence;

/// One line of running text. Line breaks become spaces, control and bidirectional characters go.
#[must_use]
pub fn inline(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text.as_str();
    while let Some(start) = rest.find('`') {
        let (before, tail) = rest.split_at(start);
        escape_plain(before, tail.chars().next(), &mut out);
        let run = tail.bytes().take_while(|b| *b == b'`').count();
        let end = closing(tail, run);
        match end {
            Some(end) if !has_delimiter(&tail[..end]) => out.push_str(&tail[..end]),
            Some(end) => {
                out.push_str(&"\\`".repeat(run));
                escape_plain(&tail[run..end - run], Some('`'), &mut out);
                out.push_str(&"\\`".repeat(run));
            }
            None => out.push_str(&"\\`".repeat(run)),
        }
        rest = &tail[end.unwrap_or(run)..];
    }
    escape_plain(rest, None, &mut out);
    escape_start(&out)
}

/// Markdown from a model, with the template delimiters in it escaped; its structure stays. Applying it twice changes
/// nothing.
#[must_use]
pub fn without_delimiters(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len() + 16);
    let mut fence: Option<Fence<'_>> = None;
    for line in markdown.split_inclusive('\n') {
        let mark = Fence::parse(line);
        let closes = fence.zip(mark).is_some_and(|(open, mark)| mark.closes(&open));
        match fence {
            Some(_) => out.push_str(&split_delimiters(line)),
            None if mark.is_some() => {
                fence = mark;
                out.push_str(&split_delimiters(line));
                continue;
            }
            None if line.starts_with("    ") || line.starts_with('\t') => out.push_str(&split_delimiters(line)),
            None => out.push_str(&text_without_delimiters(line)),
        }
        fence = fence.filter(|_| !closes);
    }
    out
}

/// Separates the characters of a delimiter where no character reference is possible (Unicode: word joiner).
pub(super) const SEPARATOR: char = '\u{2060}';

fn split_delimiters(code: &str) -> String {
    let mut out = String::with_capacity(code.len() + 8);
    let mut before = None;
    for c in code.chars() {
        if before.is_some_and(|before| is_delimiter(before, c)) {
            out.push(SEPARATOR);
        }
        out.push(c);
        before = Some(c);
    }
    out
}

/// A line of running text: code spans without delimiters stay, everything else loses its braces and tags.
fn text_without_delimiters(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let run = rest.bytes().take_while(|b| *b == b'`').count();
        let next = rest[c.len_utf8()..].chars().next();
        let length = match closing(rest, run).filter(|_| run > 0) {
            Some(end) if !has_delimiter(&rest[..end]) => {
                out.push_str(&rest[..end]);
                end
            }
            Some(end) => {
                let marks = "\\`".repeat(run);
                out.push_str(&format!("{marks}{}{marks}", code_as_text(&rest[run..end - run])));
                end
            }
            None if run > 0 => {
                out.push_str(&rest[..run]);
                run
            }
            // An escaped character stays escaped; an escaped brace needs no backslash before its reference.
            None if c == '\\' && next.is_some_and(|next| next.is_ascii_punctuation()) => {
                let next = next.unwrap_or(c);
                match reference(next, rest.chars().nth(2)) {
                    Some(reference) => out.push_str(reference),
                    None => out.extend([c, next]),
                }
                2
            }
            None => {
                match reference(c, next) {
                    Some(reference) => out.push_str(reference),
                    None if c == '<' => out.push_str("\\<"),
                    None => out.push(c),
                }
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    out
}

/// The content of a code span as running text, where backslashes and backticks have a meaning.
fn code_as_text(code: &str) -> String {
    let mut out = String::with_capacity(code.len() + 8);
    let mut rest = code.chars().peekable();
    while let Some(c) = rest.next() {
        match reference(c, rest.peek().copied()) {
            Some(reference) => out.push_str(reference),
            None if matches!(c, '\\' | '`' | '<') => out.extend(['\\', c]),
            None => out.push(c),
        }
    }
    out
}

fn has_delimiter(text: &str) -> bool {
    text.chars().zip(text.chars().skip(1)).any(|(one, two)| is_delimiter(one, two))
}

/// Two characters that open or close an expression, a tag or a comment of a template language.
fn is_delimiter(one: char, two: char) -> bool {
    matches!((one, two), ('{', '{' | '%' | '#') | ('}' | '%' | '#', '}') | ('<', '%'))
}

/// Character reference of a delimiter's character in running text. A single brace counts: MDX reads an expression in
/// it.
pub(super) fn reference(c: char, next: Option<char>) -> Option<&'static str> {
    match c {
        '{' => Some(OPEN),
        '}' => Some(CLOSE),
        '<' if next == Some('%') => Some(LESS),
        _ => None,
    }
}

const OPEN: &str = "&#123;";
const CLOSE: &str = "&#125;";
const LESS: &str = "&#60;";

/// Every line quoted; paragraphs stay apart.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.trim().lines() {
        let line = inline(line);
        if !(line.is_empty() && lines.last().is_some_and(|last| last == ">")) {
            lines.push(if line.is_empty() { ">".to_owned() } else { format!("> {line}") });
        }
    }
    lines.join("\n")
}

/// `text` as a code span, whatever it contains.
#[must_use]
pub fn code(text: &str) -> String {
    let text = one_line(text);
    if has_delimiter(&text) {
        return inline(&text);
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The inverse of `inline`, for titles that are kept as plain text.
#[must_use]
pub fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut rest = markdown.trim();
    while let Some(c) = rest.chars().next() {
        let known = [(OPEN, '{'), (CLOSE, '}'), (LESS, '<')];
        if let Some((reference, of)) = known.into_iter().find(|(reference, _)| rest.starts_with(reference)) {
            out.push(of);
            rest = &rest[reference.len()..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        let escaped = rest.chars().next().filter(|next| c == '\\' && next.is_ascii_punctuation());
        rest = &rest[escaped.map_or(0, char::len_utf8)..];
        out.push(escaped.unwrap_or(c));
    }
    out
}

/// Collapses white space; drops characters that could mislead a terminal or the reader's eye.
fn one_line(text: &str) -> String {
    let visible: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(is_visible).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_visible(c: &char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// End of the code span that starts `tail` with `run` backticks, if it is closed.
fn closing(tail: &str, run: usize) -> Option<usize> {
    let bytes = tail.as_bytes();
    let mut at = run;
    while at < bytes.len() {
        if bytes[at] != b'`' {
            at += 1;
            continue;
        }
        let length = bytes[at..].iter().take_while(|b| **b == b'`').count();
        if length == run {
            return Some(at + length);
        }
        at += length;
    }
    None
}

/// Escapes running text between what is already in `out` and what follows it.
fn escape_plain(text: &str, follower: Option<char>, out: &mut String) {
    let mut before = out.chars().last();
    let chars: Vec<char> = text.chars().chain(follower).collect();
    for (at, c) in text.chars().enumerate() {
        match reference(c, chars.get(at + 1).copied()) {
            Some(reference) => out.push_str(reference),
            None => {
                if is_markup(c, before, &chars[at + 1..]) {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        before = Some(c);
    }
}

fn is_markup(c: char, before: Option<char>, after: &[char]) -> bool {
    let next = after.first().copied();
    match c {
        '\\' | '[' | ']' => true,
        '*' => !(is_gap(before) && is_gap(next)),
        // Inside a word an underscore is only an underscore.
        '_' => !(is_word(before) && is_word(next) || is_gap(before) && is_gap(next)),
        // MDX takes each one for the beginning of a tag.
        '<' => true,
        '&' => is_entity(after),
        '~' => next == Some('~') || before == Some('~'),
        '|' => true,
        _ => false,
    }
}

fn is_gap(c: Option<char>) -> bool {
    c.is_none_or(char::is_whitespace)
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

fn is_entity(after: &[char]) -> bool {
    let name = after.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '#').count();
    name > 0 && after.get(name) == Some(&';')
}

/// Escapes what would be a heading, quote, list, rule, fence or underline at the start of a line.
fn escape_start(line: &str) -> String {
    let bytes = line.as_bytes();
    let opens = |at: usize| matches!(bytes.get(at), None | Some(b' '));
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let hashes = bytes.iter().take_while(|b| **b == b'#').count();
    let at = match bytes.first() {
        Some(b'>' | b'=') => 0,
        Some(b'#') if opens(hashes) => 0,
        // A row of colons and dashes makes a table of the line above it.
        Some(b':') if bytes.get(1) == Some(&b'-') => 0,
        Some(b'*' | b'+') if opens(1) => 0,
        Some(b'-') if opens(1) || matches!(bytes.get(1), Some(b'-' | b':')) => 0,
        Some(b'0'..=b'9') if matches!(bytes.get(digits), Some(b'.' | b')')) && opens(digits + 1) => digits,
        _ => return line.to_owned(),
    };
    format!("{}\\{}", &line[..at], &line[at..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_sentences_stay_as_they_are() {
        for text in [
            "Retries the lease with full jitter (#12): 3 s to 200 ms.",
            "Adds `Router::choose` and removes `select_model` in src/route.",
            "Keeps snake_case_names and a * b and 2 > 1 and R&D, \"quoted\"",
            "Über die Brücke – naïve café",
            "v1.2.3 is out! 100 % done",
        ] {
            assert_eq!(inline(text), text);
        }
    }

    #[test]
    fn what_would_be_markup_is_escaped() {
        for (text, expected) in [
            ("# not a heading", "\\# not a heading"),
            ("> not a quote", "\\> not a quote"),
            ("- not a list", "\\- not a list"),
            ("--- ", "\\---"),
            ("===", "\\==="),
            ("1. not a list", "1\\. not a list"),
            ("*bold* and _emph_", "\\*bold\\* and \\_emph\\_"),
            ("**bold**", "\\*\\*bold\\*\\*"),
            ("__init__.py", "\\_\\_init\\_\\_.py"),
            ("[x](javascript:alert)", "\\[x\\](javascript:alert)"),
            ("![img](http://x)", "!\\[img\\](http://x)"),
            ("<script>alert(1)</script>", "\\<script>alert(1)\\</script>"),
            ("<#@x>", "\\<#@x>"),
            ("1 < 2", "1 \\< 2"),
            (
                "{{< figure >}} {{% notice %}}",
                "&#123;&#123;\\< figure >&#125;&#125; &#123;&#123;% notice %&#125;&#125;",
            ),
            ("{{ .Values.image }}", "&#123;&#123; .Values.image &#125;&#125;"),
            ("{%- raw -%} {# note #}", "&#123;%- raw -%&#125; &#123;# note #&#125;"),
            ("<%= name %>", "&#60;%= name %>"),
            ("${a} {b}", "$&#123;a&#125; &#123;b&#125;"),
            ("Show `{{% note %}}` here", "Show \\`&#123;&#123;% note %&#125;&#125;\\` here"),
            ("`{{x}}` and `y`", "\\`&#123;&#123;x&#125;&#125;\\` and `y`"),
            ("`` {% raw %} ``", "\\`\\` &#123;% raw %&#125; \\`\\`"),
            ("&lt; &amp;#39;", "\\&lt; \\&amp;#39;"),
            ("~~gone~~", "\\~\\~gone\\~\\~"),
            ("a | b", "a \\| b"),
            ("C:\\new", "C:\\\\new"),
            ("one ` alone", "one \\` alone"),
            ("_``_ x", "\\_\\`\\`\\_ x"),
            (":---", "\\:---"),
            ("-:", "\\-:"),
            ("```rust", "\\`\\`\\`rust"),
            ("~~~", "\\~\\~\\~"),
        ] {
            assert_eq!(inline(text), expected);
        }
    }

    #[test]
    fn code_spans_are_kept_and_their_insides_are_not_touched() {
        for text in ["uses `a*b_[c]<d>`", "a ``co`de`` span", "`` ` ``", "`Point { x }` and `%w{a}`"] {
            assert_eq!(inline(text), text);
        }
    }

    #[test]
    fn several_lines_become_one_and_control_characters_go() {
        assert_eq!(inline("a\n\n# b\t\u{1b}[31mc\u{202e}d\r\n"), "a # b \\[31mcd");
    }

    #[test]
    fn a_quote_quotes_every_line() {
        assert_eq!(quote("First.\n\n\n- second\n===\n"), "> First.\n>\n> \\- second\n> \\===");
        assert_eq!(quote("  \n "), "");
    }

    #[test]
    fn code_survives_backticks() {
        assert_eq!(code("abc"), "`abc`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("{{x}}"), "&#123;&#123;x&#125;&#125;");
    }

    #[test]
    fn plain_undoes_inline() {
        for text in [
            "Devlog a_b", "__init__ *x* [1]", "C:\\new | 1. x", "# x", "a \\", "{{< x >}} {% y %}", "`{{ z }}`",
            "&#123;",
        ] {
            assert_eq!(plain(&inline(text)), text);
        }
    }

    #[test]
    fn a_models_markdown_keeps_its_structure_and_loses_its_delimiters() {
        let text = "# The {{ title }}\n\n- Use `Vec<T>` and `{{ x }}` for Option<T>\n\n```yaml\nimage: {{ .Values.image }}\n\
                    {% raw %}\n```\nThen {% raw %} and [a](b).\n\n    {{< indented >}}\n~~~\n`{{ open\n";
        let expected = "# The &#123;&#123; title &#125;&#125;\n\n- Use `Vec<T>` and \\`&#123;&#123; x &#125;&#125;\\` for Option\\<T>\n\n\
                        ```yaml\nimage: {\u{2060}{ .Values.image }\u{2060}}\n{\u{2060}% raw %\u{2060}}\n```\n\
                        Then &#123;% raw %&#125; and [a](b).\n\n    {\u{2060}{< indented >}\u{2060}}\n~~~\n`{\u{2060}{ open\n";
        assert_eq!(without_delimiters(text), expected);
        assert_eq!(without_delimiters(expected), expected);
    }

    #[test]
    fn a_backslash_at_the_end_of_code_stays_one() {
        let page = without_delimiters("`{#\\`#`<`");
        assert_eq!(page, "\\`&#123;#\\\\\\`#`<`");
        assert_eq!(without_delimiters(&page), page);
    }

    /// Delimiters that generators search for in a page's source.
    fn delimiters(page: &str) -> Vec<&'static str> {
        let all = ["{{", "}}", "{%", "%}", "{#", "#}", "<%"];
        all.into_iter().filter(|mark| page.contains(mark)).collect()
    }

    proptest! {
        #[test]
        fn no_template_language_finds_a_delimiter(text in "[{}%#<>`a \\\\\n~-]{0,60}") {
            prop_assert_eq!(delimiters(&inline(&text)), Vec::<&str>::new());
            prop_assert_eq!(delimiters(&code(&text)), Vec::<&str>::new());
            let page = without_delimiters(&text);
            prop_assert_eq!(delimiters(&page), Vec::<&str>::new(), "{}", page);
            prop_assert_eq!(without_delimiters(&page), page);
        }

        #[test]
        fn no_text_can_break_out_of_its_line(text in "[ -~\\n\\t`*_#<>&\\\\\\[\\]|é]{0,60}") {
            let line = inline(&text);
            prop_assert!(!line.contains('\n'));
            for structure in ["# ", "## ", ">", "- ", "+ ", "* ", "--", "=", "~~", "```", " ", "|", "1. "] {
                prop_assert!(!line.starts_with(structure) || line.starts_with("```") && closed(&line), "{line}");
            }
            let mut outside = outside_code(&line);
            outside = outside.replace("\\\\", "");
            for mark in ['[', ']', '`', '|'] {
                let bare = outside.replace(&format!("\\{mark}"), "");
                prop_assert!(!bare.contains(mark), "{mark} in {line}");
            }
        }

        #[test]
        fn escaping_loses_no_word(words in prop::collection::vec("[a-zA-Z0-9_*.<>#{}%`-]{1,8}", 0..8)) {
            let text = words.join(" ");
            prop_assert_eq!(plain(&inline(&text)), text);
        }
    }

    fn closed(line: &str) -> bool {
        closing(line, line.bytes().take_while(|b| *b == b'`').count()).is_some()
    }

    /// The line without its code spans, by the rule of CommonMark: a backslash before a backtick escapes it.
    fn outside_code(line: &str) -> String {
        let (mut out, mut rest) = (String::new(), line);
        while let Some(c) = rest.chars().next() {
            if c == '\\' {
                let two: String = rest.chars().take(2).collect();
                out.push_str(&two);
                rest = &rest[two.len()..];
            } else if c == '`' {
                let run = rest.bytes().take_while(|b| *b == b'`').count();
                let end = closing(rest, run);
                out.push_str(if end.is_some() { "" } else { "`" });
                rest = &rest[end.unwrap_or(run)..];
            } else {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        out
    }
}
