//! Recognises definition lines by keyword: precision before recall.

use super::line_cursor::{self, LineCursor};

/// Languages with recognised definition lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    Rust,
    Python,
    /// JavaScript and TypeScript.
    Script,
    Go,
    Java,
    /// C and C++.
    C,
    Ruby,
    /// Of the Bourne shell's kind, and fish.
    Shell,
}

/// Kind of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SymbolKind {
    Function,
    /// A type: class, struct, enum, trait, interface.
    Type,
    /// A container that is not itself defined here (`impl X`, `mod x`, `namespace x`).
    Scope,
    Constant,
    Macro,
    /// A member of a type: a field, a class attribute.
    Field,
    /// An enum variant.
    Variant,
}

/// A definition: `kind` and the name as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Definition {
    pub kind: SymbolKind,
    pub name: String,
    /// Visible from outside: `pub`, `export`, a capital in Go, no leading underscore in Python.
    pub public: bool,
}

impl Language {
    /// From the path's extension.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        Some(match name.rsplit_once('.')?.1 {
            "rs" => Self::Rust,
            "py" | "pyi" => Self::Python,
            "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" => Self::Script,
            "go" => Self::Go,
            "java" => Self::Java,
            "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "hh" => Self::C,
            "rb" => Self::Ruby,
            "sh" | "bash" | "zsh" | "fish" => Self::Shell,
            _ => return None,
        })
    }

    /// The definition on the line, if it plainly is one.
    #[must_use]
    pub fn definition(self, line: &str) -> Option<Definition> {
        let line = line.trim_end();
        let (kind, name, public) = match self {
            Self::Rust => rust(line)?,
            Self::Python => python(line)?,
            Self::Script => script(line)?,
            Self::Go => go(line)?,
            Self::Java => java(line)?,
            Self::C => c(line)?,
            Self::Ruby => ruby(line)?,
            Self::Shell => shell(line)?,
        };
        let sane = !name.is_empty() && name.len() <= 80;
        sane.then_some(Definition { kind, name, public })
    }

    /// Whether such a line marks the next definition as a test.
    #[must_use]
    pub fn marks_test(self, line: &str) -> bool {
        let line = line.trim();
        match self {
            Self::Rust => line.starts_with("#[") && (line.contains("test]") || line.contains("test(")),
            Self::Java => line.starts_with("@Test") || line.starts_with("@ParameterizedTest"),
            _ => false,
        }
    }

    /// Whether the name is a test's by the language's convention.
    #[must_use]
    pub fn names_test(self, name: &str) -> bool {
        match self {
            Self::Python | Self::Ruby => name.starts_with("test_") || name.starts_with("Test"),
            Self::Go => ["Test", "Benchmark", "Fuzz", "Example"].iter().any(|prefix| {
                name.strip_prefix(prefix).is_some_and(|rest| !rest.starts_with(|c: char| c.is_lowercase()))
            }),
            Self::Rust => matches!(name, "tests" | "test"),
            _ => false,
        }
    }

    /// Separator between a type and its member.
    #[must_use]
    pub fn separator(self) -> &'static str {
        match self {
            Self::Rust | Self::C => "::",
            _ => ".",
        }
    }
}

type DefinitionParts = (SymbolKind, String, bool);

fn rust(line: &str) -> Option<DefinitionParts> {
    let mut cursor = LineCursor::new(line);
    let public = cursor.skip_word("pub");
    if public && cursor.peek_char() == Some('(') {
        cursor.skip_parens()?;
    }
    loop {
        match cursor.next_word()? {
            "default" | "async" | "unsafe" => {}
            "extern" => cursor.skip_string(),
            "const" | "static" if cursor.is_next("fn") || cursor.is_next("unsafe") || cursor.is_next("async") => {}
            "const" | "static" => {
                cursor.skip_word("mut");
                let name = cursor.identifier()?;
                return (cursor.peek_char() == Some(':')).then_some((SymbolKind::Constant, name, public));
            }
            "fn" => {
                let name = cursor.identifier()?;
                return matches!(cursor.peek_char(), Some('(' | '<')).then_some((SymbolKind::Function, name, public));
            }
            "struct" | "enum" | "trait" | "union" => {
                let name = cursor.identifier()?;
                let next = matches!(cursor.peek_char(), None | Some('{' | '(' | '<' | ';' | ':' | 'w'));
                return next.then_some((SymbolKind::Type, name, public));
            }
            "type" => {
                let name = cursor.identifier()?;
                // Associated types of an impl are not definitions of their own.
                return (cursor.at_column_zero() && matches!(cursor.peek_char(), Some('=' | '<'))).then_some((
                    SymbolKind::Type,
                    name,
                    public,
                ));
            }
            "mod" => {
                let name = cursor.identifier()?;
                return (cursor.peek_char() == Some('{')).then_some((SymbolKind::Scope, name, public));
            }
            "impl" => return rust_impl(cursor).map(|name| (SymbolKind::Scope, name, false)),
            _ => return None,
        }
    }
}

/// The type in `impl<T> Trait<T> for some::Type<T> {`.
fn rust_impl(mut cursor: LineCursor<'_>) -> Option<String> {
    if cursor.peek_char() == Some('<') {
        cursor.skip_angles()?;
    }
    let rest = cursor.rest().split('{').next()?.split(" where ").next()?;
    let of = rest.rsplit_once(" for ").map_or(rest, |(_, of)| of);
    let path = of.trim().trim_start_matches('&').split('<').next()?;
    let name = path.rsplit("::").next()?.trim();
    line_cursor::is_identifier(name).then(|| name.to_owned())
}

fn python(line: &str) -> Option<DefinitionParts> {
    let mut cursor = LineCursor::new(line);
    cursor.skip_word("async");
    let kind = match cursor.next_word()? {
        "def" => SymbolKind::Function,
        "class" => SymbolKind::Type,
        _ => return None,
    };
    let name = cursor.identifier()?;
    let next = cursor.peek_char();
    let right = next == Some('(') || next == Some('[') || (kind == SymbolKind::Type && next == Some(':'));
    let public = !name.starts_with('_') || name.starts_with("__");
    right.then_some((kind, name, public))
}

fn script(line: &str) -> Option<DefinitionParts> {
    let mut cursor = LineCursor::new(line);
    let exported = cursor.skip_word("export");
    cursor.skip_word("default");
    cursor.skip_word("declare");
    let mut probe = cursor.clone();
    probe.skip_word("abstract");
    probe.skip_word("async");
    match probe.next_word() {
        Some("function") => {
            probe.skip_char('*');
            let name = probe.identifier()?;
            return matches!(probe.peek_char(), Some('(' | '<')).then_some((SymbolKind::Function, name, exported));
        }
        Some("class" | "interface" | "enum") => {
            let name = probe.identifier()?;
            let next = matches!(probe.peek_char(), None | Some('{' | '<' | 'e' | 'i'));
            return next.then_some((SymbolKind::Type, name, exported));
        }
        Some("type") if exported || cursor.at_column_zero() => {
            let name = probe.identifier()?;
            return matches!(probe.peek_char(), Some('=' | '<')).then_some((SymbolKind::Type, name, exported));
        }
        Some("const" | "let" | "var") if exported || cursor.at_column_zero() => {
            let name = probe.identifier()?;
            return is_function_value(probe.rest()).then_some((SymbolKind::Function, name, exported));
        }
        _ => {}
    }
    script_method(cursor)
}

/// `= (a, b) =>`, `= async x =>`, `= function`, with or without a type before the equals sign.
fn is_function_value(rest: &str) -> bool {
    let Some((_, value)) = rest.split_once('=') else { return false };
    let value = value.trim_start().trim_start_matches("async").trim_start();
    let arrow = value.find("=>").is_some_and(|at| {
        let head = value[..at].trim_end();
        line_cursor::is_identifier(head) || (head.starts_with('(') && line_cursor::closes_at_end(head))
    });
    arrow || value.starts_with("function")
}

fn script_method(mut cursor: LineCursor<'_>) -> Option<DefinitionParts> {
    const MODIFIERS: [&str; 9] =
        ["public", "private", "protected", "static", "async", "get", "set", "readonly", "override"];
    if cursor.at_column_zero() {
        return None;
    }
    let mut hidden = false;
    let name = loop {
        let name = cursor.identifier()?;
        if cursor.peek_char() == Some('(') {
            break name;
        }
        if !MODIFIERS.contains(&name.as_str()) {
            return None;
        }
        hidden |= name == "private";
    };
    let body = cursor.rest();
    let is_body = body.ends_with('{') && line_cursor::closes_before_body(body) && !body.contains("=>");
    (is_body && !line_cursor::is_control(&name)).then_some((SymbolKind::Function, name, !hidden))
}

fn go(line: &str) -> Option<DefinitionParts> {
    let mut cursor = LineCursor::new(line);
    if !cursor.at_column_zero() {
        return None;
    }
    let upper = |name: &str| name.starts_with(char::is_uppercase);
    match cursor.next_word()? {
        "func" if cursor.peek_char() == Some('(') => {
            let receiver = cursor.skip_parens()?;
            let of = receiver.trim_end_matches(')').split_whitespace().last()?;
            let of = of.trim_start_matches(['(', '*']).split('[').next()?;
            let name = cursor.identifier()?;
            let right = line_cursor::is_identifier(of) && cursor.peek_char() == Some('(');
            right.then(|| (SymbolKind::Function, format!("{of}.{name}"), upper(&name)))
        }
        "func" => {
            let name = cursor.identifier()?;
            let public = upper(&name);
            matches!(cursor.peek_char(), Some('(' | '[')).then_some((SymbolKind::Function, name, public))
        }
        "type" => {
            let name = cursor.identifier()?;
            let public = upper(&name);
            cursor.peek_char().is_some().then_some((SymbolKind::Type, name, public))
        }
        _ => None,
    }
}

fn java(line: &str) -> Option<DefinitionParts> {
    const MODIFIERS: [&str; 9] =
        ["public", "private", "protected", "static", "final", "abstract", "synchronized", "sealed", "default"];
    let mut cursor = LineCursor::new(line);
    let (mut modified, mut public) = (false, false);
    loop {
        let mut probe = cursor.clone();
        match probe.next_word()? {
            word if MODIFIERS.contains(&word) => {
                (modified, public) = (true, public || word == "public");
                cursor = probe;
            }
            "class" | "interface" | "enum" | "record" => {
                let name = probe.identifier()?;
                let next = matches!(probe.peek_char(), None | Some('{' | '<' | '(' | 'e' | 'i' | 'p'));
                return next.then_some((SymbolKind::Type, name, public));
            }
            _ => break,
        }
    }
    let head = cursor.rest().split('(').next()?;
    let name = head.split_whitespace().last()?;
    let typed = !head.contains(['=', '.', '"', ';']) && line_cursor::is_identifier(name);
    let method = modified && typed && cursor.rest().contains('(') && !line.ends_with(';') && !line.contains(" new ");
    method.then(|| (SymbolKind::Function, name.to_owned(), public))
}

fn c(line: &str) -> Option<DefinitionParts> {
    let mut cursor = LineCursor::new(line);
    if !cursor.at_column_zero() || line.ends_with([';', ',', '\\']) {
        return None;
    }
    let mut probe = cursor.clone();
    if matches!(probe.next_word(), Some("struct" | "class" | "enum" | "union")) {
        let name = probe.identifier();
        if let (Some(name), Some('{' | ':')) = (name, probe.peek_char()) {
            return Some((SymbolKind::Type, name, true));
        }
    }
    let public = !cursor.is_next("static");
    let first = cursor.next_word()?;
    if line_cursor::is_control(first)
        || matches!(first, "typedef" | "using" | "namespace" | "template" | "extern" | "case")
    {
        return None;
    }
    let (head, rest) = line.split_once('(')?;
    let name = head.rsplit([' ', '*', '&']).next()?;
    let plain = name.split("::").all(|part| line_cursor::is_identifier(part.trim_start_matches('~')));
    let typed =
        head.trim_end().len() > name.len() && !head.contains(['=', '"', '#', '[']) && !line_cursor::is_control(name);
    let body = rest.ends_with([')', '{', '}']) || rest.ends_with("const") || rest.ends_with("noexcept");
    (plain && typed && body).then(|| (SymbolKind::Function, name.to_owned(), public))
}

fn ruby(line: &str) -> Option<DefinitionParts> {
    let mut cursor = LineCursor::new(line);
    let kind = match cursor.next_word()? {
        "def" => SymbolKind::Function,
        "class" => SymbolKind::Type,
        "module" => SymbolKind::Scope,
        _ => return None,
    };
    let name = cursor.rest().split([' ', '(', ';', '<']).next()?.trim_start_matches("self.");
    let plain = name.trim_end_matches(['?', '!', '=']).split("::").all(line_cursor::is_identifier);
    plain.then(|| (kind, name.to_owned(), true))
}

/// `name() {`, `function name {`, `function name -d '…'`.
fn shell(line: &str) -> Option<DefinitionParts> {
    let text = line.trim_start();
    let (text, keyword) = text.strip_prefix("function ").map_or((text, false), |rest| (rest.trim_start(), true));
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '.'))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let braces = rest.strip_prefix('(').is_some_and(|rest| {
        let rest = rest.trim_start().strip_prefix(')').map(str::trim_start);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['{', '(']))
    });
    let sane = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    (sane && (braces || keyword)).then(|| (SymbolKind::Function, name.to_owned(), true))
}

#[cfg(test)]
#[path = "language_tests.rs"]
mod tests;
