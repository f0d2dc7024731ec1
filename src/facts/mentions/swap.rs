//! Token diff of replaced lines: old and new text where a line differs in a few adjacent words.

use super::line::{is_comment, is_prose};
use super::{Mention, MentionKind};
use crate::domain::patch::{LineOrigin, PatchLine};
use crate::facts::roles::FileRole;
use crate::text::identifiers::split_words;

mod address;
mod owner;

/// Limit of adjacent lines that are compared pairwise.
const PAIRS: usize = 6;
/// Limit of a differing text (characters); beyond it the lines have little in common.
const CHARS: usize = 40;
/// Bytes of a line that are examined.
const LINE: usize = 600;

/// Adjacent changed lines, and those around them.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    pub above: &'a [PatchLine],
    pub lines: &'a [PatchLine],
    pub below: &'a [PatchLine],
}

/// The swaps of a block of changed lines: equally many removed and added lines, each pair differing in one place.
#[must_use]
pub fn find_swaps(block: Block<'_>, path: &str, role: FileRole) -> Vec<Mention> {
    let (removed, added): (Vec<&PatchLine>, Vec<&PatchLine>) =
        block.lines.iter().partition(|line| line.origin == LineOrigin::Removed);
    if removed.len() != added.len() || removed.len() > PAIRS {
        return Vec::new();
    }
    let prose = |line: &PatchLine| role == FileRole::Docs || is_comment(line.text.trim()) || is_prose(line.text.trim());
    let pairs: Vec<(&PatchLine, &PatchLine)> = removed.into_iter().zip(added).collect();
    let around = |at: usize| {
        // Neighbours in the block that moved along with the line.
        let before = block.above.iter().chain(pairs.iter().take(at).map(|(_, new)| *new)).cloned().collect::<Vec<_>>();
        let after = pairs.iter().skip(at + 1).map(|(_, new)| *new).chain(block.below).cloned().collect::<Vec<_>>();
        (before, after)
    };
    let mention_swap = |(at, (before, after)): (usize, &(&PatchLine, &PatchLine))| {
        let of_field = |key: &str| {
            let (above, below) = around(at);
            owner::is_field(key).then(|| owner::find_nearby(&before.text, &above, &below))?
        };
        let opaque = || opaque(&before.text, &after.text).map(|opaque| opaque.with_owner(of_field).into_mention(path));
        let swap = diff_lines(&before.text, &after.text, prose(before));
        let swap = swap.or_else(|| find_in_version_file(&before.text, &after.text, path));
        swap.map(|swap| swap.with_owner(of_field).into_mention(path)).or_else(opaque)
    };
    let mentions: Vec<Mention> = pairs.iter().enumerate().filter_map(mention_swap).collect();
    // A new version implies a new digest.
    let versions: Vec<String> = mentions.iter().filter_map(|mention| mention.key.clone()).collect();
    let implied = |mention: &Mention| {
        let name = mention.text.split(':').next().unwrap_or(&mention.text).to_lowercase();
        let sum = ["hash", "sha1", "sha256", "sha512", "md5", "checksum", "integrity"];
        let is_sum = !versions.is_empty() && sum.iter().any(|kind| name.starts_with(kind));
        mention.kind == MentionKind::Opaque && (is_sum || versions.iter().any(|known| known.to_lowercase() == name))
    };
    mentions.into_iter().filter(|mention| !implied(mention)).collect()
}

/// Files that contain only a version: `.nvmrc`, `.python-version`.
fn find_in_version_file(before: &str, after: &str, path: &str) -> Option<Swap> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let key = match name {
        ".nvmrc" => "node",
        "rust-toolchain" => "rust",
        _ => name.strip_prefix('.')?.strip_suffix("-version")?,
    };
    let (before, after) = (before.trim(), after.trim());
    (is_value(before) && is_value(after)).then(|| Swap {
        before: before.to_owned(),
        after: after.to_owned(),
        key: Some(key.to_owned()),
        prose: false,
    })
}

/// A replaced text.
#[derive(Debug, PartialEq, Eq)]
struct Swap {
    before: String,
    after: String,
    /// The key on the line, if the text is its value.
    key: Option<String>,
    /// In prose.
    prose: bool,
}

impl Swap {
    /// Adds the owner's name where the line itself names only the field.
    fn with_owner(self, owner: impl Fn(&str) -> Option<String>) -> Self {
        let key = self.key.map(|key| owner(&key).unwrap_or(key));
        Self { key, ..self }
    }

    fn into_mention(self, path: &str) -> Mention {
        Mention {
            kind: if self.prose { MentionKind::Correction } else { MentionKind::Swap },
            text: self.after,
            weight: 0.7,
            added: None,
            path: path.to_owned(),
            before: Some(self.before),
            key: self.key,
            stems: Vec::new(),
        }
    }
}

/// A changed value that is not shown: a digest, a commit, a secret.
#[derive(Debug, PartialEq, Eq)]
struct Opaque {
    /// Its owner: an image with its tag, an action, a key.
    name: String,
    /// The change, with `{}` for the owner.
    phrase: &'static str,
}

const NEW_VALUE: &str = "It changes the value of {}";
const NEW_DIGEST: &str = "It pins {} to another digest";
const NEW_COMMIT: &str = "It pins {} to another commit";

impl Opaque {
    /// Adds the owner's name where the line itself names only the field.
    fn with_owner(self, owner: impl Fn(&str) -> Option<String>) -> Self {
        // `tag: 1.2@sha256:…`
        if let Some((key, tag)) = self.name.split_once('=') {
            let name = owner(key).map_or_else(|| key.to_owned(), |owner| format!("{owner}:{tag}"));
            return Self { name, ..self };
        }
        match owner(&self.name).filter(|_| self.phrase == NEW_VALUE) {
            None => self,
            Some(name) => {
                let phrase = match self.name.to_lowercase().as_str() {
                    "digest" | "tag" | "newtag" => NEW_DIGEST,
                    "rev" | "ref" | "commit" | "revision" => NEW_COMMIT,
                    _ => "It changes the checksum of {}",
                };
                Self { name, phrase }
            }
        }
    }

    fn into_mention(self, path: &str) -> Mention {
        Mention {
            kind: MentionKind::Opaque,
            text: self.name,
            weight: 0.7,
            added: None,
            path: path.to_owned(),
            before: Some(self.phrase.to_owned()),
            key: None,
            stems: Vec::new(),
        }
    }
}

/// Where two lines differ only in hashes or redacted secrets.
fn opaque(before: &str, after: &str) -> Option<Opaque> {
    if before.len().max(after.len()) > LINE {
        return None;
    }
    if let (Some((old, _)), Some((new, _))) = (before.split_once("[redacted:"), after.split_once("[redacted:")) {
        // The kind of quotation marks may differ.
        let quotes = ['"', '\''];
        let name = key(&tokens(old)).filter(|_| old.trim_end_matches(quotes) == new.trim_end_matches(quotes))?;
        return Some(Opaque { name, phrase: NEW_VALUE });
    }
    let (before, after) = (tokens(before), tokens(after));
    let start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let (left, right) = (before.get(start..)?, after.get(start..)?);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (left.get(..left.len() - end)?, right.get(..right.len() - end)?);
    let empty = |tokens: &[&str]| tokens.iter().all(|token| is_hash(token) || *token == "@");
    let hash = |tokens: &[&str]| tokens.iter().find(|token| is_hash(token)).map(|token| (*token).to_owned());
    if !empty(old) || !empty(new) {
        return None;
    }
    let pinned = before.get(start - run_length(&before, start)..start)?.concat().trim_matches(['@', '-']).to_owned();
    let tag = is_value(&pinned).then(|| key(before.get(..start - run_length(&before, start))?)).flatten();
    let pinned = tag.map_or(pinned.clone(), |key| format!("{key}={pinned}"));
    let is_name = pinned.chars().filter(|c| c.is_alphabetic()).count() > 1 && !pinned.ends_with(':');
    match (hash(old), hash(new)) {
        (Some(_), Some(new)) if is_name => {
            let phrase = if digest(&new) > 0 { NEW_DIGEST } else { NEW_COMMIT };
            Some(Opaque { name: pinned, phrase })
        }
        (Some(_), Some(_)) => key(before.get(..start)?).map(|name| Opaque { name, phrase: NEW_VALUE }),
        (None, Some(_)) if is_name => Some(Opaque { name: pinned, phrase: "It pins {} to a digest" }),
        (Some(_), None) if is_name => Some(Opaque { name: pinned, phrase: "It no longer pins {} to a digest" }),
        _ => None,
    }
}

/// Tokens before this one that belong to it, without separator.
fn run_length(tokens: &[&str], end: usize) -> usize {
    let joins = |token: &&&str| !(token.trim().is_empty() || matches!(**token, "\"" | "'" | "`" | "=" | "(" | ","));
    tokens.iter().take(end).rev().take_while(joins).count()
}

/// Length of a digest with its algorithm at the start of a text (`sha256:…`, `sha512-…`), else 0.
fn digest(text: &str) -> usize {
    let algorithms = ["sha1", "sha256", "sha384", "sha512", "md5", "blake3", "blake2b", "h1"];
    let of = |algorithm: &str| {
        let rest = text.strip_prefix(algorithm)?.strip_prefix([':', '-', '='])?;
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+/=_-".contains(c))).unwrap_or(rest.len());
        (end >= 16).then_some(text.len() - rest.len() + end)
    };
    algorithms.into_iter().find_map(of).unwrap_or(0)
}

fn diff_lines(before: &str, after: &str, prose: bool) -> Option<Swap> {
    if before.len().max(after.len()) > LINE {
        return None;
    }
    if let Some((name, from, to)) = address::versions(before, after) {
        let field = || key(&tokens(before.split("//").next().unwrap_or(before).trim_end_matches([':', '\\'])));
        let key = name.or_else(|| {
            field().filter(|name| !matches!(name.as_str(), "http" | "https" | "git" | "ssh" | "ftp" | "file" | "oci"))
        });
        return Some(Swap { before: from, after: to, key, prose });
    }
    let (before, after) = (tokens(before), tokens(after));
    let start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    // An address is quoted with its scheme.
    let is_address =
        |from: &usize| before.get(*from..from + 3).is_some_and(|part| part[1] == ":" && part[2].starts_with("//"));
    let start = start.checked_sub(2).filter(is_address).unwrap_or(start);
    let (left, right) = (before.get(start..)?, after.get(start..)?);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    let text = |tokens: &[&str]| {
        let kept: Vec<&str> = tokens.iter().copied().filter(|token| !is_hash(token)).collect();
        // In code all punctuation counts; where a hash was omitted, its punctuation is, too.
        let text = tidy(&kept.concat(), prose || kept.len() < tokens.len());
        if is_balanced(&text) { text } else { tidy(&kept.concat(), false) }
    };
    let (old, new) = (text(left.get(..left.len() - end)?), text(right.get(..right.len() - end)?));
    // A token that only looks like a digest is kept.
    let bare = |line: &[&str]| line.get(start..line.len() - end).is_some_and(|part| !part.iter().any(|t| is_word(t)));
    let empty = (prose && old.is_empty() && bare(&before), prose && new.is_empty() && bare(&after));
    let is_quotable = |text: &str| {
        (1..=CHARS).contains(&text.chars().count())
            && text.chars().any(char::is_alphanumeric)
            && is_balanced(text)
            && (prose || !STATEMENTS.contains(&text.split(' ').next().unwrap_or(text)))
            && !text.contains('\\')
    };
    // A pair without common words is a different line, not a correction.
    let common = before.iter().take(start).chain(before.iter().rev().take(end)).any(|token| is_word(token));
    let key = key(before.get(..start)?).filter(|_| is_value(&old) && is_value(&new));
    ((is_quotable(&old) || empty.0) && (is_quotable(&new) || empty.1) && old != new && common).then_some(Swap {
        before: old,
        after: new,
        key,
        prose,
    })
}

/// The words by which two lines differ, with an adjacent one where one line has none of its own.
#[must_use]
pub fn differing_words(before: &str, after: &str) -> Option<(String, String)> {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.split_whitespace().collect(), after.split_whitespace().collect());
    let mut start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let (left, right) = (before.get(start..)?, after.get(start..)?);
    let mut end = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    if left.len().min(right.len()) == end {
        (start, end) = if start > 0 { (start - 1, end) } else { (start, end.checked_sub(1)?) };
    }
    let of = |words: &[&str]| words.get(start..words.len() - end).map(|words| words.join(" "));
    of(&before).zip(of(&after))
}

/// The tokens by which two lines differ, with enough preceding ones to make both readable.
#[must_use]
pub fn differing_tokens(before: &str, after: &str) -> Option<(String, String)> {
    if before.len().max(after.len()) > LINE {
        return None;
    }
    let (before, after) = (tokens(before), tokens(after));
    let start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let (left, right) = (before.get(start..)?, after.get(start..)?);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    // Operators are not split.
    let is_operator = |token: &&str| matches!(*token, "=" | "!" | "<" | ">" | "&" | "|" | "+" | "*" | "~" | "?");
    let joined = |at: usize| before.len().checked_sub(at).and_then(|at| before.get(at)).is_some_and(is_operator);
    let end = (0..=end).rev().find(|end| !joined(*end)).unwrap_or(0);
    let readable = |text: &String| text.chars().filter(|c| c.is_alphanumeric()).count() > 2 && has_matched_marks(text);
    let from = |start: usize| {
        let of = |tokens: &[&str]| tokens.get(start..tokens.len() - end).map(<[&str]>::concat);
        of(&before).zip(of(&after)).filter(|(a, b)| readable(a) && readable(b))
    };
    (0..=start.min(AROUND)).find_map(|back| from(start - back))
}

/// Limit of the preceding tokens shown with a difference.
const AROUND: usize = 12;

/// All brackets and double quotes are balanced.
#[must_use]
pub fn has_matched_marks(text: &str) -> bool {
    let nests = |(open, close): (char, char)| {
        let mut depth = 0_i32;
        let mut depths = text.chars().map(|c| {
            depth += i32::from(c == open) - i32::from(c == close);
            depth
        });
        let never_below = depths.all(|depth| depth >= 0);
        never_below && depth == 0
    };
    [('(', ')'), ('[', ']'), ('{', '}')].into_iter().all(nests)
        && text.chars().filter(|c| *c == '"').count().is_multiple_of(2)
}

/// Statement starts that say nothing without the rest.
const STATEMENTS: [&str; 15] = [
    "import", "from", "return", "let", "const", "var", "if", "else", "pub", "fn", "def", "export", "static", "new",
    "use",
];

/// Words with the inner punctuation of names and versions; every other character is its own token.
#[must_use]
pub fn tokens(line: &str) -> Vec<&str> {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    let mut tokens = Vec::new();
    let mut rest = line.trim();
    while let Some(first) = rest.chars().next() {
        let end = if digest(rest) > 0 {
            digest(rest)
        } else if joins(first) {
            rest.find(|c| !joins(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, more) = rest.split_at(end);
        tokens.push(token);
        rest = more;
    }
    tokens
}

fn is_word(token: &str) -> bool {
    token.chars().any(char::is_alphanumeric)
}

/// `version = `, `actions/checkout@`, `"left-pad": "^`: the last name before only punctuation; the whole line's name if
/// it has several values.
fn key(before: &[&str]) -> Option<String> {
    if let ["#", "define", _, name, ..] = before {
        return Some((*name).to_owned());
    }
    // `var name string =`.
    if let Some(name) = go_typed(before) {
        return Some(name);
    }
    let before = without_type(before);
    let behind = before.iter().rev().take_while(|token| !is_word(token)).count();
    let at = before.len().checked_sub(behind + 1).filter(|_| behind > 0)?;
    let (key, marks) = (before.get(at)?, before.get(at + 1..)?);
    let joined = marks.iter().any(|mark| matches!(*mark, "=" | ":" | "@" | "~" | "^" | ">" | "<"));
    // `nodejs 20.1`: a name, a blank, and its value.
    let joined = joined || (at == 0 && marks == [" "]);
    if let Some(name) = owner::find_on_line(before).filter(|_| owner::is_field(key)) {
        return Some(name);
    }
    let whole = before.iter().find(|token| is_word(token)).filter(|_| *key == "version" && opens_with_name(before));
    let key = whole.unwrap_or(key).trim_matches(['-', '.']);
    let name = key.starts_with(|c: char| c.is_alphanumeric() || c == '_') && key.chars().count() <= CHARS;
    let letters = key.chars().filter(|c| c.is_alphabetic()).count() > 1;
    // `@scope/name`.
    let scoped = key.contains('/') && at.checked_sub(1).and_then(|at| before.get(at)).is_some_and(|mark| *mark == "@");
    // `localhost:5000/app`.
    let host =
        at.checked_sub(2).and_then(|at| before.get(at..at + 2)).filter(|host| host[1] == ":" && is_word(host[0]));
    let host = host.filter(|_| key.contains('/') && key.starts_with(|c: char| c.is_ascii_digit()));
    let scope = if scoped { "@".to_owned() } else { host.map(<[&str]>::concat).unwrap_or_default() };
    (name && letters && (joined || key.contains('/'))).then(|| format!("{scope}{key}"))
}

/// The name before its type in Go.
fn go_typed(before: &[&str]) -> Option<String> {
    const TYPES: [&str; 16] = [
        "string", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "float32",
        "float64", "bool", "byte", "rune",
    ];
    let mut words = before.iter().filter(|token| !matches!(token.trim(), "" | "\"" | "=" | "var" | "const"));
    let (name, kind) = (words.next()?, words.next()?);
    let declared = TYPES.contains(kind) || kind.starts_with("time.");
    let last = words.next().is_none() && before.contains(&"=");
    (declared && last && is_word(name) && !TYPES.contains(name)).then(|| (*name).to_owned())
}

/// `serde = { version = `: the first name owns the rest.
fn opens_with_name(tokens: &[&str]) -> bool {
    let mut rest = tokens.iter().skip_while(|token| !is_word(token)).skip(1);
    let mark = rest.find(|token| !matches!(token.trim(), "" | "\"" | "'"));
    mark.is_some_and(|mark| matches!(*mark, "=" | ":")) && rest.find(|token| !token.trim().is_empty()) == Some(&"{")
}

/// `LIMIT: u32 =` as `LIMIT =`: drops the type.
fn without_type<'a>(before: &'a [&'a str]) -> &'a [&'a str] {
    let mut last = before.iter().rev().filter(|token| !token.trim().is_empty());
    let typed = last.next() == Some(&"=") && last.next() != Some(&"=");
    let colon = before.iter().position(|token| *token == ":").filter(|at| typed && before.len() - at < 9);
    colon.and_then(|at| before.get(..=at)).unwrap_or(before)
}

/// A number or a version.
fn is_value(text: &str) -> bool {
    let bare = text.trim_start_matches(['v', '^', '~', '=', '>', '<', ' ', '#']);
    bare.starts_with(|c: char| c.is_ascii_digit()) && !text.contains('/') && text.split_whitespace().count() < 3
}

/// A commit id or similar hash.
#[must_use]
pub fn is_hash(token: &str) -> bool {
    if token.starts_with("//") {
        return false;
    }
    let hex = token.len() >= 7
        && token.chars().all(|c| c.is_ascii_hexdigit())
        && token.contains(|c: char| c.is_ascii_digit());
    let letters = token.chars().filter(|c| c.is_alphanumeric()).count();
    let digits = token.contains(|c: char| c.is_ascii_digit());
    let scattered = if digits { 5 } else { 3 };
    hex || digest(token) > 0 || (letters > 18 && letters < scattered * split_words(token).len())
}

/// All brackets are balanced: else it is half of an expression.
fn is_balanced(text: &str) -> bool {
    let count = |of: char| text.chars().filter(|c| *c == of).count();
    [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')].iter().all(|(open, close)| count(*open) == count(*close))
}

/// Without surrounding punctuation: all of it in prose, only separators in code.
fn tidy(text: &str, loose: bool) -> String {
    let separates = |c: char| matches!(c, ',' | ';' | '"' | '\'' | '`' | ':' | '=') || c.is_whitespace();
    let around = |c: char| separates(c) || (loose && matches!(c, '(' | ')' | '{' | '}' | '[' | ']' | '#' | '@'));
    let marks = |c: char| matches!(c, '`' | '“' | '”' | '"') || c.is_control();
    super::words::strip_marks(text.trim_matches(around).trim_end_matches('.'), marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swap(before: &str, after: &str) -> Option<(String, String, Option<String>)> {
        diff_lines(before, after, true).map(|swap| (swap.before, swap.after, swap.key))
    }

    fn plain(before: &str, after: &str) -> Option<(String, String, Option<String>)> {
        Some((before.to_owned(), after.to_owned(), None))
    }

    fn keyed(key: &str, before: &str, after: &str) -> Option<(String, String, Option<String>)> {
        Some((before.to_owned(), after.to_owned(), Some(key.to_owned())))
    }

    #[test]
    fn a_correction_is_told_by_what_differs() {
        assert_eq!(swap("You will recieve it.", "You will receive it."), plain("recieve", "receive"));
        assert_eq!(swap("  a(POST, x)", "  a(Method.Post, x)"), plain("POST", "Method.Post"));
        assert_eq!(swap("same", "same"), None);
        assert_eq!(swap("We use it.", "We really use it."), plain("", "really"));
        assert_eq!(diff_lines("a(b)", "a(b, c)", false), None, "code is not told by what it gained");
        assert_eq!(swap("one", "two"), None, "nothing in common");
    }

    #[test]
    fn a_value_is_told_with_its_name() {
        assert_eq!(swap("version = \"1.0\"", "version = \"1.1\""), keyed("version", "1.0", "1.1"));
        assert_eq!(swap("\"left-pad\": \"^1.0\",", "\"left-pad\": \"^2.0\","), keyed("left-pad", "1.0", "2.0"));
        assert_eq!(
            swap("serde = { version = \"1.0\" }", "serde = { version = \"1.1\" }"),
            keyed("serde", "1.0", "1.1")
        );
        assert_eq!(swap("see http://host:80/a", "see http://host:80/b").and_then(|(_, _, key)| key), None);
        let hash = |digit: &str| digit.repeat(20);
        let uses = |digit, version| format!("- uses: actions/checkout@{} # v{version}", hash(digit));
        assert_eq!(swap(&uses("1a", "4"), &uses("2b", "5")), keyed("actions/checkout", "v4", "v5"));
        assert_eq!(swap("'@babel/parser': ^7.1", "'@babel/parser': ^7.2"), keyed("@babel/parser", "7.1", "7.2"));
        assert_eq!(swap("github.com/a/b v1.2", "github.com/a/b v1.3"), keyed("github.com/a/b", "v1.2", "v1.3"));
    }

    #[test]
    fn a_value_has_the_name_that_declares_it() {
        assert_eq!(swap("const LIMIT: u32 = 3;", "const LIMIT: u32 = 5;"), keyed("LIMIT", "3", "5"));
        assert_eq!(swap("#define LIMIT 10", "#define LIMIT 20"), keyed("LIMIT", "10", "20"));
        assert_eq!(swap("timeout: int = 3", "timeout: int = 5"), keyed("timeout", "3", "5"));
    }

    #[test]
    fn a_digest_is_no_version_and_its_image_is_named() {
        let (a, b) = ("09ab".repeat(16), "4e69".repeat(16));
        let of =
            |before: &str, after: &str| opaque(before, after).map(|opaque| opaque.phrase.replace("{}", &opaque.name));
        let image = |tag: &str, digest: &str| format!("FROM node:{tag}@sha256:{digest}");
        assert_eq!(
            of(&image("20-alpine", &a), &image("20-alpine", &b)).as_deref(),
            Some("It pins node:20-alpine to another digest")
        );
        assert_eq!(swap(&image("20-alpine", &a), &image("22-alpine", &b)), keyed("node", "20-alpine", "22-alpine"));
        assert_eq!(of("FROM node:20", &image("20", &a)).as_deref(), Some("It pins node:20 to a digest"));
        let uses = |commit: &str| format!("- uses: actions/checkout@{} # v4", &commit[..40]);
        assert_eq!(of(&uses(&a), &uses(&b)).as_deref(), Some("It pins actions/checkout to another commit"));
        let local = |tag: &str, digest: &str| format!("image: \"localhost:5000/app:{tag}@sha256:{digest}\"");
        assert_eq!(
            of(&local("1", &a), &local("1", &b)).as_deref(),
            Some("It pins localhost:5000/app:1 to another digest")
        );
        assert_eq!(swap(&local("1.2", &a), &local("1.3", &b)), keyed("localhost:5000/app", "1.2", "1.3"));
        let digest = |digest: &str| format!("  digest: sha256:{digest}");
        assert_eq!(of(&digest(&a), &digest(&b)).as_deref(), Some("It changes the value of digest"));
        let integrity = |rest: &str| format!("\"integrity\": \"sha512-{rest}+12/34ab56==\",");
        assert_eq!(swap(&integrity(&a), &integrity(&b)), None);
    }

    fn block(path: &str, patch: &str) -> Vec<String> {
        let hunk = crate::facts::sample::file(path, patch).hunks.remove(0);
        let changed = |line: &PatchLine| line.origin != LineOrigin::Context;
        let first = hunk.lines.iter().position(changed).unwrap();
        let last = hunk.lines.iter().rposition(changed).unwrap() + 1;
        let (above, below) = (&hunk.lines[..first], &hunk.lines[last..]);
        let found = find_swaps(Block { above, lines: &hunk.lines[first..last], below }, path, FileRole::Config);
        let describe = |mention: Mention| match (mention.kind, mention.before) {
            (MentionKind::Opaque, Some(phrase)) => phrase.replace("{}", &mention.text),
            (_, before) => {
                format!("{} {} {}", mention.key.unwrap_or_default(), before.unwrap_or_default(), mention.text)
            }
        };
        found.into_iter().map(describe).collect()
    }

    #[test]
    fn a_version_has_the_name_of_what_it_belongs_to() {
        let tag = "@@\n image:\n   repository: acme/web\n-  tag: \"1.2\"\n+  tag: \"1.3\"";
        assert_eq!(block("values.yaml", tag), ["acme/web 1.2 1.3"]);
        let chart = "@@\n - name: redis\n-  version: 17.0.0\n+  version: 17.0.1\n   alias: cache";
        assert_eq!(block("Chart.yaml", chart), ["redis 17.0.0 17.0.1"]);
        let csproj = "@@\n-<PackageReference Include=\"A.B\" Version=\"1.2\" />\n+<PackageReference Include=\"A.B\" Version=\"1.3\" />";
        assert_eq!(block("a.csproj", csproj), ["A.B 1.2 1.3"]);
        let inline = "@@\n-  { name = \"stdlib\", version = \"1.2\" },\n+  { name = \"stdlib\", version = \"1.3\" },";
        assert_eq!(block("manifest.toml", inline), ["stdlib 1.2 1.3"]);
        let other = "@@\n-{\"title\": \"A\", \"version\": 1}\n+{\"title\": \"A\", \"version\": 2}";
        assert_eq!(block("a.json", other), ["version 1 2"]);
        let frozen = "@@\n-constraints: any.aeson ==1.2.3,\n+constraints: any.aeson ==1.2.4,";
        assert_eq!(block("cabal.project.freeze", frozen), ["any.aeson 1.2.3 1.2.4"]);
        assert_eq!(block(".tool-versions", "@@\n-nodejs 1.2.3\n+nodejs 1.2.4"), ["nodejs 1.2.3 1.2.4"]);
        assert_eq!(block(".nvmrc", "@@\n-v20.1\n+v22.1"), ["node v20.1 v22.1"]);
        let gradle = "@@\n-distributionUrl=https\\://s.example/gradle-8.1-bin.zip\n+distributionUrl=https\\://s.example/gradle-8.2-bin.zip";
        assert_eq!(block("gradle-wrapper.properties", gradle), ["gradle 8.1 8.2"]);
        let pubspec = "@@\n-  http: ^1.2.3\n+  http: ^1.2.4";
        assert_eq!(block("pubspec.yaml", pubspec), ["http 1.2.3 1.2.4"]);
        let address = "@@\n-\turl = https://a.example/x\n+\turl = https://b.example/x";
        assert_eq!(block(".gitmodules", address), [" https://a.example/x https://b.example/x"]);
    }

    #[test]
    fn a_digest_is_told_with_what_it_belongs_to() {
        let (a, b) = ("09ab".repeat(16), "4e69".repeat(16));
        let image = |tag: &str, digest: &str| format!("tag: \"{tag}\"\n{{}}  digest: sha256:{digest}");
        let values = |old: String, new: String| {
            format!(
                "@@\n image:\n   repository: acme/web\n-  {}\n+  {}",
                old.replace("{}", "-"),
                new.replace("{}", "+")
            )
        };
        assert_eq!(block("values.yaml", &values(image("1.2", &a), image("1.3", &b))), ["acme/web 1.2 1.3"]);
        let digest = |digest: &str| format!("digest: sha256:{digest}");
        assert_eq!(block("values.yaml", &values(digest(&a), digest(&b))), ["It pins acme/web to another digest"]);
        let tagged = |digest: &str| format!("tag: 1.2@sha256:{digest}");
        assert_eq!(block("values.yaml", &values(tagged(&a), tagged(&b))), ["It pins acme/web:1.2 to another digest"]);
        let pinned = |version: &str, sum: &str| format!("httpx=={version}\n{{}}    --hash=sha256:{sum}");
        let (old, new) = (pinned("0.27", &a).replace("{}", "-"), pinned("0.28", &b).replace("{}", "+"));
        assert_eq!(block("requirements.txt", &format!("@@\n-{old}\n+{new}")), ["httpx 0.27 0.28"]);
        let archive = |sum: &str, version: &str| {
            format!("  sha256 = \"{sum}\",\n{{}}  urls = [\"https://x.example/rules_go-{version}.zip\"],")
        };
        let (old, new) = (archive(&a, "1.0").replace("{}", "-"), archive(&b, "1.1").replace("{}", "+"));
        let archive = format!("@@\n   name = \"rules_go\",\n-{old}\n+{new}");
        assert_eq!(block("WORKSPACE", &archive), ["rules_go 1.0 1.1"]);
    }

    #[test]
    fn of_a_secret_the_name_alone_is_told() {
        let line = "  password: [redacted:value]";
        let [single, double] = ["'", "\""].map(|quote| format!("  password: {quote}[redacted:value]{quote}"));
        for (before, after) in [(line, line), (line, double.as_str()), (single.as_str(), double.as_str())] {
            let found = opaque(before, after);
            assert_eq!(found, Some(Opaque { name: "password".to_owned(), phrase: NEW_VALUE }), "{before} {after}");
        }
        assert_eq!(opaque(line, "  passphrase: [redacted:value]"), None);
    }

    #[test]
    fn code_is_quoted_with_all_its_marks() {
        let swap = diff_lines("\tx > $@ || rm -f $@", "\tx > $@ || { rm -f $@; false; }", false).unwrap();
        assert_eq!((swap.before.as_str(), swap.after.as_str()), ("rm -f $@", "{ rm -f $@; false; }"));
    }

    #[test]
    fn hashes_are_known() {
        assert!(is_hash("de0fac2e45") && is_hash("iQIzBAABCgAdFiEEkWeAlRHvWzB"));
        assert!(!is_hash("deadbeef") && !is_hash("getObjectByIdOrNullAtAll") && !is_hash("max_recursion_depth_limit"));
    }
}
