//! Substring search: finds pieces of some texts (removed, quoted or copied) in other texts.

use std::collections::HashSet;
use std::io::{self, Read};

/// Minimum piece length in bytes: shorter ones (`fix`) occur in many texts.
const SHORTEST: usize = 12;
/// Window length in bytes; longer pieces are recognised by their windows.
const WINDOW: usize = 24;
/// Bytes between two window starts: a piece of `WINDOW + STRIDE - 1` bytes holds a whole window.
const STRIDE: usize = 8;
/// Read buffer of a stream, in bytes.
const PART: usize = 1 << 20;

/// The pieces of some texts. Texts are split where a log would quote or escape them: at line ends, tabs, quotation
/// marks and backslashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fragments {
    windows: HashSet<[u8; WINDOW]>,
    /// Pieces shorter than a window.
    short: HashSet<Vec<u8>>,
}

impl Fragments {
    /// The pieces of `texts`; texts below the minimum length have none.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut fragments = Self::default();
        for text in texts {
            text.split(['\n', '\r', '\t', '"', '\\']).for_each(|piece| fragments.add(piece.trim().as_bytes()));
        }
        fragments
    }

    fn add(&mut self, piece: &[u8]) {
        match piece.len() {
            ..SHORTEST => {}
            SHORTEST..WINDOW => drop(self.short.insert(piece.to_vec())),
            _ => {
                let windows =
                    piece.windows(WINDOW).step_by(STRIDE).filter_map(|window| <[u8; WINDOW]>::try_from(window).ok());
                self.windows.extend(windows);
                self.windows.extend(piece.last_chunk());
            }
        }
    }

    /// True if there is nothing to search for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty() && self.short.is_empty()
    }

    /// True if a piece, or `WINDOW + STRIDE - 1` bytes of one, occurs in these bytes.
    #[must_use]
    pub fn are_in(&self, bytes: &[u8]) -> bool {
        let mut windows = bytes.windows(WINDOW);
        if !self.windows.is_empty() && windows.any(|window| self.windows.contains(window)) {
            return true;
        }
        let text = String::from_utf8_lossy(bytes);
        self.short.iter().any(|piece| text.contains(&*String::from_utf8_lossy(piece)))
    }

    /// The same for a stream of any length.
    ///
    /// # Errors
    /// The stream cannot be read.
    pub fn are_in_stream(&self, mut stream: impl Read) -> io::Result<bool> {
        let mut bytes = Vec::new();
        loop {
            // A piece may cross the border of two reads.
            let kept = bytes.len().min(WINDOW - 1);
            bytes.drain(..bytes.len() - kept);
            let read = stream.by_ref().take(PART as u64).read_to_end(&mut bytes)?;
            if read == 0 {
                return Ok(false);
            }
            if self.are_in(&bytes) {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "Let the token expire\n\nThe customer's key \"k-4711-okapi\" was in it.\nShort.";

    #[test]
    fn a_piece_is_found_wherever_it_was_cut_out_or_escaped() {
        let fragments = Fragments::of([MESSAGE]);
        for text in [
            MESSAGE,
            "400: {\\\"prompt\\\": \\\"Let the token expire\\\\n\\\\nThe cust",
            "prefix Let the token expire",
            "key: k-4711-okapi!",
        ] {
            assert!(fragments.are_in(text.as_bytes()), "{text}");
        }
        for text in ["", "Short.", "Let the token", "the disk is full", "a customer's key"] {
            assert!(!fragments.are_in(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_long_line_is_found_wherever_it_starts() {
        let line: String = (0..60).map(|n| format!("{n:02}-")).collect();
        let fragments = Fragments::of([line.as_str()]);
        for start in 0..line.len() - (WINDOW + STRIDE - 1) {
            assert!(fragments.are_in(&line.as_bytes()[start..start + WINDOW + STRIDE - 1]), "{start}");
        }
        assert!(fragments.are_in(&line.as_bytes()[line.len() - WINDOW..]), "its end");
        assert!(!fragments.are_in(&line.as_bytes()[..WINDOW - 1]));
    }

    #[test]
    fn nothing_of_a_text_that_says_nothing() {
        assert!(Fragments::of(["fix", "", "a\nb"]).is_empty());
        assert!(!Fragments::of(["fix"]).are_in(b"the prefix is wrong"));
    }

    #[test]
    fn a_piece_across_the_parts_of_a_stream_is_found() {
        for before in [0, PART - 10, PART, 2 * PART - 3] {
            let mut bytes = vec![b'x'; before];
            bytes.extend_from_slice(b"Let the token expire");
            assert!(Fragments::of([MESSAGE]).are_in_stream(bytes.as_slice()).unwrap(), "{before}");
            assert!(!Fragments::of(["something else entirely"]).are_in_stream(bytes.as_slice()).unwrap());
        }
        assert!(!Fragments::of([MESSAGE]).are_in_stream(io::empty()).unwrap());
    }
}
