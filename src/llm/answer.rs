//! An answer while it grows: what arrived, when, and what the server counted.

use std::time::{Duration, Instant};

use super::{Answer, Ask, Finish, LlmError};
use crate::domain::timing::Tokens;

/// Below this share of our own estimate a prompt was cut, not merely estimated badly:
/// Ollama's cut leaves about half the context, our estimate is at most 1.6 times too high.
const TRUNCATED_BELOW: f64 = 0.5;

/// What one frame meant for the stream.
#[derive(Debug)]
pub(super) enum Flow {
    More,
    Done(Finish),
}

/// Reads the frames of one protocol.
pub(super) trait Frames {
    /// Takes one line of the body.
    ///
    /// # Errors
    /// When the line reports an error or is not what the protocol promises.
    fn line(&mut self, line: &[u8], growing: &mut Growing) -> Result<Flow, LlmError>;

    /// The body ended without a closing message: what that means.
    fn at_end(&self) -> Finish {
        Finish::Aborted
    }
}

/// Collects one answer.
#[derive(Debug)]
pub(super) struct Growing {
    sent: Instant,
    now: Instant,
    text: String,
    chunks: u64,
    first: Option<Instant>,
    last: Option<Instant>,
    pub(super) tokens: Tokens,
    pub(super) load: Option<Duration>,
    /// Bytes of hidden reasoning; never content.
    pub(super) reasoning: usize,
}

impl Growing {
    pub(super) fn new(sent: Instant) -> Self {
        Self {
            sent,
            now: sent,
            text: String::new(),
            chunks: 0,
            first: None,
            last: None,
            tokens: Tokens::default(),
            load: None,
            reasoning: 0,
        }
    }

    /// The time at which the frames that follow have arrived.
    pub(super) fn at(&mut self, now: Instant) {
        self.now = now;
    }

    /// Takes content; an empty string is no token.
    pub(super) fn content(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.first.get_or_insert(self.now);
        self.last = Some(self.now);
        self.chunks += 1;
        self.text.push_str(text);
    }

    pub(super) fn has_text(&self) -> bool {
        !self.text.is_empty()
    }

    /// Closes the answer at `now`.
    pub(super) fn finish(mut self, finish: Finish, ask: &Ask, now: Instant, broken_off: Option<String>) -> Answer {
        // Servers without usage: a chunk is about a token.
        self.tokens.output = self.tokens.output.or((self.chunks > 0).then_some(self.chunks));
        Answer {
            finish,
            load: self.load,
            ttft: self.first.map(|first| first.saturating_duration_since(self.sent)),
            tpot: self.tpot(),
            took: now.saturating_duration_since(self.sent),
            prompt_truncated: self.truncated(ask),
            tokens: self.tokens,
            text: self.text,
            broken_off,
        }
    }

    /// (last content − first content) / (n − 1).
    fn tpot(&self) -> Option<Duration> {
        let n = u32::try_from(self.tokens.output?).ok()?;
        let span = self.last?.saturating_duration_since(self.first?);
        (n > 1).then(|| span / (n - 1))
    }

    /// Only a prompt near the context's size is ever cut; older Ollama versions under-report the
    /// count of small prompts that are cached.
    fn truncated(&self, ask: &Ask) -> bool {
        let (Some(counted), Some(estimate)) = (self.tokens.prompt, ask.prompt_estimate) else { return false };
        estimate > ask.sampling.num_ctx / 2 && (counted as f64) < f64::from(estimate) * TRUNCATED_BELOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::{Clock, SystemClock};
    use crate::llm::Sampling;

    fn ask(estimate: u32) -> Ask {
        let sampling =
            Sampling { temperature: 0.1, top_p: 0.9, top_k: 40, repeat_penalty: 1.0, num_ctx: 4096, max_tokens: 80 };
        Ask {
            model: "m".into(),
            rules: String::new(),
            question: String::new(),
            sampling,
            until: SystemClock.instant(),
            keep_alive: None,
            prompt_estimate: Some(estimate),
        }
    }

    fn grown(times_ms: &[u64], output: Option<u64>) -> Answer {
        let start = SystemClock.instant();
        let mut growing = Growing::new(start);
        for at in times_ms {
            growing.at(start + Duration::from_millis(*at));
            growing.content("x");
        }
        growing.tokens.output = output;
        growing.finish(Finish::Stop, &ask(10), start + Duration::from_millis(500), None)
    }

    #[test]
    fn an_empty_string_is_not_the_first_token() {
        let start = SystemClock.instant();
        let mut growing = Growing::new(start);
        growing.content("");
        assert!(!growing.has_text());
        growing.at(start + Duration::from_millis(30));
        growing.content("a");
        let answer = growing.finish(Finish::Stop, &ask(10), start + Duration::from_millis(31), None);
        assert_eq!(answer.ttft, Some(Duration::from_millis(30)));
        assert_eq!(answer.took, Duration::from_millis(31));
    }

    #[test]
    fn tpot_goes_by_the_servers_count_not_by_chunks() {
        assert_eq!(grown(&[100, 200, 300], Some(11)).tpot, Some(Duration::from_millis(20)));
        assert_eq!(grown(&[100, 200, 300], None).tpot, Some(Duration::from_millis(100)));
        assert_eq!(grown(&[100], None).tpot, None);
        assert_eq!(grown(&[], None).tokens.output, None);
    }

    #[test]
    fn a_prompt_counted_at_half_the_estimate_was_cut() {
        let truncated = |estimate, counted| {
            let mut growing = Growing::new(SystemClock.instant());
            growing.tokens.prompt = counted;
            growing.finish(Finish::Stop, &ask(estimate), SystemClock.instant(), None).prompt_truncated
        };
        assert!(truncated(6000, Some(2050)));
        assert!(!truncated(6000, Some(3900)));
        assert!(!truncated(900, Some(12)), "a small prompt is never cut");
        assert!(!truncated(6000, None));
    }
}
