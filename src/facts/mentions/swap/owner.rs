//! Finds the owner of a version or digest where its line names only the field: `version: 1.2` below `name: redis`.

use crate::domain::patch::Line;

/// Fields that hold a version or an equivalent.
const FIELDS: [&str; 14] = [
    "version", "tag", "newtag", "rev", "ref", "digest", "commit", "hash", "sha256", "sha512", "checksum", "integrity",
    "git-tree-sha1", "revision",
];
/// Fields that name the owner, the most specific first.
const NAMES: [&str; 16] = [
    "repository", "image", "artifactid", "include", "update", "name", "pname", "pkgname", "package", "identity",
    "repo", "chart", "module", "source", "location", "id",
];
/// Parents that name a group of owners.
const GROUPS: [&str; 13] = [
    "dependencies", "package", "packages", "plugins", "project", "metadata", "spec", "info", "api", "settings",
    "config", "release", "defaults",
];
/// Parents that are a part of their own parent.
const PARTS: [&str; 5] = ["image", "state", "locked", "source", "container"];
/// Lines above and below that are searched.
const NEAR: usize = 8;

/// Whether the key is such a field, in any case.
pub fn is_field(key: &str) -> bool {
    FIELDS.contains(&key.to_lowercase().as_str())
}

/// The name on the line itself: `<PackageReference Include="X" Version="1"/>`, `{ name = "x", version = "1" }`.
pub fn on_line(before: &[&str]) -> Option<String> {
    let at = before.iter().position(|token| NAMES.contains(&token.to_lowercase().as_str()))?;
    let behind = before.get(at + 1..)?;
    let marks = behind.iter().take_while(|token| matches!(token.trim(), "" | "=" | ":" | "\"" | "'"));
    let joined = marks.clone().any(|mark| matches!(*mark, "=" | ":"));
    let first = marks.count();
    let value = behind.get(first..)?.iter().take_while(|token| !matches!(token.trim(), "" | "\"" | "'" | ","));
    usable(&value.copied().collect::<String>()).filter(|_| joined)
}

/// The name on a line beside it, or the parent's: `redis:`, `"redis": {`, `[[deps.JSON]]`.
pub fn near(line: &str, above: &[Line], below: &[Line]) -> Option<String> {
    let depth = depth(line);
    let mut named: Vec<(usize, String)> = Vec::new();
    let (mut parent, mut room) = (None, depth);
    for other in above.iter().rev().take(NEAR) {
        match self::depth(&other.text) {
            _ if other.text.trim().is_empty() => break,
            found if found < room || opens_table(&other.text) => {
                (parent, room) = (opener(&other.text), found);
                if parent.as_ref().is_none_or(|parent| !PARTS.contains(&parent.to_lowercase().as_str())) {
                    break;
                }
            }
            found if room == depth && found == depth => named.extend(naming(&other.text)),
            _ => {}
        }
        // The first line of a list item.
        if room == depth && other.text.trim_start().starts_with("- ") && self::depth(&other.text) == depth {
            break;
        }
    }
    let begins = |line: &&Line| line.text.trim_start().starts_with("- ") || line.text.trim().is_empty();
    let of_point = |line: &&Line| self::depth(&line.text) >= depth && !begins(line) && !opens_table(&line.text);
    for other in below.iter().take(NEAR).take_while(of_point) {
        named.extend(naming(&other.text).filter(|_| self::depth(&other.text) == depth));
    }
    named.sort_by_key(|(rank, _)| *rank);
    let best = named.into_iter().next().map(|(_, name)| name);
    best.or(parent)
}

/// Indentation of the line; a list mark counts as indentation.
fn depth(line: &str) -> usize {
    let text = line.trim_start_matches([' ', '\t', '-']);
    line.len() - text.len()
}

fn opens_table(text: &str) -> bool {
    text.starts_with('[') && text.trim_end().ends_with(']')
}

/// `name: redis`, `"name": "redis",`, `<artifactId>redis</artifactId>`, with the rank of the field.
fn naming(text: &str) -> Option<(usize, String)> {
    let text = text.trim().trim_start_matches("- ").trim_start_matches('<');
    let (key, value) = text.split_once([':', '=', '>', ' '])?;
    let key = key.trim_matches(['"', ' ', '\'']).to_lowercase();
    let rank = NAMES.iter().position(|name| *name == key)?;
    let value = value.split("</").next().unwrap_or(value);
    let value = value.trim_start_matches([' ', '=', ':']).trim_matches([' ', '"', '\'', ',', ';']);
    // An address is a location; a name beside it is more specific.
    let rank = if value.contains("://") { rank + NAMES.len() } else { rank };
    usable(value).map(|name| (rank, name))
}

/// The key that opens a block: `"redis": {`, `redis:`, `aws = {`, `[[deps.JSON]]`.
fn opener(line: &str) -> Option<String> {
    let text = line.trim();
    let table = text.trim_matches(['[', ']']);
    let key = if table.len() < text.len() {
        table.rsplit('.').next().unwrap_or(table)
    } else {
        text.trim_start_matches("- ").strip_suffix('{').or_else(|| text.strip_suffix(':'))?
    };
    let key = key.trim_matches([' ', '"', '\'', ':', '=']);
    usable(key).filter(|key| !GROUPS.contains(&key.to_lowercase().as_str()))
}

/// A name, without the scheme and the host of an address.
fn usable(value: &str) -> Option<String> {
    let value = value.strip_suffix(".git").unwrap_or(value);
    let name = match value.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => value,
    };
    let plain = |c: char| c.is_alphanumeric() || "-_./@:+".contains(c);
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    (letters > 1 && name.len() <= 80 && name.chars().all(plain)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::file;

    fn of(line: &str, above: &str, below: &str) -> Option<String> {
        let lines = |text: &str| {
            let patch: String = text.lines().map(|line| format!("\n {line}")).collect();
            file("a", &format!("@@{patch}")).hunks.into_iter().flat_map(|hunk| hunk.lines).collect::<Vec<_>>()
        };
        near(line, &lines(above), &lines(below))
    }

    #[test]
    fn a_field_belongs_to_what_its_neighbours_name() {
        for (line, above, below, name) in [
            ("  tag: 1.2", "image:\n  repository: acme/web", "", "acme/web"),
            ("  version: 1.2", "- name: redis", "  repository: https://c.example/charts", "redis"),
            ("  version: 1.2", "- name: redis", "", "redis"),
            ("    digest: x", "  - name: web\n    newTag: 1\n  - name: nginx", "", "nginx"),
            ("  <version>1</version>", "  <groupId>org.x</groupId>\n  <artifactId>lib</artifactId>", "", "lib"),
            ("version = \"1\"", "[[deps.JSON]]\nuuid = \"a\"", "", "JSON"),
            ("      \"version\": \"1\"", "    \"jq\": {", "", "jq"),
            ("    tag: 1.2", "web:\n  image:", "", "web"),
            ("  tag: 1.2", "image:", "", "image"),
            ("  rev: 23", "- repo: https://g.example/psf/black", "  hooks: []", "psf/black"),
            ("      version = \"1\"", "    aws = {\n      source = \"hashicorp/aws\"", "    }", "hashicorp/aws"),
        ] {
            assert_eq!(of(line, above, below).as_deref(), Some(name), "{line} {above}");
        }
        assert_eq!(of("  \"version\": \"1\"", "{", "  \"x\": 1"), None);
        assert_eq!(of("  version: 1", "dependencies:", ""), None);
        assert_eq!(of("  version: 1", "openapi: 3.0.0\ninfo:\n  title: Shop", ""), None);
    }

    #[test]
    fn a_line_names_what_its_version_belongs_to() {
        let line = ["<", "PackageReference", " ", "Include", "=", "\"", "A.B", "\"", " ", "Version", "=", "\""];
        assert_eq!(on_line(&line).as_deref(), Some("A.B"));
        assert_eq!(on_line(&["{", "title", ":", "A", ",", "version", ":"]), None);
        assert_eq!(on_line(&["Version", "="]), None);
    }
}
