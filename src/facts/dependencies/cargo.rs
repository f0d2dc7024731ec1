//! Parser for Cargo.toml and Cargo.lock.

use super::entry::{Entry, SideLine, is_name, is_version};
use super::toml;

/// Keys with version-like values that belong to no dependency.
const OWN_KEYS: [&str; 12] = [
    "version", "edition", "rust-version", "resolver", "opt-level", "codegen-units", "debug", "lto", "msrv", "panic",
    "strip", "inherits",
];

/// Table of a line; unknown before the first table head in the hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Unknown,
    Dependencies,
    /// `[dependencies.name]`.
    One(String),
    Elsewhere,
}

impl Place {
    fn of(table: &str) -> Self {
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

pub fn manifest(header: &str, lines: &[SideLine<'_>]) -> Vec<Entry> {
    let mut place = toml::table(header).map_or(Place::Unknown, Place::of);
    let mut entries = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(table) = toml::table(line.text) {
            place = Place::of(table);
        } else if let Some((name, version)) = asked(&place, line.text).filter(|_| line.changed) {
            entries.push(Entry { name, version, direct: true, line: at });
        }
    }
    entries
}

fn asked(place: &Place, line: &str) -> Option<(String, String)> {
    let (key, value) = toml::pair(line)?;
    let (name, version) = match place {
        Place::Elsewhere => return None,
        Place::One(name) => (key == "version").then(|| (name.as_str(), toml::string(value)))?,
        Place::Dependencies | Place::Unknown => named(key, value)?,
    };
    let version = version?;
    let certain = *place != Place::Unknown || is_version(version) || (version.is_empty() && value.starts_with('{'));
    let foreign = *place == Place::Unknown && OWN_KEYS.contains(&name);
    (certain && !foreign && is_name(name)).then(|| (name.to_owned(), version.to_owned()))
}

/// `name = "1"`, `name = { … }`, `name.version = "1"`, `name.workspace = true`.
fn named<'a>(key: &'a str, value: &'a str) -> Option<(&'a str, Option<&'a str>)> {
    match key.split_once('.') {
        None => Some((key, toml::requirement(value))),
        Some((name, "version")) => Some((name, toml::string(value))),
        Some((name, "workspace" | "path" | "git")) => Some((name, Some(""))),
        Some(_) => None,
    }
}

/// A package is a block: name, version, and the source if it is a foreign one.
pub fn lockfile(_header: &str, lines: &[SideLine<'_>]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for block in super::python::blocks(lines) {
        // The project's own packages have no source; if that line is not shown, the origin is unknown.
        if block.source.is_some() {
            entries.extend(block.entry());
        }
    }
    entries
}
