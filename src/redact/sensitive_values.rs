//! Redaction by name: values of keys with sensitive names (`password: sunshine`). The other rules recognise secrets by
//! form; a passphrase or a plain word has none, so the name alone decides, and literal values are hidden.

use super::reference::is_reference;
use super::sensitive_names::is_sensitive;
use crate::domain::patch::{Commit, FileChange, Hunk, LineOrigin};
use crate::facts::roles::{self, FileRole};
use crate::text::fences::Fence;

/// The replacement for a hidden value.
pub const HIDDEN: &str = "[redacted:value]";

/// Value syntax of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueSyntax {
    /// Only quoted literals are values; a bare word is a name.
    Program,
    /// Bare words, up to a space.
    Shell,
    /// Bare words up to the end of the line.
    Settings,
    /// Prose: only values after `=` or in quotation marks.
    Prose,
    /// The file is one value.
    Value,
}

impl ValueSyntax {
    fn of(path: &str) -> Self {
        let low = path.to_ascii_lowercase();
        let name = low.rsplit('/').next().unwrap_or(&low);
        let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
        let role = FileRole::from_path(path);
        let shells = ["sh", "bash", "zsh", "fish", "ps1", "mk", "bat", "cmd", "envrc"];
        if matches!(end, "" | "txt" | "pass" | "secret") && is_sensitive(stem) && !low.starts_with("docs/") {
            Self::Value
        } else if shells.contains(&end) || ["dockerfile", "containerfile", "makefile", ".netrc"].contains(&name) {
            Self::Shell
        } else if roles::is_program(path) || ["tf", "hcl", "gradle", "nix", "html", "vue", "svelte"].contains(&end) {
            Self::Program
        } else if role == FileRole::Docs {
            Self::Prose
        } else {
            Self::Settings
        }
    }

    /// By the info string of a code fence.
    fn of_fence(info_string: &str) -> Option<Self> {
        let word = info_string.trim_start().split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
        match word.to_ascii_lowercase().as_str() {
            "yaml" | "yml" | "json" | "jsonc" | "json5" | "toml" | "ini" | "env" | "dotenv" | "properties" | "xml"
            | "conf" | "cfg" => Some(Self::Settings),
            "sh" | "bash" | "zsh" | "fish" | "shell" | "console" | "powershell" | "dockerfile" | "docker" => {
                Some(Self::Shell)
            }
            _ => None,
        }
    }
}

/// Hides such values in all lines and hunk headers of the patch.
#[must_use]
pub fn hide_values(mut commit: Commit) -> Commit {
    commit.patch.files.iter_mut().for_each(hide_in_file);
    commit
}

fn hide_in_file(file: &mut FileChange) {
    let style = ValueSyntax::of(&file.path);
    for Hunk { header, lines, .. } in &mut file.hunks {
        let mut above = LineContext::default();
        if let Some(hidden) = above.line(header, style) {
            *header = hidden;
        }
        // Each side is scanned separately; common lines are scanned twice, with the same result.
        let (mut old, mut new) = (above, above);
        for line in lines {
            let hidden = match line.origin {
                LineOrigin::Removed => old.line(&line.text, style),
                LineOrigin::Added => new.line(&line.text, style),
                LineOrigin::Context => {
                    let of_old = old.line(&line.text, style);
                    new.line(&line.text, style).or(of_old)
                }
            };
            if let Some(hidden) = hidden {
                line.text = hidden;
            }
        }
    }
}

/// Context from the preceding lines.
#[derive(Debug, Clone, Copy, Default)]
struct LineContext {
    /// A sensitive key at this depth that expects a block value.
    block: Option<usize>,
    /// The block was opened by an explicit mark (`|`), so all deeper lines belong to it.
    marked: bool,
    /// Number of lines after a name (`name: DB_PASSWORD`) in which its `value` may follow.
    named: u8,
    /// The end mark of an open multi-line string.
    open: Option<&'static str>,
    /// Syntax of the open code fence in prose.
    fence: Option<ValueSyntax>,
}

/// Maximum distance in lines between a name and its value.
const BELOW: u8 = 4;

impl LineContext {
    /// The line without values; `None` where it has none.
    fn line(&mut self, text: &str, style: ValueSyntax) -> Option<String> {
        let style = self.syntax_of_line(text, style);
        if style == ValueSyntax::Value {
            return (!text.trim().is_empty()).then(|| HIDDEN.to_owned());
        }
        let depth = text.len() - text.trim_start().len();
        if let Some(mark) = self.open {
            self.open = if text.contains(mark) { None } else { Some(mark) };
            return Some(format!("{}{HIDDEN}", &text[..depth]));
        }
        if let Some(block) = self.block {
            let inner = depth > block && (self.marked || !has_key(text));
            if inner || text.trim().is_empty() {
                return (!text.trim().is_empty()).then(|| format!("{}{HIDDEN}", &text[..depth]));
            }
            self.block = None;
        }
        let mut ranges = Vec::new();
        if self.named > 0 {
            self.named -= 1;
            ranges.extend(value_below(text, style).inspect(|_| self.named = 0));
        }
        for key in keys(text) {
            match after(text, key.clone(), style) {
                KeyValue::Value(range) => ranges.push(range),
                KeyValue::Block { marked } if style == ValueSyntax::Settings => {
                    (self.block, self.marked) = (Some(depth), marked);
                }
                KeyValue::Open(mark, range) => {
                    self.open = Some(mark);
                    ranges.extend((!range.is_empty()).then_some(range));
                }
                KeyValue::Name => self.named = BELOW,
                KeyValue::Block { .. } | KeyValue::Nothing => {}
            }
        }
        replace(text, ranges)
    }

    /// The syntax of a line: in prose, that of the surrounding code fence.
    fn syntax_of_line(&mut self, text: &str, style: ValueSyntax) -> ValueSyntax {
        if style != ValueSyntax::Prose {
            return style;
        }
        let Some(fence) = Fence::parse(text) else {
            return self.fence.unwrap_or(style);
        };
        self.block = None;
        self.fence = if self.fence.is_some() { None } else { ValueSyntax::of_fence(fence.info) };
        style
    }
}

fn replace(text: &str, mut ranges: Vec<std::ops::Range<usize>>) -> Option<String> {
    ranges.retain(|range| !range.is_empty() && !text[range.clone()].contains("[redacted:"));
    ranges.sort_by_key(|range| range.start);
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for range in ranges {
        if range.start >= done {
            clean.push_str(&text[done..range.start]);
            clean.push_str(HIDDEN);
            done = range.end;
        }
    }
    clean.push_str(&text[done..]);
    (done > 0).then_some(clean)
}

/// `- key: …`, `key = …`.
fn has_key(text: &str) -> bool {
    let text = text.trim_start().trim_start_matches("- ");
    let end = text.find([':', '=']).unwrap_or(0);
    end > 0 && text[..end].trim_end().chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\''))
}

/// Positions of sensitive names in the line.
fn keys(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (joins(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                start = None;
                let word = text[from..at].trim_end_matches(['.', '-']);
                let dashes = word.len() - word.trim_start_matches('-').len();
                let (from, word) = (from + dashes, &word[dashes..]);
                if is_sensitive(word) && !is_file(&text[..from]) {
                    found.push(from..from + word.len());
                }
            }
            _ => {}
        }
    }
    // `IDENTIFIED BY '…'`
    let by = [" IDENTIFIED BY ", " identified by "];
    found.extend(by.iter().filter_map(|by| text.find(by).map(|at| at + 1..at + by.len() - 1)));
    found
}

/// `/etc/passwd` is a path without a value.
fn is_file(before: &str) -> bool {
    before.strip_suffix(['/', '\\']).is_some_and(|before| before.ends_with("etc"))
}

/// The value after a sensitive name.
enum KeyValue {
    Value(std::ops::Range<usize>),
    /// Following lines with deeper indentation.
    Block {
        marked: bool,
    },
    /// A string that ends on another line, at this mark.
    Open(&'static str, std::ops::Range<usize>),
    /// The name is itself a value: its own value is next to `value`.
    Name,
    Nothing,
}

fn after(text: &str, key: std::ops::Range<usize>, style: ValueSyntax) -> KeyValue {
    let (before, rest) = (&text[..key.start], &text[key.end..]);
    let unquoted = rest.trim_start_matches(['"', '\'', '`', ']', ')', '\\']);
    let quoted = unquoted.len() < rest.len() && before.ends_with(['"', '\'', '`', ':']);
    let at = |inner: &str| text.len() - inner.len();
    let inner = unquoted.trim_start();
    // In a URL or a connection string: `…;Password=sunshine;…`.
    let in_string = before.matches('"').count() % 2 == 1 || before.matches('\'').count() % 2 == 1;
    if let Some(value) = rest.strip_prefix('=').filter(|value| in_string && !value.starts_with('=')) {
        let end = value.find(['"', '\'', ';', '&', ' ']).unwrap_or(value.len());
        return literal(value, at(value), end);
    }
    // `"Password: "` inside a string; the following text may be a value unless the string is concatenated.
    let odd = |quote: char| before.matches(quote).count() % 2 == 1 && rest.contains(quote);
    if (odd('"') || odd('\'')) && !rest.starts_with(['"', '\'', '`', '\\', ']']) {
        let Some((_, value)) = assigned_text(inner).filter(|_| style != ValueSyntax::Program) else {
            return KeyValue::Nothing;
        };
        let value = value.trim_start();
        return literal(value, at(value), value.find(['"', '\'']).unwrap_or(value.len()));
    }
    if let Some(value) = beside(before, inner).or_else(|| argument(before, inner, quoted, style)) {
        return scalar(value, at(value), if style == ValueSyntax::Prose { ValueSyntax::Program } else { style });
    }
    let Some((sign, value)) = assigned_text(inner) else {
        let is_name = ["name:", "name\":", "key:", "key\":", "name=", "key=", "variable", "<key>", "<name>"];
        let head = before.trim_end_matches(['"', '\'', ' ']).to_ascii_lowercase();
        return if is_name.iter().any(|name| head.ends_with(name)) { KeyValue::Name } else { KeyValue::Nothing };
    };
    let tag = sign == ">";
    if tag && !before.trim_end().ends_with('<') && !before.contains('<') {
        return KeyValue::Nothing;
    }
    if tag {
        let end = value.find("</").unwrap_or(value.len());
        return literal(value, at(value), end);
    }
    let value = value.trim_start();
    let style = match style {
        ValueSyntax::Prose if sign == ":" && is_setting(before, &text[key], value) => ValueSyntax::Settings,
        ValueSyntax::Prose if !sign.contains('=') => ValueSyntax::Program,
        other => other,
    };
    scalar(value, at(value), style)
}

/// `dbPassword: sunshine` on a line of its own is a setting even without a code fence; `Password: at least` is not.
fn is_setting(before: &str, name: &str, value: &str) -> bool {
    let value = value.split(" #").next().unwrap_or(value).trim();
    before.trim().is_empty()
        && (name.contains(['_', '.']) || crate::text::identifiers::is_camel_case(name))
        && !value.contains(char::is_whitespace)
}

/// The assignment operator, and the text after it; `==` compares. A type may precede it.
fn assigned_text(inner: &str) -> Option<(&'static str, &str)> {
    let signs = [":::=", "::=", ":=", "??=", "||=", "?=", "+=", ".=", "=>", "||", "??", "?:", "=", ":", ">"];
    let compares = ["==", "=~"].iter().any(|sign| inner.starts_with(sign));
    if compares || (inner.starts_with("::") && !inner.trim_start_matches(':').starts_with('=')) {
        return None;
    }
    // `var name string = "…"`
    let of_type =
        |kind: &str| kind.len() < 40 && kind.chars().all(|c| c.is_ascii_alphanumeric() || "_*.[]".contains(c));
    if let Some((_, value)) = inner.split_once(" = ").filter(|(kind, _)| !kind.is_empty() && of_type(kind)) {
        return value.starts_with(['"', '`']).then_some(("=", value));
    }
    let sign = signs.into_iter().find(|sign| inner.starts_with(sign))?;
    let rest = &inner[sign.len()..];
    let typed = || {
        let (kind, value) = rest.split_once('=')?;
        let is_type = kind.len() < 40 && kind.chars().all(|c| c.is_ascii_alphanumeric() || "&'_<>:[]?| ".contains(c));
        (sign == ":" && is_type && !kind.contains('"') && !value.starts_with(['=', '>'])).then_some(("=", value))
    };
    Some(typed().unwrap_or((sign, rest)))
}

/// `key="Password" value="…"`, `name: X, value: …`: the text of the adjacent `value`.
fn beside<'a>(before: &str, inner: &'a str) -> Option<&'a str> {
    let names = ["name", "key", "id"];
    let head = before.trim_end_matches(['"', '\'', ' ', '=', ':', '@']);
    let named = names.iter().any(|name| head.to_ascii_lowercase().trim_end_matches('"').ends_with(name));
    let rest = inner.trim_start_matches([',', ' ', '"', '\'', '>']);
    let rest = rest.strip_prefix("value").or_else(|| rest.strip_prefix("<value>"))?;
    let rest = rest.trim_start_matches(['"', '\'', ' ']);
    let value = rest.strip_prefix(['=', ':', '>']).unwrap_or(rest);
    named.then(|| value.trim_start())
}

/// `define('DB_PASSWORD', '…')`, `--password …`, `ENV PASSWORD …`, `#define PASSWORD …`.
fn argument<'a>(before: &str, inner: &'a str, quoted: bool, style: ValueSyntax) -> Option<&'a str> {
    let head = before.trim_start();
    let argument =
        inner.strip_prefix(',').map(str::trim_start).filter(|rest| quoted && rest.starts_with(['"', '\'', '`']));
    // `` `password`, `confirmPassword` `` in a sentence.
    let called = || before.trim_end_matches('`').ends_with('(');
    let argument = argument.filter(|_| style != ValueSyntax::Prose || !before.ends_with('`') || called());
    let flag = before.ends_with("--") && !inner.starts_with('=');
    let declared =
        ["ENV ", "ARG ", "#define ", "setx ", "set -gx ", "set -x "].iter().any(|start| head.starts_with(start));
    let netrc =
        style == ValueSyntax::Shell && (head.is_empty() || head.starts_with("machine ") || head.starts_with("login "));
    let sql = inner.starts_with('\'') && style != ValueSyntax::Prose && !quoted;
    let blank = (flag || declared || netrc || sql) && !inner.starts_with(['=', ':', '(', '-']);
    argument.or_else(|| blank.then_some(inner))
}

fn value_below(text: &str, style: ValueSyntax) -> Option<std::ops::Range<usize>> {
    let inner = text.trim_start().trim_start_matches(['-', '"', '\'', ' ', '<']);
    let names = ["value", "default", "stringValue", "string>"];
    let rest = names.iter().find_map(|name| inner.strip_prefix(name))?;
    let rest = rest.trim_start_matches(['"', '\'', ' ']);
    let value = rest.strip_prefix([':', '=', '>']).unwrap_or(rest);
    let (start, tag) = (value.trim_start(), value.contains("</"));
    let at = text.len() - start.len();
    let found = if tag { literal(start, at, start.find("</")?) } else { scalar(start, at, style) };
    if let KeyValue::Value(range) = found { Some(range) } else { None }
}

/// A value at `at`, in the file's syntax.
fn scalar(value: &str, at: usize, style: ValueSyntax) -> KeyValue {
    for mark in ["\"\"\"", "'''"] {
        if let Some(inner) = value.strip_prefix(mark) {
            let start = at + mark.len();
            return match inner.find(mark) {
                Some(end) => literal(inner, start, end),
                None => KeyValue::Open(mark, start..start + inner.len()),
            };
        }
    }
    let prefixed = value.trim_start_matches(['b', 'r', 'u', 'f', 'L', '@', '$']);
    if let Some(quote) = prefixed.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) {
        let inner = &prefixed[1..];
        return literal(inner, at + value.len() - inner.len(), closing(inner, quote));
    }
    // A list of literals: all of them.
    if let Some(list) = value.strip_prefix('[').filter(|list| list.trim_start().starts_with(['"', '\''])) {
        return literal(list, at + 1, list.find(']').unwrap_or(list.len()));
    }
    match style {
        ValueSyntax::Program | ValueSyntax::Value | ValueSyntax::Prose if style != ValueSyntax::Prose => {
            KeyValue::Nothing
        }
        ValueSyntax::Shell | ValueSyntax::Prose => {
            let printed = value.strip_prefix("$(").and_then(|inner| inner.find(')'));
            if let Some(end) = printed {
                return literal(value, at, end + "$()".len());
            }
            literal(value, at, value.find([' ', '\t', ';', '"', '\'', '&', '|', '`', ',', ')']).unwrap_or(value.len()))
        }
        _ if value.is_empty() => KeyValue::Block { marked: false },
        _ if matches!(value.chars().next(), Some('|' | '>')) && value.len() < 4 => KeyValue::Block { marked: true },
        _ if value.starts_with("!vault") => KeyValue::Block { marked: true },
        _ if value.starts_with(['{', '[', '&', '*', '(']) => KeyValue::Nothing,
        _ => {
            let end = [" #", " //", "\t#"].iter().filter_map(|mark| value.find(mark)).min().unwrap_or(value.len());
            let whole = value[..end].trim_end();
            // A bracket opened inside belongs to it.
            let ends: &[char] = if whole.contains('{') { &[','] } else { &[',', '}', ' '] };
            literal(value, at, whole.trim_end_matches(ends).len())
        }
    }
}

/// The closing quote, or the end of the line.
fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == quote && !escaped {
            return at;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// The value, unless it is empty, a reference to a value elsewhere, or a boolean.
fn literal(value: &str, at: usize, end: usize) -> KeyValue {
    let value = value.get(..end).unwrap_or_default();
    let switch = ["true", "false", "null", "none", "nil", "~", "undefined", "yes", "no"];
    let is_switch = switch.contains(&value.trim().to_ascii_lowercase().as_str());
    if value.trim().is_empty() || is_switch || is_reference(value.trim()) {
        KeyValue::Nothing
    } else {
        KeyValue::Value(at..at + value.len())
    }
}

#[cfg(test)]
#[path = "sensitive_values_tests.rs"]
mod tests;
