//! Move detection between files.

use std::collections::{HashMap, HashSet};

use super::compare::SymbolDraft;
use super::tokens;
use crate::facts::language::SymbolKind;
use crate::facts::symbols::{SymbolChange, bare};

/// Least similarity with the same name (Dice coefficient of the words).
const SAME_NAME: f64 = 0.5;
/// Below this size (words), name and kind decide.
const SMALL: usize = 8;
/// Least similarity and size under another name.
const OTHER_NAME: f64 = 0.9;
const OTHER_NAME_WORDS: usize = 30;
/// Limit of removed and of added symbols that are compared.
const CANDIDATES: usize = 200;

/// Joins a symbol removed from one file and added to another. Ambiguous names are skipped.
pub fn join_moves(drafts: &mut Vec<SymbolDraft>) {
    let (removed, added) = (of_fate(drafts, SymbolChange::Removed), of_fate(drafts, SymbolChange::Added));
    let mut joined: Vec<(usize, usize, SymbolChange)> = Vec::new();
    {
        let (removed_by_name, added_by_name) = (unique_by_name(drafts, &removed), unique_by_name(drafts, &added));
        for from in &removed {
            let name = draft_key(&drafts[*from]);
            let (Some(Some(from)), Some(Some(to))) = (removed_by_name.get(&name), added_by_name.get(&name)) else {
                continue;
            };
            let (old, new) = (&drafts[*from], &drafts[*to]);
            let small = old.words.len().min(new.words.len()) < SMALL;
            let alike = small || tokens::likeness(&old.words, &new.words) >= SAME_NAME;
            if old.symbol.path != new.symbol.path && alike {
                joined.push((*from, *to, SymbolChange::Moved));
            }
        }
    }
    let taken: HashSet<usize> = joined.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
    let free = |among: &[usize]| -> Vec<usize> {
        let large = |at: &usize| !taken.contains(at) && drafts[*at].words.len() >= OTHER_NAME_WORDS;
        among.iter().copied().filter(large).take(CANDIDATES).collect()
    };
    let (removed, added) = (free(&removed), free(&added));
    let mut renamed = HashSet::new();
    for from in removed {
        let mut like = added.iter().filter(|to| is_renamed(&drafts[from], &drafts[**to]));
        if let (Some(to), None) = (like.next(), like.next())
            && renamed.insert(*to)
        {
            joined.push((from, *to, SymbolChange::Renamed));
        }
    }
    apply_joins(drafts, &joined);
}

fn of_fate(drafts: &[SymbolDraft], fate: SymbolChange) -> Vec<usize> {
    drafts.iter().enumerate().filter(|(_, draft)| draft.symbol.change == fate).map(|(at, _)| at).collect()
}

fn draft_key(draft: &SymbolDraft) -> (&str, SymbolKind) {
    (&draft.symbol.name, draft.symbol.kind)
}

/// Drafts by name and kind; `None` for ambiguous names.
fn unique_by_name<'a>(drafts: &'a [SymbolDraft], among: &[usize]) -> HashMap<(&'a str, SymbolKind), Option<usize>> {
    let mut single = HashMap::new();
    for at in among {
        single.entry(draft_key(&drafts[*at])).and_modify(|known| *known = None).or_insert(Some(*at));
    }
    single
}

fn apply_joins(drafts: &mut Vec<SymbolDraft>, joined: &[(usize, usize, SymbolChange)]) {
    for (from, to, fate) in joined {
        let (old_name, old_path) = (drafts[*from].symbol.name.clone(), drafts[*from].symbol.path.clone());
        let symbol = &mut drafts[*to].symbol;
        symbol.change = *fate;
        symbol.old_name = (old_name != symbol.name).then_some(old_name);
        symbol.old_path = Some(old_path);
    }
    let joined_away: HashSet<usize> = joined.iter().map(|(from, _, _)| *from).collect();
    let mut at = 0;
    drafts.retain(|_| {
        at += 1;
        !joined_away.contains(&(at - 1))
    });
}

fn is_renamed(from: &SymbolDraft, to: &SymbolDraft) -> bool {
    from.symbol.kind == to.symbol.kind
        && from.symbol.path != to.symbol.path
        && bare(&from.symbol.name) != bare(&to.symbol.name)
        && tokens::likeness(&from.words, &to.words) >= OTHER_NAME
}
