//! Added is not removed, and before is not after: only what the patch plainly contradicts is a fault.

use std::cell::LazyCell;

use super::claims::{self, Claim};
use super::lexicon::{Lexicon, Seen};
use super::token::{Kind, Token, tokens};
use super::words;

/// The first thing of a sentence that the patch says the opposite of.
pub fn contradiction<'a>(sentence: &[Token<'a>], lexicon: &Lexicon) -> Option<&'a str> {
    let claims = claims::of(sentence);
    let said = LazyCell::new(|| Said::of(lexicon));
    let contradicted = |claim: &&Claim| match is_contradicted(**claim, sentence, lexicon) {
        true => !said.has(**claim, sentence),
        false => said.has_reverse(**claim, sentence) && !is_shown(**claim, sentence, lexicon),
    };
    let kept = |claim: &&Claim| is_kept(**claim, sentence, lexicon) && !said.has(**claim, sentence);
    let found = claims.iter().find(contradicted).or_else(|| claims.iter().find(kept))?;
    let (Claim::Added(at) | Claim::Removed(at) | Claim::Became(_, at)) = found;
    sentence.get(*at).map(|token| token.text)
}

/// The patch has both ends of it on the side where the claim wants them.
fn is_shown(claim: Claim, sentence: &[Token<'_>], lexicon: &Lexicon) -> bool {
    let seen = |at: usize| sentence.get(at).map_or_else(Seen::default, |token| side(token, lexicon));
    match claim {
        Claim::Added(at) => seen(at).has(Seen::NEW),
        Claim::Removed(at) => seen(at).has(Seen::OLD),
        Claim::Became(old, new) => seen(old).gone() && seen(new).came(),
    }
}

fn is_contradicted(claim: Claim, sentence: &[Token<'_>], lexicon: &Lexicon) -> bool {
    let seen = |at: usize| {
        in_place(at, sentence, lexicon)
            .unwrap_or_else(|| sentence.get(at).map_or_else(Seen::default, |token| side(token, lexicon)))
    };
    match claim {
        Claim::Added(at) => seen(at).gone(),
        Claim::Removed(at) => seen(at).came(),
        Claim::Became(old, new) => {
            let text = |at: usize| sentence.get(at).map_or("", |token| token.text);
            if lexicon.pairs.has(text(old), text(new)) {
                return false;
            }
            if lexicon.pairs.has_reverse_only(text(old), text(new)) {
                return true;
            }
            let (old, new) = (seen(old), seen(new));
            let (old_only, new_only) =
                (|seen: Seen| seen.gone() && !seen.has(Seen::NEAR), |seen: Seen| seen.came() && !seen.has(Seen::NEAR));
            new_only(old) || old_only(new)
        }
    }
}

/// "Removes `kept`", "Adds `kept`": what was defined before and after, and is named on the other side's lines too.
fn is_kept(claim: Claim, sentence: &[Token<'_>], lexicon: &Lexicon) -> bool {
    let (at, other_side) = match claim {
        Claim::Removed(at) => (at, Seen::NEW),
        Claim::Added(at) => (at, Seen::OLD),
        Claim::Became(..) => return false,
    };
    let Some(name) = sentence.get(at).filter(|token| token.kind == Kind::Code).map(Token::low) else { return false };
    let part = sentence.get(at + 1).is_some_and(|next| PARTS.contains(&next.low().as_str()));
    !lexicon.partial && !part && lexicon.is_kept(&name) && lexicon.word(name.trim_end_matches("()")).has(other_side)
}

/// A name before one of these is not that of a definition.
const PARTS: &[&str] = &[
    "parameter",
    "param",
    "argument",
    "arg",
    "option",
    "flag",
    "field",
    "property",
    "key",
    "variant",
    "import",
    "call",
    "calls",
    "attribute",
    "dependency",
    "test",
    "tests",
    "alias",
    "keyword",
    "label",
];

/// "`name` from src/file.rs": the definition in that file, where it came or went.
fn in_place(at: usize, sentence: &[Token<'_>], lexicon: &Lexicon) -> Option<Seen> {
    let (name, link, place) = (sentence.get(at)?, sentence.get(at + 1)?, sentence.get(at + 2)?);
    let placed = matches!(link.text, "in" | "from" | "to") && place.kind == Kind::Path && name.kind == Kind::Code;
    let seen = placed.then(|| lexicon.symbol_in(&name.low(), place.text))?;
    (seen.gone() || seen.came()).then_some(seen)
}

/// On which sides a thing stands: definitions and files tell more than words do.
fn side(token: &Token<'_>, lexicon: &Lexicon) -> Seen {
    let low = token.low();
    let sides = |seen: Seen| if lexicon.partial { Seen::default() } else { seen };
    match token.kind {
        Kind::Number => {
            let number: String = low
                .trim_start_matches(|c: char| !c.is_ascii_digit())
                .chars()
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect();
            sides(lexicon.number(number.trim_end_matches('.')))
        }
        Kind::Path => {
            let path = lexicon.path_of(&low);
            if path.is_none() { sides(of_name(&low, lexicon)) } else { path }
        }
        Kind::Code => {
            let (symbol, words) = (lexicon.symbol_of(&low), sides(of_name(&low, lexicon)));
            // A definition may stay that only lines on one side name; what is not read whole has its facts.
            let one_sided = !low.contains([':', '.', '#']) && (words.gone() || words.came());
            let both = symbol.has(Seen::OLD) && symbol.has(Seen::NEW);
            match (symbol.is_none(), words.is_none()) {
                (true, true) => lexicon.member_of(&low),
                (true, false) => words,
                (false, _) if both && one_sided => words,
                (false, _) => symbol,
            }
        }
        _ => Seen::default(),
    }
}

/// All parts of a name go together; one that stands on one side only says which.
fn of_name(low: &str, lexicon: &Lexicon) -> Seen {
    let bare = low.trim_end_matches("()");
    let whole = lexicon.word(bare);
    if !whole.is_none() {
        return whole;
    }
    let parts: Vec<Seen> = words::identifiers(bare).map(|part| lexicon.word(part)).collect();
    let one_sided = parts.iter().find(|seen| seen.gone() || seen.came());
    one_sided.copied().unwrap_or_default()
}

/// What the author claims, thing by thing.
struct Said(Vec<(Direction, String, String)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Added,
    Removed,
    Became,
}

impl Said {
    fn of(lexicon: &Lexicon) -> Self {
        let lines = lexicon.said_words().lines().flat_map(|line| {
            let theirs = tokens(line);
            claims::of(&theirs).into_iter().map(|claim| keys(claim, &theirs)).collect::<Vec<_>>()
        });
        Self(lines.collect())
    }

    /// The author makes the same claim of the same thing.
    fn has(&self, claim: Claim, sentence: &[Token<'_>]) -> bool {
        self.0.contains(&keys(claim, sentence))
    }

    /// The author says the contrary, and not the same somewhere else.
    fn has_reverse(&self, claim: Claim, sentence: &[Token<'_>]) -> bool {
        let (direction, one, other) = keys(claim, sentence);
        let reverse = match direction {
            Direction::Added => (Direction::Removed, one, other),
            Direction::Removed => (Direction::Added, one, other),
            Direction::Became => (Direction::Became, other, one),
        };
        self.0.contains(&reverse) && !self.has(claim, sentence)
    }
}

fn keys(claim: Claim, sentence: &[Token<'_>]) -> (Direction, String, String) {
    let key =
        |at: usize| sentence.get(at).map(|token| token.low().trim_end_matches("()").to_owned()).unwrap_or_default();
    match claim {
        Claim::Added(at) => (Direction::Added, key(at), String::new()),
        Claim::Removed(at) => (Direction::Removed, key(at), String::new()),
        Claim::Became(old, new) => (Direction::Became, key(old), key(new)),
    }
}
