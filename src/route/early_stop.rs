//! Early stopping of a stream: whether the rest of the sentence is worth the wait.
//!
//! Before the first sentence has ended, nothing can be salvaged; afterwards, more text is optional. A sentence that
//! cannot end in time is cut at once, which frees the device and shows the final text earlier.

use super::forecast::{Conditions, Forecast};
use crate::domain::model::StreamVerdict;

/// Progress of a streaming answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StreamProgress {
    /// Tokens since the last sentence end (or the start), and whether a sentence has ended.
    pub unfinished: u32,
    pub has_sentence: bool,
    /// Seconds per token of this stream; `None` before the second token.
    pub tpot_s: Option<f64>,
    /// Tokens of a typical sentence.
    pub usual: u32,
}

/// Share of the typical remaining length that must fit. Before a first sentence the stream is given up only when even
/// half of it cannot be written; a second sentence is awaited while it is likely.
const HOPE: f64 = 0.5;
/// Least tokens to the end of a sentence that already has its typical length.
const ENDING: u32 = 3;

/// Judges a stream with `left_s` seconds to go; the forecast's speed is used until the stream has its own.
#[must_use]
pub fn judge_stream(progress: &StreamProgress, forecast: &Forecast, conditions: &Conditions) -> StreamVerdict {
    let tpot = progress.tpot_s.filter(|tpot| tpot.is_finite() && *tpot > 0.0);
    let tpot = tpot.unwrap_or_else(|| forecast.tpot_s(conditions));
    let missing = f64::from(progress.usual.saturating_sub(progress.unfinished).max(ENDING)) * tpot;
    match progress.has_sentence {
        true if missing > conditions.left_s => StreamVerdict::Keep,
        false if missing * HOPE > conditions.left_s => StreamVerdict::GiveUp,
        _ if conditions.left_s > 0.0 => StreamVerdict::Wait,
        true => StreamVerdict::Keep,
        false => StreamVerdict::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::speed::{ModelHardware, Speed};
    use proptest::prelude::*;

    fn verdict(unfinished: u32, has_sentence: bool, tpot_s: Option<f64>, left_s: f64) -> StreamVerdict {
        let progress = StreamProgress { unfinished, has_sentence, tpot_s, usual: 24 };
        let forecast = Forecast::from_seed(Speed::from_hardware(&ModelHardware::default()));
        judge_stream(&progress, &forecast, &Conditions { left_s, ..Conditions::default() })
    }

    #[test]
    fn a_sentence_that_will_end_in_time_is_waited_for() {
        assert_eq!(verdict(10, false, Some(0.04), 1.0), StreamVerdict::Wait);
        assert_eq!(verdict(0, true, Some(0.04), 1.2), StreamVerdict::Wait);
    }

    #[test]
    fn a_second_sentence_that_cannot_end_is_cut_and_the_first_kept() {
        assert_eq!(verdict(2, true, Some(0.1), 0.8), StreamVerdict::Keep);
        assert_eq!(verdict(22, true, Some(0.1), 0.8), StreamVerdict::Wait);
    }

    #[test]
    fn a_first_sentence_is_given_up_only_when_it_is_hopeless() {
        assert_eq!(verdict(4, false, Some(0.1), 1.5), StreamVerdict::Wait);
        assert_eq!(verdict(4, false, Some(0.1), 0.6), StreamVerdict::GiveUp);
        assert_eq!(verdict(40, false, Some(0.1), 0.2), StreamVerdict::Wait);
    }

    #[test]
    fn before_two_tokens_came_the_forecast_tells_the_speed() {
        assert_eq!(verdict(1, false, None, 0.2), StreamVerdict::GiveUp);
        assert_eq!(verdict(1, false, None, 20.0), StreamVerdict::Wait);
    }

    proptest! {
        #[test]
        fn when_the_time_is_over_the_stream_is_cut(unfinished: u32, sentence: bool, tpot: f64, left in -1e9..=0.0_f64) {
            let verdict = verdict(unfinished, sentence, Some(tpot), left);
            prop_assert_eq!(verdict, if sentence { StreamVerdict::Keep } else { StreamVerdict::GiveUp });
        }
    }
}
