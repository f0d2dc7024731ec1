//! Answer accumulator: the streamed text, its timings, and the server's token counts.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::transport::sanitise;
use super::{AnswerProgress, Finish, LlmError, ModelAnswer, ModelRequest};
use crate::domain::timing::Tokens;
use crate::quality::sentence_stream::SentenceStream;
use crate::text::sentences;

/// Below this share of our own estimate the server truncated the prompt, beyond any estimation error:
/// Ollama's truncation leaves about half the context, our estimate is at most 1.6 times too high.
const TRUNCATED_BELOW: f64 = 0.5;

/// Effect of one frame on the stream.
#[derive(Debug)]
pub(super) enum FrameEffect {
    More,
    Done(Finish),
}

/// Parser for the frames of one protocol.
pub(super) trait FrameParser {
    /// Parses one line of the body.
    ///
    /// # Errors
    /// The line reports an error or violates the protocol.
    fn parse_line(&mut self, line: &[u8], growing: &mut AnswerBuilder) -> Result<FrameEffect, LlmError>;

    /// The finish reason once the server has sent it; only counts may still follow.
    fn finish_reason(&self) -> Option<Finish>;
}

/// Parses a finish reason of any protocol: `done_reason`, `finish_reason`, `done`.
/// An empty reason, which some servers send with each frame, is `None`.
///
/// # Errors
/// The reason is a server-side failure.
pub(super) fn parse_finish(value: &Value) -> Result<Option<Finish>, LlmError> {
    let reasons = [&value["done_reason"], &value["choices"][0]["finish_reason"], &value["finish_reason"]];
    let reason = reasons.into_iter().filter_map(Value::as_str).map(str::trim);
    match reason.map(str::to_ascii_lowercase).find(|reason| !matches!(reason.as_str(), "" | "null" | "none")) {
        None => Ok(is_true(&value["done"]).then_some(Finish::Stop)),
        Some(reason) => match reason.as_str() {
            "length" | "max_tokens" | "max_length" | "model_length" | "limit" | "content_filter" => {
                Ok(Some(Finish::Length))
            }
            "abort" | "aborted" | "error" | "cancelled" | "canceled" | "connection_error" | "unload" => {
                let message = format!("the server ended the answer: {}", sanitise(&reason));
                Err(LlmError::MidStream { message })
            }
            _ => Ok(Some(Finish::Stop)),
        },
    }
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str() == Some("true"))
}

/// Accumulates one answer.
#[derive(Debug)]
pub(super) struct AnswerBuilder {
    sent: Instant,
    now: Instant,
    text: String,
    sentences: SentenceStream,
    first: Option<Instant>,
    last: Option<Instant>,
    pub(super) tokens: Tokens,
    pub(super) load: Option<Duration>,
    /// Bytes of hidden reasoning; never part of the content.
    pub(super) reasoning: usize,
}

impl AnswerBuilder {
    pub(super) fn new(sent: Instant) -> Self {
        Self {
            sent,
            now: sent,
            text: String::new(),
            sentences: SentenceStream::default(),
            first: None,
            last: None,
            tokens: Tokens::default(),
            load: None,
            reasoning: 0,
        }
    }

    /// Sets the arrival time of the following frames.
    pub(super) fn set_time(&mut self, now: Instant) {
        self.now = now;
    }

    /// Appends content; an empty string is no token.
    pub(super) fn push_content(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.first.get_or_insert(self.now);
        self.last = Some(self.now);
        self.sentences.push_piece(text);
        self.text.push_str(text);
    }

    pub(super) fn has_text(&self) -> bool {
        !self.text.is_empty()
    }

    /// The text ends with a whole sentence: if the server closes the stream here, nothing is missing.
    pub(super) fn is_whole(&self) -> bool {
        let text = self.text.trim_end();
        sentences::ends(text).last().is_some_and(|end| *end == text.len())
    }

    /// Progress at `now`.
    pub(super) fn so_far(&self, now: Instant, until: Instant) -> AnswerProgress<'_> {
        AnswerProgress {
            text: &self.text,
            tokens: self.sentences.pieces(),
            sentence_tokens: self.sentences.first_sentence(),
            unfinished: self.sentences.unfinished(),
            silent: now.saturating_duration_since(self.last.unwrap_or(self.sent)),
            tpot: self.tpot(self.sentences.pieces()),
            left: until.saturating_duration_since(now),
        }
    }

    /// Finishes the answer at `now`.
    pub(super) fn finish(
        mut self,
        finish: Finish,
        ask: &ModelRequest,
        now: Instant,
        broken_off: Option<String>,
    ) -> ModelAnswer {
        // Servers without usage counts: one chunk is about one token.
        self.tokens.output = self.tokens.output.or(Some(self.sentences.pieces()).filter(|chunks| *chunks > 0));
        ModelAnswer {
            finish,
            load: self.load,
            ttft: self.first.map(|first| first.saturating_duration_since(self.sent)),
            tpot: self.tokens.output.and_then(|tokens| self.tpot(tokens)),
            sentence_tokens: self.sentences.first_sentence_at_end(),
            elapsed: now.saturating_duration_since(self.sent),
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

    /// Only a prompt near the context's size is ever truncated; older Ollama versions under-report the
    /// count of small cached prompts.
    fn truncated(&self, ask: &ModelRequest) -> bool {
        let (Some(counted), Some(estimate)) = (self.tokens.prompt, ask.prompt_estimate) else { return false };
        estimate > ask.sampling.num_ctx / 2 && (counted as f64) < f64::from(estimate) * TRUNCATED_BELOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::{Clock, SystemClock};
    use crate::domain::model::Sampling;

    fn ask(estimate: u32) -> ModelRequest {
        let sampling =
            Sampling { temperature: 0.1, top_p: 0.9, top_k: 40, repeat_penalty: 1.0, num_ctx: 4096, max_tokens: 80 };
        ModelRequest {
            model: "m".into(),
            rules: String::new(),
            question: String::new(),
            sampling,
            wording: None,
            until: SystemClock.instant(),
            keep_alive: None,
            prompt_estimate: Some(estimate),
        }
    }

    fn grown(times_ms: &[u64], output: Option<u64>) -> ModelAnswer {
        let start = SystemClock.instant();
        let mut growing = AnswerBuilder::new(start);
        for at in times_ms {
            growing.set_time(start + Duration::from_millis(*at));
            growing.push_content("x");
        }
        growing.tokens.output = output;
        growing.finish(Finish::Stop, &ask(10), start + Duration::from_millis(500), None)
    }

    #[test]
    fn an_empty_string_is_not_the_first_token() {
        let start = SystemClock.instant();
        let mut growing = AnswerBuilder::new(start);
        growing.push_content("");
        assert!(!growing.has_text());
        growing.set_time(start + Duration::from_millis(30));
        growing.push_content("a");
        let answer = growing.finish(Finish::Stop, &ask(10), start + Duration::from_millis(31), None);
        assert_eq!(answer.ttft, Some(Duration::from_millis(30)));
        assert_eq!(answer.elapsed, Duration::from_millis(31));
    }

    #[test]
    fn what_has_come_is_told_with_the_silence_since() {
        let start = SystemClock.instant();
        let at = |ms| start + Duration::from_millis(ms);
        let mut growing = AnswerBuilder::new(start);
        let before = growing.so_far(at(40), at(500));
        assert_eq!((before.tokens, before.silent, before.tpot), (0, Duration::from_millis(40), None));
        for (ms, text) in [(100, "Adds"), (120, " a"), (140, " retry."), (160, " It")] {
            growing.set_time(at(ms));
            growing.push_content(text);
        }
        let so_far = growing.so_far(at(200), at(500));
        assert_eq!((so_far.text, so_far.tokens, so_far.unfinished), ("Adds a retry. It", 4, 1));
        assert_eq!((so_far.sentence_tokens, so_far.tpot), (Some(3), Some(Duration::from_millis(20))));
        assert_eq!(so_far.silent, Duration::from_millis(40));
        assert_eq!(so_far.left, Duration::from_millis(300));
        assert_eq!(growing.so_far(at(600), at(500)).left, Duration::ZERO);
        assert_eq!(growing.finish(Finish::Stop, &ask(10), at(200), None).sentence_tokens, Some(3));
    }

    #[test]
    fn an_end_is_recognised_in_the_words_of_every_protocol() {
        let of = |text: &str| parse_finish(&serde_json::from_str(text).unwrap()).unwrap();
        for (frame, expected) in [
            (r#"{"done":true,"done_reason":"stop"}"#, Some(Finish::Stop)),
            (r#"{"done":true}"#, Some(Finish::Stop)),
            (r#"{"done":"true"}"#, Some(Finish::Stop)),
            (r#"{"done_reason":"stop"}"#, Some(Finish::Stop)),
            (r#"{"done":false,"done_reason":"length"}"#, Some(Finish::Length)),
            (r#"{"choices":[{"finish_reason":"stop"}]}"#, Some(Finish::Stop)),
            (r#"{"choices":[{"finish_reason":"eos_token"}]}"#, Some(Finish::Stop)),
            (r#"{"choices":[{"finish_reason":"max_tokens"}]}"#, Some(Finish::Length)),
            (r#"{"finish_reason":"length"}"#, Some(Finish::Length)),
            (r#"{"choices":[{"finish_reason":null}]}"#, None),
            (r#"{"choices":[{"finish_reason":""}]}"#, None),
            (r#"{"done":false,"done_reason":""}"#, None),
            (r#"{"message":{"content":"x"},"done":false}"#, None),
        ] {
            assert_eq!(of(frame), expected, "{frame}");
        }
        let aborted = parse_finish(&serde_json::json!({"choices": [{"finish_reason": "abort"}]}));
        assert!(matches!(aborted, Err(LlmError::MidStream { .. })), "{aborted:?}");
    }

    #[test]
    fn only_a_text_that_ends_with_a_sentence_is_whole() {
        let whole = |text: &str| {
            let mut growing = AnswerBuilder::new(SystemClock.instant());
            growing.push_content(text);
            growing.is_whole()
        };
        assert!(whole("Adds `login` to auth.py.") && whole("Adds a retry. Removes it!\n"));
        for piece in ["", "Adds", "Adds a retry. Removes", "Adds a retry to `auth"] {
            assert!(!whole(piece), "{piece}");
        }
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
            let mut growing = AnswerBuilder::new(SystemClock.instant());
            growing.tokens.prompt = counted;
            growing.finish(Finish::Stop, &ask(estimate), SystemClock.instant(), None).prompt_truncated
        };
        assert!(truncated(6000, Some(2050)));
        assert!(!truncated(6000, Some(3900)));
        assert!(!truncated(900, Some(12)), "a small prompt is never cut");
        assert!(!truncated(6000, None));
    }
}
