//! Parsers for requirements*.txt, pyproject.toml, setup.cfg, setup.py, Pipfile, and the lockfiles of Poetry and uv.

use super::entry::{DependencyEntry, SideLine, is_name, short_commit};
use super::toml;
use crate::text::version::is_version_range;

/// A package of a lockfile: `[[package]]`, then name, version and source line by line.
#[derive(Debug, Default)]
pub struct Block<'a> {
    name: Option<&'a str>,
    version: Option<(&'a str, usize)>,
    /// The value of `source =`, if that line is shown.
    pub source: Option<&'a str>,
    changed: bool,
}

impl Block<'_> {
    /// The package, if it is complete and one of its lines changed.
    pub fn entry(&self) -> Option<DependencyEntry> {
        let ((version, line), name) = (self.version?, self.name?);
        let certain = self.changed && is_version_range(version) && is_name(name);
        // A package from a repository is identified by its commit, not by its version.
        let locked = self.source.filter(|source| source.contains("git")).and_then(short_commit);
        let version = locked.unwrap_or_else(|| version.to_owned());
        certain.then(|| DependencyEntry { name: name.to_owned(), version, direct: false, line })
    }
}

pub fn blocks<'a>(lines: &[SideLine<'a>]) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let head = toml::table(line.text);
        if head.is_some() || at == 0 {
            blocks.push(Block::default());
        }
        // Tables below a package's (`[package.extras]`) are not packages.
        if head.is_some_and(|head| !matches!(head, "package" | "packages")) {
            continue;
        }
        let Some(block) = blocks.last_mut() else { continue };
        match toml::pair(line.text) {
            Some(("name", value)) => {
                block.name = toml::string(value);
                block.changed |= line.changed;
            }
            Some(("version", value)) => {
                block.version = toml::string(value).map(|version| (version, at));
                block.changed |= line.changed;
            }
            Some(("source", value)) => {
                block.source = Some(value);
                block.changed |= line.changed;
            }
            _ => {}
        }
    }
    blocks
}

pub fn package_blocks(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let own = ["editable", "virtual", "directory", "workspace"];
    let is_own = |block: &Block<'_>| block.source.is_some_and(|source| own.iter().any(|kind| source.contains(kind)));
    blocks(lines).iter().filter(|block| !is_own(block)).filter_map(Block::entry).collect()
}

/// `name[extra]>=1,<2 ; marker`: name and requirement. Without an operator the requirement is empty.
fn requirement(text: &str) -> Option<(&str, &str)> {
    let text = text.split([';', '#']).next().unwrap_or(text).trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let rest = if rest.starts_with('[') { rest.split_once(']')?.1.trim_start() } else { rest };
    let rest = rest.trim_start_matches('(').trim_end_matches(')').trim();
    let operator = ["==", ">=", "<=", "~=", "!=", ">", "<"].iter().any(|operator| rest.starts_with(operator));
    let certain = is_name(name) && (rest.is_empty() || (operator && is_version_range(rest)));
    certain.then_some((name, rest))
}

fn entry(name: &str, version: &str, direct: bool, line: usize) -> DependencyEntry {
    DependencyEntry { name: name.to_owned(), version: version.trim_start_matches("==").to_owned(), direct, line }
}

pub fn requirements(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.changed && !line.text.starts_with([' ', '-'])) {
        let text = line.text.trim_end_matches('\\').split(" --hash").next().unwrap_or(line.text);
        if let Some((name, version)) = requirement(text).filter(|_| !line.text.trim().is_empty()) {
            entries.push(entry(name, version, !is_transitive(&lines[at + 1..]), at));
        }
    }
    entries
}

/// pip-compile names the requiring package below a transitive requirement.
fn is_transitive(below: &[SideLine<'_>]) -> bool {
    let comments = || {
        below
            .iter()
            .map(|line| line.text.trim_start())
            .take_while(|line| line.starts_with('#') || line.starts_with("--hash"))
    };
    let via = comments().any(|line| line.starts_with("# via"));
    via && !comments().any(|line| line.contains("-r "))
}

pub fn pyproject(header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut table = toml::table(header);
    let mut entries = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(head) = toml::table(line.text) {
            table = Some(head);
        } else if line.changed {
            entries.extend(listed(line.text, at));
            entries.extend(poetry(table, line.text, at));
        }
    }
    entries
}

/// A list element, `"name>=1",`. A bare name is ambiguous.
fn listed(line: &str, at: usize) -> Option<DependencyEntry> {
    let text = line.trim();
    let value = toml::string(text)?;
    let alone = text[value.len() + 2..].split('#').next().unwrap_or("").trim();
    let (name, version) = requirement(value).filter(|(_, version)| !version.is_empty())?;
    matches!(alone, "" | ",").then(|| entry(name, version, true, at))
}

/// `name = "^1.2"` in a Poetry table; without the table head only Poetry's caret is certain.
fn poetry(table: Option<&str>, line: &str, at: usize) -> Option<DependencyEntry> {
    let (name, value) = toml::pair(line)?;
    let version = toml::requirement(value)?;
    let certain = match table {
        Some(table) => table.starts_with("tool.poetry") && table.ends_with("dependencies"),
        None => version.starts_with(['^', '~']),
    };
    (certain && name != "python" && is_name(name)).then(|| entry(name, version, true, at))
}

pub fn setup_py(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let changed = lines.iter().enumerate().filter(|(_, line)| line.changed);
    changed.filter_map(|(at, line)| listed(line.text, at)).collect()
}

/// Indented below `install_requires =`: `name>=1`.
pub fn setup_cfg(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let changed = lines.iter().enumerate().filter(|(_, line)| line.changed && line.text.starts_with([' ', '\t']));
    let named = changed.filter_map(|(at, line)| requirement(line.text).map(|(name, version)| (at, name, version)));
    named
        .filter(|(_, _, version)| !version.is_empty())
        .map(|(at, name, version)| entry(name, version, true, at))
        .collect()
}

pub fn pipfile(header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut table = toml::table(header);
    let mut entries = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(head) = toml::table(line.text) {
            table = Some(head);
        } else if let Some((name, value)) = toml::pair(line.text).filter(|_| line.changed) {
            let packages = table.is_some_and(|table| table.ends_with("packages"));
            let version = toml::requirement(value).filter(|_| packages && is_name(name));
            entries.extend(version.map(|version| entry(name, version, true, at)));
        }
    }
    entries
}
