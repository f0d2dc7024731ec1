//! Hallucination check: every name, path and number in a text must be known, claimed additions and removals must have
//! happened, and reasons must come from the author.
//!
//! Plain words are not checked here. An unexplained name may still exist in the repository at that commit: this is
//! looked up last, and only for names.

use crate::text::words::WordList;
use crate::word_list;
use std::collections::BTreeSet;

use crate::domain::patch::Commit;
use crate::facts::Facts;
use crate::text::sentences;

mod claims;
mod contradictions;
mod counts;
mod instructions;
mod lexicon;
mod names;
mod numbers;
mod pairs;
pub mod paraphrase;
mod patterns;
mod quotes;
mod reasons;
mod support;
#[cfg(test)]
mod tests;
mod token;
pub mod words;

use lexicon::Lexicon;
use support::LackOfSupport;
use token::{SentenceToken, TokenKind, tokenize};

/// The evidence for checking a text.
pub struct Evidence<'a> {
    pub commit: &'a Commit,
    pub facts: &'a Facts,
    /// Author text besides the message: notes that belong to the commit.
    pub notes: &'a [String],
    /// Whether the repository contains a name at this commit: called only for otherwise unexplained names.
    pub known: &'a dyn Fn(&str) -> bool,
}

impl std::fmt::Debug for Evidence<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evidence").field("commit", &self.commit.oid).finish_non_exhaustive()
    }
}

/// Why a sentence failed the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// An unknown name from code.
    Name,
    /// An unknown path.
    Path,
    /// A number or version without a source.
    Number,
    /// A reason or a verdict without a source.
    Reason,
    /// It echoes an instruction in the patch (prompt injection).
    Instruction,
    /// It is unrelated to the change.
    Foreign,
    /// It is about the commit, not about the change.
    Talk,
    /// It is not specific to this change.
    Empty,
    /// No changed line and no fact supports it.
    Unsupported,
    /// It adds nothing to the author's subject and the facts.
    Repeated,
}

impl Fault {
    /// The fault in words, as shown by `show`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "unknown name",
            Self::Path => "unknown path",
            Self::Number => "unknown number",
            Self::Reason => "claim without a source",
            Self::Instruction => "echoes an instruction in the patch",
            Self::Foreign => "unrelated to the change",
            Self::Talk => "about the commit itself",
            Self::Empty => "not specific to this change",
            Self::Unsupported => "not supported by the change",
            Self::Repeated => "adds nothing to subject and facts",
        }
    }
}

/// A fault of a text: the sentence, the word in it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ungrounded {
    pub sentence: String,
    pub word: String,
    pub fault: Fault,
}

/// A checked text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grounded {
    /// The remaining text; `None` when no supported sentence with content is left.
    pub text: Option<String>,
    /// The removed parts; empty for a text that passed.
    pub faults: Vec<Ungrounded>,
}

/// Checks a text, and repairs it once by dropping ungrounded sentences.
#[must_use]
pub fn check(text: &str, evidence: &Evidence<'_>) -> Grounded {
    GroundingCheck::of(evidence).check(text, evidence.known)
}

/// Whether a sentence adds information to the author's words and the template: two content words that the author does
/// not have and that are not all in the template, or a number that is in neither.
#[must_use]
pub fn adds_information(sentence: &str, author: &str, template: &str) -> bool {
    let tokens = tokenize(sentence);
    let number = |token: &SentenceToken<'_>| {
        token.kind == TokenKind::Number && !author.contains(token.text) && !template.contains(token.text)
    };
    let author_stems = words::stems(author);
    let new = |stem: &String| !support::is_work(stem) && !author_stems.contains(stem);
    let mut new: BTreeSet<String> = words::stems(sentence).into_iter().filter(new).collect();
    let beyond = new.len();
    new.retain(|stem| !words::stems(template).contains(stem));
    (beyond >= 2 && !new.is_empty()) || tokens.iter().any(number)
}

/// The prepared evidence of a commit.
#[derive(Debug)]
pub struct GroundingCheck {
    lexicon: Lexicon,
}

impl GroundingCheck {
    #[must_use]
    pub fn of(evidence: &Evidence<'_>) -> Self {
        Self { lexicon: Lexicon::of(evidence) }
    }

    /// For a text about the author's own note, which is the only evidence.
    #[must_use]
    pub fn of_words(words: &[&str]) -> Self {
        Self { lexicon: Lexicon::of_words(words) }
    }

    /// The names in a text that only the repository can explain, in lower case; looked up together.
    #[must_use]
    pub fn names_to_look_up(&self, text: &str) -> Vec<String> {
        let mut names = BTreeSet::new();
        for sentence in sentences::split(text) {
            for token in tokenize(sentence).iter().filter(|token| names::can_look_up(token)) {
                names.extend(names::names_to_look_up(token, &self.lexicon));
            }
        }
        names.into_iter().collect()
    }

    /// Checks a text, and repairs it once by dropping ungrounded parts: a clause at the end of a sentence, else the
    /// whole sentence. `known` answers for the names to look up.
    #[must_use]
    pub fn check(&self, text: &str, known: &dyn Fn(&str) -> bool) -> Grounded {
        let (mut kept, mut faults) = (Vec::new(), Vec::new());
        for sentence in sentences::split(text) {
            let Some((wrong, cut)) = self.find_fault(sentence, known) else {
                kept.push(sentence.to_owned());
                continue;
            };
            faults.push(wrong);
            if let Some(rest) =
                cut.and_then(|at| without_clause(sentence, at)).filter(|rest| self.find_fault(rest, known).is_none())
            {
                kept.push(rest);
            }
        }
        if faults.is_empty() {
            return Grounded { text: Some(text.to_owned()), faults };
        }
        let text = kept.join(" ");
        Grounded { text: has_content(&text).then_some(text), faults }
    }

    /// The first fault of a sentence, and the start of a clause that may be dropped instead of the sentence.
    fn find_fault(&self, sentence: &str, known: &dyn Fn(&str) -> bool) -> Option<(Ungrounded, Option<usize>)> {
        let fault = |fault, word: &str| Ungrounded { sentence: sentence.to_owned(), word: word.to_owned(), fault };
        let lexicon = &self.lexicon;
        if let Some(echoed) = lexicon.tainted.echo(sentence) {
            return Some((fault(Fault::Instruction, &echoed), None));
        }
        let tokens = tokenize(sentence);
        for (at, token) in tokens.iter().enumerate() {
            if let Some(kind) = self.unknown(token, known) {
                return Some((fault(kind, token.text), None));
            }
            if !numbers::is_known(&tokens, at, lexicon) {
                return Some((fault(Fault::Number, token.text), None));
            }
        }
        if let Some(word) = contradictions::find_contradiction(&tokens, lexicon) {
            return Some((fault(Fault::Unsupported, word), None));
        }
        if self.is_foreign(sentence) {
            return Some((fault(Fault::Foreign, ""), None));
        }
        if let Some(unsaid) = reasons::find_unsupported(sentence, &tokens, lexicon) {
            return Some((fault(Fault::Reason, &unsaid.words), Some(unsaid.from)));
        }
        let shape = || patterns::find_pattern_fault(&tokens, lexicon);
        let (lack, cut) = support::find_lack(&tokens, lexicon).map(|lack| (lack, None)).or_else(shape)?;
        let (kind, word) = match &lack {
            LackOfSupport::Talk(word) => (Fault::Talk, word.as_str()),
            LackOfSupport::Empty => (Fault::Empty, ""),
            LackOfSupport::Unseen(word) | LackOfSupport::Foreign(word) | LackOfSupport::Praise(word) => {
                (Fault::Unsupported, word.as_str())
            }
        };
        Some((fault(kind, word), cut))
    }

    fn unknown(&self, token: &SentenceToken<'_>, known: &dyn Fn(&str) -> bool) -> Option<Fault> {
        let missing = names::names_to_look_up(token, &self.lexicon);
        let never = !names::can_look_up(token) || self.lexicon.tainted.has_word(token.text);
        let lost = if never { !missing.is_empty() } else { missing.iter().any(|name| !known(name)) };
        lost.then_some(if matches!(token.kind, TokenKind::Path | TokenKind::Url) { Fault::Path } else { Fault::Name })
    }

    /// A longer sentence without a single word of the change.
    fn is_foreign(&self, sentence: &str) -> bool {
        let stems = words::stems(sentence);
        let of_the_change = |stem: &String| self.lexicon.has_stem(stem) || TRADE.contains(&stem.as_str());
        let own = stems.iter().filter(|stem| !TRADE.contains(&stem.as_str())).count();
        let has_known_stem = stems.iter().any(|stem| self.lexicon.has_stem(stem));
        // "Adds task list" begins like a sentence about any change, and may continue in the author's words.
        let about_it = stems.first().is_some_and(|first| TRADE.contains(&first.as_str()));
        let most = if about_it { OWN + 2 } else { OWN };
        (stems.len() >= LONG && !stems.iter().any(of_the_change)) || (own >= most && !has_known_stem)
    }
}

/// Sentences with fewer content words are too short for this check.
const LONG: usize = 4;
/// The same for words that are not generic ("Bob fixed the login page").
const OWN: usize = 3;

/// Stems of generic words about changes.
static TRADE: WordList = word_list!("grounding_trade");

/// The sentence up to the clause; `None` where too little would be left.
fn without_clause(sentence: &str, at: usize) -> Option<String> {
    let head =
        sentence.get(..at)?.trim_end().trim_end_matches([',', ';', ':', '(', '\u{2013}', '\u{2014}', '-']).trim_end();
    let head = [" and", " thus", " but"]
        .iter()
        .find_map(|end| head.strip_suffix(end))
        .unwrap_or(head)
        .trim_end_matches([',', ' ']);
    (head.split_whitespace().count() >= 2 && has_content(head)).then(|| format!("{head}."))
}

/// More than filler words.
fn has_content(text: &str) -> bool {
    words::stems(text).len() >= 2
        || (text.split_whitespace().count() >= 2 && tokenize(text).iter().any(SentenceToken::is_thing))
}
