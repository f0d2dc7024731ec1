//! Quoted words: they must stand in the patch in this order.

use super::lexicon::Seen;

/// Words between two words of a quote that may have been left out (marks of links, roles, line starts).
const LEFT_OUT: usize = 3;

/// Whether the words of `quote` follow each other on one side of the lines of `text`, or its letters do.
pub fn is_in(quote: &str, text: &str, ends: &[(usize, Seen)]) -> bool {
    let sought: Vec<&str> = words(quote).collect();
    if sought.is_empty() {
        return true;
    }
    let squeezed = sought.concat();
    [Seen::OLD, Seen::NEW, Seen::SAID.and(Seen::TOLD)].into_iter().any(|side| {
        let (mut from, mut there) = (0, Vec::new());
        for (end, seen) in ends {
            let near = !side.has(Seen::SAID) && seen.has(Seen::NEAR);
            if seen.has(side) || near {
                there.extend(text.get(from..*end).map(words).into_iter().flatten());
            }
            from = *end;
        }
        in_order(&sought, &there) || bounded(&there.concat(), &squeezed)
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// One pass: a match that breaks off begins anew.
fn in_order(words: &[&str], there: &[&str]) -> bool {
    let (mut at, mut passed) = (0, 0);
    for (place, word) in there.iter().enumerate() {
        if words.get(at) == Some(word) {
            (at, passed) = (at + 1, 0);
        } else if at > 0 {
            passed += 1;
            if passed > LEFT_OUT {
                (at, passed) = (usize::from(words.first() == Some(word)), 0);
            }
        }
        // Repeated beginnings: "a a b" in "a a a b".
        if at == 0 && words.first() == there.get(place) {
            (at, passed) = (1, 0);
        }
        if at == words.len() {
            return true;
        }
    }
    false
}

/// Letters alone, so that brackets that were taken out change nothing; a number must not begin or end within another.
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
        is_in(quote, text, &[(text.len(), Seen::NEW)])
    }

    #[test]
    fn a_quote_stands_there_word_by_word() {
        let text = "// the default is 31 days, which makes\n// a :ref:`permanent` session survive [for] a month";
        assert!(has(text, "the default is 31 days, which makes a permanent session survive"));
        assert!(!has(text, "the default is 67 days"));
        assert!(!has(text, "1 days") && has(text, "31 days"));
        assert!(!has(text, "a session makes days"));
        assert!(has("os.pathlike[t.anystr]", "os.pathliket.anystr"));
        assert!(has("a a b c", "a b c") && has(text, "\u{2026}"));
    }
}
