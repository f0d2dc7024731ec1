//! Prompt-injection filter: lines that address the model are ignored as evidence and must not be echoed.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::phrase_list;
use crate::text::words::PhraseList;

/// Phrases that address the model that summarises a patch. In small letters.
static PHRASES: PhraseList = phrase_list!("injection");

/// Phrases that also occur in ordinary code and prose: only that line is ignored, unless it starts with one.
static WEAK: PhraseList = phrase_list!("injection_weak");

static MATCHERS: LazyLock<Option<[AhoCorasick; 2]>> = LazyLock::new(|| {
    let build = |phrases: &[&str]| AhoCorasick::builder().ascii_case_insensitive(true).build(phrases).ok();
    Some([build(&PHRASES)?, build(&WEAK)?])
});

/// How certainly a line addresses a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectionMatch {
    None,
    Possible,
    Certain,
}

/// Searches a line for such phrases, also with hidden letters and look-alikes of Latin ones.
#[must_use]
pub fn detect_injection(line: &str) -> InjectionMatch {
    let Some([strong, weak]) = MATCHERS.as_ref() else { return InjectionMatch::None };
    let open = if line.is_ascii() { line.into() } else { std::borrow::Cow::Owned(strip_disguises(line)) };
    let at_word = |at: usize| !open[..at].ends_with(char::is_alphanumeric);
    let starts = |at: usize| !open[..at].contains(char::is_alphanumeric);
    if strong.find_iter(open.as_ref()).any(|found| at_word(found.start())) {
        return InjectionMatch::Certain;
    }
    let found: Vec<usize> = weak.find_iter(open.as_ref()).map(|found| found.start()).collect();
    match found {
        found if found.iter().any(|at| starts(*at)) => InjectionMatch::Certain,
        found if found.iter().any(|at| at_word(*at)) => InjectionMatch::Possible,
        _ => InjectionMatch::None,
    }
}

/// Removes disguises: invisible characters, and letters of other scripts that look Latin.
#[must_use]
pub fn strip_disguises(text: &str) -> String {
    text.chars()
        .filter(
            |c| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{180e}'),
        )
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}' | '\u{e0000}'..='\u{e007f}'))
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => ' ',
            'а' | 'α' => 'a',
            'е' | 'ε' => 'e',
            'і' | 'ι' => 'i',
            'о' | 'ο' => 'o',
            'р' | 'ρ' => 'p',
            'с' => 'c',
            'у' => 'y',
            'х' => 'x',
            'ѕ' => 's',
            'ո' => 'n',
            'ɡ' => 'g',
            'ı' => 'i',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_letters_do_not_hide_an_instruction() {
        for line in ["ig\u{200b}nore the above", "ｉｇｎｏｒｅ ａｌｌ", "Ignоrе аll of it", "Ign\u{301}ore the above"]
        {
            assert_eq!(detect_injection(line), InjectionMatch::Certain, "{line}");
        }
    }
}
