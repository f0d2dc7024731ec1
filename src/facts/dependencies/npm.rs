//! Parsers for package.json and the lockfiles of npm, yarn and pnpm.

use super::entry::{DependencyEntry, SideLine, is_name};
use crate::text::version::is_version_range;

/// Package sources instead of a version.
const SOURCES: [&str; 7] = ["workspace:", "catalog:", "npm:", "file:", "link:", "github:", "git+"];

/// Dependency lists of package.json.
const LISTS: [&str; 4] = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];
/// Keys with a version that name no package.
const OWN_KEYS: [&str; 8] = ["version", "node", "npm", "yarn", "pnpm", "vscode", "packageManager", "bun"];

/// `"key": value`, without a trailing comma.
pub(super) fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, rest) = line.trim().strip_prefix('"')?.split_once('"')?;
    let value = rest.trim_start().strip_prefix(':')?.trim();
    Some((key, value.trim_end_matches(',').trim_end()))
}

pub(super) fn quoted(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('"')).then_some(inner)
}

pub fn manifest(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    // Whether the line is in a dependency list; unknown before the first bracket in the hunk.
    let mut list: Option<bool> = None;
    let mut entries = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let text = line.text.trim();
        match pair(text) {
            Some((key, value)) if value.starts_with('{') || value.starts_with('[') => {
                list = Some(LISTS.contains(&key) && value == "{");
            }
            Some((key, value)) if line.changed => entries.extend(parse_dependency(list, key, value, at)),
            None if text.starts_with(['}', ']']) => list = Some(false),
            _ => {}
        }
    }
    entries
}

fn parse_dependency(list: Option<bool>, key: &str, value: &str, at: usize) -> Option<DependencyEntry> {
    let version = quoted(value)?;
    // Without the list's head the value must look like a range, as no other key of a package.json has one.
    let certain = list.unwrap_or_else(|| {
        !OWN_KEYS.contains(&key) && (is_version_range(version) || SOURCES.iter().any(|kind| version.starts_with(kind)))
    });
    let entry = DependencyEntry { name: key.to_owned(), version: version.to_owned(), direct: true, line: at };
    (certain && is_name(key)).then_some(entry)
}

/// `"node_modules/name": {` or `"name": {`, then `"version": "1.2.3"`.
pub fn package_lock(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    let mut name: Option<(&str, bool)> = None;
    for (at, line) in lines.iter().enumerate() {
        match pair(line.text) {
            Some((key, "{")) => {
                let package = key.rsplit("node_modules/").next().filter(|key| is_name(key));
                name = package.map(|package| (package, line.changed));
            }
            Some(("version", value)) => {
                let version = quoted(value).map(|version| version.trim_start_matches("=="));
                if let (Some((name, renamed)), Some(version)) =
                    (name, version.filter(|version| is_version_range(version)))
                {
                    entries.extend((line.changed || renamed).then(|| transitive_entry(name, version, at)));
                }
                name = None;
            }
            _ => {}
        }
    }
    entries
}

/// `name@range, name@range:` at the margin, then `version "1.2.3"` (or `version: 1.2.3`).
pub fn yarn_lock(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    let mut name: Option<&str> = None;
    for (at, line) in lines.iter().enumerate() {
        if !line.text.starts_with([' ', '\t']) {
            name = line.text.strip_suffix(':').and_then(first_spec);
        } else if let Some(version) = line.text.trim().strip_prefix("version") {
            let version = version.trim_start_matches(':').trim().trim_matches('"');
            // A head that lists other ranges for the same version is no change.
            if let (Some(name), true, true) = (name, line.changed, is_version_range(version)) {
                entries.push(transitive_entry(name, version, at));
            }
        }
    }
    entries
}

/// The name in `"@scope/name@npm:^1.0.0, …"`.
fn first_spec(head: &str) -> Option<&str> {
    let first = head.split(',').next()?.trim().trim_matches('"');
    let at = first.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at)?;
    Some(&first[..at]).filter(|name| is_name(name))
}

/// `  /name@1.2.3:`, `  'name@1.2.3(peer@1)':`: a key with name and version.
pub fn pnpm_lock(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.changed && line.text.starts_with("  ")) {
        let key = line.text.trim().trim_end_matches("{}").trim_end();
        let Some(key) = key.strip_suffix(':').map(|key| key.trim_matches(['\'', '"']).trim_start_matches('/')) else {
            continue;
        };
        let key = key.split('(').next().unwrap_or(key);
        // Older ones write `/name/1.2.3`.
        let split = key.rsplit_once('@').filter(|(name, _)| !name.is_empty()).or_else(|| key.rsplit_once('/'));
        let Some((name, version)) = split.filter(|(name, version)| is_name(name) && is_version_range(version)) else {
            continue;
        };
        entries.push(transitive_entry(name, version, at));
    }
    entries
}

fn transitive_entry(name: &str, version: &str, at: usize) -> DependencyEntry {
    DependencyEntry { name: name.to_owned(), version: version.to_owned(), direct: false, line: at }
}
