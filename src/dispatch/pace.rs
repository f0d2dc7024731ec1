//! Early abort of a streaming answer: by the forecast, when its sentence cannot end in time; or by preemption.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::dispatch::pool::Turn;
use crate::domain::model::Verdict;
use crate::llm::{Pace, SoFar};
use crate::route::forecast::{Conditions, Forecast};
use crate::route::pace::{Progress, judge};

/// Cuts an answer when its rest cannot come in time.
#[derive(Debug, Clone)]
pub struct Paced {
    pub forecast: Forecast,
    /// The conditions of the request; the remaining time is the stream's own.
    pub conditions: Conditions,
    /// Tokens of a usual sentence of this model.
    pub usual: u32,
}

impl Pace for Paced {
    fn judge(&self, so_far: &SoFar<'_>) -> Verdict {
        let progress = Progress {
            unfinished: u32::try_from(so_far.unfinished).unwrap_or(u32::MAX),
            has_sentence: so_far.sentence_tokens.is_some(),
            tpot_s: self.tpot_s(so_far),
            usual: self.usual,
        };
        let conditions = Conditions { left_s: so_far.left.as_secs_f64(), ..self.conditions };
        judge(&progress, &self.forecast, &conditions)
    }
}

impl Paced {
    /// Seconds per token of the stream so far; a longer silence counts as the pending token.
    fn tpot_s(&self, so_far: &SoFar<'_>) -> Option<f64> {
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

impl Pace for Recallable<'_> {
    fn judge(&self, _: &SoFar<'_>) -> Verdict {
        if self.0.is_recalled() { Verdict::Keep } else { Verdict::Wait }
    }
}

/// Records the arrival of the first token.
pub(super) struct Heard<'a> {
    pub pace: &'a dyn Pace,
    pub heard: &'a AtomicBool,
}

impl Pace for Heard<'_> {
    fn judge(&self, so_far: &SoFar<'_>) -> Verdict {
        if so_far.tokens > 0 {
            self.heard.store(true, Ordering::Relaxed);
        }
        self.pace.judge(so_far)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::route::speed::{Machine, Speed};

    fn paced() -> Paced {
        let speed = Speed { tpot_s: 0.04, ..Speed::of(&Machine::default()) };
        Paced { forecast: Forecast::seeded(speed), conditions: Conditions::default(), usual: 24 }
    }

    fn so_far(tokens: u64, sentence_tokens: Option<u64>, silent_ms: u64, left_ms: u64) -> SoFar<'static> {
        SoFar {
            text: "",
            tokens,
            sentence_tokens,
            unfinished: tokens - sentence_tokens.unwrap_or(0),
            since_sent: Duration::from_secs(1),
            silent: Duration::from_millis(silent_ms),
            tpot: (tokens > 1).then_some(Duration::from_millis(40)),
            left: Duration::from_millis(left_ms),
        }
    }

    fn verdict(tokens: u64, sentence_tokens: Option<u64>, silent_ms: u64, left_ms: u64) -> Verdict {
        paced().judge(&so_far(tokens, sentence_tokens, silent_ms, left_ms))
    }

    #[test]
    fn a_stream_that_keeps_its_speed_is_waited_for() {
        assert_eq!(verdict(0, None, 300, 1500), Verdict::Wait);
        assert_eq!(verdict(1, None, 10, 1400), Verdict::Wait);
        assert_eq!(verdict(12, None, 30, 700), Verdict::Wait);
    }

    #[test]
    fn a_stream_that_stalls_in_its_first_sentence_is_given_up_while_there_is_time() {
        assert_eq!(verdict(4, None, 40, 900), Verdict::Wait);
        assert_eq!(verdict(4, None, 600, 900), Verdict::GiveUp);
        assert_eq!(verdict(1, None, 600, 900), Verdict::GiveUp);
    }

    #[test]
    fn a_sentence_that_has_ended_is_kept_when_the_next_one_cannot_end() {
        assert_eq!(verdict(20, Some(19), 40, 600), Verdict::Keep);
        assert_eq!(verdict(20, Some(19), 40, 1500), Verdict::Wait);
        assert_eq!(verdict(20, Some(19), 900, 1500), Verdict::Keep);
    }

    #[test]
    fn before_the_first_token_only_the_shortest_rest_is_hopeless() {
        assert_eq!(verdict(0, None, 1800, 200), Verdict::GiveUp);
    }

    #[test]
    fn no_numbers_are_too_odd_to_be_judged() {
        for unfinished in [0, u64::MAX] {
            for time in [Duration::ZERO, Duration::MAX] {
                let odd = SoFar { unfinished, tpot: Some(time), silent: time, ..so_far(1, None, 0, 0) };
                assert_eq!(paced().judge(&odd), Verdict::GiveUp);
                let endless = SoFar { left: Duration::MAX, silent: Duration::ZERO, tpot: None, ..odd };
                assert_eq!(paced().judge(&endless), Verdict::Wait);
            }
        }
    }
}
