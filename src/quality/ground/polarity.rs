//! Added is not removed, and before is not after: only what the patch plainly contradicts is a fault.

use super::claims::{self, Claim};
use super::lexicon::{Lexicon, Seen};
use super::token::{Kind, Token, tokens};
use super::words;

/// The first thing of a sentence that the patch says the opposite of.
pub fn contradiction<'a>(sentence: &[Token<'a>], lexicon: &Lexicon) -> Option<&'a str> {
    let contradicted =
        |claim: &&Claim| is_contradicted(**claim, sentence, lexicon) && !is_said(**claim, sentence, lexicon);
    let claims = claims::of(sentence);
    let (Claim::Added(at) | Claim::Removed(at) | Claim::Became(_, at)) = claims.iter().find(contradicted)?;
    sentence.get(*at).map(|token| token.text)
}

fn is_contradicted(claim: Claim, sentence: &[Token<'_>], lexicon: &Lexicon) -> bool {
    let seen = |at: usize| sentence.get(at).map_or_else(Seen::default, |token| side(token, lexicon));
    match claim {
        Claim::Added(at) => seen(at).gone(),
        Claim::Removed(at) => seen(at).came(),
        Claim::Became(old, new) => {
            let (old, new) = (seen(old), seen(new));
            let (old_only, new_only) =
                (|seen: Seen| seen.gone() && !seen.has(Seen::NEAR), |seen: Seen| seen.came() && !seen.has(Seen::NEAR));
            new_only(old) || old_only(new)
        }
    }
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
            let symbol = lexicon.symbol_of(&low);
            if symbol.is_none() { sides(of_name(&low, lexicon)) } else { symbol }
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

/// The author's own sentence makes the same claim of the same thing.
fn is_said(claim: Claim, sentence: &[Token<'_>], lexicon: &Lexicon) -> bool {
    let word = |tokens: &[Token<'_>], at: usize| tokens.get(at).map(|token| words::key(token.text));
    lexicon.said_words().lines().any(|line| {
        let theirs = tokens(line);
        claims::of(&theirs).into_iter().any(|their| match (claim, their) {
            (Claim::Added(a), Claim::Added(b)) | (Claim::Removed(a), Claim::Removed(b)) => {
                word(sentence, a) == word(&theirs, b)
            }
            (Claim::Became(a, b), Claim::Became(c, d)) => {
                word(sentence, a) == word(&theirs, c) && word(sentence, b) == word(&theirs, d)
            }
            _ => false,
        })
    })
}
