//! Name and path check: each must occur in the patch, the author's text, or the repository.

use super::lexicon::{Lexicon, occurs};
use super::token::{SentenceToken, TokenKind};
use super::words;
use crate::text::words::WordList;
use crate::word_list;

/// Names that must still be looked up for a token to be grounded; empty where the commit has them.
pub fn names_to_look_up(token: &SentenceToken<'_>, lexicon: &Lexicon) -> Vec<String> {
    let low = token.low();
    match token.kind {
        TokenKind::Prose | TokenKind::Number => Vec::new(),
        TokenKind::Url => {
            // Links from the author or from unchanged lines; a link added by the patch may be malicious.
            if lexicon.author_text().contains(&low) || lexicon.is_near(&low) { Vec::new() } else { vec![low] }
        }
        TokenKind::Quote => quote(&low, lexicon),
        TokenKind::Name if is_common(token.text) || is_family(token.text, lexicon) => Vec::new(),
        TokenKind::Name | TokenKind::Code => code(token.text, &low, lexicon),
        TokenKind::Path => path(token.text, &low, lexicon),
    }
}

/// Whether the repository can explain it: not possible for a link or for prose.
pub fn can_look_up(token: &SentenceToken<'_>) -> bool {
    match token.kind {
        TokenKind::Url => false,
        TokenKind::Quote => is_title(token.text),
        _ => true,
    }
}

/// Few words, as in headings and names of things.
fn is_title(text: &str) -> bool {
    text.split_whitespace().count() <= 3 && !text.contains(|c: char| c.is_ascii_digit())
}

/// Quoted words must occur verbatim; two or three may also be a common name for a thing.
fn quote(low: &str, lexicon: &Lexicon) -> Vec<String> {
    if lexicon.has_literal(low) || lexicon.has_quote(low) {
        return Vec::new();
    }
    let stems = words::stems(low);
    let is_supported = is_title(low) && !stems.is_empty() && stems.iter().all(|stem| lexicon.has_stem(stem));
    if is_supported { Vec::new() } else { vec![low.to_owned()] }
}

/// "Assertions" where the patch has `AssertionError`.
fn is_family(text: &str, lexicon: &Lexicon) -> bool {
    let plain = text.chars().skip(1).all(char::is_lowercase) && text.len() > 3;
    plain && lexicon.has_stem(&words::stem(text))
}

fn code(text: &str, low: &str, lexicon: &Lexicon) -> Vec<String> {
    let bare = low.trim_end_matches("()");
    if is_common(text) || lexicon.has_literal(bare) {
        return Vec::new();
    }
    // `CVE-2020-1234`: the number identifies it.
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if bare.split('-').skip(1).any(digits) {
        return vec![low.to_owned()];
    }
    let joined = !bare.contains(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')));
    if joined && !lexicon.word(bare).is_none() {
        return Vec::new();
    }
    let parts = words::identifiers(bare).filter(|part| is_name_part(part));
    let lost: Vec<String> =
        parts.filter(|part| lexicon.word(part).is_none() && !is_common(part)).map(str::to_owned).collect();
    // A name of several words with hyphens or dots may be known as a whole.
    lost
}

/// One letter, or digits alone, are not names.
fn is_name_part(part: &str) -> bool {
    part.len() > 1 && part.contains(|c: char| c.is_alphabetic())
}

/// A path must exist or occur verbatim: known components do not prove it.
fn path(text: &str, low: &str, lexicon: &Lexicon) -> Vec<String> {
    let bare =
        low.trim_start_matches(['\u{2026}', '@']).trim_start_matches("./").trim_matches('/').trim_end_matches("/*");
    if let Some((place, number)) = ticket(low) {
        let separators = ["#", "/issues/", "/pull/", "/discussions/", "/-/issues/", "/-/merge_requests/"];
        let is_stated =
            separators.iter().any(|separator| occurs(lexicon.author_text(), &format!("{place}{separator}{number}")));
        return if is_stated { Vec::new() } else { vec![low.to_owned()] };
    }
    let is_supported = is_common(text)
        || bare.is_empty()
        || !lexicon.path_of(bare).is_none()
        || lexicon.has_directory(bare)
        || lexicon.has_components(bare)
        || lexicon.has_literal(low)
        || lexicon.has_literal(bare);
    if is_supported || is_of_known_parts(bare, lexicon) || is_list_of_files(bare, lexicon) {
        return Vec::new();
    }
    if low.contains(['$', '{']) || is_choice(text) {
        // `${dir}/src`, `PUSH/POP`: not a literal path, so each part must be a known name.
        let unknown = |part: &&str| is_name_part(part) && lexicon.word(part).is_none() && !is_common(part);
        return words::identifiers(bare)
            .map(|part| part.trim_matches('$'))
            .filter(unknown)
            .map(str::to_owned)
            .collect();
    }
    // `Router.new` and `vue.js` look like files.
    let dotted = !low.contains('/') && !low.starts_with('.');
    let parts: Vec<&str> = words::identifiers(bare).collect();
    let file = parts.last().is_some_and(|end| EXTENSIONS.contains(end));
    if dotted && !file && parts.iter().all(|part| !lexicon.word(part).is_none()) {
        return Vec::new();
    }
    let each =
        !low.contains(['.', '_']) && low.matches('/').count() == 1 && !low.starts_with('/') && !low.ends_with('/');
    let is_known_part = |part: &&str| lexicon.has_stem(&words::stem(part)) && !lexicon.has_directory(part);
    if each && parts.iter().all(|part| is_known_part(part) || is_common(part)) {
        // `bytes/strings`: alternatives between two words of the patch, not a directory.
        return Vec::new();
    }
    vec![bare.to_owned()]
}

/// `owner/project#42`: its location, and its number.
pub fn ticket(low: &str) -> Option<(&str, &str)> {
    let (place, number) = low.split_once('#')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (digits && place.contains('/')).then_some((place, number))
}

/// `Pipfile/Pipfile.lock`: several files of the patch.
fn is_list_of_files(bare: &str, lexicon: &Lexicon) -> bool {
    bare.contains('/') && bare.split('/').all(|part| !lexicon.path_of(part).is_none())
}

/// `LOAD/STORE`: constants between slashes.
fn is_choice(text: &str) -> bool {
    let constant =
        |part: &str| part.len() > 2 && part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    text.contains('/') && text.split('/').all(constant)
}

/// `scan/2`, `FirstName/SecondName`, `pkg/path.Name`: code names separated by slashes.
fn is_of_known_parts(bare: &str, lexicon: &Lexicon) -> bool {
    let Some((before, last)) = bare.rsplit_once('/') else { return false };
    let is_known_word = |name: &str| !lexicon.word(name).is_none();
    if last.bytes().all(|byte| byte.is_ascii_digit()) && !before.contains('/') {
        return is_known_word(before);
    }
    let of_package = last.split_once('.').is_some_and(|(package, name)| {
        !EXTENSIONS.contains(&name) && is_known_word(name) && lexicon.has_literal(&format!("{before}/{package}"))
    });
    // Two long names are not a folder with a file in it.
    let names =
        bare.split('/').all(|part| part.len() > 11 && part.chars().all(char::is_alphanumeric) && is_known_word(part));
    of_package || names
}

/// Well-known names that say nothing about a repository.
pub fn is_common(text: &str) -> bool {
    let low = text.to_lowercase();
    let low = low.trim_end_matches("()");
    COMMON.contains(&low) || low.strip_suffix('s').is_some_and(|low| COMMON.contains(&low))
}

/// File extensions that mark a dotted name as a file.
static EXTENSIONS: WordList = word_list!("names_extensions");

static COMMON: WordList = word_list!("names_common");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_common_names_can_be_searched() {
        assert!(is_common("GitHub") && is_common("APIs") && !is_common("Router"));
    }
}
