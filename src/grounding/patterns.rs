//! Sentence patterns that small models produce regardless of the change, and the evidence they require.
//!
//! Of 110 sentences of a real 1.5B model that had passed every other check, two human raters found 45 false or
//! unsupported: names repeated in one sentence, new things described as changed, purposes ("to …") without a source,
//! and second clauses ("and updates …") were two thirds of them.

use super::claims::Direction;
use super::lexicon::{Lexicon, SideSet};
use super::support::{self, LackOfSupport};
use super::token::{SentenceToken, TokenKind};
use super::words::{self, stem};
use crate::text::words::WordList;
use crate::word_list;

/// The fault, and the offset (bytes) from which it may be cut instead of dropping the sentence.
pub type PatternFault = (LackOfSupport, Option<usize>);

/// The first pattern in a sentence that the change does not support.
pub fn find_pattern_fault(tokens: &[SentenceToken<'_>], lexicon: &Lexicon) -> Option<PatternFault> {
    if !lexicon.has_patch {
        return None;
    }
    let low: Vec<String> = tokens.iter().map(SentenceToken::low).collect();
    let sentence = PatternMatcher { tokens, low, lexicon };
    let whole = |word: String| (LackOfSupport::Unseen(word), None);
    let cut = |at: usize| (LackOfSupport::Unseen(tokens[at].text.to_owned()), Some(tokens[at].at));
    (sentence.no_sentence().map(whole))
        .or_else(|| sentence.second_clause().map(cut))
        .or_else(|| sentence.purpose().map(cut))
        .or_else(|| sentence.repeated_word().map(whole))
        .or_else(|| sentence.changed_though_new().map(whole))
        .or_else(|| sentence.not_exchanged().map(whole))
        .or_else(|| sentence.not_included().map(whole))
        .or_else(|| sentence.not_become().map(whole))
        .or_else(|| sentence.backwards().map(whole))
        .or_else(|| sentence.added_version().map(whole))
        .or_else(|| sentence.silent_on_comments().map(whole))
        .or_else(|| sentence.unsaid_part().map(whole))
        .or_else(|| sentence.elsewhere().map(whole))
}

struct PatternMatcher<'a> {
    tokens: &'a [SentenceToken<'a>],
    low: Vec<String>,
    lexicon: &'a Lexicon,
}

impl PatternMatcher<'_> {
    fn low(&self, at: usize) -> &str {
        self.low.get(at).map_or("", String::as_str)
    }

    fn is_prose(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Prose)
    }

    fn is_named(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| matches!(token.kind, TokenKind::Code | TokenKind::Name) && !token.inner)
    }

    /// The words from `from` to the next preposition, conjunction or the end.
    fn phrase(&self, from: usize) -> std::ops::Range<usize> {
        let ends = |at: &usize| {
            BOUNDS.contains(&self.low(*at)) || (*at > from && self.tokens[*at - 1].after.is_some_and(|c| c != ','))
        };
        from..(from..self.tokens.len()).find(ends).unwrap_or(self.tokens.len())
    }

    /// The content of these words, as stems that are not generic.
    fn content(&self, range: std::ops::Range<usize>) -> Vec<String> {
        let stems = self.tokens[range].iter().flat_map(|token| words::stems(token.text));
        stems.filter(|stem| !support::is_work(stem)).collect()
    }

    /// "Adds to the cache", "Adds 2.8.9", "Adds the cache is new": a verb without its object, or a second verb without
    /// a conjunction.
    fn no_sentence(&self) -> Option<String> {
        let verb = Some(self.low(0)).filter(|verb| TRANSITIVE.contains(verb) && self.is_prose(0))?;
        let object = self.phrase(1);
        let only_numbers = object.clone().all(|at| {
            self.tokens[at].kind == TokenKind::Number || matches!(self.low(at), "the" | "a" | "an" | "new" | "version")
        });
        if object.is_empty() || FINITE.contains(&self.low(1)) || (only_numbers && is_third_person(verb)) {
            return Some(self.tokens[0].text.to_owned());
        }
        let finite = (2..self.tokens.len()).find(|at| self.is_prose(*at) && FINITE.contains(&self.low(*at)))?;
        let led = (1..finite).any(|at| LEADING.contains(&self.low(at)) || self.tokens[at].after == Some(':'));
        (!led).then(|| self.tokens[finite].text.to_owned())
    }

    /// "… and updates …": start of a second claim about the code other than an addition or removal.
    fn second_clause(&self) -> Option<usize> {
        (2..self.tokens.len()).find(|at| {
            let verb = if self.low(*at + 1) == "also" { self.low(*at + 2) } else { self.low(*at + 1) };
            self.low(*at) == "and" && VAGUE.contains(&verb) && !self.is_kept(*at + 2)
        })
    }

    /// A definition that existed before, or one of a list that begins so.
    fn is_kept(&self, at: usize) -> bool {
        self.is_named(at) && self.lexicon.symbol_of(self.low(at)).has(SideSet::OLD)
    }

    /// "… to skip …": purpose or effect; its verb and words must be the author's.
    fn purpose(&self) -> Option<usize> {
        (2..self.tokens.len()).find(|at| {
            let verb = (at + 1..self.tokens.len()).find(|at| !ADVERBS.contains(&self.low(*at)));
            let Some(verb) = verb.filter(|_| self.low(*at) == "to") else { return false };
            let is_verb = self.is_prose(verb) && is_infinitive(self.low(verb));
            let is_author_word = |stem: &String| self.lexicon.is_author_word(stem);
            let mut clause = self.content(verb + 1..self.tokens.len());
            clause.push(stem(self.low(verb)));
            is_verb && !clause.iter().all(is_author_word)
        })
    }

    /// A repeated name.
    fn repeated_word(&self) -> Option<String> {
        (1..self.tokens.len()).find_map(|at| {
            let same = (0..at).rev().find(|other| self.low(*other) == self.low(at) && !self.low(at).is_empty())?;
            let adjacent = same + 1 == at && self.is_prose(at) && self.low(at).len() > 1;
            let name = |at: usize| self.is_named(at) || self.tokens[at].kind == TokenKind::Path;
            let anew = (same + 1..at).any(|at| is_third_person(self.low(at)));
            let named = (name(at) || name(same)) && !anew;
            let is = same + 3 >= at && matches!(self.low(same + 1), "is" | "are" | "instead");
            (adjacent || named || is).then(|| self.tokens[at].text.to_owned())
        })
    }

    /// "Changes X", where X is new: it did not exist before.
    fn changed_though_new(&self) -> Option<String> {
        (0..self.tokens.len()).filter(|at| CHANGES.contains(&self.low(*at))).find_map(|verb| {
            let words = self.content(self.phrase(verb + 1));
            if !words.is_empty() && words.iter().all(|stem| self.lexicon.is_new_word(stem)) {
                return Some(self.low(verb).to_owned());
            }
            let new = |at: &usize| {
                let token = &self.tokens[*at];
                matches!(token.kind, TokenKind::Code | TokenKind::Name | TokenKind::Path) && self.lexicon.is_new(token)
            };
            let clause = |at: &usize| !is_third_person(self.low(*at));
            self.phrase(verb + 1).take_while(clause).find(new).map(|at| self.tokens[at].text.to_owned())
        })
    }

    /// "Replaces X with Y", "Renames X to Y": X was removed and Y added.
    fn not_exchanged(&self) -> Option<String> {
        (0..self.tokens.len()).find_map(|verb| {
            let links: &[&str] = match self.low(verb) {
                "replaces" | "replace" | "replaced" | "swaps" => &["with", "by"],
                "renames" | "rename" | "renamed" => &["to", "as", "into"],
                _ => return None,
            };
            let link = (verb + 1..self.tokens.len()).find(|at| links.contains(&self.low(*at)))?;
            let (old, new) = (self.content(verb + 1..link), self.content(self.phrase(link + 1)));
            let text = |range: std::ops::Range<usize>| {
                self.tokens[range].iter().map(|token| token.text).collect::<Vec<_>>().join(" ")
            };
            let (from, to) = (text(verb + 1..link), text(self.phrase(link + 1)));
            let moved = |stems: &[String], other: &[String], direction: Direction| {
                let mut own = stems.iter().filter(|stem| !other.contains(stem));
                own.any(|stem| self.lexicon.balance(stem).is_some_and(|balance| direction.agrees(balance)))
            };
            let shown = (moved(&old, &new, Direction::Removed)
                && (new.is_empty() || moved(&new, &old, Direction::Added)))
                || self.lexicon.pairs.has(&from, &to);
            (!shown).then_some(from)
        })
    }

    /// "to include X": something of X was added, and every name in it.
    fn not_included(&self) -> Option<String> {
        let at = (1..self.tokens.len()).find(|at| {
            matches!(self.low(*at), "include" | "includes" | "including") && !self.phrase(at + 1).is_empty()
        })?;
        let mut phrase = self.phrase(at + 1);
        // "includes `a` and `b`": both.
        while self.low(phrase.end) == "and" && self.is_named(phrase.end + 1) {
            phrase.end = self.phrase(phrase.end + 1).end;
        }
        let balances: Vec<i64> =
            self.content(phrase.clone()).iter().filter_map(|stem| self.lexicon.balance(stem)).collect();
        let is_added = balances.iter().any(|balance| Direction::Added.agrees(*balance));
        let lacks_addition =
            |at: usize| self.is_named(at) && !self.lexicon.is_one_sided(&self.tokens[at], Direction::Added);
        let unshown = (!balances.is_empty() && !is_added) || phrase.clone().any(lacks_addition);
        unshown.then(|| self.tokens[phrase.start].text.to_owned())
    }

    /// "Changes X from Y" without the new value; "Changes X to `y`", where `y` was not added.
    fn not_become(&self) -> Option<String> {
        let verb = (0..self.tokens.len()).find(|at| VAGUE.contains(&self.low(*at)))?;
        let link = (verb + 2..self.tokens.len()).find(|at| matches!(self.low(*at), "from" | "to"))?;
        let named = |at: &usize| self.is_named(*at);
        let (old, new) = (self.content(verb + 1..link), self.content(self.phrase(link + 1)));
        if self.low(link) == "to"
            && !new.is_empty()
            && new.iter().all(|stem| old.contains(stem))
            && !self.has_number(link)
        {
            return Some(self.low(link).to_owned());
        }
        match self.low(link) {
            "from" if !self.low[link..].iter().any(|word| matches!(word.as_str(), "to" | "into")) => {
                Some(self.low(link).to_owned())
            }
            "to" => {
                let new = self.phrase(link + 1).find(named)?;
                let is_unchanged = !self.lexicon.is_one_sided(&self.tokens[new], Direction::Added)
                    && !self.content(new..new + 1).iter().any(|stem| self.lexicon.balance(stem).is_some_and(|n| n > 0));
                is_unchanged.then(|| self.tokens[new].text.to_owned())
            }
            _ => None,
        }
    }

    fn has_number(&self, from: usize) -> bool {
        self.tokens[from..]
            .iter()
            .any(|token| matches!(token.kind, TokenKind::Number | TokenKind::Code | TokenKind::Path))
    }

    /// "from X to Y", where X was only added or Y only removed.
    fn backwards(&self) -> Option<String> {
        let from = (0..self.tokens.len()).find(|at| self.low(*at) == "from")?;
        let to = (from + 1..self.tokens.len()).find(|at| matches!(self.low(*at), "to" | "into"))?;
        let sides_of = |at: usize| {
            let token = &self.tokens[at];
            if token.kind == TokenKind::Number {
                self.lexicon.number(&token.low())
            } else {
                self.lexicon.word(&token.low())
            }
        };
        let old = (from + 1..to).any(|at| self.is_value(at) && sides_of(at).is_added());
        let new = self.phrase(to + 1).any(|at| self.is_value(at) && sides_of(at).is_removed());
        (old || new).then(|| self.tokens[from].text.to_owned())
    }

    fn is_value(&self, at: usize) -> bool {
        self.is_named(at) || self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Number)
    }

    /// "Adds a new version": a version is replaced, not added.
    fn added_version(&self) -> Option<String> {
        let phrase = ["adds", "a", "new", "version"];
        let at =
            (0..self.tokens.len()).find(|at| (0..phrase.len()).all(|more| self.low(*at + more) == phrase[more]))?;
        (!self.lexicon.is_author_word(&stem("add"))).then(|| self.tokens[at].text.to_owned())
    }

    /// A sentence that does not mention comments, where only comments of source changed.
    fn silent_on_comments(&self) -> Option<String> {
        let is_about_comments = |word: &String| WORDS_OF_COMMENTS.iter().any(|known| word.contains(known));
        let silent = self.lexicon.kinds.only_comments && !self.low.iter().any(is_about_comments);
        silent.then(|| self.tokens.first().map_or_else(String::new, |token| token.text.to_owned()))
    }

    /// "the signature of `x`": such nouns for a part must come from the change or the author.
    fn unsaid_part(&self) -> Option<String> {
        let is_supported = |at: usize| self.lexicon.is_supported(&stem(self.low(at)));
        let is_part = |at: &usize| match self.low(*at) {
            "return" if matches!(self.low(*at + 1), "type" | "value") => !self.lexicon.is_author_word(&stem("return")),
            "signature" | "signatures" | "conditional" | "conditionals" => self.is_prose(*at) && !is_supported(*at),
            _ => false,
        };
        (0..self.tokens.len()).find(is_part).map(|at| self.tokens[at].text.to_owned())
    }

    /// "`x` in a.rs": a definition that is in other files.
    fn elsewhere(&self) -> Option<String> {
        let thing = (0..self.tokens.len()).find(|at| self.is_named(*at))?;
        let paths = (thing + 1..self.tokens.len()).filter(|at| self.tokens[*at].kind == TokenKind::Path);
        let mut paths = paths.filter(|_| self.low(thing + 1) == "in" || self.low(thing + 2) == "in");
        let wrong = paths.find(|at| self.lexicon.is_elsewhere(self.low(thing), self.low(*at)))?;
        Some(self.tokens[wrong].text.to_owned())
    }
}

/// "adds", "removes": start of another claim.
fn is_third_person(word: &str) -> bool {
    matches!(word, "adds" | "removes" | "renames" | "replaces" | "drops" | "introduces" | "deletes" | "creates")
}

/// Verbs for modification, as opposed to addition or removal.
static VAGUE: WordList = word_list!("patterns_vague");

/// Verbs that need an object.
static TRANSITIVE: WordList = word_list!("patterns_transitive");

const FINITE: &[&str] = &["is", "are", "was", "were", "has", "have", "had"];

/// Words that introduce a second verb.
static LEADING: WordList = word_list!("patterns_leading");

/// Of these, verbs about something that existed before.
const CHANGES: &[&str] =
    &["changes", "changed", "updates", "updated", "modifies", "modified", "adjusts", "adjusted", "moves", "refactors"];

const WORDS_OF_COMMENTS: &[&str] =
    &["comment", "doc", "typo", "example", "note", "spelling", "wording", "license", "link"];

const ADVERBS: &[&str] = &["also", "only", "not", "best", "always", "never", "now", "first", "properly", "correctly"];

static BOUNDS: WordList = word_list!("patterns_bounds");

/// A verb after "to"; small models inflect it ("to reduces").
fn is_infinitive(word: &str) -> bool {
    let forms = [Some(word), word.strip_suffix('s'), word.strip_suffix("es")];
    forms.into_iter().flatten().any(|form| INFINITIVES.contains(&form))
}

/// Except those that begin a reason.
static INFINITIVES: WordList = word_list!("patterns_infinitives");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::facts::sample::{commit, file};
    use crate::grounding::Evidence;
    use crate::grounding::token::tokenize;

    #[test]
    fn where_only_comments_changed_a_sentence_says_so() {
        let patch = "@@ fn ask() {\n-// Waits.\n+// Waits for `ask`.\n go();";
        let commit = commit("wip", vec![file("src/ask.rs", patch)]);
        let facts = crate::facts::extract_facts(&commit, &SystemClock);
        let lexicon = Lexicon::of(&Evidence { commit: &commit, facts: &facts, notes: &[], known: &|_| false });
        assert!(find_pattern_fault(&tokenize("Changes `ask`."), &lexicon).is_some());
        assert_eq!(find_pattern_fault(&tokenize("Changes the comment of `ask`."), &lexicon), None);
    }

    const PATCH: &str =
        "@@ fn ask() {\n let limit = 3;\n-    old_wait(limit);\n+    retry(limit, backoff);\n+    log(backoff);";

    fn found(sentence: &str) -> Option<PatternFault> {
        let commit = commit("Retry when the server is busy", vec![file("src/ask.rs", PATCH)]);
        let facts = crate::facts::extract_facts(&commit, &SystemClock);
        let lexicon = Lexicon::of(&Evidence { commit: &commit, facts: &facts, notes: &[], known: &|_| false });
        find_pattern_fault(&tokenize(sentence), &lexicon)
    }

    fn unsupported_word(sentence: &str) -> Option<String> {
        found(sentence).map(|(lack, _)| match lack {
            LackOfSupport::Unseen(word) => word,
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn what_the_change_shows_has_a_right_shape() {
        for right in [
            "Adds `backoff` to `retry`.",
            "Replaces `old_wait` with `retry`.",
            "Changes `ask` to retry when the server is busy.",
            "Changes `ask` to include `backoff`.",
            "Changes `limit` from 3 to 4.",
        ] {
            assert_eq!(found(right), None, "{right}");
        }
    }

    #[test]
    fn a_name_stands_once_but_for_what_it_became() {
        assert_eq!(unsupported_word("Adds `retry` and `retry` to `ask`.").as_deref(), Some("retry"));
        assert_eq!(unsupported_word("Adds retry retry.").as_deref(), Some("retry"));
        assert!(unsupported_word("Tests are more tests.").is_some());
        assert_eq!(unsupported_word("Changes `old_wait(limit)` to `retry(limit)`."), None);
    }

    #[test]
    fn a_verb_has_its_object_and_a_second_verb_what_leads_to_it() {
        for wrong in ["Adds and a new backoff.", "Adds to the `ask` function.", "Adds 2.8.9.", "Adds `retry` is new."] {
            assert!(unsupported_word(wrong).is_some(), "{wrong}");
        }
        assert_eq!(unsupported_word("Adds `retry` where the server is busy."), None);
    }

    #[test]
    fn only_what_was_there_is_changed_replaced_or_renamed() {
        assert!(unsupported_word("Changes `backoff` in `ask`.").is_some());
        assert_eq!(unsupported_word("Replaces `limit` with `retry`.").as_deref(), Some("limit"));
        assert_eq!(unsupported_word("Renames `retry` to `old_wait`.").as_deref(), Some("retry"));
        assert_eq!(unsupported_word("Changes the waits to `limit`.").as_deref(), Some("limit"));
        assert_eq!(unsupported_word("Changes the calls from `retry`.").as_deref(), Some("from"));
        assert_eq!(unsupported_word("Changes `ask` to include `old_wait`.").as_deref(), Some("old_wait"));
        assert_eq!(unsupported_word("Changes the backoff of `ask`.").as_deref(), Some("changes"));
        assert_eq!(unsupported_word("Changes the limit from `retry` to `old_wait`.").as_deref(), Some("from"));
        assert_eq!(unsupported_word("Changes the limit to a limit of waits.").as_deref(), Some("to"));
        assert_eq!(unsupported_word("Adds a new version of `retry`.").as_deref(), Some("Adds"));
        assert_eq!(unsupported_word("Changes the return type of `ask`.").as_deref(), Some("return"));
    }

    #[test]
    fn an_unattributed_purpose_and_a_vague_second_clause_are_cut() {
        for purpose in ["Adds `backoff` to process the limit.", "Adds `backoff` to passes the limit."] {
            assert!(found(purpose).is_some(), "{purpose}");
        }
        let purpose = "Adds `backoff` to skip the limit.";
        assert_eq!(found(purpose).and_then(|(_, cut)| cut), purpose.find("to skip"));
        let clause = "Adds `backoff` and updates the limit.";
        assert_eq!(found(clause).and_then(|(_, cut)| cut), clause.find("and updates"));
    }
}
