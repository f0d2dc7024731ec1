//! Parser for go.mod.

use super::entry::{DependencyEntry, SideLine};
use crate::text::version::is_version_range;

/// The directive that opens a block.
fn directive(line: &str) -> Option<&str> {
    let line = line.trim_end();
    let name = line.strip_suffix('(')?.trim_end();
    ["require", "replace", "exclude", "retract", "tool", "ignore", "godebug"].contains(&name).then_some(name)
}

pub fn manifest(header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut block = directive(header).unwrap_or("");
    let mut entries = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(opened) = directive(line.text) {
            block = opened;
        } else if line.text.starts_with(')') {
            block = "";
        } else if line.changed && matches!(block, "" | "require") {
            entries.extend(required(line.text, at));
        }
    }
    entries
}

/// `require path v1.2.3`, or inside a block `path v1.2.3 // indirect`.
fn required(line: &str, at: usize) -> Option<DependencyEntry> {
    let inside = line.starts_with(['\t', ' ']);
    let (code, comment) = line.split_once("//").unwrap_or((line, ""));
    let mut words = code.split_whitespace();
    let first = words.next()?;
    let path = if first == "require" && !inside { words.next()? } else { first };
    let (version, end) = (words.next()?, words.next());
    let is_path = (inside || first == "require") && path.contains('.');
    let certain = is_path && end.is_none() && version.starts_with('v') && is_version_range(version);
    let direct = !comment.contains("indirect");
    certain.then(|| DependencyEntry { name: path.to_owned(), version: version.to_owned(), direct, line: at })
}
