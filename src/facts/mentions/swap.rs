//! What took the place of what, where a line was replaced by one that differs in a few words in a row.

use super::line::{is_comment, is_prose};
use super::words::parts;
use super::{Kind, Mention};
use crate::domain::patch::{Line, Origin};
use crate::facts::roles::FileRole;

/// Lines in a row that are compared pair by pair.
const PAIRS: usize = 6;
/// What differs is told up to this length (characters); beyond it the lines have little in common.
const CHARS: usize = 40;
/// Bytes of a line that are looked at.
const LINE: usize = 600;

/// The swaps of a block of changed lines: as many removed as added, each differing from its partner in one place.
#[must_use]
pub fn of(block: &[Line], path: &str, role: FileRole) -> Vec<Mention> {
    let (removed, added): (Vec<&Line>, Vec<&Line>) = block.iter().partition(|line| line.origin == Origin::Removed);
    if removed.len() != added.len() || removed.len() > PAIRS {
        return Vec::new();
    }
    let pairs = removed.into_iter().zip(added);
    let prose = |line: &Line| role == FileRole::Docs || is_comment(line.text.trim()) || is_prose(line.text.trim());
    let told = |(before, after): (&Line, &Line)| {
        let opaque = || opaque(&before.text, &after.text).map(|opaque| opaque.mention(path));
        let swap = between(&before.text, &after.text, prose(before)).map(|swap| swap.mention(path));
        swap.or_else(opaque)
    };
    pairs.filter_map(told).collect()
}

/// One correction.
#[derive(Debug, PartialEq, Eq)]
struct Swap {
    before: String,
    after: String,
    /// The name before it on the line, where it is a value of that name.
    key: Option<String>,
    /// In words for people.
    prose: bool,
}

impl Swap {
    fn mention(self, path: &str) -> Mention {
        Mention {
            kind: if self.prose { Kind::Correction } else { Kind::Swap },
            text: self.after,
            weight: 0.7,
            added: None,
            path: path.to_owned(),
            before: Some(self.before),
            key: self.key,
            imported: false,
            stems: Vec::new(),
        }
    }
}

/// A value that is not told changed: a digest, a commit, a secret.
#[derive(Debug, PartialEq, Eq)]
struct Opaque {
    /// What has it: an image with its tag, an action, a key.
    name: String,
    /// What became of it, with `{}` in the place of the name.
    phrase: &'static str,
}

const NEW_VALUE: &str = "It changes the value of {}";

impl Opaque {
    fn mention(self, path: &str) -> Mention {
        Mention {
            kind: Kind::Opaque,
            text: self.name,
            weight: 0.7,
            added: None,
            path: path.to_owned(),
            before: Some(self.phrase.to_owned()),
            key: None,
            imported: false,
            stems: Vec::new(),
        }
    }
}

/// Where two lines differ in nothing but hashes, or in what was taken out of them as a secret.
fn opaque(before: &str, after: &str) -> Option<Opaque> {
    if before.len().max(after.len()) > LINE {
        return None;
    }
    if let (Some((old, _)), Some((new, _))) = (before.split_once("[redacted:"), after.split_once("[redacted:")) {
        let name = key(&tokens(old)).filter(|_| old == new)?;
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
    let stops = |token: &&&str| !(token.trim().is_empty() || matches!(**token, "\"" | "'" | "`" | "=" | "(" | ","));
    let run: Vec<&str> = before.get(..start)?.iter().rev().take_while(stops).copied().collect();
    let pinned: String = run.into_iter().rev().collect::<String>().trim_matches(['@', '-']).to_owned();
    let is_name = pinned.chars().filter(|c| c.is_alphabetic()).count() > 1 && !pinned.ends_with(':');
    match (hash(old), hash(new)) {
        (Some(_), Some(new)) if is_name => {
            let phrase = if digest(&new) > 0 { "It pins {} to another digest" } else { "It pins {} to another commit" };
            Some(Opaque { name: pinned, phrase })
        }
        (Some(_), Some(_)) => key(before.get(..start)?).map(|name| Opaque { name, phrase: NEW_VALUE }),
        (None, Some(_)) if is_name => Some(Opaque { name: pinned, phrase: "It pins {} to a digest" }),
        (Some(_), None) if is_name => Some(Opaque { name: pinned, phrase: "It no longer pins {} to a digest" }),
        _ => None,
    }
}

/// The length of a digest with its algorithm at the start of a text (`sha256:…`, `sha512-…`), else nothing.
fn digest(text: &str) -> usize {
    let algorithms = ["sha1", "sha256", "sha384", "sha512", "md5", "blake3", "blake2b", "h1"];
    let of = |algorithm: &str| {
        let rest = text.strip_prefix(algorithm)?.strip_prefix([':', '-', '='])?;
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+/=_-".contains(c))).unwrap_or(rest.len());
        (end >= 16).then_some(text.len() - rest.len() + end)
    };
    algorithms.into_iter().find_map(of).unwrap_or(0)
}

fn between(before: &str, after: &str, prose: bool) -> Option<Swap> {
    if before.len().max(after.len()) > LINE {
        return None;
    }
    let (before, after) = (tokens(before), tokens(after));
    let start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let (left, right) = (before.get(start..)?, after.get(start..)?);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    let text = |tokens: &[&str]| {
        let kept: Vec<&str> = tokens.iter().copied().filter(|token| !is_hash(token)).collect();
        // Of code each mark counts; where a hash was left out, so are the marks that led to it.
        tidy(&kept.concat(), prose || kept.len() < tokens.len())
    };
    let (old, new) = (text(left.get(..left.len() - end)?), text(right.get(..right.len() - end)?));
    let nothing = |text: &str| prose && text.is_empty();
    let told = |text: &str| {
        (1..=CHARS).contains(&text.chars().count())
            && text.chars().any(char::is_alphanumeric)
            && is_balanced(text)
            && (prose || !STATEMENTS.contains(&text.split(' ').next().unwrap_or(text)))
            && !text.contains('\\')
    };
    // A line that has nothing but the difference is another line, not a correction.
    let common = before.iter().take(start).chain(before.iter().rev().take(end)).any(|token| is_word(token));
    let key = key(before.get(..start)?).filter(|_| is_value(&old) && is_value(&new));
    ((told(&old) || nothing(&old)) && (told(&new) || nothing(&new)) && old != new && common).then_some(Swap {
        before: old,
        after: new,
        key,
        prose,
    })
}

/// What begins a statement tells nothing without the rest of it.
const STATEMENTS: [&str; 15] = [
    "import", "from", "return", "let", "const", "var", "if", "else", "pub", "fn", "def", "export", "static", "new",
    "use",
];

/// Words with the marks that names and versions have inside; every other character is its own token.
fn tokens(line: &str) -> Vec<&str> {
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

/// `version = `, `actions/checkout@`, `"left-pad": "^`: the last name, with nothing but marks behind it; the one of
/// the whole line, where that has several values.
fn key(before: &[&str]) -> Option<String> {
    if let ["#", "define", _, name, ..] = before {
        return Some((*name).to_owned());
    }
    let before = without_type(before);
    let behind = before.iter().rev().take_while(|token| !is_word(token)).count();
    let at = before.len().checked_sub(behind + 1).filter(|_| behind > 0)?;
    let (key, marks) = (before.get(at)?, before.get(at + 1..)?);
    let joined = marks.iter().any(|mark| matches!(*mark, "=" | ":" | "@" | "~" | "^" | ">" | "<"));
    let whole = before.iter().find(|token| is_word(token)).filter(|_| *key == "version" && before.contains(&"{"));
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

/// `LIMIT: u32 =` as `LIMIT =`: what stands between the colon and the sign is what the value is, not what has it.
fn without_type<'a>(before: &'a [&'a str]) -> &'a [&'a str] {
    let typed = before.iter().rev().find(|token| !token.trim().is_empty()).is_some_and(|mark| *mark == "=");
    let colon = before.iter().position(|token| *token == ":").filter(|at| typed && before.len() - at < 9);
    colon.and_then(|at| before.get(..=at)).unwrap_or(before)
}

/// A number or a version.
fn is_value(text: &str) -> bool {
    let bare = text.trim_start_matches(['v', '^', '~', '=', '>', '<', ' ', '#']);
    bare.starts_with(|c: char| c.is_ascii_digit()) && !text.contains('/') && text.split_whitespace().count() < 3
}

/// The id of a commit, or the like.
#[must_use]
pub fn is_hash(token: &str) -> bool {
    let hex = token.len() >= 7
        && token.chars().all(|c| c.is_ascii_hexdigit())
        && token.contains(|c: char| c.is_ascii_digit());
    let letters = token.chars().filter(|c| c.is_alphanumeric()).count();
    let digits = token.contains(|c: char| c.is_ascii_digit());
    let scattered = if digits { 5 } else { 3 };
    hex || digest(token) > 0 || (letters > 18 && letters < scattered * parts(token).len())
}

/// Every bracket has its partner: else it is half of an expression.
fn is_balanced(text: &str) -> bool {
    let count = |of: char| text.chars().filter(|c| *c == of).count();
    [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')].iter().all(|(open, close)| count(*open) == count(*close))
}

/// Without the punctuation around it: all marks of words for people, of code only those that separate.
fn tidy(text: &str, loose: bool) -> String {
    let separates = |c: char| matches!(c, ',' | ';' | '"' | '\'' | '`' | ':' | '=') || c.is_whitespace();
    let around = |c: char| separates(c) || (loose && matches!(c, '(' | ')' | '{' | '}' | '[' | ']' | '#' | '@'));
    let marks = |c: char| matches!(c, '`' | '“' | '”' | '"') || c.is_control();
    super::words::unmarked(text.trim_matches(around).trim_end_matches('.'), marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swap(before: &str, after: &str) -> Option<(String, String, Option<String>)> {
        between(before, after, true).map(|swap| (swap.before, swap.after, swap.key))
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
        assert_eq!(between("a(b)", "a(b, c)", false), None, "code is not told by what it gained");
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

    #[test]
    fn of_a_secret_the_name_alone_is_told() {
        let line = "  password: [redacted:value]";
        let told = opaque(line, line);
        assert_eq!(told, Some(Opaque { name: "password".to_owned(), phrase: NEW_VALUE }));
    }

    #[test]
    fn code_is_quoted_with_all_its_marks() {
        let swap = between("\tx > $@ || rm -f $@", "\tx > $@ || { rm -f $@; false; }", false).unwrap();
        assert_eq!((swap.before.as_str(), swap.after.as_str()), ("rm -f $@", "{ rm -f $@; false; }"));
    }

    #[test]
    fn hashes_are_known() {
        assert!(is_hash("de0fac2e45") && is_hash("iQIzBAABCgAdFiEEkWeAlRHvWzB"));
        assert!(!is_hash("deadbeef") && !is_hash("getObjectByIdOrNullAtAll") && !is_hash("max_recursion_depth_limit"));
    }
}
