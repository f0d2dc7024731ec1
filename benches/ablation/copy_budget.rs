//! How much to ask and how much to let write, so that it fits into the time that is left.

use super::forecast::{Conditions, Forecast, ONE_SENTENCE_BELOW, Work};

/// Fewer tokens do not hold a sentence.
pub const LEAST_OUTPUT: u32 = 24;
/// What a shortened prompt leaves room for: one sentence with a little air.
const OUTPUT_OF_SHORTENED: u32 = 30;
/// The time is divided by the slowness that is not exceeded in nine of ten runs; the tenth is salvaged.
pub const CONFIDENCE: f64 = 0.9;
/// By the slowness that is not exceeded in so many of a hundred runs, where the usual plan leaves too much to chance.
pub const CAREFUL: f64 = 0.97;
/// Words of English per token, so that a model can be told its length.
const WORDS_PER_TOKEN: f64 = 0.7;
/// A model is told less than it may write, because models count badly: of a single sentence much less, as one that
/// is cut is worth nothing.
const TOLD_SHARE: f64 = 0.8;
const TOLD_OF_ONE_SENTENCE: f64 = 0.65;

/// What is wanted of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Tokens of the whole prompt, and of the shortest one that makes sense.
    pub prompt: u32,
    pub least: u32,
    /// Tokens at the start of the whole prompt that the server has in its cache.
    pub cached: u32,
    /// The same of a shortened prompt: another text, of which only the rules are known.
    pub cached_rules: u32,
    pub max_tokens: u32,
}

/// What fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Tokens of the prompt that is to be sent.
    pub prompt: u32,
    pub work: Work,
    /// The prompt is shorter than wished.
    pub shortened: bool,
}

impl Plan {
    /// Share of the wished-for prompt that is sent.
    #[must_use]
    pub fn share(&self, wish: &Wish) -> f64 {
        (f64::from(self.prompt) / f64::from(wish.prompt.max(1))).clamp(0.0, 1.0)
    }

    /// How many words the model is asked for.
    #[must_use]
    pub fn words(&self) -> u32 {
        let share = if self.work.allowed < ONE_SENTENCE_BELOW { TOLD_OF_ONE_SENTENCE } else { TOLD_SHARE };
        (f64::from(self.work.allowed) * share * WORDS_PER_TOKEN) as u32
    }
}

/// Plans the whole prompt with as many tokens as fit; below [`LEAST_OUTPUT`] a shorter prompt; else nothing.
#[must_use]
pub fn plan(forecast: &Forecast, wish: &Wish, conditions: &Conditions, confidence: f64) -> Option<Plan> {
    whole(forecast, wish, conditions, confidence).or_else(|| shortened(forecast, wish, conditions, confidence))
}

fn whole(forecast: &Forecast, wish: &Wish, conditions: &Conditions, confidence: f64) -> Option<Plan> {
    let work =
        Work { uncached: wish.prompt.saturating_sub(wish.cached), cached: wish.cached.min(wish.prompt), allowed: 0 };
    let allowed = forecast.tokens_in(&work, conditions, confidence).min(wish.max_tokens);
    let enough = allowed >= LEAST_OUTPUT.min(wish.max_tokens);
    enough.then_some(Plan { prompt: wish.prompt, work: Work { allowed, ..work }, shortened: false })
}

fn shortened(forecast: &Forecast, wish: &Wish, conditions: &Conditions, confidence: f64) -> Option<Plan> {
    let allowed = OUTPUT_OF_SHORTENED.min(wish.max_tokens);
    let cached = wish.cached_rules.min(wish.prompt);
    let uncached = forecast.prompt_in(&Work { uncached: 0, cached, allowed }, conditions, confidence);
    let prompt = cached.saturating_add(uncached).min(wish.prompt);
    let work = Work { uncached: prompt - cached, cached, allowed };
    // Where nothing at all fits, nothing fits for no prompt either.
    let fits = uncached > 0 && prompt >= wish.least && prompt < wish.prompt;
    fits.then_some(Plan { prompt, work, shortened: true })
}
