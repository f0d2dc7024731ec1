//! Claim extraction: what a sentence describes as added, removed or replaced.

use super::support;
use super::token::{SentenceToken, TokenKind};
use super::words::{self, stem};
use crate::text::words::WordList;
use crate::word_list;

/// One claim with a direction; the objects are token indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    Added(usize),
    Removed(usize),
    /// The first existed before the change, the second after it.
    Became(usize, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Remove,
    /// "no longer uses".
    Lose,
}

/// All claims of a sentence.
pub fn extract_claims(tokens: &[SentenceToken<'_>]) -> Vec<Claim> {
    let low: Vec<String> = tokens.iter().map(SentenceToken::low).collect();
    let sentence = ClaimParser { tokens, low };
    let mut claims = Vec::new();
    for at in 0..tokens.len() {
        if let Some(verb) = sentence.verb(at) {
            let objects = if sentence.is_passive(at) { sentence.subjects(at) } else { sentence.objects(at) };
            claims.extend(objects.into_iter().map(|thing| match verb {
                Verb::Add => Claim::Added(thing),
                Verb::Remove | Verb::Lose => Claim::Removed(thing),
            }));
        }
        claims.extend(sentence.pair(at));
    }
    claims
}

/// The direction of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Added,
    Removed,
}

impl Direction {
    /// `balance`: occurrences of a word on added lines minus those on removed lines.
    pub fn agrees(self, balance: i64) -> bool {
        match self {
            Self::Added => balance > 0,
            Self::Removed => balance < 0,
        }
    }

    /// Whether it occurs on the side of this direction, and not on the other.
    pub fn is_side(self, sides: super::lexicon::SideSet) -> bool {
        match self {
            Self::Added => sides.is_added(),
            Self::Removed => sides.is_removed(),
        }
    }

    pub fn opposite(self) -> Self {
        match self {
            Self::Added => Self::Removed,
            Self::Removed => Self::Added,
        }
    }

    /// Verbs and adjectives that express the direction.
    pub fn verbs(self) -> &'static [&'static str] {
        match self {
            Self::Added => &["add", "introduce", "create", "new", "support", "implement"],
            Self::Removed => &["remove", "delete", "drop", "eliminate", "unused"],
        }
    }
}

/// Added or removed things with their words: those between the verb and the next preposition or verb.
pub fn phrases(tokens: &[SentenceToken<'_>]) -> Vec<(Direction, Vec<usize>)> {
    let low: Vec<String> = tokens.iter().map(SentenceToken::low).collect();
    let sentence = ClaimParser { tokens, low };
    let phrase = |verb: usize| -> Vec<usize> {
        let mut words = Vec::new();
        for (at, token) in tokens.iter().enumerate().skip(verb + 1) {
            let word = sentence.low(at);
            if PREPOSITIONS.contains(&word) || self::verb(word).is_some() || sentence.begins_anew(at) {
                break;
            }
            words.push(at);
            // "…, renames" begins another claim, "…, docs" continues the list.
            let next = sentence.low(at + 1);
            let anew = || next.ends_with('s') && support::is_work(&stem(next)) && !KINDS.contains(&next);
            if sentence.ends_after(at) || (token.after == Some(',') && anew()) {
                break;
            }
        }
        words
    };
    // "includes a new option" claims an addition as well.
    let new = |at: usize| (sentence.low(at) == "new" && is_article(sentence.before(at, 1))).then_some(Verb::Add);
    let verbs = (0..tokens.len()).filter_map(|at| Some((at, sentence.verb(at).or_else(|| new(at))?)));
    verbs
        .filter(|(at, _)| !sentence.is_passive(*at) && !sentence.ends_after(*at))
        .map(|(at, verb)| (if verb == Verb::Add { Direction::Added } else { Direction::Removed }, phrase(at)))
        .filter(|(_, phrase)| !phrase.is_empty())
        .collect()
}

/// "from A to A", "replaces A with A": the first word of the second A.
pub fn tautology(tokens: &[SentenceToken<'_>]) -> Option<usize> {
    let low: Vec<String> = tokens.iter().map(SentenceToken::low).collect();
    let telling = |low: &&String| words::stems(low).iter().any(|stem| !support::is_work(stem));
    let words = |range: std::ops::Range<usize>| -> Vec<&String> {
        low.get(range).unwrap_or_default().iter().filter(telling).collect()
    };
    let ends = |at: &usize| low.get(*at).is_none_or(|word| PREPOSITIONS.contains(&word.as_str()));
    (0..tokens.len()).find_map(|at| {
        let separators: &[&str] = match low[at].as_str() {
            "from" | "switches" | "converts" | "renames" => &["to", "into"],
            "replaces" | "replace" | "replaced" | "replacing" => &["with", "by"],
            _ => return None,
        };
        let split = (at + 1..tokens.len()).find(|at| separators.contains(&low[*at].as_str()))?;
        let end = (split + 1..=tokens.len()).find(ends)?;
        let (old, new) = (words(at + 1..split), words(split + 1..end));
        (!new.is_empty() && old == new).then_some(split + 1)
    })
}

struct ClaimParser<'a> {
    tokens: &'a [SentenceToken<'a>],
    low: Vec<String>,
}

impl ClaimParser<'_> {
    fn low(&self, at: usize) -> &str {
        self.low.get(at).map_or("", String::as_str)
    }

    fn before(&self, at: usize, back: usize) -> &str {
        at.checked_sub(back).map_or("", |at| self.low(at))
    }

    fn is_thing(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(SentenceToken::is_thing)
    }

    fn ends_after(&self, at: usize) -> bool {
        self.tokens.get(at).is_none_or(|token| matches!(token.after, Some(';' | ':' | '.' | ')')))
    }

    /// Whether the word claims something about this commit: not negated, and not a participle before a noun.
    fn verb(&self, at: usize) -> Option<Verb> {
        if self.tokens.get(at)?.kind != TokenKind::Prose {
            return None;
        }
        let verb = verb(self.low(at));
        let no_longer = self.before(at, 1) == "longer" && self.before(at, 2) == "no";
        if no_longer {
            let used = [
                "use", "call", "import", "export", "need", "require", "used", "called", "imported", "exported",
                "needed", "required", "uses", "calls", "imports", "exports", "needs", "requires", "available",
            ];
            return used.contains(&self.low(at)).then_some(Verb::Lose);
        }
        let verb = verb?;
        let denied = (1..=3).any(|back| NEGATIONS.contains(&self.before(at, back)));
        let modifies = DETERMINERS.contains(&self.before(at, 1)) && !self.is_passive(at);
        (!denied && !modifies).then_some(verb)
    }

    /// "X was removed", "X has been added".
    fn is_passive(&self, at: usize) -> bool {
        let participle = self.low(at).ends_with("ed") || self.low(at).ends_with("available");
        let be = |word: &str| matches!(word, "is" | "are" | "was" | "were" | "been" | "being" | "be" | "gets" | "got");
        participle && (1..=4).map(|back| self.before(at, back)).take_while(|word| be(word) || is_adverb(word)).any(be)
    }

    /// Objects before the verb: `a` and `b` were removed.
    fn subjects(&self, verb: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let passed = |word: &str| {
            is_adverb(word)
                || KINDS.contains(&word)
                || matches!(
                    word,
                    "is" | "are"
                        | "was"
                        | "were"
                        | "been"
                        | "being"
                        | "be"
                        | "has"
                        | "have"
                        | "had"
                        | "and"
                        | "or"
                        | "gets"
                        | "got"
                )
        };
        for at in (0..verb).rev() {
            if self.is_thing(at) {
                found.push(at);
            } else if !passed(self.low(at)) {
                break;
            }
        }
        // "The import of `a` was removed" is not about `a`.
        let first = found.last().copied().unwrap_or(0);
        if found.is_empty() || !PREPOSITIONS.contains(&self.before(first, 1)) { found } else { Vec::new() }
    }

    /// Whether a word that names nothing ends the verb's object.
    fn ends_objects(&self, at: usize, any: bool) -> bool {
        let word = self.low(at);
        let joins = KINDS.contains(&word) || LINKS.contains(&word);
        PREPOSITIONS.contains(&word) || verb(word).is_some() || self.begins_anew(at) || (any && !joins)
    }

    /// Objects of the verb, up to the next preposition or verb.
    fn objects(&self, verb: usize) -> Vec<usize> {
        let mut found = Vec::new();
        if self.ends_after(verb) {
            return found;
        }
        let mut led = 0;
        for at in verb + 1..self.tokens.len() {
            if self.is_thing(at) {
                if self.stands_alone(at) {
                    found.push(at);
                }
                led = 0;
            } else if led > 3 || self.ends_objects(at, !found.is_empty()) {
                break;
            } else {
                led += 1;
            }
            if self.ends_after(at) {
                break;
            }
        }
        found
    }

    /// "and" before another verb, not before another object.
    fn begins_anew(&self, at: usize) -> bool {
        let article =
            |word: &str| matches!(word, "the" | "a" | "an" | "its" | "their" | "new" | "all" | "unused" | "old");
        matches!(self.low(at), "and" | "or" | "then") && !self.is_thing(at + 1) && !article(self.low(at + 1))
    }

    /// "`a`", "`a` function", but not "`a` support", where the name only modifies.
    fn stands_alone(&self, at: usize) -> bool {
        let comma = self.tokens.get(at).is_some_and(|token| token.after.is_some());
        let next = self.low(at + 1);
        comma
            || next.is_empty()
            || self.is_thing(at + 1)
            || KINDS.contains(&next)
            || PREPOSITIONS.contains(&next)
            || matches!(next, "and" | "or" | "plus" | "as" | "now" | "again" | "entirely" | "completely")
            || verb(next).is_some()
    }

    /// "from A to B", "A → B", "renames A to B", "replaces A with B", "B instead of A".
    fn pair(&self, at: usize) -> Option<Claim> {
        let word = self.low(at);
        match word {
            "from" => {
                let old = self.value(at + 1, 3)?;
                let to = (old + 1..=old + 4).find(|at| matches!(self.low(*at), "to" | "into" | "\u{2192}" | "->"))?;
                Some(Claim::Became(old, self.value(to + 1, 3)?))
            }
            "\u{2192}" | "->" | "=>" => {
                let old = at.checked_sub(1).filter(|old| self.is_value(*old))?;
                Some(Claim::Became(old, self.value(at + 1, 1)?))
            }
            "rename" | "renames" | "renamed" | "renaming" => {
                let old = self.thing(at + 1, 4)?;
                let to = (old + 1..=old + 3).find(|at| matches!(self.low(*at), "to" | "as" | "into"))?;
                Some(Claim::Became(old, self.thing(to + 1, 3)?))
            }
            "replace" | "replaces" | "replaced" | "replacing" => {
                let old = self.thing(at + 1, 4).or_else(|| at.checked_sub(2).filter(|old| self.is_thing(*old)))?;
                let with = (old + 1..=old + 4).find(|at| matches!(self.low(*at), "with" | "by"))?;
                let bare = |thing: usize| self.stands_alone(thing);
                let new = self.thing(with + 1, 3)?;
                (bare(old) && bare(new)).then_some(Claim::Became(old, new))
            }
            "instead" if self.low(at + 1) == "of" => {
                let new = (1..=3).filter_map(|back| at.checked_sub(back)).find(|at| self.is_thing(*at))?;
                Some(Claim::Became(self.thing(at + 2, 2)?, new))
            }
            _ => None,
        }
    }

    fn is_value(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_thing() || token.kind == TokenKind::Number)
    }

    fn value(&self, from: usize, within: usize) -> Option<usize> {
        (from..from + within).find(|at| self.is_value(*at))
    }

    fn thing(&self, from: usize, within: usize) -> Option<usize> {
        (from..from + within).find(|at| self.is_thing(*at))
    }
}

fn verb(low: &str) -> Option<Verb> {
    match low {
        "add" | "adds" | "added" | "adding" | "introduce" | "introduces" | "introduced" | "introducing" | "create"
        | "creates" | "created" | "creating" => Some(Verb::Add),
        "remove" | "removes" | "removed" | "removing" | "delete" | "deletes" | "deleted" | "deleting" | "drop"
        | "drops" | "dropped" | "dropping" | "eliminates" | "eliminated" | "eliminate" => Some(Verb::Remove),
        _ => None,
    }
}

fn is_article(word: &str) -> bool {
    matches!(word, "a" | "an" | "one" | "two" | "three" | "some" | "several")
}

fn is_adverb(word: &str) -> bool {
    matches!(word, "also" | "now" | "newly" | "then" | "therefore" | "thus" | "all" | "both" | "each")
}

static NEGATIONS: WordList = word_list!("claims_negations");

const DETERMINERS: &[&str] = &[
    "the", "a", "an", "newly", "recently", "previously", "already", "just", "of", "for", "being", "be", "that", "to-be",
];

static PREPOSITIONS: WordList = word_list!("claims_prepositions");

/// Tokens allowed between two items of a list.
const LINKS: &[&str] = &["and", "or", "plus", "the", "a", "an", "its", "their", "new", "old", "unused", "also", "both"];

/// Nouns for the kind of a name.
static KINDS: WordList = word_list!("claims_kinds");
