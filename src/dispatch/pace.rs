//! Early abort of a streaming answer: by the forecast, when its sentence cannot end in time; or by preemption.

use crate::dispatch::pool::Turn;
use crate::domain::model::StreamVerdict;
use crate::llm::{AnswerPace, AnswerProgress};
use crate::route::early_stop::{StreamProgress, judge_stream};
use crate::route::forecast::{Conditions, Forecast};

/// Cuts an answer when its rest cannot come in time.
#[derive(Debug, Clone)]
pub struct Paced {
    pub forecast: Forecast,
    /// The conditions of the request; the remaining time is the stream's own.
    pub conditions: Conditions,
    /// Tokens of a usual sentence of this model.
    pub usual: u32,
}

impl AnswerPace for Paced {
    fn check_progress(&self, so_far: &AnswerProgress<'_>) -> StreamVerdict {
        let progress = StreamProgress {
            unfinished: u32::try_from(so_far.unfinished).unwrap_or(u32::MAX),
            has_sentence: so_far.sentence_tokens.is_some(),
            tpot_s: self.tpot_s(so_far),
            usual: self.usual,
        };
        let conditions = Conditions { left_s: so_far.left.as_secs_f64(), ..self.conditions };
        judge_stream(&progress, &self.forecast, &conditions)
    }
}

impl Paced {
    /// Seconds per token of the stream so far; a longer silence counts as the pending token.
    fn tpot_s(&self, so_far: &AnswerProgress<'_>) -> Option<f64> {
        let silent = so_far.silent.as_secs_f64();
        match (so_far.tokens, so_far.tpot) {
            (0, _) => None,
            (tokens, Some(tpot)) => {
                let (tokens, tpot) = (tokens as f64, tpot.as_secs_f64());
                Some(tpot.max((tpot * (tokens - 1.0) + silent) / tokens))
            }
            (_, None) => Some(silent.max(self.forecast.tpot_s(&self.conditions))),
        }
    }
}

/// Aborts an answer when its turn is preempted. A stream is checked at each token and every 50 ms.
#[derive(Debug)]
pub struct Recallable<'a>(pub &'a Turn);

impl AnswerPace for Recallable<'_> {
    fn check_progress(&self, _: &AnswerProgress<'_>) -> StreamVerdict {
        if self.0.is_recalled() { StreamVerdict::Keep } else { StreamVerdict::Wait }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::route::speed::{ModelHardware, Speed};

    fn paced() -> Paced {
        let speed = Speed { tpot_s: 0.04, ..Speed::from_hardware(&ModelHardware::default()) };
        Paced { forecast: Forecast::from_seed(speed), conditions: Conditions::default(), usual: 24 }
    }

    fn so_far(tokens: u64, sentence_tokens: Option<u64>, silent_ms: u64, left_ms: u64) -> AnswerProgress<'static> {
        AnswerProgress {
            text: "",
            tokens,
            sentence_tokens,
            unfinished: tokens - sentence_tokens.unwrap_or(0),
            silent: Duration::from_millis(silent_ms),
            tpot: (tokens > 1).then_some(Duration::from_millis(40)),
            left: Duration::from_millis(left_ms),
        }
    }

    fn verdict(tokens: u64, sentence_tokens: Option<u64>, silent_ms: u64, left_ms: u64) -> StreamVerdict {
        paced().check_progress(&so_far(tokens, sentence_tokens, silent_ms, left_ms))
    }

    #[test]
    fn a_stream_that_keeps_its_speed_is_waited_for() {
        assert_eq!(verdict(0, None, 300, 1500), StreamVerdict::Wait);
        assert_eq!(verdict(1, None, 10, 1400), StreamVerdict::Wait);
        assert_eq!(verdict(12, None, 30, 700), StreamVerdict::Wait);
    }

    #[test]
    fn a_stream_that_stalls_in_its_first_sentence_is_given_up_while_there_is_time() {
        assert_eq!(verdict(4, None, 40, 900), StreamVerdict::Wait);
        assert_eq!(verdict(4, None, 600, 900), StreamVerdict::GiveUp);
        assert_eq!(verdict(1, None, 600, 900), StreamVerdict::GiveUp);
    }

    #[test]
    fn a_sentence_that_has_ended_is_kept_when_the_next_one_cannot_end() {
        assert_eq!(verdict(20, Some(19), 40, 600), StreamVerdict::Keep);
        assert_eq!(verdict(20, Some(19), 40, 1500), StreamVerdict::Wait);
        assert_eq!(verdict(20, Some(19), 900, 1500), StreamVerdict::Keep);
    }

    #[test]
    fn before_the_first_token_only_the_shortest_rest_is_hopeless() {
        assert_eq!(verdict(0, None, 1800, 200), StreamVerdict::GiveUp);
    }

    #[test]
    fn no_numbers_are_too_odd_to_be_judged() {
        for unfinished in [0, u64::MAX] {
            for time in [Duration::ZERO, Duration::MAX] {
                let odd = AnswerProgress { unfinished, tpot: Some(time), silent: time, ..so_far(1, None, 0, 0) };
                assert_eq!(paced().check_progress(&odd), StreamVerdict::GiveUp);
                let endless = AnswerProgress { left: Duration::MAX, silent: Duration::ZERO, tpot: None, ..odd };
                assert_eq!(paced().check_progress(&endless), StreamVerdict::Wait);
            }
        }
    }
}
