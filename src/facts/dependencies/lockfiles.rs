//! Line-based parsers for lockfiles: package and version on one line, or a version below a heading.

use super::entry::{DependencyEntry, SideLine, is_name, short_commit};
use super::npm::{pair, quoted};
use super::toml;
use crate::text::version::is_version_range;

fn locked(name: &str, version: &str, line: usize) -> Option<DependencyEntry> {
    let version = version.trim();
    let entry = || DependencyEntry { name: name.to_owned(), version: version.to_owned(), direct: false, line };
    (is_name(name) && is_version_range(version)).then(entry)
}

/// `    rack (3.0.8)` below `specs:` (Bundler; Paket writes the same).
pub fn gemfile(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = in_brackets(lines, "    ", |version| platform_free(version));
    // A package from a repository is locked by its commit, which is given above it.
    let mut revision: Option<String> = None;
    for (at, line) in lines.iter().enumerate() {
        if !line.text.starts_with(' ') {
            revision = None;
        } else if let Some(hash) = line.text.trim().strip_prefix("revision: ") {
            revision = short_commit(hash);
        } else if let Some(revision) = &revision
            && let Some(entry) = entries.iter_mut().find(|entry| entry.line == at)
        {
            entry.version.clone_from(revision);
        }
    }
    entries
}

/// `  - Alamofire (5.8.0)` below `PODS:`.
pub fn podfile(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    in_brackets(lines, "  - ", |version| version)
}

/// `name (version)` at exactly this indentation. Requirements begin with an operator.
fn in_brackets(lines: &[SideLine<'_>], margin: &str, plain: impl Fn(&str) -> &str) -> Vec<DependencyEntry> {
    let changed = lines.iter().enumerate().filter(|(_, line)| line.changed);
    let of = |(at, line): (usize, &SideLine<'_>)| {
        let rest = line.text.strip_prefix(margin).filter(|rest| !rest.starts_with(' '))?;
        let (name, version) = rest.trim_end_matches(':').strip_suffix(')')?.split_once(" (")?;
        version.starts_with(|c: char| c.is_ascii_digit()).then(|| locked(name.trim_matches('"'), plain(version), at))?
    };
    changed.filter_map(of).collect()
}

/// `1.16.0-x86_64-linux` without the platform.
fn platform_free(version: &str) -> &str {
    let platforms = ["-x86", "-x64", "-arm", "-aarch64", "-java", "-universal", "-mingw", "-mswin"];
    let at = platforms.iter().filter_map(|platform| version.find(platform)).min();
    at.map_or(version, |at| &version[..at])
}

/// `"name": "x"`, then `"version": "1.2.3"` (Composer); or `"identity"` (Swift), `"Package"` (R).
pub fn named_in_json(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    let mut name: Option<(&str, bool)> = None;
    for (at, line) in lines.iter().enumerate() {
        match pair(line.text) {
            Some(("name" | "identity" | "package" | "Package", value)) => {
                name = quoted(value).map(|name| (name, line.changed));
            }
            Some(("version" | "Version", value)) => {
                let Some(version) = quoted(value) else { continue };
                if version.starts_with("dev-") {
                    continue;
                }
                if let Some((name, renamed)) = name.take() {
                    entries.extend(locked(name, version, at).filter(|_| line.changed || renamed));
                }
            }
            // A branch is locked by its commit; the first one is the source's.
            Some(("reference", value)) => {
                if let (Some((name, _)), Some(version)) = (name.take(), short_commit(value)) {
                    entries.push(DependencyEntry { name: name.to_owned(), version, direct: false, line: at });
                }
            }
            _ => {}
        }
    }
    entries
}

/// `"Newtonsoft.Json": {`, then `"resolved": "13.0.1"` (NuGet).
pub fn nuget(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    let mut name: Option<(&str, bool)> = None;
    for (at, line) in lines.iter().enumerate() {
        match pair(line.text) {
            Some((key, "{")) => name = Some((key, line.changed)),
            Some(("resolved", value)) => {
                if let (Some((name, renamed)), Some(version)) = (name, quoted(value)) {
                    entries.extend(locked(name, version, at).filter(|_| line.changed || renamed));
                }
            }
            _ => {}
        }
    }
    entries
}

/// `"lodash": ["lodash@4.17.21", …],` (Bun).
pub fn bun(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let changed = lines.iter().enumerate().filter(|(_, line)| line.changed);
    let of = |(at, line): (usize, &SideLine<'_>)| {
        let (_, value) = pair(line.text)?;
        let (spec, _) = value.strip_prefix("[\"")?.split_once('"')?;
        let (name, version) = spec.rsplit_once('@')?;
        locked(name, version, at)
    };
    changed.filter_map(of).collect()
}

/// `"chalk@5.3.0": {`, `"chalk@5.3.0_peer@1": {` (Deno).
pub fn deno(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let changed = lines.iter().enumerate().filter(|(_, line)| line.changed);
    let of = |(at, line): (usize, &SideLine<'_>)| {
        let (key, _) = pair(line.text).filter(|(_, value)| value.starts_with('{'))?;
        let from = usize::from(key.starts_with('@'));
        let split = from + key.get(from..)?.find('@')?;
        let version = key.get(split + 1..)?;
        locked(&key[..split], version.split('_').next().unwrap_or(version), at)
    };
    changed.filter_map(of).collect()
}

/// `"nixpkgs": {`, `"locked": {`, …, `"rev": "<hash>"` (Nix): versions are commits.
pub fn flake(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    let (mut name, mut is_locked) = (None, false);
    for (at, line) in lines.iter().enumerate() {
        match pair(line.text) {
            Some(("locked", "{")) => is_locked = true,
            Some(("original" | "inputs" | "nodes", "{")) => is_locked = false,
            Some((key, "{")) => (name, is_locked) = (Some(key), false),
            Some(("rev", value)) if is_locked && line.changed => {
                if let (Some(name), Some(version)) = (name.filter(|name| is_name(name)), short_commit(value)) {
                    entries.push(DependencyEntry { name: name.to_owned(), version, direct: false, line: at });
                }
            }
            _ => {}
        }
    }
    entries
}

/// `"phoenix": {:hex, :phoenix, "1.7.10", …},`, `"x": {:git, "https://…", "<hash>", []},` (Mix).
pub fn mix(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let changed = lines.iter().enumerate().filter(|(_, line)| line.changed);
    let of = |(at, line): (usize, &SideLine<'_>)| {
        let (name, value) = pair(line.text)?;
        let mut texts = value.split('"').skip(1).step_by(2);
        if value.starts_with("{:git") {
            let version = short_commit(texts.nth(1)?)?;
            return is_name(name).then(|| DependencyEntry { name: name.to_owned(), version, direct: false, line: at });
        }
        locked(name, texts.next().filter(|_| value.starts_with("{:hex"))?, at)
    };
    changed.filter_map(of).collect()
}

/// `{<<"cowboy">>,{pkg,<<"cowboy">>,<<"2.9.0">>},0}` (Rebar).
pub fn rebar(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let changed = lines.iter().enumerate().filter(|(_, line)| line.changed && line.text.contains("{pkg,"));
    let of = |(at, line): (usize, &SideLine<'_>)| {
        let mut texts = line.text.split('"').skip(1).step_by(2);
        locked(texts.next()?, texts.nth(1)?, at)
    };
    changed.filter_map(of).collect()
}

/// `  async:` and, deeper, `version: "2.11.0"` (Dart, Crystal).
pub fn two_blanks(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    let mut name: Option<(&str, bool)> = None;
    for (at, line) in lines.iter().enumerate() {
        let text = line.text.trim();
        let depth = line.text.len() - line.text.trim_start().len();
        if depth == 2 && !text.starts_with('-') {
            name = text.strip_suffix(':').map(|name| (name, line.changed));
        } else if let (true, Some(version), Some((name, renamed))) = (depth > 2, text.strip_prefix("version: "), name) {
            entries.extend(locked(name, version.trim_matches('"'), at).filter(|_| line.changed || renamed));
        }
    }
    entries
}

/// `- name: redis` and `version: 17.0.0` (Helm).
pub fn helm(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    let mut name: Option<(&str, bool)> = None;
    for (at, line) in lines.iter().enumerate() {
        let text = line.text.trim().trim_start_matches("- ");
        if let Some(found) = text.strip_prefix("name: ") {
            name = Some((found, line.changed));
        } else if let (Some(version), Some((name, renamed))) = (text.strip_prefix("version: "), name) {
            entries.extend(locked(name, version.trim_matches('"'), at).filter(|_| line.changed || renamed));
        }
    }
    entries
}

/// `provider "registry.example/hashicorp/aws" {` and `version = "5.0.0"` (Terraform).
pub fn terraform(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let mut entries = Vec::new();
    let mut name: Option<(&str, bool)> = None;
    for (at, line) in lines.iter().enumerate() {
        if let Some(provider) = line.text.strip_prefix("provider \"").and_then(|rest| rest.split('"').next()) {
            // The registry before the owner is the same for all.
            name = Some((provider.split_once('/').map_or(provider, |(_, rest)| rest), line.changed));
        } else if let Some(("version", value)) = toml::pair(line.text)
            && let (Some((name, renamed)), Some(version)) = (name, toml::string(value))
        {
            entries.extend(locked(name, version, at).filter(|_| line.changed || renamed));
        }
    }
    entries
}

/// `group:artifact:1.2.3=configurations` (Gradle).
pub fn gradle(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let changed = lines.iter().enumerate().filter(|(_, line)| line.changed);
    let of = |(at, line): (usize, &SideLine<'_>)| {
        let (name, version) = line.text.split('=').next()?.rsplit_once(':')?;
        let entry = DependencyEntry { name: name.to_owned(), version: version.to_owned(), direct: false, line: at };
        (is_name(&name.replace(':', ".")) && is_version_range(version)).then_some(entry)
    };
    changed.filter_map(of).collect()
}

/// `path v1.2.3 h1:…` (go.sum, which also keeps unused versions).
pub fn go_sum(_header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry> {
    let changed = lines.iter().enumerate().filter(|(_, line)| line.changed);
    let of = |(at, line): (usize, &SideLine<'_>)| {
        let mut words = line.text.split(' ');
        let (name, version) = (words.next()?, words.next()?);
        words.next()?.starts_with("h1:").then(|| locked(name, version, at))?
    };
    changed.filter_map(of).collect()
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
    let fields = helm(header, lines);
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
