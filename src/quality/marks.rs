//! Recognises non-prose lines and surrounding marks: patches, tables, bullets, quotes.

/// A line of a diff or of our list of files.
pub(super) fn is_patch_line(line: &str) -> bool {
    let starts = [
        "diff --git", "index ", "@@ ", "--- a/", "+++ b/", "--- /dev/null", "+++ /dev/null", "new file mode",
        "deleted file mode", "rename from ", "rename to ", "similarity index ", "Binary files ",
    ];
    let line = line.trim_end();
    let listed = || {
        let mut words = line.split_whitespace().rev();
        let counts = |word: Option<&str>, mark| {
            word.and_then(|word| word.strip_prefix(mark)).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        };
        counts(words.next(), '-') && counts(words.next(), '+')
    };
    let whole = |start: &str| {
        let one_word = || line.split_whitespace().count() == 3;
        line.starts_with(start)
            && (start != "index " || line.contains(".."))
            && (!start.starts_with("rename ") || one_word())
    };
    starts.into_iter().any(whole) || listed()
}

/// `| file | change |`, or the separator row below its head.
pub(super) fn is_table_line(line: &str) -> bool {
    let line = line.trim();
    let ruler = line.len() > 2 && line.chars().all(|c| "|-=:+ *_".contains(c));
    ruler || (line.starts_with('|') && line.matches('|').count() >= 2)
}

/// Bullets, numbering, headings and quote marks at a line's start.
pub(super) fn without_bullet(line: &str) -> &str {
    let line = line.trim();
    let line = line.trim_start_matches('>').trim_start();
    let line = if line.starts_with('#') && line.trim_start_matches('#').starts_with(' ') {
        line.trim_start_matches('#').trim_start()
    } else {
        line
    };
    for bullet in ["- ", "* ", "+ ", "• ", "– ", "— ", "· ", "-- ", "‣ ", "▪ ", "◦ ", "● ", "→ ", "-> ", "» "]
    {
        if let Some(rest) = line.strip_prefix(bullet) {
            return without_checkbox(rest.trim_start());
        }
    }
    let (number, rest) = match line.strip_prefix('(') {
        Some(inner) => inner.split_once(')').unwrap_or(("", "")),
        None => line.split_once(['.', ')']).unwrap_or(("", "")),
    };
    let counts = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    if counts && rest.starts_with(' ') { rest.trim_start() } else { without_checkbox(line) }
}

fn without_checkbox(line: &str) -> &str {
    ["[ ] ", "[x] ", "[X] "].iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line)
}

/// Pairs of quotes or emphasis marks around the whole text.
pub(super) fn without_quotes(text: &str) -> &str {
    let mut text = text.trim();
    for (open, close) in [
        ("**", "**"),
        ("\"\"\"", "\"\"\""),
        ("'''", "'''"),
        ("\"", "\""),
        ("\u{201c}", "\u{201d}"),
        ("\u{201e}", "\u{201c}"),
        ("\u{ab}", "\u{bb}"),
        ("\u{2018}", "\u{2019}"),
        ("\u{300c}", "\u{300d}"),
        ("'", "'"),
        ("`", "`"),
        ("*", "*"),
        ("_", "_"),
        ("(", ")"),
        ("[", "]"),
    ] {
        if let Some(inner) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close))
            && !inner.is_empty()
            && !inner.contains(open)
            && !inner.contains(close)
        {
            text = inner.trim();
        }
    }
    for (open, close) in [('\u{201c}', '\u{201d}'), ('\u{ab}', '\u{bb}'), ('\u{300c}', '\u{300d}')] {
        if text.contains(open) != text.contains(close) {
            text = text.trim_start_matches(open).trim_end_matches(close).trim();
        }
    }
    let closes = text
        .char_indices()
        .skip(1)
        .any(|(at, c)| c == '\'' && !text[at + 1..].starts_with(|next: char| next.is_alphanumeric() || next == '\''));
    if text.starts_with('\'') && !closes {
        text = text.trim_start_matches('\'').trim();
    }
    let torn = text.matches('"').count() % 2 == 1 || text.starts_with("\"\"");
    if torn && (text.starts_with('"') || text.ends_with('"')) { text.trim_matches('"').trim() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_lines_and_tables_are_seen() {
        for line in ["diff --git a/x b/x", "@@ -1 +1 @@ fn a", "modified src/a.rs +2 -0", "index 1a2..3b4 100644"] {
            assert!(is_patch_line(line), "{line}");
        }
        assert!(!is_patch_line("index the new table") && !is_patch_line("Adds a."));
        assert!(is_table_line("| File | Change |") && is_table_line("|---|---|") && is_table_line("-----"));
        assert!(!is_table_line("Adds a | b."));
    }
}
