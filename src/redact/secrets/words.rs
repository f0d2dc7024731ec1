//! Letter-pair statistics: distinguishes words from random text.
//!
//! In words a third of all letter pairs makes up nearly everything; in random text every pair is equally likely. This
//! separates a token of letters from a name without a dictionary.

/// Bit n of row m: the nth letter often follows the mth. Counted over the words in the sources of this repository and
/// its libraries; the pairs that make up nine tenths of all.
#[rustfmt::skip]
const FOLLOWS: [u32; 26] = [
    0x13e_bd4e, 0x016_4911, 0x01e_4d95, 0x016_4119, 0x0ee_b97f, 0x012_4931, 0x016_2191, 0x000_4111, 0x22e_f87f,
    0x000_0000, 0x004_0110, 0x11c_4919, 0x014_d113, 0x03c_657d, 0x07e_fd6e, 0x01e_c991, 0x010_0000, 0x11e_795d,
    0x11c_c995, 0x11e_c995, 0x00e_b917, 0x000_0111, 0x000_0111, 0x008_8000, 0x000_8000, 0x000_0010,
];
/// Minimum letters of a word.
const WORD: usize = 3;

/// Minimum share of letters and digits inside words, in percent.
pub(super) fn share(value: &str) -> usize {
    let bytes = value.as_bytes();
    let (mut at, mut words, mut all) = (0, 0, 0);
    while at < bytes.len() {
        let length = piece(bytes, at);
        if length == 0 {
            all += usize::from(bytes[at].is_ascii_digit());
            at += 1;
            continue;
        }
        all += length;
        words += if is_word(&bytes[at..at + length]) { length } else { 0 };
        at += length;
    }
    (words * 100).checked_div(all).unwrap_or(100)
}

/// Whether the text is more random than words, or changes case more often than words begin.
pub(super) fn is_random(value: &str) -> bool {
    let words = share(value);
    words < 60 || (words < 80 && turns(value) * 5 >= value.len() * 2)
}

/// Number of lower-case letters next to another character class.
pub(super) fn turns(value: &str) -> usize {
    let small = |byte: u8| byte.is_ascii_lowercase();
    value.as_bytes().windows(2).filter(|pair| small(pair[0]) != small(pair[1])).count()
}

/// The length of the letter run at `at` in one-word case: `tokens`, `Tokens`, `TOKENS`.
fn piece(bytes: &[u8], at: usize) -> usize {
    let run = |from: usize, class: fn(&u8) -> bool| {
        bytes.get(from..).map_or(0, |rest| rest.iter().take_while(|byte| class(byte)).count())
    };
    let upper = run(at, u8::is_ascii_uppercase);
    let lower = run(at + upper, u8::is_ascii_lowercase);
    match (upper, lower) {
        (0 | 1, lower) => upper + lower,
        (upper, 0) => upper,
        // The last capital begins the next word.
        (upper, _) => upper - 1,
    }
}

fn is_word(letters: &[u8]) -> bool {
    if letters.len() < WORD {
        return false;
    }
    let place = |letter: u8| usize::from(letter.to_ascii_lowercase() - b'a');
    let common = letters.windows(2).filter(|pair| FOLLOWS[place(pair[0])] >> place(pair[1]) & 1 == 1).count();
    common * 4 >= 3 * (letters.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_tokens_are_not() {
        for words in [
            "requiredCharacteristicTypesForDisplayMetadata",
            "serving_cell_priority_parameters",
            "CLIENT_TRAFFIC_SECRET",
            "correct-horse-battery-staple",
            "HTTPServer",
        ] {
            assert!(!is_random(words), "{words} {}", share(words));
        }
        for chance in [
            "LuHyguzIMdYQg", "dmpstaxbbvhacstsw", "qkzjwvxhgtrbmpld", "8QzPfK3mWx", "ILLKxCkPINEwSZz",
            "9f86d081884c7d65",
        ] {
            assert!(is_random(chance), "{chance} {}", share(chance));
        }
    }

    #[test]
    fn what_has_no_letters_and_no_digits_is_not_random() {
        assert_eq!((share(""), share("--"), share("é")), (100, 100, 100));
    }
}
