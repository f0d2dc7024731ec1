//! Strips Markdown and HTML from a line that should be plain. Inline code is not modified.

use std::sync::LazyLock;

use regex::Regex;

use super::spans::around_code;

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static BOLD: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\*\*\*?([^*\s][^*]*?)\*\*\*?"));
static EMPHASIS: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(^|[\s(])[*_]([A-Za-z][A-Za-z ,'-]*[A-Za-z])[*_]($|[\s.,;:!?)])"));
static STRUCK: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(^|\s)~~([^~\s][^~]*)~~"));
static LINK: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(^|[\s(*])!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]*\))*\)"));
static HTML: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)</?(?:p|br|hr|b|i|u|em|strong|ul|ol|li|div|span|small|h[1-6]|pre|details|blockquote|sup|sub|tt|kbd",
        r"|title|body|html|font|center)\s*/?>",
    ))
});
static CODE: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?i)<code>([^<>`]*)</code>"));
static SHORTCODE: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^\s*:[a-z0-9_+-]{2,30}:\s+"));

/// Removes emphasis, links, tags, escapes and emoji at the ends.
pub(super) fn plain(line: &str) -> String {
    let line = replace(&CODE, line, "`$1`");
    let line = around_code(&line, prose);
    let line = replace(&SHORTCODE, line.trim(), "");
    even_backticks(without_torn_marks(without_emoji(&line).trim()))
}

/// `**Adds a.`: unbalanced emphasis. `**kwargs` is a name.
fn without_torn_marks(line: &str) -> &str {
    let rest = line.trim_start_matches(['*', '_', '~']);
    let marks = &line[..line.len() - rest.len()];
    let torn = !marks.is_empty() && !rest.contains(marks) && rest.starts_with(|c: char| c.is_uppercase() || c == '`');
    let line = if torn { rest } else { line };
    let bare = line.trim_end_matches(['*', '_', '~']);
    if line.ends_with("**") || bare.ends_with(['.', '!', '?']) { bare.trim_end() } else { line }
}

fn prose(text: &str) -> String {
    let text = replace(&LINK, text, "$1$2");
    let text = if text.contains("**") { replace(&BOLD, &text, "$1") } else { text };
    let text = replace(&EMPHASIS, &text, "$1$2$3");
    let text = replace(&STRUCK, &text, "$1");
    let text = if is_marked_up(&text) { replace(&HTML, &text, " ") } else { text };
    let text = unescaped(&text);
    let mut text = text.replace("&quot;", "\"").replace("&#39;", "'").replace("&nbsp;", " ").replace("&apos;", "'");
    if text.contains("***") {
        text = text.replace("***", "");
    }
    text
}

/// Structural HTML tags, not tags that the text is about.
fn is_marked_up(text: &str) -> bool {
    let low = text.trim().to_lowercase();
    low.starts_with('<')
        || low.ends_with('>')
        || low.contains("<br")
        || low.contains("</strong>")
        || low.contains("</b>")
        || low.contains("</em>")
}

/// `load\_config`: Markdown escapes.
fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escapes = c == '\\' && chars.peek().is_some_and(|next| matches!(next, '_' | '*' | '`' | '#' | '"' | '\''));
        if !escapes {
            plain.push(c);
        }
    }
    plain
}

fn replace(pattern: &LazyLock<Option<Regex>>, text: &str, with: &str) -> String {
    pattern.as_ref().map_or_else(|| text.to_owned(), |pattern| pattern.replace_all(text, with).into_owned())
}

/// Emoji before and after the words; inside the text they may be part of the change.
pub(super) fn without_emoji(text: &str) -> &str {
    text.trim_start_matches(|c: char| is_picture(c) || c == ' ').trim_end_matches(|c: char| is_picture(c) || c == ' ')
}

fn is_picture(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{2300}'..='\u{23ff}'
        | '\u{25a0}'..='\u{25ff}' | '\u{2190}'..='\u{21ff}' | '\u{20e3}' | '\u{3030}')
}

/// A single backtick without its pair.
fn even_backticks(line: &str) -> String {
    if line.matches('`').count().is_multiple_of(2) {
        return line.to_owned();
    }
    let at = line.rfind('`').unwrap_or(line.len());
    let (before, after) = line.split_at(at);
    format!("{before}{}", after.trim_start_matches('`'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_words_stay() {
        for (text, expected) in [
            ("Adds **a retry** to `login`.", "Adds a retry to `login`."),
            ("**Adds `a`**", "Adds `a`"),
            ("Adds *one* and _two_.", "Adds one and two."),
            ("See [the docs](https://example.org/a_(b)).", "See the docs."),
            ("<p>Adds a <strong>retry</strong>.</p>", "Adds a retry ."),
            ("Adds <code>a()</code>.", "Adds `a()`."),
            ("Reads load\\_config.", "Reads load_config."),
            ("\u{2728} Adds a. \u{1f680}", "Adds a."),
            (":sparkles: Adds a.", "Adds a."),
            ("Adds `a", "Adds a"),
        ] {
            assert_eq!(plain(text).replace("  ", " "), expected, "{text}");
        }
    }

    #[test]
    fn code_and_what_looks_like_a_mark_stay() {
        for text in [
            "Renames `**x**` to `_y_`.",
            "Adds `__init__` and __all__.",
            "Matches *.rs and *.toml.",
            "Takes a `*const T`, not a *mut T.",
            "Adds a <div> around it.",
            "Reads C:\\new and snake_case_name.",
            "Calls a[0](b) and `[x](y)`.",
        ] {
            assert_eq!(plain(text), text);
        }
    }
}
