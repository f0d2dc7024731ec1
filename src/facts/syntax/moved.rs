//! Definitions that left one file for another.

use super::compare::Draft;
use super::tokens;
use crate::facts::symbols::{Fate, bare};

/// A definition of the same name is the same one from this likeness on (Dice over its words).
const SAME_NAME: f64 = 0.5;
/// Smaller than this, the name and the kind decide (words).
const SMALL: usize = 8;
/// Under another name it has to be this alike and this large.
const OTHER_NAME: f64 = 0.9;
const OTHER_NAME_WORDS: usize = 30;
/// So many that went are compared with so many that came.
const CANDIDATES: usize = 200;

/// Joins what went in one file and came in another. A name that went or came more than once is left alone.
pub fn join(drafts: &mut Vec<Draft>) {
    let of = |drafts: &[Draft], fate: Fate| -> Vec<usize> {
        drafts.iter().enumerate().filter(|(_, draft)| draft.symbol.fate == fate).map(|(at, _)| at).collect()
    };
    let (gone, come) = (of(drafts, Fate::Removed), of(drafts, Fate::Added));
    let mut joined = Vec::new();
    for was in gone.iter().take(CANDIDATES) {
        let alone = |among: &[usize]| among.iter().filter(|at| is_same(&drafts[**at], &drafts[*was])).count() == 1;
        let partner = come.iter().find(|is| is_same(&drafts[**is], &drafts[*was]));
        let partner = partner.filter(|is| alone(&come) && alone(&gone) && is_one(&drafts[*was], &drafts[**is]));
        joined.extend(partner.map(|is| (*was, *is, Fate::Moved)));
    }
    for was in gone.iter().take(CANDIDATES) {
        let is_free = |at: usize| !joined.iter().any(|(a, b, _)| *a == at || *b == at);
        let mut like =
            come.iter().copied().filter(|is| is_free(*was) && is_free(*is) && is_renamed(&drafts[*was], &drafts[*is]));
        if let (Some(is), None) = (like.next(), like.next()) {
            joined.push((*was, is, Fate::Renamed));
        }
    }
    settle(drafts, &joined);
}

fn settle(drafts: &mut Vec<Draft>, joined: &[(usize, usize, Fate)]) {
    for (was, is, fate) in joined {
        let (old_name, old_path) = (drafts[*was].symbol.name.clone(), drafts[*was].symbol.path.clone());
        let symbol = &mut drafts[*is].symbol;
        symbol.fate = *fate;
        symbol.old_name = (old_name != symbol.name).then_some(old_name);
        symbol.old_path = Some(old_path);
    }
    let mut at = 0;
    drafts.retain(|_| {
        at += 1;
        !joined.iter().any(|(was, _, _)| *was == at - 1)
    });
}

fn is_same(one: &Draft, other: &Draft) -> bool {
    one.symbol.name == other.symbol.name && one.symbol.kind == other.symbol.kind
}

fn is_one(was: &Draft, is: &Draft) -> bool {
    let small = was.words.len().min(is.words.len()) < SMALL;
    was.symbol.path != is.symbol.path && (small || tokens::likeness(&was.words, &is.words) >= SAME_NAME)
}

fn is_renamed(was: &Draft, is: &Draft) -> bool {
    was.symbol.kind == is.symbol.kind
        && was.symbol.path != is.symbol.path
        && bare(&was.symbol.name) != bare(&is.symbol.name)
        && was.words.len().min(is.words.len()) >= OTHER_NAME_WORDS
        && tokens::likeness(&was.words, &is.words) >= OTHER_NAME
}
