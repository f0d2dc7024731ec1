//! Token end: redaction must cover the whole key, because a marker followed by the rest of it is worse than none.

use super::words::share;

/// Characters that join the parts of a token.
const JOINERS: &[u8] = b"-._=@+/~%\\";
/// Maximum joiners between two parts.
const GAP: usize = 2;
/// A shorter part counts only as the last of a run of letters and digits.
const PART: usize = 4;
/// Bytes of a part that are checked.
const JUDGED: usize = 256;

/// The end of the token that contains the match ending at `at`: adjacent letters and digits, padding, and joined parts
/// that look random as well.
pub(super) fn end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize| bytes.get(from..).map_or(0, |rest| rest.iter().take_while(|b| is_inner(**b)).count());
    let mut end = at + run(at);
    let mut ahead = end;
    loop {
        let gap = bytes.get(ahead..).unwrap_or_default().iter().take(GAP).take_while(|b| JOINERS.contains(b)).count();
        let from = ahead + gap;
        let length = run(from);
        let part = text.get(from..from + length.min(JUDGED)).unwrap_or_default();
        if gap == 0 || length == 0 {
            break;
        }
        ahead = from + length;
        if is_part(part) {
            end = ahead;
        } else if length > PART {
            // A word: the text after it does not belong to the token.
            break;
        }
    }
    let padding = bytes.get(end..).unwrap_or_default().iter().take_while(|b| **b == b'=').count();
    let more = bytes.get(end + padding).is_some_and(|b| is_inner(*b));
    if padding <= GAP && !more { end + padding } else { end }
}

fn is_inner(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_part(part: &str) -> bool {
    let (digits, length) = (part.bytes().filter(u8::is_ascii_digit).count(), part.len());
    let letters = length - digits;
    length >= PART && share(part) < 50 && ((digits > 0 && letters > 0) || length >= 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rest(text: &str) -> &str {
        let at = text.find('|').unwrap();
        let text = text.replace('|', "");
        let end = end(&text, at);
        Box::leak(text[end..].to_owned().into_boxed_str())
    }

    #[test]
    fn a_token_goes_on_where_its_parts_do() {
        assert_eq!(rest("A3-ABCDEF|-1Y0OD-9XESV, x"), ", x");
        assert_eq!(rest("key|4f5a== end"), " end");
        assert_eq!(rest("key|-a8Kd02mZ.q91LxV@x7 end"), "@x7 end");
        assert_eq!(rest("key|_0a1b2c3d4e5f6a7b\n"), "\n");
    }

    #[test]
    fn words_beside_a_token_are_none_of_it() {
        for rest_of in ["@github.com/owner/name.git", ".json", "-backup", ".length()", "/us-east", "=", "; x", ""] {
            let text = format!("key|{rest_of}");
            assert_eq!(rest(&text), if rest_of == "=" { "" } else { rest_of });
        }
    }

    proptest! {
        #[test]
        fn no_letter_or_digit_follows_the_end(text in "[ -~]{0,60}", at in 0usize..60) {
            let at = at.min(text.len());
            let end = end(&text, at);
            prop_assert!(end >= at && !text[end..].starts_with(|c: char| c.is_ascii_alphanumeric()));
        }
    }
}
