//! Parser for Cargo.toml and Cargo.lock.

use super::entry::{DependencyEntry, SideLine, is_name};
use super::toml;
use crate::text::version::is_version_range;

/// Keys with version-like values that belong to no dependency.
const OWN_KEYS: [&str; 12] = [
    "version", "edition", "rust-version", "resolver", "opt-level", "codegen-units", "debug", "lto", "msrv", "panic",
    "strip", "inherits",
];

/// Table of a line; unknown before the first table head in the hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TomlSection {
    Unknown,
    Dependencies,
    /// `[dependencies.name]`.
    One(String),
    Elsewhere,
}

impl TomlSection {
    fn from_header(table: &str) -> Self {
        let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
        let mut parts = table.rsplitn(2, '.');
        let (last, before) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let ends_in_kind = |text: &str| kinds.iter().any(|kind| text == *kind || text.ends_with(&format!(".{kind}")));
        if ends_in_kind(table) {
            Self::Dependencies
        } else if ends_in_kind(before) {
            Self::One(last.trim_matches(['"', '\'']).to_owned())
        } else {
            Self::Elsewhere
        }
    }
}

pub fn manifest(header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut place = toml::table(header).map_or(TomlSection::Unknown, TomlSection::from_header);
    let mut entries = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(table) = toml::table(line.text) {
            place = TomlSection::from_header(table);
        } else if let Some((name, version)) = parse_dependency(&place, line.text).filter(|_| line.changed) {
            entries.push(DependencyEntry { name, version, direct: true, line: at });
        }
    }
    entries
}

fn parse_dependency(place: &TomlSection, line: &str) -> Option<(String, String)> {
    let (key, value) = toml::pair(line)?;
    let (name, version) = match place {
        TomlSection::Elsewhere => return None,
        TomlSection::One(name) => (key == "version").then(|| (name.as_str(), toml::string(value)))?,
        TomlSection::Dependencies | TomlSection::Unknown => parse_requirement(key, value)?,
    };
    let version = version?;
    let certain =
        *place != TomlSection::Unknown || is_version_range(version) || (version.is_empty() && value.starts_with('{'));
    let foreign = *place == TomlSection::Unknown && OWN_KEYS.contains(&name);
    (certain && !foreign && is_name(name)).then(|| (name.to_owned(), version.to_owned()))
}

/// `name = "1"`, `name = { … }`, `name.version = "1"`, `name.workspace = true`.
fn parse_requirement<'a>(key: &'a str, value: &'a str) -> Option<(&'a str, Option<&'a str>)> {
    match key.split_once('.') {
        None => Some((key, toml::requirement(value))),
        Some((name, "version")) => Some((name, toml::string(value))),
        Some((name, "workspace" | "path" | "git")) => Some((name, Some(""))),
        Some(_) => None,
    }
}

/// A package is a block: name, version, and the source if it is a foreign one.
pub fn lockfile(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    for block in super::python::blocks(lines) {
        // The project's own packages have no source; if that line is not shown, the origin is unknown.
        if block.source.is_some() {
            entries.extend(block.entry());
        }
    }
    entries
}
