//! Incremental sentence detection in a streamed answer: only the text after the last sentence end is scanned.

use super::preamble::without_preamble;
use crate::text::sentences;

/// Bytes without a sentence end after which none is expected: code, a list, a table.
const LONGEST: usize = 2048;

/// Tracks an answer piece by piece; a piece is about one token.
#[derive(Debug, Clone, Default)]
pub struct SentenceStream {
    pieces: u64,
    /// Text after the last sentence end.
    open: String,
    /// A tentative end that the next piece may revoke (`foo.` becomes `foo.rs`): its offset in `open`, and the piece.
    perhaps: Option<(usize, u64)>,
    first: Option<u64>,
    last: u64,
}

impl SentenceStream {
    /// Adds the next piece.
    pub fn push_piece(&mut self, piece: &str) {
        self.pieces = self.pieces.saturating_add(1);
        self.open.push_str(piece);
        // Only a mark can end a sentence, and only the following text confirms it.
        if self.perhaps.is_some() || piece.contains(is_mark) {
            self.scan();
        }
        if self.open.len() > LONGEST {
            self.open.clear();
            self.perhaps = None;
        }
    }

    /// Pieces so far.
    #[must_use]
    pub fn pieces(&self) -> u64 {
        self.pieces
    }

    /// Pieces since the last confirmed sentence end.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        self.pieces.saturating_sub(self.last)
    }

    /// Pieces up to the end of the first confirmed sentence: further text follows it.
    #[must_use]
    pub fn first_sentence(&self) -> Option<u64> {
        self.first
    }

    /// The same at the end of the stream.
    #[must_use]
    pub fn first_sentence_at_end(&self) -> Option<u64> {
        self.first.or_else(|| self.perhaps.map(|(_, piece)| piece))
    }

    fn scan(&mut self) {
        let before = self.perhaps.take();
        let mut from = 0;
        for end in sentences::ends(&self.open) {
            let piece = before.filter(|(place, _)| *place == end).map_or(self.pieces, |(_, piece)| piece);
            // "Sure!" is no statement.
            let is_statement = without_preamble(&self.open[from..end]).contains(char::is_alphanumeric);
            if self.open[end..].trim_start().is_empty() {
                self.perhaps = is_statement.then_some((end, piece));
            } else if is_statement {
                self.first.get_or_insert(piece);
                self.last = piece;
                from = end;
            }
        }
        self.open.drain(..from);
        self.perhaps = self.perhaps.map(|(place, piece)| (place.saturating_sub(from), piece));
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '\u{3002}' | '\u{ff01}' | '\u{ff1f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stream_of(pieces: &[&str]) -> SentenceStream {
        let mut stream = SentenceStream::default();
        pieces.iter().for_each(|piece| stream.push_piece(piece));
        stream
    }

    #[test]
    fn a_sentence_has_ended_when_something_else_follows_it() {
        let pieces = ["Adds", " a", " retry", ".", " And", " a", " test"];
        assert_eq!(stream_of(&pieces[..3]).first_sentence_at_end(), None);
        let dot = stream_of(&pieces[..4]);
        assert_eq!((dot.first_sentence(), dot.first_sentence_at_end(), dot.unfinished()), (None, Some(4), 4));
        let whole = stream_of(&pieces);
        assert_eq!((whole.first_sentence(), whole.first_sentence_at_end(), whole.unfinished()), (Some(4), Some(4), 3));
    }

    #[test]
    fn a_dot_that_goes_on_ended_nothing() {
        let names = stream_of(&["Moves", " it", " to", " src/", "foo", ".", "rs", " and", " 3", ".", "5"]);
        assert_eq!((names.first_sentence_at_end(), names.unfinished()), (None, 11));
        let quoted = stream_of(&["Says", " \"no", ".\"", " ", "before", " it"]);
        assert_eq!(quoted.first_sentence_at_end(), None);
    }

    #[test]
    fn politeness_is_not_what_is_waited_for() {
        let polite = stream_of(&["Sure", "!", " Adds", " a", " retry", ".", " It"]);
        assert_eq!((polite.first_sentence(), polite.unfinished()), (Some(6), 1));
        assert_eq!(stream_of(&["Sure", "!", " "]).first_sentence_at_end(), None);
    }

    #[test]
    fn one_piece_may_hold_many_sentences() {
        let many = stream_of(&["Adds a. Removes b. Fixes", " c"]);
        assert_eq!((many.first_sentence(), many.unfinished()), (Some(1), 1));
    }

    #[test]
    fn what_never_ends_is_not_kept() {
        let mut endless = SentenceStream::default();
        for _ in 0..20_000 {
            endless.push_piece("a.b");
            assert!(endless.open.len() <= LONGEST);
        }
        assert_eq!(endless.first_sentence_at_end(), None);
        endless.push_piece("\n\nAdds a retry.");
        endless.push_piece(" It");
        assert_eq!(endless.first_sentence(), Some(20_001));
    }

    proptest! {
        #[test]
        fn pieces_tell_what_the_whole_tells(text in "[a-cA-C ]{1,9}([.!?][ ]?[A-C ]{0,9}){0,5}", cuts in prop::collection::vec(0usize..60, 0..9)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&str> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            let (whole, parts) = (stream_of(&[&text]), stream_of(&pieces));
            prop_assert_eq!(whole.first_sentence().is_some(), parts.first_sentence().is_some());
            prop_assert_eq!(whole.first_sentence_at_end().is_some(), parts.first_sentence_at_end().is_some());
            prop_assert!(parts.unfinished() <= parts.pieces());
        }

        #[test]
        fn nothing_that_arrives_is_too_much(pieces in prop::collection::vec(any::<String>(), 0..20)) {
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(stream_of(&pieces).pieces(), pieces.len() as u64);
        }
    }
}
