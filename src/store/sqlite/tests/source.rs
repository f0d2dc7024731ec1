//! Extracts all statements and `Store` methods from the source, so that no list of them can go stale.

use std::fs;
use std::path::{Path, PathBuf};

/// Files with statements that run while the whole database is created, changed or salvaged.
const WHOLE_FILE: [&str; 3] = ["migrate.rs", "quarantine.rs", "salvage.rs"];

/// A statement in the source: the parts between its placeholders.
#[derive(Debug)]
pub struct Pattern {
    pub file: String,
    pub parts: Vec<String>,
}

impl Pattern {
    fn new(file: &Path, text: &str) -> Self {
        let mut parts = vec![String::new()];
        for (n, piece) in text.split('{').enumerate() {
            let rest = if n == 0 { piece } else { piece.split_once('}').map_or("", |(_, rest)| rest) };
            if n > 0 {
                parts.push(String::new());
            }
            parts.last_mut().unwrap().push_str(rest);
        }
        let parts = parts.iter().map(|part| flat(part)).collect();
        Self { file: file.file_name().unwrap().to_string_lossy().into_owned(), parts }
    }

    /// Whether the statement begins with the first part and contains all others in order.
    pub fn fits(&self, sql: &str) -> bool {
        let mut rest = sql;
        for (n, part) in self.parts.iter().enumerate() {
            let Some(at) = rest.find(part.as_str()).filter(|at| n > 0 || *at == 0) else { return false };
            rest = &rest[at + part.len()..];
        }
        self.parts.last().is_some_and(String::is_empty) || rest.is_empty() || self.parts.len() == 1
    }
}

/// With one space between words.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn room(path: &str) -> Vec<PathBuf> {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store").join(path);
    let files = fs::read_dir(room).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The part of a file before its tests.
fn program(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

/// Every statement in the source of the store.
pub fn statements() -> Vec<Pattern> {
    let mut found = Vec::new();
    for path in room("sqlite").iter().filter(|path| WHOLE_FILE.iter().all(|name| !path.ends_with(name))) {
        let texts = literals(&program(path));
        found.extend(texts.iter().filter(|text| is_statement(text)).map(|text| Pattern::new(path, text)));
    }
    found
}

fn is_statement(text: &str) -> bool {
    let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "REPLACE ", "WITH "];
    verbs.iter().any(|verb| text.trim_start().starts_with(verb))
}

/// The texts between quotation marks.
fn literals(source: &str) -> Vec<String> {
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n").replace("'\"'", "' '");
    let (mut found, mut rest) = (Vec::new(), code.as_str());
    while let Some((_, after)) = rest.split_once('"') {
        let mut text = String::new();
        let mut escaped = false;
        let mut end = after.len();
        for (at, c) in after.char_indices() {
            match c {
                // A continued line: its indentation is dropped.
                _ if escaped && c == '\n' => text.push(' '),
                _ if escaped => text.push(c),
                '"' => {
                    end = at;
                    break;
                }
                '\\' => {}
                _ => text.push(c),
            }
            escaped = c == '\\' && !escaped;
        }
        rest = after.get(end + 1..).unwrap_or_default();
        found.push(text);
    }
    found
}

/// The names of the methods of `Store`.
pub fn methods() -> Vec<String> {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let files = fs::read_dir(room).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let names = |path: PathBuf| -> Vec<String> {
        let source = fs::read_to_string(path).unwrap();
        let traits = source.split("\npub trait ").skip(1).filter_map(|text| text.split_once("{\n"));
        let bodies = traits.filter_map(|(_, text)| text.split_once("\n}\n")).map(|(body, _)| format!("\n{body}"));
        let named = |text: &str| text.split('(').next().unwrap_or_default().to_owned();
        bodies.flat_map(|body| body.split("\n    fn ").skip(1).map(named).collect::<Vec<_>>()).collect()
    };
    files.flat_map(names).collect()
}

/// The body of the conformance checks.
pub fn conformance() -> String {
    let texts: Vec<String> = room("conformance").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    texts.concat()
}
