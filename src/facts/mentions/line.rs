//! Tokenizer for a line: code, string literals, and prose.

use crate::facts::roles::FileRole;

/// Class of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceClass {
    Code,
    /// Between quotation marks, in code.
    Quoted,
    /// Comments and documentation.
    Prose,
}

/// The pieces of a line, in order.
#[must_use]
pub fn split_pieces(line: &str, role: FileRole) -> Vec<(PieceClass, &str)> {
    let line = line.trim();
    if role == FileRole::Docs || is_comment(line) || is_prose(line) {
        let class = |at: usize| if at.is_multiple_of(2) { PieceClass::Prose } else { PieceClass::Quoted };
        let pieces = line.split('`').enumerate().filter(|(_, text)| !text.is_empty());
        return pieces.map(|(at, text)| (class(at), text)).collect();
    }
    let at = [" // ", "  # ", " /* "].iter().filter_map(|mark| line.find(mark)).min();
    let (code, comment) = at.map_or((line, ""), |at| line.split_at(at));
    let mut pieces = strings(code);
    pieces.extend((!comment.is_empty()).then_some((PieceClass::Prose, comment)));
    pieces
}

/// Whether the whole line is a comment.
#[must_use]
pub fn is_comment(line: &str) -> bool {
    let directive = ["#[", "#!", "#include", "#define", "#if", "#el", "#endif", "#undef", "#pragma", "#import"];
    let marks = ["//", "/*", "* ", "*/", "<!--", "\"\"\"", "'''", "--  ", "-- ", ";; ", ".. ", "dnl "];
    (line.starts_with('#') && !directive.iter().any(|d| line.starts_with(d)))
        || marks.iter().any(|mark| line.starts_with(mark))
}

/// At least four plain words in a row, hardly anything else: a line of a docstring or a block comment.
#[must_use]
pub fn is_prose(line: &str) -> bool {
    let code =
        |c: char| matches!(c, '{' | '}' | ';' | '=' | '<' | '>' | '[' | ']' | '|' | '&' | '\\' | '$' | '@' | '"' | '%');
    let begins = line.split_whitespace().next().unwrap_or("").trim_end_matches(':');
    let is_plain = |word: &str| {
        let bare = word.trim_matches(|c: char| matches!(c, ',' | '.' | ':' | '(' | ')' | '?' | '!' | '`'));
        !bare.is_empty() && bare.chars().all(|c| c.is_alphabetic() || c == '-') || bare.contains("n't")
    };
    let (plain, all) =
        line.split_whitespace().fold((0, 0), |(plain, all), word| (plain + usize::from(is_plain(word)), all + 1));
    let words = plain >= 4 && plain * 5 >= all * 4;
    words
        && !STATEMENTS.contains(&begins)
        && !has_call(line)
        && !line.contains(code)
        && !line.ends_with(['(', ',', '"', ':'])
}

/// Starts of statements that look like words.
const STATEMENTS: [&str; 29] = [
    "return", "import", "from", "const", "let", "var", "if", "else", "use", "pub", "def", "class", "private", "public",
    "static", "describe", "it", "raise", "throw", "FROM", "except", "elif", "while", "for", "func", "fn", "echo",
    "run", "RUN",
];

/// A name with its arguments.
fn has_call(line: &str) -> bool {
    line.chars().zip(line.chars().skip(1)).any(|(a, b)| b == '(' && (a.is_alphanumeric() || a == '_'))
}

/// Whether the line imports names.
#[must_use]
pub fn is_import(line: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let begins = ["import ", "from ", "use ", "#include", "require ", "require(", "extern crate "];
    begins.iter().any(|begin| line.starts_with(begin)) || (line.starts_with("const ") && line.contains("= require("))
}

/// Code and the string literals that close on the line.
fn strings(line: &str) -> Vec<(PieceClass, &str)> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(open) = rest.find(['"', '\'', '`']) {
        let (code, from) = rest.split_at(open);
        let mark = from.chars().next().unwrap_or('"');
        let inner = &from[1..];
        let Some(close) = closing(inner, mark) else { break };
        pieces.push((PieceClass::Code, code));
        pieces.push((PieceClass::Quoted, &inner[..close]));
        rest = &inner[close + 1..];
    }
    pieces.push((PieceClass::Code, rest));
    pieces
}

/// Position of the closing, unescaped quote; `None` for a lifetime or an apostrophe.
fn closing(text: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == mark && !escaped {
            return Some(at);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// Start of a redaction placeholder, which ends with the next `]`; its words are not evidence.
const REDACTED: &str = "[redacted:";

/// The names in a piece: identifiers, with inner hyphens (`--no-mmap`, `content-type`) if `hyphens`.
pub fn tokens(text: &str, hyphens: bool) -> impl Iterator<Item = &str> {
    let behind =
        |(nth, part): (usize, &'_ str)| if nth == 0 { 0 } else { part.find(']').map_or(part.len(), |at| at + 1) };
    text.split(REDACTED).enumerate().flat_map(move |(nth, part)| names(&part[behind((nth, part))..], hyphens))
}

fn names(text: &str, hyphens: bool) -> impl Iterator<Item = &str> {
    let joins = move |c: char| c.is_alphanumeric() || c == '_' || (hyphens && c == '-');
    text.split(move |c: char| !joins(c)).filter_map(|token| {
        let bare = token.trim_end_matches('-');
        let flag = bare.starts_with("--") && !bare.starts_with("---");
        let bare = if flag { bare } else { bare.trim_start_matches('-') };
        bare.chars().any(char::is_alphabetic).then_some(bare)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_strings_and_comments_are_told_apart() {
        let pieces = split_pieces("  let a = \"x y\"; // why it is so", FileRole::Source);
        assert_eq!(
            pieces,
            [
                (PieceClass::Code, "let a = "),
                (PieceClass::Quoted, "x y"),
                (PieceClass::Code, ";"),
                (PieceClass::Prose, " // why it is so")
            ]
        );
        assert_eq!(split_pieces("# all of it", FileRole::Source), [(PieceClass::Prose, "# all of it")]);
        assert_eq!(split_pieces("fn a<'a>(x: &'a str)", FileRole::Source).len(), 3);
        assert_eq!(split_pieces("use `x` here", FileRole::Docs)[1], (PieceClass::Quoted, "x"));
    }

    #[test]
    fn prose_is_known_by_its_plain_words() {
        assert!(is_prose("Returns the session if there is one."));
        assert!(!is_prose("return self.session if x else None;"));
        assert!(!is_prose("a b c"));
    }

    #[test]
    fn hyphens_join_where_they_may() {
        assert_eq!(tokens("--no-mmap=x a-b -", true).collect::<Vec<_>>(), ["--no-mmap", "x", "a-b"]);
        assert_eq!(tokens("a-b", false).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_stands_for_a_secret_names_nothing() {
        let line = "key = '[redacted:github-token]', next([redacted:secret])";
        assert_eq!(tokens(line, true).collect::<Vec<_>>(), ["key", "next"]);
        assert_eq!(tokens("[redacted:x", true).next(), None);
    }
}
