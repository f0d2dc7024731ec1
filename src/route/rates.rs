//! A forecast as throughput figures for comparing models.

use serde::Serialize;

use super::forecast::{Conditions, Forecast, Work};

/// Reference conditions: no pressure, model loaded, empty queue.
const CALM: Conditions = Conditions { left_s: 3600.0, queue_s: 0.0, cold: false, pressed: false, idle_min: 0.0 };
/// Prompt length of the reported first-token time: about a commit of fifty lines.
const PROMPT: u32 = 500;

/// A model's speed over its last runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rates {
    pub runs: u64,
    /// Output tokens per second.
    pub tps: f64,
    /// Prompt tokens evaluated per second, nothing cached.
    pub prefill_tps: f64,
    /// Milliseconds to the first token for an uncached prompt of 500 tokens.
    pub first_token_ms: f64,
}

impl Rates {
    #[must_use]
    pub fn from_forecast(forecast: &Forecast) -> Self {
        let ttft = |uncached| forecast.outlook(&Work { uncached, cached: 0, allowed: 1 }, &CALM).ttft_s;
        let per_token = (ttft(PROMPT) - ttft(0)) / f64::from(PROMPT);
        Self {
            runs: forecast.n(),
            tps: rate(forecast.tpot_s(&CALM)),
            prefill_tps: rate(per_token),
            first_token_ms: (ttft(PROMPT) * 1e4).round() / 10.0,
        }
    }
}

fn rate(seconds: f64) -> f64 {
    if seconds > 0.0 { (10.0 / seconds).round() / 10.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::choice::tests::learned;

    #[test]
    fn the_rates_are_those_of_the_model_that_was_learned() {
        let rates = Rates::from_forecast(&learned(600.0, 30.0));
        assert!((24.0..36.0).contains(&rates.tps), "{rates:?}");
        assert!((450.0..750.0).contains(&rates.prefill_tps), "{rates:?}");
        assert!((600.0..1600.0).contains(&rates.first_token_ms), "{rates:?}");
        assert!(rates.runs > 0);
    }
}
