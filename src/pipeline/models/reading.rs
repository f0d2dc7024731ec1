//! Reading a prompt ahead of its commit: when the commit comes, only its message is left to be read.
//!
//! A server that has begun to evaluate a prompt goes on to the end of its batch, whoever hangs up (llama.cpp: up to 2,048
//! tokens). So the prompt is fed in steps that each take a moment: whoever needs the device waits for one step at most.

use std::time::{Duration, Instant};

use super::knowledge::ReadAhead;
use super::task::{PromptOf, Size, Task};
use super::weigh::Contender;
use super::{KEEP_ALIVE, Models, Order, Settled, seen};
use crate::config::Config;
use crate::domain::id::Oid;
use crate::domain::role::Role;
use crate::llm::{Answer, Ask, LlmError};
use crate::pipeline::pool::Turn;
use crate::prompt::render::Rendered;
use crate::route::forecast::{Conditions, Work};
use crate::route::merit;
use crate::route::signals::{Traffic, Urgency};
use crate::route::tuning::shortened;

/// What one step may take: an urgent request that comes meanwhile has to wait for its end.
const STEP: Duration = Duration::from_millis(400);
/// A step reads at least so many tokens, or the requests cost more than the reading.
const LEAST_STEP: u32 = 16;
/// Of a capture's budget, the model's part.
const MODEL_SHARE: f64 = 0.85;

/// How far reading ahead came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Everything before the author's words is read.
    Whole,
    /// Somebody more urgent came, or the time was over.
    Part,
    /// It would be of no use, or nobody is there to read it.
    Nothing,
}

/// A prompt on its way to be read.
struct Book<'a> {
    tree: &'a Oid,
    size: Size,
    prompt: &'a Rendered,
    contender: &'a Contender,
}

impl Models {
    /// Lets the model that would be asked about a commit of `tree` read the prompt of it up to the author's words, and
    /// write nothing. Ends early when somebody more urgent needs the device; what was read until then stays read.
    pub async fn read_ahead(&self, config: &Config, tree: &Oid, prompt: &PromptOf<'_>, until: Instant) -> Reading {
        let now = self.clock.instant();
        let task = Task {
            role: Role::Capture,
            urgency: Urgency::Ahead,
            traffic: Traffic::Calm,
            budget: config.capture.budget,
            until: until.min(now + config.capture.budget.mul_f64(MODEL_SHARE)),
            // Who is chosen does not depend on it as long as one is far better than the template.
            technicality: 1.0,
            template_quality: merit::TEMPLATE,
            tree: None,
            prompt,
        };
        let settled = tokio::time::timeout_at(task.until.into(), self.settle(config, &task)).await;
        let Ok(Ok(settled)) = settled else { return Reading::Nothing };
        self.read_settled(config, &task, tree, &settled, until).await
    }

    async fn read_settled(
        &self,
        config: &Config,
        task: &Task<'_>,
        tree: &Oid,
        settled: &Settled,
        until: Instant,
    ) -> Reading {
        let Some(Order { contender, .. }) = self.order(config, task, settled) else { return Reading::Nothing };
        let book = Book { tree, size: settled.size, prompt: &settled.prompt, contender };
        let known = self.knowledge().ahead_of(tree).is_some_and(|read| read.whole && book.is(read));
        if known {
            return Reading::Whole;
        }
        let Ok(slot) = self.slot(config, contender) else { return Reading::Nothing };
        let conditions = contender.conditions(STEP, &settled.here);
        let work = Work { uncached: settled.prompt.prompt_tokens, cached: 0, allowed: 1 };
        let lasts = contender.forecast().outlook(&work, &conditions).total_s;
        let patient = Task { until, ..*task };
        let Ok(turn) = self.turn(config, &slot.config, &patient, lasts).await else { return Reading::Nothing };
        let pressed = settled.here.pressed;
        let reading = async {
            let mut read = book.known(self);
            while read < book.end() {
                let next = book.next(read, &conditions);
                let ask = book.ask(next, until);
                let sent = self.clock.instant();
                let result = slot.client.ask(&ask).await;
                let took = self.clock.instant().saturating_duration_since(sent);
                self.learn_reading(&book, (read, next), (&ask, &result), (took, pressed));
                if result.is_err() {
                    return read;
                }
                read = next;
            }
            read
        };
        let read = recallable(&turn, reading).await;
        self.remember(&book, read)
    }

    fn learn_reading(
        &self,
        book: &Book<'_>,
        (from, to): (usize, usize),
        (ask, result): (&Ask, &Result<Answer, LlmError>),
        (took, pressed): (Duration, bool),
    ) {
        let tokens = |bytes: usize| book.size.budget.scale.tokens_of(bytes);
        let work = Work { uncached: tokens(to - from), cached: tokens(from), allowed: 1 };
        self.learn(book.contender, ask, &seen::Run { work, result, took, pressed });
    }

    /// `read`: how far, absent when it was broken off in the midst of a step.
    fn remember(&self, book: &Book<'_>, read: Option<usize>) -> Reading {
        let mut knowledge = self.knowledge();
        let (common, _) = knowledge.cached.common(&book.contender.endpoint, &book.contender.offered.name, book.prompt);
        let whole = read.is_some_and(|read| read >= book.end());
        if !whole && common <= book.prompt.rules.len() + 1 {
            return Reading::Nothing;
        }
        knowledge.read_ahead(ReadAhead {
            tree: book.tree.clone(),
            endpoint: book.contender.endpoint.clone(),
            model: book.contender.offered.name.clone(),
            size: book.size,
            whole,
        });
        if whole { Reading::Whole } else { Reading::Part }
    }
}

/// Nothing when the turn was recalled before the end.
async fn recallable<T>(turn: &Turn, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = turn.recalled() => None,
    }
}

impl Book<'_> {
    fn is(&self, read: &ReadAhead) -> bool {
        read.endpoint == self.contender.endpoint && read.model == self.contender.offered.name
    }

    /// Bytes of the question before the author's words.
    fn end(&self) -> usize {
        self.prompt.fixed
    }

    /// Bytes of the question that the model has read already.
    fn known(&self, models: &Models) -> usize {
        let one = self.contender;
        let (common, _) = models.knowledge().cached.common(&one.endpoint, &one.offered.name, self.prompt);
        common.saturating_sub(self.prompt.rules.len() + 1).min(self.end())
    }

    /// Where the next step ends, in bytes of the question.
    fn next(&self, read: usize, conditions: &Conditions) -> usize {
        let work = Work { uncached: 0, cached: self.prompt.prompt_tokens, allowed: 1 };
        let tokens = self.contender.forecast().prompt_in(&work, conditions, 0.5).max(LEAST_STEP);
        let next = read.saturating_add(self.size.budget.scale.bytes_in(tokens)).min(self.end());
        (next..=self.end()).find(|at| self.prompt.question.is_char_boundary(*at)).unwrap_or(self.end())
    }

    fn ask(&self, upto: usize, until: Instant) -> Ask {
        Ask {
            model: self.contender.offered.name.clone(),
            rules: self.prompt.rules.clone(),
            question: self.prompt.question.get(..upto).unwrap_or_default().to_owned(),
            sampling: shortened(&self.contender.sampling, 1),
            until,
            keep_alive: Some(KEEP_ALIVE),
            prompt_estimate: None,
        }
    }
}
