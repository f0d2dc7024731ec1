//! Quotes the author's note made before the commit.

use super::phrase::one_line;
use crate::domain::context::Context;

/// Longer notes are not quoted (words).
const WORDS: usize = 20;

/// `Noted before: “…”.` for the last note that is short enough and not yet in `text`.
#[must_use]
pub fn note_sentence(context: &Context, text: &str) -> Option<String> {
    let message = text.to_lowercase();
    let fits = |note: &&String| {
        let words = one_line(note);
        (1..=WORDS).contains(&words.split_whitespace().count()) && !message.contains(&plain(&words).to_lowercase())
    };
    context.notes.iter().rev().find(fits).map(|note| quoted(note))
}

/// The text without the sentence that quotes this note; in a custom template with other wording, without the quotation.
#[must_use]
pub fn without_note(text: &str, note: &str) -> String {
    let quoted = quoted(note);
    if !text.contains(&quoted) {
        return text.replace(&marked(note), "\u{201c}\u{2026}\u{201d}");
    }
    one_line(&text.replace(&quoted, " "))
}

fn quoted(note: &str) -> String {
    format!("Noted before: {}.", marked(note))
}

/// In quotation marks that the text itself does not contain.
fn marked(note: &str) -> String {
    let words = one_line(note);
    format!("\u{201c}{}\u{201d}", plain(&words).replace(['\u{201c}', '\u{201d}'], "\""))
}

/// Without its full stop.
fn plain(words: &str) -> &str {
    words.trim_end_matches(['.', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note_text(notes: &[&str], text: &str) -> Option<String> {
        let notes = notes.iter().map(|note| (*note).to_owned()).collect();
        note_sentence(&Context { notes, tickets: vec![] }, text)
    }

    #[test]
    fn the_last_short_note_is_quoted_unless_it_is_said_already() {
        let quoted = "Noted before: “the proxy drops \"idle\" connections”.";
        assert_eq!(
            note_text(&["tried it", "the proxy drops\n“idle” connections."], "Retry login.").as_deref(),
            Some(quoted)
        );
        let long = "word ".repeat(21);
        assert_eq!(note_text(&["tried it", &long], "").as_deref(), Some("Noted before: “tried it”."));
        assert_eq!(note_text(&["Retry login."], "retry login. +3 −1."), None);
        assert_eq!(note_text(&[&long, " . "], ""), None);
        assert_eq!(note_text(&[], ""), None);
    }

    #[test]
    fn the_sentence_can_be_taken_out_again() {
        let note = "the proxy drops\nidle connections";
        let text = format!("Retry login. {} +3 −1.", note_text(&[note], "").unwrap());
        assert_eq!(without_note(&text, note), "Retry login. +3 −1.");
        assert_eq!(without_note("as  it was", note), "as  it was");
        let other = "Vorher: \u{201c}the proxy drops idle connections\u{201d} (Notiz).";
        assert_eq!(without_note(other, note), "Vorher: \u{201c}\u{2026}\u{201d} (Notiz).");
    }
}
