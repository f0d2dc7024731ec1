//! Line-based symbol diff: which definitions a patch adds, removes, moves or changes, without parsing whole files.

use super::language::{Definition, Language, SymbolKind};
use super::layout;
use super::roles::FileRole;
use crate::domain::patch::{Change, FileChange, Hunk, LineOrigin, PatchLine};
use crate::text::hash::fnv1a;

/// Kind of change to a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SymbolChange {
    Removed,
    Added,
    /// Removed from one file, added to another.
    Moved,
    /// The same definition under another name.
    Renamed,
    /// The definition line differs: another signature.
    Redefined,
    /// Lines inside it differ.
    Modified,
}

impl SymbolChange {
    /// It exists before and after under the same name.
    #[must_use]
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Redefined | Self::Modified)
    }

    /// Precedence among several changes of one name; the lowest is described.
    #[must_use]
    pub fn precedence(self) -> u8 {
        match self {
            Self::Moved | Self::Renamed => 0,
            Self::Added => 1,
            Self::Removed => 2,
            Self::Redefined => 3,
            Self::Modified => 4,
        }
    }
}

/// A named definition touched by the patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// As written, qualified by its type where known: `Router::choose`.
    pub name: String,
    pub kind: SymbolKind,
    pub change: SymbolChange,
    pub public: bool,
    /// Test code: by name, attribute, enclosing item, or file.
    pub test: bool,
    /// A test case, not a helper.
    pub test_case: bool,
    /// File after the change (before it, if removed).
    pub path: String,
    /// Previous name, if renamed.
    pub old_name: Option<String>,
    /// Previous file, if moved.
    pub old_path: Option<String>,
    /// Number of its changed lines.
    pub lines: u32,
    /// Added and removed fields or variants, if the type itself is changed.
    pub members: Vec<Member>,
    /// Only its comments changed.
    pub comments_only: bool,
}

/// An added or removed member of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    /// A field or a variant.
    pub kind: SymbolKind,
    /// Added; otherwise removed.
    pub added: bool,
}

impl Symbol {
    /// All its names, old ones and members' included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let members = self.members.iter().map(|member| member.name.as_str());
        std::iter::once(self.name.as_str()).chain(self.old_name.as_deref()).chain(members)
    }

    /// The name without its type.
    #[must_use]
    pub fn bare(&self) -> &str {
        bare(&self.name)
    }
}

/// The part after the last separator.
#[must_use]
pub fn bare(name: &str) -> &str {
    name.rsplit([':', '.']).next().unwrap_or(name)
}

/// Sorts symbols by importance.
pub fn rank(symbols: &mut [Symbol]) {
    symbols.sort_by_key(|symbol| std::cmp::Reverse(weight(symbol)));
}

/// Production code before tests; public changes before internal ones.
fn weight(symbol: &Symbol) -> (bool, bool, u8, bool, u32) {
    let by_fate = match symbol.change {
        SymbolChange::Removed | SymbolChange::Added | SymbolChange::Moved | SymbolChange::Renamed => 2,
        SymbolChange::Redefined => 1,
        SymbolChange::Modified => 0,
    };
    let telling = symbol.kind != SymbolKind::Constant;
    (!symbol.test, telling, by_fate, symbol.public || symbol.kind == SymbolKind::Type, symbol.lines)
}

/// The symbols of one file, from its lines.
#[must_use]
pub fn diff_by_lines(file: &FileChange) -> Vec<Symbol> {
    let Some(language) = Language::from_path(&file.path) else { return Vec::new() };
    let mut tally = SymbolCounts::default();
    for hunk in &file.hunks {
        HunkReader::of(language, hunk, &mut tally).lines(&hunk.lines);
    }
    let test_file = FileRole::from_path(&file.path) == FileRole::Tests;
    let whole = is_whole(file);
    let is_certain =
        |fate: SymbolChange| whole || matches!(fate, SymbolChange::Modified) || file.change == Change::Added;
    tally
        .into_changes()
        .into_iter()
        .filter(|(_, fate)| is_certain(*fate))
        .map(|(touch, fate)| Symbol {
            name: touch.qualified(language),
            kind: touch.definition.kind,
            change: fate,
            public: touch.definition.public,
            test: test_file || touch.test,
            test_case: touch.test_case,
            path: file.path.clone(),
            old_name: None,
            old_path: None,
            lines: touch.lines,
            members: Vec::new(),
            comments_only: false,
        })
        .collect()
}

/// Whether every changed line of the file is available; otherwise "added" may be half of a truncated change.
pub fn is_whole(file: &FileChange) -> bool {
    let kept = file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin != LineOrigin::Context).count();
    file.insertions.zip(file.deletions).is_some_and(|(added, removed)| added + removed == kept as u64)
}

/// A definition with changed lines.
#[derive(Debug, Clone)]
struct TouchedSymbol {
    definition: Definition,
    of: Option<String>,
    text: String,
    test: bool,
    test_case: bool,
    lines: u32,
    /// Sum of the hashes of its added lines minus those of its removed ones: zero when lines were only moved or
    /// indented.
    net: u64,
}

impl TouchedSymbol {
    fn qualified(&self, language: Language) -> String {
        match &self.of {
            Some(of) if !self.definition.name.contains(language.separator()) => {
                format!("{of}{}{}", language.separator(), self.definition.name)
            }
            _ => self.definition.name.clone(),
        }
    }

    /// Same name, and no contradicting types.
    fn is_same_symbol(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
            && (self.of == other.of || self.of.is_none() || other.of.is_none())
    }
}

#[derive(Debug, Default)]
struct SymbolCounts {
    added: Vec<TouchedSymbol>,
    removed: Vec<TouchedSymbol>,
    modified: Vec<TouchedSymbol>,
}

impl SymbolCounts {
    fn modify(&mut self, touch: &TouchedSymbol, text: &str, origin: LineOrigin) {
        let hash = fnv1a(text.trim().bytes());
        let net = if origin == LineOrigin::Added { hash } else { hash.wrapping_neg() };
        match self.modified.iter_mut().find(|modified| modified.is_same_symbol(touch)) {
            Some(modified) => (modified.lines, modified.net) = (modified.lines + 1, modified.net.wrapping_add(net)),
            None => self.modified.push(TouchedSymbol { lines: 1, net, ..touch.clone() }),
        }
    }

    fn into_changes(mut self) -> Vec<(TouchedSymbol, SymbolChange)> {
        let mut settled = Vec::new();
        let (had, has) = (self.removed.clone(), self.added.clone());
        for added in std::mem::take(&mut self.added) {
            let twin = self.removed.iter().position(|removed| removed.is_same_symbol(&added));
            match twin.map(|at| self.removed.swap_remove(at)) {
                // The same line, moved or indented: the definition itself is unchanged.
                Some(removed) if removed.text == added.text => {}
                Some(_) => settled.push((added, SymbolChange::Redefined)),
                // Conditionally defined more than once: it existed before.
                None if had.iter().any(|removed| removed.is_same_symbol(&added)) => {}
                None => settled.push((added, SymbolChange::Added)),
            }
        }
        let only_removed =
            self.removed.into_iter().filter(|removed| !has.iter().any(|added| added.is_same_symbol(removed)));
        settled.extend(only_removed.map(|removed| (removed, SymbolChange::Removed)));
        for modified in self.modified {
            let existing = settled.iter_mut().find(|(touch, _)| touch.is_same_symbol(&modified));
            match existing {
                Some((touch, _)) => touch.lines += modified.lines,
                None if modified.net == 0 => {}
                None => settled.push((modified, SymbolChange::Modified)),
            }
        }
        settled.retain(|(touch, _)| touch.definition.kind != SymbolKind::Scope);
        settled
    }
}

/// Single pass over a hunk, tracking the enclosing definitions on each side.
struct HunkReader<'a> {
    language: Language,
    old: SideScopes,
    new: SideScopes,
    tally: &'a mut SymbolCounts,
}

#[derive(Debug, Clone, Default)]
struct SideScopes {
    open: Vec<(usize, TouchedSymbol)>,
    /// The previous line marks the next definition as a test.
    marked: bool,
}

impl<'a> HunkReader<'a> {
    fn of(language: Language, hunk: &Hunk, tally: &'a mut SymbolCounts) -> Self {
        let mut side = SideScopes::default();
        if let Some(definition) = language.definition(&hunk.header) {
            side.open_scope(language, indent(&hunk.header), definition, &hunk.header);
        }
        Self { language, old: side.clone(), new: side, tally }
    }

    fn lines(mut self, lines: &[PatchLine]) {
        for line in lines {
            let text = line.text.as_str();
            if text.trim().is_empty() {
                continue;
            }
            let definition = self.language.definition(text);
            match line.origin {
                LineOrigin::Context => {
                    self.old.advance(self.language, text, definition.as_ref());
                    self.new.advance(self.language, text, definition.as_ref());
                }
                LineOrigin::Added => {
                    let defined = self.new.advance(self.language, text, definition.as_ref());
                    record_line(self.tally, &self.new, defined, text, LineOrigin::Added);
                }
                LineOrigin::Removed => {
                    let defined = self.old.advance(self.language, text, definition.as_ref());
                    record_line(self.tally, &self.old, defined, text, LineOrigin::Removed);
                }
            }
        }
    }
}

fn record_line(
    tally: &mut SymbolCounts,
    side: &SideScopes,
    defined: Option<TouchedSymbol>,
    text: &str,
    origin: LineOrigin,
) {
    match (defined, origin) {
        (Some(touch), LineOrigin::Added) => tally.added.push(touch),
        (Some(touch), _) => tally.removed.push(touch),
        (None, _) => {
            if let Some(touch) = side.open.iter().rev().find(|(open, _)| *open < indent(text)).map(|(_, touch)| touch) {
                tally.modify(touch, text, origin);
            }
        }
    }
}

impl SideScopes {
    /// Advances over a line; returns its definition.
    fn advance(&mut self, language: Language, text: &str, definition: Option<&Definition>) -> Option<TouchedSymbol> {
        let column = indent(text);
        if !layout::is_margin(text.as_bytes()) {
            self.open.retain(|(open, _)| *open < column);
        }
        let touch = definition.map(|definition| self.open_scope(language, column, definition.clone(), text));
        self.marked = language.marks_test(text) || (self.marked && text.trim_start().starts_with(['#', '@', '/']));
        touch
    }

    fn open_scope(&mut self, language: Language, column: usize, definition: Definition, text: &str) -> TouchedSymbol {
        // A type or its `impl`; modules are not part of a name.
        let is_container = |Definition { kind, name, .. }: &Definition| {
            *kind == SymbolKind::Type || (*kind == SymbolKind::Scope && name.starts_with(char::is_uppercase))
        };
        let of = self.open.iter().rev().find(|(_, touch)| is_container(&touch.definition));
        let named = language.names_test(&definition.name);
        let test_case = definition.kind == SymbolKind::Function && (self.marked || named);
        let test = self.marked || named || self.open.iter().any(|(_, touch)| touch.test);
        let touch = TouchedSymbol {
            of: of.map(|(_, touch)| touch.definition.name.clone()),
            definition,
            text: text.trim().to_owned(),
            test,
            test_case,
            lines: 1,
            net: 0,
        };
        if touch.definition.kind != SymbolKind::Constant {
            self.open.push((column, touch.clone()));
        }
        touch
    }
}

fn indent(text: &str) -> usize {
    layout::indent(text.as_bytes())
}

#[cfg(test)]
#[path = "symbols_tests.rs"]
mod tests;
