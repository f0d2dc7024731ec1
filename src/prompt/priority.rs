//! Prompt priority of files and hunks: source before tests before docs before settings, and public definitions before
//! the rest.

use std::collections::HashMap;

use crate::domain::patch::{FileChange, Hunk, LineOrigin, UnreadReason};
use crate::facts;
use crate::facts::roles::{self, FileRole};
use crate::facts::symbols::{Symbol, SymbolChange};

/// In order of priority for the byte budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FileClass {
    Source,
    Tests,
    Docs,
    Settings,
    /// Listed in one line, without hunks.
    Noise,
}

/// A file's class, and for noise its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FilePriority {
    pub class: FileClass,
    pub what: Option<&'static str>,
}

/// In order of priority within a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// A public definition was added, removed, moved or changed its parameters.
    Public,
    /// The same for an internal definition.
    Internal,
    Rest,
}

/// Lines of this length count as generated (bytes).
const MINIFIED: usize = 1000;

/// Classifies a file by its path and its readable content.
pub(super) fn file_priority(file: &FileChange) -> FilePriority {
    let role = facts::role_of(file);
    let noise = by_content(file)
        .or_else(|| file.unread.filter(|unread| has_no_text(*unread)).map(unread_words))
        .or_else(|| by_path(role, &file.path))
        .or_else(|| file.unread.map(unread_words));
    let class = match (noise, role) {
        (Some(_), _) | (None, FileRole::Asset | FileRole::Generated) => FileClass::Noise,
        (None, FileRole::Source | FileRole::Other) => FileClass::Source,
        (None, FileRole::Tests) => FileClass::Tests,
        (None, FileRole::Docs) => FileClass::Docs,
        (None, FileRole::Config | FileRole::Ci) => FileClass::Settings,
    };
    FilePriority { class, what: noise }
}

fn has_no_text(unread: UnreadReason) -> bool {
    matches!(unread, UnreadReason::Binary | UnreadReason::Submodule | UnreadReason::Symlink)
}

fn by_content(file: &FileChange) -> Option<&'static str> {
    let lines = || file.hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| line.text.as_str());
    if lines().any(is_generated_mark) {
        return Some("generated");
    }
    let bytes: usize = lines().map(str::len).sum();
    let packed: usize = lines().filter(|line| is_packed(line)).map(str::len).sum();
    (packed * 2 > bytes).then_some("minified")
}

/// Long, and with fewer spaces than any human language.
fn is_packed(line: &str) -> bool {
    line.len() >= MINIFIED && line.bytes().filter(|byte| *byte == b' ').count() * 20 < line.len()
}

/// Markers of generated code, as a comment of their own: code that detects them has them in a string.
fn is_generated_mark(text: &str) -> bool {
    let text = text.trim();
    let comment = ["//", "#", "/*", "*", "<!--", "--", ";"].iter().any(|start| text.starts_with(start));
    let said = || text.contains("@generated") || (text.contains("Code generated") && text.contains("DO NOT EDIT"));
    comment && !text.contains('"') && said()
}

fn by_path(role: FileRole, path: &str) -> Option<&'static str> {
    let low = path.to_ascii_lowercase();
    let name = low.rsplit('/').next().unwrap_or(&low);
    if is_lockfile(name) {
        return Some("lockfile");
    }
    match role {
        FileRole::Asset => Some("asset"),
        FileRole::Generated if [".min.js", ".min.css", ".map"].iter().any(|end| name.ends_with(end)) => {
            Some("minified")
        }
        FileRole::Generated if roles::is_vendored(path) => Some("vendored"),
        FileRole::Generated if name.ends_with(".snap") || low.split('/').any(|dir| dir == "__snapshots__") => {
            Some("snapshot")
        }
        FileRole::Generated => Some("generated"),
        _ => None,
    }
}

fn is_lockfile(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "go.sum", "bun.lockb", "packages.lock.json",
        "package.resolved",
    ];
    name.ends_with(".lock") || NAMES.contains(&name)
}

fn unread_words(unread: UnreadReason) -> &'static str {
    match unread {
        UnreadReason::Binary => "binary",
        UnreadReason::TooLarge => "too large to show",
        UnreadReason::BudgetSpent => "not read",
        UnreadReason::Submodule => "submodule",
        UnreadReason::Symlink => "symbolic link",
        UnreadReason::Excluded => "excluded",
        UnreadReason::Missing => "not available",
    }
}

/// Tiers of the definitions in the facts: (path, name) → tier.
#[derive(Debug, Default)]
pub(super) struct Definitions<'a>(HashMap<(&'a str, &'a str), Tier>);

impl<'a> Definitions<'a> {
    pub(super) fn of(symbols: &'a [Symbol]) -> Self {
        let mut tiers = HashMap::new();
        for symbol in symbols.iter().filter(|symbol| symbol.change != SymbolChange::Modified) {
            let tier = if symbol.public && !symbol.test { Tier::Public } else { Tier::Internal };
            let paths = std::iter::once(symbol.path.as_str()).chain(symbol.old_path.as_deref());
            for (path, name) in paths.flat_map(|path| symbol.names().map(move |name| (path, last_part(name)))) {
                let known = tiers.entry((path, name)).or_insert(tier);
                *known = tier.min(*known);
            }
        }
        Self(tiers)
    }

    /// Tier by the names on the hunk's changed lines.
    pub(super) fn tier(&self, file: &FileChange, hunk: &Hunk) -> Tier {
        if self.0.is_empty() {
            return Tier::Rest;
        }
        let changed = hunk.lines.iter().filter(|line| line.origin != LineOrigin::Context);
        let words = changed.flat_map(|line| line.text.split(|c: char| !is_word(c)));
        words.filter(|word| !word.is_empty()).filter_map(|word| self.find(file, word)).min().unwrap_or(Tier::Rest)
    }

    fn find(&self, file: &FileChange, word: &str) -> Option<Tier> {
        let paths = std::iter::once(file.path.as_str()).chain(file.old_path.as_deref());
        paths.filter_map(|path| self.0.get(&(path, word)).copied()).min()
    }
}

/// `choose` of `Router::choose` or `Router.choose`.
fn last_part(name: &str) -> &str {
    name.rsplit(|c: char| !is_word(c)).find(|part| !part.is_empty()).unwrap_or(name)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::language::SymbolKind;
    use crate::facts::sample::{counted, file};

    #[test]
    fn paths_tell_what_a_file_is() {
        for (path, class, what) in [
            ("src/main.rs", FileClass::Source, None),
            ("Makefile", FileClass::Settings, None),
            ("src/foo_test.go", FileClass::Tests, None),
            ("tests/it/main.rs", FileClass::Tests, None),
            ("web/app.test.ts", FileClass::Tests, None),
            ("README.md", FileClass::Docs, None),
            ("docs/index.html", FileClass::Docs, None),
            ("Cargo.toml", FileClass::Settings, None),
            (".github/workflows/ci.yml", FileClass::Settings, None),
            ("Cargo.lock", FileClass::Noise, Some("lockfile")),
            ("web/yarn.lock", FileClass::Noise, Some("lockfile")),
            ("package-lock.json", FileClass::Noise, Some("lockfile")),
            ("go.sum", FileClass::Noise, Some("lockfile")),
            ("dist/app.js", FileClass::Noise, Some("generated")),
            ("a/vendor/x.go", FileClass::Noise, Some("vendored")),
            ("node_modules/x/index.js", FileClass::Noise, Some("vendored")),
            ("img/logo.svg", FileClass::Noise, Some("asset")),
            ("app.min.js", FileClass::Noise, Some("minified")),
            ("src/lock.rs", FileClass::Source, None),
            ("src/vendor.rs", FileClass::Source, None),
        ] {
            assert_eq!(file_priority(&counted(path, 1, 1)), FilePriority { class, what }, "{path}");
        }
    }

    #[test]
    fn lines_tell_it_too() {
        let what = |patch: &str| file_priority(&file("src/a.js", patch)).what;
        assert_eq!(what("@@\n+// @generated by the bundler"), Some("generated"));
        assert_eq!(what("@@\n+// Code generated by protoc. DO NOT EDIT."), Some("generated"));
        assert_eq!(what("@@\n+if (text.includes(\"@generated\")) {}"), None, "code about the mark");
        assert_eq!(what(&format!("@@\n+{}", "a(b);".repeat(300))), Some("minified"));
        assert_eq!(what(&format!("@@\n+// {}", "a few words ".repeat(90))), None, "long prose");
        let data = format!("@@\n+KEY = \"{}\"\n{}", "x".repeat(1000), "+    call(one);\n".repeat(80));
        assert_eq!(what(&data), None, "one long line among many");
    }

    fn symbol(name: &str, fate: SymbolChange, public: bool) -> Symbol {
        Symbol {
            name: name.into(),
            kind: SymbolKind::Function,
            change: fate,
            public,
            test: false,
            test_case: false,
            path: "src/a.rs".into(),
            old_name: None,
            old_path: None,
            lines: 1,
            members: Vec::new(),
            comments_only: false,
        }
    }

    #[test]
    fn a_hunk_weighs_what_it_defines() {
        let symbols = [
            symbol("Router::choose", SymbolChange::Added, true),
            symbol("rank", SymbolChange::Removed, false),
            symbol("tick", SymbolChange::Modified, true),
        ];
        let definitions = Definitions::of(&symbols);
        let tier = |path: &str, line: &str| {
            let file = file(path, &format!("@@ fn choose()\n choose();\n{line}"));
            definitions.tier(&file, &file.hunks[0])
        };
        assert_eq!(tier("src/a.rs", "+    pub fn choose(&self) {"), Tier::Public);
        assert_eq!(tier("src/a.rs", "-fn rank() {}"), Tier::Internal);
        assert_eq!(tier("src/a.rs", "+chooser();"), Tier::Rest, "another word");
        assert_eq!(tier("src/a.rs", "+tick();"), Tier::Rest);
        assert_eq!(tier("src/b.rs", "+    pub fn choose(&self) {"), Tier::Rest, "another file");
    }
}
