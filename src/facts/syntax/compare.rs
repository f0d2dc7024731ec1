//! Symbol diff of two outlines of a file: added, removed, renamed and changed definitions.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::definition_node::Reporting;
use super::outline::OutlineEntry;
use super::rename;
use super::side::FileSide;
use super::swaps::IdentifierSwaps;
use super::tokens::{self, Token};
use crate::facts::language::SymbolKind;
use crate::facts::symbols::{self, Member, Symbol, SymbolChange};

/// Least similarity of a function under another type (Dice coefficient of its words).
const ALIKE: f64 = 0.6;
/// Fewer words are similar by chance.
const ALIKE_WORDS: usize = 8;

/// A symbol change, with the words used for matching.
#[derive(Debug, Clone)]
pub struct SymbolDraft {
    pub symbol: Symbol,
    pub words: Vec<Token>,
}

/// Symbol changes between the two sides of the file at `path`.
#[must_use]
pub fn diff_outlines(old: &FileSide<'_>, new: &FileSide<'_>, path: &str, swaps: &IdentifierSwaps) -> Vec<SymbolDraft> {
    let mut comparing = OutlineDiff { old, new, path, drafts: Vec::new(), removed: Vec::new(), added: Vec::new() };
    comparing.pair_by_key();
    comparing.pair_by_name();
    let types = comparing.pair_renamed(swaps, |kind| kind == SymbolKind::Type);
    comparing.rename_members(&types);
    comparing.pair_renamed(swaps, |_| true);
    comparing.pair_by_bare();
    comparing.draft_unmatched();
    comparing.drafts
}

struct OutlineDiff<'a> {
    old: &'a FileSide<'a>,
    new: &'a FileSide<'a>,
    path: &'a str,
    drafts: Vec<SymbolDraft>,
    /// Unmatched entries.
    removed: Vec<usize>,
    added: Vec<usize>,
}

impl OutlineDiff<'_> {
    fn pair_by_key(&mut self) {
        let (old, new) = (by_key(&self.old.outline.entries), by_key(&self.new.outline.entries));
        for (key, from) in &old {
            match new.get(key) {
                Some(to) => self.pair_group(from, to),
                None => self.removed.extend(from),
            }
        }
        self.added.extend(new.iter().filter(|(key, _)| !old.contains_key(*key)).flat_map(|(_, to)| to));
        self.removed.sort_unstable();
        self.added.sort_unstable();
    }

    /// Entries with one key: overloads, platform variants. Equal ones are paired first.
    fn pair_group(&mut self, from: &[usize], to: &[usize]) {
        if let ([from], [to]) = (from, to) {
            return self.pair(*from, *to);
        }
        let all = to;
        let (mut from, mut to) = (from.to_vec(), to.to_vec());
        if !from.iter().any(|at| self.old.is_touched(*at)) && !to.iter().any(|at| self.new.is_touched(*at)) {
            return;
        }
        take_equal(&mut from, &mut to, |at| self.old.text(at), |at| self.new.text(at));
        let before = (from.clone(), to.clone());
        take_equal(&mut from, &mut to, |at| self.old.signature(at), |at| self.new.signature(at));
        // The name is on both sides: the remaining entries are changes of it.
        let first = before.1.first().or(to.first()).copied();
        match (first, before.0.first()) {
            (Some(at), _) => self.draft_modified(at),
            (None, Some(_)) => all.first().into_iter().for_each(|at| self.draft_modified(*at)),
            (None, None) => {}
        }
    }

    fn draft_modified(&mut self, at: usize) {
        let draft = self.draft(self.new, at, SymbolChange::Modified);
        self.push(draft, self.new.entry(at));
    }

    fn pair(&mut self, from: usize, to: usize) {
        if !self.old.is_touched(from) && !self.new.is_touched(to) {
            return;
        }
        let entry = self.new.entry(to);
        let fate = if self.old.signature(from) != self.new.signature(to) {
            SymbolChange::Redefined
        } else if self.old.text(from) != self.new.text(to) || self.old.entry(from).public != entry.public {
            SymbolChange::Modified
        } else {
            return;
        };
        let draft = self.draft_pair(from, to, fate);
        self.push(draft, entry);
    }

    /// The same name elsewhere in the file, or as another kind, is neither added nor removed.
    fn pair_by_name(&mut self) {
        let mut twins: HashMap<&str, Vec<usize>> = HashMap::new();
        let new = self.new;
        self.added.iter().rev().for_each(|at| twins.entry(&new.entry(*at).name).or_default().push(*at));
        let mut taken = HashSet::new();
        for from in std::mem::take(&mut self.removed) {
            match twins.get_mut(self.old.entry(from).name.as_str()).and_then(Vec::pop) {
                Some(to) => {
                    taken.insert(to);
                    self.pair(from, to);
                }
                None => self.removed.push(from),
            }
        }
        self.added.retain(|at| !taken.contains(at));
    }

    /// The same last name under another type, unique on each side and similar: the type changed.
    fn pair_by_bare(&mut self) {
        let (removed, added) = (unique_by_name(self.old, &self.removed), unique_by_name(self.new, &self.added));
        let mut pairs: Vec<(usize, usize)> =
            removed.iter().filter_map(|(bare, from)| Some(((*from)?, (*added.get(bare)?)?))).collect();
        pairs.sort_unstable();
        for (from, to) in pairs {
            let (before, after) = (self.old.words(from), self.new.words(to));
            if before.len().min(after.len()) >= ALIKE_WORDS && tokens::likeness(&before, &after) >= ALIKE {
                self.rename(from, to);
            }
        }
    }

    fn rename(&mut self, from: usize, to: usize) {
        self.removed.retain(|at| *at != from);
        self.added.retain(|at| *at != to);
        let mut draft = self.draft_pair(from, to, SymbolChange::Renamed);
        draft.symbol.old_name = Some(self.old.entry(from).name.clone());
        self.push(draft, self.new.entry(to));
    }

    fn pair_renamed(&mut self, swaps: &IdentifierSwaps, of: impl Fn(SymbolKind) -> bool) -> Vec<(usize, usize)> {
        let is_candidate = |side: &FileSide<'_>, at: &usize| {
            let (entry, other) = (side.entry(*at), if std::ptr::eq(side, self.old) { self.new } else { self.old });
            let tellable =
                entry.reporting == Reporting::Reported && entry.kind != SymbolKind::Scope && !entry.is_part();
            of(entry.kind) && tellable && self.is_unknown(entry, other)
        };
        let removed: Vec<usize> =
            self.removed.iter().copied().filter(|at| is_candidate(self.old, at)).take(rename::CANDIDATES).collect();
        let added: Vec<usize> =
            self.added.iter().copied().filter(|at| is_candidate(self.new, at)).take(rename::CANDIDATES).collect();
        let side = |side: &FileSide<'_>, at: &usize| rename::RenameCandidate {
            bare: side.entry(*at).bare.clone(),
            qualifier: side.entry(*at).qualifier().to_owned(),
            kind: side.entry(*at).kind,
            words: side.words(*at),
        };
        let from: Vec<_> = removed.iter().map(|at| side(self.old, at)).collect();
        let to: Vec<_> = added.iter().map(|at| side(self.new, at)).collect();
        let pairs: Vec<(usize, usize)> =
            rename::match_renames(&from, &to, swaps).into_iter().map(|(a, b)| (removed[a], added[b])).collect();
        pairs.iter().for_each(|(from, to)| self.rename(*from, *to));
        pairs
    }

    /// Members of a renamed type are renamed with it: the same bare name under the old and the new type.
    fn rename_members(&mut self, renamed: &[(usize, usize)]) {
        let types: HashMap<&str, &str> = renamed
            .iter()
            .map(|(from, to)| (self.old.entry(*from).name.as_str(), self.new.entry(*to).name.as_str()))
            .collect();
        if types.is_empty() {
            return;
        }
        let new = self.new;
        let mut twins: HashMap<(SymbolKind, String), Vec<usize>> = HashMap::new();
        self.added
            .iter()
            .rev()
            .for_each(|at| twins.entry((new.entry(*at).kind, new.entry(*at).name.clone())).or_default().push(*at));
        let mut taken = HashSet::new();
        for from in std::mem::take(&mut self.removed) {
            let of = self.old.entry(from);
            let now = renamed_name(of, &types).map(|now| (of.kind, now));
            match now.and_then(|now| twins.get_mut(&now)).and_then(Vec::pop) {
                Some(to) => {
                    taken.insert(to);
                    if self.old.words(from) != new.words(to) {
                        let draft = self.draft_pair(from, to, SymbolChange::Modified);
                        self.push(draft, new.entry(to));
                    }
                }
                None => self.removed.push(from),
            }
        }
        self.added.retain(|at| !taken.contains(at));
    }

    fn draft_unmatched(&mut self) {
        for at in std::mem::take(&mut self.added) {
            if self.is_reportable(self.new, at, self.old) {
                let draft = self.draft(self.new, at, SymbolChange::Added);
                self.push(draft, self.new.entry(at));
            }
        }
        for at in std::mem::take(&mut self.removed) {
            if self.is_reportable(self.old, at, self.new) {
                let draft = self.draft(self.old, at, SymbolChange::Removed);
                self.push(draft, self.old.entry(at));
            }
        }
    }

    /// Precision before recall: the other side must not contain the name; if its tree has errors, or the definition is
    /// local, not even the word.
    fn is_reportable(&self, side: &FileSide<'_>, at: usize, other: &FileSide<'_>) -> bool {
        let entry = side.entry(at);
        if !side.is_touched(at) || entry.owner.is_some_and(|owner| is_covered_by_owner(side, owner, other)) {
            return entry.owner.is_none() && side.is_touched(at) && self.is_unknown(entry, other);
        }
        self.is_unknown(entry, other)
    }

    fn is_unknown(&self, entry: &OutlineEntry, other: &FileSide<'_>) -> bool {
        let strict = other.outline.faulty || entry.local;
        !(other.names.contains(&entry.name) || (strict && other.has_word(&entry.bare)))
    }

    fn push(&mut self, draft: SymbolDraft, entry: &OutlineEntry) {
        let tellable = entry.reporting == Reporting::Reported && entry.kind != SymbolKind::Scope && !entry.is_part();
        if tellable {
            self.drafts.push(draft);
        }
    }

    fn draft_pair(&self, from: usize, to: usize, fate: SymbolChange) -> SymbolDraft {
        let mut draft = self.draft(self.new, to, fate);
        let whole = |side: &FileSide<'_>, at: usize| side.rows.count(&side.entry(at).rows);
        draft.symbol.lines = match fate {
            SymbolChange::Renamed => whole(self.old, from).saturating_add(whole(self.new, to)),
            _ => self.old.lines[from].saturating_add(self.new.lines[to]),
        };
        draft.symbol.comments_only = fate == SymbolChange::Modified
            && self.old.entry(from).public == self.new.entry(to).public
            && self.old.code(from) == self.new.code(to);
        draft.symbol.members = self.members(from, to);
        draft
    }

    fn members(&self, from: usize, to: usize) -> Vec<Member> {
        let parts = |side: &FileSide<'_>, at: usize| -> BTreeMap<String, SymbolKind> {
            side.children(at).filter(|part| part.is_part()).map(|part| (part.bare.clone(), part.kind)).collect()
        };
        let (before, after) = (parts(self.old, from), parts(self.new, to));
        let only =
            |these: &BTreeMap<String, SymbolKind>, those: &BTreeMap<String, SymbolKind>, added: bool| -> Vec<Member> {
                let apart = these.iter().filter(|(name, _)| !those.contains_key(*name));
                apart.map(|(name, kind)| Member { name: name.clone(), kind: *kind, added }).collect()
            };
        let mut members = only(&after, &before, true);
        members.extend(only(&before, &after, false));
        members.retain(|member| {
            let other = if member.added { self.old } else { self.new };
            !(other.outline.faulty && other.has_word(&member.name))
        });
        members
    }

    fn draft(&self, side: &FileSide<'_>, at: usize, fate: SymbolChange) -> SymbolDraft {
        let entry = side.entry(at);
        let telling = matches!(fate, SymbolChange::Added | SymbolChange::Removed);
        let symbol = Symbol {
            name: entry.name.clone(),
            kind: entry.kind,
            change: fate,
            public: entry.public,
            test: entry.test,
            test_case: entry.test_case,
            path: self.path.to_owned(),
            old_name: None,
            old_path: None,
            lines: if telling { side.rows.count(&entry.rows) } else { side.lines[at] },
            members: Vec::new(),
            comments_only: false,
        };
        SymbolDraft { symbol, words: if telling { side.words(at) } else { Vec::new() } }
    }
}

/// New name of a member of a renamed type, or of a scope with its name.
fn renamed_name(entry: &OutlineEntry, types: &HashMap<&str, &str>) -> Option<String> {
    if let Some(now) = types.get(entry.name.as_str()).filter(|_| entry.kind == SymbolKind::Scope) {
        return Some((*now).to_owned());
    }
    let behind = entry.name.strip_suffix(&entry.bare)?;
    let of = behind.trim_end_matches([':', '.']);
    let now = types.get(of)?;
    let last = |name: &'_ str| symbols::bare(name).to_owned();
    // A constructor has the name of its type.
    let bare = if entry.bare == last(of) { last(now) } else { entry.bare.clone() };
    Some(format!("{now}{}{bare}", behind.get(of.len()..)?))
}

/// Contents of an added or removed function or value are covered by it.
fn is_covered_by_owner(side: &FileSide<'_>, owner: usize, other: &FileSide<'_>) -> bool {
    let entry = side.entry(owner);
    let swallows = matches!(entry.kind, SymbolKind::Function | SymbolKind::Constant | SymbolKind::Macro);
    swallows && !other.keys.contains(&entry.key)
}

/// Functions by their last names; `None` for ambiguous names.
fn unique_by_name<'a>(side: &'a FileSide<'_>, among: &[usize]) -> HashMap<&'a str, Option<usize>> {
    let mut single: HashMap<&str, Option<usize>> = HashMap::new();
    for at in among {
        let entry = side.entry(*at);
        if entry.kind == SymbolKind::Function && entry.reporting == Reporting::Reported {
            single.entry(&entry.bare).and_modify(|known| *known = None).or_insert(Some(*at));
        }
    }
    single
}

fn by_key(entries: &[OutlineEntry]) -> BTreeMap<&str, Vec<usize>> {
    let mut by_key: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        by_key.entry(&entry.key).or_default().push(at);
    }
    by_key
}

/// Removes pairs of equal entries from both lists, by these tokens.
fn take_equal(
    from: &mut Vec<usize>,
    to: &mut Vec<usize>,
    of_old: impl Fn(usize) -> Vec<Token>,
    of_new: impl Fn(usize) -> Vec<Token>,
) {
    let mut by_tokens: BTreeMap<Vec<Token>, Vec<usize>> = BTreeMap::new();
    for at in from.iter().rev() {
        by_tokens.entry(of_old(*at)).or_default().push(*at);
    }
    let mut taken = BTreeSet::new();
    to.retain(|at| match by_tokens.get_mut(&of_new(*at)).and_then(Vec::pop) {
        Some(twin) => {
            taken.insert(twin);
            false
        }
        None => true,
    });
    from.retain(|at| !taken.contains(at));
}
