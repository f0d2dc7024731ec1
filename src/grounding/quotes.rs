//! Quotation check: quoted words must occur in the patch in this order.

use super::lexicon::SideSet;

/// Maximum words that may be omitted between two quoted words (link markup, roles, line starts).
const LEFT_OUT: usize = 3;
/// Maximum candidate positions for a quote.
const STARTS: usize = 64;

/// Whether the words of `quote`, or its letters, occur in sequence on one side of the lines of `text`.
pub fn is_in(quote: &str, text: &str, ends: &[(usize, SideSet)]) -> bool {
    let sought: Vec<&str> = words(quote).collect();
    if sought.is_empty() {
        return true;
    }
    let squeezed = sought.concat();
    [SideSet::OLD, SideSet::NEW, SideSet::AUTHOR.and(SideSet::FACTS)].into_iter().any(|side| {
        let (mut from, mut there) = (0, Vec::new());
        for (end, sides) in ends {
            let near = !side.has(SideSet::AUTHOR) && sides.has(SideSet::CONTEXT);
            if sides.has(side) || near {
                there.extend(text.get(from..*end).map(words).into_iter().flatten());
            }
            from = *end;
        }
        in_order(&sought, &there) || bounded(&there.concat(), &squeezed)
    })
}

/// URLs are skipped: a link is quoted by its text, without the target.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let pieces = text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '<' | '>'));
    let plain = pieces.filter(|piece| !piece.contains("://"));
    plain.flat_map(|piece| piece.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()))
}

/// Matches from each possible start of the quote, up to a bound.
fn in_order(words: &[&str], there: &[&str]) -> bool {
    let starts = there.iter().enumerate().filter(|(_, word)| words.first() == Some(word)).map(|(at, _)| at);
    starts.take(STARTS).any(|start| follows(words, there.get(start..).unwrap_or_default()))
}

fn follows(words: &[&str], there: &[&str]) -> bool {
    let (mut at, mut passed) = (0, 0);
    for word in there {
        if words.get(at) == Some(word) {
            (at, passed) = (at + 1, 0);
        } else {
            passed += 1;
        }
        if at == words.len() || passed > LEFT_OUT {
            break;
        }
    }
    at == words.len()
}

/// Compares letters only, so that removed brackets do not matter; a number must not match inside another.
fn bounded(there: &str, squeezed: &str) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    there.match_indices(squeezed).any(|(at, _)| {
        let (before, after) = (&there[..at], &there[at + squeezed.len()..]);
        let cut = (squeezed.starts_with(|c: char| c.is_ascii_digit()) && digit(before.chars().next_back()))
            || (squeezed.ends_with(|c: char| c.is_ascii_digit()) && digit(after.chars().next()));
        !cut
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(text: &str, quote: &str) -> bool {
        is_in(quote, text, &[(text.len(), SideSet::NEW)])
    }

    #[test]
    fn a_quote_stands_there_word_by_word() {
        let text = "// the default is 31 days, which makes\n// a :ref:`permanent` session survive [for] a month";
        assert!(has(text, "the default is 31 days, which makes a permanent session survive"));
        assert!(!has(text, "the default is 67 days"));
        assert!(!has(text, "1 days") && has(text, "31 days"));
        assert!(!has(text, "a session makes days"));
        assert!(has("os.pathlike[t.anystr]", "os.pathliket.anystr"));
        let link = "says (#14 by [nk](https://example.org/casey/just/pull/14/files)) twice";
        assert!(has(link, "#14 by nk twice") && !has(link, "#15 by nk"));
        assert!(has("a a b c", "a b c") && has(text, "\u{2026}"));
    }
}
