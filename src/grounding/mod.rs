//! Whether a text says only what is so: every name, path and number in it must be known, what it says was added or
//! removed must have been, and a reason must be somebody's.
//!
//! Plain words are free. What nothing explains may still be a name of the repository at that commit: that is asked
//! last, and only for names.

use std::collections::BTreeSet;

use crate::domain::patch::Commit;
use crate::facts::Facts;
use crate::quality::sentence;

mod behaviour;
mod claims;
mod counts;
mod instructions;
mod lexicon;
mod names;
mod numbers;
mod pairs;
mod quotes;
mod reasons;
mod shape;
mod support;
#[cfg(test)]
mod tests;
mod token;
mod words;

use lexicon::Lexicon;
use support::Lack;
use token::{Kind, Token, tokens};

/// What a text is held against.
pub struct Evidence<'a> {
    pub commit: &'a Commit,
    pub facts: &'a Facts,
    /// Words of the author beyond the message: notes that belong to the commit.
    pub notes: &'a [String],
    /// Whether the repository knows a name at this commit: asked only for what nothing else explains.
    pub known: &'a dyn Fn(&str) -> bool,
}

impl std::fmt::Debug for Evidence<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evidence").field("commit", &self.commit.oid).finish_non_exhaustive()
    }
}

/// Why a sentence is not true, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// A name from code that nothing knows.
    Name,
    /// A path that nothing knows.
    Path,
    /// A number or version that nobody gave.
    Number,
    /// A reason or a verdict that nobody gave.
    Reason,
    /// It repeats what something in the patch told a model to say.
    Instruction,
    /// It has nothing to do with the change.
    Foreign,
    /// It is about the commit, not about what changed.
    Talk,
    /// It says nothing of this change.
    Empty,
    /// No changed line and no fact shows it.
    Unsupported,
    /// The author's subject and the facts say as much.
    Repeated,
}

impl Fault {
    /// What was wrong, as `show` says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "unknown name",
            Self::Path => "unknown path",
            Self::Number => "unknown number",
            Self::Reason => "claim that nobody made",
            Self::Instruction => "words that the patch asked for",
            Self::Foreign => "nothing of the change",
            Self::Talk => "about the commit itself",
            Self::Empty => "says nothing of this change",
            Self::Unsupported => "nothing shows it",
            Self::Repeated => "adds nothing to subject and facts",
        }
    }
}

/// What is wrong with a text: the sentence, the word in it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ungrounded {
    pub sentence: String,
    pub word: String,
    pub fault: Fault,
}

/// A text after the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grounded {
    /// What is left; absent when nothing true is left that says something.
    pub text: Option<String>,
    /// What was taken out; empty for a text that passed.
    pub faults: Vec<Ungrounded>,
}

/// Checks a text, and repairs it once by leaving out the sentences that are not grounded.
#[must_use]
pub fn check(text: &str, evidence: &Evidence<'_>) -> Grounded {
    Ground::of(evidence).check(text, evidence.known)
}

/// Whether a sentence tells a reader of the author's words and of what the template says something: two words of content
/// that the author has not, of which the template has not all, or a number that neither has.
#[must_use]
pub fn adds(sentence: &str, author: &str, template: &str) -> bool {
    let tokens = tokens(sentence);
    let number = |token: &Token<'_>| {
        token.kind == Kind::Number && !author.contains(token.text) && !template.contains(token.text)
    };
    let known = words::stems(author);
    let new = |stem: &String| !support::is_work(stem) && !known.contains(stem);
    let mut new: BTreeSet<String> = words::stems(sentence).into_iter().filter(new).collect();
    let beyond = new.len();
    new.retain(|stem| !words::stems(template).contains(stem));
    (beyond >= 2 && !new.is_empty()) || tokens.iter().any(number)
}

/// What a commit's texts are held against, prepared once.
#[derive(Debug)]
pub struct Ground {
    lexicon: Lexicon,
}

impl Ground {
    #[must_use]
    pub fn of(evidence: &Evidence<'_>) -> Self {
        Self { lexicon: Lexicon::of(evidence) }
    }

    /// For a text about a person's own words: these are all there is.
    #[must_use]
    pub fn of_words(words: &[&str]) -> Self {
        Self { lexicon: Lexicon::of_words(words) }
    }

    /// The names in a text that only the repository can still know, in small letters; to be asked together.
    #[must_use]
    pub fn questions(&self, text: &str) -> Vec<String> {
        let mut names = BTreeSet::new();
        for sentence in sentence::split(text) {
            for token in tokens(sentence).iter().filter(|token| names::may_be_asked(token)) {
                names.extend(names::missing(token, &self.lexicon));
            }
        }
        names.into_iter().collect()
    }

    /// Checks a text, and repairs it once: what is not grounded is left out, a clause where it ends its sentence, else
    /// the sentence. `known` answers [`Self::questions`].
    #[must_use]
    pub fn check(&self, text: &str, known: &dyn Fn(&str) -> bool) -> Grounded {
        let (mut kept, mut faults) = (Vec::new(), Vec::new());
        for sentence in sentence::split(text) {
            let Some((wrong, cut)) = self.judge(sentence, known) else {
                kept.push(sentence.to_owned());
                continue;
            };
            faults.push(wrong);
            if let Some(rest) =
                cut.and_then(|at| without_clause(sentence, at)).filter(|rest| self.judge(rest, known).is_none())
            {
                kept.push(rest);
            }
        }
        if faults.is_empty() {
            return Grounded { text: Some(text.to_owned()), faults };
        }
        let text = kept.join(" ");
        Grounded { text: says_something(&text).then_some(text), faults }
    }

    /// The first fault of a sentence, and where a clause begins that may be cut off instead of the sentence.
    fn judge(&self, sentence: &str, known: &dyn Fn(&str) -> bool) -> Option<(Ungrounded, Option<usize>)> {
        let fault = |fault, word: &str| Ungrounded { sentence: sentence.to_owned(), word: word.to_owned(), fault };
        let lexicon = &self.lexicon;
        if let Some(words) = lexicon.tainted.echo(sentence) {
            return Some((fault(Fault::Instruction, &words), None));
        }
        let tokens = tokens(sentence);
        for (at, token) in tokens.iter().enumerate() {
            if let Some(kind) = self.unknown(token, known) {
                return Some((fault(kind, token.text), None));
            }
            if !numbers::is_known(&tokens, at, lexicon) {
                return Some((fault(Fault::Number, token.text), None));
            }
        }
        if let Some(word) = behaviour::contradiction(&tokens, lexicon) {
            return Some((fault(Fault::Unsupported, word), None));
        }
        if self.is_foreign(sentence) {
            return Some((fault(Fault::Foreign, ""), None));
        }
        if let Some(unsaid) = reasons::unsaid(sentence, &tokens, lexicon) {
            return Some((fault(Fault::Reason, &unsaid.words), Some(unsaid.from)));
        }
        let shape = || shape::wrong(&tokens, lexicon);
        let (lack, cut) = support::lack(&tokens, lexicon).map(|lack| (lack, None)).or_else(shape)?;
        let (kind, word) = match &lack {
            Lack::Talk(word) => (Fault::Talk, word.as_str()),
            Lack::Empty => (Fault::Empty, ""),
            Lack::Unseen(word) | Lack::Foreign(word) | Lack::Praise(word) => (Fault::Unsupported, word.as_str()),
        };
        Some((fault(kind, word), cut))
    }

    fn unknown(&self, token: &Token<'_>, known: &dyn Fn(&str) -> bool) -> Option<Fault> {
        let missing = names::missing(token, &self.lexicon);
        let never = !names::may_be_asked(token) || self.lexicon.tainted.has_word(token.text);
        let lost = if never { !missing.is_empty() } else { missing.iter().any(|name| !known(name)) };
        lost.then_some(if matches!(token.kind, Kind::Path | Kind::Url) { Fault::Path } else { Fault::Name })
    }

    /// A sentence of some length of which the change has not one word.
    fn is_foreign(&self, sentence: &str) -> bool {
        let stems = words::stems(sentence);
        let of_the_change = |stem: &String| self.lexicon.has_stem(stem) || TRADE.contains(&stem.as_str());
        let own = stems.iter().filter(|stem| !TRADE.contains(&stem.as_str())).count();
        let known = stems.iter().any(|stem| self.lexicon.has_stem(stem));
        // "Adds task list" begins as sentences about any change do, and may go on in words that are its author's.
        let about_it = stems.first().is_some_and(|first| TRADE.contains(&first.as_str()));
        let most = if about_it { OWN + 2 } else { OWN };
        (stems.len() >= LONG && !stems.iter().any(of_the_change)) || (own >= most && !known)
    }
}

/// Sentences with fewer words that say something are too short to be judged by them.
const LONG: usize = 4;
/// The same for words that are not those of every change ("Bob fixed the login page").
const OWN: usize = 3;

/// Stems of words with which people speak of any change.
const TRADE: &[&str] = &[
    "add", "remov", "delet", "updat", "upgrad", "bump", "chang", "refactor", "renam", "mov", "fix", "improv", "test",
    "doc", "document", "format", "lint", "typo", "releas", "version", "depend", "clean", "cleanup", "build", "cod",
    "comment", "fil", "revert", "merg", "support", "config", "configur", "script", "warn", "bug", "chor", "styl",
    "unus", "us", "introduc", "creat", "replac", "implement", "handl", "error", "simplif", "adjust",
];

/// The sentence up to where the clause begins; absent where too little would be left.
fn without_clause(sentence: &str, at: usize) -> Option<String> {
    let head =
        sentence.get(..at)?.trim_end().trim_end_matches([',', ';', ':', '(', '\u{2013}', '\u{2014}', '-']).trim_end();
    let head = [" and", " thus", " but"]
        .iter()
        .find_map(|end| head.strip_suffix(end))
        .unwrap_or(head)
        .trim_end_matches([',', ' ']);
    (head.split_whitespace().count() >= 2 && says_something(head)).then(|| format!("{head}."))
}

/// More than filler is left.
fn says_something(text: &str) -> bool {
    words::stems(text).len() >= 2 || (text.split_whitespace().count() >= 2 && tokens(text).iter().any(Token::is_thing))
}
