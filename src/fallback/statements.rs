//! True sentences about a change, of which one can be chosen to stand beside the author's words.

use super::phrase::{sentence, words};
use super::{lines, purpose};
use crate::domain::patch::Commit;
use crate::facts::Facts;

/// Statements that are offered.
const MOST: usize = 10;
/// Words of one.
const WORDS: usize = 25;

/// Whole sentences, the most telling kinds first; none of which `said` has all.
#[must_use]
pub fn of(commit: &Commit, facts: &Facts, said: &str) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for text in lines::each(commit, facts).into_iter().chain(purpose::all(commit, facts)) {
        let text = sentence(&text);
        if words(&text) <= WORDS && !told.contains(&text) && !purpose::repeats(said, &text) {
            told.push(text);
        }
    }
    told.truncate(MOST);
    told
}
