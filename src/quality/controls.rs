//! Removes invisible characters and terminal control sequences.

/// Removes escape sequences, control, bidirectional, zero-width and private-use characters. Newlines stay, other blanks
/// become spaces, full-width ASCII becomes ASCII. Replacement characters stay: they mark a damaged word.
pub(super) fn without_controls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_parameters(&mut chars),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => clean.push('\n'),
            '\n' => clean.push('\n'),
            '\t' => clean.push(' '),
            _ if c.is_control() || is_invisible(c) => {}
            _ if c.is_whitespace() => clean.push(' '),
            '\u{ff01}'..='\u{ff5e}' => clean.extend(char::from_u32(u32::from(c) - 0xfee0)),
            _ => clean.push(c),
        }
    }
    clean
}

/// Characters without meaning in plain text.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{10ffff}')
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips an escape sequence: a control sequence, a command string, or one character.
fn skip_escape(chars: &mut Chars<'_>) {
    match chars.next_if(|c| ('\u{20}'..='\u{7e}').contains(c)) {
        Some('[') => skip_parameters(chars),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while chars.next_if(|c| !matches!(c, '\u{7}' | '\u{1b}' | '\u{9c}' | '\n')).is_some() {}
        }
        Some('(' | ')') => drop(chars.next_if(char::is_ascii_alphanumeric)),
        _ => {}
    }
}

fn skip_parameters(chars: &mut Chars<'_>) {
    while chars.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {}
    chars.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
}

/// The text without replacement characters; `None` when one is inside a word, because the word is then damaged.
pub(super) fn mended(text: &str) -> Option<String> {
    if !text.contains('\u{fffd}') {
        return Some(text.to_owned());
    }
    let mut mended = String::with_capacity(text.len());
    let mut before = ' ';
    let mut damaged = false;
    for c in text.chars() {
        damaged |= (c == '\u{fffd}' && before.is_alphanumeric()) || (before == '\u{fffd}' && c.is_alphanumeric());
        if c != '\u{fffd}' {
            mended.push(c);
        }
        before = c;
    }
    (!damaged).then_some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_of_all_kinds_go() {
        for text in [
            "\u{1b}[32ma\u{1b}[0mb",
            "\u{1b}]0;title\u{7}ab",
            "\u{1b}]8;;http://x\u{1b}\\ab",
            "\u{1b}Pq#0\u{1b}\\ab",
            "a\u{9b}1mb",
            "\u{1b}(Bab",
            "a\u{202e}b\u{200b}\u{ad}\u{e0061}",
            "\u{ff41}\u{ff42}",
        ] {
            assert_eq!(without_controls(text), "ab", "{text:?}");
        }
    }

    #[test]
    fn blanks_and_line_ends_are_made_plain() {
        assert_eq!(without_controls("a\u{a0}b\tc\r\nd\re\u{2028}f\u{3000}g"), "a b c\nd\ne\nf g");
    }

    #[test]
    fn a_damaged_word_is_told_from_a_damaged_margin() {
        assert_eq!(mended("Adds a.\u{fffd}").as_deref(), Some("Adds a."));
        assert_eq!(mended("caf\u{fffd} bar"), None);
        assert_eq!(mended("\u{fffd}dds a"), None);
    }
}
