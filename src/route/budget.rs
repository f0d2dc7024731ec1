//! Token budget: plans prompt and output tokens so that the answer fits into the time left.

use super::forecast::{Conditions, Forecast, ONE_SENTENCE_BELOW, Work};

/// Fewer output tokens do not hold a sentence.
pub const LEAST_OUTPUT: u32 = 24;
/// Output tokens left beside a shortened prompt: one sentence with a small reserve.
const OUTPUT_OF_SHORTENED: u32 = 30;
/// The time is divided by the slowdown that nine of ten runs do not exceed; the tenth is salvaged.
pub const CONFIDENCE: f64 = 0.9;
/// Stricter quantile of the slowdown, where the usual plan leaves too much to chance.
pub const CAREFUL: f64 = 0.97;
/// English words per token, to state a length in the prompt.
const WORDS_PER_TOKEN: f64 = 0.7;
/// Share of the token limit that the prompt states, because models count badly; much less for a single sentence, as a
/// truncated one is useless.
const TOLD_SHARE: f64 = 0.8;
const TOLD_OF_ONE_SENTENCE: f64 = 0.65;

/// Requested size of a prompt and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Tokens of the whole prompt, and of the shortest usable one.
    pub prompt: u32,
    pub least: u32,
    /// Leading tokens of the whole prompt that are in the server's prefix cache.
    pub cached: u32,
    /// The same for a shortened prompt, of which only the rules are cached.
    pub cached_rules: u32,
    pub max_tokens: u32,
}

/// Planned size that fits into the time left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Tokens of the prompt to send.
    pub prompt: u32,
    pub work: Work,
    /// The prompt is shorter than requested.
    pub shortened: bool,
}

impl Plan {
    /// Share of the requested prompt that is sent.
    #[must_use]
    pub fn share(&self, wish: &Wish) -> f64 {
        (f64::from(self.prompt) / f64::from(wish.prompt.max(1))).clamp(0.0, 1.0)
    }

    /// Number of words stated in the prompt.
    #[must_use]
    pub fn words(&self) -> u32 {
        let share = if self.work.allowed < ONE_SENTENCE_BELOW { TOLD_OF_ONE_SENTENCE } else { TOLD_SHARE };
        (f64::from(self.work.allowed) * share * WORDS_PER_TOKEN) as u32
    }
}

/// Plans the whole prompt with as many output tokens as fit; below [`LEAST_OUTPUT`] a shorter prompt; else `None`.
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
    // If not even an empty prompt fits, there is no plan.
    let fits = uncached > 0 && prompt >= wish.least && prompt < wish.prompt;
    fits.then_some(Plan { prompt, work, shortened: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::speed::Speed;

    /// 10 ms per prompt token, 40 ms per written one.
    fn forecast() -> Forecast {
        let speed = Speed {
            overhead_s: 0.05,
            uncached_s: 0.01,
            cached_s: 0.0001,
            tpot_s: 0.04,
            load_s: 3.0,
            answer_tokens: 40,
        };
        let mut forecast = Forecast::seeded(speed);
        for i in 0..40 {
            let uncached = 20 + i * 37 % 200;
            let ttft = 0.05 + 0.01 * f64::from(uncached);
            forecast.learn(&crate::route::observation::Observation {
                uncached,
                cached: 0,
                allowed: 120,
                written: 40,
                sentence: Some(20),
                load_s: None,
                queue_s: 0.0,
                ttft_s: Some(ttft),
                tpot_s: Some(0.04),
                took_s: ttft + 1.6,
                end: crate::route::observation::End::Done,
                pressed: false,
                idle_min: 1.0,
            });
        }
        forecast
    }

    fn planned(prompt: u32, cached: u32, left_s: f64) -> Option<Plan> {
        let wish = Wish { prompt, least: 40, cached, cached_rules: cached.min(30), max_tokens: 120 };
        plan(&forecast(), &wish, &Conditions { left_s, idle_min: 1.0, ..Conditions::default() }, CONFIDENCE)
    }

    #[test]
    fn the_answer_is_as_long_as_the_time_allows() {
        let long = planned(60, 0, 20.0).unwrap();
        assert_eq!((long.work.allowed, long.shortened), (120, false));
        let short = planned(60, 0, 2.5).unwrap();
        assert!((LEAST_OUTPUT..60).contains(&short.work.allowed), "{short:?}");
        assert!(short.words() < short.work.allowed);
    }

    #[test]
    fn a_prompt_that_takes_too_long_is_shortened_but_not_beyond_sense() {
        let plan = planned(400, 0, 3.0).unwrap();
        assert!(plan.shortened && (40..300).contains(&plan.prompt), "{plan:?}");
        assert_eq!(planned(400, 0, 1.6), None);
        assert_eq!(planned(400, 0, -1.0), None);
    }

    #[test]
    fn what_the_server_has_in_its_cache_makes_room() {
        assert!(!planned(400, 395, 3.0).unwrap().shortened);
        assert!(planned(400, 395, 3.0).unwrap().work.allowed > planned(100, 0, 3.0).unwrap().work.allowed);
    }

    #[test]
    fn a_shortened_prompt_is_another_text_and_was_not_read_ahead() {
        let plan = planned(4000, 3700, 3.5).unwrap();
        assert!(plan.shortened && plan.work.cached == 30 && plan.prompt < 400, "{plan:?}");
    }

    #[test]
    fn a_role_that_writes_little_needs_little() {
        let wish = Wish { prompt: 60, least: 40, cached: 0, cached_rules: 0, max_tokens: 10 };
        let conditions = Conditions { left_s: 1.8, idle_min: 1.0, ..Conditions::default() };
        let plan = plan(&forecast(), &wish, &conditions, CONFIDENCE);
        assert_eq!(plan.unwrap().work.allowed, 10);
    }
}
