//! Sentence tokenizer: separates prose from words that name something that has to exist.

use crate::text::words::WordList;
use crate::word_list;

/// The class of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Prose,
    /// A name from code, a flag, a variable.
    Code,
    /// A capitalised word or an acronym in mid-sentence: possibly a name.
    Name,
    Path,
    Number,
    Url,
    /// Words in quotation marks.
    Quote,
}

/// A word without surrounding punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentenceToken<'a> {
    pub text: &'a str,
    pub kind: TokenKind,
    /// Start offset in the sentence (bytes).
    pub at: usize,
    /// Punctuation that follows.
    pub after: Option<char>,
    /// Inside brackets that explain the preceding words.
    pub inner: bool,
}

impl SentenceToken<'_> {
    pub fn low(&self) -> String {
        self.text.to_lowercase()
    }

    /// Whether it names something that a patch can contain.
    pub fn is_thing(&self) -> bool {
        matches!(self.kind, TokenKind::Code | TokenKind::Path)
    }
}

/// The tokens of a sentence.
pub fn tokenize(sentence: &str) -> Vec<SentenceToken<'_>> {
    let mut tokens: Vec<SentenceToken<'_>> = Vec::new();
    let mut at = 0;
    while let Some(rest) = sentence.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let (token, end) = spanned(sentence, at).unwrap_or_else(|| word(sentence, at, tokens.is_empty()));
        at = end.max(at + 1);
        while !sentence.is_char_boundary(at) {
            at += 1;
        }
        tokens.extend(token);
    }
    untitle(&mut tokens);
    mark_inner(sentence, &mut tokens);
    tokens
}

/// Brackets that begin a word, except those of a call.
fn mark_inner(sentence: &str, tokens: &mut [SentenceToken<'_>]) {
    if !sentence.contains('(') {
        return;
    }
    let (mut open, mut code, mut before, mut next) = (Vec::new(), false, ' ', 0);
    for (at, c) in sentence.char_indices() {
        while let Some(token) = tokens.get_mut(next).filter(|token| token.at <= at) {
            token.inner = open.contains(&true);
            next += 1;
        }
        match c {
            '`' => code = !code,
            '(' if !code => open.push(before.is_whitespace()),
            ')' if !code => drop(open.pop()),
            _ => {}
        }
        before = c;
    }
}

/// `` `code` `` and "quoted words", each as one token.
fn spanned(sentence: &str, at: usize) -> Option<(Option<SentenceToken<'_>>, usize)> {
    let rest = &sentence[at..];
    let lead = rest.len() - rest.trim_start_matches(['(', '[', '*', '_']).len();
    let open = rest[lead..].chars().next()?;
    let close = match open {
        '`' => '`',
        '"' => '"',
        '\u{201c}' => '\u{201d}',
        _ => return None,
    };
    let from = at + lead + open.len_utf8();
    let from =
        if open == '`' { from + sentence[from..].len() - sentence[from..].trim_start_matches('`').len() } else { from };
    let length = sentence[from..].find(close)?;
    let text = sentence[from..from + length].trim();
    let mut end = from + length + close.len_utf8();
    while open == '`' && sentence[end..].starts_with('`') {
        end += 1;
    }
    let tail = sentence[end..].find(char::is_whitespace).map_or(sentence.len(), |blank| end + blank);
    let after = sentence[end..tail].chars().find(|c| matches!(c, ',' | ';' | ':' | '.' | ')'));
    let single = !text.contains(char::is_whitespace);
    let kind = match open {
        '`' if single => code_kind(text),
        '`' => TokenKind::Code,
        _ if single && kind_of(text, true) == TokenKind::Code => TokenKind::Code,
        _ => TokenKind::Quote,
    };
    // Text joined to a span (`foo`s, `a`/`b`) is tokenized separately.
    let joined = sentence[end..tail].starts_with(['/', '-', '+', '(']) && tail > end + 1;
    let end = if joined { end + 1 } else { tail };
    let token = SentenceToken { text, kind, at: at + lead, after, inner: false };
    Some(((!text.is_empty()).then_some(token), end))
}

/// In backticks every word is a name.
fn code_kind(text: &str) -> TokenKind {
    match kind_of(text, false) {
        TokenKind::Prose | TokenKind::Name | TokenKind::Quote => TokenKind::Code,
        kind => kind,
    }
}

fn word(sentence: &str, at: usize, first: bool) -> (Option<SentenceToken<'_>>, usize) {
    let rest = &sentence[at..];
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let raw = &rest[..end];
    let text = trimmed(raw);
    let Some(offset) = raw.find(text).filter(|_| !text.is_empty()) else { return (None, at + end) };
    let behind = &raw[offset + text.len()..];
    let after = behind.chars().find(|c| matches!(c, ',' | ';' | ':' | '.' | ')'));
    // A new sentence begins after "fix(parser):".
    let first = first || raw[..offset].contains(['(', '"']) || sentence[..at].trim_end().ends_with(':');
    // The scope of "fix(types/scope):" has to exist where it looks like a name.
    if let Some((head, scope)) = conventional(text).filter(|(_, scope)| scope.contains(['/', '_', '.'])) {
        return (
            Some(SentenceToken {
                text: scope,
                kind: TokenKind::Code,
                at: at + offset + head.len() + 1,
                after,
                inner: false,
            }),
            at + end,
        );
    }
    (Some(SentenceToken { text, kind: kind_of(text, first), at: at + offset, after, inner: false }), at + end)
}

/// Strips the punctuation of prose; `foo()` and `.gitignore` keep theirs.
fn trimmed(raw: &str) -> &str {
    let mut text =
        raw.trim_start_matches(['(', '[', '{', '"', '\'', '\u{201c}', '\u{2018}', '*', '\u{2026}', ',', ';']);
    loop {
        let end = ['.', ',', ';', ':', '!', '?', '"', '\'', '\u{201d}', '\u{2019}', '*', '\u{2026}'];
        let mut next = text.trim_end_matches(end);
        for (open, close) in [('(', ')'), ('[', ']'), ('{', '}')] {
            let unbalanced = next.matches(close).count() > next.matches(open).count();
            next = if unbalanced { next.strip_suffix(close).unwrap_or(next) } else { next };
        }
        next = next.strip_suffix("'s").or_else(|| next.strip_suffix("\u{2019}s")).unwrap_or(next);
        if next.len() == text.len() {
            return text;
        }
        text = next;
    }
}

/// Classifies a word by its form.
pub fn kind_of(text: &str, first: bool) -> TokenKind {
    let has = |what: &[char]| text.contains(what);
    let mut chars = text.chars();
    let (start, second) = (chars.next().unwrap_or(' '), chars.next().unwrap_or(' '));
    if !text.contains(char::is_alphanumeric) {
        return TokenKind::Prose;
    }
    if text.contains("://") || text.starts_with("www.") {
        return TokenKind::Url;
    }
    let signed = text.trim_start_matches([
        '+', '-', '\u{2212}', '~', '<', '>', '=', '\u{2264}', '\u{2265}', '#', 'v', 'V', '$', '\u{20ac}', '\u{d7}', '^',
    ]);
    if signed.starts_with(|c: char| c.is_ascii_digit()) && is_number(signed) {
        return TokenKind::Number;
    }
    if start == '-' && (second.is_alphabetic() || second == '-') {
        return TokenKind::Code;
    }
    if conventional(text).is_some() || text.ends_with("(s)") || text.ends_with("(es)") {
        return TokenKind::Prose;
    }
    if text.contains('/') {
        return slashed(text);
    }
    if has(&['_', '$', '@', '=', '{', '}', '\\', '<', '>', '(', '|']) || text.contains("::") || text.contains("->") {
        return TokenKind::Code;
    }
    if let Some(kind) = dotted(text) {
        return kind;
    }
    if text.contains('-') {
        let odd =
            |part: &str| matches!(kind_of(part, true), TokenKind::Code) && !part.chars().all(|c| c.is_ascii_digit());
        return if text.split('-').any(odd) { TokenKind::Code } else { TokenKind::Prose };
    }
    cased(text, first)
}

/// Classifies by capitals and digits alone.
fn cased(text: &str, first: bool) -> TokenKind {
    let singular = text.strip_suffix('s').unwrap_or(text);
    let capitals = singular.chars().filter(|c| c.is_uppercase()).count();
    let digits = text.contains(|c: char| c.is_ascii_digit());
    if capitals > 1 && !singular.contains(char::is_lowercase) {
        return if digits { TokenKind::Code } else { TokenKind::Name };
    }
    let rest_has_capital = text.chars().skip(1).any(char::is_uppercase);
    if is_counted(text) {
        return TokenKind::Prose;
    }
    if digits || rest_has_capital {
        return TokenKind::Code;
    }
    let starts_high = text.starts_with(char::is_uppercase) && text.len() > 1;
    if starts_high && !first { TokenKind::Name } else { TokenKind::Prose }
}

/// `12`, `1.2.3`, `200ms`, `50%`, `10k`, `3x`, `1st`, `2-3`, `1.2.0-rc.1`.
fn is_number(text: &str) -> bool {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '_'))).unwrap_or(text.len());
    let unit = text[end..].trim_start_matches(['-', '+']);
    let hash = text.len() >= 7 && text.chars().all(|c| c.is_ascii_hexdigit());
    let version = text[..end].contains('.');
    !hash
        && (unit.len() <= 5 || version)
        && unit.chars().all(|c| c.is_alphanumeric() || matches!(c, '%' | '.' | '-' | '/' | '+'))
        && !(text.starts_with("0x") || unit.contains('/') && unit.len() > 3)
}

/// `and/or` is prose, `src/route` is not.
fn slashed(text: &str) -> TokenKind {
    let parts: Vec<&str> = text.split('/').collect();
    let plain = |part: &&str| {
        let acronym = part.len() <= 4 && part.chars().all(|c| c.is_uppercase() || c.is_ascii_digit());
        acronym || PAIRED.contains(&part.to_lowercase().trim_end_matches('s'))
    };
    if is_substitution(&parts) {
        return TokenKind::Code;
    }
    if parts.iter().all(plain) { TokenKind::Prose } else { TokenKind::Path }
}

/// `s/old/new/`: two names in editor substitution syntax.
fn is_substitution(parts: &[&str]) -> bool {
    matches!(parts, ["s", old, new] | ["s", old, new, "" | "g"] if !old.is_empty() && !new.is_empty())
}

/// `part2`, `docs2`: a numbered item.
fn is_counted(text: &str) -> bool {
    let word = text.trim_end_matches(|c: char| c.is_ascii_digit());
    text.len() - word.len() == 1 && COUNTED.contains(&word.to_lowercase().as_str())
}

/// Words commonly numbered without a space.
const COUNTED: &[&str] =
    &["part", "step", "phase", "take", "round", "try", "attempt", "docs", "doc", "fix", "typo", "wip"];

/// `a.rs`, `a.b`, `.gitignore`, but not `e.g` or `U.S`.
fn dotted(text: &str) -> Option<TokenKind> {
    if let Some(hidden) = text.strip_prefix('.') {
        return hidden.starts_with(char::is_alphabetic).then_some(TokenKind::Path);
    }
    let (before, end) = text.rsplit_once('.')?;
    if text.split('.').all(|part| part.chars().count() <= 1) || before.is_empty() || end.is_empty() {
        return Some(TokenKind::Prose);
    }
    let extension = end.len() <= 5 && end.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    Some(if extension { TokenKind::Path } else { TokenKind::Code })
}

/// `fix(parser)!` at the start of a subject: conventional commit type and scope.
fn conventional(text: &str) -> Option<(&str, &str)> {
    let (kind, scope) = crate::text::conventional::split_head(text.trim_end_matches(['!', ':']))?;
    Some((kind, scope?)).filter(|_| CONVENTIONS.contains(&kind))
}

/// The types of Conventional Commits.
static CONVENTIONS: WordList = word_list!("token_conventions");

/// Where most words are capitalised, capitals carry no information.
fn untitle(tokens: &mut [SentenceToken<'_>]) {
    let long =
        |token: &&SentenceToken<'_>| token.text.len() > 3 && matches!(token.kind, TokenKind::Prose | TokenKind::Name);
    let all = tokens.iter().filter(long).count();
    let high = tokens.iter().filter(long).filter(|token| token.text.starts_with(char::is_uppercase)).count();
    if all >= 3 && high * 3 > all * 2 {
        let single =
            |token: &SentenceToken<'_>| token.kind == TokenKind::Name && token.text.contains(char::is_lowercase);
        tokens.iter_mut().filter(|token| single(token)).for_each(|token| token.kind = TokenKind::Prose);
    }
}

/// Words commonly joined by a slash.
static PAIRED: WordList = word_list!("token_paired");

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sentence: &str) -> Vec<(&str, TokenKind)> {
        tokenize(sentence).into_iter().map(|token| (token.text, token.kind)).collect()
    }

    #[test]
    fn names_are_told_from_prose() {
        use TokenKind::{Code, Name, Number, Path, Prose, Quote, Url};
        for (text, kind) in [
            ("snake_case", Code),
            ("camelCase", Code),
            ("PascalCase", Code),
            ("a::b", Code),
            ("a.b()", Code),
            ("choose()", Code),
            ("--flag", Code),
            ("-v", Code),
            ("ENV_NAME", Code),
            ("utf8", Code),
            ("file.rs", Path),
            (".gitignore", Path),
            ("src/route", Path),
            ("and/or", Prose),
            ("CI/CD", Prose),
            ("file(s)", Prose),
            ("e.g", Prose),
            ("built-in", Prose),
            ("Windows", Name),
            ("JSON", Name),
            ("1.2.3", Number),
            ("v2.0.0-rc.1", Number),
            ("200ms", Number),
            ("#42", Number),
            ("−12", Number),
            ("50%", Number),
            ("https://x.org/a", Url),
        ] {
            let sentence = format!("it uses {text}, too");
            assert_eq!(tokenize(&sentence)[2].kind, kind, "{text}");
            assert_eq!(tokenize(&sentence)[2].after, Some(','), "{text}");
        }
        assert_eq!(
            kinds("Says \"no such file\" (see `retry`)")[1..],
            [("no such file", Quote), ("see", Prose), ("retry", Code)]
        );
        assert_eq!(kinds("Router's choose().")[..], [("Router", Prose), ("choose()", Code)]);
    }

    #[test]
    fn a_capital_at_the_start_or_in_a_title_is_no_name() {
        assert_eq!(kinds("Update docs")[0].1, TokenKind::Prose);
        assert_eq!(kinds("fix(parser): Update docs")[1].1, TokenKind::Prose);
        assert!(kinds("Update The German Documentation Pages").iter().all(|(_, kind)| *kind == TokenKind::Prose));
    }

    #[test]
    fn odd_sentences_are_no_trouble() {
        for odd in ["", "`", "``", "\"", "( ", "é`ü`", "a`b", "\u{201c}\u{2019}", "#", "--", "…(", "`é`é"] {
            tokenize(odd);
        }
    }
}
