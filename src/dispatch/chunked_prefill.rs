//! Chunked prefill: a model reads a prompt in steps, so that a preempting request waits for one step at most.
//!
//! A server that has begun to evaluate a batch of prompt tokens finishes it even if the client hangs up (llama.cpp:
//! 2,048 tokens, Ollama: 512, and neither takes another size with a request). Evaluated tokens stay in its prefix
//! cache, so a prompt that is sent in growing prefixes is read once and can be left after each step.

use std::time::{Duration, Instant};

use super::asking::Asking;
use super::endpoints::EndpointSlot;
use super::model_run;
use super::sampler::SystemSample;
use super::scoring::Contender;
use crate::dispatch::pool::Turn;
use crate::llm::ModelRequest;
use crate::prompt::tokens::TokenScale;
use crate::route::forecast::{Conditions, Work};
use crate::route::tuning::shortened;

/// Target duration of one step.
const STEP: Duration = Duration::from_millis(250);
/// Fewest tokens of a step: each reads the end of the chat template again and writes a token, which was measured as a
/// fifth more work at 64 tokens, and three quarters at 16.
const LEAST_STEP: u32 = 64;

/// A prompt to be read. Positions in it are bytes of rules and question together.
pub(super) struct ChunkedPrefill<'a> {
    pub slot: &'a EndpointSlot,
    pub contender: &'a Contender,
    pub rules: &'a str,
    pub question: &'a str,
    pub scale: TokenScale,
    /// Last byte to read; the turn's end bounds the time.
    pub end: usize,
    pub until: Instant,
    pub keep_alive: Duration,
}

impl Asking {
    /// Reads until the turn ends; returns the position that the model has read for certain.
    pub(super) async fn feed(&self, feed: &ChunkedPrefill<'_>, turn: &Turn, here: &SystemSample) -> usize {
        let conditions = feed.contender.conditions(STEP, here);
        let (endpoint, model) = (&feed.contender.endpoint, &feed.contender.offered.name);
        let mut read =
            self.knowledge.learned().cached.common_text(endpoint, model, (feed.rules, feed.question)).min(feed.end);
        while read < feed.end && !turn.is_recalled() {
            let next = feed.next(read, &conditions);
            let ask = feed.step_request(next);
            let sent = self.clock.instant();
            let result = tokio::select! {
                result = feed.slot.client.request_answer(&ask) => result,
                () = turn.recalled() => return read,
            };
            let elapsed = self.clock.instant().saturating_duration_since(sent);
            let tokens = |bytes: usize| feed.scale.tokens_of(bytes);
            let work = Work { uncached: tokens(next - read), cached: tokens(read), allowed: 1 };
            let cold = feed.contender.is_cold();
            let run = model_run::ModelRun { work, result: &result, elapsed, pressed: here.pressed, cold };
            self.knowledge.learn(feed.contender, &ask, &run);
            if result.is_err() {
                return read;
            }
            read = next;
        }
        read
    }
}

impl ChunkedPrefill<'_> {
    /// End of the next step.
    fn next(&self, read: usize, conditions: &Conditions) -> usize {
        let work = Work { uncached: 0, cached: self.scale.tokens_of(read), allowed: 1 };
        let tokens = self.contender.forecast().prompt_in(&work, conditions, 0.5).max(LEAST_STEP);
        let next = read.saturating_add(self.scale.bytes_in(tokens)).min(self.end);
        (next..=self.end).find(|at| self.cut(*at).is_some()).unwrap_or(self.end)
    }

    /// Rules and question up to a position; `None` inside a character.
    fn cut(&self, at: usize) -> Option<(&str, &str)> {
        match at.checked_sub(self.rules.len()) {
            None => Some((self.rules.get(..at)?, "")),
            Some(rest) => Some((self.rules, self.question.get(..rest)?)),
        }
    }

    fn step_request(&self, upto: usize) -> ModelRequest {
        let (rules, question) = self.cut(upto).unwrap_or((self.rules, self.question));
        ModelRequest {
            model: self.contender.offered.name.clone(),
            rules: rules.to_owned(),
            question: question.to_owned(),
            sampling: shortened(&self.contender.sampling, 1),
            wording: None,
            until: self.until,
            keep_alive: Some(self.keep_alive),
            prompt_estimate: None,
        }
    }
}
