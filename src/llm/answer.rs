//! An answer while it grows: what arrived, when, and what the server counted.

use std::time::{Duration, Instant};

use super::{Answer, Ask, Finish, LlmError, SoFar};
use crate::domain::timing::Tokens;
use crate::quality::heard::Heard;

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
    heard: Heard,
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
            heard: Heard::default(),
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
        self.heard.take(text);
        self.text.push_str(text);
    }

    pub(super) fn has_text(&self) -> bool {
        !self.text.is_empty()
    }

    /// Chunks of content so far.
    pub(super) fn chunks(&self) -> u64 {
        self.heard.pieces()
    }

    /// How it stands at `now`.
    pub(super) fn so_far(&self, now: Instant, until: Instant) -> SoFar<'_> {
        SoFar {
            text: &self.text,
            tokens: self.chunks(),
            sentence_tokens: self.heard.first(),
            unfinished: self.heard.unfinished(),
            since_sent: now.saturating_duration_since(self.sent),
            silent: now.saturating_duration_since(self.last.unwrap_or(self.sent)),
            tpot: self.tpot(self.chunks()),
            left: until.saturating_duration_since(now),
        }
    }

    /// Closes the answer at `now`.
    pub(super) fn finish(mut self, finish: Finish, ask: &Ask, now: Instant, broken_off: Option<String>) -> Answer {
        // Servers without usage: a chunk is about a token.
        self.tokens.output = self.tokens.output.or(Some(self.chunks()).filter(|chunks| *chunks > 0));
        Answer {
            finish,
            load: self.load,
            ttft: self.first.map(|first| first.saturating_duration_since(self.sent)),
            tpot: self.tokens.output.and_then(|tokens| self.tpot(tokens)),
            sentence_tokens: self.heard.first_of_all(),
            took: now.saturating_duration_since(self.sent),
            prompt_truncated: self.truncated(ask),
            tokens: self.tokens,
            text: self.text,
            broken_off,
        }
    }

    /// (last content − first content) / (n − 1).
    fn tpot(&self, tokens: u64) -> Option<Duration> {
        let n = u32::try_from(tokens).ok()?;
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
    fn what_has_come_is_told_with_the_silence_since() {
        let start = SystemClock.instant();
        let at = |ms| start + Duration::from_millis(ms);
        let mut growing = Growing::new(start);
        let before = growing.so_far(at(40), at(500));
        assert_eq!((before.tokens, before.silent, before.tpot), (0, Duration::from_millis(40), None));
        for (ms, text) in [(100, "Adds"), (120, " a"), (140, " retry."), (160, " It")] {
            growing.at(at(ms));
            growing.content(text);
        }
        let so_far = growing.so_far(at(200), at(500));
        assert_eq!((so_far.text, so_far.tokens, so_far.unfinished), ("Adds a retry. It", 4, 1));
        assert_eq!((so_far.sentence_tokens, so_far.tpot), (Some(3), Some(Duration::from_millis(20))));
        assert_eq!((so_far.since_sent, so_far.silent), (Duration::from_millis(200), Duration::from_millis(40)));
        assert_eq!(so_far.left, Duration::from_millis(300));
        assert_eq!(growing.so_far(at(600), at(500)).left, Duration::ZERO);
        assert_eq!(growing.finish(Finish::Stop, &ask(10), at(200), None).sentence_tokens, Some(3));
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
