//! Tokenizer for code: words and punctuation without layout, hashed for comparison.

use std::ops::Range;

use crate::text::hash::{SEED, add_byte};

/// Hash of a word. A collision within a file is improbable and would only hide a change.
pub type Token = u64;

/// The tokens of these ranges of the text, without those covered by `leave` (ascending). A comma before a closing
/// bracket is layout.
#[must_use]
pub fn tokenize(source: &str, ranges: &[Range<usize>], leave: &[Range<usize>]) -> Vec<Token> {
    let mut tokens = Vec::new();
    for range in ranges {
        let mut at = range.start;
        let first = leave.partition_point(|gap| gap.end <= range.start);
        for gap in leave[first..].iter().take_while(|gap| gap.start < range.end) {
            if gap.start > at {
                push_tokens(source.get(at..gap.start).unwrap_or(""), &mut tokens);
            }
            at = at.max(gap.end);
        }
        if at < range.end {
            push_tokens(source.get(at..range.end).unwrap_or(""), &mut tokens);
        }
    }
    tokens
}

fn push_tokens(text: &str, tokens: &mut Vec<Token>) {
    let mut word: Option<Token> = None;
    for byte in text.bytes() {
        if is_word(byte) {
            word = Some(mix(word.unwrap_or(SEED), byte));
            continue;
        }
        tokens.extend(word.take());
        if byte.is_ascii_whitespace() {
            continue;
        }
        if matches!(byte, b')' | b']' | b'}' | b'>') && tokens.last() == Some(&sign(b',')) {
            tokens.pop();
        }
        tokens.push(sign(byte));
    }
    tokens.extend(word);
}

/// The token of a word.
#[must_use]
pub fn word(text: &str) -> Token {
    text.bytes().fold(SEED, mix)
}

/// The words among the tokens, sorted.
#[must_use]
pub fn word_tokens(tokens: &[Token]) -> Vec<Token> {
    let mut words: Vec<Token> = tokens.iter().copied().filter(|token| *token > u64::from(u8::MAX)).collect();
    words.sort_unstable();
    words
}

/// Similarity of two sorted multisets: Dice coefficient, 0 to 1.
#[must_use]
pub fn likeness(one: &[Token], other: &[Token]) -> f64 {
    let (mut a, mut b, mut common) = (0, 0, 0u32);
    while let (Some(x), Some(y)) = (one.get(a), other.get(b)) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => a += 1,
            std::cmp::Ordering::Greater => b += 1,
            std::cmp::Ordering::Equal => (a, b, common) = (a + 1, b + 1, common + 1),
        }
    }
    let total = one.len() + other.len();
    if total == 0 { 1.0 } else { 2.0 * f64::from(common) / total as f64 }
}

/// FNV-1a (Fowler, Noll, Vo); one bit is set to keep words apart from punctuation.
fn mix(hash: u64, byte: u8) -> u64 {
    add_byte(hash, byte) | (1 << 63)
}

fn sign(byte: u8) -> Token {
    u64::from(byte)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Token> {
        tokenize(text, std::slice::from_ref(&(0..text.len())), &[])
    }

    #[test]
    fn layout_makes_no_difference() {
        assert_eq!(all("call(a, b)"), all("call(\n    a,\n    b,\n)"));
        assert_ne!(all("call(a, b)"), all("call(b, a)"));
        assert_ne!(all("ab"), all("a b"));
    }

    #[test]
    fn what_is_left_out_is_not_there() {
        let text = "a /* b */ c";
        assert_eq!(tokenize(text, std::slice::from_ref(&(0..text.len())), std::slice::from_ref(&(2..9))), all("a c"));
    }

    #[test]
    fn likeness_counts_each_word_once() {
        let of = |text| word_tokens(&all(text));
        assert_eq!(likeness(&of("a b c d"), &of("d c b a")), 1.0);
        assert_eq!(likeness(&of("a a a a"), &of("a b c d")), 0.25);
        assert_eq!(likeness(&of("(a)"), &of("[b]")), 0.0);
    }
}
