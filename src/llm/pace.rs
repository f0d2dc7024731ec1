//! Whether an answer that is on its way is still worth waiting for; whoever asks decides it.

use std::time::Duration;

use crate::domain::model::Verdict;

/// How long nothing may come before a pace is asked again.
pub(super) const STEP: Duration = Duration::from_millis(50);

/// Judges an answer after each piece that arrives, and every 50 ms while none does. Must be quick: it is asked
/// between two tokens. Anything but `Wait` ends the request.
pub trait Pace: Send + Sync {
    fn judge(&self, so_far: &SoFar<'_>) -> Verdict;
}

/// An answer on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoFar<'a> {
    pub text: &'a str,
    /// Chunks of content; a chunk is about a token.
    pub tokens: u64,
    /// The tokens of the first sentence, once it has ended for certain: something follows it.
    pub sentence_tokens: Option<u64>,
    /// Tokens since the last sentence that has ended for certain, or since the start.
    pub unfinished: u64,
    pub since_sent: Duration,
    /// Since the last token, or since the request was sent.
    pub silent: Duration,
    /// Between two tokens, on average; absent before there are two.
    pub tpot: Option<Duration>,
    /// Until the deadline.
    pub left: Duration,
}

/// Waits until the deadline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patient;

impl Pace for Patient {
    fn judge(&self, _: &SoFar<'_>) -> Verdict {
        Verdict::Wait
    }
}
