//! Parsers for lockfiles with package and version on one line, or a version below a heading.

use super::entry::{DependencyEntry, SideLine, is_name};
use super::npm::{pair, quoted};
use super::toml;
use crate::text::version::is_version_range;

fn locked(name: &str, version: &str, line: usize) -> Option<DependencyEntry> {
    let entry = || DependencyEntry { name: name.to_owned(), version: version.to_owned(), direct: false, line };
    (is_name(name) && is_version_range(version)).then(entry)
}

/// The packages on changed lines, one each.
fn each_line(lines: &[SideLine<'_>], of: impl Fn(&str) -> Option<(&str, &str)>) -> Vec<DependencyEntry> {
    let changed = lines.iter().enumerate().filter(|(_, line)| line.changed);
    changed
        .filter_map(|(at, line)| of(line.text.trim()).and_then(|(name, version)| locked(name, version, at)))
        .collect()
}

/// `aeson-2.1.0` as a name and a version: at the last hyphen before a digit.
fn hyphenated(text: &str) -> Option<(&str, &str)> {
    let digit = |at: usize| text.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let at = text.rmatch_indices('-').map(|(at, _)| at).find(|at| digit(*at))?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// `"zlib/1.3.1#<hash>%<time>",` (Conan).
pub fn conan(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    each_line(lines, |line| {
        let reference = quoted(line.trim_end_matches(','))?;
        reference.split(['#', '@']).next()?.split_once('/')
    })
}

/// `hackage: aeson-2.1.0@sha256:…` in the `completed` part (Stack).
pub fn stack(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    each_line(lines, |line| hyphenated(line.trim_start_matches("- ").strip_prefix("hackage: ")?.split('@').next()?))
}

/// `any.aeson ==2.1.0,` (Cabal).
pub fn cabal(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    each_line(lines, |line| {
        let constraint = line.strip_prefix("constraints:").unwrap_or(line).trim().trim_end_matches(',');
        let (name, version) = constraint.split_once(" ==")?;
        Some((name.strip_prefix("any.").unwrap_or(name), version))
    })
}

/// `github "Alamofire/Alamofire" "5.8.0"` (Carthage).
pub fn cartfile(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    each_line(lines, |line| {
        let mut texts = line.split('"').skip(1).step_by(2);
        Some((texts.next()?, texts.next()?))
    })
}

/// `"https://…/modules/rules_go/0.50.1/source.json": "<hash>",`: only selected versions have a `source.json` (Bazel).
pub fn bazel(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    each_line(lines, |line| {
        let (address, _) = line.trim_start_matches('"').split_once("/source.json\"")?;
        address.split_once("/modules/")?.1.split_once('/')
    })
}

/// `- conda: https://…/numpy-1.26.4-py312_0.conda`, without fields of its own (Pixi).
pub fn pixi(header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let fields = super::lockfiles::helm(header, lines);
    if !fields.is_empty() {
        return fields;
    }
    let mut entries = each_line(lines, |line| {
        let file = line.strip_prefix("- conda: ")?.rsplit('/').next()?;
        hyphenated(file.rsplit_once('-')?.0)
    });
    // The same package is listed for each platform.
    entries.dedup_by(|a, b| a.name == b.name && a.version == b.version);
    entries
}

/// `[[deps.JSON]]` and `version = "0.21.4"` (Julia, mise); `[[dependencies]]`, `name = "x"`, `version = "1"`.
pub fn tables(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    let mut name: Option<(&str, bool)> = None;
    for (at, line) in lines.iter().enumerate() {
        if let Some(head) = toml::table(line.text) {
            name = head.split_once('.').map(|(_, name)| (name.trim_matches('"'), line.changed));
        }
        match toml::pair(line.text) {
            Some(("name", value)) => name = toml::string(value).map(|name| (name, line.changed)),
            Some(("version", value)) => {
                if let (Some((name, renamed)), Some(version)) = (name, toml::string(value)) {
                    entries.extend(locked(name, version, at).filter(|_| line.changed || renamed));
                }
            }
            _ => {}
        }
    }
    entries
}

/// `"jq": {`, then `"version": "1.7"` (Homebrew).
pub fn below_a_key(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    let mut name: Option<(&str, bool)> = None;
    for (at, line) in lines.iter().enumerate() {
        match pair(line.text) {
            Some((key, "{")) => name = Some((key, line.changed)),
            Some(("version", value)) => {
                if let (Some((name, renamed)), Some(version)) = (name, quoted(value)) {
                    entries.extend(locked(name, version, at).filter(|_| line.changed || renamed));
                }
            }
            _ => {}
        }
    }
    entries
}
