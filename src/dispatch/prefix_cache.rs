//! Model of a server's prefix cache: the last prompts that it was sent, byte for byte.

use std::collections::{HashMap, VecDeque};

use crate::prompt::render::RenderedPrompt;

/// Servers cache the prompts of the last few requests; more than this is not relied on.
const KEPT: usize = 4;

/// The last prompts per endpoint and model.
#[derive(Debug, Default)]
pub(super) struct PrefixCache {
    by_model: HashMap<(String, String), VecDeque<CachedPrompt>>,
}

/// A prompt, or the start of one, that a model has read.
#[derive(Debug)]
struct CachedPrompt {
    text: String,
    /// Bytes of it that were evaluated.
    bytes: usize,
}

impl PrefixCache {
    /// Bytes at the start of this prompt, and of its rules alone, that the cache probably holds.
    pub fn common(&self, endpoint: &str, model: &str, prompt: &RenderedPrompt) -> (usize, usize) {
        let whole = self.common_text(endpoint, model, (&prompt.rules, &prompt.question));
        (whole, whole.min(prompt.rules.len()))
    }

    /// As [`Self::common`], for rules and question together.
    pub fn common_text(&self, endpoint: &str, model: &str, (rules, question): (&str, &str)) -> usize {
        let Some(read) = self.by_model.get(&(endpoint.to_owned(), model.to_owned())) else { return 0 };
        let text = joined(rules, question);
        read.iter().map(|read| shared(read, &text)).max().unwrap_or(0)
    }

    /// Records that the model has read `question` after `rules`, `bytes` of both together.
    pub fn note(&mut self, endpoint: &str, model: &str, (rules, question): (&str, &str), bytes: usize) {
        let read = self.by_model.entry((endpoint.to_owned(), model.to_owned())).or_default();
        let text = joined(rules, question);
        // A continuation replaces the shorter entry.
        read.retain(|older| !text.starts_with(&older.text));
        read.push_front(CachedPrompt { bytes: bytes.min(text.len()), text });
        read.truncate(KEPT);
    }

    /// The model was loaded again, or the server reports less than assumed.
    pub fn forget(&mut self, endpoint: &str, model: &str) {
        self.by_model.remove(&(endpoint.to_owned(), model.to_owned()));
    }
}

fn joined(rules: &str, question: &str) -> String {
    format!("{rules}{question}")
}

fn shared(read: &CachedPrompt, text: &str) -> usize {
    let same = read.text.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    same.min(read.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(rules: &str, question: &str) -> RenderedPrompt {
        RenderedPrompt { rules: rules.into(), question: question.into(), ..crate::prompt::render::note("x", "p") }
    }

    #[test]
    fn what_two_prompts_begin_with_is_read_once() {
        let mut cached = PrefixCache::default();
        assert_eq!(cached.common("e", "m", &prompt("Rules.", "Patch A.")), (0, 0));
        cached.note("e", "m", ("Rules.", "Patch A."), usize::MAX);
        assert_eq!(cached.common("e", "m", &prompt("Rules.", "Patch B.")), (12, 6));
        assert_eq!(cached.common("e", "m", &prompt("Other rules.", "Patch A.")), (0, 0));
        assert_eq!(cached.common("e", "other", &prompt("Rules.", "Patch A.")), (0, 0));
        cached.forget("e", "m");
        assert_eq!(cached.common("e", "m", &prompt("Rules.", "Patch A.")), (0, 0));
    }

    #[test]
    fn of_a_prompt_that_was_begun_only_that_much_is_read() {
        let mut cached = PrefixCache::default();
        cached.note("e", "m", ("Rules.", "A long patch."), 9);
        assert_eq!(cached.common("e", "m", &prompt("Rules.", "A long patch.")), (9, 6));
        cached.note("e", "m", ("Rules.", "A long patch."), usize::MAX);
        assert_eq!(cached.common("e", "m", &prompt("Rules.", "A long patch. Message.")).0, 19);
    }

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut cached = PrefixCache::default();
        for n in 0..6 {
            cached.note("e", "m", ("R", &format!("{n} question")), usize::MAX);
        }
        assert_eq!(cached.common("e", "m", &prompt("R", "0 question")).0, 1);
        assert_eq!(cached.common("e", "m", &prompt("R", "5 question")).0, 11);
    }
}
