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
        for (key, was) in &old {
            match new.get(key) {
                Some(is) => self.pair_group(was, is),
                None => self.removed.extend(was),
            }
        }
        self.added.extend(new.iter().filter(|(key, _)| !old.contains_key(*key)).flat_map(|(_, is)| is));
        self.removed.sort_unstable();
        self.added.sort_unstable();
    }

    /// Entries with one key: overloads, platform variants. Equal ones are paired first.
    fn pair_group(&mut self, was: &[usize], is: &[usize]) {
        if let ([was], [is]) = (was, is) {
            return self.pair(*was, *is);
        }
        let all = is;
        let (mut was, mut is) = (was.to_vec(), is.to_vec());
        if !was.iter().any(|at| self.old.is_touched(*at)) && !is.iter().any(|at| self.new.is_touched(*at)) {
            return;
        }
        take_equal(&mut was, &mut is, |at| self.old.text(at), |at| self.new.text(at));
        let before = (was.clone(), is.clone());
        take_equal(&mut was, &mut is, |at| self.old.signature(at), |at| self.new.signature(at));
        // The name is on both sides: the remaining entries are changes of it.
        let first = before.1.first().or(is.first()).copied();
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

    fn pair(&mut self, was: usize, is: usize) {
        if !self.old.is_touched(was) && !self.new.is_touched(is) {
            return;
        }
        let entry = self.new.entry(is);
        let fate = if self.old.signature(was) != self.new.signature(is) {
            SymbolChange::Redefined
        } else if self.old.text(was) != self.new.text(is) || self.old.entry(was).public != entry.public {
            SymbolChange::Modified
        } else {
            return;
        };
        let draft = self.draft_pair(was, is, fate);
        self.push(draft, entry);
    }

    /// The same name elsewhere in the file, or as another kind, is neither added nor removed.
    fn pair_by_name(&mut self) {
        let mut twins: HashMap<&str, Vec<usize>> = HashMap::new();
        let new = self.new;
        self.added.iter().rev().for_each(|at| twins.entry(&new.entry(*at).name).or_default().push(*at));
        let mut taken = HashSet::new();
        for was in std::mem::take(&mut self.removed) {
            match twins.get_mut(self.old.entry(was).name.as_str()).and_then(Vec::pop) {
                Some(is) => {
                    taken.insert(is);
                    self.pair(was, is);
                }
                None => self.removed.push(was),
            }
        }
        self.added.retain(|at| !taken.contains(at));
    }

    /// The same last name under another type, unique on each side and similar: the type changed.
    fn pair_by_bare(&mut self) {
        let (removed, added) = (unique_by_name(self.old, &self.removed), unique_by_name(self.new, &self.added));
        let mut pairs: Vec<(usize, usize)> =
            removed.iter().filter_map(|(bare, was)| Some(((*was)?, (*added.get(bare)?)?))).collect();
        pairs.sort_unstable();
        for (was, is) in pairs {
            let (before, after) = (self.old.words(was), self.new.words(is));
            if before.len().min(after.len()) >= ALIKE_WORDS && tokens::likeness(&before, &after) >= ALIKE {
                self.rename(was, is);
            }
        }
    }

    fn rename(&mut self, was: usize, is: usize) {
        self.removed.retain(|at| *at != was);
        self.added.retain(|at| *at != is);
        let mut draft = self.draft_pair(was, is, SymbolChange::Renamed);
        draft.symbol.old_name = Some(self.old.entry(was).name.clone());
        self.push(draft, self.new.entry(is));
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
        let was: Vec<_> = removed.iter().map(|at| side(self.old, at)).collect();
        let is: Vec<_> = added.iter().map(|at| side(self.new, at)).collect();
        let pairs: Vec<(usize, usize)> =
            rename::match_renames(&was, &is, swaps).into_iter().map(|(a, b)| (removed[a], added[b])).collect();
        pairs.iter().for_each(|(was, is)| self.rename(*was, *is));
        pairs
    }

    /// Members of a renamed type are renamed with it: the same bare name under the old and the new type.
    fn rename_members(&mut self, renamed: &[(usize, usize)]) {
        let types: HashMap<&str, &str> = renamed
            .iter()
            .map(|(was, is)| (self.old.entry(*was).name.as_str(), self.new.entry(*is).name.as_str()))
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
        for was in std::mem::take(&mut self.removed) {
            let of = self.old.entry(was);
            let now = renamed_name(of, &types).map(|now| (of.kind, now));
            match now.and_then(|now| twins.get_mut(&now)).and_then(Vec::pop) {
                Some(is) => {
                    taken.insert(is);
                    if self.old.words(was) != new.words(is) {
                        let draft = self.draft_pair(was, is, SymbolChange::Modified);
                        self.push(draft, new.entry(is));
                    }
                }
                None => self.removed.push(was),
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

    fn draft_pair(&self, was: usize, is: usize, fate: SymbolChange) -> SymbolDraft {
        let mut draft = self.draft(self.new, is, fate);
        let whole = |side: &FileSide<'_>, at: usize| side.rows.count(&side.entry(at).rows);
        draft.symbol.lines = match fate {
            SymbolChange::Renamed => whole(self.old, was).saturating_add(whole(self.new, is)),
            _ => self.old.lines[was].saturating_add(self.new.lines[is]),
        };
        draft.symbol.comments_only = fate == SymbolChange::Modified
            && self.old.entry(was).public == self.new.entry(is).public
            && self.old.code(was) == self.new.code(is);
        draft.symbol.members = self.members(was, is);
        draft
    }

    fn members(&self, was: usize, is: usize) -> Vec<Member> {
        let parts = |side: &FileSide<'_>, at: usize| -> BTreeMap<String, SymbolKind> {
            side.children(at).filter(|part| part.is_part()).map(|part| (part.bare.clone(), part.kind)).collect()
        };
        let (before, after) = (parts(self.old, was), parts(self.new, is));
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
    was: &mut Vec<usize>,
    is: &mut Vec<usize>,
    of_old: impl Fn(usize) -> Vec<Token>,
    of_new: impl Fn(usize) -> Vec<Token>,
) {
    let mut by_tokens: BTreeMap<Vec<Token>, Vec<usize>> = BTreeMap::new();
    for at in was.iter().rev() {
        by_tokens.entry(of_old(*at)).or_default().push(*at);
    }
    let mut taken = BTreeSet::new();
    is.retain(|at| match by_tokens.get_mut(&of_new(*at)).and_then(Vec::pop) {
        Some(twin) => {
            taken.insert(twin);
            false
        }
        None => true,
    });
    was.retain(|at| !taken.contains(at));
}
