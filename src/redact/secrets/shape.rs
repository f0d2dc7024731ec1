//! Token shapes: a distinctive prefix, then runs of fixed alphabets.
//!
//! Matched by hand instead of by one regex each: some two hundred rules stay one pass over the text, and a match costs
//! only the bytes it examines.

use std::ops::Range;

use super::words::{is_random, share, turns};

/// No upper limit.
pub(super) const MANY: usize = usize::MAX;
/// Only this many bytes of the tail are checked, so that a long token costs no more than a short one.
const JUDGED: usize = 256;
/// With fewer different characters it is a placeholder (`xxxxxxxx`), not a token.
const DISTINCT: usize = 5;

/// An alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    Digits,
    Hex,
    /// Lower case and digits.
    Lower,
    /// Upper case and digits.
    Upper,
    Alnum,
    /// Letters, digits, `_`.
    Word,
    /// Letters, digits, `_`, `-`: URL-safe Base64.
    Url,
    /// The same with `.`, `=`, `~`.
    Loose,
    /// Base64, with its padding.
    Base64,
    /// URL-encoded Base64: `%2B`, `%3D`.
    Percent,
    /// Letters, digits and path separators.
    Path,
    /// Base64 of either kind, with its padding.
    Any,
    /// Capitals and digits in groups.
    Groups,
    /// All printable characters except spaces.
    Visible,
}

impl Alphabet {
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Self::Digits => byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Lower => byte.is_ascii_digit() || byte.is_ascii_lowercase(),
            Self::Upper => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Loose => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'=' | b'~'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Self::Percent => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'%' | b'_' | b'-'),
            Self::Path => byte.is_ascii_alphanumeric() || b"_-/@.%+=".contains(&byte),
            Self::Any => byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte),
            Self::Groups => Self::Upper.has(byte) || byte == b'-',
            Self::Visible => byte.is_ascii_graphic(),
        }
    }

    /// Number of matching bytes from `from` on, at most `most`.
    pub(super) fn run(self, bytes: &[u8], from: usize, most: usize) -> usize {
        bytes.get(from..).map_or(0, |rest| rest.iter().take(most).take_while(|byte| self.has(**byte)).count())
    }

    /// Number of matching bytes before `to`, at most `most`.
    fn run_before(self, bytes: &[u8], to: usize, most: usize) -> usize {
        bytes.get(..to).map_or(0, |head| head.iter().rev().take(most).take_while(|byte| self.has(**byte)).count())
    }
}

/// A part of a token.
#[derive(Debug, Clone, Copy)]
pub(super) enum ShapePart {
    /// A maximal run of an alphabet, with minimum and maximum length in bytes.
    Run(Alphabet, usize, usize),
    /// Exactly this many bytes of an alphabet, whatever follows.
    Take(Alphabet, usize),
    Is(&'static str),
    /// Any number of runs after a full stop, of any length.
    Rest(Alphabet),
}

/// Additional condition for a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MatchCondition {
    Always,
    /// It contains a digit.
    Digit,
    /// No letter or digit before it.
    Alone,
    /// Both, which excludes `task-1` and `.sk-folding-cube`; or letters alone that form no words.
    AloneDigit,
    /// No letter or digit before it, and it has digits, capitals and lower-case letters.
    AloneMixed,
    /// No letter or digit before it, and it does not consist of words.
    AloneRandom,
    /// Nothing before it except the start of a value.
    Opened,
    /// The prefix is so distinctive that placeholders are not excluded.
    Telling,
}

/// A token shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenShape {
    pub(super) kind: &'static str,
    /// Case-sensitive.
    pub(super) prefix: &'static str,
    /// Token part before the prefix: an alphabet, minimum, maximum.
    pub(super) before: Option<(Alphabet, usize, usize)>,
    pub(super) parts: &'static [ShapePart],
    pub(super) only: MatchCondition,
    /// The prefix is a URL or a name and may stay.
    pub(super) keep_prefix: bool,
}

impl TokenShape {
    /// The token around its prefix at `at`; matched bytes are always ASCII.
    ///
    /// # Errors
    /// No match, and none begins before the given offset either: all candidates up to there end in the same run.
    pub(super) fn match_at(&self, text: &str, at: usize) -> Result<Range<usize>, usize> {
        let bytes = text.as_bytes();
        let tail = at + self.prefix.len();
        let (Some(start), true) = (self.start(bytes, at), bytes.get(at..tail) == Some(self.prefix.as_bytes())) else {
            return Err(at);
        };
        let alone = start == 0 || !bytes.get(start - 1).is_some_and(u8::is_ascii_alphanumeric);
        if !alone && !matches!(self.only, MatchCondition::Always | MatchCondition::Digit | MatchCondition::Telling) {
            return Err(at);
        }
        let (first, end) = end(self.parts, bytes, tail)?;
        let judged = if start < at { start..end.min(tail + JUDGED) } else { tail..end.min(tail + JUDGED) };
        let judged = bytes.get(judged).unwrap_or_default();
        let is_met = match self.only {
            MatchCondition::Always => true,
            MatchCondition::Digit => has_digit(judged),
            MatchCondition::Alone => true,
            MatchCondition::AloneDigit => has_digit(judged) || is_jumble(text, tail..end.min(tail + JUDGED)),
            MatchCondition::AloneMixed => is_mixed(judged),
            MatchCondition::AloneRandom => text.get(tail..end.min(tail + JUDGED)).is_some_and(is_random),
            MatchCondition::Opened => is_opened(bytes, start) && is_random(text.get(tail..end).unwrap_or_default()),
            MatchCondition::Telling => true,
        };
        if self.only != MatchCondition::Telling && !is_varied(judged) {
            // Nor does any other candidate that begins in its first run.
            return Err(first.max(tail));
        }
        if !is_met {
            return Err(at);
        }
        // Extended to the end only now: the checks above examine a few bytes.
        let end = self.whole(bytes, end);
        Ok(if self.keep_prefix { tail..end } else { start..end })
    }

    fn start(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let Some((of, least, most)) = self.before else { return Some(at) };
        let run = of.run_before(bytes, at, most);
        (run >= least).then(|| at - run)
    }

    fn whole(&self, bytes: &[u8], end: usize) -> usize {
        match self.parts {
            [.., ShapePart::Run(of, _, MANY)] => end + of.run(bytes, end, MANY),
            [.., ShapePart::Run(run, _, MANY), ShapePart::Rest(of)] => {
                let end = end + run.run(bytes, end, MANY);
                end + rest(*of, bytes, end)
            }
            _ => end,
        }
    }
}

/// End offsets of the first part and of all parts, starting at `tail`.
fn end(parts: &[ShapePart], bytes: &[u8], tail: usize) -> Result<(usize, usize), usize> {
    let (mut at, mut first) = (tail, tail);
    for (n, part) in parts.iter().enumerate() {
        let last = matches!(parts.get(n + 1), None | Some(ShapePart::Rest(_)));
        let length = match part {
            ShapePart::Run(of, least, most) => {
                // For an unbounded last part `JUDGED` bytes decide.
                let look = if last { (*most).min(JUDGED.max(*least)) } else { *most };
                let run = of.run(bytes, at, look.saturating_add(1));
                (*least..=*most).contains(&run).then_some(run)
            }
            ShapePart::Take(of, n) => (of.run(bytes, at, *n) == *n).then_some(*n),
            ShapePart::Rest(_) => Some(0),
            ShapePart::Is(text) => bytes.get(at..).filter(|rest| rest.starts_with(text.as_bytes())).map(|_| text.len()),
        };
        at += length.ok_or(if n == 0 { tail } else { first })?;
        first = if n == 0 { at } else { first };
    }
    Ok((first, at))
}

/// Whether a value consists of exactly these parts.
pub(super) fn matches(parts: &[ShapePart], value: &str) -> bool {
    end(parts, value.as_bytes(), 0).is_ok_and(|(_, end)| end == value.len())
}

fn rest(of: Alphabet, bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while bytes.get(at) == Some(&b'.') {
        let run = of.run(bytes, at + 1, MANY);
        if run == 0 {
            break;
        }
        at += 1 + run;
    }
    at - from
}

/// Whether no part of a name or a URL precedes `at`; `${NAME:-…}` starts a value.
fn is_opened(bytes: &[u8], at: usize) -> bool {
    let head = bytes.get(..at).unwrap_or_default();
    head.ends_with(b":-") || !head.last().is_some_and(|byte| b"._-&".contains(byte))
}

fn is_jumble(text: &str, tail: Range<usize>) -> bool {
    text.get(tail).is_some_and(|tail| {
        tail.len() >= 16 && (share(tail) < 10 || (share(tail) < 40 && turns(tail) * 3 >= tail.len()))
    })
}

fn has_digit(bytes: &[u8]) -> bool {
    bytes.iter().any(u8::is_ascii_digit)
}

fn is_mixed(bytes: &[u8]) -> bool {
    has_digit(bytes) && bytes.iter().any(u8::is_ascii_lowercase) && bytes.iter().any(u8::is_ascii_uppercase)
}

fn is_varied(bytes: &[u8]) -> bool {
    let mut seen: Vec<u8> = Vec::with_capacity(DISTINCT);
    for byte in bytes {
        if !seen.contains(byte) {
            seen.push(*byte);
            if seen.len() >= DISTINCT {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: TokenShape = TokenShape {
        kind: "k",
        prefix: "ab_",
        before: None,
        parts: &[ShapePart::Run(Alphabet::Alnum, 6, 8), ShapePart::Is("."), ShapePart::Run(Alphabet::Hex, 2, MANY)],
        only: MatchCondition::AloneDigit,
        keep_prefix: false,
    };

    #[test]
    fn parts_follow_each_other_without_a_gap() {
        assert_eq!(PLAIN.match_at("x ab_qwe123.ff0 y", 2), Ok(2..15));
        for text in ["ab_qwe12.ff0", "ab_qwe123456.ff", "ab_qwe123-ff0", "ab_qwe123.f", "AB_qwe123.ff0", "ab_qwe123"] {
            assert!(PLAIN.match_at(text, 0).is_err(), "{text}");
        }
    }

    #[test]
    fn words_that_end_in_a_prefix_and_placeholders_are_none() {
        assert!(PLAIN.match_at("cab_qwe123.ff0", 1).is_err());
        assert!(PLAIN.match_at("ab_xxxxxx.xx", 0).is_err());
    }

    #[test]
    fn a_token_is_taken_to_its_very_end() {
        let long = format!("ab_qwe123.{}", "0a".repeat(9_000));
        assert_eq!(PLAIN.match_at(&long, 0), Ok(0..long.len()));
    }

    #[test]
    fn what_stands_before_the_prefix_can_belong_to_it() {
        let shape = TokenShape { before: Some((Alphabet::Lower, 5, 6)), only: MatchCondition::Always, ..PLAIN };
        assert_eq!(shape.match_at("-x12z3ab_qwe123.ff", 6), Ok(1..18));
        assert!(shape.match_at("x12ab_qwe123.ff", 3).is_err());
    }
}
