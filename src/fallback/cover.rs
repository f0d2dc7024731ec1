//! Which words have been said, so that what is said next adds to them.

use std::collections::{HashMap, HashSet};

use crate::facts::Facts;
use crate::facts::mentions::words::{parts, prior, stem};

/// What a word is worth that the mentions do not weigh.
const UNWEIGHED: f64 = 0.3;

/// The telling words of a commit and those of them that were said.
#[derive(Debug)]
pub struct Cover<'a> {
    weights: HashMap<&'a str, f64>,
    said: HashSet<String>,
    text: String,
}

impl<'a> Cover<'a> {
    /// Nothing but `text` has been said.
    #[must_use]
    pub fn after(facts: &'a Facts, text: &str) -> Self {
        let stems = facts.mentions.iter().flat_map(|mention| &mention.stems);
        let mut cover = Self {
            weights: stems.map(|(stem, weight)| (stem.as_str(), *weight)).collect(),
            said: HashSet::new(),
            text: String::new(),
        };
        cover.say(text);
        cover
    }

    /// From now on these words are known to the reader.
    pub fn say(&mut self, text: &str) {
        self.said.extend(parts(text).iter().map(|part| stem(part)));
        self.text.push_str(text);
    }

    /// Whether these very words were said.
    #[must_use]
    pub fn has(&self, words: &str) -> bool {
        !words.is_empty() && self.text.contains(words)
    }

    /// And what another knows to have been said.
    pub fn also(&mut self, other: &Self) {
        self.said.extend(other.said.iter().cloned());
    }

    /// What a reader would learn from a text that he does not know yet.
    #[must_use]
    pub fn gain(&self, text: &str) -> f64 {
        let mut counted = HashSet::new();
        let mut gain = 0.0;
        for part in parts(text) {
            let stem = stem(&part);
            if !self.said.contains(&stem) {
                let weight = self.weights.get(stem.as_str()).copied().unwrap_or_else(|| UNWEIGHED * prior(&part));
                gain += if counted.insert(stem) { weight } else { 0.0 };
            }
        }
        gain
    }

    /// Up to so many of the items, each the one that adds most to those before it, as long as one adds at least so much.
    #[must_use]
    pub fn choose<T>(
        &mut self,
        (limit, least): (usize, f64),
        mut items: Vec<T>,
        worth: impl Fn(&Self, &T) -> f64,
        name: impl Fn(&T) -> &str,
    ) -> Vec<T> {
        let mut chosen = Vec::new();
        while chosen.len() < limit {
            let worths = items.iter().enumerate().map(|(at, item)| (at, worth(self, item)));
            // Of equals the first.
            let best = worths.rev().max_by(|(_, a), (_, b)| a.total_cmp(b));
            let Some((best, _)) = best.filter(|(_, worth)| *worth >= least) else { break };
            let item = items.remove(best);
            self.say(name(&item));
            chosen.push(item);
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::facts;
    use crate::facts::sample::{commit, file};

    #[test]
    fn of_names_with_one_stem_one_is_chosen() {
        let commit = commit("wip", vec![file("src/a.rs", "@@\n+    redirect(redirects, timeout)")]);
        let facts = facts::of(&commit, &SystemClock);
        let mut cover = Cover::after(&facts, "");
        let names = vec!["redirect", "redirects", "timeout"];
        let chosen = cover.choose((2, 0.1), names, |cover, name| cover.gain(name), |name| name);
        assert_eq!(chosen.len(), 2);
        assert!(chosen.contains(&"timeout"), "{chosen:?}");
    }

    #[test]
    fn what_was_said_adds_nothing() {
        let facts = facts::of(&commit("wip", vec![]), &SystemClock);
        let mut cover = Cover::after(&facts, "Changes `max_depth`");
        assert!(cover.gain("depth") == 0.0 && cover.gain("walker") > 0.0);
        cover.say("Walkers");
        assert!(cover.gain("walker") == 0.0 && cover.has("max_depth") && !cover.has(""));
    }
}
