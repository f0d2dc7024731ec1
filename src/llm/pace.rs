//! Pace: a caller's early stop of a streamed answer that will not be complete by its deadline.

use std::time::Duration;

use crate::domain::model::StreamVerdict;

/// Poll interval while no tokens arrive.
pub(super) const STEP: Duration = Duration::from_millis(50);

/// Judges an answer after each chunk, and every 50 ms while none arrives. Must be fast: it runs between two
/// tokens. Any verdict but `Wait` ends the request.
pub trait AnswerPace: Send + Sync {
    fn check_progress(&self, so_far: &AnswerProgress<'_>) -> StreamVerdict;
}

/// Progress of a streamed answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerProgress<'a> {
    pub text: &'a str,
    /// Chunks of content; one chunk is about one token.
    pub tokens: u64,
    /// Tokens of the first sentence, once more text follows it.
    pub sentence_tokens: Option<u64>,
    /// Tokens since the end of the last complete sentence, or since the start.
    pub unfinished: u64,
    /// Time since the last token, or since the request was sent.
    pub silent: Duration,
    /// Mean time between two tokens; absent before the second.
    pub tpot: Option<Duration>,
    /// Time until the deadline.
    pub left: Duration,
}

/// Never stops before the deadline.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoPace;

impl AnswerPace for NoPace {
    fn check_progress(&self, _: &AnswerProgress<'_>) -> StreamVerdict {
        StreamVerdict::Wait
    }
}
