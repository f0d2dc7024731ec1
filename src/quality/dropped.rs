//! Reports which pieces of an answer are missing from the final text, and why.

use super::clean::{self, TextRejection};
use super::expected::ExpectedStyle;
use crate::text::sentences;

/// Maximum pieces reported, and maximum characters of each.
const PIECES: usize = 12;
const CHARS: usize = 160;

/// Maximum sentences checked: each may have to be cleaned, which costs up to half a millisecond.
const LOOKED_AT: usize = 60;

/// Pieces of `answer`, each with why it is not in `text`, in the order of the answer; at most twelve. Those of the
/// sentences in `told` are already reported.
#[must_use]
pub fn pieces(answer: &str, text: Option<&str>, refused: &[&str], expected: &ExpectedStyle) -> Vec<String> {
    let unwrapped = normalized(&clean::unwrapped(answer, true).unwrap_or_default());
    let text = normalized(text.unwrap_or_default());
    let refused: Vec<String> = refused.iter().map(|sentence| normalized(sentence)).collect();
    let has_words = |piece: &&str| piece.chars().any(char::is_alphanumeric);
    let pieces = answer.lines().flat_map(sentences::split).map(str::trim).filter(has_words);
    let dropped = pieces.take(LOOKED_AT).filter_map(|piece| {
        let why = drop_reason(piece, &unwrapped, (&text, &refused), expected)?;
        Some(format!("{} ({why})", shorten(piece)))
    });
    dropped.take(PIECES).collect()
}

/// `None` where the piece is in the text, or already reported.
fn drop_reason(
    piece: &str,
    unwrapped: &str,
    (text, refused): (&str, &[String]),
    expected: &ExpectedStyle,
) -> Option<String> {
    let is_in = |words: &str| text.contains(words) || refused.iter().any(|refused| refused.contains(words));
    let words = normalized(piece);
    if is_in(&words) {
        return None;
    }
    match clean::clean(piece, expected) {
        Ok(line) if is_in(&normalized(&line)) => None,
        // Quoted in JSON or with markup it may differ from the final text.
        Ok(line) if unwrapped.contains(&words) || unwrapped.contains(&normalized(&line)) => {
            Some("a repetition, or beyond the sentence limit".to_owned())
        }
        Ok(_) => Some("reasoning or other wrapping".to_owned()),
        Err(TextRejection::Empty) => Some("no statement about the change".to_owned()),
        Err(why) => Some(why.to_string().replacen("the answer ", "", 1)),
    }
}

/// In lower case, without spaces and punctuation at the ends.
fn normalized(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    words.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

fn shorten(piece: &str) -> String {
    let mut chars = piece.chars();
    let start: String = chars.by_ref().take(CHARS).collect();
    if chars.next().is_some() { format!("{start}\u{2026}") } else { start }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(answer: &str, text: Option<&str>) -> Vec<String> {
        pieces(answer, text, &["It flies."], &ExpectedStyle::of("Add a retry"))
    }

    #[test]
    fn what_is_in_the_text_is_not_told_however_it_was_worded() {
        assert_eq!(dropped("Adds a retry to the client.", Some("Adds a retry to the client.")), [""; 0]);
        assert_eq!(dropped("- **Adds** a retry to the client", Some("Adds a retry to the client.")), [""; 0]);
        assert_eq!(dropped("Adds a retry to the client. It flies.", Some("Adds a retry to the client.")), [""; 0]);
    }

    #[test]
    fn each_piece_that_was_left_out_is_told_with_why() {
        let answer =
            "Sure! Here is the summary:\nAdds a retry to the client.\nAdds a retry to the client too, once more.";
        let found = dropped(answer, Some("Adds a retry to the client."));
        assert!(found.iter().any(|piece| piece.contains("Here is the summary")), "{found:?}");
        assert!(found.iter().any(|piece| piece.ends_with("once more. (a repetition, or beyond the sentence limit)")));
        let refused = dropped("I'm sorry, but I cannot help with that.", None);
        assert_eq!(refused, ["I'm sorry, but I cannot help with that. (the model refused)"]);
        let foreign = dropped("Der Klient versucht es jetzt bei jedem Fehler noch einmal von vorne.", None);
        assert!(foreign.len() == 1 && foreign[0].ends_with("(is in another language)"), "{foreign:?}");
    }

    #[test]
    fn many_and_long_pieces_are_cut() {
        let answer: String = (0..40).map(|n| format!("Sentence {n} says {}.\n", "very ".repeat(60))).collect();
        let found = dropped(&answer, None);
        assert!(found.len() == PIECES && found.iter().all(|piece| piece.chars().count() < CHARS + 60), "{found:?}");
    }

    #[test]
    fn thoughts_are_told_as_thoughts() {
        let found = dropped("<think>The user wants a summary of it.</think>\nAdds a retry.", Some("Adds a retry."));
        assert!(found.len() == 1 && found[0].contains("The user wants"), "{found:?}");
    }
}
