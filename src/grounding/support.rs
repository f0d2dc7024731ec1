//! Support check: claimed additions and removals are on changed lines, the words come from the change or its author,
//! and the sentence is specific to this change.

use crate::text::words::WordList;
use crate::word_list;
use std::collections::HashSet;
use std::sync::LazyLock;

use super::claims::{self, Claim, Direction};
use super::lexicon::{Lexicon, SideSet};
use super::token::{SentenceToken, TokenKind};
use super::words::{self, stem};

/// Why a sentence is unsupported, with the word that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LackOfSupport {
    /// About the commit, its message or its lines instead of the change.
    Talk(String),
    /// Nothing in it is specific to this change.
    Empty,
    /// No changed line shows the addition or removal.
    Unseen(String),
    /// Too many of its words occur neither in the change nor in the author's text.
    Foreign(String),
    /// Praise or comparison without a source in the author's text.
    Praise(String),
}

/// One unknown content word is allowed per this many; at least one.
const WORDS_PER_FOREIGN: usize = 10;

/// The first lack of support; `None` for a supported sentence.
pub fn find_lack(tokens: &[SentenceToken<'_>], lexicon: &Lexicon) -> Option<LackOfSupport> {
    talk(tokens, lexicon)
        .or_else(|| opening(tokens, lexicon))
        .or_else(|| praise(tokens, lexicon))
        .or_else(|| unseen_change(tokens, lexicon))
        .or_else(|| context(tokens, lexicon))
        .or_else(|| foreign(tokens, lexicon))
        .or_else(|| apart(tokens, lexicon))
        .or_else(|| is_empty(tokens, lexicon).then_some(LackOfSupport::Empty))
}

/// Mentions of the commit, its message, author or lines, unless the change is about these.
fn talk(tokens: &[SentenceToken<'_>], lexicon: &Lexicon) -> Option<LackOfSupport> {
    let lines = |at: usize| at > 0 && matches!(tokens[at].low().as_str(), "line" | "lines") && counted(&tokens[at - 1]);
    tokens.iter().enumerate().find_map(|(at, token)| {
        let low = token.low();
        let about =
            META.contains(&low.as_str()) && token.kind == TokenKind::Prose && !lexicon.is_supported(&stem(&low));
        (about || lines(at)).then(|| LackOfSupport::Talk(token.text.to_owned()))
    })
}

/// "Accepts …", "Skips …": a verb for behaviour must occur in the change or in the author's text. Verbs that fit any
/// change need no source.
fn opening(tokens: &[SentenceToken<'_>], lexicon: &Lexicon) -> Option<LackOfSupport> {
    static ANY: LazyLock<HashSet<String>> = LazyLock::new(|| DEEDS.iter().map(|word| stem(word)).collect());
    let first = tokens.first().filter(|token| lexicon.has_patch && token.kind == TokenKind::Prose)?;
    let stem = stem(&first.low());
    let free = ANY.contains(&stem) || !is_verb(&stem) || lexicon.is_supported(&stem);
    (!free).then(|| LackOfSupport::Foreign(first.text.to_owned()))
}

/// Verbs that fit any change.
static DEEDS: WordList = word_list!("support_deeds");

fn counted(token: &SentenceToken<'_>) -> bool {
    token.kind == TokenKind::Number
        || matches!(token.low().as_str(), "new" | "more" | "one" | "two" | "three" | "four" | "five" | "several")
}

/// Nouns for parts that occur where they are declared.
const PARTS: &[&str] = &["parameter", "parameters", "argument", "arguments", "field", "fields", "option", "options"];

const META: &[&str] =
    &["commit", "commits", "patch", "diff", "author", "changeset", "committer", "message", "describe", "describes"];

/// "more secure", "better", "properly": an opinion, unless it is the author's.
fn praise(tokens: &[SentenceToken<'_>], lexicon: &Lexicon) -> Option<LackOfSupport> {
    let prose = |at: usize| tokens.get(at).filter(|token| token.kind == TokenKind::Prose).map(SentenceToken::low);
    let is_said = |word: &str| lexicon.is_author_word(&stem(word));
    (0..tokens.len()).find_map(|at| {
        let low = prose(at)?;
        let next = prose(at + 1).unwrap_or_default();
        let compared = matches!(low.as_str(), "more" | "less" | "most") && is_adjective(&next) && !is_said(&next);
        let judged = PRAISE.contains(&low.as_str()) && !is_said(&low);
        (compared || judged).then_some(LackOfSupport::Praise(if compared { next } else { low }))
    })
}

fn is_adjective(word: &str) -> bool {
    ["ive", "ent", "ant", "ure", "ble", "ful", "ous", "ust", "ise", "ate", "ear", "ar", "al", "ic", "act"]
        .iter()
        .any(|end| word.ends_with(end))
}

static PRAISE: WordList = word_list!("support_praise");

/// Claimed additions, removals and replacements in plain words that did not happen.
fn unseen_change(tokens: &[SentenceToken<'_>], lexicon: &Lexicon) -> Option<LackOfSupport> {
    if !lexicon.has_patch {
        return None;
    }
    let (phrases, claims) = (claims::phrases(tokens), claims::extract_claims(tokens));
    let became = claims.iter().filter_map(|claim| match claim {
        Claim::Became(old, new) => Some((tokens.get(*old)?.text, tokens.get(*new)?.text)),
        Claim::Added(_) | Claim::Removed(_) => None,
    });
    let became: Vec<(&str, &str)> = became.collect();
    let against = || contrary(tokens, &phrases, lexicon).filter(|_| became.is_empty());
    let unmoved = || {
        became
            .iter()
            .find(|(old, new)| {
                old.eq_ignore_ascii_case(new)
                    || lexicon.pairs.has_reverse_only(old, new)
                    || is_unmoved(old, new, lexicon)
            })
            .map(|(old, _)| (*old).to_owned())
    };
    let unshown = || {
        phrases.iter().find_map(|(direction, phrase)| {
            let words: Vec<&SentenceToken<'_>> = phrase.iter().filter_map(|at| tokens.get(*at)).collect();
            let text = || words.iter().map(|word| word.text).collect::<Vec<_>>().join(" ");
            (!is_shown(&words, *direction, lexicon)).then(text)
        })
    };
    let untrue = || {
        let single = |claim: &Claim| match claim {
            Claim::Added(at) => Some((*at, Direction::Added)),
            Claim::Removed(at) => Some((*at, Direction::Removed)),
            Claim::Became(..) => None,
        };
        let singles = claims.iter().filter_map(single).filter_map(|(at, direction)| Some((tokens.get(at)?, direction)));
        let mut unseen = singles.filter(|(thing, direction)| !is_shown(&[thing], *direction, lexicon));
        unseen.next().map(|(thing, _)| thing.text.to_owned())
    };
    let same = || claims::tautology(tokens).and_then(|at| Some(tokens.get(at)?.text.to_owned()));
    same().or_else(against).or_else(unmoved).or_else(unshown).or_else(untrue).map(LackOfSupport::Unseen)
}

/// A name that was removed (added) in a sentence that only claims additions (removals).
fn contrary(tokens: &[SentenceToken<'_>], phrases: &[(Direction, Vec<usize>)], lexicon: &Lexicon) -> Option<String> {
    let (first, ..) = phrases.first()?;
    if phrases.iter().any(|(direction, _)| direction != first) {
        return None;
    }
    let named = |token: &&SentenceToken<'_>| matches!(token.kind, TokenKind::Code | TokenKind::Name) && !token.inner;
    let against = |token: &&SentenceToken<'_>| {
        let sides = lexicon.word(token.text);
        first.opposite().is_side(sides) && !sides.has(SideSet::AUTHOR)
    };
    tokens.iter().filter(named).find(against).map(|token| token.text.to_owned())
}

/// Of the words that differ, none was removed and none added.
fn is_unmoved(old: &str, new: &str, lexicon: &Lexicon) -> bool {
    let (mut old, mut new) = (words::stems(old), words::stems(new));
    let both: Vec<String> = old.iter().filter(|stem| new.contains(stem)).cloned().collect();
    old.retain(|stem| !both.contains(stem));
    new.retain(|stem| !both.contains(stem));
    let moved = |stems: &[String], direction: Direction| {
        stems.iter().any(|stem| lexicon.balance(stem).is_none_or(|balance| direction.agrees(balance)))
    };
    let none = old.is_empty() && new.is_empty();
    !(none || moved(&old, Direction::Removed) || moved(&new, Direction::Added))
}

/// Whether changed lines, facts or the author show the addition or removal of what these words name.
fn is_shown(words: &[&SentenceToken<'_>], direction: Direction, lexicon: &Lexicon) -> bool {
    let own: Vec<String> =
        words.iter().flat_map(|word| words::stems(word.text)).filter(|stem| !is_work(stem)).collect();
    let things: Vec<&SentenceToken<'_>> = words.iter().filter(|word| word.is_thing()).copied().collect();
    let balanced = |stem: &String| lexicon.balance(stem).is_some_and(|balance| direction.agrees(balance));
    let disagrees = |stem: &String| lexicon.balance(stem).is_some_and(|balance| !direction.agrees(balance));
    let is_part = words.iter().any(|word| PARTS.contains(&word.low().as_str()));
    let declared = |thing: &SentenceToken<'_>| {
        !is_part || thing.kind == TokenKind::Path || lexicon.is_declared(thing.low().trim_end_matches("()"), direction)
    };
    let named = things.iter().all(|thing| lexicon.is_one_sided(thing, direction) && declared(thing));
    let by_kind = words.iter().all(|word| lexicon.shows_kind(&word.low(), direction));
    let written = !lexicon.kinds.only_docs || words.iter().any(|word| DOCS.contains(&word.low().trim_end_matches('s')));
    (written
        && by_kind
        && named
        && (own.is_empty() || !things.is_empty() || (own.iter().any(balanced) && !own.iter().any(disagrees))))
        || is_stated(&own, &things, direction, lexicon)
}

/// Whether only documentation changed, so that an option it mentions was not added (compared without plural s).
static DOCS: WordList = word_list!("support_docs");

/// Whether one line of the author's text has the objects, one of the words, and an equivalent verb.
fn is_stated(own: &[String], things: &[&SentenceToken<'_>], direction: Direction, lexicon: &Lexicon) -> bool {
    let verbs: Vec<String> = direction.verbs().iter().map(|verb| stem(verb)).collect();
    lexicon.author_text().lines().any(|line| {
        let stems = words::stems(line);
        own.iter().any(|stem| stems.contains(stem))
            && verbs.iter().any(|verb| stems.contains(verb))
            && things.iter().all(|thing| line.contains(thing.low().trim_end_matches("()")))
    })
}

/// A name that occurs only on unchanged lines.
fn context(tokens: &[SentenceToken<'_>], lexicon: &Lexicon) -> Option<LackOfSupport> {
    let near = tokens.iter().find(|token| {
        let low = token.low();
        let name = low.trim_end_matches("()");
        token.kind == TokenKind::Code && lexicon.word(name) == SideSet::CONTEXT && !lexicon.is_head(name)
    })?;
    Some(LackOfSupport::Unseen(near.text.to_owned()))
}

fn foreign(tokens: &[SentenceToken<'_>], lexicon: &Lexicon) -> Option<LackOfSupport> {
    let stems: Vec<(String, &str)> = tokens
        .iter()
        .filter(|token| !matches!(token.kind, TokenKind::Number | TokenKind::Url))
        .flat_map(|token| words::stems(token.text).into_iter().map(|stem| (stem, token.text)))
        .collect();
    let mut unknown = stems.iter().filter(|(stem, _)| !lexicon.is_supported(stem) && !is_work(stem));
    let allowed = (stems.len() / WORDS_PER_FOREIGN).max(1);
    let first = unknown.next()?;
    (unknown.count() >= allowed).then(|| LackOfSupport::Foreign(first.1.to_owned()))
}

/// Two adjacent words that are not near each other anywhere, neither on changed lines nor in the author's text: the
/// sentence combines unrelated words.
fn apart(tokens: &[SentenceToken<'_>], lexicon: &Lexicon) -> Option<LackOfSupport> {
    let prose =
        tokens.iter().filter(|token| !matches!(token.kind, TokenKind::Number | TokenKind::Url | TokenKind::Path));
    let stems = prose.flat_map(|token| words::stems(token.text).into_iter().map(|stem| (stem, token.text)));
    let stems: Vec<(String, &str)> = stems.filter(|(stem, _)| !is_work(stem)).collect();
    let strange = |pair: &&[(String, &str)]| !lexicon.is_together(&pair[0].0, &pair[1].0);
    stems.windows(2).find(strange).map(|pair| LackOfSupport::Unseen(format!("{} {}", pair[0].1, pair[1].1)))
}

/// Whether nothing is left without function words, kinds and file names.
fn is_empty(tokens: &[SentenceToken<'_>], lexicon: &Lexicon) -> bool {
    let is_informative = |token: &SentenceToken<'_>| match token.kind {
        TokenKind::Path | TokenKind::Code if !lexicon.path_of(&token.low()).is_none() => false,
        TokenKind::Path => true,
        TokenKind::Code if !lexicon.word(&token.low()).is_none() => true,
        TokenKind::Number | TokenKind::Url => true,
        _ => words::stems(token.text).iter().any(|stem| !is_work(stem) && lexicon.is_supported(stem)),
    };
    !tokens.iter().any(is_informative) && claims::extract_claims(tokens).is_empty()
}

/// A word for the kind of an added thing, not for which one, by its stem.
fn is_kind(stem: &str) -> bool {
    static STEMS: LazyLock<HashSet<String>> = LazyLock::new(|| KINDS.iter().map(|word| words::stem(word)).collect());
    STEMS.contains(stem)
}

/// A word that fits sentences about any change, by its stem.
pub fn is_work(stem: &str) -> bool {
    static STEMS: LazyLock<HashSet<String>> = LazyLock::new(|| NOUNS.iter().map(|word| words::stem(word)).collect());
    STEMS.contains(stem) || is_kind(stem) || is_verb(stem)
}

/// A verb that fits sentences about any change, by its stem.
pub fn is_verb(stem: &str) -> bool {
    static STEMS: LazyLock<HashSet<String>> = LazyLock::new(|| VERBS.iter().map(|word| words::stem(word)).collect());
    STEMS.contains(stem)
}

/// Nouns and adjectives that fit any change.
static KINDS: WordList = word_list!("support_kinds");

/// Verbs and connectives that fit any change.
static VERBS: WordList = word_list!("support_verbs");

/// Nouns that fit any change.
static NOUNS: WordList = word_list!("support_nouns");
